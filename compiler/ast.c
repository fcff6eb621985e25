/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ast.c - making nodes.
 */
#include "ast.h"

span span_join(span first, span last)
{
    if (!first.file)
        return last;
    if (last.file == first.file && last.end > first.start)
        first.end = last.end;
    return first;
}

static uint32_t deeper(uint32_t a, uint32_t b)
{
    return (a > b ? a : b) + 1;
}

ast_expr *ast_expr_new(arena *memory, ast_expr_kind kind, span at)
{
    ast_expr *expr = arena_alloc(memory, sizeof(*expr));
    expr->kind = kind;
    expr->depth = 1;
    expr->at = at;
    return expr;
}

ast_expr *ast_unary(arena *memory, ast_operator op, const ast_expr *left, span at)
{
    ast_expr *expr = ast_expr_new(memory, AST_UNARY, at);
    expr->op = op;
    expr->left = left;
    expr->depth = left->depth + 1;
    return expr;
}

ast_expr *ast_binary(arena *memory, ast_operator op, const ast_expr *left, const ast_expr *right, span at)
{
    ast_expr *expr = ast_expr_new(memory, AST_BINARY, at);
    expr->op = op;
    expr->left = left;
    expr->right = right;
    bool chain = left->kind == AST_BINARY;
    expr->depth = deeper(left->depth - chain, right->depth);
    return expr;
}

ast_type *ast_type_new(arena *memory, ast_type_kind kind, span at)
{
    ast_type *type = arena_alloc(memory, sizeof(*type));
    type->kind = kind;
    type->depth = 1;
    type->at = at;
    return type;
}

ast_type *ast_type_of(arena *memory, ast_type_kind kind, const ast_type *element, const ast_expr *count, span at)
{
    ast_type *type = ast_type_new(memory, kind, at);
    type->element = element;
    type->count = count;
    type->depth = deeper(element ? element->depth : 0, count ? count->depth : 0);
    return type;
}

const char *ast_decl_described(ast_decl_kind kind)
{
    switch (kind) {
    case AST_CONST: return "a constant";
    case AST_ALIAS: return "an alias";
    case AST_ENUM: return "an enum";
    case AST_FLAGS: return "a set of flags";
    case AST_STRUCT: return "a struct";
    case AST_MESSAGE: return "a message";
    case AST_UNION: return "a union";
    case AST_ERRORS: return "a set of errors";
    case AST_SERVICE: return "a service";
    case AST_TOPIC: return "a topic";
    case AST_QUEUE: return "a queue";
    }
    return "";
}

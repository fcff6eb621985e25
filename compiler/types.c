/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c - see types.h.
 */
#include "types.h"

#include "constant.h"
#include "declare.h"
#include "layout.h"
#include "resolve.h"

const char *types_scalar_name(model_kind kind)
{
    static const char *const names[] = {
        [MODEL_BOOL] = "bool",     [MODEL_INT8] = "int8",       [MODEL_INT16] = "int16",     [MODEL_INT32] = "int32",
        [MODEL_INT64] = "int64",   [MODEL_UINT8] = "uint8",     [MODEL_UINT16] = "uint16",   [MODEL_UINT32] = "uint32",
        [MODEL_UINT64] = "uint64", [MODEL_FLOAT32] = "float32", [MODEL_FLOAT64] = "float64",
    };
    return names[kind];
}

const char *types_name(arena *memory, const model_type *type)
{
    unsigned capacity = (unsigned)type->capacity;
    if (type->alias)
        return type->alias->name;
    switch (type->kind) {
    case MODEL_BOOL:
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_INT32:
    case MODEL_INT64:
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_UINT32:
    case MODEL_UINT64:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64: return types_scalar_name(type->kind);
    case MODEL_ENUM:
    case MODEL_FLAGS: return type->members->decl->name;
    case MODEL_STRUCT:
    case MODEL_UNION: return type->record->decl->name;
    case MODEL_STRING: return arena_printf(memory, "string<%u>", capacity);
    case MODEL_BYTES: return arena_printf(memory, "bytes<%u>", capacity);
    case MODEL_VECTOR: return arena_printf(memory, "vector<%s, %u>", types_name(memory, type->element), capacity);
    case MODEL_ARRAY: {
        const model_type *base = type;
        const char *dimensions = "";
        for (; base->kind == MODEL_ARRAY && (base == type || !base->alias); base = base->element)
            dimensions = arena_printf(memory, "%s[%u]", dimensions, (unsigned)base->capacity);
        return arena_printf(memory, "%s%s", types_name(memory, base), dimensions);
    }
    }
    return "";
}

static const model_type *named_type(compile *run, const unit *from, const ast_type *ast, types_place place)
{
    const char *rest;
    symbol *named = resolve_name(run, from, ast->name, &rest);
    if (!named)
        return NULL;

    ast_decl_kind kind = named->ast->kind;
    const char *name = named->ast->name.text;
    if (rest || kind == AST_CONST || kind == AST_ERRORS || kind == AST_SERVICE || kind == AST_TOPIC ||
        kind == AST_QUEUE) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E206, ast->at, "'%s' is %s, where a type is wanted",
                                     rest ? ast->name.text : name, rest ? "no type" : ast_decl_described(kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", name);
        return NULL;
    }
    if (kind == AST_MESSAGE && place != TYPES_SIZEOF) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E306, ast->at, "the message '%s' cannot be part of a type", name);
        diag_note(entry, named->ast->name.at, "'%s' is declared here", name);
        diag_fix(entry, "declare '%s' as a struct: messages grow, and what grows cannot be embedded", name);
        return NULL;
    }
    if (!declare_complete(run, named, ast->at))
        return NULL;
    resolve_use(run, named, NULL, ast->at);
    return named->type;
}

bool types_may_nest(compile *run, uint32_t nesting, span at)
{
    if (nesting <= MODEL_NESTING_MOST)
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E114, at, "types nest too deeply here");
    diag_note(entry, (span){0}, "at most %d levels", MODEL_NESTING_MOST);
    return false;
}

static const model_type *sequence(compile *run, model_kind kind, const model_type *element, uint32_t capacity, span at)
{
    model_type *type = arena_alloc(run->memory, sizeof(*type));
    type->kind = kind;
    type->element = element;
    type->capacity = capacity;
    type->nesting = 1 + (element ? element->nesting : 0);
    if (!types_may_nest(run, type->nesting, at))
        return NULL;
    if (layout_sequence(type))
        return type;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E321, at, "%s is larger than 1 GiB", types_name(run->memory, type));
    diag_note(entry, (span){0}, "no type may be");
    return NULL;
}

/* `T[a][b]`: a times an array of b times T. The tree has the last dimension outermost. */
static const model_type *array_type(compile *run, const unit *from, const ast_type *ast)
{
    const ast_type *base = ast;
    while (base->kind == AST_TYPE_ARRAY)
        base = base->element;
    const model_type *type = types_resolve(run, from, base, TYPES_ELEMENT, NULL);
    for (const ast_type *each = ast; each != base; each = each->element) {
        uint32_t count;
        bool known = constant_capacity(run, from, each->count, "the length of an array", &count);
        type = type && known ? sequence(run, MODEL_ARRAY, type, count, ast->at) : NULL;
    }
    return type;
}

static const model_type *counted_type(compile *run, const unit *from, const ast_type *ast)
{
    static const char *const whats[] = {
        [AST_TYPE_STRING] = "the capacity of a string",
        [AST_TYPE_BYTES] = "the capacity of bytes",
        [AST_TYPE_VECTOR] = "the capacity of a vector",
    };
    const model_type *element = NULL;
    bool known = true;
    if (ast->kind == AST_TYPE_VECTOR) {
        element = types_resolve(run, from, ast->element, TYPES_ELEMENT, NULL);
        known = element != NULL;
    }
    uint32_t capacity;
    if (!constant_capacity(run, from, ast->count, whats[ast->kind], &capacity) || !known)
        return NULL;
    model_kind kind = ast->kind == AST_TYPE_STRING  ? MODEL_STRING
                      : ast->kind == AST_TYPE_BYTES ? MODEL_BYTES
                                                    : MODEL_VECTOR;
    return sequence(run, kind, element, capacity, ast->at);
}

static const model_type *misplaced_optional(compile *run, const ast_type *ast, types_place place)
{
    static const char *const places[] = {
        [TYPES_FIELD] = "another optional",
        [TYPES_ARM] = "a union",
        [TYPES_ELEMENT] = "an array or a vector",
        [TYPES_ALIAS] = "an alias",
        [TYPES_CONST] = "a constant",
        [TYPES_BASE] = "a base type",
        [TYPES_SIZEOF] = "sizeof",
        [TYPES_RESERVED] = "a reserved place",
    };
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E315, ast->at, "an optional cannot stand directly in %s", places[place]);
    if (place == TYPES_ELEMENT || place == TYPES_ARM)
        diag_fix(entry, "put it into a struct, which may stand there");
    else if (place == TYPES_RESERVED)
        diag_fix(entry, "reserve both of its parts: 'reserved bool;' and, next, the type");
    else
        diag_fix(entry, "remove the '?'");
    return NULL;
}

static const model_type *resolve_inner(compile *run, const unit *from, const ast_type *ast, types_place place)
{
    switch (ast->kind) {
    case AST_TYPE_SCALAR: return layout_scalar(ast->scalar);
    case AST_TYPE_NAME: return named_type(run, from, ast, place);
    case AST_TYPE_STRING:
    case AST_TYPE_BYTES:
    case AST_TYPE_VECTOR: return counted_type(run, from, ast);
    case AST_TYPE_ARRAY: return array_type(run, from, ast);
    case AST_TYPE_OPTIONAL: return misplaced_optional(run, ast, place);
    }
    return NULL;
}

const model_type *types_resolve(compile *run, const unit *from, const ast_type *ast, types_place place,
                                bool *ret_optional)
{
    bool optional = place == TYPES_FIELD && ast->kind == AST_TYPE_OPTIONAL;
    if (!compile_enter(run, ast->at))
        return NULL;
    const model_type *type = resolve_inner(run, from, optional ? ast->element : ast, place);
    compile_leave(run);
    if (type && ret_optional)
        *ret_optional = optional;
    return type;
}

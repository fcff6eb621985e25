/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - what lexer.l, parser.y and syntax.c share; for no one else.
 */
#ifndef SHMRPC_COMPILER_PARSE_H
#define SHMRPC_COMPILER_PARSE_H

#include "ast.h"
#include "diag.h"

typedef struct parse parse;

/* For the scanner. */
arena *parse_memory(parse *state); /* for texts, which the model keeps */
arena *parse_nodes(parse *state);  /* for what ends with the tree */
diag *parse_diag(parse *state);
const source *parse_source(parse *state);
void parse_broken(parse *state);
void parse_cut(parse *state);            /* the file ends within a comment */
void parse_stray(parse *state, span at); /* E111 */

void parse_not_ascii(parse *state, span at); /* E111 in a name */
void parse_quoted(parse *state, span at);    /* E111 for 'text' */

/* For the grammar: what could have stood where the last token stands. */
typedef struct parse_surprise {
    const char *const *names; /* what was expected instead, operators left out */
    uint32_t count;
    bool could_end; /* a ';' was among them */
} parse_surprise;

void parse_unexpected(parse *state, const parse_surprise *surprise);
void parse_too_deep(parse *state, span at);

/* Mistakes that the grammar allows for, so that nothing is skipped over them. */
void parse_wrong_separator(parse *state, span at, const char *found, const char *wanted);
void parse_missing_end(parse *state, span at); /* `at`: empty, behind the last token */
void parse_bad_name(parse *state, ast_ident name, const char *role);
void parse_no_reply(parse *state, span at);
void parse_stray_end(parse *state, span at);

/* `x int32;` is read as `int32 x;`: the name that is meant, and the type that becomes the scalar. */
ast_ident parse_swapped(parse *state, ast_type *type, const ast_type *scalar, const char *role);

/* Whether `strict` was written (`word` has a text then), which only some declarations may be. */
bool parse_strict(parse *state, ast_ident word, ast_decl_kind kind);

/* Makers of nodes that check how deep they nest. */
ast_expr *parse_unary(parse *state, ast_operator op, const ast_expr *left, span at);
ast_expr *parse_binary(parse *state, ast_operator op, const ast_expr *left, const ast_expr *right, span at);
ast_expr *parse_group(parse *state, ast_expr *inside, span at); /* within parentheses */
ast_type *parse_type(parse *state, ast_type_kind kind, const ast_type *element, const ast_expr *count, span at);

ast_notes *parse_notes(parse *state);
void parse_doc(parse *state, ast_notes *notes, const char *text);
void parse_annotation(parse *state, ast_notes *notes, ast_ident name, vector *arguments, span at);

vector *parse_list(parse *state);
void parse_list_add(parse *state, vector *list, const void *item); /* NULL is left out */

ast_body *parse_body(parse *state);
void parse_reserve(parse *state, ast_body *body, const ast_notes *notes, ast_reserved *reserved);

/* A dotted name out of a list of its parts. */
const char *parse_join(parse *state, const vector *parts);

void parse_package(parse *state, const ast_notes *notes, ast_ident name, span at);
void parse_import(parse *state, const ast_notes *notes, ast_string path, ast_ident as);
void parse_declare(parse *state, const ast_decl *decl);

#endif

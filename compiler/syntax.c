/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syntax.c - a parse from start to end, and the nodes that the grammar asks for.
 */
#include "syntax.h"

#include <string.h>

#include "filter.h"
#include "support/buffer.h"
#include "support/text.h"

#define YYSTYPE PARSER_STYPE
#define YYLTYPE PARSER_LTYPE
#include "lexer.h"

arena *parse_memory(parse *state)
{
    return state->memory;
}

arena *parse_nodes(parse *state)
{
    return state->nodes;
}

diag *parse_diag(parse *state)
{
    return state->diagnostics;
}

const source *parse_source(parse *state)
{
    return state->text;
}

void parse_broken(parse *state)
{
    state->file->broken = true;
}

void parse_cut(parse *state)
{
    state->cut = true;
    state->file->broken = true;
}
ast_expr *parse_unary(parse *state, ast_operator op, const ast_expr *left, span at)
{
    ast_expr *expr = ast_unary(state->nodes, op, left, at);
    if (expr->depth <= AST_DEPTH_MOST)
        return expr;
    parse_too_deep(state, at);
    return ast_expr_new(state->nodes, AST_INTEGER, at);
}

ast_expr *parse_binary(parse *state, ast_operator op, const ast_expr *left, const ast_expr *right, span at)
{
    ast_expr *expr = ast_binary(state->nodes, op, left, right, at);
    if (expr->depth <= AST_DEPTH_MOST)
        return expr;
    parse_too_deep(state, at);
    return ast_expr_new(state->nodes, AST_INTEGER, at);
}

ast_expr *parse_group(parse *state, ast_expr *inside, span at)
{
    inside->at = at;
    if (++inside->depth <= AST_DEPTH_MOST)
        return inside;
    parse_too_deep(state, at);
    return ast_expr_new(state->nodes, AST_INTEGER, at);
}

ast_type *parse_type(parse *state, ast_type_kind kind, const ast_type *element, const ast_expr *count, span at)
{
    ast_type *type = ast_type_of(state->nodes, kind, element, count, at);
    if (type->depth <= AST_DEPTH_MOST)
        return type;
    parse_too_deep(state, at);
    return ast_type_new(state->nodes, AST_TYPE_SCALAR, at);
}

ast_notes *parse_notes(parse *state)
{
    ast_notes *notes = arena_alloc(state->nodes, sizeof(*notes));
    notes->annotations = VECTOR_OF(ast_annotation *);
    return notes;
}

void parse_doc(parse *state, ast_notes *notes, const char *text)
{
    if (!notes->doc) {
        notes->doc = text;
        return;
    }
    /* Comments among annotations: those of one declaration, in one text that doubles when it is full. */
    size_t more = strlen(text);
    if (state->doc_of != notes || more >= state->doc_size - state->doc_length - 1) {
        state->doc_length = state->doc_of == notes ? state->doc_length : strlen(notes->doc);
        state->doc_size = 2 * (state->doc_length + more + 2);
        state->doc_text = arena_alloc(state->memory, state->doc_size);
        memcpy(state->doc_text, notes->doc, state->doc_length);
        state->doc_of = notes;
    }
    state->doc_text[state->doc_length++] = '\n';
    memcpy(state->doc_text + state->doc_length, text, more + 1);
    state->doc_length += more;
    notes->doc = state->doc_text;
}

void parse_annotation(parse *state, ast_notes *notes, ast_ident name, vector *arguments, span at)
{
    ast_annotation *annotation = arena_alloc(state->nodes, sizeof(*annotation));
    *annotation = (ast_annotation){.name = name, .at = at, .arguments = arguments};
    vector_add_pointer(&notes->annotations, state->nodes, annotation);
}

vector *parse_list(parse *state)
{
    vector *list = arena_alloc(state->nodes, sizeof(*list));
    *list = VECTOR_OF(void *);
    return list;
}

void parse_list_add(parse *state, vector *list, const void *item)
{
    if (item)
        vector_add_pointer(list, state->nodes, item);
}

ast_body *parse_body(parse *state)
{
    ast_body *body = arena_alloc(state->nodes, sizeof(*body));
    body->entries = VECTOR_OF(void *);
    body->reserved = VECTOR_OF(ast_reserved *);
    return body;
}

void parse_reserve(parse *state, ast_body *body, const ast_notes *notes, ast_reserved *reserved)
{
    reserved->notes = notes;
    reserved->before = body->entries.count;
    vector_add_pointer(&body->reserved, state->nodes, reserved);
}

const char *parse_join(parse *state, const vector *parts)
{
    buffer name = {0};
    for (uint32_t i = 0; i < parts->count; i++) {
        buffer_puts(&name, i ? "." : "");
        buffer_puts(&name, *VECTOR_AT(parts, const char *, i));
    }
    const char *joined = arena_copy(state->memory, name.data, name.length);
    buffer_deinit(&name);
    return joined;
}

void parse_package(parse *state, const ast_notes *notes, ast_ident name, span at)
{
    state->astray = false;
    ast_file *file = state->file;
    if (file->package) {
        diag_entry *entry = diag_add(state->diagnostics, DIAG_E107, at, "a file has one package declaration");
        diag_note(entry, file->package->at, "the first is here");
        return;
    }
    if (file->imports.count || file->decls.count)
        diag_fix(diag_add(state->diagnostics, DIAG_E107, at, "the package declaration comes first"),
                 "move it before all other declarations");
    ast_package *package = arena_alloc(state->nodes, sizeof(*package));
    *package = (ast_package){notes, name, at};
    file->package = package;
}

void parse_import(parse *state, const ast_notes *notes, ast_string path, ast_ident as)
{
    state->astray = false;
    ast_import *import = arena_alloc(state->nodes, sizeof(*import));
    *import = (ast_import){notes, path, as};
    vector_add_pointer(&state->file->imports, state->nodes, import);
}

void parse_declare(parse *state, const ast_decl *decl)
{
    state->astray = false;
    ast_decl *copy = arena_alloc(state->nodes, sizeof(*copy));
    *copy = *decl;
    vector_add_pointer(&state->file->decls, state->nodes, copy);
}

/* ---- the file ---- */

/* What the scanner relies on: UTF-8 without NUL. */
static bool text_is_sound(parse *state)
{
    const source *text = state->text;
    const char *nul = memchr(text->text, '\0', text->size);
    size_t bad;
    if (!utf8_valid(text->text, text->size, &bad)) {
        span at = {text, (uint32_t)bad, (uint32_t)bad + 1};
        diag_entry *entry = diag_add(state->diagnostics, DIAG_E109, at, "the byte 0x%02X is not UTF-8 here",
                                     (unsigned)(unsigned char)text->text[bad]);
        diag_fix(entry, "save the file as UTF-8");
        return false;
    }
    if (nul) {
        uint32_t offset = (uint32_t)(nul - text->text);
        diag_add(state->diagnostics, DIAG_E111, (span){text, offset, offset + 1}, "unexpected NUL character");
        return false;
    }
    return true;
}

ast_file *syntax_parse(arena *memory, arena *nodes, diag *diagnostics, const source *text)
{
    ast_file *file = arena_alloc(nodes, sizeof(*file));
    file->text = text;
    file->imports = VECTOR_OF(ast_import *);
    file->decls = VECTOR_OF(ast_decl *);

    parse state = {.memory = memory, .nodes = nodes, .diagnostics = diagnostics, .text = text, .file = file};
    state.braces = VECTOR_OF(span);
    if (!text_is_sound(&state)) {
        file->broken = true;
        return file;
    }
    uint32_t start = text->lines[0]; /* behind a byte order mark */
    state.scanned = (span){text, start, start};
    (void)scanner_lex_init_extra(&state, &state.scanner); /* fails for want of memory only, which ends the process */
    scanner__scan_bytes(text->text + start, (int)(text->size - start), state.scanner);
    if (parser_parse(&state) != 0)
        file->broken = true;
    scanner_lex_destroy(state.scanner);

    if (!file->package && !file->broken) {
        span first = {text, start, start};
        diag_entry *entry = diag_add(diagnostics, DIAG_E107, first, "the file has no package declaration");
        diag_fix(entry, "begin it with one: 'package demo.name;'");
    }
    return file;
}

vector syntax_tokens(arena *memory, const source *text)
{
    ast_file file = {.text = text};
    parse state = {.memory = memory, .nodes = memory, .diagnostics = diag_new(memory), .text = text, .file = &file};
    vector tokens = VECTOR_OF(syntax_token);
    uint32_t start = text->lines[0];
    PARSER_STYPE value;

    state.scanned = (span){text, start, start};
    (void)scanner_lex_init_extra(&state, &state.scanner);
    scanner__scan_bytes(text->text + start, (int)(text->size - start), state.scanner);
    for (;;) {
        syntax_token *next = vector_add(&tokens, memory);
        next->kind = scanner_lex(&value, &state.scanned, state.scanner);
        next->at = state.scanned;
        if (next->kind == TOKEN_YYEOF) {
            next->at.start = next->at.end = text->size;
            break;
        }
    }
    scanner_lex_destroy(state.scanner);
    return tokens;
}

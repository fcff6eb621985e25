/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h - text from templates.
 *
 * A template is text with holes, `${name}`. What goes into a hole is looked up in the values given with the
 * template, then in those bound with emit_bind(), the latest first; a name that is nowhere is a mistake of the
 * backend's and ends in an assertion. A value is put in as it is: templates in it are not looked at.
 *
 * Each line of a template is indented to the current depth, but for empty lines and lines that begin with '#'. A line
 * that would be longer than EMIT_COLUMNS is broken after commas, where it has any outside of strings and comments, and
 * goes on below its innermost open bracket.
 */
#ifndef SHMRPC_COMPILER_EMIT_H
#define SHMRPC_COMPILER_EMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/arena.h"
#include "support/buffer.h"
#include "support/vector.h"

#define EMIT_COLUMNS 120
#define EMIT_INDENT 4

typedef struct emit_value {
    const char *name;
    const char *text;
} emit_value;

typedef struct emit {
    buffer *to; /* NULL: nowhere */
    arena *memory;
    unsigned depth; /* of the indentation */
    vector bound;   /* emit_value */
    buffer line;    /* the line being made */
} emit;

/* `to` NULL: nothing is written, for a run that is only to see what is declared. */
void emit_init(emit *e, buffer *to, arena *memory);
void emit_deinit(emit *e);

/* Binds a name until emit_release() is given a mark taken before. */
void emit_bind(emit *e, const char *name, const char *text);
size_t emit_mark(const emit *e);
void emit_release(emit *e, size_t mark);

/* Renders a template. `values` ends with {NULL, NULL}, or is NULL. */
void emit_template(emit *e, const char *template_text, const emit_value *values);

/* EMIT(e, "…${a}…", {"a", text}, …); and without values of its own: emit_text(e, "…"). */
#define EMIT(e, template_text, ...) emit_template((e), (template_text), (const emit_value[]){__VA_ARGS__, {NULL, NULL}})
void emit_text(emit *e, const char *template_text);

/* One level deeper, one less deep. */
void emit_in(emit *e);
void emit_out(emit *e);

/* To be called when `memory` is cleared; nothing is bound then. */
void emit_forget(emit *e);

/* An empty line, unless nothing or an empty line or an opening brace stands before it. */
void emit_gap(emit *e);

#endif

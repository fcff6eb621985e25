/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.h - diagnostics: collected while compiling, shown at the end.
 *
 * A diagnostic has a stable code, a place, a message, at most one note that
 * cites another place, and at most one suggestion of a fix. Nothing is printed
 * while compiling; the renderers sort by file and place, drop duplicates, and
 * write to a stream.
 */
#ifndef SHMRPC_COMPILER_DIAG_H
#define SHMRPC_COMPILER_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "source.h"
#include "support/arena.h"

typedef struct diag diag;

typedef enum diag_format { DIAG_TEXT, DIAG_JSON, DIAG_GITHUB } diag_format;

typedef enum diag_severity { DIAG_ERROR, DIAG_WARNING } diag_severity;

/* All codes, their severity and a one-line title, in codes.h: X(E101, ERROR, "wrong separator"). */
typedef enum diag_code {
#define X(code, severity, title) DIAG_##code,
#include "codes.h"
#undef X
} diag_code;

/* Diagnostics beyond this many in one run are counted, not kept. */
#define DIAG_MOST 1000

/* A text that is longer, in bytes, is cut, and ends with "...". */
#define DIAG_TEXT_MOST 16000

typedef struct diag_entry {
    diag_code code;
    span at;
    const char *message;
    const char *note; /* NULL: none */
    span note_at;     /* its file may be NULL: a note without a place */
    const char *fix;  /* NULL: none */
    arena *memory;
} diag_entry;

diag *diag_new(arena *memory);

/* Adds a diagnostic; what is returned takes a note and a fix until the next diag_add(). */
diag_entry *diag_add(diag *diagnostics, diag_code code, span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_note(diag_entry *entry, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_fix(diag_entry *entry, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many there are, those that were not kept included. */
size_t diag_errors(const diag *diagnostics);
size_t diag_warnings(const diag *diagnostics);

const char *diag_code_name(diag_code code); /* "E305" */
const char *diag_code_title(diag_code code);
diag_severity diag_code_severity(diag_code code);

/*
 * The diagnostics that were kept, by path and place, those without a place first, each once; an array of
 * *ret_count pointers, valid until the next diag_add().
 */
const diag_entry *const *diag_sorted(const diag *diagnostics, size_t *ret_count);

/*
 * Writes all diagnostics; `color`: with ANSI colours. Returns 0 or -errno.
 *
 * Text: `path:line:column: error[E305]: message`, the source line, a line of `^~~~` under it, then
 * `path:line:column: note: ...` or `note: ...`, then `fix: ...`. JSON: an array of objects. GitHub: a workflow
 * command in each line.
 */
int diag_render(const diag *diagnostics, diag_format format, bool color, FILE *to);

/*
 * One workflow command, as GitHub shows it beside the line: `::error file=…,line=…,col=…,title=…::message`. `note` and
 * `fix` follow in lines of their own; each may be NULL.
 */
void diag_put_command(FILE *to, const char *severity, span at, const char *title, const char *message, span note_at,
                      const char *note, const char *fix);

/*
 * The parts of which reports are made, without colours: `path:line:column: `; a source line with the place marked; a
 * text without what would drive a terminal; a JSON string; `, "file": ..., "line": ...` of a JSON object. What is of a
 * place writes nothing where there is none.
 */
void diag_put_place(FILE *to, span at);
void diag_put_excerpt(FILE *to, span at);
void diag_put_text(FILE *to, const char *text);
void diag_put_json_string(FILE *to, const char *text);
void diag_put_json_place(FILE *to, span at);

#endif

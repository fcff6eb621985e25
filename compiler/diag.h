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

typedef enum diag_format { DIAG_TEXT, DIAG_JSON } diag_format;

/* All codes, their severity and a one-line title, in codes.h: X(E101, ERROR, "wrong separator"). */
typedef enum diag_code {
#define X(code, severity, title) DIAG_##code,
#include "codes.h"
#undef X
} diag_code;

diag *diag_new(arena *memory);

/* Adds a diagnostic; what is returned takes a note and a fix until the next diag_add(). */
typedef struct diag_entry diag_entry;
diag_entry *diag_add(diag *diagnostics, diag_code code, span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_note(diag_entry *entry, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_fix(diag_entry *entry, const char *format, ...) __attribute__((format(printf, 2, 3)));

size_t diag_errors(const diag *diagnostics);
size_t diag_warnings(const diag *diagnostics);

/* Writes all diagnostics. Returns 0 or -errno. `color`: ANSI colours. */
int diag_render(const diag *diagnostics, diag_format format, bool color, FILE *to);

#endif

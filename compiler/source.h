/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - the text of a file and places in it.
 *
 * A file is read whole, once, and its bytes stay until its arena goes. A span
 * is two byte offsets; lines and columns are worked out only when a diagnostic
 * is shown.
 */
#ifndef SHMRPC_COMPILER_SOURCE_H
#define SHMRPC_COMPILER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/arena.h"

typedef struct source source;

#define SOURCE_BLOCK 4096 /* bytes */

#define SOURCE_STDIN "<stdin>" /* the path of what was read from standard input */

typedef struct span {
    const source *file; /* NULL: no place (the command line) */
    uint32_t start;     /* byte offset of the first byte */
    uint32_t end;       /* one past the last byte; >= start */
} span;

typedef struct position {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in characters, not bytes */
} position;

struct source {
    const char *path;    /* as opened */
    const char *logical; /* relative to its include folder */
    const char *text;    /* NUL-terminated; may contain NUL bytes */
    uint32_t size;       /* bytes, the terminating NUL not counted; a BOM is skipped by the lexer */
    uint32_t *lines;     /* offset of each line's first byte */
    uint32_t line_count;
    uint32_t *characters; /* before each block of SOURCE_BLOCK bytes: how many characters begin in front of it */
};

/*
 * Reads a file whole; "-" is standard input. A pipe is read where it has no name but that of a descriptor (/dev/fd/N);
 * nobody may ever write to one that has. Returns 0, or -errno: -EISDIR for a directory, -EFBIG from 2 GiB on, and
 * -ENOTSUP for what else is no file, of which source_error() says so.
 */
int source_read(arena *memory, const char *path, const char *logical, source **ret);

/* What to say of an error of source_read(), positive. */
const char *source_error(int error);

/* Whether a path stands for standard input or a pipe that this process was handed. */
bool source_is_nameless(const char *path);

/* The same for a text in memory, of which a copy is kept. */
source *source_new(arena *memory, const char *path, const char *logical, const char *text, uint32_t size);

/* Whether a text that a NUL ends begins with a byte order mark, of three bytes. */
bool source_begins_with_mark(const char *text);

/* The line, from 1, of a byte offset. */
uint32_t source_line(const source *file, uint32_t offset);

/* Line and column of a byte offset. */
position source_position(const source *file, uint32_t offset);

#endif

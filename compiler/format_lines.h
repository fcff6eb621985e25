/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_lines.h - the lines of a formatted file, before they are text.
 *
 * A line is code and, behind it, a comment that it ends with. Neighbouring lines
 * are put in columns last, when all are known: the '=' or '{' that lines of one
 * kind have, and the comments.
 */
#ifndef SHMRPC_COMPILER_FORMAT_LINES_H
#define SHMRPC_COMPILER_FORMAT_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "support/buffer.h"
#include "support/vector.h"

#define FORMAT_COLUMNS 120
#define FORMAT_INDENT 4

typedef struct format_line {
    size_t start, end;      /* of its code, in the text of all lines */
    size_t comment_end;     /* of the comment behind it; == end where there is none */
    uint32_t indent;        /* spaces before it */
    uint32_t width;         /* of the code, in characters, without the indentation */
    uint32_t comment_width; /* likewise */
    bool blank_before;      /* an empty line comes first */
    bool verbatim;          /* begins within a comment: nothing is measured by it */
    bool in_comment;        /* what comes is the comment behind the code */
    bool has_cell;          /* a column begins in it, */
    size_t cell_at;         /* here in the text; */
    size_t key_start;       /* what stands here, */
    size_t key_end;         /* and the cell's first character, is the same in all lines of a column */
    uint32_t cell_width;    /* of the code before it */
    uint32_t cell_padding;
    uint32_t comment_padding;
} format_line;

typedef struct format_lines {
    arena *memory;
    vector lines; /* format_line */
    buffer text;
} format_lines;

void format_lines_init(format_lines *to, arena *memory);
void format_lines_deinit(format_lines *to);

void format_lines_begin(format_lines *to, uint32_t indent, bool blank_before);
format_line *format_lines_last(format_lines *to); /* NULL where there is none */

/* Adds to the last line, which is begun where there is none; no line ends in the text. */
void format_lines_add(format_lines *to, const char *text, uint32_t size, uint32_t width);
/* What is added to the last line from here on is a comment that it ends with. */
void format_lines_comment(format_lines *to);
/* How much text there is: where what is added next will be. */
size_t format_lines_at(const format_lines *to);
/* A column begins at the end of the last line; what stands from `key_start` on is the same in all lines of it. */
void format_lines_cell(format_lines *to, size_t key_start, size_t key_end);

/* Puts lines in columns, and the whole into `out`. */
void format_lines_render(format_lines *to, buffer *out);

#endif

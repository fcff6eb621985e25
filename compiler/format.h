/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h - the one way in which a file is laid out.
 *
 * What stays as the author has it: every token and comment, and their order; empty lines between entries, at most one;
 * whether a body that fits stands on one line; whether an annotation has a line of its own; whether a comment has one.
 * Everything else follows from the tokens:
 *
 *   - 4 spaces for each body; 120 columns, then a line goes on 4 spaces further in.
 *   - A body stands on one line where it did and where that fits; else each entry has a line, and so has the '}'. An
 *     empty line parts a declaration with such a body from its neighbours.
 *   - '=' of neighbouring entries of one type, and '{' of neighbouring declarations on one line, are put in one column where that
 *     takes at most 4 spaces; comments behind neighbouring lines are put in one column.
 *
 * The result says the same as the text (format_tokens_same()), and formatting it again changes nothing.
 */
#ifndef SHMRPC_COMPILER_FORMAT_H
#define SHMRPC_COMPILER_FORMAT_H

#include "diag.h"
#include "support/buffer.h"

typedef enum format_result {
    FORMAT_DONE,
    FORMAT_SYNTAX, /* the text has mistakes, which were added to the diagnostics */
    FORMAT_WRONG,  /* the result would not say the same: a mistake of this program, which *ret_line tells the line of */
} format_result;

/* Formats a text into `out`, which is left alone unless the result is FORMAT_DONE. */
format_result format_text(arena *memory, diag *diagnostics, const source *text, buffer *out, uint32_t *ret_line);

#endif

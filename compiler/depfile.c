/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depfile.c - Make's syntax, as gcc -M writes it and Ninja reads it.
 *
 * A blank and '#' take a backslash, and the backslashes directly before a blank are doubled; '$' is doubled. Make
 * knows no way to write a line end: a path with one cannot be written, and becomes a path that does not exist.
 */
#include "depfile.h"

void depfile_path(buffer *text, const char *path)
{
    size_t backslashes = 0;

    for (const char *at = path; *at; at++) {
        if (*at == ' ' || *at == '\t') {
            for (size_t i = 0; i < backslashes + 1; i++)
                buffer_puts(text, "\\");
        } else if (*at == '#') {
            buffer_puts(text, "\\");
        } else if (*at == '$') {
            buffer_puts(text, "$");
        }
        backslashes = *at == '\\' ? backslashes + 1 : 0;
        buffer_append(text, *at == '\n' ? "?" : at, 1);
    }
}

void depfile_rule(buffer *text, const char *const *targets, size_t target_count, const char *const *inputs,
                  size_t input_count)
{
    for (size_t i = 0; i < target_count; i++) {
        if (i > 0)
            buffer_puts(text, " ");
        depfile_path(text, targets[i]);
    }
    buffer_puts(text, ":");
    for (size_t i = 0; i < input_count; i++) {
        buffer_puts(text, " \\\n  ");
        depfile_path(text, inputs[i]);
    }
    buffer_puts(text, "\n");
}

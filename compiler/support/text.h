/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - UTF-8, and how alike two names are.
 */
#ifndef SHMRPC_COMPILER_TEXT_H
#define SHMRPC_COMPILER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character that `bytes` begins with. Returns its length, 1 to 4, or 0 where the bytes are no
 * character: cut off, overlong, a surrogate, or beyond U+10FFFF. *ret may be NULL.
 */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret);

/* Writes a character of up to U+10FFFF that is no surrogate; returns how many of the 4 bytes were used. */
size_t utf8_encode(uint32_t character, char bytes[4]);

/* Whether a character would change how the text around it is shown, or ends a line: never written as it is. */
bool utf8_hides(uint32_t character);

/* Whether all of `bytes` is UTF-8; if not, *ret_offset is where the first fault is. */
bool utf8_valid(const char *bytes, size_t size, size_t *ret_offset);

/*
 * The fewest insertions, deletions, changes and swaps of neighbours that turn one name into the other, where
 * letters differing in case only count as equal; `limit` + 1 where it would be more than `limit`.
 */
size_t text_distance(const char *a, const char *b, size_t limit);

/*
 * For "did you mean": keeps the nearest of the names it is shown. Names too far from the wanted one to be
 * a slip of the finger are not kept.
 */
typedef struct text_guess {
    const char *wanted;
    const char *nearest; /* NULL while there is none */
    size_t distance;
} text_guess;

void text_guess_offer(text_guess *guess, const char *name);

#endif

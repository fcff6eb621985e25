/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_tokens.h - the tokens of a file, and all that stands between them.
 *
 * What the formatter works on, and what it proves its work with: two texts say
 * the same where their tokens are the same, with the same comments before each.
 */
#ifndef SHMRPC_COMPILER_FORMAT_TOKENS_H
#define SHMRPC_COMPILER_FORMAT_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"
#include "support/vector.h"

typedef struct format_comment {
    const char *text; /* with its slashes; without the end of its line, and without white space before that */
    uint32_t length;
    uint32_t column;    /* where it begins its line: from 0, in characters; a tab leads to the next multiple of 4 */
    bool to_line_end;   /* "//", else a block */
    bool documents;     /* "///" */
    bool on_line_begun; /* no line ends between it and the code before it, not even within a comment */
    unsigned newlines;  /* between it and what is before it: 0, 1, or 2 for more */
} format_comment;

typedef struct format_token {
    int kind; /* as in parser.h */
    const char *text;
    uint32_t length;
    uint32_t width;               /* in characters */
    unsigned newlines;            /* between it and the token or comment before it: 0, 1, or 2 for more */
    const format_comment *before; /* the comments between it and the token before it */
    uint32_t before_count;
    uint32_t partner; /* of '{': the index of its '}' */
    bool is_expanded; /* of '{': for the formatter's use */
} format_token;

typedef struct format_tokens {
    format_token *items; /* the last is the end of the file */
    uint32_t count;
    vector comments; /* format_comment */
} format_tokens;

/* The tokens of a text that syntax_parse() has found nothing wrong with; none at all where memory has run out. */
void format_tokens_of(arena *memory, const source *text, format_tokens *ret);

/*
 * Whether two texts say the same: the same tokens, the same comments but for the white space at the ends of their
 * lines, and doc comments that document the same. If not, *ret_different is the first token of `a` that differs or
 * has other comments.
 */
bool format_tokens_same(const format_tokens *a, const format_tokens *b, uint32_t *ret_different);

/* How many characters a text has. */
uint32_t format_width(const char *text, uint32_t size);

#endif

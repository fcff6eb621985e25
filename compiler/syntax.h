/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syntax.h - from a file's text to its tree.
 *
 * Between the scanner (lexer.l) and the grammar (parser.y) stands a filter of
 * tokens. It drops doc comments that document nothing (W106), knows which
 * braces are open, and after a mistake skips to the end of the declaration or
 * member that it is in, so that one mistake is told once.
 */
#ifndef SHMRPC_COMPILER_SYNTAX_H
#define SHMRPC_COMPILER_SYNTAX_H

#include "ast.h"
#include "diag.h"

/*
 * Parses a file. Mistakes are reported; what is returned holds all that could be
 * made out, and says in `broken` whether anything was skipped. The tree
 * belongs to `nodes`, names and other texts in it to `memory`: they may outlive
 * it.
 */
ast_file *syntax_parse(arena *memory, arena *nodes, diag *diagnostics, const source *text);

typedef struct syntax_token {
    int kind; /* as in parser.h; 0: the end of the file */
    span at;
} syntax_token;

/*
 * The tokens of a text that syntax_parse() has found nothing wrong with, as the scanner has them: syntax_token, doc
 * comments among them, the last one the end of the file; none where the scanner cannot be made.
 */
vector syntax_tokens(arena *memory, const source *text);

#endif

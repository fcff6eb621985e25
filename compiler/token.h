/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - what number and string literals stand for.
 *
 * The lexer takes a literal in the widest sense (a digit and all that sticks to
 * it; a quote and all up to the next one); here it is looked at closely, so
 * that each fault has a message of its own.
 */
#ifndef SHMRPC_COMPILER_TOKEN_H
#define SHMRPC_COMPILER_TOKEN_H

#include "ast.h"
#include "diag.h"

/* An AST_INTEGER, AST_FLOAT or AST_DURATION from the text of `at`; AST_FAULTY after E105. */
ast_expr *token_number(arena *memory, diag *diagnostics, span at);

/* The text of a string from its quotes and what is between; what is left of it after E104. */
ast_string token_string(arena *memory, diag *diagnostics, span at);

#endif

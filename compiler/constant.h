/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant.h - expressions evaluated, and values put into types.
 */
#ifndef SHMRPC_COMPILER_CONSTANT_H
#define SHMRPC_COMPILER_CONSTANT_H

#include "compile.h"
#include "value.h"

/*
 * Evaluates an expression as a file means it. `bare`: an enum or a set of flags whose members may be named without
 * it, or NULL. Returns false where it has no value, which has been reported.
 */
bool constant_evaluate(compile *run, const unit *from, const ast_expr *expr, const symbol *bare, value *ret);

/* Whether a type is one that constants and defaults may have: scalar, enum, flags or string. */
bool constant_may_be(const model_type *type);

/*
 * Puts a value into a type that constant_may_be(): exactly, but that a float literal is rounded to float32. False and
 * E301 where it does not fit; a value of the wrong kind altogether is reported as `kind_code`.
 */
bool constant_fit(compile *run, const value *given, const model_type *type, span at, diag_code kind_code,
                  model_value *ret);

/* Evaluates an expression that must be a whole number from 1 to `most`; `what` names it in E307. */
bool constant_capacity(compile *run, const unit *from, const ast_expr *expr, const char *what, uint32_t *ret);

#endif

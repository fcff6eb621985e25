/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - exact arithmetic on the values of constants.
 *
 * An integer is a sign and a magnitude and lies within -2^63 .. 2^64-1; 0 is
 * never negative. Each result is exact or refused. An integer meets a float as
 * a float where that is exact. Bits of a negative number are those of two's
 * complement with endless ones in front.
 */
#ifndef SHMRPC_COMPILER_VALUE_H
#define SHMRPC_COMPILER_VALUE_H

#include "ast.h"
#include "model.h"

typedef struct value {
    model_value is;
    const model_members *members; /* the enum or flags that an INT comes from; NULL: none, or arithmetic was done */
} value;

typedef enum value_result {
    VALUE_OK,
    VALUE_OVERFLOW, /* beyond -2^63 .. 2^64-1, or a float that is not finite */
    VALUE_BY_ZERO,
    VALUE_SHIFT_COUNT, /* by 64 or more, or by a negative number */
    VALUE_SHIFT_NEGATIVE,
    VALUE_INEXACT, /* an integer that no float64 is */
    VALUE_KIND,    /* the operator does not know such operands */
} value_result;

value value_integer(bool negative, uint64_t magnitude);
value value_real(double real);

value_result value_unary(ast_operator op, value a, value *ret);
value_result value_binary(ast_operator op, value a, value b, value *ret);

/* An integer as the float64 that it equals. */
value_result value_to_real(value a, double *ret);

/* Whether an integer lies within the range of an integer kind, MODEL_INT8 to MODEL_UINT64. */
bool value_fits(bool negative, uint64_t magnitude, model_kind kind);

/* "-128 .. 127" */
const char *value_range(model_kind kind);

/* The value as a reader would write it; for messages. */
const char *value_show(const value *shown, arena *memory);

#endif

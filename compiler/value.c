/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c - see value.h.
 */
#include "value.h"

#include <math.h>
#include <stdlib.h>

#define NEGATIVE_MOST (UINT64_C(1) << 63) /* the magnitude of -2^63 */
#define FLOAT_INTEGERS 53                 /* bits of a float64's mantissa */

value value_integer(bool negative, uint64_t magnitude)
{
    return (value){.is = {.kind = MODEL_VALUE_INT, .negative = negative && magnitude, .magnitude = magnitude}};
}

value value_real(double real)
{
    return (value){.is = {.kind = MODEL_VALUE_FLOAT, .real = real}};
}

static value_result integer(bool negative, uint64_t magnitude, value *ret)
{
    if (negative && magnitude > NEGATIVE_MOST)
        return VALUE_OVERFLOW;
    *ret = value_integer(negative, magnitude);
    return VALUE_OK;
}

static value_result add(value a, value b, value *ret)
{
    if (a.is.negative == b.is.negative) {
        uint64_t sum;
        if (__builtin_add_overflow(a.is.magnitude, b.is.magnitude, &sum))
            return VALUE_OVERFLOW;
        return integer(a.is.negative, sum, ret);
    }
    if (a.is.magnitude >= b.is.magnitude)
        return integer(a.is.negative, a.is.magnitude - b.is.magnitude, ret);
    return integer(b.is.negative, b.is.magnitude - a.is.magnitude, ret);
}

/* The negative of an integer; of 2^63 < x <= 2^64-1 too, which is for add() alone. */
static value negated(value a)
{
    return value_integer(!a.is.negative, a.is.magnitude);
}

static value_result multiply(value a, value b, value *ret)
{
    uint64_t product;
    if (__builtin_mul_overflow(a.is.magnitude, b.is.magnitude, &product))
        return VALUE_OVERFLOW;
    return integer(a.is.negative != b.is.negative, product, ret);
}

static value_result shift(ast_operator op, value a, value b, value *ret)
{
    if (b.is.negative || b.is.magnitude >= 64)
        return VALUE_SHIFT_COUNT;
    if (a.is.negative)
        return VALUE_SHIFT_NEGATIVE;
    unsigned count = (unsigned)b.is.magnitude;
    if (op == AST_SHIFT_RIGHT)
        return integer(false, a.is.magnitude >> count, ret);
    if (a.is.magnitude > UINT64_MAX >> count)
        return VALUE_OVERFLOW;
    return integer(false, a.is.magnitude << count, ret);
}

/* The low 64 bits in two's complement; the sign stands for all bits above. */
static uint64_t low_bits(value a)
{
    return a.is.negative ? 0 - a.is.magnitude : a.is.magnitude;
}

static value_result from_bits(bool negative, uint64_t low, value *ret)
{
    if (!negative)
        return integer(false, low, ret);
    if (low == 0) /* -2^64 */
        return VALUE_OVERFLOW;
    return integer(true, 0 - low, ret);
}

static value_result bitwise(ast_operator op, value a, value b, value *ret)
{
    uint64_t x = low_bits(a);
    uint64_t y = low_bits(b);
    value_result result;
    if (op == AST_OR)
        result = from_bits(a.is.negative || b.is.negative, x | y, ret);
    else if (op == AST_AND)
        result = from_bits(a.is.negative && b.is.negative, x & y, ret);
    else
        result = from_bits(a.is.negative != b.is.negative, x ^ y, ret);
    if (result == VALUE_OK && a.members == b.members)
        ret->members = a.members;
    return result;
}

static value_result integers(ast_operator op, value a, value b, value *ret)
{
    switch (op) {
    case AST_OR:
    case AST_XOR:
    case AST_AND: return bitwise(op, a, b, ret);
    case AST_SHIFT_LEFT:
    case AST_SHIFT_RIGHT: return shift(op, a, b, ret);
    case AST_ADD: return add(a, b, ret);
    case AST_SUBTRACT: return add(a, negated(b), ret);
    case AST_MULTIPLY: return multiply(a, b, ret);
    case AST_DIVIDE:
        if (b.is.magnitude == 0)
            return VALUE_BY_ZERO;
        return integer(a.is.negative != b.is.negative, a.is.magnitude / b.is.magnitude, ret);
    case AST_REMAINDER:
        if (b.is.magnitude == 0)
            return VALUE_BY_ZERO;
        return integer(a.is.negative, a.is.magnitude % b.is.magnitude, ret);
    case AST_NEGATE:
    case AST_INVERT: break;
    }
    return VALUE_KIND;
}

value_result value_to_real(value a, double *ret)
{
    if (a.is.kind == MODEL_VALUE_FLOAT) {
        *ret = a.is.real;
        return VALUE_OK;
    }
    uint64_t odd = a.is.magnitude;
    while (odd && odd % 2 == 0)
        odd /= 2;
    if (odd >> FLOAT_INTEGERS)
        return VALUE_INEXACT;
    double magnitude = (double)a.is.magnitude;
    *ret = a.is.negative ? -magnitude : magnitude;
    return VALUE_OK;
}

static value_result reals(ast_operator op, double a, double b, value *ret)
{
    double result;
    switch (op) {
    case AST_ADD: result = a + b; break;
    case AST_SUBTRACT: result = a - b; break;
    case AST_MULTIPLY: result = a * b; break;
    case AST_DIVIDE:
        if (b == 0)
            return VALUE_BY_ZERO;
        result = a / b;
        break;
    case AST_OR:
    case AST_XOR:
    case AST_AND:
    case AST_SHIFT_LEFT:
    case AST_SHIFT_RIGHT:
    case AST_REMAINDER:
    case AST_NEGATE:
    case AST_INVERT:
    default: return VALUE_KIND;
    }
    if (!isfinite(result))
        return VALUE_OVERFLOW;
    *ret = value_real(result);
    return VALUE_OK;
}

static bool is_number(value a)
{
    return a.is.kind == MODEL_VALUE_INT || a.is.kind == MODEL_VALUE_FLOAT;
}

value_result value_unary(ast_operator op, value a, value *ret)
{
    if (!is_number(a))
        return VALUE_KIND;
    if (a.is.kind == MODEL_VALUE_FLOAT) {
        if (op == AST_INVERT)
            return VALUE_KIND;
        *ret = value_real(-a.is.real);
        return VALUE_OK;
    }
    if (op == AST_NEGATE)
        return integer(!a.is.negative, a.is.magnitude, ret);
    return add(negated(a), value_integer(true, 1), ret); /* -x - 1 */
}

value_result value_binary(ast_operator op, value a, value b, value *ret)
{
    if (!is_number(a) || !is_number(b))
        return VALUE_KIND;
    if (a.is.kind == MODEL_VALUE_INT && b.is.kind == MODEL_VALUE_INT)
        return integers(op, a, b, ret);
    double x;
    double y;
    value_result result = value_to_real(a, &x);
    if (result == VALUE_OK)
        result = value_to_real(b, &y);
    return result == VALUE_OK ? reals(op, x, y, ret) : result;
}

/* How many bits an integer kind has for the magnitude. */
static unsigned value_bits(model_kind kind)
{
    switch (kind) {
    case MODEL_INT8: return 7;
    case MODEL_INT16: return 15;
    case MODEL_INT32: return 31;
    case MODEL_INT64: return 63;
    case MODEL_UINT8: return 8;
    case MODEL_UINT16: return 16;
    case MODEL_UINT32: return 32;
    case MODEL_UINT64:
    case MODEL_BOOL:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64:
    case MODEL_ENUM:
    case MODEL_FLAGS:
    case MODEL_STRUCT:
    case MODEL_UNION:
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_ARRAY: break;
    }
    return 64;
}

bool value_fits(bool negative, uint64_t magnitude, model_kind kind)
{
    unsigned bits = value_bits(kind);
    bool is_signed = kind >= MODEL_INT8 && kind <= MODEL_INT64;
    if (negative && !is_signed)
        return magnitude == 0;
    if (negative)
        return magnitude <= UINT64_C(1) << bits;
    return bits == 64 || magnitude >> bits == 0;
}

const char *value_range(model_kind kind)
{
    switch (kind) {
    case MODEL_INT8: return "-128 .. 127";
    case MODEL_INT16: return "-32768 .. 32767";
    case MODEL_INT32: return "-2147483648 .. 2147483647";
    case MODEL_INT64: return "-9223372036854775808 .. 9223372036854775807";
    case MODEL_UINT8: return "0 .. 255";
    case MODEL_UINT16: return "0 .. 65535";
    case MODEL_UINT32: return "0 .. 4294967295";
    case MODEL_UINT64: return "0 .. 18446744073709551615";
    case MODEL_BOOL:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64:
    case MODEL_ENUM:
    case MODEL_FLAGS:
    case MODEL_STRUCT:
    case MODEL_UNION:
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_ARRAY: break;
    }
    return "";
}

const char *value_show(const value *shown, arena *memory)
{
    const model_value *is = &shown->is;
    switch (is->kind) {
    case MODEL_VALUE_BOOL: return is->boolean ? "true" : "false";
    case MODEL_VALUE_INT:
        return arena_printf(memory, "%s%llu", is->negative ? "-" : "", (unsigned long long)is->magnitude);
    case MODEL_VALUE_FLOAT: {
        const char *brief = arena_printf(memory, "%.15g", is->real);
        return strtod(brief, NULL) == is->real ? brief : arena_printf(memory, "%.17g", is->real);
    }
    case MODEL_VALUE_STRING: return "a string";
    case MODEL_VALUE_NONE: break;
    }
    return "nothing";
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checked.h - arithmetic on sizes that says when it overflows.
 *
 * Each returns true and writes *ret where the exact result fits, else false.
 */
#ifndef SHMRPC_COMPILER_CHECKED_H
#define SHMRPC_COMPILER_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

static inline bool checked_multiply(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

/* `value` rounded up to a multiple of `align`, a power of two. */
static inline bool checked_round_up(uint64_t value, uint64_t align, uint64_t *ret)
{
    uint64_t sum;
    if (!checked_add(value, align - 1, &sum))
        return false;
    *ret = sum & ~(align - 1);
    return true;
}

#endif

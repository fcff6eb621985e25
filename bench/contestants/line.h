/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h - the least that a call between two cores can be: one cache line that goes there and back.
 *
 * The client writes its operands and then `turn`; the server sees the turn, writes the answer over the operands and
 * then the next turn. Nothing else is shared: no index, no lock, no system call. Each way costs one transfer of the
 * line, which is what the hardware charges for telling another core anything at all.
 *
 * Memory order: both stores of `turn` are releases that pair with the acquire load in line_await() on the other side;
 * without them the operands or the answer could be read before they are written.
 */
#ifndef BENCH_CONTESTANTS_LINE_H
#define BENCH_CONTESTANTS_LINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sched.h>

typedef struct line_operands {
    int32_t left;
    int32_t right;
} line_operands;

typedef struct line {
    _Alignas(64) _Atomic uint32_t turn; /* 0: nothing yet; odd: the server's; even: the client's */
    union {
        line_operands operands;
        int64_t sum;
    };
} line;

_Static_assert(sizeof(line) == 64, "a line is a cache line");

/* What a core does between two looks. On a shared core the other side has to get it. */
static inline void line_pause(bool shares_core)
{
    if (shares_core) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static inline void line_await(line *shared, uint32_t turn, bool shares_core)
{
    while (atomic_load_explicit(&shared->turn, memory_order_acquire) != turn) {
        line_pause(shares_core);
    }
}

/* Lines that calls walk along: `count`, a power of two, each for 1 << `stay` calls before the next. */
typedef struct line_walk {
    line *lines;
    uint32_t count;
    uint32_t stay;
} line_walk;

static inline line *line_at(const line_walk *walk, uint32_t position)
{
    return &walk->lines[(position >> walk->stay) & (walk->count - 1)];
}

/* The server's part: answers turn after turn. */
static inline void line_serve(const line_walk *walk, bool shares_core)
{
    for (uint32_t position = 0;; position++) {
        line *shared = line_at(walk, position);
        line_operands operands;

        line_await(shared, 2 * position + 1, shares_core);
        operands = shared->operands;
        shared->sum = (int64_t)operands.left + operands.right;
        atomic_store_explicit(&shared->turn, 2 * position + 2, memory_order_release);
    }
}

/* The client's part. Returns the answer. */
static inline int64_t line_call(const line_walk *walk, uint32_t position, line_operands operands, bool shares_core)
{
    line *shared = line_at(walk, position);

    shared->operands = operands;
    atomic_store_explicit(&shared->turn, 2 * position + 1, memory_order_release);
    line_await(shared, 2 * position + 2, shares_core);
    return shared->sum;
}

/* Maps walk->count lines that a parent and its children share; all zero. Returns 0 or -errno. */
int line_map(line_walk *walk);
void line_unmap(line_walk *walk); /* also where nothing is mapped */

#endif

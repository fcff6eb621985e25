/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gap.h - what a program does between two calls: nothing, some work, or sleeping until its timer is due.
 *
 * Work is arithmetic whose steps wait for each other, in registers: the core is busy, its caches and the other core are
 * left alone. It is not `pause`, by which a core leaves its resources to a sibling. Sleeping is clock_nanosleep() until
 * an absolute time, with the slack that the kernel gives any program.
 */
#ifndef BENCH_GAP_H
#define BENCH_GAP_H

#include <stdint.h>

typedef enum gap_kind { GAP_NONE, GAP_WORK, GAP_SLEEP } gap_kind;

typedef struct gap {
    gap_kind kind;
    uint64_t turns;     /* GAP_WORK: of the loop */
    uint64_t period_ns; /* GAP_SLEEP: between the times at which it wakes */
} gap;

/* Turns of the loop of work that take so long on this machine; measured for a few milliseconds. At least 1. */
uint64_t gap_calibrate(uint64_t work_ns);

static inline void gap_work(uint64_t turns)
{
    uint64_t value = turns;

    for (uint64_t i = 0; i < turns; i++) {
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        __asm__ __volatile__("" : "+r"(value));
    }
}

/*
 * Sleeps until *due_ns of CLOCK_MONOTONIC, one period after what it was; a period that is over already is left out.
 */
void gap_sleep(uint64_t period_ns, uint64_t *due_ns);

/* `due_ns` is 0 before the first of a row. */
static inline void gap_pass(const gap *between, uint64_t *due_ns)
{
    switch (between->kind) {
    case GAP_NONE: break;
    case GAP_WORK: gap_work(between->turns); break;
    case GAP_SLEEP: gap_sleep(between->period_ns, due_ns); break;
    }
}

#endif

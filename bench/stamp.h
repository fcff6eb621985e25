/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamp.h - the clock that calls are timed with, and how a loop waits for it or for another core.
 *
 * A stamp is a number of ticks. On x86 it is the time-stamp counter, read by rdtscp, which waits for the loads before
 * it: a call that has read its answer is over when it is stamped. Elsewhere it is CLOCK_MONOTONIC_RAW in nanoseconds.
 * What a tick is worth is measured once against that clock by stamp_calibrate(), before any process starts.
 */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#define STAMP_SOURCE "rdtscp"
#else
#define STAMP_SOURCE "clock_gettime"
#endif

/* CLOCK_MONOTONIC_RAW, which no time daemon slews. */
static inline uint64_t stamp_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static inline uint64_t stamp_now(void)
{
#if defined(__x86_64__)
    unsigned processor;

    return __rdtscp(&processor);
#else
    return stamp_clock_ns();
#endif
}

/*
 * Compares the two clocks for a tenth of a second. Returns nanoseconds per tick; 0 where the processor has no usable
 * counter.
 */
double stamp_calibrate(void);

/* The least that two stamps in a row lie apart, in ticks: what a stamp adds to each call timed with it. */
uint64_t stamp_cost(void);

#endif

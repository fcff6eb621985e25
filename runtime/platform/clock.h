/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - monotonic time.
 *
 * A point in time is an int64_t of nanoseconds named until_ns; a span is one named timeout_ns. CLOCK_NEVER stands for
 * "without limit" in both, and arithmetic saturates there.
 */
#ifndef SHMRPC_PLATFORM_CLOCK_H
#define SHMRPC_PLATFORM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

/* Nanoseconds of CLOCK_MONOTONIC; never negative. */
int64_t clock_now_ns(void);

/* The same as of the system's last tick, some milliseconds ago at most: cheap enough for a busy loop. */
int64_t clock_coarse_ns(void);

/* Now + timeout_ns, saturating at CLOCK_NEVER; a timeout of CLOCK_NEVER is never, one below 0 is now. */
int64_t clock_after_ns(int64_t timeout_ns);

/*
 * The same for many points in time at which hardly anything is left to be done: one that is a second away or more is
 * taken from the system's last tick, which costs a third, and comes up to CLOCK_TICK_MOST_NS later; earlier only where
 * that tick is overdue by more.
 */
#define CLOCK_TICK_MOST_NS INT64_C(10000000) /* of the system's ticks, which are 1 to 10 ms apart */
int64_t clock_after_about_ns(int64_t timeout_ns);

/* The same for many spans that begin at once: each clock is read when it is first needed. Begins as zeros. */
typedef struct clock_reading {
    int64_t now_ns;
    int64_t tick_ns;
} clock_reading;
int64_t clock_after_about_reading(clock_reading *reading, int64_t timeout_ns);

/* What is left until then, at least 0; CLOCK_NEVER of CLOCK_NEVER. */
int64_t clock_left_ns(int64_t until_ns);

/* Sleeps; for retries on cold paths. Ends early on a signal. */
void clock_sleep_ns(int64_t timeout_ns);

/* A span of at least 0 ns as system calls take it. */
struct timespec clock_timespec(int64_t timeout_ns);

#endif

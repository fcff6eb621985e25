/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activity.h - what a process has done so far, as the kernel counts it: switches of its threads, and processor time.
 *
 * Of two such counts that are the same, nothing of that process ran in between.
 */
#ifndef BENCH_ACTIVITY_H
#define BENCH_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct activity {
    uint64_t threads;     /* that there are now; those that have ended are counted in nothing here */
    uint64_t voluntary;   /* times a thread went to sleep */
    uint64_t involuntary; /* times a thread was taken off a processor */
    uint64_t cpu_ns;      /* to the nanosecond where the kernel has /proc/PID/schedstat, else in ticks of a clock */
    bool asleep;          /* every thread, at the moment when it was looked at */
} activity;

/* Adds the counts of a process and of all of its threads. 0 or -errno; -ESRCH where it has ended. */
int activity_add(activity *total, pid_t pid);

/* Of the threads whose name begins so, and of the first one; NULL: of all. */
int activity_add_named(activity *total, pid_t pid, const char *prefix);

/* Of one thread; one that has ended adds nothing. */
int activity_add_thread(activity *total, pid_t pid, pid_t tid);

static inline bool activity_is_same(const activity *a, const activity *b)
{
    return a->threads == b->threads && a->voluntary == b->voluntary && a->involuntary == b->involuntary &&
           a->cpu_ns == b->cpu_ns;
}

#endif

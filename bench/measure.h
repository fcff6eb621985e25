/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.h - how one contestant's call is timed.
 *
 * Three passes over the same call, since each answers another question:
 *
 *     per call   a stamp after each call; a sample is the distance of two stamps. Gives p50, p99, p99.9. Something
 *                always lies between two calls here, as it does in a program: the stamp.
 *     blocks     32 calls between two stamps; the median of the blocks, divided by 32. The next call follows at once,
 *                which lets a line that has just arrived be written before the other side asks for it: about half
 *                the time.
 *     untimed    all calls between two readings of the clock: calls per second, with every disturbance in it.
 *
 * In a rhythm there is one pass in their place: a gap, a call between two stamps, a gap, and so on; without a gap as the
 * first of the three. Before and after it the server's process is asked, by a signal, what it has had of the processors'
 * time: only itself is told that to the nanosecond, others to the kernel's last tick.
 *
 * With many calls in flight there is the third pass alone.
 *
 * The loop is inlined into each contestant, so that the call under test is inlined into the loop where its author
 * allows it. Each call checks its answer; a wrong one ends the measurement.
 *
 * Samples lie in memory that the client process shares with its parent, faulted in before they are used.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "gap.h"
#include "stamp.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MEASURE_BLOCK 32

typedef struct measure_samples {
    uint32_t calls;              /* how many each pass makes; set before a run, at most what _new() got */
    uint32_t capacity;           /* calls that there is room for */
    uint32_t timed_calls;        /* of these, those that a pass has timed one by one */
    uint32_t timed_blocks;       /* and in blocks */
    bool complete;               /* all passes were made, and every answer was right */
    uint32_t failed_call;        /* otherwise: the call that failed, counted from 1; 0: none was made */
    const gap *rhythm;           /* NULL: three passes */
    pid_t server;                /* set before the client's part */
    uint64_t server_ns;          /* processor time of the server, in a rhythm */
    _Atomic uint64_t reading_ns; /* what the server was last told */
    _Atomic uint32_t readings;   /* how often; written after it */
    uint64_t untimed_ns;         /* duration of the third pass */
    uint64_t *call_ticks;        /* [calls] */
    uint64_t *block_ticks;       /* [calls / MEASURE_BLOCK] */
} measure_samples;

/* What is left of a run: in nanoseconds, and calls per second. */
typedef struct measure_summary {
    double p10_ns;
    double p25_ns;
    double p50_ns;
    double p75_ns;
    double p90_ns;
    double p95_ns;
    double p99_ns;
    double p999_ns;
    double block_ns; /* per call */
    double calls_per_s;
    double server_ns; /* processor time of the server's process, per call */
} measure_summary;

/* Room for runs of up to `calls` calls, a multiple of MEASURE_BLOCK. Returns 0 or -errno. */
int measure_samples_new(measure_samples **ret_samples, uint32_t calls);
void measure_samples_free(measure_samples *samples); /* NULL is allowed */

/* Of a complete run; sorts the samples in place. What was not measured is 0. */
measure_summary measure_summarize(measure_samples *samples, double ns_per_tick);

/* One call: sends what `number` says, checks the answer. Returns 0, or -1. */
struct contestant;
typedef int measure_call(struct contestant *contestant, uint32_t number);

/* `count` calls from `number` on, as many in flight as the setting says. Returns how many were right before one was not. */
typedef uint32_t measure_many(struct contestant *contestant, uint32_t number, uint32_t count);

static inline uint32_t measure_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The operands of call `number` and the answer that they must have: small, and different in each call of a row. */
static inline int32_t measure_left(uint32_t number)
{
    return (int32_t)(number & 0xffff);
}

#define MEASURE_RIGHT 7

static inline int64_t measure_answer(uint32_t number)
{
    return (int64_t)measure_left(number) + MEASURE_RIGHT;
}

/* The server's part: answers MEASURE_ASK from now on. Returns 0 or -errno. */
#define MEASURE_ASK SIGUSR1
int measure_answer_time(measure_samples *samples);

/*
 * The processor time that the server has had, in ns. Waits until it has answered; where it has ended, for as long as the
 * parent lets us.
 */
uint64_t measure_server_time(measure_samples *samples);

/* The pass in a rhythm after a warm-up in the same. */
static inline __attribute__((always_inline)) int measure_in_rhythm(measure_samples *samples,
                                                                   struct contestant *contestant, measure_call *call)
{
    const uint32_t calls = samples->calls;
    const gap between = *samples->rhythm;
    uint64_t due_ns = 0, previous, begin_ns;
    uint32_t number = 0;

    for (uint32_t i = 0; i < calls / 10 + measure_least(calls, 20); i++) {
        gap_pass(&between, &due_ns);
        if (call(contestant, number++)) {
            goto out_failed;
        }
    }
    begin_ns = measure_server_time(samples);
    previous = stamp_now();
    for (uint32_t i = 0; i < calls; i++) {
        uint64_t now;

        if (between.kind != GAP_NONE) {
            gap_pass(&between, &due_ns);
            previous = stamp_now();
        }
        if (call(contestant, number++)) {
            goto out_failed;
        }
        now = stamp_now();
        samples->call_ticks[i] = now - previous;
        previous = now;
    }
    samples->server_ns = measure_server_time(samples) - begin_ns;
    samples->timed_calls = calls;
    samples->complete = true;
    return 0;

out_failed:
    samples->failed_call = number;
    return -1;
}

/*
 * The three passes after a warm-up, or the one in a rhythm. Returns 0 or -1; samples->complete and ->failed_call say
 * the same.
 */
static inline __attribute__((always_inline)) int measure_run(measure_samples *samples, struct contestant *contestant,
                                                             measure_call *call)
{
    const uint32_t calls = samples->calls;
    const uint32_t blocks = calls / MEASURE_BLOCK;
    uint64_t previous, begin_ns;
    uint32_t number = 0;

    if (samples->rhythm) {
        return measure_in_rhythm(samples, contestant, call);
    }
    for (uint32_t i = 0; i < calls / 10 + 100; i++) {
        if (call(contestant, number++)) {
            goto out_failed;
        }
    }

    previous = stamp_now();
    for (uint32_t i = 0; i < calls; i++) {
        uint64_t now;

        if (call(contestant, number++)) {
            goto out_failed;
        }
        now = stamp_now();
        samples->call_ticks[i] = now - previous;
        previous = now;
    }

    previous = stamp_now();
    for (uint32_t i = 0; i < blocks; i++) {
        uint64_t now;

        for (uint32_t j = 0; j < MEASURE_BLOCK; j++) {
            if (call(contestant, number++)) {
                goto out_failed;
            }
        }
        now = stamp_now();
        samples->block_ticks[i] = now - previous;
        previous = now;
    }

    begin_ns = stamp_clock_ns();
    for (uint32_t i = 0; i < calls; i++) {
        if (call(contestant, number++)) {
            goto out_failed;
        }
    }
    samples->untimed_ns = stamp_clock_ns() - begin_ns;
    samples->timed_calls = calls;
    samples->timed_blocks = blocks;
    samples->complete = true;
    return 0;

out_failed:
    samples->failed_call = number;
    return -1;
}

/* The pass with many calls in flight after a warm-up. Returns 0 or -1 likewise. */
static inline __attribute__((always_inline)) int measure_rate(measure_samples *samples, struct contestant *contestant,
                                                              measure_many *many)
{
    const uint32_t warm = samples->calls / 10 + 100;
    uint64_t begin_ns;
    uint32_t right;

    right = many(contestant, 0, warm);
    if (right != warm) {
        samples->failed_call = right + 1;
        return -1;
    }
    begin_ns = stamp_clock_ns();
    right = many(contestant, warm, samples->calls);
    samples->untimed_ns = stamp_clock_ns() - begin_ns;
    if (right != samples->calls) {
        samples->failed_call = warm + right + 1;
        return -1;
    }
    samples->complete = true;
    return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.c - the reference: a ping-pong in one cache line, without names, checks, deadlines or anything that could be
 * left out.
 *
 * No call between two processes on these two cores can be faster by more than chance; what a contestant
 * takes beyond this is its own.
 */
#include "../contestant.h"
#include "line.h"

#include <stddef.h>

typedef struct limit {
    contestant base;
    bool shares_core;
    line_walk walk;
} limit;

/*
 * How far a line's part of the last-level cache lies from the two cores depends on its address: the same ping-pong takes
 * from 170 to 320 ns, line by line. So it moves on now and then, and the median is that of many lines.
 */
#define LIMIT_LINES 64
#define LIMIT_STAY 8

static int limit_open(contestant *self)
{
    return line_map(&CONTESTANT_OF(self, limit, base)->walk);
}

static void limit_close(contestant *self)
{
    line_unmap(&CONTESTANT_OF(self, limit, base)->walk);
}

static int limit_serve(contestant *self, const contestant_setting *setting, int ready)
{
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    line_serve(&CONTESTANT_OF(self, limit, base)->walk, setting->shares_core);
    return 0;
}

static int limit_call(contestant *self, uint32_t number)
{
    const limit *raw = CONTESTANT_OF(self, limit, base);
    const line_operands operands = {measure_left(number), MEASURE_RIGHT};

    return line_call(&raw->walk, number, operands, raw->shares_core) == measure_answer(number) ? 0 : -1;
}

static int limit_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    CONTESTANT_OF(self, limit, base)->shares_core = setting->shares_core;
    return measure_run(samples, self, limit_call);
}

contestant *limit_contestant(void)
{
    static limit raw = {
        .base =
            {
                .name = "limit",
                .summary = "raw ping-pong in one cache line",
                .slowness = 1,
                .open = limit_open,
                .serve = limit_serve,
                .measure = limit_measure,
                .close = limit_close,
            },
        .walk = {.count = LIMIT_LINES, .stay = LIMIT_STAY},
    };

    return &raw.base;
}

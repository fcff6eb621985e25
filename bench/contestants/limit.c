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
    line *lines;
} limit;

#define LIMIT_LINES 1

static int limit_open(contestant *self)
{
    return line_map(&CONTESTANT_OF(self, limit, base)->lines, LIMIT_LINES);
}

static void limit_close(contestant *self)
{
    limit *raw = CONTESTANT_OF(self, limit, base);

    line_unmap(raw->lines, LIMIT_LINES);
    raw->lines = NULL;
}

static int limit_serve(contestant *self, const contestant_setting *setting, int ready)
{
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    line_serve(CONTESTANT_OF(self, limit, base)->lines, LIMIT_LINES, setting->shares_core);
    return 0;
}

static int limit_call(contestant *self, uint32_t number)
{
    const limit *raw = CONTESTANT_OF(self, limit, base);
    const line_operands operands = {measure_left(number), MEASURE_RIGHT};

    return line_call(raw->lines, LIMIT_LINES, number, operands, raw->shares_core) == measure_answer(number) ? 0 : -1;
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
    };

    return &raw.base;
}

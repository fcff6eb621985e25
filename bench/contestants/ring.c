/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - the raw ping-pong again, but over as many lines as a lane's ring has slots by default, one after another.
 *
 * This is what the shape of a lane costs before it does anything: each call finds a line that neither core has
 * touched for a lap. Beside `limit` it says what walking costs; beside it `typed` says what the runtime costs.
 */
#include "../contestant.h"
#include "line.h"

#include <stddef.h>

#define RING_LINES 64
#define RING_STAY 0

typedef struct ring {
    contestant base;
    bool shares_core;
    line_walk walk;
} ring;

static int ring_open(contestant *self)
{
    return line_map(&CONTESTANT_OF(self, ring, base)->walk);
}

static void ring_close(contestant *self)
{
    line_unmap(&CONTESTANT_OF(self, ring, base)->walk);
}

static int ring_serve(contestant *self, const contestant_setting *setting, int ready)
{
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    line_serve(&CONTESTANT_OF(self, ring, base)->walk, setting->shares_core);
    return 0;
}

static int ring_call(contestant *self, uint32_t number)
{
    const ring *raw = CONTESTANT_OF(self, ring, base);
    const line_operands operands = {measure_left(number), MEASURE_RIGHT};

    return line_call(&raw->walk, number, operands, raw->shares_core) == measure_answer(number) ? 0 : -1;
}

static int ring_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    CONTESTANT_OF(self, ring, base)->shares_core = setting->shares_core;
    return measure_run(samples, self, ring_call);
}

contestant *ring_contestant(void)
{
    static ring raw = {
        .base =
            {
                .name = "ring",
                .summary = "the same over 64 lines in turn",
                .slowness = 1,
                .open = ring_open,
                .serve = ring_serve,
                .measure = ring_measure,
                .close = ring_close,
            },
        .walk = {.count = RING_LINES, .stay = RING_STAY},
    };

    return &raw.base;
}

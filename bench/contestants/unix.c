/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix.c - what a program would use otherwise: a Unix stream socket, blocking, 8 bytes there and 8 back.
 *
 * No framing, no encoding, no dispatch: every RPC over Unix sockets is slower than this. With many calls in flight their
 * requests are written at once, and so are the answers to all that have been read.
 */
#include "../contestant.h"
#include "line.h"
#include "stream.h"

#include <stddef.h>
#include <string.h>

typedef struct unix_calls {
    contestant base;
    stream_pair pair;
    uint32_t in_flight;
} unix_calls;

static int calls_open(contestant *self)
{
    return stream_open(&CONTESTANT_OF(self, unix_calls, base)->pair);
}

static void calls_close(contestant *self)
{
    stream_close(&CONTESTANT_OF(self, unix_calls, base)->pair);
}

static int calls_serve(contestant *self, const contestant_setting *setting, int ready)
{
    const int end = stream_take(&CONTESTANT_OF(self, unix_calls, base)->pair, STREAM_SERVER);
    line_operands operands[CONTESTANT_IN_FLIGHT_MAX];
    int64_t sums[CONTESTANT_IN_FLIGHT_MAX];
    size_t held = 0; /* bytes */
    ssize_t n;

    (void)setting;
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    while ((n = stream_receive(end, (char *)operands + held, sizeof(operands) - held)) > 0) {
        const size_t count = (held + (size_t)n) / sizeof(operands[0]);

        for (size_t i = 0; i < count; i++) {
            sums[i] = (int64_t)operands[i].left + operands[i].right;
        }
        held = (held + (size_t)n) % sizeof(operands[0]);
        memmove(operands, &operands[count], held);
        if (stream_send_all(end, sums, count * sizeof(sums[0]))) {
            break;
        }
    }
    return 0;
}

static int calls_call(contestant *self, uint32_t number)
{
    const int end = CONTESTANT_OF(self, unix_calls, base)->pair.ends[STREAM_CLIENT];
    const line_operands operands = {measure_left(number), MEASURE_RIGHT};
    int64_t sum;

    if (stream_send_all(end, &operands, sizeof(operands)) || stream_receive_all(end, &sum, sizeof(sum))) {
        return -1;
    }
    return sum == measure_answer(number) ? 0 : -1;
}

static uint32_t calls_many(contestant *self, uint32_t number, uint32_t count)
{
    const unix_calls *own = CONTESTANT_OF(self, unix_calls, base);
    const int end = own->pair.ends[STREAM_CLIENT];
    line_operands operands[CONTESTANT_IN_FLIGHT_MAX];
    int64_t sums[CONTESTANT_IN_FLIGHT_MAX];
    uint32_t done = 0;

    while (done < count) {
        const uint32_t batch = measure_least(own->in_flight, count - done);

        for (uint32_t i = 0; i < batch; i++) {
            operands[i] = (line_operands){measure_left(number + done + i), MEASURE_RIGHT};
        }
        if (stream_send_all(end, operands, batch * sizeof(operands[0])) ||
            stream_receive_all(end, sums, batch * sizeof(sums[0]))) {
            return done;
        }
        for (uint32_t i = 0; i < batch; i++, done++) {
            if (sums[i] != measure_answer(number + done)) {
                return done;
            }
        }
    }
    return done;
}

static int calls_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    (void)setting;
    (void)stream_take(&CONTESTANT_OF(self, unix_calls, base)->pair, STREAM_CLIENT);
    return measure_run(samples, self, calls_call);
}

static int calls_measure_rate(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    unix_calls *own = CONTESTANT_OF(self, unix_calls, base);

    own->in_flight = setting->in_flight;
    (void)stream_take(&own->pair, STREAM_CLIENT);
    return measure_rate(samples, self, calls_many);
}

contestant *unix_contestant(void)
{
    static unix_calls own = {
        .base =
            {
                .name = "unix",
                .summary = "Unix stream socket, blocking",
                .slowness = 10,
                .open = calls_open,
                .serve = calls_serve,
                .measure = calls_measure,
                .close = calls_close,
            },
        .pair = STREAM_PAIR_INIT,
    };

    return &own.base;
}

contestant *unix_flight_contestant(void)
{
    static unix_calls own = {
        .base =
            {
                .name = "unix",
                .summary = "Unix stream socket, all written at once, all read",
                .slowness = 10,
                .open = calls_open,
                .serve = calls_serve,
                .measure = calls_measure_rate,
                .close = calls_close,
            },
        .pair = STREAM_PAIR_INIT,
    };

    return &own.base;
}

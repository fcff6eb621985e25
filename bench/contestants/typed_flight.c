/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed_flight.c - the subject with many calls in flight, and one way, through the functions that shmc generates.
 *
 * `typed_batch` starts as many calls as there are to be within a batch, which publishes them at once, and waits for all
 * in order. `typed_window` keeps as many in flight without batches: it waits for the oldest, then starts another one.
 * `typed_oneway` sends messages in batches, and asks in the end for the sum of what has been heard, which is answered
 * behind all of them.
 */
#include "raw.h"
#include "typed.h"

#include <stddef.h>

static bench_add_call calls[CONTESTANT_IN_FLIGHT_MAX];

static bool start(typed *subject, bench_add_call *call, uint32_t number)
{
    const bench_operands request = {.left = measure_left(number), .right = MEASURE_RIGHT};
    const int r = bench_add_start(subject->client, call, &request, shmrpc_in_ms(TYPED_LIMIT_MS));

    if (r != 0) {
        typed_report(number, r);
    }
    return r == 0;
}

static bool finish(bench_add_call *call, uint32_t number)
{
    bench_sum reply;
    const int r = bench_add_wait(call, &reply);

    if (r != 0) {
        typed_report(number, r);
    }
    return r == 0 && reply.value == measure_answer(number);
}

static bool end_batch(typed *subject, uint32_t number)
{
    const int r = bench_batch_end(subject->client);

    if (r != 0) {
        typed_report(number, r);
    }
    return r == 0;
}

static uint32_t batch_many(contestant *self, uint32_t number, uint32_t count)
{
    typed *subject = CONTESTANT_OF(self, typed, base);
    uint32_t done = 0;

    while (done < count) {
        const uint32_t batch = measure_least(subject->in_flight, count - done);

        bench_batch_begin(subject->client);
        for (uint32_t i = 0; i < batch; i++) {
            if (!start(subject, &calls[i], number + done + i)) {
                return done + i;
            }
        }
        if (!end_batch(subject, number + done)) {
            return done;
        }
        for (uint32_t i = 0; i < batch; i++, done++) {
            if (!finish(&calls[i], number + done)) {
                return done;
            }
        }
    }
    return done;
}

static uint32_t window_many(contestant *self, uint32_t number, uint32_t count)
{
    typed *subject = CONTESTANT_OF(self, typed, base);
    const uint32_t mask = subject->in_flight - 1;
    uint32_t started = 0, done = 0;

    while (done < count) {
        if (started < count && started - done < subject->in_flight) {
            if (!start(subject, &calls[started & mask], number + started)) {
                return done;
            }
            started++;
        } else {
            if (!finish(&calls[done & mask], number + done)) {
                return done;
            }
            done++;
        }
    }
    return done;
}

static uint32_t oneway_many(contestant *self, uint32_t number, uint32_t count)
{
    typed *subject = CONTESTANT_OF(self, typed, base);
    uint32_t done = 0;
    bench_sum heard;
    int r;

    while (done < count) {
        const uint32_t batch = measure_least(subject->in_flight, count - done);

        bench_batch_begin(subject->client);
        for (uint32_t i = 0; i < batch; i++, done++) {
            bench_note note;

            for (int j = 0; j < RAW_NOTE_WORDS; j++) {
                note.words[j] = raw_note_word(number + done, j);
            }
            subject->told += raw_note_sum(number + done);
            r = bench_tell(subject->client, &note, shmrpc_in_ms(TYPED_LIMIT_MS));
            if (r != 0) {
                typed_report(number + done, r);
                return done;
            }
        }
        if (!end_batch(subject, number + done)) {
            return done;
        }
    }
    r = bench_heard(subject->client, &heard, shmrpc_in_ms(TYPED_LIMIT_MS));
    if (r != 0) {
        typed_report(number + done, r);
    }
    return r == 0 && heard.value == subject->told ? done : 0;
}

static inline __attribute__((always_inline)) int measure_with(contestant *self, const contestant_setting *setting,
                                                              measure_samples *samples, measure_many *many)
{
    typed *subject = CONTESTANT_OF(self, typed, base);
    int r;

    if (typed_connect(self, setting)) {
        return -1;
    }
    subject->in_flight = setting->in_flight;
    subject->told = 0;
    r = measure_rate(samples, self, many);
    bench_client_free(subject->client);
    return r;
}

static int batch_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    return measure_with(self, setting, samples, batch_many);
}

static int window_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    return measure_with(self, setting, samples, window_many);
}

static int oneway_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    return measure_with(self, setting, samples, oneway_many);
}

contestant *typed_batch_contestant(void)
{
    static typed subject =
        TYPED("typed_batch", "shmrpc: all started within a batch, then waited for", SHMRPC_SPIN_FOREVER, batch_measure);

    return &subject.base;
}

contestant *typed_window_contestant(void)
{
    static typed subject = TYPED("typed_window", "shmrpc: the oldest waited for, another one started",
                                 SHMRPC_SPIN_FOREVER, window_measure);

    return &subject.base;
}

contestant *typed_oneway_contestant(void)
{
    static typed subject =
        TYPED("typed_oneway", "shmrpc: oneway messages in batches of 16", SHMRPC_SPIN_FOREVER, oneway_measure);

    return &subject.base;
}

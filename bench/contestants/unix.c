/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix.c - what a program would use otherwise: a Unix stream socket, blocking, 8 bytes there and 8 back.
 *
 * No framing, no encoding, no dispatch: every RPC over Unix sockets is slower than this. With many calls in flight their
 * requests are written at once, and so are the answers to all that have been read.
 */
#include "../contestant.h"
#include "line.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { END_OF_SERVER, END_OF_CLIENT, ENDS };

typedef struct stream {
    contestant base;
    int ends[ENDS];
    uint32_t in_flight;
} stream;

static int stream_open(contestant *self)
{
    stream *pair = CONTESTANT_OF(self, stream, base);

    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends) ? -errno : 0;
}

static void stream_close(contestant *self)
{
    stream *pair = CONTESTANT_OF(self, stream, base);

    close(pair->ends[END_OF_SERVER]);
    close(pair->ends[END_OF_CLIENT]);
}

/* What is there, `length` bytes at most. Returns how many, 0 at the end of the stream, or -1. */
static ssize_t receive(int end, void *bytes, size_t length)
{
    ssize_t n;

    do {
        n = recv(end, bytes, length, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int receive_all(int end, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t n = receive(end, (char *)bytes + done, length - done);

        if (n <= 0) {
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

/* A blocking socket takes all of it, but where a signal comes in between. */
static int transmit(int end, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t n = send(end, (const char *)bytes + done, length - done, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int stream_serve(contestant *self, const contestant_setting *setting, int ready)
{
    stream *pair = CONTESTANT_OF(self, stream, base);
    const int end = pair->ends[END_OF_SERVER];
    line_operands operands[CONTESTANT_IN_FLIGHT_MAX];
    int64_t sums[CONTESTANT_IN_FLIGHT_MAX];
    size_t held = 0; /* bytes */
    ssize_t n;

    (void)setting;
    close(pair->ends[END_OF_CLIENT]);
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    while ((n = receive(end, (char *)operands + held, sizeof(operands) - held)) > 0) {
        const size_t count = (held + (size_t)n) / sizeof(operands[0]);

        for (size_t i = 0; i < count; i++) {
            sums[i] = (int64_t)operands[i].left + operands[i].right;
        }
        held = (held + (size_t)n) % sizeof(operands[0]);
        memmove(operands, &operands[count], held);
        if (transmit(end, sums, count * sizeof(sums[0]))) {
            break;
        }
    }
    return 0;
}

static int stream_call(contestant *self, uint32_t number)
{
    const int end = CONTESTANT_OF(self, stream, base)->ends[END_OF_CLIENT];
    const line_operands operands = {measure_left(number), MEASURE_RIGHT};
    int64_t sum;

    if (transmit(end, &operands, sizeof(operands)) || receive_all(end, &sum, sizeof(sum))) {
        return -1;
    }
    return sum == measure_answer(number) ? 0 : -1;
}

static uint32_t stream_many(contestant *self, uint32_t number, uint32_t count)
{
    const stream *pair = CONTESTANT_OF(self, stream, base);
    const int end = pair->ends[END_OF_CLIENT];
    line_operands operands[CONTESTANT_IN_FLIGHT_MAX];
    int64_t sums[CONTESTANT_IN_FLIGHT_MAX];
    uint32_t done = 0;

    while (done < count) {
        const uint32_t batch = measure_least(pair->in_flight, count - done);

        for (uint32_t i = 0; i < batch; i++) {
            operands[i] = (line_operands){measure_left(number + done + i), MEASURE_RIGHT};
        }
        if (transmit(end, operands, batch * sizeof(operands[0])) || receive_all(end, sums, batch * sizeof(sums[0]))) {
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

static int stream_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    (void)setting;
    close(CONTESTANT_OF(self, stream, base)->ends[END_OF_SERVER]);
    return measure_run(samples, self, stream_call);
}

static int stream_measure_rate(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    stream *pair = CONTESTANT_OF(self, stream, base);

    pair->in_flight = setting->in_flight;
    close(pair->ends[END_OF_SERVER]);
    return measure_rate(samples, self, stream_many);
}

contestant *unix_contestant(void)
{
    static stream pair = {
        .base =
            {
                .name = "unix",
                .summary = "Unix stream socket, blocking",
                .slowness = 10,
                .open = stream_open,
                .serve = stream_serve,
                .measure = stream_measure,
                .close = stream_close,
            },
        .ends = {-1, -1},
    };

    return &pair.base;
}

contestant *unix_flight_contestant(void)
{
    static stream pair = {
        .base =
            {
                .name = "unix",
                .summary = "Unix stream socket, all written at once, all read",
                .slowness = 10,
                .open = stream_open,
                .serve = stream_serve,
                .measure = stream_measure_rate,
                .close = stream_close,
            },
        .ends = {-1, -1},
    };

    return &pair.base;
}

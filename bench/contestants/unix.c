/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix.c - what a program would use otherwise: a Unix stream socket, blocking, 8 bytes there and 8 back.
 *
 * No framing, no encoding, no dispatch: every RPC over Unix sockets is slower than this.
 */
#include "../contestant.h"
#include "line.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { END_OF_SERVER, END_OF_CLIENT, ENDS };

typedef struct stream {
    contestant base;
    int ends[ENDS];
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

/* Eight bytes or nothing: the kernel does not split what both sides read and write in one piece of this size. */
static int receive(int end, void *bytes, size_t length)
{
    ssize_t n;

    do {
        n = recv(end, bytes, length, 0);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)length ? 0 : -1;
}

static int transmit(int end, const void *bytes, size_t length)
{
    return send(end, bytes, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

static int stream_serve(contestant *self, const contestant_setting *setting, int ready)
{
    stream *pair = CONTESTANT_OF(self, stream, base);
    const int end = pair->ends[END_OF_SERVER];
    line_operands operands;

    (void)setting;
    close(pair->ends[END_OF_CLIENT]);
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    while (receive(end, &operands, sizeof(operands)) == 0) {
        const int64_t sum = (int64_t)operands.left + operands.right;

        if (transmit(end, &sum, sizeof(sum))) {
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

    if (transmit(end, &operands, sizeof(operands)) || receive(end, &sum, sizeof(sum))) {
        return -1;
    }
    return sum == measure_answer(number) ? 0 : -1;
}

static int stream_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    (void)setting;
    close(CONTESTANT_OF(self, stream, base)->ends[END_OF_SERVER]);
    return measure_run(samples, self, stream_call);
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

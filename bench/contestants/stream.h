/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - a pair of blocking Unix stream sockets, one end for each of a contestant's processes. */
#ifndef BENCH_CONTESTANTS_STREAM_H
#define BENCH_CONTESTANTS_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum { STREAM_SERVER, STREAM_CLIENT, STREAM_ENDS };

typedef struct stream_pair {
    int ends[STREAM_ENDS];
} stream_pair;

#define STREAM_PAIR_INIT \
    {                    \
        {                \
            -1, -1       \
        }                \
    }

/* Before the processes are made, and when both have ended. 0 or -errno. */
int stream_open(stream_pair *pair);
void stream_close(stream_pair *pair);

/* In one of the two processes: closes the other's end, and returns its own. */
int stream_take(const stream_pair *pair, int which);

/* What is there, `length` bytes at most. Returns how many, 0 at the end of the stream, or -1. */
ssize_t stream_receive(int end, void *bytes, size_t length);

/* 0 or -1. */
int stream_receive_all(int end, void *bytes, size_t length);
int stream_send_all(int end, const void *bytes, size_t length);

#endif

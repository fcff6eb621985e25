/* SPDX-License-Identifier: Apache-2.0 */
/* seqpacket.c - a Unix socket of packets, blocking: one packet there and one back, without encoding. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A packet is one buffer in the kernel, for which its sender must have room. */
#define PACKET_ROOM (4 * PEER_ECHO_MAX)

enum { END_OF_SERVER, END_OF_CLIENT, ENDS };

static int ends[ENDS];

static int seqpacket_begin(const peer_place *place)
{
    const int room = PACKET_ROOM;

    (void)place;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
        return -errno;
    }
    for (int i = 0; i < ENDS; i++) {
        /* More than the system's limit where we may; else as much as it gives. */
        if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room))) {
            setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        }
    }
    return 0;
}

static void seqpacket_end(const peer_place *place)
{
    (void)place;
    close(ends[END_OF_SERVER]);
    close(ends[END_OF_CLIENT]);
}

static ssize_t receive(int end, void *bytes, size_t length)
{
    ssize_t n;

    do {
        n = recv(end, bytes, length, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int transmit(int end, const void *bytes, size_t length)
{
    ssize_t n;

    do {
        n = send(end, bytes, length, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)length ? 0 : -1;
}

static int answer(int end, const void *bytes, size_t length)
{
    peer_operands operands;
    int64_t sum;

    if (length != sizeof(operands)) {
        return transmit(end, bytes, length);
    }
    memcpy(&operands, bytes, sizeof(operands));
    sum = (int64_t)operands.left + operands.right;
    return transmit(end, &sum, sizeof(sum));
}

static int seqpacket_serve(const peer_place *place)
{
    const int end = ends[END_OF_SERVER];
    char *bytes = malloc(PEER_ECHO_MAX);
    ssize_t n;

    close(ends[END_OF_CLIENT]);
    if (!bytes || peer_tell_ready(place)) {
        free(bytes);
        return -1;
    }
    while ((n = receive(end, bytes, PEER_ECHO_MAX)) > 0) {
        if (answer(end, bytes, (size_t)n)) {
            break;
        }
    }
    free(bytes);
    return 0;
}

static int seqpacket_connect(const peer_place *place)
{
    (void)place;
    close(ends[END_OF_SERVER]);
    return 0;
}

static int seqpacket_echo(const void *bytes, size_t length, void *ret_bytes)
{
    if (transmit(ends[END_OF_CLIENT], bytes, length) ||
        receive(ends[END_OF_CLIENT], ret_bytes, length) != (ssize_t)length) {
        return peer_say("seqpacket", "no answer", strerror(errno));
    }
    return 0;
}

static int seqpacket_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    const peer_operands operands = {left, right};

    return seqpacket_echo(&operands, sizeof(operands), ret_sum);
}

const peer peer_seqpacket = {
    .name = "seqpacket",
    .summary = "Unix socket of packets, blocking",
    .packages = "",
    .slowness = 10,
    .begin = seqpacket_begin,
    .end = seqpacket_end,
    .serve = seqpacket_serve,
    .connect = seqpacket_connect,
    .add = seqpacket_add,
    .echo = seqpacket_echo,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventfd.c - shared memory and an eventfd each way: what a program does that builds its own.
 *
 * The message is copied into shared memory, and out of it; a system call tells the other side, another one waits for it.
 * The system calls order what is in memory.
 */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct desk {
    uint64_t length;
    _Alignas(64) char bytes[PEER_ECHO_MAX];
} desk;

static desk *shared;
static int asked, answered;

static int eventfd_begin(const peer_place *place)
{
    void *memory = mmap(NULL, sizeof(desk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    int r;

    (void)place;
    if (memory == MAP_FAILED) {
        return -errno;
    }
    shared = memory;
    asked = eventfd(0, EFD_CLOEXEC);
    if (asked < 0) {
        r = -errno;
        goto out_memory;
    }
    answered = eventfd(0, EFD_CLOEXEC);
    if (answered < 0) {
        r = -errno;
        goto out_asked;
    }
    return 0;

out_asked:
    close(asked);
out_memory:
    munmap(memory, sizeof(desk));
    return r;
}

static void eventfd_end(const peer_place *place)
{
    (void)place;
    close(asked);
    close(answered);
    munmap(shared, sizeof(desk));
}

static int tell(int fd)
{
    const uint64_t one = 1;

    return write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one) ? 0 : -1;
}

static int await(int fd)
{
    uint64_t count;
    ssize_t n;

    do {
        n = read(fd, &count, sizeof(count));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(count) ? 0 : -1;
}

static int eventfd_serve(const peer_place *place)
{
    char *bytes = malloc(PEER_ECHO_MAX);

    if (!bytes || peer_tell_ready(place)) {
        free(bytes);
        return -1;
    }
    while (await(asked) == 0) {
        const uint64_t length = shared->length;
        peer_operands operands;
        int64_t sum;

        memcpy(bytes, shared->bytes, length);
        if (length == sizeof(operands)) {
            memcpy(&operands, bytes, sizeof(operands));
            sum = (int64_t)operands.left + operands.right;
            memcpy(shared->bytes, &sum, sizeof(sum));
        } else {
            memcpy(shared->bytes, bytes, length);
        }
        if (tell(answered)) {
            break;
        }
    }
    free(bytes);
    return peer_say("eventfd", "the server failed", strerror(errno));
}

static int eventfd_connect(const peer_place *place)
{
    (void)place;
    return 0;
}

static int exchange(const void *bytes, size_t length, void *ret_bytes)
{
    shared->length = length;
    memcpy(shared->bytes, bytes, length);
    if (tell(asked) || await(answered)) {
        return peer_say("eventfd", "no answer", strerror(errno));
    }
    memcpy(ret_bytes, shared->bytes, length);
    return 0;
}

static int eventfd_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    const peer_operands operands = {left, right};

    return exchange(&operands, sizeof(operands), ret_sum);
}

const peer peer_eventfd = {
    .name = "eventfd",
    .summary = "shared memory and eventfds",
    .packages = "",
    .slowness = 10,
    .begin = eventfd_begin,
    .end = eventfd_end,
    .serve = eventfd_serve,
    .connect = eventfd_connect,
    .add = eventfd_add,
    .echo = exchange,
};

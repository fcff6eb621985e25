/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.h - what an echo carries: bytes that differ from call to call, and how one sees that they came back.
 *
 * The first and the last eight bytes of a payload say which call it is of; what is between them is written once. So a
 * client's own work stays small beside the copies, and an answer that is short, late or another one's is found.
 */
#ifndef BENCH_CONTESTANTS_PAYLOAD_H
#define BENCH_CONTESTANTS_PAYLOAD_H

#include "../contestant.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Two buffers that each process has for itself, made by open(). */
typedef struct payload_buffers {
    unsigned char *from;
    unsigned char *to;
} payload_buffers;

/* 0 or -errno. */
static inline int payload_open(payload_buffers *own)
{
    void *memory =
        mmap(NULL, 2 * (size_t)CONTESTANT_PAYLOAD_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return -errno;
    }
    own->from = memory;
    own->to = own->from + CONTESTANT_PAYLOAD_MAX;
    return 0;
}

static inline void payload_close(const payload_buffers *own)
{
    munmap(own->from, 2 * (size_t)CONTESTANT_PAYLOAD_MAX);
}

/* Something other than zero in all `size` bytes, at least 16. */
static inline void payload_fill(void *bytes, size_t size)
{
    memset(bytes, 0x5a, size);
}

static inline void payload_stamp(void *bytes, size_t size, uint32_t number)
{
    const uint64_t mark = UINT64_C(0x100000001) * number;

    memcpy(bytes, &mark, sizeof(mark));
    memcpy((char *)bytes + size - sizeof(mark), &mark, sizeof(mark));
}

static inline bool payload_is_of(const void *bytes, size_t size, uint32_t number)
{
    uint64_t first, last;

    memcpy(&first, bytes, sizeof(first));
    memcpy(&last, (const char *)bytes + size - sizeof(last), sizeof(last));
    return first == UINT64_C(0x100000001) * number && last == first;
}

#endif

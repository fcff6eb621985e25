/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw_payload.c - the references of an echo: a buffer for each direction in shared memory, each with a flag in a line of
 * its own, and nothing around them.
 *
 * `raw` copies as often as a service does whose two sides do not trust each other: the client into the request's buffer;
 * the server out of it; its handler from request to reply; the server into the reply's buffer; the client out of it.
 * `raw_three` leaves the server's private memory out: it copies from buffer to buffer. What it reads may change under its
 * eyes.
 *
 * Memory order: each turn is stored as a release and loaded as an acquire by the other side; without them a payload is
 * read before it is written.
 */
#include "../contestant.h"
#include "line.h"
#include "payload.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

/* One direction. */
typedef struct buffer {
    _Alignas(64) _Atomic uint32_t turn; /* calls that have been written to it */
    _Alignas(64) unsigned char bytes[];
} buffer;

typedef struct raw_payload {
    contestant base;
    bool has_private; /* the server copies out and in */
    size_t room;      /* of each buffer, with its head */
    buffer *request;
    buffer *reply;
    payload_buffers buffers;
    size_t size; /* of a payload */
    bool shares_core;
} raw_payload;

static int raw_open(contestant *self)
{
    raw_payload *own = CONTESTANT_OF(self, raw_payload, base);
    char *memory;
    int r;

    own->room = sizeof(buffer) + CONTESTANT_PAYLOAD_MAX;
    memory = mmap(NULL, 2 * own->room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    own->request = (buffer *)(void *)memory;
    own->reply = (buffer *)(void *)(memory + own->room);
    r = payload_open(&own->buffers);
    if (r < 0) {
        munmap(memory, 2 * own->room);
    }
    return r;
}

static void raw_close(contestant *self)
{
    raw_payload *own = CONTESTANT_OF(self, raw_payload, base);

    payload_close(&own->buffers);
    munmap(own->request, 2 * own->room);
}

static void await(buffer *shared, uint32_t turn, bool shares_core)
{
    while (atomic_load_explicit(&shared->turn, memory_order_acquire) != turn) {
        line_pause(shares_core);
    }
}

static void publish(buffer *shared, uint32_t turn)
{
    atomic_store_explicit(&shared->turn, turn, memory_order_release);
}

static int raw_serve(contestant *self, const contestant_setting *setting, int ready)
{
    raw_payload *own = CONTESTANT_OF(self, raw_payload, base);
    const size_t size = setting->payload;
    unsigned char *request = own->buffers.from;
    unsigned char *reply = own->buffers.to;

    if (contestant_tell_ready(ready)) {
        return -1;
    }
    for (uint32_t turn = 1;; turn++) {
        await(own->request, turn, setting->shares_core);
        if (own->has_private) {
            memcpy(request, own->request->bytes, size);
            memcpy(reply, request, size);
            memcpy(own->reply->bytes, reply, size);
        } else {
            memcpy(own->reply->bytes, own->request->bytes, size);
        }
        publish(own->reply, turn);
    }
}

static int raw_call(contestant *self, uint32_t number)
{
    const raw_payload *own = CONTESTANT_OF(self, raw_payload, base);

    payload_stamp(own->buffers.from, own->size, number);
    memcpy(own->request->bytes, own->buffers.from, own->size);
    publish(own->request, number + 1);
    await(own->reply, number + 1, own->shares_core);
    memcpy(own->buffers.to, own->reply->bytes, own->size);
    return payload_is_of(own->buffers.to, own->size, number) ? 0 : -1;
}

static int raw_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    raw_payload *own = CONTESTANT_OF(self, raw_payload, base);

    own->size = setting->payload;
    own->shares_core = setting->shares_core;
    payload_fill(own->buffers.from, own->size);
    return measure_run(samples, self, raw_call);
}

#define RAW_PAYLOAD(NAME, SUMMARY, HAS_PRIVATE) \
    {                                           \
        .base =                                 \
            {                                   \
                .name = (NAME),                 \
                .summary = (SUMMARY),           \
                .slowness = 1,                  \
                .open = raw_open,               \
                .serve = raw_serve,             \
                .measure = raw_measure,         \
                .close = raw_close,             \
            },                                  \
        .has_private = (HAS_PRIVATE),           \
    }

contestant *raw_payload_contestant(void)
{
    static raw_payload own = RAW_PAYLOAD("raw", "raw buffers, five copies: as many as shmrpc's", true);

    return &own.base;
}

contestant *raw_three_contestant(void)
{
    static raw_payload own =
        RAW_PAYLOAD("raw_three", "raw buffers, three copies: the server has none of its own", false);

    return &own.base;
}

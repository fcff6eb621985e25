/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_payload.c - the echo over what a program would use otherwise: a Unix stream socket, blocking, with the buffers that
 * the system gives it.
 *
 * Both sides know how long a message is, and the server sends the bytes that it has received: nothing is framed, checked
 * or copied but by the kernel.
 */
#include "../contestant.h"
#include "payload.h"
#include "stream.h"

#include <stddef.h>

typedef struct unix_payload {
    contestant base;
    stream_pair pair;
    payload_buffers buffers;
    size_t size;
} unix_payload;

static int unix_open(contestant *self)
{
    unix_payload *own = CONTESTANT_OF(self, unix_payload, base);
    int r = stream_open(&own->pair);

    if (r == 0) {
        r = payload_open(&own->buffers);
        if (r < 0) {
            stream_close(&own->pair);
        }
    }
    return r;
}

static void unix_close(contestant *self)
{
    unix_payload *own = CONTESTANT_OF(self, unix_payload, base);

    payload_close(&own->buffers);
    stream_close(&own->pair);
}

static int unix_serve(contestant *self, const contestant_setting *setting, int ready)
{
    unix_payload *own = CONTESTANT_OF(self, unix_payload, base);
    unsigned char *bytes = own->buffers.from;
    const int end = stream_take(&own->pair, STREAM_SERVER);

    if (contestant_tell_ready(ready)) {
        return -1;
    }
    while (stream_receive_all(end, bytes, setting->payload) == 0 &&
           stream_send_all(end, bytes, setting->payload) == 0) {
    }
    return 0;
}

static int unix_call(contestant *self, uint32_t number)
{
    const unix_payload *own = CONTESTANT_OF(self, unix_payload, base);
    const int end = own->pair.ends[STREAM_CLIENT];

    payload_stamp(own->buffers.from, own->size, number);
    if (stream_send_all(end, own->buffers.from, own->size) || stream_receive_all(end, own->buffers.to, own->size)) {
        return -1;
    }
    return payload_is_of(own->buffers.to, own->size, number) ? 0 : -1;
}

static int unix_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    unix_payload *own = CONTESTANT_OF(self, unix_payload, base);

    (void)stream_take(&own->pair, STREAM_CLIENT);
    own->size = setting->payload;
    payload_fill(own->buffers.from, own->size);
    return measure_run(samples, self, unix_call);
}

contestant *unix_payload_contestant(void)
{
    static unix_payload own = {
        .base =
            {
                .name = "unix",
                .summary = "Unix stream socket, blocking",
                .slowness = 1,
                .open = unix_open,
                .serve = unix_serve,
                .measure = unix_measure,
                .close = unix_close,
            },
        .pair = STREAM_PAIR_INIT,
    };

    return &own.base;
}

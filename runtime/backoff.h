/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff.h - when to try again what failed: after 10 ms, twice as long each time, up to a second.
 *
 * Half of each span is left to chance, so that clients which lost the same server do not all come back at once.
 */
#ifndef SHMRPC_BACKOFF_H
#define SHMRPC_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_NS INT64_C(10000000)
#define BACKOFF_LAST_NS INT64_C(1000000000)

typedef struct backoff {
    int64_t span_ns;  /* of the last failure; 0: none */
    int64_t until_ns; /* not to be tried before */
} backoff;

/* It failed, or it may fail again soon: sets when to try next. `chance`: any number, another one each time. */
static inline void backoff_grow(backoff *self, int64_t now_ns, uint64_t chance)
{
    self->span_ns = self->span_ns == 0 ? BACKOFF_FIRST_NS : self->span_ns * 2;
    if (self->span_ns > BACKOFF_LAST_NS) {
        self->span_ns = BACKOFF_LAST_NS;
    }
    /* The upper bits of a product: a number that counts up, or a clock, spreads well enough. */
    chance = chance * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    self->until_ns = now_ns + self->span_ns / 2 + (int64_t)(chance % (uint64_t)(self->span_ns / 2 + 1));
}

static inline void backoff_reset(backoff *self)
{
    *self = (backoff){0, 0};
}

#endif

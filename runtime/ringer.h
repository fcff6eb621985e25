/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ringer.h - a thread that turns a lane's semaphore into a doorbell that the server's loop can watch.
 *
 * Only for lanes whose client rings by semaphores (docs/portability.md). It sleeps in the semaphore, SEMAPHORE_SLICE_NS
 * at a time, and rings an eventfd of the server's own for each post.
 */
#ifndef SHMRPC_RINGER_H
#define SHMRPC_RINGER_H

#include "alarm.h"
#include "slot.h"

#include <pthread.h>

typedef struct ringer {
    pthread_t thread;
    lane_header *header; /* NULL: not started */
    int bell;
    alarm_word stop; /* nobody sleeps on it: it is a flag */
} ringer;

/* `header` stays mapped and `bell` open until ringer_stop(). Returns 0 or -errno. The ringer does not move. */
int ringer_start(ringer *self, lane_header *header, int bell);

/* Ends the thread; waits for it. */
void ringer_stop(ringer *self);

#endif

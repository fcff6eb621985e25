/* SPDX-License-Identifier: Apache-2.0 */
#include "ringer.h"

#include "platform/event.h"
#include "platform/thread.h"
#include "shared.h"

static void *ring_on(void *argument)
{
    ringer *self = argument;

    while (!alarm_is_set(&self->stop)) {
        if (shared_await_server_bell(self->header, SEMAPHORE_SLICE_NS) == 0) {
            (void)event_ring(self->bell);
        }
    }
    return NULL;
}

int ringer_start(ringer *self, lane_header *header, int bell)
{
    int rc;

    self->header = header;
    self->bell = bell;
    alarm_clear(&self->stop);
    rc = thread_start(&self->thread, "shmrpc-ringer", ring_on, self);
    if (rc != 0) {
        self->header = NULL;
    }
    return rc;
}

void ringer_stop(ringer *self)
{
    alarm_set(&self->stop);
    shared_post_server_bell(self->header);
    (void)pthread_join(self->thread, NULL);
}

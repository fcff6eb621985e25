/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include "platform/clock.h"
#include "platform/poller.h"
#include "platform/thread.h"
#include "platform/timer.h"

#include <stddef.h>
#include <unistd.h>

enum { TAG_SERVER, TAG_TIMER };

void loop_init(client_loop *self)
{
    *self = (client_loop){.poller = -1, .timer = -1, .at_ns = CLOCK_NEVER};
}

static int watch(const client_loop *self, int socket, int process)
{
    int rc = poller_add(self->poller, socket, 0, NULL, TAG_SERVER);

    return rc == 0 && process >= 0 ? poller_add(self->poller, process, 0, NULL, TAG_SERVER) : rc;
}

int loop_open(client_loop *self, int socket, int process)
{
    int rc = poller_new();

    if (rc < 0) {
        return rc;
    }
    self->poller = rc;
    self->timer = timer_new();
    rc = self->timer < 0 ? self->timer : poller_add(self->poller, self->timer, 0, NULL, TAG_TIMER);
    if (rc == 0) {
        rc = watch(self, socket, process);
    }
    if (rc != 0) {
        loop_close(self);
    }
    return rc;
}

void loop_close(client_loop *self)
{
    if (self->timer >= 0) {
        (void)close(self->timer);
    }
    if (self->poller >= 0) {
        (void)close(self->poller);
    }
    loop_init(self);
}

void loop_move(client_loop *to, client_loop *from, int old_socket, int old_process, int socket, int process)
{
    *to = *from;
    loop_init(from);
    poller_remove(to->poller, old_socket);
    if (old_process >= 0) {
        poller_remove(to->poller, old_process);
    }
    to->is_deaf = watch(to, socket, process) != 0;
    loop_wake(to);
}

bool loop_has_news(client_loop *self)
{
    poller_event events[POLLER_EVENTS_MAX];
    int held = thread_hold();
    int count = poller_wait(self->poller, events, 0);
    bool has_news = count < 0 || self->is_deaf;
    int i;

    for (i = 0; i < count; i++) {
        if (events[i].tag == TAG_TIMER) {
            /* It stays readable until it is set anew. */
            timer_set(self->timer, CLOCK_NEVER);
            self->at_ns = CLOCK_NEVER;
        } else {
            has_news = true;
        }
    }
    thread_release(held);
    return has_news;
}

void loop_wake_at(client_loop *self, int64_t until_ns)
{
    if (self->is_deaf) {
        int64_t soon_ns = clock_after_ns(LOOP_DEAF_NS);

        until_ns = until_ns < soon_ns ? until_ns : soon_ns;
    }
    /* One that is set too early wakes once for nothing; to set it for each call would cost each call a system call. */
    if (until_ns < self->at_ns) {
        timer_set(self->timer, until_ns);
        self->at_ns = until_ns;
    }
}

void loop_rest(client_loop *self, int socket, int64_t until_ns)
{
    poller_remove(self->poller, socket);
    self->at_ns = CLOCK_NEVER;
    loop_wake_at(self, until_ns);
}

void loop_wake(client_loop *self)
{
    if (loop_is_open(self)) {
        loop_wake_at(self, 0);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include "platform/clock.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/thread.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct monitor {
    int poller;
    int bell; /* rung to end the thread; watched with no owner */
    pthread_t thread;
    bool has_begun;
    unsigned watched; /* sockets */
} monitor;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static monitor *current; /* NULL: nothing is watched */
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error; /* -errno of what is registered for fork() */

/* ---- the thread ---- */

/* Takes all events that there are. False once the bell has been rung. */
static bool take_events(const monitor *self)
{
    poller_event events[POLLER_EVENTS_MAX];
    bool goes_on = true;
    int count;

    (void)pthread_mutex_lock(&lock);
    do {
        count = poller_wait(self->poller, events, 0);
        for (int i = 0; i < count; i++) {
            if (events[i].owner == NULL) {
                goes_on = false;
            } else {
                alarm_set(events[i].owner);
            }
        }
    } while (count == POLLER_EVENTS_MAX);
    (void)pthread_mutex_unlock(&lock);
    return goes_on;
}

static void *run(void *data)
{
    monitor *self = data;

    (void)pthread_mutex_lock(&lock);
    self->has_begun = true;
    (void)pthread_cond_broadcast(&begun);
    (void)pthread_mutex_unlock(&lock);
    do {
        poller_await(self->poller);
    } while (take_events(self));
    return NULL;
}

/* ---- beginning and ending ---- */

static void monitor_close(monitor *self)
{
    (void)close(self->bell);
    (void)close(self->poller);
    free(self);
}

/* A thread that is just coming to life may hold locks of the C library's or a sanitizer's, which the child would inherit. */
static void before_fork(void)
{
    (void)pthread_mutex_lock(&lock);
    while (current != NULL && !current->has_begun) {
        (void)pthread_cond_wait(&begun, &lock);
    }
}

static void after_fork(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* The descriptors are the child's own, the set behind them is its parent's. */
static void after_fork_in_child(void)
{
    if (current != NULL) {
        monitor_close(current);
        current = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
}

static void register_fork(void)
{
    fork_error = -pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static int monitor_new(monitor **ret)
{
    monitor *self = malloc(sizeof(*self));
    int rc;

    if (self == NULL) {
        return -ENOMEM;
    }
    *self = (monitor){.poller = -1, .bell = -1};
    self->poller = poller_new();
    if (self->poller < 0) {
        rc = self->poller;
        goto out_free;
    }
    self->bell = event_new();
    if (self->bell < 0) {
        rc = self->bell;
        goto out_poller;
    }
    rc = poller_add(self->poller, self->bell, 1, NULL, 0);
    if (rc == 0) {
        rc = thread_start(&self->thread, "shmrpc-monitor", run, self);
    }
    if (rc == 0) {
        *ret = self;
        return 0;
    }
    (void)close(self->bell);
out_poller:
    (void)close(self->poller);
out_free:
    free(self);
    return rc;
}

/* Not with the lock held: the thread may be waiting for it. */
static void monitor_end(monitor *self)
{
    (void)event_ring(self->bell);
    (void)pthread_join(self->thread, NULL);
    monitor_close(self);
}

/* ---- what is watched ---- */

int monitor_add(alarm_word *alarm, int socket, int pidfd)
{
    monitor *unused = NULL;
    int rc;

    (void)pthread_once(&fork_once, register_fork);
    if (fork_error != 0) {
        return fork_error;
    }
    (void)pthread_mutex_lock(&lock);
    rc = current == NULL ? monitor_new(&current) : 0;
    if (rc == 0) {
        rc = poller_add_end(current->poller, socket, alarm);
        if (rc == 0 && pidfd >= 0) {
            rc = poller_add(current->poller, pidfd, 1, alarm, 0);
            if (rc != 0) {
                poller_remove(current->poller, socket);
            }
        }
        if (rc == 0) {
            current->watched++;
        } else if (current->watched == 0) {
            unused = current;
            current = NULL;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    if (unused != NULL) {
        monitor_end(unused);
    }
    return rc;
}

void monitor_remove(int socket, int pidfd)
{
    monitor *unused = NULL;

    (void)pthread_mutex_lock(&lock);
    poller_remove(current->poller, socket);
    if (pidfd >= 0) {
        poller_remove(current->poller, pidfd);
    }
    if (--current->watched == 0) {
        unused = current;
        current = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    if (unused != NULL) {
        monitor_end(unused);
    }
}

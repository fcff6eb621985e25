/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include "platform/clock.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/thread.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define TAG_PROCESS 1u /* of an event whose key is a process, by key_of(); others have the alarm as their owner */

typedef struct watched {
    alarm_word *alarm;
    int pidfd;
} watched;

typedef struct monitor {
    int poller;
    int bell; /* rung to end the thread; watched with no owner */
    pthread_t thread;
    bool has_begun;
    unsigned count; /* of connections, in `all` */
    unsigned capacity;
    watched *all;
} monitor;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static monitor *current; /* NULL: nothing is watched */
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error; /* -errno of what is registered for fork() */

static uint64_t key_of(int pidfd)
{
    return (uint64_t)(unsigned)pidfd * (POLLER_TAG_MAX + 1) + TAG_PROCESS;
}

/* ---- the thread ---- */

/* Several connections have a process in common. */
static void tell_of_process(const monitor *self, uint64_t key)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (key_of(self->all[i].pidfd) == key) {
            alarm_set(self->all[i].alarm);
        }
    }
}

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
            if (events[i].tag == TAG_PROCESS) {
                tell_of_process(self, events[i].key);
            } else if (events[i].owner == NULL) {
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
    free(self->all);
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

static bool has_process(const monitor *self, int pidfd)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (self->all[i].pidfd == pidfd) {
            return true;
        }
    }
    return false;
}

static int make_room(monitor *self)
{
    if (self->count == self->capacity) {
        unsigned capacity = self->capacity == 0 ? 8 : 2 * self->capacity;
        watched *all = realloc(self->all, capacity * sizeof(*all));

        if (all == NULL) {
            return -ENOMEM;
        }
        self->all = all;
        self->capacity = capacity;
    }
    return 0;
}

/* An end that the first connection with a process was told of already is nobody's event any more: it is asked for. */
static int watch_process(const monitor *self, alarm_word *alarm, int pidfd)
{
    if (pidfd < 0) {
        return 0;
    }
    if (!has_process(self, pidfd)) {
        return poller_watch(self->poller, pidfd, key_of(pidfd));
    }
    if (process_has_ended(pidfd)) {
        alarm_set(alarm);
    }
    return 0;
}

static int add(monitor *self, alarm_word *alarm, int socket, int pidfd)
{
    int rc = make_room(self);

    if (rc == 0) {
        rc = poller_add_end(self->poller, socket, alarm);
    }
    if (rc != 0) {
        return rc;
    }
    rc = watch_process(self, alarm, pidfd);
    if (rc != 0) {
        poller_remove(self->poller, socket);
        return rc;
    }
    self->all[self->count++] = (watched){alarm, pidfd};
    return 0;
}

static void drop(monitor *self, const alarm_word *alarm)
{
    unsigned i = 0;

    while (self->all[i].alarm != alarm) {
        i++;
    }
    self->all[i] = self->all[--self->count];
}

/* With the lock held. The caller ends what it returns, without the lock; NULL: it is needed. */
static monitor *take_unused(void)
{
    monitor *unused = current;

    if (unused->count != 0) {
        return NULL;
    }
    current = NULL;
    return unused;
}

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
        rc = add(current, alarm, socket, pidfd);
        unused = take_unused();
    }
    (void)pthread_mutex_unlock(&lock);
    if (unused != NULL) {
        monitor_end(unused);
    }
    return rc;
}

void monitor_remove(const alarm_word *alarm, int socket, int pidfd)
{
    monitor *unused;

    (void)pthread_mutex_lock(&lock);
    poller_remove(current->poller, socket);
    drop(current, alarm);
    if (pidfd >= 0 && !has_process(current, pidfd)) {
        poller_remove(current->poller, pidfd);
    }
    unused = take_unused();
    (void)pthread_mutex_unlock(&lock);
    if (unused != NULL) {
        monitor_end(unused);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.h - a set of descriptors to wait for (epoll), each with a pointer and a small tag that come back with its
 * event.
 */
#ifndef SHMRPC_PLATFORM_POLLER_H
#define SHMRPC_PLATFORM_POLLER_H

#include <stdint.h>

#define POLLER_EVENTS_MAX 64
#define POLLER_TAG_MAX 7u /* tags live in the low bits of the pointer, which is at least 8-aligned */

typedef struct poller_event {
    void *owner;
    unsigned tag;
    uint64_t key; /* as a whole, where that is how it was added */
} poller_event;

/* Close-on-exec. Returns a descriptor for close() or -errno. */
int poller_new(void);

/*
 * Watches for input and the peer's end; with `edge`, an event per edge (for a doorbell that is never read). 0 or
 * -errno.
 */
int poller_add(int poller, int descriptor, int edge, void *owner, unsigned tag);

/*
 * Watches a socket for the peer's end alone, an event per edge: packets that come cause none. 0 or -errno.
 */
int poller_add_end(int poller, int socket, void *owner);

/* Watches for the same, an event per edge, which come back with `key`. 0 or -errno. */
int poller_watch(int poller, int descriptor, uint64_t key);

/* Another key for what is watched by a key; looks anew, so that what is there now makes an event. 0 or -errno. */
int poller_watch_as(int poller, int descriptor, uint64_t key);

/* Stops watching. A descriptor that is not watched is no error. */
void poller_remove(int poller, int descriptor);

/*
 * Waits at most timeout_ns (0: only looks; CLOCK_NEVER: until there is one). The number of events, at most
 * POLLER_EVENTS_MAX, 0 at the timeout or at a signal, or -errno. Rounded up to milliseconds.
 */
int poller_wait(int poller, poller_event *ret_events, int64_t timeout_ns);

/* Sleeps until poller_wait() would have an event, and leaves it there. May return early. */
void poller_await(int poller);

#endif

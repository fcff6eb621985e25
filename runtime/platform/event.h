/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - a doorbell with a descriptor: eventfd.
 *
 * Whoever waits watches the descriptor edge-triggered and never drains it: each ring is an edge. A full counter is
 * as good as rung, because its last edge has not been taken yet.
 *
 * The status flags belong to the open file, which both sides share: a peer can clear O_NONBLOCK and fill the counter,
 * and a ring then blocks. So only the side that cannot be hurt rings: a client its server, never a server a client.
 */
#ifndef SHMRPC_PLATFORM_EVENT_H
#define SHMRPC_PLATFORM_EVENT_H

/* Non-blocking, close-on-exec. Returns the descriptor or -errno. */
int event_new(void);

/* Adds one. Async-signal-safe; keeps errno. Returns 0 or -errno. */
int event_ring(int descriptor);

/*
 * Is this, which a peer has sent, an eventfd? To be asked before it is watched: a file system that its sender serves may
 * never answer a poll, and neither may one that is watched by an epoll descriptor. Asks no file system itself. Returns 0,
 * -EPROTO or -errno. Without /proc it tells files from what has none, and eventfds from nothing else.
 */
int event_inspect(int descriptor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - a doorbell with a descriptor: eventfd.
 */
#ifndef SHMRPC_PLATFORM_EVENT_H
#define SHMRPC_PLATFORM_EVENT_H

/* Non-blocking, close-on-exec. Returns the descriptor or -errno. */
int event_new(void);

/* Adds one. Async-signal-safe; keeps errno. A full counter is as good as rung. Returns 0 or -errno. */
int event_ring(int descriptor);

#endif

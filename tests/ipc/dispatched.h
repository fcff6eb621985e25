/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispatched.h - a server of the probe service that a case dispatches itself, round by round, in its own thread.
 */
#ifndef SHMRPC_TEST_DISPATCHED_H
#define SHMRPC_TEST_DISPATCHED_H

#include "probe_server.h"

typedef struct dispatched {
    probe_server server;
    probe_state *state;
    int fd;
    counts before; /* of what the process holds */
} dispatched;

/* With a runtime directory of the case's own. `options` may be NULL. */
void dispatched_begin(dispatched *self, const shmrpc_server_options *options);

/* Also after stop(). Fails the case where anything is left. */
void dispatched_end(dispatched *self);

/* One round, of up to 64 handlers; its answer, 1 or 0. */
int dispatched_round(dispatched *self);

/* Rounds until one says 0; how many said 1. */
unsigned dispatched_until_idle(dispatched *self);

/* Lets `come` run in a thread, and serves until it has returned and there is nothing more to do. */
void dispatched_meet(dispatched *self, void (*come)(void *data), void *data);

/* A client that has connected that way. */
shmrpc_client *dispatched_connect(dispatched *self, const shmrpc_client_options *options);

bool dispatched_is_readable(const dispatched *self);

/* By semaphores a thread rings for a client: a moment later. */
void dispatched_await_readable(const dispatched *self);

#endif

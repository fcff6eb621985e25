/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echoing.h - a server of the raw transport that echoes whatever it is given, in a thread of the case; a witness, which
 * is a lane that behaves; and rogues that have an arena.
 *
 * echoing_teardown() fails the case where anything is left of the rogues in the server, or the witness is not served.
 */
#ifndef SHMRPC_TEST_ECHOING_H
#define SHMRPC_TEST_ECHOING_H

#include <pthread.h>
#include <semaphore.h>

#include <shmrpc/lane.h>

#include "rogue.h"

#define LIMIT 1048576u
#define UNITS 1024u /* two of each */
#define HOLD 2u     /* the method whose handler waits */
#define ARENA_SIZE ((size_t)UNITS * SHMRPC_ARENA_UNIT)

typedef struct echo_server {
    shmrpc_lane_server base;
    pthread_t thread;
    int run_status;
    sem_t holding, let_go;
    _Atomic uint64_t calls, dropped;      /* requests that were echoed; sessions that were dropped for PROTOCOL */
    _Atomic uint64_t last_size, last_sum; /* of the last request: sum_of() */
} echo_server;

extern echo_server server; /* its name is "raw" */
extern const shmrpc_lane_limits limits;

uint64_t sum_of(const unsigned char *bytes, size_t size);

/* As a checked fixture; with a runtime directory of the case's own. */
void echoing_setup(void);
void echoing_teardown(void);

/* The same with other limits, with these options (NULL: the defaults), and without a witness. */
void echoing_setup_with(const shmrpc_lane_limits *of, const shmrpc_server_options *options);
void echoing_stop(void);

/* What a client of it says. */
control_packet raw_hello(const shmrpc_lane_limits *of);

/* Attach and Ready: true where the server took them. */
bool attach(rogue *self, uint64_t arena_size, const int *descriptors, unsigned count);

/* All of it, well, and the arena mapped where the server asks for one. The second is for the limits above. */
void join_with(rogue *self, const shmrpc_lane_limits *of);
void join(rogue *self);
/* The same, but Ready stays unread: when the rogue leaves, its end is an error to the server (ECONNRESET). */
void join_deaf(rogue *self);
void leave(rogue *self);

/* Keeps the server in a handler, by the rogue's next request, until let_go(). */
void hold(rogue *self);
/* Until the server is in the handler of a request for HOLD. */
void await_held(void);
void let_go(void);

#endif

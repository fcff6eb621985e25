/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outcome_service.h - a service whose calls have numbers, and a server that notes which of them a handler began.
 *
 * Two methods do the same things: one in its handler, the other by putting the call off and answering from a thread
 * beside. What a call does is in its request. The notes are in a page shared with the server's process, so that they can
 * be read after it was killed.
 */
#ifndef SHMRPC_TEST_OUTCOME_SERVICE_H
#define SHMRPC_TEST_OUTCOME_SERVICE_H

#include "child.h"

#include <shmrpc/client.h>
#include <shmrpc/generated.h>

#include <pthread.h>
#include <stdatomic.h>

#define OUTCOME_NUMBERS 65536u
#define OUTCOME_DESKS_MAX 4u
#define OUTCOME_ERROR 7 /* that both methods declare */

enum { OUTCOME_CALL, OUTCOME_LATER, OUTCOME_METHODS };

enum {
    OUTCOME_REPLY,  /* the number */
    OUTCOME_THROW,  /* OUTCOME_ERROR */
    OUTCOME_EXPIRE, /* answers EXPIRED */
    OUTCOME_LINGER, /* of OUTCOME_LATER: answers AGAIN once the call is withdrawn */
    OUTCOME_HOLD,   /* waits for outcome_release(), then replies */
};

typedef struct outcome_request {
    uint64_t number; /* below OUTCOME_NUMBERS */
    uint64_t what;
} outcome_request;

typedef struct outcome_reply {
    uint64_t number;
} outcome_reply;

typedef struct outcome_state {
    _Atomic(bool) serves;
    _Atomic(uint64_t) holding; /* the call that its handler holds; 0: none */
    _Atomic(uint64_t) put_off; /* calls that are held beside */
    _Atomic(uint64_t) begun_count;
    _Atomic(uint8_t) begun[OUTCOME_NUMBERS];
} outcome_state;

typedef struct outcome_server {
    child process;
    outcome_state *state;                      /* shared; survives the process */
    int gate[2];                               /* a byte lets one handler pass */
    int desk[2];                               /* what the thread beside is to do */
    pthread_t runs, beside[OUTCOME_DESKS_MAX]; /* of a server within this process */
    unsigned desks;
} outcome_server;

extern const shmrpc_service_info outcome_service;

/* Server called "outcomes"; fails the case where it cannot start. `state` is zeroed. */
void outcome_server_start(outcome_server *self, outcome_state *state, int64_t spin_ns);

/*
 * The same within this process: `workers` of the server, and `desks` threads that answer what is put off, of which each
 * holds what it was given to hold.
 */
void outcome_here_start(outcome_server *self, outcome_state *state, uint32_t workers, unsigned desks);
void outcome_here_stop(outcome_server *self);

/* Lets the handler that holds go on; or answers all calls that are held beside. */
void outcome_release(outcome_server *self);
void outcome_release_later(outcome_server *self);

/* By SIGTERM; or kill -9, and what is left of its name. */
void outcome_server_stop(outcome_server *self);
void outcome_server_kill(outcome_server *self);

outcome_state *outcome_state_new(void);
void outcome_state_free(outcome_state *state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_service.h - a service whose every call is put off, and answered by a pool of threads of the program's own.
 *
 * The pool answers nothing until it is let: each pool_let() is for one call, the oldest or the newest that waits. So a
 * test says how many answers there are, and in which order. What the pool was told when it answered is noted in a page
 * shared with the server's process, where it can be read after that has ended.
 */
#ifndef SHMRPC_TEST_POOL_SERVICE_H
#define SHMRPC_TEST_POOL_SERVICE_H

#include "child.h"

#include <semaphore.h>
#include <stdatomic.h>

#include <shmrpc/client.h>
#include <shmrpc/generated.h>
#include <shmrpc/server.h>

#define POOL_THREADS 4
#define POOL_JOBS 64u
#define POOL_REASON_MAX 1000

typedef struct pool_request {
    uint64_t value;
    uint64_t how; /* POOL_REPLY ... */
} pool_request;

typedef struct pool_reply {
    uint64_t value; /* + 1 */
} pool_reply;

/* Does not fit into a slot. */
typedef struct pool_reason {
    uint64_t value;
    uint8_t bytes[POOL_REASON_MAX]; /* each is the value's lowest */
} pool_reason;

enum { POOL_WORK, POOL_NOTE /* oneway; not put off */, POOL_METHODS };
enum { POOL_REPLY, POOL_PLAIN, POOL_THROW, POOL_STATUS };
enum { POOL_ERROR_PLAIN = 3, POOL_ERROR_REASON = 4 };

typedef struct pool_state {
    _Atomic(bool) serves, newest_first;
    _Atomic(bool) awaits_cancel; /* answers calls when they are cancelled */
    _Atomic(uint64_t) put_off, notes;
    _Atomic(uint64_t) not_put_off;                 /* handlers that wanted to, and could not */
    _Atomic(uint64_t) answered, dropped, confused; /* told 0; CANCELLED; anything else */
    _Atomic(uint64_t) seen_cancelled;              /* of those: that knew before they answered */
    _Atomic(uint64_t) disconnected;
    sem_t let;
} pool_state;

typedef struct pool_server {
    child process;
    pool_state *state;
} pool_server;

extern const shmrpc_service_info pool_service;
extern const shmrpc_errors_info pool_errors;

/* Server called "pool", which gives what is put off so much time when it stops. */
void pool_start(pool_server *self, int64_t stop_timeout_ns);

/* Asks it to stop, and awaits its end; or kills it. Gives the state free. */
void pool_ask_to_stop(const pool_server *self);
void pool_end(pool_server *self);

/* Lets the pool answer so many calls. */
void pool_let(pool_server *self, unsigned calls);

#endif

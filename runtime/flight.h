/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight.h - calls in flight: what is inside of a shmrpc_call, and the list of a connection's.
 *
 *   state     mark                  event                                     next      who
 *   IDLE      0, or any other       flight_start()                            FLYING    start
 *   FLYING    FLIGHT_ON + thread    its answer, its deadline, the end of the  IDLE      flight_land(): wait, dispatch
 *                                   connection
 *   FLYING    FLIGHT_ON + thread    flights_drop()                            DROPPED   the handle is freed
 *   FLYING    FLIGHT_ON + thread    flights_abandon()                         (none)    the thread ends
 *   DROPPED   FLIGHT_DROPPED        wait, which says so                       IDLE
 *
 * An object is the caller's memory and nobody else's while it is IDLE or DROPPED; FLYING, the connection refers to it.
 * Where the thread has ended, the object may have gone with its stack: nobody touches it, and a mark that names a
 * thread without lanes (handle_whose()) tells that it is not in flight any more. An object begins as zeros; memory that
 * was never cleared is not taken for a call, since a thread's number is part of the mark.
 *
 * One thread, the connection's.
 */
#ifndef SHMRPC_FLIGHT_H
#define SHMRPC_FLIGHT_H

#include "connection.h"
#include "list.h"
#include "platform/process.h"

#include <shmrpc/client.h>

#define FLIGHT_THREAD_BITS 40 /* of process_thread(), which counts threads */
#define FLIGHT_ON (UINT64_C(0x73686d) << FLIGHT_THREAD_BITS)
#define FLIGHT_DROPPED UINT64_C(0x73686d2d64726f70)

typedef struct flight {
    uint64_t mark;
    connection *connection;
    lane_waiter waiter;
    shmrpc_done *done; /* NULL: its answer is waited for */
    int64_t until_ns;
    list_link link; /* of the connection's calls, oldest first */
} __attribute__((may_alias)) flight;

_Static_assert(sizeof(flight) <= sizeof(shmrpc_call), "a call fits into what callers have for it");
_Static_assert(_Alignof(flight) <= _Alignof(shmrpc_call), "and may lie where they have it");

static inline flight *flight_of(shmrpc_call *object)
{
    return (flight *)(void *)object;
}

/* Is it a call in flight of the calling thread? */
static inline bool flight_is_mine(const flight *self)
{
    return self->mark == FLIGHT_ON + process_thread();
}

/* The thread that started it; 0: no mark of that kind. */
static inline uintptr_t flight_thread(const flight *self)
{
    return self->mark >> FLIGHT_THREAD_BITS == FLIGHT_ON >> FLIGHT_THREAD_BITS
               ? (uintptr_t)(self->mark & ((UINT64_C(1) << FLIGHT_THREAD_BITS) - 1))
               : 0;
}

/*
 * Sends what begin() has found room for, and has the answer kept for `self`. 0, or PROTOCOL with nothing in flight.
 * `timeout_ns` counts from now.
 */
int flight_start(flight *self, connection *on, const lane_call *at, uint16_t method, uint32_t length,
                 int64_t timeout_ns);

/* Waits. 0 with the reply, to be read before flight_land(); or how the call ended, as connection_call(). */
int flight_await(flight *self, lane_reply *ret_reply);

/* It has ended: the object is the caller's again. */
void flight_land(flight *self);

/*
 * The next call with a `done` whose end is known, and how: *ret_rc is 0 with a reply, as flight_await(). NULL: none.
 * Never blocks.
 */
flight *flights_next_ended(connection *on, int *ret_rc, lane_reply *ret_reply);

/* Has any of its calls a `done`? */
bool flights_have_done(const connection *on);

/* When calls of a connection that has ended can be told of it: 0, now; CLOCK_NEVER, there are none. */
int64_t flights_told_at(connection *on);

/*
 * After flights_next_ended() has found none. Where an event loop waits: has the server ring for it, and sets the time
 * of the next deadline. 0: wait; 1: there is more to look at, or the connection has ended, and it is known how
 * its calls did.
 */
int flights_rest(connection *on);

/*
 * Publishes what is written, withdraws all that is in flight, and lets go of the objects. No `done` runs. In a forked
 * child: lets go of the child's copies.
 */
void flights_drop(connection *on);

/*
 * Publishes what is written and withdraws all that is in flight, of a thread that ends, without touching the objects.
 */
void flights_abandon(connection *on);

#endif

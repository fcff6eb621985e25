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
 *   IDLE      0, or any other       loan                                      LENT      shmrpc_call_loan()
 *   LENT      FLIGHT_LENT + thread  start                                     FLYING    shmrpc_call_start_loaned()
 *   LENT      FLIGHT_LENT + thread  abandon                                   IDLE
 *   FLYING    FLIGHT_ON + thread    its answer, where it is to be viewed      VIEWED    shmrpc_call_view()
 *   VIEWED    FLIGHT_VIEWED + thr.  release                                   IDLE
 *
 * LENT and VIEWED end as FLYING does where the handle is freed or the thread ends; they are in the connection's loans.
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
#include "platform/clock.h"
#include "platform/process.h"
#include "platform/sealed.h"

#include <shmrpc/client.h>

#define FLIGHT_THREAD_BITS 40 /* of process_thread(), which counts threads */
#define FLIGHT_ON (UINT64_C(0x73686d) << FLIGHT_THREAD_BITS)
#define FLIGHT_LENT (FLIGHT_ON + (UINT64_C(1) << FLIGHT_THREAD_BITS))
#define FLIGHT_VIEWED (FLIGHT_ON + (UINT64_C(2) << FLIGHT_THREAD_BITS))
#define FLIGHT_DROPPED UINT64_C(0x73686d2d64726f70)

/* Memory of a message that there is no other for, or that is to be sealed; freed with its connection at the latest. */
struct connection_room {
    connection_room *next;
    unsigned char *bytes;
    sealed_memory sealed; /* where `is_own`: the bytes are in it */
    bool is_own;
    bool is_sealed;                    /* it has been, and has not been sent: what is in it can only be copied */
    _Alignas(16) unsigned char heap[]; /* where it is not */
};

/* A message that the caller writes, or reads: in one of three places. */
typedef struct loan {
    lane_loan lent;        /* in shared memory, where `room` of it is not NULL; */
    connection_room *room; /* on the heap, or in memory of its own; */
    uint32_t method;
    uint32_t offset;                                /* of the message in any of them */
    unsigned char payload[SHMRPC_SLOT_PAYLOAD + 8]; /* or here, at a multiple of 16 where that matters */
} loan;

typedef struct flight {
    uint64_t mark;
    connection *connection;
    union {
        lane_waiter waiter; /* while FLYING */
        loan loan;          /* while LENT or VIEWED */
    };
    shmrpc_done *done; /* NULL: its answer is waited for */
    list_link link;    /* of the connection's calls, oldest first; or of its loans */
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

/* The thread that started it, or has the loan; 0: no mark of that kind. */
static inline uintptr_t flight_thread(const flight *self)
{
    return (self->mark - FLIGHT_ON) >> FLIGHT_THREAD_BITS <= (FLIGHT_VIEWED - FLIGHT_ON) >> FLIGHT_THREAD_BITS
               ? (uintptr_t)(self->mark & ((UINT64_C(1) << FLIGHT_THREAD_BITS) - 1))
               : 0;
}

/* flight_start() of a call with a `done`: before it is sent, and after. */
void flight_announce(connection *on, uint64_t position);
void flight_watch(flight *self);

/*
 * Sends what begin() has found room for, and has the answer kept for `self`. 0, or PROTOCOL with nothing in flight.
 * `timeout_ns` counts from now, or from when its batch is published.
 */
static ALWAYS_INLINE int flight_start(flight *self, shmrpc_done *done, connection *on, const lane_call *at,
                                      uint16_t method, uint32_t length, int64_t timeout_ns)
{
    const bool is_told = done != NULL;
    int rc;

    self->done = done;
    self->connection = on;
    self->waiter.until_ns = on->lane.in_batch && !is_told ? -timeout_ns : clock_after_about_ns(timeout_ns);
    self->waiter.turn = is_told ? TURN_WANTED : TURN_NONE;
    lane_client_keep(&on->lane, at, &self->waiter);
    if (is_told) {
        flight_announce(on, at->position);
    }
    rc = connection_send(on, at, method, length, timeout_ns);
    if (rc != 0) {
        /* The connection has failed: nobody uses again what the call holds, and what its slot says is not asked. */
        *lane_client_waiter(&on->lane, at->position) = NULL;
        return rc;
    }
    self->mark = FLIGHT_ON + process_thread();
    list_append(&on->calls, &self->link);
    if (is_told) {
        flight_watch(self);
    }
    return 0;
}

/* Waits. 0 with the reply, to be read before flight_land(); or how the call ended, as connection_call(). */
static ALWAYS_INLINE int flight_await(flight *self, lane_reply *ret_reply)
{
    return connection_await(self->connection, &self->waiter, ret_reply);
}

/* The object is the caller's again. */
static inline void flight_leave(flight *self)
{
    list_remove(&self->link);
    self->mark = 0;
    self->connection = NULL;
}

/*
 * It has ended: the object is the caller's again. `has_answer`: flight_await() has brought one, so that it is in the slot
 * if it is not in the waiter; false: that is not known, and is looked at.
 */
static ALWAYS_INLINE void flight_land(flight *self, bool has_answer)
{
    lane_client *lane = &self->connection->lane;

    if (has_answer && self->waiter.state == WAITER_SENT && self->waiter.turn != TURN_QUEUED) {
        lane_client_let_go_of_slot(lane, &self->waiter);
    } else {
        lane_client_let_go(lane, &self->waiter);
    }
    flight_leave(self);
}

/*
 * The next call with a `done` whose end is known, and how: *ret_rc is 0 with a reply, as flight_await(). NULL: none.
 * Never blocks.
 */
flight *flights_next_ended(connection *on, int *ret_rc, lane_reply *ret_reply);

/* ---- loans ---- */

/* Where the message is. */
static inline void *flight_message(flight *self)
{
    return self->loan.lent.room != NULL ? (unsigned char *)self->loan.lent.room + self->loan.offset
           : self->loan.room != NULL    ? self->loan.room->bytes + self->loan.offset
                                        : self->loan.payload + self->loan.offset;
}

/* Makes it LENT or VIEWED (`state`: FLIGHT_LENT, FLIGHT_VIEWED), with `what`. It is in no list. */
void flight_lend(flight *self, uint64_t state, connection *on, const loan *what);

/*
 * Finds private memory for a message of `size` bytes: within the object where it fits, else on the heap. 0, NO_MEMORY.
 */
int flight_find_place(flight *self, connection *on, uint32_t size, loan *ret_loan);

/* The same in memory that can be sealed (sealed.h), of so many bytes, in large pages where that is wished. 0, NO_MEMORY, SYSTEM, ... */
int flight_find_own(connection *on, size_t size, bool is_large, loan *ret_loan);

/* Gives what `what` has back to the connection. */
void loan_end(loan *what, connection *on);

/* The loan is over: the object is the caller's again. */
void flight_take_back(flight *self);

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
 * Publishes what is written, withdraws all that is in flight, takes back what is lent, and lets go of the objects. No `done` runs. In a forked
 * child: lets go of the child's copies.
 */
void flights_drop(connection *on);

/*
 * Publishes what is written, withdraws all that is in flight and takes back what is lent, of a thread that ends, without touching the objects.
 */
void flights_abandon(connection *on);

#endif

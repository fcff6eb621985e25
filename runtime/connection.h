/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - a client's connection: a socket, a memory, a lane, and what is known of the other side.
 *
 * Beneath the typed client and the raw transport, which add only what a payload is. A call is
 *
 *     connection_begin()  ->  write the payload  ->  connection_call()  ->  read the reply  ->  connection_end()
 *
 * or, where the answer is read later (flight.h), connection_send() and connection_await(); client_direct.c has the same
 * steps for calls that need no more than a slot,
 *
 * and its outcome is exact:
 *   before publishing     NOT_SENT: no room in time, or the connection had ended
 *   reply published       the reply, also where the server died right after
 *   deadline              TIMEOUT; the request is marked as cancelled, its slot stays the server's until it answers
 *   connection ended      NOT_EXECUTED where the server has ended or has said that it begins nothing more, and its
 *                         `started` is below the call; else UNKNOWN
 *
 * A connection belongs to one thread at a time (handle.h), and to the process that connected.
 */
#ifndef SHMRPC_CONNECTION_H
#define SHMRPC_CONNECTION_H

#include "control.h"
#include "lane_client.h"
#include "lane_client_loan.h"
#include "list.h"
#include "loop.h"
#include "platform/compiler.h"
#include "platform/process.h"

#include <shmrpc/client.h>

typedef struct connection_room connection_room; /* flight.h */

typedef struct connection {
    lane_peer peer; /* what the lane asks */
    lane_client lane;
    region memory;
    int socket;
    process_share *process; /* the server's, which all lanes of a session have in common; NULL: not known */
    int server;             /* its pidfd, or -1 */
    int bell;
    uint32_t generation; /* process_generation() of the process that connected */
    uintptr_t thread;    /* process_thread() of the owner; 0: none */
    shmrpc_client_condition condition;
    list_link calls; /* in flight (flight.h) */
    list_link loans; /* lent, or viewed */
    connection_room *rooms;
    int64_t soonest_ns; /* no call with a `done` has to end before */
    client_loop loop;   /* what an event loop waits for */
    bool in_dispatch;
    bool takes_envelopes; /* the server does (envelope.h) */
    bool takes_sealed;    /* likewise: requests in memory of their own */
    int64_t settled_ns;   /* until then the server's process is given time to end; 0: nobody has asked */
} connection;

/* What of the server's answer is the caller's to judge: 0, or a status that connecting ends with. */
typedef int connection_judge(const void *of, const control_welcome *welcome);

/*
 * Connects to the server `name`, says `hello` (depth and blocks are filled in from the options) and sets the lane up.
 * `process`: the session's, where it is known; NULL: to be found out. `judge` is asked before a refusal is taken for what
 * it says, and before any memory is made. *ret_welcome is the server's answer, to be freed
 * with control_packet_free(). Returns 0 or a status; then nothing remains.
 */
int connection_init(connection *self, const char *name, const shmrpc_client_options *options, control_hello *hello,
                    process_share *process, connection_judge *judge, const void *judge_of,
                    control_packet **ret_welcome);
void connection_deinit(connection *self);

/* What the server is, as far as its socket and process tell now. */
shmrpc_client_condition connection_look(connection *self);

/* As look(), where there is reason to, and by the loop itself. Without a reason it costs a load. */
void connection_glance(connection *self);

/* The same by a thread that does not own it: GONE, or UP. */
shmrpc_client_condition connection_peek(const connection *self);

/* The owner gives it up: the next one may be another thread. */
void connection_leave(connection *self);

/* enter() by another thread than the owner: WRONG_THREAD, FORKED. */
int connection_refuse_thread(const connection *self);

/* May this thread use the connection? 0, WRONG_THREAD, FORKED. */
static inline int connection_enter(const connection *self)
{
    return process_thread_is(self->thread) ? 0 : connection_refuse_thread(self);
}

/* GONE or FAILED, as far as is known. */
static inline bool connection_has_ended(const connection *self)
{
    return self->condition == SHMRPC_CLIENT_GONE || self->condition == SHMRPC_CLIENT_FAILED;
}

/* May this thread make calls, and is there no reason to look around first? */
static inline bool connection_is_clear(const connection *self)
{
    return process_thread_is(self->thread) && !alarm_is_set(&self->peer.alarm) && !connection_has_ended(self);
}

/* May calls be made? Looks around where there is reason to. 0, NOT_SENT, WRONG_THREAD, FORKED. */
int connection_check(connection *self);

/* Why begin() has found no room, from what the lane says. */
int connection_not_begun(connection *self, int status);

/*
 * It has ended: can be said what became of what was in flight? False for a while where the server's process is just
 * ending; until connection.settled_ns, or before. Never blocks.
 */
bool connection_is_settled(connection *self);

/*
 * Finds room, at most *timeout_ns, which is made less by what was waited. 0, NOT_SENT, AGAIN (unread answers have all
 * blocks), TOO_LARGE, PROTOCOL, WRONG_THREAD, FORKED.
 */
static inline int connection_begin(connection *self, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                                   lane_call *ret_call)
{
    int rc = connection_is_clear(self) ? 0 : connection_check(self);

    if (rc != 0) {
        return rc;
    }
    rc = lane_client_begin(&self->lane, request_size, reply_size, timeout_ns, ret_call);
    /* What is heard while it waits for room ends the connection as well. */
    return rc == 0 && !connection_has_ended(self) ? 0 : connection_not_begun(self, rc);
}

/* The same for a call whose request is in what was lent (lane_client_loan.h). */
int connection_begin_lent(connection *self, const lane_loan *loan, uint32_t reply_size, int64_t *timeout_ns,
                          lane_call *ret_call);

/* The same for one whose request is in sealed memory of its own. AGAIN also where as many are in flight as may be. */
int connection_begin_sealed(connection *self, uint32_t reply_size, int64_t *timeout_ns, lane_call *ret_call);

/*
 * Sends the memory of a call that begin_sealed() has begun, which stays the caller's to close, and which is published next.
 * 0; or a status, with nothing sent and the call given up. Never blocks.
 */
int connection_send_sealed(connection *self, int descriptor, lane_call *call);

/* The server broke the protocol (error.h says how): the connection is of no more use. Returns PROTOCOL. */
int connection_fail(connection *self);

/* Publishes and does not wait. 0, PROTOCOL. */
static ALWAYS_INLINE int connection_send(connection *self, const lane_call *call, uint16_t method, uint32_t length,
                                         int64_t timeout_ns)
{
    int rc = lane_client_publish(&self->lane, call, method, length, timeout_ns);

    return rc == 0 ? 0 : connection_fail(self);
}

/*
 * The end of call(), of one that has been published and waited for: the lane has said `status`, which is 0 or 1 where
 * there is a reply, and else says why it has stopped waiting. 0 with the reply; or the call's outcome.
 */
int connection_finish(connection *self, const lane_call *call, int status, lane_reply *ret_reply);

/* Publishes, waits, and bounds the reply. 0, TIMEOUT, NOT_EXECUTED, UNKNOWN, PROTOCOL. */
static ALWAYS_INLINE int connection_call(connection *self, const lane_call *call, uint16_t method, uint32_t length,
                                         int64_t timeout_ns, lane_reply *ret_reply)
{
    int rc = lane_client_publish(&self->lane, call, method, length, timeout_ns);

    if (rc == 0) {
        rc = lane_client_wait(&self->lane, call, timeout_ns);
    }
    if (rc == 0 && lane_client_reply(&self->lane, call, ret_reply) == 0) {
        return 0;
    }
    return connection_finish(self, call, rc, ret_reply);
}

/* await() where the answer is not seen in its slot at once. */
int connection_await_otherwise(connection *self, const lane_waiter *waiter, lane_reply *ret_reply);

/*
 * Waits, until the waiter's until_ns, for the answer to a call that was sent before, and bounds it. As
 * connection_call(); in each case the caller lets go of the waiter afterwards. `until_ns` 0: never blocks, and what is
 * not settled is UNKNOWN.
 */
static ALWAYS_INLINE int connection_await(connection *self, const lane_waiter *waiter, lane_reply *ret_reply)
{
    /* Where something is written that is not published, that comes first. */
    if (self->condition == SHMRPC_CLIENT_FAILED || self->lane.unsent != 0 ||
        !lane_client_is_in_slot(&self->lane, waiter)) {
        return connection_await_otherwise(self, waiter, ret_reply);
    }
    return lane_client_answer_in_slot(&self->lane, waiter, ret_reply) == 0 ? 0 : connection_fail(self);
}

/* The descriptor for an event loop: the connection's, until it is left or ended. Below 0: a status. */
int connection_open_loop(connection *self);

/* What waits for `former`, which has ended, waits for this one. */
void connection_inherit_loop(connection *self, connection *former);

/* Reads what the server has sent, as far as the loop tells that it has. False: the connection has ended. */
bool connection_hear(connection *self);

/* Withdraws a call that was sent. Where its handler has put it off, the server is told. 0, PROTOCOL. Never blocks. */
int connection_withdraw(connection *self, const lane_waiter *waiter);

/* Publishes what is written, and looks which calls are answered. 0, PROTOCOL. Never blocks. */
int connection_poll(connection *self);

/* The end of a batch. 0, PROTOCOL. */
int connection_close_batch(connection *self);

/* The reply has been read. */
static inline void connection_end(connection *self, const lane_call *call)
{
    lane_client_end(&self->lane, call);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * current.h - the call that this thread is handling, and what is left of its caller's time.
 *
 * Calls that a handler makes, with any client handle, have no more time than that: nobody waits for the answer any
 * longer. The time counts from when the handler began; what the request waited in the ring before is not known here.
 *
 * No clock is read for a handler that makes no calls. That one does is learnt from its first one: then nothing is known
 * of its beginning yet, and the time counts from that call on, too late and never too early; from the next time on the
 * clock is read when a handler of that kind begins.
 */
#ifndef SHMRPC_CURRENT_H
#define SHMRPC_CURRENT_H

#include <shmrpc/base.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct current_call {
    struct current_call *outer; /* of a handler that lets other handlers run */
    int64_t timeout_ns;         /* the caller's time; CLOCK_NEVER */
    int64_t begun_ns;           /* of clock.h; 0: not known yet */
    _Atomic bool *calls_out;    /* handlers of this kind make calls; shared by all threads that run them */
} current_call;

/* Initial-exec: two instructions in a shared library, too. */
extern _Thread_local current_call *current_of_thread __attribute__((tls_model("initial-exec")));

/* For current_begin(): reads the clock. */
int64_t current_clock_ns(void);

/* The handler of a call begins in this thread; `call` lives until current_end(). */
static inline void current_begin(current_call *call, int64_t timeout_ns, _Atomic bool *calls_out)
{
    call->outer = current_of_thread;
    call->timeout_ns = timeout_ns;
    call->begun_ns = atomic_load_explicit(calls_out, memory_order_relaxed) ? current_clock_ns() : 0;
    call->calls_out = calls_out;
    current_of_thread = call;
}

static inline void current_end(const current_call *call)
{
    current_of_thread = call->outer;
}

/* For current_limit_ns(): in a handler. */
int64_t current_limit_by_handler_ns(int64_t timeout_ns);

/* The time that a call has that could have `timeout_ns`: at least 1. */
static inline int64_t current_limit_ns(int64_t timeout_ns)
{
    return current_of_thread == NULL ? timeout_ns : current_limit_by_handler_ns(timeout_ns);
}

#endif

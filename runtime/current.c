/* SPDX-License-Identifier: Apache-2.0 */
#include "current.h"

#include "platform/clock.h"

_Thread_local current_call *current_of_thread;

int64_t current_clock_ns(void)
{
    return clock_now_ns();
}

int64_t current_limit_by_handler_ns(int64_t timeout_ns)
{
    current_call *call = current_of_thread;
    int64_t left_ns;
    int64_t now_ns;

    if (call->timeout_ns == CLOCK_NEVER) {
        return timeout_ns;
    }
    now_ns = clock_now_ns();
    if (call->begun_ns == 0) {
        call->begun_ns = now_ns;
        atomic_store_explicit(call->calls_out, true, memory_order_relaxed);
    }
    left_ns = call->timeout_ns - (now_ns - call->begun_ns);
    if (left_ns < 1) {
        left_ns = 1;
    }
    return left_ns < timeout_ns ? left_ns : timeout_ns;
}

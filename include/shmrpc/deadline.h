/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadline.h - how long a call may take.
 *
 * A deadline is relative: it begins when the call does. It is a struct, so that a number of unknown unit cannot be
 * passed for one.
 */
#ifndef SHMRPC_DEADLINE_H
#define SHMRPC_DEADLINE_H

#include <shmrpc/base.h>

typedef struct shmrpc_deadline {
    int64_t timeout_ns; /* > 0; 0: the default; INT64_MAX: no deadline */
} shmrpc_deadline;

/* What a call without any other deadline gets: 5 s. */
#define SHMRPC_DEFAULT_TIMEOUT_NS INT64_C(5000000000)

/* The method's @deadline, else the service's, else the client's option, else 5 s. */
static inline shmrpc_deadline shmrpc_default(void)
{
    shmrpc_deadline deadline = {0};
    return deadline;
}

/* Waits for as long as the server lives. */
static inline shmrpc_deadline shmrpc_forever(void)
{
    shmrpc_deadline deadline = {INT64_MAX};
    return deadline;
}

/* Nanoseconds from now; zero and less mean "one nanosecond": whatever is not there at once has timed out. */
static inline shmrpc_deadline shmrpc_in_ns(int64_t timeout_ns)
{
    shmrpc_deadline deadline = {timeout_ns > 0 ? timeout_ns : 1};
    return deadline;
}

static inline shmrpc_deadline shmrpc_in_us(int64_t timeout_us)
{
    return timeout_us > INT64_MAX / 1000 ? shmrpc_forever() : shmrpc_in_ns(timeout_us < 0 ? 0 : timeout_us * 1000);
}

static inline shmrpc_deadline shmrpc_in_ms(int64_t timeout_ms)
{
    return timeout_ms > INT64_MAX / 1000 ? shmrpc_forever() : shmrpc_in_us(timeout_ms < 0 ? 0 : timeout_ms * 1000);
}

static inline shmrpc_deadline shmrpc_in_s(int64_t timeout_s)
{
    return timeout_s > INT64_MAX / 1000 ? shmrpc_forever() : shmrpc_in_ms(timeout_s < 0 ? 0 : timeout_s * 1000);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - monotonic time. */
#ifndef SHMRPC_PLATFORM_CLOCK_H
#define SHMRPC_PLATFORM_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Nanoseconds of CLOCK_MONOTONIC; never negative. */
int64_t clock_now_ns(void);

/* now + timeout, saturating at CLOCK_NEVER; a timeout of CLOCK_NEVER is never. */
int64_t clock_after_ns(int64_t timeout_ns);

/* What is left until then, at least 0; CLOCK_NEVER of CLOCK_NEVER. */
int64_t clock_left_ns(int64_t until_ns);

/* Sleeps; for retries on cold paths. Ends early on a signal. */
void clock_sleep_ns(int64_t timeout_ns);

#endif

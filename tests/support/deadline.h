/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadline.h - how long a test waits before it calls a wait a failure.
 *
 * Tests do not sleep to synchronise; they wait for an event, and a deadline only
 * bounds the failure. CK_TIMEOUT_MULTIPLIER, set for sanitizers, stretches it.
 */
#ifndef SHMRPC_TEST_DEADLINE_H
#define SHMRPC_TEST_DEADLINE_H

#include <stdint.h>

/* What a wait that takes no limit of its own gets. */
#define TEST_PATIENCE_MS 20000

/*
 * What takes less did not hang, nor wait for a deadline of its own, which then is longer; far more than what a busy
 * machine takes.
 */
#define TEST_SOON_NS UINT64_C(12000000000)

/* The monotonic clock. */
uint64_t test_now_ns(void);

/* The moment `patience_ms` from now, stretched. */
uint64_t test_deadline_ns(unsigned int patience_ms);

/* Milliseconds from now to `deadline_ns` for poll(), rounded up; 0 where it has passed. */
int test_remaining_ms(uint64_t deadline_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - a count that others wait for, by futex: the event by which threads of a test synchronise.
 *
 * Any atomic unsigned may be one, also in memory that processes share. It counts up only, by tally_up().
 */
#ifndef SHMRPC_TEST_TALLY_H
#define SHMRPC_TEST_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Adds one and wakes all who wait. Returns how many there were before. */
unsigned tally_up(_Atomic(unsigned) *tally);

/* Waits until there are `least`; fails the case where TEST_PATIENCE_MS pass. */
void tally_await(_Atomic(unsigned) *tally, unsigned least);

/* The same up to a moment of test_now_ns(): did it come to so many? Also says that something does not happen so soon. */
bool tally_reaches(_Atomic(unsigned) *tally, unsigned least, uint64_t until_ns);

#endif

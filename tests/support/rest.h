/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.h - the moment at which nothing goes on any more: no thread of this process runs but the one that asks.
 *
 * Then each has done what it had to do, and waits for what the caller does next; so a case can go on step by step,
 * however slow the machine is.
 */
#ifndef SHMRPC_TEST_REST_H
#define SHMRPC_TEST_REST_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits until all other threads of this process sleep at the same time; fails the case where TEST_PATIENCE_MS pass.
 * What an alarm of the clock may wake is none that it can speak of.
 */
void rest_await(void);

/* Does this thread of this process sleep now? False where it is gone. */
bool rest_is_asleep(pid_t tid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unanswered.h - what the memory of this process's lanes says of its requests: that one has been published can be seen
 * in no other way from outside of the thread that spins for its answer.
 */
#ifndef SHMRPC_TEST_UNANSWERED_H
#define SHMRPC_TEST_UNANSWERED_H

/*
 * Requests that are published and have no reply, nor are put off, in all lanes that this process has mapped: each of
 * so many slots, and of no service with an arena. Where the server is in this process, too, each counts twice.
 */
unsigned int unanswered_count(unsigned int depth);

/* Waits until there are at least so many; fails the case where TEST_PATIENCE_MS pass. */
void unanswered_await(unsigned int depth, unsigned int least);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joiners.h - threads that connect, call once and leave, without end, while servers come and go.
 *
 * They are in a process of their own: the case forks servers meanwhile, and in a child that was forked beside busy threads
 * sanitizers may hang.
 */
#ifndef SHMRPC_TEST_JOINERS_H
#define SHMRPC_TEST_JOINERS_H

#include "test_support.h"

enum joiners_fate {
    JOINERS_SEE_STOPS, /* servers stop: every call is answered, or was never begun */
    JOINERS_SEE_DEATHS /* servers are killed: what became of a call may also be unknown */
};

/* Starts them at the name "probe". */
void joiners_start(child *ret_process, enum joiners_fate fate);

/* Ends them. Fails the case unless each has connected, saw no other status than it may, and left nothing behind. */
void joiners_end(child *process);

#endif

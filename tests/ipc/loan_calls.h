/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loan_calls.h - calls in place of probe_pair's client, of which a lane has few blocks; after each case all of them can
 * be taken again.
 */
#ifndef TESTS_IPC_LOAN_CALLS_H
#define TESTS_IPC_LOAN_CALLS_H

#include "probe_pair.h"

#define LOAN_DEPTH 8
#define LOAN_BLOCKS 4

extern const shmrpc_client_options loan_options;

bool loan_is_within(const void *at, const shmrpc_call *call);

/* A loan of PROBE_BLOB. */
probe_blob *loan_blob(shmrpc_call *call);

/* A call whose reply is in a block. */
void loan_start_blob(shmrpc_call *call, uint64_t value);

/* Is the reply to loan_start_blob() in place? What lies beyond its bytes is of any value. */
const probe_blob *loan_view_blob(shmrpc_call *call, uint64_t value);

/* Can all blocks be taken, by loans and by answers that are not read, and no more than there are? */
void loan_expect_all_blocks(void);

/* Fixtures. */
void loan_setup(void);
void loan_teardown(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.h - a server of the probe service, and a client that behaves: while rogues come and go, it is served.
 *
 * witness_teardown() fails the case where anything is left of the rogues in the server, or anybody but them was
 * dropped.
 */
#ifndef SHMRPC_TEST_WITNESS_H
#define SHMRPC_TEST_WITNESS_H

#include "probe_server.h"

/* How long that server lets a client take to connect, where a case waits for that. */
#define WITNESS_HANDSHAKE_NS INT64_C(1000000000)

extern probe_process witness_server;
extern shmrpc_client *witness;

/*
 * As a checked fixture; with a runtime directory of the case's own. The second: of another service than the probe's. The
 * third: one that soon drops those who do not connect to the end; the others never do in a case's time.
 */
void witness_setup(void);
void witness_setup_with(const shmrpc_service_info *service);
void witness_setup_impatient(void);
void witness_teardown(void);

/* Calls, with values that no other call has, and fails the case unless they are answered rightly. */
void witness_expect_served(void);

/* The server's counters; and how many clients it has turned away by now, at any time. */
shmrpc_server_counts witness_counters(void);
uint64_t witness_turned_away(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_pair.h - the fixture of cases that have one server of the probe service, in a process, and one client of it.
 */
#ifndef SHMRPC_TEST_PROBE_PAIR_H
#define SHMRPC_TEST_PROBE_PAIR_H

#include "probe_server.h"

extern probe_process server;
extern shmrpc_client *client; /* a case that frees it writes NULL here */

/* Options of the client; NULL: none. */
void probe_pair_begin(const shmrpc_client_options *options);
void probe_pair_end(void);

#endif

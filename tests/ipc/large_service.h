/* SPDX-License-Identifier: Apache-2.0 */
/* large_service.h - a server of large.shm: turns messages around, fails, puts off, holds. */
#ifndef TESTS_IPC_LARGE_SERVICE_H
#define TESTS_IPC_LARGE_SERVICE_H

#include "large.shm.h"
#include "test_support.h"

#define PUT_OFF_MAX 8u /* calls at a time */
#define SPOILT 0xbad   /* `sum` that is not right */

uint64_t sum_of(const large_frame *frame);

/*
 * A child's main function: serves "large", with the shmrpc_server_options in `data` (NULL: the defaults), until
 * SIGTERM. Signals 's' when it is ready, and what its handlers wait for.
 */
int large_service(child_link *link, void *data);

#endif

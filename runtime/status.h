/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - which statuses may cross from a server to a client. */
#ifndef SHMRPC_RUNTIME_STATUS_H
#define SHMRPC_RUNTIME_STATUS_H

#include <shmrpc/status.h>

/*
 * Statuses below 0 that a handler may return and a server may answer with. The others say what only the caller's side
 * can know (that nothing was sent, say), so a handler that returns one has failed, and a server that answers with one
 * breaks the protocol.
 */
bool status_may_travel(int status);

#endif

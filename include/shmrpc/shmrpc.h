/* SPDX-License-Identifier: Apache-2.0 */
/* shmrpc.h - all public headers. */
#ifndef SHMRPC_H
#define SHMRPC_H

#include <shmrpc/base.h>
#include <shmrpc/client.h>
#include <shmrpc/deadline.h>
#include <shmrpc/generated.h>
#include <shmrpc/host.h>
#include <shmrpc/lane.h>
#include <shmrpc/log.h>
#include <shmrpc/server.h>
#include <shmrpc/status.h>
#include <shmrpc/wire.h>

#endif

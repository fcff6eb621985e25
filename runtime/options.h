/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the options of clients and servers: are they within their ranges, and what do their defaults mean?
 */
#ifndef SHMRPC_RUNTIME_OPTIONS_H
#define SHMRPC_RUNTIME_OPTIONS_H

#include "spin.h"

#include <shmrpc/client.h>
#include <shmrpc/server.h>

/*
 * 0; TOO_LARGE or MISUSE with the option, its value and its limit in the line. SHMRPC_WITHOUT (platform/feature.h) is
 * taken for an option of both.
 */
int options_check_client(const shmrpc_client_options *options);
int options_check_server(const shmrpc_server_options *options);

/* 0 becomes the default of 5 s. */
int64_t options_timeout_ns(int64_t timeout_ns);

/* What SHMRPC_SPIN_..., or nanoseconds, stand for. */
spin options_spin(int64_t spin_ns);

#endif

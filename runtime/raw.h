/* SPDX-License-Identifier: Apache-2.0 */
/* raw.h - what the two ends of the raw transport (shmrpc/lane.h) agree on. */
#ifndef SHMRPC_RAW_H
#define SHMRPC_RAW_H

#include <shmrpc/lane.h>

#define RAW_SERVICE "" /* its name in Hello */

/* Zero and NULL become the default. 0, or TOO_LARGE. */
int raw_limits(const shmrpc_lane_limits *given, shmrpc_lane_limits *ret_limits);

#endif

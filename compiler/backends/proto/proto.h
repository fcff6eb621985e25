/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h - the product "proto": NAME.proto, the schema for those who speak Protocol Buffers (docs/proto.md).
 */
#ifndef SHMRPC_COMPILER_BACKENDS_PROTO_PROTO_H
#define SHMRPC_COMPILER_BACKENDS_PROTO_PROTO_H

#include "backend.h"

extern const backend backend_proto;

#endif

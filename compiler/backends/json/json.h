/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - the product "json": NAME.shm.json, the resolved model of a file (docs/json-model.md).
 */
#ifndef SHMRPC_COMPILER_BACKENDS_JSON_JSON_H
#define SHMRPC_COMPILER_BACKENDS_JSON_JSON_H

#include "backend.h"

extern const backend backend_json;

#endif

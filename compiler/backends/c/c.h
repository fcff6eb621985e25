/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c.h - the product "c": NAME.shm.h and NAME.shm.c.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_C_H
#define SHMRPC_COMPILER_BACKENDS_C_C_H

#include "backend.h"

extern const backend backend_c;

#endif

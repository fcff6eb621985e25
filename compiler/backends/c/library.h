/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.h - the names that a C library exports, which no function or type of generated code may have.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_LIBRARY_H
#define SHMRPC_COMPILER_BACKENDS_C_LIBRARY_H

#include "support/map.h"

/* Enters them all: name -> anything. */
void library_enter(map *to, arena *memory);

#endif

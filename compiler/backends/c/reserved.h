/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserved.h - names that C, C++ and their libraries have taken.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_RESERVED_H
#define SHMRPC_COMPILER_BACKENDS_C_RESERVED_H

#include "support/map.h"

/* Enters them all: name -> const char **, what it is taken for, such as "a keyword of C++". */
void reserved_enter(map *to, arena *memory);

#endif

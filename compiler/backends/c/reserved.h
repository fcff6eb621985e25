/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserved.h - names that C, C++ and their libraries have taken.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_RESERVED_H
#define SHMRPC_COMPILER_BACKENDS_C_RESERVED_H

/* What a name is taken for, such as "a keyword of C++", or NULL. */
const char *reserved_find(const char *name);

#endif

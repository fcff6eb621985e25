/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.h - enums, flags and errors: names with values.
 */
#ifndef SHMRPC_COMPILER_MEMBERS_H
#define SHMRPC_COMPILER_MEMBERS_H

#include "compile.h"

/* Completes a BUSY symbol that is an enum, a set of flags, or a set of errors. False where there is a mistake in it. */
bool members_complete(compile *run, symbol *named);

#endif

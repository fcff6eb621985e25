/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declare.h - declarations completed: from the tree to the model.
 */
#ifndef SHMRPC_COMPILER_DECLARE_H
#define SHMRPC_COMPILER_DECLARE_H

#include "compile.h"

/*
 * Completes a declaration, if that was not done, and all that it needs. Returns false where it is BAD; where it is
 * BUSY, `at` closes a cycle (E303, E304), and all declarations in the cycle become BAD.
 */
bool declare_complete(compile *run, symbol *named, span at);

#endif

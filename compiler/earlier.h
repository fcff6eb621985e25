/* SPDX-License-Identifier: Apache-2.0 */
/*
 * earlier.h - files as they were at an earlier version of their package.
 */
#ifndef SHMRPC_COMPILER_EARLIER_H
#define SHMRPC_COMPILER_EARLIER_H

#include "compile.h"

/*
 * Begins a run anew, with the trees of a run that has found no mistake: those of the packages of requested files without what came after
 * `version`, the others as they are. What is found is added to `diagnostics`.
 */
compile earlier_run(const compile *run, uint32_t version, diag *diagnostics);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - rules about a record as a whole, once it is laid out.
 */
#ifndef SHMRPC_COMPILER_RULES_H
#define SHMRPC_COMPILER_RULES_H

#include "compile.h"

/* E317. */
void rules_empty(compile *run, const model_record *record, span at);

/* E314 (then false), W319, W320. */
bool rules_record(compile *run, const model_record *record, span at);

#endif

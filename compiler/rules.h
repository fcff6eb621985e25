/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - rules about a record as a whole.
 */
#ifndef SHMRPC_COMPILER_RULES_H
#define SHMRPC_COMPILER_RULES_H

#include "compile.h"

/* E317. */
void rules_empty(compile *run, const model_record *record, span at);

/* Whether the field at an index may come with its version: E317, E402, E403. */
bool rules_added(compile *run, const model_record *record, uint32_t at);

/* Whether what is reserved may come with its versions: E402, E403. */
bool rules_holes(compile *run, const model_record *record);
/* Whether a record has what @size and @align give it: E312, E313. */
bool rules_fixed(compile *run, const model_record *record, span at);

/* E314 (then false), W319, W320. */
bool rules_record(compile *run, const model_record *record, span at);

#endif

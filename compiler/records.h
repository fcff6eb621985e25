/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - structs, messages, unions and the inline bodies of methods.
 */
#ifndef SHMRPC_COMPILER_RECORDS_H
#define SHMRPC_COMPILER_RECORDS_H

#include "compile.h"

/*
 * Makes a record, of which kind, role and owner are set, out of `fields` (ast_field). `at` is where to say what is
 * wrong with it as a whole. `partial`: it has entries that are not among `fields`. False where there is a mistake.
 */
bool records_complete(compile *run, const unit *from, model_record *record, const vector *fields, span at,
                      bool partial);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - structs, messages, unions and the inline bodies of methods.
 */
#ifndef SHMRPC_COMPILER_RECORDS_H
#define SHMRPC_COMPILER_RECORDS_H

#include "compile.h"

/*
 * Makes a record, of which kind, role and owner are set, out of a body of fields. `at` is where to say what is wrong
 * with it as a whole. False where there is a mistake.
 */
bool records_complete(compile *run, const unit *from, model_record *record, const ast_body *body, span at);

/*
 * What @size and @align give, in bytes: E312 where it is not a multiple of 8, E313 where it is not a power of two up to
 * LAYOUT_ALIGN_MOST. Whether they are right for the fields is a rule about the record.
 */
bool records_size(compile *run, const unit *from, const ast_expr *expr, uint32_t *ret);
bool records_align(compile *run, const unit *from, const ast_expr *expr, uint32_t *ret);

#endif

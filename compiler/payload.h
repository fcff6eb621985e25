/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.h - what methods, topics and queues carry.
 */
#ifndef SHMRPC_COMPILER_PAYLOAD_H
#define SHMRPC_COMPILER_PAYLOAD_H

#include "compile.h"

/*
 * The message that a payload names, or its inline body: that becomes a record with the role and owner of `body`. False
 * where there is a mistake.
 */
bool payload_complete(compile *run, const unit *from, const ast_payload *ast, const model_record *body,
                      const model_record **ret);

#endif

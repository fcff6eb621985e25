/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mismatch.h - why a method that both sides have cannot be called: they have it in no layout in common.
 *
 * The server says how it has the method, the client compares that with how it has it and names what differs:
 *
 *     demo.kv.GetReply: 'ttl_s' is uint32 at 3864 here, uint64 at 3864 in the server (version 3)
 *
 * What is compared are the texts that fingerprints are of (type_info.layout). A server's are a peer's input: they are
 * read within their bounds, and nothing but the line depends on them.
 */
#ifndef SHMRPC_MISMATCH_H
#define SHMRPC_MISMATCH_H

#include "control.h"

#include <shmrpc/generated.h>

#define MISMATCH_LINE_MAX 511u /* bytes of a report */

/*
 * The server's part: how this side has the method, which is number `index` of the client's. Takes what the texts are long
 * from *budget, and leaves out those that there is no room for. 0 or -ENOMEM.
 */
int mismatch_describe(const shmrpc_method_info *method, uint32_t index, size_t *budget, control_mismatch *ret);

/* Frees what describe() made of `count` ones, and the array. */
void mismatches_free(control_mismatch *array, uint32_t count);

/*
 * The client's part: the line, for `line` with room for MISMATCH_LINE_MAX + 1. `theirs` NULL: the server has said no more
 * than that. `version`: of the service's package in the server; 0: not told.
 */
void mismatch_report(const shmrpc_service_info *service, const shmrpc_method_info *method,
                     const control_mismatch *theirs, uint32_t version, char *line);

#endif

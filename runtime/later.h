/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.h - answers that are put off: what an application holds in place of a call, and what that stands for.
 *
 * A shmrpc_later is a number: which lane's writer (20 bits), which ticket (16 bits), and a serial (28 bits) by which one
 * that has been used is told from the next one with the same ticket. Writers are found through a table of the process;
 * its lock is held for a few loads, a writer's own while an answer is written. So a number that is used twice, made up,
 * or outlives its session, reaches nothing that it should not.
 */
#ifndef SHMRPC_LATER_H
#define SHMRPC_LATER_H

#include "inbox_writer.h"
#include "lane_server.h"
#include "revision.h"

#include <shmrpc/generated.h>

/*
 * Puts a call off, of a method of which `terms` are agreed on: frees its slot, and gives the number that it is answered by. Within its handler. 0; LIMIT: the client
 * has no inbox, or the process as many lanes with such calls as it may; NO_MEMORY.
 */
int later_begin(lane_server *lane, const lane_request *request, const char *service, const shmrpc_method_info *method,
                const method_terms *terms, int64_t timeout_ns, shmrpc_later *ret_later);

/*
 * The handler failed after it had put its call off: answers INTERNAL, unless it has been answered already. `why` goes to
 * the log.
 */
void later_fail_handler(shmrpc_later later, const char *service, const shmrpc_method_info *method, const char *why);

/* Lanes of this process that have put calls off and are open, or have answers to come. */
uint32_t later_lanes(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question.h - what programs share that ask one question of servers in processes of their own: numbers of the command
 * line, the conditions and a directory to ask it in, and an end that cleans up, also by a signal.
 */
#ifndef BENCH_QUESTION_H
#define BENCH_QUESTION_H

#include "conditions.h"

#include <stdbool.h>
#include <stdint.h>

#define EXIT_UNUSABLE 2 /* usage, or the system */

/* Returns 0 or -errno with the cause on standard error; soon, once question_interrupted(). `given`: the options. */
typedef int question_answer_fn(const void *given, const conditions *found);

/*
 * Answers with $SHMRPC_DIR set to a directory that is removed afterwards. Returns the exit status; after SIGINT,
 * SIGTERM and SIGHUP it ends the process by that signal instead. `program`: for what it says.
 */
int question_run(const char *program, question_answer_fn *answer, const void *given);

/* Has one of these signals come? */
bool question_interrupted(void);

/* Parses a decimal number within these bounds, and nothing else; says what is wrong where it is none. */
bool question_number(const char *program, const char *option, const char *text, uint32_t least, uint32_t most,
                     uint32_t *ret_number);

#endif

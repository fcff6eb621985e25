/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repeat.h - what is wrong at many places for one reason is told at the first of them.
 *
 * A name that is not declared is wrong wherever it is used. The first place in the file gets the error, and its message
 * says at how many others it is the same.
 */
#ifndef SHMRPC_COMPILER_REPEAT_H
#define SHMRPC_COMPILER_REPEAT_H

#include "compile.h"

/*
 * Adds an error unless the same was told before of the file that `at` is in, and within it of `within`, where that is not
 * NULL (the name of a declaration). NULL where it was: then this place is counted.
 */
diag_entry *repeat_add(compile *run, diag_code code, span at, const char *within, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds to what was told how often it was counted: once, when nothing more will be. */
void repeat_finish(compile *run);

#endif

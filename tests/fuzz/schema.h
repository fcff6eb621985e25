/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - what the harnesses of the compiler share: a file to read from, and what holds of every diagnostic.
 */
#ifndef SHMRPC_TEST_FUZZ_SCHEMA_H
#define SHMRPC_TEST_FUZZ_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

/* Breaks off unless it holds. */
void require(bool fine);

/* A path in a folder of this process's own, which is removed at the end with the files that were named so. */
const char *input_path(const char *name);
void input_write(const char *path, const void *bytes, size_t length);

/* Places lie within their files, and nothing that is shown in any form can drive a terminal. */
void check_diagnostics(const diag *found);

/* The file `index` of a pattern of glob(), always the same one, as fuzz_seed() has it: what does not fit is cut off. */
size_t seed_file(const char *pattern, size_t index, uint8_t *to);

#endif

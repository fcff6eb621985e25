/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depfile.h - what Make and Ninja read to know which outputs depend on which inputs.
 */
#ifndef SHMRPC_COMPILER_DEPFILE_H
#define SHMRPC_COMPILER_DEPFILE_H

#include <stddef.h>

#include "support/buffer.h"

/* Adds a path, escaped as Make wants it: blanks, '#', '$' and what stands before them. */
void depfile_path(buffer *text, const char *path);

/* Adds one rule: every target depends on every input, one input a line. */
void depfile_rule(buffer *text, const char *const *targets, size_t target_count, const char *const *inputs,
                  size_t input_count);

#endif

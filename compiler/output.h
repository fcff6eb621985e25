/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - files rendered in memory, then written whole or not at all.
 */
#ifndef SHMRPC_COMPILER_OUTPUT_H
#define SHMRPC_COMPILER_OUTPUT_H

#include <stdbool.h>

#include "support/buffer.h"

typedef struct output output;

output *output_new(void);
output *output_free(output *out); /* takes NULL; returns NULL */

/* The buffer of a file named relative to the output folder; "/" makes folders. It lives as long as `out`. */
buffer *output_file(output *out, const char *relative_path);

/* The buffer of a file with a path of its own, such as a dependency file: the output folder does not count. */
buffer *output_file_at(output *out, const char *path);

/*
 * The same for a file that is there and is to stay what it is: its mode, and where that is allowed its owner, are kept. A
 * file with several names (hard links) keeps them: it is written over, and gets its old contents back where that fails.
 */
buffer *output_replacement(output *out, const char *path);

/* The paths that the files added so far will have; an array of *ret_count, valid until output_free(). */
const char *const *output_paths(output *out, const char *directory, size_t *ret_count);

/* An output that would take the place of something that this run needs. */
typedef struct output_clash {
    const char *path; /* valid until output_free() */
    bool is_input;    /* else another output */
} output_clash;

/* Whether two outputs, or an output and one of `inputs`, are one file; *ret_clash is the first that is. */
bool output_clashes(output *out, const char *directory, const char *const *inputs, size_t input_count,
                    output_clash *ret_clash);

/* Where the writing fails: which file, and why. */
typedef struct output_failure {
    const char *path; /* valid until output_free() */
    int error;        /* errno */
} output_failure;

/*
 * Writes every file: each to a temporary beside its target, written, closed and checked; then all are renamed.
 * A file whose contents are as they were is left untouched. On failure no target has changed, and neither a
 * temporary nor a new folder remains. What exists and is no regular file, such as /dev/stdout, is written to as
 * it is. `directory` is made where it does not exist. Returns 0, or -1 with *ret_failure filled.
 */
int output_commit(output *out, const char *directory, output_failure *ret_failure);

#endif

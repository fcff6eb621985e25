/*
 * output.h - files rendered in memory, then written whole or not at all.
 */
#ifndef SHMRPC_COMPILER_OUTPUT_H
#define SHMRPC_COMPILER_OUTPUT_H

#include "support/buffer.h"

typedef struct output output;

output *output_new(void);
output *output_free(output *out);

/* The buffer of a file named relative to the output folder; "/" makes folders. */
buffer *output_file(output *out, const char *relative_path);

/* Where the writing fails: which file, and why. */
typedef struct output_failure {
    char path[4096];
    int error; /* errno */
} output_failure;

/*
 * Writes every file: each to a temporary beside its target, flushed and checked, then all are renamed.
 * A file whose contents are as they were is left untouched. On failure no target
 * has changed and no temporary remains. Returns 0 or -1 with *ret_failure filled.
 */
int output_commit(output *out, const char *directory, output_failure *ret_failure);

#endif

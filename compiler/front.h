/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.h - the front end as one call: files in, model out.
 *
 * Everything that can be wrong with a schema as such is reported here, through
 * `diag`, as many mistakes per run as can be told without guessing. What can
 * be wrong with it for one target language is reported by that backend's
 * check().
 */
#ifndef SHMRPC_COMPILER_FRONT_H
#define SHMRPC_COMPILER_FRONT_H

#include "diag.h"
#include "model.h"
#include "support/arena.h"

typedef struct front_options {
    const char *const *include_dirs; /* in the order of the -I options */
    size_t include_count;
    uint32_t max_message; /* bytes; 0: SHMRPC_MESSAGE_MAX of shmrpc/wire.h */
    uint32_t at_version;  /* the model is as the packages of `paths` were at that version; 0: at their newest */
} front_options;

/*
 * Reads, parses, resolves, checks and lays out `paths` and all that they import.
 *
 * Returns 0 with *ret_model set where no error was reported (warnings may have been);
 * 1 where diagnostics of severity error were added; -errno where a named file
 * could not be read (a diagnostic without a place says which; imports that
 * cannot be read are E208), or has not come to the version that is asked for
 * (-ERANGE; E002 says so). The files as they are have to be right for any
 * version to be given. The files that were opened are in model.inputs.
 */
int front_compile(arena *memory, diag *diagnostics, const front_options *options, const char *const *paths,
                  size_t path_count, const model **ret_model);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the command line asks for.
 */
#ifndef SHMRPC_COMPILER_OPTIONS_H
#define SHMRPC_COMPILER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend.h"
#include "breaking.h"
#include "diag.h"
#include "support/arena.h"

typedef enum options_verb {
    VERB_GENERATE,
    VERB_CHECK,
    VERB_FREEZE,
    VERB_BREAKING,
    VERB_FORMAT,
    VERB_LAYOUT,
    VERB_HELP,
    VERB_VERSION
} options_verb;

typedef struct options {
    options_verb verb;
    const char *const *files; /* format: none, or "-", is standard input; layout: a file, perhaps a type */
    size_t file_count;
    const char *const *include_dirs;
    size_t include_count;
    const backend *const *emits; /* generate: what to make, each once, in the order asked for */
    size_t emit_count;
    const char *out_dir;             /* generate */
    const char *depfile;             /* generate; NULL: none */
    uint32_t max_message;            /* bytes; 0: the default */
    uint32_t at_version;             /* of the packages of the files; 0: the newest */
    diag_format format;              /* check, breaking */
    const char *against;             /* breaking: the older schema */
    const char *const *against_dirs; /* breaking: as include_dirs, of the older schema; by itself the same */
    size_t against_count;
    breaking_allowed allowed; /* breaking: what is not told */
    bool only_check;          /* format: tell which files would change, and write nothing */
} options;

/*
 * Reads the command line. Returns 0 with *ret filled, or -1 with *ret_complaint set to one line that says
 * what is wrong with it. Strings belong to `arguments` or to `memory`.
 */
int options_parse(arena *memory, int argument_count, char *const *arguments, options *ret, const char **ret_complaint);

/* The text of --help. */
const char *options_help(arena *memory);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - the files that are named, and all that they import.
 */
#ifndef SHMRPC_COMPILER_LOAD_H
#define SHMRPC_COMPILER_LOAD_H

#include "compile.h"
#include "front.h"

/*
 * Reads and parses a file that the command line names, and what it imports; all are added to run->units, imported ones
 * first, each once. Returns 0, or -errno where the file itself could not be read (E001).
 */
int load_file(compile *run, const front_options *options, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_files.h - `shmc format`: files in, the same files out.
 */
#ifndef SHMRPC_COMPILER_FORMAT_FILES_H
#define SHMRPC_COMPILER_FORMAT_FILES_H

#include "options.h"

/*
 * Formats each file, or tells which would change. A file with mistakes of syntax is left alone, and the others are
 * formatted nevertheless. Returns the exit status of the program: the worst of all files.
 */
int format_files(const options *asked, arena *memory);

#endif

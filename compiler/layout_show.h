/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_show.h - `shmc layout`: a file in, its layouts out.
 */
#ifndef SHMRPC_COMPILER_LAYOUT_SHOW_H
#define SHMRPC_COMPILER_LAYOUT_SHOW_H

#include "options.h"

/* Shows the layouts of files[0], or that of files[1] in it. Returns the exit status of the program. */
int layout_show(const options *asked, arena *memory);

#endif

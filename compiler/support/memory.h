/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the heap, for those who cannot go on without it.
 *
 * A process without memory cannot go on compiling: it says so and exits with status 2. What has to be tidied up then is
 * done by handlers of atexit(), as in output.c.
 */
#ifndef SHMRPC_COMPILER_MEMORY_H
#define SHMRPC_COMPILER_MEMORY_H

#include <stddef.h>

_Noreturn void memory_exhausted(void);

/* Never NULL; free() what they return. */
void *memory_alloc(size_t size); /* not zeroed */
void *memory_zeroed(size_t size);
void *memory_realloc(void *memory, size_t size);

#endif

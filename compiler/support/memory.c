/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - see memory.h.
 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void memory_exhausted(void)
{
    fputs("shmc: out of memory\n", stderr);
    exit(2);
}

static void *existing(void *memory)
{
    if (!memory)
        memory_exhausted();
    return memory;
}

void *memory_alloc(size_t size)
{
    return existing(malloc(size));
}

void *memory_zeroed(size_t size)
{
    return existing(calloc(1, size));
}

void *memory_realloc(void *memory, size_t size)
{
    return existing(realloc(memory, size));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - chained blocks; an allocation is a bump of the newest block's mark.
 *
 * Blocks double from 64 KiB to 1 MiB. What does not fit into a fresh block of
 * the current size gets a block of its own, put behind the newest one, so that
 * the room left in the newest stays usable.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define BLOCK_SMALLEST ((size_t)64 * 1024)
#define BLOCK_LARGEST ((size_t)1024 * 1024)
#define ALIGNMENT alignof(max_align_t)
#define TEXT_TRIED ((size_t)256) /* bytes */

typedef struct block block;
struct block {
    block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    block *newest;
    size_t block_size;
};

static block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(block))
        memory_exhausted();
    block *fresh = memory_zeroed(sizeof(block) + size);
    fresh->size = size;
    return fresh;
}

arena *arena_new(void)
{
    arena *memory = memory_zeroed(sizeof(*memory));
    memory->block_size = BLOCK_SMALLEST;
    memory->newest = block_new(BLOCK_SMALLEST);
    return memory;
}

arena *arena_free(arena *memory)
{
    if (!memory)
        return NULL;
    block *each = memory->newest;
    while (each) {
        block *older = each->older;
        free(each);
        each = older;
    }
    free(memory);
    return NULL;
}

static size_t aligned(size_t size)
{
    return size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
}

void arena_clear(arena *memory)
{
    block *each = memory->newest->older;
    while (each) {
        block *older = each->older;
        free(each);
        each = older;
    }
    memory->newest->older = NULL;
    memset(memory->newest->bytes, 0, memory->newest->used);
    memory->newest->used = 0;
}

void *arena_alloc(arena *memory, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        memory_exhausted();
    size = aligned(size);

    block *newest = memory->newest;
    if (newest->size - newest->used < size) {
        if (memory->block_size < BLOCK_LARGEST)
            memory->block_size *= 2;
        if (size > memory->block_size / 4) {
            block *own = block_new(size);
            own->used = size;
            own->older = newest->older;
            newest->older = own;
            return own->bytes;
        }
        block *fresh = block_new(memory->block_size);
        fresh->older = newest;
        memory->newest = newest = fresh;
    }
    void *start = newest->bytes + newest->used;
    newest->used += size;
    return start;
}

void *arena_array(arena *memory, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        memory_exhausted();
    return arena_alloc(memory, total);
}

char *arena_copy(arena *memory, const char *text, size_t length)
{
    if (length == SIZE_MAX)
        memory_exhausted();
    char *copy = arena_alloc(memory, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_vprintf(arena *memory, const char *format, va_list arguments)
{
    /* Most texts are short: they are made where they stay, in what is left of the newest block. */
    block *newest = memory->newest;
    char *text = (char *)newest->bytes + newest->used;
    size_t room = newest->size - newest->used;
    room = room < TEXT_TRIED ? room : TEXT_TRIED;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(text, room, format, arguments);
    if (length < 0)
        memory_exhausted();
    if ((size_t)length < room) {
        newest->used += aligned((size_t)length + 1);
    } else {
        memset(text, 0, room);
        text = arena_alloc(memory, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

char *arena_printf(arena *memory, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(memory, format, arguments);
    va_end(arguments);
    return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h - which blocks of a lane are free: a stack of numbers in the client's private memory.
 *
 * A number is 1 + index, as it stands in a slot's header; BLOCK_NONE is none. (Those of extents are in arena.h.)
 */
#ifndef SHMRPC_BLOCK_H
#define SHMRPC_BLOCK_H

#include "slot.h"

#include <assert.h>

typedef struct block_list {
    uint8_t numbers[BLOCKS_MAX];
    uint8_t count;
} block_list;

static inline void block_list_init(block_list *list, uint32_t count)
{
    uint32_t i;

    assert(count <= BLOCKS_MAX);
    for (i = 0; i < count; i++) {
        list->numbers[i] = (uint8_t)(count - i);
    }
    list->count = (uint8_t)count;
}

static inline uint8_t block_list_take(block_list *list)
{
    return list->count == 0 ? BLOCK_NONE : list->numbers[--list->count];
}

static inline void block_list_give(block_list *list, uint8_t number)
{
    if (number != BLOCK_NONE) {
        assert(list->count < BLOCKS_MAX);
        list->numbers[list->count++] = number;
    }
}

#endif

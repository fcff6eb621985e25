/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region.h - the memory of one lane as each side sees it: a base address and numbers that lie in private memory.
 *
 * The numbers are agreed in the handshake, checked by region_check() on both sides, and never read from the shared
 * pages.
 */
#ifndef SHMRPC_REGION_H
#define SHMRPC_REGION_H

#include "slot.h"

#include <stdbool.h>

#define REGION_DEPTH ((uint32_t)SHMRPC_LANE_DEPTH) /* slots, where nobody says how many */
#define REGION_BLOCKS_TOTAL \
    ((uint32_t)SHMRPC_LANE_BLOCKS_TOTAL) /* bytes of all blocks, unless one of each takes more */

typedef struct region_geometry {
    uint32_t depth;               /* a power of two, DEPTH_MIN .. DEPTH_MAX */
    uint32_t request_block_size;  /* bytes, a multiple of 64; 0 where none is needed */
    uint32_t request_block_count; /* 0 .. BLOCKS_MAX; 0 exactly where the size is 0 */
    uint32_t reply_block_size;
    uint32_t reply_block_count;
    uint32_t inbox_depth; /* as the ring's depth; 0: no inbox, and no call is ever MOVED */
} region_geometry;

typedef struct region {
    lane_header *header;
    slot *slots;
    unsigned char *request_blocks;
    unsigned char *reply_blocks;
    region_geometry geometry;
    slot *inbox;
    unsigned shift;       /* log2 of the depth */
    unsigned inbox_shift; /* log2 of the inbox's */
    bool semaphores;      /* the doorbells of both sides; set after init() */
    bool membarrier;      /* who makes the fences (shared_read_wish()); set after init() */
    size_t size;          /* bytes mapped */
} region;

/*
 * Plans a lane without an inbox: `depth` and `blocks` as asked for (0: the defaults, 64 and 8), the largest request and reply in bytes.
 * Blocks are made only where a message can exceed a slot, and fewer than asked for where all would take more than
 * REGION_BLOCKS_TOTAL.
 */
region_geometry region_plan(uint32_t depth, uint32_t blocks, uint32_t request_size, uint32_t reply_size);

/* Is every number within its bounds? */
bool region_check(const region_geometry *geometry);

/* Bytes of memory for a checked geometry, in whole pages. */
size_t region_size(const region_geometry *geometry);

/* Makes pointers of a mapping of region_size() bytes. */
void region_init(region *memory, void *base, const region_geometry *geometry);

/*
 * Puts the words of all slots into their first state. Done by the server, before the client is told that it may call.
 */
void region_format(region *memory);

static inline slot *region_slot(const region *memory, uint64_t position)
{
    return &memory->slots[position & (memory->geometry.depth - 1)];
}

/* The entry of the inbox with this number, from 1. There is an inbox. */
static inline slot *region_entry(const region *memory, uint64_t number)
{
    return &memory->inbox[number & (memory->geometry.inbox_depth - 1)];
}

/* `number` as in a slot's header: 1 + index, bounded by the caller. */
static inline unsigned char *region_request_block(const region *memory, uint8_t number)
{
    return memory->request_blocks + (size_t)(number - 1u) * memory->geometry.request_block_size;
}

static inline unsigned char *region_reply_block(const region *memory, uint8_t number)
{
    return memory->reply_blocks + (size_t)(number - 1u) * memory->geometry.reply_block_size;
}

#endif

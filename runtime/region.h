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
    uint32_t arena_units; /* of SHMRPC_ARENA_UNIT bytes, whole pages of them; 0: there is no arena */
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
    unsigned char *arena; /* NULL: there is none; set after init() */
    size_t size;          /* bytes mapped */
} region;

/*
 * Plans a lane without an inbox: `depth` and `blocks` as asked for (0: the defaults, 64 and 8), the largest request and reply in bytes.
 * Blocks are made only where a message can exceed a slot, and fewer than asked for where all would take more than
 * REGION_BLOCKS_TOTAL.
 */
region_geometry region_plan(uint32_t depth, uint32_t blocks, uint32_t request_size, uint32_t reply_size);

/*
 * Plans an arena for messages up to these sizes, of which one is above SHMRPC_MESSAGE_MAX: `wanted` bytes (0: as
 * shmrpc_arena_size() says), but room for one call, and at most `most`. In units; 0: a call takes more than `most`.
 */
uint32_t region_plan_arena(uint64_t wanted, uint64_t most, uint32_t request_size, uint32_t answer_size);

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

static inline size_t region_arena_size(const region_geometry *geometry)
{
    return (size_t)geometry->arena_units * SHMRPC_ARENA_UNIT;
}

/* The unit of the arena with this number, bounded by the caller. */
static inline unsigned char *region_unit(const region *memory, uint32_t number)
{
    return memory->arena + (size_t)number * SHMRPC_ARENA_UNIT;
}

/*
 * Where a server writes an answer of so many bytes, more than a slot's: the block that the client has offered, or, where
 * that is BLOCK_ARENA, its part of the arena; both bounded before. NULL: nothing, or too little.
 */
unsigned char *region_reply_room(const region *memory, uint8_t block, uint32_t first, uint32_t count, uint32_t size);

/* Are so many bytes, from this unit on, within the arena? All may be a peer's lie. */
static inline bool region_arena_holds(const region *memory, uint32_t first, uint64_t length)
{
    const uint32_t units = memory->geometry.arena_units;

    return memory->arena != NULL && first <= units && length <= (uint64_t)(units - first) * SHMRPC_ARENA_UNIT;
}

#endif

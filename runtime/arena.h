/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - which parts of a lane's arena are free: the client's private book of it.
 *
 * An arena is memory beside a lane's own, for messages that no block holds. Its owner gives out extents of it, whole
 * units of SHMRPC_ARENA_UNIT bytes, and gets each one back when its call ends; nothing of this book is in shared memory,
 * so nothing that a server writes can change it. There are few extents at a time, none larger than a gap: each is put
 * where the first gap takes it, found by going through those that are out, in the order in which they lie.
 *
 * An extent's number has BLOCK_ARENA as its low byte, which is what stands in a slot's header, and so differs from the
 * numbers of all blocks (block.h).
 */
#ifndef SHMRPC_ARENA_H
#define SHMRPC_ARENA_H

#include "slot.h"

#define ARENA_EXTENTS_MAX 255u

/* In the place of an extent's number: the request is in sealed memory of its own, and takes nothing of the arena. */
#define ARENA_SEALED UINT16_C(0xffff)

typedef struct arena_extent {
    uint32_t first; /* unit */
    uint32_t count; /* units; 0: the number is free */
} arena_extent;

typedef struct arena {
    uint32_t units;
    uint32_t used;                           /* extents that are out */
    arena_extent extents[ARENA_EXTENTS_MAX]; /* by index */
    uint8_t order[ARENA_EXTENTS_MAX];        /* indexes of those that are out, then of the others, */
} arena;                                     /* the former by where they lie */

/* All free. */
void arena_init(arena *self, uint32_t units);

/* An extent of so many units, at least 1. Its number, or BLOCK_NONE: there is no such gap, or no number. */
uint16_t arena_take(arena *self, uint32_t count);

/* It is free again. `number` is one that is out. */
void arena_give(arena *self, uint16_t number);

/* All are free again but those of which is_held, by index, says true. */
void arena_keep(arena *self, const bool *is_held);

static inline unsigned arena_index(uint16_t number)
{
    return number >> 8;
}

/* Is this the number of an extent, and not of a block? */
static inline bool arena_has_number(uint16_t number)
{
    return (number & 0xff) == BLOCK_ARENA;
}

static inline arena_extent arena_find(const arena *self, uint16_t number)
{
    return self->extents[arena_index(number)];
}

#endif

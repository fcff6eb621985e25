/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - the numbers that the compiler and the runtime share.
 */
#ifndef SHMRPC_WIRE_H
#define SHMRPC_WIRE_H

#include <shmrpc/base.h>

#define SHMRPC_SLOT_SIZE 64         /* bytes: one cache line */
#define SHMRPC_SLOT_PAYLOAD 48      /* bytes of a message that travel in the slot itself */
#define SHMRPC_MESSAGE_MAX 65536    /* bytes of a message in a block of a lane; what is larger lies in its arena */
#define SHMRPC_LARGE_MAX 1073741824 /* bytes of a message */

#define SHMRPC_ERROR_MIN 1 /* a service's declared errors */
#define SHMRPC_ERROR_MAX 32767
#define SHMRPC_METHODS_MAX 4096 /* methods of a service */

/*
 * The memory of a lane: a header, the slots of its ring, the slots of its inbox, and blocks, where a message of the
 * service does not fit into a slot. A client makes it, whole pages of it, for each thread that calls; what it does not
 * ask for is as here. `shmc layout` says beforehand what comes out.
 */
#define SHMRPC_LANE_HEADER 768                /* bytes before the slots */
#define SHMRPC_LANE_DEPTH 64                  /* slots of the ring, and as many of the inbox */
#define SHMRPC_LANE_BLOCKS 8                  /* blocks for requests, and as many for answers */
#define SHMRPC_LANE_BLOCKS_TOTAL (256 * 1024) /* bytes of all of them, unless one of each takes more */

/* Bytes of a block for messages of up to `message_size` bytes; 0: slots hold them all. */
static inline uint32_t shmrpc_lane_block_size(uint32_t message_size)
{
    const uint32_t line = SHMRPC_SLOT_SIZE;
    return message_size <= SHMRPC_SLOT_PAYLOAD ? 0 : (message_size + line - 1) / line * line;
}

/* How many blocks there are of each size that is not 0, where `wanted` are asked for; one of them is not 0. */
static inline uint32_t shmrpc_lane_block_count(uint32_t wanted, uint32_t request_block_size, uint32_t reply_block_size)
{
    const uint32_t most = SHMRPC_LANE_BLOCKS_TOTAL / (request_block_size + reply_block_size);
    return wanted <= most ? wanted : most == 0 ? 1 : most;
}

/* Bytes of a lane with that many slots, those of the inbox included, and bytes of blocks; not in whole pages yet. */
static inline uint64_t shmrpc_lane_size(uint64_t slots, uint64_t block_bytes)
{
    return SHMRPC_LANE_HEADER + slots * SHMRPC_SLOT_SIZE + block_bytes;
}

/*
 * A lane of a service that has larger messages has an arena beside its memory: memory of its own, in units, of which
 * each such message of a call takes as many as it can need, from when it begins until it ends.
 */
#define SHMRPC_ARENA_UNIT 4096                               /* bytes */
#define SHMRPC_ARENA_LEAST (1024 * 1024)                     /* bytes of an arena that nobody asks more of */
#define SHMRPC_ARENA_MOST (UINT64_C(4) * 1024 * 1024 * 1024) /* bytes of any */

/* Bytes that a call takes at most whose messages can be so large; SHMRPC_MESSAGE_MAX and less: it may be in a block. */
static inline uint64_t shmrpc_arena_call_size(uint32_t request_size, uint32_t answer_size)
{
    const uint64_t rest = SHMRPC_ARENA_UNIT - 1;
    const uint64_t request_units = (request_size + rest) / SHMRPC_ARENA_UNIT;
    const uint64_t answer_units = (answer_size + rest) / SHMRPC_ARENA_UNIT;
    return ((request_units == 0 ? 1 : request_units) + (answer_units == 0 ? 1 : answer_units)) * SHMRPC_ARENA_UNIT;
}

/* Bytes of an arena where nobody asks for another size: two such calls. */
static inline uint64_t shmrpc_arena_size(uint32_t request_size, uint32_t answer_size)
{
    const uint64_t two = 2 * shmrpc_arena_call_size(request_size, answer_size);
    return two < SHMRPC_ARENA_LEAST ? SHMRPC_ARENA_LEAST : two < SHMRPC_ARENA_MOST ? two : SHMRPC_ARENA_MOST;
}

/*
 * A fingerprint is FNV-1a, 64 bits (Fowler, Noll, Vo), of a canonical text of a layout. It tells accidents, not
 * attacks, apart.
 */
#define SHMRPC_FINGERPRINT_SEED UINT64_C(0xcbf29ce484222325)
#define SHMRPC_FINGERPRINT_PRIME UINT64_C(0x00000100000001b3)

#endif

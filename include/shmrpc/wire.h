/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - the numbers that the compiler and the runtime share.
 */
#ifndef SHMRPC_WIRE_H
#define SHMRPC_WIRE_H

#include <shmrpc/base.h>

#define SHMRPC_SLOT_SIZE 64      /* bytes: one cache line */
#define SHMRPC_SLOT_PAYLOAD 48   /* bytes of a message that travel in the slot itself */
#define SHMRPC_MESSAGE_MAX 65536 /* bytes of a message; beyond is for arenas */

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
 * A fingerprint is FNV-1a, 64 bits (Fowler, Noll, Vo), of a canonical text of a layout. It tells accidents, not
 * attacks, apart.
 */
#define SHMRPC_FINGERPRINT_SEED UINT64_C(0xcbf29ce484222325)
#define SHMRPC_FINGERPRINT_PRIME UINT64_C(0x00000100000001b3)

#endif

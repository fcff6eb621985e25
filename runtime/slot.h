/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - the shared format: what lies in the memory of a lane, and what its words mean.
 *
 *   offset    written by                          what
 *   0         client (server clears)   u32  wish  the position that a sleeping client awaits
 *   128       server                   u64  started, u32 closed
 *   256       client and server        depth slots of 64 bytes
 *   ...       client                   request blocks
 *   ...       server                   reply blocks
 *
 *   a slot    offset
 *             0   u32  word            lap << 4 | CANCEL | WISH | state; published last
 *             4   u16  method          in a request; in a reply the status, as int16
 *             6   u8   request block   1 + its index, 0: the payload is in the slot
 *             7   u8   reply block     the same: offered in the request, used in the reply
 *             8   u32  length          bytes of payload
 *             12  u32  budget          microseconds that the caller has; BUDGET_NONE; advisory
 *             16  u8   payload[48]
 *
 * Positions. Calls are numbered 1, 2, 3, ... by the client; a number is a call's position and its correlation id.
 * Position p lies in slot p mod depth, in lap p / depth. Both sides count for themselves: no index is shared, so that
 * at depth one a call moves one line there and back.
 *
 * Who may write a slot. The word of position p goes
 *
 *   state of the word      the slot belongs to   may become
 *   REPLY, lap - 1         the client            REPLY, lap - 1 with WISH   (server, compare-and-swap: about to sleep)
 *                                                REQUEST, lap               (client, exchange: sees the wish)
 *   REQUEST, lap           the server            REQUEST, lap with CANCEL   (client, compare-and-swap: gave up)
 *                                                REPLY, lap                 (server, store)
 *
 * in this order and no other; words become REPLY in the order of positions. A reader masks WISH and CANCEL and
 * compares; a word that is neither what was nor what is to come means that the peer broke the protocol. A fresh
 * memory's words are REPLY of the lap before the first.
 *
 * A crash at any point leaves at most one slot half written whose word says that it is still the writer's; nobody reads
 * it.
 */
#ifndef SHMRPC_SLOT_H
#define SHMRPC_SLOT_H

#include <shmrpc/wire.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_REQUEST UINT32_C(1)
#define WORD_REPLY UINT32_C(2)
#define WORD_WISH UINT32_C(4)
#define WORD_CANCEL UINT32_C(8)
#define WORD_MARKS (WORD_WISH | WORD_CANCEL)
#define WORD_LAP_SHIFT 4

#define BUDGET_NONE UINT32_MAX
#define BLOCK_NONE UINT8_C(0)
#define BLOCKS_MAX 255u
#define DEPTH_MIN 2u
#define DEPTH_MAX 65536u

typedef struct slot {
    _Alignas(SHMRPC_SLOT_SIZE) _Atomic uint32_t word;
    uint16_t method;
    uint8_t request_block;
    uint8_t reply_block;
    uint32_t length;
    uint32_t budget_us;
    uint8_t payload[SHMRPC_SLOT_PAYLOAD];
} slot;

typedef struct lane_header {
    _Alignas(128) _Atomic uint32_t wish;
    _Alignas(128) _Atomic uint64_t started;
    _Atomic uint32_t closed;
} lane_header;

_Static_assert(sizeof(slot) == SHMRPC_SLOT_SIZE, "a slot is a cache line");
_Static_assert(offsetof(slot, method) == 4 && offsetof(slot, request_block) == 6 && offsetof(slot, reply_block) == 7,
               "shared format");
_Static_assert(offsetof(slot, length) == 8 && offsetof(slot, budget_us) == 12 && offsetof(slot, payload) == 16,
               "shared format");
_Static_assert(sizeof(lane_header) == 256 && offsetof(lane_header, started) == 128 &&
                   offsetof(lane_header, closed) == 136,
               "shared format");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "words are shared between processes");

/* The word of a position in a ring of 1 << shift slots. Laps wrap after 2^28. */
static inline uint32_t word_of(uint64_t position, unsigned shift, uint32_t state)
{
    return (uint32_t)(position >> shift) << WORD_LAP_SHIFT | state;
}

static inline uint32_t word_request(uint64_t position, unsigned shift)
{
    return word_of(position, shift, WORD_REQUEST);
}

static inline uint32_t word_reply(uint64_t position, unsigned shift)
{
    return word_of(position, shift, WORD_REPLY);
}

/* What stood in the slot before this position: the reply of one lap earlier. */
static inline uint32_t word_before(uint64_t position, unsigned shift)
{
    return word_of(position - (UINT64_C(1) << shift), shift, WORD_REPLY);
}

/*
 * The client's wish: bit 0 says that there is one, the other bits are the low 31 bits of the position that it awaits.
 * Positions that are compared lie within one ring of each other, so the order survives the wrap.
 */
#define WISH_NONE UINT32_C(0)

static inline uint32_t wish_of(uint64_t position)
{
    return (uint32_t)(position << 1) | 1u;
}

/* Is the wish fulfilled once `position` has its reply? */
static inline int wish_reached(uint32_t wish, uint64_t position)
{
    return wish != WISH_NONE && (int32_t)((uint32_t)(position << 1) - (wish & ~1u)) >= 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - the shared format: what lies in the memory of a lane, and what its words mean.
 *
 *   offset    written by                          what
 *   0         client (server clears)   u32  wish         what a sleeping client awaits
 *   128       server                   u64  started, u32 closed
 *   256       client                   u64  inbox_read   entries of the inbox that it has read
 *   384       server                   u32  inbox_wanted it waits for room in the inbox
 *   512       client and server        sem_t client_bell, and at 640 server_bell: for clients without futexes only
 *   768       client and server        depth slots of 64 bytes
 *   ...       server                   inbox_depth entries of 64 bytes
 *   ...       client                   request blocks
 *   ...       server                   reply blocks
 *
 *   a slot    offset
 *             0   u32  word            lap << 4 | CANCEL | WISH | state; published last
 *             4   u16  method          in a request, its top bit as in envelope.h; in a reply the status, as int16; unused in
 *                                      MOVED
 *             6   u8   request block   1 + its index, 0: the payload is in the slot, 255: it is in the arena
 *             7   u8   reply block     the same: offered in the request, used in the reply
 *             8   u32  length          bytes of payload
 *             12  u32  budget          microseconds that the caller has; BUDGET_NONE; advisory. In MOVED: the ticket
 *             16  u8   payload[48]
 *
 * The arena is memory of its own beside that of the lane, where the service has messages that are larger than a block
 * may be. A request of which a block is 255 says in the first bytes of the slot's payload where in the arena; a payload
 * in the slot then comes behind them:
 *
 *             16  u32  request         the unit of the arena where it begins; 0 where it is not there
 *             20  u32  reply           likewise, of the room for the answer, of which there are
 *             24  u32  reply count     so many units
 *             28  u32  0
 *             32  u8   payload[32]
 *
 * Positions. Calls are numbered 1, 2, 3, ... by the client; a number is a call's position and its correlation id.
 * Position p lies in slot p mod depth, in lap p / depth. Both sides count for themselves: no index is shared, so that
 * at depth one a call moves one line there and back.
 *
 * Who may write a slot. The word of position p goes
 *
 *   state of the word      the slot belongs to   may become
 *   terminal, lap - 1      the client            the same with WISH         (server, compare-and-swap: about to sleep)
 *                                                REQUEST, lap               (client, exchange: sees the wish)
 *   REQUEST, lap           the server            REQUEST, lap with CANCEL   (client, compare-and-swap: gave up)
 *                                                REPLY or MOVED, lap        (server, store): terminal
 *
 * in this order and no other; words become terminal in the order of positions. A reader masks WISH and CANCEL and
 * compares; a word that is neither what was nor what is to come means that the peer broke the protocol. A fresh
 * memory's words are REPLY of the lap before the first.
 *
 * The inbox carries what is not a reply in place, from the server to the client. Its entries are slots that only the
 * server writes, counted 1, 2, 3, ... in the same manner: the word of entry e becomes REPLY of its lap, in order. An
 * entry that the client has not counted in inbox_read is not written again.
 *
 *   an entry  offset
 *             0   u32  word            lap << 4 | REPLY; published last
 *             4   u16  status          as int16
 *             6   u8   kind            INBOX_REPLY
 *             7   u8   reply block     as in a reply
 *             8   u32  length
 *             12  u32  ticket
 *             16  u8   payload[48]
 *
 * A call whose handler answers later becomes MOVED with a ticket, 0 .. inbox_depth - 1, that no other call of the lane
 * has until the client has read the entry with that ticket. So there are never more answers to come than entries.
 *
 * A crash at any point leaves at most one slot half written whose word says that it is still the writer's; nobody reads
 * it.
 */
#ifndef SHMRPC_SLOT_H
#define SHMRPC_SLOT_H

#include <shmrpc/wire.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_REQUEST UINT32_C(1)
#define WORD_REPLY UINT32_C(2)
#define WORD_MOVED UINT32_C(3)
#define WORD_WISH UINT32_C(4)
#define WORD_CANCEL UINT32_C(8)
#define WORD_MARKS (WORD_WISH | WORD_CANCEL)
#define WORD_LAP_SHIFT 4

#define BUDGET_NONE UINT32_MAX
#define BLOCK_NONE UINT8_C(0)
#define BLOCKS_MAX 254u
#define BLOCK_ARENA UINT8_C(255)
#define DEPTH_MIN 2u
#define DEPTH_MAX 65536u /* of the ring and of the inbox */
#define INBOX_REPLY 1u

typedef struct slot {
    _Alignas(SHMRPC_SLOT_SIZE) _Atomic uint32_t word;
    uint16_t method;
    uint8_t request_block;
    uint8_t reply_block;
    uint32_t length;
    uint32_t budget_us;
    uint8_t payload[SHMRPC_SLOT_PAYLOAD];
} slot;

/* Where a call's messages are in the arena, in units; at the beginning of the slot's payload. */
typedef struct slot_extents {
    uint32_t request;
    uint32_t reply;
    uint32_t reply_count;
    uint32_t zero;
} slot_extents;

/* In the place of `request`: it is in sealed memory of its own (sealed_box.h). */
#define EXTENT_SEALED UINT32_MAX
#define SEALED_MAX 4u /* such requests of a lane, sent and not answered */

/* Bytes of a payload that travel in a slot with these. */
#define SLOT_PAYLOAD_BEHIND ((uint32_t)(SHMRPC_SLOT_PAYLOAD - sizeof(slot_extents)))

typedef struct lane_header {
    _Alignas(128) _Atomic uint32_t wish;
    _Alignas(128) _Atomic uint64_t started;
    _Atomic uint32_t closed;
    _Alignas(128) _Atomic uint64_t inbox_read;
    _Alignas(128) _Atomic uint32_t inbox_wanted;
    _Alignas(128) sem_t client_bell;
    _Alignas(128) sem_t server_bell;
} lane_header;

_Static_assert(sizeof(slot) == SHMRPC_SLOT_SIZE, "a slot is a cache line");
_Static_assert(offsetof(slot, method) == 4 && offsetof(slot, request_block) == 6 && offsetof(slot, reply_block) == 7,
               "shared format");
_Static_assert(offsetof(slot, length) == 8 && offsetof(slot, budget_us) == 12 && offsetof(slot, payload) == 16,
               "shared format");
_Static_assert(sizeof(slot_extents) == 16, "shared format");
_Static_assert(sizeof(lane_header) == SHMRPC_LANE_HEADER && offsetof(lane_header, client_bell) == 512 &&
                   offsetof(lane_header, server_bell) == 640 && offsetof(lane_header, started) == 128 &&
                   offsetof(lane_header, closed) == 136 && offsetof(lane_header, inbox_read) == 256 &&
                   offsetof(lane_header, inbox_wanted) == 384,
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

/* Is this, whatever its marks, the last word that the position's slot can have: REPLY or MOVED? */
static inline bool word_is_terminal(uint32_t word, uint64_t position, unsigned shift)
{
    return ((word & ~WORD_MARKS) | (WORD_REPLY ^ WORD_MOVED)) == word_of(position, shift, WORD_MOVED);
}

/* What stood in a slot that has not been used yet: the reply of one lap earlier. */
static inline uint32_t word_before(uint64_t position, unsigned shift)
{
    return ((uint32_t)(position >> shift) - 1) << WORD_LAP_SHIFT | WORD_REPLY;
}

/* The same, from the request of the lap. */
static inline uint32_t word_before_request(uint32_t request)
{
    return request - (1u << WORD_LAP_SHIFT) - WORD_REQUEST + WORD_REPLY;
}

/* Is this the terminal word of one lap earlier: the slot is free for this position? */
static inline bool word_is_free(uint32_t word, uint64_t position, unsigned shift)
{
    return word_is_terminal(word, position - (UINT64_C(1) << shift), shift);
}

/*
 * The client's wish: what to be woken for, how, and the low 29 bits of the position that it awaits. Positions that are
 * compared lie within one ring of each other, so the order survives the wrap.
 */
#define WISH_NONE UINT32_C(0)
#define WISH_CALL UINT32_C(1)  /* for the terminal word of the position, or a later one */
#define WISH_INBOX UINT32_C(2) /* for an entry of the inbox */
#define WISH_POKE UINT32_C(4)  /* by a byte on the socket in place of the futex */
#define WISH_POSITION_SHIFT 3

static inline uint32_t wish_of(uint64_t position, uint32_t how)
{
    return (uint32_t)(position << WISH_POSITION_SHIFT) | how;
}

/* Is a wish for a call fulfilled once `position` has its terminal word? */
static inline bool wish_reached(uint32_t wish, uint64_t position)
{
    const uint32_t awaited = wish >> WISH_POSITION_SHIFT << WISH_POSITION_SHIFT;

    return (wish & WISH_CALL) != 0 && (int32_t)((uint32_t)(position << WISH_POSITION_SHIFT) - awaited) >= 0;
}

#endif

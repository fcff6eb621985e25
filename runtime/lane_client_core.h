/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_core.h - what the parts of the calling end have in common: calls (lane_client.c), room
 * (lane_client_room.c), waiting (lane_client_wait.c), answers (lane_client_answers.c).
 */
#ifndef SHMRPC_LANE_CLIENT_CORE_H
#define SHMRPC_LANE_CLIENT_CORE_H

#include "lane_client.h"
#include "platform/event.h"

static inline uint32_t word_at(const lane_client *lane, uint64_t position)
{
    return shared_load_word(region_slot(&lane->memory, position)) & ~WORD_MARKS;
}

static inline bool is_terminal(const lane_client *lane, uint64_t position)
{
    return word_is_terminal(word_at(lane, position), position, lane->memory.shift);
}

/* Are there published calls whose slots have not been seen terminal? Then the first one; else 0. */
static inline uint64_t first_unseen(const lane_client *lane)
{
    uint64_t first = lane->seen > lane->reaped ? lane->seen : lane->reaped;

    return first < lane->next - lane->unsent ? first : 0;
}

/* Is the next entry of the inbox there, or something that is none? */
static inline bool has_entry(const lane_client *lane)
{
    return lane->moved_count != 0 && shared_load_word(region_entry(&lane->memory, lane->inbox_next)) !=
                                         word_before(lane->inbox_next, lane->memory.inbox_shift);
}

static inline void ring_server(const lane_client *lane)
{
    if (lane->memory.semaphores) {
        shared_post_server_bell(lane->memory.header);
    } else {
        (void)event_ring(lane->bell);
    }
}

/* ---- lane_client_wait.c ---- */

/*
 * Waits, until a point in time, for the word of this position (0: none) to be terminal, or for an entry of the inbox.
 * After a first spin, which reads no clock. 0; else as lane_client_wait().
 */
int lane_client_wait_for(lane_client *lane, uint64_t position, int64_t until_ns);

/* ---- lane_client_room.c ---- */

/*
 * A call that has its slot and what it holds: finds where its payload goes, and says in the slot where in the arena its
 * messages are.
 */
void lane_client_place(const lane_client *lane, lane_call *call);

/*
 * Takes a block or an extent for a request of so many bytes, more than a slot's, that has no slot yet. Never waits. 0;
 * AGAIN: there is none now; TOO_LARGE.
 */
int lane_client_take_request(lane_client *lane, uint32_t size, uint16_t *ret_number);

/* Where a block, or an extent, for a request or an answer is, and bytes of it. */
unsigned char *lane_client_request_room(const lane_client *lane, uint16_t number, uint32_t *ret_size);
unsigned char *lane_client_reply_room(const lane_client *lane, uint16_t number, uint32_t *ret_size);

/* ---- lane_client_inbox.c ---- */

/* The call in this slot, which says MOVED, has a ticket from here on. 0, PROTOCOL. */
int lane_client_move(lane_client *lane, uint64_t position);

/* Takes all entries that are there. 0, PROTOCOL. */
int lane_client_take_entries(lane_client *lane);

/* ---- lane_client_answers.c ---- */

/* Puts it into the queue, where it wants a turn: its answer is there. */
void lane_client_queue(lane_client *lane, lane_waiter *waiter);

/* The answer has been bounded: what it does not need comes back, the rest goes into the waiter. */
void lane_client_keep_answer(lane_client *lane, lane_waiter *waiter, const lane_reply *reply);

/*
 * Moves an answer that is there from its slot into the waiter, so that the slot can be used again. What is in a block
 * stays there; blocks that the answer does not need come back. 0, PROTOCOL.
 */
int lane_client_stow(lane_client *lane, lane_waiter *waiter);

#endif

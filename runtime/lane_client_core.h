/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_core.h - what the parts of the calling end have in common: room (lane_client.c), waiting
 * (lane_client_wait.c), answers (lane_client_answers.c).
 */
#ifndef SHMRPC_LANE_CLIENT_CORE_H
#define SHMRPC_LANE_CLIENT_CORE_H

#include "lane_client.h"
#include "platform/event.h"

static inline lane_hold *hold_of(const lane_client *lane, uint64_t position)
{
    return &lane->holds[position & (lane->memory.geometry.depth - 1)];
}

static inline lane_waiter **waiter_of(const lane_client *lane, uint64_t position)
{
    return &lane->waiters[position & (lane->memory.geometry.depth - 1)];
}

static inline bool is_terminal(const lane_client *lane, uint64_t position)
{
    uint32_t word = shared_load_word(region_slot(&lane->memory, position));

    return (word & ~WORD_MARKS) == word_reply(position, lane->memory.shift);
}

/* The published position's word is neither the request that was sent nor its reply. */
static inline bool is_broken(const lane_client *lane, uint64_t position)
{
    uint32_t word = shared_load_word(region_slot(&lane->memory, position)) & ~WORD_MARKS;

    return word != word_reply(position, lane->memory.shift) && word != word_request(position, lane->memory.shift);
}

static inline void give_blocks(lane_client *lane, lane_hold *hold)
{
    block_list_give(&lane->request_blocks, hold->request_block);
    block_list_give(&lane->reply_blocks, hold->reply_block);
    *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
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

/* Waits for a word that is terminal until a point in time, after a first spin that reads no clock. As lane_client_wait(). */
int lane_client_wait_for(lane_client *lane, uint64_t position, int64_t until_ns);

/* ---- lane_client_answers.c ---- */

/*
 * Moves an answer that is there from its slot into the waiter, so that the slot can be used again. What is in a block
 * stays there; blocks that the answer does not need come back. 0, PROTOCOL.
 */
int lane_client_stow(lane_client *lane, lane_waiter *waiter);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_client.h"

#include "error.h"
#include "lane_client_core.h"
#include "platform/clock.h"

#include <errno.h>
#include <stdlib.h>

int lane_client_init(lane_client *lane, const region *memory, spin spins, int bell, lane_peer *peer)
{
    lane_hold *holds = calloc(memory->geometry.depth, sizeof(*holds));
    lane_waiter **waiters = calloc(memory->geometry.depth, sizeof(*waiters));
    uint32_t inbox_depth = memory->geometry.inbox_depth;
    lane_moved *moved = inbox_depth == 0 ? NULL : calloc(inbox_depth, sizeof(*moved));

    if (holds == NULL || waiters == NULL || (moved == NULL && inbox_depth != 0)) {
        free(holds);
        free(waiters);
        free(moved);
        return -ENOMEM;
    }
    lane->memory = *memory;
    lane->next = 1;
    lane->reaped = 1;
    lane->seen = 1;
    lane->unsent = 0;
    lane->in_batch = false;
    lane->armed = 0;
    lane->spin = spins;
    lane->bell = bell;
    lane->peer = peer;
    lane->holds = holds;
    lane->waiters = waiters;
    lane->ready = NULL;
    lane->ready_end = &lane->ready;
    lane->moved = moved;
    lane->moved_count = 0;
    lane->moved_blocks = 0;
    lane->inbox_next = 1;
    lane->spare = (lane_waiter){0};
    block_list_init(&lane->request_blocks, memory->geometry.request_block_count);
    block_list_init(&lane->reply_blocks, memory->geometry.reply_block_count);
    return 0;
}

void lane_client_deinit(lane_client *lane)
{
    free(lane->holds);
    free(lane->waiters);
    free(lane->moved);
    lane->holds = NULL;
    lane->waiters = NULL;
    lane->moved = NULL;
}

/* The position has been found to be answered in its slot. */
static void settle(lane_client *lane, uint64_t position)
{
    lane_waiter *waiter = *waiter_of(lane, position);

    if (waiter == NULL) {
        give_blocks(lane, lane_client_hold(lane, position));
    } else {
        lane_client_queue(lane, waiter);
    }
}

int lane_client_reap(lane_client *lane)
{
    uint64_t sent = lane->next - lane->unsent;
    int rc = 0;

    if (lane->seen < lane->reaped) {
        lane->seen = lane->reaped;
    }
    while (rc == 0 && lane->seen < sent) {
        uint32_t word = word_at(lane, lane->seen);

        if (word == word_reply(lane->seen, lane->memory.shift)) {
            settle(lane, lane->seen);
        } else if (word == word_of(lane->seen, lane->memory.shift, WORD_MOVED)) {
            rc = lane_client_move(lane, lane->seen);
        } else {
            break;
        }
        lane->seen += rc == 0;
    }
    while (lane->reaped < lane->seen && *waiter_of(lane, lane->reaped) == NULL) {
        lane->reaped++;
    }
    return rc;
}

/* ---- a call ---- */

/* Room for a call: a slot, and a block for each payload that can exceed it. */
static bool take_room(lane_client *lane, bool request_block, bool reply_block, lane_hold *ret_hold)
{
    if (lane->next - lane->reaped == lane->memory.geometry.depth ||
        (request_block && lane->request_blocks.count == 0) || (reply_block && lane->reply_blocks.count == 0)) {
        return false;
    }
    ret_hold->request_block = request_block ? block_list_take(&lane->request_blocks) : BLOCK_NONE;
    ret_hold->reply_block = reply_block ? block_list_take(&lane->reply_blocks) : BLOCK_NONE;
    return true;
}

/* Will any call that is not answered yet give a block of a kind back that there is none of? */
static bool blocks_will_come(const lane_client *lane, bool request_block, bool reply_block)
{
    uint64_t position;

    if (reply_block && lane->moved_blocks != 0) {
        return true;
    }
    for (position = lane->seen; position < lane->next; position++) {
        const lane_hold *hold = lane_client_hold(lane, position);

        if ((request_block && hold->request_block != BLOCK_NONE) || (reply_block && hold->reply_block != BLOCK_NONE)) {
            return true;
        }
    }
    return false;
}

/* Makes room of what is answered. 1: there is; 0: there is none yet; AGAIN, PROTOCOL. */
static int make_room(lane_client *lane, bool request_block, bool reply_block, lane_hold *ret_hold)
{
    for (;;) {
        int rc = lane_client_reap(lane);

        if (rc == 0) {
            rc = lane_client_take_entries(lane);
        }
        if (rc != 0) {
            return rc;
        }
        if (take_room(lane, request_block, reply_block, ret_hold)) {
            return 1;
        }
        if (lane->reaped == lane->seen) {
            break;
        }
        /* The oldest is answered, and its waiter has not read it. */
        rc = lane_client_stow(lane, *waiter_of(lane, lane->reaped));

        if (rc != 0) {
            return rc;
        }
    }
    request_block = request_block && lane->request_blocks.count == 0;
    reply_block = reply_block && lane->reply_blocks.count == 0;
    if ((request_block || reply_block) && !blocks_will_come(lane, request_block, reply_block)) {
        return error_set(SHMRPC_E_AGAIN, "all blocks hold answers that have not been read");
    }
    return 0;
}

static int wait_for_room(lane_client *lane, bool request_block, bool reply_block, int64_t *timeout_ns,
                         lane_hold *ret_hold)
{
    int rc = make_room(lane, request_block, reply_block, ret_hold);
    int64_t until_ns;

    if (rc > 0) {
        return 0;
    }
    if (lane_client_flush(lane) != 0) {
        return SHMRPC_E_PROTOCOL;
    }
    if (rc < 0) {
        return rc;
    }
    until_ns = clock_after_ns(*timeout_ns);
    for (;;) {
        rc = lane_client_wait_for(lane, first_unseen(lane), until_ns);
        if (rc != 0) {
            return rc;
        }
        *timeout_ns = clock_left_ns(until_ns);
        if (*timeout_ns == 0) {
            return error_set(SHMRPC_E_TIMEOUT, "no room before the deadline");
        }
        rc = make_room(lane, request_block, reply_block, ret_hold);
        if (rc != 0) {
            return rc > 0 ? 0 : rc;
        }
    }
}

int lane_client_begin_otherwise(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                                lane_call *ret_call)
{
    const region_geometry *geometry = &lane->memory.geometry;
    bool request_block = request_size > SHMRPC_SLOT_PAYLOAD;
    bool reply_block = reply_size > SHMRPC_SLOT_PAYLOAD;
    lane_hold hold;

    if ((request_block && request_size > geometry->request_block_size) ||
        (reply_block && reply_size > geometry->reply_block_size)) {
        return error_set(SHMRPC_E_TOO_LARGE, "the connection has blocks of %u and %u bytes, the call needs %u and %u",
                         geometry->request_block_size, geometry->reply_block_size, request_size, reply_size);
    }
    if (!take_room(lane, request_block, reply_block, &hold)) {
        int rc = wait_for_room(lane, request_block, reply_block, timeout_ns, &hold);

        if (rc != 0) {
            return rc;
        }
    }
    ret_call->position = lane->next;
    ret_call->at = region_slot(&lane->memory, lane->next);
    ret_call->hold = hold;
    ret_call->request = request_block ? region_request_block(&lane->memory, hold.request_block) : ret_call->at->payload;
    return 0;
}

static int slot_was_changed(void)
{
    return error_set(SHMRPC_E_PROTOCOL, "the server wrote to a slot that was not its own");
}

int lane_client_publish_over(lane_client *lane, uint64_t position, uint32_t found)
{
    if ((found & WORD_WISH) != 0) {
        ring_server(lane);
    }
    return word_is_free(found, position, lane->memory.shift) ? 0 : slot_was_changed();
}

/* What stood in the slot of a batch: no wish can be, for the server expects the batch's first one. */
static int check_free(const lane_client *lane, uint64_t position)
{
    if (!word_is_free(shared_load_word(region_slot(&lane->memory, position)), position, lane->memory.shift)) {
        return slot_was_changed();
    }
    return 0;
}

int lane_client_flush(lane_client *lane)
{
    uint64_t first = lane->next - lane->unsent;
    uint64_t position;

    if (lane->unsent == 0) {
        return 0;
    }
    lane->unsent = 0;
    for (position = lane->next - 1; position > first; position--) {
        int rc = check_free(lane, position);

        if (rc != 0) {
            return rc;
        }
        shared_publish_behind(region_slot(&lane->memory, position), word_request(position, lane->memory.shift));
    }
    return lane_client_publish_over(lane, first,
                                    shared_publish_request(region_slot(&lane->memory, first),
                                                           word_request(first, lane->memory.shift)));
}

int lane_client_close_batch(lane_client *lane)
{
    lane->in_batch = false;
    return lane_client_flush(lane);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_inbox.c - answers that come by the inbox.
 *
 * The server says MOVED in a call's slot before it writes the entry with that ticket, so whoever sees an entry sees the
 * slot. An entry whose ticket nobody has, and a ticket that somebody has already, are lies; so there are never more
 * entries to take than calls that have been moved.
 */
#include "error.h"
#include "lane_client_core.h"

/* Of what answers that are to come have: one more (1) or one less (UINT32_MAX). */
static void count_moved(lane_client *lane, uint16_t reply_block, uint32_t difference)
{
    if (arena_has_number(reply_block)) {
        lane->moved_extents += difference;
    } else if (reply_block != BLOCK_NONE) {
        lane->moved_blocks += difference;
    }
}

int lane_client_move(lane_client *lane, uint64_t position)
{
    uint32_t ticket = shared_load_header(region_slot(&lane->memory, position)).budget_us;
    lane_hold *hold = lane_client_hold(lane, position);
    lane_waiter **waiter = lane_client_waiter(lane, position);

    if (ticket >= lane->memory.geometry.inbox_depth || lane->moved[ticket].is_out) {
        return error_set(SHMRPC_E_PROTOCOL, "the server puts a call off with ticket %u of %u", ticket,
                         lane->memory.geometry.inbox_depth);
    }
    lane->moved[ticket] = (lane_moved){*waiter, position, true, hold->reply_block};
    lane->moved_count++;
    count_moved(lane, hold->reply_block, 1);
    /* Its handler has it in private memory. */
    lane_client_give(lane, &lane->request_blocks, hold->request_block);
    *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
    if (*waiter != NULL) {
        (*waiter)->state = WAITER_MOVED;
        (*waiter)->ticket = (uint16_t)ticket;
        (*waiter)->hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
        *waiter = NULL;
    }
    return 0;
}

/* Whose answer is it? NULL: nobody's. */
static lane_moved *find(lane_client *lane, uint32_t ticket)
{
    return ticket < lane->memory.geometry.inbox_depth && lane->moved[ticket].is_out ? &lane->moved[ticket] : NULL;
}

static int take_entry(lane_client *lane, const slot *at)
{
    slot_header header = shared_load_header(at);
    lane_moved *moved = find(lane, header.budget_us);
    lane_reply reply;
    int rc;

    if (moved == NULL) {
        /* Perhaps the slot that says so has not been looked at yet. */
        rc = lane_client_reap(lane);
        if (rc != 0) {
            return rc;
        }
        moved = find(lane, header.budget_us);
    }
    if (moved == NULL || header.request_block != INBOX_REPLY) {
        return error_set(SHMRPC_E_PROTOCOL, "an entry of the inbox has kind %u and ticket %u", header.request_block,
                         header.budget_us);
    }
    rc = lane_client_bound(lane, at, header, moved->reply_block, &reply);
    if (rc != 0) {
        return rc;
    }
    if (moved->waiter == NULL) {
        lane_client_give(lane, &lane->reply_blocks, moved->reply_block);
    } else {
        moved->waiter->hold.reply_block = moved->reply_block;
        lane_client_keep_answer(lane, moved->waiter, &reply);
        lane_client_queue(lane, moved->waiter);
    }
    lane->moved_count--;
    count_moved(lane, moved->reply_block, UINT32_MAX);
    *moved = (lane_moved){0};
    return 0;
}

int lane_client_take_entries(lane_client *lane)
{
    uint64_t first = lane->inbox_next;
    int rc = 0;

    while (rc == 0 && has_entry(lane)) {
        const slot *at = region_entry(&lane->memory, lane->inbox_next);

        if (shared_load_word(at) != word_reply(lane->inbox_next, lane->memory.inbox_shift)) {
            return error_set(SHMRPC_E_PROTOCOL, "the word of an entry of the inbox is neither old nor new");
        }
        rc = take_entry(lane, at);
        lane->inbox_next += rc == 0;
    }
    if (lane->inbox_next != first && shared_set_inbox_read(lane->memory.header, lane->inbox_next - 1)) {
        ring_server(lane);
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_answers.c - the calling end of a lane reads answers: at once, or later (waiters); or wants none any more.
 */
#include "error.h"
#include "lane_client_core.h"

int lane_client_bound_otherwise(const lane_client *lane, slot_header header, uint16_t reply_block,
                                lane_reply *ret_reply)
{
    const unsigned char *payload;
    uint32_t size;

    if (header.reply_block == BLOCK_NONE) {
        return error_set(SHMRPC_E_PROTOCOL, "the server says that a slot holds %u bytes", header.length);
    }
    payload = header.reply_block == (uint8_t)reply_block ? lane_client_reply_room(lane, reply_block, &size) : NULL;
    if (payload == NULL || header.length > size) {
        return error_set(SHMRPC_E_PROTOCOL, "the server says that its reply is in block %u with %u bytes",
                         header.reply_block, header.length);
    }
    *ret_reply = (lane_reply){(int16_t)header.method, header.length, payload, true};
    return 0;
}

void lane_client_keep_answer(lane_client *lane, lane_waiter *waiter, const lane_reply *reply)
{
    waiter->status = (int16_t)reply->status;
    waiter->length = reply->length;
    waiter->state = WAITER_STOWED;
    lane_client_give(lane, &lane->request_blocks, waiter->hold.request_block);
    waiter->hold.request_block = BLOCK_NONE;
    if (!reply->is_in_block) {
        shared_copy_out(waiter->payload, reply->payload, reply->length);
        lane_client_give(lane, &lane->reply_blocks, waiter->hold.reply_block);
        waiter->hold.reply_block = BLOCK_NONE;
    }
}

int lane_client_stow(lane_client *lane, lane_waiter *waiter)
{
    lane_reply reply;
    int rc = lane_client_answer_in_slot(lane, waiter, &reply);

    if (rc == 0) {
        lane_client_keep_answer(lane, waiter, &reply);
        *lane_client_hold(lane, waiter->position) = (lane_hold){BLOCK_NONE, BLOCK_NONE};
        *lane_client_waiter(lane, waiter->position) = NULL;
    }
    return rc;
}

static int cancel(const lane_client *lane, uint64_t position)
{
    uint32_t found;

    if (shared_mark_word(region_slot(&lane->memory, position), word_request(position, lane->memory.shift), WORD_CANCEL,
                         &found)) {
        return 0;
    }
    return (found & ~WORD_MARKS) == word_reply(position, lane->memory.shift);
}

int lane_client_cancel(lane_client *lane, const lane_call *call)
{
    return cancel(lane, call->position);
}

/* ---- answers that are read later ---- */

/* Takes what has come. */
static int collect(lane_client *lane)
{
    int rc = lane_client_reap(lane);

    return rc != 0 ? rc : lane_client_take_entries(lane);
}

/* As far as has been seen. */
static bool is_here(const lane_client *lane, const lane_waiter *waiter)
{
    return waiter->state == WAITER_STOWED || lane_client_is_in_slot(lane, waiter);
}

int lane_client_is_answered(lane_client *lane, const lane_waiter *waiter)
{
    int rc;

    if (is_here(lane, waiter)) {
        return 1;
    }
    rc = collect(lane);
    return rc != 0 ? rc : is_here(lane, waiter);
}

int lane_client_await(lane_client *lane, const lane_waiter *waiter)
{
    int rc = lane_client_flush(lane);

    while (rc == 0) {
        bool was_terminal = waiter->state == WAITER_SENT && is_terminal(lane, waiter->position);

        rc = lane_client_is_answered(lane, waiter);
        if (rc != 0) {
            return rc > 0 ? 0 : rc;
        }
        if (was_terminal && waiter->state == WAITER_SENT) {
            return error_set(SHMRPC_E_PROTOCOL, "the server has put a call off before it came to an earlier one");
        }
        rc = lane_client_wait_for(lane, waiter->state == WAITER_SENT ? waiter->position : 0, waiter->until_ns);
    }
    return rc;
}

int lane_client_withdraw(lane_client *lane, const lane_waiter *waiter)
{
    int rc = lane_client_flush(lane);

    if (rc != 0) {
        return rc;
    }
    switch ((waiter_state)waiter->state) {
    case WAITER_SENT: return cancel(lane, waiter->position);
    case WAITER_MOVED: return 0;
    case WAITER_STOWED: break;
    }
    return 1;
}

int lane_client_answer(const lane_client *lane, const lane_waiter *waiter, lane_reply *ret_reply)
{
    lane_reply reply = {waiter->status, waiter->length, waiter->payload, waiter->hold.reply_block != BLOCK_NONE};
    uint32_t size;

    if (waiter->state == WAITER_SENT) {
        return lane_client_answer_in_slot(lane, waiter, ret_reply);
    }
    if (reply.is_in_block) {
        reply.payload = lane_client_reply_room(lane, waiter->hold.reply_block, &size);
    }
    *ret_reply = reply;
    return 0;
}

void lane_client_queue(lane_client *lane, lane_waiter *waiter)
{
    if (waiter->turn == TURN_WANTED) {
        waiter->turn = TURN_QUEUED;
        waiter->next_ready = NULL;
        *lane->ready_end = waiter;
        lane->ready_end = &waiter->next_ready;
    }
}

static void unqueue(lane_client *lane, const lane_waiter *waiter)
{
    lane_waiter **at = &lane->ready;

    while (*at != waiter) {
        at = &(*at)->next_ready;
    }
    *at = waiter->next_ready;
    if (lane->ready_end == &waiter->next_ready) {
        lane->ready_end = at;
    }
}

void lane_client_let_go_otherwise(lane_client *lane, lane_waiter *waiter)
{
    if (waiter->turn == TURN_QUEUED) {
        unqueue(lane, waiter);
        waiter->turn = TURN_WANTED;
    }
    switch ((waiter_state)waiter->state) {
    case WAITER_SENT:
        if (lane_client_is_in_slot(lane, waiter)) {
            lane_client_let_go_of_slot(lane, waiter);
        } else {
            *lane_client_waiter(lane, waiter->position) = NULL;
        }
        break;
    case WAITER_MOVED: lane->moved[waiter->ticket].waiter = NULL; break;
    case WAITER_STOWED: lane_client_give_hold(lane, &waiter->hold); break;
    }
}

void lane_client_end_otherwise(lane_client *lane, lane_call call)
{
    if (lane->reaped == call.position) {
        lane_client_give(lane, &lane->request_blocks, call.hold.request_block);
        lane_client_give(lane, &lane->reply_blocks, call.hold.reply_block);
        lane->reaped++;
        return;
    }
    if (lane->spare.position == call.position) {
        lane_client_let_go(lane, &lane->spare);
        lane->spare.position = 0;
    } else if (call.position < lane->seen) {
        /* It was seen while somebody waited for it. */
        lane_client_give_hold(lane, lane_client_hold(lane, call.position));
    }
    (void)lane_client_reap(lane);
}

/* Withdraws a call that, as far as is known here, is in its slot. */
static void withdraw_unheard(const lane_client *lane, uint64_t position)
{
    if (cancel(lane, position) == 0 && word_at(lane, position) == word_of(position, lane->memory.shift, WORD_MOVED)) {
        lane->peer->abandoned(lane->peer, position);
    }
}

/* What calls hold that go on: blocks by number, extents by index. */
typedef struct held {
    bool request[BLOCKS_MAX + 1];
    bool reply[BLOCKS_MAX + 1];
    bool extents[ARENA_EXTENTS_MAX];
    uint32_t sealed;
} held;

static void note_held(held *self, bool *blocks, uint16_t number)
{
    if (number == ARENA_SEALED) {
        self->sealed++;
    } else if (arena_has_number(number)) {
        self->extents[arena_index(number)] = true;
    } else {
        blocks[number] = true;
    }
}

/* What is free: all blocks of a kind that no slot holds. */
static void find_free(block_list *list, uint32_t count, const bool *is_held)
{
    uint32_t number;

    list->count = 0;
    for (number = count; number > 0; number--) {
        if (!is_held[number]) {
            block_list_give(list, (uint8_t)number);
        }
    }
}

void lane_client_abandon(lane_client *lane)
{
    const region_geometry *geometry = &lane->memory.geometry;
    held still = {0};
    uint64_t position;
    uint32_t ticket;

    lane->in_batch = false;
    (void)lane_client_publish_unsent(lane);
    lane->ready = NULL;
    lane->ready_end = &lane->ready;
    if (lane->seen < lane->reaped) {
        lane->seen = lane->reaped;
    }
    for (position = lane->reaped; position < lane->next; position++) {
        lane_waiter **waiter = lane_client_waiter(lane, position);
        lane_hold *hold = lane_client_hold(lane, position);

        if (*waiter != NULL) {
            withdraw_unheard(lane, position);
            *waiter = NULL;
        }
        if (position < lane->seen) {
            *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
        }
        note_held(&still, still.request, hold->request_block);
        note_held(&still, still.reply, hold->reply_block);
    }
    for (ticket = 0; lane->moved_count != 0 && ticket < geometry->inbox_depth; ticket++) {
        lane_moved *moved = &lane->moved[ticket];

        if (moved->waiter != NULL) {
            lane->peer->abandoned(lane->peer, moved->position);
            moved->waiter = NULL;
        }
        note_held(&still, still.reply, moved->reply_block);
    }
    lane->spare.position = 0;
    /* Among the others are those that answers are in which were taken out of their slots. */
    find_free(&lane->request_blocks, geometry->request_block_count, still.request);
    find_free(&lane->reply_blocks, geometry->reply_block_count, still.reply);
    if (lane->arena != NULL) {
        arena_keep(lane->arena, still.extents);
    }
    lane->sealed = still.sealed;
    (void)lane_client_reap(lane);
}

int lane_client_look(lane_client *lane)
{
    int rc = lane_client_flush(lane);

    return rc != 0 ? rc : collect(lane);
}

lane_waiter *lane_client_take_ready(lane_client *lane)
{
    lane_waiter *waiter = lane->ready;

    if (waiter != NULL) {
        lane->ready = waiter->next_ready;
        if (lane->ready == NULL) {
            lane->ready_end = &lane->ready;
        }
        waiter->turn = TURN_WANTED;
    }
    return waiter;
}

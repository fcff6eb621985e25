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
    arena *book = memory->arena == NULL ? NULL : malloc(sizeof(*book));

    if (holds == NULL || waiters == NULL || (moved == NULL && inbox_depth != 0) ||
        (book == NULL && memory->arena != NULL)) {
        free(holds);
        free(waiters);
        free(moved);
        free(book);
        return -ENOMEM;
    }
    if (book != NULL) {
        arena_init(book, memory->geometry.arena_units);
    }
    lane->memory = *memory;
    lane->next = 1;
    lane->reaped = 1;
    lane->seen = 1;
    lane->unsent = 0;
    lane->in_batch = false;
    lane->armed = 0;
    lane->spin = spins;
    lane->first_look = first_look_new();
    lane->bell = bell;
    lane->peer = peer;
    lane->holds = holds;
    lane->waiters = waiters;
    lane->ready = NULL;
    lane->ready_end = &lane->ready;
    lane->moved = moved;
    lane->moved_count = 0;
    lane->moved_blocks = 0;
    lane->moved_extents = 0;
    lane->inbox_next = 1;
    lane->spare = (lane_waiter){0};
    block_list_init(&lane->request_blocks, memory->geometry.request_block_count);
    block_list_init(&lane->reply_blocks, memory->geometry.reply_block_count);
    lane->arena = book;
    return 0;
}

void lane_client_deinit(lane_client *lane)
{
    free(lane->holds);
    free(lane->waiters);
    free(lane->moved);
    free(lane->arena);
    lane->holds = NULL;
    lane->waiters = NULL;
    lane->moved = NULL;
    lane->arena = NULL;
}

/* The position has been found to be answered in its slot. */
static void settle(lane_client *lane, uint64_t position)
{
    lane_waiter *waiter = *lane_client_waiter(lane, position);

    if (waiter == NULL) {
        lane_client_give_hold(lane, lane_client_hold(lane, position));
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
    while (lane->reaped < lane->seen && *lane_client_waiter(lane, lane->reaped) == NULL) {
        lane->reaped++;
    }
    return rc;
}

/* ---- a call ---- */

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

/* The time of each call that is about to be published begins. */
static void begin_times(const lane_client *lane)
{
    clock_reading now = {0};
    uint64_t position;

    for (position = lane->next - lane->unsent; position < lane->next; position++) {
        lane_waiter *waiter = *lane_client_waiter(lane, position);

        if (waiter != NULL && waiter->until_ns < 0) {
            waiter->until_ns = clock_after_about_reading(&now, -waiter->until_ns);
        }
    }
}

int lane_client_publish_unsent(lane_client *lane)
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

int lane_client_flush(lane_client *lane)
{
    begin_times(lane);
    return lane_client_publish_unsent(lane);
}

/* A server that sleeps is woken once, at the end of the batch. */
int lane_client_publish_piece(lane_client *lane)
{
    uint64_t first = lane->next - lane->unsent;

    return (shared_load_word(region_slot(&lane->memory, first)) & WORD_WISH) != 0 ? 0 : lane_client_flush(lane);
}

int lane_client_close_batch(lane_client *lane)
{
    lane->in_batch = false;
    return lane_client_flush(lane);
}

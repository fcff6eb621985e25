/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_server.h"

#include "error.h"
#include "inbox_writer.h"
#include "platform/clock.h"
#include "platform/compiler.h"

void lane_server_init(lane_server *lane, const region *memory, lane_caller *caller)
{
    lane->memory = *memory;
    lane->end = memory->slots + memory->geometry.depth;
    lane_server_expect(lane, 1);
    lane->caller = caller;
    lane->inbox = NULL;
    lane->wants_room = false;
    lane->is_deserted = false;
    lane->paused_ns = 0;
    region_format(&lane->memory);
}

/* Where the client says that a request in the arena, or in memory of its own, is: bounded. */
static int bound_request_in_arena(const lane_server *lane, const slot_extents *at, lane_request *request)
{
    if (at->request == EXTENT_SEALED && lane->caller->unseal != NULL) {
        request->is_sealed = true;
        return lane->caller->unseal(lane->caller, request->position, request->length, &request->payload);
    }
    if (!region_arena_holds(&lane->memory, at->request, request->length)) {
        return error_set(SHMRPC_E_PROTOCOL, "a request of %u bytes is said to be at unit %u of an arena of %u",
                         request->length, at->request, lane->memory.geometry.arena_units);
    }
    request->payload = region_unit(&lane->memory, at->request);
    return 0;
}

/* bound() of a request of which the number of a block is none: it may be that of the arena. */
static RARE int bound_otherwise(const lane_server *lane, const slot_header *header, lane_request *request)
{
    const region_geometry *geometry = &lane->memory.geometry;
    slot_extents at;
    int rc = 0;

    shared_copy_out(&at, request->at->payload, sizeof(at));
    if (header->request_block == BLOCK_ARENA) {
        rc = bound_request_in_arena(lane, &at, request);
    } else if (header->request_block > geometry->request_block_count) {
        rc = error_set(SHMRPC_E_PROTOCOL, "a request is in block %u of %u", header->request_block,
                       geometry->request_block_count);
    } else if (header->request_block == BLOCK_NONE) {
        request->payload = request->at->payload + sizeof(at);
        if (header->length > SLOT_PAYLOAD_BEHIND) {
            rc = error_set(SHMRPC_E_PROTOCOL, "a request of %u bytes is said to be in what is left of a slot",
                           header->length);
        }
    }
    if (rc != 0 || header->reply_block <= geometry->reply_block_count) {
        return rc;
    }
    if (header->reply_block != BLOCK_ARENA) {
        return error_set(SHMRPC_E_PROTOCOL, "a request offers block %u of %u for its reply", header->reply_block,
                         geometry->reply_block_count);
    }
    if (!region_arena_holds(&lane->memory, at.reply, (uint64_t)at.reply_count * SHMRPC_ARENA_UNIT)) {
        return error_set(SHMRPC_E_PROTOCOL, "a request offers %u units at %u of an arena of %u for its reply",
                         at.reply_count, at.reply, geometry->arena_units);
    }
    request->reply_first = at.reply;
    request->reply_count = at.reply_count;
    return 0;
}

/* Bounds a request's header and finds its payload. */
static int bound(const lane_server *lane, const slot_header *header, lane_request *request)
{
    const region_geometry *geometry = &lane->memory.geometry;

    if (header->request_block == BLOCK_NONE) {
        if (header->length > SHMRPC_SLOT_PAYLOAD) {
            return error_set(SHMRPC_E_PROTOCOL, "a request of %u bytes is said to be in a slot", header->length);
        }
        request->payload = request->at->payload;
    } else {
        if (header->request_block > geometry->request_block_count) {
            return bound_otherwise(lane, header, request);
        }
        if (header->length > geometry->request_block_size) {
            return error_set(SHMRPC_E_PROTOCOL, "a request of %u bytes is in a block of %u", header->length,
                             geometry->request_block_size);
        }
        request->payload = region_request_block(&lane->memory, header->request_block);
    }
    return header->reply_block > geometry->reply_block_count ? bound_otherwise(lane, header, request) : 0;
}

/* A call could be put off again: a lane that had paused goes on. */
static bool may_go_on(lane_server *lane)
{
    lane->inbox->is_deserted = lane->is_deserted;
    if (!inbox_writer_has_room(lane->inbox)) {
        return false;
    }
    if (lane->wants_room) {
        lane->wants_room = false;
        shared_want_inbox(lane->memory.header, false);
    }
    return true;
}

/* true: the client rings when it has made room; false: it just has. */
static bool pause_lane(lane_server *lane, bool has_request)
{
    lane->wants_room = true;
    shared_want_inbox(lane->memory.header, true);
    if (may_go_on(lane)) {
        return false;
    }
    if (has_request && lane->paused_ns == 0) {
        lane->paused_ns = clock_now_ns();
    }
    return true;
}

int lane_server_take_otherwise(lane_server *lane, lane_request *ret_request)
{
    slot *at = lane->at;
    uint32_t word = shared_load_word(at);
    uint32_t withdrawn = WORD_CANCEL;
    slot_header header;
    int rc;

    if (lane->inbox != NULL && !may_go_on(lane)) {
        if (!lane->is_deserted) {
            return 0;
        }
        withdrawn = UINT32_MAX;
    }
    if ((word & ~WORD_MARKS) != lane->request) {
        if (lane_server_is_free(lane, word)) {
            return 0;
        }
        return error_set(SHMRPC_E_PROTOCOL, "a slot's word is neither the last reply nor the next request");
    }
    header = shared_load_header(at);
    ret_request->position = lane->next;
    ret_request->at = at;
    ret_request->method = header.method;
    ret_request->reply_block = header.reply_block;
    ret_request->is_sealed = false;
    ret_request->cancelled = (word & withdrawn) != 0;
    ret_request->length = header.length;
    ret_request->budget_us = header.budget_us;
    ret_request->waited_ns = 0;
    rc = bound(lane, &header, ret_request);
    if (rc != 0) {
        return rc;
    }
    if (lane->paused_ns != 0) {
        ret_request->waited_ns = clock_now_ns() - lane->paused_ns;
        lane->paused_ns = 0;
    }
    ret_request->is_plain =
        !ret_request->cancelled && ret_request->waited_ns == 0 && ret_request->payload == at->payload;
    lane_server_advance(lane);
    return 1;
}

void *lane_server_place_block(const lane_server *lane, const lane_request *request, uint32_t size, uint8_t *ret_block)
{
    *ret_block = request->reply_block;
    return region_reply_room(&lane->memory, request->reply_block, request->reply_first, request->reply_count, size);
}

bool lane_server_move(lane_server *lane, const lane_request *request, uint32_t ticket)
{
    slot_header header = {0, BLOCK_NONE, BLOCK_NONE, 0, ticket};
    uint32_t found;

    shared_store_header(request->at, header);
    found = shared_publish_moved(request->at, word_of(request->position, lane->memory.shift, WORD_MOVED));
    lane_server_end(lane, request);
    return (found & WORD_CANCEL) != 0;
}

void lane_server_cancel(lane_server *lane, uint64_t position)
{
    if (lane->inbox != NULL) {
        inbox_writer_cancel(lane->inbox, position);
    }
}

bool lane_server_owes(const lane_server *lane)
{
    return lane->inbox != NULL && inbox_writer_owes(lane->inbox);
}

bool lane_server_await_answers(const lane_server *lane)
{
    return lane->inbox != NULL && inbox_writer_await(lane->inbox);
}

bool lane_server_arm(lane_server *lane)
{
    uint32_t found = shared_load_word(lane->at);

    if (lane->inbox != NULL && !may_go_on(lane)) {
        return pause_lane(lane, (found & ~WORD_MARKS) == lane->request);
    }
    /* Marked already, by an earlier call or by a client that has no reason to: nothing to swap, and nothing came. */
    return lane_server_is_free(lane, found) &&
           ((found & WORD_WISH) != 0 || shared_mark_word(lane->at, found, WORD_WISH, &found));
}

static bool is_request(const lane_server *lane, uint64_t position)
{
    uint32_t word = shared_load_word(region_slot(&lane->memory, position));

    return (word & ~WORD_MARKS) == word_request(position, lane->memory.shift);
}

bool lane_server_has_request(const lane_server *lane)
{
    return is_request(lane, lane->next);
}

uint32_t lane_server_requests(const lane_server *lane)
{
    uint32_t count = 0;

    while (count < lane->memory.geometry.depth && is_request(lane, lane->next + count)) {
        count++;
    }
    return count;
}

bool lane_server_arm_paused(lane_server *lane)
{
    return lane->inbox != NULL && !lane->is_deserted && !may_go_on(lane) && pause_lane(lane, true);
}

void lane_server_desert(lane_server *lane)
{
    lane->is_deserted = true;
}

void lane_server_close(lane_server *lane)
{
    uint32_t wish;

    if (lane->inbox != NULL) {
        inbox_writer_close(lane->inbox);
        lane->inbox = NULL;
    }
    shared_set_closed(lane->memory.header);
    wish = shared_read_wish(lane->memory.header, true);
    if (wish != WISH_NONE) {
        lane_wake(&lane->memory, lane->caller, wish);
    }
}

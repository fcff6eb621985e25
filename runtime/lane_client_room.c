/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_room.c - the calling end of a lane finds room for what no slot holds: blocks, and extents of the arena.
 *
 * Which of these a payload needs follows from its size alone. All that a call needs is taken at once, or nothing is, so
 * that two calls never wait for what the other one has.
 */
#include "error.h"
#include "lane_client_core.h"
#include "platform/clock.h"

#include <inttypes.h>

/* What a call needs beside a slot. */
typedef struct need {
    bool request_block;
    bool reply_block;
    uint32_t request_units; /* of the arena; 0: none */
    uint32_t reply_units;
} need;

static uint32_t units_of(uint32_t size)
{
    return size / SHMRPC_ARENA_UNIT + (size % SHMRPC_ARENA_UNIT != 0);
}

static int error_too_large(const lane_client *lane, uint32_t request_size, uint32_t reply_size)
{
    const region_geometry *geometry = &lane->memory.geometry;

    if (lane->arena != NULL) {
        return error_set(SHMRPC_E_TOO_LARGE, "a call needs %u and %u bytes, the arena has %zu: raise arena_size",
                         request_size, reply_size, region_arena_size(geometry));
    }
    return error_set(SHMRPC_E_TOO_LARGE, "the connection has blocks of %u and %u bytes, the call needs %u and %u",
                     geometry->request_block_size, geometry->reply_block_size, request_size, reply_size);
}

/* 0, TOO_LARGE. */
static int find_need(const lane_client *lane, uint32_t request_size, uint32_t reply_size, need *ret)
{
    const region_geometry *geometry = &lane->memory.geometry;
    uint32_t in_slot = SHMRPC_SLOT_PAYLOAD;

    *ret = (need){0};
    if (reply_size > SHMRPC_SLOT_PAYLOAD && reply_size <= geometry->reply_block_size) {
        ret->reply_block = true;
    } else if (reply_size > SHMRPC_SLOT_PAYLOAD) {
        ret->reply_units = units_of(reply_size);
        in_slot = SLOT_PAYLOAD_BEHIND;
    }
    if (request_size > in_slot && request_size <= geometry->request_block_size) {
        ret->request_block = true;
    } else if (request_size > in_slot) {
        ret->request_units = units_of(request_size);
    }
    return (uint64_t)ret->request_units + ret->reply_units <= geometry->arena_units
               ? 0
               : error_too_large(lane, request_size, reply_size);
}

void lane_client_give_extent(lane_client *lane, uint16_t number)
{
    if (number == ARENA_SEALED) {
        lane->sealed--;
    } else {
        arena_give(lane->arena, number);
    }
}

static unsigned char *extent_room(const lane_client *lane, uint16_t number, uint32_t *ret_size)
{
    arena_extent extent = arena_find(lane->arena, number);

    *ret_size = extent.count * (uint32_t)SHMRPC_ARENA_UNIT;
    return region_unit(&lane->memory, extent.first);
}

unsigned char *lane_client_request_room(const lane_client *lane, uint16_t number, uint32_t *ret_size)
{
    if (arena_has_number(number)) {
        return extent_room(lane, number, ret_size);
    }
    *ret_size = lane->memory.geometry.request_block_size;
    return region_request_block(&lane->memory, (uint8_t)number);
}

unsigned char *lane_client_reply_room(const lane_client *lane, uint16_t number, uint32_t *ret_size)
{
    if (arena_has_number(number)) {
        return extent_room(lane, number, ret_size);
    }
    *ret_size = lane->memory.geometry.reply_block_size;
    return region_reply_block(&lane->memory, (uint8_t)number);
}

int lane_client_take_request(lane_client *lane, uint32_t size, uint16_t *ret_number)
{
    need of;
    int rc = find_need(lane, size, 0, &of);

    if (rc != 0) {
        return rc;
    }
    *ret_number = of.request_block ? block_list_take(&lane->request_blocks) : arena_take(lane->arena, of.request_units);
    return *ret_number != BLOCK_NONE ? 0
                                     : error_set(SHMRPC_E_AGAIN, "%s lent, or with calls that are in flight",
                                                 of.request_block ? "all blocks are" : "the arena is");
}

/* Both extents or none. */
static bool take_extents(lane_client *lane, const need *of, lane_hold *hold)
{
    if (of->request_units != 0) {
        hold->request_block = arena_take(lane->arena, of->request_units);
        if (hold->request_block == BLOCK_NONE) {
            return false;
        }
    }
    if (of->reply_units != 0) {
        hold->reply_block = arena_take(lane->arena, of->reply_units);
        if (hold->reply_block == BLOCK_NONE) {
            if (of->request_units != 0) {
                arena_give(lane->arena, hold->request_block);
            }
            return false;
        }
    }
    return true;
}

/* Room for a call: a slot, and a block or an extent for each payload that can exceed it. */
static bool take_room(lane_client *lane, const need *of, lane_hold *ret_hold)
{
    lane_hold hold = {BLOCK_NONE, BLOCK_NONE};

    if (lane->next - lane->reaped == lane->memory.geometry.depth ||
        (of->request_block && lane->request_blocks.count == 0) || (of->reply_block && lane->reply_blocks.count == 0) ||
        !take_extents(lane, of, &hold)) {
        return false;
    }
    if (of->request_block) {
        hold.request_block = block_list_take(&lane->request_blocks);
    }
    if (of->reply_block) {
        hold.reply_block = block_list_take(&lane->reply_blocks);
    }
    *ret_hold = hold;
    return true;
}

/* What of it there is none of now, as if there were no other; slots aside. */
static need find_short(lane_client *lane, const need *of)
{
    lane_hold hold;
    need lacking = {of->request_block && lane->request_blocks.count == 0,
                    of->reply_block && lane->reply_blocks.count == 0, 0, 0};

    if (of->request_units == 0 && of->reply_units == 0) {
        return lacking;
    }
    hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
    if (!take_extents(lane, of, &hold)) {
        lacking.request_units = of->request_units;
        lacking.reply_units = of->reply_units;
    } else {
        lane_client_give_hold(lane, &hold);
    }
    return lacking;
}

static bool is_short(const need *lacking)
{
    return lacking->request_block || lacking->reply_block || lacking->request_units != 0 || lacking->reply_units != 0;
}

/* Will any call that is not answered yet give something back of a kind that is lacking? */
static bool room_will_come(const lane_client *lane, const need *lacking)
{
    bool extents = lacking->request_units != 0 || lacking->reply_units != 0;
    uint64_t position;

    if ((lacking->reply_block && lane->moved_blocks != 0) || (extents && lane->moved_extents != 0)) {
        return true;
    }
    for (position = lane->seen; position < lane->next; position++) {
        const lane_hold *hold = lane_client_hold(lane, position);
        bool request = arena_has_number(hold->request_block) && hold->request_block != ARENA_SEALED;
        bool reply = arena_has_number(hold->reply_block);

        if ((extents && (request || reply)) ||
            (lacking->request_block && !arena_has_number(hold->request_block) && hold->request_block != BLOCK_NONE) ||
            (lacking->reply_block && !reply && hold->reply_block != BLOCK_NONE)) {
            return true;
        }
    }
    return false;
}

/* Makes room of what is answered. 1: there is; 0: there is none yet; AGAIN, PROTOCOL. */
static int make_room(lane_client *lane, const need *of, lane_hold *ret_hold)
{
    need lacking;

    for (;;) {
        int rc = lane_client_reap(lane);

        if (rc == 0) {
            rc = lane_client_take_entries(lane);
        }
        if (rc != 0) {
            return rc;
        }
        if (take_room(lane, of, ret_hold)) {
            return 1;
        }
        if (lane->reaped == lane->seen) {
            break;
        }
        /* The oldest is answered, and its waiter has not read it. */
        rc = lane_client_stow(lane, *lane_client_waiter(lane, lane->reaped));

        if (rc != 0) {
            return rc;
        }
    }
    lacking = find_short(lane, of);
    if (is_short(&lacking) && !room_will_come(lane, &lacking)) {
        return error_set(SHMRPC_E_AGAIN, lacking.request_units != 0 || lacking.reply_units != 0
                                             ? "the arena holds answers that have not been read"
                                             : "all blocks hold answers that have not been read");
    }
    return 0;
}

static int wait_for_room(lane_client *lane, const need *of, int64_t *timeout_ns, lane_hold *ret_hold)
{
    int rc = make_room(lane, of, ret_hold);
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
        rc = make_room(lane, of, ret_hold);
        if (rc != 0) {
            return rc > 0 ? 0 : rc;
        }
    }
}

/* Says in the slot, which is the client's, where in the arena the call's messages are. */
static void store_extents(const lane_client *lane, const lane_call *call)
{
    slot_extents at = {0};

    if (call->hold.request_block == ARENA_SEALED) {
        at.request = EXTENT_SEALED;
    } else if (arena_has_number(call->hold.request_block)) {
        at.request = arena_find(lane->arena, call->hold.request_block).first;
    }
    if (arena_has_number(call->hold.reply_block)) {
        arena_extent extent = arena_find(lane->arena, call->hold.reply_block);

        at.reply = extent.first;
        at.reply_count = extent.count;
    }
    memcpy(call->at->payload, &at, sizeof(at));
}

void lane_client_place(const lane_client *lane, lane_call *call)
{
    bool has_extents = arena_has_number(call->hold.request_block) || arena_has_number(call->hold.reply_block);

    if (has_extents) {
        store_extents(lane, call);
    }
    if (call->hold.request_block == ARENA_SEALED) {
        call->request = NULL;
    } else if (arena_has_number(call->hold.request_block)) {
        call->request = region_unit(&lane->memory, arena_find(lane->arena, call->hold.request_block).first);
    } else if (call->hold.request_block != BLOCK_NONE) {
        call->request = region_request_block(&lane->memory, (uint8_t)call->hold.request_block);
    } else {
        call->request = call->at->payload + (has_extents ? sizeof(slot_extents) : 0);
    }
}

int lane_client_begin_otherwise(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                                lane_call *ret_call)
{
    lane_hold hold = {BLOCK_NONE, BLOCK_NONE};
    need of;
    int rc = find_need(lane, request_size, reply_size, &of);

    if (rc == 0 && !take_room(lane, &of, &hold)) {
        rc = wait_for_room(lane, &of, timeout_ns, &hold);
    }
    if (rc != 0) {
        return rc;
    }
    ret_call->position = lane->next;
    ret_call->at = region_slot(&lane->memory, lane->next);
    ret_call->hold = hold;
    lane_client_place(lane, ret_call);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_client.h"

#include "error.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "platform/futex.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Pauses before the first look at a reply: a look before the server has taken the request takes the line away from it.
 * Three are about 50 ns here, and no reply takes less than two transfers of a line, 200 ns. Measured, not derived:
 * without them a typed call takes 285 ns, with them 260; calls that follow at once, 265 and 220.
 */
#define PAUSES_FIRST 3
/* Pauses before the clock is read for the first time, and between two readings: about one to four microseconds. */
#define SPINS_FIRST 128
#define SPINS_MORE 64
/*
 * How often a waiting caller asks whether the server lives: where an alarm will tell it, nobody and nothing depends on
 * its asking; where there is none, spinning and asleep.
 */
#define LOOK_WATCHED_NS INT64_C(1000000000)
#define LOOK_SPINNING_NS INT64_C(10000000)
#define LOOK_ASLEEP_NS INT64_C(100000000)

int lane_client_init(lane_client *lane, const region *memory, int64_t spin_ns, int bell, lane_peer *peer)
{
    lane_hold *holds = calloc(memory->geometry.depth, sizeof(*holds));

    if (holds == NULL) {
        return -ENOMEM;
    }
    lane->memory = *memory;
    lane->next = 1;
    lane->reaped = 1;
    lane->spin_ns = spin_ns;
    lane->bell = bell;
    lane->peer = peer;
    lane->holds = holds;
    block_list_init(&lane->request_blocks, memory->geometry.request_block_count);
    block_list_init(&lane->reply_blocks, memory->geometry.reply_block_count);
    return 0;
}

void lane_client_deinit(lane_client *lane)
{
    free(lane->holds);
    lane->holds = NULL;
}

static lane_hold *hold_of(const lane_client *lane, uint64_t position)
{
    return &lane->holds[position & (lane->memory.geometry.depth - 1)];
}

static bool is_terminal(const lane_client *lane, uint64_t position)
{
    uint32_t word = shared_load_word(region_slot(&lane->memory, position));

    return (word & ~WORD_MARKS) == word_reply(position, lane->memory.shift);
}

/* The published position's word is neither the request that was sent nor its reply. */
static bool is_broken(const lane_client *lane, uint64_t position)
{
    uint32_t word = shared_load_word(region_slot(&lane->memory, position)) & ~WORD_MARKS;

    return word != word_reply(position, lane->memory.shift) && word != word_request(position, lane->memory.shift);
}

void lane_client_reap(lane_client *lane)
{
    while (lane->reaped < lane->next && is_terminal(lane, lane->reaped)) {
        lane_hold *hold = hold_of(lane, lane->reaped);

        block_list_give(&lane->request_blocks, hold->request_block);
        block_list_give(&lane->reply_blocks, hold->reply_block);
        hold->request_block = BLOCK_NONE;
        hold->reply_block = BLOCK_NONE;
        lane->reaped++;
    }
}

/* ---- doorbells ---- */

static void ring_server(const lane_client *lane)
{
    if (lane->memory.semaphores) {
        shared_post_server_bell(lane->memory.header);
    } else {
        (void)event_ring(lane->bell);
    }
}

/* ---- waiting ---- */

/*
 * Sleeps until the server wakes whoever made this wish, an alarm, or nap_ns. Where one cannot wait for two things,
 * alarms are not heard, and it sleeps LOOK_ASLEEP_NS at most. 0: somebody woke it; -errno.
 */
static int sleep_on(const lane_client *lane, uint32_t wish, int64_t nap_ns)
{
    lane_header *header = lane->memory.header;
    int rc;

    if (lane->memory.semaphores) {
        return shared_await_client_bell(header, nap_ns);
    }
    rc = futex_wait_either(&header->wish, wish, &lane->peer->alarm.word, nap_ns);
    if (rc == -ENOSYS) {
        rc = futex_wait(&header->wish, wish, nap_ns < LOOK_ASLEEP_NS ? nap_ns : LOOK_ASLEEP_NS);
    }
    return rc;
}

/* Sleeps until the last published position has its reply, an alarm, or nap_ns. True: somebody woke it. */
static bool sleep_once(lane_client *lane, uint64_t position, int64_t nap_ns)
{
    uint64_t last = lane->next - 1;
    uint32_t wish = wish_of(last, WISH_CALL);
    lane_header *header = lane->memory.header;
    int rc = 0;

    shared_make_wish(header, wish);
    if (!is_terminal(lane, position) && !is_terminal(lane, last)) {
        rc = sleep_on(lane, wish, nap_ns);
    }
    shared_drop_wish(header);
    return rc == 0;
}

/* Takes the alarm back, if it is set: what happens from here on sets it again. */
static bool take_alarm(lane_client *lane)
{
    if (!alarm_is_set(&lane->peer->alarm)) {
        return false;
    }
    alarm_clear(&lane->peer->alarm);
    return true;
}

/*
 * Waits for `position` after the first spin has not seen it: spins on until spin_ns have passed, then sleeps. Looks at
 * the peer when the alarm says so, when it was woken and there is no reply, and now and then; a reply that was
 * published before the peer's end counts.
 */
static int wait_long(lane_client *lane, uint64_t position, int64_t timeout_ns)
{
    int64_t now_ns = clock_now_ns();
    int64_t until_ns = clock_after_ns(timeout_ns);
    int64_t spin_until_ns = lane->spin_ns == 0 ? now_ns : clock_after_ns(lane->spin_ns);
    int64_t looked_ns = now_ns;

    for (;;) {
        bool look = false;

        if (is_terminal(lane, position)) {
            return 0;
        }
        if (is_broken(lane, position)) {
            return error_set(SHMRPC_E_PROTOCOL, "the server wrote a word that is neither the request nor its reply");
        }
        if (now_ns >= until_ns) {
            return error_set(SHMRPC_E_TIMEOUT, "no reply before the deadline");
        }
        if (now_ns < spin_until_ns) {
            int spins;

            for (spins = 0; spins < SPINS_MORE && !is_terminal(lane, position); spins++) {
                cpu_pause();
            }
            now_ns = clock_now_ns();
            look = now_ns - looked_ns >= (lane->peer->is_watched ? LOOK_WATCHED_NS : LOOK_SPINNING_NS);
        } else {
            int64_t left_ns = until_ns == CLOCK_NEVER ? CLOCK_NEVER : until_ns - now_ns;
            int64_t nap_ns = lane->peer->is_watched ? LOOK_WATCHED_NS : LOOK_ASLEEP_NS;
            bool woken = sleep_once(lane, position, nap_ns < left_ns ? nap_ns : left_ns);

            now_ns = clock_now_ns();
            look = (woken && !is_terminal(lane, position)) || now_ns - looked_ns >= nap_ns;
        }
        if (take_alarm(lane) || look) {
            int rc = lane->peer->look(lane->peer);

            if (rc != 0) {
                return is_terminal(lane, position) ? 0 : rc;
            }
            looked_ns = now_ns;
        }
    }
}

static inline int wait_for(lane_client *lane, uint64_t position, int64_t timeout_ns)
{
    const slot *at = region_slot(&lane->memory, position);
    uint32_t reply = word_reply(position, lane->memory.shift);
    int spins;

    if (lane->spin_ns != 0) {
        for (spins = 0; spins < PAUSES_FIRST; spins++) {
            cpu_pause();
        }
        for (spins = 0; spins < SPINS_FIRST; spins++) {
            if ((shared_load_word(at) & ~WORD_MARKS) == reply) {
                return 0;
            }
            cpu_pause();
        }
    }
    return wait_long(lane, position, timeout_ns);
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

static int wait_for_room(lane_client *lane, bool request_block, bool reply_block, int64_t *timeout_ns,
                         lane_hold *ret_hold)
{
    int64_t until_ns;

    lane_client_reap(lane);
    if (take_room(lane, request_block, reply_block, ret_hold)) {
        return 0;
    }
    until_ns = clock_after_ns(*timeout_ns);
    for (;;) {
        int rc = wait_for(lane, lane->reaped, *timeout_ns);

        if (rc != 0) {
            return rc;
        }
        *timeout_ns = clock_left_ns(until_ns);
        if (*timeout_ns == 0) {
            return error_set(SHMRPC_E_TIMEOUT, "no room before the deadline");
        }
        lane_client_reap(lane);
        if (take_room(lane, request_block, reply_block, ret_hold)) {
            return 0;
        }
    }
}

int lane_client_begin(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
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
    /* With nothing else in flight there is always room. */
    if (lane->reaped != lane->next || !take_room(lane, request_block, reply_block, &hold)) {
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

static uint32_t budget_of(int64_t timeout_ns)
{
    int64_t timeout_us = timeout_ns <= 0 ? 0 : timeout_ns / 1000;

    return timeout_us >= BUDGET_NONE ? BUDGET_NONE : (uint32_t)timeout_us;
}

int lane_client_publish(lane_client *lane, const lane_call *call, uint16_t method, uint32_t length, int64_t timeout_ns)
{
    slot_header header = {method, call->hold.request_block, call->hold.reply_block, length, budget_of(timeout_ns)};
    uint32_t before = word_before(call->position, lane->memory.shift);
    uint32_t found;

    shared_store_header(call->at, header);
    *hold_of(lane, call->position) = call->hold;
    lane->next++;
    found = shared_publish_request(call->at, word_request(call->position, lane->memory.shift));
    if (found == before) {
        return 0;
    }
    if ((found & WORD_WISH) != 0) {
        ring_server(lane);
    }
    if (!word_is_free(found, call->position, lane->memory.shift)) {
        return error_set(SHMRPC_E_PROTOCOL, "the server wrote to a slot that was not its own");
    }
    return 0;
}

int lane_client_wait(lane_client *lane, const lane_call *call, int64_t timeout_ns)
{
    return wait_for(lane, call->position, timeout_ns);
}

int lane_client_cancel(lane_client *lane, const lane_call *call)
{
    uint32_t found;

    if (shared_mark_word(call->at, word_request(call->position, lane->memory.shift), WORD_CANCEL, &found)) {
        return 0;
    }
    return (found & ~WORD_MARKS) == word_reply(call->position, lane->memory.shift);
}

int lane_client_reply(const lane_client *lane, const lane_call *call, lane_reply *ret_reply)
{
    slot_header header = shared_load_header(call->at);
    lane_reply reply;

    reply.status = (int16_t)header.method;
    reply.length = header.length;
    if (header.reply_block == BLOCK_NONE) {
        if (header.length > SHMRPC_SLOT_PAYLOAD) {
            return error_set(SHMRPC_E_PROTOCOL, "the server says that a slot holds %u bytes", header.length);
        }
        reply.payload = call->at->payload;
    } else {
        if (header.reply_block != call->hold.reply_block || header.length > lane->memory.geometry.reply_block_size) {
            return error_set(SHMRPC_E_PROTOCOL, "the server says that its reply is in block %u with %u bytes",
                             header.reply_block, header.length);
        }
        reply.payload = region_reply_block(&lane->memory, call->hold.reply_block);
    }
    *ret_reply = reply;
    return 0;
}

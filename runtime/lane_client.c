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
    lane_waiter **waiters = calloc(memory->geometry.depth, sizeof(*waiters));

    if (holds == NULL || waiters == NULL) {
        free(holds);
        free(waiters);
        return -ENOMEM;
    }
    lane->memory = *memory;
    lane->next = 1;
    lane->reaped = 1;
    lane->seen = 1;
    lane->unsent = 0;
    lane->in_batch = false;
    lane->spin_ns = spin_ns;
    lane->bell = bell;
    lane->peer = peer;
    lane->holds = holds;
    lane->waiters = waiters;
    lane->ready = NULL;
    lane->ready_end = &lane->ready;
    block_list_init(&lane->request_blocks, memory->geometry.request_block_count);
    block_list_init(&lane->reply_blocks, memory->geometry.reply_block_count);
    return 0;
}

void lane_client_deinit(lane_client *lane)
{
    free(lane->holds);
    free(lane->waiters);
    lane->holds = NULL;
    lane->waiters = NULL;
}

static lane_hold *hold_of(const lane_client *lane, uint64_t position)
{
    return &lane->holds[position & (lane->memory.geometry.depth - 1)];
}

static lane_waiter **waiter_of(const lane_client *lane, uint64_t position)
{
    return &lane->waiters[position & (lane->memory.geometry.depth - 1)];
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

static void give_blocks(lane_client *lane, lane_hold *hold)
{
    block_list_give(&lane->request_blocks, hold->request_block);
    block_list_give(&lane->reply_blocks, hold->reply_block);
    *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
}

/* The position has been found terminal. */
static void settle(lane_client *lane, uint64_t position)
{
    lane_waiter *waiter = *waiter_of(lane, position);

    if (waiter == NULL) {
        give_blocks(lane, hold_of(lane, position));
    } else if (waiter->wants_turn) {
        waiter->next_ready = NULL;
        *lane->ready_end = waiter;
        lane->ready_end = &waiter->next_ready;
    }
}

void lane_client_reap(lane_client *lane)
{
    uint64_t sent = lane->next - lane->unsent;

    if (lane->seen < lane->reaped) {
        lane->seen = lane->reaped;
    }
    while (lane->seen < sent && is_terminal(lane, lane->seen)) {
        settle(lane, lane->seen);
        lane->seen++;
    }
    while (lane->reaped < lane->seen && *waiter_of(lane, lane->reaped) == NULL) {
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
    uint64_t last = lane->next - lane->unsent - 1;
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
static int wait_long(lane_client *lane, uint64_t position, int64_t until_ns)
{
    int64_t now_ns = clock_now_ns();
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

/* The first spin, which reads no clock. */
static inline bool spin_for(const lane_client *lane, uint64_t position)
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
                return true;
            }
            cpu_pause();
        }
    }
    return false;
}

/* ---- answers ---- */

/* Bounds what the server says of the answer in a slot. */
static int bound(const lane_client *lane, const slot *at, lane_hold hold, lane_reply *ret_reply)
{
    slot_header header = shared_load_header(at);
    lane_reply reply;

    reply.status = (int16_t)header.method;
    reply.length = header.length;
    if (header.reply_block == BLOCK_NONE) {
        if (header.length > SHMRPC_SLOT_PAYLOAD) {
            return error_set(SHMRPC_E_PROTOCOL, "the server says that a slot holds %u bytes", header.length);
        }
        reply.payload = at->payload;
        reply.is_in_block = false;
    } else {
        if (header.reply_block != hold.reply_block || header.length > lane->memory.geometry.reply_block_size) {
            return error_set(SHMRPC_E_PROTOCOL, "the server says that its reply is in block %u with %u bytes",
                             header.reply_block, header.length);
        }
        reply.payload = region_reply_block(&lane->memory, hold.reply_block);
        reply.is_in_block = true;
    }
    *ret_reply = reply;
    return 0;
}

/*
 * Moves an answer that is there from its slot into the waiter, so that the slot can be used again. What is in a block
 * stays there; blocks that the answer does not need come back.
 */
static int stow(lane_client *lane, lane_waiter *waiter)
{
    lane_reply reply;
    int rc = bound(lane, region_slot(&lane->memory, waiter->position), waiter->hold, &reply);

    if (rc != 0) {
        return rc;
    }
    waiter->status = (int16_t)reply.status;
    waiter->length = reply.length;
    waiter->state = WAITER_STOWED;
    block_list_give(&lane->request_blocks, waiter->hold.request_block);
    waiter->hold.request_block = BLOCK_NONE;
    if (!reply.is_in_block) {
        shared_copy_out(waiter->payload, reply.payload, reply.length);
        block_list_give(&lane->reply_blocks, waiter->hold.reply_block);
        waiter->hold.reply_block = BLOCK_NONE;
    }
    *hold_of(lane, waiter->position) = (lane_hold){BLOCK_NONE, BLOCK_NONE};
    *waiter_of(lane, waiter->position) = NULL;
    return 0;
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

    for (position = lane->seen; position < lane->next; position++) {
        const lane_hold *hold = hold_of(lane, position);

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
        lane_client_reap(lane);
        if (take_room(lane, request_block, reply_block, ret_hold)) {
            return 1;
        }
        if (lane->reaped == lane->seen) {
            break;
        }
        /* The oldest is answered, and its waiter has not read it. */
        int rc = stow(lane, *waiter_of(lane, lane->reaped));

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
        if (!spin_for(lane, lane->reaped)) {
            rc = wait_long(lane, lane->reaped, until_ns);
            if (rc != 0) {
                return rc;
            }
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

static uint32_t budget_of(int64_t timeout_ns)
{
    int64_t timeout_us = timeout_ns <= 0 ? 0 : timeout_ns / 1000;

    return timeout_us >= BUDGET_NONE ? BUDGET_NONE : (uint32_t)timeout_us;
}

static int slot_was_changed(void)
{
    return error_set(SHMRPC_E_PROTOCOL, "the server wrote to a slot that was not its own");
}

/* Publishes one request, or the first of a batch. */
static inline int publish(lane_client *lane, uint64_t position, slot *at)
{
    uint32_t found = shared_publish_request(at, word_request(position, lane->memory.shift));

    if (found == word_before(position, lane->memory.shift)) {
        return 0;
    }
    if ((found & WORD_WISH) != 0) {
        ring_server(lane);
    }
    return word_is_free(found, position, lane->memory.shift) ? 0 : slot_was_changed();
}

int lane_client_publish(lane_client *lane, const lane_call *call, uint16_t method, uint32_t length, int64_t timeout_ns)
{
    slot_header header = {method, call->hold.request_block, call->hold.reply_block, length, budget_of(timeout_ns)};

    shared_store_header(call->at, header);
    *hold_of(lane, call->position) = call->hold;
    lane->next++;
    if (lane->in_batch) {
        lane->unsent++;
        return 0;
    }
    return publish(lane, call->position, call->at);
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
    return publish(lane, first, region_slot(&lane->memory, first));
}

int lane_client_close_batch(lane_client *lane)
{
    lane->in_batch = false;
    return lane_client_flush(lane);
}

int lane_client_wait(lane_client *lane, const lane_call *call, int64_t timeout_ns)
{
    if (lane->unsent != 0) {
        int rc = lane_client_flush(lane);

        if (rc != 0) {
            return rc;
        }
    }
    return spin_for(lane, call->position) ? 0 : wait_long(lane, call->position, clock_after_ns(timeout_ns));
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

int lane_client_reply(const lane_client *lane, const lane_call *call, lane_reply *ret_reply)
{
    return bound(lane, call->at, call->hold, ret_reply);
}

/* ---- answers that are read later ---- */

void lane_client_keep(lane_client *lane, const lane_call *call, lane_waiter *waiter)
{
    waiter->position = call->position;
    waiter->next_ready = NULL;
    waiter->hold = call->hold;
    waiter->state = WAITER_SENT;
    *waiter_of(lane, call->position) = waiter;
}

bool lane_client_is_answered(const lane_client *lane, const lane_waiter *waiter)
{
    return waiter->state == WAITER_STOWED || is_terminal(lane, waiter->position);
}

int lane_client_await(lane_client *lane, const lane_waiter *waiter, int64_t until_ns)
{
    int rc = lane_client_flush(lane);

    if (rc != 0) {
        return rc;
    }
    if (lane_client_is_answered(lane, waiter) || (until_ns != 0 && spin_for(lane, waiter->position))) {
        return 0;
    }
    return wait_long(lane, waiter->position, until_ns);
}

int lane_client_withdraw(lane_client *lane, const lane_waiter *waiter)
{
    int rc = lane_client_flush(lane);

    if (rc != 0) {
        return rc;
    }
    return waiter->state == WAITER_STOWED ? 1 : cancel(lane, waiter->position);
}

int lane_client_answer(const lane_client *lane, const lane_waiter *waiter, lane_reply *ret_reply)
{
    lane_reply reply = {waiter->status, waiter->length, waiter->payload, waiter->hold.reply_block != BLOCK_NONE};

    if (waiter->state == WAITER_SENT) {
        return bound(lane, region_slot(&lane->memory, waiter->position), waiter->hold, ret_reply);
    }
    if (reply.is_in_block) {
        reply.payload = region_reply_block(&lane->memory, waiter->hold.reply_block);
    }
    *ret_reply = reply;
    return 0;
}

void lane_client_let_go(lane_client *lane, lane_waiter *waiter)
{
    if (waiter->state == WAITER_STOWED) {
        give_blocks(lane, &waiter->hold);
        return;
    }
    *waiter_of(lane, waiter->position) = NULL;
    if (waiter->position < lane->seen) {
        give_blocks(lane, hold_of(lane, waiter->position));
    }
    lane_client_reap(lane);
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
    bool request_is_held[BLOCKS_MAX + 1] = {false};
    bool reply_is_held[BLOCKS_MAX + 1] = {false};
    uint64_t position;

    (void)lane_client_close_batch(lane);
    lane->ready = NULL;
    lane->ready_end = &lane->ready;
    if (lane->seen < lane->reaped) {
        lane->seen = lane->reaped;
    }
    for (position = lane->reaped; position < lane->next; position++) {
        lane_waiter **waiter = waiter_of(lane, position);
        lane_hold *hold = hold_of(lane, position);

        if (*waiter != NULL) {
            (void)cancel(lane, position);
            *waiter = NULL;
        }
        if (position < lane->seen) {
            *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
        }
        request_is_held[hold->request_block] = true;
        reply_is_held[hold->reply_block] = true;
    }
    /* Among the others are those that answers are in which were taken out of their slots. */
    find_free(&lane->request_blocks, geometry->request_block_count, request_is_held);
    find_free(&lane->reply_blocks, geometry->reply_block_count, reply_is_held);
    lane_client_reap(lane);
}

int lane_client_look(lane_client *lane)
{
    int rc = lane_client_flush(lane);

    if (rc == 0) {
        lane_client_reap(lane);
    }
    return rc;
}

lane_waiter *lane_client_take_ready(lane_client *lane)
{
    lane_waiter *waiter = lane->ready;

    if (waiter != NULL) {
        lane->ready = waiter->next_ready;
        if (lane->ready == NULL) {
            lane->ready_end = &lane->ready;
        }
    }
    return waiter;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that come by the inbox, with both ends of a lane: who gets them, room, blocks and turns, and servers that
 * lie.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/inbox_writer.h"
#include "runtime/lane_client_core.h"
#include "runtime/platform/clock.h"

#include <shmrpc/status.h>

#define DEPTH 4u
#define INBOX 4u
#define BLOCKS 2u
#define BIG 200u

static lane_pair pair;
static inbox_writer *writer;
static uint32_t tickets[64]; /* by value */

static void on_close(inbox_writer *self)
{
    inbox_writer_free(self);
}

static void begin(void)
{
    lane_pair_init_with_inbox(&pair, DEPTH, BLOCKS, INBOX);
    writer = inbox_writer_new(&pair.memory, &pair.caller, on_close);
    ck_assert_ptr_nonnull(writer);
    pair.server.inbox = writer;
}

static void end(void)
{
    pair.server.inbox = NULL;
    inbox_writer_close(writer);
    lane_pair_deinit(&pair);
}

/* Nothing is held, and nobody waits. */
static void expect_all_free(void)
{
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(pair.client.request_blocks.count, BLOCKS);
    ck_assert_uint_eq(pair.client.reply_blocks.count, BLOCKS);
    ck_assert_uint_eq(pair.client.moved_count, 0);
    ck_assert_uint_eq(pair.client.moved_blocks, 0);
    ck_assert_uint_eq(pair.client.reaped, pair.client.next);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
}

/* ---- the client's part ---- */

static int start(lane_waiter *waiter, uint64_t value, uint32_t size, bool wants_turn, int64_t timeout_ns)
{
    lane_call call;
    int rc = lane_client_begin(&pair.client, size, size, &timeout_ns, &call);

    if (rc != 0)
        return rc;
    memset(call.request, 0, size);
    memcpy(call.request, &value, sizeof(value));
    waiter->turn = wants_turn ? TURN_WANTED : TURN_NONE;
    waiter->until_ns = CLOCK_NEVER;
    lane_client_keep(&pair.client, &call, waiter);
    return lane_client_publish(&pair.client, &call, 5, size, timeout_ns);
}

static void expect_answer(lane_waiter *waiter, uint64_t value, uint32_t size)
{
    lane_reply reply;
    uint64_t found;

    waiter->until_ns = 0;
    ck_assert_int_eq(lane_client_await(&pair.client, waiter), 0);
    ck_assert_int_eq(lane_client_answer(&pair.client, waiter, &reply), 0);
    ck_assert_int_eq(reply.status, 0);
    ck_assert_uint_eq(reply.length, size);
    ck_assert_int_eq(reply.is_in_block, size > SHMRPC_SLOT_PAYLOAD);
    shared_copy_out(&found, reply.payload, sizeof(found));
    ck_assert_uint_eq(found, value + 1);
    lane_client_let_go(&pair.client, waiter);
}

/* ---- the server's part ---- */

/* Takes the next request and puts it off. Returns its value, by which answer() finds it. */
static uint64_t put_off(void)
{
    lane_request request;
    uint64_t value;

    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    shared_copy_out(&value, request.payload, sizeof(value));
    ck_assert_uint_lt(value, sizeof(tickets) / sizeof(tickets[0]));
    ck_assert(inbox_writer_has_room(writer));
    tickets[value] =
        inbox_writer_take(writer,
                          &(inbox_call){.serial = 1, .reply_block = request.reply_block, .position = request.position});
    lane_server_move(&pair.server, &request, tickets[value]);
    return value;
}

static void answer(uint64_t value, uint32_t size)
{
    uint64_t reply = value + 1;
    uint8_t block;
    unsigned char *to;

    inbox_writer_lock(writer);
    to = inbox_writer_place(writer, tickets[value], size, &block);
    ck_assert_ptr_nonnull(to);
    memset(to, 0, size);
    memcpy(to, &reply, sizeof(reply));
    inbox_writer_answer(writer, tickets[value], 0, size, block);
    inbox_writer_unlock(writer);
}

/* ---- who gets what ---- */

START_TEST(answers_reach_whom_they_are_for_in_any_order)
{
    static const unsigned orders[][3] = {{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {2, 1, 3}};

    for (unsigned i = 0; i < 4; i++) {
        lane_waiter waiters[4] = {0};

        for (unsigned v = 1; v <= 3; v++)
            ck_assert_int_eq(start(&waiters[v], v, v == 2 ? BIG : 8, false, 0), 0);
        for (unsigned v = 1; v <= 3; v++)
            ck_assert_uint_eq(put_off(), v);
        ck_assert_int_eq(lane_client_is_answered(&pair.client, &waiters[1]), 0);
        for (unsigned k = 0; k < 3; k++)
            answer(orders[i][k], orders[i][k] == 2 ? BIG : 8);
        for (unsigned k = 0; k < 3; k++) {
            unsigned v = orders[3 - i][k];

            expect_answer(&waiters[v], v, v == 2 ? BIG : 8);
        }
        expect_all_free();
    }
}
END_TEST

START_TEST(a_short_answer_gives_the_block_back_at_once)
{
    lane_waiter waiter = {0};

    ck_assert_int_eq(start(&waiter, 1, BIG, false, 0), 0);
    ck_assert_uint_eq(pair.client.request_blocks.count, BLOCKS - 1);
    (void)put_off();
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(pair.client.request_blocks.count, BLOCKS);
    ck_assert_uint_eq(pair.client.reply_blocks.count, BLOCKS - 1);
    answer(1, 8);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(pair.client.reply_blocks.count, BLOCKS);
    expect_answer(&waiter, 1, 8);
    expect_all_free();
}
END_TEST

START_TEST(goes_round_the_inbox_many_times)
{
    for (unsigned round = 0; round < 1000; round++) {
        lane_waiter first = {0}, second = {0};

        ck_assert_int_eq(start(&first, 1, 8, false, 0), 0);
        ck_assert_int_eq(start(&second, 2, 8, false, 0), 0);
        (void)put_off();
        lane_pair_answer(&pair, 8);
        answer(1, 8);
        expect_answer(&second, 2, 8);
        expect_answer(&first, 1, 8);
    }
    ck_assert_uint_eq(shared_get_inbox_read(pair.memory.header), 1000);
    expect_all_free();
}
END_TEST

/* The entry of the second is there before the slot that says so has been looked at. */
START_TEST(an_entry_may_be_seen_before_its_slot_was)
{
    lane_waiter first = {0}, second = {0};

    ck_assert_int_eq(start(&first, 1, 8, false, 0), 0);
    (void)put_off();
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_int_eq(start(&second, 2, 8, false, 0), 0);
    (void)put_off();
    answer(2, 8);
    answer(1, 8);
    ck_assert_int_eq(lane_client_take_entries(&pair.client), 0);
    ck_assert_int_eq(second.state, WAITER_STOWED);
    expect_answer(&first, 1, 8);
    expect_answer(&second, 2, 8);
    expect_all_free();
}
END_TEST

/* ---- calls that wait ---- */

static int put_off_then_answer(lane_pair *self)
{
    if (self->looks == 1)
        (void)put_off();
    else
        answer(1, BIG);
    return 0;
}

START_TEST(a_call_that_waits_gets_an_answer_that_comes_later)
{
    lane_call call = lane_pair_call(&pair, 1, BIG, BIG);
    lane_reply reply;
    uint64_t found;

    pair.on_look = put_off_then_answer;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 1);
    ck_assert_int_eq(lane_client_answer(&pair.client, &pair.client.spare, &reply), 0);
    ck_assert_uint_eq(reply.length, BIG);
    shared_copy_out(&found, reply.payload, sizeof(found));
    ck_assert_uint_eq(found, 2);
    lane_client_end(&pair.client, &call);
    expect_all_free();
    call = lane_pair_call(&pair, 5, 8, 8);
    lane_pair_answer(&pair, 8);
    lane_pair_expect_reply(&pair, &call, 6);
    expect_all_free();
}
END_TEST

static int put_off_only(lane_pair *self)
{
    if (self->looks == 1)
        (void)put_off();
    return 0;
}

START_TEST(a_call_that_is_given_up_takes_its_block_until_it_is_answered)
{
    lane_call call = lane_pair_call(&pair, 1, BIG, BIG);

    pair.on_look = put_off_only;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, INT64_C(150000000)), SHMRPC_E_TIMEOUT);
    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 0);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(pair.client.reply_blocks.count, BLOCKS - 1);
    ck_assert_uint_eq(pair.client.reaped, pair.client.next);
    answer(1, BIG);
    expect_all_free();
}
END_TEST

static int end_of_server(lane_pair *self)
{
    if (self->looks == 1)
        (void)put_off();
    else if (self->looks == 2)
        answer(1, 8);
    return self->looks == 2 ? SHMRPC_E_UNKNOWN : 0;
}

START_TEST(an_answer_that_was_written_before_the_server_ended_counts)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.on_look = end_of_server;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 1);
    lane_client_end(&pair.client, &call);
    expect_all_free();
}
END_TEST

static int answer_the_other(lane_pair *self)
{
    if (self->looks == 1)
        answer(1, 8);
    else
        lane_pair_answer(self, 8);
    return 0;
}

/* A server that waits for room in the inbox gets it from whoever waits, for whatever. */
START_TEST(who_waits_for_one_answer_takes_the_others)
{
    lane_waiter other = {0};
    lane_call call;

    ck_assert_int_eq(start(&other, 1, 8, false, 0), 0);
    (void)put_off();
    call = lane_pair_call(&pair, 2, 8, 8);
    pair.on_look = answer_the_other;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    ck_assert_int_eq(other.state, WAITER_STOWED);
    ck_assert_uint_eq(shared_get_inbox_read(pair.memory.header), 1);
    lane_client_end(&pair.client, &call);
    expect_answer(&other, 1, 8);
    expect_all_free();
}
END_TEST

/* ---- room ---- */

START_TEST(slots_are_free_while_answers_are_to_come)
{
    lane_waiter waiters[INBOX + DEPTH + 1] = {0};
    lane_request request;

    for (unsigned v = 1; v <= INBOX; v++) {
        ck_assert_int_eq(start(&waiters[v], v, 8, false, 0), 0);
        (void)put_off();
    }
    for (unsigned v = INBOX + 1; v <= INBOX + DEPTH; v++)
        ck_assert_int_eq(start(&waiters[v], v, 8, false, 0), 0);
    /* No ticket is left: the lane pauses, and asks to be rung for when there is room. */
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
    ck_assert(lane_server_arm(&pair.server));
    ck_assert_uint_eq(atomic_load(&pair.memory.header->inbox_wanted), 1);
    (void)lane_pair_rings(&pair);
    answer(3, 8);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
    expect_answer(&waiters[3], 3, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
    ck_assert_uint_eq(put_off(), 5);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->inbox_wanted), 0);
    for (unsigned v = 1; v <= 5; v++)
        if (v != 3)
            answer(v, 8);
    for (unsigned v = 1; v <= 5; v++)
        if (v != 3)
            expect_answer(&waiters[v], v, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    for (unsigned v = 6; v <= 8; v++) {
        lane_pair_answer(&pair, 8);
        expect_answer(&waiters[v], v, 8);
    }
    expect_all_free();
}
END_TEST

static int answer_first(lane_pair *self)
{
    if (self->looks == 1)
        answer(1, 8);
    return 0;
}

START_TEST(waits_for_a_block_that_comes_back_by_the_inbox)
{
    lane_waiter waiters[4] = {0};

    for (unsigned v = 1; v <= BLOCKS; v++) {
        ck_assert_int_eq(start(&waiters[v], v, BIG, false, 0), 0);
        (void)put_off();
    }
    ck_assert_int_eq(start(&waiters[3], 3, BIG, false, 0), SHMRPC_E_TIMEOUT);
    pair.on_look = answer_first;
    pair.looks = 0;
    ck_assert_int_eq(start(&waiters[3], 3, BIG, false, CLOCK_NEVER), 0);
    expect_answer(&waiters[1], 1, 8);
    (void)put_off();
    answer(3, BIG);
    answer(2, BIG);
    expect_answer(&waiters[2], 2, BIG);
    expect_answer(&waiters[3], 3, BIG);
    expect_all_free();
}
END_TEST

START_TEST(says_again_where_all_blocks_hold_unread_answers)
{
    lane_waiter waiters[4] = {0};

    for (unsigned v = 1; v <= BLOCKS; v++) {
        ck_assert_int_eq(start(&waiters[v], v, BIG, false, 0), 0);
        (void)put_off();
        answer(v, BIG);
    }
    ck_assert_int_eq(start(&waiters[3], 3, BIG, false, CLOCK_NEVER), SHMRPC_E_AGAIN);
    expect_answer(&waiters[2], 2, BIG);
    ck_assert_int_eq(start(&waiters[3], 3, BIG, false, 0), 0);
    lane_pair_answer(&pair, BIG);
    expect_answer(&waiters[3], 3, BIG);
    expect_answer(&waiters[1], 1, BIG);
    expect_all_free();
}
END_TEST

/* ---- turns, wishes, letting go ---- */

START_TEST(turns_come_in_the_order_of_answers)
{
    lane_waiter waiters[5] = {0};

    for (unsigned v = 1; v <= 4; v++) {
        ck_assert_int_eq(start(&waiters[v], v, 8, v != 4, 0), 0);
        (void)put_off();
    }
    answer(3, 8);
    answer(4, 8);
    answer(2, 8);
    answer(1, 8);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiters[3]);
    expect_answer(&waiters[3], 3, 8);
    /* One that is let go of before its turn has none. */
    expect_answer(&waiters[2], 2, 8);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiters[1]);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    expect_answer(&waiters[1], 1, 8);
    expect_answer(&waiters[4], 4, 8);
    ck_assert_int_eq(start(&waiters[1], 1, 8, true, 0), 0);
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    expect_answer(&waiters[1], 1, 8);
    expect_all_free();
}
END_TEST

START_TEST(a_loop_is_poked_for_an_entry)
{
    lane_waiter waiter = {0};

    ck_assert_int_eq(start(&waiter, 1, 8, true, 0), 0);
    lane_client_arm(&pair.client, waiter.position);
    ck_assert(!lane_client_has_news(&pair.client));
    (void)put_off();
    ck_assert_uint_eq(pair.pokes, 1);
    ck_assert(lane_client_has_news(&pair.client));
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    lane_client_arm(&pair.client, 0);
    ck_assert(!lane_client_has_news(&pair.client));
    answer(1, 8);
    ck_assert_uint_eq(pair.pokes, 2);
    ck_assert(lane_client_has_news(&pair.client));
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiter);
    expect_answer(&waiter, 1, 8);
    lane_client_disarm(&pair.client);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->wish), WISH_NONE);
}
END_TEST

START_TEST(answers_to_whoever_was_let_go_of_are_dropped)
{
    lane_waiter waiters[4] = {0};

    for (unsigned v = 1; v <= 2; v++) {
        ck_assert_int_eq(start(&waiters[v], v, BIG, true, 0), 0);
        (void)put_off();
    }
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_int_eq(lane_client_withdraw(&pair.client, &waiters[1]), 0);
    lane_client_let_go(&pair.client, &waiters[1]);
    lane_client_abandon(&pair.client);
    memset(waiters, 0xee, sizeof(waiters));
    ck_assert_uint_eq(pair.client.reply_blocks.count, 0);
    answer(2, BIG);
    answer(1, 8);
    expect_all_free();
    for (size_t i = 0; i < sizeof(waiters); i++)
        ck_assert_uint_eq(((const unsigned char *)waiters)[i], 0xee);
}
END_TEST

/* Once each, and nobody else: not those that were let go of before, nor those that are answered. */
START_TEST(abandoning_tells_of_calls_that_are_put_off)
{
    lane_waiter waiters[INBOX] = {0};

    for (unsigned v = 1; v <= 4; v++) {
        ck_assert_int_eq(start(&waiters[v - 1], v, 8, v == 2, 0), 0);
        if (v <= 3)
            (void)put_off();
        if (v == 2) /* the third one's slot has not been looked at */
            ck_assert_int_eq(lane_client_look(&pair.client), 0);
    }
    lane_client_let_go(&pair.client, &waiters[0]);
    lane_pair_answer(&pair, 8);
    lane_client_abandon(&pair.client);
    ck_assert_uint_eq(pair.abandoned_count, 2);
    ck_assert_uint_eq(pair.abandoned[0] + pair.abandoned[1], 2 + 3);
    ck_assert(pair.abandoned[0] == 2 || pair.abandoned[0] == 3);
    lane_client_abandon(&pair.client);
    ck_assert_uint_eq(pair.abandoned_count, 2);
    for (unsigned v = 1; v <= 3; v++)
        answer(v, 8);
    expect_all_free();
}
END_TEST

/* Answers, ends, and is seen to have done both in one look, for which the alarm has been taken. */
static int answer_and_end(lane_pair *on)
{
    if (on->looks == 1)
        answer(1, 8);
    return SHMRPC_E_UNKNOWN;
}

START_TEST(an_end_that_is_seen_with_an_answer_is_told_to_the_next_who_waits)
{
    lane_waiter waiters[2] = {0};

    for (unsigned v = 1; v <= 2; v++) {
        ck_assert_int_eq(start(&waiters[v - 1], v, 8, false, 0), 0);
        (void)put_off();
    }
    pair.on_look = answer_and_end;
    pair.peer.is_watched = true;
    alarm_set(&pair.peer.alarm);
    ck_assert_int_eq(lane_client_await(&pair.client, &waiters[0]), 0);
    ck_assert_uint_eq(pair.looks, 1);
    ck_assert(alarm_is_set(&pair.peer.alarm));
    ck_assert_int_eq(lane_client_await(&pair.client, &waiters[1]), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(pair.looks, 2);
    expect_answer(&waiters[0], 1, 8);
    lane_client_let_go(&pair.client, &waiters[1]);
    answer(2, 8);
    expect_all_free();
}
END_TEST

/* ---- lies ---- */

static const struct {
    const char *what;
    uint32_t ticket; /* the right one is 0 */
    uint32_t length;
    uint32_t word_lie;
    uint8_t kind;
    uint8_t block; /* the right one is the first */
} lies[] = {
    {"a ticket beyond the inbox", INBOX, 8, 0, INBOX_REPLY, 0},
    {"a ticket without bound", UINT32_MAX, 8, 0, INBOX_REPLY, 0},
    {"a ticket that nobody has", 1, 8, 0, INBOX_REPLY, 0},
    {"no kind", 0, 8, 0, 0, 0},
    {"a kind of its own", 0, 8, 0, 200, 0},
    {"a byte more than an entry holds", 0, 49, 0, INBOX_REPLY, 0},
    {"a length without bound", 0, UINT32_MAX, 0, INBOX_REPLY, 0},
    {"a block that was not offered", 0, 8, 0, INBOX_REPLY, 2},
    {"a block that there is not", 0, 8, 0, INBOX_REPLY, 255},
    {"more than the block holds", 0, PAIR_BLOCK + 1, 0, INBOX_REPLY, 1},
    {"the word of another lap", 0, 8, 1u << WORD_LAP_SHIFT, INBOX_REPLY, 0},
    {"a word that says request", 0, 8, WORD_REPLY ^ WORD_REQUEST, INBOX_REPLY, 0},
    {"a word with a mark", 0, 8, WORD_WISH, INBOX_REPLY, 0},
};

START_TEST(refuses_an_entry_that_lies)
{
    lane_waiter waiter = {0};
    slot *entry = region_entry(&pair.memory, 1);
    slot_header header = {0, lies[_i].kind, lies[_i].block, lies[_i].length, lies[_i].ticket};

    ck_assert_int_eq(start(&waiter, 1, BIG, true, 0), 0);
    (void)put_off();
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(waiter.ticket, 0);
    ck_assert_uint_eq(pair.client.moved[0].reply_block, 1);
    shared_store_header(entry, header);
    shared_publish_entry(entry, word_reply(1, pair.memory.inbox_shift) ^ lies[_i].word_lie);
    for (unsigned again = 0; again < 2; again++) {
        ck_assert_msg(lane_client_look(&pair.client) == SHMRPC_E_PROTOCOL, "%s", lies[_i].what);
        ck_assert_int_eq(lane_client_await(&pair.client, &waiter), SHMRPC_E_PROTOCOL);
    }
    ck_assert_int_eq(waiter.state, WAITER_MOVED);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    ck_assert_uint_eq(pair.client.reply_blocks.count, BLOCKS - 1);
}
END_TEST

START_TEST(refuses_a_ticket_that_is_none)
{
    static const uint32_t bad[] = {0, INBOX, UINT32_MAX};
    lane_waiter first = {0}, second = {0};
    slot *at;

    ck_assert_int_eq(start(&first, 1, 8, false, 0), 0);
    (void)put_off();
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_int_eq(start(&second, 2, 8, false, 0), 0);
    at = region_slot(&pair.memory, second.position);
    shared_store_header(at, (slot_header){0, 0, 0, 0, bad[_i]});
    shared_publish_reply(at, word_of(second.position, pair.memory.shift, WORD_MOVED));
    ck_assert_int_eq(lane_client_look(&pair.client), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(lane_client_await(&pair.client, &second), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(second.state, WAITER_SENT);
    ck_assert_uint_eq(pair.client.moved_count, 1);
}
END_TEST

/* Behind one that has not been answered. */
START_TEST(refuses_a_call_that_is_put_off_out_of_order)
{
    lane_waiter first = {0}, second = {0};
    slot *at;

    ck_assert_int_eq(start(&first, 1, 8, false, 0), 0);
    ck_assert_int_eq(start(&second, 2, 8, false, 0), 0);
    at = region_slot(&pair.memory, second.position);
    shared_store_header(at, (slot_header){0, 0, 0, 0, 0});
    shared_publish_reply(at, word_of(second.position, pair.memory.shift, WORD_MOVED));
    ck_assert_int_eq(lane_client_await(&pair.client, &second), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(lane_client_await(&pair.client, &first), SHMRPC_E_PROTOCOL);
}
END_TEST

START_TEST(refuses_a_call_that_is_put_off_without_an_inbox)
{
    lane_pair without;
    lane_call call;
    slot *at;

    lane_pair_init(&without, DEPTH, 0);
    call = lane_pair_call(&without, 1, 8, 8);
    at = region_slot(&without.memory, 1);
    shared_store_header(at, (slot_header){0});
    shared_publish_reply(at, word_of(1, without.memory.shift, WORD_MOVED));
    ck_assert_int_eq(lane_client_wait(&without.client, &call, CLOCK_NEVER), SHMRPC_E_PROTOCOL);
    lane_pair_deinit(&without);
}
END_TEST

/* Entries that nobody waits for are not looked at, and those that are taken are as many as there are tickets. */
START_TEST(takes_no_more_entries_than_calls_were_put_off)
{
    lane_waiter waiter = {0};

    for (unsigned e = 1; e <= INBOX; e++) {
        shared_store_header(region_entry(&pair.memory, e), (slot_header){0, INBOX_REPLY, 0, 8, 0});
        shared_publish_entry(region_entry(&pair.memory, e), word_reply(e, pair.memory.inbox_shift));
    }
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_int_eq(start(&waiter, 1, 8, false, 0), 0);
    (void)put_off();
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_int_eq(waiter.state, WAITER_STOWED);
    ck_assert_uint_eq(pair.client.inbox_next, 2);
    ck_assert_uint_eq(shared_get_inbox_read(pair.memory.header), 1);
}
END_TEST

static Suite *lane_inbox_suite(void)
{
    Suite *suite = suite_create("runtime_lane_inbox");
    TCase *tests = tcase_create("lane_inbox");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, answers_reach_whom_they_are_for_in_any_order);
    tcase_add_test(tests, a_short_answer_gives_the_block_back_at_once);
    tcase_add_test(tests, goes_round_the_inbox_many_times);
    tcase_add_test(tests, an_entry_may_be_seen_before_its_slot_was);
    tcase_add_test(tests, a_call_that_waits_gets_an_answer_that_comes_later);
    tcase_add_test(tests, a_call_that_is_given_up_takes_its_block_until_it_is_answered);
    tcase_add_test(tests, an_answer_that_was_written_before_the_server_ended_counts);
    tcase_add_test(tests, who_waits_for_one_answer_takes_the_others);
    tcase_add_test(tests, slots_are_free_while_answers_are_to_come);
    tcase_add_test(tests, waits_for_a_block_that_comes_back_by_the_inbox);
    tcase_add_test(tests, says_again_where_all_blocks_hold_unread_answers);
    tcase_add_test(tests, turns_come_in_the_order_of_answers);
    tcase_add_test(tests, a_loop_is_poked_for_an_entry);
    tcase_add_test(tests, answers_to_whoever_was_let_go_of_are_dropped);
    tcase_add_test(tests, an_end_that_is_seen_with_an_answer_is_told_to_the_next_who_waits);
    tcase_add_test(tests, abandoning_tells_of_calls_that_are_put_off);
    tcase_add_loop_test(tests, refuses_an_entry_that_lies, 0, (int)(sizeof(lies) / sizeof(lies[0])));
    tcase_add_loop_test(tests, refuses_a_ticket_that_is_none, 0, 3);
    tcase_add_test(tests, refuses_a_call_that_is_put_off_out_of_order);
    tcase_add_test(tests, refuses_a_call_that_is_put_off_without_an_inbox);
    tcase_add_test(tests, takes_no_more_entries_than_calls_were_put_off);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_inbox_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calling end, where answers are read later and requests are published together: order, room, blocks, turns.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/lane_client_loan.h"
#include "runtime/platform/clock.h"

#include <shmrpc/status.h>

#define MS INT64_C(1000000)

static lane_pair pair;

static void begin(void)
{
    lane_pair_init(&pair, 4, 2);
}

static void end(void)
{
    lane_pair_deinit(&pair);
}

/* Starts a call with `value` that asks for a turn or not. */
static int start(lane_waiter *waiter, uint64_t value, uint32_t size, bool wants_turn, int64_t timeout_ns)
{
    lane_call call;
    int rc = lane_client_begin(&pair.client, size, size, &timeout_ns, &call);

    if (rc != 0) {
        return rc;
    }
    memset(call.request, 0, size);
    memcpy(call.request, &value, sizeof(value));
    waiter->turn = wants_turn ? TURN_WANTED : TURN_NONE;
    waiter->method = 7;
    waiter->until_ns = CLOCK_NEVER;
    lane_client_keep(&pair.client, &call, waiter);
    return lane_client_publish(&pair.client, &call, 5, size, timeout_ns);
}

/* Oneway: nobody waits. */
static int post(uint64_t value, uint32_t size, int64_t timeout_ns)
{
    lane_call call;
    int rc = lane_client_begin(&pair.client, size, 0, &timeout_ns, &call);

    if (rc != 0) {
        return rc;
    }
    memset(call.request, 0, size);
    memcpy(call.request, &value, sizeof(value));
    return lane_client_publish(&pair.client, &call, 6, size, timeout_ns);
}

static void expect_answer(lane_waiter *waiter, uint64_t value)
{
    lane_reply reply;
    uint64_t found;

    ck_assert(lane_client_is_answered(&pair.client, waiter));
    waiter->until_ns = 0;
    ck_assert_int_eq(lane_client_await(&pair.client, waiter), 0);
    ck_assert_int_eq(lane_client_answer(&pair.client, waiter, &reply), 0);
    ck_assert_int_eq(reply.status, 0);
    shared_copy_out(&found, reply.payload, sizeof(found));
    ck_assert_uint_eq(found, value);
    lane_client_let_go(&pair.client, waiter);
}

static uint8_t blocks_free(void)
{
    ck_assert_uint_eq(pair.client.request_blocks.count, pair.client.reply_blocks.count);
    return pair.client.request_blocks.count;
}

static bool is_published(uint64_t position)
{
    return (lane_pair_word(&pair, position) & ~WORD_MARKS) == word_request(position, pair.memory.shift);
}

/* ---- order ---- */

START_TEST(answers_are_read_in_any_order_and_slots_come_back_in_theirs)
{
    static const unsigned orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};

    for (uint64_t lap = 0; lap < 8; lap++) {
        const unsigned *order = orders[lap % 4];
        lane_waiter waiters[4];
        bool is_read[4] = {false};

        for (uint64_t i = 0; i < 4; i++) {
            ck_assert_int_eq(start(&waiters[i], 100 * lap + i, 8, false, MS), 0);
            ck_assert(!lane_client_is_answered(&pair.client, &waiters[i]));
        }
        for (unsigned i = 0; i < 4; i++) {
            lane_pair_answer(&pair, 8);
        }
        for (unsigned i = 0; i < 4; i++) {
            unsigned first = 0;

            expect_answer(&waiters[order[i]], 100 * lap + order[i] + 1);
            is_read[order[i]] = true;
            while (first < 4 && is_read[first]) {
                first++;
            }
            /* What is read out of turn comes back when somebody looks. */
            ck_assert_int_eq(lane_client_reap(&pair.client), 0);
            ck_assert_uint_eq(pair.client.reaped, 4 * lap + 1 + first);
        }
    }
}
END_TEST

START_TEST(blocks_come_back_one_by_one)
{
    lane_waiter first;
    lane_waiter second;

    ck_assert_int_eq(start(&first, 1, PAIR_BLOCK, false, MS), 0);
    ck_assert_int_eq(start(&second, 2, PAIR_BLOCK, false, MS), 0);
    ck_assert_uint_eq(blocks_free(), 0);
    lane_pair_answer(&pair, PAIR_BLOCK);
    lane_pair_answer(&pair, PAIR_BLOCK);
    expect_answer(&second, 3);
    ck_assert_uint_eq(blocks_free(), 1);
    ck_assert_uint_eq(pair.client.reaped, 1);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(blocks_free(), 1);
    expect_answer(&first, 2);
    ck_assert_uint_eq(blocks_free(), 2);
    ck_assert_int_eq(lane_client_reap(&pair.client), 0);
    ck_assert_uint_eq(pair.client.reaped, 3);
}
END_TEST

START_TEST(what_nobody_waits_for_gives_its_blocks_back_behind_an_answer_that_is_unread)
{
    lane_waiter kept;

    ck_assert_int_eq(start(&kept, 1, 8, false, MS), 0);
    ck_assert_int_eq(post(2, PAIR_BLOCK, MS), 0);
    ck_assert_int_eq(post(3, PAIR_BLOCK, MS), 0);
    ck_assert_uint_eq(pair.client.request_blocks.count, 0);
    for (unsigned i = 0; i < 3; i++) {
        lane_pair_answer(&pair, 8);
    }
    ck_assert_int_eq(post(4, PAIR_BLOCK, MS), 0);
    ck_assert_uint_eq(pair.client.request_blocks.count, 1);
    ck_assert_uint_eq(pair.client.reaped, 1);
    expect_answer(&kept, 2);
    ck_assert_uint_eq(pair.client.reaped, 4);
}
END_TEST

START_TEST(a_call_that_is_waited_for_goes_on_beside_those_in_flight)
{
    lane_waiter waiters[2];

    ck_assert_int_eq(start(&waiters[0], 10, 8, false, MS), 0);
    ck_assert_int_eq(start(&waiters[1], 20, PAIR_BLOCK, false, MS), 0);
    lane_pair_answer(&pair, 8);
    lane_pair_answer(&pair, 8);
    for (uint64_t n = 0; n < 2; n++) {
        lane_call call = lane_pair_call(&pair, n, PAIR_BLOCK, PAIR_BLOCK);

        lane_pair_answer(&pair, PAIR_BLOCK);
        lane_pair_expect_reply(&pair, &call, n + 1);
        ck_assert_uint_eq(blocks_free(), 1);
    }
    ck_assert_uint_eq(pair.client.reaped, 1);
    expect_answer(&waiters[1], 21);
    expect_answer(&waiters[0], 11);
    ck_assert_uint_eq(pair.client.reaped, 5);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

/* ---- room ---- */

static int answer_one(lane_pair *with)
{
    (void)with;
    lane_pair_answer(&pair, 8);
    return 0;
}

START_TEST(takes_unread_answers_out_of_slots_that_are_needed)
{
    lane_waiter waiters[11];

    for (uint64_t i = 0; i < 4; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 8, false, MS), 0);
    }
    ck_assert_int_eq(start(&waiters[4], 4, 8, false, 2 * MS), SHMRPC_E_TIMEOUT);
    for (uint64_t i = 4; i < 11; i++) {
        lane_pair_answer(&pair, 8);
        ck_assert_int_eq(start(&waiters[i], i, 8, false, MS), 0);
        ck_assert_uint_eq(waiters[i].position, i + 1);
        ck_assert_uint_eq(pair.client.reaped, i - 2);
        ck_assert_uint_eq(waiters[i - 4].state, WAITER_STOWED);
        ck_assert_uint_eq(waiters[i - 3].state, WAITER_SENT);
    }
    ck_assert_int_eq(lane_client_withdraw(&pair.client, &waiters[0]), 1);
    for (uint64_t i = 7; i-- > 0;) {
        expect_answer(&waiters[i], i + 1);
    }
    ck_assert(!lane_client_is_answered(&pair.client, &waiters[7]));
}
END_TEST

START_TEST(waits_for_a_slot_and_then_takes_the_answer_out_of_it)
{
    lane_waiter waiters[5];

    for (uint64_t i = 0; i < 4; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 8, false, MS), 0);
    }
    pair.on_look = answer_one;
    ck_assert_int_eq(start(&waiters[4], 9, 8, false, CLOCK_NEVER), 0);
    ck_assert_uint_eq(pair.looks, 1);
    expect_answer(&waiters[0], 1);
}
END_TEST

START_TEST(an_answer_that_does_not_need_its_block_gives_it_to_who_does)
{
    lane_waiter waiters[3];

    ck_assert_int_eq(start(&waiters[0], 0, 100, false, MS), 0);
    ck_assert_int_eq(start(&waiters[1], 1, 100, false, MS), 0);
    ck_assert_int_eq(start(&waiters[2], 2, 100, false, 2 * MS), SHMRPC_E_TIMEOUT);
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(start(&waiters[2], 2, 100, false, MS), 0);
    expect_answer(&waiters[0], 1);
    lane_pair_answer(&pair, 100);
    expect_answer(&waiters[1], 2);
    lane_pair_answer(&pair, 100);
    expect_answer(&waiters[2], 3);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

START_TEST(says_again_where_all_blocks_hold_unread_answers)
{
    lane_waiter waiters[2];
    lane_waiter held;
    lane_waiter late;

    ck_assert_int_eq(start(&waiters[0], 0, 100, false, MS), 0);
    ck_assert_int_eq(start(&waiters[1], 1, 100, false, MS), 0);
    ck_assert_int_eq(start(&held, 2, 8, false, MS), 0);
    lane_pair_answer(&pair, 100);
    pair.on_look = answer_one;
    ck_assert_int_eq(start(&late, 9, 100, false, CLOCK_NEVER), 0); /* the second answer needs no block */
    lane_client_let_go(&pair.client, &late);
    lane_pair_answer(&pair, 8);
    lane_pair_answer(&pair, 100);
    ck_assert_int_eq(start(&late, 9, 100, false, MS), 0);
    lane_pair_answer(&pair, 100);
    ck_assert_int_eq(start(&waiters[1], 9, 100, false, CLOCK_NEVER), SHMRPC_E_AGAIN);
    ck_assert_int_eq(post(9, 100, MS), 0); /* that takes a request block alone */
    ck_assert_int_eq(start(&waiters[1], 9, 8, false, MS), 0);
    expect_answer(&waiters[0], 1);
    expect_answer(&late, 10);
}
END_TEST

START_TEST(refuses_an_answer_that_lies_when_it_is_taken_out_of_its_slot)
{
    lane_waiter waiters[4];
    lane_waiter late;

    for (uint64_t i = 0; i < 4; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 8, false, MS), 0);
    }
    lane_pair_answer(&pair, 8);
    shared_store_header(region_slot(&pair.memory, 1), (slot_header){0, 0, 0, 49, 0});
    ck_assert_int_eq(start(&late, 9, 8, false, CLOCK_NEVER), SHMRPC_E_PROTOCOL);
}
END_TEST

/* ---- withdrawn, let go ---- */

START_TEST(a_call_that_is_withdrawn_still_ends_by_its_answer)
{
    lane_waiter waiter;
    lane_request request;
    lane_reply reply;

    ck_assert_int_eq(start(&waiter, 1, 100, false, MS), 0);
    ck_assert_int_eq(lane_client_withdraw(&pair.client, &waiter), 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert(request.cancelled);
    lane_server_answer(&pair.server, &request, SHMRPC_E_CANCELLED, 0, BLOCK_NONE);
    ck_assert_int_eq(lane_client_await(&pair.client, &waiter), 0);
    ck_assert_int_eq(lane_client_withdraw(&pair.client, &waiter), 1);
    ck_assert_int_eq(lane_client_answer(&pair.client, &waiter, &reply), 0);
    ck_assert_int_eq(reply.status, SHMRPC_E_CANCELLED);
    lane_client_let_go(&pair.client, &waiter);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

START_TEST(a_call_that_is_let_go_before_its_answer_ends_by_itself)
{
    lane_waiter gone;
    lane_waiter other;

    ck_assert_int_eq(start(&gone, 1, 100, true, MS), 0);
    ck_assert_int_eq(start(&other, 2, 8, true, MS), 0);
    lane_client_let_go(&pair.client, &gone);
    memset(&gone, 0xee, sizeof(gone)); /* its memory is the caller's */
    ck_assert_uint_eq(blocks_free(), 1);
    lane_pair_answer(&pair, 100);
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(blocks_free(), 2);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &other);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    expect_answer(&other, 3);
    ck_assert_uint_eq(pair.client.reaped, 3);
}
END_TEST

START_TEST(abandoning_all_touches_no_waiter_and_loses_no_block)
{
    lane_waiter waiters[6];

    /* The first one's answer is taken out of its slot and is in a block; the second's is in its slot and a block. */
    ck_assert_int_eq(start(&waiters[0], 0, 100, true, MS), 0);
    ck_assert_int_eq(start(&waiters[1], 1, 8, true, MS), 0);
    ck_assert_int_eq(start(&waiters[2], 2, 8, false, MS), 0);
    ck_assert_int_eq(start(&waiters[3], 3, 8, true, MS), 0);
    lane_pair_answer(&pair, 100);
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(start(&waiters[4], 4, 100, true, MS), 0);
    ck_assert_uint_eq(waiters[0].state, WAITER_STOWED);
    lane_client_open_batch(&pair.client);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    memset(waiters, 0xee, sizeof(waiters));

    lane_client_abandon(&pair.client);
    ck_assert(!pair.client.in_batch);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    for (uint64_t position = 3; position < 6; position++) {
        ck_assert_uint_eq(lane_pair_word(&pair, position), word_request(position, pair.memory.shift) | WORD_CANCEL);
    }
    ck_assert_uint_eq(pair.client.reaped, 3);
    ck_assert_uint_eq(blocks_free(), 1); /* the fifth's are with the server */
    for (unsigned i = 0; i < 3; i++) {
        lane_pair_answer(&pair, 8);
    }
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_uint_eq(pair.client.reaped, 6);
    ck_assert_uint_eq(blocks_free(), 2);
    for (size_t i = 0; i < sizeof(waiters); i++) {
        ck_assert_uint_eq(((const unsigned char *)waiters)[i], 0xee);
    }
}
END_TEST

/* ---- turns ---- */

START_TEST(gives_turns_in_order_and_once_to_those_that_want_them)
{
    lane_waiter waiters[4];

    for (uint64_t i = 0; i < 4; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 8, i != 1, MS), 0);
    }
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiters[0]);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    for (unsigned i = 1; i < 4; i++) {
        lane_pair_answer(&pair, 8);
    }
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiters[2]);
    ck_assert_ptr_eq(lane_client_take_ready(&pair.client), &waiters[3]);
    ck_assert_ptr_null(lane_client_take_ready(&pair.client));
    for (unsigned i = 0; i < 4; i++) {
        expect_answer(&waiters[i], i + 1);
    }
}
END_TEST

/* ---- batches ---- */

START_TEST(publishes_a_batch_in_the_end_with_one_ring)
{
    lane_waiter waiter;

    ck_assert(lane_server_arm(&pair.server));
    lane_client_open_batch(&pair.client);
    ck_assert_int_eq(post(1, 8, MS), 0);
    ck_assert_int_eq(start(&waiter, 2, 8, false, MS), 0);
    ck_assert_int_eq(post(3, 100, MS), 0);
    for (uint64_t position = 1; position < 4; position++) {
        ck_assert(!is_published(position));
    }
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    for (uint64_t position = 1; position < 4; position++) {
        ck_assert(is_published(position));
    }
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    for (unsigned i = 0; i < 3; i++) {
        lane_pair_answer(&pair, 8);
    }
    expect_answer(&waiter, 3);
    ck_assert_int_eq(post(4, 8, MS), 0); /* and after it one by one again */
    ck_assert(is_published(4));
}
END_TEST

/* Begins anew with a ring in which a batch of several pieces has room. */
static void widen(void)
{
    lane_pair_deinit(&pair);
    lane_pair_init(&pair, 4 * BATCH_PIECE, 0);
}

START_TEST(publishes_a_long_batch_in_pieces_while_the_server_is_awake)
{
    widen();
    lane_client_open_batch(&pair.client);
    for (uint64_t n = 1; n <= 2 * BATCH_PIECE + 1; n++) {
        ck_assert_int_eq(post(n, 8, MS), 0);
        ck_assert_uint_eq(pair.client.unsent, n % BATCH_PIECE);
        ck_assert_uint_eq(is_published(n), n % BATCH_PIECE == 0);
    }
    ck_assert(is_published(1));
    ck_assert(!is_published(2 * BATCH_PIECE + 1));
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert(is_published(2 * BATCH_PIECE + 1));
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
}
END_TEST

START_TEST(keeps_a_long_batch_for_a_server_that_sleeps)
{
    widen();
    ck_assert(lane_server_arm(&pair.server));
    lane_client_open_batch(&pair.client);
    for (uint64_t n = 1; n <= 2 * BATCH_PIECE + 1; n++) {
        ck_assert_int_eq(post(n, 8, MS), 0);
        ck_assert_uint_eq(pair.client.unsent, n);
    }
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
    ck_assert(is_published(1));
    ck_assert(is_published(2 * BATCH_PIECE + 1));
}
END_TEST

START_TEST(the_time_of_a_call_begins_when_its_batch_is_published)
{
    static const int64_t spans_ns[] = {MS, INT64_C(3600000) * MS, CLOCK_NEVER};
    lane_waiter waiters[4];
    int64_t before_ns;

    lane_client_open_batch(&pair.client);
    for (unsigned i = 0; i < 4; i++) {
        lane_call call;
        int64_t timeout_ns = MS;

        ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
        waiters[i].turn = TURN_NONE;
        waiters[i].until_ns = i < 3 ? -spans_ns[i] : 5; /* the last one has a deadline already */
        lane_client_keep(&pair.client, &call, &waiters[i]);
        ck_assert_int_eq(lane_client_publish(&pair.client, &call, 5, 8, timeout_ns), 0);
        ck_assert_int_eq(waiters[i].until_ns, i < 3 ? -spans_ns[i] : 5);
    }
    before_ns = clock_now_ns();
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert_int_ge(waiters[0].until_ns, before_ns + MS);
    ck_assert_int_le(waiters[0].until_ns, clock_now_ns() + MS);
    ck_assert_int_ge(waiters[1].until_ns, before_ns + spans_ns[1] - CLOCK_TICK_MOST_NS);
    ck_assert_int_le(waiters[1].until_ns, clock_now_ns() + spans_ns[1] + CLOCK_TICK_MOST_NS);
    ck_assert(waiters[2].until_ns == CLOCK_NEVER);
    ck_assert_int_eq(waiters[3].until_ns, 5);
}
END_TEST

START_TEST(an_answer_that_is_read_leaves_the_slots_behind_it_alone)
{
    lane_waiter waiters[3];

    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 8, false, MS), 0);
        lane_pair_answer(&pair, 8);
    }
    expect_answer(&waiters[0], 1);
    ck_assert_uint_eq(pair.client.reaped, 2);
    ck_assert_uint_eq(pair.client.seen, 1); /* nobody has looked */
    expect_answer(&waiters[2], 3);
    ck_assert_uint_eq(pair.client.reaped, 2);
    expect_answer(&waiters[1], 2);
    ck_assert_uint_eq(pair.client.reaped, 3);
    ck_assert_int_eq(lane_client_reap(&pair.client), 0);
    ck_assert_uint_eq(pair.client.reaped, 4);
}
END_TEST

START_TEST(an_empty_batch_publishes_nothing)
{
    ck_assert(lane_server_arm(&pair.server));
    lane_client_open_batch(&pair.client);
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    ck_assert_uint_eq(pair.client.next, 1);
}
END_TEST

START_TEST(whatever_waits_within_a_batch_publishes_it_first)
{
    lane_waiter waiter;
    int64_t timeout_ns = CLOCK_NEVER;
    lane_call call;

    lane_client_open_batch(&pair.client);
    ck_assert_int_eq(start(&waiter, 1, 8, false, MS), 0);
    pair.on_look = answer_one;
    ck_assert_int_eq(lane_client_await(&pair.client, &waiter), 0);
    expect_answer(&waiter, 2);

    ck_assert_int_eq(start(&waiter, 2, 8, false, MS), 0);
    ck_assert(!is_published(2));
    ck_assert_int_eq(lane_client_withdraw(&pair.client, &waiter), 0);
    ck_assert_uint_eq(lane_pair_word(&pair, 2), word_request(2, pair.memory.shift) | WORD_CANCEL);
    lane_pair_answer(&pair, 8);
    lane_client_let_go(&pair.client, &waiter);

    ck_assert_int_eq(start(&waiter, 3, 8, true, MS), 0);
    ck_assert_int_eq(lane_client_look(&pair.client), 0);
    ck_assert(is_published(3));
    lane_pair_answer(&pair, 8);
    lane_client_let_go(&pair.client, &waiter);

    ck_assert_int_eq(post(4, 8, MS), 0);
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    memcpy(call.request, &(uint64_t){5}, 8);
    ck_assert_int_eq(lane_client_publish(&pair.client, &call, 5, 8, timeout_ns), 0);
    ck_assert(!is_published(4));
    ck_assert(!is_published(5));
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), SHMRPC_E_TIMEOUT);
    ck_assert(is_published(4));
    ck_assert(is_published(5));
    ck_assert(pair.client.in_batch);
}
END_TEST

static int answer_all(lane_pair *with)
{
    lane_request request;

    while (lane_server_take(&with->server, &request) == 1) {
        lane_server_answer(&with->server, &request, 0, 0, BLOCK_NONE);
    }
    return 0;
}

START_TEST(a_batch_may_be_longer_than_the_ring)
{
    ck_assert(lane_server_arm(&pair.server));
    lane_client_open_batch(&pair.client);
    pair.on_look = answer_all;
    for (uint64_t n = 0; n < 11; n++) {
        ck_assert_int_eq(post(n, 8, CLOCK_NEVER), 0);
    }
    ck_assert_uint_eq(lane_pair_rings(&pair), 1); /* it was awake from then on */
    ck_assert_uint_eq(pair.looks, 2);
    ck_assert_uint_eq(pair.client.unsent, 3);
    ck_assert_int_eq(lane_client_close_batch(&pair.client), 0);
    ck_assert(is_published(9));
    ck_assert(is_published(11));
}
END_TEST

START_TEST(a_want_of_room_is_told_after_the_doorbell)
{
    lane_waiter waiters[2];
    lane_waiter late;

    for (uint64_t i = 0; i < 2; i++) {
        ck_assert_int_eq(start(&waiters[i], i, 100, false, MS), 0);
        lane_pair_answer(&pair, 100);
    }
    ck_assert(lane_server_arm(&pair.server));
    lane_client_open_batch(&pair.client);
    ck_assert_int_eq(post(2, 8, MS), 0);
    ck_assert_int_eq(post(3, 8, MS), 0);
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    ck_assert_int_eq(start(&late, 9, 100, false, CLOCK_NEVER), SHMRPC_E_AGAIN);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
    ck_assert(is_published(3));
    ck_assert(is_published(4));
}
END_TEST

START_TEST(refuses_slots_of_a_batch_that_the_server_changed)
{
    for (uint64_t changed = 1; changed < 4; changed++) {
        lane_pair_move_to(&pair, 1);
        lane_client_open_batch(&pair.client);
        for (uint64_t n = 0; n < 3; n++) {
            ck_assert_int_eq(post(n, 8, MS), 0);
        }
        atomic_store(&region_slot(&pair.memory, changed)->word, word_reply(changed, pair.memory.shift));
        ck_assert_int_eq(lane_client_close_batch(&pair.client), SHMRPC_E_PROTOCOL);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "not its own"));
    }
}
END_TEST

/* ---- what is lent ---- */

START_TEST(an_answer_that_is_kept_in_place_is_where_it_was_when_it_was_bounded)
{
    lane_waiter waiter = {0};
    lane_reply reply;
    lane_loan loan;
    slot *at;

    ck_assert_int_eq(start(&waiter, 7, 100, false, CLOCK_NEVER), 0);
    lane_pair_answer(&pair, 100);
    ck_assert_int_eq(lane_client_answer(&pair.client, &waiter, &reply), 0);
    ck_assert(reply.is_in_block);
    at = region_slot(&pair.memory, waiter.position);
    at->reply_block = BLOCK_NONE;
    at->length = 8;
    lane_client_keep_in_place(&pair.client, &waiter, &reply, &loan);
    ck_assert_ptr_eq(loan.room, reply.payload);
    ck_assert_uint_eq(pair.client.reply_blocks.count, 1);
    lane_client_take_back(&pair.client, &loan);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

static Suite *lane_waiters_suite(void)
{
    Suite *suite = suite_create("runtime_lane_waiters");
    TCase *tests = tcase_create("lane_waiters");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, an_answer_that_is_kept_in_place_is_where_it_was_when_it_was_bounded);
    tcase_add_test(tests, answers_are_read_in_any_order_and_slots_come_back_in_theirs);
    tcase_add_test(tests, blocks_come_back_one_by_one);
    tcase_add_test(tests, what_nobody_waits_for_gives_its_blocks_back_behind_an_answer_that_is_unread);
    tcase_add_test(tests, a_call_that_is_waited_for_goes_on_beside_those_in_flight);
    tcase_add_test(tests, takes_unread_answers_out_of_slots_that_are_needed);
    tcase_add_test(tests, waits_for_a_slot_and_then_takes_the_answer_out_of_it);
    tcase_add_test(tests, an_answer_that_does_not_need_its_block_gives_it_to_who_does);
    tcase_add_test(tests, says_again_where_all_blocks_hold_unread_answers);
    tcase_add_test(tests, refuses_an_answer_that_lies_when_it_is_taken_out_of_its_slot);
    tcase_add_test(tests, a_call_that_is_withdrawn_still_ends_by_its_answer);
    tcase_add_test(tests, a_call_that_is_let_go_before_its_answer_ends_by_itself);
    tcase_add_test(tests, abandoning_all_touches_no_waiter_and_loses_no_block);
    tcase_add_test(tests, gives_turns_in_order_and_once_to_those_that_want_them);
    tcase_add_test(tests, publishes_a_batch_in_the_end_with_one_ring);
    tcase_add_test(tests, publishes_a_long_batch_in_pieces_while_the_server_is_awake);
    tcase_add_test(tests, keeps_a_long_batch_for_a_server_that_sleeps);
    tcase_add_test(tests, the_time_of_a_call_begins_when_its_batch_is_published);
    tcase_add_test(tests, an_answer_that_is_read_leaves_the_slots_behind_it_alone);
    tcase_add_test(tests, an_empty_batch_publishes_nothing);
    tcase_add_test(tests, whatever_waits_within_a_batch_publishes_it_first);
    tcase_add_test(tests, a_batch_may_be_longer_than_the_ring);
    tcase_add_test(tests, a_want_of_room_is_told_after_the_doorbell);
    tcase_add_test(tests, refuses_slots_of_a_batch_that_the_server_changed);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_waiters_suite)

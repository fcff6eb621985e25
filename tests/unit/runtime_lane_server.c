/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answering end, step by step: each state of a slot's word, the wishes of both sides, and each lie that a header
 * can tell.
 */
#include "test_support.h"

#include "lane_pair.h"

#include <shmrpc/status.h>

static lane_pair pair;

static void begin(void)
{
    lane_pair_init(&pair, 2, 2);
}

static void end(void)
{
    lane_pair_deinit(&pair);
}

static void write_word(uint64_t position, uint32_t word)
{
    atomic_store(&region_slot(&pair.memory, position)->word, word);
}

/* A request as the client would publish it, but for what `header` says. */
static void write_request(uint64_t position, slot_header header, uint32_t marks)
{
    slot *at = region_slot(&pair.memory, position);

    shared_store_header(at, header);
    write_word(position, word_request(position, pair.memory.shift) | marks);
}

/* ---- taking ---- */

START_TEST(finds_nothing_in_a_fresh_memory)
{
    lane_request request;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
    }
    ck_assert_uint_eq(pair.server.next, 1);
}
END_TEST

START_TEST(takes_a_request_with_every_part_of_its_header)
{
    const slot_header header = {4095, 0, 2, 17, 1234};
    lane_request request;

    write_request(1, header, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert_uint_eq(request.position, 1);
    ck_assert_uint_eq(request.method, 4095);
    ck_assert_uint_eq(request.reply_block, 2);
    ck_assert_uint_eq(request.length, 17);
    ck_assert_uint_eq(request.budget_us, 1234);
    ck_assert(!request.cancelled);
    ck_assert_ptr_eq(request.payload, region_slot(&pair.memory, 1)->payload);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
}
END_TEST

START_TEST(takes_a_request_from_the_block_that_it_names)
{
    const slot_header header = {1, 2, 0, PAIR_BLOCK, BUDGET_NONE};
    lane_request request;

    write_request(1, header, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert_ptr_eq(request.payload, region_request_block(&pair.memory, 2));
    ck_assert_uint_eq(request.length, PAIR_BLOCK);
}
END_TEST

START_TEST(marks_in_a_word_do_not_hide_what_it_is)
{
    static const uint32_t marks[] = {0, WORD_WISH, WORD_CANCEL, WORD_WISH | WORD_CANCEL};
    const slot_header header = {1, 0, 0, 0, BUDGET_NONE};

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        uint64_t position = i + 1;
        lane_request request;

        write_word(position, word_before(position, pair.memory.shift) | marks[i]);
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
        write_word(position, word_before(position, pair.memory.shift) | WORD_MOVED | marks[i]);
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 0);
        write_request(position, header, marks[i]);
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
        ck_assert_int_eq(request.cancelled, (marks[i] & WORD_CANCEL) != 0);
        lane_server_answer(&pair.server, &request, 0, 0, BLOCK_NONE);
        ck_assert_uint_eq(lane_pair_word(&pair, position), word_reply(position, pair.memory.shift));
    }
}
END_TEST

/* ---- lies ---- */

typedef struct lie {
    slot_header header;
    const char *text; /* part of what is said about it */
} lie;

static const lie lies[] = {
    {{0, 0, 0, 49, 0}, "49 bytes is said to be in a slot"},
    {{0, 0, 0, UINT32_MAX, 0}, "4294967295 bytes is said to be in a slot"},
    {{0, 3, 0, 8, 0}, "block 3 of 2"},
    {{0, 254, 0, 8, 0}, "block 254 of 2"},
    {{0, 255, 0, 8, 0}, "8 bytes is said to be at unit 0 of an arena of 0"},
    {{0, 1, 0, PAIR_BLOCK + 1, 0}, "257 bytes is in a block of 256"},
    {{0, 2, 0, UINT32_MAX, 0}, "4294967295 bytes is in a block of 256"},
    {{0, 0, 3, 8, 0}, "block 3 of 2 for its reply"},
    {{0, 1, 254, 8, 0}, "block 254 of 2 for its reply"},
    {{0, 1, 255, 8, 0}, "offers 0 units at 0 of an arena of 0 for its reply"},
};

START_TEST(refuses_a_header_that_points_outside)
{
    lane_request request;

    write_request(1, lies[_i].header, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), SHMRPC_E_PROTOCOL);
    ck_assert_msg(strstr(shmrpc_last_error(), lies[_i].text) != NULL, "%s", shmrpc_last_error());
    ck_assert_uint_eq(pair.server.next, 1);
}
END_TEST

START_TEST(refuses_a_word_that_is_neither_the_last_reply_nor_the_next_request)
{
    const unsigned shift = pair.memory.shift;
    const uint32_t words[] = {
        0,                                   /* no state */
        3,                                   /* both states */
        UINT32_MAX ^ (1u << WORD_LAP_SHIFT), /* everything, of another lap */
        word_reply(1, shift),                /* a reply that nobody gave */
        word_request(3, shift),              /* the next lap's request */
        word_request(1, shift) ^ 0x80000000u,
        word_before(1, shift) & ~3u, /* the right lap, no state */
        word_before(1, shift) - (1u << WORD_LAP_SHIFT),
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        lane_request request;

        write_word(1, words[i]);
        ck_assert_msg(lane_server_take(&pair.server, &request) == SHMRPC_E_PROTOCOL, "word %zu", i);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "neither the last reply nor the next request"));
    }
}
END_TEST

/* ---- answering ---- */

START_TEST(places_a_reply_in_the_slot_or_the_offered_block_or_nowhere)
{
    const slot_header offers = {0, 0, 2, 0, 0};
    const slot_header offers_none = {0, 0, 0, 0, 0};
    lane_request request;
    uint8_t block = 77;

    write_request(1, offers, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert_ptr_eq(lane_server_place(&pair.server, &request, 48, &block), request.at->payload);
    ck_assert_uint_eq(block, BLOCK_NONE);
    ck_assert_ptr_eq(lane_server_place(&pair.server, &request, 49, &block), region_reply_block(&pair.memory, 2));
    ck_assert_uint_eq(block, 2);
    ck_assert_ptr_nonnull(lane_server_place(&pair.server, &request, PAIR_BLOCK, &block));
    ck_assert_ptr_null(lane_server_place(&pair.server, &request, PAIR_BLOCK + 1, &block));
    write_request(2, offers_none, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert_ptr_null(lane_server_place(&pair.server, &request, 49, &block));
    ck_assert_ptr_nonnull(lane_server_place(&pair.server, &request, 48, &block));
}
END_TEST

START_TEST(answers_with_status_length_and_block_and_leaves_the_rest_zero)
{
    static const int statuses[] = {0, 1, 32767, -1, -32768};
    const slot_header header = {9, 1, 1, 100, 5};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        uint64_t position = i + 1;
        lane_request request;
        slot_header answer;

        write_request(position, header, 0);
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
        lane_server_start(&pair.server, &request);
        ck_assert_uint_eq(shared_get_started(pair.memory.header), position);
        lane_server_answer(&pair.server, &request, statuses[i], 200, 1);
        answer = shared_load_header(region_slot(&pair.memory, position));
        ck_assert_int_eq((int16_t)answer.method, statuses[i]);
        ck_assert_uint_eq(answer.request_block, 0);
        ck_assert_uint_eq(answer.reply_block, 1);
        ck_assert_uint_eq(answer.length, 200);
        ck_assert_uint_eq(answer.budget_us, 0);
    }
}
END_TEST

START_TEST(an_answer_takes_no_mark_of_its_request_along)
{
    const slot_header header = {0, 0, 0, 0, 0};
    lane_request request;

    write_request(1, header, 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    write_word(1, word_request(1, pair.memory.shift) | WORD_CANCEL); /* while its handler runs */
    lane_server_answer(&pair.server, &request, 0, 0, BLOCK_NONE);
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_reply(1, pair.memory.shift));
}
END_TEST

/* ---- the client's wish ---- */

START_TEST(wakes_a_client_that_sleeps_for_this_reply_once)
{
    (void)lane_pair_call(&pair, 1, 8, 8);
    shared_make_wish(pair.memory.header, wish_of(1, WISH_CALL));
    lane_pair_answer(&pair, 8);
    ck_assert_uint_eq(pair.caller.doorbells, 1);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->wish), WISH_NONE);
    (void)lane_pair_call(&pair, 2, 8, 8);
    lane_pair_answer(&pair, 8);
    ck_assert_uint_eq(pair.caller.doorbells, 1);
}
END_TEST

START_TEST(lets_a_client_sleep_that_awaits_a_later_reply)
{
    (void)lane_pair_call(&pair, 1, 8, 8);
    (void)lane_pair_call(&pair, 2, 8, 8);
    shared_make_wish(pair.memory.header, wish_of(2, WISH_CALL));
    lane_pair_answer(&pair, 8);
    ck_assert_uint_eq(pair.caller.doorbells, 0);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->wish), wish_of(2, WISH_CALL));
    lane_pair_answer(&pair, 8);
    ck_assert_uint_eq(pair.caller.doorbells, 1);
}
END_TEST

START_TEST(wakes_whoever_awaits_anything_when_it_closes)
{
    (void)lane_pair_call(&pair, 1, 8, 8);
    shared_make_wish(pair.memory.header, wish_of(1, WISH_CALL));
    ck_assert(!shared_get_closed(pair.memory.header));
    lane_server_close(&pair.server);
    ck_assert(shared_get_closed(pair.memory.header));
    ck_assert_uint_eq(pair.caller.doorbells, 1);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->wish), WISH_NONE);
}
END_TEST

START_TEST(wakes_where_positions_wrap_in_the_wish)
{
    const uint64_t wrap = UINT64_C(1) << 31;

    lane_pair_move_to(&pair, wrap - 1);
    for (uint64_t position = wrap - 1; position <= wrap + 1; position++) {
        lane_call call = lane_pair_call(&pair, position, 8, 8);

        shared_make_wish(pair.memory.header, wish_of(position, WISH_CALL));
        lane_pair_answer(&pair, 8);
        ck_assert_uint_eq(pair.caller.doorbells, position - wrap + 2);
        lane_pair_expect_reply(&pair, &call, position + 1);
    }
}
END_TEST

/* ---- the server's wish ---- */

START_TEST(arms_an_empty_lane_and_the_next_request_rings)
{
    ck_assert(lane_server_arm(&pair.server));
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_before(1, pair.memory.shift) | WORD_WISH);
    ck_assert(lane_server_arm(&pair.server));
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
    (void)lane_pair_call(&pair, 1, 8, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
    lane_pair_answer(&pair, 8);
    (void)lane_pair_call(&pair, 1, 8, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 0);
}
END_TEST

START_TEST(does_not_arm_over_a_request)
{
    (void)lane_pair_call(&pair, 1, 8, 8);
    ck_assert(!lane_server_arm(&pair.server));
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_request(1, pair.memory.shift));
}
END_TEST

START_TEST(arms_a_slot_whose_reply_has_not_been_read)
{
    lane_call first = lane_pair_call(&pair, 10, 8, 8);
    lane_call second;

    lane_pair_answer(&pair, 8);
    second = lane_pair_call(&pair, 20, 8, 8);
    lane_pair_answer(&pair, 8);
    ck_assert(lane_server_arm(&pair.server)); /* position 3 lies in the slot of the first */
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_reply(1, pair.memory.shift) | WORD_WISH);
    lane_pair_expect_reply(&pair, &first, 11);
    lane_pair_expect_reply(&pair, &second, 21);
    (void)lane_pair_call(&pair, 30, 8, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
}
END_TEST

START_TEST(arms_a_slot_that_a_client_has_marked)
{
    write_word(1, word_before(1, pair.memory.shift) | WORD_CANCEL);
    ck_assert(lane_server_arm(&pair.server));
    ck_assert_uint_ne(lane_pair_word(&pair, 1) & WORD_WISH, 0);
    (void)lane_pair_call(&pair, 30, 8, 8);
    ck_assert_uint_eq(lane_pair_rings(&pair), 1);
}
END_TEST

static Suite *lane_server_suite(void)
{
    Suite *suite = suite_create("runtime_lane_server");
    TCase *tests = tcase_create("lane_server");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, finds_nothing_in_a_fresh_memory);
    tcase_add_test(tests, takes_a_request_with_every_part_of_its_header);
    tcase_add_test(tests, takes_a_request_from_the_block_that_it_names);
    tcase_add_test(tests, marks_in_a_word_do_not_hide_what_it_is);
    tcase_add_loop_test(tests, refuses_a_header_that_points_outside, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(tests, refuses_a_word_that_is_neither_the_last_reply_nor_the_next_request);
    tcase_add_test(tests, places_a_reply_in_the_slot_or_the_offered_block_or_nowhere);
    tcase_add_test(tests, answers_with_status_length_and_block_and_leaves_the_rest_zero);
    tcase_add_test(tests, an_answer_takes_no_mark_of_its_request_along);
    tcase_add_test(tests, wakes_a_client_that_sleeps_for_this_reply_once);
    tcase_add_test(tests, lets_a_client_sleep_that_awaits_a_later_reply);
    tcase_add_test(tests, wakes_whoever_awaits_anything_when_it_closes);
    tcase_add_test(tests, wakes_where_positions_wrap_in_the_wish);
    tcase_add_test(tests, arms_an_empty_lane_and_the_next_request_rings);
    tcase_add_test(tests, does_not_arm_over_a_request);
    tcase_add_test(tests, arms_a_slot_whose_reply_has_not_been_read);
    tcase_add_test(tests, arms_a_slot_that_a_client_has_marked);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_server_suite)

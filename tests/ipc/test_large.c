/* SPDX-License-Identifier: Apache-2.0 */
/* test_large.c - messages of more than 64 KiB, through the functions that shmc generates, between two processes. */
#include <stdlib.h>
#include <string.h>

#include "large_pair.h"

START_TEST(turns_messages_of_every_size)
{
    static const uint32_t sizes[] = {1, 16, 32, 33, 48, 4080, 4096, 65519, 65520, 65521, 65536, 1048575, 1048576};

    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            assert_status(turn_with(client, i + round, sizes[i], shmrpc_default()), 0);
}
END_TEST

START_TEST(what_a_block_holds_and_eight_bytes_more)
{
    large_page *page = malloc(sizeof(*page)), *turned_page = malloc(sizeof(*page));
    large_leaf *leaf = malloc(sizeof(*leaf)), *turned_leaf = malloc(sizeof(*leaf));

    _Static_assert(sizeof(large_page) == SHMRPC_MESSAGE_MAX && sizeof(large_leaf) == SHMRPC_MESSAGE_MAX + 8, "sizes");
    ck_assert(page != NULL && turned_page != NULL && leaf != NULL && turned_leaf != NULL);
    for (uint32_t round = 0; round < 10; round++) {
        page->data.count = sizeof(page->data.items);
        leaf->data.count = sizeof(leaf->data.items);
        for (uint32_t i = 0; i < leaf->data.count; i++) {
            leaf->data.items[i] = byte_of(round, i);
            page->data.items[i < page->data.count ? i : 0] = byte_of(round, i);
        }
        assert_status(large_turn_page(client, page, turned_page, shmrpc_default()), 0);
        assert_status(large_turn_leaf(client, leaf, turned_leaf, shmrpc_default()), 0);
        for (uint32_t i = 0; i < page->data.count; i++)
            ck_assert(turned_page->data.items[page->data.count - 1 - i] == page->data.items[i]);
        for (uint32_t i = 0; i < leaf->data.count; i++)
            ck_assert(turned_leaf->data.items[leaf->data.count - 1 - i] == leaf->data.items[i]);
    }
    free(page);
    free(turned_page);
    free(leaf);
    free(turned_leaf);
}
END_TEST

START_TEST(large_answers_to_small_requests)
{
    static const uint32_t sizes[] = {0, 1, 48, 49, 65536, 1048576};

    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_status(large_fill(client, &(large_fill_request){.count = sizes[i]}, reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply->data.count, sizes[i]);
        for (uint32_t k = 0; k < sizes[i]; k++)
            ck_assert(reply->data.items[k] == (uint8_t)k);
    }
}
END_TEST

START_TEST(a_request_beside_the_place_of_its_answer)
{
    const large_spread_request four = {.parts = {1, UINT64_MAX, 3, UINT64_C(0x123456789abcdef0)}};
    const large_spread_more_request five = {.parts = {5, 4, 3, 2, UINT64_MAX - 1}};

    _Static_assert(sizeof(four) == 32 && sizeof(five) == 40, "what is left of a slot, and more");
    for (uint32_t i = 0; i < 100; i++) {
        assert_status(large_spread(client, &four, reply, shmrpc_default()), 0);
        ck_assert(memcmp(reply->data.items, four.parts, sizeof(four.parts)) == 0);
        assert_status(large_spread_more(client, &five, reply, shmrpc_default()), 0);
        ck_assert(memcmp(reply->data.items, five.parts, sizeof(five.parts)) == 0);
    }
}
END_TEST

START_TEST(small_answers_to_large_requests_and_none)
{
    large_add_reply sum;
    large_noted_reply so_far;

    make_request(request, 7, 1048576);
    for (uint32_t i = 0; i < 20; i++) {
        assert_status(large_add(client, request, &sum, shmrpc_default()), 0);
        ck_assert_uint_eq(sum.sum, sum_of(request));
        assert_status(large_note(client, request, shmrpc_default()), 0);
    }
    assert_status(large_noted(client, &so_far, shmrpc_default()), 0);
    ck_assert_uint_eq(so_far.count, 20);
    ck_assert_uint_eq(so_far.sum, 20 * sum.sum);
}
END_TEST

START_TEST(errors_have_large_payloads_too)
{
    for (uint32_t round = 0; round < 5; round++) {
        make_request(request, 1, 1000000);
        request->sum = SPOILT;
        assert_status(large_turn(client, request, reply, shmrpc_default()), LARGE_ERROR_SPOILT);
        const large_remains *remains = large_error_spoilt(client);
        ck_assert_ptr_nonnull(remains);
        for (uint32_t i = 0; i < 20000; i++)
            ck_assert(remains->parts[i] == i * UINT64_C(3));
        assert_status(turn_with(client, 1, 0, shmrpc_default()), LARGE_ERROR_EMPTY);
        assert_status(turn_with(client, 1, 900000, shmrpc_default()), 0);
    }
}
END_TEST

START_TEST(metadata_travels_with_a_large_request)
{
    large_client *carrying = connect_with(0);
    large_add_reply sum;

    make_request(request, 3, 1048576);
    for (uint32_t i = 0; i < 5; i++) {
        assert_status(shmrpc_client_set_metadata(large_client_base(carrying), "factor", "3"), 0);
        assert_status(large_add(carrying, request, &sum, shmrpc_default()), 0);
        ck_assert_uint_eq(sum.sum, 3 * sum_of(request));
        assert_status(shmrpc_client_set_metadata(large_client_base(carrying), "factor", NULL), 0);
        assert_status(large_add(carrying, request, &sum, shmrpc_default()), 0);
        ck_assert_uint_eq(sum.sum, sum_of(request));
    }
    large_client_free(carrying);
}
END_TEST

/* ---- in flight ---- */

START_TEST(calls_in_flight_are_answered_in_any_order)
{
    large_client *wide = connect_with(8 * CALL_SIZE);
    large_turn_call calls[8] = {0};

    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 8; i++)
            start_turn(wide, &calls[i], i, 1048576 - 4096 * i);
        for (uint32_t i = 0; i < 8; i++)
            expect_turn(&calls[(i * 3 + round) % 8], (i * 3 + round) % 8, 1048576 - 4096 * ((i * 3 + round) % 8));
    }
    expect_room(wide, 8);
    large_client_free(wide);
}
END_TEST

START_TEST(where_unread_answers_hold_the_arena_one_is_told)
{
    large_turn_call calls[4] = {0};

    /* Room for two of each; the third one gets what the first two requests have left. */
    for (uint32_t i = 0; i < 3; i++)
        start_turn(client, &calls[i], i, 1048576);
    make_request(request, 3, 1048576);
    assert_status(large_turn_start(client, &calls[3], request, shmrpc_default()), SHMRPC_E_AGAIN);
    ck_assert_str_eq(shmrpc_last_error(), "the arena holds answers that have not been read");
    expect_turn(&calls[1], 1, 1048576);
    start_turn(client, &calls[3], 3, 1048576);
    expect_turn(&calls[0], 0, 1048576);
    expect_turn(&calls[3], 3, 1048576);
    expect_turn(&calls[2], 2, 1048576);
    expect_room(client, 2);
}
END_TEST

START_TEST(waits_for_room_that_is_to_come)
{
    large_noted_reply so_far;

    make_request(request, 9, 1048576);
    for (uint32_t i = 0; i < 50; i++)
        assert_status(large_note(client, request, shmrpc_default()), 0);
    assert_status(large_noted(client, &so_far, shmrpc_default()), 0);
    ck_assert_uint_eq(so_far.count, 50);
    expect_room(client, 2);
}
END_TEST

START_TEST(a_batch_of_large_calls)
{
    large_client *wide = connect_with(8 * CALL_SIZE);
    large_turn_call calls[8] = {0};

    for (uint32_t round = 0; round < 3; round++) {
        large_batch_begin(wide);
        for (uint32_t i = 0; i < 8; i++)
            start_turn(wide, &calls[i], i + round, 500000 + i);
        assert_status(large_batch_end(wide), 0);
        for (uint32_t i = 8; i > 0; i--)
            expect_turn(&calls[i - 1], i - 1 + round, 500000 + i - 1);
    }
    large_client_free(wide);
}
END_TEST

/* ---- put off ---- */

START_TEST(answers_that_are_put_off)
{
    large_client *wide = connect_with(6 * CALL_SIZE);
    large_put_off_call calls[5] = {0};

    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 5; i++)
            start_put_off(wide, &calls[i], i, i == 3 ? 0 : 1048000 + i);
        release_all(wide, 5);
        for (uint32_t i = 0; i < 5; i++) {
            assert_status(large_put_off_wait(&calls[i], reply), i == 3 ? LARGE_ERROR_EMPTY : 0);
            if (i != 3)
                expect_turned(reply, i, 1048000 + i);
        }
    }
    expect_room(wide, 6);
    large_client_free(wide);
}
END_TEST

START_TEST(a_call_that_is_put_off_gives_its_requests_part_of_the_arena_back)
{
    large_put_off_call call = {0};
    large_add_reply sum;

    /* Room for two of each: with one answer outstanding there are three. */
    start_put_off(client, &call, 1, 1048576);
    for (uint32_t i = 0; i < 5; i++) {
        make_request(request, 2, 1048576);
        assert_status(large_add(client, request, &sum, shmrpc_default()), 0);
    }
    release_all(client, 1);
    assert_status(large_put_off_wait(&call, reply), 0);
    expect_turned(reply, 1, 1048576);
    expect_room(client, 2);
}
END_TEST

/* ---- in place ---- */

static large_frame *lend(large_client *by, large_turn_call *call)
{
    large_frame *lent = NULL;

    assert_status(large_turn_loan(by, call, &lent), 0);
    return lent;
}

START_TEST(requests_are_lent_and_answers_viewed_where_they_are)
{
    large_turn_call call = {0};
    const large_frame *seen = NULL;
    large_add_reply sum;

    for (uint32_t round = 0; round < 20; round++) {
        large_frame *lent = lend(client, &call);
        ck_assert_uint_eq((uintptr_t)lent % 4096, 0);
        make_request(lent, round, 1048576 - round);
        make_request(request, 5, 1048576);
        assert_status(large_add(client, request, &sum, shmrpc_default()), 0);
        ck_assert_uint_eq(sum.sum, sum_of(request));
        assert_status(large_turn_start_loaned(&call, shmrpc_default()), 0);
        assert_status(large_turn_view(&call, &seen), 0);
        ck_assert_uint_eq((uintptr_t)seen % 4096, 0);
        expect_turned(seen, round, 1048576 - round);
        assert_status(turn_with(client, round, 1000000, shmrpc_default()), 0);
        expect_turned(seen, round, 1048576 - round);
        large_turn_release(&call);
    }
    expect_room(client, 2);
}
END_TEST

START_TEST(what_is_lent_comes_back)
{
    large_turn_call calls[5] = {0};
    large_frame *lent = NULL;

    /* The arena holds four of them. */
    for (uint32_t i = 0; i < 4; i++)
        (void)lend(client, &calls[i]);
    assert_status(large_turn_loan(client, &calls[4], &lent), SHMRPC_E_AGAIN);
    make_request(request, 1, 1048576);
    assert_status(large_turn(client, request, reply, shmrpc_default()), SHMRPC_E_AGAIN);
    assert_status(large_turn_start_loaned(&calls[0], shmrpc_default()), SHMRPC_E_AGAIN);
    large_turn_abandon(&calls[1]);
    assert_status(large_turn_start_loaned(&calls[0], shmrpc_default()), 0);
    assert_status(large_turn_wait(&calls[0], reply), LARGE_ERROR_EMPTY);
    large_turn_abandon(&calls[2]);
    large_turn_abandon(&calls[3]);
    expect_room(client, 2);
}
END_TEST

static Suite *large_suite(void)
{
    Suite *suite = suite_create("ipc_large");
    TCase *tests = tcase_create("large");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, turns_messages_of_every_size);
    tcase_add_test(tests, what_a_block_holds_and_eight_bytes_more);
    tcase_add_test(tests, large_answers_to_small_requests);
    tcase_add_test(tests, a_request_beside_the_place_of_its_answer);
    tcase_add_test(tests, small_answers_to_large_requests_and_none);
    tcase_add_test(tests, errors_have_large_payloads_too);
    tcase_add_test(tests, metadata_travels_with_a_large_request);
    tcase_add_test(tests, calls_in_flight_are_answered_in_any_order);
    tcase_add_test(tests, where_unread_answers_hold_the_arena_one_is_told);
    tcase_add_test(tests, waits_for_room_that_is_to_come);
    tcase_add_test(tests, a_batch_of_large_calls);
    tcase_add_test(tests, answers_that_are_put_off);
    tcase_add_test(tests, a_call_that_is_put_off_gives_its_requests_part_of_the_arena_back);
    tcase_add_test(tests, requests_are_lent_and_answers_viewed_where_they_are);
    tcase_add_test(tests, what_is_lent_comes_back);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(large_suite)

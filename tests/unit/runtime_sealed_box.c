/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/memory.h"
#include "runtime/platform/sealed.h"
#include "runtime/sealed_box.h"

#include <shmrpc/status.h>

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t page, most; /* bytes of a request: a few pages, and a bit */
static sealed_box box;
static counts before;

static void setup(void)
{
    page = (uint32_t)memory_round(1);
    most = 3 * page + 5;
    counts_take(&before);
    memset(&box, 0, sizeof(box));
}

/* Nothing is left in any case. */
static void teardown(void)
{
    sealed_box_deinit(&box);
    ck_assert_uint_eq(box.count, 0);
    ck_assert_ptr_null(box.opened.base);
    counts_expect_same(&before);
}

/* Puts memory of so many bytes, each of which says which it is. */
static int put_sized(uint64_t position, uint32_t size, unsigned char mark)
{
    sealed_memory made;

    ck_assert_int_eq(sealed_create(size, false, &made), 0);
    memset(made.base, mark, made.size_bytes);
    ck_assert_int_eq(sealed_seal(&made, size), 0);
    int rc = sealed_box_put(&box, position, made.descriptor, most);
    sealed_free(&made, true); /* the box does not need it */
    return rc;
}

static int put(uint64_t position)
{
    return put_sized(position, page, (unsigned char)position);
}

static size_t mappings(void)
{
    counts now;

    counts_take(&now);
    ck_assert_uint_eq(now.fds, before.fds);
    return now.mappings - before.mappings;
}

static void expect_open(uint64_t position)
{
    const void *payload = NULL;

    ck_assert_int_eq(sealed_box_open(&box, position, page, &payload), 0);
    const unsigned char *bytes = payload;
    for (uint32_t i = 0; i < memory_round(most); i++)
        ck_assert_uint_eq(bytes[i], i < page ? (unsigned char)position : 0);
}

static void expect_none(uint64_t position, uint32_t length)
{
    const void *payload = &box;

    ck_assert_int_eq(sealed_box_open(&box, position, length, &payload), SHMRPC_E_PROTOCOL);
    ck_assert_ptr_eq(payload, &box);
}

START_TEST(requests_are_opened_in_the_order_in_which_they_came)
{
    uint64_t position = 1;

    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < SEALED_MAX; i++)
            ck_assert_int_eq(put(position + i * 3), 0); /* those between have no memory */
        ck_assert_uint_eq(mappings(), SEALED_MAX);
        for (uint64_t i = 0; i < SEALED_MAX; i++) {
            expect_open(position + i * 3);
            ck_assert_uint_eq(mappings(), SEALED_MAX - i);
            sealed_box_close(&box);
            ck_assert_uint_eq(mappings(), SEALED_MAX - i - 1);
        }
        position += SEALED_MAX * 3;
    }
}
END_TEST

START_TEST(knows_what_has_come)
{
    ck_assert(!sealed_box_has(&box, 1));
    ck_assert_int_eq(put(5), 0);
    ck_assert(sealed_box_has(&box, 5));
    ck_assert(!sealed_box_has(&box, 6));
    ck_assert_int_eq(put(UINT64_MAX), 0);
    ck_assert(sealed_box_has(&box, 6));
    ck_assert(sealed_box_has(&box, UINT64_MAX));
    expect_open(5);
    /* What is behind it has come, so that it will not: there is nothing more to look for. */
    ck_assert(sealed_box_has(&box, 6));
    expect_none(6, 0);
    expect_open(UINT64_MAX);
    ck_assert(!sealed_box_has(&box, UINT64_MAX));
}
END_TEST

START_TEST(refuses_what_is_out_of_turn)
{
    ck_assert_int_eq(put(0), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(put(7), 0);
    ck_assert_int_eq(put(0), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(put(6), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(put(7), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(mappings(), 1);
    ck_assert_int_eq(put(8), 0);
    ck_assert_int_eq(put(7), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(mappings(), 2);
    expect_open(7);
    expect_open(8);
}
END_TEST

START_TEST(takes_so_many_and_no_more)
{
    for (uint64_t i = 1; i <= SEALED_MAX; i++)
        ck_assert_int_eq(put(i), 0);
    ck_assert_int_eq(put(SEALED_MAX + 1), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(mappings(), SEALED_MAX);
    /* One that is being read is not among those that wait. */
    expect_open(1);
    ck_assert_int_eq(put(SEALED_MAX + 1), 0);
    ck_assert_int_eq(put(SEALED_MAX + 2), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(mappings(), SEALED_MAX + 1);
    for (uint64_t i = 2; i <= SEALED_MAX + 1; i++)
        expect_open(i);
}
END_TEST

START_TEST(what_was_never_asked_for_goes_when_a_later_one_is)
{
    for (uint64_t i = 1; i <= SEALED_MAX; i++)
        ck_assert_int_eq(put(i), 0);
    expect_open(3);
    ck_assert_uint_eq(mappings(), SEALED_MAX - 2);
    ck_assert_uint_eq(box.count, SEALED_MAX - 3);
    /* Also where what is asked for has not come. */
    expect_none(SEALED_MAX + 5, 0);
    ck_assert_uint_eq(mappings(), 0);
    ck_assert_uint_eq(box.count, 0);
}
END_TEST

START_TEST(opens_none_that_has_not_come)
{
    expect_none(1, 0);
    ck_assert_int_eq(put(2), 0);
    expect_none(1, 0);
    ck_assert_uint_eq(mappings(), 1);
    expect_open(2);
    expect_none(2, 0);
}
END_TEST

START_TEST(opens_none_that_is_smaller_than_is_said)
{
    const void *payload = NULL;

    ck_assert_int_eq(put(1), 0);
    expect_none(1, page + 1);
    expect_none(1, UINT32_MAX);
    ck_assert_uint_eq(mappings(), 1);
    ck_assert_int_eq(sealed_box_open(&box, 1, page, &payload), 0);
    ck_assert_int_eq(put(2), 0);
    ck_assert_int_eq(sealed_box_open(&box, 2, 0, &payload), 0);
    ck_assert_int_eq(put_sized(3, most, 3), 0);
    ck_assert_int_eq(sealed_box_open(&box, 3, (uint32_t)memory_round(most), &payload), 0);
    ck_assert_uint_eq(((const unsigned char *)payload)[most - 1], 3);
    ck_assert_uint_eq(mappings(), 1);
}
END_TEST

START_TEST(refuses_memory_that_is_not_sealed_or_too_large)
{
    sealed_memory made;

    ck_assert_int_eq(sealed_create(page, false, &made), 0);
    ck_assert_int_eq(sealed_box_put(&box, 1, made.descriptor, most), SHMRPC_E_PROTOCOL);
    sealed_free(&made, true);
    ck_assert_int_eq(put_sized(1, most + page, 1), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(sealed_box_put(&box, 1, -1, most), SHMRPC_E_SYSTEM);
    ck_assert_uint_eq(box.count, 0);
    ck_assert_uint_eq(mappings(), 0);
    /* It has not come: the position is not taken. */
    ck_assert_int_eq(put(1), 0);
    expect_open(1);
}
END_TEST

START_TEST(the_next_one_closes_the_last)
{
    ck_assert_int_eq(put(1), 0);
    ck_assert_int_eq(put(2), 0);
    expect_open(1);
    expect_open(2);
    ck_assert_uint_eq(mappings(), 1);
    expect_none(3, 0);
    ck_assert_uint_eq(mappings(), 0);
    sealed_box_close(&box);
    sealed_box_close(&box);
}
END_TEST

/* The fixture looks at what is left. */
START_TEST(ends_with_what_it_has)
{
    for (uint64_t i = 1; i <= SEALED_MAX; i++)
        ck_assert_int_eq(put(i), 0);
    expect_open(1);
    ck_assert_uint_eq(mappings(), SEALED_MAX);
}
END_TEST

static Suite *sealed_box_suite(void)
{
    Suite *suite = suite_create("runtime_sealed_box");
    TCase *tests = tcase_create("sealed_box");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, requests_are_opened_in_the_order_in_which_they_came);
    tcase_add_test(tests, knows_what_has_come);
    tcase_add_test(tests, refuses_what_is_out_of_turn);
    tcase_add_test(tests, takes_so_many_and_no_more);
    tcase_add_test(tests, what_was_never_asked_for_goes_when_a_later_one_is);
    tcase_add_test(tests, opens_none_that_has_not_come);
    tcase_add_test(tests, opens_none_that_is_smaller_than_is_said);
    tcase_add_test(tests, refuses_memory_that_is_not_sealed_or_too_large);
    tcase_add_test(tests, the_next_one_closes_the_last);
    tcase_add_test(tests, ends_with_what_it_has);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(sealed_box_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of runtime/first_look.h: when the first look comes, learned from when answers come. */
#include "runtime/first_look.h"

#include "test_support.h"

#define PART(pauses) ((pauses)*FIRST_LOOK_PARTS)

/* An answer that takes so many pauses. Was the first look too early? */
static bool await_answer(first_look *self, uint32_t takes)
{
    uint32_t waited = first_look_pauses(self);
    bool is_early = waited < takes;

    (void)first_look_found(self, is_early ? takes - waited : 0);
    return is_early;
}

static unsigned await_answers(first_look *self, uint32_t takes, unsigned count)
{
    unsigned early = 0;

    for (unsigned i = 0; i < count; i++) {
        early += await_answer(self, takes);
    }
    return early;
}

static const uint32_t times[] = {0, 1, 2, 5, 8, FIRST_LOOK_START + FIRST_LOOK_FEW};

START_TEST(comes_right_after_the_answer)
{
    first_look self = first_look_new();
    unsigned early;

    ck_assert_uint_eq(first_look_pauses(&self), FIRST_LOOK_START);
    (void)await_answers(&self, times[_i], 1000);
    early = await_answers(&self, times[_i], 9000);
    ck_assert_uint_ge(self.parts + FIRST_LOOK_LATER, PART(times[_i]));
    ck_assert_uint_le(self.parts, PART(times[_i]) + FIRST_LOOK_LATER);
    /* One in nine; none where no look can be early. */
    ck_assert_uint_le(early, 1001);
    ck_assert_uint_ge(early, times[_i] == 0 ? 0 : 999);
}
END_TEST

START_TEST(follows_an_answer_that_comes_sooner_or_later_than_before)
{
    first_look self = first_look_new();

    (void)await_answers(&self, 9, 1000);
    (void)await_answers(&self, 3, 1000);
    ck_assert_uint_le(self.parts, PART(3) + FIRST_LOOK_LATER);
    (void)await_answers(&self, 9, 1000);
    ck_assert_uint_ge(self.parts + FIRST_LOOK_LATER, PART(9));
}
END_TEST

START_TEST(is_not_moved_by_answers_that_take_much_longer)
{
    first_look self = first_look_new();

    (void)await_answers(&self, FIRST_LOOK_START + FIRST_LOOK_FEW + 1, 1000);
    ck_assert_uint_eq(self.parts, PART(FIRST_LOOK_START));
    /* Every other one: it is waited for as if all were fast. */
    for (unsigned i = 0; i < 1000; i++) {
        (void)await_answer(&self, 5);
        (void)await_answer(&self, 100);
    }
    ck_assert_uint_le(self.parts, PART(5) + FIRST_LOOK_LATER);
}
END_TEST

START_TEST(has_bounds)
{
    first_look self = first_look_new();

    for (unsigned i = 0; i < 1000; i++) {
        ck_assert(first_look_found(&self, 1));
        ck_assert_uint_le(first_look_pauses(&self), FIRST_LOOK_MOST);
    }
    ck_assert_uint_eq(first_look_pauses(&self), FIRST_LOOK_MOST);
    for (unsigned i = 0; i < 2 * PART(FIRST_LOOK_MOST); i++) {
        (void)first_look_found(&self, 0);
    }
    ck_assert_uint_eq(self.parts, 0);
}
END_TEST

START_TEST(tells_an_answer_that_came_meanwhile_from_one_that_was_slept_through)
{
    first_look self = first_look_new();

    /* As soon as no answer comes. */
    ck_assert(!first_look_found(&self, 0));
    ck_assert(first_look_found(&self, 100));
    ck_assert(!first_look_found(&self, 0));
    /* Later answers have been seen to come. */
    ck_assert(first_look_found(&self, 1));
    ck_assert(first_look_found(&self, 0));
    ck_assert_uint_eq(self.parts, PART(FIRST_LOOK_START) + FIRST_LOOK_LATER - 3);
}
END_TEST

static Suite *first_look_suite(void)
{
    Suite *suite = suite_create("runtime_first_look");
    TCase *tests = tcase_create("first_look");

    tcase_add_loop_test(tests, comes_right_after_the_answer, 0, sizeof(times) / sizeof(times[0]));
    tcase_add_test(tests, follows_an_answer_that_comes_sooner_or_later_than_before);
    tcase_add_test(tests, is_not_moved_by_answers_that_take_much_longer);
    tcase_add_test(tests, has_bounds);
    tcase_add_test(tests, tells_an_answer_that_came_meanwhile_from_one_that_was_slept_through);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(first_look_suite)

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
    const uint32_t soonest = (uint32_t)_i;
    first_look self = first_look_new();

    (void)await_answers(&self, 9, 1000);
    (void)await_answers(&self, soonest, 1000);
    ck_assert_uint_le(self.parts, PART(soonest) + FIRST_LOOK_LATER);
    (void)await_answers(&self, 9, 1000);
    ck_assert_uint_ge(self.parts + FIRST_LOOK_LATER, PART(9));
}
END_TEST

START_TEST(does_not_make_fast_answers_wait_for_slow_ones)
{
    first_look self = first_look_new();

    for (unsigned i = 0; i < 1000; i++) {
        (void)await_answer(&self, 5);
        (void)await_answer(&self, 100);
    }
    ck_assert_uint_le(self.parts, PART(5) + FIRST_LOOK_LATER);
    ck_assert_uint_ge(self.parts + 2 * FIRST_LOOK_LATER, PART(5));
    /* Also where there is no gap between them. */
    for (uint32_t i = 0; i < 3300; i++) {
        (void)await_answer(&self, 8);
        (void)await_answer(&self, 8 + i % 33);
        ck_assert_uint_le(self.parts, PART(10));
    }
    /* Where all are slow there is nothing to learn. */
    (void)await_answers(&self, 100, 1000);
    ck_assert_uint_eq(self.parts, 0);
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

    /* So soon no answer comes. */
    ck_assert(!first_look_found(&self, 0));
    ck_assert(first_look_found(&self, 100));
    ck_assert(!first_look_found(&self, 0));
    /* Later answers have been seen to come. */
    ck_assert(first_look_found(&self, 1));
    ck_assert(first_look_found(&self, 0));
    ck_assert_uint_eq(self.parts, PART(FIRST_LOOK_START) + FIRST_LOOK_LATER - 4);
}
END_TEST

static Suite *first_look_suite(void)
{
    Suite *suite = suite_create("runtime_first_look");
    TCase *tests = tcase_create("first_look");

    tcase_add_loop_test(tests, comes_right_after_the_answer, 0, sizeof(times) / sizeof(times[0]));
    tcase_add_loop_test(tests, follows_an_answer_that_comes_sooner_or_later_than_before, 0, 9);
    tcase_add_test(tests, does_not_make_fast_answers_wait_for_slow_ones);
    tcase_add_test(tests, has_bounds);
    tcase_add_test(tests, tells_an_answer_that_came_meanwhile_from_one_that_was_slept_through);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(first_look_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a caller's time for the calls that its handler makes.
 */
#include "test_support.h"

#include "runtime/current.h"
#include "runtime/platform/clock.h"

#include <pthread.h>

#define LONG_NS INT64_C(3600000000000)

static _Atomic bool calls_out;
static current_call call;

static void begin(void)
{
    atomic_store(&calls_out, false);
}

static void await_clock(int64_t until_ns)
{
    while (clock_now_ns() < until_ns) {
    }
}

START_TEST(limits_nothing_outside_of_handlers)
{
    ck_assert_int_eq(current_limit_ns(7), 7);
    ck_assert_int_eq(current_limit_ns(CLOCK_NEVER), CLOCK_NEVER);
    current_begin(&call, 5, &calls_out);
    current_end(&call);
    ck_assert_int_eq(current_limit_ns(CLOCK_NEVER), CLOCK_NEVER);
}
END_TEST

START_TEST(limits_nothing_where_the_caller_has_no_deadline)
{
    current_begin(&call, CLOCK_NEVER, &calls_out);
    ck_assert_int_eq(current_limit_ns(7), 7);
    ck_assert_int_eq(current_limit_ns(CLOCK_NEVER), CLOCK_NEVER);
    current_end(&call);
    ck_assert(!atomic_load(&calls_out));
}
END_TEST

START_TEST(the_first_call_of_a_kind_has_all_the_time_and_is_learnt_from)
{
    current_begin(&call, LONG_NS, &calls_out);
    ck_assert_int_eq(call.begun_ns, 0);
    ck_assert_int_eq(current_limit_ns(CLOCK_NEVER), LONG_NS);
    ck_assert(atomic_load(&calls_out));
    ck_assert_int_eq(current_limit_ns(7), 7);
    current_end(&call);
}
END_TEST

START_TEST(later_ones_have_what_is_left)
{
    int64_t before_ns = clock_now_ns();
    int64_t begun_ns;
    int64_t left_ns;
    int64_t after_ns;

    atomic_store(&calls_out, true);
    current_begin(&call, LONG_NS, &calls_out);
    begun_ns = clock_now_ns();
    await_clock(begun_ns + 2000000);
    left_ns = current_limit_ns(CLOCK_NEVER);
    after_ns = clock_now_ns();
    ck_assert_int_le(left_ns, LONG_NS - 2000000);
    ck_assert_int_ge(left_ns, LONG_NS - (after_ns - before_ns));
    ck_assert_int_eq(current_limit_ns(left_ns / 2), left_ns / 2);
    current_end(&call);
}
END_TEST

START_TEST(a_caller_whose_time_is_over_leaves_one_nanosecond)
{
    atomic_store(&calls_out, true);
    current_begin(&call, 1000, &calls_out);
    await_clock(call.begun_ns + 2000);
    ck_assert_int_eq(current_limit_ns(CLOCK_NEVER), 1);
    ck_assert_int_eq(current_limit_ns(5), 1);
    current_end(&call);
}
END_TEST

START_TEST(a_handler_within_a_handler_has_its_own)
{
    current_call inner;

    current_begin(&call, 1000, &calls_out);
    current_begin(&inner, LONG_NS, &calls_out);
    ck_assert_int_eq(current_limit_ns(LONG_NS / 2), LONG_NS / 2);
    current_end(&inner);
    ck_assert_int_le(current_limit_ns(LONG_NS / 2), 1000);
    current_end(&call);
    ck_assert_int_eq(current_limit_ns(LONG_NS / 2), LONG_NS / 2);
}
END_TEST

static void *limit_elsewhere(void *data)
{
    *(int64_t *)data = current_limit_ns(LONG_NS);
    return NULL;
}

START_TEST(other_threads_are_not_limited)
{
    int64_t left_ns = 0;
    pthread_t thread;

    current_begin(&call, 1000, &calls_out);
    ck_assert_int_eq(pthread_create(&thread, NULL, limit_elsewhere, &left_ns), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    current_end(&call);
    ck_assert_int_eq(left_ns, LONG_NS);
}
END_TEST

static Suite *current_suite(void)
{
    Suite *suite = suite_create("runtime_current");
    TCase *tests = tcase_create("current");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, limits_nothing_outside_of_handlers);
    tcase_add_test(tests, limits_nothing_where_the_caller_has_no_deadline);
    tcase_add_test(tests, the_first_call_of_a_kind_has_all_the_time_and_is_learnt_from);
    tcase_add_test(tests, later_ones_have_what_is_left);
    tcase_add_test(tests, a_caller_whose_time_is_over_leaves_one_nanosecond);
    tcase_add_test(tests, a_handler_within_a_handler_has_its_own);
    tcase_add_test(tests, other_threads_are_not_limited);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(current_suite)

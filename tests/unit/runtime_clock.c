/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/cpu.h"

#include <unistd.h>

START_TEST(time_never_goes_back)
{
    int64_t before = clock_now_ns();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now_ns();

        ck_assert_int_ge(now, before);
        before = now;
    }
    ck_assert_int_ge(before, 0);
}
END_TEST

START_TEST(a_span_ends_that_much_later)
{
    int64_t before = clock_now_ns();
    int64_t until = clock_after_ns(1000000);

    ck_assert_int_ge(until, before + 1000000);
    ck_assert_int_le(until, clock_now_ns() + 1000000);
    ck_assert_int_le(clock_left_ns(until), 1000000);
}
END_TEST

/* Exact below a second; from there on not before, but for a tick that is overdue, and at most a tick later. */
START_TEST(a_long_span_ends_about_that_much_later)
{
    static const int64_t spans_ns[] = {1, 999999999, 1000000000, INT64_C(3600000000000)};

    for (size_t i = 0; i < sizeof(spans_ns) / sizeof(spans_ns[0]); i++) {
        int64_t before_ns = spans_ns[i] < 1000000000 ? clock_now_ns() : clock_coarse_ns();
        int64_t until_ns = clock_after_about_ns(spans_ns[i]);
        int64_t slack_ns = spans_ns[i] < 1000000000 ? 0 : CLOCK_TICK_MOST_NS;

        ck_assert_int_ge(until_ns, before_ns + spans_ns[i] + slack_ns);
        ck_assert_int_le(until_ns, clock_now_ns() + spans_ns[i] + slack_ns);
    }
    ck_assert(clock_after_about_ns(CLOCK_NEVER) == CLOCK_NEVER);
    ck_assert(clock_after_about_ns(CLOCK_NEVER - 1) == CLOCK_NEVER);
    ck_assert_int_le(clock_after_about_ns(-1), clock_now_ns());
}
END_TEST

START_TEST(spans_saturate_at_never)
{
    ck_assert(clock_after_ns(CLOCK_NEVER) == CLOCK_NEVER);
    ck_assert(clock_after_ns(CLOCK_NEVER - 1) == CLOCK_NEVER);
    ck_assert(clock_left_ns(CLOCK_NEVER) == CLOCK_NEVER);
}
END_TEST

START_TEST(a_negative_span_is_over_at_once)
{
    int64_t until = clock_after_ns(INT64_MIN);

    ck_assert_int_le(until, clock_now_ns());
    ck_assert(clock_left_ns(until) == 0);
    ck_assert(clock_left_ns(0) == 0);
    ck_assert(clock_left_ns(INT64_MIN) == 0);
}
END_TEST

START_TEST(sleeps_at_least_as_long_as_asked)
{
    int64_t until = clock_after_ns(2000000);

    clock_sleep_ns(2000000);
    ck_assert(clock_left_ns(until) == 0);
    clock_sleep_ns(-1);
}
END_TEST

START_TEST(a_timespec_has_seconds_and_the_rest)
{
    struct timespec span = clock_timespec(INT64_C(3000000007));

    ck_assert_int_eq(span.tv_sec, 3);
    ck_assert_int_eq(span.tv_nsec, 7);
    span = clock_timespec(-5);
    ck_assert_int_eq(span.tv_sec, 0);
    ck_assert_int_eq(span.tv_nsec, 0);
    span = clock_timespec(INT64_MAX);
    ck_assert_int_ge(span.tv_sec, 0);
    ck_assert_int_lt(span.tv_nsec, 1000000000);
}
END_TEST

START_TEST(there_is_a_core)
{
    ck_assert_int_ge(cpu_online_count(), 1);
    ck_assert_int_eq(cpu_online_count(), (int)sysconf(_SC_NPROCESSORS_ONLN));
    cpu_pause();
}
END_TEST

static Suite *clock_suite(void)
{
    Suite *suite = suite_create("runtime_clock");
    TCase *tests = tcase_create("clock");

    tcase_add_test(tests, time_never_goes_back);
    tcase_add_test(tests, a_span_ends_that_much_later);
    tcase_add_test(tests, a_long_span_ends_about_that_much_later);
    tcase_add_test(tests, spans_saturate_at_never);
    tcase_add_test(tests, a_negative_span_is_over_at_once);
    tcase_add_test(tests, sleeps_at_least_as_long_as_asked);
    tcase_add_test(tests, a_timespec_has_seconds_and_the_rest);
    tcase_add_test(tests, there_is_a_core);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(clock_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/poller.h"
#include "runtime/platform/timer.h"

#include <unistd.h>

#define KEY UINT64_C(0x123456789abcdef7)

static int poller;
static int timer;
static poller_event events[POLLER_EVENTS_MAX];
static counts before;

static void begin(void)
{
    counts_take(&before);
    poller = poller_new();
    timer = timer_new();
    ck_assert_int_ge(poller, 0);
    ck_assert_int_ge(timer, 0);
    ck_assert_int_eq(poller_watch(poller, timer, KEY), 0);
}

static void end(void)
{
    (void)close(timer);
    (void)close(poller);
    counts_expect_same(&before);
}

static void expect_edge(void)
{
    ck_assert_int_eq(poller_wait(poller, events, CLOCK_NEVER), 1);
    ck_assert_uint_eq(events[0].key, KEY);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
}

START_TEST(each_time_that_is_reached_is_an_edge_though_nothing_is_read)
{
    for (int i = 0; i < 5; i++) {
        int64_t until_ns = clock_after_ns(2000000);

        timer_set(timer, until_ns);
        ck_assert_int_eq(poller_wait(poller, events, 0), 0);
        expect_edge();
        ck_assert_int_ge(clock_now_ns(), until_ns);
    }
}
END_TEST

START_TEST(a_time_that_has_passed_is_reached_at_once)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1};

    timer_set(timer, times[_i]);
    expect_edge();
}
END_TEST

START_TEST(another_time_takes_the_place_of_the_one_before)
{
    int64_t until_ns = clock_after_ns(5000000);

    timer_set(timer, clock_after_ns(1000000));
    timer_set(timer, until_ns);
    expect_edge();
    ck_assert_int_ge(clock_now_ns(), until_ns);
    timer_set(timer, clock_after_ns(1000000));
    timer_set(timer, CLOCK_NEVER);
    ck_assert_int_eq(poller_wait(poller, events, 5000000), 0);
    timer_set(timer, CLOCK_NEVER - 1);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
}
END_TEST

static Suite *timer_suite(void)
{
    Suite *suite = suite_create("runtime_timer");
    TCase *tests = tcase_create("timer");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, each_time_that_is_reached_is_an_edge_though_nothing_is_read);
    tcase_add_loop_test(tests, a_time_that_has_passed_is_reached_at_once, 0, 4);
    tcase_add_test(tests, another_time_takes_the_place_of_the_one_before);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(timer_suite)

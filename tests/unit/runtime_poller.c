/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/event.h"
#include "runtime/platform/poller.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int poller;
static int bell;
static uint64_t owner; /* its address is what comes back */
static poller_event events[POLLER_EVENTS_MAX];
static counts before;

static void begin(void)
{
    counts_take(&before);
    poller = poller_new();
    bell = event_new();
    ck_assert_int_ge(poller, 0);
    ck_assert_int_ge(bell, 0);
}

static void end(void)
{
    (void)close(bell);
    (void)close(poller);
    counts_expect_same(&before);
}

static void expect_event(unsigned tag)
{
    ck_assert_int_eq(poller_wait(poller, events, CLOCK_NEVER), 1);
    ck_assert_ptr_eq(events[0].owner, &owner);
    ck_assert_uint_eq(events[0].tag, tag);
}

START_TEST(gives_back_owner_and_tag)
{
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    for (unsigned tag = 0; tag <= POLLER_TAG_MAX; tag++) {
        ck_assert_int_eq(poller_add(poller, bell, 1, &owner, tag), 0);
        ck_assert_int_eq(event_ring(bell), 0);
        expect_event(tag);
        poller_remove(poller, bell);
        ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    }
}
END_TEST

START_TEST(every_ring_of_a_bell_that_is_never_read_is_an_event)
{
    ck_assert_int_eq(event_ring(bell), 0); /* before it is watched counts, too */
    ck_assert_int_eq(poller_add(poller, bell, 1, &owner, 3), 0);
    expect_event(3);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(poller_wait(poller, events, 0), 0);
        ck_assert_int_eq(event_ring(bell), 0);
        expect_event(3);
    }
}
END_TEST

START_TEST(a_level_lasts_until_it_is_read_and_an_end_is_one)
{
    int ends[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(poller_add(poller, ends[0], 0, &owner, 2), 0);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    expect_event(2);
    expect_event(2);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    ck_assert_int_eq(close(ends[1]), 0);
    expect_event(2);
    ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

START_TEST(an_end_alone_is_told_once_and_packets_are_not)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(poller_add_end(poller, ends[0], &owner), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    ck_assert_int_eq(close(ends[1]), 0);
    poller_await(poller);
    expect_event(0);
    ck_assert_int_eq(poller_wait(poller, events, 0), 0);
    ck_assert_int_eq(close(ends[0]), 0);
    ck_assert_int_eq(poller_add_end(poller, -1, &owner), -EBADF);
}
END_TEST

START_TEST(waits_at_least_as_long_as_it_was_told)
{
    static const int64_t timeouts[] = {1, 999999, 1000000, 1000001, 3000000};

    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        int64_t until_ns = clock_after_ns(timeouts[i]);

        ck_assert_int_eq(poller_wait(poller, events, timeouts[i]), 0);
        ck_assert_int_eq(clock_left_ns(until_ns), 0);
    }
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

START_TEST(a_signal_ends_a_wait_of_any_length_without_an_event)
{
    static const int64_t timeouts[] = {CLOCK_NEVER, CLOCK_NEVER - 1, INT64_C(3000000) * 1000000};
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    const struct itimerval soon = {.it_value = {.tv_usec = 3000}, .it_interval = {.tv_usec = 3000}};

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        ck_assert_int_eq(poller_wait(poller, events, timeouts[i]), 0);
    }
}
END_TEST

START_TEST(says_why_something_cannot_be_watched)
{
    ck_assert_int_eq(poller_add(poller, bell, 0, &owner, 0), 0);
    ck_assert_int_eq(poller_add(poller, bell, 0, &owner, 0), -EEXIST);
    ck_assert_int_eq(poller_add(poller, -1, 0, &owner, 0), -EBADF);
    ck_assert_int_eq(poller_wait(-1, events, 0), -EBADF);
    poller_remove(poller, bell);
    poller_remove(poller, bell);
    poller_remove(poller, -1);
}
END_TEST

static Suite *poller_suite(void)
{
    Suite *suite = suite_create("runtime_poller");
    TCase *tests = tcase_create("poller");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, gives_back_owner_and_tag);
    tcase_add_test(tests, every_ring_of_a_bell_that_is_never_read_is_an_event);
    tcase_add_test(tests, a_level_lasts_until_it_is_read_and_an_end_is_one);
    tcase_add_test(tests, an_end_alone_is_told_once_and_packets_are_not);
    tcase_add_test(tests, waits_at_least_as_long_as_it_was_told);
    tcase_add_test(tests, a_signal_ends_a_wait_of_any_length_without_an_event);
    tcase_add_test(tests, says_why_something_cannot_be_watched);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(poller_suite)

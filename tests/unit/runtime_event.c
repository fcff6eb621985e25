/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

START_TEST(does_not_block_and_is_not_inherited_by_programs)
{
    counts before;
    int event;

    counts_take(&before);
    event = event_new();
    ck_assert_int_ge(event, 0);
    ck_assert_int_ne(fcntl(event, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(event, F_GETFD) & FD_CLOEXEC, 0);
    close(event);
    counts_expect_same(&before);
}
END_TEST

START_TEST(counts_its_rings)
{
    int event = event_new();
    struct pollfd poller = {.fd = event, .events = POLLIN};
    uint64_t count = 0;

    ck_assert_int_eq(poll(&poller, 1, 0), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(event_ring(event), 0);
    ck_assert_int_eq(poll(&poller, 1, 0), 1);
    ck_assert_int_eq(read(event, &count, sizeof(count)), sizeof(count));
    ck_assert_uint_eq(count, 3);
    close(event);
}
END_TEST

START_TEST(each_ring_is_an_edge_although_nobody_drains)
{
    int event = event_new();
    int watcher = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN | EPOLLET};

    ck_assert_int_eq(epoll_ctl(watcher, EPOLL_CTL_ADD, event, &watch), 0);
    ck_assert_int_eq(epoll_wait(watcher, &watch, 1, 0), 0);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(event_ring(event), 0);
        ck_assert_int_eq(epoll_wait(watcher, &watch, 1, 0), 1);
        ck_assert_int_eq(epoll_wait(watcher, &watch, 1, 0), 0);
    }
    close(watcher);
    close(event);
}
END_TEST

START_TEST(a_full_counter_is_as_good_as_rung)
{
    const uint64_t most = UINT64_MAX - 1;
    uint64_t count = 0;
    int event = event_new();

    ck_assert_int_eq(write(event, &most, sizeof(most)), sizeof(most));
    errno = EDOM;
    ck_assert_int_eq(event_ring(event), 0);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_int_eq(read(event, &count, sizeof(count)), sizeof(count));
    ck_assert(count == most);
    close(event);
}
END_TEST

START_TEST(says_what_is_wrong_with_a_descriptor)
{
    errno = EDOM;
    ck_assert_int_eq(event_ring(-1), -EBADF);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static Suite *event_suite(void)
{
    Suite *suite = suite_create("runtime_event");
    TCase *tests = tcase_create("event");

    tcase_add_test(tests, does_not_block_and_is_not_inherited_by_programs);
    tcase_add_test(tests, counts_its_rings);
    tcase_add_test(tests, each_ring_is_an_edge_although_nobody_drains);
    tcase_add_test(tests, a_full_counter_is_as_good_as_rung);
    tcase_add_test(tests, says_what_is_wrong_with_a_descriptor);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(event_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
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

/* What the peer may have sent in place of an eventfd: is each told as it should be? */
static bool inspects_rightly(bool with_proc)
{
    int event = event_new();
    int watcher = epoll_create1(EPOLL_CLOEXEC);
    int file = open("/", O_RDONLY | O_CLOEXEC);
    int ends[2] = {-1, -1};
    bool right = pipe2(ends, O_CLOEXEC) == 0 && event_inspect(event) == 0 &&
                 event_inspect(watcher) == (with_proc ? -EPROTO : 0) && event_inspect(file) == -EPROTO &&
                 event_inspect(ends[0]) == -EPROTO && event_inspect(-1) == -EBADF;

    close(ends[0]);
    close(ends[1]);
    close(file);
    close(watcher);
    close(event);
    return right;
}

START_TEST(tells_an_eventfd_from_anything_else)
{
    counts before;

    counts_take(&before);
    ck_assert(inspects_rightly(true));
    counts_expect_same(&before);
}
END_TEST

enum { WRONG, RIGHT, NO_OTHER_ROOT };

/* Nothing comes back from the empty root, and sanitizers look for /proc when a test ends: so in a child. */
static int inspect_in_an_empty_root(child_link *link, void *data)
{
    char empty[] = "/tmp/shmrpc-root-XXXXXX";
    char said = NO_OTHER_ROOT;

    (void)data;
    child_check(mkdtemp(empty) != NULL && chdir(empty) == 0 && rmdir(empty) == 0, "an empty folder");
    if (geteuid() == 0 || unshare(CLONE_NEWUSER) == 0) {
        child_check(chroot(".") == 0, "chroot");
        said = inspects_rightly(false) ? RIGHT : WRONG;
    }
    link_send(link, &said, 1);
    return 0;
}

START_TEST(tells_it_from_files_where_there_is_no_proc)
{
    child process;
    char said;

    child_spawn(&process, inspect_in_an_empty_root, NULL);
    link_receive(&process.link, &said, 1);
    child_expect_exit(&process, 0);
    if (said == NO_OTHER_ROOT) {
        test_skip("neither root nor a user namespace is to be had");
        return;
    }
    ck_assert_int_eq(said, RIGHT);
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
    tcase_add_test(tests, tells_an_eventfd_from_anything_else);
    tcase_add_test(tests, tells_it_from_files_where_there_is_no_proc);
    tcase_add_test(tests, says_what_is_wrong_with_a_descriptor);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(event_suite)

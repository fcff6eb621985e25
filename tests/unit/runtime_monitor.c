/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that hears of a server's end: what sets an alarm, what does not, and when it is there at all.
 */
#include "test_support.h"

#include "socket_pair.h"

#include "runtime/monitor.h"
#include "runtime/platform/clock.h"
#include "runtime/platform/futex.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_NS INT64_C(10000000000)

static alarm_word first, second;
static int near_end, far_end;
static counts before;

static void begin(void)
{
    counts_take(&before);
    socket_pair_new(&near_end, &far_end);
}

static void end(void)
{
    (void)close(near_end);
    (void)close(far_end);
    counts_expect_same(&before);
}

/* Sleeps until it is set. */
static void expect_alarm(alarm_word *alarm)
{
    while (!alarm_is_set(alarm)) {
        ck_assert_int_ne(futex_wait(&alarm->word, 0, LONG_NS), -ETIMEDOUT);
    }
    alarm_clear(alarm);
}

/* A line of a thread's status, after its colon; the thread is the one of that name. */
static void thread_line(const char *name, const char *key, char *ret_line, size_t size)
{
    DIR *folder = opendir("/proc/self/task");
    bool found = false;

    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL && !found; entry = readdir(folder)) {
        char path[300], line[256];

        snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL) {
            continue;
        }
        bool is_it = false;
        while (fgets(line, sizeof(line), file) != NULL) {
            is_it = is_it || (strncmp(line, "Name:\t", 6) == 0 && strncmp(line + 6, name, strlen(name)) == 0);
            if (is_it && strncmp(line, key, strlen(key)) == 0) {
                snprintf(ret_line, size, "%s", line + strlen(key) + 1);
                found = true;
            }
        }
        fclose(file);
    }
    closedir(folder);
    ck_assert_msg(found, "there is no thread %s", name);
}

static long monitor_switches(void)
{
    char line[256];

    thread_line("shmrpc-monitor", "voluntary_ctxt_switches", line, sizeof(line));
    return strtol(line, NULL, 10);
}

static size_t threads_now(void)
{
    return counts_threads_of(getpid());
}

START_TEST(tells_of_a_socket_that_is_closed)
{
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    ck_assert(!alarm_is_set(&first));
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    expect_alarm(&first);
    monitor_remove(&first, near_end, -1);
}
END_TEST

START_TEST(tells_of_a_socket_that_was_closed_before)
{
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    expect_alarm(&first);
    monitor_remove(&first, near_end, -1);
}
END_TEST

static int just_end(child_link *link, void *data)
{
    (void)data;
    link_await(link, 'e');
    return 0;
}

START_TEST(tells_of_a_process_that_ends_while_its_socket_stays_open)
{
    child server;

    child_spawn(&server, just_end, NULL);
    int pidfd = (int)syscall(SYS_pidfd_open, server.pid, 0);
    ck_assert_int_ge(pidfd, 0);
    ck_assert_int_eq(monitor_add(&first, near_end, pidfd), 0);
    ck_assert(!alarm_is_set(&first));
    link_signal(&server.link, 'e');
    expect_alarm(&first);
    monitor_remove(&first, near_end, pidfd);
    child_expect_exit(&server, 0);
    ck_assert_int_eq(close(pidfd), 0);
}
END_TEST

/* The same descriptor for several connections, of which any may go first, or come when it is over. */
START_TEST(tells_all_who_have_the_process_in_common)
{
    alarm_word third = {0};
    int more_near[2], more_far[2];
    child server;

    for (int i = 0; i < 2; i++)
        socket_pair_new(&more_near[i], &more_far[i]);
    child_spawn(&server, just_end, NULL);
    int pidfd = (int)syscall(SYS_pidfd_open, server.pid, 0);
    ck_assert_int_ge(pidfd, 0);
    ck_assert_int_eq(monitor_add(&first, near_end, pidfd), 0);
    ck_assert_int_eq(monitor_add(&second, more_near[0], pidfd), 0);
    ck_assert_int_eq(monitor_add(&third, more_near[1], pidfd), 0);
    monitor_remove(&first, near_end, pidfd);
    ck_assert(!alarm_is_set(&second) && !alarm_is_set(&third));
    link_signal(&server.link, 'e');
    expect_alarm(&second);
    expect_alarm(&third);
    ck_assert(!alarm_is_set(&first));
    ck_assert_int_eq(monitor_add(&first, near_end, pidfd), 0);
    ck_assert(alarm_is_set(&first));
    alarm_clear(&first);
    monitor_remove(&third, more_near[1], pidfd);
    monitor_remove(&first, near_end, pidfd);
    monitor_remove(&second, more_near[0], pidfd);
    child_expect_exit(&server, 0);
    ck_assert_int_eq(close(pidfd), 0);
    for (int i = 0; i < 2; i++) {
        (void)close(more_near[i]);
        (void)close(more_far[i]);
    }
}
END_TEST

START_TEST(tells_the_one_whose_server_it_was)
{
    int other_near, other_far;

    socket_pair_new(&other_near, &other_far);
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    ck_assert_int_eq(monitor_add(&second, other_near, -1), 0);
    ck_assert_int_eq(close(other_far), 0);
    expect_alarm(&second);
    ck_assert(!alarm_is_set(&first));
    monitor_remove(&second, other_near, -1);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    expect_alarm(&first);
    ck_assert(!alarm_is_set(&second));
    monitor_remove(&first, near_end, -1);
    ck_assert_int_eq(close(other_near), 0);
}
END_TEST

/* More at once than one look of the thread takes. */
START_TEST(tells_all_of_many_that_end_together)
{
    enum { MANY = 150 };
    static alarm_word alarms[MANY];
    int near[MANY], far[MANY];

    for (int i = 0; i < MANY; i++) {
        socket_pair_new(&near[i], &far[i]);
        ck_assert_int_eq(monitor_add(&alarms[i], near[i], -1), 0);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(close(far[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        expect_alarm(&alarms[i]);
        monitor_remove(&alarms[i], near[i], -1);
        ck_assert_int_eq(close(near[i]), 0);
    }
}
END_TEST

START_TEST(sleeps_through_packets_and_leaves_them)
{
    static const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = ""};
    int other_near, other_far;

    socket_pair_new(&other_near, &other_far);
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    /* It has slept for the first time once it has told something. */
    ck_assert_int_eq(monitor_add(&second, other_near, -1), 0);
    ck_assert_int_eq(close(other_far), 0);
    expect_alarm(&second);
    monitor_remove(&second, other_near, -1);
    ck_assert_int_eq(close(other_near), 0);
    long switches = -1;
    while (switches != monitor_switches()) {
        switches = monitor_switches();
        clock_sleep_ns(20000000);
    }
    for (int i = 0; i < 20; i++) {
        socket_pair_send(far_end, &goodbye, NULL, 0);
    }
    clock_sleep_ns(50000000);
    ck_assert_int_eq(monitor_switches(), switches);
    ck_assert(!alarm_is_set(&first));
    monitor_remove(&first, near_end, -1);
    for (int i = 0; i < 20; i++) {
        control_packet *packet = socket_pair_receive(near_end);
        ck_assert_ptr_nonnull(packet);
        control_packet_free(packet);
    }
}
END_TEST

START_TEST(is_there_exactly_while_something_is_watched)
{
    counts now;
    size_t threads = threads_now();
    int other_near, other_far;

    socket_pair_new(&other_near, &other_far);
    counts_take(&now);
    for (int round = 0; round < 50; round++) {
        ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
        ck_assert_int_eq(monitor_add(&second, other_near, -1), 0);
        ck_assert_uint_ge(threads_now(), threads + 1);
        monitor_remove(&first, near_end, -1);
        monitor_remove(&second, other_near, -1);
        counts_expect_same(&now);
    }
    ck_assert_int_eq(close(other_near), 0);
    ck_assert_int_eq(close(other_far), 0);
}
END_TEST

START_TEST(takes_no_signal)
{
    char line[256];
    sigset_t mask;

    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    thread_line("shmrpc-monitor", "SigBlk", line, sizeof(line));
    /* All but KILL, STOP and the two that the C library keeps for itself. */
    ck_assert_uint_eq(strtoull(line, NULL, 16) | UINT64_C(0x380040100), UINT64_MAX);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    ck_assert_int_eq(sigismember(&mask, SIGUSR1), 0);
    monitor_remove(&first, near_end, -1);
}
END_TEST

START_TEST(leaves_nothing_where_it_cannot_watch)
{
    counts now;

    counts_take(&now);
    ck_assert_int_eq(monitor_add(&first, -1, -1), -EBADF);
    counts_expect_same(&now);
    ck_assert_int_eq(monitor_add(&first, near_end, 9999), -EBADF);
    counts_expect_same(&now);
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    ck_assert_int_eq(monitor_add(&first, near_end, -1), -EEXIST);
    ck_assert_int_eq(monitor_add(&second, -1, -1), -EBADF);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    expect_alarm(&first);
    monitor_remove(&first, near_end, -1);
}
END_TEST

static int watch_in_the_child(child_link *link, void *data)
{
    int child_near, child_far;
    size_t descriptors = counts_fds_of(getpid());

    (void)data;
    child_check(!alarm_is_set(&first), "the child hears what is its parent's");
    socket_pair_new(&child_near, &child_far);
    child_check(monitor_add(&second, child_near, -1) == 0, "the child cannot watch");
    link_signal(link, 'w');
    link_await(link, 'c');
    child_check(close(child_far) == 0, "close");
    while (!alarm_is_set(&second)) {
        child_check(futex_wait(&second.word, 0, LONG_NS) != -ETIMEDOUT, "no alarm in the child");
    }
    child_check(!alarm_is_set(&first), "the child hears of its parent's server");
    monitor_remove(&second, child_near, -1);
    child_check(close(child_near) == 0, "close");
    child_check(counts_fds_of(getpid()) == descriptors, "descriptors stay in the child");
    return 0;
}

START_TEST(a_forked_child_has_none_until_it_watches_for_itself)
{
    child forked;
    size_t descriptors = counts_fds_of(getpid());

    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    child_spawn(&forked, watch_in_the_child, NULL);
    link_await(&forked.link, 'w');
    /* What the child does touches nothing of its parent's. It has the far end, too: closing it here would not do. */
    ck_assert_int_eq(shutdown(far_end, SHUT_RDWR), 0);
    expect_alarm(&first);
    link_signal(&forked.link, 'c');
    child_expect_exit(&forked, 0);
    ck_assert(!alarm_is_set(&second));
    monitor_remove(&first, near_end, -1);
    ck_assert_uint_eq(counts_fds_of(getpid()), descriptors);
}
END_TEST

static int inherit_nothing(child_link *link, void *data)
{
    const size_t *descriptors = data;

    /* The link's two ends are the child's in place of its parent's two. */
    (void)link;
    return counts_fds_of(getpid()) == *descriptors && counts_threads_of(getpid()) == 1 ? 0 : 1;
}

START_TEST(a_forked_child_inherits_no_descriptor_of_it)
{
    child forked;
    size_t descriptors;

    child_spawn(&forked, just_end, NULL);
    descriptors = counts_fds_of(getpid());
    link_signal(&forked.link, 'e');
    child_expect_exit(&forked, 0);
    ck_assert_int_eq(monitor_add(&first, near_end, -1), 0);
    if (!test_is_built_with("tsan")) {
        child_spawn(&forked, inherit_nothing, &descriptors);
        child_expect_exit(&forked, 0);
    }
    monitor_remove(&first, near_end, -1);
}
END_TEST

static void *add_and_remove(void *data)
{
    _Atomic(bool) *stop = data;
    alarm_word alarm = {0};
    int near, far;

    socket_pair_new(&near, &far);
    while (!atomic_load(stop)) {
        if (monitor_add(&alarm, near, -1) != 0) {
            return data;
        }
        monitor_remove(&alarm, near, -1);
    }
    (void)close(near);
    (void)close(far);
    return NULL;
}

static int end_at_once(child_link *link, void *data)
{
    (void)link;
    (void)data;
    return 0;
}

START_TEST(begins_and_ends_in_several_threads_and_beside_forks)
{
    enum { THREADS = 3, FORKS = 30 };
    pthread_t threads[THREADS];
    _Atomic(bool) stop = false;
    child forked;

    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_and_remove, &stop), 0);
    }
    for (int i = 0; i < FORKS; i++) {
        child_spawn(&forked, end_at_once, NULL);
        child_expect_exit(&forked, 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

static Suite *monitor_suite(void)
{
    Suite *suite = suite_create("runtime_monitor");
    TCase *tests = tcase_create("monitor");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, tells_of_a_socket_that_is_closed);
    tcase_add_test(tests, tells_of_a_socket_that_was_closed_before);
    tcase_add_test(tests, tells_of_a_process_that_ends_while_its_socket_stays_open);
    tcase_add_test(tests, tells_all_who_have_the_process_in_common);
    tcase_add_test(tests, tells_the_one_whose_server_it_was);
    tcase_add_test(tests, tells_all_of_many_that_end_together);
    tcase_add_test(tests, sleeps_through_packets_and_leaves_them);
    tcase_add_test(tests, is_there_exactly_while_something_is_watched);
    tcase_add_test(tests, takes_no_signal);
    tcase_add_test(tests, leaves_nothing_where_it_cannot_watch);
    tcase_add_test(tests, a_forked_child_has_none_until_it_watches_for_itself);
    tcase_add_test(tests, a_forked_child_inherits_no_descriptor_of_it);
    if (!test_is_built_with("tsan")) { /* a child of several threads is not its to follow */
        tcase_add_test(tests, begins_and_ends_in_several_threads_and_beside_forks);
    }
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(monitor_suite)

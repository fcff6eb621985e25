/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/process.h"

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

START_TEST(the_generation_stays_while_nobody_forks)
{
    uint32_t generation = process_generation();

    ck_assert_uint_ne(generation, 0);
    ck_assert_uint_eq(process_generation(), generation);
}
END_TEST

static int send_generation(child_link *link, void *data)
{
    uint32_t generation = process_generation();

    (void)data;
    link_send(link, &generation, sizeof(generation));
    return 0;
}

static int send_two_generations(child_link *link, void *data)
{
    uint32_t generation = process_generation();
    child process;

    (void)data;
    link_send(link, &generation, sizeof(generation));
    child_spawn(&process, send_generation, NULL);
    link_receive(&process.link, &generation, sizeof(generation));
    child_expect_exit(&process, 0);
    link_send(link, &generation, sizeof(generation));
    return 0;
}

START_TEST(each_descendant_has_another_generation)
{
    uint32_t mine = process_generation();
    uint32_t of_child;
    uint32_t of_grandchild;
    child process;

    child_spawn(&process, send_two_generations, NULL);
    link_receive(&process.link, &of_child, sizeof(of_child));
    link_receive(&process.link, &of_grandchild, sizeof(of_grandchild));
    child_expect_exit(&process, 0);

    ck_assert_uint_ne(of_child, mine);
    ck_assert_uint_ne(of_grandchild, mine);
    ck_assert_uint_ne(of_grandchild, of_child);
    ck_assert_uint_eq(process_generation(), mine);
}
END_TEST

static void *store_thread(void *data)
{
    *(uintptr_t *)data = process_thread();
    return NULL;
}

START_TEST(each_thread_has_a_value_of_its_own)
{
    uintptr_t mine = process_thread();
    uintptr_t other = 0;
    pthread_t thread;

    ck_assert(mine != 0);
    ck_assert(process_thread() == mine);
    ck_assert_int_eq(pthread_create(&thread, NULL, store_thread, &other), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(other != 0);
    ck_assert(other != mine);
}
END_TEST

static void *store_three(void *data)
{
    uintptr_t *numbers = data;

    numbers[0] = process_thread();
    process_thread_retire();
    numbers[1] = process_thread();
    numbers[2] = process_thread();
    return NULL;
}

START_TEST(a_number_that_is_retired_never_comes_back)
{
    uintptr_t mine = process_thread();
    uintptr_t numbers[3];
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, store_three, numbers), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(numbers[0] != 0 && numbers[1] != 0);
    ck_assert(numbers[1] != numbers[0] && numbers[1] != mine);
    ck_assert(numbers[2] == numbers[1]);
    ck_assert(process_thread() == mine);
}
END_TEST

static int send_thread(child_link *link, void *data)
{
    uintptr_t thread = process_thread();

    (void)data;
    link_send(link, &thread, sizeof(thread));
    return 0;
}

START_TEST(the_thread_that_forks_is_another_in_the_child)
{
    uintptr_t mine = process_thread();
    uintptr_t of_child;
    child process;

    ck_assert_uint_ne(process_generation(), 0);
    child_spawn(&process, send_thread, NULL);
    link_receive(&process.link, &of_child, sizeof(of_child));
    child_expect_exit(&process, 0);
    ck_assert(of_child != mine);
    ck_assert(process_thread() == mine);
}
END_TEST

START_TEST(the_last_who_shares_a_pidfd_closes_it)
{
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    size_t descriptors = counts_fds_of(getpid());
    process_share *share = process_share_new(pidfd);

    ck_assert_ptr_nonnull(share);
    ck_assert_int_eq(share->pidfd, pidfd);
    ck_assert_ptr_eq(process_enter(share), share);
    process_leave(share);
    ck_assert_uint_eq(counts_fds_of(getpid()), descriptors);
    process_leave(share);
    ck_assert_uint_eq(counts_fds_of(getpid()), descriptors - 1);
    ck_assert_ptr_null(process_enter(NULL));
    process_leave(NULL);
}
END_TEST

static int await_end(child_link *link, void *data)
{
    (void)data;
    link_await(link, 'e');
    return 3;
}

START_TEST(knows_whether_a_process_has_ended)
{
    child process;
    int pidfd;

    ck_assert(!process_has_ended(-1));

    child_spawn(&process, await_end, NULL);
    pidfd = (int)syscall(SYS_pidfd_open, process.pid, 0);
    ck_assert_int_ge(pidfd, 0);
    ck_assert(!process_has_ended(pidfd));
    link_signal(&process.link, 'e');
    /* Its end of the link closes when it ends; reaped or not, it has ended by the time that it can be waited for. */
    child_expect_exit(&process, 3);
    ck_assert(process_has_ended(pidfd));
    close(pidfd);
}
END_TEST

static Suite *process_suite(void)
{
    Suite *suite = suite_create("runtime_process");
    TCase *tests = tcase_create("process");

    tcase_add_test(tests, the_generation_stays_while_nobody_forks);
    tcase_add_test(tests, each_descendant_has_another_generation);
    tcase_add_test(tests, each_thread_has_a_value_of_its_own);
    tcase_add_test(tests, a_number_that_is_retired_never_comes_back);
    tcase_add_test(tests, the_thread_that_forks_is_another_in_the_child);
    tcase_add_test(tests, the_last_who_shares_a_pidfd_closes_it);
    tcase_add_test(tests, knows_whether_a_process_has_ended);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(process_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_helpers.c - the helpers must see what they are there to see.
 */
#include "test_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

static int echo_steps(child_link *link, void *data)
{
    link_await(link, 'a');
    link_signal(link, 'b');
    return *(const int *)data;
}

START_TEST(child_and_parent_take_turns_and_status_comes_back)
{
    int status = 42;
    child process;

    child_spawn(&process, echo_steps, &status);
    link_signal(&process.link, 'a');
    link_await(&process.link, 'b');
    ck_assert(link_await_closed(&process.link));
    child_expect_exit(&process, 42);
    ck_assert_int_eq(process.pid, 0);
}
END_TEST

START_TEST(child_that_misses_its_step_is_broken)
{
    int status = 0;
    child process;

    child_spawn(&process, echo_steps, &status);
    link_signal(&process.link, 'x');
    child_expect_exit(&process, CHILD_BROKEN);
}
END_TEST

START_TEST(program_is_spoken_to_by_line)
{
    const char *const argv[] = {"cat", NULL};
    child process;
    char line[16];

    child_start(&process, argv);
    link_send(&process.link, "hello\n", strlen("hello\n"));
    ck_assert_uint_eq(link_read_line(&process.link, line, sizeof(line)), 5);
    ck_assert_str_eq(line, "hello");
    child_kill(&process);
}
END_TEST

START_TEST(program_that_is_not_there_is_broken)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    child process;

    child_start(&process, argv);
    child_expect_exit(&process, CHILD_BROKEN);
}
END_TEST

static int wait_for_ever(child_link *link, void *data)
{
    (void)data;
    link_signal(link, 'r');
    link_await_closed(link);
    return 0;
}

START_TEST(stopped_child_goes_on_and_is_killed)
{
    child process;

    child_spawn(&process, wait_for_ever, NULL);
    link_await(&process.link, 'r');
    child_stop(&process);
    child_continue(&process);
    child_stop(&process);
    kill(process.pid, SIGKILL);
    child_expect_signal(&process, SIGKILL);
}
END_TEST

START_TEST(counts_are_the_same_after_children_came_and_went)
{
    counts before;
    int status = 0;

    counts_take(&before);
    for (int i = 0; i < 10; i++) {
        child process;
        child_spawn(&process, echo_steps, &status);
        link_signal(&process.link, 'a');
        link_await(&process.link, 'b');
        child_expect_exit(&process, 0);
    }
    counts_expect_same(&before);
}
END_TEST

static void *wait_at_barrier(void *data)
{
    pthread_barrier_wait(data);
    return NULL;
}

START_TEST(counts_see_each_kind)
{
    counts before, now;
    counts_take(&before);

    int fd = memfd_create("counted", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 4096), 0);
    void *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    pthread_barrier_t barrier;
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_at_barrier, &barrier), 0);
    child process;
    child_spawn(&process, wait_for_ever, NULL);
    link_await(&process.link, 'r');
    char *file = NULL;
    ck_assert_int_gt(asprintf(&file, "%s/file", runtime_dir_path()), 0);
    ck_assert_int_eq(mknod(file, S_IFREG | 0600, 0), 0);

    counts_take(&now);
    ck_assert_uint_eq(now.fds, before.fds + 3); /* the memfd, and the link's two ends */
    ck_assert_uint_eq(now.mappings, before.mappings + 1);
    ck_assert_uint_eq(now.threads, before.threads + 1);
    ck_assert_uint_eq(now.children, before.children + 1);
    ck_assert_uint_eq(now.runtime_entries, before.runtime_entries + 1);
    ck_assert_uint_eq(runtime_dir_entries(), 1);

    child_kill(&process);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&barrier);
    munmap(memory, 4096);
    close(fd);
    ck_assert_int_eq(unlink(file), 0);
    free(file);
    counts_expect_same(&before);
}
END_TEST

START_TEST(runtime_dir_is_private_and_goes_with_its_contents)
{
    struct stat status;

    ck_assert_str_eq(getenv("SHMRPC_DIR"), runtime_dir_path());
    ck_assert_int_eq(stat(runtime_dir_path(), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    char *folder = NULL;
    ck_assert_int_gt(asprintf(&folder, "%s/folder", runtime_dir_path()), 0);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    free(folder);
    runtime_dir_remove();
    ck_assert_int_eq(stat(runtime_dir_path(), &status), -1);
    ck_assert_ptr_null(getenv("SHMRPC_DIR"));
    runtime_dir_make();
}
END_TEST

static Suite *helpers_suite(void)
{
    Suite *suite = suite_create("helpers");

    TCase *children = tcase_create("children");
    tcase_set_timeout(children, 30);
    tcase_add_test(children, child_and_parent_take_turns_and_status_comes_back);
    tcase_add_test(children, child_that_misses_its_step_is_broken);
    tcase_add_test(children, program_is_spoken_to_by_line);
    tcase_add_test(children, program_that_is_not_there_is_broken);
    tcase_add_test(children, stopped_child_goes_on_and_is_killed);
    suite_add_tcase(suite, children);

    TCase *state = tcase_create("state");
    tcase_set_timeout(state, 30);
    tcase_add_checked_fixture(state, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(state, counts_are_the_same_after_children_came_and_went);
    tcase_add_test(state, counts_see_each_kind);
    tcase_add_test(state, runtime_dir_is_private_and_goes_with_its_contents);
    suite_add_tcase(suite, state);

    return suite;
}

TEST_MAIN(helpers_suite)

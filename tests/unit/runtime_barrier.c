/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/barrier.h"
#include "runtime/platform/feature.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROUNDS 20000u

/*
 * Store buffering: each thread stores into its own word, then loads the other's. The first has no fence of its own, so
 * that it may load before its store is seen; the second makes one for both. Then they do not both miss.
 */
static _Atomic unsigned words[2];
static unsigned loaded[2];
static pthread_barrier_t meeting;

static void *store_and_load(void *data)
{
    (void)data;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        (void)pthread_barrier_wait(&meeting);
        atomic_store_explicit(&words[0], round, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        loaded[0] = atomic_load_explicit(&words[1], memory_order_relaxed);
        (void)pthread_barrier_wait(&meeting);
    }
    return NULL;
}

/* Kernels have it since 4.16; filters of system calls may refuse it. */
static bool is_refused(void)
{
    int rc = barrier_join();

    if (rc == 0)
        return false;
    ck_assert_msg(rc == -ENOSYS || rc == -EPERM || rc == -EINVAL, "%d", rc);
    ck_assert_int_lt(barrier_make(), 0);
    test_skip("the system does not allow membarrier()");
    return true;
}

START_TEST(is_a_fence_in_other_threads_too)
{
    pthread_t other;
    unsigned missed = 0;

    if (is_refused())
        return;
    ck_assert_int_eq(pthread_barrier_init(&meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&other, NULL, store_and_load, NULL), 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        (void)pthread_barrier_wait(&meeting);
        atomic_store_explicit(&words[1], round, memory_order_relaxed);
        ck_assert_int_eq(barrier_make(), 0);
        loaded[1] = atomic_load_explicit(&words[0], memory_order_relaxed);
        (void)pthread_barrier_wait(&meeting);
        missed += loaded[0] != round && loaded[1] != round;
    }
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert_int_eq(pthread_barrier_destroy(&meeting), 0);
    ck_assert_uint_eq(missed, 0);
}
END_TEST

static int join_in_the_child(child_link *link, void *data)
{
    (void)link;
    (void)data;
    child_check(barrier_join() == 0 && barrier_make() == 0, "a child cannot join");
    return 0;
}

START_TEST(is_joined_as_often_as_one_likes_and_by_children)
{
    child forked;

    if (is_refused())
        return;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(barrier_join(), 0);
        ck_assert_int_eq(barrier_make(), 0);
    }
    child_spawn(&forked, join_in_the_child, NULL);
    child_expect_exit(&forked, 0);
}
END_TEST

START_TEST(is_not_there_where_it_is_switched_off)
{
    ck_assert_int_eq(setenv(FEATURE_VARIABLE, "membarrier", 1), 0);
    ck_assert_int_eq(barrier_join(), -ENOSYS);
    ck_assert_int_eq(barrier_make(), -ENOSYS);
}
END_TEST

static Suite *barrier_suite(void)
{
    Suite *suite = suite_create("runtime_barrier");
    TCase *tests = tcase_create("barrier");

    tcase_add_test(tests, is_a_fence_in_other_threads_too);
    tcase_add_test(tests, is_joined_as_often_as_one_likes_and_by_children);
    tcase_add_test(tests, is_not_there_where_it_is_switched_off);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(barrier_suite)

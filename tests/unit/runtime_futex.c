/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/futex.h"
#include "runtime/platform/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define LONG_NS INT64_C(10000000000)

START_TEST(does_not_sleep_where_the_word_differs)
{
    _Atomic uint32_t word = 7;

    ck_assert_int_eq(futex_wait(&word, 8, CLOCK_NEVER), 0);
}
END_TEST

START_TEST(sleeps_until_the_time_is_over)
{
    _Atomic uint32_t word = 7;
    int64_t until = clock_after_ns(3000000);

    ck_assert_int_eq(futex_wait(&word, 7, 3000000), -ETIMEDOUT);
    ck_assert(clock_left_ns(until) == 0);
    ck_assert_int_eq(futex_wait(&word, 7, 0), -ETIMEDOUT);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

START_TEST(a_signal_ends_the_sleep)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval soon = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};
    _Atomic uint32_t word = 7;

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    ck_assert_int_eq(futex_wait(&word, 7, LONG_NS), -EINTR);
}
END_TEST

/* Waits until the word is 1, in a mapping of its own, then says so in the next word. */
static int sleeper(child_link *link, void *data)
{
    int descriptor = *(int *)data;
    _Atomic uint32_t *words = mmap(NULL, memory_round(1), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    child_check(words != MAP_FAILED, "mmap");
    link_signal(link, 'r');
    while (atomic_load(&words[0]) == 0)
        child_check(futex_wait(&words[0], 0, LONG_NS) != -ETIMEDOUT, "nobody woke the sleeper");
    atomic_store(&words[1], 2);
    futex_wake(&words[1]);
    return 0;
}

START_TEST(wakes_a_sleeper_in_another_process_and_mapping)
{
    _Atomic uint32_t *words;
    child process;
    void *base;
    int descriptor;

    ck_assert_int_eq(memory_create(memory_round(1), MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base,
                                   &descriptor),
                     0);
    words = base;
    child_spawn(&process, sleeper, &descriptor);
    link_await(&process.link, 'r');
    atomic_store(&words[0], 1);
    futex_wake(&words[0]);
    while (atomic_load(&words[1]) != 2)
        ck_assert_int_ne(futex_wait(&words[1], 0, LONG_NS), -ETIMEDOUT);
    child_expect_exit(&process, 0);
    memory_unmap(base, memory_round(1));
    close(descriptor);
}
END_TEST

START_TEST(does_not_sleep_on_two_words_where_either_differs)
{
    _Atomic uint32_t word = 7, other = 0;

    if (futex_wait_either(&word, 7, &other, 0) == -ENOSYS) {
        test_skip("no futex_waitv here");
        return;
    }
    ck_assert_int_eq(futex_wait_either(&word, 8, &other, CLOCK_NEVER), 0);
    atomic_store(&other, 1);
    ck_assert_int_eq(futex_wait_either(&word, 7, &other, CLOCK_NEVER), 0);
    ck_assert_int_eq(futex_wait_either(&word, 8, &other, CLOCK_NEVER), 0);
}
END_TEST

START_TEST(sleeps_on_two_words_until_the_time_is_over)
{
    _Atomic uint32_t word = 7, other = 0;
    int64_t until = clock_after_ns(3000000);

    if (futex_wait_either(&word, 7, &other, 0) == -ENOSYS) {
        test_skip("no futex_waitv here");
        return;
    }
    ck_assert_int_eq(futex_wait_either(&word, 7, &other, 3000000), -ETIMEDOUT);
    ck_assert(clock_left_ns(until) == 0);
    ck_assert_int_eq(futex_wait_either(&word, 7, &other, 0), -ETIMEDOUT);
}
END_TEST

typedef struct pair {
    _Atomic uint32_t word, other;
} pair;

static void *sleep_on_pair(void *data)
{
    pair *words = data;

    while (atomic_load(&words->word) == 0 && atomic_load(&words->other) == 0) {
        int rc = futex_wait_either(&words->word, 0, &words->other, LONG_NS);
        if (rc != 0 && rc != -EINTR)
            return data;
    }
    return NULL;
}

START_TEST(a_wake_of_either_word_ends_the_sleep)
{
    pair words = {0};

    if (futex_wait_either(&words.word, 0, &words.other, 0) == -ENOSYS) {
        test_skip("no futex_waitv here");
        return;
    }
    for (int round = 0; round < 200; round++) {
        pthread_t thread;
        void *failed;
        _Atomic uint32_t *word = round % 2 == 0 ? &words.word : &words.other;

        atomic_store(&words.word, 0);
        atomic_store(&words.other, 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, sleep_on_pair, &words), 0);
        atomic_store(word, 1);
        futex_wake(word);
        ck_assert_int_eq(pthread_join(thread, &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

START_TEST(two_words_are_refused_where_they_are_switched_off)
{
    _Atomic uint32_t word = 7, other = 0;

    ck_assert_int_eq(setenv("SHMRPC_WITHOUT", "futex_waitv", 1), 0);
    ck_assert_int_eq(futex_wait_either(&word, 8, &other, CLOCK_NEVER), -ENOSYS);
}
END_TEST

static Suite *futex_suite(void)
{
    Suite *suite = suite_create("runtime_futex");
    TCase *tests = tcase_create("futex");

    tcase_add_test(tests, does_not_sleep_where_the_word_differs);
    tcase_add_test(tests, sleeps_until_the_time_is_over);
    tcase_add_test(tests, a_signal_ends_the_sleep);
    tcase_add_test(tests, wakes_a_sleeper_in_another_process_and_mapping);
    tcase_add_test(tests, does_not_sleep_on_two_words_where_either_differs);
    tcase_add_test(tests, sleeps_on_two_words_until_the_time_is_over);
    tcase_add_test(tests, a_wake_of_either_word_ends_the_sleep);
    tcase_add_test(tests, two_words_are_refused_where_they_are_switched_off);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(futex_suite)

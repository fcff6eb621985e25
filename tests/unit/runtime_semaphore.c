/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/event.h"
#include "runtime/platform/memory.h"
#include "runtime/ringer.h"
#include "runtime/shared.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_NS INT64_C(10000000000)

static counts before;
static lane_header *header;
static int descriptor;

static void begin(void)
{
    void *base = NULL;

    counts_take(&before);
    ck_assert_int_eq(memory_create(memory_round(sizeof(*header)), MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES,
                                   MEMORY_ANY_NODE, &base, &descriptor),
                     0);
    header = base;
    semaphore_init(&header->client_bell);
    semaphore_init(&header->server_bell);
}

static void end(void)
{
    memory_unmap(header, memory_round(sizeof(*header)));
    ck_assert_int_eq(close(descriptor), 0);
    counts_expect_same(&before);
}

START_TEST(a_post_is_taken_once)
{
    semaphore_post(&header->client_bell);
    semaphore_post(&header->client_bell);
    ck_assert_int_eq(semaphore_wait(&header->client_bell, 0), 0);
    ck_assert_int_eq(semaphore_wait(&header->client_bell, LONG_NS), 0);
    ck_assert_int_eq(semaphore_wait(&header->client_bell, 0), -ETIMEDOUT);
}
END_TEST

START_TEST(sleeps_a_slice_at_the_most)
{
    int64_t until_ns = clock_after_ns(SEMAPHORE_SLICE_NS);

    ck_assert_int_eq(semaphore_wait(&header->client_bell, CLOCK_NEVER), -ETIMEDOUT);
    ck_assert_int_eq(clock_left_ns(until_ns), 0);
    ck_assert_int_eq(semaphore_wait(&header->client_bell, 1000), -ETIMEDOUT);
}
END_TEST

START_TEST(a_full_one_is_as_good_as_posted)
{
    errno = EDOM;
    ck_assert_int_eq(sem_init(&header->client_bell, 1, SEM_VALUE_MAX), 0);
    semaphore_post(&header->client_bell);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_int_eq(semaphore_wait(&header->client_bell, 0), 0);
}
END_TEST

START_TEST(wakes_another_process)
{
    pid_t other = fork();
    int status = 0;

    ck_assert_int_ge(other, 0);
    if (other == 0) {
        int64_t until_ns = clock_after_ns(LONG_NS);
        lane_header *mine = mmap(NULL, sizeof(*mine), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

        if (mine == MAP_FAILED)
            _exit(2);
        shared_post_server_bell(mine);
        while (shared_await_client_bell(mine, LONG_NS) != 0) {
            if (clock_left_ns(until_ns) == 0)
                _exit(1);
        }
        _exit(0);
    }
    for (int slices = 0; shared_await_server_bell(header, LONG_NS) != 0; slices++)
        ck_assert_int_lt(slices, 100);
    shared_post_client_bell(header);
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_ringer_rings_for_each_post_until_it_is_stopped)
{
    ringer rings;
    int bell = event_new();
    struct pollfd rung = {.fd = bell, .events = POLLIN};
    uint64_t count = 0;
    uint64_t sum = 0;

    ck_assert_int_ge(bell, 0);
    ck_assert_int_eq(ringer_start(&rings, header, bell), 0);
    ck_assert_uint_eq(counts_threads_of(getpid()), before.threads + 1);
    for (int i = 0; i < 3; i++)
        shared_post_server_bell(header);
    while (sum < 3) {
        ck_assert_int_eq(poll(&rung, 1, (int)(LONG_NS / 1000000)), 1);
        ck_assert_int_eq(read(bell, &count, sizeof(count)), sizeof(count));
        sum += count;
    }
    ck_assert_uint_eq(sum, 3);
    ringer_stop(&rings);
    ck_assert_uint_eq(counts_threads_of(getpid()), before.threads);
    ck_assert_int_eq(close(bell), 0);
}
END_TEST

static Suite *semaphore_suite(void)
{
    Suite *suite = suite_create("runtime_semaphore");
    TCase *tests = tcase_create("semaphore");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_post_is_taken_once);
    tcase_add_test(tests, sleeps_a_slice_at_the_most);
    tcase_add_test(tests, a_full_one_is_as_good_as_posted);
    tcase_add_test(tests, wakes_another_process);
    tcase_add_test(tests, a_ringer_rings_for_each_post_until_it_is_stopped);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(semaphore_suite)

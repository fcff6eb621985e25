/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/thread_map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define NUMBERS 500u

static uint64_t dead_below; /* numbers that nobody will ask for again */
static _Atomic(unsigned) ends;
static _Atomic(uint64_t) seen_at_end; /* what was under number 1 */

static bool is_alive(uint64_t number)
{
    return number >= dead_below;
}

static void thread_ends(void)
{
    atomic_store(&seen_at_end, (uint64_t)(uintptr_t)thread_map_get(1));
    atomic_fetch_add(&ends, 1);
}

static const thread_map_owner owner = {is_alive, thread_ends};

static void begin(void)
{
    ck_assert_int_eq(thread_map_prepare(&owner), 0);
}

static void *value_of(uint64_t number)
{
    return (void *)(uintptr_t)(number * 16 + 1);
}

START_TEST(finds_nothing_where_nothing_is)
{
    ck_assert_ptr_null(thread_map_get(1));
    thread_map_remove(1);
    ck_assert_int_eq(thread_map_put(7, value_of(7)), 0);
    ck_assert_ptr_null(thread_map_get(1));
    ck_assert_ptr_null(thread_map_get(7 + 8));
    ck_assert_ptr_eq(thread_map_get(7), value_of(7));
}
END_TEST

/* Against a plain array, at random: what is in, what is out, and what moved when something before it went. */
START_TEST(is_a_map)
{
    bool is_in[NUMBERS + 1] = {false};
    unsigned random = 271828;

    for (unsigned step = 0; step < 20000; step++) {
        /* First few numbers, so that it is full of gaps; then many. */
        uint64_t number = 1 + (uint64_t)rand_r(&random) % (step < 10000 ? 12 : NUMBERS);

        if (is_in[number]) {
            thread_map_remove(number);
        } else {
            ck_assert_int_eq(thread_map_put(number, value_of(number)), 0);
        }
        is_in[number] = !is_in[number];
        if (step % 16 == 0) {
            size_t count = 0;
            bool right = true; /* an assertion for each would take seconds */

            for (uint64_t each = 1; each <= NUMBERS; each++) {
                right = right && thread_map_get(each) == (is_in[each] ? value_of(each) : NULL);
                count += is_in[each];
            }
            ck_assert(right);
            ck_assert_uint_eq(thread_map_own->count, count);
            ck_assert_uint_le(count * 2, thread_map_own->mask + 1);
        }
    }
}
END_TEST

/* Handles come and go without this thread's taking notice: the map does not grow with them. */
START_TEST(forgets_the_dead_when_it_would_grow)
{
    for (uint64_t number = 1; number <= 10000; number++) {
        dead_below = number < 4 ? 0 : number - 3;
        ck_assert_int_eq(thread_map_put(number, value_of(number)), 0);
        for (uint64_t each = dead_below == 0 ? 1 : dead_below; each <= number; each++) {
            ck_assert_ptr_eq(thread_map_get(each), value_of(each));
        }
    }
    ck_assert_uint_le(thread_map_own->mask + 1, 16);
}
END_TEST

static void *use(void *data)
{
    thread_map *mine = thread_map_own;

    if (mine != NULL || thread_map_get(1) != NULL || thread_map_put(1, value_of(1)) != 0 ||
        thread_map_get(1) != value_of(1)) {
        return NULL;
    }
    return data;
}

static void *do_not_use(void *data)
{
    return data;
}

START_TEST(is_each_thread_s_own_and_its_owner_hears_of_the_end)
{
    pthread_t thread;
    void *fine;

    ck_assert_int_eq(thread_map_put(1, value_of(9)), 0);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, use, &ends), 0);
        ck_assert_int_eq(pthread_join(thread, &fine), 0);
        ck_assert_ptr_nonnull(fine);
        ck_assert_uint_eq(atomic_load(&ends), i + 1);
        ck_assert_uint_eq(atomic_load(&seen_at_end), (uint64_t)(uintptr_t)value_of(1));
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, do_not_use, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(atomic_load(&ends), 100);
    ck_assert_ptr_eq(thread_map_get(1), value_of(9));
}
END_TEST

static Suite *thread_map_suite(void)
{
    Suite *suite = suite_create("runtime_thread_map");
    TCase *tests = tcase_create("thread_map");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, finds_nothing_where_nothing_is);
    tcase_add_test(tests, is_a_map);
    tcase_add_test(tests, forgets_the_dead_when_it_would_grow);
    tcase_add_test(tests, is_each_thread_s_own_and_its_owner_hears_of_the_end);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(thread_map_suite)

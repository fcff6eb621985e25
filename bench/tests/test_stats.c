/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/stats.h"
#include "test_support.h"

START_TEST(sorts_ticks_beyond_32_bits)
{
    uint64_t values[] = {UINT64_MAX, 0, UINT64_C(1) << 32, 7};

    stats_sort_ticks(values, 4);
    ck_assert_uint_eq(values[0], 0);
    ck_assert_uint_eq(values[1], 7);
    ck_assert_uint_eq(values[2], UINT64_C(1) << 32);
    ck_assert_uint_eq(values[3], UINT64_MAX);
}
END_TEST

START_TEST(percentile_is_a_value_that_was_measured)
{
    uint64_t values[1000];

    for (size_t i = 0; i < 1000; i++) {
        values[i] = i + 1;
    }
    ck_assert_uint_eq(stats_percentile(values, 1000, 1), 1);
    ck_assert_uint_eq(stats_percentile(values, 1000, 500), 500);
    ck_assert_uint_eq(stats_percentile(values, 1000, 990), 990);
    ck_assert_uint_eq(stats_percentile(values, 1000, 999), 999);
    ck_assert_uint_eq(stats_percentile(values, 1000, 1000), 1000);
}
END_TEST

START_TEST(percentile_of_few_values_is_one_of_them)
{
    const uint64_t one[] = {42};
    const uint64_t two[] = {1, 9};

    ck_assert_uint_eq(stats_percentile(one, 1, 1), 42);
    ck_assert_uint_eq(stats_percentile(one, 1, 999), 42);
    ck_assert_uint_eq(stats_percentile(two, 2, 500), 1);
    ck_assert_uint_eq(stats_percentile(two, 2, 501), 9);
}
END_TEST

START_TEST(quartiles_lie_between_values)
{
    double four[] = {4, 1, 3, 2};
    double five[] = {50, 10, 40, 20, 30};
    stats_quartiles found;

    found = stats_quartiles_of(four, 4);
    ck_assert_double_eq_tol(found.lower, 1.75, 1e-9);
    ck_assert_double_eq_tol(found.median, 2.5, 1e-9);
    ck_assert_double_eq_tol(found.upper, 3.25, 1e-9);
    found = stats_quartiles_of(five, 5);
    ck_assert_double_eq_tol(found.lower, 20, 1e-9);
    ck_assert_double_eq_tol(found.median, 30, 1e-9);
    ck_assert_double_eq_tol(found.upper, 40, 1e-9);
}
END_TEST

START_TEST(quartiles_of_one_value_are_that_value)
{
    double one[] = {3.5};
    stats_quartiles found = stats_quartiles_of(one, 1);

    ck_assert_double_eq_tol(found.lower, 3.5, 1e-9);
    ck_assert_double_eq_tol(found.median, 3.5, 1e-9);
    ck_assert_double_eq_tol(found.upper, 3.5, 1e-9);
}
END_TEST

static Suite *stats_suite(void)
{
    Suite *suite = suite_create("bench_stats");
    TCase *tests = tcase_create("stats");

    tcase_add_test(tests, sorts_ticks_beyond_32_bits);
    tcase_add_test(tests, percentile_is_a_value_that_was_measured);
    tcase_add_test(tests, percentile_of_few_values_is_one_of_them);
    tcase_add_test(tests, quartiles_lie_between_values);
    tcase_add_test(tests, quartiles_of_one_value_are_that_value);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(stats_suite)

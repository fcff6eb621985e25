/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/backoff.h"

#define MS INT64_C(1000000)

START_TEST(doubles_from_ten_milliseconds_to_a_second)
{
    static const int64_t spans_ms[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000};
    backoff self = {0};

    for (size_t i = 0; i < sizeof(spans_ms) / sizeof(spans_ms[0]); i++) {
        backoff_grow(&self, 5000 * MS, i);
        ck_assert_int_eq(self.span_ns, spans_ms[i] * MS);
        ck_assert_int_ge(self.until_ns, 5000 * MS + spans_ms[i] * MS / 2);
        ck_assert_int_le(self.until_ns, 5000 * MS + spans_ms[i] * MS);
    }
    backoff_reset(&self);
    ck_assert_int_eq(self.until_ns, 0);
    backoff_grow(&self, 0, 0);
    ck_assert_int_eq(self.span_ns, 10 * MS);
}
END_TEST

START_TEST(leaves_half_of_it_to_chance)
{
    enum { CLIENTS = 1000, PARTS = 10 };
    unsigned parts[PARTS + 1] = {0};

    for (uint64_t client = 0; client < CLIENTS; client++) {
        backoff self = {.span_ns = 500 * MS};

        backoff_grow(&self, 0, client);
        parts[(self.until_ns - 500 * MS) * PARTS / (500 * MS)]++;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        ck_assert_uint_gt(parts[i], CLIENTS / PARTS / 2);
    }
}
END_TEST

static Suite *backoff_suite(void)
{
    Suite *suite = suite_create("runtime_backoff");
    TCase *tests = tcase_create("backoff");

    tcase_add_test(tests, doubles_from_ten_milliseconds_to_a_second);
    tcase_add_test(tests, leaves_half_of_it_to_chance);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(backoff_suite)

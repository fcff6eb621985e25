/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/random.h"

#include <string.h>

START_TEST(fills_all_of_it_and_nothing_beyond)
{
    unsigned char seen[64] = {0};
    unsigned char bytes[66];

    /* Each byte is something else than zero in one of many rounds, but for one chance in 2^200 or so. */
    for (int round = 0; round < 30; round++) {
        memset(bytes, 0, sizeof(bytes));
        ck_assert_int_eq(random_bytes(bytes + 1, 64), 0);
        ck_assert_uint_eq(bytes[0], 0);
        ck_assert_uint_eq(bytes[65], 0);
        for (int i = 0; i < 64; i++) {
            seen[i] |= bytes[i + 1];
        }
    }
    for (int i = 0; i < 64; i++) {
        ck_assert_uint_ne(seen[i], 0);
    }
}
END_TEST

static Suite *random_suite(void)
{
    Suite *suite = suite_create("runtime_random");
    TCase *tests = tcase_create("random");

    tcase_add_test(tests, fills_all_of_it_and_nothing_beyond);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(random_suite)

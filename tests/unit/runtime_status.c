/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/status.h"

#include <limits.h>

#include <shmrpc/generated.h>
#include <shmrpc/status.h>

START_TEST(names_and_texts_come_from_the_list)
{
    ck_assert_str_eq(shmrpc_status_name(SHMRPC_E_TIMEOUT), "TIMEOUT");
    ck_assert_str_eq(shmrpc_status_text(SHMRPC_E_TIMEOUT), "the deadline passed");
    ck_assert_str_eq(shmrpc_status_name(SHMRPC_OK), "OK");
    ck_assert_str_eq(shmrpc_status_text(SHMRPC_OK), "success");
}
END_TEST

START_TEST(other_numbers_have_a_text_but_no_name)
{
    const int positive[] = {1, 32767, INT_MAX};
    const int negative[] = {-26, -1000, INT_MIN};

    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_null(shmrpc_status_name(positive[i]));
        ck_assert_str_eq(shmrpc_status_text(positive[i]), "declared error");
        ck_assert_ptr_null(shmrpc_status_name(negative[i]));
        ck_assert_str_eq(shmrpc_status_text(negative[i]), "unknown status");
    }
}
END_TEST

/* The values are in programs and on the wire: this list is written down once more on purpose. */
START_TEST(no_value_ever_changes)
{
    static const char *const names[] = {
        "INVALID",    "UNIMPLEMENTED", "TIMEOUT",     "NOT_SENT",  "NOT_EXECUTED", "UNKNOWN", "CANCELLED",
        "EXPIRED",    "AGAIN",         "UNAVAILABLE", "REFUSED",   "MISMATCH",     "IN_USE",  "NAME",
        "PERMISSION", "PROTOCOL",      "TOO_LARGE",   "NO_MEMORY", "LIMIT",        "SYSTEM",  "INTERNAL",
        "MISUSE",     "WRONG_THREAD",  "FORKED",      "VERSION",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_pstr_eq(shmrpc_status_name(-(int)i - 1), names[i]);
}
END_TEST

/* A status that says what only the caller's side can know must not come from the other. */
START_TEST(a_server_gives_only_statuses_that_are_its_own_to_give)
{
    static const int own[] = {SHMRPC_E_UNIMPLEMENTED, SHMRPC_E_CANCELLED,  SHMRPC_E_EXPIRED,   SHMRPC_E_AGAIN,
                              SHMRPC_E_UNAVAILABLE,   SHMRPC_E_PERMISSION, SHMRPC_E_TOO_LARGE, SHMRPC_E_NO_MEMORY,
                              SHMRPC_E_LIMIT,         SHMRPC_E_INTERNAL};
    size_t travelling = 0;

    for (int status = -40000; status <= 40000; status++)
        travelling += status_may_travel(status);
    ck_assert_uint_eq(travelling, sizeof(own) / sizeof(own[0]));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        ck_assert(status_may_travel(own[i]));
}
END_TEST

START_TEST(generated_code_finds_its_abi)
{
    ck_assert_uint_eq(shmrpc_generated_abi_3, SHMRPC_GENERATED_ABI);
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("runtime_status");
    TCase *tests = tcase_create("status");

    tcase_add_test(tests, names_and_texts_come_from_the_list);
    tcase_add_test(tests, other_numbers_have_a_text_but_no_name);
    tcase_add_test(tests, no_value_ever_changes);
    tcase_add_test(tests, a_server_gives_only_statuses_that_are_its_own_to_give);
    tcase_add_test(tests, generated_code_finds_its_abi);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(status_suite)

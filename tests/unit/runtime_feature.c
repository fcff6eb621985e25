/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SHMRPC_WITHOUT switches off. It is read once in a process: each row is a case of its own.
 */
#include "test_support.h"

#include "runtime/options.h"
#include "runtime/platform/feature.h"

#include <shmrpc/status.h>

#include <stdlib.h>
#include <string.h>

typedef struct row {
    const char *value;
    bool wanted[FEATURE_COUNT]; /* futex_waitv, membarrier, scm_pidfd, futex */
    const char *unknown;
} row;

static const row rows[] = {
    {NULL, {true, true, true, true}, NULL},
    {"", {true, true, true, true}, NULL},
    {",", {true, true, true, true}, NULL},
    {"futex_waitv", {false, true, true, true}, NULL},
    {"membarrier", {true, false, true, true}, NULL},
    {"scm_pidfd", {true, true, false, true}, NULL},
    {"scm_pidfd,futex_waitv,membarrier", {false, false, false, true}, NULL},
    {",membarrier,,membarrier,", {true, false, true, true}, NULL},
    {"futex", {true, true, true, false}, NULL},
    {"fute", {true, true, true, true}, "fute"},
    {"futex_waitv2", {true, true, true, true}, "futex_waitv2"},
    {"FUTEX_WAITV", {true, true, true, true}, "FUTEX_WAITV"},
    {"membarrier, scm_pidfd", {true, false, true, true}, " scm_pidfd"},
    {"membarrier,x,y", {true, false, true, true}, "x"},
    {"12345678901234567890123456789012345678901234567890",
     {true, true, true, true},
     "1234567890123456789012345678901234567890"},
};

START_TEST(switches_off_what_is_named)
{
    const row *expected = &rows[_i];

    if (expected->value == NULL) {
        unsetenv(FEATURE_VARIABLE);
    } else {
        ck_assert_int_eq(setenv(FEATURE_VARIABLE, expected->value, 1), 0);
    }
    for (int i = 0; i < FEATURE_COUNT; i++) {
        ck_assert_int_eq(feature_is_wanted((feature)i), expected->wanted[i]);
    }
    ck_assert_pstr_eq(feature_unknown(), expected->unknown);
}
END_TEST

START_TEST(is_read_once)
{
    unsetenv(FEATURE_VARIABLE);
    ck_assert(feature_is_wanted(FEATURE_MEMBARRIER));
    ck_assert_int_eq(setenv(FEATURE_VARIABLE, "membarrier,x", 1), 0);
    ck_assert(feature_is_wanted(FEATURE_MEMBARRIER));
    ck_assert_ptr_null(feature_unknown());
}
END_TEST

START_TEST(a_word_that_nobody_knows_is_refused_to_clients_and_servers)
{
    const shmrpc_client_options client = {0};
    const shmrpc_server_options server = {0};
    const char *text = "SHMRPC_WITHOUT names 'epoll'; known are futex_waitv, membarrier, scm_pidfd, futex";

    ck_assert_int_eq(setenv(FEATURE_VARIABLE, "membarrier,epoll", 1), 0);
    ck_assert_int_eq(options_check_client(&client), SHMRPC_E_MISUSE);
    ck_assert_str_eq(shmrpc_last_error(), text);
    ck_assert_int_eq(options_check_server(&server), SHMRPC_E_MISUSE);
    ck_assert_str_eq(shmrpc_last_error(), text);
}
END_TEST

static Suite *feature_suite(void)
{
    Suite *suite = suite_create("runtime_feature");
    TCase *tests = tcase_create("feature");

    tcase_add_loop_test(tests, switches_off_what_is_named, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(tests, is_read_once);
    tcase_add_test(tests, a_word_that_nobody_knows_is_refused_to_clients_and_servers);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(feature_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/error.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <shmrpc/generated.h>

START_TEST(nothing_is_known_at_first)
{
    ck_assert_str_eq(shmrpc_last_error(), "");
}
END_TEST

START_TEST(records_a_line_and_returns_the_status)
{
    ck_assert_int_eq(error_set(SHMRPC_E_NAME, "the name is %d bytes long", 231), SHMRPC_E_NAME);
    ck_assert_str_eq(shmrpc_last_error(), "the name is 231 bytes long");
    ck_assert_int_eq(error_set(7, "%s", ""), 7);
    ck_assert_str_eq(shmrpc_last_error(), "");
}
END_TEST

START_TEST(a_line_may_be_made_of_the_line_before)
{
    error_set(SHMRPC_E_SYSTEM, "inner");
    error_set(SHMRPC_E_SYSTEM, "outer: %s", shmrpc_last_error());
    ck_assert_str_eq(shmrpc_last_error(), "outer: inner");
    error_system(-ENOENT, "around %s", shmrpc_last_error());
    ck_assert_str_eq(shmrpc_last_error(), "around outer: inner: No such file or directory");
}
END_TEST

START_TEST(system_errors_become_statuses)
{
    static const struct {
        int number;
        int status;
    } rows[] = {
        {ENOMEM, SHMRPC_E_NO_MEMORY}, {ENOSPC, SHMRPC_E_NO_MEMORY},   {EMFILE, SHMRPC_E_LIMIT},
        {ENFILE, SHMRPC_E_LIMIT},     {ETOOMANYREFS, SHMRPC_E_LIMIT}, {EACCES, SHMRPC_E_PERMISSION},
        {EPERM, SHMRPC_E_PERMISSION}, {EPROTO, SHMRPC_E_PROTOCOL},    {EIO, SHMRPC_E_SYSTEM},
        {ENOENT, SHMRPC_E_SYSTEM},    {ENOBUFS, SHMRPC_E_NO_MEMORY},  {EFBIG, SHMRPC_E_LIMIT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(error_system(-rows[i].number, "opening %s", "x"), rows[i].status);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "opening x: "));
        ck_assert_str_eq(shmrpc_last_error() + strlen("opening x: "), strerror(rows[i].number));
    }
    ck_assert_int_eq(error_system(-99999, "x"), SHMRPC_E_SYSTEM);
    ck_assert_str_eq(shmrpc_last_error(), "x: unknown error");
}
END_TEST

START_TEST(a_long_line_is_cut_at_the_end_of_a_character)
{
    /* Characters of 2, 3 and 4 bytes, at each distance from the cut. */
    static const char *const characters[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[ERROR_LINE_MAX + 64];
            size_t width = strlen(characters[i]);
            size_t used = shift;

            memset(text, 'x', sizeof(text));
            while (used + width < sizeof(text)) {
                memcpy(text + used, characters[i], width);
                used += width;
            }
            text[used] = '\0';
            error_set(SHMRPC_E_SYSTEM, "%s", text);

            size_t length = strlen(shmrpc_last_error());
            ck_assert_uint_eq(length, ERROR_LINE_MAX - (ERROR_LINE_MAX - shift) % width);
            ck_assert(shmrpc_text_is_valid(shmrpc_last_error(), length));
            ck_assert_mem_eq(shmrpc_last_error(), text, length);
        }
    }
}
END_TEST

START_TEST(what_the_system_says_is_never_cut_off)
{
    char text[2 * ERROR_LINE_MAX];
    size_t length;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    error_system(-ENOENT, "%s", text);
    length = strlen(shmrpc_last_error());
    ck_assert_uint_eq(length, ERROR_LINE_MAX);
    ck_assert_str_eq(shmrpc_last_error() + length - strlen(": No such file or directory"),
                     ": No such file or directory");
}
END_TEST

static void *fail_elsewhere(void *data)
{
    (void)data;
    ck_assert_str_eq(shmrpc_last_error(), "");
    error_set(SHMRPC_E_SYSTEM, "theirs");
    return NULL;
}

START_TEST(each_thread_has_its_own_line)
{
    pthread_t thread;

    error_set(SHMRPC_E_SYSTEM, "mine");
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(shmrpc_last_error(), "mine");
}
END_TEST

static Suite *error_suite(void)
{
    Suite *suite = suite_create("runtime_error");
    TCase *tests = tcase_create("error");

    tcase_add_test(tests, nothing_is_known_at_first);
    tcase_add_test(tests, records_a_line_and_returns_the_status);
    tcase_add_test(tests, a_line_may_be_made_of_the_line_before);
    tcase_add_test(tests, system_errors_become_statuses);
    tcase_add_test(tests, a_long_line_is_cut_at_the_end_of_a_character);
    tcase_add_test(tests, what_the_system_says_is_never_cut_off);
    tcase_add_test(tests, each_thread_has_its_own_line);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(error_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char last[4096];
static shmrpc_log_entry last_entry;
static int heard;

static void listen_to(const shmrpc_log_entry *entry)
{
    last_entry = *entry;
    strncpy(last, entry->line, sizeof(last) - 1);
    heard++;
    errno = EDOM;
}

START_TEST(is_silent_until_asked_and_after)
{
    log_entry((shmrpc_log_entry){LOG_ABOUT(ERROR, SESSION_ENDED)}, "nobody hears this");
    shmrpc_log_set(listen_to, SHMRPC_LOG_DEBUG);
    log_entry((shmrpc_log_entry){LOG_ABOUT(DEBUG, SESSION_ENDED)}, "heard %d", 1);
    ck_assert_int_eq(heard, 1);
    ck_assert_str_eq(last, "heard 1");
    ck_assert_int_eq(last_entry.level, SHMRPC_LOG_DEBUG);
    shmrpc_log_set(NULL, SHMRPC_LOG_DEBUG);
    log_entry((shmrpc_log_entry){LOG_ABOUT(ERROR, SESSION_ENDED)}, "nobody hears this");
    ck_assert_int_eq(heard, 1);
}
END_TEST

START_TEST(passes_lines_up_to_the_level)
{
    static const shmrpc_log_level levels[] = {SHMRPC_LOG_ERROR, SHMRPC_LOG_WARNING, SHMRPC_LOG_INFO, SHMRPC_LOG_DEBUG};

    for (int most = 0; most < 4; most++) {
        shmrpc_log_set(listen_to, levels[most]);
        heard = 0;
        for (int i = 0; i < 4; i++)
            log_entry((shmrpc_log_entry){.level = levels[i]}, "x");
        ck_assert_int_eq(heard, most + 1);
    }
}
END_TEST

START_TEST(a_line_of_any_length_arrives_whole)
{
    char text[3000];

    shmrpc_log_set(listen_to, SHMRPC_LOG_INFO);
    for (size_t length = 500; length < 530; length++) {
        memset(text, 'x', length);
        text[length] = '\0';
        log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SESSION_ENDED)}, "%s", text);
        ck_assert_str_eq(last, text);
    }
    memset(text, 'y', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SESSION_ENDED)}, "%s", text);
    ck_assert_str_eq(last, text);
}
END_TEST

START_TEST(an_entry_carries_what_it_is_about)
{
    const shmrpc_log_entry about = {LOG_ABOUT(INFO, SESSION_OPENED), .socket = "/run/x", .service = "demo.S",
                                    .session = 7};

    shmrpc_log_set(listen_to, SHMRPC_LOG_INFO);
    log_entry(about, "session %d", 7);
    ck_assert_str_eq(last, "session 7");
    ck_assert_int_eq(last_entry.event, SHMRPC_LOG_SESSION_OPENED);
    ck_assert_str_eq(last_entry.socket, "/run/x");
    ck_assert_str_eq(last_entry.service, "demo.S");
    ck_assert_ptr_null(last_entry.method);
    ck_assert_uint_eq(last_entry.session, 7);
    ck_assert_int_eq(last_entry.pid, -1);
    ck_assert(last_entry.uid == (uid_t)-1);
    ck_assert_int_eq(last_entry.status, 0);
}
END_TEST

START_TEST(events_have_names)
{
    ck_assert_str_eq(shmrpc_log_event_name(SHMRPC_LOG_SERVER_STARTED), "SERVER_STARTED");
    ck_assert_str_eq(shmrpc_log_event_name(SHMRPC_LOG_SOCKET_LEFT), "SOCKET_LEFT");
    ck_assert_ptr_null(shmrpc_log_event_name((shmrpc_log_event)0));
}
END_TEST

START_TEST(logging_keeps_errno)
{
    shmrpc_log_set(listen_to, SHMRPC_LOG_INFO);
    errno = ENOENT;
    log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SESSION_ENDED)}, "x");
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(heard, 1);
}
END_TEST

static _Atomic bool stop;

static void ignore(const shmrpc_log_entry *entry)
{
    ck_assert_str_eq(entry->line, "x");
}

static void *log_all_the_while(void *data)
{
    (void)data;
    while (!atomic_load(&stop))
        log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SESSION_ENDED)}, "%s", "x");
    return NULL;
}

START_TEST(the_function_may_change_while_others_log)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_all_the_while, NULL), 0);
    for (int i = 0; i < 20000; i++)
        shmrpc_log_set(i % 2 != 0 ? ignore : NULL, SHMRPC_LOG_INFO);
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

START_TEST(standard_error_gets_one_line_with_its_level)
{
    static const char expected[] = "shmrpc: warning: a peer was dropped\nshmrpc: error: x\n";
    int usual = dup(STDERR_FILENO);
    char text[128] = {0};
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    errno = EDOM;
    shmrpc_log_to_stderr(&(shmrpc_log_entry){.level = SHMRPC_LOG_WARNING, .line = "a peer was dropped"});
    int kept = errno;
    shmrpc_log_to_stderr(&(shmrpc_log_entry){.level = SHMRPC_LOG_ERROR, .line = "x"});
    ck_assert_int_ge(dup2(usual, STDERR_FILENO), 0);
    ck_assert_int_eq(kept, EDOM);
    ck_assert_int_eq(read(ends[0], text, sizeof(text) - 1), sizeof(expected) - 1);
    ck_assert_str_eq(text, expected);
    close(usual);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(bytes_of_peers_are_escaped)
{
    char to[64];

    ck_assert_str_eq(log_text(to, sizeof(to), "plain ~", 7), "plain ~");
    ck_assert_str_eq(log_text(to, sizeof(to), "a\x1b[31m\n\\\xff", 9), "a\\x1b[31m\\x0a\\x5c\\xff");
    ck_assert_str_eq(log_text(to, sizeof(to), "abcdef", 3), "abc");
    ck_assert_str_eq(log_text(to, sizeof(to), "ab\0cd", 5), "ab");
    ck_assert_str_eq(log_text(to, sizeof(to), "", 0), "");
    ck_assert_str_eq(log_text(to, sizeof(to), "\x7f", 1), "\\x7f");
}
END_TEST

START_TEST(what_does_not_fit_is_left_off_but_no_escape_is_cut)
{
    char to[16];

    ck_assert_str_eq(log_text(to, 1, "abc", 3), "");
    ck_assert_str_eq(log_text(to, 3, "abc", 3), "ab");
    ck_assert_str_eq(log_text(to, 4, "abc", 3), "abc");
    ck_assert_str_eq(log_text(to, 5, "a\nb", 3), "a");
    ck_assert_str_eq(log_text(to, 6, "a\nb", 3), "a\\x0a");
    ck_assert_str_eq(log_text(to, 7, "a\nb", 3), "a\\x0ab");
}
END_TEST

static Suite *log_suite(void)
{
    Suite *suite = suite_create("runtime_log");
    TCase *tests = tcase_create("log");

    tcase_add_test(tests, is_silent_until_asked_and_after);
    tcase_add_test(tests, passes_lines_up_to_the_level);
    tcase_add_test(tests, a_line_of_any_length_arrives_whole);
    tcase_add_test(tests, an_entry_carries_what_it_is_about);
    tcase_add_test(tests, events_have_names);
    tcase_add_test(tests, logging_keeps_errno);
    tcase_add_test(tests, the_function_may_change_while_others_log);
    tcase_add_test(tests, standard_error_gets_one_line_with_its_level);
    tcase_add_test(tests, bytes_of_peers_are_escaped);
    tcase_add_test(tests, what_does_not_fit_is_left_off_but_no_escape_is_cut);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(log_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/* test_discovery.c - who gets a name, who finds it, and which names and folders are refused. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_server.h"

static void assert_answers(const char *name)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, name, NULL), 0);
    ck_assert(probe_answers_rightly(client, 1, 5));
    shmrpc_client_free(client);
}

/* ---- two servers, one name ---- */

typedef struct contender {
    probe_state *state;
    const char *name;
} contender;

static int contender_main(child_link *link, void *data)
{
    const contender *self = data;
    const probe_setup setup = {.name = self->name, .state = self->state};

    link_await(link, 'g');
    return probe_server_main(self->state, STDIN_FILENO, &setup);
}

START_TEST(lets_exactly_one_of_the_servers_that_start_at_once_have_the_name)
{
    enum { CONTENDERS = 4, ROUNDS = 60 };

    for (int round = 0; round < ROUNDS; round++) {
        contender contenders[CONTENDERS];
        child children[CONTENDERS];
        int winner = -1, losers = 0;

        for (int i = 0; i < CONTENDERS; i++) {
            contenders[i] = (contender){.state = probe_state_new(), .name = "contended"};
            child_spawn(&children[i], contender_main, &contenders[i]);
        }
        for (int i = 0; i < CONTENDERS; i++)
            link_signal(&children[i].link, 'g');
        for (int i = 0; i < CONTENDERS; i++) {
            probe_state *state = contenders[i].state;
            await_true(atomic_load(&state->pid) != 0 || atomic_load(&state->init_status) != 0);
            if (atomic_load(&state->init_status) == 0) {
                ck_assert_int_eq(winner, -1);
                winner = i;
                continue;
            }
            ck_assert_int_eq(atomic_load(&state->init_status), SHMRPC_E_IN_USE);
            child_expect_exit(&children[i], PROBE_EXIT_INIT);
            losers++;
        }
        ck_assert_int_ge(winner, 0);
        ck_assert_int_eq(losers, CONTENDERS - 1);
        assert_answers("contended");
        /* In turns, so that the next round meets a free name and a stale socket. */
        if (round % 2 == 0) {
            ck_assert_int_eq(kill(children[winner].pid, SIGTERM), 0);
            child_expect_exit(&children[winner], 0);
            ck_assert_uint_eq(runtime_dir_entries(), 0);
        } else {
            child_kill(&children[winner]);
        }
        for (int i = 0; i < CONTENDERS; i++)
            probe_state_free(contenders[i].state);
    }
    /* The last one was killed. */
    probe_forget("contended");
}
END_TEST

START_TEST(never_replaces_a_live_server)
{
    probe_process server;
    probe_server other;
    probe_state *state = probe_state_new();

    probe_process_start(&server, NULL);
    for (int i = 0; i < 20; i++) {
        assert_status(probe_server_init(&other, state, 0, NULL), SHMRPC_E_IN_USE);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "probe"));
    }
    assert_answers("probe");

    /* Silence is not death: a server that is stopped keeps its name. */
    child_stop(&server.child);
    assert_status(probe_server_init(&other, state, 0, NULL), SHMRPC_E_IN_USE);
    child_continue(&server.child);
    assert_answers("probe");
    probe_process_stop(&server);
    probe_state_free(state);
}
END_TEST

START_TEST(serves_several_names_beside_one_another)
{
    static const char *const names[] = {"robot/pose", "robot", "robot-pose", "a/b/c/d", "A.b_c-1", "robot.pose"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    probe_process servers[NAMES];

    for (int i = 0; i < NAMES; i++)
        probe_process_start(&servers[i], &(probe_setup){.name = names[i]});
    ck_assert_uint_eq(runtime_dir_entries(), NAMES);
    for (int i = 0; i < NAMES; i++) {
        assert_answers(names[i]);
        ck_assert_uint_eq(atomic_load(&servers[i].state->connected), 1);
    }
    for (int i = 0; i < NAMES; i++)
        probe_process_stop(&servers[i]);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(takes_an_absolute_path_as_it_is)
{
    probe_process server;
    char *path = NULL;
    struct stat status;

    ck_assert_int_gt(asprintf(&path, "%s/by-path.sock", runtime_dir_path()), 0);
    probe_process_start(&server, &(probe_setup){.name = path});
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    assert_answers(path);
    probe_process_stop(&server);
    ck_assert_int_eq(stat(path, &status), -1);
    free(path);
}
END_TEST

START_TEST(gives_the_socket_the_mode_that_was_asked_for)
{
    probe_process server;
    char *path = NULL;
    struct stat status;
    mode_t mask = umask(077);

    ck_assert_int_gt(asprintf(&path, "%s/mode.sock", runtime_dir_path()), 0);
    probe_process_start(&server, &(probe_setup){.name = path, .options = &(shmrpc_server_options){.mode = 0660}});
    umask(mask);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0660);
    probe_process_stop(&server);
    free(path);
}
END_TEST

/* ---- waiting for a server ---- */

START_TEST(tells_at_once_where_no_server_is)
{
    shmrpc_client *client = NULL;
    uint64_t begin_ns = test_now_ns();

    assert_status(probe_connect(&client, "nobody", &(shmrpc_client_options){.connect_timeout_ns = INT64_MAX}),
                  SHMRPC_E_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "nobody"));
    ck_assert_ptr_null(client);
    ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
}
END_TEST

START_TEST(gives_up_waiting_for_a_server_at_the_deadline)
{
    shmrpc_client *client = NULL;
    const shmrpc_client_options options = {.connect_timeout_ns = 150000000, .wait_for_server = true};
    uint64_t begin_ns = test_now_ns();

    assert_status(probe_connect(&client, "nobody", &options), SHMRPC_E_UNAVAILABLE);
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 150000000);
    ck_assert_uint_lt(took_ns, TEST_SOON_NS);
}
END_TEST

static int wait_and_call(child_link *link, void *data)
{
    shmrpc_client *client = NULL;

    (void)data;
    link_signal(link, 'w');
    child_check(probe_connect(&client, "probe", &(shmrpc_client_options){.wait_for_server = true}) == 0, "connect");
    child_check(probe_answers_rightly(client, 3, 10), "wrong answers");
    shmrpc_client_free(client);
    return 0;
}

START_TEST(waits_for_a_server_that_is_not_up_yet)
{
    probe_process server;
    child client;

    child_spawn(&client, wait_and_call, NULL);
    link_await(&client.link, 'w');
    for (int i = 0; i < 100; i++)
        await_pause();
    probe_process_start(&server, NULL);
    child_expect_exit(&client, 0);
    probe_process_stop(&server);
}
END_TEST

START_TEST(ends_connecting_to_a_stopped_server_at_the_deadline)
{
    enum { CLIENTS = 12 };
    probe_process server;
    const shmrpc_client_options options = {.connect_timeout_ns = 50000000};

    probe_process_start(&server, NULL);
    child_stop(&server.child);
    for (int i = 0; i < CLIENTS; i++) {
        shmrpc_client *client = NULL;
        uint64_t begin_ns = test_now_ns();
        assert_status(probe_connect(&client, "probe", &options), SHMRPC_E_UNAVAILABLE);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
    }
    child_continue(&server.child);
    assert_answers("probe");
    /* What was left of the others in the backlog is gone too. */
    await_true(atomic_load(&server.state->connected) == atomic_load(&server.state->disconnected));
    probe_process_stop(&server);
}
END_TEST

/* A backlog can be full: the clients of a stopped server fill it, and later ones wait no longer than they said. */
START_TEST(ends_connecting_to_a_full_backlog_at_the_deadline)
{
    probe_process server;
    shmrpc_client *client = NULL;
    uint64_t begin_ns;
    unsigned int unavailable = 0;

    probe_process_start(&server, NULL);
    child_stop(&server.child);
    for (int i = 0; i < 300; i++) {
        begin_ns = test_now_ns();
        int rc = probe_connect(&client, "probe", &(shmrpc_client_options){.connect_timeout_ns = 1000000});
        ck_assert_int_eq(rc, SHMRPC_E_UNAVAILABLE);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
        unavailable++;
    }
    ck_assert_uint_eq(unavailable, 300);
    child_continue(&server.child);
    assert_answers("probe");
    probe_process_stop(&server);
}
END_TEST

/* ---- names and folders that are refused ---- */

static void assert_both_refuse(const char *name, int status, const char *text)
{
    shmrpc_client *client = NULL;
    probe_state *state = probe_state_new();
    probe_server server;

    int rc = probe_connect(&client, name, NULL);
    ck_assert_msg(rc == status, "connect \"%.40s\": %s", name, shmrpc_status_text(rc));
    ck_assert_msg(strstr(shmrpc_last_error(), text) != NULL, "connect \"%.40s\": \"%s\" does not say \"%s\"", name,
                  shmrpc_last_error(), text);
    rc = probe_server_init(&server, state, 0, &(probe_setup){.name = name});
    ck_assert_msg(rc == status, "init \"%.40s\": %s", name, shmrpc_status_text(rc));
    ck_assert_msg(strstr(shmrpc_last_error(), text) != NULL, "init \"%.40s\": \"%s\" does not say \"%s\"", name,
                  shmrpc_last_error(), text);
    ck_assert_ptr_null(client);
    probe_state_free(state);
}

START_TEST(refuses_names_that_are_no_names)
{
    static const char *const names[] = {"",    ".",   "..",  "a/../b", "a//b",     "a/",  "a/./b",
                                        "a b", "a\n", "a%b", "a\\b",   "\xc3\xa4", "a:b", "~"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_both_refuse(names[i], SHMRPC_E_NAME, "");
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(refuses_an_over_long_name_and_says_by_how_much)
{
    char name[232];

    memset(name, 'n', sizeof(name) - 1);
    name[231] = '\0';
    assert_both_refuse(name, SHMRPC_E_NAME, "231");
    assert_both_refuse(name, SHMRPC_E_NAME, "200");
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(refuses_a_path_that_does_not_fit_a_socket_address)
{
    char path[300];

    memset(path, 'p', sizeof(path) - 1);
    path[0] = '/';
    path[299] = '\0';
    probe_state *state = probe_state_new();
    probe_server server;
    shmrpc_client *client = NULL;
    int rc = probe_server_init(&server, state, 0, &(probe_setup){.name = path});
    ck_assert_msg(rc == SHMRPC_E_NAME || rc == SHMRPC_E_TOO_LARGE, "%s", shmrpc_status_text(rc));
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "107"));
    ck_assert_int_eq(probe_connect(&client, path, NULL), rc);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "107"));
    probe_state_free(state);
}
END_TEST

START_TEST(refuses_a_directory_that_everybody_may_write_to)
{
    probe_state *state = probe_state_new();
    probe_server server;

    ck_assert_int_eq(chmod(runtime_dir_path(), 0777), 0);
    assert_status(probe_server_init(&server, state, 0, NULL), SHMRPC_E_PERMISSION);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), runtime_dir_path()));
    ck_assert_int_eq(chmod(runtime_dir_path(), 0700), 0);
    probe_state_free(state);
}
END_TEST

START_TEST(refuses_a_directory_that_is_a_file)
{
    probe_state *state = probe_state_new();
    probe_server server;
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/file", runtime_dir_path()), 0);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(setenv("SHMRPC_DIR", path, 1), 0);
    int rc = probe_server_init(&server, state, 0, NULL);
    ck_assert_msg(rc == SHMRPC_E_PERMISSION || rc == SHMRPC_E_SYSTEM, "%s", shmrpc_status_text(rc));
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), path));
    ck_assert_int_eq(setenv("SHMRPC_DIR", runtime_dir_path(), 1), 0);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    probe_state_free(state);
}
END_TEST

START_TEST(refuses_a_file_in_the_place_of_the_socket)
{
    probe_state *state = probe_state_new();
    probe_server server;
    char *path = NULL;
    struct stat status;

    ck_assert_int_gt(asprintf(&path, "%s/precious", runtime_dir_path()), 0);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "data", 4), 4);
    close(fd);
    int rc = probe_server_init(&server, state, 0, &(probe_setup){.name = path});
    ck_assert_int_lt(rc, 0);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "precious"));
    /* It is somebody's. */
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, 4);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    probe_state_free(state);
}
END_TEST

static Suite *discovery_suite(void)
{
    Suite *suite = suite_create("ipc_discovery");
    TCase *tests = tcase_create("discovery");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, lets_exactly_one_of_the_servers_that_start_at_once_have_the_name);
    tcase_add_test(tests, never_replaces_a_live_server);
    tcase_add_test(tests, serves_several_names_beside_one_another);
    tcase_add_test(tests, takes_an_absolute_path_as_it_is);
    tcase_add_test(tests, gives_the_socket_the_mode_that_was_asked_for);
    tcase_add_test(tests, tells_at_once_where_no_server_is);
    tcase_add_test(tests, gives_up_waiting_for_a_server_at_the_deadline);
    tcase_add_test(tests, waits_for_a_server_that_is_not_up_yet);
    tcase_add_test(tests, ends_connecting_to_a_stopped_server_at_the_deadline);
    tcase_add_test(tests, ends_connecting_to_a_full_backlog_at_the_deadline);
    tcase_add_test(tests, refuses_names_that_are_no_names);
    tcase_add_test(tests, refuses_an_over_long_name_and_says_by_how_much);
    tcase_add_test(tests, refuses_a_path_that_does_not_fit_a_socket_address);
    tcase_add_test(tests, refuses_a_directory_that_everybody_may_write_to);
    tcase_add_test(tests, refuses_a_directory_that_is_a_file);
    tcase_add_test(tests, refuses_a_file_in_the_place_of_the_socket);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(discovery_suite)

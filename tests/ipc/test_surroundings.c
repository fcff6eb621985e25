/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_surroundings.c - what the rest of a process does to it: signals, forks, other users.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe_server.h"

static probe_process server;

static shmrpc_client *connect_default(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

/* ---- signals ---- */

static volatile sig_atomic_t signals_seen;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    signals_seen++;
}

/* A signal every 300 us, without SA_RESTART, so that each blocking system call is interrupted now and then. */
static void signals_begin(void)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval timer = {.it_interval = {.tv_usec = 300}, .it_value = {.tv_usec = 300}};

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void signals_end(void)
{
    ck_assert_int_eq(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL), 0);
}

/* Whatever was read of the assertions' own system calls must not be interrupted: counts only, while signals come. */
START_TEST(answers_a_client_that_is_interrupted_by_signals)
{
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT};
    unsigned int wrong = 0, early = 0;
    uint64_t reply;

    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE}});
    signals_begin();
    for (unsigned int round = 0; round < 30; round++) {
        shmrpc_client *client = NULL;
        wrong += probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spins[round % 2]}) != 0;
        wrong += client == NULL || !probe_answers_rightly(client, round * 1000, 100);
        uint64_t begin_ns = test_now_ns();
        wrong += probe_hold(client, round + 1, &reply, shmrpc_in_ms(20)) != SHMRPC_E_TIMEOUT;
        early += test_now_ns() - begin_ns < 20000000;
        wrong += write(server.gate_in, "x", 1) != 1;
        wrong += !probe_answers_rightly(client, round * 1000, 10);
        shmrpc_client_free(client);
    }
    signals_end();
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(early, 0);
    ck_assert_int_gt(signals_seen, 100);
    probe_process_stop(&server);
}
END_TEST

START_TEST(serves_although_it_is_interrupted_by_signals)
{
    shmrpc_client *client;

    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE}});
    client = connect_default();
    for (unsigned int round = 0; round < 300; round++) {
        /* A stop and a continuation interrupt what the server sleeps in, without a handler. */
        ck_assert_int_eq(kill(server.child.pid, SIGSTOP), 0);
        ck_assert_int_eq(kill(server.child.pid, SIGCONT), 0);
        ck_assert(probe_answers_rightly(client, round * 10, 2));
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

/* ---- forks ---- */

static int wait_for_the_end(child_link *link, void *data)
{
    (void)data;
    link_signal(link, 'f');
    link_await(link, 'x');
    return 0;
}

/* A server that forks a helper leaves its sockets open in there; its clients are told of its end all the same. */
START_TEST(tells_clients_of_its_end_although_a_forked_child_has_its_sockets)
{
    probe_thread thread;
    child helper;
    uint64_t reply;

    probe_thread_start(&thread, NULL);
    shmrpc_client *client = connect_default();
    ck_assert(probe_answers_rightly(client, 1, 5));
    child_spawn(&helper, wait_for_the_end, NULL);
    link_await(&helper.link, 'f');
    probe_thread_stop(&thread);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    assert_status(probe_echo(client, 1, &reply, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    shmrpc_client_free(client);
    /* And nobody can connect to what is left of it. */
    assert_status(probe_connect(&client, "probe", NULL), SHMRPC_E_UNAVAILABLE);
    link_signal(&helper.link, 'x');
    child_expect_exit(&helper, 0);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    int status;
    _Atomic(bool) connected;
} caller;

static void *call_for_ever(void *data)
{
    caller *self = data;
    shmrpc_client *client = NULL;
    uint64_t reply;

    self->status = probe_connect(&client, "probe", NULL);
    if (self->status == 0)
        self->status = probe_ping(client, shmrpc_default());
    atomic_store(&self->connected, true);
    while (self->status == 0)
        self->status = probe_echo(client, 1, &reply, shmrpc_forever());
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(ends_calls_of_others_although_a_forked_child_has_its_sockets)
{
    probe_thread thread;
    child helper;
    caller self = {.status = 0};

    probe_thread_start(&thread, NULL);
    ck_assert_int_eq(pthread_create(&self.thread, NULL, call_for_ever, &self), 0);
    await_true(atomic_load(&self.connected));
    child_spawn(&helper, wait_for_the_end, NULL);
    link_await(&helper.link, 'f');
    probe_thread_stop(&thread);
    ck_assert_int_eq(pthread_join(self.thread, NULL), 0);
    ck_assert_msg(self.status == SHMRPC_E_NOT_SENT || self.status == SHMRPC_E_NOT_EXECUTED, "%s",
                  shmrpc_status_text(self.status));
    link_signal(&helper.link, 'x');
    child_expect_exit(&helper, 0);
}
END_TEST

static int serve_as_grandchild(child_link *link, void *data)
{
    probe_state *state = data;

    (void)link;
    return probe_server_main(state, STDIN_FILENO, NULL);
}

/* A child of a client may be a server, and of a server a client; what they inherited does not get in their way. */
START_TEST(serves_from_a_child_of_a_client)
{
    child grandchild;
    probe_state *state = probe_state_new();
    probe_thread thread;

    probe_thread_start(&thread, &(probe_setup){.name = "first"});
    shmrpc_client *first = NULL, *second = NULL;
    assert_status(probe_connect(&first, "first", NULL), 0);
    ck_assert(probe_answers_rightly(first, 1, 5));
    child_spawn(&grandchild, serve_as_grandchild, state);
    await_true(atomic_load(&state->pid) != 0);
    assert_status(probe_connect(&second, "probe", NULL), 0);
    for (uint64_t i = 0; i < 20; i++) {
        ck_assert(probe_answers_rightly(first, i * 100, 5));
        ck_assert(probe_answers_rightly(second, i * 100, 5));
    }
    shmrpc_client_free(first);
    shmrpc_client_free(second);
    ck_assert_int_eq(kill(grandchild.pid, SIGTERM), 0);
    child_expect_exit(&grandchild, 0);
    probe_thread_stop(&thread);
    probe_state_free(state);
}
END_TEST

/* ---- other users, other sockets ---- */

static int connect_as_nobody(child_link *link, void *data)
{
    const int wanted = *(const int *)data;
    shmrpc_client *client = NULL;

    (void)link;
    child_check(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0,
                "setresuid");
    int rc = probe_connect(&client, "probe", NULL);
    if (rc != wanted)
        fprintf(stderr, "connect: %s (%s)\n", shmrpc_status_text(rc), shmrpc_last_error());
    child_check(rc == wanted, "another status");
    child_check(rc == 0 || shmrpc_last_error()[0] == '/' || strchr(shmrpc_last_error(), '/') != NULL,
                "no path is named");
    child_check(rc != 0 || probe_answers_rightly(client, 1, 5), "wrong answers");
    shmrpc_client_free(client);
    return 0;
}

/* 0: the folder is closed to others; 1: the socket is; 2: neither. */
START_TEST(lets_other_users_in_where_the_modes_do)
{
    const int wanted = _i == 2 ? 0 : SHMRPC_E_PERMISSION;
    child nobody;

    if (getuid() != 0) {
        test_skip("only root can become another user");
        return;
    }
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.mode = _i == 1 ? 0600 : 0666}});
    ck_assert_int_eq(chmod(runtime_dir_path(), _i == 0 ? 0700 : 0755), 0);
    child_spawn(&nobody, connect_as_nobody, (void *)(uintptr_t)&wanted);
    child_expect_exit(&nobody, 0);
    if (_i == 2) {
        ck_assert_uint_eq(atomic_load(&server.state->peer_uid), 65534);
        ck_assert_uint_eq(atomic_load(&server.state->peer_gid), 65534);
    } else {
        ck_assert_uint_eq(atomic_load(&server.state->connected), 0);
    }
    probe_process_stop(&server);
}
END_TEST

START_TEST(leaves_a_socket_of_another_kind_alone)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    probe_state *state = probe_state_new();
    probe_server other;
    shmrpc_client *client = NULL;
    struct stat status;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/stream", runtime_dir_path());
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 5), 0);

    assert_status(probe_server_init(&other, state, 0, &(probe_setup){.name = "stream"}), SHMRPC_E_IN_USE);
    ck_assert_int_lt(probe_connect(&client, "stream", NULL), 0);
    ck_assert_str_ne(shmrpc_last_error(), "");
    ck_assert_int_eq(stat(address.sun_path, &status), 0);
    ck_assert_int_eq(unlink(address.sun_path), 0);
    close(listener);
    probe_state_free(state);
}
END_TEST

/* ---- many processes ---- */

static int call_much(child_link *link, void *data)
{
    shmrpc_client *client = NULL;
    const unsigned int number = *(const unsigned int *)data;

    link_await(link, 'g');
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    child_check(probe_answers_rightly(client, number * UINT64_C(1000000), 200), "wrong answers");
    for (unsigned int i = 0; i < 100; i++)
        child_check(probe_note(client, number, shmrpc_default()) == 0, "note");
    probe_total total;
    child_check(probe_get_total(client, &total) == 0 && total.count == 100 && total.sum == 100 * number, "total");
    shmrpc_client_free(client);
    return 0;
}

START_TEST(serves_many_processes_at_once)
{
    enum { PROCESSES = 30 };
    child processes[PROCESSES];
    unsigned int numbers[PROCESSES];

    probe_process_start(&server, NULL);
    size_t fds = counts_fds_of(server.child.pid);
    for (unsigned int i = 0; i < PROCESSES; i++) {
        numbers[i] = i + 1;
        child_spawn(&processes[i], call_much, &numbers[i]);
    }
    for (unsigned int i = 0; i < PROCESSES; i++)
        link_signal(&processes[i].link, 'g');
    for (unsigned int i = 0; i < PROCESSES; i++)
        child_expect_exit(&processes[i], 0);
    await_true(atomic_load(&server.state->disconnected) == PROCESSES);
    ck_assert_uint_eq(atomic_load(&server.state->notes), PROCESSES * 100);
    await_true(counts_fds_of(server.child.pid) == fds);
    probe_process_stop(&server);
}
END_TEST

static Suite *surroundings_suite(void)
{
    Suite *suite = suite_create("ipc_surroundings");
    TCase *tests = tcase_create("surroundings");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 40);
    tcase_add_test(tests, answers_a_client_that_is_interrupted_by_signals);
    tcase_add_test(tests, serves_although_it_is_interrupted_by_signals);
    tcase_add_test(tests, tells_clients_of_its_end_although_a_forked_child_has_its_sockets);
    tcase_add_test(tests, ends_calls_of_others_although_a_forked_child_has_its_sockets);
    tcase_add_test(tests, serves_from_a_child_of_a_client);
    tcase_add_loop_test(tests, lets_other_users_in_where_the_modes_do, 0, 3);
    tcase_add_test(tests, leaves_a_socket_of_another_kind_alone);
    tcase_add_test(tests, serves_many_processes_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(surroundings_suite)

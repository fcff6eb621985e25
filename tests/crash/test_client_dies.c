/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_client_dies.c - kill -9 of clients: the server drops their sessions, once each, keeps nothing, and serves on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

static probe_process server;
static probe_state *state;

static void setup(void)
{
    probe_case_begin();
    state = probe_state_new();
    probe_process_start(&server, &(probe_setup){.state = state});
}

static void teardown(void)
{
    ck_assert_uint_eq(atomic_load(&state->lifecycle_errors), 0);
    probe_process_stop(&server);
    ck_assert_uint_eq(atomic_load(&state->connected), atomic_load(&state->disconnected));
    ck_assert_uint_eq(state->final_counts.sessions_accepted, atomic_load(&state->connected));
    probe_state_free(state);
    probe_case_end();
}

static uint64_t why(shmrpc_why reason)
{
    return atomic_load(&state->disconnected_why[reason]);
}

static shmrpc_client *connect_default(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

static int connect_and_wait(child_link *link, void *data)
{
    shmrpc_client *client = NULL;

    (void)data;
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    child_check(probe_answers_rightly(client, 1, 3), "wrong answers");
    link_signal(link, 'c');
    link_await(link, 'x');
    return 0;
}

static int connect_and_hold(child_link *link, void *data)
{
    shmrpc_client *client = NULL;
    uint64_t reply;

    (void)data;
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    link_signal(link, 'c');
    int rc = probe_hold(client, 44, &reply, shmrpc_forever());
    (void)rc;
    return 1;
}

START_TEST(drops_the_session_of_an_idle_client_that_was_killed)
{
    child client;
    size_t fds = counts_fds_of(server.child.pid);

    for (uint64_t round = 1; round <= 20; round++) {
        child_spawn(&client, connect_and_wait, NULL);
        link_await(&client.link, 'c');
        child_kill(&client);
        await_true(atomic_load(&state->disconnected) == round);
    }
    /* The end of its socket and of its process come at once; either may be seen first. */
    ck_assert_uint_eq(why(SHMRPC_WHY_DIED) + why(SHMRPC_WHY_CLOSED), 20);
    await_true(counts_fds_of(server.child.pid) == fds);
}
END_TEST

START_TEST(drops_the_session_of_a_client_that_ended_without_freeing)
{
    child client;

    child_spawn(&client, connect_and_wait, NULL);
    link_await(&client.link, 'c');
    link_signal(&client.link, 'x');
    child_expect_exit(&client, 0);
    await_true(atomic_load(&state->disconnected) == 1);
}
END_TEST

START_TEST(drops_the_session_after_the_handler_that_was_running)
{
    child client;
    size_t fds = counts_fds_of(server.child.pid);

    child_spawn(&client, connect_and_hold, NULL);
    link_await(&client.link, 'c');
    await_true(atomic_load(&state->holding) == 44);
    child_kill(&client);
    ck_assert_uint_eq(atomic_load(&state->disconnected), 0);
    probe_gate_open(&server);
    await_true(atomic_load(&state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&state->ended), atomic_load(&state->begun));
    await_true(counts_fds_of(server.child.pid) == fds);
    shmrpc_client *next = connect_default();
    ck_assert(probe_answers_rightly(next, 1, 5));
    shmrpc_client_free(next);
}
END_TEST

/* What it holds stays open in its child: only the end of the process itself says that the client is gone. */
static int connect_and_fork(child_link *link, void *data)
{
    shmrpc_client *client = NULL;

    (void)data;
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    child_check(probe_ping(client, shmrpc_default()) == 0, "ping");
    pid_t pid = fork();
    child_check(pid >= 0, "fork");
    if (pid == 0) {
        char byte;
        /* Ends with the test, which holds the other end of this pipe. */
        ssize_t n = read(link->in, &byte, 1);
        _exit(n >= 0 ? 0 : 1);
    }
    link_signal(link, 'f');
    for (;;)
        pause();
}

START_TEST(drops_the_session_of_a_process_that_died_although_its_child_lives)
{
    child client;

    child_spawn(&client, connect_and_fork, NULL);
    link_await(&client.link, 'f');
    ck_assert_int_eq(kill(client.pid, SIGKILL), 0);
    await_true(atomic_load(&state->disconnected) == 1);
    ck_assert_uint_eq(why(SHMRPC_WHY_DIED), 1);
    child_expect_signal(&client, SIGKILL);
}
END_TEST

/* ---- at random moments ---- */

/* Connects, calls in all ways, disconnects, until it is killed. */
static int live_restlessly(child_link *link, void *data)
{
    unsigned int random = *(const unsigned int *)data;
    bool announced = false;

    while (getppid() != 1) {
        shmrpc_client *client = NULL;
        shmrpc_client_options options = {
            .spin_ns = rand_r(&random) % 2 == 0 ? SHMRPC_SPIN_NONE : SHMRPC_SPIN_DEFAULT,
            .depth = 2u << rand_r(&random) % 8,
        };
        child_check(probe_connect(&client, "probe", &options) == 0, "connect");
        if (!announced)
            link_signal(link, 'c');
        announced = true;
        for (int calls = rand_r(&random) % 40; calls > 0; calls--) {
            uint64_t reply;
            int rc = 0;
            switch (rand_r(&random) % 4) {
            case 0: rc = probe_note(client, 1, shmrpc_default()); break;
            case 1: rc = probe_echo(client, 1, &reply, shmrpc_in_us(rand_r(&random) % 60)); break;
            case 2: child_check(probe_answers_rightly(client, 1, 1), "wrong answer"); break;
            default: rc = probe_ping(client, shmrpc_default()); break;
            }
            child_check(rc == 0 || rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_NOT_SENT, "a call failed");
        }
        shmrpc_client_free(client);
    }
    return 1;
}

START_TEST(keeps_nothing_of_clients_that_were_killed_at_random_moments)
{
    enum { AT_ONCE = 3, ROUNDS = 60 };
    shmrpc_client *witness = connect_default();
    unsigned int random = 4711;
    counts before;

    ck_assert(probe_answers_rightly(witness, 1, 5));
    size_t fds = counts_fds_of(server.child.pid);
    size_t threads = counts_threads_of(server.child.pid);
    counts_take(&before);

    for (uint64_t round = 0; round < ROUNDS; round++) {
        child clients[AT_ONCE];
        unsigned int seeds[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) {
            seeds[i] = (unsigned int)rand_r(&random);
            child_spawn(&clients[i], live_restlessly, &seeds[i]);
        }
        for (int i = 0; i < AT_ONCE; i++)
            link_await(&clients[i].link, 'c');
        for (int i = 0; i < AT_ONCE; i++) {
            uint64_t until_ns = test_now_ns() + (uint64_t)rand_r(&random) % 2000000;
            while (test_now_ns() < until_ns)
                ;
            child_kill(&clients[i]);
            ck_assert(probe_answers_rightly(witness, round * 10, 2));
        }
    }
    await_true(atomic_load(&state->disconnected) + 1 == atomic_load(&state->connected));
    await_true(counts_fds_of(server.child.pid) == fds);
    ck_assert_uint_eq(counts_threads_of(server.child.pid), threads);
    ck_assert_uint_eq(why(SHMRPC_WHY_PROTOCOL), 0);
    ck_assert_uint_eq(why(SHMRPC_WHY_STOPPED), 0);
    shmrpc_server_counts now;
    assert_status(probe_get_counters(witness, &now), 0);
    ck_assert_uint_eq(now.sessions_open, 1);
    ck_assert_uint_eq(now.sessions_dropped, 0);
    counts_expect_same(&before);
    shmrpc_client_free(witness);
}
END_TEST

/* A client that does not read its replies, or does nothing at all, costs the others nothing. */
START_TEST(serves_others_while_a_client_is_stopped)
{
    child client;
    shmrpc_client *witness = connect_default();
    unsigned int seed = 5;

    child_spawn(&client, live_restlessly, &seed);
    link_await(&client.link, 'c');
    for (int round = 0; round < 30; round++) {
        child_stop(&client);
        uint64_t begin_ns = test_now_ns();
        ck_assert(probe_answers_rightly(witness, 100, 20));
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
        child_continue(&client);
    }
    child_stop(&client);
    child_kill(&client);
    await_true(atomic_load(&state->disconnected) + 1 == atomic_load(&state->connected));
    shmrpc_client_free(witness);
}
END_TEST

START_TEST(stops_although_a_client_is_stopped)
{
    child client;
    unsigned int seed = 6;

    child_spawn(&client, live_restlessly, &seed);
    link_await(&client.link, 'c');
    child_stop(&client);
    /* teardown() stops the server, and awaits its end. */
    ck_assert_int_eq(kill(server.child.pid, SIGTERM), 0);
    child_expect_exit(&server.child, 0);
    probe_process_kill(&server);
    child_kill(&client);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_process_start(&server, &(probe_setup){.state = state});
    atomic_store(&state->connected, 0);
    atomic_store(&state->disconnected, 0);
}
END_TEST

static Suite *client_dies_suite(void)
{
    Suite *suite = suite_create("crash_client_dies");
    TCase *tests = tcase_create("client dies");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, drops_the_session_of_an_idle_client_that_was_killed);
    tcase_add_test(tests, drops_the_session_of_a_client_that_ended_without_freeing);
    tcase_add_test(tests, drops_the_session_after_the_handler_that_was_running);
    tcase_add_test(tests, drops_the_session_of_a_process_that_died_although_its_child_lives);
    tcase_add_test(tests, keeps_nothing_of_clients_that_were_killed_at_random_moments);
    tcase_add_test(tests, serves_others_while_a_client_is_stopped);
    tcase_add_test(tests, stops_although_a_client_is_stopped);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(client_dies_suite)

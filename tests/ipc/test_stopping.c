/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stopping.c - how a server ends: from a handler, a signal, another thread, before it began, with calls in
 * flight.
 *
 * What was sent before the end is answered; what comes after it is refused with a status that says so; nobody hangs.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "dispatched.h"
#include "joiners.h"
#include "probe_server.h"

static probe_process server;

static shmrpc_client *connect_default(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

static bool is_gone(shmrpc_client *client)
{
    return shmrpc_client_state(client) == SHMRPC_CLIENT_GONE;
}

START_TEST(stops_from_a_signal_handler_while_idle)
{
    probe_state *state = probe_state_new();

    for (int round = 0; round < 50; round++) {
        probe_process_start(&server, &(probe_setup){.state = state});
        probe_process_stop(&server);
        ck_assert_uint_eq(runtime_dir_entries(), 0);
    }
    ck_assert_uint_eq(atomic_load(&state->warnings), 0);
    probe_state_free(state);
}
END_TEST

START_TEST(stops_from_a_signal_handler_while_clients_are_connected)
{
    probe_state *state = probe_state_new();

    for (int round = 0; round < 30; round++) {
        uint64_t reply;
        probe_process_start(&server, &(probe_setup){.state = state});
        shmrpc_client *client = connect_default();
        ck_assert(probe_answers_rightly(client, 1, 5));
        probe_process_stop(&server);
        ck_assert_uint_eq(runtime_dir_entries(), 0);
        await_true(is_gone(client));
        uint64_t begin_ns = test_now_ns();
        assert_status(probe_echo(client, 1, &reply, shmrpc_forever()), SHMRPC_E_NOT_SENT);
        assert_status(probe_note(client, 1, shmrpc_forever()), SHMRPC_E_NOT_SENT);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
        shmrpc_client_free(client);
    }
    ck_assert_uint_eq(atomic_load(&state->disconnected_why[SHMRPC_WHY_STOPPED]), 30);
    ck_assert_uint_eq(atomic_load(&state->lifecycle_errors), 0);
    ck_assert_uint_eq(atomic_load(&state->warnings), 0);
    probe_state_free(state);
}
END_TEST

START_TEST(stops_from_a_handler_and_answers_that_call)
{
    probe_state *state = probe_state_new();

    probe_process_start(&server, &(probe_setup){.state = state});
    shmrpc_client *client = connect_default();
    assert_status(shmrpc_client_call(client, PROBE_STOP, NULL, NULL, shmrpc_default()), 0);
    child_expect_exit(&server.child, 0);
    probe_process_kill(&server);
    await_true(is_gone(client));
    shmrpc_client_free(client);
    ck_assert_uint_eq(atomic_load(&state->disconnected), 1);
    ck_assert_uint_eq(state->final_counts.sessions_accepted, 1);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_state_free(state);
}
END_TEST

START_TEST(returns_from_run_at_once_where_stop_came_before)
{
    probe_state *state = probe_state_new();
    probe_server early;

    assert_status(probe_server_init(&early, state, 0, NULL), 0);
    shmrpc_server_stop(&early.base);
    assert_status(shmrpc_server_run(&early.base), 0);
    shmrpc_server_deinit(&early.base);
    ck_assert_uint_eq(runtime_dir_entries(), 0);

    /* And a server that never ran leaves nothing either. */
    counts before;
    counts_take(&before);
    for (int i = 0; i < 20; i++) {
        assert_status(probe_server_init(&early, state, 0, NULL), 0);
        shmrpc_server_deinit(&early.base);
    }
    counts_expect_same(&before);
    probe_state_free(state);
}
END_TEST

START_TEST(stops_many_times_as_once)
{
    probe_thread thread;

    probe_thread_start(&thread, NULL);
    for (int i = 0; i < 1000; i++)
        shmrpc_server_stop(&thread.server.base);
    probe_thread_stop(&thread);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    uint64_t value;
    uint32_t method;
    int status;
    uint64_t reply;
    _Atomic(bool) ready;
} caller;

static void *call_once(void *data)
{
    caller *self = data;
    shmrpc_client *client = NULL;

    self->status = probe_connect(&client, "probe", NULL);
    atomic_store(&self->ready, true);
    if (self->status == 0)
        self->status = shmrpc_client_call(client, self->method, &self->value, &self->reply, shmrpc_in_s(20));
    shmrpc_client_free(client);
    return NULL;
}

static void caller_start(caller *self, uint32_t method, uint64_t value)
{
    *self = (caller){.method = method, .value = value};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, call_once, self), 0);
    await_true(atomic_load(&self->ready));
}

START_TEST(answers_what_was_sent_before_it_stops)
{
    caller holder;
    probe_total unused;
    probe_state *state = probe_state_new();
    shmrpc_client *client;

    probe_process_start(&server, &(probe_setup){.state = state});
    client = connect_default();
    assert_status(probe_get_total(client, &unused), 0);
    caller_start(&holder, PROBE_HOLD, 7);
    await_true(atomic_load(&state->holding) == 7);
    /* These wait behind the handler, and are in the ring when the server is told to stop. */
    for (uint64_t i = 1; i <= 40; i++)
        assert_status(probe_note(client, i, shmrpc_default()), 0);
    ck_assert_int_eq(kill(server.child.pid, SIGTERM), 0);
    probe_gate_open(&server);
    child_expect_exit(&server.child, 0);
    probe_process_kill(&server);

    ck_assert_int_eq(pthread_join(holder.thread, NULL), 0);
    assert_status(holder.status, 0);
    ck_assert_uint_eq(holder.reply, 7);
    ck_assert_uint_eq(atomic_load(&state->notes), 40);
    ck_assert_uint_eq(atomic_load(&state->notes_sum), 820);
    await_true(is_gone(client));
    shmrpc_client_free(client);
    ck_assert_uint_eq(atomic_load(&state->disconnected), 2);
    probe_state_free(state);
}
END_TEST

/*
 * Clients that never pause cannot keep a server from stopping, and none of their calls ends without a status of its
 * own.
 */
typedef struct hammer {
    pthread_t thread;
    uint64_t answered;
    bool wrong;
    int last_status;
    _Atomic(bool) warm;
} hammer;

static void *hammer_main(void *data)
{
    hammer *self = data;
    shmrpc_client *client = NULL;

    self->last_status = probe_connect(&client, "probe", NULL);
    for (uint64_t i = 0; self->last_status == 0; i++) {
        uint64_t reply = ~i;
        self->last_status = probe_echo(client, i, &reply, shmrpc_in_s(20));
        self->wrong |= self->last_status == 0 && reply != i;
        self->answered += self->last_status == 0;
        if (i == 100)
            atomic_store(&self->warm, true);
    }
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(stops_under_load_and_tells_every_caller)
{
    enum { HAMMERS = 4, ROUNDS = 10 };
    hammer hammers[HAMMERS];

    for (int round = 0; round < ROUNDS; round++) {
        probe_state *state = probe_state_new();
        probe_process_start(&server, &(probe_setup){.state = state});
        for (int i = 0; i < HAMMERS; i++) {
            hammers[i] = (hammer){0};
            ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL, hammer_main, &hammers[i]), 0);
        }
        for (int i = 0; i < HAMMERS; i++)
            await_true(atomic_load(&hammers[i].warm));
        probe_process_stop(&server);

        uint64_t answered = 0;
        for (int i = 0; i < HAMMERS; i++) {
            ck_assert_int_eq(pthread_join(hammers[i].thread, NULL), 0);
            ck_assert(!hammers[i].wrong);
            int rc = hammers[i].last_status;
            /* It was closed in an orderly way, so what became of the last call is known. */
            ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
            answered += hammers[i].answered;
        }
        /* Each handler that ran was heard of, and no other. */
        ck_assert_uint_eq(answered, atomic_load(&state->begun));
        ck_assert_uint_eq(atomic_load(&state->disconnected), HAMMERS);
        ck_assert_uint_eq(runtime_dir_entries(), 0);
        probe_state_free(state);
    }
}
END_TEST

START_TEST(tells_that_it_stops_while_a_handler_still_runs)
{
    caller holder;

    probe_process_start(&server, NULL);
    shmrpc_client *client = connect_default();
    ck_assert(probe_answers_rightly(client, 1, 3));
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
    caller_start(&holder, PROBE_HOLD, 9);
    await_true(atomic_load(&server.state->holding) == 9);
    ck_assert_int_eq(kill(server.child.pid, SIGTERM), 0);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
    probe_gate_open(&server);
    child_expect_exit(&server.child, 0);
    probe_process_kill(&server);
    await_true(is_gone(client));
    ck_assert_int_eq(pthread_join(holder.thread, NULL), 0);
    assert_status(holder.status, 0);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(serves_again_under_its_name_after_it_stopped)
{
    for (int round = 0; round < 20; round++) {
        probe_thread thread;
        probe_thread_start(&thread, NULL);
        shmrpc_client *client = connect_default();
        ck_assert(probe_answers_rightly(client, 1, 5));
        probe_thread_stop(&thread);
        shmrpc_client *none = NULL;
        assert_status(probe_connect(&none, "probe", NULL), SHMRPC_E_UNAVAILABLE);
        shmrpc_client_free(client);
    }
}
END_TEST

START_TEST(runs_again_after_it_stopped_or_says_that_it_may_not)
{
    probe_state *state = probe_state_new();
    probe_server again;

    assert_status(probe_server_init(&again, state, 0, NULL), 0);
    shmrpc_server_stop(&again.base);
    assert_status(shmrpc_server_run(&again.base), 0);
    shmrpc_server_stop(&again.base);
    int rc = shmrpc_server_run(&again.base);
    ck_assert_msg(rc == 0 || rc == SHMRPC_E_MISUSE, "%s", shmrpc_status_text(rc));
    shmrpc_server_deinit(&again.base);
    probe_state_free(state);
}
END_TEST

/* ---- while others connect ---- */

START_TEST(tells_those_who_connect_while_it_stops)
{
    enum { ROUNDS = 40 };
    probe_state *state = probe_state_new();
    child joiners;

    joiners_start(&joiners, JOINERS_SEE_STOPS);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = atomic_load(&state->connected);
        probe_process_start(&server, &(probe_setup){.state = state});
        await_true(atomic_load(&state->connected) > before + 5);
        probe_process_stop(&server);
        ck_assert_uint_eq(atomic_load(&state->connected), atomic_load(&state->disconnected));
    }
    joiners_end(&joiners);
    ck_assert_uint_eq(atomic_load(&state->lifecycle_errors), 0);
    ck_assert_uint_eq(atomic_load(&state->disconnected_why[SHMRPC_WHY_PROTOCOL]), 0);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_state_free(state);
}
END_TEST

#define BEFORE 3u
#define AFTER 5u

/* The ring is never empty: what came later stands behind what came before. */
START_TEST(begins_what_was_sent_before_it_heard_and_nothing_else)
{
    shmrpc_call calls[BEFORE + AFTER] = {0};
    probe_value reply = {0};
    dispatched serving;
    int rc;

    dispatched_begin(&serving, &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    shmrpc_client *client = dispatched_connect(&serving, NULL);
    for (unsigned i = 0; i < BEFORE; i++)
        assert_status(probe_start(client, &calls[i], PROBE_ECHO, i, shmrpc_in_s(60), NULL), 0);
    shmrpc_server_stop(&serving.server.base);
    /* In each round one, from the one on in which it hears of its stop. */
    ck_assert_int_eq(dispatched_round(&serving), 1);
    ck_assert_uint_lt(atomic_load(&serving.state->begun), BEFORE);
    for (unsigned i = BEFORE; i < BEFORE + AFTER; i++)
        assert_status(probe_start(client, &calls[i], PROBE_ECHO, i, shmrpc_in_s(60), NULL), 0);
    while ((rc = shmrpc_server_dispatch(&serving.server.base, 1)) == 1) {
    }
    assert_status(rc, SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(atomic_load(&serving.state->begun), BEFORE);
    for (unsigned i = 0; i < BEFORE; i++)
        probe_expect_echo(&calls[i], i);
    for (unsigned i = BEFORE; i < BEFORE + AFTER; i++)
        assert_status(shmrpc_call_wait(&calls[i], &reply), SHMRPC_E_NOT_EXECUTED);
    shmrpc_client_free(client);
    dispatched_end(&serving);
}
END_TEST

static Suite *stopping_suite(void)
{
    Suite *suite = suite_create("ipc_stopping");
    TCase *tests = tcase_create("stopping");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, stops_from_a_signal_handler_while_idle);
    tcase_add_test(tests, stops_from_a_signal_handler_while_clients_are_connected);
    tcase_add_test(tests, stops_from_a_handler_and_answers_that_call);
    tcase_add_test(tests, returns_from_run_at_once_where_stop_came_before);
    tcase_add_test(tests, stops_many_times_as_once);
    tcase_add_test(tests, answers_what_was_sent_before_it_stops);
    tcase_add_test(tests, stops_under_load_and_tells_every_caller);
    tcase_add_test(tests, tells_that_it_stops_while_a_handler_still_runs);
    tcase_add_test(tests, tells_those_who_connect_while_it_stops);
    tcase_add_test(tests, serves_again_under_its_name_after_it_stopped);
    tcase_add_test(tests, runs_again_after_it_stopped_or_says_that_it_may_not);
    suite_add_tcase(suite, tests);
    tests = tcase_create("dispatched"); /* which has a fixture of its own */
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, begins_what_was_sent_before_it_heard_and_nothing_else);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(stopping_suite)

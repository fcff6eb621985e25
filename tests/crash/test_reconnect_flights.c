/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reconnect_flights.c - calls in flight, batches and threads of a client whose server is replaced by another one:
 * each call of the old session is told once how it ended, in whatever order, and nothing of the old one is left then.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe_server.h"

#define DEPTH 8

static probe_process server;
static probe_state *state;
static shmrpc_client *client;
static counts connected; /* with the client, and one lane */

static void start_server(void)
{
    probe_process_start(&server, &(probe_setup){.state = state});
}

static void kill_server(void)
{
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    atomic_store(&state->holding, 0);
}

static void replace_server(void)
{
    kill_server();
    start_server();
}

static void setup(void)
{
    const shmrpc_client_options options = {.depth = DEPTH, .reconnect = true, .retry_idempotent = true};

    probe_case_begin();
    state = probe_state_new();
    start_server();
    assert_status(probe_connect(&client, "probe", &options), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
    counts_take(&connected);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    client = NULL;
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_state_free(state);
    probe_case_end();
}

static int start_value(shmrpc_call *call, uint32_t method, uint64_t value, shmrpc_done *done)
{
    return shmrpc_call_start(client, call, method, &(probe_value){value}, shmrpc_in_s(20), done);
}

static int wait_value(shmrpc_call *call, uint64_t *ret_value)
{
    return shmrpc_call_wait(call, ret_value);
}

static void expect_range_payload(const shmrpc_client *of)
{
    const probe_range *range = shmrpc_client_error_payload(of, &probe_errors, PROBE_ERROR_RANGE);

    ck_assert_ptr_nonnull(range);
    ck_assert(range->lowest == -5 && range->highest == 1000);
}

/* ---- waited for ---- */

/* Two sessions later: answered, answered with an error, begun, not begun. */
START_TEST(calls_of_the_old_session_are_told_after_calls_of_the_new_one)
{
    shmrpc_call calls[5] = {0};
    uint64_t reply = 5;

    assert_status(start_value(&calls[0], PROBE_ECHO, 100, NULL), 0);
    assert_status(start_value(&calls[1], PROBE_FAIL, PROBE_ERROR_RANGE, NULL), 0);
    assert_status(start_value(&calls[2], PROBE_HOLD, 102, NULL), 0);
    assert_status(start_value(&calls[3], PROBE_HOLD, 103, NULL), 0);
    await_true(atomic_load(&state->holding) == 102);
    replace_server();
    ck_assert(probe_answers_rightly(client, 1, 2 * DEPTH));
    assert_status(start_value(&calls[4], PROBE_HOLD, 104, NULL), 0);
    await_true(atomic_load(&state->holding) == 104);
    replace_server();
    ck_assert(probe_answers_rightly(client, 2, 2 * DEPTH));
    ck_assert_uint_eq(atomic_load(&state->connected), 3);

    assert_status(wait_value(&calls[3], &reply), SHMRPC_E_NOT_EXECUTED);
    assert_status(wait_value(&calls[4], &reply), SHMRPC_E_UNKNOWN);
    assert_status(wait_value(&calls[1], &reply), PROBE_ERROR_RANGE);
    expect_range_payload(client);
    ck_assert_uint_eq(reply, 5);
    assert_status(wait_value(&calls[0], &reply), 0);
    ck_assert_uint_eq(reply, 100);
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
    assert_status(wait_value(&calls[2], &reply), SHMRPC_E_UNKNOWN);
    for (unsigned i = 0; i < 5; i++)
        assert_status(wait_value(&calls[i], &reply), SHMRPC_E_MISUSE);
    counts_expect_same(&connected);
    ck_assert(probe_answers_rightly(client, 3, 2 * DEPTH));
}
END_TEST

START_TEST(the_last_of_them_may_carry_the_payload_that_is_asked_for)
{
    shmrpc_call call = {0};
    uint64_t reply;

    assert_status(start_value(&call, PROBE_FAIL, PROBE_ERROR_RANGE, NULL), 0);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    replace_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    assert_status(wait_value(&call, &reply), PROBE_ERROR_RANGE);
    counts_expect_same(&connected); /* the old lane is gone, and the payload is not */
    expect_range_payload(client);
}
END_TEST

/* An object whose call has been told may carry the next one, in the new session. */
START_TEST(objects_are_used_again_in_the_new_session)
{
    shmrpc_call calls[3] = {0};
    uint64_t reply;

    for (uint64_t round = 1; round <= 5; round++) {
        for (unsigned i = 0; i < 3; i++)
            assert_status(start_value(&calls[i], PROBE_HOLD, 10 * round + i, NULL), 0);
        await_true(atomic_load(&state->holding) == 10 * round);
        assert_status(start_value(&calls[0], PROBE_ECHO, 1, NULL), SHMRPC_E_MISUSE); /* it is in flight */
        replace_server();
        for (unsigned i = 3; i-- > 0;) {
            assert_status(wait_value(&calls[i], &reply), i == 0 ? SHMRPC_E_UNKNOWN : SHMRPC_E_NOT_EXECUTED);
            assert_status(start_value(&calls[i], PROBE_ECHO, i, NULL), 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            assert_status(wait_value(&calls[i], &reply), 0);
            ck_assert_uint_eq(reply, i);
        }
        ck_assert_uint_eq(atomic_load(&state->connected), round + 1);
        counts_expect_same(&connected);
    }
}
END_TEST

/* ---- callbacks ---- */

typedef struct told {
    shmrpc_call base;
    unsigned count;
    int rc;
    uint64_t value;
    bool calls;        /* in its function */
    unsigned replaces; /* the server, so often, and calls then */
    int called, dispatched;
} told;

static unsigned told_total;

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    told *self = (told *)(void *)call;

    told_total++;
    self->count++;
    self->rc = rc;
    self->value = reply == NULL ? 0 : ((const probe_value *)reply)->value;
    for (unsigned i = 0; i < self->replaces; i++) {
        replace_server();
        await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
        assert_status(probe_ping(client, shmrpc_in_s(20)), 0);
        assert_status(shmrpc_client_dispatch(client, 1), SHMRPC_E_MISUSE);
    }
    if (self->calls) {
        uint64_t echoed = 0;

        self->called = probe_echo(client, 7, &echoed, shmrpc_in_s(20));
        self->dispatched = shmrpc_client_dispatch(client, 1);
        ck_assert_uint_eq(echoed, self->called == 0 ? 7 : 0);
        /* What it was told with is still there. */
        ck_assert(reply == NULL || ((const probe_value *)reply)->value == self->value);
    }
}

static void dispatch_until(unsigned count)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    unsigned wanted = told_total + count;

    while (told_total < wanted) {
        ck_assert_int_ge(shmrpc_client_dispatch(client, 1), 0);
        ck_assert_int_gt(test_remaining_ms(until_ns), 0);
    }
    ck_assert_uint_eq(told_total, wanted);
}

static void expect_told(const told *self, int rc, uint64_t value)
{
    ck_assert_uint_eq(self->count, 1);
    assert_status(self->rc, rc);
    ck_assert_uint_eq(self->value, value);
}

START_TEST(callbacks_of_the_old_session_run_beside_those_of_the_new_one)
{
    told old[3] = {0}, now[2] = {0};

    assert_status(start_value(&old[0].base, PROBE_ECHO, 1, on_done), 0);
    assert_status(start_value(&old[1].base, PROBE_HOLD, 2, on_done), 0);
    assert_status(start_value(&old[2].base, PROBE_HOLD, 3, on_done), 0);
    await_true(atomic_load(&state->holding) == 2);
    replace_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    for (unsigned i = 0; i < 2; i++)
        assert_status(start_value(&now[i].base, PROBE_ECHO, 10 + i, on_done), 0);
    dispatch_until(5);
    expect_told(&old[0], 0, 1);
    expect_told(&old[1], SHMRPC_E_UNKNOWN, 0);
    expect_told(&old[2], SHMRPC_E_NOT_EXECUTED, 0);
    expect_told(&now[0], 0, 10);
    expect_told(&now[1], 0, 11);
    ck_assert_int_eq(shmrpc_client_dispatch(client, 9), 0);
    counts_expect_same(&connected);
}
END_TEST

/* The lane whose calls are being told is replaced meanwhile: it stays until the function has returned. */
START_TEST(the_only_callback_may_be_what_connects_again)
{
    told call = {.calls = true};

    assert_status(start_value(&call.base, PROBE_ECHO, 1, on_done), 0);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    replace_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    dispatch_until(1);
    expect_told(&call, 0, 1);
    assert_status(call.called, 0);
    assert_status(call.dispatched, SHMRPC_E_MISUSE);
    counts_expect_same(&connected);
    ck_assert_uint_eq(atomic_load(&state->connected), 2);
}
END_TEST

START_TEST(a_callback_may_be_what_connects_again)
{
    told calls[3] = {{.calls = true}, {.calls = true}, {.calls = true}};

    assert_status(start_value(&calls[0].base, PROBE_ECHO, 1, on_done), 0);
    assert_status(start_value(&calls[1].base, PROBE_HOLD, 2, on_done), 0);
    assert_status(start_value(&calls[2].base, PROBE_HOLD, 3, on_done), 0);
    await_true(atomic_load(&state->holding) == 2);
    replace_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    dispatch_until(3);
    expect_told(&calls[0], 0, 1);
    expect_told(&calls[1], SHMRPC_E_UNKNOWN, 0);
    expect_told(&calls[2], SHMRPC_E_NOT_EXECUTED, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_status(calls[i].called, 0);
        assert_status(calls[i].dispatched, SHMRPC_E_MISUSE);
    }
    ck_assert_int_eq(shmrpc_client_dispatch(client, 9), 0);
    counts_expect_same(&connected);
    ck_assert_uint_eq(atomic_load(&state->connected), 2);
}
END_TEST

/* Those in between have nothing in flight: nobody would come back to them. */
START_TEST(a_callback_may_connect_again_several_times)
{
    told calls[2] = {{.replaces = 3, .calls = true}};

    assert_status(start_value(&calls[0].base, PROBE_ECHO, 1, on_done), 0);
    assert_status(start_value(&calls[1].base, PROBE_HOLD, 2, on_done), 0);
    await_true(atomic_load(&state->holding) == 2);
    dispatch_until(2);
    expect_told(&calls[0], 0, 1);
    expect_told(&calls[1], SHMRPC_E_UNKNOWN, 0);
    assert_status(calls[0].called, 0);
    ck_assert_int_eq(shmrpc_client_dispatch(client, 9), 0);
    counts_expect_same(&connected);
    ck_assert_uint_eq(atomic_load(&state->connected), 4);
}
END_TEST

/* ---- batches ---- */

/* What was written and not published was executed by nobody, whatever came before it; the batch goes on. */
START_TEST(a_batch_goes_on_in_the_new_session)
{
    shmrpc_call calls[3] = {0};
    uint64_t reply = 5, begun;

    assert_status(start_value(&calls[0], PROBE_HOLD, 1, NULL), 0);
    await_true(atomic_load(&state->holding) == 1);
    shmrpc_client_batch_begin(client);
    assert_status(start_value(&calls[1], PROBE_ECHO, 2, NULL), 0);
    replace_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    begun = atomic_load(&state->begun);
    assert_status(start_value(&calls[2], PROBE_ECHO, 3, NULL), 0);
    assert_status(wait_value(&calls[1], &reply), SHMRPC_E_NOT_EXECUTED);
    assert_status(wait_value(&calls[0], &reply), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(atomic_load(&state->begun), begun); /* the third is written only */
    assert_status(shmrpc_client_batch_end(client), 0);
    assert_status(shmrpc_client_batch_end(client), SHMRPC_E_MISUSE);
    assert_status(wait_value(&calls[2], &reply), 0);
    ck_assert_uint_eq(reply, 3);
    counts_expect_same(&connected);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 8 };

typedef enum ending { WAITS, IS_FREED, LEAVES } ending;

typedef struct caller {
    pthread_t thread;
    ending ending;
    shmrpc_call call; /* in flight when the server dies */
    int started, echoed, waited;
    uint64_t value, reply;
} caller;

static pthread_barrier_t meeting; /* of all callers and the test */

static void meet(void)
{
    (void)pthread_barrier_wait(&meeting);
}

static void *caller_main(void *data)
{
    caller *self = data;

    self->started = probe_ping(client, shmrpc_in_s(20));
    meet(); /* all have a lane: the server opens none while a handler runs */
    if (self->started == 0)
        self->started = start_value(&self->call, PROBE_HOLD, self->value, NULL);
    meet(); /* all have started */
    meet(); /* the server is another one */
    self->echoed = probe_echo(client, self->value, &self->reply, shmrpc_in_s(20));
    meet(); /* all have called */
    if (self->ending == LEAVES)
        return NULL;
    meet(); /* where it is freed, it is */
    self->waited = wait_value(&self->call, &self->reply);
    return NULL;
}

static void run_callers(caller *callers, ending how)
{
    ck_assert_int_eq(pthread_barrier_init(&meeting, NULL, THREADS + 1), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i] = (caller){.ending = how, .value = 40 + i, .started = 1, .echoed = 1, .waited = 1};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]), 0);
    }
    meet();
    meet();
    await_true(atomic_load(&state->holding) != 0);
    replace_server();
    meet();
    meet();
    if (how == IS_FREED) {
        shmrpc_client_free(client);
        client = NULL;
    }
    if (how != LEAVES)
        meet();
    for (unsigned i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
        assert_status(callers[i].started, 0);
        assert_status(callers[i].echoed, 0);
        ck_assert_uint_eq(callers[i].reply, callers[i].value);
    }
    ck_assert_int_eq(pthread_barrier_destroy(&meeting), 0);
    /* However many called at once, there is one new session; handlers of a session run one at a time. */
    ck_assert_uint_eq(atomic_load(&state->connected), 2);
}

START_TEST(threads_that_call_at_once_share_the_new_session)
{
    caller callers[THREADS];
    unsigned unknown = 0;

    run_callers(callers, WAITS);
    for (unsigned i = 0; i < THREADS; i++) {
        unknown += callers[i].waited == SHMRPC_E_UNKNOWN;
        if (callers[i].waited != SHMRPC_E_UNKNOWN)
            assert_status(callers[i].waited, SHMRPC_E_NOT_EXECUTED);
    }
    ck_assert_uint_eq(unknown, 1);
}
END_TEST

START_TEST(a_handle_is_freed_with_lanes_of_both_sessions)
{
    caller callers[THREADS];

    run_callers(callers, IS_FREED);
    for (unsigned i = 0; i < THREADS; i++)
        assert_status(callers[i].waited, SHMRPC_E_CANCELLED);
}
END_TEST

START_TEST(a_thread_ends_with_lanes_of_both_sessions)
{
    caller callers[THREADS];
    uint64_t reply;
    size_t kept;

    run_callers(callers, LEAVES);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_status(wait_value(&callers[i].call, &reply), SHMRPC_E_CANCELLED);
        assert_status(wait_value(&callers[i].call, &reply), SHMRPC_E_MISUSE);
    }
    ck_assert(probe_answers_rightly(client, 1, 20));
    ck_assert_uint_eq(atomic_load(&state->connected), 2);
    /* Of the new session's lanes this thread has one now, and the others are idle; of the old one's there is none. */
    kept = counts_fds_of(getpid()) - connected.fds;
    ck_assert_msg(kept % (THREADS - 1) == 0 && kept / (THREADS - 1) >= 1, "%zu descriptors more", kept);
}
END_TEST

/* Nobody is there: all but one wait for the one that tries, and each only as long as its own call has time. */
static void *call_nobody(void *data)
{
    caller *self = data;
    uint64_t begin_ns = test_now_ns();

    self->echoed = probe_echo(client, 1, &self->reply, shmrpc_in_ms((int64_t)self->value));
    self->reply = test_now_ns() - begin_ns;
    return NULL;
}

static void start_nobody(caller *self, uint64_t timeout_ms)
{
    *self = (caller){.value = timeout_ms, .echoed = 1};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, call_nobody, self), 0);
}

/* Who listens here does not answer. */
static int listen_in_place_of_the_server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    probe_forget("probe");
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/probe", runtime_dir_path());
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 64), 0);
    return listener;
}

/* Nobody is there; or somebody who does not answer, so that one attempt takes as long as its thread has time. */
START_TEST(threads_that_wait_for_a_server_keep_their_own_deadlines)
{
    caller callers[THREADS];
    int listener = -1;

    kill_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    if (_i == 1)
        listener = listen_in_place_of_the_server();
    for (unsigned i = 0; i < THREADS; i++)
        start_nobody(&callers[i], 20 + 60 * (THREADS - i));
    for (unsigned i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
        assert_status(callers[i].echoed, SHMRPC_E_NOT_SENT);
        ck_assert_uint_ge(callers[i].reply, callers[i].value * 1000000);
        ck_assert_uint_lt(callers[i].reply, (callers[i].value + 5000) * 1000000);
    }
    if (_i == 1) {
        ck_assert_int_eq(close(listener), 0);
        probe_forget("probe");
    }
    shmrpc_client_free(client);
    client = NULL;
    start_server();
}
END_TEST

/* Here each connection is taken and closed. */
START_TEST(threads_share_one_back_off)
{
    caller callers[4];
    unsigned attempts = 0, threads = 0;
    uint64_t begin_ns, until_ns;
    int listener;

    kill_server();
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    listener = listen_in_place_of_the_server();
    begin_ns = test_now_ns();
    until_ns = begin_ns + UINT64_C(1000000000);
    for (; threads < 4; threads++)
        start_nobody(&callers[threads], 1000);
    while (test_now_ns() < until_ns) {
        int socket = accept(listener, NULL, NULL);

        if (socket >= 0) {
            attempts++;
            ck_assert_int_eq(close(socket), 0);
        }
        await_pause();
    }
    ck_assert_int_eq(close(listener), 0);
    probe_forget("probe");
    while (threads-- > 0) {
        ck_assert_int_eq(pthread_join(callers[threads].thread, NULL), 0);
        assert_status(callers[threads].echoed, SHMRPC_E_NOT_SENT);
    }
    /* At once, and after at least 5, 10, 20, 40, 80, 160, 320 ms; at most twice that. */
    ck_assert_msg(attempts >= 2 && attempts <= 8, "%u attempts in a second", attempts);
    start_server();
    ck_assert(probe_answers_rightly(client, 1, 20));
}
END_TEST

static Suite *reconnect_flights_suite(void)
{
    Suite *suite = suite_create("crash_reconnect_flights");
    TCase *tests = tcase_create("reconnect_flights");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, calls_of_the_old_session_are_told_after_calls_of_the_new_one);
    tcase_add_test(tests, the_last_of_them_may_carry_the_payload_that_is_asked_for);
    tcase_add_test(tests, objects_are_used_again_in_the_new_session);
    tcase_add_test(tests, callbacks_of_the_old_session_run_beside_those_of_the_new_one);
    tcase_add_test(tests, the_only_callback_may_be_what_connects_again);
    tcase_add_test(tests, a_callback_may_be_what_connects_again);
    tcase_add_test(tests, a_callback_may_connect_again_several_times);
    tcase_add_test(tests, a_batch_goes_on_in_the_new_session);
    tcase_add_test(tests, threads_that_call_at_once_share_the_new_session);
    tcase_add_test(tests, a_handle_is_freed_with_lanes_of_both_sessions);
    tcase_add_test(tests, a_thread_ends_with_lanes_of_both_sessions);
    tcase_add_loop_test(tests, threads_that_wait_for_a_server_keep_their_own_deadlines, 0, 2);
    tcase_add_test(tests, threads_share_one_back_off);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(reconnect_flights_suite)

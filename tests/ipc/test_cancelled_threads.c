/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cancelled_threads.c - threads that are cancelled (pthread_cancel()) before they come to the library: none of its
 * functions ends them, so that each leaves with an answer, and without a lock, a lane or a doorbell that others need.
 */
#include <pthread.h>
#include <signal.h>

#include "probe_server.h"

#define VALUE 42u

static probe_process server;
static probe_state *state;
static shmrpc_client *client;

static void start_server(void)
{
    static const shmrpc_server_options sleeping = {.spin_ns = SHMRPC_SPIN_NONE};

    probe_process_start(&server, &(probe_setup){.options = &sleeping, .state = state});
}

static void kill_server(void)
{
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    probe_forget("probe");
}

/* Both sides sleep, so that each call asks the system for something. */
static int connect_sleeping(shmrpc_client **ret)
{
    const shmrpc_client_options options = {.spin_ns = SHMRPC_SPIN_NONE, .reconnect = true, .retry_idempotent = true};

    return probe_connect(ret, "probe", &options);
}

static void setup(void)
{
    probe_case_begin();
    state = probe_state_new();
    start_server();
    assert_status(connect_sleeping(&client), 0);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_state_free(state);
    probe_case_end();
}

/* ---- what the thread does ---- */

static uint64_t told;

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    (void)call;
    told = rc == 0 && reply != NULL ? ((const probe_value *)reply)->value : 0;
}

static int call_and_wait(uint64_t *ret)
{
    return probe_echo(client, VALUE, ret, shmrpc_in_s(20));
}

static int start_and_wait(uint64_t *ret)
{
    shmrpc_call call = {0};
    int rc = probe_start(client, &call, PROBE_ECHO, VALUE, shmrpc_in_s(20), NULL);

    return rc != 0 ? rc : shmrpc_call_wait(&call, ret);
}

static int start_and_dispatch(uint64_t *ret)
{
    shmrpc_call call = {0};
    int descriptor = shmrpc_client_fd(client);
    int rc = probe_start(client, &call, PROBE_ECHO, VALUE, shmrpc_in_s(20), on_done);

    told = 0;
    while (rc >= 0 && told == 0)
        rc = descriptor < 0 ? descriptor : shmrpc_client_dispatch(client, 1);
    *ret = told;
    return rc < 0 ? rc : 0;
}

static int connect_and_free(uint64_t *ret)
{
    shmrpc_client *own = NULL;
    int rc = connect_sleeping(&own);

    if (rc == 0)
        rc = probe_echo(own, VALUE, ret, shmrpc_in_s(20));
    shmrpc_client_free(own);
    return rc;
}

static int look_and_call(uint64_t *ret)
{
    return shmrpc_client_state(client) == SHMRPC_CLIENT_UP ? call_and_wait(ret) : SHMRPC_E_INTERNAL;
}

static int hold(uint64_t *ret)
{
    return probe_hold(client, VALUE, ret, shmrpc_in_s(20));
}

/* ---- what happens meanwhile ---- */

static void see_server_die(void)
{
    await_true(atomic_load(&state->holding) == VALUE);
    kill_server();
    atomic_store(&state->holding, 0);
    start_server();
}

static const struct {
    int (*act)(uint64_t *ret);
    bool has_lane;       /* before it is cancelled */
    bool finds_it_ended; /* the server has been killed, and is started meanwhile */
    void (*meanwhile)(void);
    int status;
} rows[] = {
    {.act = call_and_wait},
    {.act = call_and_wait, .has_lane = true},
    {.act = call_and_wait, .has_lane = true, .finds_it_ended = true, .meanwhile = start_server},
    {.act = start_and_wait, .has_lane = true},
    {.act = start_and_dispatch, .has_lane = true},
    {.act = connect_and_free},
    {.act = look_and_call},
    {.act = look_and_call, .has_lane = true},
    {.act = hold, .has_lane = true, .meanwhile = see_server_die, .status = SHMRPC_E_UNKNOWN},
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

typedef struct actor {
    pthread_t thread;
    pthread_barrier_t meeting;
    int row;
    int prepared, status;
    uint64_t reply;
    bool has_returned;
} actor;

static void *act(void *data)
{
    actor *self = data;

    self->prepared = rows[self->row].has_lane ? probe_ping(client, shmrpc_in_s(20)) : 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    (void)pthread_barrier_wait(&self->meeting);
    /* It is cancelled here. */
    (void)pthread_barrier_wait(&self->meeting);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    self->status = rows[self->row].act(&self->reply);
    self->has_returned = true;
    for (;;)
        pthread_testcancel();
    return NULL;
}

static void *call_once(void *data)
{
    return probe_answers_rightly(client, 7, 20) ? data : NULL;
}

START_TEST(a_function_of_the_library_does_not_end_the_thread)
{
    actor self = {.row = _i, .status = 1};
    pthread_t other;
    void *result;

    assert_status(probe_ping(client, shmrpc_default()), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&self.thread, NULL, act, &self), 0);
    (void)pthread_barrier_wait(&self.meeting);
    assert_status(self.prepared, 0);
    if (rows[_i].finds_it_ended)
        kill_server();
    ck_assert_int_eq(pthread_cancel(self.thread), 0);
    (void)pthread_barrier_wait(&self.meeting);
    if (rows[_i].meanwhile != NULL)
        rows[_i].meanwhile();
    ck_assert_int_eq(pthread_join(self.thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert(self.has_returned);
    assert_status(self.status, rows[_i].status);
    if (rows[_i].status == 0)
        ck_assert_uint_eq(self.reply, VALUE);
    /* The lock is free, and whoever has the lane now is heard. */
    ck_assert_int_eq(pthread_create(&other, NULL, call_once, &self), 0);
    ck_assert_int_eq(pthread_join(other, &result), 0);
    ck_assert_ptr_eq(result, &self);
    ck_assert(probe_answers_rightly(client, 9, 20));
    ck_assert_int_eq(pthread_barrier_destroy(&self.meeting), 0);
}
END_TEST

static Suite *cancelled_threads_suite(void)
{
    Suite *suite = suite_create("ipc_cancelled_threads");
    TCase *tests = tcase_create("cancelled_threads");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_function_of_the_library_does_not_end_the_thread, 0, ROWS);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(cancelled_threads_suite)

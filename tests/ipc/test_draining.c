/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_draining.c - what a server that stops still waits for: handlers that run, answers that were put off; and for how
 * long.
 *
 * Each case with a server that runs with one worker, with three, and that is dispatched.
 */
#include "probe_server.h"

#include <shmrpc/shmrpc.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#define NAME "draining"
#define MS UINT64_C(1000000)

enum {
    METHOD_ADD,   /* () -> value: how often this session has called it */
    METHOD_LATER, /* () -> value: puts its answer off */
    METHOD_GATE,  /* () -> (): waits for the gate */
    METHOD_NOTE,  /* () oneway: likewise */
    METHODS,
};

SHMRPC_SESSION_STATE(sum_of, uint64_t);

static shmrpc_server server;
static pthread_t server_thread;
static sem_t gate;
static shmrpc_later laters[8];
static _Atomic unsigned put_off;
static _Atomic unsigned at_gate;
static _Atomic unsigned disconnected;
static _Atomic unsigned over; /* 1 when the server has ended */
static _Atomic bool wrong;
static bool is_dispatched;
static bool has_left;       /* the client did, before the server stopped */
static uint64_t stopped_ns; /* when stop() was called; and when the server had ended */
static uint64_t ended_ns;

static int add(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)self;
    (void)request;
    ((probe_value *)reply)->value = ++*sum_of(context->session);
    return 0;
}

static int answer_later(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)self;
    (void)request;
    (void)reply;
    laters[atomic_load(&put_off) % 8] = shmrpc_context_defer(context);
    tally_up(&put_off);
    return SHMRPC_DEFERRED;
}

static int wait_at_gate(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)self;
    (void)context;
    (void)request;
    (void)reply;
    tally_up(&at_gate);
    while (sem_wait(&gate) != 0) {
    }
    return 0;
}

static void on_disconnected(shmrpc_server *self, shmrpc_session *session, int why)
{
    (void)self;
    (void)session;
    if (why != SHMRPC_WHY_STOPPED && !has_left) {
        atomic_store(&wrong, true);
    }
    tally_up(&disconnected);
}

static const shmrpc_method_info methods[METHODS] = {
    {.name = "add", .fingerprint = 1, .reply = &probe_value_type, .invoke = add},
    {.name = "later", .fingerprint = 2, .reply = &probe_value_type, .invoke = answer_later},
    {.name = "gate", .fingerprint = 3, .invoke = wait_at_gate},
    {.name = "note", .fingerprint = 4, .flags = SHMRPC_METHOD_ONEWAY, .invoke = wait_at_gate},
};

static const shmrpc_service_info service = {
    .abi = &shmrpc_generated_abi_3, .name = "test.Draining", .version = 1, .method_count = METHODS, .methods = methods};

/* ---- the server ---- */

static int dispatch_to_the_end(void)
{
    struct pollfd watched = {.fd = shmrpc_server_fd(&server), .events = POLLIN};
    int rc = 1;

    while (rc >= 0) {
        rc = shmrpc_server_dispatch(&server, 8);
        if (rc == 0) {
            (void)poll(&watched, 1, -1);
        }
    }
    return rc == SHMRPC_E_UNAVAILABLE ? 0 : rc;
}

static void *serve(void *unused)
{
    (void)unused;
    if ((is_dispatched ? dispatch_to_the_end() : shmrpc_server_run(&server)) != 0) {
        atomic_store(&wrong, true);
    }
    ended_ns = test_now_ns();
    tally_up(&over);
    return NULL;
}

static void start(int how, int64_t stop_timeout_ns)
{
    static const int operations;
    const shmrpc_server_binding binding = {.service = &service,
                                           .operations = &operations,
                                           .disconnected = on_disconnected};
    const shmrpc_server_options options = {.workers = how == 1 ? 3 : 1,
                                           .stop_timeout_ns = stop_timeout_ns,
                                           .session_state_size = sizeof(uint64_t)};

    is_dispatched = how == 2;
    ck_assert_msg(shmrpc_server_init(&server, &binding, NAME, &options) == 0, "%s", shmrpc_last_error());
    ck_assert_int_eq(pthread_create(&server_thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
    stopped_ns = test_now_ns();
    shmrpc_server_stop(&server);
}

static void join(void)
{
    ck_assert_int_eq(pthread_join(server_thread, NULL), 0);
    ck_assert_uint_eq(shmrpc_server_counters(&server).sessions_open, 0);
    shmrpc_server_deinit(&server);
}

static shmrpc_client *connect_default(void)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    shmrpc_client *client = NULL;

    ck_assert_int_eq(shmrpc_client_connect(&client, NAME, &service, &options), 0);
    return client;
}

static void begin_call(shmrpc_client *client, shmrpc_call *call, uint32_t method)
{
    ck_assert_int_eq(shmrpc_call_start(client, call, method, NULL, shmrpc_in_s(30), NULL), 0);
}

static bool ends_within_ms(unsigned span_ms)
{
    return tally_reaches(&over, 1, test_now_ns() + span_ms * MS);
}

static uint64_t cpu_time_ns(void)
{
    struct timespec used;

    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (uint64_t)used.tv_sec * 1000 * MS + (uint64_t)used.tv_nsec;
}

static void begin(void)
{
    probe_case_begin();
    ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
}

static void end(void)
{
    ck_assert(!atomic_load(&wrong));
    probe_case_end();
}

/* ---- answers that were put off ---- */

START_TEST(waits_for_answers_that_were_put_off_and_sleeps_meanwhile)
{
    shmrpc_call calls[3] = {0};
    probe_value reply = {0};

    start(_i, 30000 * (int64_t)MS);
    shmrpc_client *client = connect_default();
    shmrpc_client *idle = connect_default();
    for (int i = 0; i < 3; i++) {
        begin_call(client, &calls[i], METHOD_LATER);
    }
    tally_await(&put_off, 3);
    stop();
    /* Who awaits nothing is let go at once. */
    tally_await(&disconnected, 1);
    uint64_t used_ns = cpu_time_ns();
    ck_assert(!ends_within_ms(300));
    ck_assert_uint_lt(cpu_time_ns() - used_ns, 100 * MS);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(atomic_load(&over), 0);
        ck_assert_int_eq(shmrpc_later_reply(laters[i], &(probe_value){70 + i}), 0);
    }
    join();
    ck_assert_uint_lt(ended_ns - stopped_ns, 20000 * MS);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(shmrpc_call_wait(&calls[i], &reply), 0);
        ck_assert_uint_eq(reply.value, 70 + i);
    }
    shmrpc_client_free(idle);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(gives_them_up_when_its_time_has_passed)
{
    shmrpc_call call = {0};
    probe_value reply = {0};

    start(_i, 150 * (int64_t)MS);
    shmrpc_client *client = connect_default();
    begin_call(client, &call, METHOD_LATER);
    tally_await(&put_off, 1);
    stop();
    join();
    ck_assert_uint_ge(ended_ns - stopped_ns, 150 * MS);
    ck_assert_uint_lt(ended_ns - stopped_ns, 15000 * MS);
    ck_assert_int_eq(shmrpc_call_wait(&call, &reply), SHMRPC_E_UNKNOWN);
    ck_assert(shmrpc_later_is_cancelled(laters[0]));
    ck_assert_int_eq(shmrpc_later_reply(laters[0], &(probe_value){1}), SHMRPC_E_CANCELLED);
    ck_assert_int_eq(shmrpc_later_reply(laters[0], &(probe_value){1}), SHMRPC_E_MISUSE);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(does_not_wait_for_answers_to_a_client_that_has_left)
{
    shmrpc_call call = {0};

    start(_i, 60000 * (int64_t)MS);
    shmrpc_client *client = connect_default();
    begin_call(client, &call, METHOD_LATER);
    tally_await(&put_off, 1);
    stop();
    ck_assert(!ends_within_ms(50));
    shmrpc_client_free(client);
    join();
    ck_assert_uint_lt(ended_ns - stopped_ns, 20000 * MS);
    ck_assert_int_eq(shmrpc_later_reply(laters[0], &(probe_value){1}), SHMRPC_E_CANCELLED);
}
END_TEST

/* ---- handlers ---- */

START_TEST(begins_nothing_more_when_its_time_has_passed)
{
    shmrpc_call calls[2] = {0};
    probe_value reply = {0};

    start(_i, 50 * (int64_t)MS);
    shmrpc_client *client = connect_default();
    shmrpc_client_batch_begin(client);
    begin_call(client, &calls[0], METHOD_GATE);
    begin_call(client, &calls[1], METHOD_ADD);
    ck_assert_int_eq(shmrpc_client_batch_end(client), 0);
    tally_await(&at_gate, 1);
    stop();
    ck_assert(!ends_within_ms(100));
    ck_assert_int_eq(sem_post(&gate), 0);
    join();
    /* A handler is never cut off. */
    ck_assert_int_eq(shmrpc_call_wait(&calls[0], NULL), 0);
    ck_assert_int_eq(shmrpc_call_wait(&calls[1], &reply), SHMRPC_E_NOT_EXECUTED);
    shmrpc_client_free(client);
}
END_TEST

/* What a client left behind has the same time as everything else. */
START_TEST(begins_nothing_more_of_a_client_that_has_left_before)
{
    enum { MESSAGES = 40, BEGUN = 34 /* more than one visit takes: it has been heard of */ };

    start(_i, 50 * (int64_t)MS);
    shmrpc_client *client = connect_default();
    has_left = true;
    for (int i = 0; i < MESSAGES; i++) {
        ck_assert_int_eq(shmrpc_client_send(client, METHOD_NOTE, NULL, shmrpc_in_s(10)), 0);
    }
    shmrpc_client_free(client);
    for (int i = 1; i < BEGUN; i++) {
        ck_assert_int_eq(sem_post(&gate), 0);
    }
    tally_await(&at_gate, BEGUN);
    stop();
    ck_assert(!ends_within_ms(100));
    for (int i = BEGUN; i <= MESSAGES; i++) {
        ck_assert_int_eq(sem_post(&gate), 0);
    }
    join();
    ck_assert_uint_eq(atomic_load(&at_gate), BEGUN);
    ck_assert_uint_eq(atomic_load(&disconnected), 1);
}
END_TEST

START_TEST(takes_nobody_and_nothing_new_while_it_waits)
{
    shmrpc_client *late = NULL;
    shmrpc_call call = {0};
    shmrpc_call fresh = {0};
    probe_value reply = {0};

    start(_i, 60000 * (int64_t)MS);
    shmrpc_client *idle = connect_default();
    shmrpc_client *client = connect_default();
    begin_call(client, &call, METHOD_LATER);
    tally_await(&put_off, 1);
    stop();
    tally_await(&disconnected, 1);
    ck_assert_int_lt(shmrpc_client_connect(&late, NAME, &service,
                                           &(shmrpc_client_options){.connect_timeout_ns = 100 * (int64_t)MS}),
                     0);
    begin_call(client, &fresh, METHOD_ADD);
    ck_assert_uint_eq(atomic_load(&over), 0);
    ck_assert_int_eq(shmrpc_later_fail(laters[0], SHMRPC_E_UNAVAILABLE), 0);
    join();
    ck_assert_int_eq(shmrpc_call_wait(&call, &reply), SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(shmrpc_call_wait(&fresh, &reply), SHMRPC_E_NOT_EXECUTED);
    shmrpc_client_free(idle);
    shmrpc_client_free(client);
}
END_TEST

static Suite *draining_suite(void)
{
    Suite *suite = suite_create("ipc_draining");
    TCase *tests = tcase_create("draining");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, waits_for_answers_that_were_put_off_and_sleeps_meanwhile, 0, 3);
    tcase_add_loop_test(tests, gives_them_up_when_its_time_has_passed, 0, 3);
    tcase_add_loop_test(tests, does_not_wait_for_answers_to_a_client_that_has_left, 0, 3);
    tcase_add_loop_test(tests, begins_nothing_more_when_its_time_has_passed, 0, 3);
    tcase_add_loop_test(tests, begins_nothing_more_of_a_client_that_has_left_before, 0, 3);
    tcase_add_loop_test(tests, takes_nobody_and_nothing_new_while_it_waits, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(draining_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stopped.c - SIGSTOP of either side: alive, and doing nothing.
 *
 * Whoever waits for a stopped server is told at its deadline; what such a server does once it goes on concerns nobody who
 * has been told. A stopped client costs neither the server nor the others anything, and finds its answers when it goes
 * on.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bench/activity.h"
#include "probe_server.h"

#define DEPTH 8
#define DEADLINE_MS 20

static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_FOREVER};
#define SPINS ((int)(sizeof(spins) / sizeof(spins[0])))

static probe_process server;
static shmrpc_client *client;

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    client = NULL;
    probe_process_stop(&server);
    probe_case_end();
}

static void connect_spinning(int64_t spin_ns)
{
    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spin_ns, .depth = DEPTH}), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
}

/* ---- the server ---- */

/* What the caller of a stopped server does; each ends at its deadline, and not before. */
static void call_once(void)
{
    uint64_t reply = 5;

    assert_status(probe_echo(client, 1, &reply, shmrpc_in_ms(DEADLINE_MS)), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(reply, 5);
}

static void call_until_the_ring_is_full(void)
{
    uint64_t reply = 5;

    for (int i = 0; i < DEPTH; i++)
        assert_status(probe_echo(client, 1, &reply, shmrpc_in_ms(DEADLINE_MS)), SHMRPC_E_TIMEOUT);
    assert_status(probe_echo(client, 1, &reply, shmrpc_in_ms(DEADLINE_MS)), SHMRPC_E_NOT_SENT);
    ck_assert_uint_eq(reply, 5);
}

static void have_calls_in_flight(void)
{
    shmrpc_call calls[DEPTH] = {0};
    uint64_t reply = 5;

    for (uint64_t i = 0; i < DEPTH; i++)
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_ECHO, &(probe_value){i}, shmrpc_in_ms(DEADLINE_MS),
                                        NULL),
                      0);
    for (uint64_t i = DEPTH; i-- > 0;)
        assert_status(shmrpc_call_wait(&calls[i], &reply), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(reply, 5);
}

static void have_a_batch_in_flight(void)
{
    shmrpc_call calls[3] = {0};
    uint64_t reply = 5;

    shmrpc_client_batch_begin(client);
    for (uint64_t i = 0; i < 3; i++)
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_ECHO, &(probe_value){i}, shmrpc_in_ms(DEADLINE_MS),
                                        NULL),
                      0);
    assert_status(shmrpc_client_batch_end(client), 0);
    for (uint64_t i = 0; i < 3; i++)
        assert_status(shmrpc_call_wait(&calls[i], &reply), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(reply, 5);
}

static void (*const waits[])(void) = {
    call_once,
    call_until_the_ring_is_full,
    have_calls_in_flight,
    have_a_batch_in_flight,
};
#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

START_TEST(a_call_to_a_stopped_server_ends_at_its_deadline_and_is_never_begun)
{
    connect_spinning(spins[_i % SPINS]);
    uint64_t begun = atomic_load(&server.state->begun);

    for (int round = 0; round < 3; round++) {
        child_stop(&server.child);
        uint64_t begin_ns = test_now_ns();
        waits[_i / SPINS]();
        uint64_t took_ns = test_now_ns() - begin_ns;
        ck_assert_uint_ge(took_ns, DEADLINE_MS * 1000000);
        ck_assert_uint_lt(took_ns, TEST_SOON_NS);
        ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
        child_continue(&server.child);
        /* The answers are those of these calls, and all of the ring's places are there. */
        ck_assert(probe_answers_rightly(client, 1000, 3 * DEPTH));
    }
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun + 3 * UINT64_C(2) * 3 * DEPTH);
    ck_assert_uint_eq(atomic_load(&server.state->ended), atomic_load(&server.state->begun));
}
END_TEST

START_TEST(an_answer_that_comes_after_the_deadline_meets_no_other_call)
{
    connect_spinning(spins[_i]);
    for (uint64_t round = 1; round <= 5; round++) {
        shmrpc_call call = {0};
        uint64_t reply = 7;

        assert_status(shmrpc_call_start(client, &call, PROBE_HOLD, &(probe_value){round}, shmrpc_in_ms(DEADLINE_MS),
                                        NULL),
                      0);
        await_true(atomic_load(&server.state->holding) == round ||
                   atomic_load(&server.state->begun) < atomic_load(&server.state->ended));
        child_stop(&server.child);
        assert_status(shmrpc_call_wait(&call, &reply), SHMRPC_E_TIMEOUT);
        ck_assert_uint_eq(reply, 7);
        probe_gate_pass(&server, 1);
        child_continue(&server.child);
        ck_assert(probe_answers_rightly(client, round * 100, 2 * DEPTH));
        ck_assert_uint_eq(reply, 7);
    }
}
END_TEST

START_TEST(what_was_sent_without_waiting_arrives_when_the_server_goes_on)
{
    uint64_t sent = 0;

    connect_spinning(spins[_i]);
    for (int round = 0; round < 5; round++) {
        int rc;
        child_stop(&server.child);
        while ((rc = probe_note(client, 1, shmrpc_in_ms(5))) == 0)
            sent++;
        assert_status(rc, SHMRPC_E_NOT_SENT);
        ck_assert_uint_eq(sent, (uint64_t)(round + 1) * DEPTH);
        child_continue(&server.child);
        await_true(atomic_load(&server.state->notes) == sent);
        ck_assert(probe_answers_rightly(client, 1, 3));
    }
    ck_assert_uint_eq(atomic_load(&server.state->notes), sent);
}
END_TEST

/* More than it has room for in its backlog: nobody waits for longer than asked. */
START_TEST(nobody_is_held_up_in_connecting_to_a_stopped_server)
{
    enum { TRIES = 150 };
    shmrpc_client *late = NULL;

    connect_spinning(SHMRPC_SPIN_DEFAULT);
    size_t descriptors = counts_fds_of(server.child.pid);
    child_stop(&server.child);
    for (int i = 0; i < TRIES; i++) {
        uint64_t begin_ns = test_now_ns();
        assert_status(probe_connect(&late, "probe", &(shmrpc_client_options){.connect_timeout_ns = 1000000}),
                      SHMRPC_E_UNAVAILABLE);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
        ck_assert_ptr_null(late);
    }
    child_continue(&server.child);
    assert_status(probe_connect(&late, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(late, 1, 5));
    ck_assert(probe_answers_rightly(client, 1, 5));
    shmrpc_client_free(late);
    await_true(counts_fds_of(server.child.pid) == descriptors);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 2);
}
END_TEST

/* ---- the client ---- */

typedef struct stopped_client {
    int64_t spin_ns;
    uint32_t method;
} stopped_client;

/* Has as many calls in flight as it may, and looks at the answers when it is told to. */
static int have_many_in_flight(child_link *link, void *data)
{
    const stopped_client *what = data;
    shmrpc_client *own = NULL;
    shmrpc_call calls[DEPTH] = {0};

    link_await(link, 'g');
    child_check(probe_connect(&own, "probe", &(shmrpc_client_options){.spin_ns = what->spin_ns, .depth = DEPTH}) == 0,
                "connect");
    for (uint64_t i = 0; i < DEPTH; i++)
        child_check(shmrpc_call_start(own, &calls[i], what->method, &(probe_value){i + 1}, shmrpc_forever(), NULL) == 0,
                    "start");
    link_signal(link, 's');
    link_await(link, 'w');
    for (uint64_t i = 0; i < DEPTH; i++) {
        uint64_t reply = 0;
        child_check(shmrpc_call_wait(&calls[i], &reply) == 0 && reply == i + 1, "a wrong answer");
    }
    child_check(probe_answers_rightly(own, 1, 2 * DEPTH), "wrong answers");
    shmrpc_client_free(own);
    return 0;
}

/* Sleeps or spins in a call while it is stopped. */
static int wait_in_a_call(child_link *link, void *data)
{
    const stopped_client *what = data;
    shmrpc_client *own = NULL;
    uint64_t reply = 0;

    link_await(link, 'g');
    child_check(probe_connect(&own, "probe", &(shmrpc_client_options){.spin_ns = what->spin_ns}) == 0, "connect");
    link_signal(link, 's');
    int rc = probe_hold(own, 9, &reply, shmrpc_forever());
    child_check(rc == 0 && reply == 9, "the call that it was stopped in");
    child_check(probe_answers_rightly(own, 1, 20), "wrong answers");
    shmrpc_client_free(own);
    return 0;
}

/* The server does nothing at all while everybody else is idle. */
static void expect_idle_server(void)
{
    const char *prefix = test_is_built_with("tsan") ? "shmrpc" : NULL;
    activity before, after = {0};

    ck_assert_int_eq(activity_add_named(&after, server.child.pid, prefix), 0);
    do {
        await_pause();
        before = after;
        after = (activity){0};
        ck_assert_int_eq(activity_add_named(&after, server.child.pid, prefix), 0);
    } while (!after.asleep || !activity_is_same(&before, &after));
    for (int i = 0; i < 500; i++)
        await_pause();
    before = after;
    after = (activity){0};
    ck_assert_int_eq(activity_add_named(&after, server.child.pid, prefix), 0);
    ck_assert_uint_eq(after.voluntary, before.voluntary);
    ck_assert_uint_eq(after.cpu_ns, before.cpu_ns);
}

START_TEST(a_client_that_is_stopped_with_calls_in_flight_finds_its_answers)
{
    stopped_client what = {spins[_i % 2], _i < 2 ? PROBE_ECHO : PROBE_HOLD};
    child other;

    if (probe_skips_semaphores("the server has a thread for each client, which looks ten times a second"))
        return;
    child_spawn(&other, have_many_in_flight, &what);
    connect_spinning(SHMRPC_SPIN_DEFAULT);
    link_signal(&other.link, 'g');
    link_await(&other.link, 's');
    child_stop(&other);
    probe_gate_pass(&server, DEPTH);
    await_true(atomic_load(&server.state->ended) >= DEPTH && atomic_load(&server.state->holding) == 0);
    ck_assert(probe_answers_rightly(client, 1, 100));
    expect_idle_server();
    ck_assert(probe_answers_rightly(client, 500, 100));
    ck_assert_uint_eq(atomic_load(&server.state->disconnected), 0);
    child_continue(&other);
    link_signal(&other.link, 'w');
    child_expect_exit(&other, 0);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]) == 1);
}
END_TEST

START_TEST(a_client_that_is_stopped_in_a_call_ends_it_when_it_goes_on)
{
    stopped_client what = {spins[_i], PROBE_HOLD};
    child other;

    child_spawn(&other, wait_in_a_call, &what);
    connect_spinning(SHMRPC_SPIN_DEFAULT);
    link_signal(&other.link, 'g');
    link_await(&other.link, 's');
    await_true(atomic_load(&server.state->holding) == 9);
    child_stop(&other);
    probe_gate_pass(&server, 1);
    await_true(atomic_load(&server.state->holding) == 0);
    ck_assert(probe_answers_rightly(client, 1, 100));
    child_continue(&other);
    child_expect_exit(&other, 0);
}
END_TEST

static Suite *stopped_suite(void)
{
    Suite *suite = suite_create("crash_stopped");
    TCase *tests = tcase_create("stopped");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, a_call_to_a_stopped_server_ends_at_its_deadline_and_is_never_begun, 0, WAITS * SPINS);
    tcase_add_loop_test(tests, an_answer_that_comes_after_the_deadline_meets_no_other_call, 0, SPINS);
    tcase_add_loop_test(tests, what_was_sent_without_waiting_arrives_when_the_server_goes_on, 0, SPINS);
    tcase_add_test(tests, nobody_is_held_up_in_connecting_to_a_stopped_server);
    tcase_add_loop_test(tests, a_client_that_is_stopped_with_calls_in_flight_finds_its_answers, 0, 4);
    tcase_add_loop_test(tests, a_client_that_is_stopped_in_a_call_ends_it_when_it_goes_on, 0, SPINS);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(stopped_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_handlers.c - what a handler knows of its call while it runs: that nobody waits any longer, and how much time
 * the calls have that it makes itself.
 */
#include "probe_server.h"

#define TIMEOUT_MS 20000
#define TIMEOUT_NS (INT64_C(1000000) * TIMEOUT_MS)
#define LINGER_MS 30000

static probe_process server, beyond;

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
}

static void teardown(void)
{
    probe_process_stop(&server);
    probe_case_end();
}

static shmrpc_client *connect(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

static int linger(shmrpc_client *client, shmrpc_deadline deadline)
{
    return shmrpc_client_call(client, PROBE_LINGER, &(probe_value){LINGER_MS}, NULL, deadline);
}

/* ---- cancelled ---- */

START_TEST(a_running_handler_sees_that_its_caller_gave_up)
{
    shmrpc_client *client = connect();

    assert_status(linger(client, shmrpc_in_ms(500)), SHMRPC_E_TIMEOUT);
    await_true(atomic_load(&server.state->ended) == atomic_load(&server.state->begun));
    /* On a busy machine it may have been withdrawn before it was begun. */
    ck_assert_uint_eq(atomic_load(&server.state->lingered), atomic_load(&server.state->begun));
    ck_assert(probe_answers_rightly(client, 1, 5));
    shmrpc_client_free(client);
}
END_TEST

static int linger_main(child_link *link, void *data)
{
    shmrpc_client *client = connect();

    (void)link;
    (void)data;
    return linger(client, shmrpc_forever()); /* it is killed here */
}

START_TEST(a_running_handler_sees_that_its_client_died)
{
    child caller;

    child_spawn(&caller, linger_main, NULL);
    await_true(atomic_load(&server.state->begun) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->ended), 0);
    child_kill(&caller);
    await_true(atomic_load(&server.state->ended) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->lingered), 1);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_DIED]) == 1);
}
END_TEST

/* ---- inherited ---- */

static int relay(shmrpc_client *client, shmrpc_deadline deadline, uint64_t *ret_budget_ns)
{
    return shmrpc_client_call(client, PROBE_RELAY, &(probe_value){1}, ret_budget_ns, deadline);
}

START_TEST(calls_of_a_handler_have_what_is_left_of_its_callers_time)
{
    shmrpc_client *client = connect();
    uint64_t budget_ns = 0;

    probe_process_start(&beyond, &(probe_setup){.name = "beyond"});
    /* From the first one it is learnt that such handlers make calls. */
    probe_gate_pass(&server, 1);
    assert_status(relay(client, shmrpc_in_ms(TIMEOUT_MS), &budget_ns), 0);
    ck_assert_uint_le(budget_ns, TIMEOUT_NS);
    ck_assert_uint_gt(budget_ns, TIMEOUT_NS / 2);
    for (int i = 0; i < 5; i++) {
        uint64_t begin_ns = test_now_ns();

        probe_gate_pass(&server, 1);
        assert_status(relay(client, shmrpc_in_ms(TIMEOUT_MS), &budget_ns), 0);
        int64_t took_ns = (int64_t)(test_now_ns() - begin_ns);
        int64_t held_ns = atomic_load(&server.state->relay_held_ns);
        ck_assert_int_le((int64_t)budget_ns, TIMEOUT_NS - held_ns);
        ck_assert_int_ge((int64_t)budget_ns, TIMEOUT_NS - took_ns - 1000); /* budgets are told in microseconds */
    }
    shmrpc_client_free(client);
    probe_process_stop(&beyond);
}
END_TEST

START_TEST(calls_of_a_handler_without_a_deadline_have_none)
{
    shmrpc_client *client = connect();
    uint64_t budget_ns = 0;

    probe_process_start(&beyond, &(probe_setup){.name = "beyond"});
    for (int i = 0; i < 3; i++) {
        probe_gate_pass(&server, 1);
        assert_status(relay(client, shmrpc_forever(), &budget_ns), 0);
        ck_assert_uint_eq(budget_ns, INT64_MAX);
    }
    shmrpc_client_free(client);
    probe_process_stop(&beyond);
}
END_TEST

START_TEST(a_chain_ends_with_its_first_caller)
{
    shmrpc_client *client = connect();
    uint64_t budget_ns = 0;

    probe_process_start(&beyond, &(probe_setup){.name = "beyond"});
    probe_gate_pass(&server, 1);
    assert_status(relay(client, shmrpc_in_ms(TIMEOUT_MS), &budget_ns), 0);
    child_stop(&beyond.child);
    probe_gate_pass(&server, 1);
    /* The handler waits without end for a server that stands still, and both give up at the same time. */
    int rc = relay(client, shmrpc_in_ms(200), &budget_ns);
    ck_assert_msg(rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_UNAVAILABLE, "%s", shmrpc_status_text(rc));
    probe_gate_drain(&server);
    assert_status(probe_ping(client, shmrpc_in_ms(TIMEOUT_MS)), 0);
    child_continue(&beyond.child);
    shmrpc_client_free(client);
    probe_process_stop(&beyond);
}
END_TEST

static Suite *handlers_suite(void)
{
    Suite *suite = suite_create("ipc_handlers");
    TCase *tests = tcase_create("handlers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_running_handler_sees_that_its_caller_gave_up);
    tcase_add_test(tests, a_running_handler_sees_that_its_client_died);
    tcase_add_test(tests, calls_of_a_handler_have_what_is_left_of_its_callers_time);
    tcase_add_test(tests, calls_of_a_handler_without_a_deadline_have_none);
    tcase_add_test(tests, a_chain_ends_with_its_first_caller);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(handlers_suite)

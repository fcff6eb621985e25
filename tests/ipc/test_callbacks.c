/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_callbacks.c - calls in flight whose ends are told by callback, and batches of calls.
 */
#include <string.h>

#include "probe_pair.h"

#define DEPTH 8

static void setup(void)
{
    probe_pair_begin(&(shmrpc_client_options){.depth = DEPTH});
    ck_assert(probe_answers_rightly(client, 1, 3));
}

/* ---- callbacks ---- */

typedef struct told {
    shmrpc_call base;
    unsigned count;
    unsigned order; /* among all that were told, from 1 */
    unsigned restarts;
    int rc;
    uint64_t value;
    bool has_reply;
} told;

static unsigned told_total;

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    told *self = (told *)(void *)call;

    self->count++;
    self->order = ++told_total;
    self->rc = rc;
    self->has_reply = reply != NULL;
    self->value = reply == NULL ? 0 : ((const probe_value *)reply)->value;
    if (self->restarts > 0) {
        self->restarts--;
        assert_status(probe_start(client, call, PROBE_ECHO, self->value + 1, shmrpc_default(), on_done), 0);
    }
}

/* Until `count` more callbacks have run. */
static void dispatch_until(unsigned count)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    unsigned wanted = told_total + count;

    while (told_total < wanted) {
        int rc = shmrpc_client_dispatch(client, 3);

        ck_assert_msg(rc == 0 || rc == 1, "%d", rc);
        ck_assert_int_gt(test_remaining_ms(until_ns), 0);
    }
    ck_assert_uint_eq(told_total, wanted);
}

START_TEST(a_callback_runs_once_and_only_in_dispatch)
{
    told calls[DEPTH] = {0};
    uint64_t reply;

    for (unsigned i = 0; i < DEPTH; i++)
        assert_status(probe_start(client, &calls[i].base, PROBE_ECHO, 10 + i, shmrpc_default(), on_done), 0);
    assert_status(shmrpc_call_wait(&calls[0].base, &reply), SHMRPC_E_MISUSE);
    await_true(atomic_load(&server.state->ended) == 6 + DEPTH);
    ck_assert_uint_eq(told_total, 0);
    dispatch_until(DEPTH);
    assert_status(shmrpc_client_dispatch(client, 100), 0);
    for (unsigned i = 0; i < DEPTH; i++) {
        ck_assert_uint_eq(calls[i].count, 1);
        ck_assert_uint_eq(calls[i].order, i + 1);
        assert_status(calls[i].rc, 0);
        ck_assert_uint_eq(calls[i].value, 10 + i);
        assert_status(shmrpc_call_wait(&calls[i].base, &reply), SHMRPC_E_MISUSE);
    }
}
END_TEST

START_TEST(dispatch_runs_at_most_so_many_and_says_that_there_are_more)
{
    told calls[5] = {0};

    for (unsigned i = 0; i < 5; i++)
        assert_status(probe_start(client, &calls[i].base, PROBE_ECHO, i, shmrpc_default(), on_done), 0);
    await_true(atomic_load(&server.state->ended) == 6 + 5);
    ck_assert(probe_answers_rightly(client, 1, 1)); /* so the five answers are there */
    assert_status(shmrpc_client_dispatch(client, 0), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_dispatch(client, 2), 1);
    ck_assert_uint_eq(told_total, 2);
    assert_status(shmrpc_client_dispatch(client, 3), 1);
    ck_assert_uint_eq(told_total, 5);
    assert_status(shmrpc_client_dispatch(client, 3), 0);
}
END_TEST

START_TEST(a_callback_may_start_the_next_call_with_its_object)
{
    told calls[3] = {{.restarts = 40}, {.restarts = 1}, {.restarts = 20}};

    for (unsigned i = 0; i < 3; i++)
        assert_status(probe_start(client, &calls[i].base, PROBE_ECHO, 1000 * i, shmrpc_default(), on_done), 0);
    dispatch_until(3 + 61);
    ck_assert_uint_eq(calls[0].value, 40);
    ck_assert_uint_eq(calls[1].value, 1001);
    ck_assert_uint_eq(calls[2].value, 2020);
}
END_TEST

static void on_done_with_error(shmrpc_call *call, int rc, const void *reply)
{
    const probe_range *range = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE);

    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(range->highest, 1000);
    assert_status(shmrpc_client_dispatch(client, 1), SHMRPC_E_MISUSE);
    on_done(call, rc, reply);
}

START_TEST(a_callback_can_read_the_payload_of_an_error)
{
    told call = {0};

    assert_status(probe_start(client, &call.base, PROBE_FAIL, PROBE_ERROR_RANGE, shmrpc_default(), on_done_with_error),
                  0);
    dispatch_until(1);
    assert_status(call.rc, PROBE_ERROR_RANGE);
    ck_assert(!call.has_reply);
}
END_TEST

START_TEST(deadlines_and_cancelling_are_told_by_callback)
{
    told held = {0}, late = {0}, cancelled = {0};
    shmrpc_call waited = {0};

    assert_status(probe_start(client, &held.base, PROBE_HOLD, 1, shmrpc_forever(), on_done), 0);
    assert_status(probe_start(client, &cancelled.base, PROBE_ECHO, 3, shmrpc_in_s(60), on_done), 0);
    assert_status(probe_start(client, &waited, PROBE_ECHO, 4, shmrpc_in_ns(1), NULL), 0);
    assert_status(probe_start(client, &late.base, PROBE_ECHO, 2, shmrpc_in_ms(20), on_done), 0);
    await_true(atomic_load(&server.state->holding) == 1);
    dispatch_until(1);
    ck_assert_uint_eq(late.count, 1);
    assert_status(late.rc, SHMRPC_E_TIMEOUT);
    shmrpc_call_cancel(&cancelled.base);
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    probe_gate_pass(&server, 1);
    dispatch_until(2);
    assert_status(cancelled.rc, SHMRPC_E_CANCELLED);
    assert_status(held.rc, 0);
    ck_assert_uint_eq(held.value, 1);
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    probe_expect_echo(&waited, 4);
    ck_assert_uint_eq(late.count, 1);
}
END_TEST

START_TEST(the_end_of_the_server_is_told_by_callback)
{
    told calls[3] = {0};
    shmrpc_call waited = {0};
    uint64_t reply;

    assert_status(probe_start(client, &calls[0].base, PROBE_ECHO, 1, shmrpc_forever(), on_done), 0);
    assert_status(probe_start(client, &calls[1].base, PROBE_HOLD, 2, shmrpc_forever(), on_done), 0);
    assert_status(probe_start(client, &calls[2].base, PROBE_ECHO, 3, shmrpc_forever(), on_done), 0);
    assert_status(probe_start(client, &waited, PROBE_ECHO, 4, shmrpc_forever(), NULL), 0);
    await_true(atomic_load(&server.state->holding) == 2);
    probe_process_kill(&server);
    dispatch_until(3);
    assert_status(calls[0].rc, 0);
    assert_status(calls[1].rc, SHMRPC_E_UNKNOWN);
    assert_status(calls[2].rc, SHMRPC_E_NOT_EXECUTED);
    assert_status(shmrpc_client_dispatch(client, 9), SHMRPC_E_UNAVAILABLE);
    assert_status(shmrpc_call_wait(&waited, &reply), SHMRPC_E_NOT_EXECUTED);
    assert_status(shmrpc_client_dispatch(client, 9), SHMRPC_E_UNAVAILABLE);
    probe_forget("probe");
    probe_process_start(&server, NULL);
}
END_TEST

/* ---- batches ---- */

START_TEST(a_batch_is_published_in_its_end)
{
    shmrpc_call call = {0};
    uint64_t begun = atomic_load(&server.state->begun);

    shmrpc_client_batch_begin(client);
    for (unsigned i = 1; i < 5; i++)
        assert_status(probe_note(client, i, shmrpc_default()), 0);
    assert_status(probe_start(client, &call, PROBE_ECHO, 7, shmrpc_default(), NULL), 0);
    for (unsigned i = 0; i < 20; i++)
        await_pause();
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun);
    assert_status(shmrpc_client_batch_end(client), 0);
    assert_status(shmrpc_client_batch_end(client), SHMRPC_E_MISUSE);
    probe_expect_echo(&call, 7);
    ck_assert_uint_eq(atomic_load(&server.state->notes_sum), 10);
    assert_status(probe_note(client, 5, shmrpc_default()), 0);
    ck_assert(probe_answers_rightly(client, 1, 1));
    ck_assert_uint_eq(atomic_load(&server.state->notes_sum), 15);
}
END_TEST

START_TEST(a_batch_may_be_longer_than_the_ring)
{
    static told calls[10 * DEPTH];
    probe_total total;

    memset(calls, 0, sizeof(calls));
    shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < 10 * DEPTH; i++)
        assert_status(probe_note(client, 1, shmrpc_default()), 0);
    for (unsigned i = 0; i < 10 * DEPTH; i++)
        assert_status(probe_start(client, &calls[i].base, PROBE_ECHO, i, shmrpc_default(), on_done), 0);
    assert_status(shmrpc_client_batch_end(client), 0);
    dispatch_until(10 * DEPTH - told_total);
    for (unsigned i = 0; i < 10 * DEPTH; i++) {
        assert_status(calls[i].rc, 0);
        ck_assert_uint_eq(calls[i].value, i);
        ck_assert_uint_eq(calls[i].order, i + 1);
    }
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, 10 * DEPTH);
}
END_TEST

START_TEST(a_call_that_waits_within_a_batch_takes_along_what_is_before_it)
{
    probe_total total;

    shmrpc_client_batch_begin(client);
    for (unsigned i = 1; i < 4; i++) {
        assert_status(probe_note(client, 10, shmrpc_default()), 0);
        assert_status(probe_get_total(client, &total), 0);
        ck_assert_uint_eq(total.count, i);
    }
    assert_status(probe_note(client, 10, shmrpc_default()), 0);
    assert_status(shmrpc_client_batch_end(client), 0);
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, 4);
}
END_TEST

START_TEST(messages_of_a_batch_are_sent_where_the_client_is_freed_in_it)
{
    shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < 5; i++)
        assert_status(probe_note(client, 1, shmrpc_default()), 0);
    shmrpc_client_free(client);
    client = NULL;
    await_true(atomic_load(&server.state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->notes), 5);
}
END_TEST

static Suite *callbacks_suite(void)
{
    Suite *suite = suite_create("ipc_callbacks");
    TCase *tests = tcase_create("callbacks");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, probe_pair_end);
    tcase_add_test(tests, a_callback_runs_once_and_only_in_dispatch);
    tcase_add_test(tests, dispatch_runs_at_most_so_many_and_says_that_there_are_more);
    tcase_add_test(tests, a_callback_may_start_the_next_call_with_its_object);
    tcase_add_test(tests, a_callback_can_read_the_payload_of_an_error);
    tcase_add_test(tests, deadlines_and_cancelling_are_told_by_callback);
    tcase_add_test(tests, the_end_of_the_server_is_told_by_callback);
    tcase_add_test(tests, a_batch_is_published_in_its_end);
    tcase_add_test(tests, a_batch_may_be_longer_than_the_ring);
    tcase_add_test(tests, a_call_that_waits_within_a_batch_takes_along_what_is_before_it);
    tcase_add_test(tests, messages_of_a_batch_are_sent_where_the_client_is_freed_in_it);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(callbacks_suite)

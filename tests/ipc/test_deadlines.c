/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_deadlines.c - calls that end before their answer comes, and the calls after them.
 *
 * A reply that is late must never be taken for the answer to a newer call. So each case makes calls with values of
 * their own after the timeouts, for more than a lap of the ring, and looks at every value.
 */
#include <string.h>

#include "probe_server.h"

#define DEPTH 64

static probe_process server;

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

static shmrpc_client *connect_with(const shmrpc_client_options *options)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", options), 0);
    return client;
}

static int call_blob(shmrpc_client *client, uint32_t method, uint64_t value, uint32_t length, probe_blob *reply,
                     shmrpc_deadline deadline)
{
    probe_blob request;

    probe_blob_fill(&request, value, length);
    return shmrpc_client_call(client, method, &request, reply, deadline);
}

/*
 * A call that times out while its handler is at the gate. On a busy machine the server may come to it only after it was
 * withdrawn; then it is made again.
 */
static void hold_and_give_up(shmrpc_client *client, uint64_t value)
{
    for (int tries = 0; tries < 50 && atomic_load(&server.state->holding) != value; tries++) {
        uint64_t reply;
        int rc = probe_hold(client, value, &reply, shmrpc_in_ms(50));
        ck_assert_msg(rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_NOT_SENT, "%s", shmrpc_status_text(rc));
        for (int i = 0; i < 1000 && atomic_load(&server.state->holding) != value; i++)
            await_pause();
    }
    ck_assert_uint_eq(atomic_load(&server.state->holding), value);
}

START_TEST(survives_a_thousand_timeouts_against_a_stopped_server)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = DEPTH});
    uint64_t reply = 0;

    ck_assert(probe_answers_rightly(client, 1, 10));
    uint64_t begun = atomic_load(&server.state->begun);
    child_stop(&server.child);

    unsigned int timeouts = 0, not_sent = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        reply = 12345;
        int rc = probe_echo(client, 1000000 + i, &reply, shmrpc_in_ms(1));
        ck_assert_uint_eq(reply, 12345);
        if (rc == SHMRPC_E_TIMEOUT)
            timeouts++;
        else if (rc == SHMRPC_E_NOT_SENT)
            not_sent++;
        else
            ck_abort_msg("call %u: %s", (unsigned)i, shmrpc_status_text(rc));
        /* Once the ring is full it stays full. */
        ck_assert_msg(not_sent == 0 || rc == SHMRPC_E_NOT_SENT, "call %u was sent after the ring was full",
                      (unsigned)i);
    }
    ck_assert_uint_eq(timeouts, DEPTH);
    ck_assert_uint_eq(not_sent, 1000 - DEPTH);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);

    child_continue(&server.child);
    ck_assert(probe_answers_rightly(client, 5000000, 3 * DEPTH));
    /* What was withdrawn never began. */
    ck_assert_uint_eq(atomic_load(&server.state->begun) - begun, 2 * 3 * DEPTH);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(survives_a_thousand_timeouts_of_calls_with_blocks)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = DEPTH, .blocks = 8});
    probe_blob reply;

    ck_assert(probe_answers_rightly(client, 1, 10));
    child_stop(&server.child);
    unsigned int timeouts = 0, not_sent = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        int rc = call_blob(client, PROBE_BLOB, 1000000 + i, 2000, &reply, shmrpc_in_ms(1));
        ck_assert_msg(rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_NOT_SENT, "call %u: %s", (unsigned)i,
                      shmrpc_status_text(rc));
        timeouts += rc == SHMRPC_E_TIMEOUT;
        not_sent += rc == SHMRPC_E_NOT_SENT;
    }
    ck_assert_uint_ge(timeouts, 1);
    ck_assert_uint_le(timeouts, 8);
    ck_assert_uint_eq(timeouts + not_sent, 1000);

    child_continue(&server.child);
    ck_assert(probe_answers_rightly(client, 5000000, 3 * DEPTH));
    shmrpc_client_free(client);
}
END_TEST

START_TEST(keeps_oneways_that_were_sent_to_a_stopped_server)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = DEPTH});
    probe_total total;
    unsigned int sent = 0;

    child_stop(&server.child);
    for (uint64_t i = 0; i < 2 * DEPTH; i++) {
        int rc = probe_note(client, 1, shmrpc_in_ms(1));
        ck_assert_msg(rc == 0 || rc == SHMRPC_E_NOT_SENT, "oneway %u: %s", (unsigned)i, shmrpc_status_text(rc));
        sent += rc == 0;
    }
    ck_assert_uint_eq(sent, DEPTH);
    child_continue(&server.child);
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, DEPTH);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(sends_as_soon_as_a_full_ring_has_room_again)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = 2});
    uint64_t reply = 0;

    hold_and_give_up(client, 7);
    assert_status(probe_echo(client, 8, &reply, shmrpc_in_ms(5)), SHMRPC_E_TIMEOUT);
    assert_status(probe_echo(client, 9, &reply, shmrpc_in_ms(5)), SHMRPC_E_NOT_SENT);
    probe_gate_open(&server);
    /* This one waits for room first, and then for its answer. */
    assert_status(probe_echo(client, 10, &reply, shmrpc_in_s(10)), 0);
    ck_assert_uint_eq(reply, 10);
    ck_assert(probe_answers_rightly(client, 100, 5));
    shmrpc_client_free(client);
}
END_TEST

/* In each round the call that times out is at another place of the ring. */
static void answer_late(shmrpc_client *client, uint32_t depth, uint32_t rounds, bool with_block)
{
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t value = 1000 * (round + 1), ended = atomic_load(&server.state->ended);
        uint64_t reply = 1;
        probe_blob blob_reply = {.value = 1};
        int rc = with_block ? call_blob(client, PROBE_HOLD_BLOB, value, 3000, &blob_reply, shmrpc_in_ms(2))
                            : probe_hold(client, value, &reply, shmrpc_in_ms(2));

        assert_status(rc, SHMRPC_E_TIMEOUT);
        ck_assert_uint_eq(reply, 1);
        ck_assert_uint_eq(blob_reply.value, 1);
        probe_gate_pass(&server, 1);
        /* Every other time the late reply is there before the next call, else it comes in the midst of them. */
        if (round % 2 == 0 && atomic_load(&server.state->holding) == value)
            await_true(atomic_load(&server.state->ended) == ended + 1);
        /* The values of a lap and a little more differ from the late one's, and from one another. */
        ck_assert_msg(probe_answers_rightly(client, value + 1, depth / 2 + 3), "wrong answers in round %u", round);
        /* On a busy machine the server came to the call only after it was withdrawn, and it never was at the gate. */
        probe_gate_drain(&server);
    }
}

START_TEST(answers_rightly_for_a_lap_after_a_late_reply_in_a_slot)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = DEPTH});

    answer_late(client, DEPTH, DEPTH + 3, false);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(answers_rightly_for_a_lap_after_a_late_reply_in_a_block)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = 8, .blocks = 2});

    answer_late(client, 8, 40, true);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(answers_rightly_after_late_replies_with_the_smallest_ring_and_one_block)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = 2, .blocks = 1});

    answer_late(client, 2, 20, false);
    answer_late(client, 2, 20, true);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(never_begins_what_was_withdrawn_behind_a_slow_handler)
{
    shmrpc_client *client = connect_with(&(shmrpc_client_options){.depth = 16});
    uint64_t reply;

    hold_and_give_up(client, 1);
    uint64_t begun = atomic_load(&server.state->begun);
    for (uint64_t i = 0; i < 10; i++)
        assert_status(probe_echo(client, 100 + i, &reply, shmrpc_in_ms(1)), SHMRPC_E_TIMEOUT);
    probe_gate_open(&server);
    assert_status(probe_echo(client, 5, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply, 5);
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun + 1);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(takes_an_answer_that_comes_while_the_caller_is_away)
{
    shmrpc_client *client = connect_with(NULL);
    uint64_t reply = 0;

    for (uint64_t i = 0; i < 200; i++) {
        /* At once: timed out, or answered; never another call's answer. */
        int rc = probe_echo(client, 1000 + i, &reply, shmrpc_in_ns(1 + (int64_t)i * 200));
        ck_assert_msg(rc == 0 || rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_NOT_SENT, "%s", shmrpc_status_text(rc));
        if (rc == 0)
            ck_assert_uint_eq(reply, 1000 + i);
    }
    ck_assert(probe_answers_rightly(client, 1000000, 100));
    shmrpc_client_free(client);
}
END_TEST

START_TEST(never_times_out_before_the_deadline)
{
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_FOREVER};
    static const int64_t timeouts_us[] = {50, 700, 3000, 20000};
    uint64_t reply;

    for (size_t s = 0; s < sizeof(spins) / sizeof(spins[0]); s++) {
        shmrpc_client *client = connect_with(&(shmrpc_client_options){.spin_ns = spins[s]});
        assert_status(probe_ping(client, shmrpc_default()), 0);
        child_stop(&server.child);
        for (size_t t = 0; t < sizeof(timeouts_us) / sizeof(timeouts_us[0]); t++) {
            uint64_t begin_ns = test_now_ns();
            assert_status(probe_echo(client, 1, &reply, shmrpc_in_us(timeouts_us[t])), SHMRPC_E_TIMEOUT);
            uint64_t took_ns = test_now_ns() - begin_ns;
            ck_assert_uint_ge(took_ns, (uint64_t)timeouts_us[t] * 1000);
            ck_assert_uint_lt(took_ns, TEST_SOON_NS);
        }
        child_continue(&server.child);
        ck_assert(probe_answers_rightly(client, 70, 10));
        shmrpc_client_free(client);
    }
}
END_TEST

START_TEST(takes_the_deadline_of_the_method_then_of_the_client)
{
    probe_schema schema;
    shmrpc_client *client = NULL, *hasty = NULL;
    uint64_t reply;

    probe_schema_init(&schema);
    schema.methods[PROBE_HOLD].timeout_ns = INT64_C(30000000);
    assert_status(shmrpc_client_connect(&client, "probe", &schema.info,
                                        &(shmrpc_client_options){.call_timeout_ns = INT64_MAX}),
                  0);
    assert_status(shmrpc_client_connect(&hasty, "probe", &schema.info,
                                        &(shmrpc_client_options){.call_timeout_ns = INT64_C(400000000)}),
                  0);
    uint64_t begin_ns = test_now_ns();
    assert_status(probe_hold(client, 1, &reply, shmrpc_default()), SHMRPC_E_TIMEOUT);
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 30000000);
    ck_assert_uint_lt(took_ns, TEST_SOON_NS);

    begin_ns = test_now_ns();
    assert_status(probe_echo(hasty, 1, &reply, shmrpc_default()), SHMRPC_E_TIMEOUT);
    took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 400000000);
    ck_assert_int_lt((int64_t)took_ns, SHMRPC_DEFAULT_TIMEOUT_NS);
    probe_gate_open(&server);
    ck_assert(probe_answers_rightly(client, 1, 5));
    ck_assert(probe_answers_rightly(hasty, 6, 5));
    shmrpc_client_free(hasty);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(frees_a_client_whose_calls_still_run)
{
    shmrpc_client *first = connect_with(NULL), *second = connect_with(NULL);

    hold_and_give_up(first, 3);
    shmrpc_client_free(first);
    probe_gate_open(&server);
    ck_assert(probe_answers_rightly(second, 1, 20));
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]) == 1);
    shmrpc_client_free(second);
}
END_TEST

static Suite *deadlines_suite(void)
{
    Suite *suite = suite_create("ipc_deadlines");
    TCase *tests = tcase_create("deadlines");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, survives_a_thousand_timeouts_against_a_stopped_server);
    tcase_add_test(tests, survives_a_thousand_timeouts_of_calls_with_blocks);
    tcase_add_test(tests, keeps_oneways_that_were_sent_to_a_stopped_server);
    tcase_add_test(tests, sends_as_soon_as_a_full_ring_has_room_again);
    tcase_add_test(tests, answers_rightly_for_a_lap_after_a_late_reply_in_a_slot);
    tcase_add_test(tests, answers_rightly_for_a_lap_after_a_late_reply_in_a_block);
    tcase_add_test(tests, answers_rightly_after_late_replies_with_the_smallest_ring_and_one_block);
    tcase_add_test(tests, never_begins_what_was_withdrawn_behind_a_slow_handler);
    tcase_add_test(tests, takes_an_answer_that_comes_while_the_caller_is_away);
    tcase_add_test(tests, never_times_out_before_the_deadline);
    tcase_add_test(tests, takes_the_deadline_of_the_method_then_of_the_client);
    tcase_add_test(tests, frees_a_client_whose_calls_still_run);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(deadlines_suite)

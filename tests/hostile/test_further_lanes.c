/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_further_lanes.c - one session with several lanes: who may open one, what they share, and when the session ends.
 *
 * The client is made by hand, so that it can ask for what a client would not.
 */
#include <string.h>
#include <unistd.h>

#include "rogue.h"
#include "witness.h"

#define LANES_MAX 64

static rogue first;

static void setup(void)
{
    witness_setup();
    rogue_join(&first, "probe");
}

static void teardown(void)
{
    rogue_leave(&first);
    witness_teardown();
}

static void note(rogue *self, uint64_t value)
{
    slot request = rogue_slot(PROBE_NOTE, 0, 0, sizeof(value));
    slot reply;

    memcpy(request.payload, &value, sizeof(value));
    rogue_request(self, &request, 0);
    ck_assert(rogue_await_reply(self, &reply));
    ck_assert_uint_eq(reply.method, 0);
}

static probe_total total(rogue *self)
{
    const slot request = rogue_slot(PROBE_TOTAL, 0, 0, 0);
    probe_total now;
    slot reply;

    rogue_request(self, &request, 0);
    ck_assert(rogue_await_reply(self, &reply));
    ck_assert_uint_eq(reply.method, 0);
    ck_assert_uint_eq(reply.length, sizeof(now));
    memcpy(&now, reply.payload, sizeof(now));
    return now;
}

static uint64_t connected(void)
{
    return atomic_load(&witness_server.state->connected);
}

static uint64_t disconnected(void)
{
    return atomic_load(&witness_server.state->disconnected);
}

/* Says Hello for a further lane and expects to be told why not. */
static void expect_refusal(const control_packet *hello, int status, const char *text)
{
    rogue peer;

    rogue_connect(&peer, "probe");
    rogue_send(&peer, hello, NULL, 0);
    control_packet *packet = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(packet->as.welcome.status, status);
    ck_assert_msg(strstr(packet->as.welcome.text, text) != NULL, "%s", packet->as.welcome.text);
    control_packet_free(packet);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
}

START_TEST(lanes_of_one_session_have_one_state)
{
    rogue others[3];
    probe_total now;

    ck_assert(control_token_is_set(&first.token));
    for (uint64_t i = 0; i < 3; i++) {
        rogue_join_further(&others[i], "probe", &first);
        ck_assert_uint_eq(others[i].session, first.session);
        ck_assert(control_token_is_equal(&others[i].token, &first.token));
    }
    for (uint64_t round = 0; round < 100; round++) {
        note(&first, 1);
        for (uint64_t i = 0; i < 3; i++)
            note(&others[i], 10 * (i + 1));
    }
    for (int i = 0; i < 3; i++) {
        now = total(&others[i]);
        ck_assert_uint_eq(now.count, 400);
        ck_assert_uint_eq(now.sum, 6100);
    }
    /* The witness, and this. */
    ck_assert_uint_eq(connected(), 2);
    ck_assert_uint_eq(witness_counters().sessions_open, 2);
    for (int i = 0; i < 3; i++)
        rogue_leave(&others[i]);
}
END_TEST

START_TEST(a_session_ends_once_after_its_last_lane_whichever_that_is)
{
    rogue second, third;

    rogue_join_further(&second, "probe", &first);
    rogue_leave(&first);
    note(&second, 3);
    ck_assert_uint_eq(disconnected(), 0);
    rogue_join_further(&third, "probe", &second);
    note(&third, 4);
    rogue_leave(&second);
    ck_assert_uint_eq(total(&third).sum, 7);
    ck_assert_uint_eq(disconnected(), 0);
    rogue_leave(&third);
    await_true(disconnected() == 1);
    ck_assert_uint_eq(atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_DIED]), 1);
    ck_assert_uint_eq(connected(), 2);
}
END_TEST

START_TEST(what_a_lane_had_sent_is_answered_though_it_is_closed)
{
    rogue second;
    uint64_t value = 9;

    rogue_join_further(&second, "probe", &first);
    slot request = rogue_slot(PROBE_NOTE, 0, 0, sizeof(value));
    memcpy(request.payload, &value, sizeof(value));
    for (int i = 0; i < 20; i++)
        rogue_request(&second, &request, 0);
    rogue_leave(&second);
    await_true(total(&first).sum == 20 * value);
}
END_TEST

START_TEST(refuses_a_token_that_is_not_the_sessions)
{
    control_packet hello = rogue_hello_further(&first);

    /* Each byte counts, those that say where to look among them. */
    for (size_t i = 0; i < CONTROL_TOKEN_SIZE; i++) {
        hello = rogue_hello_further(&first);
        hello.as.hello.token.bytes[i] ^= 1;
        expect_refusal(&hello, SHMRPC_E_REFUSED, "no such session");
    }
    memset(hello.as.hello.token.bytes, 0xff, CONTROL_TOKEN_SIZE);
    expect_refusal(&hello, SHMRPC_E_REFUSED, "no such session");
    note(&first, 1);
}
END_TEST

START_TEST(refuses_the_token_of_a_session_that_has_ended)
{
    const control_packet hello = rogue_hello_further(&first);

    rogue_leave(&first);
    await_true(disconnected() == 1);
    expect_refusal(&hello, SHMRPC_E_REFUSED, "no such session");
    rogue_join(&first, "probe");
    expect_refusal(&hello, SHMRPC_E_REFUSED, "no such session");
}
END_TEST

START_TEST(refuses_a_lane_for_another_service_or_with_methods)
{
    control_method methods[PROBE_METHODS];
    const control_packet whole = rogue_hello(methods);
    control_packet hello = rogue_hello_further(&first);

    hello.as.hello.service = "another.Service";
    expect_refusal(&hello, SHMRPC_E_REFUSED, "another service");
    hello = rogue_hello_further(&first);
    hello.as.hello.methods = methods;
    hello.as.hello.method_count = whole.as.hello.method_count;
    expect_refusal(&hello, SHMRPC_E_PROTOCOL, "asks for methods");
    note(&first, 1);
}
END_TEST

static int try_from_another_process(child_link *link, void *data)
{
    rogue peer;
    const control_packet hello = rogue_hello_further(data);

    (void)link;
    rogue_connect(&peer, "probe");
    rogue_send(&peer, &hello, NULL, 0);
    control_packet *packet = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
    if (packet == NULL)
        return 2;
    int status = packet->as.welcome.status;
    control_packet_free(packet);
    close(peer.socket);
    return status == SHMRPC_E_REFUSED ? 0 : 1;
}

START_TEST(refuses_the_token_in_another_process)
{
    child other;

    child_spawn(&other, try_from_another_process, &first);
    child_expect_exit(&other, 0);
    note(&first, 1);
}
END_TEST

START_TEST(refuses_a_lane_whose_session_ended_during_its_handshake)
{
    const control_packet hello = rogue_hello_further(&first);
    rogue second;

    rogue_connect(&second, "probe");
    ck_assert(rogue_greet_with(&second, &hello));
    rogue_leave(&first);
    await_true(disconnected() == 1);
    int memory = rogue_make_memory(&second);
    ck_assert(!rogue_attach(&second, second.memory.size, (const int[]){memory, second.bell}, 2));
    ck_assert(rogue_is_dropped(&second));
    close(memory);
    rogue_leave(&second);
    ck_assert_uint_eq(connected(), 2);
}
END_TEST

START_TEST(a_session_has_as_many_lanes_as_it_may_and_no_more)
{
    static rogue lanes[LANES_MAX];
    const control_packet hello = rogue_hello_further(&first);

    for (int i = 1; i < LANES_MAX; i++)
        rogue_join_further(&lanes[i], "probe", &first);
    expect_refusal(&hello, SHMRPC_E_REFUSED, "64 lanes");
    for (int i = 1; i < LANES_MAX; i++)
        note(&lanes[i], 1);
    ck_assert_uint_eq(total(&first).sum, LANES_MAX - 1);
    /* There is room again for each that leaves. */
    for (int i = 1; i < 10; i++) {
        rogue_leave(&lanes[i]);
        rogue again;
        uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
        bool agreed = false;
        while (!agreed && test_remaining_ms(until_ns) > 0) {
            rogue_connect(&again, "probe");
            agreed = rogue_greet_with(&again, &hello);
            if (!agreed)
                rogue_leave(&again);
        }
        ck_assert(agreed);
        int memory = rogue_make_memory(&again);
        ck_assert(rogue_attach(&again, again.memory.size, (const int[]){memory, again.bell}, 2));
        close(memory);
        note(&again, 1);
        lanes[i] = again;
    }
    for (int i = 1; i < LANES_MAX; i++)
        rogue_leave(&lanes[i]);
    ck_assert_uint_eq(total(&first).sum, LANES_MAX - 1 + 9);
}
END_TEST

START_TEST(a_lie_in_one_lane_ends_the_session_with_all_its_lanes)
{
    const slot request = rogue_slot(PROBE_NOTE, 200, 0, 8);
    rogue second;
    slot reply;

    rogue_join_further(&second, "probe", &first);
    rogue_request(&second, &request, 0);
    ck_assert(!rogue_await_reply(&second, &reply));
    ck_assert(rogue_is_dropped(&second));
    ck_assert(rogue_is_dropped(&first));
    rogue_leave(&second);
    await_true(disconnected() == 1);
    ck_assert_uint_eq(atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]), 1);
}
END_TEST

static Suite *further_lanes_suite(void)
{
    Suite *suite = suite_create("hostile_further_lanes");
    TCase *tests = tcase_create("further lanes");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, lanes_of_one_session_have_one_state);
    tcase_add_test(tests, a_session_ends_once_after_its_last_lane_whichever_that_is);
    tcase_add_test(tests, what_a_lane_had_sent_is_answered_though_it_is_closed);
    tcase_add_test(tests, refuses_a_token_that_is_not_the_sessions);
    tcase_add_test(tests, refuses_the_token_of_a_session_that_has_ended);
    tcase_add_test(tests, refuses_a_lane_for_another_service_or_with_methods);
    tcase_add_test(tests, refuses_the_token_in_another_process);
    tcase_add_test(tests, refuses_a_lane_whose_session_ended_during_its_handshake);
    tcase_add_test(tests, a_session_has_as_many_lanes_as_it_may_and_no_more);
    tcase_add_test(tests, a_lie_in_one_lane_ends_the_session_with_all_its_lanes);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(further_lanes_suite)

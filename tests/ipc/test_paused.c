/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_paused.c - lanes that end while they pause: all their tickets are out, and requests are left in the ring.
 *
 * The server stops, or the client leaves, or one after the other. What was sent is not forgotten for that.
 */
#include "../../bench/activity.h"
#include "pool_service.h"
#include "probe_server.h"

#define DEPTH 8u /* slots, and tickets */
#define NOTES 3u
#define LIMIT_NS INT64_C(120000000000) /* beyond the patience of the case */

static pool_server pool;
static shmrpc_client *client;
static shmrpc_call calls[DEPTH + 1];

static void start(shmrpc_call *call, uint64_t value)
{
    const pool_request request = {value, POOL_REPLY};

    assert_status(shmrpc_call_start(client, call, POOL_WORK, &request, shmrpc_forever(), NULL), 0);
}

static void expect_reply(shmrpc_call *call, uint64_t value)
{
    pool_reply reply = {0};

    assert_status(shmrpc_call_wait(call, &reply), 0);
    ck_assert_uint_eq(reply.value, value + 1);
}

/* All tickets are out; messages and one more call stand behind that. */
static void connect_and_fill(const pool_state *state)
{
    const shmrpc_client_options options = {.depth = DEPTH, .blocks = 2 * DEPTH};

    assert_status(shmrpc_client_connect(&client, "pool", &pool_service, &options), 0);
    for (unsigned i = 0; i < DEPTH; i++)
        start(&calls[i], i);
    await_true(atomic_load(&state->put_off) == DEPTH);
    for (unsigned i = 0; i < NOTES; i++)
        assert_status(shmrpc_client_send(client, POOL_NOTE, &(pool_request){0}, shmrpc_forever()), 0);
    start(&calls[DEPTH], DEPTH);
    ck_assert_uint_eq(atomic_load(&state->notes), 0);
}

static int fill_main(child_link *link, void *data)
{
    connect_and_fill(data);
    link_signal(link, 's');
    link_await(link, 'k');
    return 1; /* it is killed before that */
}

static void setup(void)
{
    probe_case_begin();
    pool_start(&pool, LIMIT_NS);
}

static void teardown(void)
{
    ck_assert_uint_eq(atomic_load(&pool.state->not_put_off), 0);
    shmrpc_client_free(client);
    pool_end(&pool);
    probe_case_end();
}

static void stop(void)
{
    pool_ask_to_stop(&pool);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_STOPPING);
}

static bool is_asleep(void)
{
    activity now = {0};

    ck_assert_int_eq(activity_add_named(&now, pool.process.pid, test_is_built_with("tsan") ? "shmrpc" : NULL), 0);
    return now.asleep;
}

START_TEST(a_server_that_stops_answers_what_waits_for_room)
{
    connect_and_fill(pool.state);
    stop();
    /* Two at a time: each time the lane goes on, and pauses again or ends. */
    for (unsigned i = 0; i < DEPTH; i += 2) {
        ck_assert_uint_eq(atomic_load(&pool.state->disconnected), 0);
        await_true(is_asleep());
        pool_let(&pool, 2);
        expect_reply(&calls[i], i);
        expect_reply(&calls[i + 1], i + 1);
    }
    await_true(atomic_load(&pool.state->put_off) == DEPTH + 1);
    ck_assert_uint_eq(atomic_load(&pool.state->notes), NOTES);
    pool_let(&pool, 1);
    expect_reply(&calls[DEPTH], DEPTH);
    await_true(atomic_load(&pool.state->disconnected) == 1);
}
END_TEST

/* 1: while the server stops. The call is withdrawn with its handle; messages are not. */
START_TEST(messages_of_a_client_that_leaves_are_handled)
{
    connect_and_fill(pool.state);
    if (_i == 1)
        stop();
    shmrpc_client_free(client);
    client = NULL;
    await_true(atomic_load(&pool.state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&pool.state->notes), NOTES);
    ck_assert_uint_eq(atomic_load(&pool.state->put_off), DEPTH);
    if (_i == 0) {
        pool_let(&pool, DEPTH);
        await_true(atomic_load(&pool.state->dropped) == DEPTH);
    }
}
END_TEST

/*
 * Nobody withdraws the call. 0: it would have to be put off, no ticket is left, and nobody waits for it: it is not
 * begun. 1: answers have come that nobody will read, which are not in its way any more.
 */
START_TEST(what_a_client_that_dies_had_sent_is_handled)
{
    child caller;

    child_spawn(&caller, fill_main, pool.state);
    link_await(&caller.link, 's');
    if (_i == 1) {
        pool_let(&pool, DEPTH);
        await_true(atomic_load(&pool.state->answered) == DEPTH);
    }
    child_kill(&caller);
    await_true(atomic_load(&pool.state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&pool.state->notes), NOTES);
    ck_assert_uint_eq(atomic_load(&pool.state->put_off), DEPTH + (unsigned)_i);
    pool_let(&pool, _i == 1 ? 1 : DEPTH);
    await_true(atomic_load(&pool.state->dropped) == (_i == 1 ? 1 : DEPTH));
}
END_TEST

static Suite *paused_suite(void)
{
    Suite *suite = suite_create("ipc_paused");
    TCase *tests = tcase_create("paused");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_server_that_stops_answers_what_waits_for_room);
    tcase_add_loop_test(tests, messages_of_a_client_that_leaves_are_handled, 0, 2);
    tcase_add_loop_test(tests, what_a_client_that_dies_had_sent_is_handled, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(paused_suite)

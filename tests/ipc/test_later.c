/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_later.c - calls that are put off to a pool of the program's own threads, from end to end: answers in any order and
 * of any kind, callers that give up or go, servers that stop, and lanes that pause because all tickets are out.
 */
#include <pthread.h>
#include <string.h>

#include "../../bench/activity.h"
#include "pool_service.h"
#include "probe_server.h"

#define DEPTH 8u /* slots, and tickets */

static pool_server pool;
static shmrpc_client *client;

static shmrpc_client *connect_to_pool(void)
{
    const shmrpc_client_options options = {.depth = DEPTH, .blocks = 2 * DEPTH};
    shmrpc_client *made = NULL;

    assert_status(shmrpc_client_connect(&made, "pool", &pool_service, &options), 0);
    return made;
}

static void setup(void)
{
    probe_case_begin();
    pool_start(&pool, 0);
    client = connect_to_pool();
}

static void teardown(void)
{
    shmrpc_client_free(client);
    pool_end(&pool);
    probe_case_end();
}

static void start(shmrpc_client *by, shmrpc_call *call, uint64_t value, uint64_t how, shmrpc_deadline deadline,
                  shmrpc_done *done)
{
    const pool_request request = {value, how};

    assert_status(shmrpc_call_start(by, call, POOL_WORK, &request, deadline, done), 0);
}

static int work(shmrpc_client *by, uint64_t value, shmrpc_deadline deadline)
{
    const pool_request request = {value, POOL_REPLY};
    pool_reply reply = {0};
    int rc = shmrpc_client_call(by, POOL_WORK, &request, &reply, deadline);

    ck_assert_uint_eq(reply.value, rc == 0 ? value + 1 : 0);
    return rc;
}

static void expect_reply(shmrpc_call *call, uint64_t value)
{
    pool_reply reply = {0};

    assert_status(shmrpc_call_wait(call, &reply), 0);
    ck_assert_uint_eq(reply.value, value + 1);
}

static void await_put_off(uint64_t count)
{
    await_true(atomic_load(&pool.state->put_off) == count);
}

/* ---- answers ---- */

START_TEST(answers_come_in_any_order_and_are_awaited_in_any)
{
    uint64_t total = 0;

    for (unsigned round = 0; round < 40; round++) {
        shmrpc_call calls[DEPTH] = {0};
        unsigned stride = 1 + 2 * (round % 4);

        atomic_store(&pool.state->newest_first, round % 3 == 0);
        for (unsigned i = 0; i < DEPTH; i++)
            start(client, &calls[i], 1000 * round + i, POOL_REPLY, shmrpc_forever(), NULL);
        total += DEPTH;
        await_put_off(total);
        pool_let(&pool, DEPTH);
        for (unsigned i = 0; i < DEPTH; i++)
            expect_reply(&calls[i * stride % DEPTH], 1000 * round + i * stride % DEPTH);
    }
    await_true(atomic_load(&pool.state->answered) == total);
}
END_TEST

START_TEST(a_call_that_waits_is_answered_beside_others)
{
    shmrpc_call call = {0};

    for (uint64_t i = 1; i <= 100; i++) {
        /* The older one goes on waiting while the newer one is answered. */
        atomic_store(&pool.state->newest_first, true);
        start(client, &call, i, POOL_REPLY, shmrpc_forever(), NULL);
        await_put_off(2 * i - 1);
        shmrpc_call second = {0};
        start(client, &second, 100 + i, POOL_REPLY, shmrpc_forever(), NULL);
        await_put_off(2 * i);
        pool_let(&pool, 1);
        expect_reply(&second, 100 + i);
        pool_let(&pool, 1);
        expect_reply(&call, i);
    }
}
END_TEST

START_TEST(errors_come_with_their_payloads)
{
    static const struct {
        uint64_t how;
        int status;
    } rows[] = {
        {POOL_PLAIN, POOL_ERROR_PLAIN},
        {POOL_THROW, POOL_ERROR_REASON},
        {POOL_STATUS, SHMRPC_E_UNAVAILABLE},
        {POOL_REPLY, 0},
    };
    shmrpc_call calls[DEPTH] = {0};
    pool_reply reply;

    for (uint64_t round = 0; round < 20; round++) {
        for (unsigned i = 0; i < DEPTH; i++)
            start(client, &calls[i], 10 * round + i, rows[i % 4].how, shmrpc_forever(), NULL);
        await_put_off((round + 1) * DEPTH);
        pool_let(&pool, DEPTH);
        for (unsigned i = 0; i < DEPTH; i++) {
            assert_status(shmrpc_call_wait(&calls[i], &reply), rows[i % 4].status);
            const pool_reason *reason = shmrpc_client_error_payload(client, &pool_errors, POOL_ERROR_REASON);
            ck_assert((reason != NULL) == (rows[i % 4].how == POOL_THROW));
            if (reason != NULL) {
                ck_assert_uint_eq(reason->value, 10 * round + i);
                ck_assert_uint_eq(reason->bytes[0], (uint8_t)reason->value);
                ck_assert_uint_eq(reason->bytes[POOL_REASON_MAX - 1], (uint8_t)reason->value);
            }
        }
    }
}
END_TEST

static unsigned done_count, done_wrong;
static shmrpc_call told[DEPTH];

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    uint64_t value;

    done_count++;
    memcpy(&value, rc == 0 ? reply : &(uint64_t){0}, sizeof(value));
    done_wrong += value != 500 + (uint64_t)(call - told) + 1;
}

START_TEST(answers_are_told_by_dispatch)
{
    atomic_store(&pool.state->newest_first, true);
    for (unsigned i = 0; i < DEPTH; i++)
        start(client, &told[i], 500 + i, POOL_REPLY, shmrpc_forever(), on_done);
    await_put_off(DEPTH);
    ck_assert_int_ge(shmrpc_client_dispatch(client, 100), 0);
    ck_assert_uint_eq(done_count, 0);
    pool_let(&pool, 3);
    await_true(shmrpc_client_dispatch(client, 100) >= 0 && done_count == 3);
    pool_let(&pool, DEPTH - 3);
    await_true(shmrpc_client_dispatch(client, 100) >= 0 && done_count == DEPTH);
    ck_assert_uint_eq(done_wrong, 0);
}
END_TEST

/* ---- callers that give up ---- */

START_TEST(an_answer_after_the_callers_time_is_nobodys)
{
    shmrpc_call call = {0};
    uint64_t put_off = 0;

    atomic_store(&pool.state->awaits_cancel, true);
    for (uint64_t i = 1; put_off < 3 * DEPTH; i++) {
        ck_assert_uint_lt(i, 1000);
        assert_status(work(client, i, shmrpc_in_ms(5)), SHMRPC_E_TIMEOUT);
        /* What is sent after it is handled after it: its handler has begun, or never will. */
        assert_status(shmrpc_client_send(client, POOL_NOTE, &(pool_request){0}, shmrpc_forever()), 0);
        await_true(atomic_load(&pool.state->notes) == i);
        if (atomic_load(&pool.state->put_off) != put_off) {
            put_off++;
            pool_let(&pool, 1);
            await_true(atomic_load(&pool.state->answered) == put_off);
        }
    }
    /* The pool could see it each time; and tickets have come back, for there were more calls than tickets. */
    ck_assert_uint_eq(atomic_load(&pool.state->seen_cancelled), put_off);
    atomic_store(&pool.state->awaits_cancel, false);
    start(client, &call, 99, POOL_REPLY, shmrpc_forever(), NULL);
    await_put_off(put_off + 1);
    pool_let(&pool, 1);
    expect_reply(&call, 99);
}
END_TEST

static int leave_main(child_link *link, void *data)
{
    const pool_request request = {1, POOL_REPLY};
    shmrpc_client *own = NULL;
    shmrpc_call calls[DEPTH] = {0};

    (void)data;
    child_check(shmrpc_client_connect(&own, "pool", &pool_service, NULL) == 0, "connect");
    for (unsigned i = 0; i < DEPTH; i++)
        child_check(shmrpc_call_start(own, &calls[i], POOL_WORK, &request, shmrpc_forever(), NULL) == 0, "start");
    link_signal(link, 's');
    return shmrpc_call_wait(&calls[0], &(pool_reply){0}); /* it is killed here */
}

START_TEST(answers_to_a_client_that_is_gone_are_dropped)
{
    shmrpc_call call = {0};
    child caller;

    /* A process that is connected has a thread more, and ThreadSanitizer forks none that has. */
    shmrpc_client_free(client);
    child_spawn(&caller, leave_main, NULL);
    link_await(&caller.link, 's');
    await_put_off(DEPTH);
    client = connect_to_pool();
    start(client, &call, 7, POOL_REPLY, shmrpc_forever(), NULL);
    await_put_off(DEPTH + 1);
    child_kill(&caller);
    await_true(atomic_load(&pool.state->disconnected) == 2);
    pool_let(&pool, DEPTH + 1);
    expect_reply(&call, 7);
    await_true(atomic_load(&pool.state->dropped) == DEPTH);
    await_true(atomic_load(&pool.state->answered) == 1);
    ck_assert_uint_eq(atomic_load(&pool.state->seen_cancelled), DEPTH);
}
END_TEST

static void *leave_with_calls_put_off(void *data)
{
    shmrpc_call calls[DEPTH] = {0};

    (void)data;
    for (uint64_t i = 0; i < DEPTH; i++) {
        start(client, &calls[i], i, POOL_REPLY, shmrpc_forever(), NULL);
        await_put_off(i + 1);
        if (i == DEPTH / 2) /* of the others it is not known here that they were put off */
            ck_assert_int_eq(shmrpc_client_dispatch(client, 1), 0);
    }
    return NULL;
}

START_TEST(calls_of_a_thread_that_has_ended_are_cancelled)
{
    shmrpc_call call = {0};
    pthread_t thread;

    atomic_store(&pool.state->awaits_cancel, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_with_calls_put_off, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pool_let(&pool, DEPTH);
    await_true(atomic_load(&pool.state->answered) == DEPTH);
    ck_assert_uint_eq(atomic_load(&pool.state->seen_cancelled), DEPTH);
    atomic_store(&pool.state->awaits_cancel, false);
    /* In the same lane, whose tickets come back as soon as somebody looks. */
    start(client, &call, 99, POOL_REPLY, shmrpc_forever(), NULL);
    ck_assert_int_eq(shmrpc_client_dispatch(client, 1), 0);
    await_put_off(DEPTH + 1);
    pool_let(&pool, 1);
    expect_reply(&call, 99);
}
END_TEST

/* ---- servers that stop ---- */

START_TEST(a_server_that_stops_waits_for_answers)
{
    shmrpc_call calls[DEPTH] = {0};

    for (unsigned i = 0; i < DEPTH; i++)
        start(client, &calls[i], i, POOL_REPLY, shmrpc_forever(), NULL);
    await_put_off(DEPTH);
    pool_ask_to_stop(&pool);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_STOPPING);
    pool_let(&pool, DEPTH);
    for (unsigned i = 0; i < DEPTH; i++)
        expect_reply(&calls[i], i);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    await_true(atomic_load(&pool.state->answered) == DEPTH);
}
END_TEST

START_TEST(a_server_that_stops_waits_only_so_long)
{
    shmrpc_call calls[3] = {0};
    pool_reply reply;

    shmrpc_client_free(client);
    pool_end(&pool);
    pool_start(&pool, 20000000);
    client = connect_to_pool();
    for (unsigned i = 0; i < 3; i++)
        start(client, &calls[i], i, POOL_REPLY, shmrpc_forever(), NULL);
    await_put_off(3);
    pool_let(&pool, 1);
    await_true(atomic_load(&pool.state->answered) == 1);
    pool_ask_to_stop(&pool);
    for (unsigned i = 1; i < 3; i++)
        assert_status(shmrpc_call_wait(&calls[i], &reply), SHMRPC_E_UNKNOWN);
    expect_reply(&calls[0], 0);
}
END_TEST

/* ---- the pause ---- */

/*
 * Until the pool's process has done nothing while another server answered some hundred calls.
 */
static void await_rest(shmrpc_client *others, activity *ret)
{
    activity before;
    uint64_t reply;
    bool rests = false;

    for (int round = 0; round < 2000 && !rests; round++) {
        before = *ret;
        for (uint64_t i = 0; i < 200; i++)
            assert_status(probe_echo(others, i, &reply, shmrpc_forever()), 0);
        *ret = (activity){0};
        ck_assert_int_eq(activity_add_named(ret, pool.process.pid, test_is_built_with("tsan") ? "shmrpc" : NULL), 0);
        rests = ret->asleep && activity_is_same(&before, ret);
    }
    ck_assert_msg(rests, "it never came to rest");
}

START_TEST(a_lane_without_tickets_pauses_at_no_cost_and_goes_on)
{
    shmrpc_call calls[DEPTH] = {0};
    shmrpc_client *other = connect_to_pool(), *others = NULL;
    probe_process probe;
    activity before = {0}, after = {0};
    uint64_t reply;

    if (probe_skips_semaphores("a thread wakes now and then for each client that has no futexes")) {
        shmrpc_client_free(other);
        return;
    }
    probe_process_start(&probe, NULL);
    assert_status(probe_connect(&others, "probe", NULL), 0);
    for (unsigned i = 0; i < DEPTH; i++)
        start(client, &calls[i], i, POOL_REPLY, shmrpc_forever(), NULL);
    await_put_off(DEPTH);
    /* There is a request, and no ticket. */
    assert_status(shmrpc_client_send(client, POOL_NOTE, &(pool_request){0}, shmrpc_forever()), 0);
    await_rest(others, &before);
    for (uint64_t i = 0; i < 5000; i++)
        assert_status(probe_echo(others, i, &reply, shmrpc_forever()), 0);
    ck_assert_int_eq(activity_add_named(&after, pool.process.pid, test_is_built_with("tsan") ? "shmrpc" : NULL), 0);
    ck_assert_msg(activity_is_same(&before, &after), "the server did something while the lane paused");
    ck_assert_uint_eq(atomic_load(&pool.state->notes), 0);
    /* Nobody else waits for it. */
    pool_let(&pool, 1);
    await_true(atomic_load(&pool.state->answered) == 1);
    atomic_store(&pool.state->newest_first, true);
    for (uint64_t i = 1; i <= 20; i++) {
        shmrpc_call call = {0};
        start(other, &call, i, POOL_REPLY, shmrpc_forever(), NULL);
        if (i == 1)
            expect_reply(&calls[0], 0);
        await_put_off(DEPTH + i);
        pool_let(&pool, 1);
        expect_reply(&call, i);
    }
    /* One answer was read: one ticket is free, and the lane has gone on. */
    await_true(atomic_load(&pool.state->notes) == 1);
    pool_let(&pool, DEPTH - 1);
    for (unsigned i = 1; i < DEPTH; i++)
        expect_reply(&calls[i], i);
    shmrpc_client_free(other);
    shmrpc_client_free(others);
    probe_process_stop(&probe);
}
END_TEST

START_TEST(many_more_calls_than_tickets_get_through)
{
    shmrpc_call calls[2 * DEPTH] = {0};

    /* Each start waits where it has to, and takes the answers that are there: so the server can go on. */
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2 * DEPTH; i++)
            start(client, &calls[i], 100 * round + i, POOL_REPLY, shmrpc_forever(), NULL);
        await_put_off((uint64_t)round * 2 * DEPTH + DEPTH);
        pool_let(&pool, DEPTH);
        for (unsigned i = 0; i < DEPTH; i++)
            expect_reply(&calls[i], 100 * round + i);
        await_put_off((uint64_t)(round + 1) * 2 * DEPTH);
        pool_let(&pool, DEPTH);
        for (unsigned i = DEPTH; i < 2 * DEPTH; i++)
            expect_reply(&calls[i], 100 * round + i);
    }
}
END_TEST

static Suite *later_suite(void)
{
    Suite *suite = suite_create("ipc_later");
    TCase *tests = tcase_create("later");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, answers_come_in_any_order_and_are_awaited_in_any);
    tcase_add_test(tests, a_call_that_waits_is_answered_beside_others);
    tcase_add_test(tests, errors_come_with_their_payloads);
    tcase_add_test(tests, answers_are_told_by_dispatch);
    tcase_add_test(tests, an_answer_after_the_callers_time_is_nobodys);
    tcase_add_test(tests, answers_to_a_client_that_is_gone_are_dropped);
    tcase_add_test(tests, calls_of_a_thread_that_has_ended_are_cancelled);
    tcase_add_test(tests, a_server_that_stops_waits_for_answers);
    tcase_add_test(tests, a_server_that_stops_waits_only_so_long);
    tcase_add_test(tests, a_lane_without_tickets_pauses_at_no_cost_and_goes_on);
    tcase_add_test(tests, many_more_calls_than_tickets_get_through);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(later_suite)

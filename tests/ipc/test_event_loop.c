/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_event_loop.c - a client in a loop of its own: it sleeps in epoll_wait() alone, and hears there of answers, of
 * deadlines and of the server's end; and of nothing else.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe_server.h"

#define DEPTH 8
#define ROUNDS 400u
#define IN_FLIGHT 77777

static probe_process server;
static probe_state *state;
static shmrpc_client *client;
static int loop;
static int descriptor;

typedef struct told {
    shmrpc_call base;
    unsigned count;
    int rc;
    uint64_t value;
} told;

static unsigned told_total;

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    told *self = (told *)(void *)call;

    told_total++;
    self->count++;
    self->rc = rc;
    self->value = reply == NULL ? 0 : ((const probe_value *)reply)->value;
}

static void start(told *call, uint32_t method, uint64_t value, shmrpc_deadline deadline)
{
    call->rc = IN_FLIGHT;
    assert_status(shmrpc_call_start(client, &call->base, method, &(probe_value){value}, deadline, on_done), 0);
}

static void watch(shmrpc_client *whose)
{
    struct epoll_event event = {.events = EPOLLIN};

    loop = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ge(loop, 0);
    descriptor = shmrpc_client_fd(whose);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(shmrpc_client_fd(whose), descriptor);
    ck_assert_int_eq(epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event), 0);
}

static bool is_readable(void)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};

    ck_assert_int_ge(poll(&ready, 1, 0), 0);
    return ready.revents != 0;
}

/*
 * Sleeps until there is something; a wake-up that is lost fails the case. "At once" is a timer that is set to a time in the
 * past: a kernel whose interrupts were held up for long may let it wait for a tenth of a second.
 */
static void sleep_in_loop(void)
{
    struct epoll_event event;

    ck_assert_msg(epoll_wait(loop, &event, 1, TEST_PATIENCE_MS) == 1, "nothing woke the loop");
}

/* What the header says is to be done when the descriptor is readable. */
static int dispatch(void)
{
    int rc;

    do {
        rc = shmrpc_client_dispatch(client, 3);
    } while (rc > 0);
    return rc;
}

/* A loop until `wanted` callbacks have run in all. Returns how often it woke. */
static unsigned run_until(unsigned wanted)
{
    unsigned wakes = 0;

    while (told_total < wanted) {
        sleep_in_loop();
        wakes++;
        assert_status(dispatch(), 0);
    }
    ck_assert_uint_eq(told_total, wanted);
    return wakes;
}

static void setup_with(int64_t client_spin_ns, int64_t server_spin_ns)
{
    const shmrpc_client_options options = {.depth = DEPTH, .spin_ns = client_spin_ns};
    const shmrpc_server_options server_options = {.spin_ns = server_spin_ns};

    probe_case_begin();
    told_total = 0;
    state = probe_state_new();
    probe_process_start(&server, &(probe_setup){.options = &server_options, .state = state});
    assert_status(probe_connect(&client, "probe", &options), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
    watch(client);
    sleep_in_loop();
    assert_status(dispatch(), 0);
    ck_assert(!is_readable());
}

static void setup(void)
{
    setup_with(SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE);
}

static void setup_spinning(void)
{
    setup_with(SHMRPC_SPIN_DEFAULT, 1000000);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    ck_assert_int_eq(close(loop), 0);
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_state_free(state);
    probe_case_end();
}

/* ---- answers ---- */

START_TEST(is_woken_by_an_answer_and_by_nothing_before)
{
    told call = {0};

    start(&call, PROBE_HOLD, 5, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 5);
    assert_status(dispatch(), 0);
    ck_assert(!is_readable());
    probe_gate_pass(&server, 1);
    ck_assert_uint_eq(run_until(1), 1);
    assert_status(call.rc, 0);
    ck_assert_uint_eq(call.value, 5);
    ck_assert(!is_readable());
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
}
END_TEST

/* One by one, each started after dispatch() has said that there is nothing: the server has to ring for each. */
START_TEST(loses_no_wake_up_of_one_call_after_another)
{
    told call = {0};
    unsigned wakes = 0;

    for (unsigned i = 1; i <= ROUNDS; i++) {
        start(&call, PROBE_ECHO, i, shmrpc_in_s(60));
        wakes += run_until(i);
        ck_assert_uint_eq(call.value, i);
    }
    /* A deadline is set once for many calls, so it may wake once for nothing. */
    ck_assert_uint_ge(wakes, ROUNDS);
    ck_assert_uint_le(wakes, ROUNDS + 2);
    ck_assert(!is_readable());
}
END_TEST

/* Where the loop waits while several are in flight, and starts more in callbacks and between them. */
START_TEST(loses_no_wake_up_of_calls_in_flight)
{
    told calls[DEPTH] = {0};
    unsigned started = 0;

    while (told_total < ROUNDS) {
        for (unsigned i = 0; i < DEPTH; i++) {
            if (started < ROUNDS && calls[i].rc != IN_FLIGHT)
                start(&calls[i], PROBE_ECHO, started++, shmrpc_in_s(60));
            if (i % 3 == 2)
                assert_status(probe_note(client, 1, shmrpc_default()), 0);
        }
        sleep_in_loop();
        assert_status(dispatch(), 0);
    }
    ck_assert_uint_eq(told_total, ROUNDS);
    assert_status(dispatch(), 0);
}
END_TEST

/* The first of several is answered while the others stay with the server: it is told at once, not with the last. */
START_TEST(is_woken_by_the_first_answer_of_several)
{
    for (unsigned i = 1; i <= 50; i++) {
        told first = {0}, held = {0};

        start(&first, PROBE_HOLD, 2 * i, shmrpc_forever());
        start(&held, PROBE_HOLD, 2 * i + 1, shmrpc_forever());
        await_true(atomic_load(&state->holding) == 2 * i);
        assert_status(dispatch(), 0);
        probe_gate_pass(&server, 1);
        (void)run_until(2 * i - 1);
        ck_assert_uint_eq(first.count, 1);
        ck_assert_uint_eq(held.count, 0);
        probe_gate_pass(&server, 1);
        (void)run_until(2 * i);
        ck_assert_uint_eq(held.value, 2 * i + 1);
    }
}
END_TEST

static void *pass_when_held(void *data)
{
    (void)data;
    await_true(atomic_load(&state->holding) == 7);
    probe_gate_pass(&server, 1);
    return NULL;
}

/* A call that sleeps takes the place of the loop's wish; the loop hears of the others all the same. */
START_TEST(a_call_that_waits_leaves_no_answer_untold)
{
    for (unsigned i = 1; i <= 50; i++) {
        told call = {0};
        uint64_t value = 0;
        pthread_t helper;

        start(&call, PROBE_HOLD, 7, shmrpc_forever());
        assert_status(dispatch(), 0);
        ck_assert_int_eq(pthread_create(&helper, NULL, pass_when_held, NULL), 0);
        assert_status(probe_echo(client, i, &value, shmrpc_default()), 0);
        ck_assert_uint_eq(value, i);
        ck_assert_int_eq(pthread_join(helper, NULL), 0);
        ck_assert_uint_eq(call.count, 0);
        (void)run_until(i);
        assert_status(call.rc, 0);
        await_true(atomic_load(&state->holding) != 7);
    }
}
END_TEST

START_TEST(messages_and_calls_that_are_waited_for_wake_nobody)
{
    shmrpc_call call = {0};
    uint64_t value = 0;

    for (unsigned i = 0; i < 30; i++)
        assert_status(probe_note(client, i + 1, shmrpc_default()), 0);
    assert_status(shmrpc_call_start(client, &call, PROBE_ECHO, &(probe_value){3}, shmrpc_default(), NULL), 0);
    await_true(atomic_load(&state->notes) == 30);
    ck_assert(!is_readable());
    assert_status(shmrpc_call_wait(&call, &value), 0);
    ck_assert_uint_eq(value, 3);
    ck_assert(!is_readable());
}
END_TEST

START_TEST(a_batch_wakes_the_loop)
{
    told calls[DEPTH] = {0};

    for (unsigned round = 1; round <= 20; round++) {
        shmrpc_client_batch_begin(client);
        for (unsigned i = 0; i < DEPTH; i++)
            start(&calls[i], PROBE_ECHO, i, shmrpc_default());
        assert_status(shmrpc_client_batch_end(client), 0);
        (void)run_until(round * DEPTH);
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        ck_assert_uint_eq(calls[i].count, 20);
        ck_assert_uint_eq(calls[i].value, i);
    }
}
END_TEST

/* ---- deadlines ---- */

START_TEST(is_woken_by_each_deadline)
{
    told late = {0}, sooner = {0}, held = {0};
    uint64_t began_ns = test_now_ns();

    start(&held, PROBE_HOLD, 1, shmrpc_forever());
    start(&late, PROBE_ECHO, 2, shmrpc_in_ms(60));
    assert_status(dispatch(), 0);
    start(&sooner, PROBE_ECHO, 3, shmrpc_in_ms(15));
    /* On a busy machine both may have passed by the time that the loop runs. */
    while (sooner.count == 0) {
        sleep_in_loop();
        assert_status(dispatch(), 0);
    }
    assert_status(sooner.rc, SHMRPC_E_TIMEOUT);
    ck_assert_uint_ge(test_now_ns() - began_ns, 15000000u);
    while (late.count == 0) {
        sleep_in_loop();
        assert_status(dispatch(), 0);
    }
    assert_status(late.rc, SHMRPC_E_TIMEOUT);
    ck_assert_uint_ge(test_now_ns() - began_ns, 60000000u);
    ck_assert_uint_eq(told_total, 2);
    ck_assert(!is_readable());
    await_true(atomic_load(&state->holding) == 1);
    probe_gate_pass(&server, 1);
    (void)run_until(3);
    assert_status(held.rc, 0);
}
END_TEST

START_TEST(a_call_that_is_cancelled_wakes_the_loop)
{
    told held = {0}, cancelled = {0};

    start(&held, PROBE_HOLD, 1, shmrpc_forever());
    start(&cancelled, PROBE_ECHO, 2, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 1);
    assert_status(dispatch(), 0);
    shmrpc_call_cancel(&cancelled.base);
    probe_gate_pass(&server, 1);
    (void)run_until(2);
    assert_status(held.rc, 0);
    assert_status(cancelled.rc, SHMRPC_E_CANCELLED);
}
END_TEST

/* ---- the end of the server ---- */

START_TEST(is_woken_by_the_death_of_the_server)
{
    told calls[3] = {0};

    start(&calls[0], PROBE_ECHO, 1, shmrpc_forever());
    (void)run_until(1);
    start(&calls[1], PROBE_HOLD, 2, shmrpc_forever());
    start(&calls[2], PROBE_ECHO, 3, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 2);
    assert_status(dispatch(), 0);
    ck_assert(!is_readable());
    probe_process_kill(&server);
    while (told_total < 3) {
        sleep_in_loop();
        (void)dispatch();
    }
    assert_status(calls[1].rc, SHMRPC_E_UNKNOWN);
    assert_status(calls[2].rc, SHMRPC_E_NOT_EXECUTED);
    assert_status(dispatch(), SHMRPC_E_UNAVAILABLE);
    sleep_in_loop();
    probe_forget("probe");
    probe_process_start(&server, &(probe_setup){.state = state});
}
END_TEST

/* A helper that it forked holds its sockets: what tells is the process. */
START_TEST(is_woken_by_a_death_although_a_child_of_the_server_lives)
{
    told call = {0};

    assert_status(shmrpc_client_call(client, PROBE_FORK, NULL, NULL, shmrpc_default()), 0);
    start(&call, PROBE_HOLD, 2, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 2);
    assert_status(dispatch(), 0);
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    while (told_total < 1) {
        sleep_in_loop();
        (void)dispatch();
    }
    assert_status(call.rc, SHMRPC_E_UNKNOWN);
    ck_assert_int_eq(atomic_load(&state->helpers), 1);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    await_true(atomic_load(&state->helpers) == 0);
    probe_forget("probe");
    probe_process_start(&server, &(probe_setup){.state = state});
}
END_TEST

/* The connection ends here, and its server, which is stopped, neither closes the lane nor ends. */
static void cut_off(void)
{
    bool is_cut = false;

    child_stop(&server.child);
    for (int fd = 0; fd < 256 && !is_cut; fd++) {
        struct sockaddr_un peer = {0};
        socklen_t length = sizeof(peer);

        is_cut = getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && strstr(peer.sun_path, "probe") != NULL &&
                 shutdown(fd, SHUT_RDWR) == 0;
    }
    ck_assert(is_cut);
    sleep_in_loop();
}

static void start_two_and_be_cut_off(told *calls)
{
    start(&calls[0], PROBE_HOLD, 2, shmrpc_forever());
    start(&calls[1], PROBE_ECHO, 3, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 2);
    assert_status(dispatch(), 0);
    cut_off();
    /* What the server has begun is not known yet, and nobody sleeps for it here. */
    for (unsigned i = 0; i < 2; i++) {
        assert_status(shmrpc_client_dispatch(client, 3), 0);
        ck_assert_uint_eq(told_total, 0);
        ck_assert(!is_readable());
    }
}

static void replace_server(void)
{
    probe_process_kill(&server);
    probe_forget("probe");
    atomic_store(&state->holding, 0);
    probe_process_start(&server, &(probe_setup){.state = state});
}

START_TEST(a_server_that_is_not_seen_to_end_is_waited_for_in_the_loop)
{
    told calls[2] = {{.count = 0}};

    start_two_and_be_cut_off(calls);
    sleep_in_loop();
    assert_status(dispatch(), SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(told_total, 2);
    assert_status(calls[0].rc, SHMRPC_E_UNKNOWN);
    assert_status(calls[1].rc, SHMRPC_E_UNKNOWN);
    for (unsigned i = 0; i < 3; i++) {
        sleep_in_loop();
        assert_status(dispatch(), SHMRPC_E_UNAVAILABLE);
    }
    replace_server();
}
END_TEST

START_TEST(a_server_that_ends_meanwhile_is_known_to_have_begun_nothing_more)
{
    told calls[2] = {{.count = 0}};

    start_two_and_be_cut_off(calls);
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    sleep_in_loop();
    assert_status(dispatch(), SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(told_total, 2);
    assert_status(calls[0].rc, SHMRPC_E_UNKNOWN);
    assert_status(calls[1].rc, SHMRPC_E_NOT_EXECUTED);
    replace_server();
}
END_TEST

START_TEST(calls_of_the_next_session_do_not_wait_for_that)
{
    told calls[2] = {{.count = 0}}, now = {.count = 0};
    probe_process old;
    unsigned rounds = 0;

    shmrpc_client_free(client);
    (void)close(loop);
    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.reconnect = true}), 0);
    watch(client);
    start_two_and_be_cut_off(calls);
    old = server;
    probe_forget("probe");
    probe_process_start(&server, &(probe_setup){.state = state});
    start(&now, PROBE_ECHO, 7, shmrpc_in_s(60));
    while (told_total < 3) {
        sleep_in_loop();
        for (int rc = 1; rc > 0; rounds++) {
            rc = shmrpc_client_dispatch(client, 1);
            ck_assert_int_ge(rc, 0);
        }
    }
    ck_assert_uint_le(rounds, 10); /* the new lane, its answer, the time; and one for each call */
    for (unsigned i = 0; i < 2; i++)
        assert_status(calls[i].rc, SHMRPC_E_UNKNOWN);
    assert_status(now.rc, 0);
    ck_assert_uint_eq(now.value, 7);
    probe_process_kill(&old);
}
END_TEST

START_TEST(is_woken_by_a_server_that_stops)
{
    told held = {0};

    start(&held, PROBE_HOLD, 2, shmrpc_forever());
    await_true(atomic_load(&state->holding) == 2);
    assert_status(dispatch(), 0);
    ck_assert_int_eq(kill(server.child.pid, SIGTERM), 0);
    probe_gate_open(&server);
    while (told_total < 1) {
        sleep_in_loop();
        (void)dispatch();
    }
    assert_status(held.rc, 0);
    for (;;) {
        int rc;

        sleep_in_loop();
        rc = dispatch();
        if (rc != 0) {
            assert_status(rc, SHMRPC_E_UNAVAILABLE);
            break;
        }
    }
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    child_expect_exit(&server.child, 0);
    probe_process_kill(&server);
    probe_process_start(&server, &(probe_setup){.state = state});
}
END_TEST

START_TEST(the_descriptor_outlives_the_connection_where_the_client_connects_again)
{
    shmrpc_client *first = client;

    (void)close(loop);
    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.reconnect = true}), 0);
    watch(client);
    for (unsigned round = 1; round <= 5; round++) {
        told call = {0}, held = {0};

        start(&call, PROBE_ECHO, round, shmrpc_default());
        (void)run_until(3 * round - 2);
        start(&held, PROBE_HOLD, round, shmrpc_forever());
        await_true(atomic_load(&state->holding) == round);
        assert_status(dispatch(), 0);
        probe_process_kill(&server);
        while (held.count == 0) {
            sleep_in_loop();
            (void)dispatch();
        }
        assert_status(held.rc, SHMRPC_E_UNKNOWN);
        assert_status(dispatch(), SHMRPC_E_UNAVAILABLE);
        probe_forget("probe");
        probe_process_start(&server, &(probe_setup){.state = state});
        start(&call, PROBE_ECHO, 100 + round, shmrpc_in_s(60));
        ck_assert_int_eq(shmrpc_client_fd(client), descriptor);
        (void)run_until(3 * round);
        ck_assert_uint_eq(call.value, 100 + round);
        /* The new lane wakes the loop at once, so its answer may be found before its poke: that is on its way no more
         * once a later call has been answered. */
        ck_assert(probe_answers_rightly(client, round, round));
        assert_status(dispatch(), 0);
        ck_assert(!is_readable());
    }
    shmrpc_client_free(first);
}
END_TEST

/* ---- threads, misuse ---- */

static void *use_a_loop_of_its_own(void *data)
{
    struct pollfd ready = {.fd = shmrpc_client_fd(client), .events = POLLIN};
    unsigned before = told_total;
    told call = {0};

    (void)data;
    ck_assert_int_ge(ready.fd, 0);
    ck_assert_int_ne(ready.fd, descriptor);
    ck_assert_int_eq(poll(&ready, 1, TEST_PATIENCE_MS), 1);
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    for (unsigned i = 1; i <= 50; i++) {
        start(&call, PROBE_ECHO, i, shmrpc_default());
        while (call.count < i) {
            ck_assert_int_eq(poll(&ready, 1, TEST_PATIENCE_MS), 1);
            assert_status(shmrpc_client_dispatch(client, 9), 0);
        }
    }
    ck_assert_uint_eq(told_total, before + 50);
    return NULL;
}

START_TEST(each_thread_has_a_descriptor_of_its_own)
{
    pthread_t thread;
    told call = {0};

    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, use_a_loop_of_its_own, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert(!is_readable());
    }
    start(&call, PROBE_ECHO, 1, shmrpc_default());
    (void)run_until(151);
}
END_TEST

/* Whoever asks reads what was to wake the loop. */
START_TEST(asking_for_the_state_takes_no_wake_up_away)
{
    for (unsigned round = 0; round < 20; round++) {
        told call = {0};

        start(&call, PROBE_HOLD, round, shmrpc_forever());
        assert_status(dispatch(), 0);
        ck_assert(!is_readable());
        probe_gate_pass(&server, 1);
        sleep_in_loop();
        ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
        ck_assert_uint_eq(run_until(round + 1), 1);
        assert_status(call.rc, 0);
    }
}
END_TEST

START_TEST(refuses_a_client_that_is_null)
{
    assert_status(shmrpc_client_fd(NULL), SHMRPC_E_MISUSE);
}
END_TEST

static Suite *event_loop_suite(void)
{
    Suite *suite = suite_create("ipc_event_loop");
    TCase *sleeping = tcase_create("sleeping"), *spinning = tcase_create("spinning");

    tcase_set_timeout(sleeping, 60);
    tcase_set_timeout(spinning, 60);
    tcase_add_checked_fixture(sleeping, setup, teardown);
    tcase_add_checked_fixture(spinning, setup_spinning, teardown);
    tcase_add_test(sleeping, is_woken_by_an_answer_and_by_nothing_before);
    tcase_add_test(sleeping, loses_no_wake_up_of_one_call_after_another);
    tcase_add_test(sleeping, loses_no_wake_up_of_calls_in_flight);
    tcase_add_test(sleeping, is_woken_by_the_first_answer_of_several);
    tcase_add_test(sleeping, a_call_that_waits_leaves_no_answer_untold);
    tcase_add_test(sleeping, messages_and_calls_that_are_waited_for_wake_nobody);
    tcase_add_test(sleeping, a_batch_wakes_the_loop);
    tcase_add_test(sleeping, is_woken_by_each_deadline);
    tcase_add_test(sleeping, a_call_that_is_cancelled_wakes_the_loop);
    tcase_add_test(sleeping, is_woken_by_the_death_of_the_server);
    tcase_add_test(sleeping, is_woken_by_a_death_although_a_child_of_the_server_lives);
    tcase_add_test(sleeping, a_server_that_is_not_seen_to_end_is_waited_for_in_the_loop);
    tcase_add_test(sleeping, a_server_that_ends_meanwhile_is_known_to_have_begun_nothing_more);
    tcase_add_test(sleeping, calls_of_the_next_session_do_not_wait_for_that);
    tcase_add_test(sleeping, is_woken_by_a_server_that_stops);
    tcase_add_test(sleeping, the_descriptor_outlives_the_connection_where_the_client_connects_again);
    tcase_add_test(sleeping, each_thread_has_a_descriptor_of_its_own);
    tcase_add_test(sleeping, asking_for_the_state_takes_no_wake_up_away);
    tcase_add_test(sleeping, refuses_a_client_that_is_null);
    tcase_add_test(spinning, loses_no_wake_up_of_one_call_after_another);
    tcase_add_test(spinning, loses_no_wake_up_of_calls_in_flight);
    tcase_add_test(spinning, a_batch_wakes_the_loop);
    suite_add_tcase(suite, sleeping);
    suite_add_tcase(suite, spinning);
    return suite;
}

TEST_MAIN(event_loop_suite)

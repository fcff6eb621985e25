/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sessions.c - each client its own state, its own place in the queue, and an identity that the kernel vouches
 * for.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

static probe_process server;

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
}

static void teardown(void)
{
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
    probe_process_stop(&server);
    probe_case_end();
}

static shmrpc_client *connect_default(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

START_TEST(keeps_a_total_for_each_client)
{
    enum { CLIENTS = 10 };
    shmrpc_client *clients[CLIENTS];
    probe_total total;

    for (uint64_t i = 0; i < CLIENTS; i++)
        clients[i] = connect_default();
    for (uint64_t round = 1; round <= 50; round++)
        for (uint64_t i = 0; i < CLIENTS; i++)
            assert_status(probe_note(clients[i], round * (i + 1), shmrpc_default()), 0);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        assert_status(probe_get_total(clients[i], &total), 0);
        ck_assert_uint_eq(total.count, 50);
        ck_assert_uint_eq(total.sum, 1275 * (i + 1));
    }
    ck_assert_uint_eq(atomic_load(&server.state->notes), 500);
    for (uint64_t i = 0; i < CLIENTS; i++)
        shmrpc_client_free(clients[i]);
}
END_TEST

START_TEST(begins_each_session_with_zeros)
{
    probe_total total;

    for (int round = 0; round < 50; round++) {
        shmrpc_client *client = connect_default();
        assert_status(probe_get_total(client, &total), 0);
        ck_assert_uint_eq(total.count, 0);
        ck_assert_uint_eq(total.sum, 0);
        assert_status(probe_note(client, UINT64_MAX, shmrpc_default()), 0);
        shmrpc_client_free(client);
    }
    await_true(atomic_load(&server.state->disconnected) == 50);
    /* What was sent before a client closed was delivered. */
    ck_assert_uint_eq(atomic_load(&server.state->notes), 50);
}
END_TEST

START_TEST(says_once_that_a_client_came_and_once_that_it_left)
{
    uint64_t last = 0;

    for (uint64_t i = 1; i <= 30; i++) {
        shmrpc_client *client = connect_default();
        assert_status(probe_ping(client, shmrpc_default()), 0);
        ck_assert_uint_eq(atomic_load(&server.state->connected), i);
        ck_assert_uint_eq(atomic_load(&server.state->disconnected), i - 1);
        ck_assert_uint_gt(atomic_load(&server.state->last_session), last);
        last = atomic_load(&server.state->last_session);
        shmrpc_client_free(client);
        await_true(atomic_load(&server.state->disconnected) == i);
    }
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]), 30);
}
END_TEST

static int connect_and_report(child_link *link, void *data)
{
    shmrpc_client *client = NULL;

    (void)data;
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    child_check(probe_ping(client, shmrpc_default()) == 0, "ping");
    link_signal(link, 'c');
    link_await(link, 'x');
    shmrpc_client_free(client);
    return 0;
}

START_TEST(knows_who_its_client_is)
{
    child client;

    child_spawn(&client, connect_and_report, NULL);
    link_await(&client.link, 'c');
    ck_assert_int_eq(atomic_load(&server.state->peer_pid), client.pid);
    ck_assert_uint_eq(atomic_load(&server.state->peer_uid), getuid());
    ck_assert_uint_eq(atomic_load(&server.state->peer_gid), getgid());
    link_signal(&client.link, 'x');
    child_expect_exit(&client, 0);
    await_true(atomic_load(&server.state->disconnected) == 1);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    uint64_t value;
    int status;
    uint64_t reply;
} caller;

static void *hold_main(void *data)
{
    caller *self = data;
    shmrpc_client *client = NULL;

    self->status = probe_connect(&client, "probe", NULL);
    if (self->status == 0)
        self->status = probe_hold(client, self->value, &self->reply, shmrpc_in_s(20));
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(answers_those_who_waited_behind_a_slow_handler)
{
    enum { CLIENTS = 8 };
    shmrpc_client *clients[CLIENTS];
    caller slow = {.value = 31};
    uint64_t reply;

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_default();
    ck_assert_int_eq(pthread_create(&slow.thread, NULL, hold_main, &slow), 0);
    await_true(atomic_load(&server.state->holding) == 31);
    for (uint64_t i = 0; i < CLIENTS; i++)
        assert_status(probe_note(clients[i], i + 1, shmrpc_default()), 0);
    assert_status(probe_echo(clients[0], 1, &reply, shmrpc_in_ms(20)), SHMRPC_E_TIMEOUT);
    probe_gate_open(&server);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        probe_total total;
        assert_status(probe_get_total(clients[i], &total), 0);
        ck_assert_uint_eq(total.sum, i + 1);
    }
    ck_assert_int_eq(pthread_join(slow.thread, NULL), 0);
    assert_status(slow.status, 0);
    ck_assert_uint_eq(slow.reply, 31);
    for (int i = 0; i < CLIENTS; i++)
        shmrpc_client_free(clients[i]);
}
END_TEST

typedef struct flood {
    pthread_t thread;
    _Atomic(bool) end;
    uint64_t sent;
    int status;
} flood;

static void *flood_main(void *data)
{
    flood *self = data;
    shmrpc_client *client = NULL;

    self->status = probe_connect(&client, "probe", &(shmrpc_client_options){.depth = 4096});
    while (self->status == 0 && !atomic_load(&self->end)) {
        self->status = probe_note(client, 1, shmrpc_in_s(20));
        self->sent++;
    }
    shmrpc_client_free(client);
    return NULL;
}

/* One ring that is never empty does not keep the server from the others. */
START_TEST(answers_others_while_one_client_floods)
{
    flood flooder = {0};
    shmrpc_client *client = connect_default();

    ck_assert_int_eq(pthread_create(&flooder.thread, NULL, flood_main, &flooder), 0);
    await_true(atomic_load(&server.state->notes) > 1000);
    for (int i = 0; i < 50; i++) {
        uint64_t begin_ns = test_now_ns();
        ck_assert(probe_answers_rightly(client, 10 + (uint64_t)i, 1));
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
    }
    /* New ones get in too. */
    shmrpc_client *late = connect_default();
    ck_assert(probe_answers_rightly(late, 5, 5));
    shmrpc_client_free(late);
    atomic_store(&flooder.end, true);
    ck_assert_int_eq(pthread_join(flooder.thread, NULL), 0);
    assert_status(flooder.status, 0);
    await_true(atomic_load(&server.state->notes) == flooder.sent);
    shmrpc_client_free(client);
}
END_TEST

/*
 * What one client has sent before another is not all handled before it: a lane gets a bounded share of each pass, and
 * who rings is heard after 50 us at the latest, in which the server handles perhaps a thousand.
 */
START_TEST(takes_turns_between_clients_that_have_sent_much)
{
    enum { MUCH = 4000 };
    shmrpc_client *greedy = NULL, *modest;

    if (probe_skips_semaphores("a ring is heard only once a thread of the server has been scheduled"))
        return;
    modest = connect_default();
    assert_status(probe_connect(&greedy, "probe", &(shmrpc_client_options){.depth = 4096}), 0);
    for (uint64_t round = 1; round <= 20; round++) {
        assert_status(probe_ping(modest, shmrpc_default()), 0);
        assert_status(probe_ping(greedy, shmrpc_default()), 0);
        child_stop(&server.child);
        uint64_t before = atomic_load(&server.state->notes);
        for (int i = 0; i < MUCH; i++)
            assert_status(probe_note(greedy, 1, shmrpc_default()), 0);
        assert_status(probe_note(modest, 0, shmrpc_default()), 0);
        child_continue(&server.child);
        await_true(atomic_load(&server.state->notes) == before + MUCH + 1);
        ck_assert_uint_lt(atomic_load(&server.state->notes_at_mark) - before, MUCH * 3 / 4);
    }
    shmrpc_client_free(greedy);
    shmrpc_client_free(modest);
}
END_TEST

START_TEST(starts_and_ends_without_callbacks_and_state)
{
    const shmrpc_server_binding binding = {.service = &probe_service, .operations = &binding};
    shmrpc_server plain;

    assert_status(shmrpc_server_init(&plain, &binding, "plain", NULL), 0);
    ck_assert_uint_eq(shmrpc_server_counters(&plain).sessions_accepted, 0);
    shmrpc_server_deinit(&plain);
}
END_TEST

static Suite *sessions_suite(void)
{
    Suite *suite = suite_create("ipc_sessions");
    TCase *tests = tcase_create("sessions");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 40);
    tcase_add_test(tests, keeps_a_total_for_each_client);
    tcase_add_test(tests, begins_each_session_with_zeros);
    tcase_add_test(tests, says_once_that_a_client_came_and_once_that_it_left);
    tcase_add_test(tests, knows_who_its_client_is);
    tcase_add_test(tests, answers_those_who_waited_behind_a_slow_handler);
    tcase_add_test(tests, answers_others_while_one_client_floods);
    tcase_add_test(tests, takes_turns_between_clients_that_have_sent_much);
    tcase_add_test(tests, starts_and_ends_without_callbacks_and_state);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(sessions_suite)

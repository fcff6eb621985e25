/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_server_dies.c - kill -9 of a server: every caller gets one exact outcome, soon, and keeps nothing.
 *
 * "Soon" is TEST_SOON_NS. It is generous for machines that are busy; what hangs, hangs for longer.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "joiners.h"
#include "probe_server.h"
#include "rest.h"
#include "unanswered.h"

static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_FOREVER};
#define SPINS ((int)(sizeof(spins) / sizeof(spins[0])))

static probe_process server;
static probe_state *state;

static void start_server(void)
{
    probe_process_start(&server, &(probe_setup){.state = state});
}

static void setup(void)
{
    probe_case_begin();
    state = probe_state_new();
    start_server();
}

static void teardown(void)
{
    /* What a dead server has left in the folder is the next one's to remove. */
    probe_process_kill(&server);
    start_server();
    probe_process_stop(&server);
    probe_state_free(state);
    probe_case_end();
}

static void kill_server(void)
{
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
}

static shmrpc_client *connect_spinning(int64_t spin_ns)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spin_ns}), 0);
    return client;
}

/*
 * A thread with one call that waits for ever, unless somebody tells it that the server is gone.
 * It connects, waits to be let go, calls, and looks at what it has then.
 */
typedef struct caller {
    pthread_t thread;
    int64_t spin_ns;
    uint32_t method;
    uint64_t value;
    _Atomic(pid_t) tid;
    _Atomic(int) step;
    int status;
    uint64_t reply;
    shmrpc_client_condition condition;
    int later_status;
} caller;

enum { STEP_CONNECTED = 1, STEP_GO, STEP_ENDED };

static void *caller_main(void *data)
{
    caller *self = data;
    shmrpc_client *client = NULL;

    atomic_store(&self->tid, gettid());
    self->status = probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = self->spin_ns});
    if (self->status == 0)
        self->status = probe_ping(client, shmrpc_default());
    atomic_store(&self->step, STEP_CONNECTED);
    while (atomic_load(&self->step) == STEP_CONNECTED)
        await_pause();
    if (self->status == 0) {
        self->status = shmrpc_client_call(client, self->method, &self->value, &self->reply, shmrpc_forever());
        self->later_status = probe_ping(client, shmrpc_forever());
        self->condition = shmrpc_client_state(client);
    }
    atomic_store(&self->step, STEP_ENDED);
    shmrpc_client_free(client);
    return NULL;
}

static void caller_start(caller *self, int64_t spin_ns, uint32_t method, uint64_t value)
{
    *self = (caller){.spin_ns = spin_ns, .method = method, .value = value};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, caller_main, self), 0);
    await_true(atomic_load(&self->step) == STEP_CONNECTED);
    assert_status(self->status, 0);
}

/* Begins the call, and waits until it is published and, where it ever does, its caller sleeps. */
static void caller_go(caller *self)
{
    const unsigned int before = unanswered_count(SHMRPC_LANE_DEPTH);

    atomic_store(&self->step, STEP_GO);
    unanswered_await(SHMRPC_LANE_DEPTH, before + 1);
    if (self->spin_ns != SHMRPC_SPIN_FOREVER)
        await_true(rest_is_asleep(atomic_load(&self->tid)));
}

static void caller_join(caller *self, uint64_t since_ns)
{
    await_true(atomic_load(&self->step) == STEP_ENDED);
    ck_assert_uint_lt(test_now_ns() - since_ns, TEST_SOON_NS);
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
    ck_assert_int_eq(self->condition, SHMRPC_CLIENT_GONE);
    ck_assert_int_eq(self->later_status, SHMRPC_E_NOT_SENT);
}

START_TEST(says_unknown_of_a_call_that_a_handler_had_begun)
{
    caller held;

    caller_start(&held, spins[_i], PROBE_HOLD, 5);
    caller_go(&held);
    await_true(atomic_load(&state->holding) == 5);
    uint64_t since_ns = test_now_ns();
    kill_server();
    caller_join(&held, since_ns);
    ck_assert_int_eq(held.status, SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(held.reply, 0);
}
END_TEST

START_TEST(says_not_executed_of_a_call_that_waited_behind_another_client)
{
    caller held, waiting;

    caller_start(&held, SHMRPC_SPIN_NONE, PROBE_HOLD, 6);
    caller_start(&waiting, spins[_i], PROBE_ECHO, 7);
    caller_go(&held);
    await_true(atomic_load(&state->holding) == 6);
    uint64_t begun = atomic_load(&state->begun);
    caller_go(&waiting);
    uint64_t since_ns = test_now_ns();
    kill_server();
    caller_join(&waiting, since_ns);
    caller_join(&held, since_ns);
    ck_assert_int_eq(held.status, SHMRPC_E_UNKNOWN);
    ck_assert_int_eq(waiting.status, SHMRPC_E_NOT_EXECUTED);
    ck_assert_uint_eq(atomic_load(&state->begun), begun);
}
END_TEST

START_TEST(says_not_executed_of_a_call_that_a_stopped_server_never_saw)
{
    caller unseen;

    caller_start(&unseen, spins[_i], PROBE_ECHO, 8);
    child_stop(&server.child);
    uint64_t begun = atomic_load(&state->begun);
    caller_go(&unseen);
    uint64_t since_ns = test_now_ns();
    kill_server();
    caller_join(&unseen, since_ns);
    ck_assert_int_eq(unseen.status, SHMRPC_E_NOT_EXECUTED);
    ck_assert_uint_eq(atomic_load(&state->begun), begun);
}
END_TEST

START_TEST(says_not_sent_of_a_call_after_the_server_s_death)
{
    shmrpc_client *client = connect_spinning(spins[_i]);
    uint64_t reply = 3;

    ck_assert(probe_answers_rightly(client, 1, 5));
    kill_server();
    uint64_t since_ns = test_now_ns();
    int rc = probe_echo(client, 1, &reply, shmrpc_forever());
    /* Nobody had told the client: it may have been sent into the void, but surely nothing ran. */
    ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
    ck_assert_uint_lt(test_now_ns() - since_ns, TEST_SOON_NS);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    assert_status(probe_echo(client, 1, &reply, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    assert_status(probe_note(client, 1, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    ck_assert_uint_eq(reply, 3);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(ends_a_wait_for_room_in_a_full_ring)
{
    shmrpc_client *client = NULL;
    uint64_t since_ns = test_now_ns();

    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spins[_i], .depth = 2}), 0);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    child_stop(&server.child);
    assert_status(probe_note(client, 1, shmrpc_in_ms(5)), 0);
    assert_status(probe_note(client, 1, shmrpc_in_ms(5)), 0);
    assert_status(probe_note(client, 1, shmrpc_in_ms(5)), SHMRPC_E_NOT_SENT);
    kill_server();
    assert_status(probe_note(client, 1, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    ck_assert_uint_lt(test_now_ns() - since_ns, TEST_SOON_NS);
    shmrpc_client_free(client);
}
END_TEST

static int call_and_report(child_link *link, void *data)
{
    shmrpc_client *client = NULL;
    uint64_t reply = 0;

    (void)data;
    child_check(probe_connect(&client, "probe", NULL) == 0, "connect");
    link_signal(link, 'c');
    int rc = probe_hold(client, 9, &reply, shmrpc_forever());
    shmrpc_client_free(client);
    return rc == 0 && reply == 9 ? 0 : 1;
}

/* Its sockets stay open in there: only the end of the process itself tells. */
START_TEST(hears_of_a_death_although_a_child_of_the_server_lives)
{
    caller held, waiting;
    shmrpc_client *client = connect_spinning(spins[_i]);

    caller_start(&held, spins[_i], PROBE_HOLD, 5);
    caller_start(&waiting, SHMRPC_SPIN_NONE, PROBE_ECHO, 6);
    assert_status(shmrpc_client_call(client, PROBE_FORK, NULL, NULL, shmrpc_default()), 0);
    caller_go(&held);
    await_true(atomic_load(&state->holding) == 5);
    caller_go(&waiting);
    uint64_t since_ns = test_now_ns();
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    caller_join(&held, since_ns);
    caller_join(&waiting, since_ns);
    ck_assert_int_eq(held.status, SHMRPC_E_UNKNOWN);
    ck_assert_int_eq(waiting.status, SHMRPC_E_NOT_EXECUTED);
    ck_assert_int_eq(atomic_load(&state->helpers), 1);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    shmrpc_client_free(client);
    /* The helper has the listening socket, too: the name is free once it is gone. */
    await_true(atomic_load(&state->helpers) == 0);
}
END_TEST

START_TEST(gives_a_reply_that_was_published_before_the_death)
{
    child client;
    shmrpc_client *witness = connect_spinning(SHMRPC_SPIN_DEFAULT);

    child_spawn(&client, call_and_report, NULL);
    link_await(&client.link, 'c');
    await_true(atomic_load(&state->holding) == 9);
    child_stop(&client);
    probe_gate_pass(&server, 1);
    /* The next handler begins after the last one's reply. */
    assert_status(probe_ping(witness, shmrpc_default()), 0);
    kill_server();
    child_continue(&client);
    child_expect_exit(&client, 0);
    shmrpc_client_free(witness);
}
END_TEST

START_TEST(frees_everything_of_a_client_whose_server_is_dead)
{
    enum { CLIENTS = 30 };
    shmrpc_client *clients[CLIENTS];
    counts before;
    uint64_t reply;

    counts_take(&before);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = connect_spinning(spins[i % 2]);
        ck_assert(probe_answers_rightly(clients[i], 1, 3));
    }
    assert_status(probe_hold(clients[0], 1, &reply, shmrpc_in_ms(50)), SHMRPC_E_TIMEOUT);
    /* The child goes as well, and its gate; they were there before. */
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 != 0)
            await_true(shmrpc_client_state(clients[i]) == SHMRPC_CLIENT_GONE);
        shmrpc_client_free(clients[i]);
    }
    counts_expect_same(&before);
    child_expect_signal(&server.child, SIGKILL);
}
END_TEST

START_TEST(leaves_a_name_that_the_next_server_takes)
{
    shmrpc_client *old = connect_spinning(SHMRPC_SPIN_DEFAULT), *new = NULL;

    for (int round = 0; round < 20; round++) {
        assert_status(probe_ping(old, shmrpc_default()), 0);
        kill_server();
        /* The socket is still there, and nobody listens. */
        ck_assert_uint_ge(runtime_dir_entries(), 1);
        assert_status(probe_connect(&new, "probe", NULL), SHMRPC_E_UNAVAILABLE);
        start_server();
        assert_status(probe_connect(&new, "probe", NULL), 0);
        ck_assert(probe_answers_rightly(new, 5, 3));
        uint64_t reply;
        int rc = probe_echo(old, 1, &reply, shmrpc_forever());
        ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
        shmrpc_client_free(old);
        old = new;
        new = NULL;
    }
    shmrpc_client_free(old);
}
END_TEST

/* ---- under load, at random moments ---- */

typedef struct hammer {
    pthread_t thread;
    unsigned int seed;
    _Atomic(bool) warm;
    uint64_t answered, unknown, not_executed, not_sent, wrong;
} hammer;

static void *hammer_main(void *data)
{
    hammer *self = data;
    shmrpc_client *client = NULL;
    probe_blob request, reply;

    if (probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spins[self->seed % 2]}) != 0) {
        self->wrong++;
        atomic_store(&self->warm, true);
        return NULL;
    }
    for (uint64_t i = 0; self->unknown + self->not_executed + self->not_sent + self->wrong == 0; i++) {
        uint64_t value = (uint64_t)self->seed << 32 | i, answer = ~value;
        int rc;
        bool right;
        if (i % 3 == 0) {
            uint32_t length = (uint32_t)(i % (PROBE_BLOB_MAX + 1));
            probe_blob_fill(&request, value, length);
            rc = shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_in_s(15));
            right = rc != 0 || probe_blob_answers(&reply, value, length);
        } else {
            rc = probe_echo(client, value, &answer, shmrpc_in_s(15));
            right = rc != 0 || answer == value;
        }
        if (!right) {
            self->wrong++;
            break;
        }
        switch (rc) {
        case 0: self->answered++; break;
        case SHMRPC_E_UNKNOWN: self->unknown++; break;
        case SHMRPC_E_NOT_EXECUTED: self->not_executed++; break;
        case SHMRPC_E_NOT_SENT: self->not_sent++; break;
        default:
            fprintf(stderr, "call %llu: %s (%s)\n", (unsigned long long)i, shmrpc_status_text(rc), shmrpc_last_error());
            self->wrong++;
        }
        if (i == 30)
            atomic_store(&self->warm, true);
    }
    atomic_store(&self->warm, true);
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(tells_each_caller_exactly_what_became_of_its_call)
{
    enum { HAMMERS = 4, ROUNDS = 40 };
    hammer hammers[HAMMERS];
    unsigned int random = 12345;

    for (unsigned int round = 0; round < ROUNDS; round++) {
        uint64_t begun_before = atomic_load(&state->begun);
        for (unsigned int i = 0; i < HAMMERS; i++) {
            hammers[i] = (hammer){.seed = round * HAMMERS + i};
            ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL, hammer_main, &hammers[i]), 0);
        }
        for (unsigned int i = 0; i < HAMMERS; i++)
            await_true(atomic_load(&hammers[i].warm));
        uint64_t until_ns = test_now_ns() + (uint64_t)rand_r(&random) % 3000000;
        while (test_now_ns() < until_ns)
            ;
        ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
        uint64_t since_ns = test_now_ns(), answered = 0, unknown = 0;
        for (unsigned int i = 0; i < HAMMERS; i++) {
            ck_assert_int_eq(pthread_join(hammers[i].thread, NULL), 0);
            ck_assert_uint_eq(hammers[i].wrong, 0);
            answered += hammers[i].answered;
            unknown += hammers[i].unknown;
        }
        ck_assert_uint_lt(test_now_ns() - since_ns, TEST_SOON_NS);
        child_expect_signal(&server.child, SIGKILL);
        probe_process_kill(&server);
        /* What was answered ran; what ran was answered or is unknown. One server has one call in its hands. */
        uint64_t begun = atomic_load(&state->begun) - begun_before;
        ck_assert_uint_ge(begun, answered);
        ck_assert_uint_le(begun, answered + unknown);
        ck_assert_uint_le(begun - answered, 1);
        start_server();
    }
}
END_TEST

/* ---- while clients connect ---- */

START_TEST(tells_those_who_connect_that_it_is_unavailable)
{
    enum { ROUNDS = 25 };
    unsigned int random = 99;
    child joiners;

    probe_process_kill(&server);
    joiners_start(&joiners, JOINERS_SEE_DEATHS);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t connected = atomic_load(&state->connected);
        start_server();
        await_true(atomic_load(&state->connected) > connected + 3);
        uint64_t until_ns = test_now_ns() + (uint64_t)rand_r(&random) % 2000000;
        while (test_now_ns() < until_ns)
            ;
        probe_process_kill(&server);
    }
    joiners_end(&joiners);
}
END_TEST

static Suite *server_dies_suite(void)
{
    Suite *suite = suite_create("crash_server_dies");
    TCase *tests = tcase_create("server dies");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, says_unknown_of_a_call_that_a_handler_had_begun, 0, SPINS);
    tcase_add_loop_test(tests, says_not_executed_of_a_call_that_waited_behind_another_client, 0, SPINS);
    tcase_add_loop_test(tests, says_not_executed_of_a_call_that_a_stopped_server_never_saw, 0, SPINS);
    tcase_add_loop_test(tests, says_not_sent_of_a_call_after_the_server_s_death, 0, SPINS);
    tcase_add_loop_test(tests, ends_a_wait_for_room_in_a_full_ring, 0, SPINS);
    tcase_add_loop_test(tests, hears_of_a_death_although_a_child_of_the_server_lives, 0, SPINS);
    tcase_add_test(tests, gives_a_reply_that_was_published_before_the_death);
    tcase_add_test(tests, frees_everything_of_a_client_whose_server_is_dead);
    tcase_add_test(tests, leaves_a_name_that_the_next_server_takes);
    tcase_add_test(tests, tells_each_caller_exactly_what_became_of_its_call);
    tcase_add_test(tests, tells_those_who_connect_that_it_is_unavailable);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(server_dies_suite)

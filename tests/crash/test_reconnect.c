/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reconnect.c - clients with `reconnect` outlive their servers: a new session each time, what was in flight is
 * told exactly, and only what may be made again is made again.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"
#include "unanswered.h"

#define MS UINT64_C(1000000)

static const shmrpc_client_options reconnecting = {.reconnect = true};
static const shmrpc_client_options repeating = {.reconnect = true, .retry_idempotent = true};

static probe_process server;
static probe_state *state;
static probe_schema schema; /* the probe's, where ECHO and HOLD are @idempotent */

static void start_server(void)
{
    probe_process_start(&server, &(probe_setup){.state = state});
}

static void kill_server(void)
{
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    atomic_store(&state->holding, 0);
}

static void setup(void)
{
    probe_case_begin();
    state = probe_state_new();
    probe_schema_init(&schema);
    schema.methods[PROBE_ECHO].flags |= SHMRPC_METHOD_IDEMPOTENT;
    schema.methods[PROBE_HOLD].flags |= SHMRPC_METHOD_IDEMPOTENT;
    start_server();
}

static void teardown(void)
{
    probe_process_kill(&server);
    start_server();
    probe_process_stop(&server);
    probe_state_free(state);
    probe_case_end();
}

static shmrpc_client *connect_with(const shmrpc_client_options *options)
{
    shmrpc_client *client = NULL;

    assert_status(shmrpc_client_connect(&client, "probe", &schema.info, options), 0);
    return client;
}

static uint64_t total_of(shmrpc_client *client)
{
    probe_total total = {0};

    assert_status(probe_get_total(client, &total), 0);
    return total.count;
}

/* Told of the end before it calls, so that the call is not in flight. */
static void await_loss(shmrpc_client *client)
{
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
}

START_TEST(connects_again_with_a_new_session)
{
    shmrpc_client *client = connect_with(&reconnecting);

    for (uint64_t round = 1; round <= 5; round++) {
        for (uint64_t i = 0; i < 3; i++)
            assert_status(probe_note(client, i + 1, shmrpc_default()), 0);
        ck_assert_uint_eq(total_of(client), 3);
        ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
        kill_server();
        await_loss(client);
        start_server();
        /* The state of the session went with its server; connected() has run anew. */
        ck_assert_uint_eq(total_of(client), 0);
        ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
        ck_assert_uint_eq(atomic_load(&state->connected), round + 1);
        ck_assert(probe_answers_rightly(client, 1, 20));
    }
    shmrpc_client_free(client);
}
END_TEST

START_TEST(connects_again_after_a_stop_in_good_order)
{
    shmrpc_client *client = connect_with(&reconnecting);

    assert_status(probe_note(client, 1, shmrpc_default()), 0);
    probe_process_stop(&server);
    await_loss(client);
    start_server();
    ck_assert_uint_eq(total_of(client), 0);
    ck_assert(probe_answers_rightly(client, 1, 20));
    shmrpc_client_free(client);
}
END_TEST

START_TEST(does_not_connect_again_unless_it_was_asked_to)
{
    shmrpc_client *client = connect_with(NULL);
    uint64_t reply = 3;

    kill_server();
    start_server();
    int rc = probe_echo(client, 1, &reply, shmrpc_default());
    ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
    assert_status(probe_echo(client, 1, &reply, shmrpc_default()), SHMRPC_E_NOT_SENT);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    ck_assert_uint_eq(atomic_load(&state->connected), 1);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(says_not_sent_where_no_server_comes_before_the_deadline)
{
    shmrpc_client *client = connect_with(_i == 0 ? &reconnecting : &repeating);
    uint64_t reply = 3, before;

    kill_server();
    await_loss(client);
    uint64_t begun = atomic_load(&state->begun);
    for (int i = 0; i < 3; i++) {
        before = test_now_ns();
        assert_status(probe_echo(client, 1, &reply, shmrpc_in_ms(150)), SHMRPC_E_NOT_SENT);
        ck_assert_uint_ge(test_now_ns() - before, 140 * MS);
        ck_assert_uint_lt(test_now_ns() - before, TEST_SOON_NS);
        ck_assert_msg(strstr(shmrpc_last_error(), "no other could be had in time") != NULL, "%s", shmrpc_last_error());
        assert_status(probe_note(client, 1, shmrpc_in_ms(1)), SHMRPC_E_NOT_SENT);
    }
    ck_assert_uint_eq(reply, 3);
    ck_assert_uint_eq(atomic_load(&state->begun), begun);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_RECONNECTING);
    start_server();
    ck_assert(probe_answers_rightly(client, 1, 20));
    shmrpc_client_free(client);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    shmrpc_client *client;
    uint32_t method;
    shmrpc_deadline deadline;
    uint64_t value, reply;
    int status;
    char text[256];
} caller;

static void *caller_main(void *data)
{
    caller *self = data;

    self->status = shmrpc_client_call(self->client, self->method, &self->value, &self->reply, self->deadline);
    snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
    return NULL;
}

static void caller_start(caller *self, shmrpc_client *client, uint32_t method, uint64_t value, shmrpc_deadline deadline)
{
    *self = (caller){.client = client, .method = method, .value = value, .deadline = deadline, .status = 1};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, caller_main, self), 0);
}

static void caller_join(caller *self)
{
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
}

START_TEST(waits_for_the_server_within_its_deadline)
{
    shmrpc_client *client = connect_with(&reconnecting);
    caller self;

    kill_server();
    await_loss(client);
    caller_start(&self, client, PROBE_ECHO, 11, shmrpc_in_s(20));
    for (int i = 0; i < 300; i++) /* some attempts fail */
        await_pause();
    start_server();
    caller_join(&self);
    assert_status(self.status, 0);
    ck_assert_uint_eq(self.reply, 11);
    shmrpc_client_free(client);
}
END_TEST

/* The first is told, as without the option; the next call has a new session. */
START_TEST(tells_of_a_call_that_was_in_flight_and_does_not_make_it_again)
{
    shmrpc_client *client = connect_with(_i == 0 ? &reconnecting : &repeating);
    caller self;

    if (_i == 1)
        schema.methods[PROBE_HOLD].flags &= ~SHMRPC_METHOD_IDEMPOTENT;
    caller_start(&self, client, PROBE_HOLD, 7, shmrpc_in_s(20));
    await_true(atomic_load(&state->holding) == 7);
    kill_server();
    start_server();
    caller_join(&self);
    assert_status(self.status, SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(self.reply, 0);
    ck_assert_uint_eq(atomic_load(&state->begun), 1);
    ck_assert(probe_answers_rightly(client, 1, 20));
    shmrpc_client_free(client);
}
END_TEST

START_TEST(makes_an_idempotent_call_again_where_it_may)
{
    shmrpc_client *client = connect_with(&repeating);
    caller self;

    caller_start(&self, client, PROBE_HOLD, 7, shmrpc_in_s(20));
    for (int round = 0; round < 4; round++) {
        await_true(atomic_load(&state->holding) == 7);
        kill_server();
        start_server();
    }
    await_true(atomic_load(&state->holding) == 7);
    probe_gate_pass(&server, 1);
    caller_join(&self);
    assert_status(self.status, 0);
    ck_assert_uint_eq(self.reply, 7);
    ck_assert_uint_eq(atomic_load(&state->begun), 5);
    ck_assert_uint_eq(atomic_load(&state->connected), 5);
    shmrpc_client_free(client);
}
END_TEST

/* An attempt may have run: that the next one was not sent does not undo it. */
START_TEST(says_unknown_where_an_earlier_attempt_may_have_run)
{
    shmrpc_client *client = connect_with(&repeating);
    caller self;

    caller_start(&self, client, PROBE_HOLD, 7, shmrpc_in_s(2));
    await_true(atomic_load(&state->holding) == 7);
    kill_server();
    caller_join(&self);
    assert_status(self.status, SHMRPC_E_UNKNOWN);
    ck_assert_msg(strstr(self.text, "an earlier attempt may have run") != NULL, "%s", self.text);
    start_server();
    shmrpc_client_free(client);
}
END_TEST

START_TEST(makes_a_call_again_that_no_handler_had_begun)
{
    shmrpc_client *client = connect_with(&repeating);
    caller self;

    assert_status(probe_ping(client, shmrpc_default()), 0);
    shmrpc_client_free(client);
    client = connect_with(&repeating);
    child_stop(&server.child);
    caller_start(&self, client, PROBE_ECHO, 9, shmrpc_in_s(20));
    unanswered_await(SHMRPC_LANE_DEPTH, 1);
    kill_server();
    start_server();
    caller_join(&self);
    assert_status(self.status, 0);
    ck_assert_uint_eq(self.reply, 9);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(tells_a_server_with_another_schema_from_none)
{
    shmrpc_client *client = connect_with(&reconnecting);
    probe_schema other;
    uint64_t reply, before;

    probe_schema_init(&other);
    other.methods[PROBE_ECHO].fingerprint ^= 1;
    other.info.flags = _i == 0 ? SHMRPC_SERVICE_STRICT : 0;
    kill_server();
    await_loss(client);
    probe_process_start(&server, &(probe_setup){.state = state, .service = &other.info});
    before = test_now_ns();
    assert_status(probe_echo(client, 1, &reply, shmrpc_in_s(20)), _i == 0 ? SHMRPC_E_NOT_SENT : SHMRPC_E_MISMATCH);
    ck_assert_uint_lt(test_now_ns() - before, TEST_SOON_NS);
    ck_assert_msg(strstr(shmrpc_last_error(), "echo") != NULL, "%s", shmrpc_last_error());
    assert_status(probe_ping(client, shmrpc_in_ms(200)), _i == 0 ? SHMRPC_E_NOT_SENT : 0);
    kill_server();
    start_server();
    ck_assert(probe_answers_rightly(client, 1, 20));
    shmrpc_client_free(client);
}
END_TEST

/* The server numbers the methods that the client has, and the next server otherwise. */
START_TEST(learns_the_numbers_of_the_next_server)
{
    shmrpc_client *client = connect_with(&reconnecting);
    probe_schema other;
    uint64_t reply = 0;

    probe_schema_init(&other);
    shmrpc_method_info absent = other.methods[PROBE_ECHO];
    absent.name = "renamed";
    other.methods[PROBE_ECHO] = absent;
    assert_status(probe_echo(client, 4, &reply, shmrpc_default()), 0);
    kill_server();
    await_loss(client);
    probe_process_start(&server, &(probe_setup){.state = state, .service = &other.info});
    assert_status(probe_echo(client, 1, &reply, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    kill_server();
    start_server();
    await_loss(client);
    assert_status(probe_echo(client, 5, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply, 5);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(frees_everything_while_there_is_no_server)
{
    shmrpc_client *client = connect_with(&reconnecting);
    counts with, before;
    uint64_t reply;

    shmrpc_client_free(client);
    counts_take(&before);
    client = connect_with(&reconnecting);
    counts_take(&with);
    for (int round = 0; round < 10; round++) {
        probe_process_stop(&server);
        await_loss(client);
        assert_status(probe_echo(client, 1, &reply, shmrpc_in_ms(20)), SHMRPC_E_NOT_SENT);
        start_server();
        ck_assert(probe_answers_rightly(client, 1, 3));
        counts_expect_same(&with);
    }
    shmrpc_client_free(client);
    counts_expect_same(&before);
}
END_TEST

static int use_in_the_child(child_link *link, void *data)
{
    shmrpc_client *client = data;
    uint64_t reply;

    (void)link;
    child_check(probe_echo(client, 1, &reply, shmrpc_in_ms(100)) == SHMRPC_E_FORKED, "not FORKED");
    child_check(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE, "not GONE");
    shmrpc_client_free(client);
    return 0;
}

START_TEST(does_not_connect_again_in_a_forked_child)
{
    shmrpc_client *client = connect_with(&reconnecting);
    child forked;

    ck_assert(probe_answers_rightly(client, 1, 3));
    kill_server();
    await_loss(client);
    child_spawn(&forked, use_in_the_child, client);
    child_expect_exit(&forked, 0);
    start_server();
    ck_assert(probe_answers_rightly(client, 1, 3));
    shmrpc_client_free(client);
}
END_TEST

/* ---- under load, at random moments ---- */

typedef struct hammer {
    pthread_t thread;
    unsigned int seed;
    _Atomic(bool) *stop;
    _Atomic(uint64_t) calls;
    uint64_t answered, unknown, not_executed, wrong;
} hammer;

static void *hammer_main(void *data)
{
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_FOREVER};
    hammer *self = data;
    shmrpc_client_options options = repeating;
    shmrpc_client *client = NULL;

    options.spin_ns = spins[self->seed % 2];
    if (shmrpc_client_connect(&client, "probe", &schema.info, &options) != 0) {
        self->wrong++;
        return NULL;
    }
    for (uint64_t i = 0; !atomic_load(self->stop) && self->wrong == 0; i++) {
        uint64_t value = (uint64_t)self->seed << 32 | i, reply = ~value;
        int rc;

        if (i % 3 == 0) {
            /* Not to be made again: one outcome, and all of them are possible but NOT_SENT. */
            probe_blob request, answer;
            uint32_t length = (uint32_t)(i % 100);

            probe_blob_fill(&request, value, length);
            rc = shmrpc_client_call(client, PROBE_BLOB, &request, &answer, shmrpc_in_s(20));
            self->wrong += rc == 0 && !probe_blob_answers(&answer, value, length);
            self->answered += rc == 0;
            self->unknown += rc == SHMRPC_E_UNKNOWN;
            self->not_executed += rc == SHMRPC_E_NOT_EXECUTED;
            self->wrong += rc != 0 && rc != SHMRPC_E_UNKNOWN && rc != SHMRPC_E_NOT_EXECUTED;
        } else {
            rc = probe_echo(client, value, &reply, shmrpc_in_s(20));
            self->wrong += rc != 0 || reply != value;
        }
        if (self->wrong != 0)
            fprintf(stderr, "call %llu: %s (%s)\n", (unsigned long long)i, shmrpc_status_text(rc), shmrpc_last_error());
        atomic_fetch_add(&self->calls, 1);
    }
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(loses_no_idempotent_call_and_tells_of_each_other_one)
{
    enum { HAMMERS = 4, ROUNDS = 12 };
    hammer hammers[HAMMERS];
    _Atomic(bool) stop = false;
    uint64_t interrupted = 0;

    for (unsigned int i = 0; i < HAMMERS; i++) {
        hammers[i] = (hammer){.seed = i, .stop = &stop};
        ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL, hammer_main, &hammers[i]), 0);
    }
    for (unsigned int round = 0; round < ROUNDS; round++) {
        for (unsigned int i = 0; i < HAMMERS; i++) {
            uint64_t calls = atomic_load(&hammers[i].calls);
            await_true(atomic_load(&hammers[i].calls) > calls + 20);
        }
        kill_server();
        start_server();
    }
    atomic_store(&stop, true);
    for (unsigned int i = 0; i < HAMMERS; i++) {
        ck_assert_int_eq(pthread_join(hammers[i].thread, NULL), 0);
        ck_assert_uint_eq(hammers[i].wrong, 0);
        ck_assert_uint_gt(hammers[i].answered, 0);
        /* A kill interrupts one call of each thread at most. */
        ck_assert_uint_le(hammers[i].unknown + hammers[i].not_executed, ROUNDS);
        interrupted += hammers[i].unknown;
    }
    /* One handler runs at a time. */
    ck_assert_uint_le(interrupted, ROUNDS);
    ck_assert_uint_ge(atomic_load(&state->connected), ROUNDS + 1);
}
END_TEST

static Suite *reconnect_suite(void)
{
    Suite *suite = suite_create("crash_reconnect");
    TCase *tests = tcase_create("reconnect");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, connects_again_with_a_new_session);
    tcase_add_test(tests, connects_again_after_a_stop_in_good_order);
    tcase_add_test(tests, does_not_connect_again_unless_it_was_asked_to);
    tcase_add_loop_test(tests, says_not_sent_where_no_server_comes_before_the_deadline, 0, 2);
    tcase_add_test(tests, waits_for_the_server_within_its_deadline);
    tcase_add_loop_test(tests, tells_of_a_call_that_was_in_flight_and_does_not_make_it_again, 0, 2);
    tcase_add_test(tests, makes_an_idempotent_call_again_where_it_may);
    tcase_add_test(tests, says_unknown_where_an_earlier_attempt_may_have_run);
    tcase_add_test(tests, makes_a_call_again_that_no_handler_had_begun);
    tcase_add_loop_test(tests, tells_a_server_with_another_schema_from_none, 0, 2);
    tcase_add_test(tests, learns_the_numbers_of_the_next_server);
    tcase_add_test(tests, frees_everything_while_there_is_no_server);
    tcase_add_test(tests, does_not_connect_again_in_a_forked_child);
    tcase_add_test(tests, loses_no_idempotent_call_and_tells_of_each_other_one);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(reconnect_suite)

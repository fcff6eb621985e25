/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_outcomes.c - each outcome of a call, in each mode, many times: what the caller is told, and whether a handler
 * began it, of which the server keeps a note that outlives it. docs/outcomes.md has the table.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outcome_service.h"
#include "probe_server.h"
#include "rest.h"
#include "unanswered.h"

#define ROUNDS rounds() /* of each cell */
#define DEPTH 4u        /* slots, and calls that may be put off */
#define BATCH 3u

typedef struct mode {
    const char *name;
    int64_t client_spin_ns, server_spin_ns;
    uint32_t method;
    unsigned calls; /* that are made at a time; 1: by a function that waits */
} mode;

static const mode modes[] = {
    {"asleep", SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE, OUTCOME_CALL, 1},
    {"spinning", SHMRPC_SPIN_FOREVER, SHMRPC_SPIN_DEFAULT, OUTCOME_CALL, 1},
    {"deferred", SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_DEFAULT, OUTCOME_LATER, 1},
    {"batch", SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_DEFAULT, OUTCOME_CALL, BATCH},
};
#define MODES (int)(sizeof(modes) / sizeof(modes[0]))

/* A hundred; less where this run does without something that makes it fast. */
static unsigned rounds(void)
{
    return getenv("SHMRPC_WITHOUT") == NULL ? 100 : 15;
}

static outcome_server server;
static outcome_state *state;
static shmrpc_client *client;
static const mode *now;
static uint64_t last_number;

static void connect_anew(void)
{
    const shmrpc_client_options options = {.depth = DEPTH, .spin_ns = now->client_spin_ns};

    outcome_server_start(&server, state, now->server_spin_ns);
    assert_status(shmrpc_client_connect(&client, "outcomes", &outcome_service, &options), 0);
    last_number = 0;
}

static void begin(int which)
{
    now = &modes[which];
    connect_anew();
}

static void end(void)
{
    shmrpc_client_free(client);
    client = NULL;
    outcome_server_stop(&server);
}

static void setup(void)
{
    probe_case_begin();
    state = outcome_state_new();
}

static void teardown(void)
{
    outcome_state_free(state);
    probe_case_end();
}

/* ---- calls ---- */

/* Some calls of one kind; what came of each. */
typedef struct calls {
    shmrpc_call objects[DEPTH + 1];
    outcome_request requests[DEPTH + 1];
    outcome_reply replies[DEPTH + 1];
    int rc[DEPTH + 1];
    unsigned count;
} calls;

static unsigned begun(const calls *self, unsigned i)
{
    return atomic_load(&state->begun[self->requests[i].number]);
}

static void prepare(calls *self, unsigned count, uint64_t what)
{
    *self = (calls){.count = count};
    for (unsigned i = 0; i < count; i++)
        self->requests[i] = (outcome_request){++last_number, what};
    ck_assert_uint_lt(last_number, OUTCOME_NUMBERS);
}

static void start_as(calls *self, unsigned count, uint64_t what, uint32_t method, shmrpc_deadline deadline)
{
    prepare(self, count, what);
    if (count > 1)
        shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < count; i++)
        self->rc[i] = shmrpc_call_start(client, &self->objects[i], method, &self->requests[i], deadline, NULL);
    if (count > 1)
        assert_status(shmrpc_client_batch_end(client), 0);
}

static void await(calls *self)
{
    for (unsigned i = 0; i < self->count; i++)
        if (self->rc[i] == 0)
            self->rc[i] = shmrpc_call_wait(&self->objects[i], &self->replies[i]);
}

/* As the mode has it: one call that waits, or a batch. */
static void make(calls *self, uint64_t what, shmrpc_deadline deadline)
{
    if (now->calls == 1) {
        prepare(self, 1, what);
        self->rc[0] = shmrpc_client_call(client, now->method, &self->requests[0], &self->replies[0], deadline);
    } else {
        start_as(self, now->calls, what, now->method, deadline);
        await(self);
    }
}

/* Each ended so, and was begun so often. */
static void expect(const calls *self, unsigned first, int rc, unsigned times)
{
    for (unsigned i = first; i < self->count; i++) {
        ck_assert_msg(self->rc[i] == rc, "%s: call %u: %s, not %s", now->name, i, shmrpc_status_text(self->rc[i]),
                      shmrpc_status_text(rc));
        ck_assert_msg(begun(self, i) == times, "%s: call %u was begun %u times", now->name, i, begun(self, i));
        if (rc == 0)
            ck_assert_uint_eq(self->replies[i].number, self->requests[i].number);
    }
}

/* The server goes on to work, and has done all that came before. */
static void expect_well(void)
{
    calls one;

    start_as(&one, 1, OUTCOME_REPLY, OUTCOME_CALL, shmrpc_default());
    await(&one);
    expect(&one, 0, 0, 1);
}

/* Holds the server in a handler, with a call of its own. */
static void hold(calls *self)
{
    start_as(self, 1, OUTCOME_HOLD, OUTCOME_CALL, shmrpc_forever());
    await_true(atomic_load(&state->holding) == self->requests[0].number);
}

/* ---- answers ---- */

START_TEST(reply)
{
    calls made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(&made, OUTCOME_REPLY, shmrpc_default());
        expect(&made, 0, 0, 1);
    }
    ck_assert_uint_eq(atomic_load(&state->begun_count), ROUNDS * now->calls);
    end();
}
END_TEST

START_TEST(declared_error)
{
    calls made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(&made, OUTCOME_THROW, shmrpc_default());
        expect(&made, 0, OUTCOME_ERROR, 1);
    }
    ck_assert_uint_eq(atomic_load(&state->begun_count), ROUNDS * now->calls);
    end();
}
END_TEST

/* ---- not sent ---- */

/* The ring is full of calls that the server does not come to: it is in a handler, or as many are put off as may be. */
START_TEST(not_sent_for_want_of_room)
{
    calls first, filling, made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (now->method == OUTCOME_LATER) {
            start_as(&first, DEPTH, OUTCOME_HOLD, OUTCOME_LATER, shmrpc_forever());
            await_true(atomic_load(&state->put_off) == DEPTH);
            start_as(&filling, DEPTH, OUTCOME_REPLY, OUTCOME_LATER, shmrpc_forever());
        } else {
            hold(&first);
            start_as(&filling, DEPTH - 1, OUTCOME_REPLY, OUTCOME_CALL, shmrpc_forever());
        }
        make(&made, OUTCOME_REPLY, shmrpc_in_ms(1));
        if (now->method == OUTCOME_LATER)
            outcome_release_later(&server);
        else
            outcome_release(&server);
        await(&first);
        await(&filling);
        expect(&first, 0, 0, 1);
        expect(&filling, 0, 0, 1);
        expect_well();
        expect(&made, 0, SHMRPC_E_NOT_SENT, 0);
    }
    end();
}
END_TEST

START_TEST(not_sent_after_the_end)
{
    calls made;
    uint64_t count;

    begin(_i);
    make(&made, OUTCOME_REPLY, shmrpc_default());
    expect(&made, 0, 0, 1);
    outcome_server_kill(&server);
    count = atomic_load(&state->begun_count);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(&made, OUTCOME_REPLY, shmrpc_default());
        expect(&made, 0, SHMRPC_E_NOT_SENT, 0);
    }
    ck_assert_uint_eq(atomic_load(&state->begun_count), count);
    shmrpc_client_free(client);
}
END_TEST

/* ---- the server's death ---- */

typedef struct killer {
    pthread_t thread;
    pid_t caller;        /* thread */
    uint64_t held;       /* the call that is held by then; 0: one that is put off */
    unsigned unanswered; /* calls, with that one; such as are put off do not count */
} killer;

static void *kill_when_it_waits(void *data)
{
    const killer *self = data;

    await_true(self->held != 0 ? atomic_load(&state->holding) == self->held : atomic_load(&state->put_off) == 1);
    unanswered_await(DEPTH, self->unanswered);
    /* Time for the caller to fall asleep, where it does not spin. */
    for (unsigned looks = 0; looks < 20 && !rest_is_asleep(self->caller); looks++)
        await_pause();
    ck_assert_int_eq(kill(server.process.pid, SIGKILL), 0);
    return NULL;
}

static void kill_while_waiting(killer *self, uint64_t held, unsigned unanswered)
{
    *self = (killer){.caller = gettid(), .held = held, .unanswered = unanswered};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, kill_when_it_waits, self), 0);
}

static void after_death(killer *self)
{
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
    outcome_server_kill(&server);
    shmrpc_client_free(client);
}

/*
 * Are these known not to have been begun? A process that takes long to end, after its sockets have closed, leaves the
 * caller without that knowledge: then it is UNKNOWN, which is not wrong. Such a round does not count.
 */
static bool are_known(const calls *self, unsigned first)
{
    bool known = true;

    for (unsigned i = first; i < self->count; i++) {
        int rc = self->rc[i];

        ck_assert_msg(rc == SHMRPC_E_NOT_EXECUTED || rc == SHMRPC_E_UNKNOWN, "%s: %s", now->name,
                      shmrpc_status_text(rc));
        ck_assert_uint_eq(begun(self, i), 0);
        known = known && rc == SHMRPC_E_NOT_EXECUTED;
    }
    return known;
}

START_TEST(not_executed)
{
    unsigned known = 0;
    calls held, made;
    killer death;

    now = &modes[_i];
    for (unsigned round = 0; known < ROUNDS; round++) {
        ck_assert_uint_lt(round, 2 * ROUNDS);
        connect_anew();
        hold(&held);
        kill_while_waiting(&death, held.requests[0].number, 1 + now->calls);
        make(&made, OUTCOME_REPLY, shmrpc_forever());
        await(&held);
        known += are_known(&made, 0);
        expect(&held, 0, SHMRPC_E_UNKNOWN, 1);
        ck_assert_uint_eq(atomic_load(&state->begun_count), 1);
        after_death(&death);
    }
}
END_TEST

/* In a batch: of the one that was begun; of those behind it, more is known. */
START_TEST(unknown)
{
    calls made;
    killer death;

    now = &modes[_i];
    for (unsigned round = 0; round < ROUNDS; round++) {
        connect_anew();
        if (now->method == OUTCOME_LATER)
            kill_while_waiting(&death, 0, 0);
        else
            kill_while_waiting(&death, 1, now->calls);
        make(&made, OUTCOME_HOLD, shmrpc_forever());
        (void)are_known(&made, 1);
        made.count = 1;
        expect(&made, 0, SHMRPC_E_UNKNOWN, 1);
        ck_assert_uint_eq(atomic_load(&state->begun_count), 1);
        after_death(&death);
    }
}
END_TEST

/* ---- deadlines ---- */

/* Is a handler of this call at it, or has it put it off? */
static bool is_held(const calls *self)
{
    return now->method == OUTCOME_LATER ? atomic_load(&state->put_off) == 1
                                        : atomic_load(&state->holding) == self->requests[0].number;
}

/* One that a busy machine did not begin in time was withdrawn before it; then the call behind it has its turn. */
START_TEST(timeout_of_a_call_that_was_begun)
{
    unsigned were_begun = 0;

    begin(_i);
    for (unsigned round = 0; were_begun < ROUNDS; round++) {
        uint64_t began_ns = test_now_ns();
        calls made, behind;

        ck_assert_uint_lt(round, 10 * ROUNDS);
        make(&made, OUTCOME_HOLD, shmrpc_in_ms(5));
        ck_assert_uint_ge(test_now_ns() - began_ns, 5000000u);
        start_as(&behind, 1, OUTCOME_REPLY, OUTCOME_CALL, shmrpc_forever());
        await_true(is_held(&made) || (begun(&behind, 0) == 1 && begun(&made, 0) == 0));
        if (begun(&made, 0) == 1) {
            were_begun++;
            if (now->method == OUTCOME_LATER)
                outcome_release_later(&server);
            else
                outcome_release(&server);
        }
        await(&behind);
        expect(&behind, 0, 0, 1);
        await_true(atomic_load(&state->put_off) == 0);
        /* In a batch those behind it were withdrawn before it ended. */
        expect(&made, 1, SHMRPC_E_TIMEOUT, 0);
        made.count = 1;
        expect(&made, 0, SHMRPC_E_TIMEOUT, begun(&made, 0));
    }
    end();
}
END_TEST

START_TEST(timeout_of_a_call_that_never_was)
{
    calls held, made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        hold(&held);
        make(&made, OUTCOME_REPLY, shmrpc_in_ms(1));
        outcome_release(&server);
        await(&held);
        expect(&held, 0, 0, 1);
        expect_well();
        expect(&made, 0, SHMRPC_E_TIMEOUT, 0);
    }
    end();
}
END_TEST

START_TEST(cancelled)
{
    calls held, made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        hold(&held);
        start_as(&made, now->calls, OUTCOME_REPLY, now->method, shmrpc_forever());
        for (unsigned i = 0; i < made.count; i++)
            shmrpc_call_cancel(&made.objects[i]);
        outcome_release(&server);
        await(&made);
        await(&held);
        expect(&held, 0, 0, 1);
        expect_well();
        expect(&made, 0, SHMRPC_E_CANCELLED, 0);
    }
    end();
}
END_TEST

/* At any moment between its publishing and its answer: either it was not begun, or who has put it off is told. */
START_TEST(cancelled_where_it_is_put_off)
{
    unsigned told = 0;

    begin(2);
    for (unsigned round = 0; told < ROUNDS; round++) {
        calls made;

        ck_assert_uint_lt(round, 10 * ROUNDS);
        start_as(&made, 1, OUTCOME_LINGER, OUTCOME_LATER, shmrpc_forever());
        if (round % 3 == 0)
            await_true(begun(&made, 0) == 1);
        for (unsigned wait = 0; wait < round % 50 * 20; wait++)
            __asm__ __volatile__("" : : : "memory");
        shmrpc_call_cancel(&made.objects[0]);
        await(&made);
        ck_assert_msg(made.rc[0] == SHMRPC_E_AGAIN || made.rc[0] == SHMRPC_E_CANCELLED, "%s",
                      shmrpc_status_text(made.rc[0]));
        ck_assert_uint_eq(begun(&made, 0), made.rc[0] == SHMRPC_E_AGAIN);
        told += made.rc[0] == SHMRPC_E_AGAIN;
    }
    end();
}
END_TEST

START_TEST(expired_says_a_handler)
{
    calls made;

    begin(_i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(&made, OUTCOME_EXPIRE, shmrpc_default());
        expect(&made, 0, SHMRPC_E_EXPIRED, 1);
    }
    end();
}
END_TEST

/*
 * Behind as many calls as may be put off: the server knows how long the next one waits. Whoever waits for it hears of
 * the deadline from his own side, so this is for those who look later. A server that was late to notice begins it, and
 * then says so.
 */
START_TEST(expired_says_the_server)
{
    unsigned expired = 0;

    begin(_i);
    for (unsigned round = 0; expired < ROUNDS; round++) {
        calls first, held, last, made;
        uint64_t until_ns;

        ck_assert_uint_lt(round, 10 * ROUNDS);
        start_as(&first, DEPTH - 1, OUTCOME_HOLD, OUTCOME_LATER, shmrpc_forever());
        await_true(atomic_load(&state->put_off) == DEPTH - 1);
        hold(&held);
        start_as(&last, 1, OUTCOME_HOLD, OUTCOME_LATER, shmrpc_forever());
        start_as(&made, now->calls < DEPTH - 2 ? now->calls : DEPTH - 2, OUTCOME_REPLY, now->method, shmrpc_in_ms(1));
        outcome_release(&server);
        await_true(atomic_load(&state->put_off) == DEPTH);
        until_ns = test_now_ns() + 3000000;
        while (test_now_ns() < until_ns)
            await_pause();
        outcome_release_later(&server);
        await(&first);
        await(&held);
        await(&last);
        expect(&first, 0, 0, 1);
        expect(&held, 0, 0, 1);
        expect(&last, 0, 0, 1);
        expect_well();
        await(&made);
        for (unsigned i = 0; i < made.count; i++) {
            int rc = made.rc[i];
            bool is_late = rc == SHMRPC_E_TIMEOUT && now->method == OUTCOME_LATER;

            ck_assert_msg(rc == 0 || is_late || rc == SHMRPC_E_EXPIRED, "%s", shmrpc_status_text(rc));
            ck_assert_uint_eq(begun(&made, i), rc == 0 || is_late);
            expired += rc == SHMRPC_E_EXPIRED;
        }
    }
    end();
}
END_TEST

static Suite *outcomes_suite(void)
{
    Suite *suite = suite_create("ipc_outcomes");
    TCase *tests = tcase_create("outcomes");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, reply, 0, MODES);
    tcase_add_loop_test(tests, declared_error, 0, MODES);
    tcase_add_loop_test(tests, not_sent_for_want_of_room, 0, MODES);
    tcase_add_loop_test(tests, not_sent_after_the_end, 0, MODES);
    tcase_add_loop_test(tests, not_executed, 0, MODES);
    tcase_add_loop_test(tests, unknown, 0, MODES);
    tcase_add_loop_test(tests, timeout_of_a_call_that_was_begun, 0, MODES);
    tcase_add_loop_test(tests, timeout_of_a_call_that_never_was, 0, MODES);
    tcase_add_loop_test(tests, cancelled, 0, MODES);
    tcase_add_test(tests, cancelled_where_it_is_put_off);
    tcase_add_loop_test(tests, expired_says_a_handler, 0, MODES);
    tcase_add_loop_test(tests, expired_says_the_server, 0, MODES);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(outcomes_suite)

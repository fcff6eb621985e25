/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_many_flights.c - many calls in flight at once, of several threads of several handles, at a server of several
 * workers that puts half of them off and answers these from threads of its own: each call ends once, with its own answer
 * or withdrawn, and a handler has begun exactly those that were not. All in one process, for ThreadSanitizer to see.
 */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "outcome_service.h"
#include "probe_server.h"

#define HANDLES 2u
#define THREADS 3u /* of each handle */
#define IN_FLIGHT 6u
#define DEPTH 4u
#define ROUNDS 150u

typedef struct told {
    shmrpc_call base;
    uint64_t number;
    unsigned ended;
    int rc;
    uint64_t value;
} told;

typedef struct caller {
    pthread_t thread;
    shmrpc_client *client;
    uint64_t first_number;
    unsigned made, cancelled;
    const char *fault;
} caller;

static outcome_server server;
static outcome_state *state;
static probe_state *logged;

static void setup(void)
{
    probe_case_begin();
    logged = probe_state_new();
    probe_log_to(logged);
    state = outcome_state_new();
    outcome_here_start(&server, state, 3, 2);
}

static void teardown(void)
{
    outcome_here_stop(&server);
    outcome_state_free(state);
    probe_log_to(NULL);
    probe_state_free(logged);
    probe_case_end();
}

static unsigned begun(uint64_t number)
{
    return atomic_load(&state->begun[number]);
}

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    told *self = (told *)(void *)call;

    self->ended++;
    self->rc = rc;
    self->value = reply == NULL ? 0 : ((const outcome_reply *)reply)->number;
}

/* Without Check's assertions, which are for the test's own thread. */
static bool is_right(caller *self, const told *call, bool may_be_cancelled)
{
    if (call->ended != 1) {
        self->fault = "a call that did not end once";
    } else if (call->rc == 0 && (call->value != call->number || begun(call->number) != 1)) {
        self->fault = "another call's answer, or one that was not begun once";
    } else if (call->rc == SHMRPC_E_CANCELLED && (!may_be_cancelled || begun(call->number) != 0)) {
        self->fault = "withdrawn, and begun";
    } else if (call->rc != 0 && call->rc != SHMRPC_E_CANCELLED) {
        self->fault = shmrpc_status_text(call->rc);
    }
    self->cancelled += call->rc == SHMRPC_E_CANCELLED;
    return self->fault == NULL;
}

static int start(caller *self, told *call, uint32_t method, shmrpc_done *done)
{
    outcome_request request = {self->first_number + self->made, OUTCOME_REPLY};

    *call = (told){.number = request.number};
    self->made++;
    return shmrpc_call_start(self->client, &call->base, method, &request, shmrpc_in_s(100), done);
}

static void wait_for(told *call)
{
    outcome_reply reply = {0};

    call->rc = shmrpc_call_wait(&call->base, &reply);
    call->value = reply.number;
    call->ended++;
}

/* Started in a batch, some withdrawn, awaited from the last to the first. */
static bool round_of_waits(caller *self, unsigned round)
{
    told calls[IN_FLIGHT];
    bool fine = true;

    shmrpc_client_batch_begin(self->client);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        fine = start(self, &calls[i], i % 2, NULL) == 0 && fine;
    fine = shmrpc_client_batch_end(self->client) == 0 && fine;
    for (unsigned i = 0; fine && i < IN_FLIGHT; i++)
        if ((round + i) % 5 == 0)
            shmrpc_call_cancel(&calls[i].base);
    for (unsigned i = IN_FLIGHT; fine && i-- > 0;) {
        wait_for(&calls[i]);
        fine = is_right(self, &calls[i], (round + i) % 5 == 0);
    }
    return fine;
}

/* Told by callbacks in a loop that sleeps, with a call that waits in between. */
static bool round_of_a_loop(caller *self, unsigned round)
{
    struct pollfd ready = {.fd = shmrpc_client_fd(self->client), .events = POLLIN};
    told calls[IN_FLIGHT];
    told one = {0};
    outcome_reply reply = {0};
    unsigned ended = 0;

    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (start(self, &calls[i], (i + round) % 2, on_done) != 0)
            return false;
    one.number = self->first_number + self->made++;
    one.rc = shmrpc_client_call(self->client, round % 2, &(outcome_request){one.number, OUTCOME_REPLY}, &reply,
                                shmrpc_in_s(100));
    one.value = reply.number;
    one.ended = 1;
    while (ended < IN_FLIGHT) {
        int rc;

        if (poll(&ready, 1, TEST_PATIENCE_MS) != 1) {
            self->fault = "a wake-up was lost";
            return false;
        }
        do {
            rc = shmrpc_client_dispatch(self->client, 2);
        } while (rc > 0);
        if (rc < 0)
            return false;
        for (ended = 0; ended < IN_FLIGHT && calls[ended].ended != 0; ended++) {
        }
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (!is_right(self, &calls[i], false))
            return false;
    return is_right(self, &one, false);
}

static void *call_around(void *data)
{
    caller *self = data;

    for (unsigned round = 0; round < ROUNDS; round++)
        if (!(round % 2 == 0 ? round_of_waits(self, round) : round_of_a_loop(self, round))) {
            self->fault = self->fault != NULL ? self->fault : shmrpc_last_error();
            break;
        }
    return NULL;
}

START_TEST(each_of_many_calls_in_flight_ends_once_and_rightly)
{
    caller callers[HANDLES][THREADS];
    shmrpc_client *clients[HANDLES];
    uint64_t begun_count = 0;

    for (unsigned h = 0; h < HANDLES; h++)
        assert_status(shmrpc_client_connect(&clients[h], "outcomes", &outcome_service,
                                            &(shmrpc_client_options){.depth = DEPTH}),
                      0);
    for (unsigned i = 0; i < HANDLES * THREADS; i++) {
        caller *self = &callers[i / THREADS][i % THREADS];

        *self = (caller){.client = clients[i / THREADS], .first_number = 1 + i * (OUTCOME_NUMBERS / 8)};
        ck_assert_int_eq(pthread_create(&self->thread, NULL, call_around, self), 0);
    }
    for (unsigned i = 0; i < HANDLES * THREADS; i++) {
        caller *self = &callers[i / THREADS][i % THREADS];

        ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
        ck_assert_msg(self->fault == NULL, "thread %u: %s; %s", i, self->fault, logged->lines[0]);
        begun_count += self->made - self->cancelled;
    }
    ck_assert_uint_eq(atomic_load(&state->begun_count), begun_count);
    for (unsigned h = 0; h < HANDLES; h++)
        shmrpc_client_free(clients[h]);
}
END_TEST

static Suite *many_flights_suite(void)
{
    Suite *suite = suite_create("ipc_many_flights");
    TCase *tests = tcase_create("many_flights");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, each_of_many_calls_in_flight_ends_once_and_rightly);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(many_flights_suite)

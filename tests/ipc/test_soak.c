/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_soak.c - everything at once, at random, with a balance at the end.
 *
 * Threads connect, call in all ways with deadlines from nothing to seconds, and leave, while the server is stopped and
 * continued. Each keeps account of what it was told; at the end the accounts have to agree with what the server
 * counted:
 *
 *   what was answered was run once                          answered <= run
 *   what was run was answered, or its caller gave up        run <= answered + timed out
 *   a oneway that was sent was delivered, once              sent == delivered
 *   and no answer was another call's                        wrong == 0
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe_server.h"

#define SOAK_NS UINT64_C(2500000000)

typedef struct account {
    pthread_t thread;
    unsigned int seed;
    uint64_t until_ns;
    uint64_t answered, timed_out, not_sent, sent, wrong, sessions;
} account;

static probe_process server;

/* From a nanosecond to a tenth of a second, the short ones more often. */
static shmrpc_deadline random_deadline(unsigned int *random)
{
    switch (rand_r(random) % 8) {
    case 0: return shmrpc_in_ns(1);
    case 1: return shmrpc_in_us(rand_r(random) % 30);
    case 2: return shmrpc_in_us(rand_r(random) % 3000);
    default: return shmrpc_in_ms(100 + rand_r(random) % 5000);
    }
}

static void book(account *self, int rc, bool right)
{
    switch (rc) {
    case 0:
        self->answered++;
        self->wrong += !right;
        break;
    case SHMRPC_E_TIMEOUT: self->timed_out++; break;
    case SHMRPC_E_NOT_SENT: self->not_sent++; break;
    default:
        fprintf(stderr, "seed %u: %s (%s)\n", self->seed, shmrpc_status_text(rc), shmrpc_last_error());
        self->wrong++;
    }
}

static void call_at_random(account *self, shmrpc_client *client, unsigned int *random, uint64_t value)
{
    probe_blob request, blob;
    uint64_t reply = ~value;
    int rc;

    switch (rand_r(random) % 5) {
    case 0:
        rc = probe_note(client, 1, random_deadline(random));
        if (rc == 0)
            self->sent++;
        else
            book(self, rc, true);
        break;
    case 1: {
        uint32_t length = (uint32_t)rand_r(random) % (PROBE_BLOB_MAX + 1);
        probe_blob_fill(&request, value, length);
        rc = shmrpc_client_call(client, PROBE_BLOB, &request, &blob, random_deadline(random));
        book(self, rc, rc != 0 || probe_blob_answers(&blob, value, length));
        break;
    }
    case 2:
        rc = probe_fail(client, PROBE_ERROR_BLOB, &reply, random_deadline(random));
        if (rc == PROBE_ERROR_BLOB) {
            const probe_blob *payload = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB);
            book(self, 0, payload != NULL && payload->value == 77 && payload->length == 3000);
        } else {
            book(self, rc, false);
        }
        break;
    default:
        rc = probe_echo(client, value, &reply, random_deadline(random));
        book(self, rc, reply == value);
        break;
    }
}

static void *soak(void *data)
{
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, 3000, 100000};
    account *self = data;
    unsigned int random = self->seed;
    uint64_t value = (uint64_t)self->seed << 40;

    while (test_now_ns() < self->until_ns && self->wrong == 0) {
        shmrpc_client *client = NULL;
        shmrpc_client_options options = {
            .spin_ns = spins[rand_r(&random) % 4],
            .depth = 2u << rand_r(&random) % 7,
            .blocks = 1u + (uint32_t)rand_r(&random) % 8,
        };
        int rc = probe_connect(&client, "probe", &options);
        if (rc != 0) {
            book(self, rc, false);
            break;
        }
        self->sessions++;
        for (int calls = rand_r(&random) % 3000; calls > 0 && self->wrong == 0; calls--) {
            call_at_random(self, client, &random, value++);
            if (calls % 64 == 0 && test_now_ns() >= self->until_ns)
                break;
        }
        shmrpc_client_free(client);
    }
    return NULL;
}

START_TEST(accounts_of_callers_and_server_agree)
{
    enum { CALLERS = 5 };
    static const int64_t server_spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE};
    account accounts[CALLERS], all = {0};
    unsigned int random = 7 + (unsigned int)_i;
    uint64_t until_ns = test_now_ns() + SOAK_NS;
    counts before;

    printf("seed %u\n", random);
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = server_spins[_i]}});
    size_t fds = counts_fds_of(server.child.pid);
    counts_take(&before);
    for (unsigned int i = 0; i < CALLERS; i++) {
        accounts[i] = (account){.seed = random * 100 + i, .until_ns = until_ns};
        ck_assert_int_eq(pthread_create(&accounts[i].thread, NULL, soak, &accounts[i]), 0);
    }
    while (test_now_ns() < until_ns) {
        child_stop(&server.child);
        for (int pause = rand_r(&random) % 40; pause > 0; pause--)
            await_pause();
        child_continue(&server.child);
        for (int pause = rand_r(&random) % 400; pause > 0; pause--)
            await_pause();
    }
    for (unsigned int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(accounts[i].thread, NULL), 0);
        all.answered += accounts[i].answered;
        all.timed_out += accounts[i].timed_out;
        all.not_sent += accounts[i].not_sent;
        all.sent += accounts[i].sent;
        all.wrong += accounts[i].wrong;
        all.sessions += accounts[i].sessions;
    }
    await_true(atomic_load(&server.state->disconnected) == all.sessions);
    printf("answered %llu, timed out %llu, not sent %llu, oneways %llu, sessions %llu\n",
           (unsigned long long)all.answered, (unsigned long long)all.timed_out, (unsigned long long)all.not_sent,
           (unsigned long long)all.sent, (unsigned long long)all.sessions);

    ck_assert_uint_eq(all.wrong, 0);
    ck_assert_uint_eq(atomic_load(&server.state->notes), all.sent);
    uint64_t run = atomic_load(&server.state->ended) - all.sent;
    ck_assert_uint_ge(run, all.answered);
    ck_assert_uint_le(run, all.answered + all.timed_out);
    ck_assert_uint_eq(atomic_load(&server.state->begun), atomic_load(&server.state->ended));
    ck_assert_uint_eq(atomic_load(&server.state->connected), all.sessions);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]), all.sessions);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
    ck_assert_uint_gt(all.answered, 100);
    counts_expect_same(&before);
    await_true(counts_fds_of(server.child.pid) == fds);
    probe_process_stop(&server);
}
END_TEST

static Suite *soak_suite(void)
{
    Suite *suite = suite_create("ipc_soak");
    TCase *tests = tcase_create("soak");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, accounts_of_callers_and_server_agree, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(soak_suite)

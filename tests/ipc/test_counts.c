/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_counts.c - what is held while clients come and go, and that nothing is left when they are gone.
 *
 * Descriptors, mappings, threads, children and files of the test's own process are counted by counts.h, those of the
 * server's process through /proc.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

#define IN_TURN 200
#define AT_ONCE 100

static shmrpc_client *connect_default(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", NULL), 0);
    return client;
}

/* Memory that the process shares with others. */
static size_t mappings_of(pid_t pid)
{
    char path[64], line[512];
    size_t count = 0;

    snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
    FILE *maps = fopen(path, "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        count += strstr(line, "/memfd:") != NULL;
    fclose(maps);
    return count;
}

typedef struct process_counts {
    size_t fds, threads, mappings;
} process_counts;

/* Of a server with so many clients. Its handler sees the last one go before descriptors and memory are given back. */
static process_counts take_of(pid_t pid, size_t clients)
{
    await_true(mappings_of(pid) == clients);
    return (process_counts){counts_fds_of(pid), counts_threads_of(pid), mappings_of(pid)};
}

static void await_same_of(pid_t pid, const process_counts *before)
{
    await_true(counts_fds_of(pid) == before->fds && counts_threads_of(pid) == before->threads &&
               mappings_of(pid) == before->mappings);
}

START_TEST(leaves_nothing_behind_in_either_process_after_connections_in_turn)
{
    probe_process server;
    counts before;

    probe_process_start(&server, NULL);
    /* One for what each process makes once: buffers of the C library. */
    shmrpc_client_free(connect_default());
    await_true(atomic_load(&server.state->disconnected) == 1);
    process_counts server_before = take_of(server.child.pid, 0);
    counts_take(&before);

    for (unsigned int i = 0; i < IN_TURN; i++) {
        shmrpc_client *client = connect_default();
        ck_assert(probe_answers_rightly(client, i * 100, 5));
        shmrpc_client_free(client);
    }
    await_true(atomic_load(&server.state->disconnected) == IN_TURN + 1);
    ck_assert_uint_eq(atomic_load(&server.state->connected), IN_TURN + 1);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]), IN_TURN + 1);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
    counts_expect_same(&before);
    await_same_of(server.child.pid, &server_before);
    probe_process_stop(&server);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(leaves_nothing_behind_in_either_process_after_connections_at_once)
{
    static shmrpc_client *clients[AT_ONCE];
    probe_process server;
    counts before;

    probe_process_start(&server, NULL);
    shmrpc_client_free(connect_default());
    await_true(atomic_load(&server.state->disconnected) == 1);
    process_counts server_before = take_of(server.child.pid, 0);
    counts_take(&before);

    for (unsigned int round = 0; round < 3; round++) {
        for (unsigned int i = 0; i < AT_ONCE; i++)
            clients[i] = connect_default();
        ck_assert_uint_eq(mappings_of(server.child.pid), server_before.mappings + AT_ONCE);
        for (unsigned int calls = 0; calls < 3; calls++)
            for (unsigned int i = 0; i < AT_ONCE; i++)
                ck_assert(probe_answers_rightly(clients[i], i * 1000 + calls, 1));
        for (unsigned int i = 0; i < AT_ONCE; i++)
            shmrpc_client_free(clients[(i * 37 + round) % AT_ONCE]);
    }
    await_true(atomic_load(&server.state->disconnected) == 3 * AT_ONCE + 1);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
    counts_expect_same(&before);
    await_same_of(server.child.pid, &server_before);
    probe_process_stop(&server);
}
END_TEST

START_TEST(leaves_nothing_behind_of_the_first_connection_of_a_process)
{
    probe_process server;
    counts before;

    probe_process_start(&server, NULL);
    counts_take(&before);
    shmrpc_client *client = connect_default();
    ck_assert(probe_answers_rightly(client, 1, 5));
    shmrpc_client_free(client);
    counts_expect_same(&before);
    probe_process_stop(&server);
}
END_TEST

START_TEST(serves_a_client_of_its_own_process)
{
    counts before;
    uint64_t reply;

    counts_take(&before);
    for (unsigned int round = 0; round < 20; round++) {
        probe_thread server;
        probe_thread_start(&server, NULL);
        shmrpc_client *client = connect_default();
        ck_assert(probe_answers_rightly(client, round * 1000, 100));
        assert_status(probe_fail(client, PROBE_ERROR_RANGE, &reply, shmrpc_default()), PROBE_ERROR_RANGE);
        ck_assert_int_eq(atomic_load(&server.state->peer_pid), getpid());
        /* In turns, who of the two goes first. */
        if (round % 2 == 0) {
            shmrpc_client_free(client);
            probe_thread_stop(&server);
        } else {
            probe_thread_stop(&server);
            await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
            assert_status(probe_echo(client, 1, &reply, shmrpc_in_s(5)), SHMRPC_E_NOT_SENT);
            shmrpc_client_free(client);
        }
    }
    counts_expect_same(&before);
}
END_TEST

START_TEST(serves_many_clients_of_its_own_process)
{
    static shmrpc_client *clients[AT_ONCE];
    probe_thread server;
    counts before;

    counts_take(&before);
    probe_thread_start(&server, NULL);
    for (unsigned int i = 0; i < IN_TURN; i++) {
        shmrpc_client *client = connect_default();
        ck_assert(probe_answers_rightly(client, i, 2));
        shmrpc_client_free(client);
    }
    for (unsigned int i = 0; i < AT_ONCE; i++)
        clients[i] = connect_default();
    for (unsigned int i = 0; i < AT_ONCE; i++)
        ck_assert(probe_answers_rightly(clients[i], i, 3));
    for (unsigned int i = 0; i < AT_ONCE; i++)
        shmrpc_client_free(clients[i]);
    probe_thread_stop(&server);
    counts_expect_same(&before);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    uint64_t seed;
    bool right;
} caller;

static void *call_from_thread(void *data)
{
    caller *self = data;
    shmrpc_client *client = NULL;

    self->right = probe_connect(&client, "probe", NULL) == 0 && probe_answers_rightly(client, self->seed, 100);
    shmrpc_client_free(client);
    return NULL;
}

START_TEST(serves_threads_that_connect_and_leave_at_once)
{
    enum { THREADS = 20, ROUNDS = 4 };
    probe_process server;
    counts before;

    probe_process_start(&server, NULL);
    counts_take(&before);
    for (unsigned int round = 0; round < ROUNDS; round++) {
        caller callers[THREADS];
        for (unsigned int i = 0; i < THREADS; i++) {
            callers[i] = (caller){.seed = round * 1000000 + i * 1000};
            ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call_from_thread, &callers[i]), 0);
        }
        for (unsigned int i = 0; i < THREADS; i++) {
            ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
            ck_assert_msg(callers[i].right, "thread %u got a wrong answer", i);
        }
    }
    await_true(atomic_load(&server.state->disconnected) == THREADS * ROUNDS);
    counts_expect_same(&before);
    probe_process_stop(&server);
}
END_TEST

START_TEST(leaves_nothing_behind_of_connections_that_were_refused)
{
    probe_process server;
    counts before;
    shmrpc_client *client = NULL;
    probe_schema schema;

    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.max_sessions = 2}});
    shmrpc_client *first = connect_default();
    shmrpc_client *second = connect_default();
    probe_schema_init(&schema);
    schema.methods[PROBE_ECHO].fingerprint ^= 1;
    schema.info.flags = SHMRPC_SERVICE_STRICT;
    ck_assert(probe_answers_rightly(first, 1, 5) && probe_answers_rightly(second, 1, 5));
    process_counts server_before = take_of(server.child.pid, 2);
    counts_take(&before);

    for (unsigned int i = 0; i < 50; i++) {
        assert_status(probe_connect(&client, "probe", NULL), SHMRPC_E_REFUSED);
        ck_assert_str_ne(shmrpc_last_error(), "");
        assert_status(probe_connect(&client, "nobody", NULL), SHMRPC_E_UNAVAILABLE);
    }
    counts_expect_same(&before);
    await_same_of(server.child.pid, &server_before);

    shmrpc_client_free(second);
    await_true(atomic_load(&server.state->disconnected) == 1);
    for (unsigned int i = 0; i < 50; i++)
        assert_status(shmrpc_client_connect(&client, "probe", &schema.info, NULL), SHMRPC_E_MISMATCH);
    ck_assert(probe_answers_rightly(first, 1, 5));
    ck_assert_uint_eq(atomic_load(&server.state->connected), 2);
    /* There is room for one again. */
    second = connect_default();
    shmrpc_client_free(second);
    shmrpc_client_free(first);
    probe_process_stop(&server);
}
END_TEST

static Suite *counts_suite(void)
{
    Suite *suite = suite_create("ipc_counts");
    TCase *tests = tcase_create("counts");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, leaves_nothing_behind_in_either_process_after_connections_in_turn);
    tcase_add_test(tests, leaves_nothing_behind_in_either_process_after_connections_at_once);
    tcase_add_test(tests, leaves_nothing_behind_of_the_first_connection_of_a_process);
    tcase_add_test(tests, serves_a_client_of_its_own_process);
    tcase_add_test(tests, serves_many_clients_of_its_own_process);
    tcase_add_test(tests, serves_threads_that_connect_and_leave_at_once);
    tcase_add_test(tests, leaves_nothing_behind_of_connections_that_were_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(counts_suite)

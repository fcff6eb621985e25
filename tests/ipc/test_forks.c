/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_forks.c - a process that has servers and clients forks: what its child does with them is nothing to the others.
 *
 * The child has copies of the handles, the descriptors, and none of the shared memory. Its parent's server goes on to
 * serve, keeps its name, and hears nothing from the child; nor do the parent's clients, whatever was in flight. (Forks
 * beside threads of a client are in test_threads.c, calls of a child in test_flights.c and test_misuse.c, and children
 * that serve in place of their parent in test_daemons.c.)
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe_server.h"

#define FLIGHTS 8

static probe_thread local; /* the server that is forked along */
static shmrpc_client *client;

static void start(unsigned int workers)
{
    probe_thread_start(&local, &(probe_setup){.options = &(shmrpc_server_options){.workers = workers}});
    assert_status(probe_connect(&client, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(client, 1, 5));
}

static void stop(void)
{
    shmrpc_client_free(client);
    probe_thread_stop(&local);
}

static bool skips_tsan(void)
{
    if (test_is_built_with("tsan"))
        test_skip("ThreadSanitizer does not support a fork beside threads");
    return test_is_built_with("tsan");
}

/* ---- what a child does with a server ---- */

static int deinit_server(void)
{
    shmrpc_server_deinit(&local.server.base);
    child_check(local.server.base.implementation == NULL, "the handle is not empty");
    shmrpc_server_deinit(&local.server.base);
    return 0;
}

static int stop_server(void)
{
    shmrpc_server_stop(&local.server.base);
    return 0;
}

static int run_server(void)
{
    int (*const ways[])(shmrpc_server *) = {shmrpc_server_run, shmrpc_server_fd};

    for (int i = 0; i < 3; i++) {
        int rc = i < 2 ? ways[i](&local.server.base) : shmrpc_server_dispatch(&local.server.base, 1);
        child_check(rc == SHMRPC_E_FORKED, shmrpc_status_text(rc));
        child_check(shmrpc_last_error()[0] != '\0', "no text");
    }
    return 0;
}

/* Whatever holds the lock of the server that these are under: it is not here any more. */
static int count_sessions(void)
{
    shmrpc_session_counts sessions[4] = {{.session = 7}};

    child_check(shmrpc_server_session_counters(&local.server.base, sessions, 4) == 0, "sessions of the parent");
    child_check(sessions[0].session == 7, "counts of one");
    child_check(shmrpc_server_counters(&local.server.base).sessions_open == 0, "an open session of the parent");
    return 0;
}

static int do_all(void)
{
    return count_sessions() + run_server() + stop_server() + deinit_server();
}

static int serve_for_itself(void)
{
    static probe_server own;

    shmrpc_server_deinit(&local.server.base);
    child_check(probe_server_init(&own, local.state, local.gate_out, NULL) == SHMRPC_E_IN_USE, "the name is free");
    child_check(probe_server_init(&own, local.state, local.gate_out, &(probe_setup){.name = "own"}) == 0, "init");
    shmrpc_server_stop(&own.base);
    child_check(shmrpc_server_run(&own.base) == 0, "run");
    shmrpc_server_deinit(&own.base);
    return 0;
}

static int (*const deeds[])(void) = {deinit_server, stop_server, run_server, do_all, serve_for_itself, count_sessions};

static int do_deed(child_link *link, void *data)
{
    (void)link;
    return (*(int (*const *)(void))data)();
}

START_TEST(what_a_child_does_with_a_server_is_nothing_to_its_parent)
{
    unsigned int deed = (unsigned int)_i / 2, workers = _i % 2 == 0 ? 1 : 3;
    shmrpc_call calls[FLIGHTS] = {0};
    child process;

    if (skips_tsan())
        return;
    start(workers);
    size_t descriptors = counts_fds_of(getpid());
    for (uint64_t i = 0; i < FLIGHTS; i++)
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_HOLD, &(probe_value){i + 1}, shmrpc_default(), NULL),
                      0);
    await_true(atomic_load(&local.state->holding) == 1);

    child_spawn(&process, do_deed, (void *)(uintptr_t)&deeds[deed]);
    child_expect_exit(&process, 0);

    ck_assert_uint_eq(runtime_dir_entries(), 1);
    for (uint64_t i = 0; i < FLIGHTS; i++)
        ck_assert_int_eq(write(local.gate_in, "x", 1), 1);
    for (uint64_t i = 0; i < FLIGHTS; i++) {
        uint64_t reply = 0;
        assert_status(shmrpc_call_wait(&calls[i], &reply), 0);
        ck_assert_uint_eq(reply, i + 1);
    }
    ck_assert(probe_answers_rightly(client, 100, 50));
    ck_assert_uint_eq(atomic_load(&local.state->disconnected), 0);
    ck_assert_uint_eq(counts_fds_of(getpid()), descriptors);
    shmrpc_client *late = NULL;
    assert_status(probe_connect(&late, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(late, 200, 5));
    shmrpc_client_free(late);
    stop();
}
END_TEST

static void *call_without_end(void *data)
{
    _Atomic(bool) *over = data;
    shmrpc_client *own = NULL;
    uintptr_t wrong = 0;

    while (!atomic_load(over)) {
        wrong += probe_connect(&own, "probe", NULL) != 0;
        wrong += own == NULL || !probe_answers_rightly(own, 1, 20);
        shmrpc_client_free(own);
        own = NULL;
    }
    return (void *)wrong;
}

/* At any moment: some worker may hold a lock of the server just then. */
START_TEST(a_child_gets_rid_of_a_server_at_whatever_moment_it_was_forked)
{
    enum { CALLERS = 3, FORKS = 60 };
    pthread_t callers[CALLERS];
    _Atomic(bool) over = false;

    if (skips_tsan())
        return;
    start(2);
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, call_without_end, &over), 0);
    for (int i = 0; i < FORKS; i++) {
        child process;
        child_spawn(&process, do_deed, (void *)(uintptr_t)&deeds[3]);
        child_expect_exit(&process, 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < CALLERS; i++) {
        void *wrong = NULL;
        ck_assert_int_eq(pthread_join(callers[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    ck_assert(probe_answers_rightly(client, 1, 20));
    ck_assert_uint_eq(atomic_load(&local.state->lifecycle_errors), 0);
    ck_assert_uint_eq(atomic_load(&local.state->disconnected_why[SHMRPC_WHY_PROTOCOL]), 0);
    stop();
}
END_TEST

/* ---- a server that was set up and does not run yet ---- */

static int deinit_before_it_runs(child_link *link, void *data)
{
    (void)link;
    shmrpc_server_deinit(data);
    return 0;
}

START_TEST(a_server_that_does_not_run_yet_keeps_its_name_when_a_child_gets_rid_of_it)
{
    static probe_server waiting;
    probe_state *state = probe_state_new();
    child process;
    shmrpc_client *early = NULL;

    assert_status(probe_server_init(&waiting, state, STDIN_FILENO, NULL), 0);
    child_spawn(&process, deinit_before_it_runs, &waiting.base);
    child_expect_exit(&process, 0);
    ck_assert_uint_eq(runtime_dir_entries(), 1);
    /* It listens, and answers nobody yet. */
    assert_status(probe_connect(&early, "probe", &(shmrpc_client_options){.connect_timeout_ns = 10000000}),
                  SHMRPC_E_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "did not answer"));
    shmrpc_server_deinit(&waiting.base);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_state_free(state);
}
END_TEST

static Suite *forks_suite(void)
{
    Suite *suite = suite_create("ipc_forks");
    TCase *tests = tcase_create("forks");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, what_a_child_does_with_a_server_is_nothing_to_its_parent, 0,
                        2 * sizeof(deeds) / sizeof(deeds[0]));
    tcase_add_test(tests, a_child_gets_rid_of_a_server_at_whatever_moment_it_was_forked);
    tcase_add_test(tests, a_server_that_does_not_run_yet_keeps_its_name_when_a_child_gets_rid_of_it);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(forks_suite)

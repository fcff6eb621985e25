/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_broken_poller.c - one of two workers is told by the system that it cannot wait: the server ends, with that status,
 * and so do the sessions of both.
 */
#include <errno.h>
#include <pthread.h>

#include "probe_server.h"

static probe_server server;
static probe_state *state;
static int run_status;
static _Atomic(bool) breaks;
static _Atomic(bool) is_over;

struct poller_event;
int __real_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);
int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);

/* Only a worker that has something to serve looks without waiting, and only while all workers have. */
int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns)
{
    if (timeout_ns == 0 && atomic_exchange(&breaks, false))
        return -EIO;
    return __real_poller_wait(poller, ret_events, timeout_ns);
}

static void *serve(void *unused)
{
    (void)unused;
    run_status = shmrpc_server_run(&server.base);
    atomic_store(&is_over, true);
    return NULL;
}

START_TEST(a_worker_that_cannot_wait_leaves_nobody_behind)
{
    const shmrpc_server_options options = {.workers = 2, .spin_ns = SHMRPC_SPIN_FOREVER};
    shmrpc_client *clients[2];
    pthread_t thread;
    uint64_t reply;

    state = probe_state_new();
    assert_status(probe_server_init(&server, state, -1, &(probe_setup){.options = &options}), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_status(probe_connect(&clients[i], "probe", &(shmrpc_client_options){.wait_for_server = true}), 0);
        assert_status(probe_echo(clients[i], i, &reply, shmrpc_in_s(30)), 0);
    }
    atomic_store(&breaks, true);
    await_true(atomic_load(&is_over));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    assert_status(run_status, SHMRPC_E_SYSTEM);
    ck_assert_uint_eq(atomic_load(&state->disconnected), 2);
    ck_assert_uint_eq(atomic_load(&state->disconnected_why[SHMRPC_WHY_STOPPED]), 2);
    for (unsigned i = 0; i < 2; i++) {
        await_true(shmrpc_client_state(clients[i]) == SHMRPC_CLIENT_GONE);
        assert_status(probe_echo(clients[i], i, &reply, shmrpc_in_s(30)), SHMRPC_E_NOT_SENT);
        shmrpc_client_free(clients[i]);
    }
    shmrpc_server_deinit(&server.base);
    probe_state_free(state);
}
END_TEST

static Suite *broken_poller_suite(void)
{
    Suite *suite = suite_create("ipc_broken_poller");
    TCase *tests = tcase_create("broken_poller");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_add_test(tests, a_worker_that_cannot_wait_leaves_nobody_behind);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(broken_poller_suite)

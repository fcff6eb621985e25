/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a session does when another worker tells it something: by hand, with a worker whose clock is as the
 * case has it.
 */
#include "test_support.h"

#include "runtime/server_state.h"

#include <shmrpc/host.h>

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "clients"

static shmrpc_host handle;
static server_host *host;
static int newcomer;
static counts before;

static void begin(void)
{
    runtime_dir_make();
    counts_take(&before);
}

/* Serves, with somebody who has connected and says nothing. */
static shmrpc_session *start(int64_t handshake_timeout_ns)
{
    const shmrpc_server_options options = {.handshake_timeout_ns = handshake_timeout_ns};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_int_eq(shmrpc_host_init(&handle, NAME, &options), 0);
    host = handle.implementation;
    ck_assert_int_ge(shmrpc_host_fd(&handle), 0);
    ck_assert_int_lt(snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime_dir_path(), NAME),
                     (int)sizeof(address.sun_path));
    newcomer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(newcomer, (struct sockaddr *)&address, sizeof(address)), 0);
    server_accept(&host->workers[0]);
    ck_assert_uint_eq(host->shaking_count, 1);
    return list_entry(host->shaking.next, shmrpc_session, life);
}

static void end(void)
{
    shmrpc_host_deinit(&handle);
    ck_assert_int_eq(close(newcomer), 0);
    counts_expect_same(&before);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

START_TEST(a_deadline_that_has_passed_is_heard_by_a_worker_whose_clock_is_behind)
{
    shmrpc_session *session = start(1000000);
    server_worker *worker = &host->workers[0];

    /* The timer has been reached. */
    ck_assert_int_eq(poll(&(struct pollfd){.fd = host->timer, .events = POLLIN}, 1, TEST_PATIENCE_MS), 1);
    worker->now_ns = session->deadline_ns - 1;
    server_tell(worker, session, NEWS_DEADLINE);
    server_hear(worker, session);
    ck_assert_int_eq(session->state, SESSION_ENDED);
    ck_assert_uint_eq(shmrpc_host_counters(&handle).sessions_dropped, 1);
    ck_assert_uint_eq(host->shaking_count, 0);
}
END_TEST

START_TEST(a_deadline_that_has_not_passed_is_kept_whoever_says_so)
{
    shmrpc_session *session = start(INT64_C(3600000000000));
    server_worker *worker = &host->workers[0];

    worker->now_ns = session->deadline_ns + 1;
    server_tell(worker, session, NEWS_DEADLINE);
    server_hear(worker, session);
    ck_assert_int_eq(session->state, SESSION_SHAKING);
    ck_assert_uint_eq(shmrpc_host_counters(&handle).sessions_dropped, 0);
}
END_TEST

static Suite *clients_suite(void)
{
    Suite *suite = suite_create("runtime_server_clients");
    TCase *tests = tcase_create("clients");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_deadline_that_has_passed_is_heard_by_a_worker_whose_clock_is_behind);
    tcase_add_test(tests, a_deadline_that_has_not_passed_is_kept_whoever_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(clients_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_edges.c - a server in a loop that is told of edges alone: 0 of dispatch() means that all that came before has
 * been looked at, and whatever comes after makes an edge. It also never waits.
 *
 * Everything happens in one thread, so that it is known what came before: the loop has taken an edge between two
 * rounds, as one does that looks at its other descriptors after a 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dispatched.h"

static dispatched serving;
static int set;
static _Thread_local bool stop_at_look; /* the server is stopped when this thread next looks at a poller */

struct poller_event;
int __real_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);
int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);

int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns)
{
    if (stop_at_look) {
        stop_at_look = false;
        shmrpc_server_stop(&serving.server.base);
    }
    return __real_poller_wait(poller, ret_events, timeout_ns);
}

static bool take_edge(void)
{
    struct epoll_event event;

    return epoll_wait(set, &event, 1, 0) == 1;
}

static void setup(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    dispatched_begin(&serving, &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    set = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ge(set, 0);
    ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, serving.fd, &event), 0);
}

static void teardown(void)
{
    ck_assert_int_eq(close(set), 0);
    dispatched_end(&serving);
}

/* Somebody who says nothing. */
static int knock(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_lt(snprintf(address.sun_path, sizeof(address.sun_path), "%s/probe", runtime_dir_path()),
                     (int)sizeof(address.sun_path));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Rounds until one says 0; then whatever is there is told by an edge that nobody has taken yet. */
static unsigned expect_edge_of_what_is_left(void)
{
    unsigned rounds = 1;

    while (dispatched_round(&serving) == 1) {
        (void)take_edge();
        ck_assert_uint_lt(++rounds, 1000);
    }
    ck_assert(!dispatched_is_readable(&serving) || take_edge());
    return rounds;
}

/* The server has just handled this call, and will let the client go in the next round. */
static void call_and_serve(shmrpc_client *client, shmrpc_call *call, uint64_t value)
{
    assert_status(probe_start(client, call, PROBE_ECHO, value, shmrpc_forever(), NULL), 0);
    dispatched_await_readable(&serving);
    ck_assert_int_eq(dispatched_round(&serving), 1);
    (void)take_edge();
}

START_TEST(says_0_only_where_it_has_looked_at_what_came_before)
{
    shmrpc_client *client = dispatched_connect(&serving, NULL);

    /* Often, since a round looks by itself where the last look was long ago. */
    for (uint64_t i = 0; i < 300; i++) {
        shmrpc_call call = {0};

        call_and_serve(client, &call, i);
        int newcomer = knock();
        ck_assert(take_edge());
        (void)expect_edge_of_what_is_left();
        ck_assert_int_eq(close(newcomer), 0);
        (void)dispatched_until_idle(&serving);
        probe_expect_echo(&call, i);
    }
    shmrpc_client_free(client);
}
END_TEST

/* One look at the poller gives so much and no more. */
START_TEST(says_1_where_more_may_have_come_than_it_was_told_of)
{
    enum { MANY = 100 };
    int newcomers[MANY];

    for (int i = 0; i < MANY; i++) {
        newcomers[i] = knock();
        (void)dispatched_until_idle(&serving);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(close(newcomers[i]), 0);
    }
    ck_assert(take_edge());
    ck_assert_uint_gt(expect_edge_of_what_is_left(), 1);
}
END_TEST

/* It may be the look before a 0 that hears its bell, which rings once. */
START_TEST(hears_of_its_stop_at_any_look)
{
    shmrpc_client *client = dispatched_connect(&serving, NULL);
    shmrpc_call call = {0};
    int rc = 1;

    call_and_serve(client, &call, 7);
    stop_at_look = true;
    for (unsigned rounds = 0; rc == 1; rounds++) {
        ck_assert_uint_lt(rounds, 10);
        rc = shmrpc_server_dispatch(&serving.server.base, 64);
        (void)take_edge();
    }
    ck_assert(!stop_at_look);
    assert_status(rc, SHMRPC_E_UNAVAILABLE);
    probe_expect_echo(&call, 7);
    shmrpc_client_free(client);
}
END_TEST

/* Somebody else has the directory's lock: the file of the name is removed by deinit(), which may wait. */
START_TEST(does_not_wait_for_its_name_to_be_given_up)
{
    int lock = open(runtime_dir_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    shmrpc_client *client = NULL;
    int rc;

    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    shmrpc_server_stop(&serving.server.base);
    while ((rc = shmrpc_server_dispatch(&serving.server.base, 64)) == 1) {
    }
    assert_status(rc, SHMRPC_E_UNAVAILABLE);
    assert_status(probe_connect(&client, "probe", NULL), SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(runtime_dir_entries(), 1);
    ck_assert_int_eq(close(lock), 0);
}
END_TEST

static Suite *edges_suite(void)
{
    Suite *suite = suite_create("ipc_edges");
    TCase *tests = tcase_create("edges");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, says_0_only_where_it_has_looked_at_what_came_before);
    tcase_add_test(tests, says_1_where_more_may_have_come_than_it_was_told_of);
    tcase_add_test(tests, hears_of_its_stop_at_any_look);
    tcase_add_test(tests, does_not_wait_for_its_name_to_be_given_up);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(edges_suite)

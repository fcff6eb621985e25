/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_floods.c - a client that fills its socket with packets that mean nothing.
 *
 * The server is dispatched by the case, so that what one round has read can be counted: by what is still in the socket.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rogue.h"

#include "runtime/platform/event.h"
#include "runtime/platform/socket.h"

/* More than a visit reads; what a socket holds is some hundreds. */
#define PACKETS_LEAST 100u

static probe_state *state;
static probe_server server;
static rogue flooder;
static shmrpc_client *client;
static int arrived; /* rung when both are connected */

/* Packets of the socket that the server has not read, in whatever the kernel counts. */
static int unread(void)
{
    int queued = 0;

    ck_assert_int_eq(ioctl(flooder.socket, SIOCOUTQ, &queued), 0);
    return queued;
}

static void *come(void *data)
{
    (void)data;
    rogue_join(&flooder, "probe");
    assert_status(probe_connect(&client, "probe", NULL), 0);
    ck_assert_int_eq(event_ring(arrived), 0);
    return NULL;
}

/* Until the other descriptor is readable, too; -1: until there is nothing to do. */
static void dispatch_until(int other)
{
    struct pollfd watched[] = {{.fd = shmrpc_server_fd(&server.base), .events = POLLIN},
                               {.fd = other, .events = POLLIN}};
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    int rc;

    do {
        ck_assert_int_gt(test_remaining_ms(until_ns), 0);
        rc = shmrpc_server_dispatch(&server.base, 64);
        ck_assert_int_ge(rc, 0);
        ck_assert_int_ge(poll(watched, 2, other < 0 || rc == 1 ? 0 : TEST_PATIENCE_MS), 0);
    } while (other < 0 ? rc == 1 : (watched[1].revents & POLLIN) == 0);
}

static void setup(void)
{
    static const shmrpc_server_options options = {.spin_ns = SHMRPC_SPIN_NONE};
    pthread_t thread;

    probe_case_begin();
    state = probe_state_new();
    assert_status(probe_server_init(&server, state, -1, &(probe_setup){.options = &options}), 0);
    arrived = event_new();
    ck_assert_int_ge(arrived, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, come, NULL), 0);
    dispatch_until(arrived);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(close(arrived), 0);
    dispatch_until(-1);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    rogue_leave(&flooder);
    dispatch_until(-1);
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_open, 0);
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_dropped, 0);
    shmrpc_server_deinit(&server.base);
    probe_state_free(state);
    probe_case_end();
}

/* Sends until the socket is full. */
static unsigned flood(void)
{
    const control_packet packet = {.kind = CONTROL_CANCEL, .as.cancel = 7};
    unsigned count = 0;
    void *bytes;
    size_t length;
    int rc;

    ck_assert_int_eq(control_encode(&packet, &bytes, &length), 0);
    while ((rc = socket_send(flooder.socket, bytes, length, NULL, 0)) == 0) {
        count++;
    }
    ck_assert_int_eq(rc, -EAGAIN);
    free(bytes);
    return count;
}

START_TEST(is_read_a_little_at_each_visit_and_nobody_waits_for_it)
{
    shmrpc_call call = {0};
    unsigned packets = flood();
    int before = unread();
    unsigned rounds = 1;

    ck_assert_uint_ge(packets, PACKETS_LEAST);
    assert_status(probe_start(client, &call, PROBE_ECHO, 5, shmrpc_forever(), NULL), 0);
    /* By semaphores a thread rings for a client, and may do so a moment later. */
    ck_assert_int_eq(poll(&(struct pollfd){.fd = shmrpc_server_fd(&server.base), .events = POLLIN}, 1,
                          TEST_PATIENCE_MS),
                     1);
    ck_assert_int_eq(shmrpc_server_dispatch(&server.base, 64), 1);
    ck_assert_int_lt(unread(), before);
    ck_assert_int_gt(unread(), before / 2);
    /* Nobody rings for the rest: it is remembered, and the server does not sleep upon it. */
    for (int left = unread(); left != 0; left = unread()) {
        int rc = shmrpc_server_dispatch(&server.base, 64);

        ck_assert(rc == 1 || (rc == 0 && unread() == 0));
        ck_assert_int_lt(unread(), left);
        ck_assert_uint_le(++rounds, packets);
    }
    ck_assert_uint_ge(rounds, packets / 32);
    dispatch_until(-1);
    probe_expect_echo(&call, 5);
}
END_TEST

/* The rest is read at the next visits, the end of it included. */
START_TEST(hides_no_goodbye)
{
    (void)flood();
    rogue_leave(&flooder);
    dispatch_until(-1);
    ck_assert_uint_eq(atomic_load(&state->disconnected), 1);
    ck_assert_uint_eq(atomic_load(&state->disconnected_why[SHMRPC_WHY_DIED]), 1);
    flooder.socket = -1;
}
END_TEST

static Suite *floods_suite(void)
{
    Suite *suite = suite_create("hostile_floods");
    TCase *tests = tcase_create("floods");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, is_read_a_little_at_each_visit_and_nobody_waits_for_it);
    tcase_add_test(tests, hides_no_goodbye);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(floods_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_floods.c - a client that fills its socket with packets that mean nothing.
 *
 * The server is dispatched by the case, so that what one round has read can be counted: by what is still in the socket.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "dispatched.h"
#include "rogue.h"

#include "runtime/platform/socket.h"

/* More than a visit reads; what a socket holds is some hundreds. */
#define PACKETS_LEAST 100u

static dispatched serving;
static rogue flooder;
static shmrpc_client *client;

/* Of what it sent, in whatever the kernel counts. */
static int unread(void)
{
    int queued = 0;

    ck_assert_int_eq(ioctl(flooder.socket, SIOCOUTQ, &queued), 0);
    return queued;
}

static void join(void *unused)
{
    (void)unused;
    rogue_join(&flooder, "probe");
}

static void setup(void)
{
    dispatched_begin(&serving, &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    dispatched_meet(&serving, join, NULL);
    client = dispatched_connect(&serving, NULL);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    rogue_leave(&flooder);
    (void)dispatched_until_idle(&serving);
    ck_assert_uint_eq(shmrpc_server_counters(&serving.server.base).sessions_open, 0);
    ck_assert_uint_eq(shmrpc_server_counters(&serving.server.base).sessions_dropped, 0);
    dispatched_end(&serving);
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
    dispatched_await_readable(&serving);
    ck_assert_int_eq(dispatched_round(&serving), 1);
    ck_assert_int_lt(unread(), before);
    ck_assert_int_gt(unread(), before / 2);
    /* Nobody rings for the rest: it is remembered, and the server does not sleep upon it. */
    for (int left = unread(); left != 0; left = unread()) {
        int rc = dispatched_round(&serving);

        ck_assert(rc == 1 || unread() == 0);
        ck_assert_int_lt(unread(), left);
        ck_assert_uint_le(++rounds, packets);
    }
    ck_assert_uint_ge(rounds, packets / 32);
    (void)dispatched_until_idle(&serving);
    probe_expect_echo(&call, 5);
}
END_TEST

/* The rest is read at the next visits, the end of it included. */
START_TEST(hides_no_goodbye)
{
    (void)flood();
    rogue_leave(&flooder);
    (void)dispatched_until_idle(&serving);
    ck_assert_uint_eq(atomic_load(&serving.state->disconnected), 1);
    ck_assert_uint_eq(atomic_load(&serving.state->disconnected_why[SHMRPC_WHY_DIED]), 1);
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pokes.c - servers that lie to a client in an event loop, by what they send on the socket.
 *
 * A poke only wakes, and each dispatch reads one of them; what is neither a poke nor a goodbye ends the connection.
 */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "rogue.h"

static int listener;
static rogue server;
static shmrpc_client *client;
static shmrpc_call call;
static int told_rc;

static void *serve(void *data)
{
    uint32_t numbers[PROBE_METHODS];
    control_packet *hello = rogue_accept(&server, listener);

    (void)data;
    if (hello != NULL) {
        const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);

        (void)rogue_admit(&server, &welcome);
        control_packet_free(hello);
    }
    return NULL;
}

static void setup(void)
{
    pthread_t thread;

    probe_case_begin();
    listener = rogue_listen("rogue");
    memset(&call, 0, sizeof(call));
    told_rc = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
    assert_status(probe_connect(&client, "rogue", NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    rogue_leave(&server);
    ck_assert_int_eq(close(listener), 0);
    probe_forget("rogue");
    probe_case_end();
}

static void on_done(shmrpc_call *ended, int rc, const void *reply)
{
    (void)ended;
    (void)reply;
    told_rc = rc;
}

static void sleep_in_loop(int descriptor)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};

    ck_assert_int_eq(poll(&ready, 1, TEST_PATIENCE_MS), 1);
}

static const struct {
    unsigned pokes; /* that are sent first */
    size_t length;
    char byte;
} lies[] = {
    {0, 1, 1}, {100, 1, 1}, {0, 2, 0}, {1, 1, (char)0xff}, {0, 1023, 'x'}, {0, 5000, 0},
};

START_TEST(ends_the_connection_where_the_socket_lies)
{
    static char bytes[5000];
    int descriptor = shmrpc_client_fd(client);
    int rc = 0;

    ck_assert_int_ge(descriptor, 0);
    assert_status(shmrpc_call_start(client, &call, PROBE_ECHO, &(probe_value){1}, shmrpc_forever(), on_done), 0);
    ck_assert_int_ge(shmrpc_client_dispatch(client, 9), 0);
    memset(bytes, 0, sizeof(bytes));
    for (unsigned i = 0; i < lies[_i].pokes; i++)
        rogue_send_bytes(&server, bytes, 1, NULL, 0);
    memset(bytes, lies[_i].byte, sizeof(bytes));
    rogue_send_bytes(&server, bytes, lies[_i].length, NULL, 0);
    for (unsigned looks = 0; rc >= 0; looks++) {
        ck_assert_uint_le(looks, lies[_i].pokes + 4);
        sleep_in_loop(descriptor);
        do {
            rc = shmrpc_client_dispatch(client, 9);
        } while (rc > 0);
    }
    assert_status(rc, SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_FAILED);
    assert_status(told_rc, SHMRPC_E_PROTOCOL);
}
END_TEST

START_TEST(takes_the_poke_that_it_asked_for)
{
    int descriptor = shmrpc_client_fd(client);
    slot request;
    slot reply = rogue_slot(0, 0, 0, 8);

    ck_assert_int_ge(descriptor, 0);
    assert_status(shmrpc_call_start(client, &call, PROBE_ECHO, &(probe_value){1}, shmrpc_forever(), on_done), 0);
    told_rc = 1;
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    ck_assert_uint_eq(atomic_load(&server.memory.header->wish), wish_of(1, WISH_CALL | WISH_INBOX | WISH_POKE));
    rogue_send_bytes(&server, "", 1, NULL, 0);
    sleep_in_loop(descriptor);
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    assert_status(told_rc, 1);
    ck_assert(rogue_await_request(&server, &request));
    rogue_reply(&server, &reply, 0);
    rogue_send_bytes(&server, "", 1, NULL, 0);
    sleep_in_loop(descriptor);
    assert_status(shmrpc_client_dispatch(client, 9), 0);
    assert_status(told_rc, 0);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
}
END_TEST

static Suite *pokes_suite(void)
{
    Suite *suite = suite_create("hostile_pokes");
    TCase *tests = tcase_create("pokes");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, ends_the_connection_where_the_socket_lies, 0, (int)(sizeof(lies) / sizeof(lies[0])));
    tcase_add_test(tests, takes_the_poke_that_it_asked_for);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(pokes_suite)

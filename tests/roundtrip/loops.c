/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops.c - both sides in one loop of the caller's own, in one thread: descriptors and dispatch.
 */
/* clang-format off */
#if 0 /* IDL: loops.shm */
package rt.loops;

message Number { uint32 value; }

@c_prefix("loop") @deadline(10s)
service Loop {
    rpc next(Number) -> (Number);
    rpc never() -> ();
    oneway note(Number);
}
#endif /* IDL */
/* clang-format on */
#include "loops.shm.h"

#include <poll.h>

#include "deadline.h"
#include "roundtrip.h"
#include "test_support.h"

typedef struct loop {
    loop_server base;
    uint32_t noted;
    unsigned connected;
    unsigned disconnected;
    int why;
    loop_never_later kept;
} loop;

static loop served;
static loop_client *client;

static int next(loop_server *server, loop_next_context *context, const rt_loops_number *request, rt_loops_number *reply)
{
    (void)server, (void)context;
    reply->value = request->value + 1;
    return 0;
}

static int never(loop_server *server, loop_never_context *context)
{
    ((loop *)server)->kept = loop_never_defer(context);
    return SHMRPC_DEFERRED;
}

static void note(loop_server *server, loop_note_context *context, const rt_loops_number *request)
{
    (void)context;
    ((loop *)server)->noted += request->value;
}

static void connected(loop_server *server, shmrpc_session *session)
{
    (void)session;
    ((loop *)server)->connected++;
}

static void disconnected(loop_server *server, shmrpc_session *session, int why)
{
    (void)session;
    ((loop *)server)->disconnected++;
    ((loop *)server)->why = why;
}

static const loop_ops ops = {
    .next = next, .never = never, .note = note, .connected = connected, .disconnected = disconnected};

/* Until *what is `wanted`: whoever has something to do does it, and where nobody has, the descriptors tell. */
static void turn_until(const unsigned *what, unsigned wanted)
{
    struct pollfd both[2] = {{.fd = loop_server_fd(&served.base), .events = POLLIN},
                             {.fd = client != NULL ? loop_client_fd(client) : -1, .events = POLLIN}};

    while (*what < wanted) {
        int server = loop_server_dispatch(&served.base, 64);
        int caller = client != NULL ? loop_client_dispatch(client, 64) : 0;
        ck_assert_int_ge(server, 0);
        ck_assert_int_ge(caller, 0);
        if (server == 0 && caller == 0 && *what < wanted)
            ck_assert_int_gt(poll(both, 2, TEST_PATIENCE_MS), 0);
    }
}

static void *connect_client(void *argument)
{
    *(int *)argument = loop_connect(&client, "loop", NULL);
    return NULL;
}

static void connect_both(void)
{
    struct pollfd poller;
    pthread_t thread;
    int rc_of_client = 1;

    runtime_dir_make();
    served = (loop){0};
    client = NULL;
    ck_assert_int_eq(loop_server_init(&served.base, &ops, "loop", NULL), 0);
    poller = (struct pollfd){.fd = loop_server_fd(&served.base), .events = POLLIN};
    ck_assert_int_ge(poller.fd, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, connect_client, &rc_of_client), 0);
    while (served.connected == 0) {
        int rc = loop_server_dispatch(&served.base, 64);
        ck_assert_int_ge(rc, 0);
        if (rc == 0 && served.connected == 0)
            ck_assert_int_eq(poll(&poller, 1, TEST_PATIENCE_MS), 1);
    }
    pthread_join(thread, NULL);
    ck_assert_int_eq(rc_of_client, 0);
}

static void disconnect_both(void)
{
    loop_client_free(client);
    loop_server_deinit(&served.base);
    runtime_dir_remove();
}

static unsigned ended;
static uint32_t sum;

static void on_next(loop_next_call *call, int rc, const rt_loops_number *reply)
{
    (void)call;
    ck_assert_int_eq(rc, 0);
    sum += reply->value;
    ended++;
}

START_TEST(one_thread_is_both_sides)
{
    loop_next_call calls[16] = {0};

    ended = sum = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 16; i++) {
            rt_loops_number number = {.value = i};
            calls[i].done = on_next;
            ck_assert_int_eq(loop_next_start(client, &calls[i], &number, shmrpc_default()), 0);
        }
        turn_until(&ended, 16 * (round + 1));
    }
    ck_assert_uint_eq(sum, 3 * (15 * 16 / 2 + 16));
}
END_TEST

START_TEST(nothing_to_do_is_told_by_nobody)
{
    struct pollfd both[2] = {{.fd = loop_server_fd(&served.base), .events = POLLIN},
                             {.fd = loop_client_fd(client), .events = POLLIN}};
    loop_next_call call = {.done = on_next};
    rt_loops_number number = {.value = 1};
    int server, caller;

    ended = sum = 0;
    ck_assert_int_eq(loop_next_start(client, &call, &number, shmrpc_default()), 0);
    turn_until(&ended, 1);
    do {
        server = loop_server_dispatch(&served.base, 64);
        caller = loop_client_dispatch(client, 64);
        ck_assert_int_ge(server, 0);
        ck_assert_int_ge(caller, 0);
    } while (server != 0 || caller != 0);
    ck_assert_int_eq(poll(both, 2, 0), 0);
    ck_assert_int_eq(loop_note(client, &number, shmrpc_default()), 0);
    ck_assert_int_eq(poll(both, 2, TEST_PATIENCE_MS), 1); /* the doorbell */
    ck_assert(both[0].revents & POLLIN);
    while (served.noted == 0)
        ck_assert_int_ge(loop_server_dispatch(&served.base, 64), 0);
    ck_assert_uint_eq(served.noted, 1);
}
END_TEST

static int timed_out;

/* The caller has given up: the server hears of it, or finds by itself that the time is up. */
static void turn_until_cancelled(void)
{
    struct pollfd server = {.fd = loop_server_fd(&served.base), .events = POLLIN};

    while (!loop_never_later_is_cancelled(served.kept)) {
        ck_assert_int_ge(loop_server_dispatch(&served.base, 64), 0);
        ck_assert_int_ge(poll(&server, 1, 1), 0);
    }
}

static void on_never(loop_never_call *call, int rc)
{
    (void)call;
    timed_out = rc;
    ended++;
}

START_TEST(the_descriptor_tells_of_deadlines)
{
    loop_never_call call = {.done = on_never};
    loop_next_call call_after = {.done = on_next};
    rt_loops_number number = {.value = 5};

    ended = sum = 0;
    ck_assert_int_eq(loop_never_start(client, &call, shmrpc_in_ms(30)), 0);
    turn_until(&ended, 1);
    ck_assert_int_eq(timed_out, SHMRPC_E_TIMEOUT);
    turn_until_cancelled();                       /* the server's time began when it took the call */
    int rc = loop_never_later_reply(served.kept); /* too late: whatever it returns, nobody hears of it */
    ck_assert(rc == 0 || rc == SHMRPC_E_CANCELLED);
    ck_assert_int_eq(loop_next_start(client, &call_after, &number, shmrpc_default()), 0);
    turn_until(&ended, 2);
    ck_assert_uint_eq(ended, 2);
    ck_assert_uint_eq(sum, 6);
}
END_TEST

START_TEST(the_descriptor_tells_of_answers_from_elsewhere)
{
    loop_never_call call = {.done = on_never};

    ended = 0;
    timed_out = 1;
    ck_assert_int_eq(loop_never_start(client, &call, shmrpc_default()), 0);
    while (served.kept.base.id == 0)
        ck_assert_int_ge(loop_server_dispatch(&served.base, 64), 0);
    ck_assert_int_eq(loop_never_later_reply(served.kept), 0);
    turn_until(&ended, 1);
    ck_assert_int_eq(timed_out, 0);
}
END_TEST

START_TEST(a_client_that_leaves_is_told_in_dispatch)
{
    ck_assert_uint_eq(served.disconnected, 0);
    loop_client_free(client);
    client = NULL;
    turn_until(&served.disconnected, 1);
    ck_assert_int_eq(served.why, SHMRPC_WHY_CLOSED);
    ck_assert_uint_eq(served.connected, 1);
}
END_TEST

static Suite *loops_suite(void)
{
    Suite *suite = suite_create("roundtrip_loops");
    TCase *calls = tcase_create("calls");

    tcase_add_checked_fixture(calls, connect_both, disconnect_both);
    tcase_add_test(calls, one_thread_is_both_sides);
    tcase_add_test(calls, nothing_to_do_is_told_by_nobody);
    tcase_add_test(calls, the_descriptor_tells_of_deadlines);
    tcase_add_test(calls, the_descriptor_tells_of_answers_from_elsewhere);
    tcase_add_test(calls, a_client_that_leaves_is_told_in_dispatch);
    suite_add_tcase(suite, calls);
    return suite;
}

TEST_MAIN(loops_suite)

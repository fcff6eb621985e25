/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tokens.c - servers that give a client's further threads a lane of their session, or none, or rubbish.
 */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "rogue.h"

static int listener;
static shmrpc_client *client;

static void setup(void)
{
    probe_case_begin();
    listener = rogue_listen("probe");
}

static void teardown(void)
{
    shmrpc_client_free(client);
    client = NULL;
    close(listener);
    probe_forget("probe");
    probe_case_end();
}

/* A thread that connects where nobody has, calls, and lives on with its lane until it is let go. */
typedef struct user {
    pthread_t thread;
    _Atomic(bool) called, may_end;
    int status;
    uint64_t reply;
    char text[512];
} user;

static void *user_main(void *data)
{
    user *self = data;

    self->status = client == NULL ? probe_connect(&client, "probe", NULL) : 0;
    if (self->status == 0)
        self->status = probe_echo(client, 5, &self->reply, shmrpc_in_s(10));
    strncpy(self->text, shmrpc_last_error(), sizeof(self->text) - 1);
    atomic_store(&self->called, true);
    while (!atomic_load(&self->may_end))
        await_pause();
    return NULL;
}

static void user_start(user *self)
{
    *self = (user){.status = 1};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, user_main, self), 0);
}

static void user_join(user *self)
{
    atomic_store(&self->may_end, true);
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
}

static void answer(rogue *server, uint64_t value)
{
    slot request, reply = rogue_slot(0, 0, 0, sizeof(value));

    ck_assert(rogue_await_request(server, &request));
    memcpy(reply.payload, &value, sizeof(value));
    rogue_reply(server, &reply, 0);
}

/* The first lane, with a token or none; its thread lives on. */
static void first_lane(rogue *server, user *first, uint8_t token)
{
    uint32_t numbers[PROBE_METHODS];

    user_start(first);
    control_packet *hello = rogue_accept(server, listener);
    ck_assert_ptr_nonnull(hello);
    ck_assert(!control_token_is_set(&hello->as.hello.token));
    ck_assert_uint_eq(hello->as.hello.method_count, PROBE_METHODS);
    control_packet welcome = rogue_welcome(server, &hello->as.hello, numbers);
    memset(&welcome.as.welcome.token, token, sizeof(welcome.as.welcome.token));
    ck_assert(rogue_admit(server, &welcome));
    control_packet_free(hello);
    answer(server, 6);
    await_true(atomic_load(&first->called));
    assert_status(first->status, 0);
    ck_assert_uint_eq(first->reply, 6);
}

static control_packet *further_hello(rogue *server, uint8_t token)
{
    control_token expected;
    control_packet *hello = rogue_accept(server, listener);

    memset(&expected, token, sizeof(expected));
    ck_assert_ptr_nonnull(hello);
    ck_assert(control_token_is_equal(&hello->as.hello.token, &expected));
    ck_assert_uint_eq(hello->as.hello.method_count, 0);
    ck_assert_str_eq(hello->as.hello.service, PROBE_NAME);
    return hello;
}

START_TEST(a_second_thread_presents_the_token_and_has_a_lane_of_its_own)
{
    user first, second, third;
    rogue servers[2];
    uint32_t numbers[PROBE_METHODS];

    first_lane(&servers[0], &first, 0x5a);
    user_start(&second);
    control_packet *hello = further_hello(&servers[1], 0x5a);
    control_packet welcome = rogue_welcome(&servers[1], &hello->as.hello, numbers);
    ck_assert(rogue_admit(&servers[1], &welcome));
    control_packet_free(hello);
    answer(&servers[1], 7);
    await_true(atomic_load(&second.called));
    assert_status(second.status, 0);
    ck_assert_uint_eq(second.reply, 7);
    /* Whoever comes after a thread that has ended has what was its. */
    user_join(&first);
    user_start(&third);
    answer(&servers[0], 8);
    await_true(atomic_load(&third.called));
    assert_status(third.status, 0);
    ck_assert_uint_eq(third.reply, 8);
    user_join(&second);
    user_join(&third);
    shmrpc_client_free(client);
    client = NULL;
    for (int i = 0; i < 2; i++) {
        control_packet *goodbye = rogue_receive(&servers[i], CONTROL_GOODBYE, CONTROL_GOODBYE);
        ck_assert_ptr_nonnull(goodbye);
        control_packet_free(goodbye);
        rogue_leave(&servers[i]);
    }
}
END_TEST

START_TEST(says_wrong_thread_where_the_server_gives_no_token)
{
    user first, second;
    rogue server;

    first_lane(&server, &first, 0);
    user_start(&second);
    await_true(atomic_load(&second.called));
    assert_status(second.status, SHMRPC_E_WRONG_THREAD);
    ck_assert_uint_eq(second.reply, 0);
    user_join(&second);
    user_join(&first);
    /* The lane is idle now, and this thread's from its call on. */
    user_start(&second);
    answer(&server, 9);
    await_true(atomic_load(&second.called));
    assert_status(second.status, 0);
    user_join(&second);
    rogue_leave(&server);
}
END_TEST

typedef enum refusal { REFUSED, HUNG_UP, SILENT, METHODS, RUBBISH, REFUSALS } refusal;

static const char *const refusal_texts[REFUSALS] = {
    "no lane for this thread: the server has no such session",
    "no lane for this thread: the peer closed the connection",
    "no lane for this thread: the peer did not answer before the deadline",
    "no lane for this thread: the server numbered 1 methods of 0",
    "no lane for this thread: the peer sent a packet of",
};

/* And the threads that have a lane do not notice. */
START_TEST(says_not_sent_where_no_lane_is_to_be_had)
{
    user first, second;
    rogue servers[2];
    uint32_t numbers[PROBE_METHODS] = {0};
    static const control_packet no_session = {
        .kind = CONTROL_WELCOME,
        .as.welcome = {.status = SHMRPC_E_REFUSED, .text = "the server has no such session", .runtime = "rogue"},
    };

    first_lane(&servers[0], &first, 0x11);
    user_start(&second);
    control_packet *hello = further_hello(&servers[1], 0x11);
    control_packet welcome = rogue_welcome(&servers[1], &hello->as.hello, numbers);
    control_packet_free(hello);
    switch (_i) {
    case REFUSED: rogue_send(&servers[1], &no_session, NULL, 0); break;
    case HUNG_UP: rogue_leave(&servers[1]); break;
    case METHODS:
        welcome.as.welcome.method_count = 1;
        rogue_send(&servers[1], &welcome, NULL, 0);
        break;
    case RUBBISH: rogue_send_bytes(&servers[1], "\xff\xff\xff", 3, NULL, 0); break;
    default: break;
    }
    await_true(atomic_load(&second.called));
    assert_status(second.status, SHMRPC_E_NOT_SENT);
    ck_assert_msg(strncmp(second.text, refusal_texts[_i], strlen(refusal_texts[_i])) == 0, "%s", second.text);
    user_join(&second);
    user_join(&first);
    user_start(&first);
    answer(&servers[0], 12);
    await_true(atomic_load(&first.called));
    assert_status(first.status, 0);
    user_join(&first);
    rogue_leave(&servers[0]);
    if (_i != HUNG_UP)
        rogue_leave(&servers[1]);
}
END_TEST

/* ---- a client that connects again ---- */

static void *connect_with(void *options)
{
    return probe_connect(&client, "probe", options) == 0 ? options : NULL;
}

static void *call_for_a_second(void *data)
{
    uint64_t reply;
    int *status = data;

    *status = probe_echo(client, 1, &reply, shmrpc_in_ms(1000));
    return NULL;
}

/* Somebody listens and hangs up: 10, 20, 40, ... 640 ms, of which half is left to chance. */
START_TEST(a_client_that_is_turned_away_comes_back_less_and_less_often)
{
    const shmrpc_client_options options = {.reconnect = true};
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    uint32_t numbers[PROBE_METHODS];
    unsigned int attempts = 0;
    int status = 1;
    pthread_t thread;
    rogue server;

    /* Connected once, by a thread of its own: this one is the server. */
    pthread_t connecting;
    ck_assert_int_eq(pthread_create(&connecting, NULL, connect_with, (void *)(uintptr_t)&options), 0);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    control_packet_free(hello);
    ck_assert_int_eq(pthread_join(connecting, NULL), 0);
    ck_assert_ptr_nonnull(client);
    rogue_leave(&server);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);

    ck_assert_int_eq(pthread_create(&thread, NULL, call_for_a_second, &status), 0);
    while (poll(&waiting, 1, 1500) > 0) {
        hello = rogue_accept(&server, listener);
        ck_assert_ptr_nonnull(hello);
        control_packet_free(hello);
        rogue_leave(&server);
        attempts++;
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    assert_status(status, SHMRPC_E_NOT_SENT);
    ck_assert_uint_ge(attempts, 2);
    ck_assert_uint_le(attempts, 9);
}
END_TEST

static Suite *tokens_suite(void)
{
    Suite *suite = suite_create("hostile_tokens");
    TCase *tests = tcase_create("tokens");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_second_thread_presents_the_token_and_has_a_lane_of_its_own);
    tcase_add_test(tests, says_wrong_thread_where_the_server_gives_no_token);
    tcase_add_loop_test(tests, says_not_sent_where_no_lane_is_to_be_had, 0, REFUSALS);
    tcase_add_test(tests, a_client_that_is_turned_away_comes_back_less_and_less_often);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(tokens_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_servers.c - servers that lie to a client: it gets a status, never reads or writes outside, and frees
 * everything.
 *
 * The client is the library's, in a thread; the server is a rogue in the case's own. A reply that the protocol does
 * not allow is PROTOCOL, and ends the connection: what comes after it is NOT_SENT.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rogue.h"

#define NAME "rogue"

static int listener;
static counts before;

static void setup(void)
{
    runtime_dir_make();
    counts_take(&before);
    listener = rogue_listen(NAME);
}

/* Whatever happened to the client, nothing of it is left. */
static void teardown(void)
{
    close(listener);
    before.runtime_entries = 1;
    counts_expect_same(&before);
    runtime_dir_remove();
}

/* What the client does, and what became of it. */
typedef struct victim {
    pthread_t thread;
    uint32_t method;
    const void *request;
    int64_t spin_ns;
    int connect_status, call_status, later_status;
    char text[256];
    shmrpc_client_condition condition;
    union {
        probe_value value;
        probe_flag flag;
        probe_blob blob;
        probe_total total;
    } reply;
    bool has_payload;
} victim;

static void *victim_main(void *data)
{
    victim *self = data;
    const shmrpc_client_options options = {.spin_ns = self->spin_ns, .connect_timeout_ns = INT64_C(400000000)};
    shmrpc_client *client = NULL;

    self->connect_status = probe_connect(&client, NAME, &options);
    snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
    if (self->connect_status == 0) {
        memset(&self->reply, 0xee, sizeof(self->reply));
        self->call_status = shmrpc_client_call(client, self->method, self->request, &self->reply, shmrpc_in_s(20));
        snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
        self->has_payload = shmrpc_client_error_payload(client, &probe_errors, self->call_status) != NULL;
        self->later_status = probe_ping(client, shmrpc_in_s(5));
        self->condition = shmrpc_client_state(client);
    }
    shmrpc_client_free(client);
    return NULL;
}

static void victim_start(victim *self)
{
    ck_assert_int_eq(pthread_create(&self->thread, NULL, victim_main, self), 0);
}

static void victim_join(victim *self)
{
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
}

/* ---- replies ---- */

static const probe_value value_request = {7};
static const probe_flag flag_request = {.flag = 1};
static const probe_blob blob_request = {.value = 1, .length = 10};

typedef struct reply_lie {
    const char *what;
    uint32_t method;
    const void *request;
    int status;
    uint8_t reply_block; /* 0: the slot; 1: what the client offered; above: so many beyond it */
    uint32_t length;
    uint32_t word_lie;
    uint8_t first_byte;
} reply_lie;

static const reply_lie reply_lies[] = {
    {"a byte more than a slot holds", PROBE_ECHO, &value_request, 0, 0, 49, 0, 0},
    {"a length without bound", PROBE_ECHO, &value_request, 0, 0, UINT32_MAX, 0, 0},
    {"a length below the message's", PROBE_ECHO, &value_request, 0, 0, 0, 0, 0},
    {"a length above the message's", PROBE_ECHO, &value_request, 0, 0, 16, 0, 0},
    {"a payload where there is none", PROBE_PING, NULL, 0, 0, 8, 0, 0},
    {"a block where none was offered", PROBE_ECHO, &value_request, 0, 2, 8, 0, 0},
    {"a long message that is said to be in a slot", PROBE_BLOB, &blob_request, 0, 0, sizeof(probe_blob), 0, 0},
    {"a message that is a little too long for its slot", PROBE_BLOB, &blob_request, 0, 0, 56, 0, 0},
    {"a block that was not offered", PROBE_BLOB, &blob_request, 0, 2, 24, 0, 0},
    {"a block that does not exist", PROBE_BLOB, &blob_request, 0, 200, 24, 0, 0},
    {"more than the block holds", PROBE_BLOB, &blob_request, 0, 1, 4097, 0, 0},
    {"far more than the block holds", PROBE_BLOB, &blob_request, 0, 1, 0x7fffffffu, 0, 0},
    {"less than the message has", PROBE_BLOB, &blob_request, 0, 1, 8, 0, 0},
    {"a bool of 2", PROBE_CHECK, &flag_request, 0, 0, sizeof(probe_flag), 0, 2},
    {"a status that is the caller's to find out", PROBE_ECHO, &value_request, SHMRPC_E_TIMEOUT, 0, 0, 0, 0},
    {"a status that says not sent", PROBE_ECHO, &value_request, SHMRPC_E_NOT_SENT, 0, 0, 0, 0},
    {"a status that is none", PROBE_ECHO, &value_request, -26, 0, 0, 0, 0},
    {"the least status", PROBE_ECHO, &value_request, INT16_MIN, 0, 0, 0, 0},
    {"an error's payload that is too short", PROBE_FAIL, &value_request, PROBE_ERROR_RANGE, 0, 8, 0, 0},
    {"an error's payload that is too long", PROBE_FAIL, &value_request, PROBE_ERROR_RANGE, 0, 24, 0, 0},
    {"an error's payload in the wrong block", PROBE_FAIL, &value_request, PROBE_ERROR_BLOB, 3, 24, 0, 0},
    {"the word of another lap", PROBE_ECHO, &value_request, 0, 0, 8, 1u << WORD_LAP_SHIFT, 0},
    {"the word of a lap far away", PROBE_ECHO, &value_request, 0, 0, 8, 0xfffffff0u, 0},
    {"a word of neither state", PROBE_ECHO, &value_request, 0, 0, 8, WORD_REPLY, 0},
    {"a word of both states", PROBE_ECHO, &value_request, 0, 0, 8, WORD_REQUEST, 0},
};

static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE};

START_TEST(says_protocol_of_a_reply_that_lies)
{
    const reply_lie *lie = &reply_lies[_i / 2];
    victim client = {.method = lie->method, .request = lie->request, .spin_ns = spins[_i % 2]};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    uint8_t block = lie->reply_block == 0 ? 0 : (uint8_t)(request.reply_block + lie->reply_block - 1);
    slot reply = rogue_slot((uint16_t)(int16_t)lie->status, 0, block, lie->length);
    reply.payload[0] = lie->first_byte;
    rogue_reply(&server, &reply, lie->word_lie);
    victim_join(&client);
    ck_assert_msg(client.call_status == SHMRPC_E_PROTOCOL, "%s: %s", lie->what, shmrpc_status_text(client.call_status));
    ck_assert_msg(client.text[0] != '\0', "%s: no text", lie->what);
    ck_assert_msg(client.later_status == SHMRPC_E_NOT_SENT, "%s: then %s", lie->what,
                  shmrpc_status_text(client.later_status));
    ck_assert_int_eq(client.condition, SHMRPC_CLIENT_FAILED);
    ck_assert(!client.has_payload);
    /* Nothing that was not validated reached the caller's memory. */
    for (size_t i = 0; i < sizeof(client.reply); i++)
        ck_assert_uint_eq(((const unsigned char *)&client.reply)[i], 0xee);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

START_TEST(takes_right_answers_of_a_rogue)
{
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    slot reply = rogue_slot(0, 0, 0, 8);
    reply.payload[0] = 99;
    rogue_reply(&server, &reply, WORD_WISH);
    ck_assert(rogue_await_request(&server, &request));
    reply = rogue_slot(0, 0, 0, 0);
    rogue_reply(&server, &reply, 0);
    victim_join(&client);
    assert_status(client.call_status, 0);
    ck_assert_uint_eq(client.reply.value.value, 99);
    assert_status(client.later_status, 0);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

/* A slot that the client has not written is not the server's to change. */
START_TEST(says_protocol_of_a_slot_that_changed_while_it_was_free)
{
    static const uint32_t words[] = {WORD_REQUEST, 7u << WORD_LAP_SHIFT | WORD_REPLY,
                                     1u << WORD_LAP_SHIFT | WORD_REQUEST, 0, UINT32_MAX};
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    atomic_store(&region_slot(&server.memory, server.next + 1)->word, words[_i]);
    const slot reply = rogue_slot(0, 0, 0, 8);
    rogue_reply(&server, &reply, 0);
    victim_join(&client);
    assert_status(client.call_status, 0);
    assert_status(client.later_status, SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(client.condition, SHMRPC_CLIENT_FAILED);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

/* What the server says of itself is not believed beyond the outcome of this client's own call. */
START_TEST(ends_where_a_server_says_closed_and_leaves)
{
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    atomic_store(&server.memory.header->started, _i == 0 ? 0 : UINT64_MAX);
    atomic_store(&server.memory.header->closed, 1);
    rogue_leave(&server);
    victim_join(&client);
    assert_status(client.call_status, _i == 0 ? SHMRPC_E_NOT_EXECUTED : SHMRPC_E_UNKNOWN);
    assert_status(client.later_status, SHMRPC_E_NOT_SENT);
    control_packet_free(hello);
}
END_TEST

START_TEST(survives_a_server_that_writes_random_words)
{
    unsigned int random = 1618;

    printf("seed %u\n", random);
    for (int round = 0; round < 200; round++) {
        victim client = {.method = round % 2 == 0 ? PROBE_BLOB : PROBE_CHECK,
                         .request = round % 2 == 0 ? (const void *)&blob_request : &flag_request};
        uint32_t numbers[PROBE_METHODS];
        rogue server;
        slot request;

        victim_start(&client);
        control_packet *hello = rogue_accept(&server, listener);
        ck_assert_ptr_nonnull(hello);
        const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
        ck_assert(rogue_admit(&server, &welcome));
        ck_assert(rogue_await_request(&server, &request));
        _Atomic uint32_t *base = (_Atomic uint32_t *)(void *)server.memory.header;
        for (size_t i = 0; i < server.memory.size / sizeof(uint32_t); i++)
            atomic_store_explicit(&base[i], (uint32_t)rand_r(&random) << 16 ^ (uint32_t)rand_r(&random),
                                  memory_order_relaxed);
        slot reply = rogue_slot((uint16_t)(rand_r(&random) % 3), 0, request.reply_block, (uint32_t)rand_r(&random));
        if (rand_r(&random) % 2 == 0)
            reply.length %= 4097;
        rogue_reply(&server, &reply, 0);
        /* The next one, if any, is not answered. */
        rogue_leave(&server);
        victim_join(&client);
        int rc = client.call_status;
        /* Among the words is the one that says that the lane is closed. */
        bool closed = rc == SHMRPC_E_UNKNOWN || rc == SHMRPC_E_NOT_EXECUTED;
        ck_assert_msg(rc == SHMRPC_E_PROTOCOL || closed || (rc >= 0 && rc <= 2), "round %d: %s", round,
                      shmrpc_status_text(rc));
        control_packet_free(hello);
    }
}
END_TEST

/* ---- handshakes ---- */

typedef struct welcome_lie {
    const char *what;
    uint32_t depth, request_size, request_count, reply_size, reply_count, methods;
} welcome_lie;

static const welcome_lie welcome_lies[] = {
    {"no slots", 0, 4032, 8, 4032, 8, PROBE_METHODS},
    {"one slot", 1, 4032, 8, 4032, 8, PROBE_METHODS},
    {"a depth that is no power of two", 3, 4032, 8, 4032, 8, PROBE_METHODS},
    {"an endless ring", 0x80000000u, 4032, 8, 4032, 8, PROBE_METHODS},
    {"blocks of an odd size", 64, 4031, 8, 4032, 8, PROBE_METHODS},
    {"blocks beyond every message", 64, 0x10000000u, 8, 4032, 8, PROBE_METHODS},
    {"more blocks than there are numbers", 64, 4032, 256, 4032, 8, PROBE_METHODS},
    {"blocks of no size", 64, 0, 8, 4032, 8, PROBE_METHODS},
    {"no blocks of a size", 64, 4032, 8, 4032, 0, PROBE_METHODS},
    {"sizes that wrap", 64, 0xffffffc0u, 0xffffffffu, 0xffffffc0u, 0xffffffffu, PROBE_METHODS},
    {"too few methods", 64, 4032, 8, 4032, 8, PROBE_METHODS - 1},
    {"no methods", 64, 4032, 8, 4032, 8, 0},
};

START_TEST(says_protocol_of_a_welcome_that_lies)
{
    const welcome_lie *lie = &welcome_lies[_i];
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    welcome.as.welcome.depth = lie->depth;
    welcome.as.welcome.request_block_size = lie->request_size;
    welcome.as.welcome.request_block_count = lie->request_count;
    welcome.as.welcome.reply_block_size = lie->reply_size;
    welcome.as.welcome.reply_block_count = lie->reply_count;
    welcome.as.welcome.method_count = lie->methods;
    rogue_send(&server, &welcome, NULL, 0);
    victim_join(&client);
    ck_assert_msg(client.connect_status == SHMRPC_E_PROTOCOL, "%s: %s", lie->what,
                  shmrpc_status_text(client.connect_status));
    ck_assert_msg(client.text[0] != '\0', "%s: no text", lie->what);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

/* Blocks that are too small for the messages, or none: every call that needs one says so. */
START_TEST(says_so_where_a_server_gives_no_blocks)
{
    victim client = {.method = PROBE_BLOB, .request = &blob_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request, reply = rogue_slot(0, 0, 0, 0);

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    if (_i == 0) {
        welcome.as.welcome.request_block_size = welcome.as.welcome.request_block_count = 0;
        welcome.as.welcome.reply_block_size = welcome.as.welcome.reply_block_count = 0;
    } else {
        welcome.as.welcome.reply_block_size = 64;
    }
    server.memory.geometry =
        (region_geometry){welcome.as.welcome.depth, welcome.as.welcome.request_block_size,
                          welcome.as.welcome.request_block_count, welcome.as.welcome.reply_block_size,
                          welcome.as.welcome.reply_block_count};
    if (rogue_admit(&server, &welcome) && rogue_await_request(&server, &request))
        rogue_reply(&server, &reply, 0);
    rogue_leave(&server);
    victim_join(&client);
    int rc = client.connect_status != 0 ? client.connect_status : client.call_status;
    ck_assert_msg(rc == SHMRPC_E_PROTOCOL || rc == SHMRPC_E_TOO_LARGE, "%s", shmrpc_status_text(rc));
    control_packet_free(hello);
}
END_TEST

START_TEST(gives_the_reason_of_a_refusal_without_its_control_characters)
{
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    rogue server;
    static const int statuses[] = {SHMRPC_E_REFUSED, SHMRPC_E_MISMATCH, -12345, 70000, INT_MIN, INT_MAX};

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet refusal = {
        .kind = CONTROL_WELCOME,
        .as.welcome = {.status = statuses[_i], .text = "go\x1b[2J\naway %s%n", .runtime = "rogue"},
    };
    rogue_send(&server, &refusal, NULL, 0);
    victim_join(&client);
    ck_assert_int_lt(client.connect_status, 0);
    if (_i < 2)
        assert_status(client.connect_status, statuses[_i]);
    for (const char *at = client.text; *at != '\0'; at++)
        ck_assert_msg((unsigned char)*at >= ' ' && (unsigned char)*at != 0x7f, "\"%s\"", client.text);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

START_TEST(survives_random_packets_of_a_server)
{
    unsigned int random = 5772;
    static unsigned char bytes[2048];

    printf("seed %u\n", random);
    for (int round = 0; round < 200; round++) {
        victim client = {.method = PROBE_ECHO, .request = &value_request};
        rogue server;
        size_t length = 1 + (size_t)rand_r(&random) % sizeof(bytes);

        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)rand_r(&random);
        victim_start(&client);
        control_packet *hello = rogue_accept(&server, listener);
        ck_assert_ptr_nonnull(hello);
        rogue_send_bytes(&server, bytes, length, NULL, 0);
        victim_join(&client);
        ck_assert_int_lt(client.connect_status, 0);
        control_packet_free(hello);
        rogue_leave(&server);
    }
}
END_TEST

START_TEST(survives_mutilated_welcomes)
{
    unsigned int random = 1414;

    printf("seed %u\n", random);
    for (int round = 0; round < 400; round++) {
        victim client = {.method = PROBE_ECHO, .request = &value_request};
        uint32_t numbers[PROBE_METHODS];
        void *bytes;
        size_t length;
        rogue server;

        victim_start(&client);
        control_packet *hello = rogue_accept(&server, listener);
        ck_assert_ptr_nonnull(hello);
        const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
        ck_assert_int_eq(control_encode(&welcome, &bytes, &length), 0);
        for (int changes = 1 + rand_r(&random) % 3; changes > 0; changes--)
            ((unsigned char *)bytes)[(size_t)rand_r(&random) % length] = (unsigned char)rand_r(&random);
        rogue_send_bytes(&server, bytes, length, NULL, 0);
        free(bytes);
        /* Whether it attaches or not, it is told no more. */
        rogue_leave(&server);
        victim_join(&client);
        ck_assert_int_lt(client.connect_status, 0);
        control_packet_free(hello);
    }
}
END_TEST

/* 0: accepts nobody; 1: reads Hello and says nothing; 2: takes the memory and says nothing. */
START_TEST(ends_connecting_to_a_silent_server_at_the_deadline)
{
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server = {.socket = -1, .bell = -1};
    uint64_t begin_ns = test_now_ns();

    victim_start(&client);
    if (_i >= 1) {
        control_packet *hello = rogue_accept(&server, listener);
        ck_assert_ptr_nonnull(hello);
        const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
        if (_i == 2)
            rogue_send(&server, &welcome, NULL, 0);
        control_packet_free(hello);
    }
    victim_join(&client);
    assert_status(client.connect_status, SHMRPC_E_UNAVAILABLE);
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 390000000);
    ck_assert_uint_lt(took_ns, UINT64_C(5000000000));
    rogue_leave(&server);
}
END_TEST

START_TEST(fails_where_a_server_sends_garbage_after_the_handshake)
{
    victim client = {.method = PROBE_ECHO, .request = &value_request, .spin_ns = spins[_i]};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    rogue_send_bytes(&server, "garbage", 7, NULL, 0);
    victim_join(&client);
    assert_status(client.call_status, SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(client.condition, SHMRPC_CLIENT_FAILED);
    assert_status(client.later_status, SHMRPC_E_NOT_SENT);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

/* The state follows what the server says, while calls are still answered. */
START_TEST(says_stopping_after_a_goodbye)
{
    const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = "soon"};
    victim client = {.method = PROBE_ECHO, .request = &value_request};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request, reply = rogue_slot(0, 0, 0, 8), empty = rogue_slot(0, 0, 0, 0);

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    rogue_send(&server, &goodbye, NULL, 0);
    ck_assert(rogue_await_request(&server, &request));
    rogue_reply(&server, &reply, 0);
    ck_assert(rogue_await_request(&server, &request));
    rogue_reply(&server, &empty, 0);
    victim_join(&client);
    assert_status(client.call_status, 0);
    ck_assert_int_eq(client.condition, SHMRPC_CLIENT_STOPPING);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

static Suite *servers_suite(void)
{
    Suite *suite = suite_create("hostile_servers");
    TCase *tests = tcase_create("servers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, says_protocol_of_a_reply_that_lies, 0,
                        2 * (int)(sizeof(reply_lies) / sizeof(reply_lies[0])));
    tcase_add_test(tests, takes_right_answers_of_a_rogue);
    tcase_add_loop_test(tests, says_protocol_of_a_slot_that_changed_while_it_was_free, 0, 5);
    tcase_add_loop_test(tests, ends_where_a_server_says_closed_and_leaves, 0, 2);
    tcase_add_test(tests, survives_a_server_that_writes_random_words);
    tcase_add_loop_test(tests, says_protocol_of_a_welcome_that_lies, 0,
                        (int)(sizeof(welcome_lies) / sizeof(welcome_lies[0])));
    tcase_add_loop_test(tests, says_so_where_a_server_gives_no_blocks, 0, 2);
    tcase_add_loop_test(tests, gives_the_reason_of_a_refusal_without_its_control_characters, 0, 6);
    tcase_add_test(tests, survives_random_packets_of_a_server);
    tcase_add_test(tests, survives_mutilated_welcomes);
    tcase_add_loop_test(tests, ends_connecting_to_a_silent_server_at_the_deadline, 0, 3);
    tcase_add_loop_test(tests, fails_where_a_server_sends_garbage_after_the_handshake, 0, 2);
    tcase_add_test(tests, says_stopping_after_a_goodbye);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(servers_suite)

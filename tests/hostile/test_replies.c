/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_replies.c - servers that lie to a client in the shared memory.
 *
 * A reply that the protocol does not allow is PROTOCOL, and ends the connection: what comes after it is NOT_SENT.
 * Nothing that was not validated is left in the caller's memory.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

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
    {"a byte more than a slot holds", PROBE_ECHO, &victim_value, 0, 0, 49, 0, 0},
    {"a length without bound", PROBE_ECHO, &victim_value, 0, 0, UINT32_MAX, 0, 0},
    {"a length below the message's", PROBE_ECHO, &victim_value, 0, 0, 0, 0, 0},
    {"a length above the message's", PROBE_ECHO, &victim_value, 0, 0, 16, 0, 0},
    {"a payload where there is none", PROBE_PING, NULL, 0, 0, 8, 0, 0},
    {"a block where none was offered", PROBE_ECHO, &victim_value, 0, 2, 8, 0, 0},
    {"a long message that is said to be in a slot", PROBE_BLOB, &victim_blob, 0, 0, sizeof(probe_blob), 0, 0},
    {"a message that is a little too long for its slot", PROBE_BLOB, &victim_blob, 0, 0, 56, 0, 0},
    {"a block that was not offered", PROBE_BLOB, &victim_blob, 0, 2, 24, 0, 0},
    {"a block that does not exist", PROBE_BLOB, &victim_blob, 0, 200, 24, 0, 0},
    {"more than the block holds", PROBE_BLOB, &victim_blob, 0, 1, 4097, 0, 0},
    {"far more than the block holds", PROBE_BLOB, &victim_blob, 0, 1, 0x7fffffffu, 0, 0},
    {"less than the message has", PROBE_BLOB, &victim_blob, 0, 1, 8, 0, 0},
    {"a bool of 2", PROBE_CHECK, &victim_flag, 0, 0, sizeof(probe_flag), 0, 2},
    {"a status that is the caller's to find out", PROBE_ECHO, &victim_value, SHMRPC_E_TIMEOUT, 0, 0, 0, 0},
    {"a status that says not sent", PROBE_ECHO, &victim_value, SHMRPC_E_NOT_SENT, 0, 0, 0, 0},
    {"a status that is none", PROBE_ECHO, &victim_value, -26, 0, 0, 0, 0},
    {"the least status", PROBE_ECHO, &victim_value, INT16_MIN, 0, 0, 0, 0},
    {"an error's payload that is too short", PROBE_FAIL, &victim_value, PROBE_ERROR_RANGE, 0, 8, 0, 0},
    {"an error's payload that is too long", PROBE_FAIL, &victim_value, PROBE_ERROR_RANGE, 0, 24, 0, 0},
    {"an error's payload in the wrong block", PROBE_FAIL, &victim_value, PROBE_ERROR_BLOB, 3, 24, 0, 0},
    {"the word of another lap", PROBE_ECHO, &victim_value, 0, 0, 8, 1u << WORD_LAP_SHIFT, 0},
    {"the word of a lap far away", PROBE_ECHO, &victim_value, 0, 0, 8, 0xfffffff0u, 0},
    {"a word of neither state", PROBE_ECHO, &victim_value, 0, 0, 8, WORD_REPLY, 0},
    {"a word of both states", PROBE_ECHO, &victim_value, 0, 0, 8, WORD_REQUEST, 0},
};

/* How the victim comes to the reply: it spins, it sleeps, or the reply is there when it looks for the first time. */
static const struct {
    int64_t spin_ns;
    bool is_late;
} ways[] = {{SHMRPC_SPIN_DEFAULT, false}, {SHMRPC_SPIN_NONE, false}, {SHMRPC_SPIN_DEFAULT, true}};

#define WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

START_TEST(says_protocol_of_a_reply_that_lies)
{
    const reply_lie *lie = &reply_lies[_i / WAYS];
    victim client = {.method = lie->method,
                     .request = lie->request,
                     .spin_ns = ways[_i % WAYS].spin_ns,
                     .is_late = ways[_i % WAYS].is_late};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    uint8_t block = lie->reply_block == 0 ? 0 : (uint8_t)(request.reply_block + lie->reply_block - 1);
    slot reply = rogue_slot((uint16_t)(int16_t)lie->status, 0, block, lie->length);
    reply.payload[0] = lie->first_byte;
    rogue_reply(&server, &reply, lie->word_lie);
    (void)tally_up(&client.may_look);
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

/* A server that answers the blob with one that says `said`, of which `sent` bytes are all 0x11 but for that. */
static void answer_blob(victim *client, uint32_t said, uint32_t sent)
{
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    unsigned char *block = region_reply_block(&server.memory, request.reply_block);
    memset(block, 0x11, sent);
    memcpy(block + offsetof(probe_blob, length), &said, sizeof(said));
    slot reply = rogue_slot(0, 0, request.reply_block, sent);
    rogue_reply(&server, &reply, 0);
    if (said <= PROBE_BLOB_MAX) {
        ck_assert(rogue_await_request(&server, &request));
        reply = rogue_slot(0, 0, 0, 0);
        rogue_reply(&server, &reply, 0);
    }
    victim_join(client);
    control_packet_free(hello);
    rogue_leave(&server);
}

START_TEST(leaves_the_default_image_of_a_large_reply_that_does_not_validate)
{
    victim client = {.method = PROBE_BLOB, .request = &victim_blob};

    answer_blob(&client, PROBE_BLOB_MAX + 1, 512);
    assert_status(client.call_status, SHMRPC_E_PROTOCOL);
    assert_status(client.later_status, SHMRPC_E_NOT_SENT);
    for (size_t i = 0; i < sizeof(client.reply.blob); i++)
        ck_assert_uint_eq(((const unsigned char *)&client.reply.blob)[i], 0);
}
END_TEST

START_TEST(fills_in_what_a_large_reply_says_it_has_and_has_not)
{
    victim client = {.method = PROBE_BLOB, .request = &victim_blob};

    answer_blob(&client, 100, 24);
    assert_status(client.call_status, 0);
    assert_status(client.later_status, 0);
    ck_assert_uint_eq(client.reply.blob.value, UINT64_C(0x1111111111111111));
    ck_assert_uint_eq(client.reply.blob.length, 100);
    for (size_t i = 0; i < PROBE_BLOB_MAX; i++)
        ck_assert_uint_eq(client.reply.blob.bytes[i], i < 12 ? 0x11 : i < 100 ? 0 : 0xee);
}
END_TEST

START_TEST(takes_right_answers_of_a_rogue)
{
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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

/* A newer server may know errors that this client does not: it gets the number, and the connection goes on. */
START_TEST(passes_an_error_on_that_its_schema_does_not_have)
{
    static const struct {
        uint32_t method;
        int code;
        uint32_t length; /* bytes that come along, which nobody here can read */
    } cases[] = {
        {PROBE_FAIL, 999, 0}, {PROBE_FAIL, 999, 48}, {PROBE_FAIL, SHMRPC_ERROR_MAX, 16},
        {PROBE_ECHO, 999, 0}, {PROBE_ECHO, 1, 8}, /* this method declares none */
    };
    victim client = {.method = cases[_i].method, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(rogue_admit(&server, &welcome));
    ck_assert(rogue_await_request(&server, &request));
    const slot reply = rogue_slot((uint16_t)cases[_i].code, 0, 0, cases[_i].length);
    rogue_reply(&server, &reply, 0);
    ck_assert(rogue_await_request(&server, &request));
    const slot pong = rogue_slot(0, 0, 0, 0);
    rogue_reply(&server, &pong, 0);
    victim_join(&client);
    assert_status(client.call_status, cases[_i].code);
    ck_assert(!client.has_payload);
    ck_assert_uint_eq(client.reply.value.value, UINT64_C(0xeeeeeeeeeeeeeeee));
    assert_status(client.later_status, 0);
    ck_assert_int_eq(client.condition, SHMRPC_CLIENT_UP);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

/* A slot that the client has not written is not the server's to change. */
START_TEST(says_protocol_of_a_slot_that_changed_while_it_was_free)
{
    static const uint32_t words[] = {WORD_REQUEST, 7u << WORD_LAP_SHIFT | WORD_REPLY,
                                     1u << WORD_LAP_SHIFT | WORD_REQUEST, 0, UINT32_MAX ^ (1u << WORD_LAP_SHIFT)};
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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
                         .request = round % 2 == 0 ? (const void *)&victim_blob : &victim_flag};
        uint32_t numbers[PROBE_METHODS];
        rogue server;
        slot request;

        victim_start(&client);
        control_packet *hello = rogue_accept(&server, victim_listener);
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

static Suite *replies_suite(void)
{
    Suite *suite = suite_create("hostile_replies");
    TCase *tests = tcase_create("replies");

    tcase_add_checked_fixture(tests, victim_setup, victim_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, says_protocol_of_a_reply_that_lies, 0,
                        WAYS * (int)(sizeof(reply_lies) / sizeof(reply_lies[0])));
    tcase_add_test(tests, leaves_the_default_image_of_a_large_reply_that_does_not_validate);
    tcase_add_test(tests, fills_in_what_a_large_reply_says_it_has_and_has_not);
    tcase_add_test(tests, takes_right_answers_of_a_rogue);
    tcase_add_loop_test(tests, passes_an_error_on_that_its_schema_does_not_have, 0, 5);
    tcase_add_loop_test(tests, says_protocol_of_a_slot_that_changed_while_it_was_free, 0, 5);
    tcase_add_loop_test(tests, ends_where_a_server_says_closed_and_leaves, 0, 2);
    tcase_add_test(tests, survives_a_server_that_writes_random_words);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(replies_suite)

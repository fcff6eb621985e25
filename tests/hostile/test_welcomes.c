/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_welcomes.c - servers that lie to a client in the handshake, say nothing, or send what nobody asked for.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE};

typedef struct welcome_lie {
    const char *what;
    uint32_t depth, request_size, request_count, reply_size, reply_count, methods, inbox;
} welcome_lie;

static const welcome_lie welcome_lies[] = {
    {"no slots", 0, 4032, 8, 4032, 8, PROBE_METHODS, 0},
    {"one slot", 1, 4032, 8, 4032, 8, PROBE_METHODS, 0},
    {"a depth that is no power of two", 3, 4032, 8, 4032, 8, PROBE_METHODS, 0},
    {"an endless ring", 0x80000000u, 4032, 8, 4032, 8, PROBE_METHODS, 0},
    {"blocks of an odd size", 64, 4031, 8, 4032, 8, PROBE_METHODS, 0},
    {"blocks beyond every message", 64, 0x10000000u, 8, 4032, 8, PROBE_METHODS, 0},
    {"more blocks than there are numbers", 64, 4032, 256, 4032, 8, PROBE_METHODS, 0},
    {"blocks of no size", 64, 0, 8, 4032, 8, PROBE_METHODS, 0},
    {"no blocks of a size", 64, 4032, 8, 4032, 0, PROBE_METHODS, 0},
    {"sizes that wrap", 64, 0xffffffc0u, 0xffffffffu, 0xffffffc0u, 0xffffffffu, PROBE_METHODS, 0},
    {"too few methods", 64, 4032, 8, 4032, 8, PROBE_METHODS - 1, 0},
    {"no methods", 64, 4032, 8, 4032, 8, 0, 0},
    {"an inbox whose depth is no power of two", 64, 4032, 8, 4032, 8, PROBE_METHODS, 96},
    {"fewer entries than slots", 64, 4032, 8, 4032, 8, PROBE_METHODS, 32},
};

START_TEST(says_protocol_of_a_welcome_that_lies)
{
    const welcome_lie *lie = &welcome_lies[_i];
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    welcome.as.welcome.depth = lie->depth;
    welcome.as.welcome.request_block_size = lie->request_size;
    welcome.as.welcome.request_block_count = lie->request_count;
    welcome.as.welcome.reply_block_size = lie->reply_size;
    welcome.as.welcome.reply_block_count = lie->reply_count;
    welcome.as.welcome.method_count = lie->methods;
    welcome.as.welcome.inbox_depth = lie->inbox;
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
    victim client = {.method = PROBE_BLOB, .request = &victim_blob};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request, reply = rogue_slot(0, 0, 0, 0);

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    if (_i == 0) {
        welcome.as.welcome.request_block_size = welcome.as.welcome.request_block_count = 0;
        welcome.as.welcome.reply_block_size = welcome.as.welcome.reply_block_count = 0;
    } else {
        welcome.as.welcome.reply_block_size = 64;
    }
    server.memory.geometry = (region_geometry){welcome.as.welcome.depth,
                                               welcome.as.welcome.request_block_size,
                                               welcome.as.welcome.request_block_count,
                                               welcome.as.welcome.reply_block_size,
                                               welcome.as.welcome.reply_block_count,
                                               0,
                                               0};
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
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    rogue server;
    static const int statuses[] = {SHMRPC_E_REFUSED, SHMRPC_E_MISMATCH, -12345, 70000, INT_MIN, INT_MAX};

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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
        victim client = {.method = PROBE_ECHO, .request = &victim_value};
        rogue server;
        size_t length = 1 + (size_t)rand_r(&random) % sizeof(bytes);

        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)rand_r(&random);
        victim_start(&client);
        control_packet *hello = rogue_accept(&server, victim_listener);
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
        victim client = {.method = PROBE_ECHO, .request = &victim_value};
        uint32_t numbers[PROBE_METHODS];
        void *bytes;
        size_t length;
        rogue server;

        victim_start(&client);
        control_packet *hello = rogue_accept(&server, victim_listener);
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
    victim client = {.method = PROBE_ECHO, .request = &victim_value, .connect_ns = 400000000};
    uint32_t numbers[PROBE_METHODS];
    rogue server = {.socket = -1, .bell = -1};
    uint64_t begin_ns = test_now_ns();

    victim_start(&client);
    if (_i >= 1) {
        control_packet *hello = rogue_accept(&server, victim_listener);
        ck_assert_ptr_nonnull(hello);
        const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
        if (_i == 2)
            rogue_send(&server, &welcome, NULL, 0);
        control_packet_free(hello);
    }
    victim_join(&client);
    assert_status(client.connect_status, SHMRPC_E_UNAVAILABLE);
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 400000000);
    ck_assert_uint_lt(took_ns, TEST_SOON_NS);
    rogue_leave(&server);
}
END_TEST

START_TEST(fails_where_a_server_sends_garbage_after_the_handshake)
{
    victim client = {.method = PROBE_ECHO, .request = &victim_value, .spin_ns = spins[_i]};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request;

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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
    victim client = {.method = PROBE_ECHO, .request = &victim_value};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request, reply = rogue_slot(0, 0, 0, 8), empty = rogue_slot(0, 0, 0, 0);

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
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

/* Of an earlier version, say: it is sent none, and nothing else suffers. */
START_TEST(sends_no_envelope_to_a_server_that_takes_none)
{
    victim client = {.method = PROBE_ECHO, .request = &victim_value, .sends_times = _i == 0, .has_metadata = _i == 1};
    uint32_t numbers[PROBE_METHODS];
    rogue server;
    slot request, reply = rogue_slot(0, 0, 0, 8), empty = rogue_slot(0, 0, 0, 0);

    victim_start(&client);
    control_packet *hello = rogue_accept(&server, victim_listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = rogue_welcome(&server, &hello->as.hello, numbers);
    ck_assert(!welcome.as.welcome.envelopes);
    ck_assert(rogue_admit(&server, &welcome));
    if (_i == 0) {
        ck_assert(rogue_await_request(&server, &request));
        ck_assert_uint_eq(request.method, PROBE_ECHO);
        ck_assert_uint_eq(request.length, 8);
        rogue_reply(&server, &reply, 0);
    }
    ck_assert(rogue_await_request(&server, &request));
    ck_assert_uint_eq(request.method, PROBE_PING);
    ck_assert_uint_eq(request.length, 0);
    rogue_reply(&server, &empty, 0);
    victim_join(&client);
    assert_status(client.call_status, _i == 0 ? 0 : SHMRPC_E_UNIMPLEMENTED);
    if (_i == 1)
        ck_assert_ptr_nonnull(strstr(client.text, "the server takes no metadata"));
    assert_status(client.later_status, 0);
    control_packet_free(hello);
    rogue_leave(&server);
}
END_TEST

static Suite *welcomes_suite(void)
{
    Suite *suite = suite_create("hostile_welcomes");
    TCase *tests = tcase_create("welcomes");

    tcase_add_checked_fixture(tests, victim_setup, victim_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, says_protocol_of_a_welcome_that_lies, 0,
                        (int)(sizeof(welcome_lies) / sizeof(welcome_lies[0])));
    tcase_add_loop_test(tests, says_so_where_a_server_gives_no_blocks, 0, 2);
    tcase_add_loop_test(tests, gives_the_reason_of_a_refusal_without_its_control_characters, 0, 6);
    tcase_add_test(tests, survives_random_packets_of_a_server);
    tcase_add_test(tests, survives_mutilated_welcomes);
    tcase_add_loop_test(tests, ends_connecting_to_a_silent_server_at_the_deadline, 0, 3);
    tcase_add_loop_test(tests, fails_where_a_server_sends_garbage_after_the_handshake, 0, 2);
    tcase_add_test(tests, says_stopping_after_a_goodbye);
    tcase_add_loop_test(tests, sends_no_envelope_to_a_server_that_takes_none, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(welcomes_suite)

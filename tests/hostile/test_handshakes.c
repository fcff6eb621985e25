/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_handshakes.c - whoever connects to a server and does not behave is dropped, logged and counted.
 *
 * In each case the witness is connected from the beginning, is served in between and in the end, and notices nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rogue.h"
#include "witness.h"

static uint32_t random_state;

static uint32_t random_next(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static void random_seed(uint32_t seed)
{
    printf("seed %u\n", seed);
    random_state = seed;
}

static void random_fill(unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)random_next();
}

START_TEST(drops_those_who_send_random_bytes)
{
    static unsigned char bytes[4096];
    uint64_t before = witness_turned_away();

    random_seed(20240601);
    for (int round = 0; round < 400; round++) {
        rogue peer;
        size_t length = 1 + random_next() % sizeof(bytes);
        random_fill(bytes, length);
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, bytes, length, NULL, 0);
        ck_assert_msg(rogue_is_dropped(&peer), "round %d: still connected", round);
        rogue_leave(&peer);
    }
    ck_assert_uint_ge(witness_turned_away() - before, 400);
    ck_assert_uint_eq(atomic_load(&witness_server.state->connected), 1);
    ck_assert_uint_ge(atomic_load(&witness_server.state->warnings), 400);
}
END_TEST

START_TEST(drops_those_who_send_huge_packets)
{
    static unsigned char bytes[200000];
    static const unsigned char fills[] = {0x00, 0xff, 0x0a, 0x12};

    for (size_t i = 0; i < sizeof(fills); i++) {
        rogue peer;
        memset(bytes, fills[i], sizeof(bytes));
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, bytes, sizeof(bytes), NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        witness_expect_served();
    }
}
END_TEST

/* A well-formed Hello with some bytes changed: it is refused, or taken for what it then says. */
START_TEST(survives_mutilated_hellos)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    void *bytes;
    size_t length;

    random_seed(7001);
    ck_assert_int_eq(control_encode(&hello, &bytes, &length), 0);
    unsigned char *copy = malloc(length);
    ck_assert_ptr_nonnull(copy);
    for (int round = 0; round < 1500; round++) {
        rogue peer;
        memcpy(copy, bytes, length);
        size_t kept = round % 3 == 0 ? 1 + random_next() % length : length;
        for (uint32_t changes = 1 + random_next() % 4; changes > 0; changes--)
            copy[random_next() % length] = (unsigned char)random_next();
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, copy, kept, NULL, 0);
        control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
        if (answer == NULL || answer->as.welcome.status != 0)
            ck_assert(rogue_is_dropped(&peer));
        control_packet_free(answer);
        rogue_leave(&peer);
        if (round % 100 == 0)
            witness_expect_served();
    }
    free(copy);
    free(bytes);
}
END_TEST

START_TEST(keeps_nothing_of_those_who_connect_and_leave)
{
    for (int round = 0; round < 300; round++) {
        rogue peer;
        rogue_connect(&peer, "probe");
        rogue_leave(&peer);
    }
    witness_expect_served();
}
END_TEST

START_TEST(drops_those_who_say_nothing_at_the_handshake_s_deadline)
{
    rogue peer;
    uint64_t before = witness_turned_away(), begin_ns = test_now_ns();

    rogue_connect(&peer, "probe");
    ck_assert(rogue_is_dropped(&peer));
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, (uint64_t)WITNESS_HANDSHAKE_NS);
    rogue_leave(&peer);
    ck_assert_uint_eq(witness_turned_away(), before + 1);
    ck_assert(probe_state_has_line(witness_server.state, "handshake"));
}
END_TEST

START_TEST(drops_those_who_say_hello_and_nothing_more)
{
    rogue peer;
    uint64_t before = witness_turned_away();

    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    ck_assert_uint_eq(witness_turned_away(), before + 1);
    ck_assert_uint_eq(atomic_load(&witness_server.state->connected), 1);
}
END_TEST

START_TEST(drops_packets_that_are_out_of_order)
{
    static const control_packet packets[] = {
        {.kind = CONTROL_WELCOME, .as.welcome = {.text = "", .runtime = "rogue", .protocol = 1, .depth = 64}},
        {.kind = CONTROL_ATTACH, .as.attach = {.size = 4096}},
        {.kind = CONTROL_READY, .as.ready = {.text = ""}},
        {.kind = CONTROL_GOODBYE, .as.goodbye = "bye"},
    };

    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        uint64_t before = witness_turned_away();
        rogue peer;

        rogue_connect(&peer, "probe");
        rogue_send(&peer, &packets[i], NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        ck_assert_uint_gt(witness_turned_away(), before);

        if (packets[i].kind == CONTROL_ATTACH)
            continue;
        rogue_connect(&peer, "probe");
        ck_assert(rogue_greet(&peer));
        rogue_send(&peer, &packets[i], NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
    }
    rogue peer;
    /* And who says Hello twice. */
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    rogue_send(&peer, &hello, NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    ck_assert_uint_eq(atomic_load(&witness_server.state->connected), 1);
}
END_TEST

START_TEST(drops_those_who_send_packets_after_the_handshake)
{
    static const char garbage[] = "\xff\xfe garbage";
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    rogue peer;

    rogue_join(&peer, "probe");
    rogue_send(&peer, &hello, NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 1);

    rogue_join(&peer, "probe");
    rogue_send_bytes(&peer, garbage, sizeof(garbage), NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 2);

    rogue_join(&peer, "probe");
    int descriptor = rogue_make_memory(&(rogue){.memory.geometry = peer.memory.geometry});
    rogue_send(&peer, &(control_packet){.kind = CONTROL_ATTACH, .as.attach = {.size = peer.memory.size}},
               (const int[]){descriptor, peer.bell}, 2);
    close(descriptor);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 3);
}
END_TEST

/* ---- what Hello says ---- */

static int status_of_hello(const control_packet *hello, char *ret_text, size_t capacity)
{
    rogue peer;
    int status = SHMRPC_E_UNAVAILABLE;

    rogue_connect(&peer, "probe");
    rogue_send(&peer, hello, NULL, 0);
    control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
    if (answer != NULL) {
        status = answer->as.welcome.status;
        snprintf(ret_text, capacity, "%s", answer->as.welcome.text);
        control_packet_free(answer);
    }
    if (status != 0)
        ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    return status;
}

START_TEST(refuses_a_protocol_that_it_does_not_speak)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";

    hello.as.hello.protocol_least = hello.as.hello.protocol_most = CONTROL_PROTOCOL + 1;
    assert_status(status_of_hello(&hello, text, sizeof(text)), SHMRPC_E_VERSION);
    ck_assert_str_ne(text, "");
    /* Versions to come are no reason as long as this one is among them. */
    hello.as.hello.protocol_least = CONTROL_PROTOCOL;
    hello.as.hello.protocol_most = UINT32_MAX;
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
}
END_TEST

START_TEST(gives_no_more_depth_and_blocks_than_its_limits)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    static const uint32_t asked[] = {0, 1, 3, 5, 1000, 65536, 65537, 0x80000000u, UINT32_MAX};
    char text[CONTROL_TEXT_MAX + 1];

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        rogue peer;

        hello.as.hello.depth = asked[i];
        hello.as.hello.blocks = asked[sizeof(asked) / sizeof(asked[0]) - 1 - i];
        rogue_connect(&peer, "probe");
        rogue_send(&peer, &hello, NULL, 0);
        control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
        if (answer != NULL && answer->as.welcome.status == 0) {
            const control_welcome *welcome = &answer->as.welcome;
            ck_assert_uint_ge(welcome->depth, 2);
            ck_assert_uint_le(welcome->depth, 4096);
            ck_assert_uint_eq(welcome->depth & (welcome->depth - 1), 0);
            ck_assert_uint_le(welcome->request_block_count * welcome->request_block_size +
                                  welcome->reply_block_count * welcome->reply_block_size,
                              256 * 1024);
        }
        control_packet_free(answer);
        rogue_leave(&peer);
    }
    hello = rogue_hello(methods);
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
}
END_TEST

START_TEST(escapes_what_a_peer_calls_itself_in_its_log)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";

    hello.as.hello.service = "test\x1b[31m\r\nwarning: forged line";
    int status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_int_lt(status, 0);
    hello.as.hello.service = "no%s%n%d.such";
    hello.as.hello.runtime = "%s%s%s%n";
    status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_int_lt(status, 0);
    for (uint64_t line = 0; line < atomic_load(&witness_server.state->warnings) && line < PROBE_LINES; line++)
        for (const char *at = witness_server.state->lines[line]; *at != '\0'; at++)
            ck_assert_msg((unsigned char)*at >= ' ' && *at != 0x7f, "a control character in \"%s\"",
                          witness_server.state->lines[line]);
}
END_TEST

START_TEST(takes_a_hello_with_as_many_methods_as_there_can_be)
{
    static control_method many[SHMRPC_METHODS_MAX];
    static char names[SHMRPC_METHODS_MAX][16];
    uint64_t fingerprint = 77;
    uint32_t size = 0;
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";
    uint64_t begin_ns = test_now_ns();

    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "m%u", i);
        many[i] = (control_method){names[i], 1, &fingerprint, &size, &size, false};
    }
    hello.as.hello.methods = many;
    hello.as.hello.method_count = SHMRPC_METHODS_MAX;
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
    /* The same name many times, and one of its own at that. */
    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++)
        many[i] = methods[PROBE_ECHO];
    int status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_msg(status == 0 || status == SHMRPC_E_PROTOCOL || status == SHMRPC_E_REFUSED, "%d", status);
    ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
    witness_expect_served();
}
END_TEST

/* ---- many at once ---- */

START_TEST(serves_others_while_many_say_nothing)
{
    enum { SILENT = 300 };
    static rogue silent[SILENT];
    shmrpc_client *late = NULL;

    for (int i = 0; i < SILENT; i++) {
        rogue_connect(&silent[i], "probe");
        if (i % 30 == 0)
            witness_expect_served();
    }
    witness_expect_served();
    for (int i = 0; i < SILENT; i++)
        ck_assert(rogue_is_dropped(&silent[i]));
    assert_status(probe_connect(&late, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(late, 1, 5));
    shmrpc_client_free(late);
    for (int i = 0; i < SILENT; i++)
        rogue_leave(&silent[i]);
}
END_TEST

START_TEST(serves_others_while_many_never_read_their_answers)
{
    enum { DEAF = 100 };
    static rogue deaf[DEAF];
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);

    for (int i = 0; i < DEAF; i++) {
        rogue_connect(&deaf[i], "probe");
        rogue_send(&deaf[i], &hello, NULL, 0);
    }
    witness_expect_served();
    for (int i = 0; i < DEAF; i++)
        rogue_leave(&deaf[i]);
}
END_TEST

static Suite *handshakes_suite(void)
{
    Suite *suite = suite_create("hostile_handshakes");
    TCase *tests = tcase_create("handshakes");
    TCase *silent = tcase_create("silent");

    tcase_add_checked_fixture(tests, witness_setup, witness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, drops_those_who_send_random_bytes);
    tcase_add_test(tests, drops_those_who_send_huge_packets);
    tcase_add_test(tests, survives_mutilated_hellos);
    tcase_add_test(tests, keeps_nothing_of_those_who_connect_and_leave);
    tcase_add_test(tests, drops_packets_that_are_out_of_order);
    tcase_add_test(tests, drops_those_who_send_packets_after_the_handshake);
    tcase_add_test(tests, refuses_a_protocol_that_it_does_not_speak);
    tcase_add_test(tests, gives_no_more_depth_and_blocks_than_its_limits);
    tcase_add_test(tests, escapes_what_a_peer_calls_itself_in_its_log);
    tcase_add_test(tests, takes_a_hello_with_as_many_methods_as_there_can_be);
    tcase_add_test(tests, serves_others_while_many_never_read_their_answers);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(silent, witness_setup_impatient, witness_teardown);
    tcase_set_timeout(silent, 60);
    tcase_add_test(silent, drops_those_who_say_nothing_at_the_handshake_s_deadline);
    tcase_add_test(silent, drops_those_who_say_hello_and_nothing_more);
    tcase_add_test(silent, serves_others_while_many_say_nothing);
    suite_add_tcase(suite, silent);
    return suite;
}

TEST_MAIN(handshakes_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_agreements.c - lies about layouts: clients that ask for what they do not have, or call what was not agreed on,
 * and servers that agree to what nobody asked for, or say why they do not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"
#include "witness.h"

/* ---- clients ---- */

/* Greets with this Hello and attaches; the server's numbers of the methods are left in `numbers`. */
static void join_for(rogue *self, const control_packet *hello, uint32_t numbers[PROBE_METHODS])
{
    int memory;

    rogue_connect(self, "probe");
    rogue_send(self, hello, NULL, 0);
    control_packet *packet = rogue_receive(self, CONTROL_WELCOME, CONTROL_WELCOME);
    ck_assert_ptr_nonnull(packet);
    const control_welcome *welcome = &packet->as.welcome;
    assert_status(welcome->status, 0);
    ck_assert_uint_eq(welcome->method_count, hello->as.hello.method_count);
    memcpy(numbers, welcome->method_numbers, welcome->method_count * sizeof(*numbers));
    self->memory.geometry = (region_geometry){welcome->depth,
                                              welcome->request_block_size,
                                              welcome->request_block_count,
                                              welcome->reply_block_size,
                                              welcome->reply_block_count,
                                              welcome->inbox_depth,
                                              0};
    control_packet_free(packet);
    memory = rogue_make_memory(self);
    ck_assert(rogue_attach(self, self->memory.size, (int[]){memory, self->bell}, 2));
    close(memory);
}

static uint64_t dropped(void)
{
    return atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]);
}

/* 0: did not ask for it; 1: asked for another layout; 2: said other sizes; 3: that it is oneway. */
START_TEST(drops_who_calls_a_method_that_was_not_agreed_on)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    uint32_t numbers[PROBE_METHODS];
    uint64_t fingerprint = 4711;
    uint32_t size = 16;
    slot request = rogue_slot(PROBE_ECHO, 0, 0, 8), reply;
    rogue peer;

    methods[PROBE_ECHO].oneway = _i == 3;
    methods[PROBE_ECHO].fingerprints = _i == 1 ? &fingerprint : methods[PROBE_ECHO].fingerprints;
    methods[PROBE_ECHO].request_sizes = _i == 2 ? &size : methods[PROBE_ECHO].request_sizes;
    methods[PROBE_ECHO].name = _i == 0 ? "novelty" : "echo";
    join_for(&peer, &hello, numbers);
    ck_assert_uint_eq(numbers[PROBE_ECHO], _i == 0 ? CONTROL_METHOD_MISSING : CONTROL_METHOD_MISMATCH);
    /* What was agreed on is answered. */
    const slot ping = rogue_slot(PROBE_PING, 0, 0, 0);
    rogue_request(&peer, &ping, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_int_eq((int16_t)reply.method, 0);
    uint64_t begun = atomic_load(&witness_server.state->begun);
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_is_dropped(&peer));
    await_true(dropped() == 1);
    ck_assert_uint_eq(atomic_load(&witness_server.state->begun), begun);
    rogue_leave(&peer);
    witness_expect_served();
}
END_TEST

START_TEST(finds_one_layout_among_as_many_as_there_may_be)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    uint64_t fingerprints[CONTROL_REVISIONS_MAX];
    uint32_t sizes[CONTROL_REVISIONS_MAX];
    uint32_t numbers[PROBE_METHODS];
    slot request = rogue_slot(PROBE_ECHO, 0, 0, 8), reply;
    rogue peer;

    for (uint32_t i = 0; i < CONTROL_REVISIONS_MAX; i++) {
        fingerprints[i] = i + 1000;
        sizes[i] = 8;
    }
    fingerprints[CONTROL_REVISIONS_MAX - 1] = methods[PROBE_ECHO].fingerprints[0];
    methods[PROBE_ECHO].revision_count = CONTROL_REVISIONS_MAX;
    methods[PROBE_ECHO].fingerprints = fingerprints;
    methods[PROBE_ECHO].request_sizes = methods[PROBE_ECHO].answer_sizes = sizes;
    join_for(&peer, &hello, numbers);
    ck_assert_uint_eq(numbers[PROBE_ECHO], PROBE_ECHO);
    request.payload[0] = 99;
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_int_eq((int16_t)reply.method, 0);
    ck_assert_uint_eq(reply.payload[0], 99);
    rogue_leave(&peer);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

/* ---- servers ---- */

static victim client;
static uint32_t numbers[PROBE_METHODS];

/* A client that calls `echo`, and what a server of the probe service would answer to its Hello. */
static control_packet begin(rogue *server, control_packet **ret_hello)
{
    client = (victim){.method = PROBE_ECHO, .request = &victim_value};
    victim_start(&client);
    *ret_hello = rogue_accept(server, victim_listener);
    ck_assert_ptr_nonnull(*ret_hello);
    return rogue_welcome(server, &(*ret_hello)->as.hello, numbers);
}

static void end(rogue *server, control_packet *hello)
{
    control_packet_free(hello);
    rogue_leave(server);
}

static void expect_printable(void)
{
    for (const char *at = client.text; *at != '\0'; at++)
        ck_assert_msg((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f, "\"%s\"", client.text);
}

START_TEST(says_protocol_of_a_layout_that_it_did_not_offer)
{
    static const uint32_t beyond[] = {1, 2, CONTROL_REVISIONS_MAX - 1, CONTROL_REVISIONS_MAX, UINT32_MAX};
    uint32_t revisions[PROBE_METHODS] = {[PROBE_PING] = beyond[_i]};
    control_packet *hello;
    rogue server;
    control_packet welcome = begin(&server, &hello);

    welcome.as.welcome.method_revisions = revisions;
    rogue_send(&server, &welcome, NULL, 0);
    victim_join(&client);
    assert_status(client.connect_status, SHMRPC_E_PROTOCOL);
    end(&server, hello);
}
END_TEST

static const char *const texts[] = {
    "",
    "}",
    "message(",
    "message(8){0:uint64 value;",
    "message(4294967296){4294967296:uint64 value;}",
    "message(8){0:uint64 \x1b[2Jvalue;}",
    "message(8){0?:%s%n value=99999999999;;;{{{{}",
    "{{{{{{{{{{{{{{{{{{{{",
};

/* It says why a method is not to be called, or says nothing, or what nobody can read. */
START_TEST(fails_a_call_for_whatever_reason_a_server_gives)
{
    control_mismatch mismatches[] = {
        {SHMRPC_METHODS_MAX - 1, true, 1, 2, 3, "", "", ""},
        {PROBE_ECHO, false, 4711, 8, SHMRPC_MESSAGE_MAX, texts[_i], texts[_i], texts[_i]},
        {PROBE_ECHO, true, 0, 0, 0, "again", "", ""},
    };
    control_packet *hello;
    rogue server;
    slot request, empty = rogue_slot(0, 0, 0, 0);
    control_packet welcome = begin(&server, &hello);

    numbers[PROBE_ECHO] = CONTROL_METHOD_MISMATCH;
    welcome.as.welcome.mismatches = mismatches;
    welcome.as.welcome.mismatch_count = _i == 0 ? 0 : 3;
    welcome.as.welcome.version = UINT32_MAX;
    ck_assert(rogue_admit(&server, &welcome));
    /* Nothing comes but the call after it. */
    ck_assert(rogue_await_request(&server, &request));
    ck_assert_uint_eq(request.method, PROBE_PING);
    rogue_reply(&server, &empty, 0);
    victim_join(&client);
    assert_status(client.call_status, SHMRPC_E_MISMATCH);
    assert_status(client.later_status, 0);
    ck_assert_ptr_nonnull(strstr(client.text, "echo"));
    expect_printable();
    end(&server, hello);
}
END_TEST

START_TEST(is_refused_for_whatever_reason_a_server_gives)
{
    static const uint32_t indexes[] = {0, PROBE_METHODS - 1, PROBE_METHODS, SHMRPC_METHODS_MAX - 1};
    control_mismatch mismatch = {indexes[_i], false, 1, 2, 3, texts[6], texts[7], texts[1]};
    control_packet *hello;
    rogue server;

    (void)begin(&server, &hello);
    const control_packet refusal = {
        .kind = CONTROL_WELCOME,
        .as.welcome = {.status = SHMRPC_E_MISMATCH,
                       .text = "go\x1b"
                               "away",
                       .runtime = "rogue",
                       .mismatches = &mismatch,
                       .mismatch_count = 1},
    };
    rogue_send(&server, &refusal, NULL, 0);
    victim_join(&client);
    assert_status(client.connect_status, SHMRPC_E_MISMATCH);
    ck_assert_str_ne(client.text, "");
    if (_i >= 2)
        ck_assert_str_eq(client.text, "go?away");
    expect_printable();
    end(&server, hello);
}
END_TEST

static Suite *agreements_suite(void)
{
    Suite *suite = suite_create("hostile_agreements");
    TCase *clients = tcase_create("clients");
    TCase *servers = tcase_create("servers");

    tcase_add_checked_fixture(clients, witness_setup, witness_teardown);
    tcase_set_timeout(clients, 60);
    tcase_add_loop_test(clients, drops_who_calls_a_method_that_was_not_agreed_on, 0, 4);
    tcase_add_test(clients, finds_one_layout_among_as_many_as_there_may_be);
    suite_add_tcase(suite, clients);

    tcase_add_checked_fixture(servers, victim_setup, victim_teardown);
    tcase_set_timeout(servers, 60);
    tcase_add_loop_test(servers, says_protocol_of_a_layout_that_it_did_not_offer, 0, 5);
    tcase_add_loop_test(servers, fails_a_call_for_whatever_reason_a_server_gives, 0,
                        (int)(sizeof(texts) / sizeof(texts[0])));
    tcase_add_loop_test(servers, is_refused_for_whatever_reason_a_server_gives, 0, 4);
    suite_add_tcase(suite, servers);
    return suite;
}

TEST_MAIN(agreements_suite)

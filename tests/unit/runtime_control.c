/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/control.h"
#include "runtime/platform/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shmrpc/wire.h>

/* ---- helpers ---- */

static control_packet *round_trip(const control_packet *packet)
{
    control_packet *decoded = NULL;
    const char *reason = NULL;
    size_t length;
    void *bytes;
    int r;

    ck_assert_int_eq(control_encode(packet, &bytes, &length), 0);
    ck_assert_uint_gt(length, 0);
    r = control_decode(bytes, length, &decoded, &reason);
    ck_assert_msg(r == 0, "%d: %s", r, reason);
    free(bytes);
    ck_assert_int_eq(decoded->kind, packet->kind);
    return decoded;
}

static void expect_bytes_refused(const void *bytes, size_t length, const char *expected)
{
    control_packet *decoded = (control_packet *)&decoded;
    const char *reason = NULL;

    ck_assert_int_eq(control_decode(bytes, length, &decoded, &reason), -EPROTO);
    ck_assert_str_eq(reason, expected);
    ck_assert_ptr_eq(decoded, &decoded);
}

/* What a peer that does not keep to the limits would send. */
static void expect_refused(const control_packet *packet, const char *expected)
{
    size_t length;
    void *bytes;

    ck_assert_int_eq(control_encode(packet, &bytes, &length), 0);
    expect_bytes_refused(bytes, length, expected);
    free(bytes);
}

static control_packet hello(void)
{
    static uint64_t fingerprints[] = {0x0123456789abcdefu, 0, 17, UINT64_MAX};
    static uint32_t sizes[] = {0, 8, 16, 24, SHMRPC_LARGE_MAX};
    static control_method methods[] = {
        {"add", 3, fingerprints, sizes, sizes + 1, false},
        {"note", 1, fingerprints + 3, sizes + 4, sizes, true},
    };

    return (control_packet){
        .kind = CONTROL_HELLO,
        .as.hello =
            {
                .protocol_least = 1,
                .protocol_most = 3,
                .service = "demo.calc.Calculator",
                .methods = methods,
                .method_count = 2,
                .depth = 64,
                .blocks = 8,
                .request_size = 100,
                .reply_size = 200,
                .runtime = "0.1.0",
                .inbox = 32,
                .semaphores = true,
                .membarrier = true,
                .envelope = CONTROL_ENVELOPE_MAX,
                .token = {"0123456789abcde"},
            },
    };
}

static control_packet welcome(void)
{
    static uint32_t numbers[] = {1, CONTROL_METHOD_MISMATCH, CONTROL_METHOD_MISSING};
    static uint32_t revisions[] = {CONTROL_REVISIONS_MAX - 1, 0, 0};
    static control_mismatch mismatches[] = {
        {1, true, 0xfedcba9876543210u, 16, SHMRPC_MESSAGE_MAX, "message(16){0:uint64 a;}", "", "errors{}"},
        {SHMRPC_METHODS_MAX - 1, false, 1, 0, 0, "", "", ""},
    };

    return (control_packet){
        .kind = CONTROL_WELCOME,
        .as.welcome =
            {
                .status = 0,
                .text = "",
                .protocol = 1,
                .depth = 64,
                .request_block_size = 4096,
                .request_block_count = 8,
                .reply_block_size = SHMRPC_MESSAGE_MAX,
                .reply_block_count = CONTROL_BLOCKS_MAX,
                .method_numbers = numbers,
                .method_revisions = revisions,
                .method_count = 3,
                .version = 7,
                .mismatches = mismatches,
                .mismatch_count = 2,
                .session = UINT64_MAX - 1,
                .runtime = "0.1.0",
                .inbox_depth = CONTROL_DEPTH_MAX,
                .membarrier = true,
                .envelopes = true,
                .arena_size = SHMRPC_ARENA_MOST,
                .token = {{[15] = 1}},
            },
    };
}

/* ---- round trips ---- */

START_TEST(a_hello_arrives_as_it_was_sent)
{
    control_packet packet = hello();
    control_packet *decoded = round_trip(&packet);
    const control_hello *got = &decoded->as.hello;

    ck_assert_uint_eq(got->protocol_least, 1);
    ck_assert_uint_eq(got->protocol_most, 3);
    ck_assert_str_eq(got->service, "demo.calc.Calculator");
    ck_assert_uint_eq(got->depth, 64);
    ck_assert_uint_eq(got->blocks, 8);
    ck_assert_uint_eq(got->request_size, 100);
    ck_assert_uint_eq(got->reply_size, 200);
    ck_assert_uint_eq(got->inbox, 32);
    ck_assert(got->semaphores);
    ck_assert(got->membarrier);
    ck_assert_uint_eq(got->envelope, CONTROL_ENVELOPE_MAX);
    ck_assert_mem_eq(got->token.bytes, "0123456789abcde", CONTROL_TOKEN_SIZE);
    ck_assert_str_eq(got->runtime, "0.1.0");
    ck_assert_uint_eq(got->method_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const control_method *sent = &packet.as.hello.methods[i];

        ck_assert_str_eq(got->methods[i].name, sent->name);
        ck_assert_uint_eq(got->methods[i].revision_count, sent->revision_count);
        for (uint32_t k = 0; k < sent->revision_count; k++) {
            ck_assert(got->methods[i].fingerprints[k] == sent->fingerprints[k]);
            ck_assert_uint_eq(got->methods[i].request_sizes[k], sent->request_sizes[k]);
            ck_assert_uint_eq(got->methods[i].answer_sizes[k], sent->answer_sizes[k]);
        }
        ck_assert(got->methods[i].oneway == sent->oneway);
    }
    control_packet_free(decoded);
    control_packet_free(NULL);
}
END_TEST

START_TEST(a_hello_of_the_raw_transport_has_neither_service_nor_methods)
{
    control_packet packet = {.kind = CONTROL_HELLO, .as.hello = {.protocol_least = 1, .protocol_most = 1}};
    control_packet *decoded = round_trip(&packet);

    ck_assert_str_eq(decoded->as.hello.service, "");
    ck_assert_str_eq(decoded->as.hello.runtime, "");
    ck_assert_uint_eq(decoded->as.hello.method_count, 0);
    ck_assert(!control_token_is_set(&decoded->as.hello.token));
    control_packet_free(decoded);
}
END_TEST

START_TEST(a_hello_may_have_as_many_methods_as_a_service)
{
    control_method *methods = calloc(SHMRPC_METHODS_MAX, sizeof(*methods));
    control_packet packet = hello();
    control_packet *decoded;
    uint64_t fingerprint = 4321;
    uint32_t size = 48;

    ck_assert_ptr_nonnull(methods);
    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++)
        methods[i] = (control_method){"a_method_with_a_name", 1, &fingerprint, &size, &size, false};
    packet.as.hello.methods = methods;
    packet.as.hello.method_count = SHMRPC_METHODS_MAX;
    decoded = round_trip(&packet);
    ck_assert_uint_eq(decoded->as.hello.method_count, SHMRPC_METHODS_MAX);
    ck_assert_uint_eq(decoded->as.hello.methods[SHMRPC_METHODS_MAX - 1].fingerprints[0], 4321);
    control_packet_free(decoded);
    free(methods);
}
END_TEST

START_TEST(a_welcome_arrives_as_it_was_sent)
{
    control_packet packet = welcome();
    control_packet *decoded = round_trip(&packet);
    const control_welcome *got = &decoded->as.welcome;

    ck_assert_int_eq(got->status, 0);
    ck_assert_str_eq(got->text, "");
    ck_assert_uint_eq(got->protocol, 1);
    ck_assert_uint_eq(got->depth, 64);
    ck_assert_uint_eq(got->request_block_size, 4096);
    ck_assert_uint_eq(got->request_block_count, 8);
    ck_assert_uint_eq(got->reply_block_size, SHMRPC_MESSAGE_MAX);
    ck_assert_uint_eq(got->reply_block_count, CONTROL_BLOCKS_MAX);
    ck_assert_uint_eq(got->inbox_depth, CONTROL_DEPTH_MAX);
    ck_assert(got->envelopes);
    ck_assert_uint_eq(got->arena_size, SHMRPC_ARENA_MOST);
    ck_assert(control_token_is_equal(&got->token, &packet.as.welcome.token));
    ck_assert(got->membarrier);
    ck_assert_uint_eq(got->method_count, 3);
    ck_assert_uint_eq(got->method_numbers[0], 1);
    ck_assert_uint_eq(got->method_numbers[1], CONTROL_METHOD_MISMATCH);
    ck_assert_uint_eq(got->method_numbers[2], CONTROL_METHOD_MISSING);
    ck_assert_uint_eq(got->method_revisions[0], CONTROL_REVISIONS_MAX - 1);
    ck_assert_uint_eq(got->method_revisions[1], 0);
    ck_assert_uint_eq(got->version, 7);
    ck_assert_uint_eq(got->mismatch_count, 2);
    ck_assert_uint_eq(got->mismatches[0].method, 1);
    ck_assert(got->mismatches[0].oneway && !got->mismatches[1].oneway);
    ck_assert(got->mismatches[0].fingerprint == 0xfedcba9876543210u);
    ck_assert_uint_eq(got->mismatches[0].request_size, 16);
    ck_assert_uint_eq(got->mismatches[0].answer_size, SHMRPC_MESSAGE_MAX);
    ck_assert_str_eq(got->mismatches[0].request, "message(16){0:uint64 a;}");
    ck_assert_str_eq(got->mismatches[0].reply, "");
    ck_assert_str_eq(got->mismatches[0].errors, "errors{}");
    ck_assert_uint_eq(got->mismatches[1].method, SHMRPC_METHODS_MAX - 1);
    ck_assert(got->session == UINT64_MAX - 1);
    ck_assert_str_eq(got->runtime, "0.1.0");
    control_packet_free(decoded);
}
END_TEST

START_TEST(the_small_packets_arrive_as_they_were_sent)
{
    control_packet attach = {.kind = CONTROL_ATTACH, .as.attach = {UINT64_MAX, UINT64_MAX - 1, true}};
    control_packet ready = {.kind = CONTROL_READY, .as.ready = {.status = -11, .text = "the server is full"}};
    control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = "stopping"};
    control_packet *decoded;

    decoded = round_trip(&attach);
    ck_assert(decoded->as.attach.size == UINT64_MAX && decoded->as.attach.arena_size == UINT64_MAX - 1 &&
              decoded->as.attach.prefault);
    control_packet_free(decoded);
    decoded = round_trip(&ready);
    ck_assert_int_eq(decoded->as.ready.status, -11);
    ck_assert_str_eq(decoded->as.ready.text, "the server is full");
    control_packet_free(decoded);
    decoded = round_trip(&goodbye);
    ck_assert_str_eq(decoded->as.goodbye, "stopping");
    control_packet_free(decoded);

    decoded = round_trip(&(control_packet){.kind = CONTROL_CANCEL, .as.cancel = UINT64_MAX - 1});
    ck_assert(decoded->kind == CONTROL_CANCEL && decoded->as.cancel == UINT64_MAX - 1);
    control_packet_free(decoded);
    decoded = round_trip(&(control_packet){.kind = CONTROL_SEALED, .as.sealed = UINT64_MAX - 2});
    ck_assert(decoded->kind == CONTROL_SEALED && decoded->as.sealed == UINT64_MAX - 2);
    control_packet_free(decoded);

    goodbye.as.goodbye = NULL;
    decoded = round_trip(&goodbye);
    ck_assert_str_eq(decoded->as.goodbye, "");
    control_packet_free(decoded);
}
END_TEST

/* ---- texts ---- */

static void expect_text(const char *sent, const char *expected)
{
    control_packet packet = {.kind = CONTROL_READY, .as.ready = {.status = -11, .text = sent}};
    control_packet *decoded = round_trip(&packet);

    ck_assert_str_eq(decoded->as.ready.text, expected);
    control_packet_free(decoded);
}

START_TEST(texts_hold_nothing_that_a_terminal_acts_upon)
{
    expect_text("plain, with \xc3\xa4 and \xf0\x9f\x98\x80", "plain, with \xc3\xa4 and \xf0\x9f\x98\x80");
    expect_text("\x1b[31mred\x1b[0m\r\n\x7f", "?[31mred?[0m???");
    expect_text("no utf-8: \xff\x80", "no utf-8: ??");
    expect_text("\xc2\x9b"
                "31m \xc2\xa9",
                "??31m \xc2\xa9");
}
END_TEST

START_TEST(long_texts_are_cut_at_the_end_of_a_character_on_both_ways)
{
    char text[CONTROL_TEXT_MAX + 100];
    char cut[CONTROL_TEXT_MAX + 100];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(cut, text, sizeof(cut));
    cut[CONTROL_TEXT_MAX] = '\0';
    expect_text(text, cut);
    expect_text(cut, cut);

    memcpy(text + CONTROL_TEXT_MAX - 2, "\xe2\x82\xac", 3);
    memcpy(cut, text, sizeof(cut));
    cut[CONTROL_TEXT_MAX - 2] = '\0';
    expect_text(text, cut);

    /* From a sender who does not cut: Packet.ready (4) of Ready.text (2). */
    unsigned char bytes[6 + 1500];
    control_packet *decoded;
    const char *reason;

    memset(bytes, 'y', sizeof(bytes));
    memcpy(bytes, (unsigned char[]){0x22, 0xdf, 0x0b, 0x12, 0xdc, 0x0b}, 6);
    ck_assert_int_eq(control_decode(bytes, sizeof(bytes), &decoded, &reason), 0);
    ck_assert_uint_eq(strlen(decoded->as.ready.text), CONTROL_TEXT_MAX);
    control_packet_free(decoded);
}
END_TEST

/* ---- limits ---- */

START_TEST(a_hello_beyond_its_limits_is_refused)
{
    char long_name[CONTROL_NAME_MAX + 2];
    control_packet packet;

    memset(long_name, 'n', sizeof(long_name));
    long_name[CONTROL_NAME_MAX + 1] = '\0';

    packet = hello();
    packet.as.hello.protocol_least = 0;
    expect_refused(&packet, "the range of protocol versions is empty");
    packet = hello();
    packet.as.hello.protocol_least = 4;
    expect_refused(&packet, "the range of protocol versions is empty");
    packet = hello();
    packet.as.hello.service = long_name;
    expect_refused(&packet, "the service's name is not usable");
    packet.as.hello.service = "with a space";
    expect_refused(&packet, "the service's name is not usable");
    packet.as.hello.service = "esc\x1b";
    expect_refused(&packet, "the service's name is not usable");
    packet.as.hello.service = "\xc3\xa4";
    expect_refused(&packet, "the service's name is not usable");
    packet = hello();
    packet.as.hello.runtime = long_name;
    expect_refused(&packet, "the version of the library is not usable");
    packet = hello();
    packet.as.hello.depth = CONTROL_DEPTH_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = hello();
    packet.as.hello.blocks = CONTROL_BLOCKS_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = hello();
    packet.as.hello.request_size = SHMRPC_LARGE_MAX + 1;
    expect_refused(&packet, "the size of messages is above the limit");
    packet = hello();
    packet.as.hello.envelope = CONTROL_ENVELOPE_MAX + 1;
    expect_refused(&packet, "the size of envelopes is above the limit");
    packet = hello();
    packet.as.hello.inbox = CONTROL_DEPTH_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = hello();
    packet.as.hello.reply_size = UINT32_MAX;
    expect_refused(&packet, "the size of messages is above the limit");

    long_name[CONTROL_NAME_MAX] = '\0';
    packet = hello();
    packet.as.hello.service = long_name;
    control_packet_free(round_trip(&packet));
}
END_TEST

START_TEST(tokens_differ_by_any_byte)
{
    for (size_t i = 0; i < CONTROL_TOKEN_SIZE; i++) {
        control_token a = {"0123456789abcde"};
        control_token b = a;
        control_token single = {{0}};

        ck_assert(control_token_is_equal(&a, &b));
        b.bytes[i] ^= 0x80;
        ck_assert(!control_token_is_equal(&a, &b));
        ck_assert(!control_token_is_set(&single));
        single.bytes[i] = 1;
        ck_assert(control_token_is_set(&single));
    }
}
END_TEST

START_TEST(a_token_of_another_size_is_refused)
{
    /* Packets with nothing but a token: Hello { 11: ... } is field 1 of Packet, Welcome { 13: ... } field 2. */
    static const uint8_t short_hello[] = {0x0a, 6, 0x08, 1, 0x10, 1, 0x5a, 0};
    static const uint8_t bad_hello[] = {0x0a, 7, 0x08, 1, 0x10, 1, 0x5a, 1, 0x55};
    static const uint8_t bad_welcome[] = {0x12, 3, 0x6a, 1, 0x55};
    control_packet *decoded = NULL;
    const char *reason = NULL;

    ck_assert_int_eq(control_decode(short_hello, sizeof(short_hello), &decoded, &reason), 0);
    ck_assert(!control_token_is_set(&decoded->as.hello.token));
    control_packet_free(decoded);
    expect_bytes_refused(bad_hello, sizeof(bad_hello), "a token of the wrong size");
    expect_bytes_refused(bad_welcome, sizeof(bad_welcome), "a token of the wrong size");
}
END_TEST

START_TEST(a_method_beyond_its_limits_is_refused)
{
    uint64_t fingerprints[CONTROL_REVISIONS_MAX + 1] = {0};
    uint32_t request_sizes[CONTROL_REVISIONS_MAX + 1] = {8, 0};
    uint32_t answer_sizes[CONTROL_REVISIONS_MAX + 1] = {8, 0};
    control_method method = {"m", CONTROL_REVISIONS_MAX, fingerprints, request_sizes, answer_sizes, false};
    control_packet packet = hello();

    packet.as.hello.methods = &method;
    packet.as.hello.method_count = 1;
    control_packet_free(round_trip(&packet));
    method.name = "";
    expect_refused(&packet, "a method's name is not usable");
    method.name = "a\nb";
    expect_refused(&packet, "a method's name is not usable");
    method.name = "m";
    request_sizes[1] = SHMRPC_LARGE_MAX + 1;
    expect_refused(&packet, "a method's messages are above the limit");
    request_sizes[1] = 0;
    answer_sizes[CONTROL_REVISIONS_MAX - 1] = SHMRPC_LARGE_MAX + 1;
    expect_refused(&packet, "a method's messages are above the limit");
    answer_sizes[CONTROL_REVISIONS_MAX - 1] = 0;
    method.revision_count = CONTROL_REVISIONS_MAX + 1;
    expect_refused(&packet, "a method has no layouts, or too many");
    method.revision_count = 0;
    expect_refused(&packet, "a method has no layouts, or too many");
}
END_TEST

/* Packet.hello { protocol_least: 1 protocol_most: 1 methods { name: "m" fingerprints: 0 (and sizes of one kind) } } */
START_TEST(layouts_that_are_not_all_described_are_refused)
{
    static const unsigned char no_answer[] = "\x0a\x16\x08\x01\x10\x01\x22\x10\x0a\x01m\x12\x08\0\0\0\0\0\0\0\0"
                                             "\x1a\x01\x08";
    static const unsigned char no_request[] = "\x0a\x16\x08\x01\x10\x01\x22\x10\x0a\x01m\x12\x08\0\0\0\0\0\0\0\0"
                                              "\x22\x01\x08";

    expect_bytes_refused(no_answer, sizeof(no_answer) - 1, "a method's layouts are not all described");
    expect_bytes_refused(no_request, sizeof(no_request) - 1, "a method's layouts are not all described");
}
END_TEST

START_TEST(a_welcome_beyond_its_limits_is_refused)
{
    uint32_t number = CONTROL_METHOD_MISSING + 1;
    uint32_t revision = CONTROL_REVISIONS_MAX;
    control_packet packet;

    packet = welcome();
    packet.as.welcome.status = 1;
    expect_refused(&packet, "the status is not one of the transport's");
    packet = welcome();
    packet.as.welcome.runtime = "a b";
    expect_refused(&packet, "the version of the library is not usable");
    packet = welcome();
    packet.as.welcome.depth = UINT32_MAX;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.inbox_depth = CONTROL_DEPTH_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.request_block_count = CONTROL_BLOCKS_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.reply_block_count = CONTROL_BLOCKS_MAX + 1;
    expect_refused(&packet, "the depth or the number of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.request_block_size = SHMRPC_MESSAGE_MAX + 1;
    expect_refused(&packet, "the size of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.reply_block_size = SHMRPC_MESSAGE_MAX + 1;
    expect_refused(&packet, "the size of blocks is above the limit");
    packet = welcome();
    packet.as.welcome.arena_size = SHMRPC_ARENA_MOST + SHMRPC_ARENA_UNIT;
    expect_refused(&packet, "the size of the arena is not within the limits");
    packet = welcome();
    packet.as.welcome.arena_size = SHMRPC_ARENA_UNIT + 1;
    expect_refused(&packet, "the size of the arena is not within the limits");
    packet = welcome();
    packet.as.welcome.method_numbers = &number;
    packet.as.welcome.method_count = 1;
    expect_refused(&packet, "a method's number is above the limit");
    number = 0;
    packet.as.welcome.method_revisions = &revision;
    expect_refused(&packet, "a method's revision is above the limit");
}
END_TEST

START_TEST(a_report_beyond_its_limits_is_refused_or_cut)
{
    static control_mismatch many[CONTROL_MISMATCHES_MAX + 1];
    char text[CONTROL_LAYOUT_MAX + 3];
    control_mismatch *one = &many[0];
    control_packet packet = welcome();
    control_packet *decoded;

    memset(many, 0, sizeof(many));
    packet.as.welcome.mismatches = many;
    packet.as.welcome.mismatch_count = CONTROL_MISMATCHES_MAX;
    control_packet_free(round_trip(&packet));
    packet.as.welcome.mismatch_count = CONTROL_MISMATCHES_MAX + 1;
    expect_refused(&packet, "too many methods that are not as the client has them");

    packet.as.welcome.mismatch_count = 1;
    one->method = SHMRPC_METHODS_MAX;
    expect_refused(&packet, "a method's index is above the limit");
    one->method = 0;
    one->request_size = SHMRPC_LARGE_MAX + 1;
    expect_refused(&packet, "a method's messages are above the limit");
    one->request_size = 0;
    one->answer_size = UINT32_MAX;
    expect_refused(&packet, "a method's messages are above the limit");
    one->answer_size = 0;

    memset(text, 'x', sizeof(text));
    text[3] = '\n';
    text[sizeof(text) - 1] = '\0';
    one->request = one->reply = one->errors = text;
    decoded = round_trip(&packet);
    one = &decoded->as.welcome.mismatches[0];
    ck_assert_uint_eq(strlen(one->request), CONTROL_LAYOUT_MAX);
    ck_assert_uint_eq(strlen(one->reply), CONTROL_LAYOUT_MAX);
    ck_assert_uint_eq(strlen(one->errors), CONTROL_LAYOUT_MAX);
    ck_assert_int_eq(one->request[3], '?');
    control_packet_free(decoded);
}
END_TEST

START_TEST(too_many_methods_are_refused)
{
    const size_t count = SHMRPC_METHODS_MAX + 1;
    control_method *methods = calloc(count, sizeof(*methods));
    uint32_t *numbers = calloc(count, sizeof(*numbers));
    control_packet packet = hello();
    uint64_t fingerprint = 0;
    uint32_t size = 0;

    ck_assert(methods != NULL && numbers != NULL);
    for (size_t i = 0; i < count; i++)
        methods[i] = (control_method){"m", 1, &fingerprint, &size, &size, false};
    packet.as.hello.methods = methods;
    packet.as.hello.method_count = (uint32_t)count;
    expect_refused(&packet, "too many methods");

    packet = welcome();
    packet.as.welcome.method_numbers = numbers;
    packet.as.welcome.method_revisions = NULL;
    packet.as.welcome.method_count = (uint32_t)count;
    expect_refused(&packet, "too many methods");
    free(methods);
    free(numbers);
}
END_TEST

START_TEST(a_ready_has_a_status_of_the_transport)
{
    control_packet packet = {.kind = CONTROL_READY, .as.ready = {.status = 1}};

    expect_refused(&packet, "the status is not one of the transport's");
}
END_TEST

START_TEST(what_would_not_fit_a_packet_is_not_encoded)
{
    control_method *methods = calloc(SHMRPC_METHODS_MAX, sizeof(*methods));
    char name[CONTROL_NAME_MAX + 1];
    control_packet packet = hello();
    size_t length = 77;
    void *bytes = name;

    ck_assert_ptr_nonnull(methods);
    memset(name, 'n', sizeof(name));
    name[CONTROL_NAME_MAX] = '\0';
    for (size_t i = 0; i < SHMRPC_METHODS_MAX; i++)
        methods[i].name = name;
    packet.as.hello.methods = methods;
    packet.as.hello.method_count = SHMRPC_METHODS_MAX;
    ck_assert_int_eq(control_encode(&packet, &bytes, &length), -EMSGSIZE);
    ck_assert_ptr_eq(bytes, name);
    ck_assert_uint_eq(length, 77);
    free(methods);
}
END_TEST

/* ---- bytes of a stranger ---- */

static unsigned random_state = 12345;

static unsigned next_random(void)
{
    random_state = random_state * 1103515245u + 12345u;
    return random_state >> 8;
}

static void decode_and_free(const unsigned char *bytes, size_t length)
{
    control_packet *decoded = NULL;
    const char *reason = NULL;
    int r = control_decode(bytes, length, &decoded, &reason);

    if (r == 0)
        control_packet_free(decoded);
    else if (r != -EPROTO || reason == NULL)
        ck_abort_msg("%d", r);
}

START_TEST(cut_and_changed_packets_are_answered_or_refused)
{
    control_packet packets[] = {hello(), welcome(), {.kind = CONTROL_READY, .as.ready = {.status = -1, .text = "no"}}};

    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        unsigned char *changed;
        size_t length;
        void *bytes;

        ck_assert_int_eq(control_encode(&packets[i], &bytes, &length), 0);
        ck_assert_uint_gt(length, 0);
        for (size_t cut = 0; cut <= length; cut++)
            decode_and_free(bytes, cut);
        changed = malloc(length);
        ck_assert_ptr_nonnull(changed);
        for (int round = 0; round < 20000; round++) {
            memcpy(changed, bytes, length);
            for (unsigned n = next_random() % 4 + 1; n > 0; n--)
                changed[next_random() % length] = (unsigned char)next_random();
            decode_and_free(changed, length);
        }
        free(changed);
        free(bytes);
    }
}
END_TEST

static Suite *control_suite(void)
{
    Suite *suite = suite_create("runtime_control");
    TCase *tests = tcase_create("control");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, a_hello_arrives_as_it_was_sent);
    tcase_add_test(tests, a_hello_of_the_raw_transport_has_neither_service_nor_methods);
    tcase_add_test(tests, a_hello_may_have_as_many_methods_as_a_service);
    tcase_add_test(tests, a_welcome_arrives_as_it_was_sent);
    tcase_add_test(tests, the_small_packets_arrive_as_they_were_sent);
    tcase_add_test(tests, texts_hold_nothing_that_a_terminal_acts_upon);
    tcase_add_test(tests, long_texts_are_cut_at_the_end_of_a_character_on_both_ways);
    tcase_add_test(tests, a_hello_beyond_its_limits_is_refused);
    tcase_add_test(tests, tokens_differ_by_any_byte);
    tcase_add_test(tests, a_token_of_another_size_is_refused);
    tcase_add_test(tests, a_method_beyond_its_limits_is_refused);
    tcase_add_test(tests, layouts_that_are_not_all_described_are_refused);
    tcase_add_test(tests, a_welcome_beyond_its_limits_is_refused);
    tcase_add_test(tests, a_report_beyond_its_limits_is_refused_or_cut);
    tcase_add_test(tests, too_many_methods_are_refused);
    tcase_add_test(tests, a_ready_has_a_status_of_the_transport);
    tcase_add_test(tests, what_would_not_fit_a_packet_is_not_encoded);
    tcase_add_test(tests, cut_and_changed_packets_are_answered_or_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(control_suite)

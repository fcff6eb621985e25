/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that no encoder of ours made, given to control_decode(). */
#include "test_support.h"

#include "runtime/control.h"
#include "runtime/platform/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void expect_refused(const void *bytes, size_t length, const char *expected)
{
    control_packet *decoded = (control_packet *)&decoded;
    const char *reason = NULL;

    ck_assert_int_eq(control_decode(bytes, length, &decoded, &reason), -EPROTO);
    ck_assert_str_eq(reason, expected);
    ck_assert_ptr_eq(decoded, &decoded);
}

START_TEST(rubbish_is_refused)
{
    unsigned char *long_packet = calloc(1, SOCKET_PACKET_MAX + 1u);

    ck_assert_ptr_nonnull(long_packet);
    expect_refused("", 0, "a packet of unknown kind");
    expect_refused("GET / HTTP/1.0\r\n", 16, "the packet is malformed");
    expect_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, "the packet is malformed");
    /* Packet.hello of length 5, of which nothing is there. */
    expect_refused("\x0a\x05", 2, "the packet is malformed");
    /* Field 15, which nobody knows. */
    expect_refused("\x7a\x01x", 3, "a packet of unknown kind");
    expect_refused(long_packet, SOCKET_PACKET_MAX + 1u, "the packet is above the limit");
    free(long_packet);
}
END_TEST

START_TEST(unknown_fields_are_ignored)
{
    control_packet packet = {.kind = CONTROL_ATTACH, .as.attach.size = 4096};
    control_packet *decoded;
    const char *reason;
    size_t length;
    void *bytes;
    unsigned char longer[64];

    ck_assert_int_eq(control_encode(&packet, &bytes, &length), 0);
    memcpy(longer, bytes, length);
    memcpy(longer + length, "\x7a\x03new", 5);
    ck_assert_int_eq(control_decode(longer, length + 5, &decoded, &reason), 0);
    ck_assert_int_eq(decoded->kind, CONTROL_ATTACH);
    ck_assert(decoded->as.attach.size == 4096);
    control_packet_free(decoded);
    free(bytes);
}
END_TEST

/* Each Method is two bytes in the packet and a struct in memory. */
START_TEST(a_packet_that_would_swell_is_refused)
{
    unsigned char *bytes = calloc(1, SOCKET_PACKET_MAX);
    size_t methods = (SOCKET_PACKET_MAX - 4) / 2;
    size_t body = methods * 2;

    ck_assert_ptr_nonnull(bytes);
    bytes[0] = 0x0a;
    bytes[1] = (unsigned char)(0x80 | (body & 0x7f));
    bytes[2] = (unsigned char)(0x80 | ((body >> 7) & 0x7f));
    bytes[3] = (unsigned char)(body >> 14);
    for (size_t i = 0; i < methods; i++)
        bytes[4 + 2 * i] = 0x22;
    expect_refused(bytes, 4 + body, "the packet has too many parts");
    free(bytes);
}
END_TEST

static Suite *control_bytes_suite(void)
{
    Suite *suite = suite_create("runtime_control_bytes");
    TCase *tests = tcase_create("bytes");

    tcase_add_test(tests, rubbish_is_refused);
    tcase_add_test(tests, unknown_fields_are_ignored);
    tcase_add_test(tests, a_packet_that_would_swell_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(control_bytes_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "socket_pair.h"

#include "runtime/handshake.h"
#include "runtime/platform/clock.h"

#include <shmrpc/status.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = "bye"};
static int near_end;
static int far_end;
static counts before;

static void begin(void)
{
    counts_take(&before);
    socket_pair_new(&near_end, &far_end);
}

static void end(void)
{
    (void)close(near_end);
    (void)close(far_end);
    counts_expect_same(&before);
}

START_TEST(receives_the_kinds_that_are_expected_and_no_others)
{
    const control_packet ready = {.kind = CONTROL_READY, .as.ready.text = ""};
    control_packet *packet = NULL;

    ck_assert_int_eq(handshake_receive(near_end, CONTROL_HELLO, CONTROL_GOODBYE, &packet, NULL), SHMRPC_E_AGAIN);
    socket_pair_send(far_end, &ready, NULL, 0);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_ATTACH, CONTROL_READY, &packet, NULL), 0);
    ck_assert_int_eq(packet->kind, CONTROL_READY);
    control_packet_free(packet);
    packet = NULL;
    socket_pair_send(far_end, &ready, NULL, 0);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, NULL), SHMRPC_E_PROTOCOL);
    ck_assert_str_eq(shmrpc_last_error(), "the peer sent a packet that is not expected now");
    socket_pair_send(far_end, &ready, NULL, 0);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_HELLO, CONTROL_ATTACH, &packet, NULL), SHMRPC_E_PROTOCOL);
    socket_pair_send_rubbish(far_end);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_HELLO, CONTROL_GOODBYE, &packet, NULL), SHMRPC_E_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "the peer sent a packet of 3 bytes"));
    ck_assert_ptr_null(packet);
}
END_TEST

START_TEST(tells_the_end_from_silence)
{
    control_packet *packet = NULL;
    int64_t until_ns = clock_after_ns(3 * MS);

    ck_assert_int_eq(handshake_await(near_end, until_ns, CONTROL_READY, CONTROL_READY, &packet, NULL),
                     SHMRPC_E_UNAVAILABLE);
    ck_assert_str_eq(shmrpc_last_error(), "the peer did not answer before the deadline");
    ck_assert_int_eq(clock_left_ns(until_ns), 0);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(handshake_await(near_end, CLOCK_NEVER, CONTROL_READY, CONTROL_READY, &packet, NULL),
                     SHMRPC_E_UNAVAILABLE);
    ck_assert_str_eq(shmrpc_last_error(), "the peer closed the connection");
    ck_assert_int_eq(handshake_send(near_end, &goodbye, NULL, 0, CLOCK_NEVER), SHMRPC_E_UNAVAILABLE);
}
END_TEST

START_TEST(a_packet_that_is_there_is_received_after_the_deadline_too)
{
    control_packet *packet = NULL;

    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(handshake_await(near_end, 0, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, NULL), 0);
    ck_assert_str_eq(packet->as.goodbye, "bye");
    control_packet_free(packet);
}
END_TEST

START_TEST(descriptors_stay_open_only_for_who_asks_for_them)
{
    int descriptors[2];
    control_packet *packet = NULL;
    socket_packet envelope;
    int sender = -2;

    /* Not the ends that the packets go by: sockets that nobody asks for are emptied before they are closed. */
    socket_pair_new(&descriptors[0], &descriptors[1]);
    socket_pair_send(far_end, &goodbye, descriptors, 2);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, &envelope), 0);
    ck_assert_uint_eq(envelope.descriptor_count, 2);
    ck_assert_int_eq(envelope.sender.pid, getpid());
    socket_packet_deinit(&envelope);
    control_packet_free(packet);
    socket_pair_send(far_end, &goodbye, descriptors, 2);
    ck_assert_int_eq(handshake_receive(near_end, CONTROL_HELLO, CONTROL_HELLO, &packet, &envelope), SHMRPC_E_PROTOCOL);
    socket_pair_send(far_end, &goodbye, descriptors, 2);
    ck_assert_int_eq(handshake_await(near_end, CLOCK_NEVER, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, &sender), 0);
    control_packet_free(packet);
    ck_assert_int_ge(sender, 0);
    ck_assert_int_eq(close(sender), 0);
    ck_assert_int_eq(close(descriptors[0]), 0);
    ck_assert_int_eq(close(descriptors[1]), 0);
    /* end() counts what is open. */
}
END_TEST

START_TEST(a_sender_waits_for_room_until_its_deadline_only)
{
    char *long_text = calloc(1, CONTROL_TEXT_MAX + 1);
    control_packet packet = {.kind = CONTROL_GOODBYE};
    int rc = 0;

    ck_assert_ptr_nonnull(long_text);
    memset(long_text, 'x', CONTROL_TEXT_MAX);
    packet.as.goodbye = long_text;
    for (int i = 0; i < 100000 && rc == 0; i++) {
        rc = handshake_send(near_end, &packet, NULL, 0, 0);
    }
    ck_assert_int_eq(rc, SHMRPC_E_AGAIN);
    int64_t until_ns = clock_after_ns(5 * MS);
    ck_assert_int_eq(handshake_send(near_end, &packet, NULL, 0, until_ns), SHMRPC_E_AGAIN);
    ck_assert_int_eq(clock_left_ns(until_ns), 0);
    free(long_text);
}
END_TEST

START_TEST(a_refusal_keeps_a_known_status_and_is_safe_to_print)
{
    ck_assert_int_eq(handshake_refusal(SHMRPC_E_MISMATCH, "differs"), SHMRPC_E_MISMATCH);
    ck_assert_str_eq(shmrpc_last_error(), "differs");
    ck_assert_int_eq(handshake_refusal(-9999, "\x1b[2J %s %n"), SHMRPC_E_REFUSED);
    ck_assert_str_eq(shmrpc_last_error(), "\\x1b[2J %s %n");
    ck_assert_int_eq(handshake_refusal(0, ""), SHMRPC_E_REFUSED);
    ck_assert_int_eq(handshake_refusal(5, ""), SHMRPC_E_REFUSED);
}
END_TEST

static Suite *handshake_suite(void)
{
    Suite *suite = suite_create("runtime_handshake");
    TCase *tests = tcase_create("handshake");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, receives_the_kinds_that_are_expected_and_no_others);
    tcase_add_test(tests, tells_the_end_from_silence);
    tcase_add_test(tests, a_packet_that_is_there_is_received_after_the_deadline_too);
    tcase_add_test(tests, descriptors_stay_open_only_for_who_asks_for_them);
    tcase_add_test(tests, a_sender_waits_for_room_until_its_deadline_only);
    tcase_add_test(tests, a_refusal_keeps_a_known_status_and_is_safe_to_print);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(handshake_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane from Hello to its end, with a host and a client that are the test.
 */
#include "test_support.h"

#include "socket_pair.h"

#include "runtime/error.h"
#include "runtime/platform/event.h"
#include "runtime/platform/memory.h"
#include "runtime/session.h"

#include <shmrpc/status.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned opened;
static int agreement;  /* what greet() returns */
static int permission; /* what open() returns */

static int greet_client(session_host *host, shmrpc_session *session, const control_hello *hello,
                        service_terms *ret_terms)
{
    (void)host;
    (void)hello;
    if (agreement != 0) {
        return error_set(agreement, "not with you");
    }
    session->id = 7;
    memset(session->token.bytes, 9, sizeof(session->token.bytes));
    *ret_terms = (service_terms){.request_size = 100, .answer_size = 8};
    return 0;
}

static int open_lane(session_host *host, shmrpc_session *session, session_lane *lane)
{
    (void)host;
    if (permission != 0) {
        return error_set(permission, "no place for you");
    }
    opened++;
    session->state = SESSION_OPEN;
    lane->state = LANE_OPEN;
    return session_say_ready(lane);
}

static session_host host = {.max_depth = 16, .greet = greet_client, .open = open_lane};
static shmrpc_session *session;
static session_lane *lane;
static int far_end;
static int memory = -1; /* of the client */
static void *mapping;
static int bell;
static counts before;

static void begin(void)
{
    int near_end;

    counts_take(&before);
    socket_pair_new(&near_end, &far_end);
    session = session_new(near_end, INT64_MAX);
    ck_assert_ptr_nonnull(session);
    lane = session->lanes[0];
    bell = event_new();
    ck_assert_int_ge(bell, 0);
}

static void end(void)
{
    size_t size = lane == NULL ? 0 : region_size(&lane->geometry);

    session_free(session);
    if (memory >= 0) {
        (void)close(memory);
        memory_unmap(mapping, size);
    }
    (void)close(bell);
    (void)close(far_end);
    counts_expect_same(&before);
}

static control_packet hello_packet(void)
{
    return (control_packet){.kind = CONTROL_HELLO,
                            .as.hello = {.protocol_least = 1, .protocol_most = 1, .service = "test", .depth = 64}};
}

static void expect_welcome(int status, const char *text)
{
    control_packet *packet = socket_pair_receive(far_end);

    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(packet->kind, CONTROL_WELCOME);
    ck_assert_int_eq(packet->as.welcome.status, status);
    ck_assert_msg(strstr(packet->as.welcome.text, text) != NULL, "%s", packet->as.welcome.text);
    control_packet_free(packet);
}

static void expect_ready(int status, const char *text)
{
    control_packet *packet = socket_pair_receive(far_end);

    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(packet->kind, CONTROL_READY);
    ck_assert_int_eq(packet->as.ready.status, status);
    ck_assert_msg(strstr(packet->as.ready.text, text) != NULL, "%s", packet->as.ready.text);
    control_packet_free(packet);
}

static void greet(void)
{
    control_packet hello = hello_packet();

    socket_pair_send(far_end, &hello, NULL, 0);
    ck_assert_int_eq(session_receive(session, lane, &host), 1);
    expect_welcome(0, "");
    ck_assert_int_eq(lane->state, LANE_ATTACH);
}

/* Sends Attach with what the arguments say. Returns what the session says. */
static int attach(uint64_t size, const int *descriptors, unsigned count)
{
    const control_packet packet = {.kind = CONTROL_ATTACH, .as.attach.size = size};

    socket_pair_send(far_end, &packet, descriptors, count);
    return session_receive(session, lane, &host);
}

static int attach_well(void)
{
    size_t size = region_size(&lane->geometry);

    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &mapping, &memory),
                     0);
    return attach(size, (const int[]){memory, bell}, 2);
}

START_TEST(opens_after_hello_and_attach)
{
    greet();
    ck_assert_uint_eq(lane->geometry.depth, 16); /* the host's limit */
    ck_assert_uint_eq(lane->geometry.request_block_size, 128);
    ck_assert_uint_eq(lane->geometry.reply_block_size, 0);
    ck_assert_int_eq(attach_well(), 1);
    expect_ready(0, "");
    ck_assert_int_eq(session->state, SESSION_OPEN);
    ck_assert_uint_eq(opened, 1);
    ck_assert_uint_eq(shmrpc_session_id(session), 7);
    ck_assert_int_eq(shmrpc_session_peer(session).pid, getpid());
    ck_assert_uint_eq(shmrpc_session_peer(session).uid, getuid());
    ck_assert_int_eq(session_receive(session, lane, &host), 0);
}
END_TEST

START_TEST(a_client_with_semaphores_sends_its_memory_alone)
{
    control_packet hello = hello_packet();
    size_t size;

    hello.as.hello.semaphores = true;
    socket_pair_send(far_end, &hello, NULL, 0);
    ck_assert_int_eq(session_receive(session, lane, &host), 1);
    expect_welcome(0, "");
    size = region_size(&lane->geometry);
    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &mapping, &memory),
                     0);
    if (_i == 1) {
        ck_assert_int_eq(attach(size, (const int[]){memory, bell}, 2), SHMRPC_E_PROTOCOL);
        ck_assert_uint_eq(opened, 0);
        return;
    }
    ck_assert_int_eq(attach(size, (const int[]){memory}, 1), 1);
    expect_ready(0, "");
    ck_assert_int_eq(lane->state, LANE_OPEN);
    shared_post_server_bell(mapping);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = lane->bell, .events = POLLIN}, 1, 10000), 1);
    /* end() counts threads. */
}
END_TEST

START_TEST(a_lane_that_is_closed_tells_its_client_and_lives_as_long_as_it_is_referred_to)
{
    region_geometry geometry;
    region client;

    greet();
    ck_assert_int_eq(attach_well(), 1);
    geometry = lane->geometry;
    region_init(&client, mapping, &geometry);
    session_lane_ref(lane);
    session_remove_lane(lane);
    ck_assert_uint_eq(session->lane_bits, 0);
    session_lane_close(lane);
    ck_assert(shared_get_closed(client.header));
    ck_assert_int_eq(lane->state, LANE_CLOSED);
    session_lane_unref(lane);
    lane = session->lanes[0];
    ck_assert_ptr_null(lane);
    memory_unmap(mapping, region_size(&geometry));
    mapping = NULL;
}
END_TEST

START_TEST(numbers_as_many_lanes_as_there_may_be)
{
    session_lane *many = calloc(SESSION_LANES_MAX, sizeof(*many));

    ck_assert_ptr_nonnull(many);
    for (unsigned i = 1; i < SESSION_LANES_MAX; i++) {
        ck_assert(session_add_lane(session, &many[i]));
        ck_assert_uint_eq(many[i].number, i);
        ck_assert_ptr_eq(many[i].session, session);
    }
    ck_assert(!session_add_lane(session, &many[0]));
    session_remove_lane(&many[5]);
    ck_assert_ptr_null(many[5].session);
    ck_assert(session_add_lane(session, &many[0]));
    ck_assert_uint_eq(many[0].number, 5);
    session_remove_lane(&many[0]);
    for (unsigned i = 1; i < SESSION_LANES_MAX; i++) {
        if (i != 5) {
            session_remove_lane(&many[i]);
        }
    }
    free(many);
}
END_TEST

START_TEST(tells_a_goodbye_from_a_death)
{
    const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = ""};

    greet();
    ck_assert_int_eq(attach_well(), 1);
    ck_assert(!lane->said_goodbye);
    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_UNAVAILABLE);
    ck_assert(lane->said_goodbye);
}
END_TEST

START_TEST(the_end_of_the_socket_is_unavailable_in_every_state)
{
    if (_i >= 1) {
        greet();
    }
    if (_i >= 2) {
        ck_assert_int_eq(attach_well(), 1);
    }
    ck_assert_int_eq(session_receive(session, lane, &host), 0);
    (void)close(far_end);
    far_end = -1;
    ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_UNAVAILABLE);
    ck_assert(!lane->said_goodbye);
}
END_TEST

START_TEST(rubbish_breaks_the_protocol_in_every_state)
{
    if (_i >= 1) {
        greet();
    }
    if (_i >= 2) {
        ck_assert_int_eq(attach_well(), 1);
    }
    socket_pair_send_rubbish(far_end);
    ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_PROTOCOL);
}
END_TEST

START_TEST(refuses_packets_out_of_turn)
{
    control_packet hello = hello_packet();

    if (_i == 0) {
        ck_assert_int_eq(attach(4096, NULL, 0), SHMRPC_E_PROTOCOL);
        expect_welcome(SHMRPC_E_PROTOCOL, "not expected now");
        return;
    }
    greet();
    if (_i == 2) {
        ck_assert_int_eq(attach_well(), 1);
    }
    socket_pair_send(far_end, &hello, NULL, 0);
    ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_PROTOCOL);
}
END_TEST

START_TEST(refuses_another_version_or_an_impossible_ring_or_what_the_service_refuses)
{
    control_packet hello = hello_packet();

    switch (_i) {
    case 0: hello.as.hello.protocol_least = hello.as.hello.protocol_most = 2; break;
    case 1: hello.as.hello.depth = 3; break;
    default: agreement = SHMRPC_E_MISMATCH; break;
    }
    socket_pair_send(far_end, &hello, NULL, 0);
    switch (_i) {
    case 0:
        ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_VERSION);
        expect_welcome(SHMRPC_E_VERSION, "protocol 1, the client 2 to 2");
        break;
    case 1:
        ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_REFUSED);
        expect_welcome(SHMRPC_E_REFUSED, "a ring of 3 slots");
        break;
    default:
        ck_assert_int_eq(session_receive(session, lane, &host), SHMRPC_E_MISMATCH);
        expect_welcome(SHMRPC_E_MISMATCH, "not with you");
        break;
    }
    ck_assert_int_eq(lane->state, LANE_HELLO);
}
END_TEST

START_TEST(refuses_a_client_when_the_last_place_went_during_its_handshake)
{
    greet();
    permission = SHMRPC_E_REFUSED;
    ck_assert_int_eq(attach_well(), SHMRPC_E_REFUSED);
    expect_ready(SHMRPC_E_REFUSED, "no place for you");
    ck_assert_uint_eq(opened, 0);
}
END_TEST

START_TEST(refuses_a_memory_that_is_not_as_agreed)
{
    size_t size;

    greet();
    size = region_size(&lane->geometry);
    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &mapping, &memory),
                     0);
    switch (_i) {
    case 0: ck_assert_int_eq(attach(size + 1, (const int[]){memory, bell}, 2), SHMRPC_E_PROTOCOL); break;
    case 1: ck_assert_int_eq(attach(size, (const int[]){memory}, 1), SHMRPC_E_PROTOCOL); break;
    case 2: ck_assert_int_eq(attach(size, NULL, 0), SHMRPC_E_PROTOCOL); break;
    case 3: ck_assert_int_eq(attach(size, (const int[]){memory, memory}, 2), SHMRPC_E_PROTOCOL); break;
    default: ck_assert_int_eq(attach(size, (const int[]){bell, memory}, 2), SHMRPC_E_PROTOCOL); break;
    }
    ck_assert_uint_eq(opened, 0);
    ck_assert_int_ne(lane->state, LANE_OPEN);
}
END_TEST

/* ---- is it worth being polled? ---- */

/* By looks from hot to cold, 's' found requests and '-' found none; 'm' more came while a look lasted. */
START_TEST(polling_pays_where_a_request_follows_a_look_in_vain)
{
    static const struct {
        const char *looks;
        uint32_t failures_after; /* of 5 before */
    } rows[] = {{"", 5},         {"-", 5},   {"--", 5},  {"s", 6},    {"ss", 6},    {"sss", 6},
                {"s-", 6},       {"-s-", 6}, {"s--", 6}, {"s-s", 4},  {"s--s-", 4}, {"ss-s", 4},
                {"s-s-s-s-", 4}, {"sm", 4},  {"m", 4},   {"smm-", 4}, {"s-sm-s", 4}};
    shmrpc_session polled = {.spin = spin_for(50000, true)};

    polled.spin.failures = 5;
    for (const char *look = rows[_i].looks; *look != '\0'; look++) {
        if (*look == 'm') {
            session_found_more(&polled);
        } else {
            session_note_look(&polled, *look == 's');
        }
    }
    session_end_trial(&polled);
    ck_assert_msg(polled.spin.failures == rows[_i].failures_after, "%s: %u", rows[_i].looks, polled.spin.failures);
    ck_assert_int_eq(polled.spin.rest, rows[_i].failures_after > 5 ? 16 : 0);
    ck_assert_int_eq(polled.trial, TRIAL_NONE);
}
END_TEST

START_TEST(nothing_pays_in_a_rest)
{
    shmrpc_session polled = {.spin = spin_for(50000, true)};

    polled.spin.failures = 5;
    polled.spin.rest = 3;
    polled.spin.now_ns = 0;
    for (uint32_t rest = 3; rest > 0; rest--) {
        ck_assert_uint_eq(polled.spin.rest, rest);
        ck_assert_int_eq(polled.spin.now_ns, 0);
        session_note_look(&polled, true);
        session_note_look(&polled, false);
        session_note_look(&polled, true);
        session_found_more(&polled);
        session_end_trial(&polled);
    }
    ck_assert_uint_eq(polled.spin.failures, 5);
    ck_assert_int_eq(polled.spin.now_ns, 50000);
}
END_TEST

static Suite *session_suite(void)
{
    Suite *suite = suite_create("runtime_session");
    TCase *tests = tcase_create("session");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, opens_after_hello_and_attach);
    tcase_add_test(tests, a_lane_that_is_closed_tells_its_client_and_lives_as_long_as_it_is_referred_to);
    tcase_add_test(tests, numbers_as_many_lanes_as_there_may_be);
    tcase_add_loop_test(tests, a_client_with_semaphores_sends_its_memory_alone, 0, 2);
    tcase_add_test(tests, tells_a_goodbye_from_a_death);
    tcase_add_loop_test(tests, the_end_of_the_socket_is_unavailable_in_every_state, 0, 3);
    tcase_add_loop_test(tests, rubbish_breaks_the_protocol_in_every_state, 0, 3);
    tcase_add_loop_test(tests, refuses_packets_out_of_turn, 0, 3);
    tcase_add_loop_test(tests, refuses_another_version_or_an_impossible_ring_or_what_the_service_refuses, 0, 3);
    tcase_add_test(tests, refuses_a_client_when_the_last_place_went_during_its_handshake);
    tcase_add_loop_test(tests, refuses_a_memory_that_is_not_as_agreed, 0, 5);
    tcase_add_loop_test(tests, polling_pays_where_a_request_follows_a_look_in_vain, 0, 17);
    tcase_add_test(tests, nothing_pays_in_a_rest);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(session_suite)

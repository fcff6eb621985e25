/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session from Hello to its end, with a service and a client that are the test.
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
#include <unistd.h>

static unsigned connected;
static unsigned disconnected;
static int agreement; /* what agree() returns */

static int agree(const service *self, const control_hello *hello, service_terms *ret_terms)
{
    (void)self;
    (void)hello;
    if (agreement != 0) {
        return error_set(agreement, "not with you");
    }
    *ret_terms = (service_terms){.request_size = 100, .answer_size = 8};
    return 0;
}

static void count_connected(service *self, shmrpc_server *server, shmrpc_session *session)
{
    (void)self;
    (void)server;
    (void)session;
    connected++;
}

static void count_disconnected(service *self, shmrpc_server *server, shmrpc_session *session, int why)
{
    (void)self;
    (void)server;
    (void)session;
    disconnected += why == SHMRPC_WHY_CLOSED;
}

static service offered = {.name = "test",
                          .agree = agree,
                          .connected = count_connected,
                          .disconnected = count_disconnected};
static session_host host = {.service = &offered, .max_depth = 16, .state_size = 24};
static shmrpc_session *session;
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
    session = session_new(near_end, 7, INT64_MAX);
    ck_assert_ptr_nonnull(session);
    bell = event_new();
    ck_assert_int_ge(bell, 0);
}

static void end(void)
{
    size_t size = region_size(&session->geometry);

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
    ck_assert_int_eq(session_receive(session, &host), 1);
    expect_welcome(0, "");
    ck_assert_int_eq(session->state, SESSION_ATTACH);
}

/* Sends Attach with what the arguments say. Returns what the session says. */
static int attach(uint64_t size, const int *descriptors, unsigned count)
{
    const control_packet packet = {.kind = CONTROL_ATTACH, .as.attach.size = size};

    socket_pair_send(far_end, &packet, descriptors, count);
    return session_receive(session, &host);
}

static int attach_well(void)
{
    size_t size = region_size(&session->geometry);

    ck_assert_int_eq(memory_create(size, &mapping, &memory), 0);
    return attach(size, (const int[]){memory, bell}, 2);
}

START_TEST(opens_after_hello_and_attach)
{
    greet();
    ck_assert_uint_eq(session->geometry.depth, 16); /* the host's limit */
    ck_assert_uint_eq(session->geometry.request_block_size, 128);
    ck_assert_uint_eq(session->geometry.reply_block_size, 0);
    ck_assert_int_eq(attach_well(), 1);
    expect_ready(0, "");
    ck_assert_int_eq(session->state, SESSION_OPEN);
    ck_assert_uint_eq(connected, 1);
    ck_assert_uint_eq(shmrpc_session_id(session), 7);
    ck_assert_int_eq(shmrpc_session_peer(session).pid, getpid());
    ck_assert_uint_eq(shmrpc_session_peer(session).uid, getuid());
    for (size_t i = 0; i < host.state_size; i++) {
        ck_assert_uint_eq(((unsigned char *)shmrpc_session_state(session))[i], 0);
    }
    ck_assert_int_eq(session_receive(session, &host), 0);
    session_end(session, &host, SHMRPC_WHY_CLOSED);
    session_end(session, &host, SHMRPC_WHY_CLOSED);
    ck_assert_uint_eq(disconnected, 1);
    ck_assert(shared_get_closed(session->lane.memory.header));
}
END_TEST

START_TEST(a_client_with_semaphores_sends_its_memory_alone)
{
    control_packet hello = hello_packet();
    size_t size;

    hello.as.hello.semaphores = true;
    socket_pair_send(far_end, &hello, NULL, 0);
    ck_assert_int_eq(session_receive(session, &host), 1);
    expect_welcome(0, "");
    size = region_size(&session->geometry);
    ck_assert_int_eq(memory_create(size, &mapping, &memory), 0);
    if (_i == 1) {
        ck_assert_int_eq(attach(size, (const int[]){memory, bell}, 2), SHMRPC_E_PROTOCOL);
        ck_assert_uint_eq(connected, 0);
        return;
    }
    ck_assert_int_eq(attach(size, (const int[]){memory}, 1), 1);
    expect_ready(0, "");
    ck_assert_int_eq(session->state, SESSION_OPEN);
    shared_post_server_bell(mapping);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = session->bell, .events = POLLIN}, 1, 10000), 1);
    session_end(session, &host, SHMRPC_WHY_CLOSED);
    /* end() counts threads. */
}
END_TEST

START_TEST(tells_a_goodbye_from_a_death)
{
    const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = ""};

    greet();
    ck_assert_int_eq(attach_well(), 1);
    ck_assert(!session->said_goodbye);
    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_UNAVAILABLE);
    ck_assert(session->said_goodbye);
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
    ck_assert_int_eq(session_receive(session, &host), 0);
    (void)close(far_end);
    far_end = -1;
    ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_UNAVAILABLE);
    ck_assert(!session->said_goodbye);
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
    ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_PROTOCOL);
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
    ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_PROTOCOL);
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
        ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_VERSION);
        expect_welcome(SHMRPC_E_VERSION, "protocol 1, the client 2 to 2");
        break;
    case 1:
        ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_REFUSED);
        expect_welcome(SHMRPC_E_REFUSED, "a ring of 3 slots");
        break;
    default:
        ck_assert_int_eq(session_receive(session, &host), SHMRPC_E_MISMATCH);
        expect_welcome(SHMRPC_E_MISMATCH, "not with you");
        break;
    }
    ck_assert_int_eq(session->state, SESSION_HELLO);
}
END_TEST

START_TEST(refuses_a_client_when_the_last_place_went_during_its_handshake)
{
    greet();
    host.full = true;
    ck_assert_int_eq(attach_well(), SHMRPC_E_REFUSED);
    expect_ready(SHMRPC_E_REFUSED, "as many sessions as it takes");
    ck_assert_uint_eq(connected, 0);
}
END_TEST

START_TEST(refuses_a_memory_that_is_not_as_agreed)
{
    size_t size;

    greet();
    size = region_size(&session->geometry);
    ck_assert_int_eq(memory_create(size, &mapping, &memory), 0);
    switch (_i) {
    case 0: ck_assert_int_eq(attach(size + 1, (const int[]){memory, bell}, 2), SHMRPC_E_PROTOCOL); break;
    case 1: ck_assert_int_eq(attach(size, (const int[]){memory}, 1), SHMRPC_E_PROTOCOL); break;
    case 2: ck_assert_int_eq(attach(size, NULL, 0), SHMRPC_E_PROTOCOL); break;
    case 3: ck_assert_int_eq(attach(size, (const int[]){memory, memory}, 2), SHMRPC_E_PROTOCOL); break;
    default: ck_assert_int_eq(attach(size, (const int[]){bell, memory}, 2), SHMRPC_E_PROTOCOL); break;
    }
    ck_assert_uint_eq(connected, 0);
    ck_assert_int_ne(session->state, SESSION_OPEN);
}
END_TEST

static Suite *session_suite(void)
{
    Suite *suite = suite_create("runtime_session");
    TCase *tests = tcase_create("session");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, opens_after_hello_and_attach);
    tcase_add_loop_test(tests, a_client_with_semaphores_sends_its_memory_alone, 0, 2);
    tcase_add_test(tests, tells_a_goodbye_from_a_death);
    tcase_add_loop_test(tests, the_end_of_the_socket_is_unavailable_in_every_state, 0, 3);
    tcase_add_loop_test(tests, rubbish_breaks_the_protocol_in_every_state, 0, 3);
    tcase_add_loop_test(tests, refuses_packets_out_of_turn, 0, 3);
    tcase_add_loop_test(tests, refuses_another_version_or_an_impossible_ring_or_what_the_service_refuses, 0, 3);
    tcase_add_test(tests, refuses_a_client_when_the_last_place_went_during_its_handshake);
    tcase_add_loop_test(tests, refuses_a_memory_that_is_not_as_agreed, 0, 5);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(session_suite)

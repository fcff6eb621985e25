/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client knows of its server, from its socket, its process and its lane. The server is the test.
 */
#include "test_support.h"

#include "lane_pair.h"
#include "socket_pair.h"

#include "runtime/connection.h"
#include "runtime/platform/clock.h"
#include "runtime/platform/process.h"
#include "runtime/platform/socket.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const control_packet goodbye = {.kind = CONTROL_GOODBYE, .as.goodbye = ""};
static lane_pair pair;
static connection self;
static int far_end;
static counts before;

static void begin(void)
{
    counts_take(&before);
    lane_pair_init(&pair, 4, 0);
    self = (connection){.memory = pair.memory, .server = -1, .bell = -1, .generation = process_generation()};
    socket_pair_new(&self.socket, &far_end);
}

static void end(void)
{
    (void)close(self.socket);
    (void)close(far_end);
    lane_pair_deinit(&pair);
    counts_expect_same(&before);
}

START_TEST(knows_nothing_bad_of_a_server_that_is_quiet)
{
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_UP);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_UP);
}
END_TEST

START_TEST(hears_a_goodbye_and_then_the_end)
{
    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_STOPPING);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_STOPPING);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_GONE);
}
END_TEST

START_TEST(hears_a_goodbye_and_the_end_at_once)
{
    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_GONE);
}
END_TEST

START_TEST(one_look_reads_a_bounded_number_of_packets)
{
    for (int i = 0; i < 8; i++) {
        socket_pair_send(far_end, &goodbye, NULL, 0);
    }
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_STOPPING);
    ck_assert_int_eq(socket_wait(self.socket, -1, 0), SOCKET_READABLE);
}
END_TEST

START_TEST(a_server_that_sends_rubbish_has_failed_for_good)
{
    socket_pair_send_rubbish(far_end);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_FAILED);
    socket_pair_send(far_end, &goodbye, NULL, 0);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_FAILED);
}
END_TEST

START_TEST(descriptors_that_come_uninvited_are_closed)
{
    const int descriptors[] = {far_end, self.socket};

    socket_pair_send(far_end, &goodbye, descriptors, 2);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_STOPPING);
    /* end() counts them */
}
END_TEST

START_TEST(a_closed_lane_is_the_end_before_the_socket_tells)
{
    lane_server_close(&pair.server);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_GONE);
}
END_TEST

/* Without a reason it asks nobody: that is a system call. */
START_TEST(publishes_nothing_once_it_was_told_of_the_end)
{
    lane_call call;
    int64_t timeout_ns = 0;

    self.thread = process_thread();
    self.lane = pair.client;
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &call), 0);
    alarm_set(&self.peer.alarm);
    ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &call), SHMRPC_E_NOT_SENT);
    ck_assert_int_eq(self.condition, SHMRPC_CLIENT_GONE);
    ck_assert(!alarm_is_set(&self.peer.alarm));
    ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &call), SHMRPC_E_NOT_SENT);
}
END_TEST

/* The oldest call is answered, and the server is gone, by the time that anybody looks. */
static int answer_and_leave(lane_peer *peer)
{
    (void)peer;
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    return connection_look(&self) == SHMRPC_CLIENT_GONE ? SHMRPC_E_UNKNOWN : 0;
}

START_TEST(publishes_nothing_where_room_came_with_the_end)
{
    lane_call call;
    int64_t timeout_ns = CLOCK_NEVER;

    self.thread = process_thread();
    self.lane = pair.client;
    self.lane.peer = &self.peer;
    self.peer.look = answer_and_leave;
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &call), 0);
        memset(call.request, 0, 8);
        ck_assert_int_eq(connection_send(&self, &call, 1, 8, CLOCK_NEVER), 0);
    }
    ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &call), SHMRPC_E_NOT_SENT);
    ck_assert_int_eq(self.condition, SHMRPC_CLIENT_GONE);
    ck_assert_uint_eq(self.lane.next, 5);
}
END_TEST

/* The socket has been closed, and no more is known: of what was published. */
START_TEST(what_was_written_and_not_published_was_executed_by_nobody)
{
    lane_call calls[2];
    lane_waiter waiters[2] = {0};
    lane_reply reply;
    int64_t timeout_ns = 0;

    self.thread = process_thread();
    self.lane = pair.client;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(connection_begin(&self, 8, 8, &timeout_ns, &calls[i]), 0);
        waiters[i].until_ns = CLOCK_NEVER;
        lane_client_keep(&self.lane, &calls[i], &waiters[i]);
        ck_assert_int_eq(connection_send(&self, &calls[i], 1, 8, 0), 0);
        lane_client_open_batch(&self.lane);
    }
    ck_assert_int_eq(close(far_end), 0);
    far_end = -1;
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_GONE);
    ck_assert_int_eq(connection_await(&self, &waiters[1], &reply), SHMRPC_E_NOT_EXECUTED);
    ck_assert_int_eq(connection_await(&self, &waiters[0], &reply), SHMRPC_E_UNKNOWN);
}
END_TEST

static int just_end(child_link *link, void *data)
{
    (void)data;
    link_await(link, 'e');
    return 0;
}

START_TEST(the_end_of_the_process_is_the_end_while_others_hold_the_socket)
{
    child server;

    child_spawn(&server, just_end, NULL);
    self.server = (int)syscall(SYS_pidfd_open, server.pid, 0);
    ck_assert_int_ge(self.server, 0);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_UP);
    link_signal(&server.link, 'e');
    child_expect_exit(&server, 0);
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_GONE);
    ck_assert_int_eq(close(self.server), 0);
}
END_TEST

static int look_in_the_child(child_link *link, void *data)
{
    (void)link;
    (void)data;
    return connection_look(&self) == SHMRPC_CLIENT_GONE ? 0 : 1;
}

START_TEST(a_forked_child_takes_nothing_from_its_parent)
{
    child forked;

    self.memory.header = NULL; /* as in a child, whom the memory is kept from */
    socket_pair_send(far_end, &goodbye, NULL, 0);
    child_spawn(&forked, look_in_the_child, NULL);
    child_expect_exit(&forked, 0);
    self.memory.header = pair.memory.header;
    ck_assert_int_eq(connection_look(&self), SHMRPC_CLIENT_STOPPING);
}
END_TEST

static Suite *connection_suite(void)
{
    Suite *suite = suite_create("runtime_connection");
    TCase *tests = tcase_create("connection");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, knows_nothing_bad_of_a_server_that_is_quiet);
    tcase_add_test(tests, hears_a_goodbye_and_then_the_end);
    tcase_add_test(tests, hears_a_goodbye_and_the_end_at_once);
    tcase_add_test(tests, one_look_reads_a_bounded_number_of_packets);
    tcase_add_test(tests, a_server_that_sends_rubbish_has_failed_for_good);
    tcase_add_test(tests, descriptors_that_come_uninvited_are_closed);
    tcase_add_test(tests, a_closed_lane_is_the_end_before_the_socket_tells);
    tcase_add_test(tests, publishes_nothing_once_it_was_told_of_the_end);
    tcase_add_test(tests, publishes_nothing_where_room_came_with_the_end);
    tcase_add_test(tests, what_was_written_and_not_published_was_executed_by_nobody);
    tcase_add_test(tests, the_end_of_the_process_is_the_end_while_others_hold_the_socket);
    tcase_add_test(tests, a_forked_child_takes_nothing_from_its_parent);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(connection_suite)

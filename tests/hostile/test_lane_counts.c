/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lane_counts.c - what a server counts of each lane, and what stays of that when a lane ends before its session.
 *
 * Clients of the library keep their lanes; a rogue ends them one by one. The server is dispatched by the case: what it
 * has counted when a round is over does not change until the next.
 */
#include "dispatched.h"
#include "rogue.h"

static dispatched serving;
static rogue lanes[2]; /* of one session */

static void join(void *unused)
{
    (void)unused;
    rogue_join(&lanes[0], "probe");
}

static void join_further(void *unused)
{
    (void)unused;
    rogue_join_further(&lanes[1], "probe", &lanes[0]);
}

static void setup(void)
{
    dispatched_begin(&serving, &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    dispatched_meet(&serving, join, NULL);
    dispatched_meet(&serving, join_further, NULL);
}

static void teardown(void)
{
    rogue_leave(&lanes[0]);
    rogue_leave(&lanes[1]);
    (void)dispatched_until_idle(&serving);
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, NULL, 0), 0);
    dispatched_end(&serving);
}

/* `wishes`: it sleeps until the reply. */
static void call(rogue *lane, uint16_t method, bool wishes)
{
    slot request = rogue_slot(method, 0, 0, method == PROBE_ECHO ? sizeof(probe_value) : 0);
    slot reply;

    if (wishes) {
        atomic_store(&lane->memory.header->wish, wish_of(lane->next, WISH_CALL));
    }
    rogue_request(lane, &request, 0);
    (void)dispatched_until_idle(&serving);
    ck_assert(rogue_await_reply(lane, &reply));
}

static void call_all(void)
{
    for (int i = 0; i < 3; i++) {
        call(&lanes[0], PROBE_ECHO, false);
    }
    for (int i = 0; i < 5; i++) {
        call(&lanes[1], PROBE_ECHO, i > 2);
    }
    call(&lanes[1], PROBE_ABSENT, false);
}

static void expect_lane(const shmrpc_lane_counts *found, uint32_t lane, uint64_t calls, uint64_t failed,
                        uint64_t doorbells)
{
    ck_assert_uint_eq(found->session, lanes[0].session);
    ck_assert_uint_eq(found->lane, lane);
    ck_assert_uint_eq(found->calls, calls);
    ck_assert_uint_eq(found->calls_failed, failed);
    ck_assert_uint_eq(found->doorbells, doorbells);
}

static void expect_session(uint32_t with_lanes, uint64_t calls)
{
    shmrpc_session_counts found = {0};

    ck_assert_uint_eq(shmrpc_server_session_counters(&serving.server.base, &found, 1), 1);
    ck_assert_uint_eq(found.session, lanes[0].session);
    ck_assert_uint_eq(found.lanes, with_lanes);
    ck_assert_uint_eq(found.calls, calls);
    ck_assert_uint_eq(found.calls_failed, 1);
    ck_assert_uint_eq(found.doorbells, 2);
}

START_TEST(each_lane_has_its_own)
{
    shmrpc_lane_counts found[4] = {{.lane = 77}, {.lane = 77}, {.lane = 77}};
    shmrpc_client *client = dispatched_connect(&serving, NULL);

    call_all();
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, found, 4), 3);
    expect_lane(&found[0], 0, 3, 0, 0);
    expect_lane(&found[1], 1, 6, 1, 2);
    ck_assert_uint_ne(found[2].session, lanes[0].session);
    ck_assert_uint_eq(found[2].lane, 0);
    ck_assert_uint_eq(found[2].calls, 0);
    /* With less room, or none, and of nobody. */
    found[1].lane = 77;
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, found, 1), 3);
    ck_assert_uint_eq(found[1].lane, 77);
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, NULL, 0), 3);
    ck_assert_uint_eq(shmrpc_server_lane_counters(NULL, NULL, 0), 0);
    shmrpc_client_free(client);
}
END_TEST

START_TEST(what_a_lane_has_counted_stays_with_its_session)
{
    shmrpc_lane_counts found[2];

    call_all();
    expect_session(2, 9);
    rogue_leave(&lanes[1]);
    (void)dispatched_until_idle(&serving);
    expect_session(1, 9);
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, found, 2), 1);
    expect_lane(&found[0], 0, 3, 0, 0);
    /* Another one has its number, and none of its counts. */
    dispatched_meet(&serving, join_further, NULL);
    call(&lanes[1], PROBE_ECHO, false);
    expect_session(2, 10);
    ck_assert_uint_eq(shmrpc_server_lane_counters(&serving.server.base, found, 2), 2);
    expect_lane(&found[1], 1, 1, 0, 0);
    ck_assert_uint_eq(shmrpc_server_counters(&serving.server.base).calls, 10);
    ck_assert_uint_eq(shmrpc_server_counters(&serving.server.base).doorbells, 2);
}
END_TEST

static Suite *lane_counts_suite(void)
{
    Suite *suite = suite_create("hostile_lane_counts");
    TCase *tests = tcase_create("lane_counts");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, each_lane_has_its_own);
    tcase_add_test(tests, what_a_lane_has_counted_stays_with_its_session);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_counts_suite)

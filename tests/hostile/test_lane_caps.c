/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lane_caps.c - clients of one user that want more lanes than a server gives to one user: by threads of one client,
 * by many clients, and by clients without futexes, for which the server has a thread each.
 */
#include "rogue.h"
#include "test_support.h"

#define MOST 5u /* lanes */

static probe_process server;

static void setup(void)
{
    runtime_dir_make();
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.max_lanes_per_uid = MOST}});
}

static void teardown(void)
{
    probe_process_stop(&server);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

static bool is_welcome(const control_packet *hello)
{
    rogue peer;

    rogue_connect(&peer, "probe");
    bool agreed = rogue_greet_with(&peer, hello);
    rogue_leave(&peer);
    return agreed;
}

static bool a_further_lane_is_welcome(const rogue *first)
{
    const control_packet hello = rogue_hello_further(first);

    return is_welcome(&hello);
}

static bool a_client_is_welcome(bool semaphores)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);

    hello.as.hello.semaphores = semaphores;
    return is_welcome(&hello);
}

static void await_gone(uint64_t sessions)
{
    await_true(atomic_load(&server.state->disconnected) == sessions);
}

START_TEST(a_user_has_so_many_lanes_however_they_come)
{
    rogue lanes[MOST];

    for (uint64_t round = 1; round <= 20; round++) {
        /* The first session has all but two of the lanes. */
        rogue_join(&lanes[0], "probe");
        for (unsigned i = 1; i < MOST - 2; i++)
            rogue_join_further(&lanes[i], "probe", &lanes[0]);
        ck_assert(a_client_is_welcome(false));
        ck_assert(!a_client_is_welcome(true));
        rogue_join(&lanes[MOST - 2], "probe");
        ck_assert(a_further_lane_is_welcome(&lanes[0]));
        rogue_join_further(&lanes[MOST - 1], "probe", &lanes[0]);
        ck_assert(!a_further_lane_is_welcome(&lanes[0]));
        ck_assert(!a_further_lane_is_welcome(&lanes[MOST - 2]));
        ck_assert(!a_client_is_welcome(false));
        /* A thread ends, and a session. */
        rogue_leave(&lanes[MOST - 1]);
        await_true(a_further_lane_is_welcome(&lanes[0]));
        rogue_leave(&lanes[MOST - 2]);
        await_gone(2 * round - 1);
        ck_assert(!a_client_is_welcome(true));
        for (unsigned i = 0; i < MOST - 2; i++)
            rogue_leave(&lanes[i]);
        await_gone(2 * round);
        ck_assert(a_client_is_welcome(true));
    }
    ck_assert_uint_eq(atomic_load(&server.state->connected), 40);
}
END_TEST

static Suite *lane_caps_suite(void)
{
    Suite *suite = suite_create("hostile_lane_caps");
    TCase *tests = tcase_create("lane_caps");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_user_has_so_many_lanes_however_they_come);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_caps_suite)

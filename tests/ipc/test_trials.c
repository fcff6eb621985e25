/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trials.c - a server that adapts spins for a client while that pays, and else sleeps at once.
 *
 * The case is the server's loop, too: it sees how long dispatch() says 1 after a message. No upper limit is put on a
 * time: that a server has not spun shows in the number of its rounds.
 */
#include <unistd.h>

#include "dispatched.h"

#define SPIN_NS 50000
#define ROUNDS_AT_REST 3 /* one that serves, and what a late bell may add */

static dispatched serving;
static shmrpc_client *client;

static void begin(void)
{
    dispatched_begin(&serving, NULL);
    client = dispatched_connect(&serving, &(shmrpc_client_options){.spin_ns = SHMRPC_SPIN_NONE});
}

static void end(void)
{
    shmrpc_client_free(client);
    dispatched_await_readable(&serving);
    (void)dispatched_until_idle(&serving);
    dispatched_end(&serving);
}

static bool skips_one_core(void)
{
    bool skips = sysconf(_SC_NPROCESSORS_ONLN) < 2;

    if (skips) {
        test_skip("the default does not spin on a machine with one core");
    }
    return skips;
}

/* Sends one message. */
static void say(void)
{
    assert_status(probe_note(client, 1, shmrpc_default()), 0);
}

/* Lets a message that has been sent to a server asleep be served, and what follows. Has it spun? */
static bool serve_and_look(unsigned *ret_rounds)
{
    uint64_t begin_ns;

    dispatched_await_readable(&serving);
    begin_ns = test_now_ns();
    *ret_rounds = dispatched_until_idle(&serving);
    return test_now_ns() - begin_ns >= SPIN_NS;
}

/* One message, long after another: the server is asleep again before the next. */
static void expect_trial(void)
{
    unsigned rounds;

    say();
    ck_assert_msg(serve_and_look(&rounds), "it did not spin: %u rounds", rounds);
}

static void expect_rest(unsigned messages)
{
    for (unsigned i = 0; i < messages; i++) {
        unsigned rounds;

        say();
        (void)serve_and_look(&rounds);
        ck_assert_uint_le(rounds, ROUNDS_AT_REST);
    }
}

START_TEST(rests_longer_and_longer_where_spinning_is_in_vain)
{
    if (skips_one_core()) {
        return;
    }
    expect_trial();
    for (unsigned rest = 1; rest <= 64; rest *= 2) {
        expect_trial();
        expect_rest(rest);
    }
    expect_trial();
}
END_TEST

START_TEST(spins_on_where_the_next_message_comes_meanwhile)
{
    if (skips_one_core()) {
        return;
    }
    /* What was in vain before is forgotten by what pays. */
    expect_trial();
    expect_trial();
    expect_rest(1);
    for (int i = 0; i < 100; i++) {
        say();
        dispatched_await_readable(&serving);
        ck_assert_int_eq(dispatched_round(&serving), 1);
        /* It looks in vain, and again: no bell is rung for the second one, and it is found. */
        ck_assert_int_eq(dispatched_round(&serving), 1);
        say();
        uint64_t begin_ns = test_now_ns();
        (void)dispatched_until_idle(&serving);
        ck_assert_uint_ge(test_now_ns() - begin_ns, SPIN_NS);
    }
    ck_assert_uint_eq(atomic_load(&serving.state->notes), 203);
    expect_trial();
    expect_trial();
    expect_rest(1);
}
END_TEST

static Suite *trials_suite(void)
{
    Suite *suite = suite_create("ipc_trials");
    TCase *tests = tcase_create("trials");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, rests_longer_and_longer_where_spinning_is_in_vain);
    tcase_add_test(tests, spins_on_where_the_next_message_comes_meanwhile);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(trials_suite)

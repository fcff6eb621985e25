/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_earlier.c - sleeping for a call that is not the last one published: the server answers it while it has more to
 * do, and is heard at once.
 *
 * As in test_waiting.c, the library's sleeps are made long, so that a wake-up that is lost is seen; and its fences in
 * other processes are counted, or refused.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

#define NAP_NS INT64_C(30000000000)
#define DEPTH 8

typedef struct spin_pair {
    int64_t client_ns;
    int64_t server_ns;
} spin_pair;

static const spin_pair spin_pairs[] = {
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE},
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT},
    {SHMRPC_SPIN_NONE, 2000},
    {2000, 2000},
    {SHMRPC_SPIN_DEFAULT, 5000},
    {500, 500},
};
#define SPIN_PAIRS ((int)(sizeof(spin_pairs) / sizeof(spin_pairs[0])))

static probe_process server;
static shmrpc_client *client;
static _Atomic(unsigned) barriers; /* that were asked for */
static _Atomic(bool) barriers_fail;

int __real_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __real_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);
int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);
int __real_barrier_make(void);
int __wrap_barrier_make(void);

/* In place of the library's (the linker's --wrap). */
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    return __real_futex_wait(word, expected, timeout_ns < NAP_NS ? NAP_NS : timeout_ns);
}

int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns)
{
    return __real_futex_wait_either(word, expected, other, timeout_ns < NAP_NS ? NAP_NS : timeout_ns);
}

int __wrap_barrier_make(void)
{
    atomic_fetch_add(&barriers, 1);
    return atomic_load(&barriers_fail) ? -EPERM : __real_barrier_make();
}

static bool barriers_are_wanted(void)
{
    const char *without = getenv("SHMRPC_WITHOUT");

    return without == NULL || strstr(without, "membarrier") == NULL;
}

static void begin(const spin_pair *spins, uint32_t depth)
{
    const shmrpc_client_options options = {.depth = depth, .spin_ns = spins->client_ns};

    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = spins->server_ns}});
    assert_status(probe_connect(&client, "probe", &options), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
}

static void end(void)
{
    shmrpc_client_free(client);
    probe_process_stop(&server);
}

static int start_value(shmrpc_call *call, uint32_t method, uint64_t value)
{
    return shmrpc_call_start(client, call, method, &(probe_value){value}, shmrpc_in_s(20), NULL);
}

static void expect_in_time(shmrpc_call *call, uint64_t value)
{
    uint64_t reply = ~value, begin_ns = test_now_ns(), took_ns;

    assert_status(shmrpc_call_wait(call, &reply), 0);
    took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_eq(reply, value);
    ck_assert_msg(took_ns < TEST_SOON_NS, "call %llu: %llu us", (unsigned long long)value,
                  (unsigned long long)took_ns / 1000);
}

/* Lets the calls at the gate pass, one after the other, a little after each has come there: the caller sleeps by then. */
static void *pass_later(void *data)
{
    const unsigned *count = data;

    for (uint64_t value = 1; value <= *count; value++) {
        await_true(atomic_load(&server.state->holding) == value);
        for (int i = 0; i < 100; i++)
            await_pause();
        probe_gate_pass(&server, 1);
    }
    return NULL;
}

static void start_passing(pthread_t *thread, unsigned *count)
{
    ck_assert_int_eq(pthread_create(thread, NULL, pass_later, count), 0);
}

START_TEST(is_heard_while_a_later_call_runs)
{
    shmrpc_call calls[3] = {0};
    unsigned first = 1;
    pthread_t thread;

    begin(&spin_pairs[_i], DEPTH);
    for (unsigned i = 0; i < 3; i++)
        assert_status(start_value(&calls[i], PROBE_HOLD, i + 1), 0);
    start_passing(&thread, &first);
    expect_in_time(&calls[0], 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    await_true(atomic_load(&server.state->holding) == 2); /* and there it stays */
    probe_gate_pass(&server, 2);
    expect_in_time(&calls[1], 2);
    expect_in_time(&calls[2], 3);
    end();
}
END_TEST

/* The first slot is free again while the second call runs. */
START_TEST(room_is_heard_of_while_a_later_call_runs)
{
    shmrpc_call calls[3] = {0};
    uint64_t begin_ns;
    unsigned first = 1;
    pthread_t thread;

    begin(&spin_pairs[_i], 2);
    assert_status(start_value(&calls[0], PROBE_HOLD, 1), 0);
    assert_status(start_value(&calls[1], PROBE_HOLD, 2), 0);
    start_passing(&thread, &first);
    begin_ns = test_now_ns();
    assert_status(start_value(&calls[2], PROBE_ECHO, 3), 0);
    ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    await_true(atomic_load(&server.state->holding) == 2);
    probe_gate_pass(&server, 1);
    for (unsigned i = 0; i < 3; i++)
        expect_in_time(&calls[i], i + 1);
    end();
}
END_TEST

/* All orders of going to sleep and answering, with a request behind the one that is awaited nearly always. */
START_TEST(loses_no_wake_up_of_an_earlier_call)
{
    shmrpc_call calls[DEPTH] = {0};
    uint32_t random = 7 + (uint32_t)_i;
    uint64_t begin_ns, value = 0;

    begin(&spin_pairs[_i], DEPTH);
    begin_ns = test_now_ns();
    while (test_now_ns() - begin_ns < UINT64_C(1200000000)) {
        unsigned count = 2 + (unsigned)(value % (DEPTH - 1));

        for (unsigned i = 0; i < count; i++)
            assert_status(start_value(&calls[i], PROBE_ECHO, value + i), 0);
        random = random * 1664525u + 1013904223u;
        for (volatile uint32_t steps = (random >> 8) % 600; steps > 0; steps = steps - 1)
            ;
        for (unsigned i = 0; i < count; i++)
            expect_in_time(&calls[i], value + i);
        value += count;
    }
    ck_assert_uint_gt(value, 100);
    end();
}
END_TEST

START_TEST(only_waits_for_earlier_calls_make_fences)
{
    shmrpc_call calls[2] = {0};
    unsigned before, two = 2;
    pthread_t thread;

    begin(&spin_pairs[0], DEPTH);
    before = atomic_load(&barriers);
    ck_assert_uint_gt(before, 0); /* of the handshake */
    for (uint64_t i = 0; i < 200; i++)
        ck_assert(probe_answers_rightly(client, i, 1));
    ck_assert_uint_eq(atomic_load(&barriers), before);
    for (unsigned i = 0; i < 2; i++)
        assert_status(start_value(&calls[i], PROBE_HOLD, i + 1), 0);
    start_passing(&thread, &two);
    expect_in_time(&calls[0], 1);
    ck_assert(atomic_load(&barriers) > before || !barriers_are_wanted());
    before = atomic_load(&barriers);
    expect_in_time(&calls[1], 2);
    ck_assert_uint_eq(atomic_load(&barriers), before);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    end();
}
END_TEST

/* As under a filter of system calls that the program makes for itself after it has connected: later, and not lost. */
START_TEST(waits_for_the_last_where_fences_fail_later)
{
    shmrpc_call calls[3] = {0};
    unsigned three = 3;
    pthread_t thread;

    begin(&spin_pairs[0], DEPTH);
    atomic_store(&barriers_fail, true);
    for (unsigned i = 0; i < 3; i++)
        assert_status(start_value(&calls[i], PROBE_HOLD, i + 1), 0);
    start_passing(&thread, &three);
    for (unsigned i = 0; i < 3; i++)
        expect_in_time(&calls[i], i + 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    end();
}
END_TEST

/* Nothing agreed on: the server makes its fence after each reply, and nobody is asked to make one. */
START_TEST(the_server_makes_the_fences_where_the_client_cannot)
{
    shmrpc_call calls[2] = {0};
    unsigned first = 1, before;
    pthread_t thread;

    atomic_store(&barriers_fail, true);
    begin(&spin_pairs[0], DEPTH);
    before = atomic_load(&barriers);
    for (unsigned i = 0; i < 2; i++)
        assert_status(start_value(&calls[i], PROBE_HOLD, i + 1), 0);
    start_passing(&thread, &first);
    expect_in_time(&calls[0], 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    await_true(atomic_load(&server.state->holding) == 2);
    ck_assert_uint_eq(atomic_load(&barriers), before);
    probe_gate_pass(&server, 1);
    expect_in_time(&calls[1], 2);
    end();
}
END_TEST

static Suite *earlier_suite(void)
{
    Suite *suite = suite_create("ipc_earlier");
    TCase *tests = tcase_create("earlier");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 100);
    tcase_add_loop_test(tests, is_heard_while_a_later_call_runs, 0, SPIN_PAIRS);
    tcase_add_loop_test(tests, room_is_heard_of_while_a_later_call_runs, 0, SPIN_PAIRS);
    tcase_add_loop_test(tests, loses_no_wake_up_of_an_earlier_call, 0, SPIN_PAIRS);
    tcase_add_test(tests, only_waits_for_earlier_calls_make_fences);
    tcase_add_test(tests, waits_for_the_last_where_fences_fail_later);
    tcase_add_test(tests, the_server_makes_the_fences_where_the_client_cannot);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(earlier_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_waiting.c - spinning and sleeping: no wake-up is lost, and idle costs nothing.
 *
 * A client that sleeps looks around after a second by itself, which would hide a wake-up that is lost. So the library's
 * futex_wait() and futex_wait_either() are wrapped here, and sleep for NAP_NS at least where nobody wakes them: what is
 * lost shows as a call that takes longer than TEST_SOON_NS. The server sleeps without limit, and a doorbell that it does
 * not hear shows as a timeout.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

#define NAP_NS INT64_C(30000000000)

typedef struct spin_pair {
    int64_t client_ns;
    int64_t server_ns;
} spin_pair;

static const spin_pair spin_pairs[] = {
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE},
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT},
    {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE},
    {2000, 2000},
    {20000, 5000},
    {1000, 30000},
};
#define SPIN_PAIRS ((int)(sizeof(spin_pairs) / sizeof(spin_pairs[0])))

static probe_process server;

int __real_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);

int __real_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);
int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);

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

static void start_server(int64_t spin_ns)
{
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = spin_ns}});
}

static shmrpc_client *connect_spinning(int64_t spin_ns)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spin_ns}), 0);
    return client;
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/*
 * Burns time, so that the next call meets the other side at another point of its way to sleep: mostly up to 4 us,
 * which is how long that way takes, else up to 64.
 */
static void dawdle(uint32_t *random)
{
    uint32_t most_ns = random_next(random) % 4 == 0 ? 65536 : 4096;
    uint64_t until_ns = test_now_ns() + random_next(random) % most_ns;

    while (test_now_ns() < until_ns)
        ;
}

/* A call that is neither wrong nor late; prints what it was where it is. */
static bool echo_in_time(shmrpc_client *client, uint64_t value)
{
    uint64_t reply = ~value, begin_ns = test_now_ns();
    int rc = probe_echo(client, value, &reply, shmrpc_in_s(20));
    uint64_t took_ns = test_now_ns() - begin_ns;

    if (rc == 0 && reply == value && took_ns < TEST_SOON_NS)
        return true;
    fprintf(stderr, "call %llu: %s, reply %llu, %llu us\n", (unsigned long long)value, shmrpc_status_text(rc),
            (unsigned long long)reply, (unsigned long long)took_ns / 1000);
    return false;
}

START_TEST(loses_no_wake_up_of_a_call)
{
    const spin_pair *spins = &spin_pairs[_i];
    uint32_t random = 1 + (uint32_t)_i;

    start_server(spins->server_ns);
    shmrpc_client *client = connect_spinning(spins->client_ns);
    for (uint64_t value = 0; value < 30000; value++) {
        dawdle(&random);
        ck_assert(echo_in_time(client, value));
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

/*
 * Here the next call comes while the server still is on its way to sleep, and the reply while the client is: within
 * some hundred nanoseconds, which random steps sweep. As many calls as fit into a time, because a call takes 0.3 us
 * or 20.
 */
START_TEST(loses_no_wake_up_of_calls_in_quick_succession)
{
    static const spin_pair pairs[] = {
        {SHMRPC_SPIN_NONE, SHMRPC_SPIN_FOREVER}, {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT},
        {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE}, {SHMRPC_SPIN_FOREVER, SHMRPC_SPIN_NONE},
        {SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE},    {500, 500},
    };
    uint32_t random = 99 + (uint32_t)_i;

    start_server(pairs[_i].server_ns);
    shmrpc_client *client = connect_spinning(pairs[_i].client_ns);
    uint64_t begin_ns = test_now_ns(), last_ns = begin_ns;
    for (uint64_t value = 0; last_ns - begin_ns < UINT64_C(1500000000); value++) {
        uint64_t reply = ~value;
        for (volatile uint32_t steps = random_next(&random) % 400; steps > 0; steps = steps - 1)
            ;
        int rc = probe_echo(client, value, &reply, shmrpc_in_s(20));
        uint64_t now_ns = test_now_ns();
        if (rc != 0 || reply != value || now_ns - last_ns >= TEST_SOON_NS)
            ck_abort_msg("call %llu: %s after %llu us", (unsigned long long)value, shmrpc_status_text(rc),
                         (unsigned long long)(now_ns - last_ns) / 1000);
        last_ns = now_ns;
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

START_TEST(loses_no_wake_up_of_oneways_before_a_call)
{
    const spin_pair *spins = &spin_pairs[_i];
    uint32_t random = 77 + (uint32_t)_i;
    uint64_t sent = 0;
    probe_total total;

    start_server(spins->server_ns);
    shmrpc_client *client = connect_spinning(spins->client_ns);
    for (unsigned int round = 0; round < 2000; round++) {
        unsigned int burst = random_next(&random) % 7;
        for (unsigned int i = 0; i < burst; i++) {
            if (random_next(&random) % 2 == 0)
                dawdle(&random);
            assert_status(probe_note(client, 1, shmrpc_in_s(20)), 0);
            sent++;
        }
        uint64_t begin_ns = test_now_ns();
        assert_status(probe_get_total(client, &total), 0);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
        ck_assert_uint_eq(total.count, sent);
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

/* A oneway that nobody follows must wake the server by itself. */
START_TEST(hears_a_oneway_that_is_followed_by_nothing)
{
    const spin_pair *spins = &spin_pairs[_i];
    uint32_t random = 177 + (uint32_t)_i;

    start_server(spins->server_ns);
    shmrpc_client *client = connect_spinning(spins->client_ns);
    for (uint64_t sent = 1; sent <= 3000; sent++) {
        dawdle(&random);
        uint64_t begin_ns = test_now_ns();
        assert_status(probe_note(client, 1, shmrpc_in_s(20)), 0);
        await_true(atomic_load(&server.state->notes) == sent);
        ck_assert_uint_lt(test_now_ns() - begin_ns, TEST_SOON_NS);
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

typedef struct caller {
    pthread_t thread;
    const spin_pair *spins;
    uint32_t seed;
    uint64_t calls;
    uint64_t right;
} caller;

static void *caller_main(void *data)
{
    caller *self = data;
    uint32_t random = self->seed;
    shmrpc_client *client = NULL;

    if (probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = self->spins->client_ns}) != 0)
        return NULL;
    for (uint64_t i = 0; i < self->calls; i++) {
        dawdle(&random);
        self->right += echo_in_time(client, (uint64_t)self->seed << 32 | i);
    }
    shmrpc_client_free(client);
    return NULL;
}

/* Many publish while the server goes to sleep: what one of them rings may not be taken for another's. */
START_TEST(loses_no_wake_up_of_several_clients)
{
    enum { CALLERS = 6 };
    caller callers[CALLERS];

    start_server(spin_pairs[_i].server_ns);
    for (uint32_t i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.spins = &spin_pairs[_i], .seed = 1000 + i, .calls = 4000};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]), 0);
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
        ck_assert_uint_eq(callers[i].right, callers[i].calls);
    }
    probe_process_stop(&server);
}
END_TEST

/* Published, unread, and never rung for again: the server is stopped at some point on its way to sleep. */
START_TEST(answers_what_was_published_while_the_server_was_stopped_on_its_way_to_sleep)
{
    uint32_t random = 4242;

    start_server(_i == 0 ? SHMRPC_SPIN_NONE : 3000);
    shmrpc_client *client = connect_spinning(SHMRPC_SPIN_NONE);
    uint64_t sent = 0;
    for (unsigned int round = 0; round < 300; round++) {
        ck_assert(echo_in_time(client, round));
        dawdle(&random);
        child_stop(&server.child);
        unsigned int burst = 1 + random_next(&random) % 20;
        for (unsigned int i = 0; i < burst; i++, sent++)
            assert_status(probe_note(client, 1, shmrpc_in_s(20)), 0);
        child_continue(&server.child);
        await_true(atomic_load(&server.state->notes) == sent);
    }
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

static bool is_asleep(pid_t pid)
{
    char path[64], line[128];
    bool asleep = false;

    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "State:", 6) == 0)
            asleep = strchr(line, 'S') != NULL && strstr(line, "(sleeping)") != NULL;
    fclose(file);
    return asleep;
}

static int hold_asleep(child_link *link, void *data)
{
    shmrpc_client *client = NULL;
    uint64_t reply = 0;

    (void)data;
    link_await(link, 'h');
    child_check(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = SHMRPC_SPIN_NONE}) == 0, "connect");
    int rc = probe_hold(client, 6, &reply, shmrpc_default());
    shmrpc_client_free(client);
    return rc == 0 && reply == 6 ? 0 : 1;
}

START_TEST(counts_sleeps_and_doorbells)
{
    shmrpc_server_counts before, after;
    child sleeper;

    start_server(SHMRPC_SPIN_NONE);
    /* Before there are threads: ThreadSanitizer does not support a fork beside them. */
    child_spawn(&sleeper, hold_asleep, NULL);
    shmrpc_client *client = connect_spinning(SHMRPC_SPIN_FOREVER);
    assert_status(probe_get_counters(client, &before), 0);
    for (uint64_t i = 0; i < 100; i++) {
        await_true(is_asleep(server.child.pid));
        ck_assert(echo_in_time(client, i));
    }
    /* A caller that polls needs no doorbell, and one that sleeps needs one. */
    assert_status(probe_get_counters(client, &after), 0);
    ck_assert_uint_ge(after.sleeps - before.sleeps, 90);
    ck_assert_uint_eq(after.doorbells, before.doorbells);
    link_signal(&sleeper.link, 'h');
    await_true(atomic_load(&server.state->holding) == 6 && is_asleep(sleeper.pid));
    probe_gate_pass(&server, 1);
    child_expect_exit(&sleeper, 0);
    assert_status(probe_get_counters(client, &after), 0);
    ck_assert_uint_eq(after.doorbells, before.doorbells + 1);
    shmrpc_client_free(client);
    probe_process_stop(&server);
}
END_TEST

static Suite *waiting_suite(void)
{
    Suite *suite = suite_create("ipc_waiting");
    TCase *wakeups = tcase_create("wake-ups");
    TCase *rest = tcase_create("counters");

    tcase_add_checked_fixture(wakeups, probe_case_begin, probe_case_end);
    tcase_set_timeout(wakeups, 100);
    tcase_add_loop_test(wakeups, loses_no_wake_up_of_a_call, 0, SPIN_PAIRS);
    tcase_add_loop_test(wakeups, loses_no_wake_up_of_calls_in_quick_succession, 0, 6);
    tcase_add_loop_test(wakeups, loses_no_wake_up_of_oneways_before_a_call, 0, SPIN_PAIRS);
    tcase_add_loop_test(wakeups, hears_a_oneway_that_is_followed_by_nothing, 0, SPIN_PAIRS);
    tcase_add_loop_test(wakeups, loses_no_wake_up_of_several_clients, 0, SPIN_PAIRS);
    tcase_add_loop_test(wakeups, answers_what_was_published_while_the_server_was_stopped_on_its_way_to_sleep, 0, 2);
    suite_add_tcase(suite, wakeups);

    tcase_add_checked_fixture(rest, probe_case_begin, probe_case_end);
    tcase_set_timeout(rest, 100);
    tcase_add_test(rest, counts_sleeps_and_doorbells);
    suite_add_tcase(suite, rest);
    return suite;
}

TEST_MAIN(waiting_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_idle.c - who is connected and has nothing to do does nothing.
 *
 * Counted are the switches of all threads of a server, and of a process with its clients, and the time that they had on
 * a processor. The time in which nothing may happen is not slept through: another server answers some thousand calls
 * in it. That server and its client are the counters' proof: of them something is counted.
 */
#include <unistd.h>

#include "../../bench/activity.h"
#include "probe_server.h"

#define CLIENTS_MAX 200
#define CALLS_BEFORE 200 /* in which nothing happened: then what was to do is done */
#define CALLS_IDLE 20000

/* ThreadSanitizer has a thread of its own beside the first, which bears the program's name and looks around. */
static activity activity_of(pid_t pid)
{
    activity found = {0};

    ck_assert_int_eq(activity_add_named(&found, pid, test_is_built_with("tsan") ? "shmrpc" : NULL), 0);
    return found;
}

static int hold_clients(child_link *link, void *data)
{
    const unsigned int count = *(const unsigned int *)data;
    static shmrpc_client *clients[CLIENTS_MAX];

    for (unsigned int i = 0; i < count; i++) {
        child_check(probe_connect(&clients[i], "idle", NULL) == 0, "connect");
        child_check(probe_answers_rightly(clients[i], i, 3), "wrong answers");
    }
    link_signal(link, 'c');
    link_await(link, 'x');
    for (unsigned int i = 0; i < count; i++) {
        child_check(probe_answers_rightly(clients[i], i, 1), "wrong answers after an idle time");
        shmrpc_client_free(clients[i]);
    }
    return 0;
}

static void call_others(shmrpc_client *client, unsigned int calls)
{
    uint64_t reply;

    for (unsigned int i = 0; i < calls; i++) {
        assert_status(probe_echo(client, i, &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply, i);
    }
}

static void await_rest(const pid_t *pids, size_t count, shmrpc_client *others, activity *ret)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    bool rests = false;

    for (size_t i = 0; i < count; i++)
        ret[i] = activity_of(pids[i]);
    while (!rests) {
        ck_assert_msg(test_remaining_ms(until_ns) > 0, "it never came to rest");
        call_others(others, CALLS_BEFORE);
        rests = true;
        for (size_t i = 0; i < count; i++) {
            const activity before = ret[i];
            ret[i] = activity_of(pids[i]);
            rests = rests && ret[i].asleep && activity_is_same(&before, &ret[i]);
        }
    }
}

static const struct {
    unsigned int clients, workers;
    int64_t spin_ns;
} cases[] = {
    {0, 1, SHMRPC_SPIN_DEFAULT},   {0, 4, SHMRPC_SPIN_NONE},      {1, 1, SHMRPC_SPIN_NONE},
    {1, 1, SHMRPC_SPIN_DEFAULT},   {1, 4, SHMRPC_SPIN_DEFAULT},   {200, 1, SHMRPC_SPIN_NONE},
    {200, 1, SHMRPC_SPIN_DEFAULT}, {200, 4, SHMRPC_SPIN_DEFAULT},
};

START_TEST(does_nothing_while_nobody_calls)
{
    static probe_process idle, busy;
    unsigned int count = cases[_i].clients;
    shmrpc_client *others = NULL;
    activity before[2], after[2];
    child clients;

    if (count != 0 && probe_skips_semaphores("a server has a thread for each client, which looks ten times a second"))
        return;
    probe_process_start(&idle, &(probe_setup){.name = "idle",
                                              .options = &(shmrpc_server_options){.spin_ns = cases[_i].spin_ns,
                                                                                  .workers = cases[_i].workers}});
    probe_process_start(&busy, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE}});
    child_spawn(&clients, hold_clients, &count);
    link_await(&clients.link, 'c');
    ck_assert_uint_eq(atomic_load(&idle.state->connected), count);
    assert_status(probe_connect(&others, "probe", NULL), 0);

    const pid_t pids[2] = {idle.child.pid, clients.pid};
    await_rest(pids, 2, others, before);
    const activity busy_before = activity_of(busy.child.pid);
    call_others(others, CALLS_IDLE);
    const activity busy_after = activity_of(busy.child.pid);
    for (int i = 0; i < 2; i++) {
        after[i] = activity_of(pids[i]);
        ck_assert_msg(activity_is_same(&before[i], &after[i]),
                      "%s: %d times asleep, %d times interrupted, %d ns of a processor", i == 0 ? "server" : "clients",
                      (int)(after[i].voluntary - before[i].voluntary),
                      (int)(after[i].involuntary - before[i].involuntary), (int)(after[i].cpu_ns - before[i].cpu_ns));
        ck_assert(after[i].asleep);
    }
    ck_assert_uint_eq(after[0].threads, cases[_i].workers);
    ck_assert_uint_gt(busy_after.voluntary, busy_before.voluntary);
    ck_assert_uint_gt(busy_after.cpu_ns, busy_before.cpu_ns);

    link_signal(&clients.link, 'x');
    child_expect_exit(&clients, 0);
    await_true(atomic_load(&idle.state->disconnected) == count);
    ck_assert_uint_gt(activity_of(idle.child.pid).voluntary + (count == 0), before[0].voluntary);
    shmrpc_client_free(others);
    probe_process_stop(&busy);
    probe_process_stop(&idle);
}
END_TEST

static Suite *idle_suite(void)
{
    Suite *suite = suite_create("ipc_idle");
    TCase *tests = tcase_create("idle");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, does_nothing_while_nobody_calls, 0, sizeof(cases) / sizeof(cases[0]));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(idle_suite)

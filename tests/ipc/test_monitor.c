/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_monitor.c - the thread that a client's process has: there while something is connected, asleep while nothing
 * happens, and quick when a server dies.
 *
 * Whoever sleeps looks around after a second by itself, and whoever spins as well; so what takes ALARM_NS at most was
 * told by the alarm. Where the kernel cannot wait for two words (SHMRPC_WITHOUT), a sleep lasts a tenth of a second,
 * and the alarm is seen after it.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_server.h"

#include "runtime/monitor.h"

#define ALARM_NS UINT64_C(700000000) /* who must look around for it does so after a second */

static probe_process server;
static size_t threads_before;
static bool watching_fails;

int __real_monitor_add(alarm_word *alarm, int socket, int pidfd);
int __wrap_monitor_add(alarm_word *alarm, int socket, int pidfd);

/* In place of the library's (the linker's --wrap). */
int __wrap_monitor_add(alarm_word *alarm, int socket, int pidfd)
{
    return watching_fails ? -EAGAIN : __real_monitor_add(alarm, socket, pidfd);
}

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
    threads_before = counts_threads_of(getpid());
}

static void teardown(void)
{
    probe_process_stop(&server);
    probe_case_end();
}

static shmrpc_client *connect_spinning(int64_t spin_ns)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", &(shmrpc_client_options){.spin_ns = spin_ns}), 0);
    return client;
}

START_TEST(is_one_thread_however_many_are_connected_and_none_after_the_last)
{
    enum { CLIENTS = 20 };
    shmrpc_client *clients[CLIENTS];
    counts before;

    counts_take(&before);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = connect_spinning(SHMRPC_SPIN_DEFAULT);
            ck_assert_uint_eq(counts_threads_of(getpid()), threads_before + 1);
        }
        for (int i = 0; i < CLIENTS; i++) {
            ck_assert(probe_answers_rightly(clients[i], 1, 3));
            shmrpc_client_free(clients[i]);
        }
        counts_expect_same(&before);
    }
}
END_TEST

START_TEST(is_not_started_for_a_connection_that_failed)
{
    shmrpc_client *client = NULL;
    counts before;

    counts_take(&before);
    assert_status(probe_connect(&client, "nobody", NULL), SHMRPC_E_UNAVAILABLE);
    counts_expect_same(&before);
}
END_TEST

/* Context switches of all threads of a process. */
static unsigned long switches_of(pid_t pid)
{
    char path[64];
    unsigned long sum = 0;

    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char status[400], line[128];

        snprintf(status, sizeof(status), "%s/%s/status", path, entry->d_name);
        FILE *file = fopen(status, "re");
        if (file == NULL)
            continue;
        while (fgets(line, sizeof(line), file) != NULL)
            if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0 ||
                strncmp(line, "nonvoluntary_ctxt_switches:", 27) == 0)
                sum += strtoul(strchr(line, ':') + 1, NULL, 10);
        fclose(file);
    }
    closedir(folder);
    return sum;
}

static int connect_and_do_nothing(child_link *link, void *data)
{
    enum { CLIENTS = 5 };
    shmrpc_client *clients[CLIENTS];

    (void)data;
    for (int i = 0; i < CLIENTS; i++) {
        child_check(probe_connect(&clients[i], "probe", NULL) == 0, "connect");
        child_check(probe_answers_rightly(clients[i], 1, 20), "wrong answers");
    }
    link_signal(link, 'c');
    link_await(link, 'e');
    for (int i = 0; i < CLIENTS; i++)
        shmrpc_client_free(clients[i]);
    return 0;
}

START_TEST(does_not_run_through_an_idle_second)
{
    child client;
    unsigned long before;

    if (test_is_built_with("tsan")) {
        test_skip("the sanitizer has a thread of its own");
        return;
    }
    child_spawn(&client, connect_and_do_nothing, NULL);
    link_await(&client.link, 'c');
    do {
        before = switches_of(client.pid);
        for (int i = 0; i < 20; i++)
            await_pause();
    } while (switches_of(client.pid) != before);
    unsigned long long cpu_before = counts_cpu_time_ns_of(client.pid);
    ck_assert_uint_eq(counts_threads_of(client.pid), 2);
    uint64_t until_ns = test_now_ns() + 1000000000;
    while (test_now_ns() < until_ns)
        await_pause();
    ck_assert_uint_eq(switches_of(client.pid), before);
    ck_assert_uint_eq(counts_cpu_time_ns_of(client.pid), cpu_before);
    link_signal(&client.link, 'e');
    child_expect_exit(&client, 0);
}
END_TEST

static int connect_in_the_child(child_link *link, void *data)
{
    shmrpc_client *own = NULL;
    size_t descriptors = counts_fds_of(getpid()), threads = counts_threads_of(getpid());

    (void)link;
    (void)data;
    child_check(probe_connect(&own, "probe", NULL) == 0, "the child cannot connect");
    child_check(probe_answers_rightly(own, 50, 10), "wrong answers in the child");
    child_check(test_is_built_with("tsan") || counts_threads_of(getpid()) == threads + 1, "no thread of its own");
    shmrpc_client_free(own);
    child_check(counts_fds_of(getpid()) == descriptors, "descriptors stay in the child");
    return 0;
}

START_TEST(a_forked_child_starts_its_own)
{
    shmrpc_client *client = connect_spinning(SHMRPC_SPIN_DEFAULT);
    child forked;

    for (int i = 0; i < 5; i++) {
        child_spawn(&forked, connect_in_the_child, NULL);
        child_expect_exit(&forked, 0);
        ck_assert(probe_answers_rightly(client, 1, 10));
    }
    ck_assert_uint_eq(counts_threads_of(getpid()), threads_before + 1);
    shmrpc_client_free(client);
}
END_TEST

/* ---- the death of a server ---- */

typedef struct holder {
    pthread_t thread;
    shmrpc_client *client;
    _Atomic(int) status;
    uint64_t ended_ns;
} holder;

static void *holder_main(void *data)
{
    holder *self = data;
    uint64_t reply;
    int rc = probe_hold(self->client, 5, &reply, shmrpc_forever());

    self->ended_ns = test_now_ns();
    atomic_store(&self->status, rc);
    return NULL;
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* From the kill to the end of the call. */
static uint64_t time_of_a_death(int64_t spin_ns)
{
    holder self = {.status = 1, .client = connect_spinning(spin_ns)};

    ck_assert_int_eq(pthread_create(&self.thread, NULL, holder_main, &self), 0);
    await_true(atomic_load(&server.state->holding) == 5);
    for (int i = 0; i < 3; i++) /* asleep by then, where it sleeps */
        await_pause();
    uint64_t begin_ns = test_now_ns();
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    ck_assert_int_eq(pthread_join(self.thread, NULL), 0);
    ck_assert_int_eq(atomic_load(&self.status), SHMRPC_E_UNKNOWN);
    shmrpc_client_free(self.client);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    probe_process_start(&server, NULL);
    return self.ended_ns - begin_ns;
}

START_TEST(hears_of_a_death_by_the_alarm)
{
    enum { KILLS = 15 };
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_FOREVER};
    uint64_t times[KILLS];

    for (int i = 0; i < KILLS; i++)
        times[i] = time_of_a_death(spins[_i]);
    qsort(times, KILLS, sizeof(times[0]), compare);
    /* Some of them: a machine that has much to do may need as long. */
    ck_assert_uint_lt(times[KILLS / 3], ALARM_NS);
}
END_TEST

/* The call is answered, and a death is heard by looking. */
START_TEST(works_without_it_where_it_cannot_be_started)
{
    holder self = {.status = 1};

    watching_fails = true;
    self.client = connect_spinning(_i == 0 ? SHMRPC_SPIN_NONE : SHMRPC_SPIN_FOREVER);
    ck_assert_uint_eq(counts_threads_of(getpid()), threads_before);
    ck_assert_int_eq(pthread_create(&self.thread, NULL, holder_main, &self), 0);
    await_true(atomic_load(&server.state->holding) == 5);
    uint64_t begin_ns = test_now_ns();
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    ck_assert_int_eq(pthread_join(self.thread, NULL), 0);
    ck_assert_int_eq(atomic_load(&self.status), SHMRPC_E_UNKNOWN);
    ck_assert_uint_lt(self.ended_ns - begin_ns, TEST_SOON_NS);
    shmrpc_client_free(self.client);
    child_expect_signal(&server.child, SIGKILL);
    probe_process_kill(&server);
    probe_process_start(&server, NULL);
}
END_TEST

static Suite *monitor_suite(void)
{
    Suite *suite = suite_create("ipc_monitor");
    TCase *tests = tcase_create("monitor");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, is_one_thread_however_many_are_connected_and_none_after_the_last);
    tcase_add_test(tests, is_not_started_for_a_connection_that_failed);
    tcase_add_test(tests, does_not_run_through_an_idle_second);
    tcase_add_test(tests, a_forked_child_starts_its_own);
    tcase_add_loop_test(tests, hears_of_a_death_by_the_alarm, 0, 2);
    tcase_add_loop_test(tests, works_without_it_where_it_cannot_be_started, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(monitor_suite)

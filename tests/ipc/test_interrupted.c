/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_interrupted.c - signals without SA_RESTART come in a storm, to each thread of a client and of a server, while
 * everything is done that the library can do: no outcome is another one for it, and nothing ends before its time.
 *
 * Each thread has a timer of its own. What a client finds is written to a page that it shares with the test, since the
 * assertions' own system calls are interrupted too.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe_server.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define STORM_NS 200000
#define SLOWER_NS 1000000 /* where a sanitizer makes each handler expensive */
#define ROUNDS 40
#define FLIGHTS 24

/* ---- the storm ---- */

static _Atomic(uint64_t) signals_seen;

static void on_signal(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&signals_seen, 1);
}

/* In the calling thread, until it ends. */
static bool storm_begin(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    bool is_slow = test_is_built_with("tsan") || test_is_built_with("asan");
    const struct timespec every = {.tv_nsec = is_slow ? SLOWER_NS : STORM_NS};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    timer_t timer;

    event.sigev_notify_thread_id = gettid();
    return sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
           timer_settime(timer, 0, &(struct itimerspec){.it_interval = every, .it_value = every}, NULL) == 0;
}

/* ---- what a client finds ---- */

typedef struct findings {
    _Atomic(uint64_t) wrong, early, done;
    _Atomic(uint64_t) signals; /* of the client's process */
    char first[240];           /* what was wrong first */
} findings;

static findings *found;

static void note_wrong(const char *what, int status)
{
    if (atomic_fetch_add(&found->wrong, 1) == 0)
        snprintf(found->first, sizeof(found->first), "%s: %s (%s)", what, shmrpc_status_text(status),
                 shmrpc_last_error());
}

static void expect_status(const char *what, int status, int wanted)
{
    if (status != wanted)
        note_wrong(what, status);
    atomic_fetch_add(&found->done, 1);
}

static void expect_right(const char *what, bool right)
{
    expect_status(what, right ? 0 : SHMRPC_E_INVALID, 0);
}

static void fly(shmrpc_client *client)
{
    shmrpc_call calls[FLIGHTS] = {0};
    uint64_t reply;

    shmrpc_client_batch_begin(client);
    for (uint64_t i = 0; i < FLIGHTS; i++)
        expect_status("start",
                      shmrpc_call_start(client, &calls[i], PROBE_ECHO, &(probe_value){i}, shmrpc_default(), NULL), 0);
    expect_status("batch_end", shmrpc_client_batch_end(client), 0);
    for (uint64_t i = FLIGHTS; i-- > 0;) {
        reply = ~i;
        expect_status("wait", shmrpc_call_wait(&calls[i], &reply), 0);
        expect_right("the reply to a call in flight", reply == i);
    }
}

/* A call that nobody answers ends with its deadline, and not before. */
static void be_late(shmrpc_client *client)
{
    uint64_t reply, begin_ns = test_now_ns();

    expect_status("linger", shmrpc_client_call(client, PROBE_LINGER, &(probe_value){10000}, NULL, shmrpc_in_ms(15)),
                  SHMRPC_E_TIMEOUT);
    if (test_now_ns() - begin_ns < 15000000)
        atomic_fetch_add(&found->early, 1);
    expect_status("echo after a timeout", probe_echo(client, 5, &reply, shmrpc_default()), 0);
    expect_right("the reply after a timeout", reply == 5);
}

static void *call_in_a_thread(void *data)
{
    shmrpc_client *client = data;
    uint64_t reply;

    expect_right("a storm in a thread", storm_begin());
    expect_right("answers in a thread", probe_answers_rightly(client, 1000, 20));
    expect_status("an error", probe_fail(client, PROBE_ERROR_RANGE, &reply, shmrpc_default()), PROBE_ERROR_RANGE);
    fly(client);
    return NULL;
}

static void live(const shmrpc_client_options *options)
{
    shmrpc_client *client = NULL;
    pthread_t thread;
    probe_total total;

    expect_status("connect", probe_connect(&client, "probe", options), 0);
    if (client == NULL)
        return;
    expect_right("answers", probe_answers_rightly(client, 1, 30));
    expect_right("a thread", pthread_create(&thread, NULL, call_in_a_thread, client) == 0);
    for (int i = 0; i < 10; i++)
        expect_status("note", probe_note(client, 3, shmrpc_default()), 0);
    fly(client);
    be_late(client);
    pthread_join(thread, NULL);
    expect_status("total", probe_get_total(client, &total), 0);
    expect_right("the total", total.count == 10 && total.sum == 30);
    shmrpc_client_free(client);
}

static int live_interrupted(child_link *link, void *data)
{
    const int64_t *spin_ns = data;

    (void)link;
    if (!storm_begin())
        return 1;
    for (int round = 0; round < ROUNDS; round++)
        live(&(shmrpc_client_options){.spin_ns = *spin_ns, .depth = round % 8 == 0 ? 65536 : 0});
    atomic_store(&found->signals, atomic_load(&signals_seen));
    return 0;
}

/* ---- a server ---- */

static _Atomic(uint64_t) *server_signals;

typedef struct server_start {
    probe_state *state;
    shmrpc_server_options options;
} server_start;

static int serve_interrupted(child_link *link, void *data)
{
    server_start *start = data;

    (void)link;
    if (!storm_begin())
        return PROBE_EXIT_INIT;
    int status = probe_server_main(start->state, STDIN_FILENO, &(probe_setup){.options = &start->options});
    atomic_store(server_signals, atomic_load(&signals_seen));
    return status;
}

static void *new_page(size_t size)
{
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(page, MAP_FAILED);
    return page;
}

static const struct {
    int64_t server_spin_ns, client_spin_ns;
    unsigned int workers;
} cases[] = {
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_NONE, 1},
    {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_DEFAULT, 1},
    {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, 3},
    {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, 3},
};

START_TEST(changes_no_outcome_of_anything)
{
    server_start start = {.state = probe_state_new(),
                          .options = {.spin_ns = cases[_i].server_spin_ns,
                                      .workers = cases[_i].workers,
                                      .max_depth = 65536}};
    child process, client;

    found = new_page(sizeof(*found));
    server_signals = new_page(sizeof(*server_signals));
    child_spawn(&process, serve_interrupted, &start);
    await_true(atomic_load(&start.state->serves));
    child_spawn(&client, live_interrupted, (void *)(uintptr_t)&cases[_i].client_spin_ns);
    child_expect_exit(&client, 0);
    ck_assert_msg(atomic_load(&found->wrong) == 0, "%u of %u went wrong, first %s",
                  (unsigned)atomic_load(&found->wrong), (unsigned)atomic_load(&found->done), found->first);
    ck_assert_uint_eq(atomic_load(&found->early), 0);
    ck_assert_uint_gt(atomic_load(&found->done), ROUNDS * 2 * FLIGHTS);
    ck_assert_uint_gt(atomic_load(&found->signals), 100);
    await_true(atomic_load(&start.state->disconnected) == ROUNDS);
    ck_assert_uint_eq(atomic_load(&start.state->disconnected_why[SHMRPC_WHY_CLOSED]), ROUNDS);
    ck_assert_uint_eq(atomic_load(&start.state->lifecycle_errors), 0);
    ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
    child_expect_exit(&process, 0);
    ck_assert_uint_gt(atomic_load(server_signals), 100);
    munmap(server_signals, sizeof(*server_signals));
    munmap(found, sizeof(*found));
    probe_state_free(start.state);
}
END_TEST

static Suite *interrupted_suite(void)
{
    Suite *suite = suite_create("ipc_interrupted");
    TCase *tests = tcase_create("signals");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, changes_no_outcome_of_anything, 0, sizeof(cases) / sizeof(cases[0]));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(interrupted_suite)

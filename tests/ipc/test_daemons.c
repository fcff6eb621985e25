/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_daemons.c - a process that listens, and its child that serves: what a daemon does that forks once it is ready.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_server.h"

typedef enum daemon_parent { PARENT_EXITS, PARENT_DEINITS_AND_EXITS, PARENT_DEINITS_AND_STAYS } daemon_parent;

static shmrpc_server *daemon_server;

static void daemon_terminate(int signal_number)
{
    (void)signal_number;
    shmrpc_server_stop(daemon_server);
}

typedef struct daemon_start {
    probe_state *state;
    daemon_parent parent;
} daemon_start;

/* The child that serves has no parent that waits for it: it says in the state how it ended. */
static void serve_as_daemon(probe_server *server, probe_state *state)
{
    struct sigaction action = {.sa_handler = daemon_terminate};

    daemon_server = &server->base;
    sigaction(SIGTERM, &action, NULL);
    atomic_store(&state->pid, getpid());
    atomic_store(&state->run_status, shmrpc_server_run(&server->base));
    state->final_counts = shmrpc_server_counters(&server->base);
    shmrpc_server_deinit(&server->base);
    atomic_store(&state->pid, 0);
    _exit(0);
}

static int daemon_main(child_link *link, void *data)
{
    const daemon_start *start = data;
    probe_server server;

    if (probe_server_init(&server, start->state, STDIN_FILENO, NULL) != 0)
        return PROBE_EXIT_INIT;
    pid_t pid = fork();
    child_check(pid >= 0, "fork");
    if (pid == 0)
        serve_as_daemon(&server, start->state);
    if (start->parent != PARENT_EXITS)
        shmrpc_server_deinit(&server.base);
    if (start->parent == PARENT_DEINITS_AND_STAYS) {
        link_signal(link, 'd');
        link_await(link, 'x');
        int status = 0;
        child_check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the daemon");
    }
    return 0;
}

START_TEST(serves_from_a_child_that_was_forked_after_init)
{
    daemon_start start = {.state = probe_state_new(), .parent = (daemon_parent)_i};
    child parent;

    child_spawn(&parent, daemon_main, &start);
    if (start.parent == PARENT_DEINITS_AND_STAYS)
        link_await(&parent.link, 'd');
    else
        child_expect_exit(&parent, 0);
    /* The parent's end, and its deinit(), left the name alone. */
    ck_assert_uint_ge(runtime_dir_entries(), 1);
    shmrpc_client *client = NULL;
    assert_status(probe_connect(&client, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(client, 1, 5));
    shmrpc_client_free(client);

    await_true(atomic_load(&start.state->pid) != 0);
    pid_t pid = atomic_load(&start.state->pid);
    assert_status(probe_connect(&client, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(client, 70, 100));

    /* The name is in use while the child serves, and free after it. */
    probe_server other;
    probe_state *other_state = probe_state_new();
    assert_status(probe_server_init(&other, other_state, 0, NULL), SHMRPC_E_IN_USE);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    await_true(atomic_load(&start.state->pid) == 0);
    assert_status(atomic_load(&start.state->run_status), 0);
    await_true(shmrpc_client_state(client) != SHMRPC_CLIENT_UP);
    shmrpc_client_free(client);
    if (start.parent == PARENT_DEINITS_AND_STAYS) {
        link_signal(&parent.link, 'x');
        child_expect_exit(&parent, 0);
    }
    assert_status(probe_server_init(&other, other_state, 0, NULL), 0);
    shmrpc_server_deinit(&other.base);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_state_free(other_state);
    probe_state_free(start.state);
}
END_TEST

/* The client hears of the death of the process that serves, not of the one that listened. */
START_TEST(notices_the_end_of_the_daemon_and_not_of_its_parent)
{
    daemon_start start = {.state = probe_state_new(), .parent = PARENT_DEINITS_AND_STAYS};
    shmrpc_client *client = NULL;
    child parent;
    uint64_t reply;

    child_spawn(&parent, daemon_main, &start);
    link_await(&parent.link, 'd');
    assert_status(probe_connect(&client, "probe", NULL), 0);
    child_kill(&parent);
    ck_assert(probe_answers_rightly(client, 7, 20));
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);

    ck_assert_int_eq(kill(atomic_load(&start.state->pid), SIGKILL), 0);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    assert_status(probe_echo(client, 1, &reply, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    shmrpc_client_free(client);
    probe_forget("probe");
    probe_state_free(start.state);
}
END_TEST

static Suite *daemons_suite(void)
{
    Suite *suite = suite_create("ipc_daemons");
    TCase *tests = tcase_create("daemons");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, serves_from_a_child_that_was_forked_after_init, PARENT_EXITS,
                        PARENT_DEINITS_AND_STAYS + 1);
    tcase_add_test(tests, notices_the_end_of_the_daemon_and_not_of_its_parent);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(daemons_suite)

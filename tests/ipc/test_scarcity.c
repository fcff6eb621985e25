/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scarcity.c - descriptors, memory and threads run out, at a client or at a server.
 *
 * Whoever asks for what is not there is told LIMIT or NO_MEMORY and why. What is connected already goes on, on both
 * sides; nothing of the attempt is left; and once there is room again, the next attempt succeeds.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../bench/activity.h"
#include "probe_server.h"
#include "scarcity.h"

static probe_process server;

/* A ring of 256 KiB. */
static const shmrpc_client_options deep = {.depth = 4096, .connect_timeout_ns = 1000000000};

static shmrpc_client *connect_deep(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", &deep), 0);
    return client;
}

/* ---- at the client ---- */

/* What a client has too little of, for a connection or for one more thread's lane. */
static const struct shortage {
    const char *name;
    int resource;
    unsigned int spare; /* beyond what it has, or in all */
    int status;
} shortages[] = {
    {"no descriptor", RLIMIT_NOFILE, 0, SHMRPC_E_LIMIT},
    {"a socket", RLIMIT_NOFILE, 1, SHMRPC_E_LIMIT},
    {"a socket and a pidfd", RLIMIT_NOFILE, 2, SHMRPC_E_LIMIT},
    {"all but the doorbell", RLIMIT_NOFILE, 3, SHMRPC_E_LIMIT},
    {"one page of a file", RLIMIT_FSIZE, 4096, SHMRPC_E_LIMIT},
    {"no address space", RLIMIT_AS, 0, SHMRPC_E_NO_MEMORY},
    {"some address space", RLIMIT_AS, 100 * 1024, SHMRPC_E_NO_MEMORY},
};

/* A further lane needs a socket, a memory while it is made, and a doorbell; its server's process is known. */
static bool lane_can_be(const struct shortage *shortage)
{
    return shortage->resource == RLIMIT_NOFILE && shortage->spare >= (probe_has_semaphores() ? 2 : 3);
}

static bool shortage_can_be(const struct shortage *shortage)
{
    if (shortage->resource == RLIMIT_AS && (test_is_built_with("asan") || test_is_built_with("tsan"))) {
        test_skip("a sanitizer maps more than there is");
        return false;
    }
    return true;
}

static rlim_t shortage_begin(const struct shortage *shortage, pid_t pid)
{
    switch (shortage->resource) {
    case RLIMIT_NOFILE: return scarcity_limit(pid, RLIMIT_NOFILE, scarcity_descriptors(pid, shortage->spare));
    case RLIMIT_AS: return scarcity_limit(pid, RLIMIT_AS, scarcity_address_space(pid) + shortage->spare);
    default: return scarcity_limit(pid, shortage->resource, shortage->spare);
    }
}

/* A second thread of a client, which makes a call when it is told to. */
typedef struct second {
    pthread_t thread;
    shmrpc_client *client;
    int steps[2]; /* a pipe */
    _Atomic(int) calls;
    int status[2];
    char text[200];
} second;

static void *call_twice(void *data)
{
    second *self = data;
    uint64_t reply;
    char step;

    for (int i = 0; i < 2; i++) {
        child_check(read(self->steps[0], &step, 1) == 1, "read");
        self->status[i] = probe_echo(self->client, 1, &reply, shmrpc_in_s(10));
        if (i == 0)
            snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
        atomic_fetch_add(&self->calls, 1);
    }
    return NULL;
}

static void second_step(second *self, int calls)
{
    child_check(write(self->steps[1], "x", 1) == 1, "write");
    while (atomic_load(&self->calls) < calls)
        await_pause();
}

static void check_status(const char *what, int got, int wanted, const char *text)
{
    if (got != wanted)
        fprintf(stderr, "%s: %s (%s), not %s\n", what, shmrpc_status_text(got), text, shmrpc_status_text(wanted));
    child_check(got == wanted && text[0] != '\0', what);
}

static int run_short(child_link *link, void *data)
{
    const struct shortage *shortage = data;
    shmrpc_client *first = NULL, *more = NULL;
    second other = {.calls = 0};

    (void)link;
    child_check(probe_connect(&first, "probe", &deep) == 0 && probe_answers_rightly(first, 1, 5), "first connection");
    other.client = first;
    child_check(pipe(other.steps) == 0, "pipe");
    child_check(pthread_create(&other.thread, NULL, call_twice, &other) == 0, "pthread_create");
    size_t descriptors = counts_fds_of(getpid());

    rlim_t before = shortage_begin(shortage, getpid());
    int rc = probe_connect(&more, "probe", &deep);
    check_status("connecting", rc, shortage->status, shmrpc_last_error());
    child_check(more == NULL, "there is a client");
    child_check(probe_answers_rightly(first, 10, 5), "wrong answers while something is short");
    second_step(&other, 1);
    if (lane_can_be(shortage))
        check_status("a further lane", other.status[0], 0, "-");
    else
        check_status("a further lane", other.status[0], SHMRPC_E_NOT_SENT, other.text);
    child_check(probe_answers_rightly(first, 20, 5), "wrong answers after a lane could not be made");
    scarcity_limit(getpid(), shortage->resource, before);
    if (!lane_can_be(shortage))
        child_check(counts_fds_of(getpid()) == descriptors, "descriptors are left");

    child_check(probe_connect(&more, "probe", &deep) == 0 && probe_answers_rightly(more, 30, 5), "connecting again");
    second_step(&other, 2);
    check_status("a further lane again", other.status[1], 0, "-");
    child_check(pthread_join(other.thread, NULL) == 0, "pthread_join");
    shmrpc_client_free(more);
    shmrpc_client_free(first);
    return 0;
}

START_TEST(tells_a_client_that_has_too_little)
{
    const struct shortage *shortage = &shortages[_i];
    child process;

    if (!shortage_can_be(shortage))
        return;
    if (shortage->spare == 3 && probe_skips_semaphores("no descriptor is needed for a doorbell"))
        return;
    probe_process_start(&server, NULL);
    child_spawn(&process, run_short, (void *)(uintptr_t)shortage);
    child_expect_exit(&process, 0);
    await_true(atomic_load(&server.state->connected) == atomic_load(&server.state->disconnected));
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]), 0);
    probe_process_stop(&server);
}
END_TEST

static const struct failure {
    int call, error, status;
} failures[] = {
    {SYS_memfd_create, EMFILE, SHMRPC_E_LIMIT},     {SYS_memfd_create, ENOMEM, SHMRPC_E_NO_MEMORY},
    {SYS_memfd_create, EPERM, SHMRPC_E_PERMISSION}, {SYS_memfd_create, ENOSYS, SHMRPC_E_SYSTEM},
    {SYS_ftruncate, EFBIG, SHMRPC_E_LIMIT},         {SYS_fallocate, ENOSPC, SHMRPC_E_NO_MEMORY},
    {SYS_fallocate, ENOMEM, SHMRPC_E_NO_MEMORY},    {SYS_eventfd2, ENFILE, SHMRPC_E_LIMIT},
    {SYS_socket, ENOBUFS, SHMRPC_E_NO_MEMORY},      {SYS_pidfd_open, ENOMEM, 0},
};

static int connect_with_a_failing_call(child_link *link, void *data)
{
    const struct failure *failure = data;
    size_t descriptors = counts_fds_of(getpid());
    shmrpc_client *client = NULL;

    (void)link;
    if (!scarcity_fail_calls(&failure->call, 1, failure->error))
        return 77;
    int rc = probe_connect(&client, "probe", &deep);
    if (rc == 0)
        child_check(probe_answers_rightly(client, 1, 5), "wrong answers");
    else
        check_status("connecting", rc, failure->status, shmrpc_last_error());
    shmrpc_client_free(client);
    child_check(counts_fds_of(getpid()) == descriptors, "descriptors are left");
    /* No doorbell is made where semaphores ring. */
    return rc == failure->status || (rc == 0 && failure->call == SYS_eventfd2) ? 0 : 1;
}

START_TEST(says_what_the_system_refuses_a_client)
{
    child process;

    probe_process_start(&server, NULL);
    child_spawn(&process, connect_with_a_failing_call, (void *)(uintptr_t)&failures[_i]);
    child_expect_exit(&process, 0);
    await_true(atomic_load(&server.state->connected) == atomic_load(&server.state->disconnected));
    probe_process_stop(&server);
}
END_TEST

/* ---- at the server ---- */

static shmrpc_client *witness;

/* As long as something is short: who is connected is served, and one who comes is told, or is not answered in time. */
static void expect_short(const struct shortage *shortage)
{
    shmrpc_client *late = NULL;

    ck_assert(probe_answers_rightly(witness, 10, 20));
    int rc = probe_connect(&late, "probe", &(shmrpc_client_options){.depth = 4096, .connect_timeout_ns = 300000000});
    ck_assert_msg(rc == SHMRPC_E_LIMIT || rc == SHMRPC_E_NO_MEMORY || rc == SHMRPC_E_UNAVAILABLE, "%s + %u: %s (%s)",
                  shortage->name, shortage->spare, shmrpc_status_text(rc), shmrpc_last_error());
    ck_assert_str_ne(shmrpc_last_error(), "");
    ck_assert_ptr_null(late);
    ck_assert(probe_answers_rightly(witness, 40, 20));
}

static void expect_room_again(void)
{
    shmrpc_client *late = connect_deep();

    ck_assert(probe_answers_rightly(late, 50, 5));
    shmrpc_client_free(late);
}

START_TEST(serves_on_where_it_has_too_little)
{
    struct shortage shortage = shortages[_i];

    if (!shortage_can_be(&shortage))
        return;
    probe_process_start(&server, NULL);
    witness = connect_deep();
    ck_assert(probe_answers_rightly(witness, 1, 5));
    size_t descriptors = counts_fds_of(server.child.pid);
    rlim_t before = shortage_begin(&shortage, server.child.pid);
    if (shortage.resource == RLIMIT_FSIZE) {
        expect_room_again(); /* the memory is its clients' */
    } else {
        expect_short(&shortage);
        expect_short(&shortage);
    }
    scarcity_limit(server.child.pid, shortage.resource, before);
    expect_room_again();
    await_true(counts_fds_of(server.child.pid) == descriptors);
    shmrpc_client_free(witness);
    await_true(atomic_load(&server.state->connected) == atomic_load(&server.state->disconnected));
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]),
                      atomic_load(&server.state->connected));
    probe_process_stop(&server);
}
END_TEST

/* A client that says goodbye to a server without a descriptor to spare has closed, and broken nothing. */
START_TEST(hears_a_goodbye_though_it_has_no_descriptor_left)
{
    shmrpc_client *other;
    shmrpc_server_counts now;

    probe_process_start(&server, NULL);
    witness = connect_deep();
    other = connect_deep();
    ck_assert(probe_answers_rightly(other, 1, 5));
    rlim_t before = shortage_begin(&shortages[0], server.child.pid);
    shmrpc_client_free(other);
    await_true(atomic_load(&server.state->disconnected) == 1);
    scarcity_limit(server.child.pid, RLIMIT_NOFILE, before);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]), 1);
    assert_status(probe_get_counters(witness, &now), 0);
    ck_assert_uint_eq(now.sessions_dropped, 0);
    shmrpc_client_free(witness);
    probe_process_stop(&server);
}
END_TEST

/* While nobody can be accepted, those who wait to be do not keep the server busy. */
START_TEST(does_not_run_in_circles_where_nobody_can_be_accepted)
{
    enum { WAIT_NS = 1000000000, LOOKS_MAX = 60 };
    shmrpc_client *late = NULL;
    activity begin = {0}, end = {0};

    if (test_is_built_with("tsan")) {
        test_skip("ThreadSanitizer has a thread that looks around");
        return;
    }
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE}});
    rlim_t before = shortage_begin(&shortages[0], server.child.pid);
    ck_assert_int_eq(activity_add(&begin, server.child.pid), 0);
    assert_status(probe_connect(&late, "probe", &(shmrpc_client_options){.connect_timeout_ns = WAIT_NS}),
                  SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(activity_add(&end, server.child.pid), 0);
    ck_assert_uint_le(end.voluntary - begin.voluntary, LOOKS_MAX);
    ck_assert_uint_lt(end.cpu_ns - begin.cpu_ns, WAIT_NS / 5);
    scarcity_limit(server.child.pid, RLIMIT_NOFILE, before);
    expect_room_again();
    probe_process_stop(&server);
}
END_TEST

/* ---- other resources ---- */

/* A folder for sockets on a file system without a place for one more file; nothing else of this process sees it. */
static int serve_in_a_full_folder(child_link *link, void *data)
{
    probe_state *state = data;
    probe_server other;
    char *filler = NULL;

    (void)link;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("full", runtime_dir_path(), "tmpfs", 0, "size=16k,nr_inodes=2,mode=0700") != 0)
        return 77;
    child_check(asprintf(&filler, "%s/filler", runtime_dir_path()) > 0, "asprintf");
    child_check(mknod(filler, S_IFREG | 0600, 0) == 0, "the first file");
    int rc = probe_server_init(&other, state, STDIN_FILENO, NULL);
    check_status("a server without a place for its socket", rc, SHMRPC_E_NO_MEMORY, shmrpc_last_error());
    child_check(runtime_dir_entries() == 1, "something is left in the folder");
    child_check(unlink(filler) == 0, filler);
    free(filler);
    child_check(probe_server_init(&other, state, STDIN_FILENO, NULL) == 0, "a server with a place for its socket");
    child_check(runtime_dir_entries() == 1, "no socket");
    shmrpc_server_deinit(&other.base);
    return runtime_dir_entries() == 0 ? 0 : 1;
}

START_TEST(says_no_memory_where_the_folder_of_sockets_is_full)
{
    probe_state *state = probe_state_new();
    child process;
    int status;

    child_spawn(&process, serve_in_a_full_folder, state);
    ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("file systems cannot be mounted here");
    else
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
    close(process.link.in);
    close(process.link.out);
    probe_state_free(state);
}
END_TEST

static int serve_without_threads(child_link *link, void *data)
{
    static const int calls[] = {SYS_clone, SYS_clone3};

    (void)link;
    if (!scarcity_fail_calls(calls, 2, EAGAIN))
        return 77;
    probe_state *state = data;
    int status =
        probe_server_main(state, STDIN_FILENO, &(probe_setup){.options = &(shmrpc_server_options){.workers = 3}});
    child_check(shmrpc_last_error()[0] != '\0', "no text");
    return status;
}

START_TEST(says_limit_where_its_workers_cannot_be_started)
{
    probe_state *state = probe_state_new();
    child process;

    child_spawn(&process, serve_without_threads, state);
    child_expect_exit(&process, PROBE_EXIT_RUN);
    assert_status(atomic_load(&state->run_status), SHMRPC_E_LIMIT);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    probe_state_free(state);
}
END_TEST

/* ---- descriptors, one connection after the other ---- */

static int serve_with_few_descriptors(child_link *link, void *data)
{
    probe_state *state = data;
    const struct rlimit limit = {40, 40};

    (void)link;
    child_check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    return probe_server_main(state, STDIN_FILENO, NULL);
}

START_TEST(serves_on_when_its_descriptors_have_run_out)
{
    enum { CLIENTS = 40 };
    child process;
    probe_state *state = probe_state_new();
    shmrpc_client *clients[CLIENTS] = {NULL};
    unsigned int connected = 0;

    child_spawn(&process, serve_with_few_descriptors, state);
    await_true(atomic_load(&state->pid) != 0);
    for (int i = 0; i < CLIENTS; i++) {
        int rc = probe_connect(&clients[i], "probe", &(shmrpc_client_options){.connect_timeout_ns = 100000000});
        ck_assert_msg(rc == 0 || rc == SHMRPC_E_UNAVAILABLE || rc == SHMRPC_E_LIMIT || rc == SHMRPC_E_REFUSED,
                      "client %d: %s (%s)", i, shmrpc_status_text(rc), shmrpc_last_error());
        connected += rc == 0;
    }
    ck_assert_uint_ge(connected, 5);
    ck_assert_uint_lt(connected, CLIENTS);
    ck_assert_uint_ge(atomic_load(&state->warnings), 1);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] != NULL)
            ck_assert(probe_answers_rightly(clients[i], 1, 3));
        shmrpc_client_free(clients[i]);
        clients[i] = NULL;
    }
    /* There is room again. */
    for (int i = 0; i < 5; i++)
        assert_status(probe_connect(&clients[i], "probe", NULL), 0);
    for (int i = 0; i < 5; i++) {
        ck_assert(probe_answers_rightly(clients[i], 1, 3));
        shmrpc_client_free(clients[i]);
    }
    ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
    child_expect_exit(&process, 0);
    probe_state_free(state);
}
END_TEST

static int connect_with_few_descriptors(child_link *link, void *data)
{
    shmrpc_client *clients[40] = {NULL};
    int connected = 0, rc = 0, first_free = dup(STDERR_FILENO);
    const struct rlimit limit = {(rlim_t)first_free + 12, (rlim_t)first_free + 12};

    (void)link;
    (void)data;
    close(first_free);
    child_check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    while (connected < 40 && (rc = probe_connect(&clients[connected], "probe", NULL)) == 0)
        connected++;
    child_check(connected >= 1 && connected < 40, "some, and not all");
    child_check(rc == SHMRPC_E_LIMIT, shmrpc_status_text(rc));
    child_check(shmrpc_last_error()[0] != '\0', "no text");
    for (int i = 0; i < connected; i++)
        child_check(probe_answers_rightly(clients[i], 1, 2), "wrong answers");
    for (int i = 0; i < connected; i++)
        shmrpc_client_free(clients[i]);
    /* Nothing stayed open of those that failed. */
    int again = dup(STDERR_FILENO);
    return again == first_free ? 0 : 1;
}

START_TEST(says_limit_when_a_client_s_descriptors_have_run_out)
{
    child process;

    probe_process_start(&server, NULL);
    child_spawn(&process, connect_with_few_descriptors, NULL);
    child_expect_exit(&process, 0);
    await_true(atomic_load(&server.state->connected) == atomic_load(&server.state->disconnected));
    probe_process_stop(&server);
}
END_TEST

START_TEST(says_limit_when_a_server_s_descriptors_have_run_out)
{
    probe_state *state = probe_state_new();
    probe_server other;
    struct rlimit usual;
    counts held;

    counts_take(&held);
    int first_free = dup(STDERR_FILENO);
    ck_assert_int_ge(first_free, 0);
    close(first_free);
    for (rlim_t spare = 0; spare < 3; spare++) {
        limit_lower(RLIMIT_NOFILE, (rlim_t)first_free + spare, &usual);
        int rc = probe_server_init(&other, state, 0, NULL);
        limit_restore(RLIMIT_NOFILE, &usual);
        if (rc == 0)
            shmrpc_server_deinit(&other.base);
        ck_assert_msg(rc == SHMRPC_E_LIMIT || (spare > 0 && rc == 0), "with %u to spare: %s", (unsigned)spare,
                      shmrpc_status_text(rc));
    }
    counts_expect_same(&held);
    probe_state_free(state);
}
END_TEST

static Suite *scarcity_suite(void)
{
    Suite *suite = suite_create("ipc_scarcity");
    TCase *tests = tcase_create("scarcity");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, tells_a_client_that_has_too_little, 0, sizeof(shortages) / sizeof(shortages[0]));
    tcase_add_loop_test(tests, says_what_the_system_refuses_a_client, 0, sizeof(failures) / sizeof(failures[0]));
    tcase_add_loop_test(tests, serves_on_where_it_has_too_little, 0, sizeof(shortages) / sizeof(shortages[0]));
    tcase_add_test(tests, hears_a_goodbye_though_it_has_no_descriptor_left);
    tcase_add_test(tests, does_not_run_in_circles_where_nobody_can_be_accepted);
    tcase_add_test(tests, says_limit_where_its_workers_cannot_be_started);
    tcase_add_test(tests, says_no_memory_where_the_folder_of_sockets_is_full);
    tcase_add_test(tests, serves_on_when_its_descriptors_have_run_out);
    tcase_add_test(tests, says_limit_when_a_client_s_descriptors_have_run_out);
    tcase_add_test(tests, says_limit_when_a_server_s_descriptors_have_run_out);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(scarcity_suite)

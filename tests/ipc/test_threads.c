/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_threads.c - one client handle in many threads: one session, a lane each, and nothing left of them.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <shmrpc/lane.h>

#include "probe_pair.h"

#define IDLE_MAX 8u /* lanes that a handle keeps for threads to come */

static void setup(void)
{
    probe_pair_begin(NULL);
}

/*
 * A thread that does one thing after another: told a function, it runs it and waits for the next. It ends when it is
 * told none.
 */
typedef struct worker worker;
typedef void work(worker *self);
struct worker {
    pthread_t thread;
    pthread_barrier_t meeting;
    work *next;
    unsigned int index;
    int status;
    uint64_t value, reply;
    bool right;
};

static void *worker_main(void *data)
{
    worker *self = data;

    for (;;) {
        pthread_barrier_wait(&self->meeting);
        if (self->next == NULL)
            return NULL;
        self->next(self);
        pthread_barrier_wait(&self->meeting);
    }
}

static void worker_start(worker *self, unsigned int index)
{
    *self = (worker){.index = index, .status = 1};
    ck_assert_int_eq(pthread_barrier_init(&self->meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&self->thread, NULL, worker_main, self), 0);
}

static void worker_begin(worker *self, work *what)
{
    self->next = what;
    pthread_barrier_wait(&self->meeting);
}

static void worker_await(worker *self)
{
    pthread_barrier_wait(&self->meeting);
}

static void worker_do(worker *self, work *what)
{
    worker_begin(self, what);
    worker_await(self);
}

static void worker_end(worker *self)
{
    worker_begin(self, NULL);
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
    ck_assert_int_eq(pthread_barrier_destroy(&self->meeting), 0);
}

static void echo(worker *self)
{
    self->reply = 0;
    self->status = probe_echo(client, self->value, &self->reply, shmrpc_in_s(10));
}

static void expect_echo(worker *self, uint64_t value)
{
    self->value = value;
    worker_do(self, echo);
    assert_status(self->status, 0);
    ck_assert_uint_eq(self->reply, value);
}

/* ---- one session ---- */

#define NOTES 2000u

static void note_often(worker *self)
{
    self->right = true;
    for (unsigned int i = 0; i < NOTES && self->right; i++) {
        uint64_t value = (uint64_t)self->index << 32 | i, reply = 0;

        self->right = probe_note(client, 1, shmrpc_in_s(10)) == 0;
        if (i % 8 == 0)
            self->right = self->right && probe_echo(client, value, &reply, shmrpc_in_s(10)) == 0 && reply == value;
    }
    /* What this thread sent is with the server once it is answered. */
    self->right = self->right && probe_ping(client, shmrpc_in_s(10)) == 0;
}

START_TEST(two_threads_have_one_total)
{
    enum { THREADS = 2 };
    worker workers[THREADS];
    probe_total total;

    for (unsigned int i = 0; i < THREADS; i++)
        worker_start(&workers[i], i);
    for (unsigned int i = 0; i < THREADS; i++)
        worker_begin(&workers[i], note_often);
    for (unsigned int i = 0; i < THREADS; i++) {
        worker_await(&workers[i]);
        ck_assert(workers[i].right);
    }
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, THREADS * NOTES);
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected), 0);
}
END_TEST

static void answer_rightly(worker *self)
{
    self->right = probe_answers_rightly(client, (uint64_t)self->index << 40, 500);
}

START_TEST(many_threads_get_their_own_answers)
{
    enum { THREADS = 24 };
    worker workers[THREADS];

    for (unsigned int i = 0; i < THREADS; i++)
        worker_start(&workers[i], i);
    for (unsigned int round = 0; round < 3; round++) {
        for (unsigned int i = 0; i < THREADS; i++)
            worker_begin(&workers[i], answer_rightly);
        for (unsigned int i = 0; i < THREADS; i++) {
            worker_await(&workers[i]);
            ck_assert(workers[i].right);
        }
    }
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
    shmrpc_client_free(client);
    client = NULL;
    await_true(atomic_load(&server.state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_CLOSED]), 1);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
}
END_TEST

/* The session lives as long as any of its lanes: it does not matter which thread goes first. */
START_TEST(the_session_outlives_the_thread_that_called_first)
{
    worker first, second;
    probe_total total;

    worker_start(&first, 0);
    worker_start(&second, 1);
    worker_do(&first, note_often);
    worker_do(&second, note_often);
    worker_end(&first);
    worker_do(&second, note_often);
    worker_end(&second);
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, 3 * NOTES);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

/* ---- lanes ---- */

START_TEST(threads_that_come_and_go_use_one_lane)
{
    worker one;
    size_t descriptors = 0;

    for (unsigned int i = 0; i < 100; i++) {
        worker_start(&one, i);
        expect_echo(&one, i + 1);
        worker_end(&one);
        if (i == 0)
            descriptors = counts_fds_of(getpid());
        ck_assert_uint_eq(counts_fds_of(getpid()), descriptors);
    }
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(keeps_some_idle_lanes_and_closes_the_others)
{
    enum { THREADS = 20 };
    worker workers[THREADS];
    size_t per_lane, with_one, with_all;
    counts idle;

    worker_start(&workers[0], 0);
    expect_echo(&workers[0], 1);
    with_one = counts_fds_of(getpid());
    for (unsigned int i = 1; i < THREADS; i++) {
        worker_start(&workers[i], i);
        expect_echo(&workers[i], i + 1);
    }
    with_all = counts_fds_of(getpid());
    per_lane = (with_all - with_one) / (THREADS - 1);
    /* A socket and a bell, for which semaphores stand; the server's process is the session's. */
    ck_assert_uint_eq(per_lane, probe_has_semaphores() ? 1 : 2);
    ck_assert_uint_eq((with_all - with_one) % (THREADS - 1), 0);
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    ck_assert_uint_eq(counts_fds_of(getpid()), with_one + (IDLE_MAX - 1) * per_lane);
    /* They are used before more are opened. */
    counts_take(&idle);
    for (unsigned int i = 0; i < IDLE_MAX; i++) {
        worker_start(&workers[i], i);
        expect_echo(&workers[i], i + 1);
    }
    ck_assert_uint_eq(counts_fds_of(getpid()), idle.fds);
    for (unsigned int i = 0; i < IDLE_MAX; i++)
        worker_end(&workers[i]);
    counts_expect_same(&idle);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
    ck_assert_uint_eq(atomic_load(&server.state->disconnected), 0);
}
END_TEST

/* Ends the connection of one lane, which is idle: the how many-th that was opened. */
static void cut_lane(int number)
{
    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_un peer = {0};
        socklen_t length = sizeof(peer);

        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && strstr(peer.sun_path, "probe") != NULL &&
            number-- == 0) {
            ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
            return;
        }
    }
    ck_abort_msg("there are not as many lanes");
}

START_TEST(gives_nobody_a_lane_that_has_ended)
{
    enum { THREADS = 3 };
    worker workers[THREADS];
    counts idle;

    for (unsigned int i = 0; i < THREADS; i++) {
        worker_start(&workers[i], i);
        expect_echo(&workers[i], i + 1);
    }
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    counts_take(&idle);
    cut_lane(_i);
    for (unsigned int i = 0; i < THREADS; i++) {
        worker_start(&workers[i], i);
        expect_echo(&workers[i], i + 1);
    }
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    counts_expect_same(&idle); /* one was closed, and one opened */
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(frees_lanes_of_threads_that_live_on)
{
    enum { THREADS = 6 };
    worker workers[THREADS];
    counts before;

    shmrpc_client_free(client);
    for (unsigned int i = 0; i < THREADS; i++)
        worker_start(&workers[i], i);
    counts_take(&before);
    for (unsigned int round = 0; round < 5; round++) {
        assert_status(probe_connect(&client, "probe", NULL), 0);
        for (unsigned int i = 0; i < THREADS; i++)
            expect_echo(&workers[i], round * THREADS + i + 1);
        shmrpc_client_free(client);
        client = NULL;
        counts_expect_same(&before);
    }
    for (unsigned int i = 0; i < THREADS; i++)
        worker_end(&workers[i]);
    await_true(atomic_load(&server.state->disconnected) == 6);
}
END_TEST

/* Many more handles than a thread's map begins with. */
START_TEST(a_thread_uses_many_handles)
{
    enum { CLIENTS = 40 };
    shmrpc_client *clients[CLIENTS];
    uint64_t reply;

    for (unsigned int i = 0; i < CLIENTS; i++)
        assert_status(probe_connect(&clients[i], "probe", NULL), 0);
    for (uint64_t round = 0; round < 20; round++)
        for (unsigned int i = 0; i < CLIENTS; i++) {
            assert_status(probe_echo(clients[i], round * CLIENTS + i, &reply, shmrpc_default()), 0);
            ck_assert_uint_eq(reply, round * CLIENTS + i);
        }
    for (unsigned int i = 0; i < CLIENTS; i++)
        shmrpc_client_free(clients[i]);
}
END_TEST

/* ---- what is a thread's own ---- */

static void fail_with_payload(worker *self)
{
    const probe_range *range;

    self->status = probe_fail(client, PROBE_ERROR_RANGE, &self->reply, shmrpc_default());
    range = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE);
    self->right = self->status == PROBE_ERROR_RANGE && range != NULL && range->highest == 1000;
}

static void look_for_payload(worker *self)
{
    const probe_range *range = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE);

    self->right = range != NULL && range->lowest == -5 && range->highest == 1000;
}

START_TEST(the_payload_of_an_error_is_the_thread_s)
{
    worker first, second;

    worker_start(&first, 0);
    worker_start(&second, 1);
    worker_do(&first, fail_with_payload);
    ck_assert(first.right);
    worker_do(&second, look_for_payload);
    ck_assert(!second.right);
    expect_echo(&second, 5);
    worker_do(&second, look_for_payload);
    ck_assert(!second.right);
    worker_do(&first, look_for_payload);
    ck_assert(first.right);
    /* Nor is it the next thread's that has the lane. */
    worker_end(&first);
    worker_start(&first, 2);
    worker_do(&first, look_for_payload);
    ck_assert(!first.right);
    expect_echo(&first, 6);
    worker_do(&first, look_for_payload);
    ck_assert(!first.right);
    worker_end(&first);
    worker_end(&second);
}
END_TEST

/* ---- where a thread gets none ---- */

static void echo_in_50_ms(worker *self)
{
    uint64_t begin_ns = test_now_ns();

    self->status = probe_echo(client, 5, &self->reply, shmrpc_in_ms(50));
    self->right =
        test_now_ns() - begin_ns < TEST_SOON_NS && strstr(shmrpc_last_error(), "no lane for this thread") != NULL;
}

START_TEST(says_not_sent_where_the_server_is_stopped_or_dead)
{
    worker first, second;

    worker_start(&first, 0);
    worker_start(&second, 1);
    expect_echo(&first, 1);
    child_stop(&server.child);
    worker_do(&second, echo_in_50_ms);
    assert_status(second.status, SHMRPC_E_NOT_SENT);
    ck_assert(second.right);
    child_continue(&server.child);
    expect_echo(&second, 2);
    worker_end(&second);
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    /* The lane that the next thread gets is idle, and whoever looks is told; so nothing is published in it. */
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    worker_start(&second, 1);
    worker_do(&second, echo_in_50_ms);
    assert_status(second.status, SHMRPC_E_NOT_SENT);
    worker_end(&first);
    worker_end(&second);
    probe_process_kill(&server);
    probe_process_start(&server, NULL);
}
END_TEST

/* The number that the next descriptor gets: the limit is one of numbers, not of how many there are. */
static rlim_t next_descriptor(void)
{
    int next = dup(STDERR_FILENO);

    ck_assert_int_ge(next, 0);
    close(next);
    return (rlim_t)next;
}

START_TEST(says_not_sent_where_there_are_no_descriptors)
{
    worker first, second;
    struct rlimit limit, few;

    worker_start(&first, 0);
    worker_start(&second, 1);
    expect_echo(&first, 1);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (rlim_t spare = 0; spare < 2; spare++) {
        few = limit;
        few.rlim_cur = next_descriptor() + spare;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        worker_do(&second, echo_in_50_ms);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_status(second.status, SHMRPC_E_NOT_SENT);
        ck_assert(second.right);
    }
    expect_echo(&first, 2);
    expect_echo(&second, 3);
    worker_end(&first);
    worker_end(&second);
}
END_TEST

START_TEST(says_not_sent_beyond_the_lanes_that_a_session_may_have)
{
    enum { LANES = 64 };
    static worker workers[LANES + 1];

    for (unsigned int i = 0; i < LANES; i++) {
        worker_start(&workers[i], i);
        expect_echo(&workers[i], i + 1);
    }
    worker_start(&workers[LANES], LANES);
    workers[LANES].value = 5;
    worker_do(&workers[LANES], echo);
    assert_status(workers[LANES].status, SHMRPC_E_NOT_SENT);
    worker_end(&workers[0]);
    expect_echo(&workers[LANES], 6);
    for (unsigned int i = 1; i <= LANES; i++)
        worker_end(&workers[i]);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

/* ---- threads that end ---- */

static void time_out(worker *self)
{
    self->status = probe_hold(client, 70 + self->index, &self->reply, shmrpc_in_ms(20));
}

/* The call that nobody waits for any more does not come back in the lane's next call. */
START_TEST(a_call_that_was_left_behind_meets_no_other)
{
    worker one;

    for (unsigned int i = 0; i < 20; i++) {
        worker_start(&one, i);
        worker_do(&one, time_out);
        assert_status(one.status, SHMRPC_E_TIMEOUT);
        worker_end(&one);
        probe_gate_pass(&server, 1);
        worker_start(&one, i);
        expect_echo(&one, 1000 + i);
        worker_end(&one);
        probe_gate_drain(&server);
    }
    ck_assert(probe_answers_rightly(client, 1, 50));
}
END_TEST

static pthread_key_t late_key;
static _Atomic(int) late_status;

static void call_late(void *data)
{
    uint64_t reply;

    (void)data;
    atomic_store(&late_status, probe_echo(client, 9, &reply, shmrpc_default()));
}

static void leave_a_late_call(worker *self)
{
    echo(self);
    pthread_setspecific(late_key, self);
}

/* Whether it comes before the library's own destructor or after it. */
START_TEST(a_destructor_may_call)
{
    worker one;
    size_t descriptors = counts_fds_of(getpid());

    atomic_store(&late_status, 1);
    ck_assert_int_eq(pthread_key_create(&late_key, call_late), 0);
    for (unsigned int i = 0; i < 10; i++) {
        worker_start(&one, i);
        one.value = 4;
        worker_do(&one, leave_a_late_call);
        assert_status(one.status, 0);
        worker_end(&one);
        assert_status(atomic_load(&late_status), 0);
        atomic_store(&late_status, 1);
    }
    ck_assert_uint_le(counts_fds_of(getpid()), descriptors);
    ck_assert_int_eq(pthread_key_delete(late_key), 0);
}
END_TEST

static _Atomic(bool) stop_calling;

static void call_until_stopped(worker *self)
{
    self->right = true;
    for (uint64_t i = 0; self->right && !atomic_load(&stop_calling); i++) {
        uint64_t value = (uint64_t)self->index << 32 | i, reply = 0;

        self->right = probe_echo(client, value, &reply, shmrpc_in_s(20)) == 0 && reply == value;
    }
}

static int use_and_free(child_link *link, void *data)
{
    uint64_t reply;

    (void)link;
    (void)data;
    child_check(probe_echo(client, 1, &reply, shmrpc_default()) == SHMRPC_E_FORKED, "not FORKED");
    shmrpc_client_free(client);
    return 0;
}

START_TEST(forks_beside_calls_of_other_threads)
{
    enum { THREADS = 3, FORKS = 30 };
    worker workers[THREADS];
    child forked;

    if (test_is_built_with("tsan")) {
        test_skip("the sanitizer does not follow the child of several threads");
        return;
    }
    atomic_store(&stop_calling, false);
    for (unsigned int i = 0; i < THREADS; i++) {
        worker_start(&workers[i], i);
        worker_begin(&workers[i], call_until_stopped);
    }
    for (int i = 0; i < FORKS; i++) {
        child_spawn(&forked, use_and_free, NULL);
        child_expect_exit(&forked, 0);
    }
    atomic_store(&stop_calling, true);
    for (unsigned int i = 0; i < THREADS; i++) {
        worker_await(&workers[i]);
        ck_assert(workers[i].right);
        worker_end(&workers[i]);
    }
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

static void *come_and_go(void *data)
{
    uint64_t value = (uint64_t)(uintptr_t)data, reply = 0;

    return probe_echo(client, value, &reply, shmrpc_in_s(20)) == 0 && reply == value ? data : NULL;
}

/* Lanes are taken, opened, given back and closed all at once. */
START_TEST(many_threads_come_and_go_at_once)
{
    enum { THREADS = 16, ROUNDS = 20 };
    pthread_t threads[THREADS];

    for (uintptr_t round = 0; round < ROUNDS; round++) {
        for (uintptr_t i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, (void *)(round * THREADS + i + 1)), 0);
        for (uintptr_t i = 0; i < THREADS; i++) {
            void *result;
            ck_assert_int_eq(pthread_join(threads[i], &result), 0);
            ck_assert_uint_eq((uintptr_t)result, round * THREADS + i + 1);
        }
    }
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
}
END_TEST

/* ---- state, and the raw transport ---- */

static void look(worker *self)
{
    self->status = (int)shmrpc_client_state(client);
}

START_TEST(every_thread_sees_whether_the_server_is_there)
{
    worker first, second;

    worker_start(&first, 0);
    worker_start(&second, 1);
    worker_do(&second, look);
    ck_assert_int_eq(second.status, SHMRPC_CLIENT_UP);
    expect_echo(&first, 1);
    worker_do(&second, look);
    ck_assert_int_eq(second.status, SHMRPC_CLIENT_UP);
    ck_assert_int_eq(kill(server.child.pid, SIGKILL), 0);
    child_expect_signal(&server.child, SIGKILL);
    worker_do(&second, look);
    ck_assert_int_eq(second.status, SHMRPC_CLIENT_GONE);
    worker_do(&first, look);
    ck_assert_int_eq(first.status, SHMRPC_CLIENT_GONE);
    worker_end(&first);
    worker_end(&second);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    probe_process_kill(&server);
    probe_process_start(&server, NULL);
}
END_TEST

static Suite *threads_suite(void)
{
    Suite *suite = suite_create("ipc_threads");
    TCase *tests = tcase_create("threads");

    tcase_add_checked_fixture(tests, setup, probe_pair_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, two_threads_have_one_total);
    tcase_add_test(tests, many_threads_get_their_own_answers);
    tcase_add_test(tests, the_session_outlives_the_thread_that_called_first);
    tcase_add_test(tests, threads_that_come_and_go_use_one_lane);
    tcase_add_test(tests, keeps_some_idle_lanes_and_closes_the_others);
    tcase_add_loop_test(tests, gives_nobody_a_lane_that_has_ended, 0, 3);
    tcase_add_test(tests, frees_lanes_of_threads_that_live_on);
    tcase_add_test(tests, a_thread_uses_many_handles);
    tcase_add_test(tests, the_payload_of_an_error_is_the_thread_s);
    tcase_add_test(tests, says_not_sent_where_the_server_is_stopped_or_dead);
    tcase_add_test(tests, says_not_sent_where_there_are_no_descriptors);
    tcase_add_test(tests, says_not_sent_beyond_the_lanes_that_a_session_may_have);
    tcase_add_test(tests, a_call_that_was_left_behind_meets_no_other);
    tcase_add_test(tests, a_destructor_may_call);
    tcase_add_test(tests, forks_beside_calls_of_other_threads);
    tcase_add_test(tests, many_threads_come_and_go_at_once);
    tcase_add_test(tests, every_thread_sees_whether_the_server_is_there);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(threads_suite)

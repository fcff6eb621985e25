/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_workers.c - a server with several workers: what may run at the same time, what may not, and who waits for whom.
 *
 * Server and clients are threads of one process, so that ThreadSanitizer sees both ends of the application's data.
 */
#include "probe_server.h"

#include <shmrpc/lane.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NAME "workers"
#define MS 1000000L

enum {
    METHOD_ADD = 1, /* adds 1 to what the session has, without a lock; answers the sum */
    METHOD_MEET,    /* waits until a handler of another session is in it, too; answers whether one came */
    METHOD_GATE,    /* waits for the gate */
    METHOD_WORK,    /* waits until it may end */
};

/* Of each session; touched by its handlers alone. */
typedef struct mine {
    uint64_t sum;
    bool is_inside;
} mine;

SHMRPC_SESSION_STATE(mine_of, mine);

static shmrpc_lane_server server;
static pthread_t server_thread;
static sem_t gate;
static sem_t work_may_end;
static _Atomic unsigned at_gate;
static _Atomic unsigned at_work;
static _Atomic unsigned meeting;
static _Atomic unsigned met;
static _Atomic unsigned worked;
static _Atomic unsigned connected;
static _Atomic unsigned disconnected;
static _Atomic unsigned over; /* 1 when the server has ended */
static _Atomic bool wrong;
static _Atomic int wrong_status; /* of a call that failed, */
static char wrong_text[256];     /* and what was said of it */
static atomic_flag is_noted = ATOMIC_FLAG_INIT;

/* The number of the meeting is even while nobody waits in it. */
static bool meet(void)
{
    unsigned mine_is = tally_up(&meeting);

    return mine_is % 2 != 0 || tally_reaches(&meeting, mine_is + 2, test_deadline_ns(TEST_PATIENCE_MS));
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static int on_request(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    mine *state = mine_of(request->session);

    (void)self;
    *ret_size = 0;
    if (state->is_inside) {
        atomic_store(&wrong, true);
    }
    state->is_inside = true;
    switch (request->method) {
    case METHOD_ADD:
        state->sum++;
        memcpy(request->reply, &state->sum, sizeof(state->sum));
        *ret_size = sizeof(state->sum);
        break;
    case METHOD_MEET:
        if (meet()) {
            (void)atomic_fetch_add(&met, 1);
        }
        break;
    case METHOD_GATE:
        tally_up(&at_gate);
        wait_for(&gate);
        break;
    case METHOD_WORK:
        tally_up(&at_work);
        wait_for(&work_may_end);
        tally_up(&worked);
        break;
    default: break;
    }
    state->is_inside = false;
    return 0;
}

static void on_connected(shmrpc_lane_server *self, shmrpc_session *session)
{
    (void)self;
    mine_of(session)->sum = 0;
    (void)atomic_fetch_add(&connected, 1);
}

static void on_disconnected(shmrpc_lane_server *self, shmrpc_session *session, int why)
{
    (void)self;
    (void)why;
    if (mine_of(session)->is_inside) {
        atomic_store(&wrong, true);
    }
    tally_up(&disconnected);
}

static const shmrpc_lane_handlers handlers = {on_request, on_connected, on_disconnected};

static void *run(void *argument)
{
    (void)argument;
    int rc = shmrpc_lane_server_run(&server);

    tally_up(&over);
    return rc == 0 ? &server : NULL;
}

static void start(shmrpc_server_options options)
{
    options.session_state_size = sizeof(mine);
    ck_assert_msg(shmrpc_lane_server_init(&server, &handlers, NAME, NULL, &options) == 0, "%s", shmrpc_last_error());
    ck_assert_int_eq(pthread_create(&server_thread, NULL, run, NULL), 0);
}

static void expect_all_right(void)
{
    int rc = atomic_load(&wrong_status);

    ck_assert_msg(rc == 0, "a call failed: %s: %s", shmrpc_status_text(rc), wrong_text);
    ck_assert(!atomic_load(&wrong));
}

static void join(void)
{
    void *result = NULL;

    ck_assert_int_eq(pthread_join(server_thread, &result), 0);
    ck_assert_ptr_eq(result, &server);
    expect_all_right();
    ck_assert_uint_eq(atomic_load(&connected), atomic_load(&disconnected));
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_open, 0);
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_accepted, atomic_load(&connected));
}

static void stop(void)
{
    shmrpc_lane_server_stop(&server);
    join();
    shmrpc_lane_server_deinit(&server);
}

static shmrpc_lane *connect_default(void)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    shmrpc_lane *lane = NULL;

    ck_assert_msg(shmrpc_lane_connect(&lane, NAME, NULL, &options) == 0, "%s", shmrpc_last_error());
    return lane;
}

static void note_status(int rc)
{
    if (rc != 0 && !atomic_flag_test_and_set(&is_noted)) {
        (void)snprintf(wrong_text, sizeof(wrong_text), "%s", shmrpc_last_error());
        atomic_store(&wrong_status, rc);
    }
}

static uint64_t add(shmrpc_lane *lane)
{
    uint64_t sum = 0;
    int rc = shmrpc_lane_call(lane, METHOD_ADD, NULL, 0, &sum, sizeof(sum), NULL, shmrpc_in_s(20));

    note_status(rc);
    return sum;
}

static void begin(void)
{
    probe_case_begin();
    ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
    ck_assert_int_eq(sem_init(&work_may_end, 0, 0), 0);
}

static void end(void)
{
    probe_case_end();
}

/* ---- what never runs at the same time ---- */

#define THREADS 6
#define CALLS 400

static void *add_many(void *lane)
{
    uint64_t last = 0;

    for (int i = 0; i < CALLS; i++) {
        uint64_t sum = add(lane);

        if (sum <= last) {
            atomic_store(&wrong, true);
        }
        last = sum;
    }
    return NULL;
}

START_TEST(handlers_of_a_session_never_run_at_once_though_its_client_has_many_threads)
{
    static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, 1, SHMRPC_SPIN_FOREVER};
    shmrpc_lane *lanes[2];
    pthread_t threads[2 * THREADS];

    start((shmrpc_server_options){.workers = 4, .spin_ns = spins[_i]});
    for (int i = 0; i < 2; i++) {
        lanes[i] = connect_default();
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, lanes[i % 2]), 0);
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(atomic_load(&connected), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(add(lanes[i]), THREADS * CALLS + 1);
        shmrpc_lane_free(lanes[i]);
    }
    shmrpc_lane_server_stop(&server);
    join();
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls, 2 * (THREADS * CALLS + 1));
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls_failed, 0);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

/* ---- what does ---- */

#define MEETINGS 100

static pthread_barrier_t before_and_after_rest;

/* Now and then both have been served, and nobody calls until their sessions are cold. */
static void let_both_rest(bool awaits_it)
{
    (void)pthread_barrier_wait(&before_and_after_rest);
    if (awaits_it) {
        rest_await();
    }
    (void)pthread_barrier_wait(&before_and_after_rest);
}

static void meet_once(shmrpc_lane *lane)
{
    int rc = shmrpc_lane_call(lane, METHOD_MEET, NULL, 0, NULL, 0, NULL, shmrpc_in_s(20));

    note_status(rc);
}

static void *meet_often(void *lane)
{
    for (int i = 0; i < MEETINGS; i++) {
        meet_once(lane);
        if (i % 10 == 0) {
            let_both_rest(false);
        }
    }
    return NULL;
}

START_TEST(two_hot_sessions_are_served_at_the_same_time)
{
    static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, SHMRPC_SPIN_FOREVER};
    shmrpc_lane *lanes[2];
    pthread_t other;

    start((shmrpc_server_options){.workers = 2, .spin_ns = spins[_i]});
    ck_assert_int_eq(pthread_barrier_init(&before_and_after_rest, NULL, 2), 0);
    for (int i = 0; i < 2; i++) {
        lanes[i] = connect_default();
    }
    ck_assert_int_eq(pthread_create(&other, NULL, meet_often, lanes[0]), 0);
    for (int i = 0; i < MEETINGS; i++) {
        meet_once(lanes[1]);
        if (i % 10 == 0) {
            let_both_rest(spins[_i] != SHMRPC_SPIN_FOREVER);
        }
    }
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert_uint_eq(atomic_load(&met), 2 * MEETINGS);
    for (int i = 0; i < 2; i++) {
        shmrpc_lane_free(lanes[i]);
    }
    stop();
    (void)pthread_barrier_destroy(&before_and_after_rest);
}
END_TEST

#define OTHERS 7

static void *add_while_one_waits(void *lane)
{
    for (int i = 0; i < 50; i++) {
        (void)add(lane);
    }
    return NULL;
}

static void *wait_at_gate(void *lane)
{
    int rc = shmrpc_lane_call(lane, METHOD_GATE, NULL, 0, NULL, 0, NULL, shmrpc_forever());

    note_status(rc);
    return NULL;
}

START_TEST(a_handler_that_does_not_return_holds_up_its_own_session_alone)
{
    static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, SHMRPC_SPIN_FOREVER};
    uint32_t workers = _i % 6 < 3 ? 2 : 4;
    uint32_t stuck = workers - 1; /* as many as may be */
    shmrpc_lane *waiting[3];
    shmrpc_lane *others[OTHERS];
    pthread_t waits[3];
    pthread_t adds[OTHERS];
    shmrpc_lane *late;

    start((shmrpc_server_options){.workers = workers, .spin_ns = spins[_i % 3]});
    for (int i = 0; i < OTHERS; i++) {
        others[i] = connect_default();
    }
    /* All are hot, and some worker has several of them, when a handler gets stuck. */
    for (int i = 0; i < OTHERS; i++) {
        (void)add(others[i]);
    }
    for (uint32_t i = 0; i < stuck; i++) {
        waiting[i] = connect_default();
        ck_assert_int_eq(pthread_create(&waits[i], NULL, wait_at_gate, waiting[i]), 0);
    }
    for (int i = 0; i < OTHERS; i++) {
        ck_assert_int_eq(pthread_create(&adds[i], NULL, add_while_one_waits, others[i]), 0);
    }
    tally_await(&at_gate, stuck);
    for (int i = 0; i < OTHERS; i++) {
        ck_assert_int_eq(pthread_join(adds[i], NULL), 0);
    }
    /* Who is there, who comes, and who goes. */
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < OTHERS; i++) {
            (void)add(others[i]);
        }
        late = connect_default();
        ck_assert_uint_eq(add(late), 1);
        shmrpc_lane_free(late);
        tally_await(&disconnected, (unsigned)round + 1);
    }
    expect_all_right();
    for (uint32_t i = 0; i < stuck; i++) {
        ck_assert_int_eq(sem_post(&gate), 0);
    }
    for (uint32_t i = 0; i < stuck; i++) {
        ck_assert_int_eq(pthread_join(waits[i], NULL), 0);
        shmrpc_lane_free(waiting[i]);
    }
    for (int i = 0; i < OTHERS; i++) {
        ck_assert_uint_eq(add(others[i]), 1 + 50 + 5 + 1);
        shmrpc_lane_free(others[i]);
    }
    stop();
}
END_TEST

/* ---- coming and going ---- */

static void *come_and_go(void *unused)
{
    (void)unused;
    for (int i = 0; i < 40; i++) {
        shmrpc_lane *lane = NULL;

        if (shmrpc_lane_connect(&lane, NAME, NULL, NULL) != 0) {
            atomic_store(&wrong, true);
            return NULL;
        }
        for (uint64_t n = 1; n <= 5; n++) {
            if (add(lane) != n) {
                atomic_store(&wrong, true);
            }
        }
        shmrpc_lane_free(lane);
    }
    return NULL;
}

START_TEST(counts_all_who_come_and_go_and_may_be_asked_meanwhile)
{
    pthread_t threads[THREADS];
    uint64_t calls = 0;

    start((shmrpc_server_options){.workers = 3});
    shmrpc_lane_free(connect_default());
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    }
    for (unsigned gone = 1; gone <= THREADS * 40 + 1; gone++) {
        shmrpc_server_counts now = shmrpc_server_counters(&server.base);

        ck_assert_uint_ge(now.calls, calls);
        ck_assert_uint_le(now.sessions_open, now.sessions_accepted);
        calls = now.calls;
        tally_await(&disconnected, gone);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls, THREADS * 40 * 5);
    ck_assert_uint_eq(atomic_load(&connected), THREADS * 40 + 1);
    stop();
}
END_TEST

START_TEST(refuses_who_has_as_many_sessions_as_one_user_may_have)
{
    shmrpc_lane *lanes[2];
    shmrpc_lane *third = NULL;

    start((shmrpc_server_options){.workers = 2, .max_sessions_per_uid = 2});
    lanes[0] = connect_default();
    lanes[1] = connect_default();
    ck_assert_int_eq(shmrpc_lane_connect(&third, NAME, NULL, NULL), SHMRPC_E_REFUSED);
    ck_assert_msg(strstr(shmrpc_last_error(), "from one user") != NULL, "%s", shmrpc_last_error());
    shmrpc_lane_free(lanes[0]);
    tally_await(&disconnected, 1);
    third = connect_default();
    ck_assert_uint_eq(add(third), 1);
    shmrpc_lane_free(third);
    shmrpc_lane_free(lanes[1]);
    stop();
}
END_TEST

/* ---- rest ---- */

#define BELL_LOOKS_NS (100 * MS) /* a lane with semaphores has a thread of the server's, which looks so often */
#define OWN_SWITCHES 16          /* of the test's own thread; a sanitizer's looks ten times a second, too */

typedef struct usage {
    int64_t now_ns;
    int64_t cpu_ns;
    int64_t switches; /* threads that went to sleep */
} usage;

static usage use(void)
{
    struct timespec used;
    struct rusage all;

    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &all), 0);
    return (usage){
        .now_ns = (int64_t)test_now_ns(),
        .cpu_ns = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec,
        .switches = all.ru_nvcsw,
    };
}

START_TEST(costs_nothing_while_nobody_calls)
{
    enum { CLIENTS = 60 };
    static shmrpc_lane *lanes[CLIENTS];
    uint64_t sleeps;
    int64_t elapsed_ns;
    int64_t looks;
    usage before;
    usage after;

    start((shmrpc_server_options){.workers = 4});
    for (int i = 0; i < CLIENTS; i++) {
        lanes[i] = connect_default();
        (void)add(lanes[i]);
    }
    rest_await();
    sleeps = shmrpc_server_counters(&server.base).sleeps;
    before = use();
    ck_assert(!tally_reaches(&over, 1, test_now_ns() + 400 * MS));
    after = use();
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sleeps, sleeps);
    elapsed_ns = after.now_ns - before.now_ns;
    looks = (probe_has_semaphores() ? CLIENTS + 1 : 1) * (elapsed_ns / BELL_LOOKS_NS + 1);
    ck_assert_int_le(after.switches - before.switches, looks + OWN_SWITCHES);
    /* A thread that spins has all of the time. */
    ck_assert_int_lt(after.cpu_ns - before.cpu_ns, elapsed_ns / 4);
    for (int i = 0; i < CLIENTS; i++) {
        shmrpc_lane_free(lanes[i]);
    }
    stop();
}
END_TEST

/* ---- the end ---- */

START_TEST(stopping_lets_handlers_of_all_workers_end_and_answers_what_was_sent)
{
    shmrpc_lane *waiting[2];
    shmrpc_lane *others[3];
    pthread_t waits[2];

    start((shmrpc_server_options){.workers = 3});
    for (int i = 0; i < 3; i++) {
        others[i] = connect_default();
    }
    for (int i = 0; i < 2; i++) {
        waiting[i] = connect_default();
        ck_assert_int_eq(pthread_create(&waits[i], NULL, wait_at_gate, waiting[i]), 0);
    }
    tally_await(&at_gate, 2);
    for (int i = 0; i < 3; i++) {
        for (int n = 0; n < 10; n++) {
            ck_assert_int_eq(shmrpc_lane_send(others[i], METHOD_WORK, NULL, 0, shmrpc_in_s(5)), 0);
        }
    }
    tally_await(&at_work, 1);
    shmrpc_lane_server_stop(&server);
    for (int n = 0; n < 30; n++) {
        ck_assert_int_eq(sem_post(&work_may_end), 0);
    }
    tally_await(&worked, 30);
    ck_assert_int_eq(sem_post(&gate), 0);
    ck_assert_int_eq(sem_post(&gate), 0);
    join();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(waits[i], NULL), 0);
        shmrpc_lane_free(waiting[i]);
    }
    for (int i = 0; i < 3; i++) {
        shmrpc_lane_free(others[i]);
    }
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls, 32);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

START_TEST(stopping_leaves_what_it_cannot_answer_in_time)
{
    const shmrpc_client_options deep = {.depth = 4096, .wait_for_server = true};
    shmrpc_lane *lane = NULL;
    int rc;

    start((shmrpc_server_options){.workers = (uint32_t)_i + 1, .stop_timeout_ns = 50 * MS});
    ck_assert_int_eq(shmrpc_lane_connect(&lane, NAME, NULL, &deep), 0);
    for (int n = 0; n < 4000; n++) {
        ck_assert_int_eq(shmrpc_lane_send(lane, METHOD_WORK, NULL, 0, shmrpc_in_s(5)), 0);
    }
    tally_await(&at_work, 1);
    shmrpc_lane_server_stop(&server);
    ck_assert(!tally_reaches(&over, 1, test_now_ns() + 100 * MS));
    for (int n = 0; n < 4000; n++) {
        ck_assert_int_eq(sem_post(&work_may_end), 0);
    }
    join();
    ck_assert_uint_eq(atomic_load(&worked), 1);
    rc = shmrpc_lane_call(lane, METHOD_ADD, NULL, 0, NULL, 0, NULL, shmrpc_in_s(5));
    ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
    shmrpc_lane_free(lane);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

static Suite *workers_suite(void)
{
    Suite *suite = suite_create("ipc_workers");
    TCase *tests = tcase_create("workers");
    TCase *stuck = tcase_create("stuck");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_loop_test(tests, handlers_of_a_session_never_run_at_once_though_its_client_has_many_threads, 0, 4);
    tcase_add_loop_test(tests, two_hot_sessions_are_served_at_the_same_time, 0, 3);
    tcase_add_test(tests, counts_all_who_come_and_go_and_may_be_asked_meanwhile);
    tcase_add_test(tests, refuses_who_has_as_many_sessions_as_one_user_may_have);
    tcase_add_test(tests, costs_nothing_while_nobody_calls);
    tcase_add_test(tests, stopping_lets_handlers_of_all_workers_end_and_answers_what_was_sent);
    tcase_add_loop_test(tests, stopping_leaves_what_it_cannot_answer_in_time, 0, 2);
    suite_add_tcase(suite, tests);
    tcase_set_timeout(stuck, 60);
    tcase_add_checked_fixture(stuck, begin, end);
    tcase_add_loop_test(stuck, a_handler_that_does_not_return_holds_up_its_own_session_alone, 0, 60);
    suite_add_tcase(suite, stuck);
    return suite;
}

TEST_MAIN(workers_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's loop, with the raw transport: client and server are two threads of one process.
 */
#include "test_support.h"

#include <shmrpc/lane.h>
#include <shmrpc/log.h>

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME "server"

enum { METHOD_QUICK = 1, METHOD_SLOW, METHOD_GATE, METHOD_TURN };

static shmrpc_lane_server server;
static pthread_t server_thread;
static sem_t gate;
static sem_t slow_may_end;
static _Atomic unsigned slow_calls; /* METHOD_SLOW begun so far */
static _Atomic unsigned gate_reached;
static _Atomic int last_why;
static _Atomic unsigned disconnects;

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static void let_pass(sem_t *semaphore, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_eq(sem_post(semaphore), 0);
    }
}

static int on_request(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    (void)self;
    *ret_size = 0;
    switch (request->method) {
    case METHOD_QUICK: return 0;
    case METHOD_SLOW:
        tally_up(&slow_calls);
        wait_for(&slow_may_end);
        return 0;
    case METHOD_GATE:
        tally_up(&gate_reached);
        wait_for(&gate);
        return 0;
    case METHOD_TURN: /* as many bytes as there is room for: those of the request, turned over */
        for (size_t i = 0; i < request->capacity; i++) {
            ((unsigned char *)request->reply)[i] = (unsigned char)~((const unsigned char *)request->data)[i];
        }
        *ret_size = request->capacity;
        return 0;
    default: return SHMRPC_E_UNIMPLEMENTED;
    }
}

static void on_disconnected(shmrpc_lane_server *self, shmrpc_session *session, int why)
{
    (void)self;
    (void)session;
    atomic_store(&last_why, why);
    (void)tally_up(&disconnects);
}

static const shmrpc_lane_handlers handlers = {.request = on_request, .disconnected = on_disconnected};

static void *run(void *argument)
{
    (void)argument;
    return shmrpc_lane_server_run(&server) == 0 ? &server : NULL;
}

static void start_with(const shmrpc_lane_limits *limits, const shmrpc_server_options *options)
{
    ck_assert_int_eq(shmrpc_lane_server_init(&server, &handlers, NAME, limits, options), 0);
    ck_assert_int_eq(pthread_create(&server_thread, NULL, run, NULL), 0);
}

static void start(const shmrpc_server_options *options)
{
    start_with(NULL, options);
}

static void stop(void)
{
    void *result = NULL;

    shmrpc_lane_server_stop(&server);
    ck_assert_int_eq(pthread_join(server_thread, &result), 0);
    ck_assert_ptr_eq(result, &server);
}

static shmrpc_lane *connect_with(uint32_t depth)
{
    const shmrpc_client_options options = {.depth = depth, .wait_for_server = true};
    shmrpc_lane *lane = NULL;

    ck_assert_msg(shmrpc_lane_connect(&lane, NAME, NULL, &options) == 0, "%s", shmrpc_last_error());
    return lane;
}

static void begin(void)
{
    runtime_dir_make();
    ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
    ck_assert_int_eq(sem_init(&slow_may_end, 0, 0), 0);
}

static void end(void)
{
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

/* ---- fair shares ---- */

#define BURST 32 /* what the server answers of one lane before it looks at the poller again */

static _Atomic bool caller_is_done;
static _Atomic unsigned connected;

/* Keeps its ring full, so that the server never finds it empty. */
static void *send_and_send(void *argument)
{
    shmrpc_lane *lane = connect_with(64);

    (void)argument;
    while (!atomic_load(&caller_is_done)) {
        if (shmrpc_lane_send(lane, METHOD_SLOW, NULL, 0, shmrpc_forever()) != 0) {
            return NULL;
        }
    }
    shmrpc_lane_free(lane);
    return &caller_is_done;
}

/* Handlers are slow where the clock that the server looks at moves on meanwhile. */
static void await_tick(void)
{
    struct timespec before;
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
    do {
        (void)sched_yield();
        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

/*
 * Lets slow handlers end, some at a time, until `is_done`, with all that the others can do between. How many that were,
 * at most `most`.
 */
static unsigned pass_until(_Atomic unsigned *is_done, unsigned most)
{
    unsigned count = 0;

    for (rest_await(); atomic_load(is_done) == 0; rest_await()) {
        ck_assert_uint_lt(count, most);
        await_tick();
        let_pass(&slow_may_end, 8);
        count += 8;
    }
    return count;
}

static void *connect_and_leave(void *argument)
{
    const shmrpc_client_options patient = {.connect_timeout_ns = INT64_MAX};
    shmrpc_lane *lane = NULL;

    ck_assert_msg(shmrpc_lane_connect(&lane, NAME, NULL, &patient) == 0, "%s", shmrpc_last_error());
    (void)tally_up(&connected);
    shmrpc_lane_free(lane);
    return argument;
}

START_TEST(slow_handlers_do_not_keep_new_clients_waiting_for_many_of_them)
{
    void *result = NULL;
    pthread_t caller;
    pthread_t newcomer;

    start(NULL);
    ck_assert_int_eq(pthread_create(&caller, NULL, send_and_send, NULL), 0);
    tally_await(&slow_calls, 1);
    ck_assert_int_eq(pthread_create(&newcomer, NULL, connect_and_leave, NULL), 0);
    /* A connection takes three looks at the poller: accept, Hello, Attach; and each may be due right after one. */
    ck_assert_uint_gt(pass_until(&connected, 6 * BURST), 0);
    ck_assert_int_eq(pthread_join(newcomer, NULL), 0);
    atomic_store(&caller_is_done, true);
    let_pass(&slow_may_end, 1000);
    ck_assert_int_eq(pthread_join(caller, &result), 0);
    ck_assert_ptr_eq(result, &caller_is_done);
    stop();
    shmrpc_lane_server_deinit(&server);
}
END_TEST

static _Atomic unsigned quick_calls;

static void *call_quick(void *lane)
{
    int rc = shmrpc_lane_call(lane, METHOD_QUICK, NULL, 0, NULL, 0, NULL, shmrpc_forever());

    (void)tally_up(&quick_calls);
    return rc == 0 ? lane : NULL;
}

START_TEST(what_a_client_leaves_behind_is_answered_in_turn_with_the_others)
{
    const unsigned left = 255;
    shmrpc_lane *leaver;
    shmrpc_lane *other;
    void *result = NULL;
    pthread_t caller;

    start(NULL);
    leaver = connect_with(256);
    other = connect_with(2);
    ck_assert_int_eq(shmrpc_lane_send(leaver, METHOD_GATE, NULL, 0, shmrpc_in_s(5)), 0);
    tally_await(&gate_reached, 1);
    for (unsigned i = 0; i < left; i++) {
        ck_assert_int_eq(shmrpc_lane_send(leaver, METHOD_SLOW, NULL, 0, shmrpc_in_s(5)), 0);
    }
    shmrpc_lane_free(leaver);
    ck_assert_int_eq(sem_post(&gate), 0);
    tally_await(&slow_calls, 1);
    ck_assert_int_eq(pthread_create(&caller, NULL, call_quick, other), 0);
    ck_assert_uint_gt(pass_until(&quick_calls, 2 * BURST), 0);
    ck_assert_int_eq(pthread_join(caller, &result), 0);
    ck_assert_ptr_eq(result, other);
    let_pass(&slow_may_end, left);
    tally_await(&slow_calls, left);
    shmrpc_lane_free(other);
    tally_await(&disconnects, 2); /* a server that is told to stop first says STOPPED of it */
    stop();
    ck_assert_int_eq(atomic_load(&last_why), SHMRPC_WHY_CLOSED);
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls, left + 2);
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_open, 0);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

START_TEST(stopping_answers_what_a_client_that_left_had_sent)
{
    shmrpc_lane *leaver;

    start(NULL);
    leaver = connect_with(64);
    ck_assert_int_eq(shmrpc_lane_send(leaver, METHOD_GATE, NULL, 0, shmrpc_in_s(5)), 0);
    tally_await(&gate_reached, 1);
    for (unsigned i = 0; i < 40; i++) {
        ck_assert_int_eq(shmrpc_lane_send(leaver, METHOD_SLOW, NULL, 0, shmrpc_in_s(5)), 0);
    }
    shmrpc_lane_free(leaver);
    shmrpc_lane_server_stop(&server);
    let_pass(&slow_may_end, 40);
    ck_assert_int_eq(sem_post(&gate), 0);
    stop();
    ck_assert_uint_eq(atomic_load(&slow_calls), 40);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

/* ---- options ---- */

START_TEST(a_deadline_of_the_handshake_near_the_end_of_time_does_not_wrap)
{
    const shmrpc_server_options options = {.handshake_timeout_ns = INT64_MAX - 1};
    shmrpc_lane *lane;

    start(&options);
    lane = connect_with(2);
    ck_assert_int_eq(shmrpc_lane_call(lane, METHOD_QUICK, NULL, 0, NULL, 0, NULL, shmrpc_default()), 0);
    shmrpc_lane_free(lane);
    stop();
    shmrpc_lane_server_deinit(&server);
}
END_TEST

START_TEST(every_way_of_waiting_serves_every_way_of_waiting)
{
    static const int64_t spins[] = {SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, SHMRPC_SPIN_FOREVER, 1};
    const shmrpc_server_options options = {.spin_ns = spins[_i]};

    start(&options);
    for (size_t i = 0; i < sizeof(spins) / sizeof(spins[0]); i++) {
        const shmrpc_client_options waits = {.spin_ns = spins[i], .depth = 2, .blocks = 1};
        const unsigned char bytes[100] = {0};
        shmrpc_lane *lane = NULL;

        ck_assert_int_eq(shmrpc_lane_connect(&lane, NAME, NULL, &waits), 0);
        for (int n = 0; n < 50; n++) {
            ck_assert_int_eq(shmrpc_lane_send(lane, METHOD_QUICK, NULL, 0, shmrpc_in_s(5)), 0);
            ck_assert_int_eq(shmrpc_lane_send(lane, METHOD_QUICK, bytes, sizeof(bytes), shmrpc_in_s(5)), 0);
            ck_assert_int_eq(shmrpc_lane_call(lane, METHOD_QUICK, NULL, 0, NULL, 0, NULL, shmrpc_in_s(5)), 0);
        }
        shmrpc_lane_free(lane);
    }
    stop();
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).calls, 600);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

START_TEST(messages_of_any_allowed_size_go_through_the_smallest_lane)
{
    static const uint32_t sizes[] = {1, 48, 49, 64, 65, 4096, SHMRPC_MESSAGE_MAX};
    const shmrpc_lane_limits limits = {sizes[_i], sizes[_i]};
    const shmrpc_client_options smallest = {.depth = 2, .blocks = 1, .wait_for_server = true};
    unsigned char *sent = malloc(limits.request_size);
    unsigned char *got = malloc(limits.reply_size);
    shmrpc_lane *lane = NULL;
    shmrpc_lane_reply reply;

    ck_assert(sent != NULL && got != NULL);
    start_with(&limits, NULL);
    ck_assert_int_eq(shmrpc_lane_connect(&lane, NAME, &limits, &smallest), 0);
    for (unsigned round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < limits.request_size; i++) {
            sent[i] = (unsigned char)(i * 7 + round);
        }
        /* The answer to what is sent one way finds no block, and is dropped. */
        ck_assert_int_eq(shmrpc_lane_send(lane, METHOD_TURN, sent, limits.request_size, shmrpc_in_s(5)), 0);
        ck_assert_int_eq(shmrpc_lane_call(lane, METHOD_TURN, sent, limits.request_size, got, limits.reply_size, &reply,
                                          shmrpc_in_s(5)),
                         0);
        ck_assert_uint_eq(reply.size, limits.reply_size);
        for (uint32_t i = 0; i < limits.reply_size; i++) {
            ck_assert_uint_eq(got[i], (unsigned char)~sent[i]);
        }
    }
    ck_assert_int_eq(shmrpc_lane_call(lane, METHOD_TURN, sent, (size_t)limits.request_size + 1, NULL, 0, NULL,
                                      shmrpc_in_s(5)),
                     SHMRPC_E_TOO_LARGE);
    ck_assert_int_eq(shmrpc_lane_call(lane, METHOD_TURN, sent, 0, got, (size_t)limits.reply_size - 1, &reply,
                                      shmrpc_in_s(5)),
                     SHMRPC_E_TOO_LARGE);
    ck_assert_uint_eq(reply.size, limits.reply_size);
    shmrpc_lane_free(lane);
    stop();
    ck_assert_uint_eq(shmrpc_server_counters(&server.base).sessions_dropped, 0);
    shmrpc_lane_server_deinit(&server);
    free(sent);
    free(got);
}
END_TEST

/* ---- life ---- */

START_TEST(a_server_that_failed_to_begin_can_be_deinitialised)
{
    const shmrpc_server_options impossible = {.max_depth = 3};
    shmrpc_lane_server failed;

    memset(&failed, 0xff, sizeof(failed));
    ck_assert_int_eq(shmrpc_lane_server_init(&failed, &handlers, NAME, NULL, &impossible), SHMRPC_E_MISUSE);
    shmrpc_lane_server_stop(&failed);
    shmrpc_lane_server_deinit(&failed);
    memset(&failed, 0xff, sizeof(failed));
    ck_assert_int_eq(shmrpc_lane_server_init(&failed, &handlers, "", NULL, NULL), SHMRPC_E_NAME);
    shmrpc_lane_server_deinit(&failed);
}
END_TEST

static shmrpc_log_entry logged[8];
static _Atomic unsigned logged_count;

static void on_log(const shmrpc_log_entry *entry)
{
    unsigned count = atomic_load(&logged_count);

    if (entry->service != NULL && count < sizeof(logged) / sizeof(logged[0])) {
        logged[count] = *entry;
        atomic_store(&logged_count, count + 1);
    }
}

START_TEST(the_life_of_a_session_is_logged_with_its_fields)
{
    static const shmrpc_log_event events[] = {SHMRPC_LOG_SERVER_STARTED, SHMRPC_LOG_SESSION_OPENED,
                                              SHMRPC_LOG_CLIENT_REFUSED, SHMRPC_LOG_SESSION_ENDED};
    const shmrpc_server_options options = {.max_sessions = 1};
    shmrpc_lane *lane;
    shmrpc_lane *second = NULL;

    shmrpc_log_set(on_log, SHMRPC_LOG_INFO);
    start(&options);
    lane = connect_with(4);
    ck_assert_int_eq(shmrpc_lane_connect(&second, NAME, NULL, NULL), SHMRPC_E_REFUSED);
    shmrpc_lane_free(lane);
    stop();
    shmrpc_log_set(NULL, SHMRPC_LOG_INFO);
    ck_assert_uint_eq(atomic_load(&logged_count), 4);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_msg(logged[i].event == events[i], "entry %u is about %s", i, shmrpc_log_event_name(logged[i].event));
        ck_assert_int_eq(logged[i].level, i == 2 ? SHMRPC_LOG_WARNING : SHMRPC_LOG_INFO);
        ck_assert_int_eq(logged[i].pid, i == 0 ? -1 : getpid());
        ck_assert_uint_eq(logged[i].uid, i == 0 ? (uid_t)-1 : getuid());
        ck_assert_uint_eq(logged[i].session, i == 0 ? 0 : i == 2 ? 2 : 1);
    }
    shmrpc_lane_server_deinit(&server);
}
END_TEST

START_TEST(a_refusal_is_no_breach_of_the_protocol)
{
    const shmrpc_server_options options = {.max_sessions = 1};
    const shmrpc_lane_limits others = {.request_size = 100, .reply_size = 100};
    shmrpc_server_counts now;
    shmrpc_lane *second = NULL;
    shmrpc_lane *first;

    start(&options);
    ck_assert_int_eq(shmrpc_lane_connect(&second, NAME, &others, NULL), SHMRPC_E_MISMATCH);
    first = connect_with(2);
    ck_assert_int_eq(shmrpc_lane_connect(&second, NAME, NULL, NULL), SHMRPC_E_REFUSED);
    shmrpc_lane_free(first);
    stop();
    now = shmrpc_server_counters(&server.base);
    ck_assert_uint_eq(now.sessions_accepted, 1);
    ck_assert_uint_eq(now.sessions_refused, 2);
    ck_assert_uint_eq(now.sessions_dropped, 0);
    shmrpc_lane_server_deinit(&server);
}
END_TEST

static Suite *server_suite(void)
{
    Suite *suite = suite_create("runtime_server");
    TCase *tests = tcase_create("server");

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, slow_handlers_do_not_keep_new_clients_waiting_for_many_of_them);
    tcase_add_test(tests, what_a_client_leaves_behind_is_answered_in_turn_with_the_others);
    tcase_add_test(tests, stopping_answers_what_a_client_that_left_had_sent);
    tcase_add_test(tests, a_deadline_of_the_handshake_near_the_end_of_time_does_not_wrap);
    tcase_add_loop_test(tests, every_way_of_waiting_serves_every_way_of_waiting, 0, 4);
    tcase_add_loop_test(tests, messages_of_any_allowed_size_go_through_the_smallest_lane, 0, 7);
    tcase_add_test(tests, a_server_that_failed_to_begin_can_be_deinitialised);
    tcase_add_test(tests, the_life_of_a_session_is_logged_with_its_fields);
    tcase_add_test(tests, a_refusal_is_no_breach_of_the_protocol);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(server_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dispatch.c - a server in a loop of the application's own: its descriptor, and what dispatch() promises.
 *
 *   1    call again at once
 *   0    nothing to do until the descriptor is readable
 */
#include "probe_service.h"
#include "test_support.h"

#include <shmrpc/shmrpc.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME "dispatched"

enum {
    METHOD_ADD,      /* () -> value: how often this session has called it */
    METHOD_DISPATCH, /* () -> value: what dispatching its server from a handler returns, negated */
    METHOD_STOP,     /* () -> (): stops the server */
    METHODS,
};

SHMRPC_SESSION_STATE(sum_of, uint64_t);

static shmrpc_server server;
static counts before;
static _Atomic unsigned connected;
static _Atomic unsigned disconnected;
static _Atomic unsigned long handled;
static unsigned long handled_of[8]; /* by session; the server's thread */
static _Atomic unsigned long looks; /* at the system, by the library, in any thread of this process */
static _Atomic bool wrong;

struct poller_event;
int __real_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);
int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns);

int __wrap_poller_wait(int poller, struct poller_event *ret_events, int64_t timeout_ns)
{
    (void)atomic_fetch_add(&looks, 1);
    if (timeout_ns != 0) {
        atomic_store(&wrong, true); /* it never blocks */
    }
    return __real_poller_wait(poller, ret_events, timeout_ns);
}

/* ---- the service ---- */

static int add(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)self;
    (void)request;
    handled_of[shmrpc_session_id(context->session) % 8]++;
    ((probe_value *)reply)->value = ++*sum_of(context->session);
    (void)atomic_fetch_add(&handled, 1);
    return 0;
}

static int dispatch_itself(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)context;
    (void)request;
    ((probe_value *)reply)->value = (uint64_t)-shmrpc_server_dispatch(self, 1);
    return 0;
}

static int stop_itself(shmrpc_server *self, shmrpc_context *context, const void *request, void *reply)
{
    (void)context;
    (void)request;
    (void)reply;
    shmrpc_server_stop(self);
    return 0;
}

static void on_connected(shmrpc_server *self, shmrpc_session *session)
{
    (void)self;
    (void)session;
    (void)atomic_fetch_add(&connected, 1);
}

static void on_disconnected(shmrpc_server *self, shmrpc_session *session, int why)
{
    (void)self;
    (void)session;
    (void)why;
    (void)atomic_fetch_add(&disconnected, 1);
}

static const shmrpc_method_info methods[METHODS] = {
    {.name = "add", .fingerprint = 1, .reply = &probe_value_type, .invoke = add},
    {.name = "dispatch", .fingerprint = 2, .reply = &probe_value_type, .invoke = dispatch_itself},
    {.name = "stop", .fingerprint = 3, .invoke = stop_itself},
};

static const shmrpc_service_info service = {.abi = &shmrpc_generated_abi_3,
                                            .name = "test.Dispatched",
                                            .version = 1,
                                            .method_count = METHODS,
                                            .methods = methods};
static const int operations;
static const shmrpc_server_binding binding = {.service = &service,
                                              .operations = &operations,
                                              .connected = on_connected,
                                              .disconnected = on_disconnected};

static void make(shmrpc_server_options options)
{
    options.session_state_size = sizeof(uint64_t);
    ck_assert_msg(shmrpc_server_init(&server, &binding, NAME, &options) == 0, "%s", shmrpc_last_error());
}

/* ---- the loop ---- */

typedef struct loop {
    pthread_t thread;
    int most;
    uint32_t how; /* EPOLLET, or 0 */
    int status;
    _Atomic unsigned long waits;
    unsigned long rounds;
} loop;

static loop serving;

static void *serve(void *argument)
{
    loop *self = argument;
    int set = epoll_create1(EPOLL_CLOEXEC);
    int fd = shmrpc_server_fd(&server);
    struct epoll_event event = {.events = EPOLLIN | self->how};

    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) {
        atomic_store(&wrong, true);
    }
    for (;;) {
        self->status = shmrpc_server_dispatch(&server, self->most);
        self->rounds++;
        if (self->status < 0) {
            break;
        }
        if (self->status == 0) {
            (void)atomic_fetch_add(&self->waits, 1);
            /* Without a limit: a wake-up that is lost is never made up for. */
            if (epoll_wait(set, &event, 1, -1) != 1) {
                atomic_store(&wrong, true);
            }
        }
    }
    (void)close(set);
    return NULL;
}

static void start(int most, uint32_t how)
{
    serving = (loop){.most = most, .how = how};
    ck_assert_int_eq(pthread_create(&serving.thread, NULL, serve, &serving), 0);
}

/* What it counted until then is so many calls. */
static void stop(uint64_t calls)
{
    shmrpc_server_stop(&server);
    ck_assert_int_eq(pthread_join(serving.thread, NULL), 0);
    ck_assert_int_eq(serving.status, SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(atomic_load(&connected), atomic_load(&disconnected));
    ck_assert_uint_eq(shmrpc_server_counters(&server).calls, calls);
    ck_assert_uint_eq(runtime_dir_entries(), 0); /* the name is free */
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 1), SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(shmrpc_server_run(&server), SHMRPC_E_MISUSE);
    shmrpc_server_deinit(&server);
}

static bool is_readable(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1;
}

/* By semaphores a thread rings for a client: a moment later. */
static void await_readable(int fd)
{
    ck_assert_int_eq(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, TEST_PATIENCE_MS), 1);
}

/* Dispatches here until there is nothing to do. The rounds that had something. */
static unsigned dispatch_all(int most)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    unsigned rounds = 0;
    int rc = 1;

    while (rc == 1) {
        ck_assert(test_now_ns() < until_ns);
        rc = shmrpc_server_dispatch(&server, most);
        rounds += rc == 1;
    }
    ck_assert_int_eq(rc, 0);
    return rounds;
}

/* ---- clients ---- */

static int connect_status(shmrpc_client **ret, int64_t spin_ns)
{
    const shmrpc_client_options options = {.wait_for_server = true, .spin_ns = spin_ns, .depth = 128};

    return shmrpc_client_connect(ret, NAME, &service, &options);
}

typedef struct caller {
    pthread_t thread;
    int64_t spin_ns;
    uint64_t calls;
    shmrpc_client *client; /* made by connect_here(), and given back by leave() */
    _Atomic bool is_done;
} caller;

static void *connect_only(void *argument)
{
    caller *self = argument;

    if (connect_status(&self->client, self->spin_ns) != 0) {
        atomic_store(&wrong, true);
    }
    atomic_store(&self->is_done, true);
    return NULL;
}

/* A client of a server that is dispatched in this thread. */
static shmrpc_client *connect_here(void)
{
    caller self = {.spin_ns = SHMRPC_SPIN_NONE};
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    int fd = shmrpc_server_fd(&server);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pthread_create(&self.thread, NULL, connect_only, &self), 0);
    while (!atomic_load(&self.is_done)) {
        ck_assert(test_now_ns() < until_ns);
        (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
        ck_assert_int_ge(shmrpc_server_dispatch(&server, 1), 0);
    }
    ck_assert_int_eq(pthread_join(self.thread, NULL), 0);
    return self.client;
}

static void *call_often(void *argument)
{
    caller *self = argument;
    shmrpc_client *client = NULL;

    if (connect_status(&client, self->spin_ns) != 0) {
        atomic_store(&wrong, true);
        return NULL;
    }
    for (uint64_t n = 1; n <= self->calls; n++) {
        probe_value reply = {0};

        if (shmrpc_client_call(client, METHOD_ADD, NULL, &reply, shmrpc_in_s(20)) != 0 || reply.value != n) {
            atomic_store(&wrong, true);
            break;
        }
    }
    shmrpc_client_free(client);
    return NULL;
}

#define IN_FLIGHT 100

/* Publishes so many requests together. */
static void publish(shmrpc_client *client, shmrpc_call *calls, unsigned count)
{
    shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_eq(shmrpc_call_start(client, &calls[i], METHOD_ADD, NULL, shmrpc_in_s(20), NULL), 0);
    }
    ck_assert_int_eq(shmrpc_client_batch_end(client), 0);
}

/* The same, of a server that has nothing else to do: now it knows. */
static void publish_and_ring(shmrpc_client *client, shmrpc_call *calls, unsigned count)
{
    (void)dispatch_all(1);
    publish(client, calls, count);
    await_readable(shmrpc_server_fd(&server));
}

static void collect(shmrpc_call *calls, unsigned count, uint64_t first)
{
    for (unsigned i = 0; i < count; i++) {
        probe_value reply = {0};

        ck_assert_int_eq(shmrpc_call_wait(&calls[i], &reply), 0);
        ck_assert_uint_eq(reply.value, first + i);
    }
}

static void begin(void)
{
    runtime_dir_make();
    counts_take(&before);
}

static void end(void)
{
    ck_assert(!atomic_load(&wrong));
    counts_expect_same(&before);
    runtime_dir_remove();
}

/* ---- in a loop ---- */

#define CALLERS 3

/* Each spin of the server and of its clients, and each way to watch. */
START_TEST(serves_all_from_a_loop_that_sleeps_without_a_limit)
{
    static const int64_t spins[] = {SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT, 1};
    static const int mosts[] = {1, 7, 1000};
    caller callers[CALLERS];

    make((shmrpc_server_options){.spin_ns = spins[_i % 3]});
    start(mosts[_i / 3 % 3], _i < 9 ? 0 : EPOLLET);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.spin_ns = spins[i], .calls = 1500};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
    }
    stop(CALLERS * 1500);
}
END_TEST

START_TEST(stops_from_a_handler_and_answers_that_call)
{
    shmrpc_client *client = NULL;

    make((shmrpc_server_options){0});
    start(1, 0);
    ck_assert_int_eq(connect_status(&client, 0), 0);
    ck_assert_int_eq(shmrpc_client_call(client, METHOD_STOP, NULL, NULL, shmrpc_in_s(20)), 0);
    stop(1);
    shmrpc_client_free(client);
}
END_TEST

/* ---- what each round does ---- */

START_TEST(has_nothing_to_do_and_nothing_to_read_where_nobody_calls)
{
    shmrpc_client *clients[5];

    make((shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    int fd = shmrpc_server_fd(&server);
    ck_assert_int_ge(fd, 0);
    for (int i = 0; i < 5; i++) {
        clients[i] = connect_here();
    }
    ck_assert_uint_eq(dispatch_all(64), 0);
    for (int i = 0; i < 100; i++) {
        ck_assert(!is_readable(fd));
        ck_assert_int_eq(shmrpc_server_dispatch(&server, 64), 0);
    }
    ck_assert_int_eq(shmrpc_server_fd(&server), fd);
    ck_assert_uint_eq(shmrpc_server_counters(&server).sleeps, 0);
    /* And it is told of each thing that happens, one after the other. */
    for (int i = 0; i < 5; i++) {
        shmrpc_call call = {0};

        publish_and_ring(clients[i], &call, 1);
        (void)dispatch_all(64);
        ck_assert(!is_readable(fd));
        collect(&call, 1, 1);
        shmrpc_client_free(clients[i]);
        await_readable(fd);
        (void)dispatch_all(64);
        ck_assert(!is_readable(fd));
        ck_assert_uint_eq(atomic_load(&disconnected), (unsigned)i + 1);
    }
    shmrpc_server_stop(&server);
    await_readable(fd);
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 64), 1);
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 64), SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(shmrpc_server_fd(&server), SHMRPC_E_UNAVAILABLE);
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(spins_for_as_long_as_it_is_told_to_and_then_sleeps)
{
    const int64_t spin_ns = 2000000;
    shmrpc_call call = {0};

    make((shmrpc_server_options){.spin_ns = spin_ns});
    shmrpc_client *client = connect_here();
    publish_and_ring(client, &call, 1);
    uint64_t begun_ns = test_now_ns();
    ck_assert_uint_gt(dispatch_all(1), 1);
    ck_assert_uint_ge(test_now_ns() - begun_ns, (uint64_t)spin_ns);
    ck_assert(!is_readable(shmrpc_server_fd(&server)));
    collect(&call, 1, 1);
    shmrpc_client_free(client);
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(begins_no_more_handlers_than_it_may)
{
    static const int mosts[] = {1, 7, 33, IN_FLIGHT + 1};
    shmrpc_call calls[IN_FLIGHT] = {0};
    int most = mosts[_i];

    make((shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    shmrpc_client *client = connect_here();
    publish_and_ring(client, calls, IN_FLIGHT);
    while (atomic_load(&handled) < IN_FLIGHT) {
        unsigned long so_far = atomic_load(&handled);

        ck_assert_int_eq(shmrpc_server_dispatch(&server, most), 1);
        ck_assert_uint_le(atomic_load(&handled) - so_far, (unsigned long)most);
        ck_assert_uint_gt(atomic_load(&handled), so_far);
    }
    (void)dispatch_all(most);
    collect(calls, IN_FLIGHT, 1);
    shmrpc_client_free(client);
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(serves_clients_in_turn_though_it_may_do_little_at_once)
{
    shmrpc_call calls[3][IN_FLIGHT] = {0};
    shmrpc_client *clients[3];

    make((shmrpc_server_options){.spin_ns = SHMRPC_SPIN_FOREVER});
    for (int i = 0; i < 3; i++) {
        clients[i] = connect_here();
    }
    for (int i = 0; i < 3; i++) {
        publish(clients[i], calls[i], IN_FLIGHT);
    }
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(shmrpc_server_dispatch(&server, 1), 1);
    }
    for (int i = 1; i <= 3; i++) {
        ck_assert_uint_eq(handled_of[i], 10);
    }
    for (int i = 30; i < 3 * IN_FLIGHT; i++) {
        ck_assert_int_eq(shmrpc_server_dispatch(&server, 1), 1);
    }
    for (int i = 0; i < 3; i++) {
        collect(calls[i], IN_FLIGHT, 1);
        shmrpc_client_free(clients[i]);
    }
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(asks_the_system_once_for_what_is_there_and_not_for_each_request)
{
    shmrpc_call calls[IN_FLIGHT] = {0};

    make((shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    shmrpc_client *client = connect_here();
    publish_and_ring(client, calls, IN_FLIGHT);
    unsigned long looks_before = atomic_load(&looks);
    uint64_t begun_ns = test_now_ns();
    unsigned rounds = dispatch_all(1);
    uint64_t took_ns = test_now_ns() - begun_ns;
    ck_assert_uint_ge(rounds, IN_FLIGHT);
    /* When it begins, before it says that there is nothing, and every 50 us, as a server that runs. */
    ck_assert_uint_le(atomic_load(&looks) - looks_before, 2 + took_ns / 50000);
    collect(calls, IN_FLIGHT, 1);
    shmrpc_client_free(client);
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(hears_of_a_handshake_that_takes_too_long)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    make((shmrpc_server_options){.handshake_timeout_ns = 20000000});
    int fd = shmrpc_server_fd(&server);
    int socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ck_assert_int_lt(snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime_dir_path(), NAME),
                     (int)sizeof(address.sun_path));
    ck_assert_int_eq(connect(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert(is_readable(fd));
    (void)dispatch_all(1);
    /* Unless that took so long already. */
    while (shmrpc_server_counters(&server).sessions_dropped == 0) {
        await_readable(fd);
        (void)dispatch_all(1);
    }
    await_readable(socket_fd);
    ck_assert_uint_eq(shmrpc_server_counters(&server).sessions_dropped, 1);
    (void)close(socket_fd);
    shmrpc_server_deinit(&server);
}
END_TEST

START_TEST(answers_what_was_sent_before_it_stops)
{
    shmrpc_call calls[IN_FLIGHT] = {0};
    int rc = 1;

    make((shmrpc_server_options){.spin_ns = SHMRPC_SPIN_NONE});
    shmrpc_client *client = connect_here();
    publish_and_ring(client, calls, IN_FLIGHT);
    shmrpc_server_stop(&server);
    while (rc == 1) {
        rc = shmrpc_server_dispatch(&server, 1);
    }
    ck_assert_int_eq(rc, SHMRPC_E_UNAVAILABLE);
    ck_assert_uint_eq(atomic_load(&disconnected), 1);
    collect(calls, IN_FLIGHT, 1);
    shmrpc_client_free(client);
    shmrpc_server_deinit(&server);
}
END_TEST

/* ---- hosts ---- */

START_TEST(a_host_is_dispatched_too_and_services_come_and_go_between_rounds)
{
    shmrpc_host host;
    shmrpc_client *client = NULL;
    shmrpc_server parts[2];
    static const shmrpc_service_info other = {.abi = &shmrpc_generated_abi_3,
                                              .name = "test.Other",
                                              .version = 1,
                                              .method_count = METHODS,
                                              .methods = methods};
    shmrpc_server_binding other_binding = binding;

    other_binding.service = &other;
    ck_assert_int_eq(shmrpc_host_init(&host, NAME, &(shmrpc_server_options){.session_state_size = sizeof(uint64_t)}),
                     0);
    ck_assert_int_eq(shmrpc_server_attach(&parts[0], &other_binding, &host), 0);
    int fd = shmrpc_host_fd(&host);
    ck_assert_int_ge(fd, 0);
    for (unsigned round = 1; round <= 5; round++) {
        caller self = {0};

        ck_assert_int_eq(shmrpc_server_attach(&parts[1], &binding, &host), 0);
        ck_assert_int_eq(pthread_create(&self.thread, NULL, connect_only, &self), 0);
        while (!atomic_load(&self.is_done)) {
            ck_assert_int_ge(shmrpc_host_dispatch(&host, 1), 0);
        }
        ck_assert_int_eq(pthread_join(self.thread, NULL), 0);
        client = self.client;
        ck_assert_uint_eq(shmrpc_server_counters(&parts[1]).sessions_open, 1);
        ck_assert_int_eq(shmrpc_server_detach(&parts[1]), 0);
        ck_assert_uint_eq(atomic_load(&disconnected), round);
        ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
        shmrpc_client_free(client);
    }
    shmrpc_host_stop(&host);
    ck_assert_int_eq(shmrpc_host_dispatch(&host, 1), 1);
    ck_assert_int_eq(shmrpc_host_dispatch(&host, 1), SHMRPC_E_UNAVAILABLE);
    shmrpc_host_deinit(&host);
}
END_TEST

/* ---- misuse ---- */

static void *run(void *unused)
{
    (void)unused;
    return shmrpc_server_run(&server) == 0 ? &server : NULL;
}

START_TEST(says_what_is_wrong)
{
    shmrpc_server none = {0};
    shmrpc_client *client = NULL;
    probe_value reply = {0};

    ck_assert_int_eq(shmrpc_server_fd(&none), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(&none, 1), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(NULL, 1), SHMRPC_E_MISUSE);

    make((shmrpc_server_options){.workers = 2});
    ck_assert_int_eq(shmrpc_server_fd(&server), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 1), SHMRPC_E_MISUSE);
    shmrpc_server_deinit(&server);

    make((shmrpc_server_options){0});
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 0), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(&server, -1), SHMRPC_E_MISUSE);
    start(1, 0);
    ck_assert_int_eq(connect_status(&client, 0), 0);
    ck_assert_int_eq(shmrpc_server_run(&server), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_client_call(client, METHOD_DISPATCH, NULL, &reply, shmrpc_in_s(20)), 0);
    ck_assert_int_eq(-(int)reply.value, SHMRPC_E_MISUSE);
    shmrpc_client_free(client);
    stop(1);

    make((shmrpc_server_options){0});
    ck_assert_int_eq(pthread_create(&serving.thread, NULL, run, NULL), 0);
    ck_assert_int_eq(connect_status(&client, 0), 0);
    ck_assert_int_eq(shmrpc_server_fd(&server), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(&server, 1), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_client_call(client, METHOD_DISPATCH, NULL, &reply, shmrpc_in_s(20)), 0);
    ck_assert_int_eq(-(int)reply.value, SHMRPC_E_MISUSE);
    shmrpc_client_free(client);
    shmrpc_server_stop(&server);
    void *result = NULL;
    ck_assert_int_eq(pthread_join(serving.thread, &result), 0);
    ck_assert_ptr_eq(result, &server);
    shmrpc_server_deinit(&server);
    atomic_store(&wrong, false); /* this one slept, as it should */
}
END_TEST

static Suite *dispatch_suite(void)
{
    Suite *suite = suite_create("ipc_dispatch");
    TCase *tests = tcase_create("dispatch");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, serves_all_from_a_loop_that_sleeps_without_a_limit, 0, 18);
    tcase_add_test(tests, stops_from_a_handler_and_answers_that_call);
    tcase_add_test(tests, has_nothing_to_do_and_nothing_to_read_where_nobody_calls);
    tcase_add_test(tests, spins_for_as_long_as_it_is_told_to_and_then_sleeps);
    tcase_add_loop_test(tests, begins_no_more_handlers_than_it_may, 0, 4);
    tcase_add_test(tests, serves_clients_in_turn_though_it_may_do_little_at_once);
    tcase_add_test(tests, asks_the_system_once_for_what_is_there_and_not_for_each_request);
    tcase_add_test(tests, hears_of_a_handshake_that_takes_too_long);
    tcase_add_test(tests, answers_what_was_sent_before_it_stops);
    tcase_add_test(tests, a_host_is_dispatched_too_and_services_come_and_go_between_rounds);
    tcase_add_test(tests, says_what_is_wrong);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(dispatch_suite)

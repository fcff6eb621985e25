/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hosts.c - several services behind one name: who meets which, and what happens when they come and go.
 *
 * Host and clients are threads of one process, so that ThreadSanitizer sees both ends.
 */
#include "probe_server.h"

#include <shmrpc/shmrpc.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define NAME "hosts"

enum {
    METHOD_WHO,    /* () -> value: whose handler this is */
    METHOD_ADD,    /* () -> value: how often this session has called it */
    METHOD_GATE,   /* () -> (): waits for the gate */
    METHOD_DETACH, /* () -> value: what detaching the service from its own handler returns, negated */
    METHOD_ABSENT, /* () -> (): UNIMPLEMENTED */
    METHODS,
};

/* One service of the host. */
typedef struct part {
    shmrpc_server base;
    uint64_t who;
    _Atomic unsigned connected;
    _Atomic unsigned disconnected;
} part;

SHMRPC_SESSION_STATE(sum_of, uint64_t);

static shmrpc_host host;
static pthread_t host_thread;
static sem_t gate;
static _Atomic unsigned at_gate;
static _Atomic bool wrong;

/* ---- the services ---- */

static part *part_of(shmrpc_server *server)
{
    return (part *)(void *)server;
}

static int who(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)context;
    (void)request;
    ((probe_value *)reply)->value = part_of(server)->who;
    return 0;
}

static int add(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    (void)request;
    ((probe_value *)reply)->value = ++*sum_of(context->session);
    return 0;
}

static int wait_at_gate(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    (void)context;
    (void)request;
    (void)reply;
    tally_up(&at_gate);
    while (sem_wait(&gate) != 0) {
    }
    return 0;
}

static int detach_itself(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)context;
    (void)request;
    ((probe_value *)reply)->value = (uint64_t)-shmrpc_server_detach(server);
    return 0;
}

static int is_absent(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    (void)context;
    (void)request;
    (void)reply;
    return SHMRPC_E_UNIMPLEMENTED;
}

static void on_connected(shmrpc_server *server, shmrpc_session *session)
{
    if (*sum_of(session) != 0) {
        atomic_store(&wrong, true);
    }
    (void)atomic_fetch_add(&part_of(server)->connected, 1);
}

static void on_disconnected(shmrpc_server *server, shmrpc_session *session, int why)
{
    (void)session;
    (void)why;
    (void)atomic_fetch_add(&part_of(server)->disconnected, 1);
}

static const shmrpc_method_info methods[METHODS] = {
    {.name = "who", .fingerprint = 1, .reply = &probe_value_type, .invoke = who},
    {.name = "add", .fingerprint = 2, .reply = &probe_value_type, .invoke = add},
    {.name = "gate", .fingerprint = 3, .invoke = wait_at_gate},
    {.name = "detach", .fingerprint = 4, .reply = &probe_value_type, .invoke = detach_itself},
    {.name = "absent", .fingerprint = 5, .invoke = is_absent},
};

static const shmrpc_service_info red = {.abi = &shmrpc_generated_abi_3,
                                        .name = "test.hosts.Red",
                                        .version = 1,
                                        .method_count = METHODS,
                                        .methods = methods};
static const shmrpc_service_info blue = {.abi = &shmrpc_generated_abi_3,
                                         .name = "test.hosts.Blue",
                                         .version = 1,
                                         .method_count = METHODS,
                                         .methods = methods};
static const shmrpc_service_info green = {.abi = &shmrpc_generated_abi_3,
                                          .name = "test.hosts.Green",
                                          .version = 1,
                                          .method_count = METHODS,
                                          .methods = methods};

static int attach_status(part *to, const shmrpc_service_info *service, uint64_t number)
{
    static const int operations;

    *to = (part){.who = number};
    return shmrpc_server_attach(&to->base,
                                &(shmrpc_server_binding){.service = service,
                                                         .operations = &operations,
                                                         .connected = on_connected,
                                                         .disconnected = on_disconnected},
                                &host);
}

static void attach(part *to, const shmrpc_service_info *service, uint64_t number)
{
    int rc = attach_status(to, service, number);

    ck_assert_msg(rc == 0, "%s: %s", shmrpc_status_text(rc), shmrpc_last_error());
}

/* Nothing of it is left in the host, and everybody has been told. */
static void detach(part *from)
{
    ck_assert_int_eq(shmrpc_server_detach(&from->base), 0);
    ck_assert_ptr_null(from->base.implementation);
    ck_assert_uint_eq(atomic_load(&from->connected), atomic_load(&from->disconnected));
}

static int on_raw(shmrpc_lane_server *server, const shmrpc_lane_request *request, size_t *ret_size)
{
    (void)server;
    memcpy(request->reply, request->data, request->size);
    *ret_size = request->size;
    return 0;
}

/* ---- the host ---- */

static void make(uint32_t workers)
{
    const shmrpc_server_options options = {.workers = workers, .session_state_size = sizeof(uint64_t)};

    ck_assert_msg(shmrpc_host_init(&host, NAME, &options) == 0, "%s", shmrpc_last_error());
}

static void *run(void *unused)
{
    (void)unused;
    return shmrpc_host_run(&host) == 0 ? &host : NULL;
}

static void start(void)
{
    ck_assert_int_eq(pthread_create(&host_thread, NULL, run, NULL), 0);
}

static void stop(void)
{
    void *result = NULL;

    shmrpc_host_stop(&host);
    ck_assert_int_eq(pthread_join(host_thread, &result), 0);
    ck_assert_ptr_eq(result, &host);
    ck_assert_uint_eq(shmrpc_host_counters(&host).sessions_open, 0);
}

static int connect_status(shmrpc_client **ret, const shmrpc_service_info *service)
{
    const shmrpc_client_options options = {.wait_for_server = true};

    return shmrpc_client_connect(ret, NAME, service, &options);
}

static shmrpc_client *connect_to(const shmrpc_service_info *service)
{
    shmrpc_client *client = NULL;
    int rc = connect_status(&client, service);

    ck_assert_msg(rc == 0, "%s: %s", shmrpc_status_text(rc), shmrpc_last_error());
    return client;
}

static uint64_t ask(shmrpc_client *client, uint32_t method)
{
    probe_value reply = {0};
    int rc = shmrpc_client_call(client, method, NULL, &reply, shmrpc_in_s(20));

    ck_assert_msg(rc == 0, "%s: %s", shmrpc_status_text(rc), shmrpc_last_error());
    return reply.value;
}

static void begin(void)
{
    probe_case_begin();
    ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
}

static void end(void)
{
    ck_assert(!atomic_load(&wrong));
    probe_case_end();
}

/* ---- several ---- */

START_TEST(offers_several_services_behind_one_name)
{
    static const shmrpc_lane_handlers raw_handlers = {.request = on_raw};
    part parts[2];
    shmrpc_lane_server raw;
    shmrpc_client *clients[2][2];
    shmrpc_lane *lane = NULL;
    char reply[8];

    make((uint32_t)_i);
    attach(&parts[0], &red, 100);
    attach(&parts[1], &blue, 200);
    ck_assert_int_eq(shmrpc_lane_server_attach(&raw, &raw_handlers, NULL, &host), 0);
    start();
    for (int i = 0; i < 4; i++) {
        clients[i / 2][i % 2] = connect_to(i / 2 == 0 ? &red : &blue);
    }
    ck_assert_int_eq(shmrpc_lane_connect(&lane, NAME, NULL, NULL), 0);
    for (uint64_t round = 1; round <= 100; round++) {
        for (int i = 0; i < 4; i++) {
            ck_assert_uint_eq(ask(clients[i / 2][i % 2], METHOD_WHO), i / 2 == 0 ? 100 : 200);
            ck_assert_uint_eq(ask(clients[i / 2][i % 2], METHOD_ADD), round);
        }
        ck_assert_int_eq(shmrpc_lane_call(lane, 1, "raw", 4, reply, sizeof(reply), NULL, shmrpc_in_s(20)), 0);
        ck_assert_str_eq(reply, "raw");
    }
    ck_assert_uint_eq(atomic_load(&parts[0].connected), 2);
    ck_assert_uint_eq(atomic_load(&parts[1].connected), 2);
    ck_assert_uint_eq(shmrpc_server_counters(&parts[0].base).sessions_open, 2);
    ck_assert_uint_eq(shmrpc_server_counters(&raw.base).sessions_open, 1);
    ck_assert_uint_eq(shmrpc_host_counters(&host).sessions_open, 5);
    for (int i = 0; i < 4; i++) {
        shmrpc_client_free(clients[i / 2][i % 2]);
    }
    shmrpc_lane_free(lane);
    stop();
    ck_assert_uint_eq(shmrpc_server_counters(&parts[0].base).calls, 400);
    ck_assert_uint_eq(shmrpc_server_counters(&parts[1].base).calls, 400);
    ck_assert_uint_eq(shmrpc_server_counters(&raw.base).calls, 100);
    ck_assert_uint_eq(shmrpc_host_counters(&host).calls, 900);
    shmrpc_host_deinit(&host);
    /* It has taken out what was left in it. */
    ck_assert_ptr_null(parts[0].base.implementation);
    ck_assert_ptr_null(raw.base.implementation);
    shmrpc_server_deinit(&parts[0].base);
    ck_assert_uint_eq(atomic_load(&parts[1].disconnected), 2);
}
END_TEST

START_TEST(refuses_what_it_does_not_offer_and_says_what_it_does)
{
    part parts[2];
    shmrpc_client *client = NULL;

    make(1);
    start();
    ck_assert_int_eq(connect_status(&client, &green), SHMRPC_E_REFUSED);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "the server offers nothing, not 'test.hosts.Green'"));
    attach(&parts[0], &red, 1);
    ck_assert_int_eq(connect_status(&client, &green), SHMRPC_E_REFUSED);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "the server offers test.hosts.Red, not 'test.hosts.Green'"));
    attach(&parts[1], &blue, 2);
    ck_assert_int_eq(connect_status(&client, &green), SHMRPC_E_REFUSED);
    ck_assert_ptr_nonnull(
        strstr(shmrpc_last_error(), "the server offers test.hosts.Red, test.hosts.Blue, not 'test.hosts.Green'"));
    stop();
    ck_assert_uint_eq(shmrpc_host_counters(&host).sessions_refused, 3);
    shmrpc_host_deinit(&host);
}
END_TEST

/* ---- coming and going ---- */

typedef struct detaching {
    pthread_t thread;
    part *from;
    _Atomic bool is_done;
    int status;
} detaching;

static void *detach_in_thread(void *argument)
{
    detaching *self = argument;

    self->status = shmrpc_server_detach(&self->from->base);
    atomic_store(&self->is_done, true);
    return NULL;
}

START_TEST(takes_a_service_out_when_its_running_handler_has_returned)
{
    part parts[2];
    detaching taking = {.from = &parts[1]};
    shmrpc_call calls[2] = {0};
    probe_value reply = {0};

    make((uint32_t)_i);
    attach(&parts[0], &red, 1);
    attach(&parts[1], &blue, 2);
    start();
    shmrpc_client *stays = connect_to(&red);
    shmrpc_client *goes = connect_to(&blue);
    shmrpc_client *idles = connect_to(&blue);
    ck_assert_uint_eq(ask(idles, METHOD_WHO), 2);
    shmrpc_client_batch_begin(goes);
    ck_assert_int_eq(shmrpc_call_start(goes, &calls[0], METHOD_GATE, NULL, shmrpc_in_s(20), NULL), 0);
    ck_assert_int_eq(shmrpc_call_start(goes, &calls[1], METHOD_ADD, NULL, shmrpc_in_s(20), NULL), 0);
    ck_assert_int_eq(shmrpc_client_batch_end(goes), 0);
    tally_await(&at_gate, 1);
    ck_assert_int_eq(pthread_create(&taking.thread, NULL, detach_in_thread, &taking), 0);
    /* Those of other services go on, where there is a worker for them. */
    for (uint64_t n = 1; _i > 1 && n <= 500; n++) {
        ck_assert_uint_eq(ask(stays, METHOD_ADD), n);
    }
    /* It waits for the handler, and everybody else for it. */
    rest_await();
    ck_assert(!atomic_load(&taking.is_done));
    ck_assert_int_eq(sem_post(&gate), 0);
    /* The call that had been begun is answered; the one behind it was not begun. */
    ck_assert_int_eq(shmrpc_call_wait(&calls[0], NULL), 0);
    ck_assert_int_eq(shmrpc_call_wait(&calls[1], &reply), SHMRPC_E_NOT_EXECUTED);
    ck_assert_int_eq(pthread_join(taking.thread, NULL), 0);
    ck_assert_int_eq(taking.status, 0);
    ck_assert_uint_eq(atomic_load(&parts[1].connected), 2);
    ck_assert_uint_eq(atomic_load(&parts[1].disconnected), 2);
    /* Whether it knows before it sends or after. */
    int rc = shmrpc_client_call(idles, METHOD_WHO, NULL, &reply, shmrpc_in_s(20));
    ck_assert(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED);
    ck_assert_int_eq(connect_status(&goes, &blue), SHMRPC_E_REFUSED);
    ck_assert_uint_eq(ask(stays, METHOD_WHO), 1);
    ck_assert_uint_eq(shmrpc_server_counters(&parts[0].base).sessions_open, 1);
    /* What it counted is not lost. */
    ck_assert_uint_eq(shmrpc_host_counters(&host).sessions_accepted, 3);
    ck_assert_uint_eq(shmrpc_host_counters(&host).sessions_open, 1);

    /* Another one of the same name. */
    part again;
    attach(&again, &blue, 3);
    shmrpc_client *new = connect_to(&blue);
    ck_assert_uint_eq(ask(new, METHOD_WHO), 3);
    ck_assert_uint_eq(ask(new, METHOD_ADD), 1);
    shmrpc_client_free(new);
    shmrpc_client_free(goes);
    shmrpc_client_free(idles);
    detach(&again);
    shmrpc_client_free(stays);
    stop();
    shmrpc_host_deinit(&host);
}
END_TEST

START_TEST(takes_a_service_out_while_everybody_sleeps)
{
    part parts[2];

    make((uint32_t)_i);
    attach(&parts[0], &red, 1);
    attach(&parts[1], &blue, 2);
    start();
    shmrpc_client *stays = connect_to(&red);
    shmrpc_client *goes = connect_to(&blue);
    ck_assert_uint_eq(ask(goes, METHOD_WHO), 2);
    rest_await();
    detach(&parts[1]);
    ck_assert_int_eq(shmrpc_client_state(goes), SHMRPC_CLIENT_GONE);
    ck_assert_uint_eq(ask(stays, METHOD_WHO), 1);
    shmrpc_client_free(goes);
    shmrpc_client_free(stays);
    stop();
    shmrpc_host_deinit(&host);
}
END_TEST

#define CALLERS 3

static _Atomic bool callers_stop;
static _Atomic unsigned answered;
static _Atomic unsigned refused;

/* Is this how a call may end whose service is taken out? */
static bool is_fair_end(int rc)
{
    return rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED || rc == SHMRPC_E_UNKNOWN;
}

static void *call_whoever_is_there(void *unused)
{
    (void)unused;
    while (!atomic_load(&callers_stop)) {
        shmrpc_client *client = NULL;
        int rc = connect_status(&client, &blue);

        if (rc != 0) {
            /* Or its handshake was cut off. */
            (void)atomic_fetch_add(&refused, 1);
            if (rc != SHMRPC_E_REFUSED && rc != SHMRPC_E_UNAVAILABLE) {
                atomic_store(&wrong, true);
            }
            continue;
        }
        for (uint64_t n = 1; !atomic_load(&callers_stop); n++) {
            probe_value reply = {0};

            rc = shmrpc_client_call(client, METHOD_ADD, NULL, &reply, shmrpc_in_s(20));
            if (rc != 0) {
                break;
            }
            tally_up(&answered);
            if (reply.value != n) {
                atomic_store(&wrong, true);
            }
        }
        if (rc != 0 && !is_fair_end(rc)) {
            atomic_store(&wrong, true);
        }
        shmrpc_client_free(client);
    }
    return NULL;
}

START_TEST(services_come_and_go_under_load)
{
    pthread_t threads[CALLERS];
    part parts[2];

    make((uint32_t)_i);
    attach(&parts[0], &red, 1);
    start();
    shmrpc_client *stays = connect_to(&red);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_whoever_is_there, NULL), 0);
    }
    for (uint64_t round = 1; round <= 40; round++) {
        unsigned so_far = atomic_load(&answered);

        attach(&parts[1], &blue, 2);
        tally_await(&answered, so_far + 5);
        detach(&parts[1]);
        ck_assert_uint_eq(ask(stays, METHOD_ADD), round);
    }
    atomic_store(&callers_stop, true);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    shmrpc_client_free(stays);
    stop();
    ck_assert_uint_ge(shmrpc_host_counters(&host).calls, atomic_load(&answered) + 40);
    shmrpc_host_deinit(&host);
}
END_TEST

/* ---- counters ---- */

START_TEST(counts_for_each_method_and_each_session)
{
    shmrpc_session_counts counted[4];
    shmrpc_client *clients[3];
    part parts[2];

    make((uint32_t)_i);
    attach(&parts[0], &red, 1);
    attach(&parts[1], &blue, 2);
    start();
    for (int i = 0; i < 3; i++) {
        clients[i] = connect_to(i < 2 ? &red : &blue);
        for (int n = 0; n < 10 * (i + 1); n++) {
            (void)ask(clients[i], METHOD_ADD);
        }
    }
    ck_assert_int_eq(shmrpc_client_call(clients[1], METHOD_ABSENT, NULL, NULL, shmrpc_in_s(20)),
                     SHMRPC_E_UNIMPLEMENTED);
    (void)ask(clients[1], METHOD_WHO);
    /* A call is counted when it has been answered: here by another thread. */
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    do {
        ck_assert(test_now_ns() < until_ns);
        ck_assert_uint_eq(shmrpc_server_session_counters(&parts[0].base, counted, 4), 2);
    } while (counted[0].calls + counted[1].calls < 10 + 20 + 2);
    ck_assert_uint_lt(counted[0].session, counted[1].session);
    ck_assert_uint_eq(counted[0].calls, 10);
    ck_assert_uint_eq(counted[0].calls_failed, 0);
    ck_assert_uint_eq(counted[1].calls, 22);
    ck_assert_uint_eq(counted[1].calls_failed, 1);
    ck_assert_int_eq(counted[1].peer.pid, getpid());
    ck_assert_uint_eq(counted[1].lanes, 1);
    ck_assert_uint_eq(shmrpc_server_method_counters(&parts[0].base, METHOD_ADD).calls, 30);
    ck_assert_uint_eq(shmrpc_server_method_counters(&parts[0].base, METHOD_WHO).calls, 1);
    ck_assert_uint_eq(shmrpc_server_method_counters(&parts[0].base, METHOD_ABSENT).calls_failed, 1);
    ck_assert_uint_eq(shmrpc_server_method_counters(&parts[0].base, METHODS).calls, 0);
    /* With less room, or none, and of nobody. */
    counted[1].calls = 7;
    ck_assert_uint_eq(shmrpc_server_session_counters(&parts[0].base, counted, 1), 2);
    ck_assert_uint_eq(counted[1].calls, 7);
    ck_assert_uint_eq(shmrpc_server_session_counters(&parts[1].base, NULL, 0), 1);
    ck_assert_uint_eq(shmrpc_server_session_counters(NULL, NULL, 0), 0);
    ck_assert_uint_eq(shmrpc_server_method_counters(NULL, 0).calls, 0);
    for (int i = 0; i < 3; i++) {
        shmrpc_client_free(clients[i]);
    }
    stop();
    ck_assert_uint_eq(shmrpc_server_session_counters(&parts[0].base, NULL, 0), 0);
    ck_assert_uint_eq(shmrpc_server_method_counters(&parts[1].base, METHOD_ADD).calls, 30);
    shmrpc_host_deinit(&host);
}
END_TEST

/* ---- misuse ---- */

START_TEST(says_what_is_wrong)
{
    part parts[2];
    shmrpc_host none = {0};

    ck_assert_int_eq(shmrpc_host_init(NULL, NAME, NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_init(&host, NULL, NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_run(&none), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_fd(&none), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_dispatch(NULL, 1), SHMRPC_E_MISUSE);
    shmrpc_host_stop(&none);
    shmrpc_host_deinit(&none);
    ck_assert_uint_eq(shmrpc_host_counters(&none).calls, 0);
    ck_assert_int_eq(attach_status(&parts[0], &red, 1), SHMRPC_E_MISUSE);

    make(1);
    attach(&parts[0], &red, 1);
    ck_assert_int_eq(attach_status(&parts[1], &red, 2), SHMRPC_E_IN_USE);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "test.hosts.Red"));
    ck_assert_ptr_null(parts[1].base.implementation);
    ck_assert_int_eq(shmrpc_server_detach(&parts[1].base), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_detach(NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_attach(NULL, NULL, &host), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_attach(&parts[1].base, &(shmrpc_server_binding){0}, &host), SHMRPC_E_MISUSE);
    /* The host runs it. */
    ck_assert_int_eq(shmrpc_server_run(&parts[0].base), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_fd(&parts[0].base), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_server_dispatch(&parts[0].base, 1), SHMRPC_E_MISUSE);
    /* Out and in before anybody runs. */
    detach(&parts[0]);
    attach(&parts[0], &red, 1);
    start();
    shmrpc_client *client = connect_to(&red);
    ck_assert_int_eq(-(int)ask(client, METHOD_DETACH), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(ask(client, METHOD_WHO), 1);
    ck_assert_int_eq(shmrpc_host_run(&host), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_fd(&host), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_host_dispatch(&host, 1), SHMRPC_E_MISUSE);
    shmrpc_client_free(client);
    stop();
    ck_assert_int_eq(attach_status(&parts[1], &blue, 2), SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(shmrpc_host_run(&host), SHMRPC_E_MISUSE);
    /* deinit() of an attached server takes it out. */
    shmrpc_server_deinit(&parts[0].base);
    ck_assert_ptr_null(parts[0].base.implementation);
    shmrpc_host_deinit(&host);
    shmrpc_host_deinit(&host);
}
END_TEST

START_TEST(a_server_of_its_own_is_not_attached)
{
    static const int operations;
    const shmrpc_server_binding binding = {.service = &red, .operations = &operations};
    shmrpc_server alone;

    ck_assert_int_eq(shmrpc_server_init(&alone, &binding, NAME, NULL), 0);
    ck_assert_int_eq(shmrpc_server_detach(&alone), SHMRPC_E_MISUSE);
    shmrpc_server_deinit(&alone);
}
END_TEST

static Suite *hosts_suite(void)
{
    Suite *suite = suite_create("ipc_hosts");
    TCase *tests = tcase_create("hosts");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, offers_several_services_behind_one_name, 1, 4);
    tcase_add_test(tests, refuses_what_it_does_not_offer_and_says_what_it_does);
    tcase_add_loop_test(tests, takes_a_service_out_when_its_running_handler_has_returned, 1, 4);
    tcase_add_loop_test(tests, takes_a_service_out_while_everybody_sleeps, 1, 4);
    tcase_add_loop_test(tests, services_come_and_go_under_load, 1, 4);
    tcase_add_loop_test(tests, counts_for_each_method_and_each_session, 1, 4);
    tcase_add_test(tests, says_what_is_wrong);
    tcase_add_test(tests, a_server_of_its_own_is_not_attached);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(hosts_suite)

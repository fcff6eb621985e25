/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome_service.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe_server.h"

#define HELD_MAX 64

/* ---- tables ---- */

static shmrpc_invoke handle_call, handle_later;

static const shmrpc_type_info request_type = {
    .name = "test.ipc.OutcomeRequest",
    .fingerprint = UINT64_C(0x0a00000000000001),
    .size = sizeof(outcome_request),
    .min_size = sizeof(outcome_request),
};

static const shmrpc_type_info reply_type = {
    .name = "test.ipc.OutcomeReply",
    .fingerprint = UINT64_C(0x0a00000000000002),
    .size = sizeof(outcome_reply),
    .min_size = sizeof(outcome_reply),
};

static const shmrpc_error_info error_items[] = {{.name = "OUTCOME", .code = OUTCOME_ERROR}};
static const shmrpc_errors_info errors = {"test.ipc.OutcomeErrors", UINT64_C(0x0a00000000000003), error_items, 1};

static const shmrpc_method_info methods[OUTCOME_METHODS] = {
    [OUTCOME_CALL] = {.name = "call",
                      .fingerprint = UINT64_C(0x0a00000000000010),
                      .request = &request_type,
                      .reply = &reply_type,
                      .errors = &errors,
                      .invoke = handle_call},
    [OUTCOME_LATER] = {.name = "later",
                       .fingerprint = UINT64_C(0x0a00000000000011),
                       .request = &request_type,
                       .reply = &reply_type,
                       .errors = &errors,
                       .invoke = handle_later},
};

const shmrpc_service_info outcome_service = {
    .abi = &shmrpc_generated_abi_3,
    .name = "test.ipc.Outcomes",
    .method_count = OUTCOME_METHODS,
    .methods = methods,
};

/* ---- handlers ---- */

/* What the thread beside is told: a call to answer, or (id 0) to answer those that it holds. */
typedef struct order {
    shmrpc_later later;
    outcome_request request;
} order;

static outcome_server *serving; /* of this process */

static void note(const outcome_request *request)
{
    if (request->number < OUTCOME_NUMBERS)
        atomic_fetch_add(&serving->state->begun[request->number], 1);
    atomic_fetch_add(&serving->state->begun_count, 1);
}

static int handle_call(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    const outcome_request *asked = request;
    char byte;

    (void)server;
    (void)context;
    note(asked);
    ((outcome_reply *)reply)->number = asked->number;
    switch (asked->what) {
    case OUTCOME_THROW: return OUTCOME_ERROR;
    case OUTCOME_EXPIRE: return SHMRPC_E_EXPIRED;
    case OUTCOME_HOLD:
        atomic_store(&serving->state->holding, asked->number);
        (void)!read(serving->gate[0], &byte, 1);
        atomic_store(&serving->state->holding, 0);
        return 0;
    default: return 0;
    }
}

static int handle_later(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    order wanted = {.request = *(const outcome_request *)request};

    (void)server;
    (void)reply;
    note(&wanted.request);
    wanted.later = shmrpc_context_defer(context);
    if (wanted.later.id == 0 || write(serving->desk[1], &wanted, sizeof(wanted)) != sizeof(wanted))
        return SHMRPC_E_INTERNAL;
    return SHMRPC_DEFERRED;
}

static void answer(const order *wanted)
{
    const outcome_reply reply = {wanted->request.number};

    switch (wanted->request.what) {
    case OUTCOME_THROW: (void)shmrpc_later_fail(wanted->later, OUTCOME_ERROR); break;
    case OUTCOME_EXPIRE: (void)shmrpc_later_fail(wanted->later, SHMRPC_E_EXPIRED); break;
    case OUTCOME_LINGER:
        while (!shmrpc_later_is_cancelled(wanted->later))
            await_pause();
        (void)shmrpc_later_fail(wanted->later, SHMRPC_E_AGAIN);
        break;
    default: (void)shmrpc_later_reply(wanted->later, &reply); break;
    }
}

/* The thread beside; it ends with an order for nothing. */
static void *answer_later(void *data)
{
    order held[HELD_MAX];
    order wanted;
    unsigned count = 0;

    (void)data;
    while (read(serving->desk[0], &wanted, sizeof(wanted)) == sizeof(wanted)) {
        if (wanted.later.id != 0 && wanted.request.what == OUTCOME_HOLD && count < HELD_MAX) {
            held[count++] = wanted;
            atomic_fetch_add(&serving->state->put_off, 1);
        } else if (wanted.later.id != 0) {
            answer(&wanted);
        } else if (wanted.request.what == OUTCOME_HOLD) {
            while (count > 0) {
                answer(&held[--count]);
                atomic_fetch_sub(&serving->state->put_off, 1);
            }
        } else {
            break;
        }
    }
    return NULL;
}

/* ---- the process ---- */

static shmrpc_server server;

static void on_terminate(int signal_number)
{
    (void)signal_number;
    shmrpc_server_stop(&server);
}

static int init(const shmrpc_server_options *options)
{
    static const int operations;
    const shmrpc_server_binding binding = {.service = &outcome_service, .operations = &operations};

    return shmrpc_server_init(&server, &binding, "outcomes", options);
}

static int serve(child_link *link, void *data)
{
    const order enough = {0};
    pthread_t beside;

    (void)link;
    if (init(&(shmrpc_server_options){.spin_ns = *(const int64_t *)data}) != 0)
        return 1;
    struct sigaction action = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &action, NULL);
    child_check(pthread_create(&beside, NULL, answer_later, NULL) == 0, "a thread beside");
    atomic_store(&serving->state->serves, true);
    int rc = shmrpc_server_run(&server);
    child_check(write(serving->desk[1], &enough, sizeof(enough)) == sizeof(enough), "tell it to end");
    (void)pthread_join(beside, NULL);
    shmrpc_server_deinit(&server);
    return rc == 0 ? 0 : 2;
}

static void prepare(outcome_server *self, outcome_state *state)
{
    memset(state, 0, sizeof(*state));
    *self = (outcome_server){.state = state};
    ck_assert_int_eq(pipe2(self->gate, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(self->desk, O_CLOEXEC), 0);
    serving = self;
}

void outcome_server_start(outcome_server *self, outcome_state *state, int64_t spin_ns)
{
    prepare(self, state);
    child_spawn(&self->process, serve, &spin_ns);
    await_true(atomic_load(&state->serves));
}

void outcome_release(outcome_server *self)
{
    ck_assert_int_eq(write(self->gate[1], "x", 1), 1);
}

void outcome_release_later(outcome_server *self)
{
    const order all = {.request = {.what = OUTCOME_HOLD}};

    ck_assert_int_eq(write(self->desk[1], &all, sizeof(all)), sizeof(all));
}

static void close_pipes(outcome_server *self)
{
    for (unsigned i = 0; i < 2; i++) {
        (void)close(self->gate[i]);
        (void)close(self->desk[i]);
    }
}

void outcome_server_stop(outcome_server *self)
{
    ck_assert_int_eq(kill(self->process.pid, SIGTERM), 0);
    child_expect_exit(&self->process, 0);
    close_pipes(self);
}

void outcome_server_kill(outcome_server *self)
{
    child_kill(&self->process);
    close_pipes(self);
    probe_forget("outcomes");
}

/* ---- within this process ---- */

static void *run(void *data)
{
    (void)data;
    return shmrpc_server_run(&server) == 0 ? NULL : &server;
}

void outcome_here_start(outcome_server *self, outcome_state *state, uint32_t workers, unsigned desks)
{
    prepare(self, state);
    ck_assert_int_eq(init(&(shmrpc_server_options){.workers = workers}), 0);
    for (self->desks = 0; self->desks < desks; self->desks++)
        ck_assert_int_eq(pthread_create(&self->beside[self->desks], NULL, answer_later, NULL), 0);
    ck_assert_int_eq(pthread_create(&self->runs, NULL, run, NULL), 0);
}

void outcome_here_stop(outcome_server *self)
{
    const order enough = {0};
    void *result = NULL;

    shmrpc_server_stop(&server);
    ck_assert_int_eq(pthread_join(self->runs, &result), 0);
    ck_assert_ptr_null(result);
    for (unsigned i = 0; i < self->desks; i++)
        ck_assert_int_eq(write(self->desk[1], &enough, sizeof(enough)), sizeof(enough));
    for (unsigned i = 0; i < self->desks; i++)
        ck_assert_int_eq(pthread_join(self->beside[i], NULL), 0);
    shmrpc_server_deinit(&server);
    close_pipes(self);
}

outcome_state *outcome_state_new(void)
{
    outcome_state *state = mmap(NULL, sizeof(outcome_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(state, MAP_FAILED);
    return state;
}

void outcome_state_free(outcome_state *state)
{
    ck_assert_int_eq(munmap(state, sizeof(*state)), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_service.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "probe_server.h"

/* ---- tables ---- */

static const shmrpc_type_info request_type = {.name = "test.Request",
                                              .fingerprint = 1,
                                              .size = sizeof(pool_request),
                                              .min_size = sizeof(pool_request)};
static const shmrpc_type_info reply_type = {.name = "test.Reply",
                                            .fingerprint = 2,
                                            .size = sizeof(pool_reply),
                                            .min_size = sizeof(pool_reply)};
static const shmrpc_type_info reason_type = {.name = "test.Reason",
                                             .fingerprint = 3,
                                             .size = sizeof(pool_reason),
                                             .min_size = sizeof(pool_reason)};
static const shmrpc_error_info error_items[] = {{"PLAIN", POOL_ERROR_PLAIN, NULL},
                                                {"REASON", POOL_ERROR_REASON, &reason_type}};
const shmrpc_errors_info pool_errors = {"test.Error", 4, error_items, 2};

static shmrpc_invoke handle_work, handle_note;

static const shmrpc_method_info methods[POOL_METHODS] = {
    [POOL_WORK] = {"work", 5, 0, 0, 0, &request_type, &reply_type, &pool_errors, handle_work, NULL, NULL},
    [POOL_NOTE] = {"note", 6, SHMRPC_METHOD_ONEWAY, 0, 0, &request_type, NULL, NULL, handle_note, NULL, NULL},
};
const shmrpc_service_info pool_service = {.abi = &shmrpc_generated_abi_3,
                                          .name = "test.Pool",
                                          .version = 1,
                                          .method_count = POOL_METHODS,
                                          .methods = methods};

/* ---- the server's process ---- */

typedef struct job {
    shmrpc_later later;
    pool_request request;
} job;

static shmrpc_server server;
static pool_state *state;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static job jobs[POOL_JOBS]; /* oldest first */
static unsigned job_count;
static _Atomic(bool) ends;

static int handle_work(shmrpc_server *by, shmrpc_context *context, const void *request, void *reply)
{
    shmrpc_later later = shmrpc_context_defer(context);

    (void)by;
    (void)reply;
    if (later.id == 0) {
        atomic_fetch_add(&state->not_put_off, 1);
        return SHMRPC_E_LIMIT;
    }
    pthread_mutex_lock(&lock);
    child_check(job_count < POOL_JOBS, "more calls than the pool takes");
    jobs[job_count].later = later;
    memcpy(&jobs[job_count++].request, request, sizeof(pool_request));
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&state->put_off, 1);
    return SHMRPC_DEFERRED;
}

static int handle_note(shmrpc_server *by, shmrpc_context *context, const void *request, void *reply)
{
    (void)by;
    (void)context;
    (void)request;
    (void)reply;
    atomic_fetch_add(&state->notes, 1);
    return 0;
}

static bool take_job(job *ret_job)
{
    unsigned which;

    pthread_mutex_lock(&lock);
    bool any = job_count != 0;
    if (any) {
        which = atomic_load(&state->newest_first) ? job_count - 1 : 0;
        *ret_job = jobs[which];
        job_count--;
        memmove(&jobs[which], &jobs[which + 1], (job_count - which) * sizeof(jobs[0]));
    }
    pthread_mutex_unlock(&lock);
    return any;
}

static int answer(const job *todo)
{
    uint64_t value = todo->request.value;
    pool_reason reason = {.value = value};

    switch (todo->request.how) {
    case POOL_PLAIN: return shmrpc_later_fail(todo->later, POOL_ERROR_PLAIN);
    case POOL_STATUS: return shmrpc_later_fail(todo->later, SHMRPC_E_UNAVAILABLE);
    case POOL_THROW:
        memset(reason.bytes, (uint8_t)value, sizeof(reason.bytes));
        return shmrpc_later_throw(todo->later, POOL_ERROR_REASON, &reason);
    default: return shmrpc_later_reply(todo->later, &(pool_reply){value + 1});
    }
}

static void *pool_main(void *data)
{
    job todo;

    (void)data;
    for (;;) {
        while (sem_wait(&state->let) != 0) {
        }
        if (atomic_load(&ends))
            return NULL;
        if (!take_job(&todo)) {
            atomic_fetch_add(&state->confused, 1);
            continue;
        }
        bool cancelled = shmrpc_later_is_cancelled(todo.later);
        while (!cancelled && atomic_load(&state->awaits_cancel))
            cancelled = shmrpc_later_is_cancelled(todo.later);
        int rc = answer(&todo);
        /* What is answered is done with. */
        bool again = answer(&todo) != SHMRPC_E_MISUSE;
        atomic_fetch_add(&state->seen_cancelled, cancelled);
        atomic_fetch_add(again || (rc != 0 && rc != SHMRPC_E_CANCELLED) ? &state->confused
                         : rc == 0                                      ? &state->answered
                                                                        : &state->dropped,
                         1);
    }
}

static void on_term(int number)
{
    (void)number;
    shmrpc_server_stop(&server);
}

static void on_disconnected(shmrpc_server *by, shmrpc_session *session, int why)
{
    (void)by;
    (void)session;
    (void)why;
    atomic_fetch_add(&state->disconnected, 1);
}

static int pool_server_main(child_link *link, void *data)
{
    const int64_t *stop_timeout_ns = data;
    const shmrpc_server_binding binding = {.service = &pool_service, .disconnected = on_disconnected};
    const shmrpc_server_options options = {.stop_timeout_ns = *stop_timeout_ns};
    pthread_t pool[POOL_THREADS];

    (void)link;
    child_check(shmrpc_server_init(&server, &binding, "pool", &options) == 0, "init");
    child_check(sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL) == 0, "sigaction");
    for (int i = 0; i < POOL_THREADS; i++)
        child_check(pthread_create(&pool[i], NULL, pool_main, NULL) == 0, "a thread of the pool");
    atomic_store(&state->serves, true);
    child_check(shmrpc_server_run(&server) == 0, "run");
    atomic_store(&ends, true);
    for (int i = 0; i < POOL_THREADS; i++)
        sem_post(&state->let);
    for (int i = 0; i < POOL_THREADS; i++)
        pthread_join(pool[i], NULL);
    /* Answers that nobody came to are dropped; until then their lanes are kept. */
    for (unsigned i = 0; i < job_count; i++)
        child_check(shmrpc_later_fail(jobs[i].later, SHMRPC_E_AGAIN) == SHMRPC_E_CANCELLED, "an answer after the end");
    shmrpc_server_deinit(&server);
    return 0;
}

/* ---- the test's process ---- */

void pool_start(pool_server *self, int64_t stop_timeout_ns)
{
    state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(state, MAP_FAILED);
    ck_assert_int_eq(sem_init(&state->let, 1, 0), 0);
    self->state = state;
    child_spawn(&self->process, pool_server_main, &stop_timeout_ns);
    await_true(atomic_load(&self->state->serves));
}

void pool_ask_to_stop(const pool_server *self)
{
    ck_assert_int_eq(kill(self->process.pid, SIGTERM), 0);
}

void pool_end(pool_server *self)
{
    pool_ask_to_stop(self);
    child_expect_exit(&self->process, 0);
    ck_assert_uint_eq(atomic_load(&self->state->confused), 0);
    sem_destroy(&self->state->let);
    munmap(self->state, sizeof(*self->state));
}

void pool_let(pool_server *self, unsigned calls)
{
    for (unsigned i = 0; i < calls; i++)
        ck_assert_int_eq(sem_post(&self->state->let), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include "bench.shm.h"
#include "measure.h"
#include "question.h"
#include "stamp.h"

#include <shmrpc/status.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS_PER_CLIENT 4 /* of a server; a client has fewer */
#define DESCRIPTORS_BESIDES 64
#define CALLS_BEFORE 2000 /* that are not timed */

/* ---- processes ---- */

/* A child that is told to go on by one pipe, and says by the other that it is ready. */
typedef struct child {
    pid_t pid;
    int ready; /* read by the parent, written by the child */
    int go;    /* the reverse; its end means to go on as well */
} child;

static _Noreturn void child_fail(const char *what)
{
    fprintf(stderr, "bench_clients: %s: %s\n", what, shmrpc_last_error());
    _exit(EXIT_UNUSABLE);
}

static void child_begin(pid_t parent, int core)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    if (core != CROWD_ANY_CORE) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)core, &set);
        (void)sched_setaffinity(0, sizeof(set), &set);
    }
}

/* Returns 0 in the child; its pid; or -errno, said why. `ret_self`: either's ends of the pipes. */
static pid_t child_start(child *ret_self, int core)
{
    const pid_t parent = getpid();
    int ready[2] = {-1, -1}, go[2] = {-1, -1};
    pid_t pid = -1;

    if (pipe(ready) == 0 && pipe(go) == 0) {
        fflush(stdout);
        pid = fork();
    }
    if (pid < 0) {
        int r = -errno;

        fprintf(stderr, "bench_clients: no process: %s\n", strerror(-r));
        for (int i = 0; i < 2; i++) {
            if (ready[i] >= 0) {
                close(ready[i]);
            }
            if (go[i] >= 0) {
                close(go[i]);
            }
        }
        return r;
    }
    close(ready[pid == 0 ? 0 : 1]);
    close(go[pid == 0 ? 1 : 0]);
    *ret_self = (child){pid, ready[pid == 0 ? 1 : 0], go[pid == 0 ? 0 : 1]};
    if (pid == 0) {
        child_begin(parent, core);
    }
    return pid;
}

/* In the child. */
static void child_tell(const child *self)
{
    if (write(self->ready, "r", 1) != 1) {
        _exit(EXIT_UNUSABLE);
    }
}

static void child_await(const child *self)
{
    char byte;

    while (read(self->go, &byte, 1) < 0 && errno == EINTR) {
    }
}

/* In the parent: 0; -EINTR; -EIO: it has ended instead, and has said why. */
static int child_heed(const child *self)
{
    char byte;
    ssize_t n;

    do {
        n = read(self->ready, &byte, 1);
    } while (n < 0 && errno == EINTR && !question_interrupted());
    if (n == 1) {
        return 0;
    }
    return question_interrupted() ? -EINTR : -EIO;
}

static void child_send(child *self)
{
    close(self->go);
    self->go = -1;
}

static void child_forget(const child *self)
{
    close(self->ready);
    if (self->go >= 0) {
        close(self->go);
    }
}

static void child_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Waits for its end by itself. 0; -EINTR and -EIO as above, and it is ended. */
static int child_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR || question_interrupted()) {
            child_kill(pid);
            return -EINTR;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -EIO;
}

/* ---- what they do ---- */

static bench_server server;

static int handle_add(bench_server *self, bench_add_context *context, const bench_operands *request, bench_sum *reply)
{
    (void)self;
    (void)context;
    reply->value = (int64_t)request->left + request->right;
    return 0;
}

static const bench_ops operations = {.add = handle_add};

static _Noreturn void serve(const child *self, const char *name, uint32_t workers, uint32_t clients)
{
    const shmrpc_server_options options = {.workers = workers, .max_sessions = clients};

    if (bench_server_init(&server, &operations, name, &options) != 0) {
        child_fail("no server");
    }
    child_tell(self);
    if (bench_server_run(&server) != 0) {
        child_fail("the server failed");
    }
    _exit(EXIT_SUCCESS);
}

static bench_client *connect_to(const char *name)
{
    const shmrpc_client_options options = {.connect_timeout_ns = INT64_C(30000000000)};
    bench_client *client;

    if (bench_connect(&client, name, &options) != 0) {
        child_fail("a client");
    }
    return client;
}

static inline void call(bench_client *client, uint32_t number)
{
    const bench_operands request = {.left = measure_left(number), .right = MEASURE_RIGHT};
    bench_sum reply;

    if (bench_add(client, &request, &reply, shmrpc_in_ms(10000)) != 0) {
        child_fail("a call");
    }
    if (reply.value != measure_answer(number)) {
        fprintf(stderr, "bench_clients: a wrong answer\n");
        _exit(EXIT_UNUSABLE);
    }
}

static _Noreturn void hold(const child *self, const char *name, uint32_t clients)
{
    child_tell(self);
    child_await(self);
    for (uint32_t i = 0; i < clients; i++) {
        call(connect_to(name), i);
    }
    child_tell(self);
    for (;;) {
        pause();
    }
}

static _Noreturn void call_timed(const char *name, measure_samples *samples)
{
    bench_client *client = connect_to(name);
    uint64_t previous;

    for (uint32_t i = 0; i < CALLS_BEFORE; i++) {
        call(client, i);
    }
    previous = stamp_now();
    for (uint32_t i = 0; i < samples->calls; i++) {
        uint64_t now;

        call(client, i);
        now = stamp_now();
        samples->call_ticks[i] = now - previous;
        previous = now;
    }
    samples->timed_calls = samples->calls;
    bench_client_free(client);
    _exit(EXIT_SUCCESS);
}

/* What those who call at once share with their parent. */
typedef struct board {
    _Alignas(64) _Atomic bool is_over;
    struct {
        _Alignas(64) uint64_t calls;
    } callers[CROWD_CALLERS_MAX];
} board;

static _Noreturn void call_at_once(const child *self, const char *name, board *shared, uint32_t number)
{
    bench_client *client = connect_to(name);
    uint32_t calls = 0;

    call(client, 0);
    child_tell(self);
    child_await(self);
    while (!atomic_load_explicit(&shared->is_over, memory_order_relaxed)) {
        call(client, calls++);
    }
    shared->callers[number].calls = calls;
    bench_client_free(client);
    _exit(EXIT_SUCCESS);
}

/* ---- a crowd ---- */

int crowd_begin(crowd *self, const char *name, uint32_t clients, uint32_t workers, int core)
{
    child made = {0};
    pid_t pid;
    int r;

    *self = (crowd){0};
    (void)snprintf(self->name, sizeof(self->name), "%s", name);
    pid = child_start(&made, core);
    if (pid == 0) {
        serve(&made, self->name, workers, clients);
    }
    if (pid < 0) {
        return pid;
    }
    self->server = pid;
    r = child_heed(&made);
    child_forget(&made);
    return r;
}

int crowd_add(crowd *self, uint32_t clients, int core, crowd_told *told, void *data)
{
    pid_t *holders = realloc(self->holders, (self->holder_count + 1) * sizeof(*holders));
    child made = {0};
    pid_t pid;
    int r;

    if (!holders) {
        fprintf(stderr, "bench_clients: out of memory\n");
        return -ENOMEM;
    }
    self->holders = holders;
    pid = child_start(&made, core);
    if (pid == 0) {
        hold(&made, self->name, clients);
    }
    if (pid < 0) {
        return pid;
    }
    self->holders[self->holder_count++] = pid;
    self->clients += clients;
    r = child_heed(&made);
    if (r == 0 && told) {
        r = told(pid, data);
    }
    child_send(&made);
    if (r == 0) {
        r = child_heed(&made);
    }
    child_forget(&made);
    return r;
}

void crowd_end(crowd *self)
{
    while (self->holder_count > 0) {
        child_kill(self->holders[--self->holder_count]);
    }
    if (self->server > 0) {
        child_kill(self->server);
    }
    free(self->holders);
    *self = (crowd){0};
}

int crowd_time(const crowd *self, measure_samples *samples, int core)
{
    child made = {0};
    pid_t pid;

    samples->timed_calls = 0;
    pid = child_start(&made, core);
    if (pid == 0) {
        call_timed(self->name, samples);
    }
    if (pid < 0) {
        return pid;
    }
    child_forget(&made);
    return child_wait(pid);
}

static void rest(uint32_t ms)
{
    const uint64_t end_ns = stamp_clock_ns() + ms * UINT64_C(1000000);
    uint64_t now_ns;

    while ((now_ns = stamp_clock_ns()) < end_ns && !question_interrupted()) {
        (void)poll(NULL, 0, (int)((end_ns - now_ns + 999999) / 1000000));
    }
}

int crowd_run(const crowd *self, uint32_t callers, int core, uint32_t ms, uint64_t *ret_calls, uint64_t *ret_ns)
{
    board *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child made[CROWD_CALLERS_MAX] = {{0}};
    uint32_t started = 0;
    uint64_t begin_ns;
    int r = 0;

    if (shared == MAP_FAILED) {
        fprintf(stderr, "bench_clients: out of memory\n");
        return -ENOMEM;
    }
    while (started < callers && r == 0) {
        pid_t pid = child_start(&made[started], core);

        if (pid == 0) {
            /* Others are told to go by the end of their pipes, which is not to be held open here. */
            for (uint32_t i = 0; i < started; i++) {
                child_forget(&made[i]);
            }
            call_at_once(&made[started], self->name, shared, started);
        }
        r = pid < 0 ? (int)pid : child_heed(&made[started]);
        started += pid > 0;
    }
    begin_ns = stamp_clock_ns();
    for (uint32_t i = 0; i < started; i++) {
        child_send(&made[i]);
    }
    if (r == 0) {
        rest(ms);
    }
    atomic_store_explicit(&shared->is_over, true, memory_order_relaxed);
    *ret_ns = stamp_clock_ns() - begin_ns;
    for (uint32_t i = 0; i < started; i++) {
        int ended = child_wait(made[i].pid);

        r = r == 0 ? ended : r;
        child_forget(&made[i]);
        ret_calls[i] = shared->callers[i].calls;
    }
    munmap(shared, sizeof(*shared));
    return question_interrupted() ? -EINTR : r;
}

int crowd_raise_descriptors(uint32_t clients)
{
    const rlim_t needed = (rlim_t)clients * DESCRIPTORS_PER_CLIENT + DESCRIPTORS_BESIDES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return -errno;
    }
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed) {
        fprintf(stderr,
                "bench_clients: a server of %u clients needs %" PRIu64 " open files, and the hard limit is %" PRIu64
                ": raise it (ulimit -Hn), or take fewer --clients\n",
                clients, (uint64_t)needed, (uint64_t)limit.rlim_max);
        return -EMFILE;
    }
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

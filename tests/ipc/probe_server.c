/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe_handlers.h"

/* ---- state ---- */

probe_state *probe_state_new(void)
{
    probe_state *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_msg(state != MAP_FAILED, "mmap: %s", strerror(errno));
    return state;
}

void probe_state_free(probe_state *state)
{
    if (state != NULL)
        munmap(state, sizeof(*state));
}

bool probe_state_has_line(probe_state *state, const char *text)
{
    uint64_t count = atomic_load(&state->warnings);

    for (uint64_t i = 0; i < count && i < PROBE_LINES; i++)
        if (strstr(state->lines[i], text) != NULL)
            return true;
    return false;
}

static _Atomic(probe_state *) log_state;

/* Lines come from the threads that use the library: the next free place is taken before the line is written. */
static void log_receive(const shmrpc_log_entry *entry)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    probe_state *state = atomic_load(&log_state);

    if (state == NULL)
        return;
    if (entry->level == SHMRPC_LOG_INFO) {
        if (entry->event == SHMRPC_LOG_SERVER_STARTED)
            atomic_store(&state->serves, true);
        return;
    }
    pthread_mutex_lock(&mutex);
    uint64_t count = atomic_load(&state->warnings);
    if (count < PROBE_LINES) {
        size_t length = strnlen(entry->line, PROBE_LINE_SIZE - 1);
        memcpy(state->lines[count], entry->line, length);
        state->lines[count][length] = '\0';
    }
    atomic_store(&state->warnings, count + 1);
    pthread_mutex_unlock(&mutex);
}

void probe_log_to(probe_state *state)
{
    atomic_store(&log_state, state);
    shmrpc_log_set(state != NULL ? log_receive : NULL, SHMRPC_LOG_INFO);
}

void await_pause(void)
{
    struct timespec pause = {.tv_nsec = 100000};

    ppoll(NULL, 0, &pause, NULL);
}

/* ---- a case ---- */

static counts held_before;

bool probe_has_semaphores(void)
{
    const char *without = getenv("SHMRPC_WITHOUT");

    return without != NULL && strcmp(without, "futex") == 0;
}

bool probe_skips_semaphores(const char *why)
{
    if (!probe_has_semaphores())
        return false;
    test_skip("semaphores: %s", why);
    return true;
}

void probe_case_begin(void)
{
    runtime_dir_make();
    counts_take(&held_before);
}

void probe_case_end(void)
{
    counts_expect_same(&held_before);
    runtime_dir_remove();
}

void probe_forget(const char *name)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/%s", runtime_dir_path(), name), 0);
    ck_assert_msg(unlink(path) == 0, "unlink %s: %s", path, strerror(errno));
    free(path);
}

/* ---- the server ---- */

int probe_server_init(probe_server *server, probe_state *state, int gate, const probe_setup *setup)
{
    static const int operations; /* handlers find all that they need in the server; only the address counts */
    const probe_setup defaults = {0};

    if (setup == NULL)
        setup = &defaults;
    shmrpc_server_options options = setup->options != NULL ? *setup->options : (shmrpc_server_options){0};
    options.session_state_size = sizeof(probe_session);
    const shmrpc_server_binding binding = {
        .service = setup->service != NULL ? setup->service : &probe_service,
        .operations = &operations,
        .connected = probe_handle_connected,
        .disconnected = probe_handle_disconnected,
    };

    *server = (probe_server){.state = state, .gate = gate};
    int rc = shmrpc_server_init(&server->base, &binding, setup->name != NULL ? setup->name : "probe", &options);
    if (rc == 0 && shmrpc_server_operations(&server->base) != &operations) {
        shmrpc_server_deinit(&server->base);
        rc = SHMRPC_E_MISUSE;
    }
    atomic_store(&state->init_status, rc);
    return rc;
}

static shmrpc_server *signalled_server;

static void on_terminate(int signal_number)
{
    (void)signal_number;
    shmrpc_server_stop(signalled_server);
}

int probe_server_main(probe_state *state, int gate, const probe_setup *setup)
{
    probe_server server;

    probe_log_to(state);
    if (probe_server_init(&server, state, gate, setup) != 0)
        return PROBE_EXIT_INIT;
    signalled_server = &server.base;
    struct sigaction action = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &action, NULL);
    atomic_store(&state->pid, getpid());
    int rc = shmrpc_server_run(&server.base);
    atomic_store(&state->run_status, rc);
    state->final_counts = shmrpc_server_counters(&server.base);
    shmrpc_server_deinit(&server.base);
    shmrpc_client_free(server.beyond);
    probe_log_to(NULL);
    return rc == 0 ? 0 : PROBE_EXIT_RUN;
}

typedef struct process_start {
    probe_state *state;
    int gate_out, gate_in;
    const probe_setup *setup;
    bool checks_leaks;
} process_start;

/* Of AddressSanitizer, where the test is built with it: are there allocations that nothing points to? */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static bool has_leaked(void)
{
    return __lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0;
}

static int process_main(child_link *link, void *data)
{
    const process_start *start = data;

    (void)link;
    close(start->gate_in);
    int status = probe_server_main(start->state, start->gate_out, start->setup);
    return status == 0 && start->checks_leaks && has_leaked() ? PROBE_EXIT_LEAK : status;
}

static void gate_make(int *ret_out, int *ret_in)
{
    int gate[2];

    ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
    *ret_out = gate[0];
    *ret_in = gate[1];
}

void probe_process_start(probe_process *process, const probe_setup *setup)
{
    /* What other threads hold looks lost in a child, which does not have their stacks. */
    process_start start = {.setup = setup, .checks_leaks = counts_threads_of(getpid()) == 1};

    *process = (probe_process){.state = setup != NULL ? setup->state : NULL};
    if (process->state == NULL) {
        process->state = probe_state_new();
        process->owns_state = true;
    }
    atomic_store(&process->state->pid, 0);
    atomic_store(&process->state->serves, false);
    gate_make(&start.gate_out, &start.gate_in);
    start.state = process->state;
    child_spawn(&process->child, process_main, &start);
    process->gate_out = start.gate_out;
    process->gate_in = start.gate_in;
    await_true(atomic_load(&process->state->serves) || atomic_load(&process->state->init_status) != 0);
    ck_assert_msg(atomic_load(&process->state->init_status) == 0, "the server cannot start: %s",
                  shmrpc_status_text(atomic_load(&process->state->init_status)));
}

static void process_end(probe_process *process)
{
    probe_gate_open(process);
    if (process->gate_out >= 0)
        close(process->gate_out);
    process->gate_out = -1;
    if (process->owns_state)
        probe_state_free(process->state);
    process->state = NULL;
}

void probe_process_stop(probe_process *process)
{
    ck_assert_int_eq(kill(process->child.pid, SIGTERM), 0);
    child_expect_exit(&process->child, 0);
    process_end(process);
}

void probe_process_kill(probe_process *process)
{
    child_kill(&process->child);
    process_end(process);
}

void probe_gate_pass(probe_process *process, unsigned int calls)
{
    while (calls-- > 0)
        ck_assert_int_eq(write(process->gate_in, "x", 1), 1);
}

void probe_gate_open(probe_process *process)
{
    if (process->gate_in >= 0)
        close(process->gate_in);
    process->gate_in = -1;
}

void probe_gate_drain(probe_process *process)
{
    struct pollfd gate = {.fd = process->gate_out, .events = POLLIN};
    char byte;

    while (poll(&gate, 1, 0) == 1 && (gate.revents & POLLIN) != 0)
        ck_assert_int_eq(read(process->gate_out, &byte, 1), 1);
}

/* ---- as a thread ---- */

static void *thread_main(void *data)
{
    probe_thread *thread = data;

    atomic_store(&thread->state->run_status, shmrpc_server_run(&thread->server.base));
    return NULL;
}

void probe_thread_start(probe_thread *thread, const probe_setup *setup)
{
    *thread = (probe_thread){.state = probe_state_new()};
    gate_make(&thread->gate_out, &thread->gate_in);
    assert_status(probe_server_init(&thread->server, thread->state, thread->gate_out, setup), 0);
    ck_assert_int_eq(pthread_create(&thread->thread, NULL, thread_main, thread), 0);
}

void probe_thread_stop(probe_thread *thread)
{
    shmrpc_server_stop(&thread->server.base);
    ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
    assert_status(atomic_load(&thread->state->run_status), 0);
    shmrpc_server_deinit(&thread->server.base);
    close(thread->gate_in);
    close(thread->gate_out);
    probe_state_free(thread->state);
}

int probe_start(shmrpc_client *client, shmrpc_call *call, uint32_t method, uint64_t value, shmrpc_deadline deadline,
                shmrpc_done *done)
{
    return shmrpc_call_start(client, call, method, &(probe_value){value}, deadline, done);
}

void probe_expect_echo(shmrpc_call *call, uint64_t value)
{
    uint64_t reply = ~value;

    assert_status(shmrpc_call_wait(call, &reply), 0);
    ck_assert_uint_eq(reply, value);
}

bool probe_is_shared(const void *at)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;

    while (!found && maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        char *rest;
        uintptr_t begin = strtoul(line, &rest, 16), end = strtoul(rest + 1, NULL, 16);

        if ((uintptr_t)at >= begin && (uintptr_t)at < end)
            found = strstr(line, "memfd:shmrpc") != NULL;
    }
    if (maps != NULL)
        (void)fclose(maps);
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_server.h - a server of the probe service: as a process or as a thread of the test.
 *
 * What it sees is written to a page that it shares with the test, and counts up only; the test awaits a state there
 * with await_true(). Handlers that hold wait at a gate, which is a pipe: each byte lets one of them pass, and closing
 * it lets all pass.
 *
 * Invariants: the fields of probe_state are written by the server's side alone, except where a line says otherwise. A
 * probe process ends with exit status 0 where run() returned 0, and with PROBE_EXIT_... otherwise.
 */
#ifndef SHMRPC_TEST_PROBE_SERVER_H
#define SHMRPC_TEST_PROBE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include <shmrpc/log.h>
#include <shmrpc/server.h>

#include "probe_service.h"
#include "test_support.h"

#define PROBE_EXIT_INIT 10 /* server_init() failed: probe_state.init_status says how */
#define PROBE_EXIT_RUN 11
#define PROBE_EXIT_LEAK 13    /* memory that was allocated and lost; known under AddressSanitizer only */
#define PROBE_EXIT_SYSCALL 12 /* a system call after PROBE_SEAL: probe_state.forbidden_syscall */

#define PROBE_LINES 16
#define PROBE_LINE_SIZE 240

typedef struct probe_state {
    _Atomic(int) init_status, run_status;
    _Atomic(pid_t) pid;             /* once it listens */
    _Atomic(bool) serves;           /* once it has all that it needs for that */
    _Atomic(uint64_t) begun, ended; /* handlers, of all methods */
    _Atomic(uint64_t) holding;      /* value of the call at the gate; 0: none */
    _Atomic(uint64_t) notes, notes_sum;
    _Atomic(uint64_t) notes_at_mark; /* how many there were when the last one of value 0 came */
    _Atomic(uint64_t) lingered;      /* of PROBE_LINGER: how many saw that they were cancelled */
    _Atomic(int64_t) relay_held_ns;  /* the last PROBE_RELAY: how long it was at the gate */
    _Atomic(int) places;             /* the last PROBE_PLACES: 1: the request was in shared memory, 2: the reply was */
    _Atomic(int64_t) helpers;        /* of PROBE_FORK that live; counted down by them */
    _Atomic(uint64_t) connected, disconnected;
    _Atomic(uint64_t) disconnected_why[8]; /* by shmrpc_why */
    _Atomic(uint64_t) lifecycle_errors;    /* a session whose state was not zero, or that came or went twice */
    _Atomic(pid_t) peer_pid;               /* of the session that connected last */
    _Atomic(uid_t) peer_uid;
    _Atomic(gid_t) peer_gid;
    _Atomic(uint64_t) last_session;
    _Atomic(uint64_t) warnings;               /* lines of level warning and error */
    char lines[PROBE_LINES][PROBE_LINE_SIZE]; /* the first of these; written before `warnings` counts them */
    shmrpc_server_counts final_counts;        /* when run() has returned */
    _Atomic(long) forbidden_syscall;
} probe_state;

/* In a page shared with all children forked from here on. */
probe_state *probe_state_new(void);
void probe_state_free(probe_state *state);

/* Empty means: has any of the lines logged so far this text in it? */
bool probe_state_has_line(probe_state *state, const char *text);

/*
 * A fixture in place of runtime_dir_make() and runtime_dir_remove(): it also counts what the case's process holds, and
 * fails the case where anything is left of it in the end: descriptors, mappings, threads, children, files.
 */
void probe_case_begin(void);

/* Do clients of this run ring by semaphores? */
bool probe_has_semaphores(void);

/* Skips the running case, which then returns, where clients of this run ring by semaphores. */
bool probe_skips_semaphores(const char *why);
void probe_case_end(void);

/* Is this an address in memory that a client and a server share? */
bool probe_is_shared(const void *at);

/* What handlers find by container_of. */
typedef struct probe_server {
    shmrpc_server base;
    probe_state *state;
    int gate;
    shmrpc_client *beyond; /* of PROBE_RELAY; once there was one */
} probe_server;

/* What a test may choose; zero is a good choice. */
typedef struct probe_setup {
    const char *name;                     /* NULL: "probe" */
    const shmrpc_service_info *service;   /* NULL: &probe_service */
    const shmrpc_server_options *options; /* NULL: zeros; session_state_size is set here in any case */
    probe_state *state;                   /* NULL: a new one, freed with the process */
} probe_setup;

/* init(), run(), deinit() in this process and thread; for children of a test. Returns the exit status. */
int probe_server_main(probe_state *state, int gate, const probe_setup *setup);

/* Only init(): with the binding that the above uses. */
int probe_server_init(probe_server *server, probe_state *state, int gate, const probe_setup *setup);

/* Lets lines of the log reach `state`: of this process. NULL: none. */
void probe_log_to(probe_state *state);

typedef struct probe_process {
    child child;
    int gate_out, gate_in;
    probe_state *state;
    bool owns_state;
} probe_process;

/* Returns when the server serves; fails the case where it cannot. `setup` may be NULL. */
void probe_process_start(probe_process *process, const probe_setup *setup);

/* SIGTERM: its handler calls shmrpc_server_stop(). Fails the case unless it ends with 0. */
void probe_process_stop(probe_process *process);

/* kill -9, and what was left of it here; also where the process has ended by itself. */
void probe_process_kill(probe_process *process);

/* Lets `calls` handlers pass the gate; or all, from now on. */
void probe_gate_pass(probe_process *process, unsigned int calls);
void probe_gate_open(probe_process *process);

/* Takes back what was let pass and has not come. */
void probe_gate_drain(probe_process *process);

typedef struct probe_thread {
    probe_server server;
    pthread_t thread;
    probe_state *state;
    int gate_in, gate_out;
} probe_thread;

void probe_thread_start(probe_thread *thread, const probe_setup *setup);
void probe_thread_stop(probe_thread *thread);

/* Removes the socket that a server of this name left when it was killed. */
void probe_forget(const char *name);

/* Looks again, about every 100 us, until the condition holds; fails the case after TEST_PATIENCE_MS. */
#define await_true(condition)                                                                             \
    do {                                                                                                  \
        uint64_t await_until_ns = test_deadline_ns(TEST_PATIENCE_MS);                                     \
        while (!(condition)) {                                                                            \
            ck_assert_msg(test_remaining_ms(await_until_ns) > 0, "this never came true: %s", #condition); \
            await_pause();                                                                                \
        }                                                                                                 \
    } while (0)

void await_pause(void);

/* Names the status that was not expected. */
#define assert_status(call, wanted)                                                                            \
    do {                                                                                                       \
        int assert_status_got = (call);                                                                        \
        ck_assert_msg(assert_status_got == (wanted), "%s: %d (%s: %s), not %d (%s)", #call, assert_status_got, \
                      shmrpc_status_text(assert_status_got), shmrpc_last_error(), (int)(wanted),               \
                      shmrpc_status_text(wanted));                                                             \
    } while (0)

/* A call in flight of a method that takes a value; and its end, where it answers with that value. */
SHMRPC_NODISCARD int probe_start(shmrpc_client *client, shmrpc_call *call, uint32_t method, uint64_t value,
                                 shmrpc_deadline deadline, shmrpc_done *done);
void probe_expect_echo(shmrpc_call *call, uint64_t value);

#endif

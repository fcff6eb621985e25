/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - child processes of a test, and a line to talk with each.
 *
 * A child is a function that is forked or a program that is started. Parent and
 * child each hold one end of a link, a pipe in both directions, over which they
 * hand bytes to and fro: that is how tests synchronise.
 *
 * Invariants: a forked child never returns into Check; what its function returns
 * is its exit status. A helper that fails in the parent fails the running case; in
 * a child it ends the child with CHILD_BROKEN, which no test uses for itself. A
 * child dies with the main thread of its parent, so that a case that fails leaves
 * none behind. Each child that is started is ended by one of child_expect_exit(),
 * child_expect_signal() and child_kill(), which close the link and reap.
 */
#ifndef SHMRPC_TEST_CHILD_H
#define SHMRPC_TEST_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#define CHILD_BROKEN 99

typedef struct child_link {
    int in;  /* read what the other side sends */
    int out; /* written here, read by the other side */
} child_link;

typedef struct child {
    pid_t pid;       /* 0 once reaped */
    child_link link; /* for a program: its standard output and standard input */
} child;

/* What a forked child runs. Must not use Check's assertions: return a status, or child_check(). */
typedef int child_main_fn(child_link *link, void *data);

void child_spawn(child *ret_child, child_main_fn *run, void *data);

/* Starts a program (looked up in PATH where it has no '/'); `argv` ends with NULL. Standard error is shared. */
void child_start(child *ret_child, const char *const argv[]);

/* In a child: goes on where `fine`, else prints `what` to standard error and ends it with CHILD_BROKEN. */
void child_check(bool fine, const char *what);

/* Waits for the end and fails unless it ended with exit(status), or by that signal. */
void child_expect_exit(child *process, int status);
void child_expect_signal(child *process, int signal_number);

/* kill(SIGKILL), wait, close the link. The child may be stopped or dead already. */
void child_kill(child *process);

/* Waits until the child is stopped by SIGSTOP, sent here; the reverse goes on at once. */
void child_stop(child *process);
void child_continue(child *process);

/* Whole messages: both fail where the other side is gone or TEST_PATIENCE_MS passes. */
void link_send(child_link *link, const void *bytes, size_t length);
void link_receive(child_link *link, void *ret_bytes, size_t length);

/* A handshake of one byte: link_await() fails unless the byte that comes is `step`. */
void link_signal(child_link *link, char step);
void link_await(child_link *link, char step);

/* True where the other side closed its end and all that it sent was read; waits for that or for a byte. */
bool link_await_closed(child_link *link);

/* One line without its '\n', NUL-terminated; fails where it does not fit. Returns its length. */
size_t link_read_line(child_link *link, char *ret_line, size_t size);

#endif

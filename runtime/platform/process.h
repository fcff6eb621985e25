/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - this process, this thread, and whether another process still lives.
 */
#ifndef SHMRPC_PLATFORM_PROCESS_H
#define SHMRPC_PLATFORM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Another number in each forked child: a handle that remembers a number other than this belongs to an ancestor.
 * The first call registers a fork handler, so a number from before it means nothing after a fork: ask before
 * anything is made that a child must not use. fork() runs handlers; vfork() and a bare clone() do not. 0: there was no
 * memory for the handler.
 */
uint32_t process_generation(void);

/* Initial-exec: one word of static TLS is to be had even by a library that is loaded late. 0: not numbered yet. */
extern _Thread_local uintptr_t process_thread_own __attribute__((tls_model("initial-exec")));

/* Gives the calling thread its number. */
uintptr_t process_thread_number(void);

/*
 * A number that no other thread of this process has or had, and that the thread which calls fork() has not in the child
 * (once process_generation() has been called); never 0. Costs one load.
 */
static inline uintptr_t process_thread(void)
{
    return process_thread_own != 0 ? process_thread_own : process_thread_number();
}

/* Is it the calling thread's number? `number` may be 0, which is nobody's. */
static inline bool process_thread_is(uintptr_t number)
{
    return number != 0 && number == process_thread_own;
}

/* The calling thread has another number from here on: what bears the old one is nobody's. */
void process_thread_retire(void);

/* The user as whom this process acts. */
uid_t process_user(void);

/* A pidfd that several have, in any threads: the last who leaves closes it. NULL is none. */
typedef struct process_share {
    _Atomic uint32_t references;
    int pidfd;
} process_share;

/* Takes the pidfd. NULL: there was no memory, and it is closed. */
process_share *process_share_new(int pidfd);
process_share *process_enter(process_share *share);
void process_leave(process_share *share);

/* Has the process of this pidfd ended (a zombie has)? Never blocks. false for -1. */
bool process_has_ended(int pidfd);

#endif

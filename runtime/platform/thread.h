/* SPDX-License-Identifier: Apache-2.0 */
/* thread.h - threads that are the library's own, and holding off the end of those that are not. */
#ifndef SHMRPC_PLATFORM_THREAD_H
#define SHMRPC_PLATFORM_THREAD_H

#include <pthread.h>

#define THREAD_NAME_MAX 15 /* bytes; the kernel's limit */

/*
 * Starts a thread in which every signal is blocked, so that none of the program's handlers runs there; `name` is what
 * tools show. The caller joins it. The caller's own signal mask is as before. 0 or -errno.
 */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *data), void *data);

/*
 * From here to thread_release(), which takes what this returns, pthread_cancel() does not end the calling thread: what it
 * has in its hands would stay there. May be nested. Costs no system call.
 */
int thread_hold(void);
void thread_release(int held);

#endif

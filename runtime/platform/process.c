/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_once_t generation_once = PTHREAD_ONCE_INIT;
static bool generation_is_counted;
static _Atomic uint32_t generation = 1;

_Thread_local uintptr_t process_thread_own;
static _Atomic uintptr_t threads;

/* Runs in the child, in the one thread that it has. */
static void generation_advance(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
    process_thread_own = 0;
}

static void generation_register(void)
{
    generation_is_counted = pthread_atfork(NULL, NULL, generation_advance) == 0;
}

uint32_t process_generation(void)
{
    (void)pthread_once(&generation_once, generation_register);
    if (!generation_is_counted) {
        return 0;
    }
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

uintptr_t process_thread_number(void)
{
    process_thread_own = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1;
    return process_thread_own;
}

void process_thread_retire(void)
{
    process_thread_own = 0;
}

process_share *process_share_new(int pidfd)
{
    process_share *share = malloc(sizeof(*share));

    if (share == NULL) {
        (void)close(pidfd);
        return NULL;
    }
    *share = (process_share){1, pidfd};
    return share;
}

process_share *process_enter(process_share *share)
{
    if (share != NULL) {
        atomic_fetch_add_explicit(&share->references, 1, memory_order_relaxed);
    }
    return share;
}

void process_leave(process_share *share)
{
    int held;

    if (share == NULL || atomic_fetch_sub_explicit(&share->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    held = thread_hold();
    (void)close(share->pidfd);
    thread_release(held);
    free(share);
}

bool process_has_ended(int pidfd)
{
    struct pollfd poller = {.fd = pidfd, .events = POLLIN};
    int r;

    do {
        r = poll(&poller, 1, 0);
    } while (r < 0 && errno == EINTR);
    return r > 0 && (poller.revents & (POLLIN | POLLHUP)) != 0;
}

uid_t process_user(void)
{
    return geteuid();
}

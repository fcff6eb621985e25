/* SPDX-License-Identifier: Apache-2.0 */
#include "semaphore.h"

#include "clock.h"
#include "thread.h"

#include <assert.h>
#include <errno.h>

void semaphore_init(sem_t *semaphore)
{
    int r = sem_init(semaphore, 1, 0);

    assert(r == 0);
    (void)r;
}

void semaphore_post(sem_t *semaphore)
{
    int saved = errno;

    (void)sem_post(semaphore);
    errno = saved;
}

int semaphore_wait(sem_t *semaphore, int64_t timeout_ns)
{
    int64_t slice_ns = timeout_ns < SEMAPHORE_SLICE_NS ? timeout_ns : SEMAPHORE_SLICE_NS;
    struct timespec end = clock_timespec(clock_after_ns(slice_ns));

    int held = thread_hold(); /* as where one sleeps in a futex */
    int rc = sem_clockwait(semaphore, CLOCK_MONOTONIC, &end) == 0 ? 0 : -errno;

    thread_release(held);
    return rc;
}

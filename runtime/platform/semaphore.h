/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semaphore.h - sleeping on a POSIX semaphore that two processes share: the doorbell for systems without futexes.
 *
 * The semaphore lies in memory that the peer can write. What a peer can do with it is to wake who sleeps there, or not
 * to; the C library follows no pointer in it.
 */
#ifndef SHMRPC_PLATFORM_SEMAPHORE_H
#define SHMRPC_PLATFORM_SEMAPHORE_H

#include <semaphore.h>
#include <stdint.h>

/* The longest that anybody sleeps at one go: who waits has other things to look at. */
#define SEMAPHORE_SLICE_NS INT64_C(100000000)

/* Not signalled. In shared memory, before the other side may use it. */
void semaphore_init(sem_t *semaphore);

/* Wakes one sleeper, or the next one. A semaphore that is full is as good as posted. */
void semaphore_post(sem_t *semaphore);

/*
 * Sleeps until it is posted, at most timeout_ns and at most SEMAPHORE_SLICE_NS. 0: it was posted (perhaps long ago: look
 * again); -ETIMEDOUT; -EINTR; -errno.
 */
int semaphore_wait(sem_t *semaphore, int64_t timeout_ns);

#endif

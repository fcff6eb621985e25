/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barrier.h - a fence that one process makes in the threads of others, so that these need none of their own.
 *
 * Of two threads that each store and then load what the other stores, both need a full fence between the two. Where one
 * does so often and the other hardly ever, the latter can make both fences: barrier_make() is one in the calling thread,
 * and in every running thread of the processes that have joined. A thread that does not run has had one when it stopped.
 */
#ifndef SHMRPC_PLATFORM_BARRIER_H
#define SHMRPC_PLATFORM_BARRIER_H

/* The threads of this process take part from here on. 0, also where it has joined before; or -errno. Any thread. */
int barrier_join(void);

/* 0; or -errno, where the kernel or a filter of system calls does not allow it, and there was no fence at all. */
int barrier_make(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts.h - what a process holds: taken before and after, it shows what was left behind.
 *
 * Counted are open file descriptors, mappings that are backed by a file or a memfd (libraries aside), threads that are
 * not about to end, child processes (zombies too), entries of /dev/shm with our name in them, and entries of
 * $SHMRPC_DIR.
 *
 * What other processes are about to give back may be there for a moment longer, and no event tells when that ends; so
 * counts_expect_same() looks again for as long as something differs, up to a limit.
 */
#ifndef SHMRPC_TEST_COUNTS_H
#define SHMRPC_TEST_COUNTS_H

#include <stddef.h>

typedef struct counts {
    size_t fds;
    size_t mappings;
    size_t threads;
    size_t children;
    size_t shm_entries;
    size_t runtime_entries;
} counts;

/* Counts this process. */
void counts_take(counts *ret_counts);

/* Fails the case unless this process holds what it held then; prints its fds and mappings where it does not. */
void counts_expect_same(const counts *before);

/* The same for one count of another process: its open file descriptors, or its threads. 0 where it is gone. */
size_t counts_fds_of(long pid);
size_t counts_threads_of(long pid);

/* Processor time that a process, with all of its threads, has used. */
unsigned long long counts_cpu_time_ns_of(long pid);

#endif

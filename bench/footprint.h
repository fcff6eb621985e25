/* SPDX-License-Identifier: Apache-2.0 */
/*
 * footprint.h - what memory a process has, as far as it grows with clients.
 *
 * Private memory is counted by shares (Pss_Anon): pages that a fork still shares with its parent count once among them.
 * Lanes are counted by the size of their mappings, whether their pages have been touched or not: they are allocated. Each
 * is mapped by both sides, so only one side's are to be counted. Not in it: files that are mapped, page tables, and what
 * the kernel has for descriptors.
 */
#ifndef BENCH_FOOTPRINT_H
#define BENCH_FOOTPRINT_H

#include <stdint.h>
#include <sys/types.h>

typedef struct footprint {
    uint64_t private_bytes;
    uint64_t lanes_bytes;
} footprint;

/* 0 or -errno; -ENOTSUP where the kernel does not say. */
int footprint_read(footprint *ret_found, pid_t pid);

#endif

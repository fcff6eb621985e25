/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feature.h - what the library uses of newer kernels, and can do without.
 *
 * Each is tried where it is used; where the kernel does not have it, or a filter of system calls refuses it, the
 * library goes another way. SHMRPC_WITHOUT, a list of names with commas between them, makes it go that way on any
 * kernel: for tests, and to tell whether a fault lies there (docs/portability.md). It is read once.
 */
#ifndef SHMRPC_PLATFORM_FEATURE_H
#define SHMRPC_PLATFORM_FEATURE_H

#include <stdbool.h>

#define FEATURE_VARIABLE "SHMRPC_WITHOUT"

typedef enum feature {
    FEATURE_FUTEX_WAITV, /* sleeping on two words: Linux 5.16 */
    FEATURE_MEMBARRIER,  /* a fence in other processes: Linux 4.16 */
    FEATURE_SCM_PIDFD,   /* the sender's pidfd with a packet: Linux 6.5 */
    FEATURE_FUTEX,       /* sleeping on a word: Linux 2.6; other systems have semaphores */
    FEATURE_COUNT,
} feature;

/* Is it not switched off? Any thread. */
bool feature_is_wanted(feature which);

/* What SHMRPC_WITHOUT names that is no feature: its first such word, of static storage; NULL where there is none. */
const char *feature_unknown(void);

/* All names as an error message lists them. */
const char *feature_names(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex.h - sleeping on a 32-bit word that two processes share.
 *
 * The word may lie in shared memory: the kernel identifies it by file and offset, so that each side's own mapping
 * names the same queue of sleepers.
 */
#ifndef SHMRPC_PLATFORM_FUTEX_H
#define SHMRPC_PLATFORM_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Sleeps while *word == expected, at most timeout_ns (CLOCK_NEVER: without limit). 0: woken, or the word differs;
 * -ETIMEDOUT; -EINTR; -errno. A return of 0 may be spurious: look again.
 */
int futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);

/*
 * Sleeps while *word == expected and *other == 0, the latter private to this process, at most timeout_ns. As above, and
 * -ENOSYS where the kernel or a filter of system calls does not allow it (Linux 5.16 does).
 */
int futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                      int64_t timeout_ns);

/* Wakes at most one sleeper. */
void futex_wake(const _Atomic uint32_t *word);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h - forbids system calls to the calling thread, and tells which one was tried.
 *
 * A seccomp filter traps every system call that is not on the list. The first one that is tried writes its number
 * to where the caller said and ends the process with the status that it said. What ends a process is always allowed.
 *
 * A thread cannot be unsealed: this is for children that end soon.
 */
#ifndef SHMRPC_TEST_SEAL_H
#define SHMRPC_TEST_SEAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* False where this kernel, or what runs it, has no seccomp filters; then nothing is forbidden. */
bool seal_system_calls(_Atomic(long) *ret_forbidden, int exit_status, const int *allowed, size_t allowed_count);

#endif

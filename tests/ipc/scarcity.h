/* SPDX-License-Identifier: Apache-2.0 */
/* scarcity.h - what a process may run out of: descriptors, address space, sizes of files, and system calls that fail. */
#ifndef SHMRPC_TEST_SCARCITY_H
#define SHMRPC_TEST_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The limit of a process that has so many descriptors to spare. */
rlim_t scarcity_descriptors(pid_t pid, unsigned int spare);

/* The address space that a process uses, in bytes. */
rlim_t scarcity_address_space(pid_t pid);

/* Sets the soft limit of any process of ours; the hard one stays. Returns what it was. Ends a child that cannot. */
rlim_t scarcity_limit(pid_t pid, int resource, rlim_t soft);

/* From here on these system calls fail with this errno, in this process for good. */
bool scarcity_fail_calls(const int *numbers, size_t count, int error);

#endif

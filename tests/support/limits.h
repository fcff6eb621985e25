/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - what this process may have, made less for a moment. */
#ifndef SHMRPC_TESTS_LIMITS_H
#define SHMRPC_TESTS_LIMITS_H

#include <sys/resource.h>

/* Put back before anything is asserted: Check needs memory and files as well. */
void limit_lower(int resource, rlim_t to, struct rlimit *ret_usual);
void limit_restore(int resource, const struct rlimit *usual);

#endif

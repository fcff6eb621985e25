/* SPDX-License-Identifier: Apache-2.0 */
/* resource_limit.h - what this process may have, made less for a moment. */
#ifndef SHMRPC_TEST_RESOURCE_LIMIT_H
#define SHMRPC_TEST_RESOURCE_LIMIT_H

#include <sys/resource.h>

/* To be put back before an assertion can fail: Check needs memory and files as well. */
void limit_lower(int resource, rlim_t to, struct rlimit *ret_usual);
void limit_restore(int resource, const struct rlimit *usual);

#endif

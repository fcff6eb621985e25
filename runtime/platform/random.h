/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h - bytes that nobody can guess.
 */
#ifndef SHMRPC_PLATFORM_RANDOM_H
#define SHMRPC_PLATFORM_RANDOM_H

#include <stddef.h>

/* Fills at most 256 bytes. Returns 0 or -errno. */
int random_bytes(void *bytes, size_t length);

#endif

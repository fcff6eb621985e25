/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - this process, and whether another one still lives.
 */
#ifndef SHMRPC_PLATFORM_PROCESS_H
#define SHMRPC_PLATFORM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Grows by one in each forked child: a handle that remembers another number belongs to an ancestor. First call registers (pthread_atfork). */
uint32_t process_generation(void);

/* A value that is unique to the calling thread while it lives; never 0. Costs one load. */
uintptr_t process_thread(void);

/* Has the process of this pidfd ended? Never blocks. false for -1. */
bool process_has_ended(int pidfd);

#endif

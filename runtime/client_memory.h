/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_memory.h - the memory that a client makes for a lane: what it asks for, what of the server's answer it takes,
 * how it makes it by its options, and what it got.
 */
#ifndef SHMRPC_CLIENT_MEMORY_H
#define SHMRPC_CLIENT_MEMORY_H

#include "control.h"
#include "region.h"

#include <shmrpc/client.h>

/* Bytes of an arena to ask for in Hello; 0: as the server finds right. The sizes in `hello` are filled in. */
uint64_t client_memory_wish(const shmrpc_client_options *options, const control_hello *hello);

/* Is the arena no larger than what was asked for, or would have been without asking? 0 or PROTOCOL. */
int client_memory_check(const control_hello *hello, const control_welcome *welcome);

/* Makes the lane's own memory, mapped. 0 or a status. */
int client_memory_make(const shmrpc_client_options *options, size_t size, void **ret_base, int *ret_descriptor);

/* Makes an arena likewise. */
int client_memory_make_arena(const shmrpc_client_options *options, size_t size, void **ret_base, int *ret_descriptor);

/* What the arena of a lane lies in, by its address alone. */
shmrpc_pages client_memory_pages(const region *memory);

#endif

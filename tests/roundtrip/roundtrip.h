/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roundtrip.h - what every suite here does with a message.
 *
 * By the tables alone, as the library does it: validated, stored, loaded again. And by a real call: a server in a thread
 * of this process, whose operations give back what they get.
 */
#ifndef SHMRPC_TEST_ROUNDTRIP_H
#define SHMRPC_TEST_ROUNDTRIP_H

#include <pthread.h>
#include <shmrpc/generated.h>
#include <stddef.h>

/* Sets all that has a meaning, in memory that may hold anything. */
typedef void roundtrip_fill(void *message);

/*
 * Fills a message in memory of zeros, of ones and of a pattern: each validates, and all are stored as the same
 * `expected_used` bytes; these, loaded into a default image, validate and are stored as the same bytes again. Where
 * nothing is stored nothing is written. Made ready where it lies, a message keeps what has a meaning.
 */
void roundtrip_check(const shmrpc_type_info *info, roundtrip_fill *fill, size_t expected_used);

/* Both messages have one canonical form. */
void roundtrip_expect_equal(const shmrpc_type_info *info, const void *a, const void *b);

/* The message is refused for this field. */
void roundtrip_expect_fault(const shmrpc_type_info *info, const void *message, const char *field, const char *reason,
                            uint64_t value, uint64_t limit);
void roundtrip_expect_valid(const shmrpc_type_info *info, const void *message);

/* Bytes of a valid message that are in use; what is beyond them in a receiver's memory may be anything. */
static inline size_t roundtrip_used(const shmrpc_type_info *info, const void *message)
{
    return info->used == NULL ? info->size : info->used(message);
}

/* What a receiver makes of `used` bytes: the default image, overlaid. `ret_message` has room for info->size. */
void roundtrip_load(const shmrpc_type_info *info, const void *image, size_t used, void *ret_message);

/* The canonical form in memory of its own, to be freed; *ret_used: how much of it travels. */
unsigned char *roundtrip_store(const shmrpc_type_info *info, const void *message, size_t *ret_used);

/* Serves in a thread from start to stop; `server` has been initialised. */
typedef struct roundtrip_host {
    pthread_t thread;
    shmrpc_server *server;
    int rc;
} roundtrip_host;

void roundtrip_start(roundtrip_host *host, shmrpc_server *server);
void roundtrip_stop(roundtrip_host *host); /* does nothing the second time */

#endif

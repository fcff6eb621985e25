/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata.h - what travels beside a request: names and texts, as a program gives them and as they lie in an envelope:
 * key, 0, value, 0, key, 0, value, 0 ...
 *
 * Invariants: `bytes` up to `length` are whole entries of valid keys, no key twice where set() made them, and `count` is
 * their number. The same bounds hold for what a peer sends (is_valid()).
 */
#ifndef SHMRPC_METADATA_H
#define SHMRPC_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#define METADATA_MAX 1024u
#define METADATA_ENTRIES_MAX 16u

typedef struct metadata {
    uint32_t length;
    uint32_t count;
    char bytes[METADATA_MAX];
} metadata;

/*
 * Gives a key a value in place of what it had; NULL: takes it away. `room`: bytes that all entries may have, at most
 * METADATA_MAX. 0; INVALID: not a key, or the value is no UTF-8; TOO_LARGE: more bytes or entries than there may be.
 * In case of failure nothing has changed.
 */
int metadata_set(metadata *self, uint32_t room, const char *key, const char *value);

/* The value of a key, within `self`; NULL: there is none. */
const char *metadata_find(const metadata *self, const char *key);

/* Are these bytes, in private memory, whole entries within the bounds? */
bool metadata_is_valid(const metadata *self);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the table behind the key/value service: open addressing with linear probing, a power of two of entries.
 *
 * Keys and values are stored as the messages have them. One thread. Time is the caller's: an entry whose end has
 * passed is as good as removed.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include "kv.shm.h"

#define STORE_CAPACITY 1024u /* entries; a store that is three quarters full takes no new keys */

typedef struct store_entry {
    enum { STORE_FREE, STORE_REMOVED, STORE_USED } use;
    kv_key key;
    kv_get_reply held; /* as get() returns it */
    int64_t ends_s;    /* when its life ends */
} store_entry;

typedef struct store {
    store_entry *entries;
    uint32_t used;
    uint32_t taken; /* used or removed: what probing has to pass */
    uint64_t revision;
} store;

/* false: out of memory. */
bool store_init(store *table);
void store_deinit(store *table);

/* The live entry of a key, or NULL. */
store_entry *store_find(store *table, const kv_key *key, int64_t now_s);

/* The entry of a key, made where there is none; NULL: the store is full. */
store_entry *store_insert(store *table, const kv_key *key, int64_t now_s);

void store_remove(store *table, store_entry *entry);

#endif

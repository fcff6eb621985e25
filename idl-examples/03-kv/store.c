/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define STORE_LIMIT (STORE_CAPACITY / 4 * 3)

bool store_init(store *table)
{
    *table = (store){.entries = calloc(STORE_CAPACITY, sizeof(store_entry))};
    return table->entries != NULL;
}

void store_deinit(store *table)
{
    free(table->entries);
    table->entries = NULL;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint32_t hash(const kv_key *key)
{
    uint32_t value = UINT32_C(0x811c9dc5);
    uint16_t i;

    for (i = 0; i < key->length; i++) {
        value = (value ^ (uint8_t)key->text[i]) * UINT32_C(0x01000193);
    }
    return value;
}

static bool is_same(const kv_key *a, const kv_key *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* The entry of the key, or else the first one that it may take. */
static store_entry *probe(store *table, const kv_key *key)
{
    uint32_t at = hash(key);
    store_entry *room = NULL;
    uint32_t i;

    for (i = 0; i < STORE_CAPACITY; i++) {
        store_entry *entry = &table->entries[(at + i) % STORE_CAPACITY];

        if (entry->use == STORE_USED && is_same(&entry->key, key)) {
            return entry;
        }
        if (entry->use != STORE_USED && room == NULL) {
            room = entry;
        }
        if (entry->use == STORE_FREE) {
            break;
        }
    }
    return room;
}

store_entry *store_find(store *table, const kv_key *key, int64_t now_s)
{
    store_entry *entry = probe(table, key);

    if (entry == NULL || entry->use != STORE_USED) {
        return NULL;
    }
    if (entry->ends_s <= now_s) {
        store_remove(table, entry);
        return NULL;
    }
    return entry;
}

store_entry *store_insert(store *table, const kv_key *key, int64_t now_s)
{
    store_entry *entry = store_find(table, key, now_s);

    if (entry != NULL) {
        return entry;
    }
    entry = probe(table, key);
    if (entry == NULL || (entry->use == STORE_FREE && table->taken >= STORE_LIMIT)) {
        return NULL;
    }
    table->taken += entry->use == STORE_FREE;
    table->used++;
    entry->use = STORE_USED;
    entry->key = *key;
    kv_get_reply_init(&entry->held);
    return entry;
}

void store_remove(store *table, store_entry *entry)
{
    entry->use = STORE_REMOVED;
    table->used--;
    if (table->used == 0) {
        memset(table->entries, 0, STORE_CAPACITY * sizeof(store_entry));
        table->taken = 0;
    }
}

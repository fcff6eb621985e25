/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c - open addressing with linear probing, at most half full.
 */
#include "map.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_SMALLEST 8

struct map_slot {
    const char *key; /* NULL: free */
    void *value;
    uint64_t hash;
};

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x00000100000001b3);
    return hash;
}

/* The slot that holds `key`, or the free one where it would go. */
static map_slot *slot_of(const map *names, const char *key, uint64_t hash)
{
    uint32_t mask = names->capacity - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        map_slot *slot = &names->slots[at];
        if (!slot->key || (slot->hash == hash && strcmp(slot->key, key) == 0))
            return slot;
    }
}

static void grow(map *names, arena *memory)
{
    if (names->capacity > UINT32_MAX / 4)
        abort();
    map larger = {.capacity = names->capacity ? names->capacity * 2 : CAPACITY_SMALLEST, .count = names->count};
    larger.slots = arena_array(memory, larger.capacity, sizeof(map_slot));
    for (uint32_t i = 0; i < names->capacity; i++)
        if (names->slots[i].key)
            *slot_of(&larger, names->slots[i].key, names->slots[i].hash) = names->slots[i];
    *names = larger;
}

void *map_find(const map *names, const char *key)
{
    return names->capacity ? slot_of(names, key, hash_of(key))->value : NULL;
}

void *map_add(map *names, arena *memory, const char *key, void *value)
{
    if (names->count >= names->capacity / 2)
        grow(names, memory);
    uint64_t hash = hash_of(key);
    map_slot *slot = slot_of(names, key, hash);
    if (slot->key)
        return slot->value;
    *slot = (map_slot){.key = key, .value = value, .hash = hash};
    names->count++;
    return NULL;
}

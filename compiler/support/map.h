/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - names to things: a hash table with string keys, in an arena.
 *
 * Keys are not copied. There is no removal, and no order: what must come out
 * in an order is kept in a vector beside the map.
 */
#ifndef SHMRPC_COMPILER_MAP_H
#define SHMRPC_COMPILER_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

typedef struct map_slot map_slot;

/* Zero-initialised: an empty map. */
typedef struct map {
    map_slot *slots;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
} map;

/* What is stored under `key`, or NULL. */
void *map_find(const map *names, const char *key);

/* Stores `value` (not NULL) under `key` unless the key is there; returns what is there then, else NULL. */
void *map_add(map *names, arena *memory, const char *key, void *value);

#endif

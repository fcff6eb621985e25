/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define SLOTS_FIRST 8u

_Thread_local thread_map *thread_map_own;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its value is the thread's map, for its destructor */
static int key_error;
static const thread_map_owner *map_owner;

/* The map is there until the owner has been told. A later use by another destructor makes a new one, and this again. */
static void thread_ends(void *map)
{
    map_owner->thread_ends();
    free(map);
    thread_map_own = NULL;
}

static void make_key(void)
{
    key_error = -pthread_key_create(&key, thread_ends);
}

int thread_map_prepare(const thread_map_owner *owner)
{
    map_owner = owner;
    (void)pthread_once(&once, make_key);
    return key_error;
}

void *thread_map_get_further(uint64_t number)
{
    const thread_map *map = thread_map_own;
    size_t at;

    for (at = (size_t)number & map->mask; map->entries[at].number != number; at = (at + 1) & map->mask) {
        if (map->entries[at].number == 0) {
            return NULL;
        }
    }
    return map->entries[at].value;
}

static void insert(thread_map *map, uint64_t number, void *value)
{
    size_t at = (size_t)number & map->mask;

    while (map->entries[at].number != 0) {
        at = (at + 1) & map->mask;
    }
    map->entries[at] = (thread_map_entry){number, value};
    map->count++;
}

static int resize(size_t slots)
{
    thread_map *old = thread_map_own;
    thread_map *map = calloc(1, sizeof(*map) + slots * sizeof(map->entries[0]));
    int error;

    if (map == NULL) {
        return -ENOMEM;
    }
    map->mask = slots - 1;
    error = pthread_setspecific(key, map);
    if (error != 0) {
        free(map);
        return -error;
    }
    for (size_t i = 0; old != NULL && i <= old->mask; i++) {
        if (old->entries[i].number != 0) {
            insert(map, old->entries[i].number, old->entries[i].value);
        }
    }
    thread_map_own = map;
    free(old);
    return 0;
}

static void forget_the_dead(void)
{
    thread_map *map = thread_map_own;
    size_t i = 0;

    while (i <= map->mask) {
        /* Removing moves another entry to here. */
        if (map->entries[i].number != 0 && !map_owner->is_alive(map->entries[i].number)) {
            thread_map_remove(map->entries[i].number);
        } else {
            i++;
        }
    }
}

/* True: the number was there. */
static bool exchange(uint64_t number, void *value)
{
    thread_map *map = thread_map_own;
    size_t at;

    if (thread_map_get(number) == NULL) {
        return false;
    }
    for (at = (size_t)number & map->mask; map->entries[at].number != number; at = (at + 1) & map->mask) {
    }
    map->entries[at].value = value;
    return true;
}

int thread_map_put(uint64_t number, void *value)
{
    thread_map *map = thread_map_own;
    int rc = 0;

    if (exchange(number, value)) {
        return 0;
    }
    if (map == NULL) {
        rc = resize(SLOTS_FIRST);
    } else if ((map->count + 1) * 2 > map->mask + 1) {
        forget_the_dead();
        if ((map->count + 1) * 4 > map->mask + 1) {
            rc = resize((map->mask + 1) * 2);
        }
    }
    if (rc != 0) {
        return rc;
    }
    insert(thread_map_own, number, value);
    return 0;
}

void thread_map_remove(uint64_t number)
{
    thread_map *map = thread_map_own;
    size_t gap;
    size_t at;

    if (map == NULL || thread_map_get(number) == NULL) {
        return;
    }
    for (gap = (size_t)number & map->mask; map->entries[gap].number != number; gap = (gap + 1) & map->mask) {
    }
    /* Whatever would not be found any more behind the gap moves into it. */
    for (at = (gap + 1) & map->mask; map->entries[at].number != 0; at = (at + 1) & map->mask) {
        size_t home = (size_t)map->entries[at].number & map->mask;

        if (((at - home) & map->mask) >= ((at - gap) & map->mask)) {
            map->entries[gap] = map->entries[at];
            gap = at;
        }
    }
    map->entries[gap] = (thread_map_entry){0, NULL};
    map->count--;
}

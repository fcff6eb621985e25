/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_map.h - what the calling thread has of each handle: a map from the handle's number to a pointer.
 *
 * Each thread has a map of its own, so that looking up takes no lock and touches no line of another thread: it is on
 * the path of each call. Numbers are never used again (they count up for the life of the process), so an entry of a
 * handle that has been freed meanwhile is never found; it goes when the map grows, or with the thread.
 *
 * Open addressing with linear probing; at most half full. A removed entry closes the gap that it leaves.
 */
#ifndef SHMRPC_THREAD_MAP_H
#define SHMRPC_THREAD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct thread_map_entry {
    uint64_t number; /* 0: none */
    void *value;
} thread_map_entry;

typedef struct thread_map {
    size_t mask;  /* slots - 1 */
    size_t count; /* of entries */
    thread_map_entry entries[];
} thread_map;

/* One word of static TLS is to be had even by a library that is loaded late; it saves a call per call. */
extern _Thread_local thread_map *thread_map_own __attribute__((tls_model("initial-exec")));

/* get() of a number that is not at the first place that it could have, in a thread that has a map. */
void *thread_map_get_further(uint64_t number);

/* NULL where there is nothing under this number, which is not 0. */
static inline void *thread_map_get(uint64_t number)
{
    const thread_map *map = thread_map_own;
    const thread_map_entry *first;

    if (map == NULL) {
        return NULL;
    }
    first = &map->entries[number & map->mask];
    return first->number == number ? first->value : thread_map_get_further(number);
}

/* What the map has to know of others; set once, before the first thread_map_put(). */
typedef struct thread_map_owner {
    bool (*is_alive)(uint64_t number); /* false: nobody will ask for it again */
    void (*thread_ends)(void);         /* in a thread that has a map, before it is freed */
} thread_map_owner;

/* 0 or -errno. Any thread, any number of times, with the same owner. */
int thread_map_prepare(const thread_map_owner *owner);

/* Puts a value, not NULL, under a number, in place of what is there. 0 or -ENOMEM; the latter not where one is there. */
int thread_map_put(uint64_t number, void *value);

/* A number that is not there is no error. */
void thread_map_remove(uint64_t number);

#endif

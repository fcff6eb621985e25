/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.c - doubling; what is outgrown stays in the arena.
 */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_SMALLEST 4

void *vector_add(vector *list, arena *memory)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity : CAPACITY_SMALLEST / 2;
        /* 2^31 elements of anything is beyond a source of 4 GiB. */
        if (capacity > UINT32_MAX / 2)
            abort();
        capacity *= 2;
        void *items = arena_array(memory, capacity, list->item_size);
        if (list->count)
            memcpy(items, list->items, list->count * list->item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (unsigned char *)list->items + list->count++ * list->item_size;
}

void vector_add_pointer(vector *list, arena *memory, const void *pointer)
{
    *(const void **)vector_add(list, memory) = pointer;
}

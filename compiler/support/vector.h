/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.h - an array that grows at its end, in an arena.
 *
 * A vector is zero-initialised but for its element size: `vector list =
 * VECTOR_OF(type)`. Growing moves the elements, so that a pointer to one is
 * valid only until the next vector_add(); what must stay where it is goes into
 * a vector of pointers.
 */
#ifndef SHMRPC_COMPILER_VECTOR_H
#define SHMRPC_COMPILER_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

typedef struct vector {
    void *items;
    uint32_t count;
    uint32_t capacity;
    size_t item_size;
} vector;

#define VECTOR_OF(type) ((vector){.item_size = sizeof(type)})

/* The element at `index`, as a pointer to `type`. */
#define VECTOR_AT(list, type, index) (&((type *)(list)->items)[index])

/* Adds a zeroed element and returns it. */
void *vector_add(vector *list, arena *memory);

/* Adds a pointer to a vector of pointers. */
void vector_add_pointer(vector *list, arena *memory, const void *pointer);

#endif

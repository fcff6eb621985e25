/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <assert.h>
#include <string.h>

void arena_init(arena *self, uint32_t units)
{
    uint32_t i;

    *self = (arena){.units = units};
    for (i = 0; i < ARENA_EXTENTS_MAX; i++) {
        self->order[i] = (uint8_t)i;
    }
}

/* The first gap of so many units: the place in the order of what is put there, and where it begins. */
static bool find_gap(const arena *self, uint32_t count, uint32_t *ret_place, uint32_t *ret_first)
{
    uint32_t end = 0; /* of what lies before the gap */
    uint32_t place;

    for (place = 0; place < self->used; place++) {
        const arena_extent *next = &self->extents[self->order[place]];

        if (next->first - end >= count) {
            break;
        }
        end = next->first + next->count;
    }
    *ret_place = place;
    *ret_first = end;
    return place < self->used || self->units - end >= count;
}

uint16_t arena_take(arena *self, uint32_t count)
{
    uint32_t place;
    uint32_t first;
    uint8_t index;

    assert(count != 0);
    if (self->used == ARENA_EXTENTS_MAX || !find_gap(self, count, &place, &first)) {
        return BLOCK_NONE;
    }
    index = self->order[self->used];
    memmove(&self->order[place + 1], &self->order[place], self->used - place);
    self->order[place] = index;
    self->extents[index] = (arena_extent){first, count};
    self->used++;
    return (uint16_t)(index << 8 | BLOCK_ARENA);
}

static void free_place(arena *self, uint32_t place)
{
    uint8_t index = self->order[place];

    self->used--;
    memmove(&self->order[place], &self->order[place + 1], self->used - place);
    self->order[self->used] = index;
    self->extents[index].count = 0;
}

void arena_give(arena *self, uint16_t number)
{
    uint32_t place = 0;

    assert(arena_has_number(number) && arena_find(self, number).count != 0);
    while (self->order[place] != arena_index(number)) {
        place++;
    }
    free_place(self, place);
}

void arena_keep(arena *self, const bool *is_held)
{
    uint32_t place;

    for (place = self->used; place > 0; place--) {
        if (!is_held[self->order[place - 1]]) {
            free_place(self, place - 1);
        }
    }
}

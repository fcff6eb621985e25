/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.c - see layout.h.
 */
#include "layout.h"

#include "support/checked.h"

#define COUNT_SMALL_BELOW UINT32_C(65536) /* capacities from here on are counted in 32 bits */
#define TAG_SIZE 4u

static const model_type scalars[] = {
    [MODEL_BOOL] = {.kind = MODEL_BOOL, .size = 1, .align = 1},
    [MODEL_INT8] = {.kind = MODEL_INT8, .size = 1, .align = 1},
    [MODEL_INT16] = {.kind = MODEL_INT16, .size = 2, .align = 2},
    [MODEL_INT32] = {.kind = MODEL_INT32, .size = 4, .align = 4},
    [MODEL_INT64] = {.kind = MODEL_INT64, .size = 8, .align = 8},
    [MODEL_UINT8] = {.kind = MODEL_UINT8, .size = 1, .align = 1},
    [MODEL_UINT16] = {.kind = MODEL_UINT16, .size = 2, .align = 2},
    [MODEL_UINT32] = {.kind = MODEL_UINT32, .size = 4, .align = 4},
    [MODEL_UINT64] = {.kind = MODEL_UINT64, .size = 8, .align = 8},
    [MODEL_FLOAT32] = {.kind = MODEL_FLOAT32, .size = 4, .align = 4},
    [MODEL_FLOAT64] = {.kind = MODEL_FLOAT64, .size = 8, .align = 8},
};

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

const model_type *layout_scalar(model_kind kind)
{
    return &scalars[kind];
}

bool layout_sequence(model_type *type)
{
    const model_type *element = type->element ? type->element : &scalars[MODEL_UINT8];
    uint64_t count = type->capacity;
    uint64_t items;
    uint64_t end;
    uint64_t size;

    if (type->kind == MODEL_STRING)
        count++; /* the NUL */
    if (!checked_multiply(count, element->size, &items) || items > LAYOUT_MOST)
        return false;
    if (type->kind == MODEL_ARRAY) {
        type->size = (uint32_t)items;
        type->align = element->align;
        return true;
    }

    uint32_t count_size = type->capacity < COUNT_SMALL_BELOW ? 2 : 4;
    uint32_t align = larger(count_size, element->align);
    uint64_t items_offset;
    if (!checked_round_up(count_size, element->align, &items_offset) || !checked_add(items_offset, items, &end) ||
        !checked_round_up(end, align, &size) || size > LAYOUT_MOST)
        return false;
    type->size = (uint32_t)size;
    type->align = align;
    type->count_size = count_size;
    type->items_offset = (uint32_t)items_offset;
    type->tail_padding = (uint32_t)(size - end);
    return true;
}

/* Whether every bit pattern of a type is valid and none of its bits is padding. */
static bool type_is_plain(const model_type *type)
{
    switch (type->kind) {
    case MODEL_BOOL:
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_UNION: return false;
    case MODEL_STRUCT: return type->record->plain;
    case MODEL_ARRAY: return type_is_plain(type->element);
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_INT32:
    case MODEL_INT64:
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_UINT32:
    case MODEL_UINT64:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64: return true;
    case MODEL_ENUM:
    case MODEL_FLAGS: return !type->members->strict;
    }
    return false;
}

/* What @align and @size ask for. */
static uint32_t fixed_align(const model_record *record)
{
    uint32_t least = record->fixed_size ? LAYOUT_MESSAGE_STEP : 1;
    return larger(least, record->fixed_align);
}

/* The size of a record that ends at `end`; from `used` on there is nothing but padding. */
static bool close_record(model_record *record, uint64_t used, uint64_t end, uint32_t step)
{
    uint64_t size;
    if (!checked_round_up(end, step, &size))
        return false;
    if (size < record->fixed_size)
        size = record->fixed_size;
    if (size > LAYOUT_MOST)
        return false;
    record->size = (uint32_t)size;
    record->tail_padding = (uint32_t)(size - used);
    return true;
}

static bool layout_union(model_record *record, model_field *fields)
{
    uint32_t largest = 0;
    uint32_t align = 1;
    for (uint32_t i = 0; i < record->field_count; i++) {
        largest = larger(largest, fields[i].type->size);
        align = larger(align, fields[i].type->align);
    }
    uint64_t body_offset;
    uint64_t body_size;
    uint64_t end;
    record->align = larger(larger(TAG_SIZE, align), fixed_align(record));
    if (!checked_round_up(TAG_SIZE, record->fixed_size ? record->align : align, &body_offset) ||
        !checked_round_up(largest, align, &body_size) || !checked_add(body_offset, body_size, &end) ||
        !close_record(record, end, end, record->align))
        return false;
    if (record->fixed_size) {
        body_size = record->size - body_offset;
        record->tail_padding = 0;
    }

    for (uint32_t i = 0; i < record->field_count; i++) {
        fields[i].offset = (uint32_t)body_offset;
        fields[i].padding_before = (uint32_t)body_offset - TAG_SIZE;
    }
    record->body_offset = (uint32_t)body_offset;
    record->body_size = (uint32_t)body_size;
    record->plain = false;
    return true;
}

/* What the size of a record of some alignment is a multiple of. */
static uint32_t size_step(const model_record *record, uint32_t align)
{
    return record->kind == MODEL_RECORD_MESSAGE ? larger(LAYOUT_MESSAGE_STEP, align) : align;
}

/* Whether a field is the first that a later version added to a message. */
static bool begins_version(const model_record *record, uint32_t at)
{
    return record->kind == MODEL_RECORD_MESSAGE && at > 0 &&
           record->fields[at].notes.since > record->fields[at - 1].notes.since;
}

/* Where the next field or hole of a record goes. */
typedef struct cursor {
    const model_record *record;
    uint64_t end;
    uint64_t used;  /* the end of the last field: what is behind it is padding, holes too */
    uint32_t align; /* of what was placed: a hole keeps that of what was there, too */
    uint32_t since; /* of the last one; UINT32_MAX: there is none yet */
    uint32_t next_hole;
} cursor;

/* What a later version added to a message begins where that ended before. */
static bool enter_version(cursor *at, uint32_t since)
{
    bool begins = at->record->kind == MODEL_RECORD_MESSAGE && since > at->since;
    at->since = since;
    return !begins || checked_round_up(at->end, size_step(at->record, at->align), &at->end);
}

/* Puts a type at the next place that is aligned for it. */
static bool place(cursor *at, const model_type *type, uint32_t *ret_offset)
{
    uint64_t offset;
    if (!checked_round_up(at->end, type->align, &offset) || !checked_add(offset, type->size, &at->end) ||
        at->end > LAYOUT_MOST)
        return false;
    *ret_offset = (uint32_t)offset;
    return true;
}

/* The holes that stand before a field, or at the end. */
static bool place_holes(cursor *at, model_hole *holes, uint32_t before)
{
    for (; at->next_hole < at->record->hole_count && holes[at->next_hole].before == before; at->next_hole++) {
        model_hole *hole = &holes[at->next_hole];
        if (!enter_version(at, hole->since) || !place(at, hole->type, &hole->offset))
            return false;
        at->align = larger(at->align, hole->type->align);
    }
    return true;
}

static bool place_field(cursor *at, model_field *field)
{
    if (!enter_version(at, field->notes.since))
        return false;
    if (field->optional)
        field->has_offset = (uint32_t)at->end++;
    if (!place(at, field->type, &field->offset))
        return false;
    field->padding_before = (field->optional ? field->has_offset : field->offset) - (uint32_t)at->used;
    field->padding_after_has = field->optional ? field->offset - field->has_offset - 1 : 0;
    at->align = larger(at->align, field->type->align);
    at->used = at->end;
    return true;
}

static bool layout_in_order(model_record *record, model_field *fields, model_hole *holes)
{
    cursor at = {.record = record, .since = UINT32_MAX, .align = fixed_align(record)};
    bool plain = true;
    for (uint32_t i = 0; i < record->field_count; i++) {
        model_field *field = &fields[i];
        if (!place_holes(&at, holes, i) || !place_field(&at, field))
            return false;
        plain = plain && !field->optional && field->padding_before == 0 && type_is_plain(field->type);
    }

    if (!place_holes(&at, holes, record->field_count) ||
        !close_record(record, at.used, at.end, size_step(record, at.align)))
        return false;
    record->align = at.align;
    record->plain = plain && record->tail_padding == 0;
    return true;
}

bool layout_is_variable(const model_field *field)
{
    model_kind kind = field->type->kind;
    return !field->optional && (kind == MODEL_STRING || kind == MODEL_BYTES || kind == MODEL_VECTOR);
}

/* The last of the first fields of a message, where only its used part travels; else NULL. */
static const model_field *variable_tail(const model_record *record, uint32_t field_count)
{
    if (record->kind != MODEL_RECORD_MESSAGE || field_count == 0)
        return NULL;
    const model_field *last = &record->fields[field_count - 1];
    return layout_is_variable(last) ? last : NULL;
}

bool layout_record(model_record *record, model_field *fields, model_hole *holes)
{
    if (record->kind == MODEL_RECORD_UNION)
        return layout_union(record, fields);
    if (!layout_in_order(record, fields, holes))
        return false;
    record->variable_tail = variable_tail(record, record->field_count);
    return true;
}

static uint32_t round_up(uint32_t value, uint32_t align)
{
    return (value + align - 1) & ~(align - 1);
}

void layout_revision(const model_record *record, model_revision *revision)
{
    uint32_t count = revision->field_count;
    uint32_t align = fixed_align(record);
    revision->variable_tail = variable_tail(record, count);
    revision->size = record->size;
    if (record->kind != MODEL_RECORD_MESSAGE || count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        align = larger(align, record->fields[i].type->align);
    const model_field *last = &record->fields[count - 1];
    uint32_t end = last->offset + last->type->size;
    for (uint32_t i = 0; i < record->hole_count; i++) {
        const model_hole *hole = &record->holes[i];
        if (hole->since > revision->version)
            continue;
        end = larger(end, hole->offset + hole->type->size);
        align = larger(align, hole->type->align);
    }
    revision->size = round_up(end, size_step(record, align));
}

/* Where a field put at `end` would end; *ret_gap is the padding that this costs. */
static uint32_t end_after(const model_field *field, uint32_t end, uint32_t *ret_gap)
{
    uint32_t start = end + (field->optional ? 1 : 0);
    uint32_t offset = round_up(start, field->type->align);
    *ret_gap = offset - start;
    return offset + field->type->size;
}

/*
 * Greedy: of the fields that are left, the one that costs the least padding here; of several, the most aligned; of
 * several, the first. Without optional fields this is the order by falling alignment, which is the best; with them it
 * is a good one.
 */
static uint32_t place_best(const model_record *record, uint32_t first, uint32_t count, uint32_t end, uint32_t *order,
                           bool *placed)
{
    uint32_t behind = first + count;
    bool keep_last = layout_is_variable(&record->fields[behind - 1]);
    uint32_t movable = keep_last ? behind - 1 : behind;

    for (uint32_t at = first; at < behind; at++) {
        uint32_t best = behind - 1;
        uint32_t best_gap = UINT32_MAX;
        for (uint32_t i = first; at < movable && i < movable; i++) {
            uint32_t gap;
            if (placed[i])
                continue;
            end_after(&record->fields[i], end, &gap);
            if (gap < best_gap ||
                (gap == best_gap && record->fields[i].type->align > record->fields[best].type->align)) {
                best = i;
                best_gap = gap;
            }
        }
        placed[best] = true;
        order[at] = best;
        end = end_after(&record->fields[best], end, &best_gap);
    }
    return end;
}

uint32_t layout_best(const model_record *record, uint32_t *order, arena *memory)
{
    bool *placed = arena_array(memory, record->field_count, sizeof(*placed));
    uint32_t align = fixed_align(record);
    uint32_t end = 0;

    for (uint32_t first = 0, behind; first < record->field_count; first = behind) {
        behind = first + 1;
        while (behind < record->field_count && record->fields[behind].notes.since == record->fields[first].notes.since)
            behind++;
        if (begins_version(record, first))
            end = round_up(end, size_step(record, align));
        end = place_best(record, first, behind - first, end, order, placed);
        for (uint32_t i = first; i < behind; i++)
            align = larger(align, record->fields[i].type->align);
    }
    return round_up(end, size_step(record, record->align));
}

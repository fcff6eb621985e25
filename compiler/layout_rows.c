/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_rows.c - see layout_rows.h.
 */
#include "layout_rows.h"

typedef struct walk {
    arena *memory;
    const model_record *record;
    layout_rows *made;
    uint32_t end; /* of the last row */
    uint32_t next_hole;
} walk;

uint32_t layout_lines(uint32_t size)
{
    return size / LAYOUT_LINE + (size % LAYOUT_LINE != 0);
}

static layout_row *add(walk *at, layout_row_kind kind, uint32_t start, uint32_t bytes)
{
    layout_row *row = vector_add(&at->made->rows, at->memory);
    row->kind = kind;
    row->at = start;
    row->bytes = bytes;
    at->end = start + bytes;
    return row;
}

static void pad(walk *at, uint32_t to)
{
    if (to <= at->end)
        return;
    at->made->padding_bytes += to - at->end;
    at->made->padding_places++;
    add(at, LAYOUT_ROW_PADDING, at->end, to - at->end);
}

/* What is kept free before the field of that number, and the padding up to where it begins. */
static void fill(walk *at, uint32_t before, uint32_t to)
{
    const model_record *record = at->record;
    for (; at->next_hole < record->hole_count && record->holes[at->next_hole].before == before; at->next_hole++) {
        const model_hole *hole = &record->holes[at->next_hole];
        pad(at, hole->offset);
        add(at, LAYOUT_ROW_RESERVED, hole->offset, hole->type->size)->hole = hole;
    }
    pad(at, to);
}

static void walk_fields(walk *at)
{
    const model_record *record = at->record;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        fill(at, i, field->optional ? field->has_offset : field->offset);
        if (field->optional) {
            add(at, LAYOUT_ROW_HAS, field->has_offset, 1)->field = field;
            pad(at, field->offset);
        }
        add(at, LAYOUT_ROW_FIELD, field->offset, field->type->size)->field = field;
    }
    fill(at, record->field_count, record->size);
}

static void walk_arms(walk *at)
{
    const model_record *record = at->record;
    add(at, LAYOUT_ROW_TAG, 0, record->body_offset - (record->field_count ? record->fields[0].padding_before : 0));
    pad(at, record->body_offset);
    uint32_t end = at->end;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        add(at, LAYOUT_ROW_ARM, arm->offset, arm->type->size)->field = arm;
        end = at->end > end ? at->end : end;
    }
    at->end = end; /* of the largest arm */
    pad(at, record->size);
}

layout_rows layout_rows_of(arena *memory, const model_record *record)
{
    layout_rows made = {.rows = VECTOR_OF(layout_row)};
    walk at = {.memory = memory, .record = record, .made = &made};
    if (record->kind == MODEL_RECORD_UNION)
        walk_arms(&at);
    else
        walk_fields(&at);
    return made;
}

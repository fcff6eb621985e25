/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_rows.h - what is where in a record: every byte of it, in order.
 *
 * Sizes and offsets are the model's; here they are put one below the other, with the padding between them.
 */
#ifndef SHMRPC_COMPILER_LAYOUT_ROWS_H
#define SHMRPC_COMPILER_LAYOUT_ROWS_H

#include "model.h"
#include "support/vector.h"

#define LAYOUT_LINE 64u /* bytes of a cache line */

typedef enum layout_row_kind {
    LAYOUT_ROW_FIELD,
    LAYOUT_ROW_HAS,      /* the byte that tells whether an optional field is there */
    LAYOUT_ROW_TAG,      /* of a union */
    LAYOUT_ROW_ARM,      /* of a union: they lie over one another */
    LAYOUT_ROW_RESERVED, /* what `reserved TYPE` keeps free */
    LAYOUT_ROW_PADDING,
} layout_row_kind;

typedef struct layout_row {
    layout_row_kind kind;
    uint32_t at; /* bytes from the start of the record */
    uint32_t bytes;
    const model_field *field; /* FIELD, HAS, ARM */
    const model_hole *hole;   /* RESERVED */
} layout_row;

typedef struct layout_rows {
    vector rows; /* layout_row */
    uint32_t padding_bytes;
    uint32_t padding_places;
} layout_rows;

layout_rows layout_rows_of(arena *memory, const model_record *record);

/* How many cache lines a size takes that begins one. */
uint32_t layout_lines(uint32_t size);

#endif

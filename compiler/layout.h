/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - sizes, alignments and offsets: the only place that computes them.
 *
 * C's natural layout, as gcc and clang use it on every 64-bit Linux:
 *
 *   string<N>     uint16 length, char text[N + 1]            (the counter is uint32 from N = 65536 on)
 *   bytes<N>      uint16 count, uint8 items[N]
 *   vector<T, N>  uint16 count, T items[N]
 *   T?            a byte `has` at once, then T where its alignment lets it be
 *   union         uint32 tag, then a body as large and as aligned as the largest and the most aligned arm
 *   struct        its fields in their order, its size a multiple of its alignment
 *   reserved T    where a T would be: padding
 *   message       likewise, its size a multiple of 8 too; the fields of a later version begin where the message
 *                 ended before it
 *   @align        raises the alignment of a struct, message or union, and with it the multiple that its size is of
 *   @size         gives a struct or union its size, and alignment 8 (or its @align), whatever it has in it; the body of
 *                 a union is then all that the tag leaves
 *
 * All sums are checked: what grows beyond LAYOUT_MOST is refused, never wrapped.
 */
#ifndef SHMRPC_COMPILER_LAYOUT_H
#define SHMRPC_COMPILER_LAYOUT_H

#include "model.h"
#include "support/arena.h"

#define LAYOUT_MOST (UINT32_C(1) << 30) /* bytes of any one type */
#define LAYOUT_MESSAGE_STEP 8u          /* a message's size is a multiple of this, and a @size */
#define LAYOUT_ALIGN_MOST 16u           /* @align: how messages lie in slots, and in what they are copied to */

/* The type of a scalar kind, MODEL_BOOL to MODEL_FLOAT64. */
const model_type *layout_scalar(model_kind kind);

/* Fills in all sizes of a STRING, BYTES, VECTOR or ARRAY of which kind, capacity and element are set. */
bool layout_sequence(model_type *type);

/*
 * Fills in a record's sizes and `plain`, and the offsets of its `fields` and `holes` (the same ones as record->fields
 * and record->holes, to be written). Types, `optional`, where the holes are, @size and @align and the record's kind are
 * set. What needs more than its @size or @align has what it needs as `size` or `align` afterwards.
 */
bool layout_record(model_record *record, model_field *fields, model_hole *holes);

/* Fills in size and variable tail of a revision: those that the record had with the first `field_count` fields only. */
void layout_revision(const model_record *record, model_revision *revision);

/* Whether a field's length varies, so that of the last one in a message only the used part travels. */
bool layout_is_variable(const model_field *field);

/*
 * The size that a struct or message would have with its fields in the best order that could be found, and that order,
 * as indices, in `order`. Fields stay in the version that they came with; a last one of it that is of variable length
 * stays the last.
 */
uint32_t layout_best(const model_record *record, uint32_t *order, arena *memory);

#endif

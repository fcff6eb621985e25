/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_plain.c - layouts as text, after pahole's: what is where, and where a cache line or a version begins.
 */
#include <inttypes.h>
#include <shmrpc/wire.h>

#include "layout.h"
#include "layout_entries.h"
#include "layout_report.h"
#include "layout_rows.h"
#include "spell.h"

#define INDENT "    "

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static const char *in_vehicle(uint32_t size)
{
    return size <= SHMRPC_SLOT_PAYLOAD ? "a slot" : size <= SHMRPC_MESSAGE_MAX ? "a block" : "the arena";
}

/* ---- records ---- */

static void put_row(arena *memory, const layout_row *row, buffer *out)
{
    buffer_printf(out, INDENT "%8u %8u  ", row->at, row->bytes);
    switch (row->kind) {
    case LAYOUT_ROW_FIELD: buffer_printf(out, "%s %s\n", spell_type(memory, row->field->type), row->field->name); break;
    case LAYOUT_ROW_ARM:
        buffer_printf(out, "%s %s = %u\n", spell_type(memory, row->field->type), row->field->name, row->field->tag);
        break;
    case LAYOUT_ROW_HAS: buffer_printf(out, "has_%s\n", row->field->name); break;
    case LAYOUT_ROW_TAG: buffer_puts(out, "tag\n"); break;
    case LAYOUT_ROW_RESERVED:
        buffer_printf(out, "reserved %s%s%s\n", spell_type(memory, row->hole->type), row->hole->name ? " " : "",
                      row->hole->name ? row->hole->name : "");
        break;
    case LAYOUT_ROW_PADDING: buffer_puts(out, "-- padding\n"); break;
    }
}

/* The version that a row came with; 0 for those that have none of their own. */
static uint32_t row_since(const layout_row *row)
{
    if (row->hole)
        return row->hole->since;
    return row->field ? row->field->notes.since : 0;
}

static void put_rows(arena *memory, const model_record *record, const layout_rows *rows, buffer *out)
{
    uint32_t version = record->revisions[0].version;
    uint32_t line = LAYOUT_LINE; /* where the next cache line begins */

    buffer_puts(out, INDENT "  offset     size\n");
    for (uint32_t i = 0; i < rows->rows.count; i++) {
        const layout_row *row = VECTOR_AT(&rows->rows, layout_row, i);
        if (row_since(row) > version) {
            version = row_since(row);
            buffer_printf(out, INDENT "------------------  version %u\n", version);
        }
        if (row->at == line && row->kind != LAYOUT_ROW_ARM) {
            buffer_printf(out, INDENT "------------------  cache line %u\n", line / LAYOUT_LINE);
            line += LAYOUT_LINE;
        }
        put_row(memory, row, out);
        uint32_t first = line;
        while (row->kind != LAYOUT_ROW_ARM && line < row->at + row->bytes)
            line += LAYOUT_LINE;
        if (line == first + LAYOUT_LINE)
            buffer_printf(out, INDENT "------------------  cache line %u begins there, at %u\n", first / LAYOUT_LINE,
                          first);
        else if (line > first)
            buffer_printf(out, INDENT "------------------  cache lines %u to %u begin there, at %u to %u\n",
                          first / LAYOUT_LINE, line / LAYOUT_LINE - 1, first, line - LAYOUT_LINE);
    }
}

static void put_record(arena *memory, const model_record *record, buffer *out)
{
    layout_rows rows = layout_rows_of(memory, record);
    bool is_union = record->kind == MODEL_RECORD_UNION;
    bool travels = record->kind == MODEL_RECORD_MESSAGE;
    uint32_t lines = layout_lines(record->size);

    buffer_printf(out, INDENT "%u bytes, alignment %u, %u cache line%s", record->size, record->align, lines,
                  plural(lines));
    if (record->fixed_size)
        buffer_printf(out, "; @size(%u)", record->fixed_size);
    if (travels)
        buffer_printf(out, "; travels in %s", in_vehicle(record->size));
    buffer_puts(out, "\n");
    for (uint32_t i = 0; i < record->revision_count && record->revision_count > 1; i++) {
        const model_revision *revision = &record->revisions[i];
        buffer_printf(out, INDENT "version %u: %u bytes, %u %s%s", revision->version, revision->size,
                      revision->field_count, is_union ? "arm" : "field", plural(revision->field_count));
        if (travels)
            buffer_printf(out, ", in %s", in_vehicle(revision->size));
        buffer_puts(out, "\n");
    }
    put_rows(memory, record, &rows, out);
    if (rows.padding_places)
        buffer_printf(out, INDENT "padding: %u byte%s in %u place%s\n", rows.padding_bytes, plural(rows.padding_bytes),
                      rows.padding_places, plural(rows.padding_places));
}

/* ---- other types ---- */

static void put_alias(arena *memory, const model_type *type, buffer *out)
{
    buffer_printf(out, INDENT "%s: %u byte%s, alignment %u\n", spell_type(memory, type), type->size, plural(type->size),
                  type->align);
    if (!type->count_size)
        return;
    buffer_printf(out, INDENT "  offset     size\n" INDENT "%8u %8u  %s\n", 0U, type->count_size,
                  type->kind == MODEL_STRING ? "length" : "count");
    if (type->items_offset > type->count_size)
        buffer_printf(out, INDENT "%8u %8u  -- padding\n", type->count_size, type->items_offset - type->count_size);
    uint32_t items = type->size - type->tail_padding - type->items_offset;
    buffer_printf(out, INDENT "%8u %8u  %s\n", type->items_offset, items,
                  type->kind == MODEL_STRING ? "text, with the NUL" : "items");
    if (type->tail_padding)
        buffer_printf(out, INDENT "%8u %8u  -- padding\n", type->items_offset + items, type->tail_padding);
}

static void put_members(const model_members *members, buffer *out)
{
    if (members->kind != MODEL_MEMBERS_ERRORS) {
        uint32_t size = layout_scalar(members->base)->size;
        buffer_printf(out, INDENT "%s: %u byte%s\n", spell_kind(members->base), size, plural(size));
        return;
    }
    buffer_printf(out, INDENT "largest payload: %u bytes", members->payload_size);
    if (members->payload_size)
        buffer_printf(out, "; in %s", in_vehicle(members->payload_size));
    buffer_puts(out, "\n");
    for (uint32_t i = 0; i < members->count; i++)
        if (members->items[i].payload)
            buffer_printf(out, INDENT "%17u  %s\n", members->items[i].payload->size, members->items[i].name);
}

/* ---- services ---- */

/* "72 block", "-" */
static void put_side(bool is_there, uint32_t size, bool is_stream, buffer *out)
{
    if (!is_there)
        buffer_printf(out, " %16s", "-");
    else
        buffer_printf(out, " %9u %-6s", size, is_stream ? "stream" : size ? layout_vehicle(size) : "slot");
}

static void put_methods(const model_service *service, buffer *out)
{
    buffer_puts(out, INDENT "   request           answer\n");
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        uint32_t request = method->request ? method->request->size : 0;
        bool is_event = method->kind == MODEL_METHOD_EVENT;
        put_side(!is_event, request, method->request_is_stream, out);
        if (is_event)
            put_side(true, request, false, out);
        else
            put_side(method->kind == MODEL_METHOD_RPC, layout_answer_size(method), method->reply_is_stream, out);
        buffer_printf(out, "  %s\n", method->name);
    }
}

static void put_blocks(const char *what, uint32_t count, uint32_t size, buffer *out)
{
    if (count)
        buffer_printf(out, INDENT "%9" PRIu64 "  %u block%s of %u for %s\n", (uint64_t)count * size, count,
                      plural(count), size, what);
}

static void put_lane(const model_service *service, buffer *out)
{
    layout_lane lane = layout_lane_of(service);
    uint32_t ring = SHMRPC_LANE_DEPTH * SHMRPC_SLOT_SIZE;

    buffer_printf(out, INDENT "a lane, for each thread that calls: %" PRIu64 " bytes\n", lane.bytes);
    buffer_printf(out, INDENT "%9d  header\n", SHMRPC_LANE_HEADER);
    buffer_printf(out, INDENT "%9u  %d slots of %d\n", ring, SHMRPC_LANE_DEPTH, SHMRPC_SLOT_SIZE);
    buffer_printf(out, INDENT "%9u  inbox of as many\n", ring);
    put_blocks("requests", lane.request_block_count, lane.request_block_size, out);
    put_blocks("answers", lane.reply_block_count, lane.reply_block_size, out);
    if (lane.arena_bytes)
        buffer_printf(out, INDENT "and an arena, for two requests and two answers of the largest: %" PRIu64 " bytes\n",
                      lane.arena_bytes);
    if (lane.has_more)
        buffer_puts(out, INDENT "streams and events are not counted: lanes do not carry them yet\n");
}

/* ---- all ---- */

static void put_decl(arena *memory, const model_decl *decl, buffer *out)
{
    switch (decl->kind) {
    case MODEL_DECL_ALIAS: put_alias(memory, decl->as.alias, out); break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_ERRORS: put_members(decl->as.members, out); break;
    case MODEL_DECL_SERVICE:
        put_methods(decl->as.service, out);
        put_lane(decl->as.service, out);
        break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: buffer_printf(out, INDENT "items of %u bytes\n", decl->as.channel->item->size); break;
    case MODEL_DECL_CONST:
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION: break;
    }
}

void layout_report_plain(arena *memory, const vector *entries, buffer *out)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        const layout_entry *entry = VECTOR_AT(entries, layout_entry, i);
        buffer_printf(out, "%s%s %s\n", i ? "\n" : "", entry->word, entry->name);
        if (entry->record)
            put_record(memory, entry->record, out);
        else
            put_decl(memory, entry->decl, out);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_json.c - layouts as JSON: every key is there, what is not given is null.
 */
#include <shmrpc/wire.h>

#include "backends/json/writer.h"
#include "layout.h"
#include "layout_entries.h"
#include "layout_report.h"
#include "layout_rows.h"
#include "spell.h"

#define JSON_LAYOUT_VERSION 1

static const char *const row_kinds[] = {
    [LAYOUT_ROW_FIELD] = "field", [LAYOUT_ROW_HAS] = "has",           [LAYOUT_ROW_TAG] = "tag",
    [LAYOUT_ROW_ARM] = "arm",     [LAYOUT_ROW_RESERVED] = "reserved", [LAYOUT_ROW_PADDING] = "padding",
};

static void put_vehicle(json_writer *json, uint32_t size)
{
    json_string(json, "travels_in", layout_vehicle(size));
}

static void put_row(arena *memory, json_writer *json, const layout_row *row)
{
    const model_type *type = row->hole ? row->hole->type : row->field ? row->field->type : NULL;
    bool is_typed = type && row->kind != LAYOUT_ROW_HAS;
    json_object_begin(json, NULL);
    json_string(json, "kind", row_kinds[row->kind]);
    json_unsigned(json, "offset", row->at);
    json_unsigned(json, "size", row->bytes);
    json_string(json, "name", row->field ? row->field->name : row->hole ? row->hole->name : NULL);
    json_string(json, "type", is_typed ? spell_type(memory, type) : NULL);
    if (row->field || row->hole)
        json_unsigned(json, "since", row->hole ? row->hole->since : row->field->notes.since);
    else
        json_null(json, "since");
    json_object_end(json);
}

static void put_record(arena *memory, json_writer *json, const model_record *record)
{
    layout_rows rows = layout_rows_of(memory, record);
    bool travels = record->kind == MODEL_RECORD_MESSAGE;

    json_unsigned(json, "size", record->size);
    json_unsigned(json, "align", record->align);
    json_unsigned(json, "cache_lines", layout_lines(record->size));
    if (travels)
        put_vehicle(json, record->size);
    json_unsigned(json, "padding_bytes", rows.padding_bytes);
    json_unsigned(json, "padding_places", rows.padding_places);
    json_array_begin(json, "rows");
    for (uint32_t i = 0; i < rows.rows.count; i++)
        put_row(memory, json, VECTOR_AT(&rows.rows, layout_row, i));
    json_array_end(json);
    json_array_begin(json, "versions");
    for (uint32_t i = 0; i < record->revision_count; i++) {
        const model_revision *revision = &record->revisions[i];
        json_object_begin(json, NULL);
        json_unsigned(json, "version", revision->version);
        json_unsigned(json, "size", revision->size);
        json_unsigned(json, "fields", revision->field_count);
        if (travels)
            put_vehicle(json, revision->size);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_alias(arena *memory, json_writer *json, const model_type *type)
{
    json_string(json, "type", spell_type(memory, type));
    json_unsigned(json, "size", type->size);
    json_unsigned(json, "align", type->align);
    if (!type->count_size)
        return;
    json_unsigned(json, "count_size", type->count_size);
    json_unsigned(json, "items_offset", type->items_offset);
    json_unsigned(json, "tail_padding", type->tail_padding);
}

static void put_members(json_writer *json, const model_members *members)
{
    if (members->kind == MODEL_MEMBERS_ERRORS) {
        json_unsigned(json, "largest_payload", members->payload_size);
        return;
    }
    json_string(json, "type", spell_kind(members->base));
    json_unsigned(json, "size", layout_scalar(members->base)->size);
}

static void put_side(json_writer *json, const char *key, bool is_there, uint32_t size, bool is_stream)
{
    if (!is_there) {
        json_null(json, key);
        return;
    }
    json_object_begin(json, key);
    json_unsigned(json, "size", size);
    json_bool(json, "stream", is_stream);
    put_vehicle(json, size);
    json_object_end(json);
}

static void put_method(json_writer *json, const model_method *method)
{
    static const char *const kinds[] = {
        [MODEL_METHOD_RPC] = "rpc", [MODEL_METHOD_ONEWAY] = "oneway", [MODEL_METHOD_EVENT] = "event"};
    json_object_begin(json, NULL);
    json_string(json, "name", method->name);
    json_string(json, "kind", kinds[method->kind]);
    put_side(json, "request", true, method->request ? method->request->size : 0, method->request_is_stream);
    put_side(json, "answer", method->kind == MODEL_METHOD_RPC, layout_answer_size(method), method->reply_is_stream);
    json_object_end(json);
}

static void put_blocks(json_writer *json, const char *key, uint32_t count, uint32_t size)
{
    json_object_begin(json, key);
    json_unsigned(json, "count", count);
    json_unsigned(json, "size", size);
    json_object_end(json);
}

static void put_service(json_writer *json, const model_service *service)
{
    layout_lane lane = layout_lane_of(service);
    json_array_begin(json, "methods");
    for (uint32_t i = 0; i < service->method_count; i++)
        put_method(json, &service->methods[i]);
    json_array_end(json);
    json_object_begin(json, "lane");
    json_unsigned(json, "bytes", lane.bytes);
    json_unsigned(json, "header", SHMRPC_LANE_HEADER);
    put_blocks(json, "slots", SHMRPC_LANE_DEPTH, SHMRPC_SLOT_SIZE);
    put_blocks(json, "inbox", SHMRPC_LANE_DEPTH, SHMRPC_SLOT_SIZE);
    put_blocks(json, "request_blocks", lane.request_block_count, lane.request_block_size);
    put_blocks(json, "answer_blocks", lane.reply_block_count, lane.reply_block_size);
    json_unsigned(json, "arena", lane.arena_bytes);
    json_unsigned(json, "page", LAYOUT_PAGE);
    json_bool(json, "complete", !lane.has_more);
    json_object_end(json);
}

static void put_decl(arena *memory, json_writer *json, const model_decl *decl)
{
    switch (decl->kind) {
    case MODEL_DECL_ALIAS: put_alias(memory, json, decl->as.alias); break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_ERRORS: put_members(json, decl->as.members); break;
    case MODEL_DECL_SERVICE: put_service(json, decl->as.service); break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: json_unsigned(json, "item_size", decl->as.channel->item->size); break;
    case MODEL_DECL_CONST:
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION: break;
    }
}

void layout_report_json(arena *memory, const vector *entries, buffer *out)
{
    json_writer json = {.to = out};
    json_object_begin(&json, NULL);
    json_unsigned(&json, "layout_version", JSON_LAYOUT_VERSION);
    json_unsigned(&json, "cache_line", LAYOUT_LINE);
    json_unsigned(&json, "slot_payload", SHMRPC_SLOT_PAYLOAD);
    json_array_begin(&json, "entries");
    for (uint32_t i = 0; i < entries->count; i++) {
        const layout_entry *entry = VECTOR_AT(entries, layout_entry, i);
        json_object_begin(&json, NULL);
        json_string(&json, "name", entry->name);
        json_string(&json, "kind", entry->word);
        if (entry->record)
            put_record(memory, &json, entry->record);
        else
            put_decl(memory, &json, entry->decl);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    json_finish(&json);
}

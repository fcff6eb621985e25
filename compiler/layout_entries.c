/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_entries.c - see layout_entries.h.
 */
#include "layout_entries.h"

#include <shmrpc/wire.h>
#include <string.h>

#include "support/text.h"

static const char *const words[] = {
    [MODEL_DECL_CONST] = NULL, /* has no layout */
    [MODEL_DECL_ALIAS] = "alias",   [MODEL_DECL_ENUM] = "enum",       [MODEL_DECL_FLAGS] = "flags",
    [MODEL_DECL_STRUCT] = "struct", [MODEL_DECL_MESSAGE] = "message", [MODEL_DECL_UNION] = "union",
    [MODEL_DECL_ERRORS] = "errors", [MODEL_DECL_SERVICE] = "service", [MODEL_DECL_TOPIC] = "topic",
    [MODEL_DECL_QUEUE] = "queue",
};

static const model_record *record_of(const model_decl *decl)
{
    bool is_record =
        decl->kind == MODEL_DECL_STRUCT || decl->kind == MODEL_DECL_MESSAGE || decl->kind == MODEL_DECL_UNION;
    return is_record ? decl->as.record : NULL;
}

static void add(arena *memory, vector *entries, const char *word, const char *name, const model_decl *decl,
                const model_record *record)
{
    layout_entry *entry = vector_add(entries, memory);
    *entry = (layout_entry){word, name, decl, record};
}

/* What an inline body is of, as in the names that C has for it; NULL for a message with a name. */
static const char *body_suffix(const model_record *record, bool other_is_item)
{
    switch (record->role) {
    case MODEL_ROLE_NAMED: return NULL;
    case MODEL_ROLE_REQUEST: return "_request";
    case MODEL_ROLE_REPLY: return "_reply";
    case MODEL_ROLE_REQUEST_ITEM: return other_is_item ? "_request_item" : "_item";
    case MODEL_ROLE_REPLY_ITEM: return other_is_item ? "_reply_item" : "_item";
    case MODEL_ROLE_EVENT: return "_event";
    case MODEL_ROLE_CHANNEL_ITEM: return "_item";
    }
    return NULL;
}

static bool is_item(const model_record *record)
{
    return record && (record->role == MODEL_ROLE_REQUEST_ITEM || record->role == MODEL_ROLE_REPLY_ITEM);
}

/* The inline bodies of a service's own methods; those that `compose` brought are with the service that they are of. */
static void add_bodies(arena *memory, vector *entries, const model_decl *decl)
{
    const model_service *service = decl->as.service;
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        const model_record *sides[] = {method->request, method->reply};
        bool both_items = is_item(method->request) && is_item(method->reply);
        for (uint32_t j = 0; j < 2; j++) {
            const char *suffix = sides[j] && !method->composed ? body_suffix(sides[j], both_items) : NULL;
            if (suffix)
                add(memory, entries, "body",
                    arena_printf(memory, "%s.%s%s", decl->qualified_name, method->name, suffix), NULL, sides[j]);
        }
    }
}

static void add_file(arena *memory, vector *entries, const model_file *file)
{
    for (uint32_t i = 0; i < file->decl_count; i++) {
        const model_decl *decl = file->decls[i];
        if (!words[decl->kind])
            continue;
        add(memory, entries, words[decl->kind], decl->qualified_name, decl, record_of(decl));
        bool is_channel = decl->kind == MODEL_DECL_TOPIC || decl->kind == MODEL_DECL_QUEUE;
        if (decl->kind == MODEL_DECL_SERVICE)
            add_bodies(memory, entries, decl);
        else if (is_channel && decl->as.channel->item->role != MODEL_ROLE_NAMED)
            add(memory, entries, "body", arena_printf(memory, "%s_item", decl->qualified_name), NULL,
                decl->as.channel->item);
    }
}

vector layout_entries_of(arena *memory, const model *schema)
{
    vector entries = VECTOR_OF(layout_entry);
    for (uint32_t i = 0; i < schema->file_count; i++)
        if (schema->files[i]->requested)
            add_file(memory, &entries, schema->files[i]);
    return entries;
}

/* A name without the package of its file. */
static const char *short_name(const model_file *file, const char *name)
{
    return name + strlen(file->package) + 1;
}

vector layout_entries_named(arena *memory, const model *schema, const char *name, const char **ret_near)
{
    vector found = VECTOR_OF(layout_entry);
    text_guess guess = {.wanted = name};
    for (uint32_t i = 0; i < schema->file_count; i++) {
        const model_file *file = schema->files[i];
        vector entries = VECTOR_OF(layout_entry);
        add_file(memory, &entries, file);
        for (uint32_t j = 0; j < entries.count; j++) {
            const layout_entry *entry = VECTOR_AT(&entries, layout_entry, j);
            const char *brief = file->requested ? short_name(file, entry->name) : entry->name;
            if (strcmp(entry->name, name) == 0 || strcmp(brief, name) == 0)
                *(layout_entry *)vector_add(&found, memory) = *entry;
            text_guess_offer(&guess, entry->name);
            text_guess_offer(&guess, brief);
        }
    }
    *ret_near = guess.nearest;
    return found;
}

/* ---- lanes ---- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

const char *layout_vehicle(uint32_t size)
{
    return size <= SHMRPC_SLOT_PAYLOAD ? "slot" : size <= SHMRPC_MESSAGE_MAX ? "block" : "arena";
}

static void add_size(uint32_t *small, uint32_t *large, uint32_t size)
{
    uint32_t *most = size <= SHMRPC_MESSAGE_MAX ? small : large;
    *most = larger(*most, size);
}

uint32_t layout_answer_size(const model_method *method)
{
    return larger(method->reply ? method->reply->size : 0, method->errors ? method->errors->payload_size : 0);
}

layout_lane layout_lane_of(const model_service *service)
{
    layout_lane lane = {0};
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        if (method->kind == MODEL_METHOD_EVENT || method->request_is_stream || method->reply_is_stream) {
            lane.has_more = true;
            continue;
        }
        add_size(&lane.request_size, &lane.large_request_size, method->request ? method->request->size : 0);
        add_size(&lane.answer_size, &lane.large_answer_size, layout_answer_size(method));
    }
    if (lane.large_request_size || lane.large_answer_size)
        lane.arena_bytes = shmrpc_arena_size(lane.large_request_size ? lane.large_request_size : lane.request_size,
                                             lane.large_answer_size ? lane.large_answer_size : lane.answer_size);
    lane.request_block_size = shmrpc_lane_block_size(lane.request_size);
    lane.reply_block_size = shmrpc_lane_block_size(lane.answer_size);
    if (lane.request_block_size || lane.reply_block_size) {
        uint32_t count = shmrpc_lane_block_count(SHMRPC_LANE_BLOCKS, lane.request_block_size, lane.reply_block_size);
        lane.request_block_count = lane.request_block_size ? count : 0;
        lane.reply_block_count = lane.reply_block_size ? count : 0;
        blocks = (uint64_t)count * ((uint64_t)lane.request_block_size + lane.reply_block_size);
    }
    uint64_t bytes = shmrpc_lane_size((uint64_t)2 * SHMRPC_LANE_DEPTH, blocks);
    lane.bytes = (bytes + LAYOUT_PAGE - 1) / LAYOUT_PAGE * LAYOUT_PAGE;
    return lane;
}

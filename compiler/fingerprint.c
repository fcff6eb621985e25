/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fingerprint.c - see fingerprint.h.
 */
#include "fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <shmrpc/wire.h>

#include "support/buffer.h"
#include "types.h"
#include "versions.h"

uint64_t fingerprint_text(const char *text)
{
    uint64_t hash = SHMRPC_FINGERPRINT_SEED;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * SHMRPC_FINGERPRINT_PRIME;
    return hash;
}

const model_revision *fingerprint_revision(const model_record *record, const model_file *home, uint32_t version)
{
    const model_file *file = record->decl ? record->decl->file : record->service->decl->file;
    uint32_t at = 0;
    while (versions_comparable(file, home) && at + 1 < record->revision_count &&
           record->revisions[at + 1].version <= version)
        at++;
    return &record->revisions[at];
}

/* `home`, `version`: whose text it is part of. */
static void put_type(buffer *to, const model_type *type, const model_file *home, uint32_t version)
{
    switch (type->kind) {
    case MODEL_BOOL:
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_INT32:
    case MODEL_INT64:
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_UINT32:
    case MODEL_UINT64:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64: buffer_puts(to, types_scalar_name(type->kind)); break;
    case MODEL_ENUM: buffer_printf(to, "enum:%s", types_scalar_name(type->members->base)); break;
    case MODEL_FLAGS: buffer_printf(to, "flags:%s", types_scalar_name(type->members->base)); break;
    case MODEL_STRING: buffer_printf(to, "string<%" PRIu32 ">", type->capacity); break;
    case MODEL_BYTES: buffer_printf(to, "bytes<%" PRIu32 ">", type->capacity); break;
    case MODEL_VECTOR:
        buffer_puts(to, "vector<");
        put_type(to, type->element, home, version);
        buffer_printf(to, ",%" PRIu32 ">", type->capacity);
        break;
    case MODEL_ARRAY: {
        const model_type *base = type;
        while (base->kind == MODEL_ARRAY)
            base = base->element;
        put_type(to, base, home, version);
        for (const model_type *each = type; each != base; each = each->element)
            buffer_printf(to, "[%" PRIu32 "]", each->capacity);
        break;
    }
    case MODEL_STRUCT:
    case MODEL_UNION: {
        const model_revision *inner = fingerprint_revision(type->record, home, version);
        if (strlen(inner->canonical) <= FINGERPRINT_EXPANDED)
            buffer_puts(to, inner->canonical);
        else
            buffer_printf(to, "#%016" PRIx64, inner->fingerprint);
        break;
    }
    }
}

static int by_tag(const void *a, const void *b)
{
    const model_field *first = *(const model_field *const *)a;
    const model_field *second = *(const model_field *const *)b;
    return first->tag < second->tag ? -1 : first->tag > second->tag;
}

/* Arms are all in one place, and their order in the file is nothing: they stand in that of their tags. */
static const model_field *const *arms_sorted(const model_record *record, uint32_t count, arena *memory)
{
    const model_field **sorted = arena_array(memory, count, sizeof(*sorted));
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &record->fields[i];
    if (count)
        qsort(sorted, count, sizeof(*sorted), by_tag);
    return sorted;
}

const char *fingerprint_canonical(const model_record *record, const model_file *home, const model_revision *revision,
                                  arena *memory)
{
    static const char *const words[] = {
        [MODEL_RECORD_STRUCT] = "struct",
        [MODEL_RECORD_MESSAGE] = "message",
        [MODEL_RECORD_UNION] = "union",
    };
    buffer text = {0};
    const model_field *const *arms =
        record->kind == MODEL_RECORD_UNION ? arms_sorted(record, revision->field_count, memory) : NULL;
    buffer_printf(&text, "%s(%" PRIu32 "){", words[record->kind], revision->size);
    for (uint32_t i = 0; i < revision->field_count; i++) {
        const model_field *field = arms ? arms[i] : &record->fields[i];
        buffer_printf(&text, "%" PRIu32, field->offset);
        if (field->optional)
            buffer_printf(&text, "?%" PRIu32, field->has_offset);
        buffer_puts(&text, ":");
        put_type(&text, field->type, home, revision->version);
        buffer_printf(&text, " %s", field->notes.original ? field->notes.original : field->name);
        if (record->kind == MODEL_RECORD_UNION)
            buffer_printf(&text, "=%" PRIu32, field->tag);
        buffer_puts(&text, ";");
    }
    buffer_puts(&text, "}");
    const char *canonical = arena_copy(memory, text.data, text.length);
    buffer_deinit(&text);
    return canonical;
}

static int by_code(const void *a, const void *b)
{
    const model_member *first = *(const model_member *const *)a;
    const model_member *second = *(const model_member *const *)b;
    return first->magnitude < second->magnitude ? -1 : first->magnitude > second->magnitude;
}

uint64_t fingerprint_errors(const model_members *errors, uint32_t version)
{
    buffer text = {0};
    arena *memory = arena_new();
    const model_member **sorted = arena_array(memory, errors->count, sizeof(*sorted));
    for (uint32_t i = 0; i < errors->count; i++)
        sorted[i] = &errors->items[i];
    qsort(sorted, errors->count, sizeof(*sorted), by_code);

    buffer_puts(&text, "errors{");
    for (uint32_t i = 0; i < errors->count; i++) {
        const model_record *payload = sorted[i]->payload;
        if (sorted[i]->notes.since > version)
            continue;
        buffer_printf(&text, "%" PRIu64, sorted[i]->magnitude);
        if (payload)
            buffer_printf(&text, ":#%016" PRIx64,
                          fingerprint_revision(payload, errors->decl->file, version)->fingerprint);
        buffer_puts(&text, ";");
    }
    buffer_puts(&text, "}");
    uint64_t fingerprint = fingerprint_text(text.data);
    buffer_deinit(&text);
    arena_free(memory);
    return fingerprint;
}

static void put_payload(buffer *to, const model_revision *payload, bool is_stream)
{
    if (payload)
        buffer_printf(to, "(%s#%016" PRIx64 ")", is_stream ? "stream" : "", payload->fingerprint);
    else
        buffer_puts(to, "()");
}

uint64_t fingerprint_method(const model_method *method, const model_revision *request, const model_revision *reply,
                            uint64_t errors)
{
    buffer text = {0};
    static const char *const words[] = {
        [MODEL_METHOD_RPC] = "rpc",
        [MODEL_METHOD_ONEWAY] = "oneway",
        [MODEL_METHOD_EVENT] = "event",
    };
    buffer_puts(&text, words[method->kind]);
    put_payload(&text, request, method->request_is_stream);
    if (method->kind == MODEL_METHOD_RPC) {
        buffer_puts(&text, "->");
        put_payload(&text, reply, method->reply_is_stream);
    }
    if (method->errors)
        buffer_printf(&text, "throws#%016" PRIx64, errors);
    uint64_t fingerprint = fingerprint_text(text.data);
    buffer_deinit(&text);
    return fingerprint;
}

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

uint64_t fingerprint_text(const char *text)
{
    uint64_t hash = SHMRPC_FINGERPRINT_SEED;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * SHMRPC_FINGERPRINT_PRIME;
    return hash;
}

static void put_type(buffer *to, const model_type *type)
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
        put_type(to, type->element);
        buffer_printf(to, ",%" PRIu32 ">", type->capacity);
        break;
    case MODEL_ARRAY: {
        const model_type *base = type;
        while (base->kind == MODEL_ARRAY)
            base = base->element;
        put_type(to, base);
        for (const model_type *each = type; each != base; each = each->element)
            buffer_printf(to, "[%" PRIu32 "]", each->capacity);
        break;
    }
    case MODEL_STRUCT:
    case MODEL_UNION:
        if (strlen(type->record->canonical) <= FINGERPRINT_EXPANDED)
            buffer_puts(to, type->record->canonical);
        else
            buffer_printf(to, "#%016" PRIx64, type->record->fingerprint);
        break;
    }
}

void fingerprint_record(model_record *record, arena *memory)
{
    static const char *const words[] = {
        [MODEL_RECORD_STRUCT] = "struct",
        [MODEL_RECORD_MESSAGE] = "message",
        [MODEL_RECORD_UNION] = "union",
    };
    buffer text = {0};
    buffer_printf(&text, "%s(%" PRIu32 "){", words[record->kind], record->size);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        buffer_printf(&text, "%" PRIu32, field->offset);
        if (field->optional)
            buffer_printf(&text, "?%" PRIu32, field->has_offset);
        buffer_puts(&text, ":");
        put_type(&text, field->type);
        buffer_printf(&text, " %s", field->name);
        if (record->kind == MODEL_RECORD_UNION)
            buffer_printf(&text, "=%" PRIu32, field->tag);
        buffer_puts(&text, ";");
    }
    buffer_puts(&text, "}");
    record->canonical = arena_copy(memory, text.data, text.length);
    record->fingerprint = fingerprint_text(record->canonical);
    buffer_deinit(&text);
}

static int by_code(const void *a, const void *b)
{
    const model_member *first = *(const model_member *const *)a;
    const model_member *second = *(const model_member *const *)b;
    return first->magnitude < second->magnitude ? -1 : first->magnitude > second->magnitude;
}

uint64_t fingerprint_errors(const model_members *errors)
{
    buffer text = {0};
    arena *memory = arena_new();
    const model_member **sorted = arena_array(memory, errors->count, sizeof(*sorted));
    for (uint32_t i = 0; i < errors->count; i++)
        sorted[i] = &errors->items[i];
    qsort(sorted, errors->count, sizeof(*sorted), by_code);

    buffer_puts(&text, "errors{");
    for (uint32_t i = 0; i < errors->count; i++) {
        buffer_printf(&text, "%" PRIu64, sorted[i]->magnitude);
        if (sorted[i]->payload)
            buffer_printf(&text, ":#%016" PRIx64, sorted[i]->payload->fingerprint);
        buffer_puts(&text, ";");
    }
    buffer_puts(&text, "}");
    uint64_t fingerprint = fingerprint_text(text.data);
    buffer_deinit(&text);
    arena_free(memory);
    return fingerprint;
}

static void put_record(buffer *to, const model_record *record)
{
    if (record)
        buffer_printf(to, "(#%016" PRIx64 ")", record->fingerprint);
    else
        buffer_puts(to, "()");
}

uint64_t fingerprint_method(const model_method *method)
{
    buffer text = {0};
    buffer_puts(&text, method->kind == MODEL_METHOD_RPC ? "rpc" : "oneway");
    put_record(&text, method->request);
    if (method->kind == MODEL_METHOD_RPC) {
        buffer_puts(&text, "->");
        put_record(&text, method->reply);
    }
    if (method->errors)
        buffer_printf(&text, "throws#%016" PRIx64, method->errors->fingerprint);
    uint64_t fingerprint = fingerprint_text(text.data);
    buffer_deinit(&text);
    return fingerprint;
}

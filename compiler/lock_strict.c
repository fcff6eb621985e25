/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_strict.c - see lock_strict.h.
 */
#include "lock_strict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fingerprint.h"
#include "support/buffer.h"

static const model_file *file_of(const model_record *record)
{
    return record->decl ? record->decl->file : record->service->decl->file;
}

static int by_value(const void *a, const void *b)
{
    const model_member *first = *(const model_member *const *)a;
    const model_member *second = *(const model_member *const *)b;

    if (first->negative != second->negative)
        return first->negative ? -1 : 1;
    return first->magnitude < second->magnitude ? -1 : first->magnitude > second->magnitude;
}

static void put_values(const lock_strict *of, buffer *to, const model_members *members)
{
    const model_member **sorted = arena_array(of->memory, members->count, sizeof(*sorted));

    for (uint32_t i = 0; i < members->count; i++)
        sorted[i] = &members->items[i];
    qsort(sorted, members->count, sizeof(*sorted), by_value);
    buffer_puts(to, "{");
    for (uint32_t i = 0; i < members->count; i++)
        buffer_printf(to, "%s%" PRIu64 ";", sorted[i]->negative ? "-" : "", sorted[i]->magnitude);
    buffer_puts(to, "}");
}

/* `place`: what stands before it, where there is anything. */
static void put_number(buffer *to, uint64_t place, uint64_t number)
{
    if (number)
        buffer_printf(to, "%" PRIu64 ":#%016" PRIx64 ";", place, number);
}

static void put_type(lock_strict *of, buffer *to, uint64_t place, const model_type *type, const model_file *home,
                     uint32_t version)
{
    while (type->element)
        type = type->element;
    if (type->members && type->members->strict) {
        buffer_printf(to, "%" PRIu64 ":", place);
        put_values(of, to, type->members);
    } else if (type->record) {
        put_number(to, place, lock_strict_record(of, type->record, fingerprint_revision(type->record, home, version)));
    }
}

static int by_number(const void *a, const void *b)
{
    const model_field *first = *(const model_field *const *)a;
    const model_field *second = *(const model_field *const *)b;
    uint64_t left = first->tag ? first->tag : first->offset;
    uint64_t right = second->tag ? second->tag : second->offset;

    return left < right ? -1 : left > right;
}

/* Arms by their tags, fields by their places. A strict union has all its tags. */
static void put_fields(lock_strict *of, buffer *to, const model_record *record, const model_revision *revision)
{
    uint32_t count = record->strict ? record->field_count : revision->field_count;
    const model_field **sorted = arena_array(of->memory, count, sizeof(*sorted));

    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &record->fields[i];
    if (count)
        qsort(sorted, count, sizeof(*sorted), by_number);
    if (record->strict) {
        buffer_puts(to, "strict{");
        for (uint32_t i = 0; i < count; i++)
            buffer_printf(to, "%" PRIu32 ";", sorted[i]->tag);
        buffer_puts(to, "}");
    }
    for (uint32_t i = 0; i < count; i++) {
        const model_field *field = sorted[i];
        if (field->id < revision->field_count)
            put_type(of, to, field->tag ? field->tag : field->offset, field->type, file_of(record), revision->version);
    }
}

uint64_t lock_strict_record(lock_strict *of, const model_record *record, const model_revision *revision)
{
    const char *key = arena_printf(of->memory, "%p", (const void *)revision);
    uint64_t *known = map_find(&of->known, key);

    if (!known) {
        buffer text = {0};
        put_fields(of, &text, record, revision);
        known = arena_alloc(of->memory, sizeof(*known));
        *known = text.length ? fingerprint_text(text.data) : 0;
        map_add(&of->known, of->memory, key, known);
        buffer_deinit(&text);
    }
    return *known;
}

uint64_t lock_strict_method(lock_strict *of, const model_method *method, const model_method_revision *revision)
{
    buffer text = {0};

    if (revision->request)
        put_number(&text, 0, lock_strict_record(of, method->request, revision->request));
    if (revision->reply)
        put_number(&text, UINT64_MAX, lock_strict_record(of, method->reply, revision->reply));
    for (uint32_t i = 0; method->errors && i < method->errors->count; i++) {
        const model_member *error = &method->errors->items[i];
        const model_file *file = method->errors->decl->file;
        if (!error->payload || error->notes.since > revision->errors_version)
            continue;
        put_number(&text, error->magnitude,
                   lock_strict_record(of, error->payload,
                                      fingerprint_revision(error->payload, file, revision->errors_version)));
    }
    uint64_t number = text.length ? fingerprint_text(text.data) : 0;
    buffer_deinit(&text);
    return number;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c - every version of a schema with every later one, both ways, through the runtime's own functions.
 *
 * exchange SEED ROUNDS. For each pair of versions and each method of the older one: the newer one has its fingerprint
 * among its layouts; a random message of the one, stored as it is sent, has a length that the other side takes, is
 * loaded there without a fault, and has the same values, as far as the older version knows them. What the older one
 * does not know has the values of the default image; and a message that came from the older side goes back as the same
 * bytes.
 */
#include "exchange.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/message.h"

#define EVERYTHING UINT32_MAX
#define MESSAGE_MOST 65536

static uint64_t random_state;
static unsigned long pairs, methods, messages, disagreements;

static uint64_t random_next(void)
{
    random_state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Less than `most`. */
static uint64_t random_below(uint64_t most)
{
    if (most == 0)
        abort();
    return random_next() % most;
}

static void random_bytes(unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)random_next();
}

/* ---- values that are made up ------------------------------------------------------------------------------------ */

static void fill_record(const ex_record *record, unsigned char *to);

static void store_value(unsigned char *to, size_t size, int64_t value)
{
    memcpy(to, &value, size); /* little-endian, as everything here is */
}

static void fill_members(const ex_type *type, unsigned char *to)
{
    int64_t value = 0;

    if (type->kind == EX_FLAGS) {
        for (uint32_t i = 0; i < type->value_count; i++)
            value |= random_below(2) ? type->values[i] : 0;
    } else {
        value = type->values[random_below(type->value_count)];
    }
    if (!type->strict && random_below(4) == 0)
        random_bytes((unsigned char *)&value, sizeof value);
    store_value(to, type->size, value);
}

static void fill_type(const ex_type *type, unsigned char *to)
{
    uint16_t count = (uint16_t)(random_below((uint64_t)type->capacity + 1));

    switch (type->kind) {
    case EX_BITS: random_bytes(to, type->size); break;
    case EX_BOOL: *to = (unsigned char)(random_below(2)); break;
    case EX_ENUM:
    case EX_FLAGS: fill_members(type, to); break;
    case EX_RECORD: fill_record(type->record, to); break;
    case EX_STRING:
        memcpy(to, &count, sizeof count);
        for (uint16_t i = 0; i < count; i++)
            to[type->items + i] = (unsigned char)('a' + random_below(26));
        to[type->items + count] = '\0';
        break;
    case EX_BYTES:
        memcpy(to, &count, sizeof count);
        random_bytes(to + type->items, count);
        break;
    case EX_VECTOR:
        memcpy(to, &count, sizeof count);
        for (uint16_t i = 0; i < count; i++)
            fill_type(type->element, to + type->items + i * type->element->size);
        break;
    case EX_ARRAY:
        for (uint32_t i = 0; i < type->capacity; i++)
            fill_type(type->element, to + i * type->element->size);
        break;
    }
}

static void fill_record(const ex_record *record, unsigned char *to)
{
    uint32_t tag = 0;

    for (uint32_t i = 0; !record->is_union && i < record->count; i++) {
        const ex_field *field = &record->fields[i];
        if (field->optional)
            to[field->has] = (unsigned char)(random_below(2));
        if (!field->optional || to[field->has])
            fill_type(field->type, to + field->offset);
    }
    if (!record->is_union)
        return;
    uint64_t arm = random_below((uint64_t)record->count + (record->strict ? 0 : 2));
    if (arm < record->count) {
        tag = record->fields[arm].tag;
        fill_type(record->fields[arm].type, to + record->body);
    } else if (arm > record->count) {
        tag = 1000000 + (uint32_t)(random_below(1000)); /* of a version that is not written yet */
        random_bytes(to + record->body, record->size - record->body);
    }
    memcpy(to, &tag, sizeof tag);
}

/* ---- values as text --------------------------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t length;
    size_t capacity;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *to, const char *format, ...)
{
    va_list arguments;

    if (to->capacity - to->length < 256) {
        to->capacity = to->capacity * 2 + 4096;
        to->data = realloc(to->data, to->capacity);
        if (to->data == NULL)
            abort();
    }
    va_start(arguments, format);
    to->length += (size_t)vsnprintf(to->data + to->length, to->capacity - to->length, format, arguments);
    va_end(arguments);
}

static void put_bytes(text *to, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put(to, "%02x", bytes[i]);
}

static void put_fields(text *to, const ex_record *record, const unsigned char *from, uint32_t after, uint32_t newest);

static void put_record(text *to, const ex_record *record, const unsigned char *from, uint32_t newest)
{
    uint32_t tag;

    if (!record->is_union) {
        put_fields(to, record, from, 0, newest);
        return;
    }
    /* Whoever does not know an arm carries its body over as it is. */
    memcpy(&tag, from, sizeof tag);
    put(to, "%" PRIu32 ":", tag);
    put_bytes(to, from + record->body, tag == 0 ? 0 : record->size - record->body);
}

static void put_type(text *to, const ex_type *type, const unsigned char *from, uint32_t newest)
{
    uint16_t count = 0;

    switch (type->kind) {
    case EX_BITS:
    case EX_BOOL:
    case EX_ENUM:
    case EX_FLAGS: put_bytes(to, from, type->size); break;
    case EX_RECORD: put_record(to, type->record, from, newest); break;
    case EX_STRING:
    case EX_BYTES:
        memcpy(&count, from, sizeof count);
        put(to, "%u:", count);
        put_bytes(to, from + type->items, count);
        break;
    case EX_VECTOR:
    case EX_ARRAY:
        count = (uint16_t)type->capacity;
        if (type->kind == EX_VECTOR)
            memcpy(&count, from, sizeof count);
        put(to, "%u[", count);
        for (uint16_t i = 0; i < count; i++) {
            put_type(to, type->element, from + type->items + i * type->element->size, newest);
            put(to, ",");
        }
        put(to, "]");
        break;
    }
}

/* The fields that came after one version, up to and with another. */
static void put_fields(text *to, const ex_record *record, const unsigned char *from, uint32_t after, uint32_t newest)
{
    put(to, "{");
    for (uint32_t i = 0; i < record->count; i++) {
        const ex_field *field = &record->fields[i];
        if (field->since <= after || field->since > newest)
            continue;
        put(to, "%s=", field->name);
        if (field->optional && !from[field->has])
            put(to, "none");
        else
            put_type(to, field->type, from + field->offset, newest);
        put(to, ";");
    }
    put(to, "}");
}

/* ---- an exchange ------------------------------------------------------------------------------------------------ */

static void disagree(const char *what, const ex_version *old, const ex_version *new, const char *name)
{
    if (disagreements++ < 20)
        printf("versions %" PRIu32 " and %" PRIu32 ", %s: %s\n", old->version, new->version, name, what);
}

static const ex_record *record_of(const ex_version *version, const shmrpc_type_info *info)
{
    for (uint32_t i = 0; i < version->message_count; i++)
        if (version->messages[i].info == info)
            return version->messages[i].record;
    printf("a message is not described: %s\n", info->name);
    exit(2);
}

/* A message of each side, and what both have agreed on. */
typedef struct exchange {
    const ex_version *old;
    const ex_version *new;
    const shmrpc_type_info *old_info;
    const shmrpc_type_info *new_info;
    const ex_record *old_record;
    const ex_record *new_record;
    uint32_t size;
    uint32_t min_size;
} exchange;

static unsigned char *made, *wire, *back, *loaded, *plain, *scratch;
static text first, second;

/* A random message of a side, whose unused bytes are no zeros; `plain` is the same as its own side would read it. */
static bool make(const shmrpc_type_info *info, const ex_record *record)
{
    memset(made, 0xA5, info->size);
    fill_record(record, made);
    memset(wire, 0x5A, MESSAGE_MOST);
    return shmrpc_message_check(info, made) == 0 &&
           message_load(info, plain, wire, message_store(info, wire, made)) == 0;
}

static bool same_values(const exchange *of, const unsigned char *by_old, const unsigned char *by_new)
{
    first.length = second.length = 0;
    put_fields(&first, of->old_record, by_old, 0, of->old->version);
    put_fields(&second, of->new_record, by_new, 0, of->old->version);
    return first.length == second.length && memcmp(first.data, second.data, first.length) == 0;
}

/* Whether what the old version does not have is as in the default image. */
static bool rest_is_default(const exchange *of)
{
    message_init(of->new_info, scratch);
    first.length = second.length = 0;
    put_fields(&first, of->new_record, loaded, of->old->version, EVERYTHING);
    put_fields(&second, of->new_record, scratch, of->old->version, EVERYTHING);
    return first.length == second.length && memcmp(first.data, second.data, first.length) == 0;
}

static const char *old_to_new(const exchange *of)
{
    if (!make(of->old_info, of->old_record))
        return "the old side refuses its own message";
    memset(wire, 0x5A, MESSAGE_MOST);
    uint32_t length = message_store(of->old_info, wire, made);
    if (length < of->min_size || length > of->size)
        return "the old side sends a length that was not agreed on";
    if (message_load(of->new_info, loaded, wire, length) != 0)
        return shmrpc_last_error();
    if (!same_values(of, plain, loaded))
        return "the new side reads other values";
    if (!rest_is_default(of))
        return "what the old side does not know is not as in the default image";
    uint32_t returned = message_store_first(of->new_info, back, loaded, of->size, scratch);
    if (returned < length || memcmp(wire, back, length) != 0)
        return "the new side sends other bytes back";
    for (uint32_t i = length; i < returned; i++)
        if (back[i] != 0)
            return "the new side sends back more than it was given";
    return NULL;
}

static const char *new_to_old(const exchange *of)
{
    if (!make(of->new_info, of->new_record))
        return "the new side refuses its own message";
    memset(wire, 0x5A, MESSAGE_MOST);
    uint32_t length = of->old_info->fingerprint == of->new_info->fingerprint
                          ? message_store(of->new_info, wire, made)
                          : message_store_first(of->new_info, wire, made, of->size, scratch);
    if (length < of->min_size || length > of->size || !message_length_is_valid(of->old_info, length))
        return "the new side sends a length that was not agreed on";
    if (message_load(of->old_info, loaded, wire, length) != 0)
        return shmrpc_last_error();
    return same_values(of, loaded, plain) ? NULL : "the old side reads other values";
}

static void exchange_messages(exchange *of, const char *method, unsigned long rounds)
{
    if ((of->old_info == NULL) != (of->new_info == NULL)) {
        disagree("one side has a message, and the other has none", of->old, of->new, method);
        return;
    }
    if (of->old_info == NULL)
        return;
    of->old_record = record_of(of->old, of->old_info);
    of->new_record = record_of(of->new, of->new_info);
    for (unsigned long i = 0; i < rounds; i++) {
        const char *fault = old_to_new(of);
        if (fault != NULL)
            disagree(fault, of->old, of->new, of->old_info->name);
        fault = new_to_old(of);
        if (fault != NULL)
            disagree(fault, of->old, of->new, of->old_info->name);
        messages += 2;
    }
}

static const char *wire_name(const shmrpc_method_info *method)
{
    return method->original != NULL ? method->original : method->name;
}

static bool agree(const shmrpc_method_info *old, const shmrpc_method_info *new, shmrpc_revision_info *ret)
{
    for (uint32_t i = 0; i < new->former_count; i++) {
        if (new->former[i].fingerprint == old->fingerprint) {
            *ret = new->former[i];
            return true;
        }
    }
    if (new->fingerprint != old->fingerprint)
        return false;
    *ret = (shmrpc_revision_info){.request_size = new->request == NULL ? 0 : new->request->size,
                                  .request_min_size = new->request == NULL ? 0 : new->request->min_size,
                                  .reply_size = new->reply == NULL ? 0 : new->reply->size,
                                  .reply_min_size = new->reply == NULL ? 0 : new->reply->min_size};
    return true;
}

static void exchange_versions(const ex_version *old, const ex_version *new, unsigned long rounds)
{
    for (uint32_t i = 0; i < old->service->method_count; i++) {
        const shmrpc_method_info *before = &old->service->methods[i];
        const shmrpc_method_info *after = NULL;
        shmrpc_revision_info agreed;
        for (uint32_t j = 0; j < new->service->method_count &&after == NULL; j++)
            if (strcmp(wire_name(before), wire_name(&new->service->methods[j])) == 0)
                after = &new->service->methods[j];
        if (after == NULL || !agree(before, after, &agreed)) {
            disagree(after == NULL ? "the new side has no such method" : "no layout in common", old, new, before->name);
            continue;
        }
        exchange requests = {.old = old,
                             .new = new,
                             .old_info = before->request,
                             .new_info = after->request,
                             .size = agreed.request_size,
                             .min_size = agreed.request_min_size};
        exchange replies = {.old = old,
                            .new = new,
                            .old_info = before->reply,
                            .new_info = after->reply,
                            .size = agreed.reply_size,
                            .min_size = agreed.reply_min_size};
        exchange_messages(&requests, before->name, rounds);
        exchange_messages(&replies, before->name, rounds);
        methods++;
    }
    pairs++;
}

int main(int count, char **arguments)
{
    unsigned char **const rooms[] = {&made, &wire, &back, &loaded, &plain, &scratch};
    unsigned long rounds = count > 2 ? strtoul(arguments[2], NULL, 10) : 1;

    random_state = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        *rooms[i] = aligned_alloc(64, MESSAGE_MOST);
        if (*rooms[i] == NULL)
            return 2;
    }
    for (uint32_t i = 0; i < ex_version_count; i++)
        for (uint32_t j = i + 1; j < ex_version_count; j++)
            exchange_versions(ex_versions[i], ex_versions[j], rounds);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        free(*rooms[i]);
    free(first.data);
    free(second.data);
    printf("%lu pairs, %lu methods, %lu messages, %lu disagreements\n", pairs, methods, messages, disagreements);
    return disagreements == 0 ? 0 : 1;
}

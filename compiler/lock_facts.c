/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_facts.c - what a file says of itself: the facts that its lock has.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "lock_strict.h"
#include "spell.h"
#include "types.h"

/* A file whose facts are being gathered. */
typedef struct gatherer {
    arena *memory;
    lock_facts *facts;
    lock_strict strict;
} gatherer;

static const char *identity(const char *name, const model_notes *notes)
{
    return notes->original ? notes->original : name;
}

static uint32_t since(const model_notes *notes)
{
    return notes->since ? notes->since : 1;
}

static const char *decl_name(const model_decl *decl)
{
    return identity(decl->name, &decl->notes);
}

/* As another file would call it, with the name that it has on the wire. */
static const char *full_name(arena *memory, const model_decl *decl)
{
    return arena_printf(memory, "%s.%s", decl->file->package, decl_name(decl));
}

const char *lock_record_name(arena *memory, const model_record *record)
{
    static const char *const roles[] = {
        [MODEL_ROLE_NAMED] = "",
        [MODEL_ROLE_REQUEST] = ".request",
        [MODEL_ROLE_REPLY] = ".reply",
        [MODEL_ROLE_REQUEST_ITEM] = ".request_item",
        [MODEL_ROLE_REPLY_ITEM] = ".reply_item",
        [MODEL_ROLE_EVENT] = ".event",
        [MODEL_ROLE_CHANNEL_ITEM] = ".item",
    };

    if (record->decl)
        return arena_printf(memory, "%s%s", decl_name(record->decl), roles[record->role]);
    const model_method *method = &record->service->methods[record->method];
    return arena_printf(memory, "%s.%s%s", decl_name(record->service->decl), identity(method->name, &method->notes),
                        roles[record->role]);
}

/* Through the reader of locks, so that what is written can be read. */
__attribute__((format(printf, 3, 4))) static void fact_add(gatherer *to, span at, const char *format, ...)
{
    lock_fact *fact = arena_alloc(to->memory, sizeof(*fact));
    va_list arguments;

    va_start(arguments, format);
    const char *line = arena_vprintf(to->memory, format, arguments);
    va_end(arguments);
    if (!lock_fact_read(to->memory, line, strlen(line), fact))
        abort();
    fact->at = at;
    lock_facts_add(to->facts, to->memory, fact);
}

static void reserved_add(gatherer *to, const char *owner, const model_reserved *reserved, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (reserved[i].name)
            fact_add(to, reserved[i].at, "reserved %s \"%s\"", owner, reserved[i].name);
        else if (reserved[i].first == reserved[i].last)
            fact_add(to, reserved[i].at, "reserved %s %" PRIu64, owner, reserved[i].first);
        else
            fact_add(to, reserved[i].at, "reserved %s %" PRIu64 "..%" PRIu64, owner, reserved[i].first,
                     reserved[i].last);
    }
}

/* What follows a fingerprint. */
static const char *strict_text(const gatherer *to, uint64_t number)
{
    return number ? arena_printf(to->memory, " strict %016" PRIx64, number) : "";
}

static void record_add(gatherer *to, const model_record *record, span at)
{
    const char *name = lock_record_name(to->memory, record);
    bool is_union = record->kind == MODEL_RECORD_UNION;

    for (uint32_t i = 0; i < record->revision_count; i++)
        fact_add(to, at, "version %s %" PRIu32 " size %" PRIu32 " fingerprint %016" PRIx64 "%s", name,
                 record->revisions[i].version, record->revisions[i].size, record->revisions[i].fingerprint,
                 strict_text(to, lock_strict_record(&to->strict, record, &record->revisions[i])));
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        fact_add(to, field->at, "%s %s.%s since %" PRIu32 " %s %" PRIu32 " %s%s", is_union ? "arm" : "field", name,
                 identity(field->name, &field->notes), since(&field->notes), is_union ? "tag" : "at",
                 is_union ? field->tag : field->offset, spell_type(to->memory, field->type),
                 field->optional ? "?" : "");
    }
    reserved_add(to, name, record->reserved, record->reserved_count);
}

static void members_add(gatherer *to, const model_members *members)
{
    const char *owner = decl_name(members->decl);

    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        const char *name = identity(member->name, &member->notes);
        if (members->kind == MODEL_MEMBERS_ERRORS)
            fact_add(to, member->at, "error %s.%s since %" PRIu32 " code %" PRIu64 " (%s)", owner, name,
                     since(&member->notes), member->magnitude,
                     member->payload ? full_name(to->memory, member->payload->decl) : "");
        else
            fact_add(to, member->at, "member %s.%s since %" PRIu32 " value %s%" PRIu64, owner, name,
                     since(&member->notes), member->negative ? "-" : "", member->magnitude);
    }
    reserved_add(to, owner, members->reserved, members->reserved_count);
}

static const char *payload_name(const gatherer *to, const model_record *record, bool stream)
{
    const char *name = !record ? "" : record->role == MODEL_ROLE_NAMED ? full_name(to->memory, record->decl) : "{...}";
    return arena_printf(to->memory, "%s%s", stream ? "stream " : "", name);
}

static const char *signature(const gatherer *to, const model_method *method)
{
    static const char *const words[] = {
        [MODEL_METHOD_RPC] = "rpc", [MODEL_METHOD_ONEWAY] = "oneway", [MODEL_METHOD_EVENT] = "event"};
    const char *text = arena_printf(to->memory, "%s (%s)", words[method->kind],
                                    payload_name(to, method->request, method->request_is_stream));

    if (method->kind == MODEL_METHOD_RPC)
        text = arena_printf(to->memory, "%s -> (%s)", text, payload_name(to, method->reply, method->reply_is_stream));
    if (method->errors)
        text = arena_printf(to->memory, "%s throws %s", text, full_name(to->memory, method->errors->decl));
    return text;
}

/* The inline bodies of a method belong to the service that it comes from. */
static void inline_add(gatherer *to, const model_service *service, const model_record *record, span at)
{
    if (record && record->role != MODEL_ROLE_NAMED && record->service == service)
        record_add(to, record, at);
}

static void service_add(gatherer *to, const model_service *service)
{
    const char *owner = decl_name(service->decl);

    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        const char *name = arena_printf(to->memory, "%s.%s", owner, identity(method->name, &method->notes));
        inline_add(to, service, method->request, method->at);
        inline_add(to, service, method->reply, method->at);
        fact_add(to, method->at, "method %s since %" PRIu32 " %s", name, since(&method->notes), signature(to, method));
        for (uint32_t j = 0; j < method->revision_count; j++)
            fact_add(to, method->at, "revision %s %" PRIu32 " fingerprint %016" PRIx64 "%s", name,
                     method->revisions[j].version, method->revisions[j].fingerprint,
                     strict_text(to, lock_strict_method(&to->strict, method, &method->revisions[j])));
    }
    reserved_add(to, owner, service->reserved, service->reserved_count);
}

static void channel_add(gatherer *to, const model_channel *channel)
{
    if (channel->item->role != MODEL_ROLE_NAMED)
        record_add(to, channel->item, channel->decl->at);
    const model_revision *newest = &channel->item->revisions[channel->item->revision_count - 1];
    fact_add(to, channel->decl->at, "item %s fingerprint %016" PRIx64 "%s %s", decl_name(channel->decl),
             channel->item->fingerprint, strict_text(to, lock_strict_record(&to->strict, channel->item, newest)),
             payload_name(to, channel->item, false));
}

static void type_add(gatherer *to, const model_decl *decl, const char *what, const char *base, bool may_be_strict,
                     bool strict)
{
    fact_add(to, decl->at, "type %s since %" PRIu32 " %s%s%s%s", decl_name(decl), since(&decl->notes), what,
             base ? " " : "", base ? base : "",
             !may_be_strict ? ""
             : strict       ? " strict"
                            : " flexible");
}

static void decl_add(gatherer *to, const model_decl *decl)
{
    switch (decl->kind) {
    case MODEL_DECL_CONST:
    case MODEL_DECL_ALIAS: break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
        type_add(to, decl, decl->kind == MODEL_DECL_ENUM ? "enum" : "flags", types_scalar_name(decl->as.members->base),
                 true, decl->as.members->strict);
        members_add(to, decl->as.members);
        break;
    case MODEL_DECL_ERRORS:
        type_add(to, decl, "errors", NULL, false, false);
        members_add(to, decl->as.members);
        break;
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
        type_add(to, decl, decl->kind == MODEL_DECL_STRUCT ? "struct" : "message", NULL, false, false);
        record_add(to, decl->as.record, decl->at);
        break;
    case MODEL_DECL_UNION:
        type_add(to, decl, "union", NULL, true, decl->as.record->strict);
        record_add(to, decl->as.record, decl->at);
        break;
    case MODEL_DECL_SERVICE:
        type_add(to, decl, "service", NULL, true, decl->as.service->strict);
        service_add(to, decl->as.service);
        break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE:
        type_add(to, decl, decl->kind == MODEL_DECL_TOPIC ? "topic" : "queue", NULL, false, false);
        channel_add(to, decl->as.channel);
        break;
    }
}

lock_facts *lock_facts_of_file(arena *memory, const model_file *file)
{
    lock_facts *made = arena_alloc(memory, sizeof(*made));
    gatherer to = {.memory = memory, .facts = made, .strict = {.memory = memory}};

    made->list = VECTOR_OF(lock_fact *);
    fact_add(&to, file->at, "package %s version %" PRIu32, file->package, file->version);
    for (uint32_t i = 0; i < file->sorted_count; i++)
        decl_add(&to, file->sorted[i]);
    for (uint32_t i = 0; i < file->decl_count; i++) {
        model_decl_kind kind = file->decls[i]->kind;
        if (kind == MODEL_DECL_SERVICE || kind == MODEL_DECL_TOPIC || kind == MODEL_DECL_QUEUE)
            decl_add(&to, file->decls[i]);
    }
    return made;
}

static int by_line(const void *a, const void *b)
{
    return strcmp((*(lock_fact *const *)a)->line, (*(lock_fact *const *)b)->line);
}

void lock_write(arena *memory, const model_file *file, buffer *to)
{
    lock_facts *facts = lock_facts_of_file(memory, file);

    buffer_puts(
        to,
        "# What of the file beside this one is out and must stay as it is: a fact per line, sorted. Written by\n"
        "# 'shmc freeze', and compared with that file whenever it is compiled. Keep both under version control.\n" LOCK_FORM
        "\n");
    qsort(facts->list.items, facts->list.count, sizeof(lock_fact *), by_line);
    for (uint32_t i = 0; i < facts->list.count; i++)
        buffer_printf(to, "%s\n", (*VECTOR_AT(&facts->list, lock_fact *, i))->line);
}

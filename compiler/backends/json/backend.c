/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.c - the model as JSON: what the front end knows, without a target language.
 *
 * Every object has its keys in a fixed order, and all of them: what is not given is null. JSON_SCHEMA_VERSION grows by
 * one with each change that is more than a new key.
 */
#include <string.h>

#include "backends/json/json.h"
#include "backends/json/writer.h"
#include "spell.h"

#define JSON_SCHEMA_VERSION 1

static const char *const decl_kind_names[] = {
    [MODEL_DECL_CONST] = "const", [MODEL_DECL_ALIAS] = "alias",   [MODEL_DECL_ENUM] = "enum",
    [MODEL_DECL_FLAGS] = "flags", [MODEL_DECL_STRUCT] = "struct", [MODEL_DECL_MESSAGE] = "message",
    [MODEL_DECL_UNION] = "union", [MODEL_DECL_ERRORS] = "errors", [MODEL_DECL_SERVICE] = "service",
    [MODEL_DECL_TOPIC] = "topic", [MODEL_DECL_QUEUE] = "queue",
};

static void notes_write(json_writer *json, const model_notes *notes)
{
    json_string(json, "doc", notes->doc);
    json_string(json, "deprecated", notes->deprecated);
    json_string(json, "c_name", notes->rename);
    json_unsigned(json, "since", notes->since);
    json_string(json, "renamed_from", notes->original);
}

/* A number that is 0 where it was not given. */
static void given_write(json_writer *json, const char *key, uint32_t number)
{
    if (number > 0)
        json_unsigned(json, key, number);
    else
        json_null(json, key);
}

static void reserved_write(json_writer *json, const model_reserved *reserved, uint32_t count)
{
    json_array_begin(json, "reserved");
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(json, NULL);
        json_string(json, "name", reserved[i].name);
        if (reserved[i].name) {
            json_null(json, "first");
            json_null(json, "last");
        } else {
            json_unsigned(json, "first", reserved[i].first);
            json_unsigned(json, "last", reserved[i].last);
        }
        json_object_end(json);
    }
    json_array_end(json);
}

static void value_write(json_writer *json, const char *key, const model_value *value)
{
    switch (value->kind) {
    case MODEL_VALUE_NONE: json_null(json, key); return;
    case MODEL_VALUE_BOOL: json_bool(json, key, value->boolean); return;
    case MODEL_VALUE_INT: json_integer(json, key, value->negative, value->magnitude); return;
    case MODEL_VALUE_FLOAT: json_float(json, key, value->real); return;
    case MODEL_VALUE_STRING: json_text(json, key, value->text, value->length); return;
    }
}

/* The declaration that a type is of, or NULL. */
static const char *type_declaration(const model_type *type)
{
    if (type->members)
        return type->members->decl->qualified_name;
    return type->record && type->record->decl ? type->record->decl->qualified_name : NULL;
}

static void type_write(json_writer *json, const char *key, const model_type *type)
{
    json_object_begin(json, key);
    json_string(json, "kind", spell_kind(type->kind));
    json_unsigned(json, "size", type->size);
    json_unsigned(json, "align", type->align);
    if (type->alias)
        json_string(json, "alias", type->alias->qualified_name);
    if (type_declaration(type))
        json_string(json, "declaration", type_declaration(type));
    if (type->kind >= MODEL_STRING)
        json_unsigned(json, "capacity", type->capacity);
    if (type->kind == MODEL_STRING || type->kind == MODEL_BYTES || type->kind == MODEL_VECTOR) {
        json_unsigned(json, "count_size", type->count_size);
        json_unsigned(json, "items_offset", type->items_offset);
        json_unsigned(json, "tail_padding", type->tail_padding);
    }
    if (type->element)
        type_write(json, "element", type->element);
    json_object_end(json);
}

static void field_write(json_writer *json, const model_record *record, const model_field *field)
{
    json_object_begin(json, NULL);
    json_string(json, "name", field->name);
    if (record->kind == MODEL_RECORD_UNION)
        json_unsigned(json, "tag", field->tag);
    json_unsigned(json, "offset", field->offset);
    type_write(json, "type", field->type);
    if (record->kind != MODEL_RECORD_UNION) {
        json_unsigned(json, "padding_before", field->padding_before);
        json_bool(json, "optional", field->optional);
        if (field->optional) {
            json_unsigned(json, "has_offset", field->has_offset);
            json_unsigned(json, "padding_after_has", field->padding_after_has);
        } else {
            json_null(json, "has_offset");
            json_null(json, "padding_after_has");
        }
        value_write(json, "default", &field->initial);
    }
    notes_write(json, &field->notes);
    json_object_end(json);
}

static void revisions_write(json_writer *json, const model_record *record)
{
    json_array_begin(json, "revisions");
    for (uint32_t i = 0; i < record->revision_count; i++) {
        const model_revision *revision = &record->revisions[i];
        json_object_begin(json, NULL);
        json_unsigned(json, "version", revision->version);
        json_unsigned(json, "size", revision->size);
        json_unsigned(json, record->kind == MODEL_RECORD_UNION ? "arm_count" : "field_count", revision->field_count);
        if (record->kind == MODEL_RECORD_MESSAGE)
            json_string(json, "variable_tail", revision->variable_tail ? revision->variable_tail->name : NULL);
        json_hex(json, "fingerprint", revision->fingerprint);
        json_string(json, "canonical", revision->canonical);
        json_object_end(json);
    }
    json_array_end(json);
}

static void holes_write(json_writer *json, const model_record *record)
{
    json_array_begin(json, "holes");
    for (uint32_t i = 0; i < record->hole_count; i++) {
        const model_hole *hole = &record->holes[i];
        json_object_begin(json, NULL);
        json_string(json, "name", hole->name);
        json_unsigned(json, "offset", hole->offset);
        type_write(json, "type", hole->type);
        json_unsigned(json, "before", hole->before);
        json_object_end(json);
    }
    json_array_end(json);
}

static void record_write(json_writer *json, const model_record *record)
{
    json_unsigned(json, "size", record->size);
    json_unsigned(json, "align", record->align);
    given_write(json, "fixed_size", record->fixed_size);
    given_write(json, "fixed_align", record->fixed_align);
    json_unsigned(json, "tail_padding", record->tail_padding);
    json_bool(json, "plain", record->plain);
    if (record->kind == MODEL_RECORD_UNION)
        json_bool(json, "strict", record->strict);
    if (record->kind == MODEL_RECORD_UNION) {
        json_unsigned(json, "body_offset", record->body_offset);
        json_unsigned(json, "body_size", record->body_size);
    }
    if (record->kind == MODEL_RECORD_MESSAGE)
        json_string(json, "variable_tail", record->variable_tail ? record->variable_tail->name : NULL);
    json_hex(json, "fingerprint", record->fingerprint);
    json_string(json, "canonical", record->canonical);
    json_array_begin(json, record->kind == MODEL_RECORD_UNION ? "arms" : "fields");
    for (uint32_t i = 0; i < record->field_count; i++)
        field_write(json, record, &record->fields[i]);
    json_array_end(json);
    if (record->kind != MODEL_RECORD_UNION)
        holes_write(json, record);
    reserved_write(json, record->reserved, record->reserved_count);
    revisions_write(json, record);
}

static void members_write(json_writer *json, const model_members *members)
{
    bool errors = members->kind == MODEL_MEMBERS_ERRORS;

    if (errors) {
        json_hex(json, "fingerprint", members->fingerprint);
        json_unsigned(json, "payload_size", members->payload_size);
    } else {
        json_string(json, "base", spell_kind(members->base));
        json_bool(json, "strict", members->strict);
    }
    json_array_begin(json, "members");
    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        json_object_begin(json, NULL);
        json_string(json, "name", member->name);
        json_integer(json, errors ? "code" : "value", member->negative, member->magnitude);
        if (errors)
            json_string(json, "payload", member->payload ? member->payload->decl->qualified_name : NULL);
        notes_write(json, &member->notes);
        json_object_end(json);
    }
    json_array_end(json);
    reserved_write(json, members->reserved, members->reserved_count);
}

/* A request or a reply: a declaration's name, an inline body, or null. */
static void payload_write(json_writer *json, const char *key, const model_record *record)
{
    if (!record) {
        json_null(json, key);
    } else if (record->role == MODEL_ROLE_NAMED) {
        json_string(json, key, record->decl->qualified_name);
    } else {
        json_object_begin(json, key);
        record_write(json, record);
        json_object_end(json);
    }
}

static void deadline_write(json_writer *json, int64_t deadline_ns)
{
    if (deadline_ns == MODEL_DEADLINE_UNSET)
        json_null(json, "deadline_ns");
    else if (deadline_ns == MODEL_DEADLINE_NONE)
        json_string(json, "deadline_ns", "none");
    else
        json_unsigned(json, "deadline_ns", (uint64_t)deadline_ns);
}

/* Which version of a payload belongs to a revision of a method. */
static void payload_version_write(json_writer *json, const char *key, const model_revision *payload)
{
    if (payload)
        json_unsigned(json, key, payload->version);
    else
        json_null(json, key);
}

static void method_revisions_write(json_writer *json, const model_method *method)
{
    json_array_begin(json, "revisions");
    for (uint32_t i = 0; i < method->revision_count; i++) {
        const model_method_revision *revision = &method->revisions[i];
        json_object_begin(json, NULL);
        json_unsigned(json, "version", revision->version);
        payload_version_write(json, "request_version", revision->request);
        payload_version_write(json, "reply_version", revision->reply);
        json_unsigned(json, "answer_size", revision->answer_size);
        json_hex(json, "fingerprint", revision->fingerprint);
        json_object_end(json);
    }
    json_array_end(json);
}

static void method_write(json_writer *json, const model_method *method)
{
    json_object_begin(json, NULL);
    json_string(json, "name", method->name);
    json_string(json, "kind",
                method->kind == MODEL_METHOD_RPC      ? "rpc"
                : method->kind == MODEL_METHOD_ONEWAY ? "oneway"
                                                      : "event");
    payload_write(json, "request", method->request);
    json_bool(json, "request_is_stream", method->request_is_stream);
    payload_write(json, "reply", method->reply);
    json_bool(json, "reply_is_stream", method->reply_is_stream);
    json_string(json, "throws", method->errors ? method->errors->decl->qualified_name : NULL);
    json_bool(json, "idempotent", method->idempotent);
    deadline_write(json, method->deadline_ns);
    given_write(json, "depth", method->depth);
    json_string(json, "composed_from", method->composed ? method->composed->decl->qualified_name : NULL);
    json_hex(json, "fingerprint", method->fingerprint);
    method_revisions_write(json, method);
    notes_write(json, &method->notes);
    json_object_end(json);
}

static void service_write(json_writer *json, const model_service *service)
{
    json_string(json, "c_prefix", service->c_prefix);
    json_bool(json, "strict", service->strict);
    json_bool(json, "idempotent", service->idempotent);
    deadline_write(json, service->deadline_ns);
    given_write(json, "depth", service->depth);
    json_array_begin(json, "composes");
    for (uint32_t i = 0; i < service->compose_count; i++)
        json_string(json, NULL, service->composes[i]->decl->qualified_name);
    json_array_end(json);
    json_array_begin(json, "methods");
    for (uint32_t i = 0; i < service->method_count; i++)
        method_write(json, &service->methods[i]);
    json_array_end(json);
    reserved_write(json, service->reserved, service->reserved_count);
}

static void channel_write(json_writer *json, const model_decl *decl)
{
    static const char *const overflows[] = {
        [MODEL_OVERFLOW_UNSET] = NULL,
        [MODEL_OVERFLOW_BLOCK] = "block",
        [MODEL_OVERFLOW_DROP_OLDEST] = "drop_oldest",
        [MODEL_OVERFLOW_FAIL] = "fail",
    };
    const model_channel *channel = decl->as.channel;

    payload_write(json, "item", channel->item);
    given_write(json, "depth", channel->depth);
    json_string(json, "overflow", overflows[channel->overflow]);
    if (decl->kind == MODEL_DECL_TOPIC) {
        json_bool(json, "reliable", channel->reliable);
        given_write(json, "retain", channel->retain);
    } else {
        given_write(json, "attempts", channel->attempts);
    }
}

static void decl_write(json_writer *json, const model_decl *decl)
{
    json_object_begin(json, NULL);
    json_string(json, "kind", decl_kind_names[decl->kind]);
    json_string(json, "name", decl->name);
    json_string(json, "qualified_name", decl->qualified_name);
    notes_write(json, &decl->notes);
    switch (decl->kind) {
    case MODEL_DECL_CONST:
        type_write(json, "type", decl->as.constant->type);
        value_write(json, "value", &decl->as.constant->value);
        break;
    case MODEL_DECL_ALIAS: type_write(json, "type", decl->as.alias); break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_ERRORS: members_write(json, decl->as.members); break;
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION: record_write(json, decl->as.record); break;
    case MODEL_DECL_SERVICE: service_write(json, decl->as.service); break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: channel_write(json, decl); break;
    }
    json_object_end(json);
}

static void package_write(json_writer *json, const model_file *file)
{
    json_object_begin(json, "package");
    json_string(json, "name", file->package);
    json_unsigned(json, "version", file->version);
    json_string(json, "c_prefix", file->c_prefix);
    json_string(json, "doc", file->notes.doc);
    json_string(json, "deprecated", file->notes.deprecated);
    json_object_end(json);
}

static int generate(const model *schema, const model_file *file, output *out, arena *memory)
{
    json_writer json = {.to = output_file(out, arena_printf(memory, "%s.json", file->logical))};

    (void)schema;
    json_object_begin(&json, NULL);
    json_unsigned(&json, "schema_version", JSON_SCHEMA_VERSION);
    json_string(&json, "file", file->logical);
    package_write(&json, file);
    json_array_begin(&json, "imports");
    for (uint32_t i = 0; i < file->import_count; i++) {
        json_object_begin(&json, NULL);
        json_string(&json, "file", file->imports[i]->logical);
        json_string(&json, "package", file->imports[i]->package);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_array_begin(&json, "declarations");
    for (uint32_t i = 0; i < file->decl_count; i++)
        decl_write(&json, file->decls[i]);
    json_array_end(&json);
    json_array_begin(&json, "sorted");
    for (uint32_t i = 0; i < file->sorted_count; i++)
        json_string(&json, NULL, file->sorted[i]->name);
    json_array_end(&json);
    json_object_end(&json);
    json_finish(&json);
    return 0;
}

const backend backend_json = {
    .name = "json",
    .summary = "NAME.shm.json: the resolved model, for tools",
    .check = NULL,
    .generate = generate,
};

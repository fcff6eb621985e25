/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spell.c - from the model back to the language.
 */
#include "spell.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/buffer.h"
#include "support/text.h"

/* What was put together, as a text of the arena. */
static const char *kept(arena *memory, buffer *made)
{
    const char *copy = arena_copy(memory, made->length > 0 ? made->data : "", made->length);

    buffer_deinit(made);
    return copy;
}

const char *spell_kind(model_kind kind)
{
    static const char *const names[] = {
        [MODEL_BOOL] = "bool",     [MODEL_INT8] = "int8",       [MODEL_INT16] = "int16",     [MODEL_INT32] = "int32",
        [MODEL_INT64] = "int64",   [MODEL_UINT8] = "uint8",     [MODEL_UINT16] = "uint16",   [MODEL_UINT32] = "uint32",
        [MODEL_UINT64] = "uint64", [MODEL_FLOAT32] = "float32", [MODEL_FLOAT64] = "float64", [MODEL_ENUM] = "enum",
        [MODEL_FLAGS] = "flags",   [MODEL_STRUCT] = "struct",   [MODEL_UNION] = "union",     [MODEL_STRING] = "string",
        [MODEL_BYTES] = "bytes",   [MODEL_VECTOR] = "vector",   [MODEL_ARRAY] = "array",
    };

    return names[kind];
}

const char *spell_type(arena *memory, const model_type *type)
{
    const char *lengths = "";

    switch (type->kind) {
    case MODEL_ENUM:
    case MODEL_FLAGS: return type->members->decl->qualified_name;
    case MODEL_STRUCT:
    case MODEL_UNION: return type->record->decl->qualified_name;
    case MODEL_STRING:
    case MODEL_BYTES: return arena_printf(memory, "%s<%" PRIu32 ">", spell_kind(type->kind), type->capacity);
    case MODEL_VECTOR:
        return arena_printf(memory, "vector<%s, %" PRIu32 ">", spell_type(memory, type->element), type->capacity);
    case MODEL_ARRAY:
        for (; type->kind == MODEL_ARRAY; type = type->element)
            lengths = arena_printf(memory, "%s[%" PRIu32 "]", lengths, type->capacity);
        return arena_printf(memory, "%s%s", spell_type(memory, type), lengths);
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
    case MODEL_FLOAT64: break;
    }
    return spell_kind(type->kind);
}

const char *spell_integer(arena *memory, bool negative, uint64_t magnitude)
{
    return arena_printf(memory, "%s%" PRIu64, negative && magnitude > 0 ? "-" : "", magnitude);
}

const char *spell_float(arena *memory, double value)
{
    char digits[64];

    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    return arena_printf(memory, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

const char *spell_string(arena *memory, const char *text, size_t length)
{
    static const char simple[] = "\"\\\n\r\t";
    buffer made = {0};

    buffer_puts(&made, "\"");
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t used = utf8_decode(text + at, length - at, &character);
        const char *found = text[at] ? strchr(simple, text[at]) : NULL;
        if (found) {
            buffer_printf(&made, "\\%c", "\"\\nrt"[found - simple]);
        } else if (used == 0 || character < 0x20 || character == 0x7F) {
            buffer_printf(&made, "\\x%02X", (unsigned)(unsigned char)text[at]);
            used = 1;
        } else if (utf8_hides(character)) {
            buffer_printf(&made, "\\u{%" PRIX32 "}", character);
        } else {
            buffer_append(&made, text + at, used);
        }
        at += used;
    }
    buffer_puts(&made, "\"");
    return kept(memory, &made);
}

static const char *spell_members(arena *memory, const model_members *members, const model_value *value)
{
    uint64_t left = value->magnitude;
    const char *made = "";

    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        if (members->kind == MODEL_MEMBERS_ENUM) {
            if (member->magnitude == value->magnitude && member->negative == value->negative)
                return member->name;
        } else if (left & member->magnitude) {
            made = arena_printf(memory, "%s%s%s", made, *made ? " | " : "", member->name);
            left &= ~member->magnitude;
        }
    }
    if (left > 0 || !*made)
        made = arena_printf(memory, "%s%s%s", made, *made ? " | " : "", spell_integer(memory, value->negative, left));
    return made;
}

const char *spell_value(arena *memory, const model_type *type, const model_value *value)
{
    switch (value->kind) {
    case MODEL_VALUE_BOOL: return value->boolean ? "true" : "false";
    case MODEL_VALUE_FLOAT: return spell_float(memory, value->real);
    case MODEL_VALUE_STRING: return spell_string(memory, value->text, value->length);
    case MODEL_VALUE_INT:
        if (type->members)
            return spell_members(memory, type->members, value);
        return spell_integer(memory, value->negative, value->magnitude);
    case MODEL_VALUE_NONE: break;
    }
    assert(value->kind != MODEL_VALUE_NONE);
    return "";
}

const char *spell_bytes(arena *memory, uint32_t bytes)
{
    return arena_printf(memory, "%" PRIu32 " byte%s", bytes, bytes == 1 ? "" : "s");
}

const char *spell_duration(arena *memory, int64_t duration_ns)
{
    static const struct {
        int64_t factor;
        const char *unit;
    } units[] = {{INT64_C(1000000000), "s"}, {INT64_C(1000000), "ms"}, {INT64_C(1000), "us"}, {INT64_C(1), "ns"}};
    size_t i = 0;

    if (duration_ns == MODEL_DEADLINE_NONE)
        return "none";
    while (duration_ns % units[i].factor != 0)
        i++;
    return arena_printf(memory, "%" PRId64 "%s", duration_ns / units[i].factor, units[i].unit);
}

const char *spell_reserved(arena *memory, const model_reserved *reserved, uint32_t count)
{
    buffer made = {0};

    for (uint32_t i = 0; i < count; i++) {
        const model_reserved *each = &reserved[i];
        buffer_puts(&made, i > 0 ? ", " : "");
        if (each->name)
            buffer_printf(&made, "\"%s\"", each->name);
        else if (each->first == each->last)
            buffer_printf(&made, "%" PRIu64, each->first);
        else
            buffer_printf(&made, "%" PRIu64 "..%" PRIu64, each->first, each->last);
    }
    return kept(memory, &made);
}

const char *spell_notes(arena *memory, const model_notes *notes)
{
    const char *made = "";

    if (notes->since > 1)
        made = arena_printf(memory, "@since(%" PRIu32 ") ", notes->since);
    if (notes->original)
        made = arena_printf(memory, "%s@renamed_from(\"%s\") ", made, notes->original);
    return made;
}

/* "@depth(8) ", or "" where it is not given. */
static const char *spell_number(arena *memory, const char *annotation, uint32_t number)
{
    return number > 0 ? arena_printf(memory, "@%s(%" PRIu32 ") ", annotation, number) : "";
}

static const char *spell_deadline(arena *memory, int64_t deadline_ns)
{
    if (deadline_ns == MODEL_DEADLINE_UNSET)
        return "";
    return arena_printf(memory, "@deadline(%s) ", spell_duration(memory, deadline_ns));
}

static const char *spell_payload(arena *memory, const model_record *record, bool is_stream)
{
    const char *name = "";

    if (record)
        name = record->role == MODEL_ROLE_NAMED ? record->decl->qualified_name : "{...}";
    return arena_printf(memory, "%s%s", is_stream ? "stream " : "", name);
}

static const char *spell_channel(arena *memory, const model_decl *decl)
{
    static const char *const overflows[] = {
        [MODEL_OVERFLOW_UNSET] = "",
        [MODEL_OVERFLOW_BLOCK] = "@overflow(block) ",
        [MODEL_OVERFLOW_DROP_OLDEST] = "@overflow(drop_oldest) ",
        [MODEL_OVERFLOW_FAIL] = "@overflow(fail) ",
    };
    const model_channel *channel = decl->as.channel;
    const char *item = channel->item->role == MODEL_ROLE_NAMED ? channel->item->decl->qualified_name : "{...}";

    return arena_printf(memory, "%s%s%s%s%s%s %s(%s)", spell_number(memory, "depth", channel->depth),
                        overflows[channel->overflow], spell_number(memory, "retain", channel->retain),
                        channel->reliable ? "@reliable " : "", spell_number(memory, "attempts", channel->attempts),
                        decl->kind == MODEL_DECL_TOPIC ? "topic" : "queue", decl->name, item);
}

static const char *spell_body(arena *memory, const model_decl *decl)
{
    const model_record *record;
    const model_service *service;

    switch (decl->kind) {
    case MODEL_DECL_CONST:
        return arena_printf(memory, "const %s %s = %s", spell_type(memory, decl->as.constant->type), decl->name,
                            spell_value(memory, decl->as.constant->type, &decl->as.constant->value));
    case MODEL_DECL_ALIAS: return arena_printf(memory, "alias %s = %s", decl->name, spell_type(memory, decl->as.alias));
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
        return arena_printf(memory, "%s%s %s : %s", decl->as.members->strict ? "strict " : "",
                            decl->kind == MODEL_DECL_ENUM ? "enum" : "flags", decl->name,
                            spell_kind(decl->as.members->base));
    case MODEL_DECL_ERRORS: return arena_printf(memory, "errors %s", decl->name);
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION:
        record = decl->as.record;
        return arena_printf(memory, "%s%s%s%s %s", spell_number(memory, "size", record->fixed_size),
                            spell_number(memory, "align", record->fixed_align), record->strict ? "strict " : "",
                            decl->kind == MODEL_DECL_STRUCT    ? "struct"
                            : decl->kind == MODEL_DECL_MESSAGE ? "message"
                                                               : "union",
                            decl->name);
    case MODEL_DECL_SERVICE:
        service = decl->as.service;
        return arena_printf(memory, "%s%s%s%sservice %s", spell_deadline(memory, service->deadline_ns),
                            service->idempotent ? "@idempotent " : "", spell_number(memory, "depth", service->depth),
                            service->strict ? "strict " : "", decl->name);
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: break;
    }
    return spell_channel(memory, decl);
}

const char *spell_decl(arena *memory, const model_decl *decl)
{
    return arena_printf(memory, "%s%s", spell_notes(memory, &decl->notes), spell_body(memory, decl));
}

const char *spell_field(arena *memory, const model_record *record, const model_field *field)
{
    const char *initial = "";
    const char *tag = "";

    if (field->initial.kind != MODEL_VALUE_NONE)
        initial = arena_printf(memory, "@default(%s) ", spell_value(memory, field->type, &field->initial));
    if (record->kind == MODEL_RECORD_UNION)
        tag = arena_printf(memory, " = %" PRIu32, field->tag);
    return arena_printf(memory, "%s%s%s%s %s%s", spell_notes(memory, &field->notes), initial,
                        spell_type(memory, field->type), field->optional ? "?" : "", field->name, tag);
}

const char *spell_member(arena *memory, const model_member *member)
{
    const char *payload = "";

    if (member->payload)
        payload = arena_printf(memory, "(%s)", member->payload->decl->qualified_name);
    return arena_printf(memory, "%s%s%s = %s", spell_notes(memory, &member->notes), member->name, payload,
                        spell_integer(memory, member->negative, member->magnitude));
}

const char *spell_method(arena *memory, const model_method *method)
{
    static const char *const kinds[] = {
        [MODEL_METHOD_RPC] = "rpc", [MODEL_METHOD_ONEWAY] = "oneway", [MODEL_METHOD_EVENT] = "event"};
    const char *reply = "";

    if (method->kind == MODEL_METHOD_RPC)
        reply = arena_printf(memory, " -> (%s)", spell_payload(memory, method->reply, method->reply_is_stream));
    return arena_printf(memory, "%s%s%s%s%s %s(%s)%s%s%s", spell_notes(memory, &method->notes),
                        spell_deadline(memory, method->deadline_ns), method->idempotent ? "@idempotent " : "",
                        spell_number(memory, "depth", method->depth), kinds[method->kind], method->name,
                        spell_payload(memory, method->request, method->request_is_stream), reply,
                        method->errors ? " throws " : "", method->errors ? method->errors->decl->qualified_name : "");
}

const char *spell_snake(arena *memory, const char *name)
{
    size_t length = strlen(name);
    char *made = arena_array(memory, length * 2 + 1, 1);
    size_t to = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        unsigned char before = i > 0 ? (unsigned char)name[i - 1] : '_';
        unsigned char after = (unsigned char)name[i + 1];
        bool starts_word = isupper(c) && before != '_' && (!isupper(before) || islower(after));
        if (starts_word)
            made[to++] = '_';
        made[to++] = (char)tolower(c);
    }
    made[to] = '\0';
    return made;
}

const char *spell_upper(arena *memory, const char *name)
{
    char *made = arena_copy(memory, name, strlen(name));

    for (char *at = made; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return made;
}

const char *spell_pascal(arena *memory, const char *name)
{
    char *made = arena_copy(memory, name, strlen(name));
    size_t to = 0;
    bool begins = true;

    for (const char *at = name; *at; at++) {
        if (*at == '_') {
            begins = true;
            continue;
        }
        made[to++] = (char)(begins ? toupper((unsigned char)*at) : *at);
        begins = false;
    }
    made[to] = '\0';
    return made;
}

const char *spell_visible(arena *memory, const char *text)
{
    size_t length = strlen(text);
    buffer made = {0};

    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t used = utf8_decode(text + at, length - at, &character);
        if (used == 0 || (character < 0x20 && character != '\n' && character != '\t') || character == 0x7F) {
            buffer_puts(&made, " ");
            at += used ? used : 1;
            continue;
        }
        if (utf8_hides(character))
            buffer_printf(&made, "<U+%04" PRIX32 ">", character);
        else
            buffer_append(&made, text + at, used);
        at += used;
    }
    return kept(memory, &made);
}

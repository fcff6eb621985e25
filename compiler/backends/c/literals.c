/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literals.c - values and texts in the syntax of C, and of C++ where the two differ.
 */
#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/c/names.h"
#include "backends/c/types.h"
#include "support/text.h"

typedef struct integer_spelling {
    const char *macro;   /* of a constant */
    const char *minimum; /* NULL: unsigned */
    uint64_t minimum_magnitude;
} integer_spelling;

static const integer_spelling integer_spellings[] = {
    [MODEL_BOOL] = {"UINT8_C", NULL, 0},
    [MODEL_INT8] = {"INT8_C", "INT8_MIN", UINT64_C(1) << 7},
    [MODEL_INT16] = {"INT16_C", "INT16_MIN", UINT64_C(1) << 15},
    [MODEL_INT32] = {"INT32_C", "INT32_MIN", UINT64_C(1) << 31},
    [MODEL_INT64] = {"INT64_C", "INT64_MIN", UINT64_C(1) << 63},
    [MODEL_UINT8] = {"UINT8_C", NULL, 0},
    [MODEL_UINT16] = {"UINT16_C", NULL, 0},
    [MODEL_UINT32] = {"UINT32_C", NULL, 0},
    [MODEL_UINT64] = {"UINT64_C", NULL, 0},
};

const char *c_literal_integer(arena *memory, model_kind kind, bool negative, uint64_t magnitude)
{
    const integer_spelling *spelling = &integer_spellings[kind];

    assert(kind <= MODEL_UINT64);
    if (!negative || magnitude == 0)
        return arena_printf(memory, "%s(%" PRIu64 ")", spelling->macro, magnitude);
    if (magnitude == spelling->minimum_magnitude)
        return spelling->minimum;
    return arena_printf(memory, "(-%s(%" PRIu64 "))", spelling->macro, magnitude);
}

/* The shortest decimal that reads back as the same number. */
static const char *c_literal_float(arena *memory, model_kind kind, double value)
{
    bool single = kind == MODEL_FLOAT32;
    int most = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    const char *digits = NULL;

    for (int precision = 1; precision <= most; precision++) {
        digits = arena_printf(memory, "%.*g", precision, value);
        if (single ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
            break;
    }
    const char *point = strpbrk(digits, ".e") ? "" : ".0";
    const char *suffix = single ? "f" : "";
    const char *open = digits[0] == '-' ? "(" : "";
    const char *close = digits[0] == '-' ? ")" : "";
    return arena_printf(memory, "%s%s%s%s%s", open, digits, point, suffix, close);
}

const char *c_literal_string(arena *memory, const char *text, size_t length)
{
    char *made = arena_array(memory, length * 4 + 3, 1);
    size_t to = 0;

    made[to++] = '"';
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t used = utf8_decode(text + at, length - at, &character);
        const char *simple = "\"\\\n\r\t";
        const char *found = text[at] ? strchr(simple, text[at]) : NULL;
        if (found) {
            made[to++] = '\\';
            made[to++] = "\"\\nrt"[found - simple];
            at++;
        } else if (used == 0 || character < 0x20 || character == 0x7F || utf8_hides(character)) {
            for (size_t end = at + (used ? used : 1); at < end; at++)
                to += (size_t)snprintf(made + to, 5, "\\%03o", (unsigned)(unsigned char)text[at]);
        } else {
            /* "??=" and its like were trigraphs. */
            if (text[at] == '?' && at > 0 && text[at - 1] == '?')
                made[to++] = '\\';
            memcpy(made + to, text + at, used);
            to += used;
            at += used;
        }
    }
    made[to++] = '"';
    made[to] = '\0';
    return made;
}

const char *c_literal_value(arena *memory, const model_type *type, const model_value *value)
{
    switch (value->kind) {
    case MODEL_VALUE_BOOL: return value->boolean ? "true" : "false";
    case MODEL_VALUE_FLOAT: return c_literal_float(memory, type->kind, value->real);
    case MODEL_VALUE_STRING: return c_literal_string(memory, value->text, value->length);
    case MODEL_VALUE_INT:
        if (type->kind != MODEL_ENUM && type->kind != MODEL_FLAGS)
            return c_literal_integer(memory, type->kind, value->negative, value->magnitude);
        for (uint32_t i = 0; i < type->members->count; i++) {
            const model_member *member = &type->members->items[i];
            if (member->magnitude == value->magnitude && member->negative == value->negative)
                return name_member_macro(memory, type->members, member);
        }
        return c_literal_integer(memory, type->members->base, value->negative, value->magnitude);
    case MODEL_VALUE_NONE: break;
    }
    assert(value->kind != MODEL_VALUE_NONE);
    return "0";
}

/* {count, padding, items, padding} */
static const char *sequence_initial(arena *memory, const model_type *type, const model_value *initial)
{
    const char *items;

    if (type->kind == MODEL_STRING)
        items = initial ? c_literal_string(memory, initial->text, initial->length) : "\"\"";
    else if (type->kind == MODEL_BYTES)
        items = "{0}";
    else
        items = arena_printf(memory, "{%s}", c_literal_initial(memory, type->element, NULL));
    return arena_printf(memory, "{%zu, %s%s%s}", initial ? initial->length : (size_t)0,
                        type->items_offset > type->count_size ? "{0}, " : "", items,
                        type->tail_padding > 0 ? ", {0}" : "");
}

static const char *struct_initial(arena *memory, const model_record *record)
{
    buffer made = {0};

    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        buffer_printf(&made, "%s%s%s%s%s", i > 0 ? ", " : "{", field->padding_before > 0 ? "{0}, " : "",
                      field->optional ? "0, " : "", field->padding_after_has > 0 ? "{0}, " : "",
                      c_literal_initial(memory, field->type, NULL));
    }
    buffer_puts(&made, record->tail_padding > 0 ? ", {0}}" : "}");
    const char *copy = arena_copy(memory, made.data, made.length);
    buffer_deinit(&made);
    return copy;
}

static const char *union_initial(arena *memory, const model_record *record)
{
    return arena_printf(memory, "{0, %s{%s}%s}", record->body_offset > sizeof(uint32_t) ? "{0}, " : "",
                        c_literal_initial(memory, record->fields[0].type, NULL),
                        record->tail_padding > 0 ? ", {0}" : "");
}

const char *c_literal_initial(arena *memory, const model_type *type, const model_value *initial)
{
    switch (type->kind) {
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR: return sequence_initial(memory, type, initial);
    case MODEL_ARRAY: return arena_printf(memory, "{%s}", c_literal_initial(memory, type->element, NULL));
    case MODEL_STRUCT: return struct_initial(memory, type->record);
    case MODEL_UNION: return union_initial(memory, type->record);
    case MODEL_BOOL: return initial && initial->boolean ? "1" : "0";
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_INT32:
    case MODEL_INT64:
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_UINT32:
    case MODEL_UINT64:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64:
    case MODEL_ENUM:
    case MODEL_FLAGS: break;
    }
    return initial ? c_literal_value(memory, type, initial) : "0";
}

/* Text for inside a comment: what would end it, begin one or splice its line is taken apart; line ends stay. */
static const char *comment_text(arena *memory, const char *text)
{
    size_t length = strlen(text);
    buffer made = {0};

    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t used = utf8_decode(text + at, length - at, &character);
        char before = made.length > 0 ? made.data[made.length - 1] : '\0';
        if (used == 0 || (character < 0x20 && character != '\n' && character != '\t') || character == 0x7F) {
            buffer_puts(&made, " ");
            at += used ? used : 1;
            continue;
        }
        if (utf8_hides(character)) {
            buffer_printf(&made, "<U+%04" PRIX32 ">", character);
            at += used;
            continue;
        }
        if ((text[at] == '/' && before == '*') || (text[at] == '*' && before == '/'))
            buffer_puts(&made, " ");
        if (text[at] == '\n' && before == '\\')
            buffer_puts(&made, " .");
        buffer_append(&made, text + at, used);
        at += used;
    }
    if (made.length > 0 && made.data[made.length - 1] == '\\')
        buffer_puts(&made, " .");
    const char *copy = arena_copy(memory, made.length > 0 ? made.data : "", made.length);
    buffer_deinit(&made);
    return copy;
}

void c_doc_emit(emit *e, const model_notes *notes)
{
    const char *text = notes->doc ? comment_text(e->memory, notes->doc) : "";

    if (notes->deprecated) {
        const char *reason = comment_text(e->memory, notes->deprecated);
        text = arena_printf(e->memory, "%s%sDeprecated%s%s.", text, *text ? "\n" : "", *reason ? ": " : "", reason);
    }
    if (*text == '\0')
        return;
    if (!strchr(text, '\n')) {
        EMIT(e, "/** ${text} */\n", {"text", text});
        return;
    }
    emit_text(e, "/**\n");
    for (const char *at = text; at;) {
        const char *end = strchr(at, '\n');
        const char *line = arena_copy(e->memory, at, end ? (size_t)(end - at) : strlen(at));
        EMIT(e, " *${blank}${line}\n", {"blank", *line ? " " : ""}, {"line", line});
        at = end ? end + 1 : NULL;
    }
    emit_text(e, " */\n");
}

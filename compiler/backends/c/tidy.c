/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tidy.c - functions for messages that are filled in where they are sent from, so that no copy makes them canonical.
 *
 * `TYPE_tidy_any_` gives the padding of a valid message the zeros that receivers of later versions may take for fields;
 * what lies beyond lengths, absent optionals and unused bytes of unions stays, since nobody looks at that.
 * `TYPE_used_any_` tells how much of a message with a variable tail is in use.
 *
 * Records that may be part of others get `TYPE_tidy_`, where there is padding anywhere in them.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

static bool type_has_padding(const model_type *type);

static bool sequence_has_padding(const model_type *type)
{
    return type->items_offset > type->count_size || type->tail_padding > 0;
}

static bool record_has_padding(const model_record *record)
{
    uint32_t before = record->kind == MODEL_RECORD_UNION ? record->body_offset - (uint32_t)sizeof(uint32_t) : 0;

    if (before > 0 || record->tail_padding > 0)
        return true;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        if (field->padding_before > 0 || field->padding_after_has > 0 || type_has_padding(field->type))
            return true;
    }
    return false;
}

static bool type_has_padding(const model_type *type)
{
    switch (type->kind) {
    case MODEL_STRING:
    case MODEL_BYTES: return sequence_has_padding(type);
    case MODEL_VECTOR: return sequence_has_padding(type) || type_has_padding(type->element);
    case MODEL_ARRAY: return type_has_padding(type->element);
    case MODEL_STRUCT:
    case MODEL_UNION: return record_has_padding(type->record);
    default: return false;
    }
}

static void zero_emit(gen *g, const char *place)
{
    EMIT(&g->source, "memset(${place}, 0, sizeof ${place});\n", {"place", place});
}

static void padding_tidy(gen *g, uint32_t size, int *count)
{
    if (size > 0)
        zero_emit(g, arena_printf(g->memory, "message->padding_%d_", ++*count));
}

static void value_tidy(gen *g, const model_type *type, const char *place, bool is_tail, unsigned depth);

/* `while_`: as long as there are items; what is tidied may be written by a peer meanwhile, so no count is taken alone. */
static void items_tidy(gen *g, const model_type *element, const char *place, const char *while_, unsigned depth)
{
    const char *index = arena_printf(g->memory, "i%u", depth);

    EMIT(&g->source, "for (size_t ${i} = 0; ${i} < ${while}; ${i}++) {\n", {"i", index}, {"while", while_});
    emit_in(&g->source);
    value_tidy(g, element, arena_printf(g->memory, "%s[%s]", place, index), false, depth + 1);
    emit_out(&g->source);
    emit_text(&g->source, "}\n");
}

/* What comes after the items of the tail does not travel. */
static void sequence_tidy(gen *g, const model_type *type, const char *place, bool is_tail, unsigned depth)
{
    int paddings = 0;

    if (type->items_offset > type->count_size)
        zero_emit(g, arena_printf(g->memory, "%s.padding_%d_", place, ++paddings));
    if (type->tail_padding > 0 && !is_tail)
        zero_emit(g, arena_printf(g->memory, "%s.padding_%d_", place, ++paddings));
    if (type->kind == MODEL_VECTOR && type_has_padding(type->element))
        items_tidy(g, type->element, arena_printf(g->memory, "%s.items", place),
                   arena_printf(g->memory, "%" PRIu32 " && i%u < %s.%s", type->capacity, depth, place,
                                c_type_count(type)),
                   depth);
}

static void value_tidy(gen *g, const model_type *type, const char *place, bool is_tail, unsigned depth)
{
    if (!type_has_padding(type))
        return;
    if (type->kind == MODEL_ARRAY)
        items_tidy(g, type->element, place, arena_printf(g->memory, "%" PRIu32, type->capacity), depth);
    else if (type->kind == MODEL_STRUCT || type->kind == MODEL_UNION)
        EMIT(&g->source, "${type}_tidy_(&${place});\n", {"type", name_record(g->memory, type->record)},
             {"place", place});
    else
        sequence_tidy(g, type, place, is_tail, depth);
}

static void field_tidy(gen *g, const model_record *record, const model_field *field, int *paddings)
{
    emit *e = &g->source;
    const char *name = name_field(g->memory, field);
    const char *place = arena_printf(g->memory, "message->%s", name);

    padding_tidy(g, field->padding_before, paddings);
    padding_tidy(g, field->padding_after_has, paddings);
    if (!field->optional || !type_has_padding(field->type)) {
        value_tidy(g, field->type, place, field == record->variable_tail, 0);
        return;
    }
    EMIT(e, "if (message->has_${name}) {\n", {"name", name});
    emit_in(e);
    value_tidy(g, field->type, place, false, 0);
    emit_out(e);
    emit_text(e, "}\n");
}

static void arms_tidy(gen *g, const model_record *record)
{
    emit *e = &g->source;
    const char *type = name_record(g->memory, record);
    int paddings = 0;
    bool found = false;

    padding_tidy(g, record->body_offset - (uint32_t)sizeof(uint32_t), &paddings);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        const char *name = name_field(g->memory, arm);
        if (!type_has_padding(arm->type))
            continue;
        EMIT(e, found ? "case ${tag}:\n" : "switch (message->tag) {\ncase ${tag}:\n",
             {"tag", name_upper(g->memory, arena_printf(g->memory, "%s_%s", type, name))});
        found = true;
        emit_in(e);
        value_tidy(g, arm->type, arena_printf(g->memory, "message->body.%s", name), false, 0);
        emit_text(e, "break;\n");
        emit_out(e);
    }
    if (found)
        emit_text(e, "default: break;\n}\n");
    padding_tidy(g, record->tail_padding, &paddings);
}

static void body_tidy(gen *g, const model_record *record)
{
    int paddings = 0;

    if (record->kind == MODEL_RECORD_UNION) {
        arms_tidy(g, record);
        return;
    }
    for (uint32_t i = 0; i < record->field_count; i++)
        field_tidy(g, record, &record->fields[i], &paddings);
    if (!record->variable_tail)
        padding_tidy(g, record->tail_padding, &paddings);
}

static void embeddable_tidy(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;
    const char *head = arena_printf(g->memory, "void %s_tidy_(%s *message)", type, type);

    EMIT(&g->header, "${head};\n", {"head", head});
    emit_gap(e);
    EMIT(e, "${head}\n{\n", {"head", head});
    emit_in(e);
    body_tidy(g, record);
    emit_out(e);
    emit_text(e, "}\n");
}

static const char message_head[] = "static void ${type}_tidy_any_(void *any)\n"
                                   "{\n"
                                   "    ${type} *message = (${type} *)any;\n"
                                   "\n";

static void message_tidy(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;

    emit_gap(e);
    EMIT(e, message_head, {"type", type});
    emit_in(e);
    body_tidy(g, record);
    emit_out(e);
    emit_text(e, "}\n");
}

static const char used_template[] = "static size_t ${type}_used_any_(const void *any)\n"
                                    "{\n"
                                    "    const ${type} *message = (const ${type} *)any;\n"
                                    "\n"
                                    "    return offsetof(${type}, ${name}.${items}) + ${used};\n"
                                    "}\n";

/* With the NUL of a text. */
static void message_used(gen *g, const char *type, const model_record *record)
{
    const model_field *tail = record->variable_tail;
    const char *name = name_field(g->memory, tail);
    const char *count = arena_printf(g->memory, "message->%s.%s", name, c_type_count(tail->type));
    const char *used = tail->type->kind == MODEL_STRING ? arena_printf(g->memory, "%s + (size_t)1", count)
                       : tail->type->kind == MODEL_VECTOR && tail->type->element->size > 1
                           ? arena_printf(g->memory, "%s * sizeof message->%s.items[0]", count, name)
                           : count;

    emit_gap(&g->source);
    EMIT(&g->source, used_template, {"type", type}, {"name", name}, {"items", c_type_items(tail->type)},
         {"used", used});
}

/* A message may be nothing but padding that does not travel. */
bool c_message_is_tidied(const model_record *record)
{
    if (record->kind != MODEL_RECORD_MESSAGE)
        return false;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        const model_type *type = field->type;
        bool is_tail = field == record->variable_tail;
        if (field->padding_before > 0 || field->padding_after_has > 0 || (!is_tail && type_has_padding(type)))
            return true;
        if (is_tail &&
            (type->items_offset > type->count_size || (type->kind == MODEL_VECTOR && type_has_padding(type->element))))
            return true;
    }
    return !record->variable_tail && record->tail_padding > 0;
}

void gen_record_tidy(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);

    if (record->kind != MODEL_RECORD_MESSAGE) {
        if (record_has_padding(record))
            embeddable_tidy(g, type, record);
        return;
    }
    if (c_message_is_tidied(record))
        message_tidy(g, type, record);
    if (record->variable_tail)
        message_used(g, type, record);
}

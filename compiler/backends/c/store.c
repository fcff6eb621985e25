/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - functions that write a valid message in its canonical form.
 *
 * What is written is every byte of the record, or of its used part where the last field of a message varies: values, and
 * zero for padding, for what lies beyond a length, for what is absent and for what of a union's body its arm does not
 * use. The body under an unknown tag is copied whole, since nothing is known of it. Nothing is read back from where it
 * is written to.
 *
 * Records that may be part of others get `TYPE_store_`, those that travel get `TYPE_store_any_` for the tables.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

static void value_store(gen *g, const model_type *type, const char *to, const char *from, unsigned depth);

static const char *number(gen *g, uint64_t value)
{
    return arena_printf(g->memory, "%" PRIu64, value);
}

/* The variable of the loop at a depth. */
static const char *loop_index(gen *g, unsigned depth)
{
    return depth < 3 ? arena_printf(g->memory, "%c", (int)("ijk"[depth])) : arena_printf(g->memory, "i%u", depth);
}

static void loop_begin(gen *g, const char *count, unsigned depth)
{
    EMIT(&g->source, "for (size_t ${i} = 0; ${i} < ${count}; ${i}++) {\n", {"i", loop_index(g, depth)},
         {"count", count});
    emit_in(&g->source);
}

static void loop_end(gen *g)
{
    emit_out(&g->source);
    emit_text(&g->source, "}\n");
}

static const char *indexed(gen *g, const char *place, unsigned depth)
{
    return arena_printf(g->memory, "%s[%s]", place, loop_index(g, depth));
}

static void zero_emit(gen *g, const char *place)
{
    EMIT(&g->source, "memset(${place}, 0, sizeof ${place});\n", {"place", place});
}

/* Count and used items, without what comes after them. */
static void sequence_store(gen *g, const model_type *type, const char *to, const char *from, unsigned depth)
{
    emit *e = &g->source;
    const char *items = c_type_items(type);
    const char *count = arena_printf(g->memory, "%s.%s", from, c_type_count(type));
    size_t mark = emit_mark(e);

    emit_bind(e, "to", to);
    emit_bind(e, "from", from);
    emit_bind(e, "items", items);
    emit_bind(e, "count", count);
    EMIT(e, "${to}.${counter} = ${count};\n", {"counter", c_type_count(type)});
    if (type->items_offset > type->count_size)
        zero_emit(g, arena_printf(g->memory, "%s.padding_1_", to));
    if (type->kind == MODEL_VECTOR && !c_type_is_solid(type->element)) {
        loop_begin(g, count, depth);
        value_store(g, type->element, indexed(g, arena_printf(g->memory, "%s.items", to), depth),
                    indexed(g, arena_printf(g->memory, "%s.items", from), depth), depth + 1);
        loop_end(g);
    } else {
        EMIT(e, "memcpy(${to}.${items}, ${from}.${items}, ${count}${size});\n",
             {"size", type->kind == MODEL_VECTOR && type->element->size > 1
                          ? arena_printf(g->memory, " * sizeof %s.items[0]", from)
                          : ""});
    }
    emit_release(e, mark);
}

/* Zero from the end of the used items on. */
static void sequence_rest_store(gen *g, const model_type *type, const char *to, const char *from)
{
    emit *e = &g->source;
    const char *items = arena_printf(g->memory, "%s.%s", to, c_type_items(type));
    const char *count = arena_printf(g->memory, "%s.%s", from, c_type_count(type));
    bool wide = type->kind == MODEL_VECTOR && type->element->size > 1;

    EMIT(e,
         wide ? "memset(${items} + ${count}, 0, (${capacity} - ${count}) * sizeof ${items}[0]);\n"
              : "memset(${items} + ${count}, 0, sizeof ${items} - ${count});\n",
         {"items", items}, {"count", count},
         {"capacity", arena_printf(g->memory, "(size_t)%s", number(g, type->capacity))});
    if (type->tail_padding > 0)
        zero_emit(g, arena_printf(g->memory, "%s.padding_%d_", to, type->items_offset > type->count_size ? 2 : 1));
}

static void value_store(gen *g, const model_type *type, const char *to, const char *from, unsigned depth)
{
    emit *e = &g->source;

    if (c_type_is_solid(type)) {
        EMIT(e, type->kind == MODEL_ARRAY ? "memcpy(${to}, ${from}, sizeof ${to});\n" : "${to} = ${from};\n",
             {"to", to}, {"from", from});
    } else if (type->kind == MODEL_ARRAY) {
        loop_begin(g, number(g, type->capacity), depth);
        value_store(g, type->element, indexed(g, to, depth), indexed(g, from, depth), depth + 1);
        loop_end(g);
    } else if (type->kind == MODEL_STRUCT || type->kind == MODEL_UNION) {
        EMIT(e, "${type}_store_(&${to}, &${from});\n", {"type", name_record(g->memory, type->record)}, {"to", to},
             {"from", from});
    } else {
        sequence_store(g, type, to, from, depth);
        sequence_rest_store(g, type, to, from);
    }
}

static void padding_store(gen *g, uint32_t size, int *count)
{
    if (size > 0)
        zero_emit(g, arena_printf(g->memory, "to->padding_%d_", ++*count));
}

/* A value that is zero in all its bytes. */
static void value_clear(gen *g, const model_type *type, const char *to)
{
    if (type->kind <= MODEL_FLAGS)
        EMIT(&g->source, "${to} = 0;\n", {"to", to});
    else
        EMIT(&g->source, "memset(&${to}, 0, sizeof ${to});\n", {"to", to});
}

static void field_store(gen *g, const model_record *record, const model_field *field, const char *from, int *paddings)
{
    emit *e = &g->source;
    const char *name = name_field(g->memory, field);
    const char *to_value = arena_printf(g->memory, "to->%s", name);
    const char *from_value = arena_printf(g->memory, "%s->%s", from, name);

    padding_store(g, field->padding_before, paddings);
    if (!field->optional) {
        if (field == record->variable_tail)
            sequence_store(g, field->type, to_value, from_value, 0);
        else
            value_store(g, field->type, to_value, from_value, 0);
        return;
    }
    EMIT(e, "to->has_${name} = ${from}->has_${name};\n", {"name", name}, {"from", from});
    padding_store(g, field->padding_after_has, paddings);
    EMIT(e, "if (${from}->has_${name}) {\n", {"name", name}, {"from", from});
    emit_in(e);
    value_store(g, field->type, to_value, from_value, 0);
    emit_out(e);
    emit_text(e, "} else {\n");
    emit_in(e);
    value_clear(g, field->type, to_value);
    emit_out(e);
    emit_text(e, "}\n");
}

static void fields_store(gen *g, const model_record *record, const char *from)
{
    int paddings = 0;

    for (uint32_t i = 0; i < record->field_count; i++)
        field_store(g, record, &record->fields[i], from, &paddings);
    if (!record->variable_tail)
        padding_store(g, record->tail_padding, &paddings);
}

static const char union_default[] = "default: /* an arm that is not known here: carried over whole */\n"
                                    "    used = sizeof from->body;\n"
                                    "    memcpy(&to->body, &from->body, used);\n"
                                    "    break;\n"
                                    "}\n"
                                    "memset((char *)&to->body + used, 0, sizeof to->body - used);\n";

static void arms_store(gen *g, const model_record *record)
{
    emit *e = &g->source;
    const char *type = name_record(g->memory, record);
    int paddings = 0;

    emit_text(e, "size_t used = 0;\n\nto->tag = from->tag;\n");
    padding_store(g, record->body_offset - (uint32_t)sizeof(uint32_t), &paddings);
    emit_text(e, "switch (from->tag) {\ncase 0: break;\n");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        const char *name = name_field(g->memory, arm);
        EMIT(e, "case ${tag}:\n", {"tag", name_upper(g->memory, arena_printf(g->memory, "%s_%s", type, name))});
        emit_in(e);
        value_store(g, arm->type, arena_printf(g->memory, "to->body.%s", name),
                    arena_printf(g->memory, "from->body.%s", name), 0);
        EMIT(e, "used = sizeof to->body.${name};\nbreak;\n", {"name", name});
        emit_out(e);
    }
    emit_text(e, union_default);
    padding_store(g, record->tail_padding, &paddings);
}

/* The used bytes of a message whose last field varies, and zero up to the next multiple of 8. */
static void tail_store(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;
    const model_field *tail = record->variable_tail;
    const char *name = name_field(g->memory, tail);
    const char *count = arena_printf(g->memory, "from->%s.%s", name, c_type_count(tail->type));
    const char *used = tail->type->kind == MODEL_STRING ? arena_printf(g->memory, "%s + 1", count)
                       : tail->type->kind == MODEL_VECTOR && tail->type->element->size > 1
                           ? arena_printf(g->memory, "%s * sizeof from->%s.items[0]", count, name)
                           : count;

    EMIT(e, "used = offsetof(${type}, ${name}.${items}) + ${used};\n", {"type", type}, {"name", name},
         {"items", c_type_items(tail->type)}, {"used", used});
    if (tail->type->kind == MODEL_STRING)
        EMIT(e, "to->${name}.text[${count}] = '\\0';\n", {"name", name}, {"count", count});
    emit_text(e, "memset((char *)to + used, 0, (8 - used % 8) % 8);\n"
                 "return (used + 7) / 8 * 8;\n");
}

static const char store_any_thunk[] = "static size_t ${type}_store_any_(void *to, const void *from)\n"
                                      "{\n"
                                      "    ${type}_store_((${type} *)to, (const ${type} *)from);\n"
                                      "    return sizeof(${type});\n"
                                      "}\n";

static void embeddable_store(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;
    const char *head = arena_printf(g->memory, "void %s_store_(%s *to, const %s *from)", type, type, type);

    EMIT(&g->header, "${head};\n", {"head", head});
    emit_gap(e);
    EMIT(e, "${head}\n{\n", {"head", head});
    emit_in(e);
    if (record->kind == MODEL_RECORD_UNION)
        arms_store(g, record);
    else
        fields_store(g, record, "from");
    emit_out(e);
    emit_text(e, "}\n");
    if (record->kind == MODEL_RECORD_STRUCT) {
        emit_gap(e);
        EMIT(e, store_any_thunk, {"type", type});
    }
}

static void message_store(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;

    emit_gap(e);
    EMIT(e, "static size_t ${type}_store_any_(void *to_any, const void *from_any)\n{\n", {"type", type});
    emit_in(e);
    EMIT(e, "${type} *to = (${type} *)to_any;\nconst ${type} *from = (const ${type} *)from_any;\n", {"type", type});
    if (record->variable_tail)
        emit_text(e, "size_t used;\n");
    emit_gap(e);
    fields_store(g, record, "from");
    if (record->variable_tail)
        tail_store(g, type, record);
    else
        EMIT(e, "return sizeof(${type});\n", {"type", type});
    emit_out(e);
    emit_text(e, "}\n");
}

void gen_record_store(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);

    if (c_record_is_solid(record))
        return;
    if (record->kind == MODEL_RECORD_MESSAGE)
        message_store(g, type, record);
    else
        embeddable_store(g, type, record);
}

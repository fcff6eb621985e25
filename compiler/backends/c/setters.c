/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setters.c - functions that fill in what is more than an assignment: strings, bytes, vectors, optionals.
 *
 * A setter of something with a capacity refuses what does not fit and leaves the record as it was. A setter of a union's
 * arm sets the tag too. Vectors whose elements have no name in C, and arrays, are filled in by hand.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

/* What a setter takes, and how it is put in place. */
typedef struct setter {
    const char *parameters; /* after the record's */
    bool refuses;
    const model_type *type;
} setter;

static bool is_sequence(const model_type *type)
{
    return type->kind == MODEL_STRING || type->kind == MODEL_BYTES || type->kind == MODEL_VECTOR;
}

/* Whether there can be a setter for the value, and its parameters. */
static bool setter_find(gen *g, const model_type *type, setter *ret)
{
    *ret = (setter){.type = type, .refuses = is_sequence(type)};
    switch (type->kind) {
    case MODEL_STRING: ret->parameters = "const char *text, size_t length"; return true;
    case MODEL_BYTES: ret->parameters = "const uint8_t *items, size_t count"; return true;
    case MODEL_VECTOR: {
        const char *element = c_type_name(g->memory, type->element);
        if (!element || type->element->kind == MODEL_ARRAY)
            return false;
        ret->parameters = arena_printf(g->memory, "const %s *items, size_t count", element);
        return true;
    }
    case MODEL_ARRAY: return false;
    case MODEL_BOOL: ret->parameters = "bool value"; return true;
    case MODEL_STRUCT:
    case MODEL_UNION:
        ret->parameters = arena_printf(g->memory, "const %s *value", c_type_name(g->memory, type));
        return true;
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
    ret->parameters = arena_printf(g->memory, "%s value", c_type_name(g->memory, type));
    return true;
}

static const char sequence_body[] = "if (${count} > ${capacity}) {\n"
                                    "    return false;\n"
                                    "}\n"
                                    "if (${count} > 0) {\n"
                                    "    memmove(${to}${items}, ${items}, ${bytes});\n"
                                    "}\n";

/* The statements that put the value where it belongs; `to` ends so that a member's name can follow, where there are any. */
static void setter_body(gen *g, const setter *s, const char *to)
{
    emit *e = &g->source;
    const model_type *type = s->type;
    const char *count = c_type_count(type);

    if (!s->refuses) {
        const char *value = type->kind == MODEL_BOOL                                  ? "value ? 1 : 0"
                            : type->kind == MODEL_STRUCT || type->kind == MODEL_UNION ? "*value"
                                                                                      : "value";
        EMIT(e, "${to} = ${value};\n", {"to", to}, {"value", value});
        return;
    }
    EMIT(e, sequence_body, {"to", to}, {"items", c_type_items(type)}, {"count", count},
         {"capacity", arena_printf(g->memory, "%" PRIu32, type->capacity)},
         {"bytes", type->kind == MODEL_VECTOR ? "count * sizeof *items" : count});
    if (type->kind == MODEL_STRING)
        EMIT(e, "${to}text[length] = '\\0';\n", {"to", to});
    EMIT(e, "${to}${count} = (${type})${count};\n", {"to", to}, {"count", count},
         {"type", type->count_size == 4 ? "uint32_t" : "uint16_t"});
}

static const char *record_owner(gen *g, const model_record *record, const model_field *field)
{
    return arena_printf(g->memory, "field '%s' of %s", field->name, gen_record_title(g, record));
}

static void field_setter(gen *g, const model_record *record, const model_field *field, const setter *s)
{
    emit *e = &g->source;
    const char *type = name_record(g->memory, record);
    const char *name = name_field(g->memory, field);
    const char *pointer = gen_record_pointer(record);
    const char *function = gen_compose(g, type, arena_printf(g->memory, "set_%s", name), field->at, "the setter",
                                       record_owner(g, record, field));
    const char *place = arena_printf(g->memory, "%s->%s%s%s", pointer,
                                     record->kind == MODEL_RECORD_UNION ? "body." : "", name, s->refuses ? "." : "");
    const char *head = arena_printf(g->memory, "%s %s(%s *%s, %s)", s->refuses ? "bool" : "void", function, type,
                                    pointer, s->parameters);
    size_t mark = emit_mark(e);

    emit_bind(e, "pointer", pointer);
    EMIT(&g->header, "${deprecated}${nodiscard}${head};\n", {"deprecated", gen_deprecated(g, &field->notes)},
         {"nodiscard", s->refuses ? "SHMRPC_NODISCARD " : ""}, {"head", head});
    emit_gap(e);
    EMIT(e, "${head}\n{\n", {"head", head});
    emit_in(e);
    setter_body(g, s, place);
    if (field->optional)
        EMIT(e, "${pointer}->has_${name} = 1;\n", {"name", name});
    if (record->kind == MODEL_RECORD_UNION)
        EMIT(e, "${pointer}->tag = ${tag};\n",
             {"tag", name_upper(g->memory, arena_printf(g->memory, "%s_%s", type, name))});
    if (s->refuses)
        emit_text(e, "return true;\n");
    emit_out(e);
    emit_text(e, "}\n");
    emit_release(e, mark);
}

static const char clear_body[] = "void ${function}(${type} *${pointer})\n"
                                 "{\n"
                                 "    ${pointer}->has_${name} = 0;\n"
                                 "}\n";

static void field_clear(gen *g, const model_record *record, const model_field *field)
{
    const char *type = name_record(g->memory, record);
    const char *name = name_field(g->memory, field);
    const char *pointer = gen_record_pointer(record);
    const char *function = gen_compose(g, type, arena_printf(g->memory, "clear_%s", name), field->at, "the clearing",
                                       record_owner(g, record, field));

    EMIT(&g->header, "void ${function}(${type} *${pointer});\n", {"function", function}, {"type", type},
         {"pointer", pointer});
    emit_gap(&g->source);
    EMIT(&g->source, clear_body, {"function", function}, {"type", type}, {"pointer", pointer}, {"name", name});
}

void gen_record_setters(gen *g, const model_record *record)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        bool arm = record->kind == MODEL_RECORD_UNION;
        setter s;
        if (!field->optional && !arm && !is_sequence(field->type))
            continue;
        if (setter_find(g, field->type, &s))
            field_setter(g, record, field, &s);
        if (field->optional)
            field_clear(g, record, field);
    }
}

void gen_alias_setter(gen *g, const model_decl *decl)
{
    const char *type = name_decl(g->memory, decl);
    setter s;

    if (decl->as.alias->alias || !is_sequence(decl->as.alias) || !setter_find(g, decl->as.alias, &s))
        return;
    const char *function =
        gen_compose(g, type, "set", decl->at, "the setter", arena_printf(g->memory, "alias '%s'", decl->name));
    const char *head = arena_printf(g->memory, "bool %s(%s *to, %s)", function, type, s.parameters);
    EMIT(&g->header, "SHMRPC_NODISCARD ${head};\n", {"head", head});
    emit_gap(&g->source);
    EMIT(&g->source, "${head}\n{\n", {"head", head});
    emit_in(&g->source);
    setter_body(g, &s, "to->");
    emit_text(&g->source, "return true;\n");
    emit_out(&g->source);
    emit_text(&g->source, "}\n");
}

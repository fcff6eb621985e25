/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate.c - functions that look at a private copy of a message and refuse it, naming the field.
 *
 * Checked are: bools (as bytes, before anything reads them as bool) and has_ bytes, lengths and counts against
 * capacities, texts, values of strict enums and flags, tags of strict unions, and within what is there all of this again.
 * Not checked, on purpose: other enums, flags and tags, since unknown ones pass; padding and what lies beyond a length,
 * which is ignored.
 *
 * A record that may be part of others is checked by `TYPE_check_`, which is told what to call each of its places: a
 * slice of a static table of paths, in the order in which c_record_paths() names them. A message is the outermost and knows
 * its paths. Those that travel get `TYPE_validate_any_` for the tables.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/c/gen.h"

/* Where the names of places come from while a record is rendered. */
typedef struct checker {
    gen *g;
    bool literal; /* paths are written out; else they are fields[next] */
    size_t next;
    const char *type;  /* of the record */
    const char *field; /* its field being rendered, in C */
} checker;

static void value_check(checker *c, const model_type *type, const char *place, const char *path, unsigned depth);

static const char *loop_index(gen *g, unsigned depth)
{
    return depth < 3 ? arena_printf(g->memory, "%c", (int)("ijk"[depth])) : arena_printf(g->memory, "i%u", depth);
}

/* The expression for a place's path; each is asked for once, in order. */
static const char *path_take(checker *c, const char *path)
{
    arena *memory = c->g->memory;

    return c->literal ? c_literal_string(memory, path, strlen(path)) : arena_printf(memory, "fields[%zu]", c->next++);
}

static const char refusal[] = "if (${condition}) {\n"
                              "    return refuse_(fault, ${path}, \"${reason}\", ${value}, ${limit});\n"
                              "}\n";

static void bool_check(checker *c, const char *place, const char *path)
{
    EMIT(&c->g->source, refusal, {"condition", arena_printf(c->g->memory, "%s > 1", place)}, {"path", path},
         {"reason", "neither 0 nor 1"}, {"value", place}, {"limit", "1"});
}

/* Of a strict enum or strict flags. */
static void known_check(checker *c, const model_type *type, const char *place, const char *path)
{
    arena *memory = c->g->memory;
    const model_members *members = type->members;
    bool is_signed = members->base >= MODEL_INT8 && members->base <= MODEL_INT64;

    EMIT(&c->g->source, refusal,
         {"condition", arena_printf(memory, "!%s_is_known(%s)", name_decl(memory, members->decl), place)},
         {"path", path},
         {"reason", type->kind == MODEL_ENUM ? "not a member of the enum" : "with bits that are no flags"},
         {"value", is_signed ? arena_printf(memory, "(uint64_t)%s", place) : place}, {"limit", "0"});
}

static void count_check(checker *c, const model_type *type, const char *count, const char *path)
{
    gen *g = c->g;
    const char *unit = type->kind == MODEL_VECTOR ? "items" : "bytes";
    const char *capacity = arena_printf(g->memory, "%" PRIu32, type->capacity);

    if (!c_type_count_is_checked(type))
        return;
    EMIT(&g->source, refusal, {"condition", arena_printf(g->memory, "%s > %s", count, capacity)}, {"path", path},
         {"reason", arena_printf(g->memory, "more than %s %s", capacity, unit)}, {"value", count}, {"limit", capacity});
}

static void sequence_check(checker *c, const model_type *type, const char *place, const char *path, unsigned depth)
{
    gen *g = c->g;
    const char *count = arena_printf(g->memory, "%s.%s", place, c_type_count(type));
    const char *taken = path_take(c, path);

    count_check(c, type, count, taken);
    if (type->kind == MODEL_STRING) {
        EMIT(&g->source, refusal,
             {"condition", arena_printf(g->memory, "!shmrpc_text_is_valid(%s.text, %s)", place, count)},
             {"path", taken}, {"reason", "not UTF-8, or with a NUL inside"}, {"value", count}, {"limit", "0"});
        EMIT(&g->source, refusal, {"condition", arena_printf(g->memory, "%s.text[%s] != '\\0'", place, count)},
             {"path", taken}, {"reason", "without a NUL after its end"}, {"value", count}, {"limit", "0"});
    }
    if (type->kind != MODEL_VECTOR || !c_type_is_checked(type->element))
        return;
    const char *index = loop_index(g, depth);
    EMIT(&g->source, "for (size_t ${i} = 0; ${i} < ${count}; ${i}++) {\n", {"i", index}, {"count", count});
    emit_in(&g->source);
    value_check(c, type->element, arena_printf(g->memory, "%s.items[%s]", place, index),
                arena_printf(g->memory, "%s[]", path), depth + 1);
    emit_out(&g->source);
    emit_text(&g->source, "}\n");
}

static void array_check(checker *c, const model_type *type, const char *place, const char *path, unsigned depth)
{
    gen *g = c->g;
    const char *index = loop_index(g, depth);

    EMIT(&g->source, "for (size_t ${i} = 0; ${i} < ${count}; ${i}++) {\n", {"i", index},
         {"count", arena_printf(g->memory, "%" PRIu32, type->capacity)});
    emit_in(&g->source);
    value_check(c, type->element, arena_printf(g->memory, "%s[%s]", place, index),
                arena_printf(g->memory, "%s[]", path), depth + 1);
    emit_out(&g->source);
    emit_text(&g->source, "}\n");
}

static const char *paths_name(checker *c)
{
    return arena_printf(c->g->memory, "%s_%s_paths_", c->type, c->field);
}

static void record_check(checker *c, const model_type *type, const char *place)
{
    gen *g = c->g;
    const char *fields = paths_name(c);

    if (!c->literal) {
        fields = c->next > 0 ? arena_printf(g->memory, "fields + %zu", c->next) : "fields";
        c->next += c_type_path_count(g->memory, type);
    }
    EMIT(&g->source, "if (!${type}_check_(&${place}, ${fields}, fault)) {\n    return false;\n}\n",
         {"type", name_record(g->memory, type->record)}, {"place", place}, {"fields", fields});
}

static void value_check(checker *c, const model_type *type, const char *place, const char *path, unsigned depth)
{
    if (!c_type_is_checked(type))
        return;
    if (type->kind == MODEL_BOOL)
        bool_check(c, place, path_take(c, path));
    else if (type->kind == MODEL_ENUM || type->kind == MODEL_FLAGS)
        known_check(c, type, place, path_take(c, path));
    else if (type->kind == MODEL_STRUCT || type->kind == MODEL_UNION)
        record_check(c, type, place);
    else if (type->kind == MODEL_ARRAY)
        array_check(c, type, place, path, depth);
    else
        sequence_check(c, type, place, path, depth);
}

static void field_check(checker *c, const model_field *field, const char *from)
{
    gen *g = c->g;
    emit *e = &g->source;
    const char *place;

    c->field = name_field(g->memory, field);
    place = arena_printf(g->memory, "%s->%s", from, c->field);
    if (!field->optional) {
        value_check(c, field->type, place, field->name, 0);
        return;
    }
    const char *has = arena_printf(g->memory, "%s->has_%s", from, c->field);
    bool_check(c, has, path_take(c, arena_printf(g->memory, "has_%s", field->name)));
    if (!c_type_is_checked(field->type))
        return;
    EMIT(e, "if (${has}) {\n", {"has", has});
    emit_in(e);
    value_check(c, field->type, place, field->name, 0);
    emit_out(e);
    emit_text(e, "}\n");
}

static void arms_check(checker *c, const model_record *record)
{
    gen *g = c->g;
    emit *e = &g->source;
    const char *tag = record->strict ? path_take(c, "tag") : NULL;

    emit_text(e, "switch (record->tag) {\n");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        if (!record->strict && !c_type_is_checked(arm->type))
            continue;
        const char *name = name_field(g->memory, arm);
        EMIT(e, "case ${tag}:\n", {"tag", name_upper(g->memory, arena_printf(g->memory, "%s_%s", c->type, name))});
        emit_in(e);
        value_check(c, arm->type, arena_printf(g->memory, "record->body.%s", name), arm->name, 0);
        emit_text(e, "break;\n");
        emit_out(e);
    }
    if (tag)
        EMIT(e, "default: return refuse_(fault, ${path}, \"not the tag of an arm\", record->tag, 0);\n}\n",
             {"path", tag});
    else
        emit_text(e, "default: break;\n}\n");
}

/* static const char *const NAME[] = {"a", "b"}; */
static void paths_emit(gen *g, const char *name, const vector *paths)
{
    buffer list = {0};

    for (uint32_t i = 0; i < paths->count; i++) {
        const char *path = *VECTOR_AT(paths, const char *, i);
        buffer_puts(&list, i > 0 ? ", " : "");
        buffer_puts(&list, c_literal_string(g->memory, path, strlen(path)));
    }
    emit_gap(&g->source);
    EMIT(&g->source, "static const char *const ${name}[] = {${list}};\n", {"name", name}, {"list", list.data});
    buffer_deinit(&list);
}

/* The tables of paths that the checks of records within a message are given. */
static void message_paths_emit(gen *g, const char *type, const model_record *record)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        const model_type *inner = field->type;
        const char *path = field->name;
        while (inner->kind == MODEL_VECTOR || inner->kind == MODEL_ARRAY) {
            inner = inner->element;
            path = arena_printf(g->memory, "%s[]", path);
        }
        if ((inner->kind != MODEL_STRUCT && inner->kind != MODEL_UNION) || !c_type_is_checked(inner))
            continue;
        vector paths = VECTOR_OF(const char *);
        c_type_paths(g->memory, inner, path, &paths);
        paths_emit(g, arena_printf(g->memory, "%s_%s_paths_", type, name_field(g->memory, field)), &paths);
    }
}

static void embeddable_check(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;
    checker c = {.g = g, .type = type};
    const char *head =
        arena_printf(g->memory, "bool %s_check_(const %s *record, const char *const *fields, shmrpc_fault *fault)",
                     type, type);

    EMIT(&g->header, "${head};\n", {"head", head});
    emit_gap(e);
    EMIT(e, "${head}\n{\n", {"head", head});
    emit_in(e);
    if (record->kind == MODEL_RECORD_UNION) {
        arms_check(&c, record);
    } else {
        for (uint32_t i = 0; i < record->field_count; i++)
            field_check(&c, &record->fields[i], "record");
    }
    emit_text(e, "return true;\n");
    emit_out(e);
    emit_text(e, "}\n");
}

static const char validate_any_thunk[] = "static bool ${type}_validate_any_(const void *record, shmrpc_fault *fault)\n"
                                         "{\n"
                                         "    return ${type}_check_((const ${type} *)record, ${type}_paths_, fault);\n"
                                         "}\n";

static void message_validate(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;
    checker c = {.g = g, .literal = true, .type = type};

    message_paths_emit(g, type, record);
    emit_gap(e);
    EMIT(e, "static bool ${type}_validate_any_(const void *any, shmrpc_fault *fault)\n{\n", {"type", type});
    emit_in(e);
    EMIT(e, "const ${type} *message = (const ${type} *)any;\n\n", {"type", type});
    for (uint32_t i = 0; i < record->field_count; i++)
        field_check(&c, &record->fields[i], "message");
    emit_text(e, "return true;\n");
    emit_out(e);
    emit_text(e, "}\n");
}

void gen_record_check(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);

    if (!c_record_is_checked(record))
        return;
    if (record->kind == MODEL_RECORD_MESSAGE) {
        message_validate(g, type, record);
        return;
    }
    embeddable_check(g, type, record);
    if (record->kind == MODEL_RECORD_STRUCT) {
        vector paths = VECTOR_OF(const char *);
        c_record_paths(g->memory, record, "", &paths);
        paths_emit(g, arena_printf(g->memory, "%s_paths_", type), &paths);
        emit_gap(&g->source);
        EMIT(&g->source, validate_any_thunk, {"type", type});
    }
}

static const char refuse_function[] =
    "static bool refuse_(shmrpc_fault *fault, const char *field, const char *reason, uint64_t value, uint64_t limit)\n"
    "{\n"
    "    fault->field = field;\n"
    "    fault->reason = reason;\n"
    "    fault->value = value;\n"
    "    fault->limit = limit;\n"
    "    return false;\n"
    "}\n";

/* Whether the check of a value calls refuse_() itself, not only through another record's check. */
static bool type_refuses(const model_type *type)
{
    if (type->kind == MODEL_STRUCT || type->kind == MODEL_UNION)
        return false;
    if (type->kind == MODEL_ARRAY || (type->kind == MODEL_VECTOR && !c_type_count_is_checked(type)))
        return type_refuses(type->element);
    return c_type_is_checked(type);
}

static bool record_refuses(const model_record *record)
{
    if (record->strict)
        return true;
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].optional || type_refuses(record->fields[i].type))
            return true;
    }
    return false;
}

static bool decl_refuses(const model_decl *decl)
{
    if (decl->kind == MODEL_DECL_STRUCT || decl->kind == MODEL_DECL_MESSAGE || decl->kind == MODEL_DECL_UNION)
        return record_refuses(decl->as.record);
    if (decl->kind != MODEL_DECL_SERVICE)
        return false;
    for (uint32_t i = 0; i < decl->as.service->method_count; i++) {
        const model_method *method = &decl->as.service->methods[i];
        const model_record *bodies[] = {method->request, method->reply};
        for (size_t j = 0; j < 2; j++) {
            if (bodies[j] && bodies[j]->role != MODEL_ROLE_NAMED && !method->composed && record_refuses(bodies[j]))
                return true;
        }
    }
    return false;
}

void gen_refuse(gen *g)
{
    for (uint32_t i = 0; i < g->file->decl_count; i++) {
        if (decl_refuses(g->file->decls[i])) {
            emit_gap(&g->source);
            emit_text(&g->source, refuse_function);
            return;
        }
    }
}

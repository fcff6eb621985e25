/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c - how types look, and what is to be done with them.
 */
#include "backends/c/types.h"

#include <assert.h>
#include <string.h>

#include "backends/c/names.h"

static const char *const scalar_names[] = {
    [MODEL_BOOL] = "uint8_t",    [MODEL_INT8] = "int8_t",   [MODEL_INT16] = "int16_t",   [MODEL_INT32] = "int32_t",
    [MODEL_INT64] = "int64_t",   [MODEL_UINT8] = "uint8_t", [MODEL_UINT16] = "uint16_t", [MODEL_UINT32] = "uint32_t",
    [MODEL_UINT64] = "uint64_t", [MODEL_FLOAT32] = "float", [MODEL_FLOAT64] = "double",
};

const char *c_type_scalar(model_kind kind)
{
    assert(kind <= MODEL_FLOAT64);
    return scalar_names[kind];
}

const char *c_type_name(arena *memory, const model_type *type)
{
    if (type->alias)
        return name_decl(memory, type->alias);
    switch (type->kind) {
    case MODEL_ENUM:
    case MODEL_FLAGS: return name_decl(memory, type->members->decl);
    case MODEL_STRUCT:
    case MODEL_UNION: return name_record(memory, type->record);
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_ARRAY: return NULL;
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
    return c_type_scalar(type->kind);
}

const char *c_type_items(const model_type *type)
{
    return type->kind == MODEL_STRING ? "text" : "items";
}

const char *c_type_count(const model_type *type)
{
    return type->kind == MODEL_STRING ? "length" : "count";
}

static void declare(emit *e, const model_type *type, const char *declarator, const char *tag);

/* The members of the struct that a string, bytes or a vector is. */
static void sequence_members(emit *e, const model_type *type)
{
    uint64_t slots = (uint64_t)type->capacity + (type->kind == MODEL_STRING ? 1 : 0);
    const char *items = arena_printf(e->memory, "%s[%llu]", c_type_items(type), (unsigned long long)slots);
    int padding = 0;

    EMIT(e, "${type} ${count};\n", {"type", type->count_size == 4 ? "uint32_t" : "uint16_t"},
         {"count", c_type_count(type)});
    if (type->items_offset > type->count_size) {
        EMIT(e, "uint8_t padding_${n}_[${size}];\n", {"n", arena_printf(e->memory, "%d", ++padding)},
             {"size", arena_printf(e->memory, "%u", type->items_offset - type->count_size)});
    }
    if (type->kind == MODEL_STRING)
        EMIT(e, "char ${items};\n", {"items", items});
    else if (type->kind == MODEL_BYTES)
        EMIT(e, "uint8_t ${items};\n", {"items", items});
    else
        declare(e, type->element, items, "");
    if (type->tail_padding > 0) {
        EMIT(e, "uint8_t padding_${n}_[${size}];\n", {"n", arena_printf(e->memory, "%d", ++padding)},
             {"size", arena_printf(e->memory, "%u", type->tail_padding)});
    }
}

/* `tag`: of the struct that is declared in place, with a blank before it, or "". */
static void declare(emit *e, const model_type *type, const char *declarator, const char *tag)
{
    const char *name = c_type_name(e->memory, type);

    if (name) {
        EMIT(e, "${type} ${declarator};\n", {"type", name}, {"declarator", declarator});
    } else if (type->kind == MODEL_ARRAY) {
        declare(e, type->element, arena_printf(e->memory, "%s[%u]", declarator, type->capacity), tag);
    } else {
        EMIT(e, "struct${tag} {\n", {"tag", tag});
        emit_in(e);
        sequence_members(e, type);
        emit_out(e);
        EMIT(e, "} ${declarator};\n", {"declarator", declarator});
    }
}

void c_type_declare(emit *e, const model_type *type, const char *declarator)
{
    declare(e, type, declarator, "");
}

void c_type_define(emit *e, const model_type *type, const char *name)
{
    bool array = type->kind == MODEL_ARRAY && !type->alias;

    emit_text(e, "typedef ");
    declare(e, type, name, arena_printf(e->memory, array ? " %s_element_" : " %s", name));
}

bool c_record_is_solid(const model_record *record)
{
    if (record->kind == MODEL_RECORD_UNION || record->tail_padding > 0)
        return false;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        if (field->optional || field->padding_before > 0 || !c_type_is_solid(field->type))
            return false;
    }
    return true;
}

bool c_type_is_solid(const model_type *type)
{
    switch (type->kind) {
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_UNION: return false;
    case MODEL_STRUCT: return c_record_is_solid(type->record);
    case MODEL_ARRAY: return c_type_is_solid(type->element);
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
    case MODEL_FLOAT64:
    case MODEL_ENUM:
    case MODEL_FLAGS: break;
    }
    return true;
}

bool c_record_is_checked(const model_record *record)
{
    if (record->strict)
        return true;
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].optional || c_type_is_checked(record->fields[i].type))
            return true;
    }
    return false;
}

bool c_type_count_is_checked(const model_type *type)
{
    return type->count_size != 2 || type->capacity != UINT16_MAX;
}

bool c_type_is_checked(const model_type *type)
{
    switch (type->kind) {
    case MODEL_BOOL:
    case MODEL_STRING: return true;
    case MODEL_BYTES: return c_type_count_is_checked(type);
    case MODEL_VECTOR: return c_type_count_is_checked(type) || c_type_is_checked(type->element);
    case MODEL_STRUCT:
    case MODEL_UNION: return c_record_is_checked(type->record);
    case MODEL_ARRAY: return c_type_is_checked(type->element);
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
    case MODEL_ENUM:
    case MODEL_FLAGS: return type->members->strict;
    }
    return false;
}

void c_record_paths(arena *memory, const model_record *record, const char *prefix, vector *ret_paths)
{
    if (record->strict)
        vector_add_pointer(ret_paths, memory, arena_printf(memory, "%stag", prefix));
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        if (field->optional)
            vector_add_pointer(ret_paths, memory, arena_printf(memory, "%shas_%s", prefix, field->name));
        c_type_paths(memory, field->type, arena_printf(memory, "%s%s", prefix, field->name), ret_paths);
    }
}

void c_type_paths(arena *memory, const model_type *type, const char *path, vector *ret_paths)
{
    if (!c_type_is_checked(type))
        return;
    switch (type->kind) {
    case MODEL_STRUCT:
    case MODEL_UNION: c_record_paths(memory, type->record, arena_printf(memory, "%s.", path), ret_paths); return;
    case MODEL_ARRAY: c_type_paths(memory, type->element, arena_printf(memory, "%s[]", path), ret_paths); return;
    case MODEL_VECTOR:
        vector_add_pointer(ret_paths, memory, path);
        c_type_paths(memory, type->element, arena_printf(memory, "%s[]", path), ret_paths);
        return;
    default: vector_add_pointer(ret_paths, memory, path); return;
    }
}

size_t c_type_path_count(arena *memory, const model_type *type)
{
    vector paths = VECTOR_OF(const char *);

    c_type_paths(memory, type, "", &paths);
    return paths.count;
}

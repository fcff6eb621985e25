/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c - what the types of the schema are in proto, and where they come from.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "backends/proto/gen.h"
#include "spell.h"

const char *proto_ref(proto_gen *g, const model_file *file, const char *name)
{
    if (file != g->file)
        g->used[file->id] = true;
    if (strcmp(file->package, g->file->package) == 0 && !proto_name_is_word(name))
        return name;
    return arena_printf(g->memory, ".%s.%s", file->package, name);
}

const char *proto_record_ref(proto_gen *g, const model_record *record)
{
    const model_decl *decl = record->decl;
    const proto_decl_names *names = &proto_names_of(g->known, decl->file)->decls[decl->id];

    return proto_ref(g, decl->file, record->role == MODEL_ROLE_NAMED ? names->name : names->item);
}

bool proto_enum_fits(const model_members *members)
{
    for (uint32_t i = 0; i < members->count; i++) {
        if (members->items[i].magnitude > (uint64_t)PROTO_ENUM_MOST + (members->items[i].negative ? 1 : 0))
            return false;
    }
    return true;
}

uint32_t proto_field_number(uint32_t before)
{
    uint32_t number = before + 1;

    return number < PROTO_OWN_FIRST ? number : number + (PROTO_OWN_LAST - PROTO_OWN_FIRST + 1);
}

static const char *scalar_type(model_kind kind)
{
    switch (kind) {
    case MODEL_BOOL: return "bool";
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_INT32: return "int32";
    case MODEL_INT64: return "int64";
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_UINT32: return "uint32";
    case MODEL_UINT64: return "uint64";
    case MODEL_FLOAT32: return "float";
    case MODEL_FLOAT64: return "double";
    case MODEL_STRING: return "string";
    case MODEL_BYTES: return "bytes";
    case MODEL_ENUM:
    case MODEL_FLAGS:
    case MODEL_STRUCT:
    case MODEL_UNION:
    case MODEL_VECTOR:
    case MODEL_ARRAY: break;
    }
    assert(false && "a type that consists of others");
    return "";
}

/* A type that one field can have as it is: all but vectors and arrays. */
static const char *single_type(proto_gen *g, const model_type *type)
{
    if (type->record)
        return proto_record_ref(g, type->record);
    if (type->kind == MODEL_ENUM && proto_enum_fits(type->members)) {
        const model_decl *decl = type->members->decl;
        return proto_ref(g, decl->file, proto_names_of(g->known, decl->file)->decls[decl->id].name);
    }
    return scalar_type(type->members ? type->members->base : type->kind);
}

static bool is_many(const model_type *type)
{
    return type->kind == MODEL_VECTOR || type->kind == MODEL_ARRAY;
}

/* The name of a nested message: one that hides no type of the package. */
static const char *nested_name(proto_gen *g, proto_scope *scope, const char *wanted)
{
    const char *name = wanted;

    for (unsigned i = 2; map_find(&g->names->taken, name) || proto_name_is_word(name) ||
                         map_add(&scope->symbols, g->memory, name, scope);
         i++)
        name = arena_printf(g->memory, "%s_%u", wanted, i);
    return name;
}

/* Writes a message that holds a vector or an array; returns its name. */
static const char *nested_emit(proto_gen *g, proto_scope *scope, const char *wanted, const model_type *type)
{
    const char *element = is_many(type->element)
                              ? nested_emit(g, scope, arena_printf(g->memory, "%sItem", wanted), type->element)
                              : single_type(g, type->element);
    const char *name = nested_name(g, scope, wanted);

    EMIT(&g->body, "// shm: ${type}\nmessage ${name} {\n    repeated ${element} items = 1;\n}\n",
         {"type", spell_type(g->memory, type)}, {"name", name}, {"element", element});
    return name;
}

const char *proto_field_type(proto_gen *g, proto_scope *scope, const model_field *field, bool alone)
{
    const model_type *type = field->type;
    const char *wanted = arena_printf(g->memory, "%sItem", spell_pascal(g->memory, field->name));

    if (is_many(type) && !alone && !field->optional) {
        const char *element =
            is_many(type->element) ? nested_emit(g, scope, wanted, type->element) : single_type(g, type->element);
        return arena_printf(g->memory, "repeated %s", element);
    }
    const char *single = is_many(type) ? nested_emit(g, scope, wanted, type) : single_type(g, type);
    return field->optional ? arena_printf(g->memory, "optional %s", single) : single;
}

bool proto_type_is_said(const model_type *type)
{
    switch (type->kind) {
    case MODEL_BOOL:
    case MODEL_INT32:
    case MODEL_INT64:
    case MODEL_UINT32:
    case MODEL_UINT64:
    case MODEL_FLOAT32:
    case MODEL_FLOAT64:
    case MODEL_STRUCT:
    case MODEL_UNION: return true;
    case MODEL_ENUM: return proto_enum_fits(type->members);
    case MODEL_INT8:
    case MODEL_INT16:
    case MODEL_UINT8:
    case MODEL_UINT16:
    case MODEL_FLAGS:
    case MODEL_STRING:
    case MODEL_BYTES:
    case MODEL_VECTOR:
    case MODEL_ARRAY: break;
    }
    return false;
}

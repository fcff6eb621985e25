/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.c - constants, aliases, enums, flags and errors.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/c/gen.h"

void gen_constant(gen *g, const model_decl *decl)
{
    const model_constant *constant = decl->as.constant;
    const char *macro = name_upper(g->memory, name_decl(g->memory, decl));

    gen_declare(g, macro, decl->at, "constant", decl->name);
    c_doc_emit(&g->header, &decl->notes);
    EMIT(&g->header, "#define ${macro} ${value}\n", {"macro", macro},
         {"value", c_literal_value(g->memory, constant->type, &constant->value)});
}

void gen_alias(gen *g, const model_decl *decl)
{
    emit *e = &g->header;
    const model_type *type = decl->as.alias;
    const char *name = gen_declare(g, name_decl(g->memory, decl), decl->at, "alias", decl->name);

    emit_gap(e);
    c_doc_emit(e, &decl->notes);
    c_type_define(e, type, name);
    EMIT(e, "SHMRPC_STATIC_ASSERT(sizeof(${name}) == ${size}, \"size of ${name}\");\n", {"name", name},
         {"size", arena_printf(g->memory, "%" PRIu32, type->size)});
    gen_alias_setter(g, decl);
}

/* "value == A || value == B" as the cases of a switch, and the union of flags. */
static void known_emit(gen *g, const model_members *members, const char *type)
{
    emit *e = &g->header;
    const char *function = gen_compose(g, type, "is_known", members->decl->at, "the test for known values",
                                       arena_printf(g->memory, "'%s'", members->decl->name));

    emit_gap(e);
    EMIT(e, "static inline bool ${function}(${type} value)\n{\n", {"function", function}, {"type", type});
    emit_in(e);
    if (members->kind == MODEL_MEMBERS_ENUM) {
        emit_text(e, "switch (value) {\n");
        for (uint32_t i = 0; i < members->count; i++)
            EMIT(e, "case ${macro}:${end}\n", {"macro", name_member_macro(g->memory, members, &members->items[i])},
                 {"end", i + 1 == members->count ? " return true;" : ""});
        emit_text(e, "default: return false;\n}\n");
    } else {
        emit_text(e, "return (value & ~(");
        for (uint32_t i = 0; i < members->count; i++)
            EMIT(e, "${or}${macro}", {"or", i > 0 ? " | " : ""},
                 {"macro", name_member_macro(g->memory, members, &members->items[i])});
        emit_text(e, ")) == 0;\n");
    }
    emit_out(e);
    emit_text(e, "}\n");
}

/* The name of a value, as the schema has it, or NULL. */
static void name_function_emit(gen *g, const model_members *members, const char *type, const char *parameter)
{
    emit *e = &g->source;
    const char *function = gen_compose(g, type, "name", members->decl->at, "the function for names",
                                       arena_printf(g->memory, "'%s'", members->decl->name));
    const char *head = arena_printf(g->memory, "const char *%s(%s)", function, parameter);
    const char *value = strrchr(parameter, ' ') + 1;

    if (members->kind == MODEL_MEMBERS_ENUM)
        emit_gap(&g->header);
    EMIT(&g->header, "${head}; /* NULL where it is not known */\n", {"head", head});
    emit_gap(e);
    EMIT(e, "${head}\n{\n", {"head", head});
    emit_in(e);
    EMIT(e, "switch (${value}) {\n", {"value", value});
    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        EMIT(e, "case ${macro}: return ${name};\n", {"macro", name_member_macro(g->memory, members, member)},
             {"name", c_literal_string(g->memory, member->name, strlen(member->name))});
    }
    emit_text(e, "default: return NULL;\n}\n");
    emit_out(e);
    emit_text(e, "}\n");
}

static void macros_emit(gen *g, const model_members *members)
{
    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        const char *macro = name_member_macro(g->memory, members, member);
        const char *value = members->kind == MODEL_MEMBERS_ERRORS
                                ? arena_printf(g->memory, "%" PRIu64, member->magnitude)
                                : c_literal_integer(g->memory, members->base, member->negative, member->magnitude);
        gen_declare(g, macro, member->at, "member", member->name);
        c_doc_emit(&g->header, &member->notes);
        EMIT(&g->header, "#define ${macro} ${value}\n", {"macro", macro}, {"value", value});
    }
}

void gen_members(gen *g, const model_decl *decl)
{
    const model_members *members = decl->as.members;
    const char *type = name_decl(g->memory, decl);

    gen_declare(g, type, decl->at, members->kind == MODEL_MEMBERS_ENUM ? "enum" : "flags", decl->name);
    emit_gap(&g->header);
    c_doc_emit(&g->header, &decl->notes);
    EMIT(&g->header, "typedef ${base} ${type};\n", {"base", c_type_scalar(members->base)}, {"type", type});
    macros_emit(g, members);
    known_emit(g, members, type);
    if (members->kind == MODEL_MEMBERS_ENUM)
        name_function_emit(g, members, type, arena_printf(g->memory, "%s value", type));
}

static int member_order(const void *a, const void *b)
{
    const model_member *left = a;
    const model_member *right = b;

    return left->magnitude < right->magnitude ? -1 : left->magnitude > right->magnitude;
}

static const char errors_info[] = "};\n"
                                  "\n"
                                  "const shmrpc_errors_info ${info} = {${name}, UINT64_C(0x${fingerprint}), "
                                  "${set}_items_, ${count}};\n";

void gen_errors(gen *g, const model_decl *decl)
{
    emit *e = &g->source;
    const model_members *members = decl->as.members;
    const char *set = name_decl(g->memory, decl);
    const char *info =
        gen_compose(g, set, "info", decl->at, "the description", arena_printf(g->memory, "errors '%s'", decl->name));
    model_member *sorted = arena_array(g->memory, members->count, sizeof *sorted);

    emit_gap(&g->header);
    if (decl->notes.doc || decl->notes.deprecated)
        c_doc_emit(&g->header, &decl->notes);
    macros_emit(g, members);
    name_function_emit(g, members, set, "int code");
    EMIT(&g->header, "extern const shmrpc_errors_info ${info};\n", {"info", info});

    for (uint32_t i = 0; i < members->count; i++)
        sorted[i] = members->items[i];
    qsort(sorted, members->count, sizeof *sorted, member_order);
    emit_gap(e);
    EMIT(e, "static const shmrpc_error_info ${set}_items_[] = {\n", {"set", set});
    emit_in(e);
    for (uint32_t i = 0; i < members->count; i++) {
        const model_record *payload = sorted[i].payload;
        EMIT(e, "{${name}, ${macro}, ${payload}},\n",
             {"name", c_literal_string(g->memory, sorted[i].name, strlen(sorted[i].name))},
             {"macro", name_member_macro(g->memory, members, &sorted[i])},
             {"payload", payload ? arena_printf(g->memory, "&%s_info", name_record(g->memory, payload)) : "NULL"});
    }
    emit_out(e);
    EMIT(e, errors_info, {"info", info}, {"set", set},
         {"name", c_literal_string(g->memory, decl->qualified_name, strlen(decl->qualified_name))},
         {"fingerprint", arena_printf(g->memory, "%016" PRIx64, members->fingerprint)},
         {"count", arena_printf(g->memory, "%" PRIu32, members->count)});
}

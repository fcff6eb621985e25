/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c - structs, messages and unions as C structs, with their layout asserted and described.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/c/gen.h"
#include "support/buffer.h"

static void padding_emit(gen *g, uint32_t size, int *number)
{
    if (size == 0)
        return;
    EMIT(&g->header, "uint8_t padding_${n}_[${size}];\n", {"n", arena_printf(g->memory, "%d", ++*number)},
         {"size", arena_printf(g->memory, "%" PRIu32, size)});
}

/* Whether C would align it less: where @size or @align asks for it, or a place that is reserved. */
static bool is_aligned_more(const model_record *record)
{
    uint32_t most = 1;

    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].type->align > most)
            most = record->fields[i].type->align;
    }
    return record->fixed_size > 0 || record->fixed_align > 0 ||
           (record->kind != MODEL_RECORD_UNION && record->align > most);
}

/* Before the first member. */
static void align_emit(gen *g, const model_record *record)
{
    if (is_aligned_more(record))
        EMIT(&g->header, "SHMRPC_ALIGNAS(${align}) ", {"align", arena_printf(g->memory, "%" PRIu32, record->align)});
}

static void field_emit(gen *g, const char *scope, const model_record *record, const model_field *field, int *paddings)
{
    const char *name = name_field(g->memory, field);
    bool first = field == record->fields && record->kind != MODEL_RECORD_UNION && field->padding_before == 0;

    gen_member(g, scope, name, field->at, "field", field->name);
    c_doc_emit(&g->header, &field->notes);
    if (first)
        align_emit(g, record);
    if (field->optional) {
        const char *has = arena_printf(g->memory, "has_%s", name);
        name_origin origin = {field->at, arena_printf(g->memory, "the presence of field '%s'", field->name), NULL};
        names_declare(g->known, scope, has, origin);
        EMIT(&g->header, "uint8_t ${has};\n", {"has", has});
        padding_emit(g, field->padding_after_has, paddings);
    }
    c_type_declare(&g->header, field->type, name);
}

static void struct_body_emit(gen *g, const model_record *record)
{
    int paddings = 0;

    if (record->fields[0].padding_before > 0)
        align_emit(g, record);
    for (uint32_t i = 0; i < record->field_count; i++) {
        padding_emit(g, record->fields[i].padding_before, &paddings);
        field_emit(g, gen_scope(g, record), record, &record->fields[i], &paddings);
    }
    padding_emit(g, record->tail_padding, &paddings);
}

static void union_body_emit(gen *g, const model_record *record)
{
    int paddings = 0;
    int inner = 0;
    uint32_t largest = 0;

    align_emit(g, record);
    emit_text(&g->header, "uint32_t tag; /* 0: unset */\n");
    padding_emit(g, record->body_offset - (uint32_t)sizeof(uint32_t), &paddings);
    emit_text(&g->header, "union {\n");
    emit_in(&g->header);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        largest = arm->type->size > largest ? arm->type->size : largest;
        field_emit(g, gen_scope(g, record), record, arm, &inner);
    }
    if (record->fixed_size > 0)
        EMIT(&g->header, "uint8_t room_[${size}]; /* for arms to come */\n",
             {"size", arena_printf(g->memory, "%" PRIu32, record->body_size)});
    else if (largest < record->body_size)
        padding_emit(g, record->body_size, &inner); /* where uint64_t is aligned to 4, C does not round up so far */
    emit_out(&g->header);
    emit_text(&g->header, "} body;\n");
    padding_emit(g, record->tail_padding, &paddings);
}

static void tags_emit(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);

    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        const char *macro = name_upper(g->memory, arena_printf(g->memory, "%s_%s", type, name_field(g->memory, arm)));
        name_origin origin = {arm->at, arena_printf(g->memory, "the tag of '%s.%s'", record->decl->name, arm->name),
                              NULL};
        names_declare(g->known, "", macro, origin);
        EMIT(&g->header, "#define ${macro} ${value}\n", {"macro", macro},
             {"value", c_literal_integer(g->memory, MODEL_UINT32, false, arm->tag)});
    }
}

static void offset_assert(gen *g, const char *type, const char *member, uint32_t offset)
{
    EMIT(&g->header,
         "SHMRPC_STATIC_ASSERT(offsetof(${type}, ${member}) == ${offset}, \"offset of ${type}.${member}\");\n",
         {"type", type}, {"member", member}, {"offset", arena_printf(g->memory, "%" PRIu32, offset)});
}

static void layout_assert(gen *g, const char *type, const model_record *record)
{
    EMIT(&g->header, "SHMRPC_STATIC_ASSERT(sizeof(${type}) == ${size}, \"size of ${type}\");\n", {"type", type},
         {"size", arena_printf(g->memory, "%" PRIu32, record->size)});
    if (record->kind == MODEL_RECORD_UNION) {
        offset_assert(g, type, "tag", 0);
        offset_assert(g, type, "body", record->body_offset);
        return;
    }
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        const char *name = name_field(g->memory, field);
        if (field->optional)
            offset_assert(g, type, arena_printf(g->memory, "has_%s", name), field->has_offset);
        offset_assert(g, type, name, field->offset);
        if (field->type->kind == MODEL_STRING || field->type->kind == MODEL_BYTES || field->type->kind == MODEL_VECTOR)
            offset_assert(g, type, arena_printf(g->memory, "%s.%s", name, c_type_items(field->type)),
                          field->offset + field->type->items_offset);
    }
}

void gen_record(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);

    name_origin origin = {gen_record_at(record), gen_record_title(g, record),
                          record->role == MODEL_ROLE_NAMED ? record->decl->name : NULL};
    names_declare(g->known, "", type, origin);
    origin.written = NULL;
    names_declare(g->known, gen_scope(g, record), type, origin); /* C++: no member is called as its class */

    emit_gap(&g->header);
    if (record->role == MODEL_ROLE_NAMED)
        c_doc_emit(&g->header, &record->decl->notes);
    EMIT(&g->header, "typedef struct ${type} {\n", {"type", type});
    emit_in(&g->header);
    if (record->kind == MODEL_RECORD_UNION)
        union_body_emit(g, record);
    else
        struct_body_emit(g, record);
    emit_out(&g->header);
    EMIT(&g->header, "} ${type};\n", {"type", type});
    if (record->kind == MODEL_RECORD_UNION)
        tags_emit(g, record);
    layout_assert(g, type, record);

    gen_record_setters(g, record);
    gen_record_store(g, record);
    gen_record_tidy(g, record);
    gen_record_check(g, record);
    if (record->kind != MODEL_RECORD_UNION)
        gen_record_info(g, record);
}

/* ---- the description ---- */

static bool record_has_initial(const model_record *record)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].initial.kind != MODEL_VALUE_NONE)
            return true;
    }
    return false;
}

/* Room for one more than all other fields hold. */
uint32_t c_least_size(const model_field *tail, uint32_t size)
{
    if (!tail)
        return size;
    uint32_t end = tail->offset + tail->type->items_offset + (tail->type->kind == MODEL_STRING ? 1 : 0);
    return (end + 7) / 8 * 8;
}

static void initial_emit(gen *g, const char *type, const model_record *record)
{
    emit *e = &g->source;

    emit_gap(e);
    EMIT(e, "static const ${type} ${type}_initial_ = {\n", {"type", type});
    emit_in(e);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        const model_value *value = field->initial.kind != MODEL_VALUE_NONE ? &field->initial : NULL;
        const char *name = name_field(g->memory, field);
        if (field->padding_before > 0)
            emit_text(e, "{0},\n");
        if (field->optional)
            EMIT(e, "${has}, /* has_${name} */\n", {"has", value ? "1" : "0"}, {"name", name});
        if (field->padding_after_has > 0)
            emit_text(e, "{0},\n");
        EMIT(e, "${value}, /* ${name} */\n", {"value", c_literal_initial(g->memory, field->type, value)},
             {"name", name});
    }
    if (record->tail_padding > 0)
        emit_text(e, "{0},\n");
    emit_out(e);
    emit_text(e, "};\n");
}

static const char *record_full_name(gen *g, const model_record *record)
{
    if (record->role == MODEL_ROLE_NAMED)
        return record->decl->qualified_name;
    if (record->role == MODEL_ROLE_CHANNEL_ITEM)
        return arena_printf(g->memory, "%s.%s", record->decl->qualified_name, name_role(record));
    return arena_printf(g->memory, "%s.%s.%s", record->service->decl->qualified_name,
                        record->service->methods[record->method].name, name_role(record));
}

static const char init_zero[] = "void ${init}(${type} *message)\n"
                                "{\n"
                                "    memset(message, 0, sizeof *message);\n"
                                "}\n";

static const char init_copy[] = "void ${init}(${type} *message)\n"
                                "{\n"
                                "    *message = ${type}_initial_;\n"
                                "}\n";

static const char info_template[] = "const shmrpc_type_info ${info} = {\n"
                                    "    ${name},\n"
                                    "    UINT64_C(0x${fingerprint}),\n"
                                    "    sizeof(${type}),\n"
                                    "    ${min_size}, /* the least that is sent */\n"
                                    "    ${initial},\n"
                                    "    ${store},\n"
                                    "    ${validate},\n"
                                    "${layout},\n"
                                    "    ${used},\n"
                                    "    ${tidy},\n"
                                    "};\n";

#define LAYOUT_MAX 4000u    /* bytes of a layout's text: below what C11 takes as one string */
#define LAYOUT_LINE_MAX 80u /* bytes of a line of it, if it has a place to break it at */

/* The text that the fingerprint is of, as a literal of several lines; a long one ends after one of its fields. */
static const char *layout_literal(gen *g, const char *text)
{
    size_t length = strlen(text);
    buffer to = {0};

    if (length > LAYOUT_MAX) {
        length = LAYOUT_MAX;
        while (length > 0 && text[length - 1] != ';')
            length--;
    }
    for (size_t at = 0; at < length;) {
        size_t end = length - at > LAYOUT_LINE_MAX ? at + LAYOUT_LINE_MAX : length;
        size_t cut = end;
        while (cut > at && end < length && text[cut - 1] != ';')
            cut--;
        end = cut > at ? cut : end;
        buffer_printf(&to, "%s    %s", at > 0 ? "\n" : "", c_literal_string(g->memory, text + at, end - at));
        at = end;
    }
    const char *made = length > 0 ? arena_copy(g->memory, to.data, to.length) : "    NULL";
    buffer_deinit(&to);
    return made;
}

void gen_record_info(gen *g, const model_record *record)
{
    const char *type = name_record(g->memory, record);
    const char *title = gen_record_title(g, record);
    span at = gen_record_at(record);
    bool initial = record_has_initial(record);
    const char *name = record_full_name(g, record);
    const char *info = gen_compose(g, type, "info", at, "the description", title);

    if (record->kind == MODEL_RECORD_MESSAGE) {
        const char *init = gen_compose(g, type, "init", at, "the initialiser", title);
        EMIT(&g->header, "void ${init}(${type} *message);\n", {"init", init}, {"type", type});
        if (initial)
            initial_emit(g, type, record);
        emit_gap(&g->source);
        EMIT(&g->source, initial ? init_copy : init_zero, {"init", init}, {"type", type});
    }
    EMIT(&g->header, "extern const shmrpc_type_info ${info};\n", {"info", info});
    emit_gap(&g->source);
    EMIT(&g->source, info_template, {"info", info}, {"type", type},
         {"name", c_literal_string(g->memory, name, strlen(name))},
         {"fingerprint", arena_printf(g->memory, "%016" PRIx64, record->fingerprint)},
         {"min_size", arena_printf(g->memory, "%" PRIu32, c_least_size(record->variable_tail, record->size))},
         {"initial", initial ? arena_printf(g->memory, "&%s_initial_", type) : "NULL"},
         {"store", c_record_is_solid(record) ? "NULL" : arena_printf(g->memory, "%s_store_any_", type)},
         {"validate", c_record_is_checked(record) ? arena_printf(g->memory, "%s_validate_any_", type) : "NULL"},
         {"layout", layout_literal(g, record->canonical)},
         {"used", record->variable_tail ? arena_printf(g->memory, "%s_used_any_", type) : "NULL"},
         {"tidy", c_message_is_tidied(record) ? arena_printf(g->memory, "%s_tidy_any_", type) : "NULL"});
}

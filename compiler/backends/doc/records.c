/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c - layouts, byte for byte: fields, the bytes that say whether they are there, padding and reserved places.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/doc/gen.h"
#include "spell.h"

/* What a row of a layout says; all but the numbers is Markdown, and "" where it is NULL. */
typedef struct row {
    uint32_t at;
    uint32_t bytes;
    const char *name;
    const char *type;
    const char *initial;
    const char *since;
    const char *text;
} row;

static void row_put(doc_gen *g, row r)
{
    DOC_ROW(g, spell_integer(g->memory, false, r.at), spell_integer(g->memory, false, r.bytes), r.name,
            r.type ? r.type : "", r.initial ? r.initial : "", r.since ? r.since : "", r.text ? r.text : "");
}

/* What lies between two fields: places that are kept free, from the one at *next on, and padding around them. */
static void between_put(doc_gen *g, const model_record *record, uint32_t begin, uint32_t end, uint32_t before,
                        uint32_t *next)
{
    for (; *next < record->hole_count && record->holes[*next].before == before; ++*next) {
        const model_hole *hole = &record->holes[*next];
        if (hole->offset > begin)
            row_put(g, (row){begin, hole->offset - begin, .name = "*padding*"});
        const char *name = hole->name ? arena_printf(g->memory, "*reserved* `%s`", hole->name) : "*reserved*";
        row_put(g, (row){hole->offset, hole->type->size, .name = name, .type = doc_type(g, hole->type)});
        begin = hole->offset + hole->type->size;
    }
    if (end > begin)
        row_put(g, (row){begin, end - begin, .name = "*padding*"});
}

static void field_put(doc_gen *g, const model_field *field)
{
    row r = {
        .at = field->offset,
        .bytes = field->type->size,
        .name = arena_printf(g->memory, "`%s`", field->name),
        .type = doc_field_type(g, field),
        .since = doc_since_cell(g, &field->notes),
        .text = doc_notes_cell(g, &field->notes),
    };

    if (field->initial.kind != MODEL_VALUE_NONE)
        r.initial = doc_cell(g->memory, spell_value(g->memory, field->type, &field->initial));
    if (field->optional) {
        const char *has = arena_printf(g->memory, "`has_%s`", field->name);
        row_put(g, (row){field->has_offset, 1, .name = has, .type = "`bool`", .since = r.since});
        if (field->padding_after_has > 0)
            row_put(g, (row){field->has_offset + 1, field->padding_after_has, .name = "*padding*"});
    }
    row_put(g, r);
}

static void fields_put(doc_gen *g, const model_record *record)
{
    uint32_t end = 0;
    uint32_t hole = 0;

    buffer_puts(g->to, "\n| offset | size | field | type | default | since | |\n|---:|---:|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        between_put(g, record, end, field->optional ? field->has_offset : field->offset, i, &hole);
        field_put(g, field);
        end = field->offset + field->type->size;
    }
    between_put(g, record, end, record->size, record->field_count, &hole);
}

static void arms_put(doc_gen *g, const model_record *record)
{
    buffer_puts(g->to, "\n| tag | offset | size | arm | type | since | |\n|---:|---:|---:|---|---|---|---|\n");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *arm = &record->fields[i];
        DOC_ROW(g, spell_integer(g->memory, false, arm->tag), spell_integer(g->memory, false, arm->offset),
                spell_integer(g->memory, false, arm->type->size), arena_printf(g->memory, "`%s`", arm->name),
                doc_type(g, arm->type), doc_since_cell(g, &arm->notes), doc_notes_cell(g, &arm->notes));
    }
}

static void facts_put(doc_gen *g, const model_record *record)
{
    buffer_printf(g->to, "\n%s, aligned to %" PRIu32 ".", spell_bytes(g->memory, record->size), record->align);
    if (record->fixed_size > 0)
        buffer_puts(g->to, " The size is fixed: it has room to grow into.");
    if (record->variable_tail)
        buffer_printf(g->to, " Of `%s` only the used part travels.", record->variable_tail->name);
    if (record->kind == MODEL_RECORD_UNION)
        buffer_printf(g->to, " The tag is a `uint32` at 0; the arms share %s at %" PRIu32 ". %s",
                      spell_bytes(g->memory, record->body_size), record->body_offset,
                      record->strict ? "Strict: other tags are refused." : "Other tags pass.");
    buffer_puts(g->to, "\n");
}

static void revisions_put(doc_gen *g, const model_record *record)
{
    if (record->revision_count < 2) {
        buffer_printf(g->to, "\nFingerprint `0x%016" PRIx64 "`.\n", record->fingerprint);
        return;
    }
    buffer_printf(g->to, "\n| version | size | %s | fingerprint |\n|---:|---:|---:|---|\n",
                  record->kind == MODEL_RECORD_UNION ? "arms" : "fields");
    for (uint32_t i = 0; i < record->revision_count; i++) {
        const model_revision *revision = &record->revisions[i];
        buffer_printf(g->to, "| %" PRIu32 " | %" PRIu32 " | %" PRIu32 " | `0x%016" PRIx64 "` |\n", revision->version,
                      revision->size, revision->field_count, revision->fingerprint);
    }
}

void doc_record(doc_gen *g, const model_record *record)
{
    facts_put(g, record);
    if (record->kind == MODEL_RECORD_UNION)
        arms_put(g, record);
    else
        fields_put(g, record);
    doc_reserved(g, record->reserved, record->reserved_count);
    revisions_put(g, record);
}

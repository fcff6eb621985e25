/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c - see rules.h.
 */
#include "rules.h"

#include "layout.h"
#include "support/buffer.h"
#include "versions.h"

#define SAVING_LEAST 8      /* bytes that make W319 worth while */
#define VARIABLE_LARGE 1024 /* bytes from which on W320 looks at a field */
#define REORDER_MOST 200    /* fields; nobody reorders more by hand */
#define LARGEST_SHOWN 3     /* fields in the note of E314 */

void rules_empty(compile *run, const model_record *record, span at)
{
    bool body = record->role != MODEL_ROLE_NAMED;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E317, at, "%s has at least one %s",
                                 body                                   ? "a body"
                                 : record->kind == MODEL_RECORD_STRUCT  ? "a struct"
                                 : record->kind == MODEL_RECORD_MESSAGE ? "a message"
                                                                        : "a union",
                                 record->kind == MODEL_RECORD_UNION ? "arm" : "field");
    if (record->kind == MODEL_RECORD_MESSAGE)
        diag_fix(entry, "a method without a payload is written with '()'");
}

/* E403 */
static bool may_grow(compile *run, const model_record *record, const model_field *field)
{
    bool is_union = record->kind == MODEL_RECORD_UNION;

    if (record->kind == MODEL_RECORD_MESSAGE || record->fixed_size || field->notes.since == run->since)
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E403, field->at, "'%s' is added to a %s that has no room",
                                 field->name, is_union ? "union" : "struct");
    diag_note(entry, (span){0}, "what embeds it would change its layout");
    diag_fix(entry, "only one that had an @size from the first version on can grow; declare a new %s",
             is_union ? "union" : "struct");
    return false;
}

/* The strict union that a value has in it which is all zero; NULL: none. */
static const model_record *never_unset(const model_type *type)
{
    const model_record *found = NULL;

    if (type->kind == MODEL_ARRAY)
        return never_unset(type->element);
    if (type->kind == MODEL_UNION)
        return type->record->strict ? type->record : NULL;
    if (type->kind != MODEL_STRUCT)
        return NULL;
    for (uint32_t i = 0; i < type->record->field_count && !found; i++)
        found = type->record->fields[i].optional ? NULL : never_unset(type->record->fields[i].type);
    return found;
}

/* E414: who receives a message of before fills in zeros for what came later, and they have to be valid. */
static bool may_be_missing(compile *run, const model_record *record, const model_field *field)
{
    const model_record *strict = NULL;

    if (field->type && record->kind != MODEL_RECORD_UNION && field->notes.since > run->since && !field->optional)
        strict = never_unset(field->type);
    if (!strict)
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E414, field->at,
                                 "'%s' cannot be unset, and is missing in what version %u sends", field->name,
                                 (unsigned)field->notes.since - 1);
    diag_note(entry, strict->decl->at, "'%s' is a strict union: its tag 0 is refused", strict->decl->name);
    diag_fix(entry, "make '%s' optional, or a vector", field->name);
    return false;
}

bool rules_added(compile *run, const model_record *record, uint32_t at)
{
    const model_field *field = &record->fields[at];

    if (at == 0 && field->notes.since > run->since) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E317, field->at, "nothing in this is older than '%s', of version %u",
                     field->name, (unsigned)field->notes.since);
        diag_note(entry, (span){0}, "it would have been empty at version %u", (unsigned)run->since);
        diag_fix(entry, "give the whole '@since(%u)'", (unsigned)field->notes.since);
        return false;
    }
    if (at > 0 && !versions_ascend(run, &record->fields[at - 1], field))
        return false;
    return may_grow(run, record, field) && may_be_missing(run, record, field);
}

/* A reserved place, as the rules about fields take it. */
static model_field as_field(const model_hole *hole)
{
    return (model_field){.name = hole->name ? hole->name : "reserved", .at = hole->at, .notes = {.since = hole->since}};
}

bool rules_holes(compile *run, const model_record *record)
{
    for (uint32_t i = 0; i < record->hole_count; i++) {
        const model_hole *hole = &record->holes[i];
        bool has_hole_before = i > 0 && hole[-1].before == hole->before;
        model_field own = as_field(hole);
        model_field other = {0};
        if (has_hole_before)
            other = as_field(&hole[-1]);
        else if (hole->before > 0)
            other = record->fields[hole->before - 1];
        if (other.name && !versions_ascend(run, &other, &own))
            return false;
        if (hole->before < record->field_count && !versions_ascend(run, &own, &record->fields[hole->before]))
            return false;
        if (!may_grow(run, record, &own))
            return false;
    }
    return true;
}

static uint32_t field_size(const model_field *field)
{
    return field->type->size + (field->optional ? 1 : 0);
}

/* Where the fields lie, a line for each. */
static const char *field_table(compile *run, const model_record *record)
{
    buffer table = {0};
    buffer_puts(&table, "  offset    size  field");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        buffer_printf(&table, "\n%8u%8u  %s", (unsigned)field->offset, (unsigned)field->type->size, field->name);
    }
    const char *text = arena_copy(run->memory, table.data, table.length);
    buffer_deinit(&table);
    return text;
}

/* The field that needs the largest alignment. */
static const model_field *most_aligned(const model_record *record)
{
    const model_field *found = &record->fields[0];
    for (uint32_t i = 1; i < record->field_count; i++)
        if (record->fields[i].type->align > found->type->align)
            found = &record->fields[i];
    return found;
}

bool rules_fixed(compile *run, const model_record *record, span at)
{
    const model_field *wide = most_aligned(record);
    uint32_t align = wide->type->align;
    bool given = record->fixed_align != 0;
    diag_entry *entry;

    if (given ? record->align > record->fixed_align : record->fixed_size && align > LAYOUT_MESSAGE_STEP) {
        if (given && align <= record->fixed_align)
            entry = diag_add(run->diagnostics, DIAG_E313, at, "'%s' is aligned to %u, for its %s", record->decl->name,
                             (unsigned)record->align, record->fixed_size ? "@size" : "tag");
        else
            entry = diag_add(run->diagnostics, DIAG_E313, wide->at, "'%s' is aligned to %u, what it is in to %u",
                             wide->name, (unsigned)align, given ? (unsigned)record->fixed_align : LAYOUT_MESSAGE_STEP);
        diag_fix(entry, "write '@align(%u)'%s", (unsigned)record->align, given ? ", or leave it out" : "");
        return false;
    }
    if (!record->fixed_size || record->size == record->fixed_size) {
        if (record->fixed_size % record->align == 0)
            return true;
        entry = diag_add(run->diagnostics, DIAG_E312, at, "the @size of '%s' is no multiple of its @align",
                         record->decl->name);
        diag_fix(entry, "write '@size(%u)'",
                 (unsigned)((record->fixed_size + record->align - 1) / record->align * record->align));
        return false;
    }
    entry = diag_add(run->diagnostics, DIAG_E312, at, "'%s' takes %u bytes, its @size gives it %u", record->decl->name,
                     (unsigned)record->size, (unsigned)record->fixed_size);
    diag_note(entry, (span){0}, "%s", field_table(run, record));
    diag_fix(entry, "give it '@size(%u)' or more",
             (unsigned)((record->size + LAYOUT_MESSAGE_STEP - 1) / LAYOUT_MESSAGE_STEP * LAYOUT_MESSAGE_STEP));
    return false;
}

/* "'a' (4096 bytes), 'b' (16 bytes)": the largest first. */
static const char *largest_fields(compile *run, const model_record *record)
{
    const model_field *largest[LARGEST_SHOWN] = {0};
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        for (uint32_t place = 0; place < LARGEST_SHOWN; place++) {
            if (largest[place] && field_size(largest[place]) >= field_size(field))
                continue;
            const model_field *pushed = largest[place];
            largest[place] = field;
            field = pushed;
            if (!field)
                break;
        }
    }
    const char *text = "";
    for (uint32_t i = 0; i < LARGEST_SHOWN && largest[i]; i++)
        text = arena_printf(run->memory, "%s%s'%s' (%u bytes)", text, i ? ", " : "", largest[i]->name,
                            (unsigned)field_size(largest[i]));
    return text;
}

static bool size_is_right(compile *run, const model_record *record, span at)
{
    if (record->kind != MODEL_RECORD_MESSAGE || record->size <= run->max_message)
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E314, at, "this message takes %u bytes, the limit is %u",
                                 (unsigned)record->size, (unsigned)run->max_message);
    diag_note(entry, (span){0}, "its largest fields are %s", largest_fields(run, record));
    diag_fix(entry, "shrink them, or raise the limit with --max-message");
    return false;
}

static void lint_padding(compile *run, const model_record *record, span at)
{
    if (record->kind == MODEL_RECORD_UNION || record->fixed_size || record->hole_count > 0 ||
        record->field_count > REORDER_MOST)
        return; /* what is reserved has its place already */
    uint32_t *order = arena_array(run->memory, record->field_count, sizeof(*order));
    uint32_t best = layout_best(record, order, run->memory);
    if (best + SAVING_LEAST > record->size)
        return;

    buffer names = {0};
    for (uint32_t i = 0; i < record->field_count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", record->fields[order[i]].name);
    diag_entry *entry = diag_add(run->diagnostics, DIAG_W319, at, "another order of the fields saves %u of %u bytes",
                                 (unsigned)(record->size - best), (unsigned)record->size);
    diag_fix(entry, "%s", names.data);
    buffer_deinit(&names);
}

static void lint_variable(compile *run, const model_record *record)
{
    if (record->kind != MODEL_RECORD_MESSAGE)
        return;
    for (uint32_t i = 0; i + 1 < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        if (!layout_is_variable(field) || field->type->size < VARIABLE_LARGE ||
            record->fields[i + 1].notes.since > field->notes.since)
            continue;
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_W320, field->at, "'%s' is large and varies, but is not the last field%s",
                     field->name,
                     record->fields[record->field_count - 1].notes.since > run->since ? " of its version" : "");
        diag_note(entry, (span){0}, "of the last field only the used part is copied; here %u bytes always are",
                  (unsigned)field->type->size);
        diag_fix(entry, "move it to the end");
    }
}

bool rules_record(compile *run, const model_record *record, span at)
{
    if (!size_is_right(run, record, at))
        return false;
    lint_padding(run, record, at);
    lint_variable(run, record);
    return true;
}

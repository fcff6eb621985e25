/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c - see records.h.
 */
#include "records.h"

#include "annotate.h"
#include "constant.h"
#include "layout.h"
#include "reserve.h"
#include "resolve.h"
#include "revise.h"
#include "rules.h"
#include "types.h"
#include "versions.h"

/* The enum or flags behind a type, of which a default may name a member as such. */
static const symbol *bare_members(const compile *run, const model_type *type)
{
    if (type->kind != MODEL_ENUM && type->kind != MODEL_FLAGS)
        return NULL;
    return map_find(&run->by_qualified, type->members->decl->qualified_name);
}

static bool initial_value(compile *run, const unit *from, const ast_expr *expr, model_field *field)
{
    const model_type *type = field->type;
    value given;
    if (field->optional || !constant_may_be(type)) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E318, expr->at, "a field of type %s%s has no default",
                                     types_name(run->memory, type), field->optional ? "?" : "");
        diag_note(entry, (span){0},
                  field->optional ? "an optional field begins as absent"
                                  : "a scalar, an enum, flags or a string may have one");
        return false;
    }
    return constant_evaluate(run, from, expr, bare_members(run, type), &given) &&
           constant_fit(run, &given, type, expr->at, DIAG_E318, &field->initial);
}

static void number_after_field(compile *run, const ast_field *ast)
{
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E305, ast->tag->at, "the field '%s' has a number", ast->name.text);
    diag_note(entry, (span){0}, "fields are known by name and place; only the arms of a union have numbers");
    diag_fix(entry, "remove it; a value to begin with is written @default(...) before the field");
}

/* The tag of a union's arm. */
static bool arm_tag(compile *run, const unit *from, const ast_field *ast, map *tags, model_field *field)
{
    diag *diagnostics = run->diagnostics;
    value given;
    if (!ast->tag) {
        diag_fix(diag_add(diagnostics, DIAG_E316, ast->name.at, "the arm '%s' has no tag", ast->name.text),
                 "give it one: '%s = 1;'", ast->name.text);
        return false;
    }
    if (!constant_evaluate(run, from, ast->tag, NULL, &given))
        return false;
    if (given.is.kind != MODEL_VALUE_INT || !value_fits(given.is.negative, given.is.magnitude, MODEL_UINT32)) {
        diag_entry *entry =
            diag_add(diagnostics, DIAG_E301, ast->tag->at, "%s is not a tag", value_show(&given, run->memory));
        diag_note(entry, (span){0}, "tags are 1 to 4294967295");
        return false;
    }
    if (given.is.magnitude == 0) {
        diag_entry *entry =
            diag_add(diagnostics, DIAG_E316, ast->tag->at, "the arm '%s' has the tag 0", ast->name.text);
        diag_note(entry, (span){0}, "0 means that no arm is set");
        return false;
    }
    field->tag = (uint32_t)given.is.magnitude;
    const char *key = arena_printf(run->memory, "%u", (unsigned)field->tag);
    const model_field *first = map_add(tags, run->scratch, key, field);
    if (first) {
        diag_entry *entry = diag_add(diagnostics, DIAG_E309, ast->tag->at, "'%s' has the tag of '%s', %s", field->name,
                                     first->name, key);
        diag_note(entry, first->at, "'%s' is here", first->name);
    }
    return !first;
}

static bool field_complete(compile *run, const unit *from, const model_record *record, const ast_field *ast, map *tags,
                           model_field *field)
{
    bool is_union = record->kind == MODEL_RECORD_UNION;
    bool is_message = record->kind == MODEL_RECORD_MESSAGE;
    bool deprecated_user = run->deprecated_user;
    annotate_result notes;

    uint32_t since = run->since;
    run->deprecated_user = deprecated_user || resolve_deprecation(ast->notes);
    annotate_read(run, ast->notes, is_message ? ANNOTATE_MESSAGE_FIELD : ANNOTATE_MEMBER, &notes);
    versions_member(run, &notes, ast->name.text);
    field->name = ast->name.text;
    field->at = ast->name.at;
    field->notes = notes.notes;
    field->type = types_resolve(run, from, ast->type, is_union ? TYPES_ARM : TYPES_FIELD, &field->optional);

    bool right = field->type != NULL;
    if (is_union)
        right = arm_tag(run, from, ast, tags, field) && right;
    else if (ast->tag)
        number_after_field(run, ast);
    if (field->type && notes.initial)
        right = initial_value(run, from, notes.initial, field) && right;
    run->deprecated_user = deprecated_user;
    run->since = since;
    return right;
}

/* Counts what is in a record: types that nest twice in each other are twice as many with each level. */
static bool count_places(compile *run, model_record *record, span at)
{
    uint64_t inner = 0;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_type *type = record->fields[i].type;
        while (type->element)
            type = type->element;
        inner += type->record ? type->record->places : 0;
    }
    if (inner > MODEL_PLACES_MOST) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E321, at, "%llu fields are in the fields of this",
                                     (unsigned long long)inner);
        diag_note(entry, (span){0}, "at most %d may be, however deep", MODEL_PLACES_MOST);
        return false;
    }
    record->places = record->field_count + (uint32_t)inner;
    return true;
}

/* A whole number from 1 on; E604 else. */
static bool bytes_of(compile *run, const unit *from, const ast_expr *expr, value *ret)
{
    if (!constant_evaluate(run, from, expr, NULL, ret))
        return false;
    if (ret->is.kind == MODEL_VALUE_INT && !ret->is.negative && ret->is.magnitude)
        return true;
    diag_add(run->diagnostics, DIAG_E604, expr->at, "this is a whole number of bytes, not %s",
             value_show(ret, run->memory));
    return false;
}

bool records_size(compile *run, const unit *from, const ast_expr *expr, uint32_t *ret)
{
    value given;
    if (!bytes_of(run, from, expr, &given))
        return false;
    uint64_t bytes = given.is.magnitude;
    if (bytes % LAYOUT_MESSAGE_STEP == 0 && bytes <= LAYOUT_MOST) {
        *ret = (uint32_t)bytes;
        return true;
    }
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E312, expr->at,
                                 "a @size is a multiple of 8 up to 1 GiB, not %s", value_show(&given, run->memory));
    if (bytes <= LAYOUT_MOST)
        diag_fix(entry, "write '@size(%u)'", (unsigned)(bytes / LAYOUT_MESSAGE_STEP + 1) * LAYOUT_MESSAGE_STEP);
    return false;
}

bool records_align(compile *run, const unit *from, const ast_expr *expr, uint32_t *ret)
{
    value given;
    if (!bytes_of(run, from, expr, &given))
        return false;
    uint64_t bytes = given.is.magnitude;
    if (bytes <= LAYOUT_ALIGN_MOST && (bytes & (bytes - 1)) == 0) {
        *ret = (uint32_t)bytes;
        return true;
    }
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E313, expr->at, "an @align is 1, 2, 4, 8 or %u, not %s",
                                 LAYOUT_ALIGN_MOST, value_show(&given, run->memory));
    if (bytes > LAYOUT_ALIGN_MOST)
        diag_note(entry, (span){0}, "a message lies at a multiple of %u in shared memory", LAYOUT_ALIGN_MOST);
    return false;
}

static bool hole_complete(compile *run, const unit *from, const ast_reserved *ast, model_hole *hole)
{
    annotate_result notes;
    uint32_t since = run->since;

    annotate_read(run, ast->notes, ANNOTATE_PLACE, &notes);
    versions_member(run, &notes, ast->name.text ? ast->name.text : "reserved");
    hole->at = ast->type->at;
    hole->name = ast->name.text;
    hole->since = run->since;
    hole->before = ast->before;
    hole->type = types_resolve(run, from, ast->type, TYPES_RESERVED, NULL);
    run->since = since;
    return hole->type != NULL;
}

/* The places that are kept free; NULL where there is a mistake in one. */
static model_hole *holes_complete(compile *run, const unit *from, model_record *record, const ast_body *body)
{
    model_hole *holes = arena_array(run->memory, body->reserved.count + 1, sizeof(*holes));
    bool right = true;

    record->holes = holes;
    for (uint32_t i = 0; i < body->reserved.count && record->kind != MODEL_RECORD_UNION; i++) {
        const ast_reserved *ast = *VECTOR_AT(&body->reserved, ast_reserved *, i);
        if (!ast->type)
            continue;
        right = hole_complete(run, from, ast, &holes[record->hole_count++]) && right;
    }
    return right ? holes : NULL;
}

/* What old programs know the fields by. */
static void check_identities(compile *run, const model_record *record)
{
    map identities = {0};
    bool renamed = false;
    for (uint32_t i = 0; i < record->field_count; i++)
        renamed = renamed || record->fields[i].notes.original;
    for (uint32_t i = 0; renamed && i < record->field_count; i++)
        versions_identity(run, &identities, NULL, &record->fields[i].notes, record->fields[i].name,
                          record->fields[i].at);
}

static bool fields_complete(compile *run, const unit *from, model_record *record, const ast_body *body,
                            const reserve *kept, model_field *items)
{
    bool is_union = record->kind == MODEL_RECORD_UNION;
    map names = {0};
    map tags = {0};
    bool right = true;

    for (uint32_t i = 0; i < body->entries.count; i++) {
        const ast_field *ast = *VECTOR_AT(&body->entries, ast_field *, i);
        resolve_enter(run, &names, &ast->name, is_union ? "an arm" : "a field");
        items[i].id = i;
        right = field_complete(run, from, record, ast, &tags, &items[i]) && right;
        right = rules_added(run, record, i) && right;
        right = reserve_allows_name(run, kept, &ast->name) && right;
        if (is_union && items[i].tag)
            right = reserve_allows_number(run, kept, &ast->name, items[i].tag, ast->tag->at) && right;
        if (items[i].type && items[i].type->nesting >= record->nesting)
            record->nesting = items[i].type->nesting + 1;
    }
    check_identities(run, record);
    return right;
}

bool records_complete(compile *run, const unit *from, model_record *record, const ast_body *body, span at)
{
    uint32_t count = body->entries.count;
    model_field *items = arena_array(run->memory, count, sizeof(*items));
    reserve kept;

    record->fields = items;
    record->field_count = count;
    bool right = reserve_read(run, body, record->kind == MODEL_RECORD_UNION ? RESERVE_UNION : RESERVE_RECORD,
                              MODEL_UINT32, &kept);
    record->reserved = kept.items;
    record->reserved_count = kept.count;
    model_hole *holes = holes_complete(run, from, record, body);
    if (count == 0) {
        if (!from->ast->broken)
            rules_empty(run, record, at);
        return false;
    }
    right = fields_complete(run, from, record, body, &kept, items) && holes && right;
    right = right && rules_holes(run, record);
    if (!right || !types_may_nest(run, record->nesting, at) || !count_places(run, record, at))
        return false;
    if (!layout_record(record, items, holes)) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E321, at, "this is larger than 1 GiB");
        diag_note(entry, (span){0}, "no type may be");
        return false;
    }
    if (!rules_fixed(run, record, at))
        return false;
    revise_record(run->memory, record, run->since);
    return rules_record(run, record, at);
}

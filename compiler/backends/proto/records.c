/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c - structs and messages as messages, unions as a message with a oneof, and what is reserved in them.
 *
 * A field's number is its position, from 1, where a place that `reserved TYPE;` keeps free has one too: fields that are
 * added at the end, or in the place of what was reserved, change no number. An arm's number is its tag where that is
 * a number that proto has for fields.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/proto/gen.h"
#include "spell.h"

void proto_comment_emit(proto_gen *g, const model_notes *notes, const char *shm)
{
    const char *text = notes && notes->doc ? spell_visible(g->memory, notes->doc) : "";

    if (notes && notes->deprecated) {
        const char *reason = spell_visible(g->memory, notes->deprecated);
        text = arena_printf(g->memory, "%s%sDeprecated%s%s.", text, *text ? "\n" : "", *reason ? ": " : "", reason);
    }
    if (shm && *shm)
        text = arena_printf(g->memory, "%s%sshm: %s", text, *text ? "\n" : "", shm);
    if (*text == '\0')
        return;
    for (const char *at = text; at;) {
        const char *end = strchr(at, '\n');
        const char *line = arena_copy(g->memory, at, end ? (size_t)(end - at) : strlen(at));
        EMIT(&g->body, "//${blank}${line}\n", {"blank", *line ? " " : ""}, {"line", line});
        at = end ? end + 1 : NULL;
    }
}

static int range_compare(const void *a, const void *b)
{
    const proto_range *first = a;
    const proto_range *second = b;

    return (first->first > second->first) - (first->first < second->first);
}

void proto_reserved_emit(proto_gen *g, proto_range *ranges, uint32_t count, uint64_t most)
{
    buffer made = {0};

    if (count > 0)
        qsort(ranges, count, sizeof *ranges, range_compare);
    for (uint32_t i = 0; i < count;) {
        proto_range each = ranges[i++];
        for (; i < count && ranges[i].first - (ranges[i].first > 0) <= each.last; i++) {
            if (ranges[i].last > each.last)
                each.last = ranges[i].last;
        }
        if (each.first > most)
            continue;
        if (each.last > most)
            each.last = most;
        buffer_printf(&made, "%s%" PRIu64, made.length > 0 ? ", " : "", each.first);
        if (each.last > each.first)
            buffer_printf(&made, " to %" PRIu64, each.last);
    }
    if (made.length > 0)
        EMIT(&g->body, "reserved ${ranges};\n", {"ranges", made.data});
    buffer_deinit(&made);
}

void proto_reserved_names_emit(proto_gen *g, const char *const *names, uint32_t count)
{
    map seen = {0};
    buffer made = {0};

    for (uint32_t i = 0; i < count; i++) {
        if (names[i] && !map_add(&seen, g->memory, names[i], &seen))
            buffer_printf(&made, "%s\"%s\"", made.length > 0 ? ", " : "", names[i]);
    }
    if (made.length > 0)
        EMIT(&g->body, "reserved ${names};\n", {"names", made.data});
    buffer_deinit(&made);
}

/* What `reserved` says of a record: numbers of its own, those of its holes, and names. */
static void record_reserved_emit(proto_gen *g, const model_record *record)
{
    uint32_t most = record->reserved_count + record->hole_count;
    proto_range *ranges = arena_array(g->memory, most + 1, sizeof *ranges);
    const char **names = arena_array(g->memory, most + 1, sizeof *names);
    uint32_t range_count = 0;
    uint32_t name_count = 0;

    for (uint32_t i = 0; i < record->reserved_count; i++) {
        const model_reserved *each = &record->reserved[i];
        if (each->name)
            names[name_count++] = each->name;
        else if (each->last > 0)
            ranges[range_count++] = (proto_range){each->first > 0 ? each->first : 1, each->last};
    }
    for (uint32_t i = 0; i < record->hole_count; i++) {
        uint32_t number = proto_field_number(record->holes[i].before + i);
        ranges[range_count++] = (proto_range){number, number};
        names[name_count++] = record->holes[i].name;
    }
    proto_reserved_emit(g, ranges, range_count, PROTO_FIELD_MOST);
    proto_reserved_names_emit(g, names, name_count);
}

static bool tag_is_number(uint32_t tag)
{
    return tag <= PROTO_FIELD_MOST && (tag < PROTO_OWN_FIRST || tag > PROTO_OWN_LAST);
}

static bool tag_is_taken(const model_record *record, uint32_t tag)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].tag == tag)
            return true;
    }
    for (uint32_t i = 0; i < record->reserved_count; i++) {
        const model_reserved *each = &record->reserved[i];
        if (!each->name && each->first <= tag && tag <= each->last)
            return true;
    }
    return false;
}

/* Tags that are no numbers of fields get those that are left, from the last one down. */
static uint32_t *arm_numbers(proto_gen *g, const model_record *record)
{
    uint32_t *numbers = arena_array(g->memory, record->field_count + 1, sizeof *numbers);
    uint32_t next = PROTO_FIELD_MOST;

    for (uint32_t i = 0; i < record->field_count; i++) {
        numbers[i] = record->fields[i].tag;
        if (tag_is_number(numbers[i]))
            continue;
        while (tag_is_taken(record, next))
            next--;
        numbers[i] = next--;
    }
    return numbers;
}

static uint32_t *position_numbers(proto_gen *g, const model_record *record)
{
    uint32_t *numbers = arena_array(g->memory, record->field_count + 1, sizeof *numbers);
    uint32_t hole = 0;

    for (uint32_t i = 0; i < record->field_count; i++) {
        while (hole < record->hole_count && record->holes[hole].before <= i)
            hole++;
        numbers[i] = proto_field_number(i + hole);
    }
    return numbers;
}

/* What proto does not say of a field: all of it, or "". */
static const char *field_shm(proto_gen *g, const model_record *record, const model_field *field, const char *name,
                             uint32_t number)
{
    bool said = proto_type_is_said(field->type) && field->initial.kind == MODEL_VALUE_NONE &&
                *spell_notes(g->memory, &field->notes) == '\0' && strcmp(name, field->name) == 0 &&
                (record->kind != MODEL_RECORD_UNION || number == field->tag);

    return said ? "" : spell_field(g->memory, record, field);
}

void proto_record(proto_gen *g, const model_record *record, const char *name, const char *shm, const model_notes *notes)
{
    bool is_union = record->kind == MODEL_RECORD_UNION;
    const char **names = arena_array(g->memory, record->field_count + 1, sizeof *names);
    const char **types = arena_array(g->memory, record->field_count + 1, sizeof *types);
    const uint32_t *numbers = is_union ? arm_numbers(g, record) : position_numbers(g, record);
    proto_scope scope = {0};

    for (uint32_t i = 0; i < record->field_count; i++) {
        names[i] = proto_name_take_apart(&scope.apart, g->memory, record->fields[i].name);
        map_add(&scope.symbols, g->memory, names[i], &scope);
    }
    const char *oneof = is_union ? proto_name_take(&scope.symbols, g->memory, "body") : "";

    emit_gap(&g->body);
    proto_comment_emit(g, notes, arena_printf(g->memory, "%s; %s", shm, spell_bytes(g->memory, record->size)));
    EMIT(&g->body, "message ${name} {\n", {"name", name});
    emit_in(&g->body);
    if (notes && notes->deprecated)
        emit_text(&g->body, "option deprecated = true;\n");
    record_reserved_emit(g, record);
    for (uint32_t i = 0; i < record->field_count; i++)
        types[i] = proto_field_type(g, &scope, &record->fields[i], is_union);
    if (is_union) {
        EMIT(&g->body, "oneof ${oneof} {\n", {"oneof", oneof});
        emit_in(&g->body);
    }
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        proto_comment_emit(g, &field->notes, field_shm(g, record, field, names[i], numbers[i]));
        EMIT(&g->body, "${type} ${name} = ${number}${option};\n", {"type", types[i]}, {"name", names[i]},
             {"number", arena_printf(g->memory, "%" PRIu32, numbers[i])},
             {"option", field->notes.deprecated ? " [deprecated = true]" : ""});
    }
    if (is_union) {
        emit_out(&g->body);
        emit_text(&g->body, "}\n");
    }
    emit_out(&g->body);
    emit_text(&g->body, "}\n");
}

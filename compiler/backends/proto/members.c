/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.c - enums, the bits of flags, and errors: their codes as an enum, their payloads in a message.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/proto/gen.h"
#include "spell.h"

static void member_emit(proto_gen *g, const model_member *member, const char *name, const char *number)
{
    bool said = *spell_notes(g->memory, &member->notes) == '\0';

    proto_comment_emit(g, &member->notes, said ? "" : spell_member(g->memory, member));
    EMIT(&g->body, "${name} = ${number}${option};\n", {"name", name}, {"number", number},
         {"option", member->notes.deprecated ? " [deprecated = true]" : ""});
}

static uint32_t bit_number(uint64_t bit)
{
    uint32_t number = 0;

    while (bit > 1) {
        bit >>= 1;
        number++;
    }
    return number;
}

static const char *member_number(proto_gen *g, const model_members *members, const model_member *member)
{
    if (members->kind == MODEL_MEMBERS_FLAGS)
        return arena_printf(g->memory, "%" PRIu32, bit_number(member->magnitude));
    return spell_integer(g->memory, member->negative, member->magnitude);
}

/* Reserved values as positions of bits. */
static uint32_t positions_add(proto_range *ranges, uint32_t count, const model_reserved *reserved)
{
    for (uint32_t number = 0; number < 64; number++) {
        uint64_t bit = UINT64_C(1) << number;
        if (reserved->first <= bit && bit <= reserved->last)
            ranges[count++] = (proto_range){number, number};
    }
    return count;
}

static void members_reserved_emit(proto_gen *g, const model_members *members, const char *prefix)
{
    bool flags = members->kind == MODEL_MEMBERS_FLAGS;
    proto_range *ranges =
        arena_array(g->memory, (size_t)members->reserved_count * (flags ? 64 : 1) + 1, sizeof *ranges);
    const char **names = arena_array(g->memory, members->reserved_count + 1, sizeof *names);
    uint32_t range_count = 0;
    uint32_t name_count = 0;

    for (uint32_t i = 0; i < members->reserved_count; i++) {
        const model_reserved *each = &members->reserved[i];
        if (each->name)
            names[name_count++] =
                arena_printf(g->memory, "%s_%s", prefix, spell_upper(g->memory, spell_snake(g->memory, each->name)));
        else if (flags)
            range_count = positions_add(ranges, range_count, each);
        else
            ranges[range_count++] = (proto_range){each->first, each->last};
    }
    proto_reserved_emit(g, ranges, range_count, PROTO_ENUM_MOST);
    proto_reserved_names_emit(g, names, name_count);
}

/* The enum of members: proto wants the one that is 0 first. */
static void numbers_emit(proto_gen *g, const model_decl *decl, const model_notes *notes, const char *shm)
{
    const model_members *members = decl->as.members;
    const proto_decl_names *names = &g->names->decls[decl->id];
    uint32_t zero = members->count;

    for (uint32_t i = 0; i < members->count && zero == members->count; i++) {
        if (strcmp(member_number(g, members, &members->items[i]), "0") == 0)
            zero = i;
    }
    emit_gap(&g->body);
    proto_comment_emit(g, notes, shm);
    EMIT(&g->body, "enum ${name} {\n", {"name", names->numbers});
    emit_in(&g->body);
    if (decl->notes.deprecated)
        emit_text(&g->body, "option deprecated = true;\n");
    members_reserved_emit(g, members, spell_upper(g->memory, spell_snake(g->memory, names->numbers)));
    if (zero < members->count)
        member_emit(g, &members->items[zero], names->members[zero], "0");
    else
        EMIT(&g->body, "// shm: not in the schema\n${name} = 0;\n", {"name", names->zero});
    for (uint32_t i = 0; i < members->count; i++) {
        if (i != zero)
            member_emit(g, &members->items[i], names->members[i], member_number(g, members, &members->items[i]));
    }
    emit_out(&g->body);
    emit_text(&g->body, "}\n");
}

/* An enum that has numbers beyond proto's: a comment, and integers wherever it is used. */
static void wide_enum_emit(proto_gen *g, const model_decl *decl)
{
    const model_members *members = decl->as.members;

    emit_gap(&g->body);
    proto_comment_emit(g, &decl->notes,
                       arena_printf(g->memory,
                                    "%s; an integer, since proto's enums have 32 bits:", spell_decl(g->memory, decl)));
    for (uint32_t i = 0; i < members->count; i++) {
        proto_comment_emit(g, &members->items[i].notes, spell_member(g->memory, &members->items[i]));
    }
}

void proto_enum(proto_gen *g, const model_decl *decl)
{
    if (proto_enum_fits(decl->as.members))
        numbers_emit(g, decl, &decl->notes, spell_decl(g->memory, decl));
    else
        wide_enum_emit(g, decl);
}

void proto_flags(proto_gen *g, const model_decl *decl)
{
    numbers_emit(g, decl, &decl->notes,
                 arena_printf(g->memory, "%s; the numbers of its bits: 1 << %s", spell_decl(g->memory, decl),
                              g->names->decls[decl->id].members[0]));
}

/* The number of a payload's field: 1 is the code's, and some are proto's own. */
static uint32_t payload_number(uint64_t code)
{
    return proto_field_number((uint32_t)code);
}

/* Of codes that are reserved: the numbers of their payloads are, too. */
static void payloads_reserved_emit(proto_gen *g, const model_members *members)
{
    proto_range *ranges = arena_array(g->memory, members->reserved_count + 1, sizeof *ranges);
    uint32_t count = 0;

    for (uint32_t i = 0; i < members->reserved_count; i++) {
        const model_reserved *each = &members->reserved[i];
        if (each->name || each->first > INT16_MAX)
            continue;
        uint64_t last = each->last > INT16_MAX ? INT16_MAX : each->last;
        ranges[count++] = (proto_range){payload_number(each->first > 0 ? each->first : 1), payload_number(last)};
    }
    proto_reserved_emit(g, ranges, count, PROTO_FIELD_MOST);
}

static void payload_emit(proto_gen *g, const model_member *member, const char *name)
{
    proto_comment_emit(g, &(model_notes){.deprecated = member->notes.deprecated, .since = 1}, "");
    EMIT(&g->body, "${type} ${name} = ${number}${option};\n", {"type", proto_record_ref(g, member->payload)},
         {"name", name}, {"number", arena_printf(g->memory, "%" PRIu32, payload_number(member->magnitude))},
         {"option", member->notes.deprecated ? " [deprecated = true]" : ""});
}

void proto_errors(proto_gen *g, const model_decl *decl)
{
    const model_members *members = decl->as.members;
    const proto_decl_names *names = &g->names->decls[decl->id];
    map apart = {0};
    map symbols = {0};
    const char **fields = arena_array(g->memory, members->count + 1, sizeof *fields);
    bool any = false;

    numbers_emit(g, decl, NULL, arena_printf(g->memory, "the codes of errors %s", decl->name));

    proto_name_take_apart(&apart, g->memory, "code");
    map_add(&symbols, g->memory, "code", &symbols);
    for (uint32_t i = 0; i < members->count; i++) {
        if (!members->items[i].payload)
            continue;
        any = true;
        fields[i] = proto_name_take_apart(&apart, g->memory, spell_snake(g->memory, members->items[i].name));
        map_add(&symbols, g->memory, fields[i], &symbols);
    }
    emit_gap(&g->body);
    proto_comment_emit(g, &decl->notes, spell_decl(g->memory, decl));
    EMIT(&g->body, "message ${name} {\n", {"name", names->name});
    emit_in(&g->body);
    if (decl->notes.deprecated)
        emit_text(&g->body, "option deprecated = true;\n");
    payloads_reserved_emit(g, members);
    EMIT(&g->body, "${type} code = 1;\n", {"type", proto_ref(g, g->file, names->numbers)});
    if (any) {
        EMIT(&g->body, "oneof ${name} {\n", {"name", proto_name_take(&symbols, g->memory, "payload")});
        emit_in(&g->body);
        for (uint32_t i = 0; i < members->count; i++) {
            if (members->items[i].payload)
                payload_emit(g, &members->items[i], fields[i]);
        }
        emit_out(&g->body);
        emit_text(&g->body, "}\n");
    }
    emit_out(&g->body);
    emit_text(&g->body, "}\n");
}

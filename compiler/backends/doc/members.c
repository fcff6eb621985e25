/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.c - enums, flags and errors, a row for each member.
 */
#include <inttypes.h>

#include "backends/doc/gen.h"
#include "spell.h"

static const char *member_number(doc_gen *g, const model_members *members, const model_member *member)
{
    if (members->kind == MODEL_MEMBERS_FLAGS)
        return arena_printf(g->memory, "0x%" PRIX64, member->magnitude);
    return spell_integer(g->memory, member->negative, member->magnitude);
}

void doc_members(doc_gen *g, const model_members *members)
{
    bool errors = members->kind == MODEL_MEMBERS_ERRORS;

    if (!errors)
        buffer_printf(g->to, "\nA `%s`. %s\n", spell_kind(members->base),
                      members->strict                        ? "Strict: others are refused."
                      : members->kind == MODEL_MEMBERS_FLAGS ? "Other bits pass."
                                                             : "Other values pass.");
    buffer_printf(g->to, "\n| %s | name | %ssince | |\n|---:|---|%s---|---|\n",
                  errors                                 ? "code"
                  : members->kind == MODEL_MEMBERS_FLAGS ? "bit"
                                                         : "value",
                  errors ? "payload | " : "", errors ? "---|" : "");
    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        const char *number = member_number(g, members, member);
        const char *name = arena_printf(g->memory, "`%s`", member->name);
        const char *since = doc_since_cell(g, &member->notes);
        const char *text = doc_notes_cell(g, &member->notes);
        if (errors)
            DOC_ROW(g, number, name, member->payload ? doc_link(g, member->payload->decl) : "", since, text);
        else
            DOC_ROW(g, number, name, since, text);
    }
    doc_reserved(g, members->reserved, members->reserved_count);
}

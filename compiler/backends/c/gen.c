/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen.c - declaring names.
 */
#include "backends/c/gen.h"

#include <string.h>

const char *gen_scope(gen *g, const void *owner)
{
    return arena_printf(g->memory, "%p", owner);
}

const char *gen_member(gen *g, const char *scope, const char *name, span at, const char *kind, const char *written)
{
    name_origin origin = {at, arena_printf(g->memory, "%s '%s'", kind, written), written};

    return names_declare(g->known, scope, name, origin);
}

const char *gen_declare(gen *g, const char *name, span at, const char *kind, const char *written)
{
    return gen_member(g, "", name, at, kind, written);
}

const char *gen_compose(gen *g, const char *base, const char *suffix, span at, const char *what, const char *written)
{
    name_origin origin = {at, arena_printf(g->memory, "%s of %s", what, written), NULL};

    return names_declare(g->known, "", arena_printf(g->memory, "%s_%s", base, suffix), origin);
}

span gen_record_at(const model_record *record)
{
    return record->decl ? record->decl->at : record->service->methods[record->method].at;
}

const char *gen_record_title(gen *g, const model_record *record)
{
    static const char *const kinds[] = {
        [MODEL_RECORD_STRUCT] = "struct",
        [MODEL_RECORD_MESSAGE] = "message",
        [MODEL_RECORD_UNION] = "union",
    };

    if (record->role == MODEL_ROLE_NAMED)
        return arena_printf(g->memory, "%s '%s'", kinds[record->kind], record->decl->name);
    if (record->role == MODEL_ROLE_CHANNEL_ITEM)
        return arena_printf(g->memory, "the item of '%s'", record->decl->name);
    return arena_printf(g->memory, "the %s of method '%s'", name_role(record),
                        record->service->methods[record->method].name);
}

const char *gen_record_pointer(const model_record *record)
{
    return record->kind == MODEL_RECORD_MESSAGE ? "message" : "record";
}

const char *gen_deprecated(gen *g, const model_notes *notes)
{
    if (!notes->deprecated)
        return "";
    return arena_printf(g->memory, "SHMRPC_DEPRECATED(%s)\n",
                        c_literal_string(g->memory, notes->deprecated, strlen(notes->deprecated)));
}

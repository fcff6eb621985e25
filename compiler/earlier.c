/* SPDX-License-Identifier: Apache-2.0 */
/*
 * earlier.c - see earlier.h.
 *
 * What came later is left out of the tree, before any name is looked up: the passes that follow see yesterday's file. The
 * trees themselves are not changed; what differs is copied. The run before has found no mistake in them.
 */
#include "earlier.h"

#include <string.h>

/* Whether what has these notes was there; the annotations have been checked by the run before. */
static bool was_there(const ast_notes *notes, uint32_t version)
{
    for (uint32_t i = 0; i < notes->annotations.count; i++) {
        const ast_annotation *each = *VECTOR_AT(&notes->annotations, ast_annotation *, i);
        if (strcmp(each->name.text, "since") == 0)
            return (*VECTOR_AT(each->arguments, ast_argument *, 0))->value->integer <= version;
    }
    return true;
}

/* The notes of an entry of a body. */
static const ast_notes *entry_notes(ast_decl_kind kind, const void *entry)
{
    switch (kind) {
    case AST_ENUM:
    case AST_FLAGS:
    case AST_ERRORS: return ((const ast_member *)entry)->notes;
    case AST_STRUCT:
    case AST_MESSAGE:
    case AST_UNION: return ((const ast_field *)entry)->notes;
    case AST_SERVICE: return ((const ast_method *)entry)->notes;
    case AST_CONST:
    case AST_ALIAS:
    case AST_TOPIC:
    case AST_QUEUE: break;
    }
    return NULL;
}

static const ast_body *body_at(arena *memory, const ast_body *now, ast_decl_kind kind, uint32_t version);

static const ast_payload *payload_at(arena *memory, const ast_payload *now, uint32_t version)
{
    if (!now || !now->body)
        return now;
    ast_payload *then = arena_alloc(memory, sizeof(*then));
    *then = *now;
    then->body = body_at(memory, now->body, AST_MESSAGE, version);
    return then;
}

static const ast_method *method_at(arena *memory, const ast_method *now, uint32_t version)
{
    ast_method *then = arena_alloc(memory, sizeof(*then));
    *then = *now;
    then->request = payload_at(memory, now->request, version);
    then->reply = payload_at(memory, now->reply, version);
    return then;
}

static const ast_body *body_at(arena *memory, const ast_body *now, ast_decl_kind kind, uint32_t version)
{
    ast_body *then = arena_alloc(memory, sizeof(*then));
    then->entries = VECTOR_OF(void *);
    then->reserved = VECTOR_OF(ast_reserved *);
    for (uint32_t i = 0; i < now->entries.count; i++) {
        const void *entry = *VECTOR_AT(&now->entries, void *, i);
        if (was_there(entry_notes(kind, entry), version))
            vector_add_pointer(&then->entries, memory, kind == AST_SERVICE ? method_at(memory, entry, version) : entry);
    }
    /* Places stand in the order of versions, as fields do: what is before one of them was there before. */
    for (uint32_t i = 0; i < now->reserved.count; i++) {
        const ast_reserved *reserved = *VECTOR_AT(&now->reserved, ast_reserved *, i);
        if (was_there(reserved->notes, version))
            vector_add_pointer(&then->reserved, memory, reserved);
    }
    return then;
}

static const ast_file *file_at(arena *memory, const ast_file *now, uint32_t version)
{
    ast_file *then = arena_alloc(memory, sizeof(*then));
    *then = *now;
    then->decls = VECTOR_OF(ast_decl *);
    for (uint32_t i = 0; i < now->decls.count; i++) {
        const ast_decl *decl = *VECTOR_AT(&now->decls, ast_decl *, i);
        if (!was_there(decl->notes, version))
            continue;
        ast_decl *copy = arena_alloc(memory, sizeof(*copy));
        *copy = *decl;
        copy->payload = payload_at(memory, decl->payload, version);
        if (decl->body)
            copy->body = body_at(memory, decl->body, decl->kind, version);
        vector_add_pointer(&then->decls, memory, copy);
    }
    return then;
}

static unit *unit_new(const compile *run, const unit *now, uint32_t at_version)
{
    arena *memory = run->memory;
    unit *then = arena_alloc(memory, sizeof(*then));
    then->ast = at_version ? file_at(memory, now->ast, at_version) : now->ast;
    then->at_version = at_version;
    then->out = arena_alloc(memory, sizeof(*then->out));
    then->out->path = now->out->path;
    then->out->logical = now->out->logical;
    then->out->requested = now->out->requested;
    then->loading = now->loading;
    then->symbol_list = VECTOR_OF(symbol *);
    then->link_list = VECTOR_OF(import_link *);
    then->completed = VECTOR_OF(const model_decl *);
    return then;
}

/* The packages of requested files. Numbers the units, too. */
static void packages_find(const compile *run, map *packages)
{
    for (uint32_t i = 0; i < run->units.count; i++) {
        unit *each = *VECTOR_AT(&run->units, unit *, i);
        each->out->id = i;
        if (each->out->requested)
            map_add(packages, run->scratch, each->out->package, each);
    }
}

compile earlier_run(const compile *run, uint32_t version, diag *diagnostics)
{
    compile made = {.memory = run->memory,
                    .scratch = run->scratch,
                    .diagnostics = diagnostics,
                    .max_message = run->max_message};
    map packages = {0};
    made.units = VECTOR_OF(unit *);
    made.busy = VECTOR_OF(symbol *);
    packages_find(run, &packages);
    for (uint32_t i = 0; i < run->units.count; i++) {
        const unit *now = *VECTOR_AT(&run->units, unit *, i);
        bool concerned = map_find(&packages, now->out->package) != NULL;
        vector_add_pointer(&made.units, made.memory, unit_new(run, now, concerned ? version : 0));
    }
    for (uint32_t i = 0; i < run->units.count; i++) {
        const unit *now = *VECTOR_AT(&run->units, unit *, i);
        unit *then = *VECTOR_AT(&made.units, unit *, i);
        for (uint32_t j = 0; j < now->link_list.count; j++) {
            const import_link *old = *VECTOR_AT(&now->link_list, import_link *, j);
            import_link *link = arena_alloc(made.memory, sizeof(*link));
            *link = (import_link){.ast = old->ast, .target = *VECTOR_AT(&made.units, unit *, old->target->out->id)};
            vector_add_pointer(&then->link_list, made.memory, link);
        }
    }
    return made;
}

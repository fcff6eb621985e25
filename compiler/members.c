/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.c - see members.h.
 *
 * Members become known one after the other, so that a value may refer to those above it.
 */
#include "members.h"

#include <string.h>

#include <shmrpc/wire.h>

#include "annotate.h"
#include "constant.h"
#include "declare.h"
#include "fingerprint.h"
#include "layout.h"
#include "reserve.h"
#include "resolve.h"
#include "types.h"
#include "versions.h"

/* enum and flags: what stands behind the ':', else uint32. */
static const model_type *base_type(compile *run, const symbol *named)
{
    const ast_decl *ast = named->ast;
    if (!ast->type)
        return layout_scalar(MODEL_UINT32);
    const model_type *base = types_resolve(run, named->home, ast->type, TYPES_BASE, NULL);
    if (!base)
        return NULL;
    bool is_flags = ast->kind == AST_FLAGS;
    if (base->kind >= MODEL_UINT8 && base->kind <= MODEL_UINT64)
        return base;
    if (base->kind >= MODEL_INT8 && base->kind <= MODEL_INT64 && !is_flags)
        return base;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E311, ast->type->at, "%s cannot be the base of %s",
                                 types_name(run->memory, base), is_flags ? "flags" : "an enum");
    diag_note(entry, (span){0}, "it is %s", is_flags ? "an unsigned integer type" : "an integer type");
    return NULL;
}

static bool is_one_bit(const value *given)
{
    return !given->is.negative && given->is.magnitude && (given->is.magnitude & (given->is.magnitude - 1)) == 0;
}

/* The rules for one value by itself. */
static bool value_is_right(compile *run, const symbol *named, const ast_member *ast, const model_type *base,
                           const value *given)
{
    diag *diagnostics = run->diagnostics;
    span at = ast->value->at;
    if (given->is.kind != MODEL_VALUE_INT) {
        diag_add(diagnostics, DIAG_E301, at, "the value of '%s' is a whole number", ast->name.text);
        return false;
    }
    if (named->ast->kind == AST_ERRORS) {
        if (!given->is.negative && given->is.magnitude >= SHMRPC_ERROR_MIN && given->is.magnitude <= SHMRPC_ERROR_MAX)
            return true;
        diag_entry *entry = diag_add(diagnostics, DIAG_E505, at, "the value %s of the error '%s' is out of range",
                                     value_show(given, run->memory), ast->name.text);
        diag_note(entry, (span){0}, "errors are %d to %d; 0 is success, negative ones are the transport's",
                  SHMRPC_ERROR_MIN, SHMRPC_ERROR_MAX);
        return false;
    }
    if (named->ast->kind == AST_FLAGS && !is_one_bit(given)) {
        diag_entry *entry = diag_add(diagnostics, DIAG_E310, at, "the flag '%s' is %s, which is not one bit",
                                     ast->name.text, value_show(given, run->memory));
        diag_fix(entry, "give it a bit: '1 << N'; name a set of several with a const");
        return false;
    }
    if (base && !value_fits(given->is.negative, given->is.magnitude, base->kind)) {
        diag_entry *entry =
            diag_add(diagnostics, DIAG_E301, at, "%s does not fit into %s, the base of '%s'",
                     value_show(given, run->memory), types_scalar_name(base->kind), named->ast->name.text);
        diag_note(entry, (span){0}, "it holds %s", value_range(base->kind));
        return false;
    }
    return true;
}

/* Errors: the struct that travels with one. */
static bool payload_type(compile *run, const unit *from, const ast_ident *name, const model_record **ret)
{
    const char *rest;
    symbol *payload = resolve_name(run, from, *name, &rest);
    if (!payload)
        return false;
    if (rest || payload->ast->kind != AST_STRUCT) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E507, name->at, "'%s' is %s; the payload of an error is a struct",
                     name->text, rest ? "no struct" : ast_decl_described(payload->ast->kind));
        diag_note(entry, payload->ast->name.at, "'%s' is declared here", payload->ast->name.text);
        return false;
    }
    if (!declare_complete(run, payload, name->at))
        return false;
    resolve_use(run, payload, NULL, name->at);
    const model_record *record = payload->out->as.record;
    if (record->size > run->max_message) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E314, name->at, "the payload '%s' takes %u bytes, and a message ends at %u",
                     name->text, (unsigned)record->size, (unsigned)run->max_message);
        diag_note(entry, payload->ast->name.at, "it is declared here");
        return false;
    }
    *ret = record;
    return true;
}

/* Reports a value that was there before. `values` maps its text to the member that has it. */
static bool value_is_new(compile *run, map *values, model_member *member, span at)
{
    const char *key =
        arena_printf(run->memory, "%s%llu", member->negative ? "-" : "", (unsigned long long)member->magnitude);
    const model_member *first = map_add(values, run->scratch, key, member);
    if (!first)
        return true;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E309, at, "'%s' has the value of '%s', %s", member->name, first->name, key);
    diag_note(entry, first->at, "'%s' is here", first->name);
    return false;
}

static bool member_complete(compile *run, symbol *named, const ast_member *ast, const model_type *base, map *values,
                            model_member *member)
{
    annotate_result notes;
    bool deprecated_user = run->deprecated_user;
    run->deprecated_user = deprecated_user || resolve_deprecation(ast->notes);
    uint32_t since = run->since;
    annotate_read(run, ast->notes, ANNOTATE_MEMBER, &notes);
    versions_member(run, &notes, ast->name.text);
    member->name = ast->name.text;
    member->at = ast->name.at;
    member->notes = notes.notes;

    bool right = true;
    if (ast->payload && named->ast->kind == AST_ERRORS) {
        right = payload_type(run, named->home, ast->payload, &member->payload);
    } else if (ast->payload) {
        diag_add(run->diagnostics, DIAG_E507, ast->payload->at, "a member of %s has no payload",
                 ast_decl_described(named->ast->kind));
        right = false;
    }
    value given;
    if (constant_evaluate(run, named->home, ast->value, NULL, &given) &&
        value_is_right(run, named, ast, base, &given)) {
        member->negative = given.is.negative;
        member->magnitude = given.is.magnitude;
        right = value_is_new(run, values, member, ast->value->at) && right;
    } else {
        right = false;
    }
    run->deprecated_user = deprecated_user;
    run->since = since;
    return right;
}

/* Since it came. */
static bool has_zero(const model_members *members, uint32_t since)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (members->items[i].magnitude == 0 && members->items[i].notes.since <= since)
            return true;
    return false;
}

static void check_zero(compile *run, const symbol *named, const model_members *members)
{
    if (members->kind != MODEL_MEMBERS_ENUM || has_zero(members, run->since) || named->home->ast->broken)
        return;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E308, named->ast->name.at, "the enum '%s' has no member 0",
                                 named->ast->name.text);
    diag_note(entry, (span){0}, "0 is what a field reads as that nobody set");
    if (has_zero(members, UINT32_MAX))
        diag_fix(entry, "it had none at version %u: remove the @since from the one that it has", (unsigned)run->since);
    else
        diag_fix(entry, "add one, 'UNKNOWN = 0;' for instance");
}

/* E317 where all members came later than the whole. */
static bool has_first(compile *run, const model_members *members)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (members->items[i].notes.since <= run->since)
            return true;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E317, members->decl->at,
                 "'%s' is of version %u, and all its members came later", members->decl->name, (unsigned)run->since);
    diag_fix(entry, "give the whole an @since");
    return false;
}

static bool is_empty(compile *run, const symbol *named)
{
    if (named->ast->body->entries.count > 0)
        return false;
    if (!named->home->ast->broken)
        diag_add(run->diagnostics, DIAG_E317, named->ast->name.at, "%s has at least one member",
                 ast_decl_described(named->ast->kind));
    return true;
}

static reserve_place place_of(ast_decl_kind kind)
{
    return kind == AST_ENUM ? RESERVE_ENUM : kind == AST_FLAGS ? RESERVE_FLAGS : RESERVE_ERRORS;
}

/* What old programs know the members by. */
static void check_identities(compile *run, const model_members *members)
{
    map identities = {0};
    bool renamed = false;
    for (uint32_t i = 0; i < members->count; i++)
        renamed = renamed || members->items[i].notes.original;
    for (uint32_t i = 0; renamed && i < members->count; i++)
        versions_identity(run, &identities, NULL, &members->items[i].notes, members->items[i].name,
                          members->items[i].at);
}

bool members_complete(compile *run, symbol *named)
{
    const ast_decl *ast = named->ast;
    uint32_t count = ast->body->entries.count;
    model_members *members = arena_alloc(run->memory, sizeof(*members));
    model_member *items = arena_array(run->memory, count, sizeof(*items));
    map names = {0};
    map values = {0};
    reserve kept;

    members->kind = ast->kind == AST_ENUM    ? MODEL_MEMBERS_ENUM
                    : ast->kind == AST_FLAGS ? MODEL_MEMBERS_FLAGS
                                             : MODEL_MEMBERS_ERRORS;
    members->decl = named->out;
    members->strict = ast->strict;
    members->items = items;
    members->count = count;
    named->out->as.members = members;

    const model_type *base = ast->kind == AST_ERRORS ? NULL : base_type(run, named);
    bool right = (base || ast->kind == AST_ERRORS) && !is_empty(run, named);
    right = reserve_read(run, ast->body, place_of(ast->kind), base ? base->kind : MODEL_UINT64, &kept) && right;
    members->reserved = kept.items;
    members->reserved_count = kept.count;
    for (uint32_t i = 0; i < count; i++) {
        const ast_member *each = *VECTOR_AT(&ast->body->entries, ast_member *, i);
        resolve_enter(run, &names, &each->name, "a member");
        items[i].id = i;
        bool known = member_complete(run, named, each, base, &values, &items[i]);
        right = reserve_allows_name(run, &kept, &each->name) && right;
        if (known && !items[i].negative)
            right = reserve_allows_number(run, &kept, &each->name, items[i].magnitude, each->value->at) && right;
        right = right && known;
        if (known)
            map_add(&named->members, run->scratch, items[i].name, &items[i]);
        if (items[i].payload && items[i].payload->size > members->payload_size)
            members->payload_size = items[i].payload->size;
    }
    check_identities(run, members);
    if (!right || !has_first(run, members))
        return false;
    check_zero(run, named, members);
    if (ast->kind == AST_ERRORS) {
        members->fingerprint = fingerprint_errors(members, UINT32_MAX);
        return true;
    }
    members->base = base->kind;
    model_type *type = arena_alloc(run->memory, sizeof(*type));
    type->kind = ast->kind == AST_ENUM ? MODEL_ENUM : MODEL_FLAGS;
    type->size = base->size;
    type->align = base->align;
    type->members = members;
    named->type = type;
    return true;
}

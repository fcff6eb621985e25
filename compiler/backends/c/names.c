/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - composing and registering.
 */
#include "backends/c/names.h"

#include <string.h>

#include "backends/c/library.h"
#include "backends/c/reserved.h"
#include "spell.h"
#include "support/map.h"

const char *name_upper(arena *memory, const char *name)
{
    return spell_upper(memory, name);
}

static const char *name_own(arena *memory, const char *name, const model_notes *notes)
{
    return notes->rename ? notes->rename : spell_snake(memory, name);
}

const char *name_package(arena *memory, const model_file *file)
{
    if (file->c_prefix)
        return file->c_prefix;
    char *made = arena_copy(memory, file->package, strlen(file->package));
    for (char *at = made; *at; at++) {
        if (*at == '.')
            *at = '_';
    }
    return spell_snake(memory, made);
}

const char *name_decl(arena *memory, const model_decl *decl)
{
    return arena_printf(memory, "%s_%s", name_package(memory, decl->file), name_own(memory, decl->name, &decl->notes));
}

const char *name_service(arena *memory, const model_service *service)
{
    return service->c_prefix ? service->c_prefix : name_decl(memory, service->decl);
}

const char *name_method(arena *memory, const model_method *method)
{
    return name_own(memory, method->name, &method->notes);
}

/* Whether the items of both streams of a method are inline bodies, so that their names must tell them apart. */
static bool has_two_items(const model_record *record)
{
    const model_method *method = &record->service->methods[record->method];

    return method->request && method->request->role == MODEL_ROLE_REQUEST_ITEM && method->reply &&
           method->reply->role == MODEL_ROLE_REPLY_ITEM;
}

const char *name_role(const model_record *record)
{
    switch (record->role) {
    case MODEL_ROLE_NAMED: return "";
    case MODEL_ROLE_REQUEST: return "request";
    case MODEL_ROLE_REPLY: return "reply";
    case MODEL_ROLE_REQUEST_ITEM: return has_two_items(record) ? "request_item" : "item";
    case MODEL_ROLE_REPLY_ITEM: return has_two_items(record) ? "reply_item" : "item";
    case MODEL_ROLE_EVENT: return "event";
    case MODEL_ROLE_CHANNEL_ITEM: return "item";
    }
    return "";
}

const char *name_record(arena *memory, const model_record *record)
{
    if (record->role == MODEL_ROLE_NAMED)
        return name_decl(memory, record->decl);
    if (record->role == MODEL_ROLE_CHANNEL_ITEM)
        return arena_printf(memory, "%s_%s", name_decl(memory, record->decl), name_role(record));
    return arena_printf(memory, "%s_%s_%s", name_service(memory, record->service),
                        name_method(memory, &record->service->methods[record->method]), name_role(record));
}

const char *name_field(arena *memory, const model_field *field)
{
    return name_own(memory, field->name, &field->notes);
}

const char *name_member(arena *memory, const model_member *member)
{
    return name_own(memory, member->name, &member->notes);
}

const char *name_member_macro(arena *memory, const model_members *members, const model_member *member)
{
    return name_upper(memory,
                      arena_printf(memory, "%s_%s", name_decl(memory, members->decl), name_member(memory, member)));
}

#define HASHES_SMALLEST 1024

struct names {
    arena *memory;
    diag *diagnostics; /* NULL: a sketch */
    map words;         /* reserved ones */
    map library;       /* those that the C library exports: refused where they would be a name of the whole file's */
    map known;         /* "scope.name" -> name_origin; not of a sketch */
    map reported; /* "place place" -> anything: two things that collide once do so with all that is derived from them */
    arena *hash_memory;
    uint64_t *hashes; /* of a sketch: an open table of what was declared, 0: free */
    size_t hash_count;
    size_t hash_capacity; /* a power of two */
    bool suspicious;
    bool shared_prefix;
};

names *names_new(diag *diagnostics)
{
    arena *memory = arena_new();
    names *known = arena_alloc(memory, sizeof *known);

    known->memory = memory;
    known->diagnostics = diagnostics;
    reserved_enter(&known->words, memory);
    library_enter(&known->library, memory);
    known->hash_capacity = HASHES_SMALLEST;
    known->hash_memory = arena_new();
    known->hashes = arena_array(known->hash_memory, known->hash_capacity, sizeof *known->hashes);
    return known;
}

names *names_free(names *known)
{
    if (known) {
        arena_free(known->hash_memory);
        arena_free(known->memory);
    }
    return NULL;
}

bool names_are_suspicious(const names *known)
{
    return known->suspicious;
}

/* FNV-1a (Fowler, Noll, Vo), finished so that its low bits are as good as the others; never 0. */
static uint64_t hash_of(const char *scope, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *each = scope; *each; each++)
        hash = (hash ^ (unsigned char)*each) * UINT64_C(0x00000100000001b3);
    hash = (hash ^ '.') * UINT64_C(0x00000100000001b3);
    for (const char *each = name; *each; each++)
        hash = (hash ^ (unsigned char)*each) * UINT64_C(0x00000100000001b3);
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

/* Returns false where it was there. */
static bool hash_enter(uint64_t *hashes, size_t capacity, uint64_t hash)
{
    for (size_t at = hash & (capacity - 1);; at = (at + 1) & (capacity - 1)) {
        if (hashes[at] == hash)
            return false;
        if (hashes[at] == 0) {
            hashes[at] = hash;
            return true;
        }
    }
}

static void hashes_grow(names *known)
{
    size_t capacity = known->hash_capacity * 2;
    arena *memory = arena_new();
    uint64_t *larger = arena_array(memory, capacity, sizeof *larger);

    for (size_t i = 0; i < known->hash_capacity; i++) {
        if (known->hashes[i])
            (void)hash_enter(larger, capacity, known->hashes[i]);
    }
    arena_free(known->hash_memory);
    known->hash_memory = memory;
    known->hashes = larger;
    known->hash_capacity = capacity;
}

/* What a name is taken for by C, C++ or a library; NULL: it is not. */
static const char *taken_for(const names *known, const char *scope, const char *name)
{
    const char *const *owner = map_find(&known->words, name);

    if (owner)
        return *owner;
    return !*scope && map_find(&known->library, name) ? "a name that the C library exports" : NULL;
}

/* Whether two names are alike is all that a sketch is to tell, and a hash tells it but for one case in 2^64. */
static void sketch(names *known, const char *scope, const char *name, const name_origin *origin)
{
    if (known->suspicious)
        return;
    if (known->hash_count >= known->hash_capacity / 4 * 3)
        hashes_grow(known);
    known->hash_count++;
    known->suspicious = taken_for(known, scope, name) || (origin->written && !name_is_free(name)) ||
                        !hash_enter(known->hashes, known->hash_capacity, hash_of(scope, name));
}

bool name_is_free(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[0] != '_' && name[length - 1] != '_' && !strstr(name, "__");
}

void name_refuse(diag *diagnostics, const char *name, span at)
{
    diag_entry *entry = diag_add(diagnostics, DIAG_E210, at, "'%s' cannot be used as a name in C", name);

    diag_note(entry, (span){0},
              "'_' at the beginning and '__' belong to the language, '_' at the end to generated code");
    diag_fix(entry, "give another name, or prefix, for C: @c_name(\"...\"), @c_prefix(\"...\")");
}

void names_share_prefix(names *known)
{
    known->shared_prefix = true;
}

static void collision_report(names *known, const char *name, const name_origin *earlier, const name_origin *later)
{
    diag_entry *entry;
    const char *pair = arena_printf(known->memory, "%p:%u %p:%u", (const void *)earlier->at.file, earlier->at.start,
                                    (const void *)later->at.file, later->at.start);

    if (known->shared_prefix && earlier->at.file != later->at.file)
        return;
    if (map_add(&known->reported, known->memory, pair, known))
        return;
    if (earlier->written && later->written) {
        entry = diag_add(known->diagnostics, DIAG_E202, later->at, "'%s' and '%s' are both '%s' in C", later->written,
                         earlier->written, name);
        diag_note(entry, earlier->at, "'%s' is here", earlier->written);
    } else {
        entry = diag_add(known->diagnostics, DIAG_E204, later->at, "'%s' in C would be both %s and %s", name,
                         later->what, earlier->what);
        diag_note(entry, earlier->at, "%s comes from here", earlier->what);
    }
    diag_fix(entry, "give one of them another name in C: @c_name(\"...\")");
}

const char *names_declare(names *known, const char *scope, const char *name, name_origin origin)
{
    if (!known)
        return name;

    if (!known->diagnostics) {
        sketch(known, scope, name, &origin);
        return name;
    }
    const char *owner = taken_for(known, scope, name);
    if (owner) {
        diag_entry *entry = diag_add(known->diagnostics, DIAG_E203, origin.at, "%s would be '%s' in C, which is %s",
                                     origin.what, name, owner);
        if (*scope)
            diag_fix(entry, "give it another name in C: @c_name(\"%s_value\")", name);
        else
            diag_fix(entry, "give it another name in C: @c_name(\"...\")");
        return name;
    }

    if (origin.written && !name_is_free(name)) {
        name_refuse(known->diagnostics, name, origin.at);
        return name;
    }

    const char *key = arena_printf(known->memory, "%s.%s", scope, name);
    name_origin *kept = arena_alloc(known->memory, sizeof *kept);
    *kept = (name_origin){origin.at, arena_copy(known->memory, origin.what, strlen(origin.what)), origin.written};
    const name_origin *earlier = map_add(&known->known, known->memory, key, kept);
    if (earlier)
        collision_report(known, name, earlier, kept);
    return name;
}

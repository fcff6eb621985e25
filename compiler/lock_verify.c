/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_verify.c - what has become of what is locked.
 *
 * Bytes are judged by fingerprints. Where one differs, the fields are asked for the reason, and where it lies in
 * another type, that type tells it: types are looked at after those that they need, and a record or method which holds
 * something that was told of is not told of again.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lock_walk.h"

static const char *address(const lock_verifier *v, const void *of)
{
    return arena_printf(v->memory, "%p", of);
}

bool lock_is_told(const lock_verifier *v, const void *of)
{
    return of && map_find(v->told, address(v, of));
}

void lock_tell(lock_verifier *v, const void *of)
{
    map_add(v->told, v->memory, address(v, of), v);
}

void lock_note(diag_entry *entry, const lock_fact *old)
{
    diag_note(entry, old->at, "the lock has '%s'", old->line);
}

static const lock_fact *type_fact(const lock_verifier *v, const lock_facts *in, const char *name)
{
    return lock_facts_find(in, arena_printf(v->memory, "type %s", name));
}

const char *lock_identity(const char *name, const model_notes *notes)
{
    return notes->original ? notes->original : name;
}

bool lock_counts(const lock_verifier *v, const lock_fact *old)
{
    return old->version <= v->newest;
}

static const char *content_key(const lock_verifier *v, const lock_facts *in, const lock_fact *fact)
{
    return arena_printf(v->memory, "%p %d %s %" PRIu32 " %s%" PRIu64 " %s", (const void *)in, (int)fact->kind,
                        fact->owner, fact->version, fact->negative ? "-" : "", fact->number, fact->rest);
}

/* Of what one side alone has, what the other side alone has instead: alike but for the name. NULL: nothing. */
static const lock_fact *other_name(const lock_verifier *v, const lock_fact *fact, const lock_facts *has,
                                   const lock_facts *lacks)
{
    const char *whole = arena_printf(v->memory, "%p %d %s", (const void *)has, (int)fact->kind, fact->owner);
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(has, v->memory, fact->kind, fact->owner, &count);

    if (!map_find(v->alike, whole)) {
        map_add(v->alike, v->memory, whole, v->alike);
        for (uint32_t i = 0; i < count; i++)
            if (!lock_facts_find(lacks, facts[i]->key))
                map_add(v->alike, v->memory, content_key(v, has, facts[i]), facts[i]);
    }
    return map_find(v->alike, content_key(v, has, fact));
}

/* What to do about a member that is gone. */
static void fix_gone(diag_entry *entry, const lock_verifier *v, const lock_fact *old)
{
    const lock_fact *now = other_name(v, old, v->new, v->old);

    if (now)
        diag_fix(entry, "put it back; if it is '%s' now: @renamed_from(\"%s\")", now->member, old->member);
    else
        diag_fix(entry, "put it back; @deprecated tells those who use it");
}

bool lock_names_gone(const lock_verifier *v, const lock_fact *old)
{
    for (const char *at = old->rest; *at;) {
        size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");
        if (length > 0 && map_find(&v->gone, arena_copy(v->memory, at, length)))
            return true;
        at += length > 0 ? length : 1;
    }
    return false;
}

/* An earlier version by itself lacks the values that came after it, and it may be theirs that are missing. */
bool lock_same_strict(const lock_verifier *v, const lock_fact *old, const lock_fact *now)
{
    return v->newest < v->locked || old->strict == now->strict;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

/* Whether two types differ in numbers alone that do not belong to a word, such as the 64 of string<64>. */
static bool differ_in_capacity(const char *a, const char *b)
{
    char before = ' ';

    while (*a && *b) {
        bool number = isdigit((unsigned char)*a) && isdigit((unsigned char)*b) && !isalnum((unsigned char)before);
        if (number) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
            before = '0';
        } else if (*a != *b) {
            return false;
        } else {
            before = *a++;
            b++;
        }
    }
    return *a == *b;
}

static bool type_is_told(const lock_verifier *v, const model_type *type)
{
    if (type->element)
        return type_is_told(v, type->element);
    return lock_is_told(v, type->members) || lock_is_told(v, type->record);
}

static bool part_is_told(const lock_verifier *v, const model_record *record)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (type_is_told(v, record->fields[i].type))
            return true;
    return false;
}

bool lock_record_is_told(const lock_verifier *v, const model_record *record)
{
    return record && (lock_is_told(v, record) || part_is_told(v, record));
}

/* What a record that may not change can do. */
static void fix_record(diag_entry *entry, const lock_verifier *v, const model_record *record, bool addition)
{
    const char *word = record->kind == MODEL_RECORD_UNION ? "union" : "struct";

    if (record->kind != MODEL_RECORD_MESSAGE && !record->fixed_size)
        diag_fix(entry, "a %s without @size is frozen: leave it as it was, and make another one", word);
    else if (addition)
        diag_fix(entry, "give it @since(%" PRIu32 "), and the package @version(%" PRIu32 ")", v->locked + 1,
                 v->locked + 1);
    else
        diag_fix(entry, "leave it as it was, and add another %s", record->kind == MODEL_RECORD_UNION ? "arm" : "field");
}

static diag_entry *moved_told(const lock_verifier *v, const lock_fact *old, const lock_fact *new)
{
    diag_entry *entry = diag_add(v->diagnostics, DIAG_E407, new->at,
                                 "'%s' comes with version %" PRIu32 ", and with version %" PRIu32 " in the lock",
                                 *old->member ? old->member : old->name, new->version, old->version);

    diag_fix(entry, "leave its version as it was");
    return entry;
}

static bool field_told(lock_verifier *v, const model_record *record, const lock_fact *old, const lock_fact *new,
                       span whole)
{
    const char *word = old->kind == LOCK_ARM ? "arm" : "field";
    diag_entry *entry;

    if (!new) {
        entry = diag_add(v->diagnostics, DIAG_E408, whole, "the %s '%s' is locked, and gone", word, old->name);
        fix_gone(entry, v, old);
    } else if (strcmp(old->rest, new->rest) != 0 && lock_names_gone(v, old)) {
        return true;
    } else if (strcmp(old->rest, new->rest) != 0 && differ_in_capacity(old->rest, new->rest)) {
        entry =
            diag_add(v->diagnostics, DIAG_E409, new->at, "'%s' is %s, and %s in version %" PRIu32 ", which is locked",
                     old->member, new->rest, old->rest, old->version);
        fix_record(entry, v, record, false);
    } else if (strcmp(old->rest, new->rest) != 0) {
        entry =
            diag_add(v->diagnostics, DIAG_E407, new->at, "'%s' is %s, and %s in version %" PRIu32 ", which is locked",
                     old->member, new->rest, old->rest, old->version);
        fix_record(entry, v, record, false);
    } else if (old->version != new->version) {
        entry = moved_told(v, old, new);
    } else if (old->kind == LOCK_ARM && old->number != new->number) {
        entry =
            diag_add(v->diagnostics, DIAG_E407, new->at, "'%s' has the tag %" PRIu64 ", and %" PRIu64 " in the lock",
                     old->member, new->number, old->number);
    } else {
        return false;
    }
    lock_note(entry, old);
    return true;
}

/* Of the fields in the lock; *ret_moved: the first that only lies elsewhere, if any. */
static bool fields_told(lock_verifier *v, const model_record *record, lock_kind kind, const char *name, span whole,
                        const lock_fact **ret_moved)
{
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, kind, name, &count);
    bool told = false;

    for (uint32_t i = 0; i < count; i++) {
        const lock_fact *old = facts[i];
        const lock_fact *new = lock_facts_find(v->new, old->key);
        if (!lock_counts(v, old))
            continue;
        if (field_told(v, record, old, new, whole))
            told = true;
        else if (old->number != new->number && (!*ret_moved || old->number < (*ret_moved)->number))
            *ret_moved = old;
    }
    return told;
}

/* Of fields that the lock does not have, and would have to. */
static bool additions_told(lock_verifier *v, const model_record *record, lock_kind kind, const char *name,
                           const lock_fact *locked)
{
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->new, v->memory, kind, name, &count);
    bool told = false;

    for (uint32_t i = 0; i < count; i++) {
        if (facts[i]->version > v->locked || lock_facts_find(v->old, facts[i]->key) ||
            other_name(v, facts[i], v->old, v->new))
            continue;
        diag_entry *entry = diag_add(v->diagnostics, DIAG_E407, facts[i]->at,
                                     "the %s '%s' was added to version %" PRIu32 ", which is locked",
                                     kind == LOCK_ARM ? "arm" : "field", facts[i]->member, facts[i]->version);
        lock_note(entry, locked);
        fix_record(entry, v, record, true);
        told = true;
    }
    return told;
}

static void layout_told(lock_verifier *v, const char *name, span whole, const lock_fact *old, const lock_fact *new,
                        const lock_fact *moved)
{
    diag_entry *entry;

    if (moved) {
        const lock_fact *now = lock_facts_find(v->new, moved->key);
        entry = diag_add(v->diagnostics, DIAG_E407, now->at,
                         "'%s' lies at %" PRIu64 ", and at %" PRIu64 " in version %" PRIu32 ", which is locked",
                         moved->member, now->number, moved->number, old->version);
        lock_note(entry, moved);
        return;
    }
    if (new &&new->number == old->number &&new->fingerprint == old->fingerprint)
        entry = diag_add(v->diagnostics, DIAG_E407, whole,
                         "what is strict in version %" PRIu32 " of '%s' takes other values than in the lock",
                         old->version, name);
    else if (new)
        entry = diag_add(v->diagnostics, DIAG_E407, whole,
                         "version %" PRIu32 " of '%s' is locked with %" PRIu64 " bytes and the fingerprint %016" PRIx64
                         "; it is %" PRIu64 " bytes, %016" PRIx64,
                         old->version, name, old->number, old->fingerprint, new->number, new->fingerprint);
    else
        entry = diag_add(v->diagnostics, DIAG_E407, whole, "version %" PRIu32 " of '%s' is locked, and there is none",
                         old->version, name);
    lock_note(entry, old);
}

/* The first version in which a record is not what the lock says; NULL: none. */
static const lock_fact *version_broken(const lock_verifier *v, const char *name)
{
    uint32_t count;
    const lock_fact *first = NULL;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, LOCK_VERSION, name, &count);

    for (uint32_t i = 0; i < count; i++) {
        const lock_fact *now = lock_facts_find(v->new, facts[i]->key);
        bool same = now && now->number == facts[i]->number && now->fingerprint == facts[i]->fingerprint &&
                    lock_same_strict(v, facts[i], now);
        if (lock_counts(v, facts[i]) && !same && (!first || facts[i]->version < first->version))
            first = facts[i];
    }
    return first;
}

void lock_record_check(lock_verifier *v, const model_record *record, span whole)
{
    const char *name = lock_record_name(v->memory, record);
    lock_kind kind = record->kind == MODEL_RECORD_UNION ? LOCK_ARM : LOCK_FIELD;
    uint32_t count;
    lock_fact *const *versions = lock_facts_of(v->old, v->memory, LOCK_VERSION, name, &count);
    const lock_fact *moved = NULL;

    if (count == 0)
        return;
    const lock_fact *broken = version_broken(v, name);
    bool told = additions_told(v, record, kind, name, versions[0]);
    if (broken) {
        told = fields_told(v, record, kind, name, whole, &moved) || told;
        if (!told && !lock_record_is_told(v, record))
            layout_told(v, name, whole, broken, lock_facts_find(v->new, broken->key), moved);
    }
    if (told || broken)
        lock_tell(v, record);
}

/* ---- enums, flags, unions: values ------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Whether a declaration was strict when it was locked, and still is. */
static const lock_fact *still_strict(const lock_verifier *v, const char *name)
{
    const lock_fact *old = type_fact(v, v->old, name);
    const lock_fact *new = type_fact(v, v->new, name);

    return old && new &&ends_with(old->rest, " strict") && ends_with(new->rest, " strict") ? old : NULL;
}

/* `of`: what those who hold it look for. */
static void strict_gains(lock_verifier *v, lock_kind kind, const char *name, const void *of)
{
    const lock_fact *strict = still_strict(v, name);
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->new, v->memory, kind, name, &count);

    for (uint32_t i = 0; strict && i < count; i++) {
        if (lock_facts_find(v->old, facts[i]->key) || other_name(v, facts[i], v->old, v->new))
            continue; /* renamed: told of what is gone */
        if (kind == LOCK_ARM && facts[i]->version <= v->locked)
            continue; /* told as an addition to a version that is locked */
        diag_entry *entry =
            diag_add(v->diagnostics, DIAG_E411, facts[i]->at,
                     "'%s' is new in '%s', which is strict and locked: processes that are out refuse it",
                     facts[i]->member, name);
        lock_note(entry, strict);
        diag_fix(entry, "leave the type as it is, and make another one for what is new");
        lock_tell(v, of);
    }
}

static bool is_reserved(const model_reserved *reserved, uint32_t count, const char *name, uint64_t number)
{
    for (uint32_t i = 0; i < count; i++)
        if (reserved[i].name ? name && strcmp(reserved[i].name, name) == 0
                             : !name && number >= reserved[i].first && number <= reserved[i].last)
            return true;
    return false;
}

/* A member that is gone is no loss where unknown values pass and nothing can take its place. */
static bool may_go(const model_members *members, const lock_fact *old)
{
    return members->kind != MODEL_MEMBERS_ERRORS && !members->strict && !old->negative &&
           is_reserved(members->reserved, members->reserved_count, NULL, old->number);
}

static bool member_told(lock_verifier *v, const model_members *members, const lock_fact *old, const lock_fact *new)
{
    const char *word = members->kind == MODEL_MEMBERS_ERRORS ? "error" : "member";
    diag_entry *entry;

    if (!new &&may_go(members, old))
        return false;
    if (!new) {
        entry =
            diag_add(v->diagnostics, DIAG_E408, members->decl->at, "the %s '%s' is locked, and gone", word, old->name);
        fix_gone(entry, v, old);
    } else if (old->number != new->number || old->negative != new->negative) {
        entry = diag_add(v->diagnostics, DIAG_E407, new->at, "'%s' is %s%" PRIu64 ", and %s%" PRIu64 " in the lock",
                         old->member, new->negative ? "-" : "", new->number, old->negative ? "-" : "", old->number);
        diag_fix(entry, "leave it as it was");
    } else if (old->kind == LOCK_ERROR && old->version != new->version) {
        entry = moved_told(v, old, new);
    } else if (strcmp(old->rest, new->rest) != 0 && lock_names_gone(v, old)) {
        return true;
    } else if (strcmp(old->rest, new->rest) != 0) {
        entry = diag_add(v->diagnostics, DIAG_E407, new->at, "the payload of '%s' is %s, and %s in the lock",
                         old->member, new->rest, old->rest);
        diag_fix(entry, "leave it as it was, and add another error");
    } else {
        return false;
    }
    lock_note(entry, old);
    return true;
}

static void members_check(lock_verifier *v, const model_members *members)
{
    const char *name = lock_identity(members->decl->name, &members->decl->notes);
    lock_kind kind = members->kind == MODEL_MEMBERS_ERRORS ? LOCK_ERROR : LOCK_MEMBER;
    const lock_fact *type = type_fact(v, v->old, name);
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, kind, name, &count);

    if (!type)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (lock_counts(v, facts[i]) && member_told(v, members, facts[i], lock_facts_find(v->new, facts[i]->key)))
            lock_tell(v, members);
    if (kind == LOCK_MEMBER) {
        strict_gains(v, kind, name, members);
        return;
    }
    facts = lock_facts_of(v->new, v->memory, kind, name, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (facts[i]->version > v->locked || lock_facts_find(v->old, facts[i]->key) ||
            other_name(v, facts[i], v->old, v->new))
            continue;
        diag_entry *entry = diag_add(v->diagnostics, DIAG_E407, facts[i]->at,
                                     "the error '%s' was added to version %" PRIu32 ", which is locked",
                                     facts[i]->member, facts[i]->version);
        lock_note(entry, type);
        diag_fix(entry, "give it @since(%" PRIu32 "), and the package @version(%" PRIu32 ")", v->locked + 1,
                 v->locked + 1);
        lock_tell(v, members);
    }
}

/* ---- a file ----------------------------------------------------------------------------------------------------- */

/* Whether each number of a range is within some range that is reserved. */
static bool range_is_kept(const model_reserved *reserved, uint32_t count, uint64_t first, uint64_t last)
{
    for (;;) {
        const model_reserved *around = NULL;
        for (uint32_t i = 0; i < count && !around; i++)
            if (!reserved[i].name && first >= reserved[i].first && first <= reserved[i].last)
                around = &reserved[i];
        if (!around || around->last >= last)
            return around != NULL;
        first = around->last + 1;
    }
}

static void reserved_check(lock_verifier *v, const char *name, const model_reserved *reserved, uint32_t count,
                           span whole)
{
    uint32_t locked;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, LOCK_RESERVED, name, &locked);

    for (uint32_t i = 0; i < locked; i++) {
        const char *what = facts[i]->rest;
        bool kept;
        if (*what == '"') {
            kept = is_reserved(reserved, count, arena_copy(v->memory, what + 1, strcspn(what + 1, "\"")), 0);
        } else {
            char *end;
            uint64_t first = strtoull(what, &end, 10);
            uint64_t last = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10) : first;
            kept = range_is_kept(reserved, count, first, last);
        }
        if (kept)
            continue;
        diag_entry *entry =
            diag_add(v->diagnostics, DIAG_E408, whole, "%s is reserved in the lock, and no longer in '%s'", what, name);
        lock_note(entry, facts[i]);
        diag_fix(entry, "put it back: reserved %s;", what);
    }
}

/* What those who hold it look for. */
static const void *told_as(const model_decl *decl)
{
    bool members = decl->kind == MODEL_DECL_ENUM || decl->kind == MODEL_DECL_FLAGS || decl->kind == MODEL_DECL_ERRORS;

    return members ? (const void *)decl->as.members : (const void *)decl->as.record;
}

static void decl_check(lock_verifier *v, const model_decl *decl)
{
    const char *name = lock_identity(decl->name, &decl->notes);
    const lock_fact *old = type_fact(v, v->old, name);
    const lock_fact *new = type_fact(v, v->new, name);

    if (!old || !new)
        return;
    if (strcmp(old->rest, new->rest) != 0) {
        diag_entry *entry = diag_add(v->diagnostics, DIAG_E407, decl->at, "'%s' is '%s', and '%s' in the lock",
                                     decl->name, new->rest, old->rest);
        lock_note(entry, old);
        diag_fix(entry, "leave it as it was");
        lock_tell(v, told_as(decl));
        if (strcspn(old->rest, " ") != strcspn(new->rest, " ") ||
            strncmp(old->rest, new->rest, strcspn(old->rest, " ")) != 0)
            return; /* another kind: its members are others, too */
    } else if (old->version != new->version && decl->kind != MODEL_DECL_ENUM && decl->kind != MODEL_DECL_FLAGS) {
        lock_note(moved_told(v, old, new), old);
        lock_tell(v, told_as(decl));
        return; /* and with it all that is in it */
    }
    switch (decl->kind) {
    case MODEL_DECL_CONST:
    case MODEL_DECL_ALIAS: break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_ERRORS:
        members_check(v, decl->as.members);
        reserved_check(v, name, decl->as.members->reserved, decl->as.members->reserved_count, decl->at);
        break;
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION:
        strict_gains(v, LOCK_ARM, name, decl->as.record);
        lock_record_check(v, decl->as.record, decl->at);
        reserved_check(v, name, decl->as.record->reserved, decl->as.record->reserved_count, decl->at);
        break;
    case MODEL_DECL_SERVICE:
        lock_service_check(v, decl->as.service);
        reserved_check(v, name, decl->as.service->reserved, decl->as.service->reserved_count, decl->at);
        break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: lock_channel_check(v, decl->as.channel); break;
    }
}

static void gone_check(lock_verifier *v)
{
    for (uint32_t i = 0; i < v->old->list.count; i++) {
        const lock_fact *old = *VECTOR_AT(&v->old->list, lock_fact *, i);
        if (old->kind != LOCK_TYPE || !lock_counts(v, old) || lock_facts_find(v->new, old->key))
            continue;
        diag_entry *entry = diag_add(v->diagnostics, DIAG_E408, v->file->at, "'%s' is locked, and gone", old->name);
        lock_note(entry, old);
        diag_fix(entry, "put it back; where it has another name now: @renamed_from(\"%s\")", old->name);
        map_add(&v->gone, v->memory, arena_printf(v->memory, "%s.%s", v->file->package, old->name), v);
    }
}

static bool package_check(lock_verifier *v, bool whole)
{
    for (uint32_t i = 0; i < v->old->list.count; i++) {
        const lock_fact *old = *VECTOR_AT(&v->old->list, lock_fact *, i);
        diag_entry *entry;
        if (old->kind != LOCK_PACKAGE)
            continue;
        v->locked = old->version;
        if (strcmp(old->name, v->file->package) != 0) {
            entry = diag_add(v->diagnostics, DIAG_E407, v->file->at, "the package is '%s', and '%s' in the lock",
                             v->file->package, old->name);
            lock_note(entry, old);
            return false;
        }
        if (whole && old->version > v->file->version) {
            entry = diag_add(v->diagnostics, DIAG_E407, v->file->at,
                             "the package has version %" PRIu32 ", and %" PRIu32 " in the lock", v->file->version,
                             old->version);
            lock_note(entry, old);
            diag_fix(entry, "@version(%" PRIu32 ")", old->version);
            return false;
        }
    }
    return true;
}

void lock_verify(arena *memory, diag *diagnostics, const model *schema, uint32_t newest, vector *read)
{
    map told = {0};
    map alike = {0};

    for (uint32_t i = 0; i < schema->file_count; i++) {
        const model_file *file = schema->files[i];
        const char *path;
        const lock_facts *old = lock_read(memory, diagnostics, file, &path);
        if (path)
            vector_add_pointer(read, memory, path);
        if (!old)
            continue;
        lock_verifier v = {.memory = memory,
                           .diagnostics = diagnostics,
                           .file = file,
                           .old = old,
                           .new = lock_facts_of_file(memory, file),
                           .newest = newest && file->requested ? newest : UINT32_MAX,
                           .alike = &alike,
                           .told = &told};
        if (!package_check(&v, v.newest == UINT32_MAX))
            continue;
        gone_check(&v);
        for (uint32_t j = 0; j < file->sorted_count; j++)
            decl_check(&v, file->sorted[j]);
        for (uint32_t j = 0; j < file->decl_count; j++) {
            model_decl_kind kind = file->decls[j]->kind;
            if (kind == MODEL_DECL_SERVICE || kind == MODEL_DECL_TOPIC || kind == MODEL_DECL_QUEUE)
                decl_check(&v, file->decls[j]);
        }
    }
}

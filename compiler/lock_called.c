/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_called.c - what has become of services, topics and queues that are locked.
 */
#include <inttypes.h>
#include <string.h>

#include "lock_strict.h"
#include "lock_walk.h"

static const lock_fact *revision_broken(const lock_verifier *v, const char *service, const char *member)
{
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, LOCK_REVISION, service, &count);

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(facts[i]->member, member) != 0 || !lock_counts(v, facts[i]))
            continue;
        const lock_fact *now = lock_facts_find(v->new, facts[i]->key);
        if (!now || !lock_same_strict(v, facts[i], now))
            return facts[i];
    }
    return NULL;
}

/* What a version of a method looks like now; of several, the newest; NULL: it is not there. */
static const lock_fact *revision_now(const lock_verifier *v, const char *service, const lock_fact *old)
{
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->new, v->memory, LOCK_REVISION, service, &count);
    const lock_fact *found = NULL;

    for (uint32_t i = 0; i < count; i++)
        if (facts[i]->version == old->version && strcmp(facts[i]->member, old->member) == 0)
            found = facts[i];
    return found;
}

static const model_member *error_coded(const model_members *errors, uint64_t code)
{
    for (uint32_t i = 0; i < errors->count; i++)
        if (errors->items[i].magnitude == code)
            return &errors->items[i];
    return NULL;
}

/* Bytes are as they were. Where another set is thrown, its codes must not mean something else; told at the first. */
static void meaning_check(lock_verifier *v, const model_method *method, const lock_fact *old, const lock_fact *new)
{
    const char *threw = strstr(old->rest, " throws ");
    uint32_t count = 0;

    if (!threw || !method->errors || strcmp(threw, strstr(new->rest, " throws ")) == 0)
        return;
    const char *name = threw + strlen(" throws ");
    size_t package = strlen(v->file->package);
    if (strncmp(name, v->file->package, package) != 0 || name[package] != '.')
        return; /* nothing is known of what another package had */
    lock_fact *const *errors = lock_facts_of(v->old, v->memory, LOCK_ERROR, name + package + 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        const model_member *coded = error_coded(method->errors, errors[i]->number);
        if (!coded || strcmp(lock_identity(coded->name, &coded->notes), errors[i]->member) == 0)
            continue;
        diag_entry *entry =
            diag_add(v->diagnostics, DIAG_E410, method->at,
                     "'%s' throws %s, in which %" PRIu64 " is '%s', and '%s' in the lock", old->member,
                     method->errors->decl->qualified_name, errors[i]->number, coded->name, errors[i]->name);
        lock_note(entry, old);
        diag_fix(entry, "leave it as it was, and add another method");
        return;
    }
}

static bool errors_are_told(const lock_verifier *v, const model_members *errors)
{
    bool told = lock_is_told(v, errors);

    for (uint32_t i = 0; errors && i < errors->count && !told; i++)
        told = lock_record_is_told(v, errors->items[i].payload);
    return told;
}

static void method_check(lock_verifier *v, const char *service, const model_method *method, const lock_fact *old,
                         const lock_fact *new)
{
    const lock_fact *broken = revision_broken(v, service, old->member);
    diag_entry *entry;

    if (!broken) {
        meaning_check(v, method, old, new);
        return;
    }
    if (lock_names_gone(v, old))
        return;
    if (strcmp(old->rest, new->rest) != 0) {
        entry = diag_add(v->diagnostics, DIAG_E410, new->at,
                         "'%s' is '%s', and '%s' in version %" PRIu32 ", which is locked", old->member, new->rest,
                         old->rest, broken->version);
        diag_fix(entry, "leave it as it was, and add another method");
    } else if (lock_record_is_told(v, method->request) || lock_record_is_told(v, method->reply) ||
               errors_are_told(v, method->errors)) {
        return;
    } else if (lock_facts_find(v->new, broken->key)) {
        entry = diag_add(v->diagnostics, DIAG_E410, new->at,
                         "what is strict in version %" PRIu32 " of '%s' takes other values than in the lock",
                         broken->version, old->member);
        lock_note(entry, broken);
        return;
    } else {
        const lock_fact *now = revision_now(v, service, broken);
        const char *is = now ? arena_printf(v->memory, "it is %016" PRIx64, now->fingerprint) : "it is not there now";
        entry = diag_add(v->diagnostics, DIAG_E410, new->at,
                         "version %" PRIu32 " of '%s' is locked with the fingerprint %016" PRIx64 "; %s",
                         broken->version, old->member, broken->fingerprint, is);
        lock_note(entry, broken);
        return;
    }
    lock_note(entry, old);
}

static const model_method *method_named(const model_service *service, const char *member)
{
    for (uint32_t i = 0; i < service->method_count; i++)
        if (strcmp(lock_identity(service->methods[i].name, &service->methods[i].notes), member) == 0)
            return &service->methods[i];
    return NULL;
}

/* Where a composed method comes from, in the same file; NULL: nowhere, or of another file, which tells of it. */
static const model_method *method_base(const lock_verifier *v, const model_method *method)
{
    return method->composed && method->composed->decl->file == v->file
               ? method_named(method->composed, lock_identity(method->name, &method->notes))
               : NULL;
}

static const lock_fact *method_fact(const lock_verifier *v, const lock_facts *in, const char *service,
                                    const model_method *method)
{
    return lock_facts_find(in, arena_printf(v->memory, "method %s.%s", service,
                                            lock_identity(method->name, &method->notes)));
}

static bool has_moved(const lock_verifier *v, const model_service *in, const model_method *method)
{
    const char *service = lock_identity(in->decl->name, &in->decl->notes);
    const lock_fact *old = method_fact(v, v->old, service, method);

    return old && lock_counts(v, old) && old->version != method_fact(v, v->new, service, method)->version;
}

/* A method whose version moved is another one in all that its version is part of. */
static bool method_moved(lock_verifier *v, const model_service *service, const model_method *method)
{
    const char *name = lock_identity(service->decl->name, &service->decl->notes);
    const model_method *base = method_base(v, method);

    if (!has_moved(v, service, method))
        return false;
    lock_tell(v, method);
    if (base && has_moved(v, method->composed, base))
        return true; /* told there */
    const lock_fact *old = method_fact(v, v->old, name, method);
    diag_entry *entry = diag_add(v->diagnostics, DIAG_E410, method->at,
                                 "'%s' comes with version %" PRIu32 ", and with version %" PRIu32 " in the lock",
                                 old->member, method_fact(v, v->new, name, method)->version, old->version);
    lock_note(entry, old);
    diag_fix(entry, "leave its version as it was");
    return true;
}

static void inline_check(lock_verifier *v, const model_service *service, const model_record *record, span at)
{
    if (record && record->role != MODEL_ROLE_NAMED && record->service == service)
        lock_record_check(v, record, at);
}

/* In the map of what was told: a method that a service has no more. */
static const char *lost_key(const lock_verifier *v, const model_service *service, const char *member)
{
    return arena_printf(v->memory, "%p %s", (const void *)service, member);
}

/* Whether a method is gone since a service that is composed has lost it: in this file, or in one that is imported. */
static bool base_lost(const lock_verifier *v, const model_service *service, const lock_fact *old)
{
    for (uint32_t i = 0; i < service->compose_count; i++) {
        const model_service *base = service->composes[i];
        const char *key =
            arena_printf(v->memory, "method %s.%s", lock_identity(base->decl->name, &base->decl->notes), old->member);
        const lock_fact *was = base->decl->file == v->file ? lock_facts_find(v->old, key) : NULL;
        if ((was && strcmp(was->rest, old->rest) == 0) || map_find(v->told, lost_key(v, base, old->member)))
            return true;
    }
    return false;
}

void lock_service_check(lock_verifier *v, const model_service *service)
{
    const char *name = lock_identity(service->decl->name, &service->decl->notes);
    uint32_t count;
    lock_fact *const *facts = lock_facts_of(v->old, v->memory, LOCK_METHOD, name, &count);

    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        if (method_moved(v, service, method))
            continue;
        inline_check(v, service, method->request, method->at);
        inline_check(v, service, method->reply, method->at);
    }
    for (uint32_t i = 0; i < count; i++) {
        const model_method *method = method_named(service, facts[i]->member);
        if (!lock_counts(v, facts[i]))
            continue;
        if (method && lock_is_told(v, method))
            continue;
        if (method) {
            method_check(v, name, method, facts[i], lock_facts_find(v->new, facts[i]->key));
            continue;
        }
        bool told = base_lost(v, service, facts[i]);
        map_add(v->told, v->memory, lost_key(v, service, facts[i]->member), v);
        if (told)
            continue;
        diag_entry *entry = diag_add(v->diagnostics, DIAG_E408, service->decl->at,
                                     "the method '%s' is locked, and gone", facts[i]->name);
        lock_note(entry, facts[i]);
        diag_fix(entry, "put it back; where it has another name now: @renamed_from(\"%s\")", facts[i]->member);
    }
}

static const model_revision *item_locked(const model_record *item, uint64_t fingerprint)
{
    for (uint32_t i = 0; i < item->revision_count; i++)
        if (item->revisions[i].fingerprint == fingerprint)
            return &item->revisions[i];
    return NULL;
}

void lock_channel_check(lock_verifier *v, const model_channel *channel)
{
    const char *key = arena_printf(v->memory, "item %s", lock_identity(channel->decl->name, &channel->decl->notes));
    const lock_fact *old = lock_facts_find(v->old, key);
    const lock_fact *new = lock_facts_find(v->new, key);
    lock_strict strict = {.memory = v->memory};
    diag_entry *entry;

    if (channel->item->role != MODEL_ROLE_NAMED)
        lock_record_check(v, channel->item, channel->decl->at);
    if (!old || v->newest < v->locked) /* the lock has the newest item only: of an earlier one its message tells */
        return;
    const model_revision *as_before = item_locked(channel->item, old->fingerprint);
    if (as_before && lock_strict_record(&strict, channel->item, as_before) == old->strict)
        return;
    if (strcmp(old->rest, new->rest) == 0 && lock_record_is_told(v, channel->item))
        return;
    if (as_before)
        entry = diag_add(v->diagnostics, DIAG_E407, channel->decl->at,
                         "what is strict in the item of '%s' takes other values than in the lock", channel->decl->name);
    else
        entry = diag_add(v->diagnostics, DIAG_E407, channel->decl->at,
                         "the item of '%s' is %s, %016" PRIx64 ", and %s, %016" PRIx64 " in the lock",
                         channel->decl->name, new->rest, new->fingerprint, old->rest, old->fingerprint);
    lock_note(entry, old);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_members.c - enums, flags and sets of errors.
 *
 * Names of members are nothing on the wire, values are. A value that has another name is a renamed member; a name that
 * has another value means something else in the same bytes.
 */
#include <inttypes.h>
#include <string.h>

#include "compare_walk.h"
#include "types.h"

static const char *number(const comparison *run, const model_member *member);

/* The members of a set by their names on the wire ("=A") and by their values ("-3"); the first of each. */
static const map *index_of(comparison *run, const model_members *in)
{
    const char *key = arena_printf(run->memory, "%p", (const void *)in);
    map *made = map_find(&run->members, key);

    if (made)
        return made;
    made = arena_alloc(run->memory, sizeof(*made));
    map_add(&run->members, run->memory, key, made);
    for (uint32_t i = 0; i < in->count; i++) {
        const model_member **held = arena_alloc(run->memory, sizeof(*held));
        *held = &in->items[i];
        const char *name = compare_identity((*held)->name, &(*held)->notes);
        map_add(made, run->memory, arena_printf(run->memory, "=%s", name), held);
        map_add(made, run->memory, number(run, *held), held);
    }
    return made;
}

static const model_member *member_found(comparison *run, const model_members *in, const char *key)
{
    const model_member *const *held = map_find(index_of(run, in), key);

    return held ? *held : NULL;
}

static const model_member *member_valued(comparison *run, const model_members *in, const model_member *like)
{
    return member_found(run, in, number(run, like));
}

static const model_member *member_like(comparison *run, const model_members *in, const model_member *like)
{
    const char *name = compare_identity(like->name, &like->notes);

    return member_found(run, in, arena_printf(run->memory, "=%s", name));
}

static compare_subject subject_of(const model_members *members, const char *member)
{
    return (compare_subject){COMPARE_PART_TYPE, members->decl->qualified_name, member};
}

static const char *number(const comparison *run, const model_member *member)
{
    return arena_printf(run->memory, "%s%" PRIu64, member->negative ? "-" : "", member->magnitude);
}

static const char *word_of(const model_members *members)
{
    return members->kind == MODEL_MEMBERS_ENUM ? "enum" : "flags";
}

static void names(comparison *run, const model_members *in, const model_member *old, const model_member *new)
{
    if (in->kind != MODEL_MEMBERS_ERRORS && compare_macro_names(run, old->name, &old->notes, new->name, &new->notes))
        return;
    compare_c_names(run, subject_of(in, old->name), old->name, &old->notes, old->at, new->name, &new->notes, new->at);
}

/* The value of an old member is no longer a member's. */
static void value_lost(comparison *run, const model_members *old, const model_members *new, const model_member *member)
{
    bool strict = new->strict;
    compare_finding *found =
        strict ? compare_add(run, COMPARE_STRICT_LOST, subject_of(old, member->name), new->decl->at,
                             "the strict %s refuse%s %s, which old processes send as '%s'", word_of(new),
                             new->kind == MODEL_MEMBERS_ENUM ? "s" : "", number(run, member), member->name)
               : compare_add(run, COMPARE_MEMBER_REMOVED, subject_of(old, member->name), new->decl->at,
                             "the member '%s' is gone", member->name);
    compare_note(found, member->at, "it was here");
    compare_fix(found, "keep it; @deprecated tells those who use it");
}

static void value_changed(comparison *run, const model_members *in, const model_member *old, const model_member *new)
{
    compare_finding *found = compare_add(run, COMPARE_MEMBER_VALUE, subject_of(in, old->name), new->at,
                                         "'%s' is %s, where it was %s", new->name, number(run, new), number(run, old));
    compare_note(found, old->at, "it was %s here", number(run, old));
    compare_fix(found, "leave its value as it was");
}

static void old_member(comparison *run, const model_members *old, const model_members *new, const model_member *member)
{
    const model_member *named = member_like(run, new, member);
    const model_member *valued = member_valued(run, new, member);

    if (named && named == valued)
        names(run, old, member, named);
    else if (named && (valued || !new->strict))
        value_changed(run, old, member, named);
    else if (valued && !member_like(run, old, valued))
        names(run, old, member, valued);
    else
        value_lost(run, old, new, member);
}

static void values_compare(comparison *run, const model_members *old, const model_members *new)
{
    for (uint32_t i = 0; i < old->count; i++)
        old_member(run, old, new, &old->items[i]);
    for (uint32_t i = 0; i < new->count; i++) {
        const model_member *member = &new->items[i];
        if (member_valued(run, old, member))
            continue;
        if (old->strict)
            compare_note(compare_add(run, COMPARE_STRICT_GAINED, subject_of(old, member->name), member->at,
                                     "the %s%s %s '%s', which old processes refuse", new->strict ? "strict " : "",
                                     word_of(new), new->kind == MODEL_MEMBERS_ENUM ? "has" : "have", member->name),
                         old->decl->at, "it was without it here");
        if (!member->negative)
            compare_reserved(run, subject_of(old, member->name), old->reserved, old->reserved_count, member->name,
                             &member->magnitude, member->at);
    }
    if (old->strict != new->strict) {
        compare_finding *found =
            new->strict ? compare_add(run, COMPARE_BECAME_STRICT, subject_of(old, ""), new->decl->at,
                                      "'%s' is strict: it refuses values that it let pass", new->decl->name)
                        : compare_add(run, COMPARE_NO_LONGER_STRICT, subject_of(old, ""), new->decl->at,
                                      "'%s' is no longer strict: it lets pass values that it refused", new->decl->name);
        compare_note(found, old->decl->at, "it was declared here");
    }
}

static bool base_compare(comparison *run, const model_members *old, const model_members *new)
{
    if (old->base == new->base)
        return old->kind != new->kind;
    compare_finding *found = compare_add(run, COMPARE_BASE_TYPE, subject_of(old, ""), new->decl->at,
                                         "the values of '%s' are %s, where they were %s", new->decl->name,
                                         types_scalar_name(new->base), types_scalar_name(old->base));
    compare_note(found, old->decl->at, "they were %s here", types_scalar_name(old->base));
    return true;
}

static bool payload_compare(comparison *run, const model_members *in, const model_member *old, const model_member *new)
{
    bool below = false;
    compare_change change = compare_payloads(run, old->payload, new->payload, &below);

    if (change == COMPARE_SAME)
        return below;
    compare_finding *found =
        compare_add(run, compare_rule_for(change, COMPARE_PAYLOAD_C_TYPE, COMPARE_ERROR_PAYLOAD),
                    subject_of(in, old->name), new->at, "the payload of '%s' is %s, where it was %s", new->name,
                    compare_record_name(new->payload), compare_record_name(old->payload));
    compare_note(found, old->at, "it was %s here", compare_record_name(old->payload));
    return change == COMPARE_BYTES;
}

static bool old_error(comparison *run, const model_members *old, const model_members *new, const model_member *error)
{
    const model_member *named = member_like(run, new, error);
    const model_member *coded = member_valued(run, new, error);

    if (coded && (coded == named || !named)) {
        bool moved = compare_since(&error->notes) != compare_since(&coded->notes);
        names(run, old, error, coded);
        if (compare_moved(&error->notes, &coded->notes, &old->decl->notes, &new->decl->notes))
            compare_since_told(run, COMPARE_ERROR_SINCE, subject_of(old, error->name), coded->name, error->at,
                               &error->notes, coded->at, &coded->notes);
        return payload_compare(run, old, error, coded) || moved;
    }
    if (named) {
        compare_finding *found =
            compare_add(run, COMPARE_ERROR_CODE, subject_of(old, error->name), named->at,
                        "the error '%s' is %s, where it was %s", named->name, number(run, named), number(run, error));
        compare_note(found, error->at, "it was %s here", number(run, error));
        compare_fix(found, "leave its code as it was");
    } else {
        compare_finding *found = compare_add(run, COMPARE_ERROR_REMOVED, subject_of(old, error->name), new->decl->at,
                                             "the error '%s' is gone", error->name);
        compare_note(found, error->at, "it was here");
        compare_fix(found, "keep it; @deprecated tells those who use it");
    }
    return true;
}

static bool error_added(comparison *run, const model_members *old, const model_member *error)
{
    uint32_t version = old->decl->file->version;
    bool late = compare_since(&error->notes) <= version;
    compare_finding *found =
        late ? compare_add(run, COMPARE_ERROR_UNVERSIONED, subject_of(old, error->name), error->at,
                           "the error '%s' was added to version %" PRIu32 ", which is out", error->name,
                           compare_since(&error->notes))
             : compare_add(run, COMPARE_ERROR_ADDED, subject_of(old, error->name), error->at,
                           "callers may be given the error '%s', which old ones do not know", error->name);

    compare_note(found, old->decl->at, "the set was without it");
    if (late)
        compare_fix(found, "give it @since(%" PRIu32 "), and the package @version(%" PRIu32 ")", version + 1,
                    version + 1);
    return late;
}

static bool errors_compare(comparison *run, const model_members *old, const model_members *new)
{
    bool differs = false;

    for (uint32_t i = 0; i < old->count; i++)
        differs = old_error(run, old, new, &old->items[i]) || differs;
    for (uint32_t i = 0; i < new->count; i++) {
        const model_member *error = &new->items[i];
        if (member_valued(run, old, error))
            continue;
        if (!member_like(run, old, error))
            differs = error_added(run, old, error) || differs;
        compare_reserved(run, subject_of(old, error->name), old->reserved, old->reserved_count, error->name,
                         &error->magnitude, error->at);
    }
    return differs;
}

/* *ret_below is set where the payloads are a pair that differs, which is told where it is declared. */
static bool same_payload(comparison *run, const model_member *old, const model_member *new, bool *ret_below)
{
    if (!old->payload || !new->payload)
        return old->payload == new->payload;
    if (compare_is_pair(run, old->payload->decl, new->payload->decl)) {
        *ret_below = compare_record(run, old->payload, new->payload) || *ret_below;
        return true;
    }
    return compare_same_bytes(old->payload, new->payload) &&
           compare_strict_records(run, old->payload, new->payload) == COMPARE_SAME;
}

/* Since when a method throws an error of its set. */
static uint32_t thrown_since(const model_method *method, const model_member *error)
{
    uint32_t since = compare_since(&method->notes);

    return compare_since(&error->notes) > since ? compare_since(&error->notes) : since;
}

/* Whether the new set has, up to one of its versions, the codes and payloads of the old one and no more. */
static bool has_old_codes(comparison *run, const model_method *old, const model_method *new, bool *ret_below)
{
    uint32_t latest = 0;

    for (uint32_t i = 0; i < old->errors->count; i++) {
        const model_member *error = &old->errors->items[i];
        const model_member *coded = member_valued(run, new->errors, error);
        if (!coded || !same_payload(run, error, coded, ret_below) ||
            thrown_since(old, error) != thrown_since(new, coded))
            return false;
        if (thrown_since(new, coded) > latest)
            latest = thrown_since(new, coded);
    }
    for (uint32_t i = 0; i < new->errors->count; i++) {
        const model_member *error = &new->errors->items[i];
        if (thrown_since(new, error) <= latest && !member_valued(run, old->errors, error))
            return false;
    }
    return true;
}

static const char *set_name(const model_members *errors)
{
    return errors ? errors->decl->qualified_name : "nothing";
}

/* One finding for all codes that mean something else; one for each that is new. */
static void meanings_compare(comparison *run, compare_subject subject, const model_method *old, const model_method *new)
{
    const model_members *was = old->errors;
    const model_members *is = new->errors;
    compare_finding *found = NULL;

    for (uint32_t i = 0; i < was->count && !found; i++) {
        const model_member *before = &was->items[i];
        const model_member *after = member_valued(run, is, before);
        if (strcmp(compare_identity(before->name, &before->notes), compare_identity(after->name, &after->notes)) == 0)
            continue;
        found = compare_add(run, COMPARE_ERROR_MEANING, subject, new->at, "%s is '%s' of %s, where it was '%s' of %s",
                            number(run, after), after->name, set_name(is), before->name, set_name(was));
        compare_note(found, before->at, "it was '%s' here", before->name);
    }
    for (uint32_t i = 0; i < is->count; i++) {
        if (member_valued(run, was, &is->items[i]))
            continue;
        found = compare_add(run, COMPARE_ERROR_ADDED, subject, new->at,
                            "callers may be given the error '%s' of %s, which old ones do not know", is->items[i].name,
                            set_name(is));
        compare_note(found, was->decl->at, "the set was without it");
    }
}

bool compare_other_errors(comparison *run, compare_subject subject, const model_method *old, const model_method *new)
{
    bool below = false;
    bool same = old->errors && new->errors &&has_old_codes(run, old, new, &below);
    compare_finding *found =
        compare_add(run, same ? COMPARE_ERRORS_C_TYPE : COMPARE_METHOD_ERRORS, subject, new->at,
                    "'%s' throws %s, where it threw %s", new->name, set_name(new->errors), set_name(old->errors));

    compare_note(found, old->at, "it was 'throws %s' here", set_name(old->errors));
    if (same)
        meanings_compare(run, subject, old, new);
    return !same || below;
}

bool compare_members(comparison *run, const model_members *old, const model_members *new)
{
    bool first;
    compare_walked *walked = compare_walk(run, old, new, &first);

    if (!first)
        return walked->differs;
    if (old->kind == MODEL_MEMBERS_ERRORS) {
        walked->differs = errors_compare(run, old, new);
    } else {
        walked->differs = base_compare(run, old, new);
        values_compare(run, old, new);
    }
    return walked->differs;
}

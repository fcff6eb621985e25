/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_records.c - types, and structs, messages and unions field by field.
 *
 * An old process knows a record as of the version of the old package. What the new schema has beyond that version is
 * room that the old one does not see, so it is left out; what is left must be the same fields in the same places.
 * In the end fingerprints are compared: where they differ and no field told why, the record as a whole is a finding.
 */
#include <inttypes.h>
#include <string.h>

#include "compare_walk.h"
#include "spell.h"
#include "types.h"

#define NOWHERE UINT32_MAX

static const model_decl *type_decl(const model_type *type)
{
    return type->members ? type->members->decl : type->record ? type->record->decl : NULL;
}

static bool is_sequence(const model_type *type)
{
    return type->kind == MODEL_STRING || type->kind == MODEL_BYTES || type->kind == MODEL_VECTOR;
}

/* Aliases of strings, bytes and vectors are types of their own in C. */
static bool same_alias(const comparison *run, const model_type *old, const model_type *new)
{
    if (!is_sequence(old) || (!old->alias && !new->alias))
        return true;
    return old->alias && new->alias &&compare_is_pair(run, old->alias, new->alias);
}

/* What it means that one record took the place of another. */
static compare_change record_change(const comparison *run, const model_record *old, const model_record *new)
{
    if (!compare_same_bytes(old, new))
        return COMPARE_BYTES;
    compare_change strict = compare_strict_records(run, old, new);
    return strict != COMPARE_SAME ? strict : COMPARE_NAMED;
}

static compare_change compare_named(comparison *run, const model_type *old, const model_type *new, bool *ret_below)
{
    bool is_pair = compare_is_pair(run, type_decl(old), type_decl(new));

    if (is_pair) {
        bool differs = old->members ? compare_members(run, old->members, new->members)
                                    : compare_record(run, old->record, new->record);
        *ret_below = differs || *ret_below;
        return COMPARE_SAME;
    }
    if (old->record)
        return record_change(run, old->record, new->record);
    if (old->members->base != new->members->base)
        return COMPARE_BYTES;
    compare_change strict = compare_strict_members(old->members, new->members);
    return strict != COMPARE_SAME ? strict : COMPARE_MEANT;
}

compare_change compare_types(comparison *run, const model_type *old, const model_type *new, bool *ret_below)
{
    compare_change element = COMPARE_SAME;

    if (old->kind != new->kind) {
        const model_decl *decl = type_decl(old);
        bool told = decl && type_decl(new) && compare_is_pair(run, decl, type_decl(new)); /* the kind of it changed */
        *ret_below = told || *ret_below;
        return told ? COMPARE_SAME : COMPARE_BYTES;
    }
    if (old->members || old->record)
        return compare_named(run, old, new, ret_below);
    if (old->element)
        element = compare_types(run, old->element, new->element, ret_below);
    if (element == COMPARE_BYTES)
        return element;
    if (old->capacity != new->capacity)
        return COMPARE_CAPACITY;
    if (element == COMPARE_SAME && !same_alias(run, old, new))
        return COMPARE_NAMED;
    return element;
}

bool compare_same_bytes(const model_record *old, const model_record *new)
{
    const model_revision *newest = &old->revisions[old->revision_count - 1];

    for (uint32_t i = 0; i < new->revision_count; i++)
        if (new->revisions[i].fingerprint == newest->fingerprint)
            return true;
    return false;
}

/* The name of an inline body in C begins with that of the service that it was written in. */
static bool same_home(const comparison *run, const model_record *old, const model_record *new)
{
    return !old->service || !new->service || compare_is_pair(run, old->service->decl, new->service->decl);
}

compare_change compare_payloads(comparison *run, const model_record *old, const model_record *new, bool *ret_below)
{
    if (!old || !new)
        return old == new ? COMPARE_SAME : COMPARE_BYTES;
    bool was_inline = old->role != MODEL_ROLE_NAMED;
    bool is_inline = new->role != MODEL_ROLE_NAMED;
    if (was_inline ? is_inline : !is_inline && compare_is_pair(run, old->decl, new->decl)) {
        bool differs = compare_record(run, old, new);
        *ret_below = differs || *ret_below;
        return differs || same_home(run, old, new) ? COMPARE_SAME : COMPARE_NAMED;
    }
    return record_change(run, old, new);
}

const char *compare_record_name(const model_record *record)
{
    return !record ? "()" : record->role == MODEL_ROLE_NAMED ? record->decl->qualified_name : "an inline body";
}

/* A record with what is known of where it stands. */
typedef struct sides {
    comparison *run;
    const model_record *old;
    const model_record *new;
    uint32_t version;      /* of the old package */
    uint32_t known;        /* fields of `new` that belong to it */
    uint32_t *became;      /* of each old field: its index in `new`, or NOWHERE */
    const char *prefix;    /* of members' names in a report */
    compare_subject whole; /* the record */
    span new_at;
    bool differs;
} sides;

static const model_file *file_of(const model_record *record)
{
    return record->decl ? record->decl->file : record->service->decl->file;
}

/* Of what a record came with: its declaration, or the method that it is a body of. */
static const model_notes *notes_of(const model_record *record)
{
    return record->decl ? &record->decl->notes : &record->service->methods[record->method].notes;
}

static span place_of(const model_record *record)
{
    return record->decl ? record->decl->at : record->service->methods[record->method].at;
}

static sides sides_make(comparison *run, const model_record *old, const model_record *new)
{
    static const char *const roles[] = {
        [MODEL_ROLE_NAMED] = "",
        [MODEL_ROLE_REQUEST] = "_request",
        [MODEL_ROLE_REPLY] = "_reply",
        [MODEL_ROLE_REQUEST_ITEM] = "_request_item",
        [MODEL_ROLE_REPLY_ITEM] = "_reply_item",
        [MODEL_ROLE_EVENT] = "_event",
        [MODEL_ROLE_CHANNEL_ITEM] = "item",
    };
    sides both = {.run = run, .old = old, .new = new, .version = file_of(old)->version, .new_at = place_of(new)};

    both.whole.part = old->role == MODEL_ROLE_NAMED ? COMPARE_PART_TYPE : COMPARE_PART_SERVICE;
    both.whole.owner = old->decl ? old->decl->qualified_name : old->service->decl->qualified_name;
    both.whole.member =
        old->decl ? roles[old->role]
                  : arena_printf(run->memory, "%s%s", old->service->methods[old->method].name, roles[old->role]);
    both.prefix = *both.whole.member ? arena_printf(run->memory, "%s.", both.whole.member) : "";
    while (both.known < new->field_count && compare_since(&new->fields[both.known].notes) <= both.version)
        both.known++;
    both.became = arena_array(run->memory, old->field_count, sizeof(*both.became));
    return both;
}

static compare_subject subject_of(const sides *both, const char *name)
{
    compare_subject subject = both->whole;

    subject.member = arena_printf(both->run->memory, "%s%s", both->prefix, name);
    return subject;
}

/* A finding that concerns bytes. */
static compare_finding *differ(sides *both, compare_finding *found)
{
    both->differs = true;
    return found;
}

static const char *type_text(const sides *both, const model_field *field)
{
    return arena_printf(both->run->memory, "%s%s", types_name(both->run->memory, field->type),
                        field->optional ? "?" : "");
}

static const char *type_text_whole(const sides *both, const model_field *field)
{
    return arena_printf(both->run->memory, "%s%s", spell_type(both->run->memory, field->type),
                        field->optional ? "?" : "");
}

static const char *word_of(const model_record *record)
{
    return record->kind == MODEL_RECORD_UNION ? "arm" : "field";
}

/* Fields by the name that the other side knows, then those of the same name, then those that only changed theirs. */
static void fields_pair(sides *both)
{
    const model_record *old = both->old;
    const model_record *new = both->new;
    arena *memory = both->run->memory;
    bool *taken = arena_array(memory, new->field_count, sizeof(*taken));
    map identities = {0};
    map names = {0};

    for (uint32_t i = 0; i < new->field_count; i++) {
        const model_field **held = arena_alloc(memory, sizeof(*held));
        *held = &new->fields[i];
        map_add(&identities, memory, compare_identity(new->fields[i].name, &new->fields[i].notes), held);
        map_add(&names, memory, new->fields[i].name, held);
    }
    for (uint32_t i = 0; i < old->field_count; i++) {
        const model_field *field = &old->fields[i];
        const model_field *const *held = map_find(&identities, compare_identity(field->name, &field->notes));
        if (!held)
            held = map_find(&names, field->name);
        both->became[i] = held && !taken[(*held)->id] ? (*held)->id : NOWHERE;
        if (both->became[i] != NOWHERE)
            taken[both->became[i]] = true;
    }
    for (uint32_t i = 0; i < old->field_count; i++) {
        const model_field *field = &old->fields[i];
        bool below = false;
        for (uint32_t j = 0; both->became[i] == NOWHERE && j < both->known; j++) {
            const model_field *other = &new->fields[j];
            bool same_place =
                old->kind == MODEL_RECORD_UNION ? field->tag == other->tag : field->offset == other->offset || i == j;
            if (!taken[j] && same_place && field->optional == other->optional &&
                compare_types(both->run, field->type, other->type, &below) == COMPARE_SAME) {
                both->became[i] = j;
                taken[j] = true;
            }
        }
    }
}

static void field_removed(sides *both, const model_field *field)
{
    compare_finding *found =
        differ(both, compare_add(both->run, COMPARE_FIELD_REMOVED, subject_of(both, field->name), both->new_at,
                                 "the %s '%s' is gone", word_of(both->old), field->name));
    compare_note(found, field->at, "it was here");
    compare_fix(found, "keep it; @deprecated tells those who use it");
}

static void field_identity(sides *both, const model_field *old, const model_field *new)
{
    const char *before = compare_identity(old->name, &old->notes);
    const char *after = compare_identity(new->name, &new->notes);

    if (strcmp(before, after) != 0) {
        compare_finding *found = differ(both, compare_add(both->run, COMPARE_FIELD_RENAMED, subject_of(both, old->name),
                                                          new->at, "the %s '%s' is known as '%s', where it was '%s'",
                                                          word_of(both->old), new->name, after, before));
        compare_note(found, old->at, "it was here");
        compare_fix(found, "keep the name that old processes know: @renamed_from(\"%s\")", before);
    } else {
        compare_c_names(both->run, subject_of(both, old->name), old->name, &old->notes, old->at, new->name, &new->notes,
                        new->at);
    }
}

static void field_type(sides *both, const model_field *old, const model_field *new)
{
    bool below = false;
    compare_change change = compare_types(both->run, old->type, new->type, &below);
    bool bytes = change == COMPARE_CAPACITY || change == COMPARE_BYTES;
    const char *before = type_text(both, old);
    const char *after = type_text(both, new);

    if (change != COMPARE_SAME && strcmp(before, after) == 0) { /* of two packages, or by an alias that has changed */
        before = type_text_whole(both, old);
        after = type_text_whole(both, new);
    }
    if (change == COMPARE_SAME && old->optional != new->optional) {
        compare_finding *found =
            compare_add(both->run, COMPARE_FIELD_OPTIONAL, subject_of(both, old->name), new->at,
                        "'%s' is %s, where it was %s", new->name, new->optional ? "optional" : "always there",
                        old->optional ? "optional" : "always there");
        compare_note(differ(both, found), old->at, "it was %s here", before);
    } else if (change != COMPARE_SAME) {
        compare_rule rule =
            compare_rule_for(change, change == COMPARE_MEANT ? COMPARE_FIELD_MEANING : COMPARE_FIELD_C_TYPE,
                             change == COMPARE_CAPACITY ? COMPARE_FIELD_CAPACITY : COMPARE_FIELD_TYPE);
        compare_finding *found = compare_add(both->run, rule, subject_of(both, old->name), new->at,
                                             "'%s' is %s, where it was %s", new->name, after, before);
        compare_note(found, old->at, "it was %s here", before);
        if (bytes && (both->old->kind == MODEL_RECORD_MESSAGE || both->old->fixed_size))
            compare_fix(found, "leave it as it was, and add a field with @since(%" PRIu32 ")", both->version + 1);
    }
    both->differs = both->differs || bytes || below;
}

static void field_pair(sides *both, const model_field *old, const model_field *new)
{
    field_identity(both, old, new);
    field_type(both, old, new);
    both->differs = both->differs || compare_since(&old->notes) != compare_since(&new->notes);
    if (compare_moved(&old->notes, &new->notes, notes_of(both->old), notes_of(both->new)))
        compare_since_told(both->run, COMPARE_FIELD_SINCE, subject_of(both, old->name), new->name, old->at, &old->notes,
                           new->at, &new->notes);
    if (old->tag != new->tag) {
        compare_finding *found =
            differ(both,
                   compare_add(both->run, COMPARE_ARM_TAG, subject_of(both, old->name), new->at,
                               "'%s' has the tag %" PRIu32 ", where it had %" PRIu32, new->name, new->tag, old->tag));
        compare_note(found, old->at, "it had the tag %" PRIu32 " here", old->tag);
    }
    if (!compare_values_equal(&old->initial, &new->initial)) {
        compare_finding *found =
            compare_add(both->run, COMPARE_FIELD_DEFAULT, subject_of(both, old->name), new->at,
                        "'%s' begins as %s, where it began as %s", new->name, compare_value(both->run, &new->initial),
                        compare_value(both->run, &old->initial));
        compare_note(found, old->at, "it began as %s here", compare_value(both->run, &old->initial));
    }
}

/* Told of a field that stands before one that it stood behind. */
static void fields_order(sides *both)
{
    uint32_t furthest = 0;

    for (uint32_t i = 0; i < both->old->field_count && both->old->kind != MODEL_RECORD_UNION; i++) {
        uint32_t at = both->became[i];
        if (at == NOWHERE)
            continue;
        if (at >= furthest) {
            furthest = at;
            continue;
        }
        const model_field *old = &both->old->fields[i];
        const model_field *new = &both->new->fields[at];
        compare_finding *found = differ(both, compare_add(both->run, COMPARE_FIELD_MOVED, subject_of(both, old->name),
                                                          new->at, "'%s' stands before '%s', where it stood behind it",
                                                          new->name, both->new->fields[furthest].name));
        compare_note(found, old->at, "it stood at %" PRIu32 " here", old->offset);
    }
}

static void field_added(sides *both, const model_field *field)
{
    const model_record *record = both->new;
    compare_finding *found =
        differ(both, compare_add(both->run, COMPARE_FIELD_ADDED, subject_of(both, field->name), field->at,
                                 "the %s '%s' was added to version %" PRIu32 ", which is out", word_of(record),
                                 field->name, compare_since(&field->notes)));
    uint32_t next = both->version + 1;

    compare_note(found, place_of(both->old), "%s was without it", both->old->decl ? "this" : "the inline body");
    if (record->kind == MODEL_RECORD_MESSAGE || record->fixed_size)
        compare_fix(found, "put it at the end with @since(%" PRIu32 "), and the package @version(%" PRIu32 ")", next,
                    next);
    else
        compare_fix(found, "a %s without @size is frozen: make another one, and leave this as it was",
                    record->kind == MODEL_RECORD_UNION ? "union" : "struct");
}

/* Fields that the old schema does not have. */
static void fields_new(sides *both)
{
    const model_record *new = both->new;
    bool *known = arena_array(both->run->memory, new->field_count, sizeof(*known));

    for (uint32_t i = 0; i < both->old->field_count; i++)
        if (both->became[i] != NOWHERE)
            known[both->became[i]] = true;
    for (uint32_t i = 0; i < new->field_count; i++) {
        const model_field *field = &new->fields[i];
        uint64_t tag = field->tag;
        if (known[i])
            continue;
        if (i < both->known)
            field_added(both, field);
        else if (both->old->kind == MODEL_RECORD_UNION && both->old->strict)
            compare_note(compare_add(both->run, COMPARE_STRICT_GAINED, subject_of(both, field->name), field->at,
                                     "the %sunion has the arm '%s', which old processes refuse",
                                     both->new->strict ? "strict " : "", field->name),
                         place_of(both->old), "it was without it here");
        compare_reserved(both->run, subject_of(both, field->name), both->old->reserved, both->old->reserved_count,
                         field->name, new->kind == MODEL_RECORD_UNION ? &tag : NULL, field->at);
    }
}

/* A size or alignment that says what the type has anyway changes no byte. */
static void sizes(sides *both)
{
    const model_record *old = both->old;
    const model_record *new = both->new;
    bool size = old->fixed_size != new->fixed_size;

    if ((!size && old->fixed_align == new->fixed_align) || compare_same_bytes(old, new))
        return;
    uint32_t before = size ? old->fixed_size : old->fixed_align;
    uint32_t after = size ? new->fixed_size : new->fixed_align;
    const char *word = size ? "@size" : "@align";
    arena *memory = both->run->memory;
    const char *was =
        before ? arena_printf(memory, "%s(%" PRIu32 ")", word, before) : arena_printf(memory, "without %s", word);
    compare_finding *found = after ? compare_add(both->run, COMPARE_TYPE_SIZE, both->whole, both->new_at,
                                                 "it has %s(%" PRIu32 "), where it was %s", word, after, was)
                                   : compare_add(both->run, COMPARE_TYPE_SIZE, both->whole, both->new_at,
                                                 "it has no %s, where it was %s", word, was);
    compare_note(differ(both, found), place_of(old), "it was %s here", was);
}

static void strictness(sides *both)
{
    if (both->old->strict == both->new->strict)
        return;
    compare_finding *found = both->new->strict
                                 ? compare_add(both->run, COMPARE_BECAME_STRICT, both->whole, both->new_at,
                                               "the union is strict: it refuses tags that it let pass")
                                 : compare_add(both->run, COMPARE_NO_LONGER_STRICT, both->whole, both->new_at,
                                               "the union is no longer strict: it lets pass tags that it refused");
    compare_note(found, place_of(both->old), "it was declared here");
}

/* The first version that new processes do not know as it was; 0: none. */
static uint32_t version_lost(const model_record *old, const model_record *new)
{
    for (uint32_t i = 0; i < old->revision_count; i++) {
        uint32_t j = 0;
        while (j < new->revision_count &&new->revisions[j].fingerprint != old->revisions[i].fingerprint)
            j++;
        if (j == new->revision_count)
            return old->revisions[i].version;
    }
    return 0;
}

/* What no field told: holes, the order of versions, a type of another package. */
static void fingerprints(sides *both)
{
    uint32_t version = version_lost(both->old, both->new);

    if (both->differs || version == 0)
        return;
    compare_finding *found =
        differ(both, compare_add(both->run, COMPARE_LAYOUT, both->whole, both->new_at,
                                 "the bytes of version %" PRIu32 " are not what they were", version));
    compare_note(found, place_of(both->old), "fingerprint %016" PRIx64 " here", both->old->fingerprint);
}

bool compare_record(comparison *run, const model_record *old, const model_record *new)
{
    bool first;
    compare_walked *walked = compare_walk(run, old, new, &first);

    if (!first)
        return walked->differs;
    if (old->kind != new->kind) {
        walked->differs = true; /* told where the two are declared */
        return true;
    }
    sides both = sides_make(run, old, new);
    fields_pair(&both);
    for (uint32_t i = 0; i < old->field_count; i++) {
        if (both.became[i] == NOWHERE)
            field_removed(&both, &old->fields[i]);
        else
            field_pair(&both, &old->fields[i], &new->fields[both.became[i]]);
    }
    fields_order(&both);
    fields_new(&both);
    sizes(&both);
    strictness(&both);
    fingerprints(&both);
    walked->differs = both.differs;
    return walked->differs;
}

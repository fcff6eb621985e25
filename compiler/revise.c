/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revise.c - see revise.h.
 */
#include "revise.h"

#include "fingerprint.h"
#include "layout.h"
#include "support/vector.h"
#include "versions.h"

#define AXES_MOST 4     /* packages that a method may have to do with: its own, of request, reply and errors */
#define ROWS_MOST 256ul /* of a method whose payloads come from other packages: beyond, the oldest are given up */

static const model_file *file_of(const model_record *record)
{
    return record->decl ? record->decl->file : record->service->decl->file;
}

/* Adds a version to an ascending list, unless it is there. Versions that are not after the first one are in it. */
static void version_add(vector *versions, arena *memory, uint32_t version)
{
    uint32_t at = versions->count;
    while (at > 0 && *VECTOR_AT(versions, uint32_t, at - 1) > version)
        at--;
    if (at > 0 ? *VECTOR_AT(versions, uint32_t, at - 1) == version : versions->count > 0)
        return;
    vector_add(versions, memory);
    for (uint32_t i = versions->count - 1; i > at; i--)
        *VECTOR_AT(versions, uint32_t, i) = *VECTOR_AT(versions, uint32_t, i - 1);
    *VECTOR_AT(versions, uint32_t, at) = version;
}

/* ---- records ---- */

/* The struct or union that a type is, or is made of; or NULL. */
static const model_record *record_in(const model_type *type)
{
    while (type->element)
        type = type->element;
    return type->record;
}

/* Since when there was a field, and since when it has looked otherwise. */
static void field_versions(arena *memory, const model_file *home, const model_field *field, vector *versions)
{
    const model_record *inner = record_in(field->type);

    version_add(versions, memory, field->notes.since);
    if (!inner || !versions_comparable(file_of(inner), home))
        return;
    for (uint32_t i = 1; i < inner->revision_count; i++)
        if (inner->revisions[i].version > field->notes.since)
            version_add(versions, memory, inner->revisions[i].version);
}

static uint32_t fields_at(const model_record *record, uint32_t version)
{
    uint32_t count = record->field_count;
    while (count > 0 && record->fields[count - 1].notes.since > version)
        count--;
    return count;
}

/* Keeps the first and the newest, since what is known of each is as long as the record. */
static void versions_trim(vector *versions)
{
    uint32_t surplus = versions->count > MODEL_REVISIONS_MOST ? versions->count - MODEL_REVISIONS_MOST : 0;
    for (uint32_t i = 1; surplus && i < MODEL_REVISIONS_MOST; i++)
        *VECTOR_AT(versions, uint32_t, i) = *VECTOR_AT(versions, uint32_t, i + surplus);
    versions->count -= surplus;
}

void revise_record(arena *memory, model_record *record, uint32_t since)
{
    const model_file *home = file_of(record);
    vector versions = VECTOR_OF(uint32_t);

    version_add(&versions, memory, since);
    for (uint32_t i = 0; i < record->field_count; i++)
        field_versions(memory, home, &record->fields[i], &versions);
    for (uint32_t i = 0; i < record->hole_count; i++)
        version_add(&versions, memory, record->holes[i].since);

    versions_trim(&versions);
    model_revision *revisions = arena_array(memory, versions.count, sizeof(*revisions));
    for (uint32_t i = 0; i < versions.count; i++) {
        model_revision *made = &revisions[i];
        made->version = *VECTOR_AT(&versions, uint32_t, i);
        made->field_count = fields_at(record, made->version);
        layout_revision(record, made);
        made->canonical = fingerprint_canonical(record, home, made, memory);
        made->fingerprint = fingerprint_text(made->canonical);
    }
    const model_revision *newest = &revisions[versions.count - 1];
    record->canonical = newest->canonical;
    record->fingerprint = newest->fingerprint;
    record->revisions = revisions;
    record->revision_count = versions.count;
}

/* ---- methods ---- */

/* The versions of one package that a method has to do with, and which of them is looked at. */
typedef struct axis {
    const model_file *package;
    vector versions; /* uint32_t */
    uint32_t at;
} axis;

typedef struct grid {
    arena *memory;
    axis axes[AXES_MOST];
    uint32_t count;
} grid;

static axis *axis_of(grid *all, const model_file *package)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (versions_comparable(all->axes[i].package, package))
            return &all->axes[i];
    axis *made = &all->axes[all->count++];
    *made = (axis){.package = package, .versions = VECTOR_OF(uint32_t)};
    return made;
}

/* What is there from a version on only leaves nothing before it. */
static void axis_begin(grid *all, const model_file *package, uint32_t first)
{
    axis *own = axis_of(all, package);
    if (own->versions.count == 0)
        version_add(&own->versions, all->memory, first);
    else if (*VECTOR_AT(&own->versions, uint32_t, 0) < first)
        *VECTOR_AT(&own->versions, uint32_t, 0) = first;
}

static void payload_begins(grid *all, const model_record *record)
{
    if (record)
        axis_begin(all, file_of(record), record->revisions[0].version);
}

static void payload_versions(grid *all, const model_record *record)
{
    for (uint32_t i = 1; record && i < record->revision_count; i++)
        version_add(&axis_of(all, file_of(record))->versions, all->memory, record->revisions[i].version);
}

static void errors_versions(grid *all, const model_members *errors)
{
    const model_file *home = errors->decl->file;
    vector *versions = &axis_of(all, home)->versions;
    for (uint32_t i = 0; i < errors->count; i++) {
        const model_member *each = &errors->items[i];
        version_add(versions, all->memory, each->notes.since);
        for (uint32_t j = 1; each->payload && j < each->payload->revision_count; j++)
            if (versions_comparable(file_of(each->payload), home) &&
                each->payload->revisions[j].version > each->notes.since)
                version_add(versions, all->memory, each->payload->revisions[j].version);
    }
}

static void grid_fill(grid *all, const model_method *method, const model_file *home)
{
    axis_begin(all, home, method->notes.since);
    payload_begins(all, method->request);
    payload_begins(all, method->reply);
    if (method->errors)
        axis_begin(all, method->errors->decl->file, method->errors->decl->notes.since);
    payload_versions(all, method->request);
    payload_versions(all, method->reply);
    if (method->errors)
        errors_versions(all, method->errors);
}

/* How many revisions there are, once the oldest of imported packages were given up that are too many. */
static uint32_t grid_trim(grid *all)
{
    for (;;) {
        axis *longest = NULL;
        uint64_t rows = 1;
        for (uint32_t i = 0; i < all->count; i++) {
            axis *each = &all->axes[i];
            if (rows <= UINT32_MAX)
                rows *= each->versions.count - each->at;
            if (i > 0 && (!longest || each->versions.count - each->at > longest->versions.count - longest->at))
                longest = each;
        }
        if (rows <= ROWS_MOST || !longest || longest->versions.count - longest->at == 1)
            return (uint32_t)rows;
        longest->at++;
    }
}

static uint32_t version_at(grid *all, const model_file *package)
{
    const axis *own = axis_of(all, package);
    return *VECTOR_AT(&own->versions, uint32_t, own->at);
}

static const model_revision *payload_at(grid *all, const model_record *record)
{
    if (!record)
        return NULL;
    return fingerprint_revision(record, file_of(record), version_at(all, file_of(record)));
}

static uint32_t largest_payload(const model_members *errors, uint32_t version)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < errors->count; i++) {
        const model_member *each = &errors->items[i];
        if (each->payload && each->notes.since <= version && each->payload->size > largest)
            largest = each->payload->size;
    }
    return largest;
}

static void row_fill(grid *all, const model_method *method, model_method_revision *row)
{
    const model_members *errors = method->errors;
    uint32_t errors_version = errors ? version_at(all, errors->decl->file) : 0;
    uint32_t payload = errors ? largest_payload(errors, errors_version) : 0;

    row->version = *VECTOR_AT(&all->axes[0].versions, uint32_t, all->axes[0].at);
    row->errors_version = errors_version;
    row->request = payload_at(all, method->request);
    row->reply = payload_at(all, method->reply);
    row->answer_size = row->reply && row->reply->size > payload ? row->reply->size : payload;
    row->fingerprint =
        fingerprint_method(method, row->request, row->reply, errors ? fingerprint_errors(errors, errors_version) : 0);
}

/* The next combination: the last axis runs fastest. False behind the newest. */
static bool grid_next(grid *all, const uint32_t *starts)
{
    for (uint32_t i = all->count; i-- > 0;) {
        axis *each = &all->axes[i];
        if (++each->at < each->versions.count)
            return true;
        each->at = starts[i];
    }
    return false;
}

void revise_method(arena *memory, model_method *method, const model_file *home)
{
    grid all = {.memory = memory};
    uint32_t starts[AXES_MOST];

    grid_fill(&all, method, home);
    method->revision_count = 0;
    model_method_revision *rows = arena_array(memory, grid_trim(&all), sizeof(*rows));
    for (uint32_t i = 0; i < all.count; i++)
        starts[i] = all.axes[i].at;
    do {
        model_method_revision *row = &rows[method->revision_count];
        row_fill(&all, method, row);
        if (method->revision_count == 0 || row[-1].fingerprint != row->fingerprint)
            method->revision_count++;
    } while (grid_next(&all, starts));
    method->revisions = rows;
    method->fingerprint = rows[method->revision_count - 1].fingerprint;
}

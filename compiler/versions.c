/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versions.c - see versions.h.
 *
 * Versions are those of a package. What another package has is not compared: it was imported as it is.
 */
#include "versions.h"

#include <string.h>

#include "repeat.h"

bool versions_comparable(const model_file *a, const model_file *b)
{
    return a == b || (a->package && b->package && strcmp(a->package, b->package) == 0);
}

/* E401: false where @since names a version that the package does not have yet. */
static bool is_there(compile *run, const annotate_result *notes)
{
    const model_file *file = run->home->out;
    if (notes->notes.since <= file->version)
        return true;
    if (run->home->ast->broken)
        return false; /* its @version may be in what was skipped */
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E401, notes->since_at, "@since(%u), and the package is at %u",
                                 (unsigned)notes->notes.since, (unsigned)file->version);
    if (file->package)
        diag_note(entry, file->at, "the package is declared here");
    diag_fix(entry, "give the package '@version(%u)'", (unsigned)notes->notes.since);
    return false;
}

void versions_declaration(compile *run, annotate_result *notes)
{
    if (!is_there(run, notes))
        notes->notes.since = 1;
    run->since = notes->notes.since;
}

void versions_member(compile *run, annotate_result *notes, const char *name)
{
    if (!notes->since_at.file || !is_there(run, notes)) {
        notes->notes.since = run->since;
    } else if (notes->notes.since < run->since) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E402, notes->since_at, "'%s' is from version %u, and what it is in from %u",
                     name, (unsigned)notes->notes.since, (unsigned)run->since);
        diag_fix(entry, "remove it: a member came with what it is in");
        notes->notes.since = run->since;
    }
    run->since = notes->notes.since;
}

/* Something that has a name, and was perhaps known by another. */
typedef struct identity {
    const char *name;
    bool renamed;
    span at;
} identity;

void versions_identity(compile *run, map *scope, const char *package, const model_notes *notes, const char *name,
                       span at)
{
    const char *known = notes->original ? notes->original : name;
    if (notes->original && strcmp(notes->original, name) == 0) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E604, at, "'%s' is the name that it has", name);
        diag_fix(entry, "remove the @renamed_from, or give it the name of before");
        return;
    }
    identity *later = arena_alloc(run->scratch, sizeof(*later));
    *later = (identity){name, notes->original != NULL, at};
    const char *key = package ? arena_printf(run->memory, "%s.%s", package, known) : known;
    const identity *first = map_add(scope, run->scratch, key, later);
    if (!first || (!first->renamed && !later->renamed))
        return; /* two of one name: said already */
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E202, at,
                                 "'%s' is known to other programs as '%s', and so is '%s'", name, known, first->name);
    diag_note(entry, first->at, "'%s' is here", first->name);
    diag_fix(entry, "a name that something had is not given away: choose another for what is new");
}

bool versions_ascend(compile *run, const model_field *before, const model_field *field)
{
    if (before->notes.since <= field->notes.since)
        return true;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E402, field->at, "'%s' is from version %u, and follows one of %u", field->name,
                 (unsigned)field->notes.since, (unsigned)before->notes.since);
    diag_note(entry, before->at, "'%s' is here", before->name);
    if (field->notes.since == run->since)
        diag_fix(entry, "give it '@since(%u)' where it is new, else move it up", (unsigned)before->notes.since);
    else
        diag_fix(entry, "move it up: what is newer is added at the end");
    return false;
}

void versions_use(compile *run, const symbol *used, const model_member *member, span at)
{
    bool newer_member = member && member->notes.since > used->out->notes.since;
    uint32_t since = newer_member ? member->notes.since : used->out->notes.since;
    if (since <= run->since || !versions_comparable(run->home->out, used->out->file))
        return;
    const symbol *user = run->busy.count ? *VECTOR_AT(&run->busy, symbol *, run->busy.count - 1) : NULL;
    diag_entry *entry =
        repeat_add(run, DIAG_E404, at, user ? user->ast->name.text : NULL,
                   "'%s' came with version %u, what uses it here with %u",
                   newer_member ? member->name : used->ast->name.text, (unsigned)since, (unsigned)run->since);
    if (!entry)
        return;
    diag_note(entry, newer_member ? member->at : used->ast->name.at, "it is declared here");
    diag_fix(entry, "give what uses it '@since(%u)', or use what version %u had", (unsigned)since,
             (unsigned)run->since);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_read.c - a lock as a whole. It is input like any other: what is no lock is reported, with its place.
 */
#include <errno.h>
#include <string.h>

#include "lock.h"

static void broken(diag *diagnostics, span at, const char *path, const char *why)
{
    diag_entry *entry = diag_add(diagnostics, DIAG_E413, at, "'%s' %s", path, why);

    diag_note(entry, (span){0}, "nothing is known of the versions that are out while it cannot be read");
    diag_fix(entry, "take it from version control again; 'shmc freeze' writes a new one where none is");
}

/* The line that begins at `start`, without what ends it. */
static span line_at(const source *text, uint32_t start)
{
    const char *begin = text->text + start;
    const char *end = memchr(begin, '\n', text->size - start);
    uint32_t length = end ? (uint32_t)(end - begin) : text->size - start;

    while (length > 0 && begin[length - 1] == '\r')
        length--;
    return (span){text, start, start + length};
}

static const char *bytes_of(span line)
{
    return line.file->text + line.start;
}

static uint32_t length_of(span line)
{
    return line.end - line.start;
}

static bool starts_with(span line, const char *word)
{
    return length_of(line) >= strlen(word) && memcmp(bytes_of(line), word, strlen(word)) == 0;
}

/* Whether there is a fact of a kind about what `fact` is about. */
static bool has_any(const lock_facts *of, arena *memory, lock_kind kind, const lock_fact *fact)
{
    uint32_t count;

    lock_facts_of(of, memory, kind, fact->owner, &count);
    return count > 0;
}

static bool is_of(const lock_fact *type, const char *word)
{
    return strncmp(type->rest, word, strlen(word)) == 0 &&
           (type->rest[strlen(word)] == ' ' || !type->rest[strlen(word)]);
}

/* What a declaration has besides its own line; NULL: nothing that it must have. */
static const char *missing_from_type(const lock_facts *of, arena *memory, const lock_fact *type)
{
    static const struct {
        const char *word;
        lock_kind kind;
        const char *missing;
    } needs[] = {
        {"struct", LOCK_VERSION, "version"}, {"message", LOCK_VERSION, "version"}, {"union", LOCK_VERSION, "version"},
        {"enum", LOCK_MEMBER, "member"},     {"flags", LOCK_MEMBER, "member"},     {"errors", LOCK_ERROR, "error"},
        {"topic", LOCK_ITEM, "item"},        {"queue", LOCK_ITEM, "item"},
    };

    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const char *key = arena_printf(memory, "%s %s", needs[i].missing, type->name);
        if (!is_of(type, needs[i].word))
            continue;
        if (needs[i].kind != LOCK_VERSION)
            return has_any(of, memory, needs[i].kind, type) ? NULL : key;
        key = arena_printf(memory, "%s %u", key, (unsigned)type->version); /* that which it came with */
        return lock_facts_find(of, key) ? NULL : key;
    }
    return NULL;
}

/*
 * The beginning of a line that must be there since `fact` is, and is not; NULL: none. `revised`: methods with versions
 * of which there are revisions.
 */
static const char *missing_from(const lock_facts *of, arena *memory, const map *revised, const lock_fact *fact)
{
    const char *type = arena_printf(memory, "type %.*s", (int)strcspn(fact->name, "."), fact->name);
    const char *dot = strrchr(fact->owner, '.');
    const char *method =
        dot && strchr(fact->owner, '.') != dot
            ? arena_printf(memory, "method %.*s", (int)(dot - fact->owner), fact->owner) /* S.f.request */
            : NULL;

    if (fact->kind == LOCK_PACKAGE)
        return NULL;
    if (fact->kind == LOCK_TYPE)
        return missing_from_type(of, memory, fact);
    if (!lock_facts_find(of, type))
        return type;
    if (method && !lock_facts_find(of, method))
        return method;
    if ((fact->kind == LOCK_FIELD || fact->kind == LOCK_ARM) && !has_any(of, memory, LOCK_VERSION, fact))
        return arena_printf(memory, "version %s", fact->owner);
    const char *first = arena_printf(memory, "%s %u", fact->name, (unsigned)fact->version);
    if (fact->kind == LOCK_METHOD && !map_find(revised, first))
        return arena_printf(memory, "revision %s", first);
    method = arena_printf(memory, "method %s", fact->name);
    return fact->kind == LOCK_REVISION && !lock_facts_find(of, method) ? method : NULL;
}

/* Lines belong together. Where one was lost, as in a merge, those that need it say so; told at the first. */
static bool is_whole(arena *memory, diag *diagnostics, const source *text, const lock_facts *facts)
{
    map revised = {0};

    for (uint32_t i = 0; i < facts->list.count; i++) {
        lock_fact *fact = *VECTOR_AT(&facts->list, lock_fact *, i);
        if (fact->kind == LOCK_REVISION)
            map_add(&revised, memory, arena_printf(memory, "%s %u", fact->name, (unsigned)fact->version), fact);
    }
    for (uint32_t i = 0; i < facts->list.count; i++) {
        const lock_fact *fact = *VECTOR_AT(&facts->list, lock_fact *, i);
        const char *missing = missing_from(facts, memory, &revised, fact);
        if (!missing)
            continue;
        broken(diagnostics, fact->at, text->path, arena_printf(memory, "has this line, and no '%s ...'", missing));
        return false;
    }
    return true;
}

/* The facts, from line `first` on. */
static lock_facts *facts_read(arena *memory, diag *diagnostics, const source *text, uint32_t first)
{
    lock_facts *made = arena_alloc(memory, sizeof(*made));
    bool has_package = false;

    made->list = VECTOR_OF(lock_fact *);
    for (uint32_t i = first; i < text->line_count; i++) {
        span line = line_at(text, text->lines[i]);
        lock_fact *fact = arena_alloc(memory, sizeof(*fact));
        if (length_of(line) == 0 || starts_with(line, "#"))
            continue;
        if (!lock_fact_read(memory, bytes_of(line), length_of(line), fact)) {
            broken(diagnostics, line, text->path, "has a line that is no fact");
            return NULL;
        }
        if (lock_facts_find(made, fact->key)) {
            broken(diagnostics, line, text->path, "says this twice");
            return NULL;
        }
        fact->at = line;
        has_package = has_package || fact->kind == LOCK_PACKAGE;
        lock_facts_add(made, memory, fact);
    }
    if (has_package)
        return is_whole(memory, diagnostics, text, made) ? made : NULL;
    broken(diagnostics, (span){text, 0, 0}, text->path, "does not say of which package it is");
    return NULL;
}

lock_facts *lock_read(arena *memory, diag *diagnostics, const model_file *file, const char **ret_path)
{
    const char *path = lock_path(memory, file);
    source *text;
    int rc = source_read(memory, path, path, &text);
    uint32_t line = 0;

    *ret_path = rc == -ENOENT ? NULL : path;
    if (rc == -ENOENT)
        return NULL;
    if (rc < 0) {
        broken(diagnostics, (span){0}, path, arena_printf(memory, "cannot be read: %s", strerror(-rc)));
        return NULL;
    }
    while (line < text->line_count &&
           (starts_with(line_at(text, text->lines[line]), "#") || length_of(line_at(text, text->lines[line])) == 0))
        line++;
    span form = line < text->line_count ? line_at(text, text->lines[line]) : (span){text, 0, 0};
    if (length_of(form) != strlen(LOCK_FORM) || !starts_with(form, LOCK_FORM)) {
        broken(diagnostics, form, path,
               starts_with(form, "shmc-lock ") ? "is a lock of another shmc: this one reads " LOCK_FORM
                                               : "is no lock: '" LOCK_FORM "' is missing");
        return NULL;
    }
    return facts_read(memory, diagnostics, text, line + 1);
}

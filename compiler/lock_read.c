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
        return made;
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

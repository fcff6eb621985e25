/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.c - the collection of diagnostics.
 */
#include "diag.h"

#include <stdlib.h>
#include <string.h>

#include "support/vector.h"

struct diag {
    arena *memory;
    vector entries; /* diag_entry *, in the order of their adding */
    size_t errors;
    size_t warnings;
    diag_entry beyond; /* what diag_add() returns once DIAG_MOST are kept */
};

static const struct {
    const char *name;
    const char *title;
    diag_severity severity;
} codes[] = {
#define X(code, severity, title) [DIAG_##code] = {#code, title, DIAG_##severity},
#include "codes.h"
#undef X
};

const char *diag_code_name(diag_code code)
{
    return codes[code].name;
}

const char *diag_code_title(diag_code code)
{
    return codes[code].title;
}

diag_severity diag_code_severity(diag_code code)
{
    return codes[code].severity;
}

diag *diag_new(arena *memory)
{
    diag *diagnostics = arena_alloc(memory, sizeof(*diagnostics));
    diagnostics->memory = memory;
    diagnostics->entries = VECTOR_OF(diag_entry *);
    return diagnostics;
}

/*
 * A message as far as DIAG_TEXT_MOST: longer ones are quoted from names that are longer, of which the source line shows a
 * part as well.
 */
__attribute__((format(printf, 2, 0))) static const char *text_made(arena *memory, const char *format, va_list arguments)
{
    char text[DIAG_TEXT_MOST + 4];
    int length = vsnprintf(text, sizeof(text), format, arguments);
    if (length > DIAG_TEXT_MOST) {
        length = DIAG_TEXT_MOST;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
        memcpy(text + length, "...", 3);
        length += 3;
    }
    return arena_copy(memory, text, length > 0 ? (size_t)length : 0);
}

diag_entry *diag_add(diag *diagnostics, diag_code code, span at, const char *format, ...)
{
    if (codes[code].severity == DIAG_ERROR)
        diagnostics->errors++;
    else
        diagnostics->warnings++;
    if (diagnostics->entries.count >= DIAG_MOST)
        return &diagnostics->beyond;

    va_list arguments;
    va_start(arguments, format);
    diag_entry *entry = arena_alloc(diagnostics->memory, sizeof(*entry));
    entry->code = code;
    entry->at = at;
    entry->message = text_made(diagnostics->memory, format, arguments);
    entry->memory = diagnostics->memory;
    va_end(arguments);
    vector_add_pointer(&diagnostics->entries, diagnostics->memory, entry);
    return entry;
}

void diag_note(diag_entry *entry, span at, const char *format, ...)
{
    if (!entry->memory)
        return;
    va_list arguments;
    va_start(arguments, format);
    entry->note = text_made(entry->memory, format, arguments);
    entry->note_at = at;
    va_end(arguments);
}

void diag_fix(diag_entry *entry, const char *format, ...)
{
    if (!entry->memory)
        return;
    va_list arguments;
    va_start(arguments, format);
    entry->fix = text_made(entry->memory, format, arguments);
    va_end(arguments);
}

size_t diag_errors(const diag *diagnostics)
{
    return diagnostics->errors;
}

size_t diag_warnings(const diag *diagnostics)
{
    return diagnostics->warnings;
}

/* By path and place; of those at one place, errors first, then by code and text. */
static int compare(const diag_entry *a, const diag_entry *b)
{
    if (a->at.file != b->at.file) {
        if (!a->at.file || !b->at.file)
            return a->at.file ? 1 : -1;
        int paths = strcmp(a->at.file->path, b->at.file->path);
        if (paths)
            return paths;
    }
    if (a->at.start != b->at.start)
        return a->at.start < b->at.start ? -1 : 1;
    if (codes[a->code].severity != codes[b->code].severity)
        return codes[a->code].severity == DIAG_ERROR ? -1 : 1;
    if (a->code != b->code)
        return a->code < b->code ? -1 : 1;
    return strcmp(a->message, b->message);
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(const diag_entry *const *)a, *(const diag_entry *const *)b);
}

const diag_entry *const *diag_sorted(const diag *diagnostics, size_t *ret_count)
{
    uint32_t count = diagnostics->entries.count;
    const diag_entry **sorted = arena_array(diagnostics->memory, count, sizeof(*sorted));
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = *VECTOR_AT(&diagnostics->entries, diag_entry *, i);
    qsort(sorted, count, sizeof(*sorted), compare_pointers);

    size_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || compare(sorted[kept - 1], sorted[i]) != 0)
            sorted[kept++] = sorted[i];
    *ret_count = kept;
    return sorted;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repeat.c - see repeat.h.
 */
#include "repeat.h"

struct repeat {
    repeat *next;
    diag_entry *entry;
    uint32_t others;
};

diag_entry *repeat_add(compile *run, diag_code code, span at, const char *within, const char *format, ...)
{
    char message[DIAG_TEXT_MOST + 2]; /* what is longer is cut anyway */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    const char *key =
        arena_printf(run->scratch, "%s\n%s\n%s", at.file ? at.file->path : "", within ? within : "", message);
    repeat *first = map_find(&run->repeated, key);
    if (first) {
        first->others++;
        if (at.start < first->entry->at.start) /* declarations are looked at when they are needed */
            first->entry->at = at;
        return NULL;
    }
    diag_entry *entry = diag_add(run->diagnostics, code, at, "%s", message);
    if (!entry->memory)
        return entry; /* beyond those that are kept */
    repeat *made = arena_alloc(run->scratch, sizeof(*made));
    *made = (repeat){.next = run->repeats, .entry = entry};
    run->repeats = made;
    map_add(&run->repeated, run->scratch, key, made);
    return entry;
}

void repeat_finish(compile *run)
{
    for (const repeat *each = run->repeats; each; each = each->next) {
        diag_entry *entry = each->entry;
        if (each->others > 0)
            entry->message = arena_printf(entry->memory, "%s (and at %u other place%s)", entry->message,
                                          (unsigned)each->others, each->others > 1 ? "s" : "");
    }
    run->repeats = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag_render.c - diagnostics as text with a caret line, and as JSON.
 *
 * What is quoted from a file is untrusted: control characters and bytes that
 * are not UTF-8 are shown as '?', so that a schema cannot drive a terminal. A
 * line longer than LINE_LONGEST characters is cut to a window around the place.
 */
#include "diag.h"

#include <errno.h>
#include <string.h>

#include "support/text.h"

#define LINE_LONGEST 160 /* characters */
#define LEAD_LONGEST 100 /* of these, before the place */

#define ESC "\x1b["

typedef struct painter {
    FILE *to;
    const char *error;
    const char *warning;
    const char *note;
    const char *strong;
    const char *plain;
} painter;

static painter painter_make(bool color, FILE *to)
{
    if (!color)
        return (painter){to, "", "", "", "", ""};
    return (painter){to, ESC "1;31m", ESC "1;35m", ESC "1;36m", ESC "1m", ESC "0m"};
}

/* Bytes of the next character, at least 1; *ret_shown is false for what must not reach a terminal. */
static size_t next_character(const char *text, size_t size, bool *ret_shown)
{
    uint32_t character;
    size_t length = utf8_decode(text, size, &character);
    *ret_shown = length > 0 && (character == '\t' || (character >= 0x20 && (character < 0x7f || character > 0x9f)));
    return length ? length : 1;
}

static void put_text(FILE *to, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        bool shown;
        size_t length = next_character(text + at, size - at, &shown);
        if (shown)
            fwrite(text + at, 1, length, to);
        else
            fputc('?', to);
        at += length;
    }
}

/* A step of one character back from `at`, not beyond `start`. */
static uint32_t character_before(const source *file, uint32_t start, uint32_t at)
{
    do
        at--;
    while (at > start && ((unsigned char)file->text[at] & 0xc0) == 0x80);
    return at;
}

static void put_excerpt(const painter *paint, const char *color, span at)
{
    const source *file = at.file;
    uint32_t line = source_line(file, at.start) - 1;
    uint32_t start = file->lines[line];
    uint32_t end = line + 1 < file->line_count ? file->lines[line + 1] - 1 : file->size;
    if (end > start && file->text[end - 1] == '\r')
        end--;
    uint32_t place = at.start < start ? start : at.start > end ? end : at.start;

    uint32_t from = place;
    for (uint32_t lead = 0; from > start && lead < LEAD_LONGEST; lead++)
        from = character_before(file, start, from);
    if (place - start <= LEAD_LONGEST)
        from = start;
    uint32_t to = from;
    bool shown;
    for (uint32_t shown_count = 0; to < end && shown_count < LINE_LONGEST; shown_count++)
        to += (uint32_t)next_character(file->text + to, end - to, &shown);

    fputs(from > start ? "..." : "", paint->to);
    put_text(paint->to, file->text + from, to - from);
    fprintf(paint->to, "%s\n", to < end ? "..." : "");

    fputs(from > start ? "   " : "", paint->to);
    for (uint32_t i = from; i < place; i += (uint32_t)next_character(file->text + i, end - i, &shown))
        fputc(file->text[i] == '\t' ? '\t' : ' ', paint->to);
    fprintf(paint->to, "%s^", color);
    uint32_t stop = at.end < to ? at.end : to;
    bool first = true;
    for (uint32_t i = place; i < stop; i += (uint32_t)next_character(file->text + i, end - i, &shown)) {
        if (!first)
            fputc('~', paint->to);
        first = false;
    }
    fprintf(paint->to, "%s\n", paint->plain);
}

static void put_place(const painter *paint, span at)
{
    if (!at.file)
        return;
    position where = source_position(at.file, at.start);
    fputs(paint->strong, paint->to);
    put_text(paint->to, at.file->path, strlen(at.file->path));
    fprintf(paint->to, ":%u:%u:%s ", (unsigned)where.line, (unsigned)where.column, paint->plain);
}

/* A note may be a table: its further lines are set in. */
static void put_note(const painter *paint, const char *note)
{
    for (;;) {
        size_t length = strcspn(note, "\n");
        put_text(paint->to, note, length);
        fputc('\n', paint->to);
        if (!note[length])
            return;
        note += length + 1;
        fputs("      ", paint->to);
    }
}

static void put_entry(const painter *paint, const diag_entry *entry)
{
    bool is_error = diag_code_severity(entry->code) == DIAG_ERROR;
    const char *color = is_error ? paint->error : paint->warning;

    if (entry->at.file)
        put_place(paint, entry->at);
    else
        fputs("shmc: ", paint->to);
    fprintf(paint->to, "%s%s[%s]:%s ", color, is_error ? "error" : "warning", diag_code_name(entry->code),
            paint->plain);
    put_text(paint->to, entry->message, strlen(entry->message));
    fputc('\n', paint->to);
    if (entry->at.file)
        put_excerpt(paint, color, entry->at);
    if (entry->note) {
        put_place(paint, entry->note_at);
        fprintf(paint->to, "%snote:%s ", paint->note, paint->plain);
        put_note(paint, entry->note);
    }
    if (entry->fix) {
        fprintf(paint->to, "%sfix:%s ", paint->note, paint->plain);
        put_text(paint->to, entry->fix, strlen(entry->fix));
        fputc('\n', paint->to);
    }
}

void diag_put_json_string(FILE *to, const char *text)
{
    size_t size = strlen(text);
    fputc('"', to);
    for (size_t at = 0; at < size;) {
        size_t length = utf8_decode(text + at, size - at, NULL);
        unsigned char first = (unsigned char)text[at];
        if (length == 0)
            fputs("\\ufffd", to);
        else if (first == '"' || first == '\\')
            fprintf(to, "\\%c", first);
        else if (first < 0x20 || first == 0x7f)
            fprintf(to, "\\u%04x", first);
        else
            fwrite(text + at, 1, length, to);
        at += length ? length : 1;
    }
    fputc('"', to);
}

void diag_put_json_place(FILE *to, span at)
{
    if (!at.file)
        return;
    position start = source_position(at.file, at.start);
    position end = source_position(at.file, at.end);
    fputs(", \"file\": ", to);
    diag_put_json_string(to, at.file->path);
    fprintf(to, ", \"line\": %u, \"column\": %u, \"end_line\": %u, \"end_column\": %u", (unsigned)start.line,
            (unsigned)start.column, (unsigned)end.line, (unsigned)end.column);
}

static void put_json_entry(FILE *to, const diag_entry *entry)
{
    fprintf(to, "  {\"code\": \"%s\", \"severity\": \"%s\", \"title\": ", diag_code_name(entry->code),
            diag_code_severity(entry->code) == DIAG_ERROR ? "error" : "warning");
    diag_put_json_string(to, diag_code_title(entry->code));
    fputs(", \"message\": ", to);
    diag_put_json_string(to, entry->message);
    diag_put_json_place(to, entry->at);
    if (entry->note) {
        fputs(", \"note\": {\"message\": ", to);
        diag_put_json_string(to, entry->note);
        diag_put_json_place(to, entry->note_at);
        fputc('}', to);
    }
    if (entry->fix) {
        fputs(", \"fix\": ", to);
        diag_put_json_string(to, entry->fix);
    }
    fputc('}', to);
}

/* `special`: what ends a value besides the characters that no value may have. */
static void put_escaped(FILE *to, const char *text, const char *special)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        bool shown;
        size_t length = next_character(text + at, size - at, &shown);
        unsigned char first = (unsigned char)text[at];
        if (first == '%' || first == '\r' || first == '\n' || (first < 0x80 && strchr(special, first)))
            fprintf(to, "%%%02X", first);
        else if (shown)
            fwrite(text + at, 1, length, to);
        else
            fputc('?', to);
        at += length;
    }
}

void diag_put_command(FILE *to, const char *severity, span at, const char *title, const char *message, span note_at,
                      const char *note, const char *fix)
{
    fprintf(to, "::%s ", severity);
    if (at.file) {
        position where = source_position(at.file, at.start);
        fputs("file=", to);
        put_escaped(to, at.file->path, ":,");
        fprintf(to, ",line=%u,col=%u,", (unsigned)where.line, (unsigned)where.column);
    }
    fputs("title=", to);
    put_escaped(to, title, ":,");
    fputs("::", to);
    put_escaped(to, message, "");
    if (note) {
        fputs("%0A", to);
        if (note_at.file) {
            position where = source_position(note_at.file, note_at.start);
            put_escaped(to, note_at.file->path, "");
            fprintf(to, ":%u:%u: ", (unsigned)where.line, (unsigned)where.column);
        }
        fputs("note: ", to);
        put_escaped(to, note, "");
    }
    if (fix) {
        fputs("%0Afix: ", to);
        put_escaped(to, fix, "");
    }
    fputc('\n', to);
}

static void put_github_entry(FILE *to, const diag_entry *entry)
{
    char title[128];
    snprintf(title, sizeof(title), "%s %s", diag_code_name(entry->code), diag_code_title(entry->code));
    diag_put_command(to, diag_code_severity(entry->code) == DIAG_ERROR ? "error" : "warning", entry->at, title,
                     entry->message, entry->note_at, entry->note, entry->fix);
}

int diag_render(const diag *diagnostics, diag_format format, bool color, FILE *to)
{
    size_t count;
    const diag_entry *const *entries = diag_sorted(diagnostics, &count);
    size_t beyond = diag_errors(diagnostics) + diag_warnings(diagnostics);
    beyond = beyond > DIAG_MOST ? beyond - DIAG_MOST : 0;

    errno = 0;
    if (format == DIAG_JSON) {
        fputs("[", to);
        for (size_t i = 0; i < count; i++) {
            fputs(i ? ",\n" : "\n", to);
            put_json_entry(to, entries[i]);
        }
        fputs(count ? "\n]\n" : "]\n", to);
    } else if (format == DIAG_GITHUB) {
        for (size_t i = 0; i < count; i++)
            put_github_entry(to, entries[i]);
        if (beyond)
            fprintf(to, "::warning title=shmc::%zu more diagnostics are not shown\n", beyond);
    } else {
        painter paint = painter_make(color, to);
        for (size_t i = 0; i < count; i++)
            put_entry(&paint, entries[i]);
        if (beyond)
            fprintf(to, "shmc: %zu more diagnostics are not shown\n", beyond);
    }
    if (fflush(to) != 0 || ferror(to))
        return errno ? -errno : -EIO;
    return 0;
}

void diag_put_place(FILE *to, span at)
{
    painter paint = painter_make(false, to);

    put_place(&paint, at);
}

void diag_put_excerpt(FILE *to, span at)
{
    painter paint = painter_make(false, to);

    if (at.file)
        put_excerpt(&paint, "", at);
}

void diag_put_text(FILE *to, const char *text)
{
    put_text(to, text, strlen(text));
}

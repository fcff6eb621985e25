/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - text that Markdown leaves alone, links, and what is said alike of everything.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/doc/gen.h"
#include "spell.h"

static const char *kept(arena *memory, buffer *made)
{
    const char *copy = arena_copy(memory, made->length > 0 ? made->data : "", made->length);

    buffer_deinit(made);
    return copy;
}

/* What Markdown, HTML within it, tables and formulas take for themselves wherever it stands. */
static bool means_something(char c)
{
    return strchr("\\`*_[]<>&#|~$", c) != NULL;
}

/* One line without the blanks around it. What begins a list, a rule or a heading does so at the beginning only. */
static void line_put(buffer *made, const char *line, size_t length, bool begins_line)
{
    size_t digits = 0;

    while (digits < length && isdigit((unsigned char)line[digits]))
        digits++;
    for (size_t i = 0; i < length; i++) {
        bool begins = begins_line && i == 0 && strchr("-+=", line[i]);
        bool numbers = begins_line && digits > 0 && i == digits && (line[i] == '.' || line[i] == ')');
        if (begins || numbers || means_something(line[i]))
            buffer_puts(made, "\\");
        buffer_append(made, line[i] == '\t' ? " " : line + i, 1);
    }
}

/* Whether a line looks as if its place were meant: a list, a table, an example. */
static bool line_stands_alone(const char *line, size_t length)
{
    return length > 0 && (isspace((unsigned char)line[0]) || strchr("-+*#>|0123456789", line[0]) != NULL);
}

static const char *text_make(arena *memory, const char *text, bool one_line)
{
    buffer made = {0};
    bool begun = false; /* a paragraph */
    bool alone = false; /* the line before stands alone */
    bool anything = false;

    for (const char *line = spell_visible(memory, text); line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) : strlen(line);
        const char *from = line;
        while (length > 0 && isspace((unsigned char)line[length - 1]))
            length--;
        while (from < line + length && isspace((unsigned char)*from))
            from++;
        bool stands_alone = line_stands_alone(line, length);
        if (length > 0) {
            if (one_line)
                buffer_puts(&made, begun ? (alone || stands_alone ? "<br>" : " ") : anything ? "<br><br>" : "");
            else
                buffer_puts(&made, begun ? (alone || stands_alone ? "\\\n" : "\n") : anything ? "\n\n" : "");
            line_put(&made, from, (size_t)(line + length - from), !one_line);
            anything = true;
        }
        begun = length > 0;
        alone = stands_alone;
        line = end ? end + 1 : NULL;
    }
    return kept(memory, &made);
}

const char *doc_text(arena *memory, const char *text)
{
    return text_make(memory, text, false);
}

const char *doc_cell(arena *memory, const char *text)
{
    return text_make(memory, text, true);
}

const char *doc_path(arena *memory, const model_file *file)
{
    size_t length = strlen(file->logical);

    if (length > 4 && file->logical[length - 5] != '/' && strcmp(file->logical + length - 4, ".shm") == 0)
        length -= 4;
    return arena_printf(memory, "%.*s.md", (int)length, file->logical);
}

/* A path in a link: all but the plainest characters are written as %20. */
static const char *path_encode(arena *memory, const char *path)
{
    buffer made = {0};

    for (const char *at = path; *at; at++) {
        if (isalnum((unsigned char)*at) || strchr("/._-", *at))
            buffer_append(&made, at, 1);
        else
            buffer_printf(&made, "%%%02X", (unsigned)(unsigned char)*at);
    }
    return kept(memory, &made);
}

/* From the folder of one file to another file. */
static const char *path_relative(arena *memory, const char *from, const char *to)
{
    size_t common = 0;
    const char *up = "";

    for (size_t i = 0; from[i] && from[i] == to[i]; i++) {
        if (from[i] == '/')
            common = i + 1;
    }
    for (const char *at = strchr(from + common, '/'); at; at = strchr(at + 1, '/'))
        up = arena_printf(memory, "%s../", up);
    return arena_printf(memory, "%s%s", up, to + common);
}

const char *doc_target(doc_gen *g, const model_file *file, const char *name)
{
    const char *path = "";

    if (file != g->file)
        path =
            path_encode(g->memory, path_relative(g->memory, doc_path(g->memory, g->file), doc_path(g->memory, file)));
    return *name ? arena_printf(g->memory, "%s#%s", path, name) : path;
}

const char *doc_link(doc_gen *g, const model_decl *decl)
{
    bool own = strcmp(decl->file->package, g->file->package) == 0;

    return arena_printf(g->memory, "[`%s`](%s)", own ? decl->name : decl->qualified_name,
                        doc_target(g, decl->file, decl->qualified_name));
}

/* A type is code with links in it: spans of code that would touch are one. */
typedef struct type_text {
    doc_gen *g;
    buffer made;
    bool in_code;
} type_text;

static void code_put(type_text *t, const char *code)
{
    buffer_printf(&t->made, "%s%s", t->in_code ? "" : "`", code);
    t->in_code = true;
}

static void code_end(type_text *t)
{
    buffer_puts(&t->made, t->in_code ? "`" : "");
    t->in_code = false;
}

static void type_put(type_text *t, const model_type *type)
{
    const model_decl *decl = type->alias     ? type->alias
                             : type->members ? type->members->decl
                             : type->record  ? type->record->decl
                                             : NULL;
    arena *memory = t->g->memory;
    const char *lengths = "";

    if (decl) {
        code_end(t);
        buffer_puts(&t->made, doc_link(t->g, decl));
    } else if (type->kind == MODEL_VECTOR) {
        code_put(t, "vector<");
        type_put(t, type->element);
        code_put(t, arena_printf(memory, ", %" PRIu32 ">", type->capacity));
    } else if (type->kind == MODEL_ARRAY) {
        for (; type->kind == MODEL_ARRAY && !type->alias; type = type->element)
            lengths = arena_printf(memory, "%s[%" PRIu32 "]", lengths, type->capacity);
        type_put(t, type);
        code_put(t, lengths);
    } else {
        code_put(t, spell_type(memory, type));
    }
}

static const char *type_make(doc_gen *g, const model_type *type, const char *behind)
{
    type_text t = {.g = g};

    type_put(&t, type);
    if (*behind)
        code_put(&t, behind);
    code_end(&t);
    return kept(g->memory, &t.made);
}

const char *doc_type(doc_gen *g, const model_type *type)
{
    return type_make(g, type, "");
}

const char *doc_field_type(doc_gen *g, const model_field *field)
{
    return type_make(g, field->type, field->optional ? "?" : "");
}

const char *doc_payload(doc_gen *g, const model_record *record, bool is_stream)
{
    const char *what = "none";

    if (record)
        what = record->role == MODEL_ROLE_NAMED ? doc_link(g, record->decl) : "inline";
    return arena_printf(g->memory, "%s%s", is_stream ? "stream of " : "", what);
}

void doc_heading(doc_gen *g, unsigned depth, const char *kind, const char *name, const char *anchor)
{
    buffer_printf(g->to, "\n%.*s %s%s`%s` <a id=\"%s\"></a>\n", (int)depth, "######", kind, *kind ? " " : "", name,
                  anchor);
}

void doc_notes(doc_gen *g, const model_notes *notes)
{
    const char *text = notes->doc ? doc_text(g->memory, notes->doc) : "";

    if (*text)
        buffer_printf(g->to, "\n%s\n", text);
    if (notes->deprecated) {
        const char *reason = doc_cell(g->memory, notes->deprecated);
        buffer_printf(g->to, "\n**Deprecated**%s%s.\n", *reason ? ": " : "", reason);
    }
    if (notes->since > 1)
        buffer_printf(g->to, "\nSince version %" PRIu32 ".\n", notes->since);
    if (notes->original)
        buffer_printf(g->to, "\nKnown to the other side as `%s`.\n", notes->original);
}

const char *doc_notes_cell(doc_gen *g, const model_notes *notes)
{
    const char *made = notes->doc ? doc_cell(g->memory, notes->doc) : "";

    if (notes->deprecated) {
        const char *reason = doc_cell(g->memory, notes->deprecated);
        made =
            arena_printf(g->memory, "%s%s**Deprecated**%s%s.", made, *made ? "<br>" : "", *reason ? ": " : "", reason);
    }
    if (notes->original)
        made =
            arena_printf(g->memory, "%s%sKnown to the other side as `%s`.", made, *made ? "<br>" : "", notes->original);
    return made;
}

const char *doc_since_cell(doc_gen *g, const model_notes *notes)
{
    return notes->since > 1 ? arena_printf(g->memory, "%" PRIu32, notes->since) : "";
}

void doc_row(doc_gen *g, const char *const *cells)
{
    buffer_puts(g->to, "|");
    for (; *cells; cells++)
        buffer_printf(g->to, "%s%s |", **cells ? " " : "", *cells);
    buffer_puts(g->to, "\n");
}

void doc_reserved(doc_gen *g, const model_reserved *reserved, uint32_t count)
{
    if (count > 0)
        buffer_printf(g->to, "\nReserved: %s.\n", doc_cell(g->memory, spell_reserved(g->memory, reserved, count)));
}

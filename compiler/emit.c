/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c - holes filled, lines indented and broken.
 */
#include "emit.h"

#include <assert.h>
#include <string.h>

void emit_init(emit *e, buffer *to, arena *memory)
{
    *e = (emit){.to = to, .memory = memory, .bound = VECTOR_OF(emit_value)};
}

void emit_deinit(emit *e)
{
    assert(e->line.length == 0);
    buffer_deinit(&e->line);
}

void emit_bind(emit *e, const char *name, const char *text)
{
    emit_value *value = vector_add(&e->bound, e->memory);

    assert(text);
    *value = (emit_value){name, text};
}

size_t emit_mark(const emit *e)
{
    return e->bound.count;
}

void emit_release(emit *e, size_t mark)
{
    assert(mark <= e->bound.count);
    e->bound.count = (uint32_t)mark;
}

static bool value_matches(const emit_value *value, const char *name, size_t length)
{
    return strncmp(value->name, name, length) == 0 && value->name[length] == '\0';
}

static const char *value_find(const emit *e, const emit_value *values, const char *name, size_t length)
{
    for (; values && values->name; values++) {
        if (value_matches(values, name, length))
            return values->text;
    }
    for (uint32_t i = e->bound.count; i > 0; i--) {
        const emit_value *value = VECTOR_AT(&e->bound, emit_value, i - 1);
        if (value_matches(value, name, length))
            return value->text;
    }
    return NULL;
}

/* Where a line can be broken, and how far the rest is indented then. */
typedef struct line_break {
    size_t at; /* the rest begins here; 0: nowhere */
    size_t indent;
} line_break;

#define BRACKETS_MOST 32

/*
 * The last break after a comma that leaves at most EMIT_COLUMNS columns before it; where there is none, the one after
 * the first round bracket. `goes_on`: the line is the rest of one that was broken, inside of a bracket.
 */
static line_break line_break_find(const char *line, size_t length, bool goes_on)
{
    line_break found = {0};
    line_break bracket = {0};
    size_t blank = strspn(line, " ");
    size_t columns[BRACKETS_MOST] = {blank};
    size_t depth = goes_on ? 1 : 0;
    char quote = '\0';

    for (size_t i = 0; i < length && i < EMIT_COLUMNS; i++) {
        char c = line[i];
        if (quote) {
            if (c == '\\')
                i++;
            else if (c == quote)
                quote = '\0';
            continue;
        }
        if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '/' && i + 1 < length && (line[i + 1] == '*' || line[i + 1] == '/')) {
            break;
        } else if (c == '(' || c == '{' || c == '[') {
            if (depth == BRACKETS_MOST)
                break;
            if (c == '(' && bracket.at == 0)
                bracket = (line_break){i + 1, blank + EMIT_INDENT};
            columns[depth++] = i + 1;
        } else if ((c == ')' || c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (c == ',' && depth > 0 && i + 1 < length && line[i + 1] == ' ') {
            found = (line_break){i + 2, columns[depth - 1]};
        }
    }
    return found.at > 0 || goes_on ? found : bracket;
}

static void spaces_put(buffer *text, size_t count)
{
    while (count-- > 0)
        buffer_puts(text, " ");
}

/* Ends the line being made. */
static void line_flush(emit *e)
{
    const char *line = e->line.length > 0 ? e->line.data : "";
    size_t length = e->line.length;
    bool goes_on = false;

    while (length > EMIT_COLUMNS && line[0] != '#') {
        line_break found = line_break_find(line, length, goes_on);
        if (found.at == 0)
            break;
        goes_on = true;
        buffer rest = {0};
        buffer_append(e->to, line, line[found.at - 1] == ' ' ? found.at - 1 : found.at);
        buffer_puts(e->to, "\n");
        spaces_put(&rest, found.indent);
        buffer_append(&rest, line + found.at, length - found.at);
        buffer_deinit(&e->line);
        e->line = rest;
        line = e->line.data;
        length = e->line.length;
    }
    buffer_append(e->to, line, length);
    buffer_puts(e->to, "\n");
    e->line.length = 0;
}

static void line_put(emit *e, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    if (e->line.length == 0 && bytes[0] != '#')
        spaces_put(&e->line, (size_t)e->depth * EMIT_INDENT);
    buffer_append(&e->line, bytes, length);
}

/* Text that may hold line ends, but no holes. */
static void lines_put(emit *e, const char *bytes, size_t length)
{
    const char *end = bytes + length;

    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        line_put(e, bytes, (size_t)((newline ? newline : end) - bytes));
        if (!newline)
            return;
        line_flush(e);
        bytes = newline + 1;
    }
}

void emit_template(emit *e, const char *template_text, const emit_value *values)
{
    const char *at = template_text;

    for (; e->to;) {
        const char *hole = strstr(at, "${");
        if (!hole)
            break;
        const char *name = hole + 2;
        const char *end = strchr(name, '}');
        assert(end);
        const char *text = value_find(e, values, name, (size_t)(end - name));
        assert(text && "a hole of a template has no value");
        lines_put(e, at, (size_t)(hole - at));
        lines_put(e, text, strlen(text));
        at = end + 1;
    }
    if (e->to)
        lines_put(e, at, strlen(at));
}

void emit_text(emit *e, const char *template_text)
{
    emit_template(e, template_text, NULL);
}

void emit_forget(emit *e)
{
    assert(e->bound.count == 0);
    e->bound = VECTOR_OF(emit_value);
}

void emit_in(emit *e)
{
    e->depth++;
}

void emit_out(emit *e)
{
    assert(e->depth > 0);
    e->depth--;
}

void emit_gap(emit *e)
{
    const buffer *to = e->to;

    assert(e->line.length == 0);
    if (!to || to->length == 0)
        return;
    if (to->length >= 2 && to->data[to->length - 1] == '\n' &&
        (to->data[to->length - 2] == '\n' || to->data[to->length - 2] == '{'))
        return;
    buffer_puts(e->to, "\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_lines.c - see format_lines.h.
 *
 * Lines that come directly one after the other, with the same indentation, form a run as long as it costs little to
 * put them in columns: at most CELL_SPREAD spaces before an '=' or '{'; and comments are not driven out of the page. A
 * run depends on nothing but what the lines hold, so that doing it again changes nothing.
 */
#include "format_lines.h"

#include <string.h>

#define CELL_SPREAD 4

void format_lines_init(format_lines *to, arena *memory)
{
    *to = (format_lines){.memory = memory};
    to->lines = VECTOR_OF(format_line);
}

void format_lines_deinit(format_lines *to)
{
    buffer_deinit(&to->text);
}

format_line *format_lines_last(format_lines *to)
{
    return to->lines.count ? VECTOR_AT(&to->lines, format_line, to->lines.count - 1) : NULL;
}

void format_lines_begin(format_lines *to, uint32_t indent, bool blank_before)
{
    format_line *line = vector_add(&to->lines, to->memory);
    line->indent = indent;
    line->blank_before = blank_before && to->lines.count > 1;
    line->start = line->end = line->comment_end = to->text.length;
}

void format_lines_add(format_lines *to, const char *text, uint32_t size, uint32_t width)
{
    if (!to->lines.count)
        format_lines_begin(to, 0, false);
    format_line *line = format_lines_last(to);
    buffer_append(&to->text, text, size);
    line->comment_end = to->text.length;
    if (line->in_comment) {
        line->comment_width += width;
    } else {
        line->end = to->text.length;
        line->width += width;
    }
}

void format_lines_comment(format_lines *to)
{
    format_line *line = format_lines_last(to);
    line->in_comment = true;
}

size_t format_lines_at(const format_lines *to)
{
    return to->text.length;
}

void format_lines_cell(format_lines *to, size_t key_start, size_t key_end)
{
    format_line *line = format_lines_last(to);
    line->has_cell = true;
    line->key_start = key_start;
    line->key_end = key_end;
    line->cell_at = to->text.length;
    line->cell_width = line->width;
}

/* ---- columns ---- */

static bool are_neighbours(const format_line *above, const format_line *below)
{
    return !below->blank_before && above->indent == below->indent && !above->verbatim && !below->verbatim;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool are_alike(const format_lines *of, const format_line *a, const format_line *b)
{
    const char *text = of->text.data;
    size_t length = a->key_end - a->key_start;
    return a->has_cell && b->has_cell && text[a->cell_at] == text[b->cell_at] && b->key_end - b->key_start == length &&
           memcmp(text + a->key_start, text + b->key_start, length) == 0;
}

/* The end of the run of cells that begins with the line at `first`; *ret_width: of its widest. */
static uint32_t cell_run(const format_lines *of, uint32_t first, uint32_t *ret_width)
{
    const format_line *lines = of->lines.items;
    uint32_t narrowest = lines[first].cell_width;
    uint32_t widest = narrowest;
    uint32_t end = first + 1;
    for (; end < of->lines.count; end++) {
        uint32_t low = least(narrowest, lines[end].cell_width);
        uint32_t high = most(widest, lines[end].cell_width);
        if (!are_alike(of, &lines[first], &lines[end]) || !are_neighbours(&lines[end - 1], &lines[end]) ||
            high - low > CELL_SPREAD)
            break;
        narrowest = low;
        widest = high;
    }
    *ret_width = widest;
    return end;
}

static void align_cells(format_lines *to)
{
    format_line *lines = to->lines.items;
    for (uint32_t i = 0; i < to->lines.count;) {
        uint32_t width;
        if (!lines[i].has_cell) {
            i++;
            continue;
        }
        for (uint32_t end = cell_run(to, i, &width); i < end; i++) {
            lines[i].cell_padding = width - lines[i].cell_width;
            lines[i].width += lines[i].cell_padding;
        }
    }
}

/* What a line takes where its comment follows its code directly. */
static uint32_t full_width(const format_line *line)
{
    return line->indent + line->width + 1 + line->comment_width;
}

/* Likewise for comments: none is moved beyond the page which would not have been there without. */
static uint32_t comment_run(const format_lines *of, uint32_t first, uint32_t *ret_width)
{
    const format_line *lines = of->lines.items;
    uint32_t widest = lines[first].width;
    uint32_t comment = lines[first].comment_width;
    uint32_t end = first + 1;
    for (; end < of->lines.count; end++) {
        uint32_t high = most(widest, lines[end].width);
        uint32_t longest = most(comment, lines[end].comment_width);
        if (lines[end].comment_width == 0 || !are_neighbours(&lines[end - 1], &lines[end]))
            break;
        if (lines[first].indent + high + 1 + longest > FORMAT_COLUMNS || full_width(&lines[end]) > FORMAT_COLUMNS)
            break;
        widest = high;
        comment = longest;
    }
    *ret_width = widest;
    return end;
}

static void align_comments(format_lines *to)
{
    format_line *lines = to->lines.items;
    for (uint32_t i = 0; i < to->lines.count;) {
        uint32_t width;
        if (lines[i].comment_width == 0 || lines[i].width == 0 || lines[i].verbatim) {
            i++;
            continue;
        }
        for (uint32_t end = comment_run(to, i, &width); i < end; i++)
            lines[i].comment_padding = width - lines[i].width;
    }
}

/* ---- text ---- */

static void put_spaces(buffer *out, uint32_t count)
{
    static const char spaces[] = "                                ";
    for (uint32_t left = count; left > 0;) {
        uint32_t piece = least(left, sizeof spaces - 1);
        buffer_append(out, spaces, piece);
        left -= piece;
    }
}

static void render_line(const format_lines *of, const format_line *line, buffer *out)
{
    const char *text = of->text.data;
    size_t begun = out->length;

    put_spaces(out, line->indent);
    if (line->has_cell) {
        buffer_append(out, text + line->start, line->cell_at - line->start);
        put_spaces(out, line->cell_padding);
        buffer_append(out, text + line->cell_at, line->end - line->cell_at);
    } else if (line->end > line->start) {
        buffer_append(out, text + line->start, line->end - line->start);
    }
    if (line->comment_end > line->end) {
        if (line->end > line->start)
            put_spaces(out, line->comment_padding + 1);
        buffer_append(out, text + line->end, line->comment_end - line->end);
    }
    while (out->length > begun && (out->data[out->length - 1] == ' ' || out->data[out->length - 1] == '\t'))
        out->length--;
    buffer_puts(out, "\n");
}

void format_lines_render(format_lines *to, buffer *out)
{
    align_cells(to);
    align_comments(to);
    for (uint32_t i = 0; i < to->lines.count; i++) {
        const format_line *line = VECTOR_AT(&to->lines, format_line, i);
        if (line->blank_before)
            buffer_puts(out, "\n");
        render_line(to, line, out);
    }
}

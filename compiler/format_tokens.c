/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_tokens.c - see format_tokens.h.
 *
 * The scanner gives the tokens. What it leaves out between two of them is white space and comments, nothing else, so
 * that a comment begins at the next '/'. Doc comments, which are tokens to the scanner, are comments here.
 */
#include "format_tokens.h"

#include <string.h>

#include "parser.h"
#include "syntax.h"

#define TAB_WIDTH 4

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\v' || letter == '\f';
}

static bool is_space(char letter)
{
    return letter == '\n' || is_blank(letter);
}

uint32_t format_width(const char *text, uint32_t size)
{
    uint32_t width = 0;
    for (uint32_t i = 0; i < size; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static uint32_t column_of(const source *file, uint32_t offset)
{
    uint32_t start = file->lines[source_line(file, offset) - 1];
    uint32_t column = 0;
    for (uint32_t i = start; i < offset; i++) {
        if (file->text[i] == '\t')
            column += TAB_WIDTH - column % TAB_WIDTH;
        else
            column += ((unsigned char)file->text[i] & 0xc0) != 0x80;
    }
    return column;
}

/* Passes over white space; how many lines end in it, up to 2. */
static unsigned skip_space(const source *file, uint32_t *at, uint32_t end)
{
    unsigned newlines = 0;
    for (; *at < end && is_space(file->text[*at]); (*at)++)
        newlines += file->text[*at] == '\n' && newlines < 2;
    return newlines;
}

/* The offset behind the comment at `start`. */
static uint32_t comment_end(const source *file, uint32_t start, uint32_t end)
{
    const char *text = file->text;
    if (text[start + 1] == '/') {
        const char *newline = memchr(text + start, '\n', end - start);
        return newline ? (uint32_t)(newline - text) : end;
    }
    for (uint32_t i = start + 2; i + 1 < end; i++)
        if (text[i] == '*' && text[i + 1] == '/')
            return i + 2;
    return end;
}

/* The comments from `at` up to a token at `end`; returns how many lines end behind the last. */
static unsigned read_comments(arena *memory, const source *file, uint32_t at, uint32_t end, bool begins_file,
                              vector *comments)
{
    uint32_t code_end = at;
    for (;;) {
        unsigned newlines = skip_space(file, &at, end);
        if (at >= end)
            return newlines;
        uint32_t start = at;
        at = comment_end(file, start, end);
        uint32_t length = at - start;
        while (length > 0 && is_blank(file->text[start + length - 1]))
            length--;
        format_comment *comment = vector_add(comments, memory);
        comment->text = file->text + start;
        comment->length = length;
        comment->column = newlines > 0 ? column_of(file, start) : 0;
        comment->to_line_end = comment->text[1] == '/';
        comment->documents =
            length >= 3 && memcmp(comment->text, "///", 3) == 0 && (length == 3 || comment->text[3] != '/');
        comment->on_line_begun = !begins_file && !memchr(file->text + code_end, '\n', start - code_end);
        comment->newlines = newlines;
    }
}

static void find_partners(arena *memory, format_tokens *tokens)
{
    vector open = VECTOR_OF(uint32_t);
    for (uint32_t i = 0; i < tokens->count; i++) {
        if (tokens->items[i].kind == '{')
            *(uint32_t *)vector_add(&open, memory) = i;
        else if (tokens->items[i].kind == '}' && open.count > 0)
            tokens->items[*VECTOR_AT(&open, uint32_t, --open.count)].partner = i;
    }
}

void format_tokens_of(arena *memory, const source *text, format_tokens *ret)
{
    vector scanned = syntax_tokens(memory, text);
    vector first = VECTOR_OF(uint32_t); /* per token: its first comment */
    uint32_t at = text->lines[0];

    *ret = (format_tokens){.items = arena_array(memory, scanned.count, sizeof(format_token))};
    ret->comments = VECTOR_OF(format_comment);
    for (uint32_t i = 0; i < scanned.count; i++) {
        const syntax_token *found = VECTOR_AT(&scanned, syntax_token, i);
        if (found->kind == TOKEN_DOC)
            continue;
        format_token *token = &ret->items[ret->count++];
        uint32_t begun = ret->comments.count;
        *(uint32_t *)vector_add(&first, memory) = begun;
        token->newlines = read_comments(memory, text, at, found->at.start, ret->count == 1, &ret->comments);
        token->before_count = ret->comments.count - begun;
        token->kind = found->kind;
        token->text = text->text + found->at.start;
        token->length = found->at.end - found->at.start;
        token->width = format_width(token->text, token->length);
        at = found->at.end;
    }
    for (uint32_t i = 0; i < ret->count && ret->comments.count > 0; i++)
        ret->items[i].before = VECTOR_AT(&ret->comments, format_comment, *VECTOR_AT(&first, uint32_t, i));
    find_partners(memory, ret);
}

/* ---- comparing ---- */

/* The next line of a comment, without the white space around it; false at the end. */
static bool next_line(const char **at, const char *end, const char **ret_line, size_t *ret_length)
{
    if (!*at)
        return false;
    const char *start = *at;
    const char *newline = memchr(start, '\n', (size_t)(end - start));
    const char *stop = newline ? newline : end;
    *at = newline ? newline + 1 : NULL;
    while (start < stop && is_blank(*start))
        start++;
    while (stop > start && is_blank(stop[-1]))
        stop--;
    *ret_line = start;
    *ret_length = (size_t)(stop - start);
    return true;
}

static bool comments_same(const format_comment *a, const format_comment *b)
{
    const char *left = a->text;
    const char *right = b->text;
    if (a->documents != b->documents || (a->documents && a->on_line_begun != b->on_line_begun))
        return false;
    for (;;) {
        const char *left_line = "";
        const char *right_line = "";
        size_t left_length = 0;
        size_t right_length = 0;
        bool more = next_line(&left, a->text + a->length, &left_line, &left_length);
        if (next_line(&right, b->text + b->length, &right_line, &right_length) != more)
            return false;
        if (!more)
            return true;
        if (left_length != right_length || memcmp(left_line, right_line, left_length) != 0)
            return false;
    }
}

bool format_tokens_same(const format_tokens *a, const format_tokens *b, uint32_t *ret_different)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const format_token *left = &a->items[i];
        *ret_different = i;
        if (i >= b->count)
            return false;
        const format_token *right = &b->items[i];
        if (left->kind != right->kind || left->length != right->length || left->before_count != right->before_count ||
            memcmp(left->text, right->text, left->length) != 0)
            return false;
        for (uint32_t j = 0; j < left->before_count; j++)
            if (!comments_same(&left->before[j], &right->before[j]))
                return false;
    }
    *ret_different = a->count ? a->count - 1 : 0;
    return a->count == b->count;
}

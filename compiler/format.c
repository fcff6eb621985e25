/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.c - see format.h.
 *
 * The file is known to be right, hence its tokens fall into statements: from a first token to the ';' or, of a
 * declaration with a body, to the '}' that closes it. Statements contain bodies, and bodies statements. Between
 * statements a line ends; within one, what stands between two tokens follows from these two, but for annotations.
 *
 * A statement is printed up to three times: into scratch lines, to see whether it fits as it was written, then as what
 * has to be broken asks for it. A second run decides the same: what it sees is what the first has decided.
 */
#include "format.h"

#include <string.h>

#include "format_lines.h"
#include "format_tokens.h"
#include "parser.h"
#include "syntax.h"

typedef enum gap {
    GAP_NONE,
    GAP_SPACE,
} gap;

/* What is decided about a statement before it is printed. */
typedef struct statement {
    uint32_t begin;
    uint32_t word; /* the first token that belongs to no annotation */
    uint32_t end;  /* behind its last token */
    uint32_t indent;
    bool annotation_apart; /* the annotations do not fit on its line */
    bool filled;           /* lines are broken where they get too long */
    bool measured;         /* printed to be measured: bodies that are expanded are left out */
} statement;

typedef struct format {
    arena *memory;
    format_tokens tokens;
    format_lines *lines;
} format;

static const format_token *token_at(const format *f, uint32_t index)
{
    return &f->tokens.items[index];
}

static int kind_at(const format *f, uint32_t index)
{
    return f->tokens.items[index].kind;
}

/* ---- between two tokens of a statement ---- */

static bool is_operator(int kind)
{
    switch (kind) {
    case '|':
    case '^':
    case '&':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case TOKEN_SHIFT_LEFT:
    case TOKEN_SHIFT_RIGHT: return true;
    default: return false;
    }
}

/* Whether the token is an operator of one operand, which begins where an operand could. */
static bool is_unary(const format *f, uint32_t index)
{
    int kind = kind_at(f, index);
    if (kind == '~')
        return true;
    if (kind != '-' && kind != '+')
        return false;
    int before = index ? kind_at(f, index - 1) : 0;
    return is_operator(before) || before == '~' || before == '=' || before == '(' || before == '[' || before == '<' ||
           before == ',' || before == TOKEN_RANGE || before == TOKEN_RESERVED;
}

/* Whether the token is an operator between two operands. */
static bool is_binary(const format *f, uint32_t index)
{
    return is_operator(kind_at(f, index)) && !is_unary(f, index);
}

static bool hugs_what_follows(const format *f, uint32_t index)
{
    int kind = kind_at(f, index);
    return kind == '(' || kind == '[' || kind == '<' || kind == '.' || kind == TOKEN_RANGE || kind == '@' ||
           is_unary(f, index);
}

static bool hugs_what_precedes(int kind)
{
    return kind == ')' || kind == ']' || kind == '<' || kind == '>' || kind == '[' || kind == '.' ||
           kind == TOKEN_RANGE || kind == ';' || kind == ',' || kind == '?' || kind == TOKEN_YYEOF;
}

/* What stands between a token and the one before it, on one line. */
static gap gap_before(const format *f, uint32_t index)
{
    int before = kind_at(f, index - 1);
    int kind = kind_at(f, index);
    if (hugs_what_follows(f, index - 1) || hugs_what_precedes(kind))
        return GAP_NONE;
    if (before == '{' && kind == '}')
        return GAP_NONE;
    if (kind == '(')
        return before == TOKEN_ARROW || before == '=' || before == ',' || is_binary(f, index - 1) ? GAP_SPACE
                                                                                                  : GAP_NONE;
    return GAP_SPACE;
}

/* Whether a line that is too long may be broken before a token. */
static bool may_break_before(const format *f, uint32_t index)
{
    int before = kind_at(f, index - 1);
    int kind = kind_at(f, index);
    return before == ',' || before == '=' || is_binary(f, index - 1) || kind == TOKEN_ARROW || kind == TOKEN_THROWS;
}

/* Between two annotations, or between the last one and what it belongs to. */
static bool is_behind_annotation(const format *f, const statement *s, uint32_t index)
{
    return index > s->begin && (index == s->word || (index < s->word && kind_at(f, index) == '@'));
}

/* ---- comments ---- */

static void put(format *f, const char *text, uint32_t size)
{
    format_lines_add(f->lines, text, size, format_width(text, size));
}

static void put_space(format *f)
{
    const format_line *line = format_lines_last(f->lines);
    if (line && (line->width > 0 || line->comment_width > 0))
        put(f, " ", 1);
}

/* How far into its line a text begins, and of how many bytes its white space is. */
static uint32_t leading_width(const char *text, uint32_t size, uint32_t *ret_bytes)
{
    uint32_t width = 0;
    uint32_t at = 0;
    for (; at < size && (text[at] == ' ' || text[at] == '\t'); at++)
        width += text[at] == '\t' ? FORMAT_INDENT - width % FORMAT_INDENT : 1;
    *ret_bytes = at;
    return width;
}

/*
 * Adds a comment to the last line. The further lines of a block that begins its line move with its first one; those of
 * another block stay where they are.
 */
static void put_comment(format *f, const format_comment *comment)
{
    const char *at = comment->text;
    const char *end = at + comment->length;
    const format_line *first = format_lines_last(f->lines);
    uint32_t indent = first ? first->indent : 0;
    bool moves = comment->newlines > 0 || !first;

    for (bool is_first = true;; is_first = false) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        uint32_t size = (uint32_t)((newline ? newline : end) - at);
        while (size > 0 && strchr(" \t\r\v\f", at[size - 1]))
            size--;
        if (is_first) {
            put(f, at, size);
        } else {
            uint32_t bytes;
            uint32_t width = leading_width(at, size, &bytes);
            uint32_t deeper = width > comment->column ? width - comment->column : 0;
            format_lines_begin(f->lines, moves ? indent + deeper : width, false);
            format_lines_last(f->lines)->verbatim = true;
            put(f, at + bytes, size - bytes);
        }
        if (!newline)
            return;
        at = newline + 1;
    }
}

static void put_comment_behind(format *f, const format_comment *comment)
{
    const format_line *line = format_lines_last(f->lines);
    if (line->in_comment || line->verbatim) {
        put(f, " ", 1);
    } else {
        format_lines_comment(f->lines);
    }
    put_comment(f, comment);
}

/* ---- within a statement ---- */

/* The comments before a token, which there are, and what stands between them and it. */
static void put_commented_gap(format *f, uint32_t index, gap usual, uint32_t indent)
{
    const format_token *token = token_at(f, index);
    const format_comment *last = &token->before[token->before_count - 1];
    for (uint32_t i = 0; i < token->before_count; i++) {
        const format_comment *comment = &token->before[i];
        if (comment->newlines > 0) {
            format_lines_begin(f->lines, indent, false);
            put_comment(f, comment);
        } else if (comment->to_line_end) {
            put_comment_behind(f, comment);
        } else {
            if (i > 0 || !hugs_what_follows(f, index - 1))
                put_space(f);
            put_comment(f, comment);
        }
    }
    if (last->to_line_end || token->newlines > 0)
        format_lines_begin(f->lines, indent, false);
    else if (usual == GAP_SPACE || !hugs_what_precedes(token->kind))
        put_space(f);
}

/* How wide the tokens are from one on to where the line may be broken next. */
static uint32_t piece_width(const format *f, const statement *s, uint32_t index)
{
    uint32_t width = token_at(f, index)->width;
    for (uint32_t i = index + 1; i < s->end; i++) {
        const format_token *token = token_at(f, i);
        if (token->before_count > 0 || may_break_before(f, i) || is_behind_annotation(f, s, i) ||
            token_at(f, i - 1)->is_expanded)
            break;
        width += (gap_before(f, i) == GAP_SPACE) + token->width;
    }
    return width;
}

static void put_gap(format *f, const statement *s, uint32_t index)
{
    const format_token *token = token_at(f, index);
    gap usual = gap_before(f, index);
    bool behind_annotation = is_behind_annotation(f, s, index);
    uint32_t indent = s->indent + (behind_annotation ? 0 : FORMAT_INDENT);

    if (token->before_count > 0) {
        put_commented_gap(f, index, usual, indent);
        return;
    }
    const format_line *line = format_lines_last(f->lines);
    bool breaks = behind_annotation && (token->newlines > 0 || (index == s->word && s->annotation_apart));
    if (s->filled && (behind_annotation || may_break_before(f, index)))
        breaks = breaks || line->indent + line->width + 1 + piece_width(f, s, index) > FORMAT_COLUMNS;
    if (breaks)
        format_lines_begin(f->lines, indent, false);
    else if (usual == GAP_SPACE)
        put_space(f);
}

/* Whether a token is the '=' of an entry or the '{' of a declaration. */
static bool begins_column(const format *f, const statement *s, uint32_t index, int depth)
{
    int kind = kind_at(f, index);
    return depth == 0 && index > s->word && (kind == '=' || kind == '{');
}

static void put_entries(format *f, uint32_t begin, uint32_t end, uint32_t indent);
static void put_break(format *f, uint32_t index, uint32_t indent, bool begins, bool ends, bool wants_blank);

/* From the '{' of a body that is expanded to its '}'. */
static void put_body(format *f, const statement *s, uint32_t open)
{
    uint32_t close = token_at(f, open)->partner;
    put(f, "{", 1);
    if (!s->measured) {
        put_entries(f, open + 1, close, s->indent + FORMAT_INDENT);
        put_break(f, close, s->indent + FORMAT_INDENT, close == open + 1, true, false);
    }
    format_lines_begin(f->lines, s->indent, false);
    put(f, "}", 1);
}

static void put_statement(format *f, const statement *s)
{
    uint32_t first_line = f->lines->lines.count;
    uint32_t cell_line = 0;
    size_t word_at = 0; /* where in the text the word of the statement is, and the last token */
    size_t last_at = 0;
    int depth = 0;

    if (format_lines_last(f->lines))
        first_line--;
    for (uint32_t i = s->begin; i < s->end; i++) {
        const format_token *token = token_at(f, i);
        if (i > s->begin)
            put_gap(f, s, i);
        if (i == s->word)
            first_line = f->lines->lines.count ? f->lines->lines.count - 1 : 0;
        if (token->kind == '(' || token->kind == '[')
            depth++;
        else if (token->kind == ')' || token->kind == ']')
            depth--;
        if (token->kind == '{' && token->is_expanded) {
            put_body(f, s, i);
            i = token->partner;
            continue;
        }
        if (!cell_line && begins_column(f, s, i, depth)) {
            /* From the word to the name: "const uint32 ", "message ". Members have names only, perhaps a payload. */
            format_lines_cell(f->lines, word_at, kind_at(f, i - 1) == ')' ? word_at : last_at);
            cell_line = f->lines->lines.count;
        }
        last_at = format_lines_at(f->lines);
        if (i == s->word)
            word_at = last_at;
        format_lines_add(f->lines, token->text, token->length, token->width);
        depth += token->kind == '{' ? 1 : token->kind == '}' ? -1 : 0;
    }
    /* Columns are for statements that have a line of their own. */
    if (cell_line && (cell_line != first_line + 1 || cell_line != f->lines->lines.count))
        VECTOR_AT(&f->lines->lines, format_line, cell_line - 1)->has_cell = false;
}

/* ---- what is decided about a statement ---- */

/* The token behind the annotations that a statement begins with. */
static uint32_t skip_annotations(const format *f, uint32_t at, uint32_t end)
{
    while (at < end && kind_at(f, at) == '@') {
        int depth = 0;
        at += 2;
        if (at < end && kind_at(f, at) != '(')
            continue;
        for (; at < end; at++) {
            depth += kind_at(f, at) == '(' ? 1 : kind_at(f, at) == ')' ? -1 : 0;
            if (depth == 0)
                break;
        }
        at++;
    }
    return at < end ? at : end - 1;
}

/* The token behind the statement that begins at `at`; `end` is that of the body. */
static uint32_t statement_end(const format *f, uint32_t at, uint32_t end)
{
    int depth = 0;
    for (; at < end; at++) {
        int kind = kind_at(f, at);
        if (kind == '(')
            depth++;
        else if (kind == ')')
            depth--;
        else if (kind == '{')
            at = token_at(f, at)->partner;
        if (depth == 0 && (kind == ';' || kind == '{'))
            return at + 1;
    }
    return end;
}

/* Whether a body has anything in it that keeps it from standing on one line. */
static bool is_broken(const format *f, uint32_t open)
{
    uint32_t close = token_at(f, open)->partner;
    for (uint32_t i = open + 1; i <= close; i++) {
        const format_token *token = token_at(f, i);
        if (token->newlines > 0 && (close > open + 1 || token->before_count > 0))
            return true;
        for (uint32_t j = 0; j < token->before_count; j++) {
            const format_comment *comment = &token->before[j];
            if (comment->to_line_end || comment->newlines > 0 || memchr(comment->text, '\n', comment->length))
                return true;
        }
    }
    return false;
}

/* Decides about the bodies of a statement, not about those within: expands those that are broken, or all. */
static void expand_bodies(format *f, const statement *s, bool all)
{
    for (uint32_t i = s->begin; i < s->end; i++) {
        format_token *token = &f->tokens.items[i];
        if (token->kind != '{')
            continue;
        bool empty = token->partner == i + 1 && token_at(f, i + 1)->before_count == 0;
        token->is_expanded = is_broken(f, i) || (all && !empty);
        i = token->partner;
    }
}

static bool has_expanded(const format *f, const statement *s)
{
    for (uint32_t i = s->begin; i < s->end; i++)
        if (token_at(f, i)->is_expanded)
            return true;
    return false;
}

static bool fits(format *f, const statement *s)
{
    format_lines *kept = f->lines;
    format_lines scratch;
    statement trial = *s;
    uint32_t widest = 0;

    format_lines_init(&scratch, f->memory);
    f->lines = &scratch;
    trial.measured = true;
    format_lines_begin(&scratch, s->indent, false);
    put_statement(f, &trial);
    for (uint32_t i = 0; i < scratch.lines.count; i++) {
        const format_line *line = VECTOR_AT(&scratch.lines, format_line, i);
        if (!line->verbatim && line->indent + line->width > widest)
            widest = line->indent + line->width;
    }
    f->lines = kept;
    format_lines_deinit(&scratch);
    return widest <= FORMAT_COLUMNS;
}

static statement statement_decide(format *f, uint32_t begin, uint32_t end, uint32_t indent)
{
    statement s = {.begin = begin, .word = skip_annotations(f, begin, end), .end = end, .indent = indent};
    expand_bodies(f, &s, false);
    if (fits(f, &s))
        return s;
    s.annotation_apart = true;
    if (fits(f, &s))
        return s;
    expand_bodies(f, &s, true);
    s.filled = !fits(f, &s);
    return s;
}

/* ---- between statements ---- */

/*
 * Ends the line before a token that begins a statement or, where it `ends`, closes the body or the file; prints the
 * comments between, each where it was: behind what precedes, on a line of its own, or before the statement on its line.
 */
static void put_break(format *f, uint32_t index, uint32_t indent, bool begins, bool ends, bool wants_blank)
{
    const format_token *token = token_at(f, index);
    bool behind = index > 0;
    bool first = begins; /* no empty line follows what opens a body or a file */

    for (uint32_t i = 0; i < token->before_count; i++)
        if (token->before[i].newlines > 1)
            wants_blank = false;
    if (token->newlines > 1 && !ends)
        wants_blank = false;

    for (uint32_t i = 0; i < token->before_count; i++) {
        const format_comment *comment = &token->before[i];
        if (behind && comment->newlines == 0) {
            put_comment_behind(f, comment);
            continue;
        }
        if (comment->newlines == 0 && i > 0) {
            put_space(f);
        } else {
            format_lines_begin(f->lines, indent, (comment->newlines > 1 || wants_blank) && !first);
            wants_blank = false;
        }
        behind = first = false;
        put_comment(f, comment);
    }
    if (ends)
        return;
    const format_comment *last = token->before_count ? &token->before[token->before_count - 1] : NULL;
    if (last && !behind && !last->to_line_end && token->newlines == 0)
        put_space(f);
    else
        format_lines_begin(f->lines, indent, (token->newlines > 1 || wants_blank) && !first);
}

/* The statements of a body, or of the file, each on its line. */
static void put_entries(format *f, uint32_t begin, uint32_t end, uint32_t indent)
{
    bool parts = false; /* the declaration before is parted by an empty line from what follows */
    for (uint32_t at = begin; at < end;) {
        uint32_t behind = statement_end(f, at, end);
        statement s = statement_decide(f, at, behind, indent);
        bool expanded = indent == 0 && has_expanded(f, &s);
        put_break(f, at, indent, at == begin, false, (parts || expanded) && at > begin);
        put_statement(f, &s);
        parts = expanded;
        at = behind;
    }
}

/* ---- the whole ---- */

/* Syntax is all that counts: warnings are for others to tell. */
static bool is_sound(arena *memory, diag *diagnostics, const source *text)
{
    diag *found = diag_new(memory);
    size_t count;
    bool sound = true;

    (void)syntax_parse(memory, memory, found, text);
    const diag_entry *const *sorted = diag_sorted(found, &count);
    for (size_t i = 0; i < count; i++) {
        const diag_entry *entry = sorted[i];
        if (diag_code_severity(entry->code) != DIAG_ERROR)
            continue;
        diag_entry *copy = diag_add(diagnostics, entry->code, entry->at, "%s", entry->message);
        if (entry->note)
            diag_note(copy, entry->note_at, "%s", entry->note);
        if (entry->fix)
            diag_fix(copy, "%s", entry->fix);
        sound = false;
    }
    return sound;
}

format_result format_text(arena *memory, diag *diagnostics, const source *text, buffer *out, uint32_t *ret_line)
{
    format_lines lines;
    format f = {.memory = memory, .lines = &lines};
    format_tokens again;
    buffer made = {0};
    uint32_t different = 0;

    if (!is_sound(memory, diagnostics, text))
        return FORMAT_SYNTAX;
    format_tokens_of(memory, text, &f.tokens);
    *ret_line = 1;
    if (f.tokens.count == 0)
        return FORMAT_WRONG;
    uint32_t last = f.tokens.count - 1;
    format_lines_init(&lines, memory);
    put_entries(&f, 0, last, 0);
    put_break(&f, last, 0, last == 0, true, false);
    format_lines_render(&lines, &made);
    format_lines_deinit(&lines);

    format_tokens_of(memory, source_new(memory, text->path, text->logical, made.data, (uint32_t)made.length), &again);
    bool same = format_tokens_same(&f.tokens, &again, &different);
    if (same)
        buffer_append(out, made.data, made.length);
    else
        *ret_line = source_line(text, (uint32_t)(f.tokens.items[different].text - text->text));
    buffer_deinit(&made);
    return same ? FORMAT_DONE : FORMAT_WRONG;
}

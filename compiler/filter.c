/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - see filter.h.
 *
 * How a mistake is got over. Bison pops to a list of items, members, fields or methods and then throws tokens away
 * until a `;` or a `}`. Which one, only the filter can tell, since it knows the braces: from the mistake on it hands
 * out nothing but the `;` that ends the entry, or the `}` that closes what the entry is in; a balanced `{ ... }` on
 * the way is passed over whole. Where a declaration begins in column 1 while a brace is open, the brace was
 * forgotten: a `}` is handed out that is not in the file, and the declaration is parsed as such.
 */
#include "filter.h"

#include <string.h>

#include "support/buffer.h"

#define YYSTYPE PARSER_STYPE
#define YYLTYPE PARSER_LTYPE
#include "lexer.h"

static token scan(parse *state)
{
    token next = {0};
    next.kind = scanner_lex(&next.value, &state->scanned, state->scanner);
    next.at = state->scanned;
    if (next.kind == TOKEN_YYEOF) {
        next.at.start = next.at.end = state->text->size;
        state->scanned = next.at;
    }
    if (next.kind != TOKEN_DOC)
        state->code_end = next.at;
    return next;
}

bool filter_newline_between(const parse *state, span first, span second)
{
    return second.start > first.end && memchr(state->text->text + first.end, '\n', second.start - first.end);
}

/* Puts a token back: it is the next one to be handed out. */
static void queue_return(parse *state, token next)
{
    if (state->queued == FILTER_QUEUE_MOST)
        return;
    memmove(state->queue + 1, state->queue, state->queued++ * sizeof(token));
    state->queue[0] = next;
}

static token synthetic(int kind, span at)
{
    at.end = at.start;
    return (token){.kind = kind, .at = at};
}

static void doc_dropped(parse *state, span at)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_W106, at, "this doc comment documents nothing");
    diag_fix(entry, "put it before what it documents, or write '//'");
}

/* The next token; a run of doc comments comes as one, and only where something follows that it may document. */
static token fetch(parse *state)
{
    if (state->queued) {
        token next = state->queue[0];
        memmove(state->queue, state->queue + 1, --state->queued * sizeof(token));
        return next;
    }

    token next;
    span first = {0};
    buffer lines = {0};
    for (;;) {
        span code = state->code_end;
        next = scan(state);
        if (next.kind != TOKEN_DOC)
            break;
        if (code.file && !filter_newline_between(state, code, next.at)) {
            doc_dropped(state, next.at);
            continue;
        }
        if (first.file)
            buffer_puts(&lines, "\n");
        else
            first = next.at;
        buffer_puts(&lines, next.value.doc);
    }
    if (first.file && (next.kind == '}' || next.kind == TOKEN_YYEOF)) {
        doc_dropped(state, first);
    } else if (first.file) {
        queue_return(state, next);
        next = (token){.kind = TOKEN_DOC, .at = first};
        next.value.doc = arena_copy(state->memory, lines.data, lines.length);
    }
    buffer_deinit(&lines);
    return next;
}

bool filter_begins_declaration(const parse *state, const token *word)
{
    static const int words[] = {TOKEN_PACKAGE, TOKEN_IMPORT,  TOKEN_CONST,  TOKEN_ALIAS,   TOKEN_STRICT,
                                TOKEN_ENUM,    TOKEN_FLAGS,   TOKEN_STRUCT, TOKEN_MESSAGE, TOKEN_UNION,
                                TOKEN_ERRORS,  TOKEN_SERVICE, TOKEN_TOPIC,  TOKEN_QUEUE};
    if (!word->at.file || word->at.end == word->at.start)
        return false;
    if (word->at.start > 0 && state->text->text[word->at.start - 1] != '\n')
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i] == word->kind)
            return true;
    return false;
}

static void brace_open(parse *state, span at)
{
    *(span *)vector_add(&state->braces, state->memory) = at;
}

static void brace_close(parse *state)
{
    if (state->braces.count)
        state->braces.count--;
}

static bool is_stray(const parse *state, const token *faulty)
{
    return state->stray_end == faulty->at.end;
}

/* Throws tokens away up to the one that ends the entry with the mistake. */
static token skip(parse *state)
{
    state->skipping = false;
    for (;;) {
        token next = fetch(state);
        uint32_t depth = state->braces.count;
        if (next.kind == TOKEN_YYEOF)
            return next;
        if (next.kind == TOKEN_PARSER_error && !is_stray(state, &next))
            return synthetic(';', next.at);
        if (next.kind == ';' && depth <= state->skip_depth)
            return next;
        if (depth > 0 && filter_begins_declaration(state, &next)) {
            queue_return(state, next);
            return synthetic('}', next.at);
        }
        if (next.kind == '{')
            brace_open(state, next.at);
        if (next.kind != '}')
            continue;
        if (depth <= state->skip_depth)
            return next;
        if (depth == 1 && state->skip_depth == 0)
            return next;
        brace_close(state);
        if (depth - 1 == state->skip_depth) {
            token after = fetch(state);
            queue_return(state, after);
            if (after.kind != ')' && after.kind != ';' && after.kind != ',')
                return synthetic(';', next.at);
        }
    }
}

/* `struct` and its like, in column 1 where an entry could begin: no entry begins so, hence a brace was forgotten. */
static bool cannot_be_inside(const parse *state, const token *word)
{
    bool hard = word->kind == TOKEN_STRUCT || word->kind == TOKEN_ENUM || word->kind == TOKEN_UNION ||
                word->kind == TOKEN_CONST;
    bool begins = state->last.kind == ';' || state->last.kind == '{' || state->last.kind == '}';
    return hard && begins && state->braces.count > 0 && filter_begins_declaration(state, word);
}

static bool is_name(const token *word)
{
    return word->kind == TOKEN_IDENT || (word->kind >= TOKEN_PACKAGE && word->kind <= TOKEN_VECTOR);
}

static bool is_scalar(const token *word)
{
    return word->kind >= TOKEN_BOOL && word->kind <= TOKEN_FLOAT64;
}

/*
 * `required int32 x;` and its like, as proto has them: the first word is told, and then the field is read as if it were
 * not there. Two names in a row may be a type and a name, so a third thing is looked at where the second is no scalar.
 */
static token without_label(parse *state, token label)
{
    static const char *const labels[] = {"required", "repeated", "optional"};
    bool known = false;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && !known; i++)
        known =
            (label.kind == TOKEN_IDENT || label.kind == TOKEN_LATER) && strcmp(label.value.ident.text, labels[i]) == 0;
    bool begins =
        state->last.kind == ';' || state->last.kind == '{' || state->last.kind == '}' || state->last.kind == ')';
    if (!known || !begins || state->braces.count == 0)
        return label;
    token type = fetch(state);
    token behind = {0};
    if (is_name(&type)) {
        behind = fetch(state);
        queue_return(state, behind);
    }
    bool meant = is_scalar(&type) || is_name(&behind) || behind.kind == '<' || behind.kind == '.' || behind.kind == '[';
    if (meant) {
        mistake_label(state, &label);
        return type;
    }
    queue_return(state, type);
    return label;
}

/* Behind a fault of the scanner: a string without an end took the ';' with it, a stray character did not. */
static void recover(parse *state, const token *faulty)
{
    state->skipping = is_stray(state, faulty);
    state->skip_depth = state->braces.count;
    if (!state->skipping)
        queue_return(state, synthetic(';', faulty->at));
}

int parser_lex(PARSER_STYPE *value, PARSER_LTYPE *place, parse *state)
{
    token next = state->skipping ? skip(state) : without_label(state, fetch(state));
    if (cannot_be_inside(state, &next)) {
        mistake_unclosed(state, *VECTOR_AT(&state->braces, span, state->braces.count - 1), next.at);
        state->file->broken = true;
        queue_return(state, next);
        next = synthetic('}', next.at);
    }
    if (next.kind == '{')
        brace_open(state, next.at);
    else if (next.kind == '}')
        brace_close(state);
    else if (next.kind == TOKEN_PARSER_error)
        recover(state, &next);
    state->before = state->last;
    state->last = next;
    state->handed += next.at.end > next.at.start;
    *value = next.value;
    *place = next.at;
    return next.kind;
}

bool filter_give_back(parse *state, int first, bool with_before)
{
    token found = state->last;
    if (state->given_back == found.at.start + 1 || state->queued > FILTER_QUEUE_MOST - 3)
        return false;
    state->given_back = found.at.start + 1;
    if (found.kind == '{')
        state->braces.count--;
    else if (found.kind == '}')
        state->braces.count++; /* its place is still there: nothing was opened since */
    queue_return(state, found);
    if (with_before)
        queue_return(state, state->before);
    queue_return(state, synthetic(first, with_before ? state->before.at : found.at));
    return true;
}

void filter_skip(parse *state)
{
    state->skipping = true;
    state->skip_depth = state->braces.count - (state->last.kind == '{' ? 1 : 0);
}

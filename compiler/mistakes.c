/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mistakes.c - what is said about text that is not as the grammar has it.
 */
#include <string.h>

#include "filter.h"
#include "support/buffer.h"
#include "support/text.h"

#define CLOSE_MOST 3    /* tokens */
#define EXPECTED_MOST 6 /* a longer list of what was expected helps nobody */

/* ---- characters ---- */

void parse_stray(parse *state, span at)
{
    unsigned char character = (unsigned char)state->text->text[at.start];
    bool neighbour = at.start == state->stray_end && at.start > 0;
    state->stray_end = at.end;
    state->file->broken = true;
    if (neighbour)
        return;
    if (character > 0x7f) {
        diag_entry *mark =
            diag_add(state->diagnostics, DIAG_E111, at, "a byte order mark stands at the start of a file, and once");
        diag_fix(mark, "remove it");
        return;
    }
    if (character < 0x20 || character == 0x7f) {
        diag_add(state->diagnostics, DIAG_E111, at, "unexpected control character U+%04X", (unsigned)character);
        return;
    }
    span first = {at.file, at.start, at.start + 1};
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E111, first, "unexpected character '%c'", character);
    if (character == '#')
        diag_fix(entry, "a comment begins with '//'");
}

void parse_not_ascii(parse *state, span at)
{
    uint32_t offset = at.start;
    while ((unsigned char)state->text->text[offset] < 0x80)
        offset++;
    const char *bytes = state->text->text + offset;
    uint32_t character;
    uint32_t length = (uint32_t)utf8_decode(bytes, at.end - offset, &character);
    span place = {at.file, offset, offset + length};
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E111, place, "unexpected character '%.*s' (U+%04X)",
                                 (int)length, bytes, (unsigned)character);
    diag_note(entry, (span){0}, "names are made of A-Z, a-z, 0-9 and '_'");
}

void parse_quoted(parse *state, span at)
{
    span first = {at.file, at.start, at.start + 1};
    diag_fix(diag_add(state->diagnostics, DIAG_E111, first, "unexpected character '''"),
             "a string stands between '\"' and '\"'");
}

/* ---- tokens ---- */

void mistake_unclosed(parse *state, span open, span found)
{
    if (state->opened > open.start + 1) /* `struct A { {`: the one too many was told */
        return;
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E108, open, "this '{' is not closed");
    if (found.end > found.start)
        diag_note(entry, found, "a declaration begins here, before the '}'");
    else
        diag_note(entry, found, "the file ends here, before the '}'");
}

static const char *token_text(parse *state, span at)
{
    uint32_t size = at.end - at.start;
    return arena_printf(state->memory, "'%.*s%s'", (int)(size > 40 ? 40 : size), state->text->text + at.start,
                        size > 40 ? "..." : "");
}

static bool is_word(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' && !strchr(name, ' ') && strcmp(name, "name") != 0 &&
           strcmp(name, "number") != 0;
}

static bool expects(const parse_surprise *surprise, const char *name)
{
    for (uint32_t i = 0; i < surprise->count; i++)
        if (strcmp(surprise->names[i], name) == 0)
            return true;
    return false;
}

/* The words among what was expected are what a name may have been meant as. */
static const char *nearest_word(const parse_surprise *surprise, const char *found)
{
    text_guess guess = {.wanted = found};
    for (uint32_t i = 0; i < surprise->count; i++)
        if (is_word(surprise->names[i]))
            text_guess_offer(&guess, surprise->names[i]);
    return guess.nearest;
}

/* Where an entry may end, all that may follow it is expected too, and a ',' for the ';' that people write. */
static bool is_at_end(const parse_surprise *surprise)
{
    bool follows = expects(surprise, "'}'") || expects(surprise, "end of file");
    return follows && expects(surprise, "';'") && expects(surprise, "','");
}

/* Where a ',' belongs (of a vector, or between arguments), a ';' for it is expected too. */
static bool is_at_comma(const parse_surprise *surprise)
{
    bool between = expects(surprise, "'['") || expects(surprise, "')'");
    return between && expects(surprise, "','") && expects(surprise, "';'") && !is_at_end(surprise);
}

/* What is expected by rules for mistakes, or by what follows: not what the reader is to write. */
static bool is_noise(const parse_surprise *surprise, const char *item)
{
    if (is_at_end(surprise))
        return strcmp(item, "','") == 0 || strcmp(item, "'}'") == 0 || strcmp(item, "end of file") == 0;
    return is_at_comma(surprise) && strcmp(item, "';'") == 0;
}

/* ", expected ... or ...": the many words that make a name, a type or a declaration as that. */
static const char *expected_list(parse *state, const parse_surprise *surprise)
{
    bool declaration = expects(surprise, "struct") && expects(surprise, "import") && !expects(surprise, "name");
    bool type = expects(surprise, "bool") && !expects(surprise, "const") && !expects(surprise, "number");
    bool name = expects(surprise, "name") && !type;
    bool grouped = declaration || type || name;
    const char *items[EXPECTED_MOST];
    uint32_t count = 0;

    if (expects(surprise, "->"))
        return ", expected '->'";
    if (grouped && !is_at_end(surprise))
        items[count++] = declaration ? "a declaration" : type ? "a type" : "a name";
    for (uint32_t i = 0; i < surprise->count; i++) {
        const char *item = surprise->names[i];
        if (strcmp(item, "name") == 0 || strcmp(item, "reserved word") == 0 || strcmp(item, "doc comment") == 0 ||
            strcmp(item, "'@'") == 0 || (grouped && is_word(item)) || is_noise(surprise, item) ||
            (declaration && !is_at_end(surprise) && strcmp(item, "';'") == 0))
            continue;
        if (count == EXPECTED_MOST)
            return "";
        items[count++] =
            is_word(item) || item[0] == '-' || item[0] == '.' ? arena_printf(state->memory, "'%s'", item) : item;
    }
    buffer list = {0};
    for (uint32_t i = 0; i < count; i++) {
        buffer_puts(&list, i == 0 ? ", expected " : i + 1 < count ? ", " : " or ");
        buffer_puts(&list, items[i]);
    }
    char *text = arena_copy(state->memory, list.data, list.length);
    buffer_deinit(&list);
    return text;
}

static void unexpected(parse *state, const parse_surprise *surprise)
{
    const token *found = &state->last;
    const char *text = token_text(state, found->at);
    diag_entry *entry;
    if (found->kind == TOKEN_YYEOF)
        entry = diag_add(state->diagnostics, DIAG_E110, found->at, "unexpected end of file%s",
                         expected_list(state, surprise));
    else if (found->kind == TOKEN_DOC)
        entry = diag_add(state->diagnostics, DIAG_E110, found->at,
                         "a doc comment stands before the whole of what it documents");
    else if (found->kind == '}' && expects(surprise, "import") && !expects(surprise, "name")) {
        entry = diag_add(state->diagnostics, DIAG_E110, found->at, "this '}' closes nothing");
        state->mended = found->at.end + 1;
    } else
        entry =
            diag_add(state->diagnostics, DIAG_E110, found->at, "unexpected %s%s", text, expected_list(state, surprise));

    const char *word = found->kind == TOKEN_IDENT ? nearest_word(surprise, found->value.ident.text) : NULL;
    if (word)
        diag_fix(entry, "did you mean '%s'?", word);
    else if (found->kind == TOKEN_LATER && strcmp(found->value.ident.text, "optional") == 0)
        diag_fix(entry, "an optional field is written 'type? name;'");
    else if (found->kind == TOKEN_LATER)
        diag_fix(entry, "the word is reserved for later");
    else if (state->braces.count && (found->kind == TOKEN_ENUM || found->kind == TOKEN_STRUCT ||
                                     found->kind == TOKEN_UNION || found->kind == TOKEN_CONST))
        diag_fix(entry, "declarations do not nest: move it out of the braces");
    else if (found->kind == '[' && expects(surprise, "'='"))
        diag_fix(entry, "the length belongs to the type: 'type[N] name;'");
    else if (state->before.kind == TOKEN_STRING_TYPE || state->before.kind == TOKEN_BYTES)
        diag_fix(entry, "give it a capacity: '%s<N>'", state->before.value.ident.text);
    else if (state->before.kind == TOKEN_VECTOR)
        diag_fix(entry, "give it a type and a capacity: 'vector<type, N>'");
}

/* A declaration in column 1 while a brace is open: the brace was forgotten. */
static bool brace_is_forgotten(parse *state)
{
    const token *found = &state->last;
    uint32_t depth = state->braces.count - (found->kind == '{' ? 1 : 0);
    bool late = filter_begins_declaration(state, &state->before);
    if (depth == 0 || !(late || filter_begins_declaration(state, found)))
        return false;
    span open = *VECTOR_AT(&state->braces, span, depth - 1);
    span begun = late ? state->before.at : found->at;
    if (!filter_give_back(state, '}', late))
        return false;
    mistake_unclosed(state, open, begun);
    return true;
}

/* A new line begins where a ';' could have stood. */
static bool end_is_forgotten(parse *state, const parse_surprise *surprise)
{
    span behind = {state->text, state->before.at.end, state->before.at.end};
    if (!surprise->could_end || is_at_comma(surprise) ||
        !filter_newline_between(state, state->before.at, state->last.at) || !filter_give_back(state, ';', false))
        return false;
    parse_missing_end(state, behind);
    return true;
}

/*
 * Whether the last token stands, on one line, in what is left of an entry that something was said about: `unsigned int
 * x;` lacks no second thing, whatever the grammar makes of `x;`.
 */
static bool is_aftermath(const parse *state)
{
    if (!state->mended || state->last.at.start < state->mended - 1)
        return false;
    const char *text = state->text->text;
    for (uint32_t at = state->mended - 1; at < state->last.at.start; at++)
        if (strchr("\n;{}", text[at]))
            return false;
    return true;
}

/*
 * Whether it stands close behind what was unexpected last, where what was made of the tokens between says little: of
 * `int32 ; x }` the `;` is told, and the `}` is not. Three tokens are to be right first, as parsers have it of old, or
 * one where a line has ended since.
 */
static bool is_close(const parse *state)
{
    if (!state->surprise.file)
        return false;
    bool newline = filter_newline_between(state, state->surprise, state->last.at);
    return state->handed - state->surprised <= (newline ? 1 : CLOSE_MOST);
}

static void surprised(parse *state)
{
    state->surprise = state->last.at;
    state->surprised = state->handed;
}

/* ':' or ',' for '=', or ':' for ','. */
static bool separator_is_wrong(parse *state, const parse_surprise *surprise)
{
    int found = state->last.kind;
    const char *wanted = expects(surprise, "'='") ? "=" : expects(surprise, "','") ? "," : NULL;
    if (!wanted || (found != ':' && found != ','))
        return false;
    parse_wrong_separator(state, state->last.at, found == ':' ? ":" : ",", wanted);
    return true;
}

/*
 * Whether it is a piece of what something was said about: of a body whose '{' is missing, each entry and the '}' stand
 * where a declaration is expected; behind a '{' too many or a '}' that is missing, each declaration stands in a body.
 */
static bool is_piece(parse *state, const parse_surprise *surprise)
{
    uint32_t depth = state->braces.count;
    int found = state->last.kind;
    if (depth == 0 || found == '{') {
        bool piece = state->astray && expects(surprise, "import") && !expects(surprise, "name");
        state->astray = state->astray || depth == 0;
        return piece;
    }
    if (found != TOKEN_ENUM && found != TOKEN_STRUCT && found != TOKEN_UNION && found != TOKEN_CONST)
        return false;
    uint32_t brace = VECTOR_AT(&state->braces, span, depth - 1)->start + 1;
    bool piece = state->nest_told == brace;
    state->nest_told = brace;
    return piece;
}

void parse_unexpected(parse *state, const parse_surprise *surprise)
{
    int found = state->last.kind;
    state->file->broken = true;

    if (found == TOKEN_YYEOF && (state->cut || state->braces.count > 0)) {
        if (!state->cut)
            mistake_unclosed(state, *VECTOR_AT(&state->braces, span, state->braces.count - 1), state->last.at);
        return;
    }
    if (brace_is_forgotten(state) || end_is_forgotten(state, surprise))
        return;
    if (!is_piece(state, surprise) && !is_aftermath(state) && !is_close(state) &&
        !separator_is_wrong(state, surprise)) {
        unexpected(state, surprise);
        if (found == '{')
            state->opened = state->last.at.start + 1;
    }
    surprised(state);
    if (found == ';' || found == '}' || found == TOKEN_YYEOF)
        return;
    filter_skip(state);
}

void parse_too_deep(parse *state, span at)
{
    state->file->broken = true;
    if (state->deep_reported)
        return;
    state->deep_reported = true;
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E114, at, "types and expressions nest too deeply here");
    diag_note(entry, (span){0}, "at most %d levels", AST_DEPTH_MOST);
}

void parse_wrong_separator(parse *state, span at, const char *found, const char *wanted)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E101, at, "'%s' where '%s' belongs", found, wanted);
    diag_fix(entry, "write '%s'", wanted);
    state->mended = at.end + 1;
}

void parse_missing_end(parse *state, span at)
{
    bool misnamed = state->misnamed == at.start + 1 && !filter_newline_between(state, at, state->last.at);
    state->mended = at.end + 1;
    surprised(state);
    if (misnamed) /* `repeated int32 x;`: 'int32' was no name */
        return;
    diag_fix(diag_add(state->diagnostics, DIAG_E102, at, "missing ';'"), "add ';' here");
}

void parse_bad_name(parse *state, ast_ident name, const char *role)
{
    bool close = is_close(state);
    state->misnamed = name.at.end + 1;
    surprised(state);
    if (close)
        return;
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E113, name.at,
                                 "'%s' is a word of the language and cannot name %s", name.text, role);
    diag_fix(entry, "choose another name, '%s_value' for one; @c_name sets the name in C", name.text);
}

ast_ident parse_swapped(parse *state, ast_type *type, const ast_type *scalar, const char *role)
{
    if (type->kind != AST_TYPE_NAME || strchr(type->name.text, '.')) {
        parse_bad_name(state, scalar->name, role);
        return scalar->name;
    }
    bool close = is_close(state);
    ast_ident name = type->name;
    *type = *scalar;
    surprised(state);
    if (!close)
        diag_fix(diag_add(state->diagnostics, DIAG_E113, scalar->at, "the type stands before the name"),
                 "write '%s %s'", scalar->name.text, name.text);
    return name;
}

void mistake_label(parse *state, const token *label)
{
    const char *text = label->value.ident.text;
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E110, label->at, "unexpected '%s', expected a type", text);
    if (strcmp(text, "required") == 0)
        diag_fix(entry, "remove it: a field is always there, unless its type ends in '?'");
    else if (strcmp(text, "repeated") == 0)
        diag_fix(entry, "a field that repeats is written 'vector<type, N> name;'");
    else
        diag_fix(entry, "an optional field is written 'type? name;'");
}

void parse_no_reply(parse *state, span at)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E110, at, "an rpc has a reply, expected '->'");
    diag_fix(entry, "write '-> ()' for a reply without a payload, or 'oneway' where there is no reply");
}

void parse_stray_end(parse *state, span at)
{
    bool behind = state->before.kind == '}';
    if (is_close(state) ||
        (behind && state->mended == state->before.at.end + 1)) /* it closes nothing, which was said */
        return;
    diag_fix(diag_add(state->diagnostics, DIAG_E110, at,
                      behind ? "no ';' follows the '}' of a declaration" : "this ';' ends nothing"),
             "remove it");
}

bool parse_strict(parse *state, ast_ident word, ast_decl_kind kind)
{
    if (!word.text)
        return false;
    if (kind == AST_ENUM || kind == AST_FLAGS || kind == AST_UNION || kind == AST_SERVICE)
        return true;
    diag_entry *entry =
        diag_add(state->diagnostics, DIAG_E110, word.at, "%s cannot be 'strict'", ast_decl_described(kind));
    diag_note(entry, (span){0}, "an enum, flags, a union or a service can");
    diag_fix(entry, "remove the word");
    return false;
}

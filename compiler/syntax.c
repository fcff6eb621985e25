/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syntax.c - the filter between scanner and grammar, and what is said about a token that nobody expected.
 *
 * How a mistake is got over. Bison pops to a list of items, members, fields or methods and then throws tokens away
 * until a `;` or a `}`. Which one, only the filter can tell, since it knows the braces: from the mistake on it hands
 * out nothing but the `;` that ends the entry, or the `}` that closes what the entry is in; a balanced `{ ... }` on
 * the way is passed over whole. Where a declaration begins in column 1 while a brace is open, the brace was
 * forgotten: a `}` is handed out that is not in the file, and the declaration is parsed as such.
 */
#include "syntax.h"

#include <string.h>

#include "parse.h"
#include "parser.h"
#include "support/buffer.h"
#include "support/text.h"

#define YYSTYPE PARSER_STYPE
#define YYLTYPE PARSER_LTYPE
#include "lexer.h"

#define QUEUE_MOST 8
#define EXPECTED_MOST 6 /* a longer list of what was expected helps nobody */

typedef struct token {
    int kind;
    PARSER_STYPE value;
    span at;
} token;

struct parse {
    arena *memory;
    diag *diagnostics;
    const source *text;
    ast_file *file;
    yyscan_t scanner;
    span scanned;            /* where the scanner is: the place of its last token */
    span code_end;           /* of the last token that is no doc comment */
    token queue[QUEUE_MOST]; /* handed out before the scanner is asked */
    unsigned queued;
    token last;    /* what was handed out last, */
    token before;  /* and before that */
    vector braces; /* span: of each '{' that is open */
    bool skipping;
    uint32_t skip_depth; /* how many braces were open where the mistake was */
    uint32_t given_back; /* 1 + where the token was that give_back() saw last */
    bool cut;            /* the file ends within a comment (reported) */
    bool deep_reported;
    bool unsupported;   /* in the declaration that is being parsed */
    uint32_t stray_end; /* behind the last stray character */
};

int parser_lex(PARSER_STYPE *value, PARSER_LTYPE *place, parse *state);

/* ---- what the scanner needs ---- */

arena *parse_memory(parse *state)
{
    return state->memory;
}

diag *parse_diag(parse *state)
{
    return state->diagnostics;
}

const source *parse_source(parse *state)
{
    return state->text;
}

void parse_broken(parse *state)
{
    state->file->broken = true;
}

void parse_cut(parse *state)
{
    state->cut = true;
    state->file->broken = true;
}

void parse_stray(parse *state, span at)
{
    unsigned char character = (unsigned char)state->text->text[at.start];
    bool neighbour = at.start == state->stray_end && at.start > 0;
    state->stray_end = at.end;
    state->file->broken = true;
    if (neighbour)
        return;
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

/* ---- the filter ---- */

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

static bool newline_between(const parse *state, span first, span second)
{
    return second.start > first.end && memchr(state->text->text + first.end, '\n', second.start - first.end);
}

/* Puts a token back: it is the next one to be handed out. */
static void queue_return(parse *state, token next)
{
    if (state->queued == QUEUE_MOST)
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
        if (code.file && !newline_between(state, code, next.at)) {
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

static bool begins_declaration(const parse *state, const token *word)
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
        if (depth > 0 && begins_declaration(state, &next)) {
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

static void unclosed(parse *state, span open, span found)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E108, open, "this '{' is not closed");
    if (found.end > found.start)
        diag_note(entry, found, "a declaration begins here, before the '}'");
    else
        diag_note(entry, found, "the file ends here, before the '}'");
}

/* `struct` and its like, in column 1 where an entry could begin: no entry begins so, hence a brace was forgotten. */
static bool cannot_be_inside(const parse *state, const token *word)
{
    bool hard = word->kind == TOKEN_STRUCT || word->kind == TOKEN_ENUM || word->kind == TOKEN_UNION ||
                word->kind == TOKEN_CONST;
    bool begins = state->last.kind == ';' || state->last.kind == '{' || state->last.kind == '}';
    return hard && begins && state->braces.count > 0 && begins_declaration(state, word);
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
    token next = state->skipping ? skip(state) : fetch(state);
    if (cannot_be_inside(state, &next)) {
        unclosed(state, *VECTOR_AT(&state->braces, span, state->braces.count - 1), next.at);
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
    *value = next.value;
    *place = next.at;
    return next.kind;
}

/* ---- mistakes of the grammar ---- */

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
    if (grouped)
        items[count++] = declaration ? "a declaration" : type ? "a type" : "a name";
    for (uint32_t i = 0; i < surprise->count; i++) {
        const char *item = surprise->names[i];
        if (strcmp(item, "name") == 0 || strcmp(item, "reserved word") == 0 || strcmp(item, "doc comment") == 0 ||
            strcmp(item, "'@'") == 0 || (grouped && is_word(item)))
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
    else if (found->kind == '}' && expects(surprise, "import"))
        entry = diag_add(state->diagnostics, DIAG_E110, found->at, "this '}' closes nothing");
    else
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
}

/*
 * Hands `first`, which is not in the file, to the parser, and then the token that was unexpected once more, with the
 * one before it where `with_before`. Not twice for one token, so that there is always progress.
 */
static bool give_back(parse *state, int first, bool with_before)
{
    token found = state->last;
    if (state->given_back == found.at.start + 1 || state->queued > QUEUE_MOST - 3)
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

/* A declaration in column 1 while a brace is open: the brace was forgotten. */
static bool brace_is_forgotten(parse *state)
{
    const token *found = &state->last;
    uint32_t depth = state->braces.count - (found->kind == '{' ? 1 : 0);
    bool late = begins_declaration(state, &state->before);
    if (depth == 0 || !(late || begins_declaration(state, found)))
        return false;
    span open = *VECTOR_AT(&state->braces, span, depth - 1);
    span begun = late ? state->before.at : found->at;
    if (!give_back(state, '}', late))
        return false;
    unclosed(state, open, begun);
    return true;
}

/* A new line begins where a ';' could have stood. */
static bool end_is_forgotten(parse *state, const parse_surprise *surprise)
{
    span behind = {state->text, state->before.at.end, state->before.at.end};
    if (!surprise->could_end || !newline_between(state, state->before.at, state->last.at) ||
        !give_back(state, ';', false))
        return false;
    parse_missing_end(state, behind);
    return true;
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

void parse_unexpected(parse *state, const parse_surprise *surprise)
{
    int found = state->last.kind;
    state->file->broken = true;

    if (found == TOKEN_YYEOF && (state->cut || state->braces.count > 0)) {
        if (!state->cut)
            unclosed(state, *VECTOR_AT(&state->braces, span, state->braces.count - 1), state->last.at);
        return;
    }
    if (brace_is_forgotten(state) || end_is_forgotten(state, surprise))
        return;
    if (!separator_is_wrong(state, surprise))
        unexpected(state, surprise);
    if (found == ';' || found == '}' || found == TOKEN_YYEOF)
        return;
    state->skipping = true;
    state->skip_depth = state->braces.count - (found == '{' ? 1 : 0);
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
}

void parse_missing_end(parse *state, span at)
{
    diag_fix(diag_add(state->diagnostics, DIAG_E102, at, "missing ';'"), "add ';' here");
}

void parse_bad_name(parse *state, ast_ident name, const char *role)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E113, name.at,
                                 "'%s' is a word of the language and cannot name %s", name.text, role);
    diag_fix(entry, "choose another name, '%s_value' for one; @c_name sets the name in C", name.text);
}

void parse_no_reply(parse *state, span at)
{
    diag_entry *entry = diag_add(state->diagnostics, DIAG_E110, at, "an rpc has a reply, expected '->'");
    diag_fix(entry, "write '-> ()' for a reply without a payload, or 'oneway' where there is no reply");
}

void parse_stray_end(parse *state, span at)
{
    diag_fix(diag_add(state->diagnostics, DIAG_E110, at, "no ';' follows the '}' of a declaration"), "remove it");
}

void parse_unsupported(parse *state, span at, const char *what)
{
    state->unsupported = true;
    diag_add(state->diagnostics, DIAG_E701, at, "%s is not supported yet", what);
}

/* ---- nodes ---- */

ast_expr *parse_unary(parse *state, ast_operator op, const ast_expr *left, span at)
{
    ast_expr *expr = ast_unary(state->memory, op, left, at);
    if (expr->depth <= AST_DEPTH_MOST)
        return expr;
    parse_too_deep(state, at);
    return ast_expr_new(state->memory, AST_INTEGER, at);
}

ast_expr *parse_binary(parse *state, ast_operator op, const ast_expr *left, const ast_expr *right, span at)
{
    ast_expr *expr = ast_binary(state->memory, op, left, right, at);
    if (expr->depth <= AST_DEPTH_MOST)
        return expr;
    parse_too_deep(state, at);
    return ast_expr_new(state->memory, AST_INTEGER, at);
}

ast_type *parse_type(parse *state, ast_type_kind kind, const ast_type *element, const ast_expr *count, span at)
{
    ast_type *type = ast_type_of(state->memory, kind, element, count, at);
    if (type->depth <= AST_DEPTH_MOST)
        return type;
    parse_too_deep(state, at);
    return ast_type_new(state->memory, AST_TYPE_SCALAR, at);
}

ast_notes *parse_notes(parse *state)
{
    ast_notes *notes = arena_alloc(state->memory, sizeof(*notes));
    notes->annotations = VECTOR_OF(ast_annotation *);
    return notes;
}

void parse_doc(parse *state, ast_notes *notes, const char *text)
{
    notes->doc = notes->doc ? arena_printf(state->memory, "%s\n%s", notes->doc, text) : text;
}

void parse_annotation(parse *state, ast_notes *notes, ast_ident name, vector *arguments, span at)
{
    ast_annotation *annotation = arena_alloc(state->memory, sizeof(*annotation));
    *annotation = (ast_annotation){.name = name, .at = at, .arguments = arguments};
    vector_add_pointer(&notes->annotations, state->memory, annotation);
}

vector *parse_list(parse *state)
{
    vector *list = arena_alloc(state->memory, sizeof(*list));
    *list = VECTOR_OF(void *);
    return list;
}

void parse_list_add(parse *state, vector *list, const void *item)
{
    if (item)
        vector_add_pointer(list, state->memory, item);
}

const char *parse_join(parse *state, const vector *parts)
{
    if (parts->count == 1)
        return *VECTOR_AT(parts, const char *, 0);
    buffer name = {0};
    for (uint32_t i = 0; i < parts->count; i++) {
        buffer_puts(&name, i ? "." : "");
        buffer_puts(&name, *VECTOR_AT(parts, const char *, i));
    }
    const char *joined = arena_copy(state->memory, name.data, name.length);
    buffer_deinit(&name);
    return joined;
}

void parse_package(parse *state, const ast_notes *notes, ast_ident name, span at)
{
    ast_file *file = state->file;
    if (file->package) {
        diag_entry *entry = diag_add(state->diagnostics, DIAG_E107, at, "a file has one package declaration");
        diag_note(entry, file->package->at, "the first is here");
        return;
    }
    if (file->imports.count || file->decls.count)
        diag_fix(diag_add(state->diagnostics, DIAG_E107, at, "the package declaration comes first"),
                 "move it before all other declarations");
    ast_package *package = arena_alloc(state->memory, sizeof(*package));
    *package = (ast_package){notes, name, at};
    file->package = package;
}

void parse_import(parse *state, const ast_notes *notes, ast_string path, ast_ident as)
{
    ast_import *import = arena_alloc(state->memory, sizeof(*import));
    *import = (ast_import){notes, path, as};
    vector_add_pointer(&state->file->imports, state->memory, import);
}

void parse_declare(parse *state, const ast_decl *decl)
{
    ast_decl *copy = arena_alloc(state->memory, sizeof(*copy));
    *copy = *decl;
    copy->partial = state->unsupported;
    state->unsupported = false;
    vector_add_pointer(&state->file->decls, state->memory, copy);
}

/* ---- the file ---- */

/* What the scanner relies on: UTF-8 without NUL. */
static bool text_is_sound(parse *state)
{
    const source *text = state->text;
    const char *nul = memchr(text->text, '\0', text->size);
    size_t bad;
    if (!utf8_valid(text->text, text->size, &bad)) {
        span at = {text, (uint32_t)bad, (uint32_t)bad + 1};
        diag_entry *entry = diag_add(state->diagnostics, DIAG_E109, at, "the byte 0x%02X is not UTF-8 here",
                                     (unsigned)(unsigned char)text->text[bad]);
        diag_fix(entry, "save the file as UTF-8");
        return false;
    }
    if (nul) {
        uint32_t offset = (uint32_t)(nul - text->text);
        diag_add(state->diagnostics, DIAG_E111, (span){text, offset, offset + 1}, "unexpected NUL character");
        return false;
    }
    return true;
}

ast_file *syntax_parse(arena *memory, diag *diagnostics, const source *text)
{
    ast_file *file = arena_alloc(memory, sizeof(*file));
    file->text = text;
    file->imports = VECTOR_OF(ast_import *);
    file->decls = VECTOR_OF(ast_decl *);

    parse state = {.memory = memory, .diagnostics = diagnostics, .text = text, .file = file};
    state.braces = VECTOR_OF(span);
    if (!text_is_sound(&state)) {
        file->broken = true;
        return file;
    }
    uint32_t start = text->lines[0]; /* behind a byte order mark */
    state.scanned = (span){text, start, start};
    if (scanner_lex_init_extra(&state, &state.scanner) != 0) {
        parse_too_deep(&state, state.scanned);
        return file;
    }
    scanner__scan_bytes(text->text + start, (int)(text->size - start), state.scanner);
    if (parser_parse(&state) != 0)
        file->broken = true;
    scanner_lex_destroy(state.scanner);

    if (!file->package && !file->broken) {
        span first = {text, start, start};
        diag_entry *entry = diag_add(diagnostics, DIAG_E107, first, "the file has no package declaration");
        diag_fix(entry, "begin it with one: 'package demo.name;'");
    }
    return file;
}

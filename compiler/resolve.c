/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - the tables of names.
 *
 * A file sees its own declarations by their names, and those of an imported
 * file behind its qualifier. Where a file was not read to its end, what it
 * lacks may be in the part that was skipped: nothing is said about that then.
 */
#include "resolve.h"

#include <string.h>

#include "repeat.h"
#include "support/text.h"
#include "versions.h"

bool compile_enter(compile *run, span at)
{
    if (run->depth < COMPILE_DEPTH_MOST) {
        run->depth++;
        return true;
    }
    if (run->deep_reported)
        return false;
    run->deep_reported = true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E114, at, "declarations depend on each other too deeply here");
    diag_note(entry, (span){0}, "at most %d steps", COMPILE_DEPTH_MOST);
    return false;
}

void compile_leave(compile *run)
{
    run->depth--;
}

static void defined_twice(compile *run, const ast_ident *name, span first)
{
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E201, name->at, "'%s' is defined twice", name->text);
    diag_note(entry, first, "the first one is here");
}

static void check_form(compile *run, const ast_ident *name, const char *role)
{
    size_t length = strlen(name->text);
    const char *doubled = strstr(name->text, "__");
    if (!doubled && name->text[length - 1] != '_' && !strstr(name->text, "_."))
        return;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E210, name->at, "the name of %s %s", role,
                                 doubled ? "has '__' in it" : "ends in '_'");
    diag_note(entry, (span){0}, "such names are kept for what is generated");
}

void resolve_check_package(compile *run, const ast_package *package)
{
    check_form(run, &package->name, "a package");
}

void resolve_enter(compile *run, map *scope, const ast_ident *name, const char *role)
{
    check_form(run, name, role);
    ast_ident *kept = arena_alloc(run->scratch, sizeof(*kept));
    *kept = *name;
    const ast_ident *first = map_add(scope, run->scratch, name->text, kept);
    if (first)
        defined_twice(run, name, first->at);
}

static const char *last_part(const char *dotted)
{
    const char *dot = strrchr(dotted, '.');
    return dot ? dot + 1 : dotted;
}

static span link_place(const import_link *import)
{
    return import->ast->as.text ? import->ast->as.at : import->ast->path.at;
}

static void declare_import(compile *run, unit *file, import_link *import)
{
    const ast_import *ast = import->ast;
    if (!import->target)
        return;
    const ast_package *package = import->target->ast->package;
    if (!ast->as.text && !package)
        return;
    import->qualifier = ast->as.text ? ast->as.text : last_part(package->name.text);
    const import_link *first = map_add(&file->links, run->scratch, import->qualifier, import);
    if (!first)
        return;
    import->used = true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E201, link_place(import), "two imports have the qualifier '%s'",
                                 import->qualifier);
    diag_note(entry, link_place(first), "the first one is here");
    if (first->target == import->target)
        diag_fix(entry, "remove one of the two: they are the same file");
    else
        diag_fix(entry, "give one another qualifier: 'import \"%s\" as %s2;'", ast->path.text, import->qualifier);
}

static model_decl *decl_new(compile *run, const unit *file, const ast_decl *ast, uint32_t id)
{
    static const model_decl_kind kinds[] = {
        [AST_CONST] = MODEL_DECL_CONST, [AST_ALIAS] = MODEL_DECL_ALIAS,   [AST_ENUM] = MODEL_DECL_ENUM,
        [AST_FLAGS] = MODEL_DECL_FLAGS, [AST_STRUCT] = MODEL_DECL_STRUCT, [AST_MESSAGE] = MODEL_DECL_MESSAGE,
        [AST_UNION] = MODEL_DECL_UNION, [AST_ERRORS] = MODEL_DECL_ERRORS, [AST_SERVICE] = MODEL_DECL_SERVICE,
        [AST_TOPIC] = MODEL_DECL_TOPIC, [AST_QUEUE] = MODEL_DECL_QUEUE,
    };
    model_decl *decl = arena_alloc(run->memory, sizeof(*decl));
    decl->id = id;
    decl->kind = kinds[ast->kind];
    decl->file = file->out;
    decl->name = ast->name.text;
    decl->at = ast->name.at;
    decl->qualified_name = ast->name.text;
    if (file->out->package)
        decl->qualified_name = arena_printf(run->memory, "%s.%s", file->out->package, ast->name.text);
    return decl;
}

static void declare_symbol(compile *run, unit *file, const ast_decl *ast, uint32_t id)
{
    symbol *named = arena_alloc(run->scratch, sizeof(*named));
    named->ast = ast;
    named->home = file;
    named->out = decl_new(run, file, ast, id);
    vector_add_pointer(&file->symbol_list, run->memory, named);

    check_form(run, &ast->name, ast_decl_described(ast->kind));
    const symbol *first = map_add(&file->symbols, run->scratch, ast->name.text, named);
    const import_link *import = map_find(&file->links, ast->name.text);
    if (!first)
        first = map_add(&run->by_qualified, run->scratch, named->out->qualified_name, named);
    if (first) {
        defined_twice(run, &ast->name, first->ast->name.at);
    } else if (import) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E201, ast->name.at,
                                     "'%s' is also the qualifier of an import", ast->name.text);
        diag_note(entry, link_place(import), "the import is here");
        diag_fix(entry, "give the import another qualifier: 'import \"%s\" as %s2;'", import->ast->path.text,
                 import->qualifier);
    }
}

void resolve_declare(compile *run, unit *file)
{
    for (uint32_t i = 0; i < file->link_list.count; i++)
        declare_import(run, file, *VECTOR_AT(&file->link_list, import_link *, i));
    for (uint32_t i = 0; i < file->ast->decls.count; i++)
        declare_symbol(run, file, *VECTOR_AT(&file->ast->decls, ast_decl *, i), i);
}

/* Splits the first part off a dotted name; *ret_rest is NULL where that was all. */
static const char *first_part(compile *run, const char *dotted, const char **ret_rest)
{
    const char *dot = strchr(dotted, '.');
    *ret_rest = dot ? dot + 1 : NULL;
    return dot ? arena_copy(run->memory, dotted, (size_t)(dot - dotted)) : dotted;
}

/* Names that an import would bring, for one that was written without its qualifier. */
static void suggest_qualified(diag_entry *entry, const unit *from, const char *name)
{
    for (uint32_t i = 0; i < from->link_list.count; i++) {
        const import_link *import = *VECTOR_AT(&from->link_list, import_link *, i);
        if (import->target && import->qualifier && map_find(&import->target->symbols, name)) {
            diag_fix(entry, "did you mean '%s.%s'?", import->qualifier, name);
            return;
        }
    }
}

/* Whether so many names may be looked at for a suggestion. */
static bool may_guess(compile *run, uint32_t names)
{
    if (diag_errors(run->diagnostics) >= DIAG_MOST || names > COMPILE_GUESSES_MOST - run->guesses)
        return false;
    run->guesses += names;
    return true;
}

/* Says that `where` (the file itself, or one that it imports) does not declare a name. */
static void unknown(compile *run, const unit *from, const unit *where, const char *name, span at)
{
    if (where->ast->broken)
        return;
    diag_entry *entry = where == from ? repeat_add(run, DIAG_E205, at, NULL, "unknown name '%s'", name)
                                      : repeat_add(run, DIAG_E205, at, NULL, "'%s' declares no '%s'",
                                                   where->ast->package->name.text, name);
    if (!entry)
        return;
    text_guess guess = {.wanted = name};
    bool guessing = may_guess(run, where->symbol_list.count + from->link_list.count);
    for (uint32_t i = 0; guessing && i < where->symbol_list.count; i++)
        text_guess_offer(&guess, (*VECTOR_AT(&where->symbol_list, symbol *, i))->ast->name.text);
    for (uint32_t i = 0; where == from && guessing && i < from->link_list.count; i++) {
        const import_link *import = *VECTOR_AT(&from->link_list, import_link *, i);
        if (import->qualifier)
            text_guess_offer(&guess, import->qualifier);
    }

    const symbol *meant = guess.nearest ? map_find(&where->symbols, guess.nearest) : NULL;
    if (meant)
        diag_note(entry, meant->ast->name.at, "'%s' is declared here", guess.nearest);
    if (guess.nearest)
        diag_fix(entry, "did you mean '%s'?", guess.nearest);
    else if (where == from && guessing)
        suggest_qualified(entry, from, name);
}

/* Whether an import could not be followed, so that an unknown qualifier may be its. */
static bool lacks_import(const unit *file)
{
    for (uint32_t i = 0; i < file->link_list.count; i++)
        if (!(*VECTOR_AT(&file->link_list, import_link *, i))->qualifier)
            return true;
    return false;
}

symbol *resolve_name(compile *run, const unit *from, ast_ident name, const char **ret_rest)
{
    const char *rest;
    const char *first = first_part(run, name.text, &rest);
    symbol *named = map_find(&from->symbols, first);
    if (named) {
        *ret_rest = rest;
        return named;
    }
    import_link *import = map_find(&from->links, first);
    if (!import) {
        if (!rest || !lacks_import(from))
            unknown(run, from, from, first, name.at);
        return NULL;
    }
    import->used = true;
    if (!rest) {
        diag_add(run->diagnostics, DIAG_E206, name.at, "'%s' is the qualifier of an import, not a name", first);
        return NULL;
    }
    const char *second = first_part(run, rest, &rest);
    named = map_find(&import->target->symbols, second);
    if (!named) {
        unknown(run, from, import->target, second, name.at);
        return NULL;
    }
    *ret_rest = rest;
    return named;
}

void resolve_unknown_member(compile *run, const symbol *owner, const char *member, span at)
{
    if (owner->home->ast->broken)
        return;
    const char *name = owner->ast->name.text;
    diag_entry *entry = repeat_add(run, DIAG_E205, at, NULL, "'%s' has no member '%s'", name, member);
    if (!entry)
        return;
    text_guess guess = {.wanted = member};
    bool guessing = may_guess(run, owner->ast->body->entries.count);
    for (uint32_t i = 0; guessing && i < owner->ast->body->entries.count; i++)
        text_guess_offer(&guess, (*VECTOR_AT(&owner->ast->body->entries, ast_member *, i))->name.text);
    diag_note(entry, owner->ast->name.at, "'%s' is declared here", name);
    if (guess.nearest)
        diag_fix(entry, "did you mean '%s.%s'?", name, guess.nearest);
}

const char *resolve_deprecation(const ast_notes *notes)
{
    for (uint32_t i = 0; i < notes->annotations.count; i++) {
        const ast_annotation *annotation = *VECTOR_AT(&notes->annotations, ast_annotation *, i);
        if (strcmp(annotation->name.text, "deprecated") != 0)
            continue;
        if (!annotation->arguments || annotation->arguments->count == 0)
            return "";
        const ast_argument *argument = *VECTOR_AT(annotation->arguments, ast_argument *, 0);
        return argument->value->kind == AST_STRING ? argument->value->text.text : "";
    }
    return NULL;
}

void resolve_use(compile *run, const symbol *used, const model_member *member, span at)
{
    versions_use(run, used, member, at);
    if (run->deprecated_user)
        return;
    bool is_member = member && member->notes.deprecated;
    const char *reason = is_member ? member->notes.deprecated : resolve_deprecation(used->ast->notes);
    if (!reason)
        return;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_W412, at, "'%s' is deprecated%s%s",
                                 is_member ? member->name : used->ast->name.text, *reason ? ": " : "", reason);
    diag_note(entry, is_member ? member->at : used->ast->name.at, "it is declared here");
}

void resolve_finish(compile *run, const unit *file)
{
    if (file->ast->broken || diag_errors(run->diagnostics) > 0)
        return; /* what has a mistake may be what uses it */
    for (uint32_t i = 0; i < file->link_list.count; i++) {
        const import_link *import = *VECTOR_AT(&file->link_list, import_link *, i);
        if (import->used || !import->qualifier)
            continue;
        diag_entry *entry = diag_add(run->diagnostics, DIAG_W209, import->ast->path.at, "nothing of '%s' is used",
                                     import->ast->path.text);
        diag_fix(entry, "remove the import");
    }
}

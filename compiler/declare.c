/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declare.c - see declare.h.
 *
 * A symbol's states: NEW -> BUSY (declare_complete() is at work on it) -> DONE or BAD. While it is BUSY it is on
 * run->busy. Needing one that is BUSY turns it BAD, and with it all that were begun after it, for they are what the
 * cycle is made of; declare_complete() then finds it BAD when its work returns, and leaves it so.
 */
#include "declare.h"

#include "annotate.h"
#include "channel.h"
#include "constant.h"
#include "members.h"
#include "records.h"
#include "resolve.h"
#include "service.h"
#include "types.h"
#include "versions.h"

/* Whether the symbols of a cycle are all of a kind. */
static bool are_all(const compile *run, uint32_t first, ast_decl_kind kind)
{
    for (uint32_t i = first; i < run->busy.count; i++)
        if ((*VECTOR_AT(&run->busy, symbol *, i))->ast->kind != kind)
            return false;
    return true;
}

static void report_cycle(compile *run, const symbol *again, span at)
{
    uint32_t first = run->busy.count - 1;
    while (first > 0 && *VECTOR_AT(&run->busy, symbol *, first) != again)
        first--;

    const char *way = again->ast->name.text;
    for (uint32_t i = first + 1; i < run->busy.count && i < first + 8; i++)
        way = arena_printf(run->memory, "%s -> %s", way, (*VECTOR_AT(&run->busy, symbol *, i))->ast->name.text);
    way = arena_printf(run->memory, "%s%s -> %s", way, run->busy.count > first + 8 ? " -> ..." : "",
                       again->ast->name.text);

    bool constants = are_all(run, first, AST_CONST);
    bool services = are_all(run, first, AST_SERVICE);
    diag_entry *entry = diag_add(run->diagnostics,
                                 constants  ? DIAG_E303
                                 : services ? DIAG_E510
                                            : DIAG_E304,
                                 at,
                                 constants  ? "the constant '%s' depends on itself"
                                 : services ? "the service '%s' is composed of itself"
                                            : "'%s' contains itself",
                                 again->ast->name.text);
    diag_note(entry, again->ast->name.at, "%s", way);
    if (!constants && !services)
        diag_fix(entry, "everything is stored inline: break the cycle, by an index for one");
    for (uint32_t i = first; i < run->busy.count; i++)
        (*VECTOR_AT(&run->busy, symbol *, i))->state = SYMBOL_BAD;
}

static bool complete_const(compile *run, symbol *named)
{
    const ast_decl *ast = named->ast;
    model_constant *constant = arena_alloc(run->memory, sizeof(*constant));
    const model_type *type = types_resolve(run, named->home, ast->type, TYPES_CONST, NULL);
    bool fitting = type && constant_may_be(type);
    if (type && !fitting) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E311, ast->type->at, "a constant cannot be of type %s",
                                     types_name(run->memory, type));
        diag_note(entry, (span){0}, "it is a bool, a number, a string, or a member of an enum or of flags");
    }
    value given;
    run->sized = (sized_by){0};
    bool known = constant_evaluate(run, named->home, ast->value, NULL, &given);
    named->sized = run->sized;
    if (!known || !fitting || !constant_fit(run, &given, type, ast->value->at, DIAG_E301, &constant->value))
        return false;
    constant->type = type;
    named->out->as.constant = constant;
    return true;
}

/* A copy of a type that says by which alias it was named. */
static const model_type *type_as(compile *run, const model_type *type, const model_decl *alias)
{
    model_type *copy = arena_alloc(run->memory, sizeof(*copy));
    *copy = *type;
    copy->alias = alias;
    return copy;
}

static bool complete_alias(compile *run, symbol *named)
{
    const model_type *type = types_resolve(run, named->home, named->ast->type, TYPES_ALIAS, NULL);
    if (!type)
        return false;
    named->out->as.alias = type;
    named->type = type_as(run, type, named->out);
    return true;
}

static bool complete_record(compile *run, symbol *named, const annotate_result *notes)
{
    const ast_decl *ast = named->ast;
    model_record *record = arena_alloc(run->memory, sizeof(*record));
    bool right = true;
    record->kind = ast->kind == AST_STRUCT    ? MODEL_RECORD_STRUCT
                   : ast->kind == AST_MESSAGE ? MODEL_RECORD_MESSAGE
                                              : MODEL_RECORD_UNION;
    record->role = MODEL_ROLE_NAMED;
    record->decl = named->out;
    record->strict = ast->strict;
    if (notes->fixed_size)
        right = records_size(run, named->home, notes->fixed_size, &record->fixed_size);
    if (notes->fixed_align)
        right = records_align(run, named->home, notes->fixed_align, &record->fixed_align) && right;
    right = records_complete(run, named->home, record, ast->body, ast->name.at) && right;
    if (!right)
        return false;
    named->out->as.record = record;

    model_type *type = arena_alloc(run->memory, sizeof(*type));
    type->kind = ast->kind == AST_UNION ? MODEL_UNION : MODEL_STRUCT;
    type->size = record->size;
    type->align = record->align;
    type->nesting = record->nesting;
    type->record = record;
    named->type = type;
    return true;
}

static bool complete_inner(compile *run, symbol *named, const annotate_result *notes)
{
    switch (named->ast->kind) {
    case AST_CONST: return complete_const(run, named);
    case AST_ALIAS: return complete_alias(run, named);
    case AST_ENUM:
    case AST_FLAGS:
    case AST_ERRORS: return members_complete(run, named);
    case AST_STRUCT:
    case AST_MESSAGE:
    case AST_UNION: return complete_record(run, named, notes);
    case AST_SERVICE: return service_complete(run, named);
    case AST_TOPIC:
    case AST_QUEUE: return channel_complete(run, named);
    }
    return false;
}

/* The annotations of all declarations but services, topics and queues, which read them themselves. */
static void complete_notes(compile *run, symbol *named, annotate_result *notes)
{
    ast_decl_kind kind = named->ast->kind;
    if (kind == AST_SERVICE || kind == AST_TOPIC || kind == AST_QUEUE)
        return;
    annotate_read(run, named->ast->notes,
                  kind == AST_MESSAGE                       ? ANNOTATE_MESSAGE
                  : kind == AST_STRUCT || kind == AST_UNION ? ANNOTATE_STRUCT
                                                            : ANNOTATE_DECL,
                  notes);
    versions_declaration(run, notes);
    named->out->notes = notes->notes;
}

/* Those that a language may want to have declared before they are used. */
static bool is_type(ast_decl_kind kind)
{
    return kind != AST_CONST && kind != AST_SERVICE && kind != AST_TOPIC && kind != AST_QUEUE;
}

bool declare_complete(compile *run, symbol *named, span at)
{
    if (named->state == SYMBOL_BUSY) {
        report_cycle(run, named, at);
        return false;
    }
    if (named->state != SYMBOL_NEW)
        return named->state == SYMBOL_DONE;
    if (!compile_enter(run, at))
        return false;

    bool deprecated_user = run->deprecated_user;
    const unit *home = run->home;
    uint32_t since = run->since;
    sized_by sized = run->sized;
    run->home = named->home;
    run->deprecated_user = resolve_deprecation(named->ast->notes) != NULL;
    named->state = SYMBOL_BUSY;
    vector_add_pointer(&run->busy, run->memory, named);
    annotate_result notes = {0};
    complete_notes(run, named, &notes);
    bool right = complete_inner(run, named, &notes);
    run->busy.count--;
    run->deprecated_user = deprecated_user;
    run->home = home;
    run->since = since;
    run->sized = sized;
    compile_leave(run);

    if (named->state == SYMBOL_BUSY)
        named->state = right ? SYMBOL_DONE : SYMBOL_BAD;
    if (named->state == SYMBOL_DONE && is_type(named->ast->kind))
        vector_add_pointer(&named->home->completed, run->memory, named->out);
    return named->state == SYMBOL_DONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c - see service.h.
 */
#include "service.h"

#include <shmrpc/wire.h>

#include "annotate.h"
#include "declare.h"
#include "records.h"
#include "resolve.h"
#include "revise.h"
#include "versions.h"

/* What making a method needs to know about where it is. */
typedef struct method_place {
    compile *run;
    const symbol *owner;
    const model_service *service;
    uint32_t index;
} method_place;

static bool inline_body(const method_place *place, const ast_payload *ast, model_role role, const model_record **ret)
{
    model_record *record = arena_alloc(place->run->memory, sizeof(*record));
    record->kind = MODEL_RECORD_MESSAGE;
    record->role = role;
    record->service = place->service;
    record->method = place->index;
    if (!records_complete(place->run, place->owner->home, record, ast->fields, ast->at, false))
        return false;
    *ret = record;
    return true;
}

static bool named_payload(const method_place *place, const ast_payload *ast, const model_record **ret)
{
    compile *run = place->run;
    const char *rest;
    symbol *named = resolve_name(run, place->owner->home, ast->name, &rest);
    if (!named)
        return false;
    if (rest || named->ast->kind != AST_MESSAGE) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E507, ast->at, "'%s' is %s; a payload is a message",
                                     ast->name.text, rest ? "no message" : ast_decl_described(named->ast->kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", named->ast->name.text);
        if (named->ast->kind == AST_STRUCT || named->ast->kind == AST_UNION)
            diag_fix(entry, "write an inline body: '({ %s value; })', or make it a message", ast->name.text);
        return false;
    }
    if (!declare_complete(run, named, ast->at))
        return false;
    resolve_use(run, named, NULL, ast->at);
    *ret = named->out->as.record;
    return true;
}

/* A request or a reply; NULL is none. */
static bool payload(const method_place *place, const ast_payload *ast, model_role role, const model_record **ret)
{
    if (!ast)
        return true;
    if (ast->fields)
        return inline_body(place, ast, role, ret);
    return named_payload(place, ast, ret);
}

static bool errors_of(const method_place *place, const ast_ident *name, const model_members **ret)
{
    compile *run = place->run;
    const char *rest;
    symbol *named = resolve_name(run, place->owner->home, *name, &rest);
    if (!named)
        return false;
    if (rest || named->ast->kind != AST_ERRORS) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E504, name->at, "'%s' is %s; what a method throws is errors", name->text,
                     rest ? "no set of errors" : ast_decl_described(named->ast->kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", named->ast->name.text);
        return false;
    }
    if (!declare_complete(run, named, name->at))
        return false;
    resolve_use(run, named, NULL, name->at);
    *ret = named->out->as.members;
    return true;
}

/* E506, or E701 for what is only not there yet. */
static bool form_is_right(compile *run, const ast_method *ast)
{
    const char *word = ast->kind == AST_ONEWAY ? "oneway" : "event";
    const span *request_stream = ast->request && ast->request->stream.file ? &ast->request->stream : NULL;
    const span *reply_stream = ast->reply && ast->reply->stream.file ? &ast->reply->stream : NULL;
    bool right = true;

    if (ast->kind != AST_RPC && ast->has_reply) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E506, ast->reply_at, "%s '%s' has a reply", word, ast->name.text);
        diag_fix(entry, "remove it, or write 'rpc'");
        right = false;
    }
    if (ast->kind != AST_RPC && ast->throws) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E506, ast->throws->at,
                                     "%s '%s' throws errors, which nobody would receive", word, ast->name.text);
        diag_fix(entry, "remove 'throws', or write 'rpc'");
        right = false;
    }
    if (ast->kind != AST_RPC && request_stream) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E506, *request_stream, "%s '%s' carries a stream", word, ast->name.text);
        diag_fix(entry, "remove 'stream', or write 'rpc'");
        right = false;
    }
    if (ast->kind == AST_EVENT && right)
        diag_add(run->diagnostics, DIAG_E701, ast->word, "'event' is not supported yet");
    if (ast->kind == AST_RPC && (request_stream || reply_stream)) {
        diag_add(run->diagnostics, DIAG_E701, request_stream ? *request_stream : *reply_stream,
                 "'stream' is not supported yet");
        right = false;
    }
    return right && ast->kind != AST_EVENT;
}

static void check_deadline(compile *run, const annotate_result *notes, const char *whose)
{
    if (notes->deadline_ns != MODEL_DEADLINE_NONE)
        return;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_W508, notes->deadline_at, "calls of %s may wait for ever", whose);
    diag_fix(entry, "give it a time, such as @deadline(5s)");
}

/* Returns false where there is a mistake, and then leaves *method half filled. */
static bool method_complete(const method_place *place, const ast_method *ast, model_method *method)
{
    compile *run = place->run;
    annotate_result notes;
    bool right = form_is_right(run, ast);
    bool deprecated_user = run->deprecated_user;

    uint32_t since = run->since;
    run->deprecated_user = deprecated_user || resolve_deprecation(ast->notes);
    annotate_read(run, ast->notes, ast->kind == AST_RPC ? ANNOTATE_RPC : ANNOTATE_ONEWAY, &notes);
    versions_member(run, &notes, ast->name.text);
    if (ast->number) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E501, ast->number->at, "the method '%s' has a number", ast->name.text);
        diag_note(entry, (span){0}, "methods are known by name");
        diag_fix(entry, "remove the '=' and what follows");
    }
    method->name = ast->name.text;
    method->at = ast->name.at;
    method->notes = notes.notes;
    method->kind = ast->kind == AST_RPC ? MODEL_METHOD_RPC : MODEL_METHOD_ONEWAY;
    right = payload(place, ast->request, MODEL_ROLE_REQUEST, &method->request) && right;
    right = payload(place, ast->reply, MODEL_ROLE_REPLY, &method->reply) && right;
    if (ast->throws)
        right = errors_of(place, ast->throws, &method->errors) && right;
    run->deprecated_user = deprecated_user;
    run->since = since;

    if (right)
        check_deadline(run, &notes, "this rpc");
    method->idempotent = method->kind == MODEL_METHOD_RPC && (notes.idempotent || place->service->idempotent);
    if (method->kind == MODEL_METHOD_RPC)
        method->deadline_ns = notes.deadline_ns ? notes.deadline_ns : place->service->deadline_ns;
    if (right)
        revise_method(run->memory, method, place->service->decl->file);
    return right;
}

static bool has_rpc(const vector *methods)
{
    for (uint32_t i = 0; i < methods->count; i++)
        if ((*VECTOR_AT(methods, ast_method *, i))->kind == AST_RPC)
            return true;
    return false;
}

bool service_complete(compile *run, symbol *named)
{
    const ast_decl *ast = named->ast;
    uint32_t count = ast->entries->count;
    model_service *service = arena_alloc(run->memory, sizeof(*service));
    model_method *methods = arena_array(run->memory, count, sizeof(*methods));
    annotate_result notes;
    map names = {0};
    bool right = true;

    annotate_read(run, ast->notes, ANNOTATE_SERVICE, &notes);
    versions_declaration(run, &notes);
    if (has_rpc(ast->entries))
        check_deadline(run, &notes, "this service");
    named->out->notes = notes.notes;
    named->out->as.service = service;
    service->decl = named->out;
    service->c_prefix = notes.c_prefix;
    service->idempotent = notes.idempotent;
    service->deadline_ns = notes.deadline_ns;
    service->methods = methods;
    service->method_count = count;
    if (count > SHMRPC_METHODS_MAX) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E511, ast->name.at, "the service '%s' has %u methods",
                                     ast->name.text, (unsigned)count);
        diag_note(entry, (span){0}, "at most %d", SHMRPC_METHODS_MAX);
        right = false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const ast_method *each = *VECTOR_AT(ast->entries, ast_method *, i);
        method_place place = {run, named, service, i};
        resolve_enter(run, &names, &each->name, "a method");
        methods[i].id = i;
        right = method_complete(&place, each, &methods[i]) && right;
    }
    return right;
}

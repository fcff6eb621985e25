/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c - see service.h.
 */
#include "service.h"

#include <inttypes.h>
#include <string.h>

#include <shmrpc/wire.h>

#include "annotate.h"
#include "declare.h"
#include "payload.h"
#include "reserve.h"
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

static bool is_stream(const ast_payload *ast)
{
    return ast && ast->stream.file;
}

/* A request or a reply; NULL is none. */
static bool payload(const method_place *place, const ast_payload *ast, model_role role, const model_record **ret)
{
    model_record body = {.role = role, .service = place->service, .method = place->index};
    return !ast || payload_complete(place->run, place->owner->home, ast, &body, ret);
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

/* E506 */
static bool form_is_right(compile *run, const ast_method *ast)
{
    const char *word = ast->kind == AST_ONEWAY ? "oneway" : "event";
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
    if (ast->kind != AST_RPC && is_stream(ast->request)) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E506, ast->request->stream, "%s '%s' carries a stream",
                                     word, ast->name.text);
        diag_fix(entry, "remove 'stream', or write 'rpc'");
        right = false;
    }
    return right;
}

static void check_deadline(compile *run, const annotate_result *notes, const char *whose)
{
    if (notes->deadline_ns != MODEL_DEADLINE_NONE)
        return;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_W508, notes->deadline_at, "calls of %s may wait for ever", whose);
    diag_fix(entry, "give it a time, such as @deadline(5s)");
}

static annotate_target target_of(const ast_method *ast)
{
    if (ast->kind == AST_EVENT)
        return ANNOTATE_EVENT;
    if (ast->kind == AST_ONEWAY)
        return ANNOTATE_ONEWAY;
    return is_stream(ast->request) || is_stream(ast->reply) ? ANNOTATE_STREAM : ANNOTATE_RPC;
}

static model_method_kind kind_of(const ast_method *ast)
{
    return ast->kind == AST_RPC ? MODEL_METHOD_RPC : ast->kind == AST_ONEWAY ? MODEL_METHOD_ONEWAY : MODEL_METHOD_EVENT;
}

static model_role request_role(const ast_method *ast)
{
    if (ast->kind == AST_EVENT)
        return MODEL_ROLE_EVENT;
    return is_stream(ast->request) ? MODEL_ROLE_REQUEST_ITEM : MODEL_ROLE_REQUEST;
}

static bool is_unary(const model_method *method)
{
    return method->kind == MODEL_METHOD_RPC && !method->request_is_stream && !method->reply_is_stream;
}

/* What a method does not say about itself, its service says for all. */
static void inherit(model_method *method, const model_service *service)
{
    if (is_unary(method))
        method->idempotent = method->idempotent || service->idempotent;
    if (method->kind == MODEL_METHOD_RPC && method->deadline_ns == MODEL_DEADLINE_UNSET)
        method->deadline_ns = service->deadline_ns;
    if (method->depth == 0)
        method->depth = service->depth;
}

static void number_after_method(compile *run, const ast_method *ast)
{
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E501, ast->number->at, "the method '%s' has a number", ast->name.text);
    diag_note(entry, (span){0}, "methods are known by name");
    diag_fix(entry, "remove the '=' and what follows");
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
    annotate_read(run, ast->notes, target_of(ast), &notes);
    versions_member(run, &notes, ast->name.text);
    if (ast->number)
        number_after_method(run, ast);
    method->name = ast->name.text;
    method->at = ast->name.at;
    method->notes = notes.notes;
    method->kind = kind_of(ast);
    method->request_is_stream = is_stream(ast->request);
    method->reply_is_stream = is_stream(ast->reply);
    right = payload(place, ast->request, request_role(ast), &method->request) && right;
    right =
        payload(place, ast->reply, is_stream(ast->reply) ? MODEL_ROLE_REPLY_ITEM : MODEL_ROLE_REPLY, &method->reply) &&
        right;
    if (ast->throws)
        right = errors_of(place, ast->throws, &method->errors) && right;
    uint32_t depth = annotate_depth(run, notes.depth);
    run->deprecated_user = deprecated_user;
    run->since = since;

    method->idempotent = notes.idempotent;
    method->deadline_ns = notes.deadline_ns;
    method->depth = depth;
    inherit(method, place->service);
    if (right && is_unary(method))
        check_deadline(run, &notes, "this rpc");
    if (right)
        revise_method(run->memory, method, place->service->decl->file);
    return right;
}

/* ---- compose ---- */

/* A method as its name is entered. */
typedef struct entered {
    span at;                    /* its own name, or that of the service that brought it */
    const model_method *method; /* for a composed one: as it is in the service that it comes from */
    const model_service *from;  /* NULL: the service's own */
} entered;

/* What an entry composes. */
typedef struct composed {
    const model_service *service; /* NULL: nothing, or a mistake */
    uint32_t since;
} composed;

/* A service on its way; what is composed is completed before any method, since their number depends on it. */
typedef struct builder {
    compile *run;
    symbol *named;
    model_service *service;
    model_method *methods;
    composed *composes; /* per entry */
    uint32_t count;     /* of all methods; where there are too many, of the service's own */
    map own;            /* for E201 */
    map names;          /* entered */
    map composing;      /* a service's name -> the ast_method that composes it */
    map once;           /* services that were brought twice, which was said */
    reserve kept;
} builder;

static const model_service *composed_service(const builder *made, const ast_method *ast)
{
    compile *run = made->run;
    const char *rest;
    symbol *named = resolve_name(run, made->named->home, ast->name, &rest);

    if (!named)
        return NULL;
    if (rest || named->ast->kind != AST_SERVICE) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E206, ast->name.at, "'%s' is %s; what is composed is a service",
                     ast->name.text, rest ? "no service" : ast_decl_described(named->ast->kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", named->ast->name.text);
        return NULL;
    }
    if (!declare_complete(run, named, ast->name.at))
        return NULL;
    resolve_use(run, named, NULL, ast->name.at);
    return named->out->as.service;
}

/* False where it is not right, or was composed before. */
static bool compose_one(builder *made, ast_method *ast, composed *ret)
{
    compile *run = made->run;
    annotate_result notes;
    uint32_t since = run->since;

    annotate_read(run, ast->notes, ANNOTATE_COMPOSE, &notes);
    versions_member(run, &notes, ast->name.text);
    const model_service *service = composed_service(made, ast);
    ret->since = run->since;
    run->since = since;
    if (!service)
        return false;
    const ast_method *first = map_add(&made->composing, run->scratch, service->decl->qualified_name, ast);
    if (first) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E510, ast->name.at, "'%s' is composed twice", ast->name.text);
        diag_note(entry, first->name.at, "the first time is here");
        diag_fix(entry, "remove one of them");
        return false;
    }
    ret->service = service;
    return true;
}

/* E511 where all services of the run have composed too many; said once. */
static bool may_compose(compile *run, const ast_ident *name, uint64_t count)
{
    bool few = run->composed <= COMPILE_COMPOSED_MOST;
    run->composed += count;
    if (!few || run->composed <= COMPILE_COMPOSED_MOST)
        return few;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E511, name->at,
                                 "with '%s', services are composed of %" PRIu64 " methods", name->text, run->composed);
    diag_note(entry, (span){0}, "at most %d, of all services together", COMPILE_COMPOSED_MOST);
    diag_fix(entry, "compose fewer services that are composed themselves");
    return false;
}

/* E511; only the service's own methods are looked at then. */
static bool are_few(builder *made, uint64_t taken)
{
    const ast_ident *name = &made->named->ast->name;
    uint64_t all = taken + made->count;
    if (all > SHMRPC_METHODS_MAX) {
        diag_entry *entry = diag_add(made->run->diagnostics, DIAG_E511, name->at,
                                     "the service '%s' has %" PRIu64 " methods", name->text, all);
        diag_note(entry, (span){0}, "at most %d", SHMRPC_METHODS_MAX);
    } else if (may_compose(made->run, name, taken)) {
        made->count = (uint32_t)all;
        return true;
    }
    memset(made->composes, 0, made->named->ast->body->entries.count * sizeof(*made->composes));
    return false;
}

/* Resolves what is composed, and counts all methods. */
static bool compose_all(builder *made)
{
    const vector *entries = &made->named->ast->body->entries;
    const model_service **list = arena_array(made->run->memory, entries->count + 1, sizeof(*list));
    uint64_t taken = 0;
    bool right = true;

    made->composes = arena_array(made->run->memory, entries->count + 1, sizeof(*made->composes));
    made->service->composes = list;
    for (uint32_t i = 0; i < entries->count; i++) {
        ast_method *ast = *VECTOR_AT(entries, ast_method *, i);
        if (ast->kind != AST_COMPOSE) {
            made->count++;
            continue;
        }
        if (!compose_one(made, ast, &made->composes[i])) {
            right = false;
            continue;
        }
        taken += made->composes[i].service->method_count;
        list[made->service->compose_count++] = made->composes[i].service;
    }
    return are_few(made, taken) && right;
}

/* E503, or E510 where two services that are composed have composed the same third one. */
static bool collision(builder *made, const entered *later, const entered *first)
{
    diag *diagnostics = made->run->diagnostics;
    const model_method *method = later->method;
    const model_service *origin = method->composed ? method->composed : later->from;
    const model_service *other = first->method->composed ? first->method->composed : first->from;
    diag_entry *entry;

    if (origin && origin == other) {
        if (map_add(&made->once, made->run->scratch, origin->decl->qualified_name, made))
            return false;
        entry = diag_add(diagnostics, DIAG_E510, later->at, "the service '%s' is composed twice",
                         origin->decl->qualified_name);
        diag_note(entry, first->at, "what is composed here has its methods too");
        diag_fix(entry, "compose one of the two");
        return false;
    }
    if (later->from)
        entry = diag_add(diagnostics, DIAG_E503, later->at, "this brings a second method '%s'", method->name);
    else
        entry = diag_add(diagnostics, DIAG_E503, later->at, "'%s' is a composed method too", method->name);
    diag_note(entry, first->at, first->from ? "'%s' comes from what is composed here" : "'%s' is here", method->name);
    diag_fix(entry, "rename one of the two: both sides know methods by name");
    return false;
}

static bool method_enter(builder *made, span at, const model_method *method, const model_service *from)
{
    entered *later = arena_alloc(made->run->scratch, sizeof(*later));
    *later = (entered){at, method, from};
    ast_ident name = {method->name, at};
    const entered *first = map_add(&made->names, made->run->scratch, method->name, later);
    bool right = !first || (!first->from && !from) || collision(made, later, first); /* own ones: E201 has said so */
    return reserve_allows_name(made->run, &made->kept, &name) && right;
}

/* A method as the service has it that takes it over: since when, and what it does not say about itself. */
static void adopt(const builder *made, uint32_t since, const model_service *from, model_method *method)
{
    const model_file *home = made->named->home->out;

    if (!method->composed)
        method->composed = from;
    if (method->notes.since < since || !versions_comparable(from->decl->file, home))
        method->notes.since = since;
    inherit(method, made->service);
    revise_method(made->run->memory, method, home);
}

static bool take_over(builder *made, const ast_method *ast, const composed *taken)
{
    const model_service *from = taken->service;
    bool right = true;
    for (uint32_t i = 0; i < from->method_count; i++) {
        uint32_t id = made->service->method_count++;
        model_method *method = &made->methods[id];
        *method = from->methods[i];
        method->id = id;
        adopt(made, taken->since, from, method);
        right = method_enter(made, ast->name.at, &from->methods[i], from) && right;
    }
    return right;
}

static bool own_method(builder *made, const ast_method *ast)
{
    uint32_t id = made->service->method_count++;
    model_method *method = &made->methods[id];
    method_place place = {made->run, made->named, made->service, id};

    resolve_enter(made->run, &made->own, &ast->name, "a method");
    method->id = id;
    bool right = method_complete(&place, ast, method);
    return method_enter(made, ast->name.at, method, NULL) && right;
}

static bool methods_complete(builder *made)
{
    const ast_decl *ast = made->named->ast;
    bool right = true;

    for (uint32_t i = 0; i < ast->body->entries.count; i++) {
        const ast_method *each = *VECTOR_AT(&ast->body->entries, ast_method *, i);
        if (each->kind != AST_COMPOSE)
            right = own_method(made, each) && right;
        else if (made->composes[i].service)
            right = take_over(made, each, &made->composes[i]) && right;
    }
    return right;
}

/* What old programs know the methods by. */
static void check_identities(compile *run, const model_service *service)
{
    map identities = {0};
    bool renamed = false;
    for (uint32_t i = 0; i < service->method_count; i++)
        renamed = renamed || service->methods[i].notes.original;
    for (uint32_t i = 0; renamed && i < service->method_count; i++)
        versions_identity(run, &identities, NULL, &service->methods[i].notes, service->methods[i].name,
                          service->methods[i].at);
}

static bool has_unary(const model_service *service)
{
    for (uint32_t i = 0; i < service->method_count; i++)
        if (is_unary(&service->methods[i]))
            return true;
    return false;
}

bool service_complete(compile *run, symbol *named)
{
    model_service *service = arena_alloc(run->memory, sizeof(*service));
    builder made = {.run = run, .named = named, .service = service};
    annotate_result notes;

    annotate_read(run, named->ast->notes, ANNOTATE_SERVICE, &notes);
    versions_declaration(run, &notes);
    named->out->notes = notes.notes;
    named->out->as.service = service;
    service->decl = named->out;
    service->strict = named->ast->strict;
    service->c_prefix = notes.c_prefix;
    service->idempotent = notes.idempotent;
    service->deadline_ns = notes.deadline_ns;
    service->depth = annotate_depth(run, notes.depth);
    bool right = reserve_read(run, named->ast->body, RESERVE_SERVICE, MODEL_UINT32, &made.kept);
    service->reserved = made.kept.items;
    service->reserved_count = made.kept.count;
    right = compose_all(&made) && right;
    made.methods = arena_array(run->memory, made.count, sizeof(*made.methods));
    service->methods = made.methods;
    right = methods_complete(&made) && right;
    check_identities(run, service);
    if (has_unary(service))
        check_deadline(run, &notes, "this service");
    return right;
}

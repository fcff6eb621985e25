/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c - services, with the messages that their methods need; topics and queues.
 *
 * A oneway method has an empty reply. An event is a stream that the caller asks for. Topics and queues have no
 * counterpart: what is in them is a message, and the rest a comment.
 */
#include <assert.h>
#include <string.h>

#include "backends/proto/gen.h"
#include "spell.h"

/* Where a method's messages have their names from: its own service, or the one that it was composed of. */
/* Methods that are taken over follow each other in one order: *next is where the one after the last one was. */
static const proto_method_names *method_names(proto_gen *g, const model_service *service, const model_method *method,
                                              uint32_t *next)
{
    const model_service *home = method->composed ? method->composed : service;
    const proto_file_names *names = proto_names_of(g->known, home->decl->file);

    if (home == service)
        return &names->decls[home->decl->id].methods[method->id];
    for (uint32_t i = 0; i < home->method_count; i++) {
        uint32_t at = (*next + i) % home->method_count;
        if (strcmp(home->methods[at].name, method->name) == 0) {
            *next = at + 1;
            return &names->decls[home->decl->id].methods[at];
        }
    }
    assert(false && "a composed method is not where it comes from");
    return NULL;
}

static const char *payload_ref(proto_gen *g, const model_service *service, const model_method *method,
                               const model_record *record, const char *name)
{
    const model_service *home = method->composed ? method->composed : service;

    if (record && record->role == MODEL_ROLE_NAMED)
        return proto_record_ref(g, record);
    return proto_ref(g, home->decl->file, name);
}

static void body_emit(proto_gen *g, const model_record *record, const char *name, const char *what)
{
    if (!name)
        return;
    if (record) {
        proto_record(g, record, name, what, NULL);
        return;
    }
    emit_gap(&g->body);
    proto_comment_emit(g, NULL, what);
    EMIT(&g->body, "message ${name} {\n}\n", {"name", name});
}

/* What a method sends and is sent, in proto's terms. */
typedef struct method_shape {
    const model_record *request;
    const model_record *reply;
    bool request_is_stream;
    bool reply_is_stream;
} method_shape;

static method_shape method_shape_of(const model_method *method)
{
    if (method->kind == MODEL_METHOD_EVENT)
        return (method_shape){.reply = method->request, .reply_is_stream = true};
    return (method_shape){method->request, method->reply, method->request_is_stream, method->reply_is_stream};
}

static void bodies_emit(proto_gen *g, const model_service *service)
{
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        const proto_method_names *names = &g->names->decls[service->decl->id].methods[i];
        method_shape shape = method_shape_of(method);
        const char *place = arena_printf(g->memory, "%s.%s", service->decl->name, method->name);
        if (method->composed)
            continue;
        body_emit(g, shape.request, names->request,
                  arena_printf(g->memory, "%s of %s", shape.request_is_stream ? "requests" : "request", place));
        body_emit(g, shape.reply, names->reply,
                  arena_printf(g->memory, "%s of %s",
                               method->kind == MODEL_METHOD_EVENT ? "events"
                               : shape.reply_is_stream            ? "replies"
                                                                  : "reply",
                               place));
    }
}

static bool method_is_said(proto_gen *g, const model_method *method)
{
    return method->kind == MODEL_METHOD_RPC && method->deadline_ns == MODEL_DEADLINE_UNSET && method->depth == 0 &&
           !method->errors && !method->composed && *spell_notes(g->memory, &method->notes) == '\0';
}

static void method_emit(proto_gen *g, const model_service *service, const model_method *method, uint32_t *next)
{
    const proto_method_names *names = method_names(g, service, method, next);
    method_shape shape = method_shape_of(method);
    const char *shm = "";
    const char *options = "";

    if (!method_is_said(g, method))
        shm = arena_printf(g->memory, "%s%s%s", spell_method(g->memory, method), method->composed ? "; of " : "",
                           method->composed ? method->composed->decl->qualified_name : "");
    proto_comment_emit(g, &method->notes, shm);
    if (method->notes.deprecated)
        options = "    option deprecated = true;\n";
    if (method->idempotent)
        options = arena_printf(g->memory, "%s    option idempotency_level = IDEMPOTENT;\n", options);
    EMIT(&g->body, "rpc ${name}(${asks}${request}) returns (${answers}${reply})${begin}${options}${end}\n",
         {"name", method->name}, {"asks", shape.request_is_stream ? "stream " : ""},
         {"request", payload_ref(g, service, method, shape.request, names->request)},
         {"answers", shape.reply_is_stream ? "stream " : ""},
         {"reply", payload_ref(g, service, method, shape.reply, names->reply)}, {"begin", *options ? " {\n" : ""},
         {"options", options}, {"end", *options ? "}" : ";"});
}

void proto_service(proto_gen *g, const model_decl *decl)
{
    const model_service *service = decl->as.service;
    const char *shm = spell_decl(g->memory, decl);

    bodies_emit(g, service);
    if (strcmp(shm, arena_printf(g->memory, "service %s", decl->name)) == 0)
        shm = "";
    if (service->reserved_count > 0)
        shm = arena_printf(g->memory, "%s; reserved %s", spell_decl(g->memory, decl),
                           spell_reserved(g->memory, service->reserved, service->reserved_count));
    emit_gap(&g->body);
    proto_comment_emit(g, &decl->notes, shm);
    EMIT(&g->body, "service ${name} {\n", {"name", g->names->decls[decl->id].name});
    emit_in(&g->body);
    if (decl->notes.deprecated)
        emit_text(&g->body, "option deprecated = true;\n");
    for (uint32_t i = 0, next = 0; i < service->method_count; i++)
        method_emit(g, service, &service->methods[i], &next);
    emit_out(&g->body);
    emit_text(&g->body, "}\n");
}

void proto_channel(proto_gen *g, const model_decl *decl)
{
    const model_record *item = decl->as.channel->item;

    if (item->role != MODEL_ROLE_NAMED)
        proto_record(g, item, g->names->decls[decl->id].item, arena_printf(g->memory, "in %s", decl->name), NULL);
    emit_gap(&g->body);
    proto_comment_emit(g, &decl->notes,
                       arena_printf(g->memory, "%s; its messages: %s", spell_decl(g->memory, decl),
                                    proto_record_ref(g, item)));
}

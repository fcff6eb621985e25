/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c - services with their methods, topics and queues.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/doc/gen.h"
#include "spell.h"

static const char *deadline_text(doc_gen *g, int64_t deadline_ns)
{
    if (deadline_ns == MODEL_DEADLINE_UNSET)
        return "the client's";
    return spell_duration(g->memory, deadline_ns);
}

static void number_put(doc_gen *g, const char *what, uint32_t number)
{
    if (number > 0)
        buffer_printf(g->to, "| %s | %" PRIu32 " |\n", what, number);
}

static void body_put(doc_gen *g, const model_method *method, const model_record *record, const char *what)
{
    if (!record || record->role == MODEL_ROLE_NAMED || method->composed)
        return;
    buffer_printf(g->to, "\n*%s*\n", what);
    doc_record(g, record);
}

static const char *method_anchor(doc_gen *g, const model_service *service, const model_method *method)
{
    return arena_printf(g->memory, "%s.%s", service->decl->qualified_name, method->name);
}

static void method_put(doc_gen *g, const model_service *service, const model_method *method)
{
    static const char *const kinds[] = {
        [MODEL_METHOD_RPC] = "rpc",
        [MODEL_METHOD_ONEWAY] = "oneway",
        [MODEL_METHOD_EVENT] = "event",
    };
    bool is_event = method->kind == MODEL_METHOD_EVENT;

    doc_heading(g, 4, kinds[method->kind], method->name, method_anchor(g, service, method));
    doc_notes(g, &method->notes);
    buffer_printf(g->to, "\n| | |\n|---|---|\n| %s | %s |\n", is_event ? "carries" : "request",
                  doc_payload(g, method->request, method->request_is_stream));
    if (method->kind == MODEL_METHOD_RPC) {
        buffer_printf(g->to, "| reply | %s |\n", doc_payload(g, method->reply, method->reply_is_stream));
        buffer_printf(g->to, "| errors | %s |\n", method->errors ? doc_link(g, method->errors->decl) : "none");
        buffer_printf(g->to, "| deadline | %s |\n", deadline_text(g, method->deadline_ns));
        if (!method->request_is_stream && !method->reply_is_stream)
            buffer_printf(g->to, "| idempotent | %s |\n", method->idempotent ? "yes" : "no");
    }
    number_put(g, "depth", method->depth);
    if (method->composed) {
        const model_decl *home = method->composed->decl;
        buffer_printf(g->to, "| composed from | [`%s.%s`](%s) |\n", home->qualified_name, method->name,
                      doc_target(g, home->file, method_anchor(g, method->composed, method)));
    }
    body_put(g, method, method->request,
             is_event                    ? "What it carries"
             : method->request_is_stream ? "Each item of the request"
                                         : "The request");
    body_put(g, method, method->reply, method->reply_is_stream ? "Each item of the reply" : "The reply");
}

void doc_service(doc_gen *g, const model_service *service)
{
    if (service->strict)
        buffer_puts(g->to, "\nStrict: a client that has another layout of any method is refused.\n");
    if (service->method_count == 0)
        buffer_puts(g->to, "\nNo methods.\n");
    if (service->compose_count > 0) {
        buffer_puts(g->to, "\nComposed of");
        for (uint32_t i = 0; i < service->compose_count; i++)
            buffer_printf(g->to, "%s %s", i > 0 ? "," : "", doc_link(g, service->composes[i]->decl));
        buffer_puts(g->to, ".\n");
    }
    doc_reserved(g, service->reserved, service->reserved_count);
    for (uint32_t i = 0; i < service->method_count; i++)
        method_put(g, service, &service->methods[i]);
}

void doc_channel(doc_gen *g, const model_decl *decl)
{
    static const char *const overflows[] = {
        [MODEL_OVERFLOW_UNSET] = NULL,
        [MODEL_OVERFLOW_BLOCK] = "the sender waits",
        [MODEL_OVERFLOW_DROP_OLDEST] = "the oldest is dropped",
        [MODEL_OVERFLOW_FAIL] = "sending fails",
    };
    const model_channel *channel = decl->as.channel;

    buffer_printf(g->to, "\n| | |\n|---|---|\n| carries | %s |\n", doc_payload(g, channel->item, false));
    number_put(g, "depth", channel->depth);
    if (overflows[channel->overflow])
        buffer_printf(g->to, "| when it is full | %s |\n", overflows[channel->overflow]);
    number_put(g, "kept for who comes late", channel->retain);
    if (channel->reliable)
        buffer_puts(g->to, "| reliable | yes |\n");
    number_put(g, "attempts", channel->attempts);
    if (channel->item->role != MODEL_ROLE_NAMED)
        doc_record(g, channel->item);
}

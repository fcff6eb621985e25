/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c - the calling side where a call does not wait: calls in flight, batches, event loops.
 *
 * An object of its own type for each method, which the caller owns: the library's part first, then what tells the
 * caller. So a call's end finds its data around it, as a handler does, and the reply comes as what it is.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

/* clang-format off */
static const char flight_intro[] =
    "/*\n"
    " * Many calls in flight. ..._start() publishes a call and returns. The call object is the caller's, zero before its\n"
    " * first use; it stays where it is until the call has ended, once:\n"
    " * - `done` is NULL: ..._wait() waits for the end and returns what the call would have, in any order of calls;\n"
    " * - else ..._client_dispatch() calls it. `reply` is there where rc is 0, until done returns; the object is the\n"
    " *   caller's again when done begins.\n"
    " * All in the thread that started it. ..._cancel() withdraws a call; it ends as any other, as SHMRPC_E_CANCELLED where\n"
    " * no handler began it. Where start does not return 0 there is no call.\n"
    " *\n"
    " * In place, for large messages: ..._loan() gives a request to be written where the server will read it, which\n"
    " * ..._start_loaned() sends and ..._abandon() gives back; ..._view(), in place of ..._wait(), a reply where the server\n"
    " * wrote it, until ..._release(). See shmrpc/client.h.\n"
    " */\n";

static const char call_header[] =
    "typedef struct ${call} ${call};\n"
    "struct ${call} {\n"
    "    shmrpc_call base;\n"
    "    void (*done)(${call} *call, int rc${reply});\n"
    "};\n"
    "${deprecated}SHMRPC_NODISCARD ${start};\n"
    "SHMRPC_NODISCARD ${wait};\n"
    "${cancel};\n";

static const char call_source[] =
    "static void ${method}_done_(shmrpc_call *call, int rc, const void *reply)\n"
    "{\n"
    "    ${call} *ended = (${call} *)call;\n"
    "\n"
    "${unused}"
    "    ended->done(ended, rc${pass});\n"
    "}\n"
    "\n"
    "${start}\n"
    "{\n"
    "    if (call == NULL) {\n"
    "        return SHMRPC_E_MISUSE;\n"
    "    }\n"
    "    return shmrpc_call_start((shmrpc_client *)client, &call->base, ${index}, ${request}, deadline,"
    " call->done != NULL ? ${method}_done_ : NULL);\n"
    "}\n"
    "\n"
    "${wait}\n"
    "{\n"
    "    return shmrpc_call_wait((shmrpc_call *)call, ${ret});\n"
    "}\n"
    "\n"
    "${cancel}\n"
    "{\n"
    "    shmrpc_call_cancel((shmrpc_call *)call);\n"
    "}\n";

static const char loop_header[] =
    "/* What is sent in between is published together, with one doorbell at most. */\n"
    "void ${begin}(${client} *client);\n"
    "int ${end}(${client} *client);\n"
    "\n"
    "/*\n"
    " * For an event loop of the caller's own: wait until the descriptor can be read, then dispatch, which never blocks and\n"
    " * calls `done` of at most `most` calls of this thread that have ended. 1: call again at once; 0: wait; below 0: a\n"
    " * status. The descriptor is this thread's, and neither to be read nor closed.\n"
    " */\n"
    "SHMRPC_NODISCARD int ${fd}(${client} *client);\n"
    "int ${dispatch}(${client} *client, int most);\n";

static const char loop_source[] =
    "void ${begin}(${client} *client)\n"
    "{\n"
    "    shmrpc_client_batch_begin((shmrpc_client *)client);\n"
    "}\n"
    "\n"
    "int ${end}(${client} *client)\n"
    "{\n"
    "    return shmrpc_client_batch_end((shmrpc_client *)client);\n"
    "}\n"
    "\n"
    "int ${fd}(${client} *client)\n"
    "{\n"
    "    return shmrpc_client_fd((shmrpc_client *)client);\n"
    "}\n"
    "\n"
    "int ${dispatch}(${client} *client, int most)\n"
    "{\n"
    "    return shmrpc_client_dispatch((shmrpc_client *)client, most);\n"
    "}\n";
/* clang-format on */

static void call_emit(gen *g, const char *client, const char *prefix, const model_method *method)
{
    const char *base = arena_printf(g->memory, "%s_%s", prefix, name_method(g->memory, method));
    const char *title = arena_printf(g->memory, "method '%s'", method->name);
    const char *call = gen_compose(g, base, "call", method->at, "the call object", title);
    const char *request = method->request ? name_record(g->memory, method->request) : NULL;
    const char *reply = method->reply ? name_record(g->memory, method->reply) : NULL;
    const emit_value values[] = {
        {"call", call},
        {"method", base},
        {"index", arena_printf(g->memory, "%" PRIu32, method->id)},
        {"deprecated", gen_deprecated(g, &method->notes)},
        {"start", arena_printf(g->memory, "int %s(%s *client, %s *call, %s%s%sshmrpc_deadline deadline)",
                               gen_compose(g, base, "start", method->at, "the starting function", title), client, call,
                               request ? "const " : "", request ? request : "", request ? " *request, " : "")},
        {"wait", arena_printf(g->memory, "int %s(%s *call%s%s%s)",
                              gen_compose(g, base, "wait", method->at, "the waiting function", title), call,
                              reply ? ", " : "", reply ? reply : "", reply ? " *ret" : "")},
        {"cancel", arena_printf(g->memory, "void %s(%s *call)",
                                gen_compose(g, base, "cancel", method->at, "the cancelling function", title), call)},
        {"request", request ? "request" : "NULL"},
        {"ret", reply ? "ret" : "NULL"},
        {"reply", reply ? arena_printf(g->memory, ", const %s *reply", reply) : ""},
        {"pass", reply ? arena_printf(g->memory, ", (const %s *)reply", reply) : ""},
        {"unused", reply ? "" : "    (void)reply;\n"},
        {NULL, NULL},
    };

    emit_gap(&g->header);
    emit_template(&g->header, call_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, call_source, values);
    gen_loans(g, method, client, base, call);
}

void gen_calls(gen *g, const model_service *service, const char *client)
{
    const char *prefix = name_service(g->memory, service);
    span at = service->decl->at;
    const char *title = arena_printf(g->memory, "service '%s'", service->decl->name);
    const emit_value values[] = {
        {"client", client},
        {"begin", gen_compose(g, prefix, "batch_begin", at, "the beginning of a batch", title)},
        {"end", gen_compose(g, prefix, "batch_end", at, "the end of a batch", title)},
        {"fd", gen_compose(g, prefix, "client_fd", at, "the client's descriptor", title)},
        {"dispatch", gen_compose(g, prefix, "client_dispatch", at, "the client's dispatch", title)},
        {NULL, NULL},
    };
    bool first = true;

    for (uint32_t i = 0; i < service->method_count; i++) {
        if (service->methods[i].kind == MODEL_METHOD_ONEWAY)
            continue;
        if (first) {
            emit_gap(&g->header);
            emit_template(&g->header, flight_intro, values);
        }
        first = false;
        call_emit(g, client, prefix, &service->methods[i]);
    }
    emit_gap(&g->header);
    emit_template(&g->header, loop_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, loop_source, values);
}

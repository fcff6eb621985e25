/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loans.c - the calling side in place: a request that is written where the server reads it, a reply that is read where
 * the server wrote it. By the object of a call in flight; a method has what its messages need.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

/* clang-format off */
static const char request_header[] =
    "${deprecated}SHMRPC_NODISCARD ${loan};\n"
    "SHMRPC_NODISCARD ${start};\n"
    "${abandon};\n";

static const char request_source[] =
    "${loan}\n"
    "{\n"
    "    void *request = NULL;\n"
    "    int rc = shmrpc_call_loan((shmrpc_client *)client, (shmrpc_call *)call, ${index},"
    " ret_request == NULL ? NULL : &request);\n"
    "\n"
    "    if (rc == 0) {\n"
    "        *ret_request = (${type} *)request;\n"
    "    }\n"
    "    return rc;\n"
    "}\n"
    "\n"
    "${start}\n"
    "{\n"
    "    if (call == NULL) {\n"
    "        return SHMRPC_E_MISUSE;\n"
    "    }\n"
    "    return shmrpc_call_start_loaned(&call->base, deadline, call->done != NULL ? ${method}_done_ : NULL);\n"
    "}\n"
    "\n"
    "${abandon}\n"
    "{\n"
    "    shmrpc_call_abandon((shmrpc_call *)call);\n"
    "}\n";

static const char reply_header[] =
    "SHMRPC_NODISCARD ${view};\n"
    "${release};\n";

static const char reply_source[] =
    "${view}\n"
    "{\n"
    "    const void *reply = NULL;\n"
    "    int rc = shmrpc_call_view((shmrpc_call *)call, ret_reply == NULL ? NULL : &reply);\n"
    "\n"
    "    if (rc == 0) {\n"
    "        *ret_reply = (const ${type} *)reply;\n"
    "    }\n"
    "    return rc;\n"
    "}\n"
    "\n"
    "${release}\n"
    "{\n"
    "    shmrpc_call_release((shmrpc_call *)call);\n"
    "}\n";
/* clang-format on */

static void request_emit(gen *g, const char *client, const char *base, const char *call, const model_method *method)
{
    const char *title = arena_printf(g->memory, "method '%s'", method->name);
    const char *type = name_record(g->memory, method->request);
    const emit_value values[] = {
        {"type", type},
        {"method", base},
        {"index", arena_printf(g->memory, "%" PRIu32, method->id)},
        {"deprecated", gen_deprecated(g, &method->notes)},
        {"loan",
         arena_printf(g->memory, "int %s(%s *client, %s *call, %s **ret_request)",
                      gen_compose(g, base, "loan", method->at, "the lending function", title), client, call, type)},
        {"start", arena_printf(g->memory, "int %s(%s *call, shmrpc_deadline deadline)",
                               gen_compose(g, base, "start_loaned", method->at, "the loan's start", title), call)},
        {"abandon", arena_printf(g->memory, "void %s(%s *call)",
                                 gen_compose(g, base, "abandon", method->at, "the loan's end", title), call)},
        {NULL, NULL},
    };

    emit_template(&g->header, request_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, request_source, values);
}

static void reply_emit(gen *g, const char *base, const char *call, const model_method *method)
{
    const char *title = arena_printf(g->memory, "method '%s'", method->name);
    const char *type = name_record(g->memory, method->reply);
    const emit_value values[] = {
        {"type", type},
        {"view", arena_printf(g->memory, "int %s(%s *call, const %s **ret_reply)",
                              gen_compose(g, base, "view", method->at, "the viewing function", title), call, type)},
        {"release", arena_printf(g->memory, "void %s(%s *call)",
                                 gen_compose(g, base, "release", method->at, "the view's end", title), call)},
        {NULL, NULL},
    };

    emit_template(&g->header, reply_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, reply_source, values);
}

void gen_loans(gen *g, const model_method *method, const char *client, const char *base, const char *call)
{
    if (method->request)
        request_emit(g, client, base, call, method);
    if (method->reply)
        reply_emit(g, base, call, method);
}

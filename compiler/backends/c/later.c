/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.c - the serving side where an operation answers after it has returned.
 *
 * What is kept is a number under a type of its own for each method, so that a call is answered by its own reply and its
 * own errors, and may be kept wherever, passed to any thread, and used too late without harm.
 */
#include "backends/c/gen.h"

/* clang-format off */
static const char later_intro[] =
    "/*\n"
    " * Answering later: an operation keeps what ..._defer() returns and a copy of what it needs of its request, and returns\n"
    " * SHMRPC_DEFERRED. Then any thread answers, once, by ..._later_reply(), ..._later_throw_...(), or ..._later_fail() with\n"
    " * an error or a status. These return 0; SHMRPC_E_CANCELLED where nobody waits any longer; SHMRPC_E_MISUSE where it was\n"
    " * answered before. Where base.id is 0, the call cannot be put off: the operation answers by itself.\n"
    " */\n";

static const char later_header[] =
    "typedef struct ${later} {\n"
    "    shmrpc_later base;\n"
    "} ${later};\n"
    "SHMRPC_NODISCARD ${defer};\n"
    "${reply};\n"
    "${fail};\n"
    "${is_cancelled};\n";

static const char later_source[] =
    "${defer}\n"
    "{\n"
    "    ${later} later;\n"
    "\n"
    "    later.base = shmrpc_context_defer(&context->base);\n"
    "    return later;\n"
    "}\n"
    "\n"
    "${reply}\n"
    "{\n"
    "    return shmrpc_later_reply(later.base, ${value});\n"
    "}\n"
    "\n"
    "${fail}\n"
    "{\n"
    "    return shmrpc_later_fail(later.base, status);\n"
    "}\n"
    "\n"
    "${is_cancelled}\n"
    "{\n"
    "    return shmrpc_later_is_cancelled(later.base);\n"
    "}\n";

static const char throw_source[] =
    "int ${function}(${later} later, const ${type} *payload)\n"
    "{\n"
    "    return shmrpc_later_throw(later.base, ${macro}, payload);\n"
    "}\n";
/* clang-format on */

static void throws_emit(gen *g, const char *base, const char *later, const model_method *method)
{
    for (uint32_t i = 0; method->errors && i < method->errors->count; i++) {
        const model_member *error = &method->errors->items[i];
        if (!error->payload)
            continue;
        const char *suffix = arena_printf(g->memory, "later_throw_%s", name_member(g->memory, error));
        const char *function = gen_compose(g, base, suffix, method->at, "the deferred throwing function",
                                           arena_printf(g->memory, "method '%s'", method->name));
        const char *type = name_record(g->memory, error->payload);
        EMIT(&g->header, "int ${function}(${later} later, const ${type} *payload);\n", {"function", function},
             {"later", later}, {"type", type});
        emit_gap(&g->source);
        EMIT(&g->source, throw_source, {"function", function}, {"later", later}, {"type", type},
             {"macro", name_member_macro(g->memory, method->errors, error)});
    }
}

static void later_emit(gen *g, const char *base, const model_method *method)
{
    const char *title = arena_printf(g->memory, "method '%s'", method->name);
    const char *later = gen_compose(g, base, "later", method->at, "the deferred call", title);
    const char *reply =
        method->reply ? arena_printf(g->memory, ", const %s *reply", name_record(g->memory, method->reply)) : "";
    const emit_value values[] = {
        {"later", later},
        {"defer", arena_printf(g->memory, "%s %s(%s_context *context)", later,
                               gen_compose(g, base, "defer", method->at, "the deferring function", title), base)},
        {"reply",
         arena_printf(g->memory, "int %s(%s later%s)",
                      gen_compose(g, base, "later_reply", method->at, "the deferred reply", title), later, reply)},
        {"fail", arena_printf(g->memory, "int %s(%s later, int status)",
                              gen_compose(g, base, "later_fail", method->at, "the deferred failure", title), later)},
        {"is_cancelled", arena_printf(g->memory, "bool %s(%s later)",
                                      gen_compose(g, base, "later_is_cancelled", method->at,
                                                  "the question after the deferred call", title),
                                      later)},
        {"value", method->reply ? "reply" : "NULL"},
        {NULL, NULL},
    };

    emit_gap(&g->header);
    emit_template(&g->header, later_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, later_source, values);
    throws_emit(g, base, later, method);
}

void gen_later(gen *g, const model_service *service)
{
    bool first = true;

    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        if (method->kind == MODEL_METHOD_ONEWAY)
            continue;
        if (first) {
            emit_gap(&g->header);
            emit_text(&g->header, later_intro);
        }
        first = false;
        later_emit(g,
                   arena_printf(g->memory, "%s_%s", name_service(g->memory, service), name_method(g->memory, method)),
                   method);
    }
}

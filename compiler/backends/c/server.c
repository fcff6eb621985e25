/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the serving side of a service: the table of operations, and the thunks between it and the library.
 */
#include <inttypes.h>

#include "backends/c/gen.h"

/* clang-format off */
static const char server_intro[] =
    "/*\n"
    " * ---- ${service}: the serving side ----\n"
    " *\n"
    " * Embed ${server} in a struct of your own.\n"
    " *\n"
    " * An operation returns 0, a declared error, what a ..._throw_... function returned, or SHMRPC_DEFERRED; `reply` is the\n"
    " * default image to begin with; of more than 256 bytes, what is beyond the count of a last variable field is not.\n"
    " * An operation that is NULL answers SHMRPC_E_UNIMPLEMENTED.\n"
    " */\n"
    "typedef struct ${server} {\n"
    "    shmrpc_server base;\n"
    "} ${server};\n";

static const char context_header[] =
    "\n"
    "typedef struct ${context} {\n"
    "    shmrpc_context base;\n"
    "} ${context};\n";

static const char ops_tail[] =
    "void (*connected)(${server} *server, shmrpc_session *session);\n"
    "void (*disconnected)(${server} *server, shmrpc_session *session, int why); /* a shmrpc_why */\n"
    "/* Asked before each operation${which}: 0, or SHMRPC_E_PERMISSION and it does not run. NULL: all may. */\n"
    "int (*permit)(${server} *server, const shmrpc_session *session, uint32_t method);\n";

static const char server_header[] =
    "\n"
    "/* Takes the name and listens. `ops` must outlive the server; `options` may be NULL. */\n"
    "SHMRPC_NODISCARD int ${init}(${server} *server, const ${ops} *ops, const char *name,"
    " const shmrpc_server_options *options);\n"
    "void ${deinit}(${server} *server);\n"
    "\n"
    "/* Serves until stop, which any thread and a signal handler may call. */\n"
    "SHMRPC_NODISCARD int ${run}(${server} *server);\n"
    "void ${stop}(${server} *server);\n"
    "\n"
    "/*\n"
    " * In place of run, for an event loop of the caller's own: dispatch once, and then whenever the descriptor can be read.\n"
    " * It never waits and serves at most `most` calls. 1: call again at once; 0: wait; below 0: a status, which is\n"
    " * SHMRPC_E_UNAVAILABLE where the server was stopped and all has been answered.\n"
    " */\n"
    "SHMRPC_NODISCARD int ${fd}(${server} *server);\n"
    "SHMRPC_NODISCARD int ${dispatch}(${server} *server, int most);\n"
    "\n"
    "/*\n"
    " * In place of init and deinit: one of several services of a host, which runs it. Both may be called while the host\n"
    " * runs. Detach waits for operations that run, and must not be called by one.\n"
    " */\n"
    "SHMRPC_NODISCARD int ${attach}(${server} *server, const ${ops} *ops, shmrpc_host *host);\n"
    "int ${detach}(${server} *server);\n"
    "\n";

static const char server_source[] =
    "static int ${prefix}_permit_(shmrpc_server *server, const shmrpc_session *session, uint32_t method)\n"
    "{\n"
    "    const ${ops} *ops = (const ${ops} *)shmrpc_server_operations(server);\n"
    "\n"
    "    return ops->permit((${server} *)server, session, method);\n"
    "}\n"
    "\n"
    "static void ${prefix}_connected_(shmrpc_server *server, shmrpc_session *session)\n"
    "{\n"
    "    const ${ops} *ops = (const ${ops} *)shmrpc_server_operations(server);\n"
    "\n"
    "    if (ops->connected != NULL) {\n"
    "        ops->connected((${server} *)server, session);\n"
    "    }\n"
    "}\n"
    "\n"
    "static void ${prefix}_disconnected_(shmrpc_server *server, shmrpc_session *session, int why)\n"
    "{\n"
    "    const ${ops} *ops = (const ${ops} *)shmrpc_server_operations(server);\n"
    "\n"
    "    if (ops->disconnected != NULL) {\n"
    "        ops->disconnected((${server} *)server, session, why);\n"
    "    }\n"
    "}\n"
    "\n"
    "static shmrpc_server_binding ${prefix}_binding_(const ${ops} *ops)\n"
    "{\n"
    "    shmrpc_server_binding binding;\n"
    "\n"
    "    memset(&binding, 0, sizeof(binding));\n"
    "    binding.service = &${prefix}_service_info;\n"
    "    binding.operations = ops;\n"
    "    binding.connected = ${prefix}_connected_;\n"
    "    binding.disconnected = ${prefix}_disconnected_;\n"
    "    binding.permit = ops->permit != NULL ? ${prefix}_permit_ : NULL;\n"
    "    return binding;\n"
    "}\n"
    "\n"
    "int ${init}(${server} *server, const ${ops} *ops, const char *name, const shmrpc_server_options *options)\n"
    "{\n"
    "    shmrpc_server_binding binding;\n"
    "\n"
    "    if (server == NULL || ops == NULL) {\n"
    "        return SHMRPC_E_MISUSE;\n"
    "    }\n"
    "    binding = ${prefix}_binding_(ops);\n"
    "    return shmrpc_server_init(&server->base, &binding, name, options);\n"
    "}\n"
    "\n"
    "int ${attach}(${server} *server, const ${ops} *ops, shmrpc_host *host)\n"
    "{\n"
    "    shmrpc_server_binding binding;\n"
    "\n"
    "    if (server == NULL || ops == NULL) {\n"
    "        return SHMRPC_E_MISUSE;\n"
    "    }\n"
    "    binding = ${prefix}_binding_(ops);\n"
    "    return shmrpc_server_attach(&server->base, &binding, host);\n"
    "}\n"
    "\n"
    "int ${detach}(${server} *server)\n"
    "{\n"
    "    return shmrpc_server_detach(&server->base);\n"
    "}\n"
    "\n"
    "void ${deinit}(${server} *server)\n"
    "{\n"
    "    shmrpc_server_deinit(&server->base);\n"
    "}\n"
    "\n"
    "int ${run}(${server} *server)\n"
    "{\n"
    "    return shmrpc_server_run(&server->base);\n"
    "}\n"
    "\n"
    "void ${stop}(${server} *server)\n"
    "{\n"
    "    shmrpc_server_stop(&server->base);\n"
    "}\n"
    "\n"
    "int ${fd}(${server} *server)\n"
    "{\n"
    "    return shmrpc_server_fd(&server->base);\n"
    "}\n"
    "\n"
    "int ${dispatch}(${server} *server, int most)\n"
    "{\n"
    "    return shmrpc_server_dispatch(&server->base, most);\n"
    "}\n";

static const char invoke_head[] =
    "static int ${prefix}_${method}_invoke_(shmrpc_server *server, shmrpc_context *context, const void *request,"
    " void *reply)\n"
    "{\n"
    "    const ${ops} *ops = (const ${ops} *)shmrpc_server_operations(server);\n"
    "\n"
    "${unused}"
    "    if (ops->${method} == NULL) {\n"
    "        return SHMRPC_E_UNIMPLEMENTED;\n"
    "    }\n"
    "    ${return}ops->${method}((${server} *)server, (${context} *)context${request}${reply});\n"
    "${done}"
    "}\n";

static const char throw_source[] =
    "int ${function}(${context} *context, const ${type} *payload)\n"
    "{\n"
    "    return shmrpc_context_throw(&context->base, ${macro}, payload);\n"
    "}\n";
/* clang-format on */

typedef struct server_names {
    const char *prefix;
    const char *server;
    const char *ops;
    const char *scope; /* of the table's entries */
} server_names;

static const char *context_name(gen *g, const server_names *called, const model_method *method)
{
    return arena_printf(g->memory, "%s_%s_context", called->prefix, name_method(g->memory, method));
}

static void operation_emit(gen *g, const server_names *called, const model_method *method)
{
    const char *name = name_method(g->memory, method);
    const char *request =
        method->request ? arena_printf(g->memory, ", const %s *request", name_record(g->memory, method->request)) : "";
    const char *reply =
        method->reply ? arena_printf(g->memory, ", %s *reply", name_record(g->memory, method->reply)) : "";

    gen_member(g, called->scope, name, method->at, "method", method->name);
    EMIT(&g->header, "${result} (*${name})(${server} *server, ${context} *context${request}${reply});\n",
         {"result", method->kind == MODEL_METHOD_ONEWAY ? "void" : "int"}, {"name", name}, {"server", called->server},
         {"context", context_name(g, called, method)}, {"request", request}, {"reply", reply});
}

/* The numbers of methods, in the order of the schema: what permit() and counters know them by. */
static void numbers_emit(gen *g, const char *prefix, const model_service *service)
{
    const char *type = gen_compose(g, prefix, "method", service->decl->at, "the numbers of methods",
                                   arena_printf(g->memory, "service '%s'", service->decl->name));
    const char *base = name_upper(g->memory, type);

    if (service->method_count == 0)
        return;
    emit_gap(&g->header);
    EMIT(&g->header, "/* The methods' numbers: their places in the service's table. */\ntypedef enum ${type} {\n",
         {"type", type});
    emit_in(&g->header);
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        const char *number = gen_compose(g, base, name_upper(g->memory, name_method(g->memory, method)), method->at,
                                         "the number", arena_printf(g->memory, "method '%s'", method->name));
        EMIT(&g->header, "${number} = ${value},\n", {"number", number},
             {"value", arena_printf(g->memory, "%" PRIu32, method->id)});
    }
    emit_out(&g->header);
    EMIT(&g->header, "} ${type};\n", {"type", type});
}

static void ops_emit(gen *g, const server_names *called, const model_service *service)
{
    name_origin origin = {service->decl->at, "an entry of every table of operations", NULL};

    names_declare(g->known, called->scope, "connected", origin);
    names_declare(g->known, called->scope, "disconnected", origin);
    names_declare(g->known, called->scope, "permit", origin);
    emit_gap(&g->header);
    EMIT(&g->header, "typedef struct ${ops} {\n", {"ops", called->ops});
    emit_in(&g->header);
    for (uint32_t i = 0; i < service->method_count; i++)
        operation_emit(g, called, &service->methods[i]);
    EMIT(&g->header, ops_tail, {"server", called->server},
         {"which", service->method_count > 0 ? ", by its number" : ""});
    emit_out(&g->header);
    EMIT(&g->header, "} ${ops};\n", {"ops", called->ops});
}

static void invoke_emit(gen *g, const server_names *called, const model_method *method)
{
    const char *request =
        method->request ? arena_printf(g->memory, ", (const %s *)request", name_record(g->memory, method->request))
                        : "";
    const char *reply =
        method->reply ? arena_printf(g->memory, ", (%s *)reply", name_record(g->memory, method->reply)) : "";
    const char *unused = arena_printf(g->memory, "%s%s", method->request ? "" : "    (void)request;\n",
                                      method->reply ? "" : "    (void)reply;\n");
    bool oneway = method->kind == MODEL_METHOD_ONEWAY;

    emit_gap(&g->source);
    EMIT(&g->source, invoke_head, {"prefix", called->prefix}, {"method", name_method(g->memory, method)},
         {"ops", called->ops}, {"server", called->server}, {"context", context_name(g, called, method)},
         {"request", request}, {"reply", reply}, {"unused", unused}, {"return", oneway ? "" : "return "},
         {"done", oneway ? "    return 0;\n" : ""});
}

static void throws_emit(gen *g, const server_names *called, const model_method *method, bool *first)
{
    for (uint32_t i = 0; method->errors && i < method->errors->count; i++) {
        const model_member *error = &method->errors->items[i];
        if (!error->payload)
            continue;
        const char *base = arena_printf(g->memory, "%s_%s", called->prefix, name_method(g->memory, method));
        const char *suffix = arena_printf(g->memory, "throw_%s", name_member(g->memory, error));
        const char *function = gen_compose(g, base, suffix, method->at, "the throwing function",
                                           arena_printf(g->memory, "method '%s'", method->name));
        const char *context = context_name(g, called, method);
        const char *type = name_record(g->memory, error->payload);
        if (*first) {
            emit_gap(&g->header);
            emit_text(&g->header, "/* Keeps a copy of what goes with an error: return this from the operation. */\n");
        }
        *first = false;
        EMIT(&g->header, "SHMRPC_NODISCARD int ${function}(${context} *context, const ${type} *payload);\n",
             {"function", function}, {"context", context}, {"type", type});
        emit_gap(&g->source);
        EMIT(&g->source, throw_source, {"function", function}, {"context", context}, {"type", type},
             {"macro", name_member_macro(g->memory, method->errors, error)});
    }
}

void gen_server(gen *g, const model_service *service)
{
    const char *prefix = name_service(g->memory, service);
    span at = service->decl->at;
    const char *title = arena_printf(g->memory, "service '%s'", service->decl->name);
    server_names called = {
        .prefix = prefix,
        .server = gen_compose(g, prefix, "server", at, "the server", title),
        .ops = gen_compose(g, prefix, "ops", at, "the table of operations", title),
        .scope = gen_scope(g, service),
    };
    const emit_value values[] = {
        {"service", service->decl->qualified_name},
        {"prefix", prefix},
        {"server", called.server},
        {"ops", called.ops},
        {"init", gen_compose(g, prefix, "server_init", at, "the server's beginning", title)},
        {"deinit", gen_compose(g, prefix, "server_deinit", at, "the server's end", title)},
        {"run", gen_compose(g, prefix, "server_run", at, "the server's loop", title)},
        {"stop", gen_compose(g, prefix, "server_stop", at, "the server's stop", title)},
        {"fd", gen_compose(g, prefix, "server_fd", at, "the server's descriptor", title)},
        {"dispatch", gen_compose(g, prefix, "server_dispatch", at, "the server's dispatch", title)},
        {"attach", gen_compose(g, prefix, "server_attach", at, "the attaching function", title)},
        {"detach", gen_compose(g, prefix, "server_detach", at, "the detaching function", title)},
        {NULL, NULL},
    };
    bool first = true;

    emit_gap(&g->header);
    emit_template(&g->header, server_intro, values);
    numbers_emit(g, prefix, service);
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        gen_compose(g, arena_printf(g->memory, "%s_%s", prefix, name_method(g->memory, method)), "context", method->at,
                    "the context", arena_printf(g->memory, "method '%s'", method->name));
        EMIT(&g->header, context_header, {"context", context_name(g, &called, method)});
    }
    ops_emit(g, &called, service);
    emit_template(&g->header, server_header, values);
    for (uint32_t i = 0; i < service->method_count; i++)
        invoke_emit(g, &called, &service->methods[i]);
    gen_service_info(g, service);
    emit_gap(&g->source);
    emit_template(&g->source, server_source, values);
    for (uint32_t i = 0; i < service->method_count; i++)
        throws_emit(g, &called, &service->methods[i], &first);
    gen_later(g, service);
}

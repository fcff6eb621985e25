/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - the calling side of a service: typed functions over shmrpc_client_call().
 *
 * The client's type is never defined: a pointer to it is the library's handle under another name, so that handles of two
 * services cannot be mixed up and nothing has to be allocated.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/c/gen.h"

/* clang-format off */
static const char client_intro[] =
    "/*\n"
    " * ---- ${service}: the calling side ----\n"
    " *\n"
    " * Calls return 0, a declared error (> 0), or a status of the transport (< 0, SHMRPC_E_...). *ret is written on 0 only.\n"
    " */\n";

static const char client_header[] =
    "typedef struct ${client} ${client};\n"
    "\n"
    "/* Connects to the server called `name`; `options` may be NULL. On 0, *ret is the caller's to free. */\n"
    "SHMRPC_NODISCARD int ${connect}(${client} **ret, const char *name, const shmrpc_client_options *options);\n"
    "void ${free}(${client} *client); /* takes NULL */\n"
    "\n"
    "/* The handle beneath, for what is in shmrpc/client.h. */\n"
    "shmrpc_client *${base}(${client} *client);\n";

static const char client_source[] =
    "int ${connect}(${client} **ret, const char *name, const shmrpc_client_options *options)\n"
    "{\n"
    "    shmrpc_client *base = NULL;\n"
    "    int rc;\n"
    "\n"
    "    if (ret == NULL) {\n"
    "        return SHMRPC_E_MISUSE;\n"
    "    }\n"
    "    rc = shmrpc_client_connect(&base, name, &${prefix}_service_info, options);\n"
    "    if (rc == 0) {\n"
    "        *ret = (${client} *)base;\n"
    "    }\n"
    "    return rc;\n"
    "}\n"
    "\n"
    "void ${free}(${client} *client)\n"
    "{\n"
    "    shmrpc_client_free((shmrpc_client *)client);\n"
    "}\n"
    "\n"
    "shmrpc_client *${base}(${client} *client)\n"
    "{\n"
    "    return (shmrpc_client *)client;\n"
    "}\n";

static const char rpc_source[] =
    "${head}\n"
    "{\n"
    "    return shmrpc_client_call((shmrpc_client *)client, ${index}, ${request}, ${ret}, deadline);\n"
    "}\n";

static const char oneway_source[] =
    "${head}\n"
    "{\n"
    "    return shmrpc_client_send((shmrpc_client *)client, ${index}, ${request}, deadline);\n"
    "}\n";

static const char payload_source[] =
    "const ${type} *${function}(const ${client} *client)\n"
    "{\n"
    "    return (const ${type} *)shmrpc_client_error_payload((const shmrpc_client *)client, &${set}_info, ${macro});\n"
    "}\n";
/* clang-format on */

static void call_emit(gen *g, const char *prefix, const char *client, const model_method *method)
{
    const char *function = gen_declare(g, arena_printf(g->memory, "%s_%s", prefix, name_method(g->memory, method)),
                                       method->at, "method", method->name);
    const char *request =
        method->request ? arena_printf(g->memory, "const %s *request, ", name_record(g->memory, method->request)) : "";
    const char *reply =
        method->reply ? arena_printf(g->memory, "%s *ret, ", name_record(g->memory, method->reply)) : "";
    const char *head =
        arena_printf(g->memory, "int %s(%s *client, %s%sshmrpc_deadline deadline)", function, client, request, reply);

    if (method->notes.doc || method->notes.deprecated)
        emit_gap(&g->header);
    c_doc_emit(&g->header, &method->notes);
    EMIT(&g->header, "${deprecated}SHMRPC_NODISCARD ${head};\n", {"deprecated", gen_deprecated(g, &method->notes)},
         {"head", head});
    emit_gap(&g->source);
    EMIT(&g->source, method->kind == MODEL_METHOD_ONEWAY ? oneway_source : rpc_source, {"head", head},
         {"index", arena_printf(g->memory, "%" PRIu32, method->id)}, {"request", method->request ? "request" : "NULL"},
         {"ret", method->reply ? "ret" : "NULL"});
}

/*
 * Who accessors of a set's payloads are named after: the package, where the set's file has no other service that they
 * could be for; else the service.
 */
static const char *payload_prefix(gen *g, const model_service *service, const model_members *errors)
{
    if (g->service_count == 1 && errors->decl->file == g->file)
        return name_decl(g->memory, errors->decl);
    const char *set = name_decl(g->memory, errors->decl) + strlen(name_package(g->memory, errors->decl->file)) + 1;
    return arena_printf(g->memory, "%s_%s", name_service(g->memory, service), set);
}

static void payloads_emit(gen *g, const char *client, const model_service *service, const model_members *errors)
{
    const char *prefix = payload_prefix(g, service, errors);

    for (uint32_t i = 0; i < errors->count; i++) {
        const model_member *error = &errors->items[i];
        if (!error->payload)
            continue;
        const char *type = name_record(g->memory, error->payload);
        const char *function =
            gen_compose(g, prefix, name_member(g->memory, error), service->decl->at, "the payload's accessor",
                        arena_printf(g->memory, "error '%s'", error->name));
        EMIT(&g->header, "const ${type} *${function}(const ${client} *client);\n", {"type", type},
             {"function", function}, {"client", client});
        emit_gap(&g->source);
        EMIT(&g->source, payload_source, {"type", type}, {"function", function}, {"client", client},
             {"set", name_decl(g->memory, errors->decl)}, {"macro", name_member_macro(g->memory, errors, error)});
    }
}

static bool has_payload(const model_members *errors)
{
    for (uint32_t i = 0; i < errors->count; i++) {
        if (errors->items[i].payload)
            return true;
    }
    return false;
}

/* Accessors of each set that a method of the service throws, once. */
static void errors_emit(gen *g, const char *client, const model_service *service)
{
    bool first = true;

    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_members *errors = service->methods[i].errors;
        bool seen = false;
        for (uint32_t j = 0; j < i; j++)
            seen = seen || service->methods[j].errors == errors;
        if (!errors || seen || !has_payload(errors))
            continue;
        if (first) {
            emit_gap(&g->header);
            emit_text(&g->header, "/* What came with the error that the last call returned, valid until the next call; "
                                  "NULL where it was another. */\n");
        }
        first = false;
        payloads_emit(g, client, service, errors);
    }
}

void gen_client(gen *g, const model_service *service)
{
    const char *prefix = name_service(g->memory, service);
    span at = service->decl->at;
    const char *title = arena_printf(g->memory, "service '%s'", service->decl->name);
    const char *client = gen_compose(g, prefix, "client", at, "the client", title);
    const emit_value values[] = {
        {"service", service->decl->qualified_name},
        {"prefix", prefix},
        {"client", client},
        {"connect", gen_compose(g, prefix, "connect", at, "the connecting function", title)},
        {"free", gen_compose(g, prefix, "client_free", at, "the client's end", title)},
        {"base", gen_compose(g, prefix, "client_base", at, "the client's handle", title)},
        {NULL, NULL},
    };

    emit_gap(&g->header);
    emit_template(&g->header, client_intro, values);
    emit_gap(&g->header);
    c_doc_emit(&g->header, &service->decl->notes);
    emit_template(&g->header, client_header, values);
    emit_gap(&g->source);
    emit_template(&g->source, client_source, values);
    emit_gap(&g->header);
    for (uint32_t i = 0; i < service->method_count; i++)
        call_emit(g, prefix, client, &service->methods[i]);
    errors_emit(g, client, service);
    gen_calls(g, service, client);
}

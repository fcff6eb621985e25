/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c - a service's inline bodies and its tables.
 */
#include <inttypes.h>
#include <string.h>

#include "backends/c/gen.h"

static const char *payload_info(gen *g, const model_record *record)
{
    return record ? arena_printf(g->memory, "&%s_info", name_record(g->memory, record)) : "NULL";
}

static const char *method_flags(const model_method *method)
{
    if (method->kind == MODEL_METHOD_ONEWAY)
        return "SHMRPC_METHOD_ONEWAY";
    return method->idempotent ? "SHMRPC_METHOD_IDEMPOTENT" : "0";
}

static const char *method_timeout(gen *g, const model_method *method)
{
    if (method->deadline_ns == MODEL_DEADLINE_UNSET)
        return "SHMRPC_METHOD_DEADLINE_UNSET";
    if (method->deadline_ns == MODEL_DEADLINE_NONE)
        return "SHMRPC_METHOD_DEADLINE_NONE";
    return arena_printf(g->memory, "INT64_C(%" PRId64 ")", method->deadline_ns);
}

static const char method_row[] = "{\n"
                                 "    ${name},\n"
                                 "    UINT64_C(0x${fingerprint}),\n"
                                 "    ${flags},\n"
                                 "    ${former_count},\n"
                                 "    ${timeout},\n"
                                 "    ${request},\n"
                                 "    ${reply},\n"
                                 "    ${errors},\n"
                                 "    ${prefix}_${method}_invoke_,\n"
                                 "    ${former},\n"
                                 "    ${original},\n"
                                 "},\n";

static const char revision_row[] = "{UINT64_C(0x${fingerprint}), ${version}, ${request}, ${request_min}, ${reply}, "
                                   "${reply_min}, ${answer}},\n";

static const char *number(gen *g, uint32_t value)
{
    return arena_printf(g->memory, "%" PRIu32, value);
}

static const char *revision_size(gen *g, const model_revision *of)
{
    return number(g, of ? of->size : 0);
}

static const char *revision_least(gen *g, const model_revision *of)
{
    return number(g, of ? c_least_size(of->variable_tail, of->size) : 0);
}

/* The layouts that it had before the newest; returns the name of their table. */
static const char *former_emit(gen *g, const char *prefix, const model_method *method)
{
    emit *e = &g->source;
    const char *table = arena_printf(g->memory, "%s_%s_former_", prefix, name_method(g->memory, method));

    if (method->revision_count < 2)
        return "NULL";
    emit_gap(e);
    EMIT(e, "static const shmrpc_revision_info ${table}[] = {\n", {"table", table});
    emit_in(e);
    for (uint32_t i = 0; i + 1 < method->revision_count; i++) {
        const model_method_revision *of = &method->revisions[i];
        EMIT(e, revision_row, {"fingerprint", arena_printf(g->memory, "%016" PRIx64, of->fingerprint)},
             {"version", number(g, of->version)}, {"request", revision_size(g, of->request)},
             {"request_min", revision_least(g, of->request)}, {"reply", revision_size(g, of->reply)},
             {"reply_min", revision_least(g, of->reply)}, {"answer", number(g, of->answer_size)});
    }
    emit_out(e);
    emit_text(e, "};\n");
    return table;
}

/* What both sides know it by, where that is not its name. */
static const char *original_literal(gen *g, const char *original)
{
    return original ? c_literal_string(g->memory, original, strlen(original)) : "NULL";
}

static const char *service_original(gen *g, const model_service *service)
{
    const model_file *file = service->decl->file;
    const char *package = file->notes.original ? file->notes.original : file->package;
    const char *own = service->decl->notes.original ? service->decl->notes.original : service->decl->name;

    if (!file->notes.original && !service->decl->notes.original)
        return "NULL";
    return original_literal(g, arena_printf(g->memory, "%s.%s", package, own));
}

static void methods_emit(gen *g, const char *prefix, const model_service *service)
{
    emit *e = &g->source;
    const char **former = arena_array(g->memory, service->method_count, sizeof(*former));

    for (uint32_t i = 0; i < service->method_count; i++)
        former[i] = former_emit(g, prefix, &service->methods[i]);
    emit_gap(e);
    EMIT(e, "static const shmrpc_method_info ${prefix}_methods_[] = {\n", {"prefix", prefix});
    emit_in(e);
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        EMIT(e, method_row, {"name", c_literal_string(g->memory, method->name, strlen(method->name))},
             {"fingerprint", arena_printf(g->memory, "%016" PRIx64, method->fingerprint)},
             {"flags", method_flags(method)}, {"timeout", method_timeout(g, method)},
             {"request", payload_info(g, method->request)}, {"reply", payload_info(g, method->reply)},
             {"errors", method->errors ? arena_printf(g->memory, "&%s_info", name_decl(g->memory, method->errors->decl))
                                       : "NULL"},
             {"prefix", prefix}, {"method", name_method(g->memory, method)},
             {"former_count", number(g, method->revision_count - 1)}, {"former", former[i]},
             {"original", original_literal(g, method->notes.original)});
    }
    emit_out(e);
    emit_text(e, "};\n");
}

static const char info_template[] = "const shmrpc_service_info ${info} = {\n"
                                    "    &shmrpc_generated_abi_3, ${name}, ${version}, ${count}, ${methods}, "
                                    "${original}, ${flags},\n"
                                    "};\n";

void gen_service_info(gen *g, const model_service *service)
{
    const char *prefix = name_service(g->memory, service);
    const char *name = service->decl->qualified_name;
    const char *info = gen_compose(g, prefix, "service_info", service->decl->at, "the description",
                                   arena_printf(g->memory, "service '%s'", service->decl->name));

    if (service->method_count > 0)
        methods_emit(g, prefix, service);
    emit_gap(&g->source);
    EMIT(&g->source, info_template, {"info", info}, {"name", c_literal_string(g->memory, name, strlen(name))},
         {"version", arena_printf(g->memory, "%" PRIu32, service->decl->file->version)},
         {"count", arena_printf(g->memory, "%" PRIu32, service->method_count)},
         {"methods", service->method_count > 0 ? arena_printf(g->memory, "%s_methods_", prefix) : "NULL"},
         {"original", service_original(g, service)}, {"flags", service->strict ? "SHMRPC_SERVICE_STRICT" : "0"});
    EMIT(&g->header, "extern const shmrpc_service_info ${info};\n", {"info", info});
}

static bool is_supported(const model_method *method)
{
    return method->kind != MODEL_METHOD_EVENT && !method->request_is_stream && !method->reply_is_stream;
}

/*
 * A service with no method but those that C has: it is refused, where there are others, but not before the names of
 * what there is were looked at.
 */
static const model_service *supported(gen *g, const model_service *service)
{
    model_method *methods = arena_array(g->memory, service->method_count, sizeof *methods);
    model_service *made = arena_alloc(g->memory, sizeof *made);

    *made = *service;
    made->methods = methods;
    made->method_count = 0;
    for (uint32_t i = 0; i < service->method_count; i++) {
        if (is_supported(&service->methods[i]))
            methods[made->method_count++] = service->methods[i];
    }
    return made->method_count == service->method_count ? service : made;
}

void gen_service(gen *g, const model_service *service)
{
    const model_service *known = supported(g, service);

    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        if (method->composed)
            continue; /* its bodies are where it comes from */
        if (method->request && method->request->role != MODEL_ROLE_NAMED)
            gen_record(g, method->request);
        if (method->reply && method->reply->role != MODEL_ROLE_NAMED)
            gen_record(g, method->reply);
    }
    gen_client(g, known);
    gen_server(g, known);
}

void gen_channel(gen *g, const model_channel *channel)
{
    if (channel->item->role == MODEL_ROLE_CHANNEL_ITEM)
        gen_record(g, channel->item);
}

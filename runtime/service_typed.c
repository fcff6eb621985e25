/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_typed.c - services that shmc made.
 *
 * A request is copied once into private memory, validated there, and handed to the operation with a reply that begins
 * as its default image; or, with the option `in_place`, it is handed over where the client wrote it (service_in_place.h).
 * Whatever the operation returns, the caller gets one answer: a reply that validates, a declared
 * error, a status that may travel, or INTERNAL with a line in the server's log.
 */
#include <shmrpc/host.h>

#include "service_typed.h"

#include "current.h"
#include "envelope.h"
#include "error.h"
#include "later.h"
#include "log.h"
#include "message.h"
#include "platform/clock.h"
#include "platform/compiler.h"
#include "server_core.h"
#include "service_in_place.h"
#include "status.h"

#include <stdlib.h>

/* What is behind a context while its handler runs. */
typedef struct typed_call {
    current_call current;
    const typed_service *service;
    const service_visit *visit;
    const lane_request *request;
    const shmrpc_method_info *method;
    const method_terms *terms;
    const metadata *metadata; /* what came with the request; NULL: nothing */
    int64_t sent_ns;          /* when it was sent; 0: not told */
    int64_t looked_ns;        /* when a question of the handler's led to a look at the client's socket; 0: never */
    bool is_deserted;         /* what was seen then */
    int thrown_code;          /* of the error whose payload has been thrown; 0: none */
    bool is_put_off;          /* and is to be answered by: */
    shmrpc_later later;
    bool is_broken; /* the client has offered no block for the answer */
} typed_call;

/* ---- answers ---- */

static RARE int error_no_block(uint32_t size)
{
    return error_set(SHMRPC_E_PROTOCOL, "a request offers no block for an answer of %u bytes", size);
}

/*
 * Stores a valid message as the answer. A client that did not offer a block for an answer that needs one breaks the
 * protocol.
 */
static ALWAYS_INLINE int answer_with(lane_server *lane, const lane_request *request, int status,
                                     const shmrpc_type_info *type, const void *message)
{
    uint8_t block;
    void *to = lane_server_place(lane, request, type->size, &block);

    if (to == NULL) {
        return error_no_block(type->size);
    }
    lane_server_answer(lane, request, status, message_store(type, to, message), block);
    return status;
}

static int answer_status(lane_server *lane, const lane_request *request, int status)
{
    lane_server_answer(lane, request, status, 0, BLOCK_NONE);
    return status;
}

static shmrpc_log_entry about_handler(const typed_call *call)
{
    return (shmrpc_log_entry){LOG_ABOUT(WARNING, HANDLER_FAILED), .service = call->service->base.name,
                              .method = call->method->name, .status = SHMRPC_E_INTERNAL};
}

static RARE int handler_failed(lane_server *lane, const lane_request *request, const typed_call *call, const char *why)
{
    log_entry(about_handler(call), "%s.%s: the handler failed: %s", call->service->base.name, call->method->name, why);
    return answer_status(lane, request, SHMRPC_E_INTERNAL);
}

static RARE int answer_failure(lane_server *lane, const lane_request *request, const typed_call *call, int status)
{
    if (status > 0) {
        const shmrpc_error_info *error = message_error(call->method->errors, status);

        if (error == NULL) {
            return handler_failed(lane, request, call, "it returned an error that the method does not declare");
        }
        if (error->payload == NULL) {
            return answer_status(lane, request, status);
        }
        if (call->thrown_code != status) {
            return handler_failed(lane, request, call, "it returned an error without its payload");
        }
        if (error->payload->size > call->terms->answer_size) {
            return answer_status(lane, request, status); /* newer than what was agreed on, like the error */
        }
        return answer_with(lane, request, status, error->payload, call->visit->scratch->payload);
    }
    if (status == SHMRPC_E_INTERNAL) {
        return handler_failed(lane, request, call, "it said so");
    }
    if (!status_may_travel(status)) {
        return handler_failed(lane, request, call, "it returned a status that is not a handler's to give");
    }
    return answer_status(lane, request, status);
}

/* A reply to a client that knows the first bytes of it only. */
static RARE int answer_first(lane_server *lane, const lane_request *request, const typed_call *call)
{
    uint32_t size = call->terms->reply_size;
    const service_scratch *scratch = call->visit->scratch;
    uint8_t block;
    void *to = lane_server_place(lane, request, size, &block);

    if (to == NULL) {
        return error_no_block(size);
    }
    size = message_store_first(call->method->reply, to, scratch->reply, size, scratch->narrow);
    lane_server_answer(lane, request, 0, size, block);
    return 0;
}

static ALWAYS_INLINE int answer(lane_server *lane, const lane_request *request, const typed_call *call,
                                const in_place *place, int status)
{
    const shmrpc_type_info *type = call->method->reply;
    const void *reply = place != NULL ? place->reply : call->visit->scratch->reply;

    if (status != 0) {
        return answer_failure(lane, request, call, status);
    }
    if (type == NULL) {
        return answer_status(lane, request, 0);
    }
    if (type->validate != NULL && shmrpc_message_check(type, reply) != 0) {
        return handler_failed(lane, request, call, shmrpc_last_error());
    }
    if (place != NULL && place->block != BLOCK_NONE) {
        lane_server_answer(lane, request, 0, message_finish(type, place->reply), place->block);
        return 0;
    }
    if (call->terms->reply_size != type->size) {
        return answer_first(lane, request, call);
    }
    return answer_with(lane, request, 0, type, reply);
}

/* What becomes of a handler that has put its call off, or says so. */
static RARE int put_off(lane_server *lane, const lane_request *request, const typed_call *call, int returned)
{
    if (call->is_broken) {
        return error_no_block(call->terms->answer_size);
    }
    if (!call->is_put_off) {
        return handler_failed(lane, request, call, "it returned SHMRPC_DEFERRED, and its call was not put off");
    }
    if (returned != SHMRPC_DEFERRED) {
        later_fail_handler(call->later, call->service->base.name, call->method,
                           "it put its call off, and did not return SHMRPC_DEFERRED");
        return SHMRPC_E_INTERNAL;
    }
    return 0;
}

/* ---- requests ---- */

static ALWAYS_INLINE int load(const typed_service *self, const shmrpc_method_info *method, const method_terms *terms,
                              const lane_request *request, void *to)
{
    const shmrpc_type_info *type = method->request;

    if (!terms_take(request->length, terms->request_least, terms->request_size)) {
        return error_set(SHMRPC_E_PROTOCOL, "%s.%s: a request of %u bytes", self->base.name, method->name,
                         request->length);
    }
    return type == NULL ? 0 : message_load(type, to, request->payload, request->length);
}

/* Hooks of the application: asked before anything of the request is looked at. */
static bool is_permitted(const typed_service *self, const service_visit *visit, const lane_request *request)
{
    return self->binding.permit == NULL || self->binding.permit(visit->server, visit->session, request->method) == 0;
}

/* A request that is not in an envelope, or has been taken out of it. */
static ALWAYS_INLINE int run(typed_service *self, const service_visit *visit, const lane_request *request,
                             const metadata *with, int64_t sent_ns, bool is_in_place)
{
    const service_scratch *scratch = visit->scratch;
    in_place place = {scratch->request, scratch->reply, BLOCK_NONE};
    lane_server *lane = visit->lane;
    const method_terms *terms = &visit->methods[request->method];
    const shmrpc_method_info *method;
    typed_call call;
    shmrpc_context context;
    int rc;

    if (!is_permitted(self, visit, request)) {
        return answer_status(lane, request, SHMRPC_E_PERMISSION);
    }
    method = &self->binding.service->methods[request->method];
    rc = is_in_place || request->is_sealed ? in_place_take(lane, method, terms, request, &place) : 0;
    rc = rc == 0 ? load(self, method, terms, request, scratch->request) : rc > 0 ? 0 : rc;
    if (rc != 0) {
        return rc;
    }
    if (method->reply != NULL && !(is_in_place && in_place_begin(lane, method, terms, request, &place))) {
        message_init(method->reply, scratch->reply);
    }
    call.service = self;
    call.visit = visit;
    call.request = request;
    call.method = method;
    call.terms = terms;
    call.metadata = with;
    call.sent_ns = sent_ns;
    call.looked_ns = 0;
    call.is_deserted = false;
    call.thrown_code = 0;
    call.is_put_off = false;
    call.is_broken = false;
    context.session = visit->session;
    context.implementation = &call;
    lane_server_start(lane, request);
    current_begin(&call.current, service_budget_ns(request->budget_us), &self->habits[request->method].calls_out);
    rc = method->invoke(visit->server, &context, method->request == NULL ? NULL : place.request,
                        method->reply == NULL ? NULL : place.reply);
    current_end(&call.current);
    if (call.is_put_off || rc == SHMRPC_DEFERRED) {
        return put_off(lane, request, &call, rc);
    }
    return answer(lane, request, &call, is_in_place ? &place : NULL, rc);
}

/*
 * Has the caller's time passed since it sent the request? By the clock of the ticks: some milliseconds late, never
 * early. A time to come is a client's mistake, or lie, and means that nothing is known.
 */
static bool has_expired(const lane_request *request, int64_t sent_ns)
{
    int64_t now_ns = clock_coarse_ns();

    return sent_ns != 0 && sent_ns < now_ns && now_ns - sent_ns > service_budget_ns(request->budget_us);
}

/* A request whose method's number is none of the service's: it may be in an envelope. */
static __attribute__((noinline)) int handle_enveloped(typed_service *self, const service_visit *visit,
                                                      const lane_request *request, bool is_in_place)
{
    uint32_t count = self->binding.service->method_count;
    lane_request inner = *request;
    int64_t sent_ns;
    int rc;

    if ((request->method & ENVELOPE_METHOD) == 0 || (request->method & ~(uint32_t)ENVELOPE_METHOD) >= count) {
        return answer_status(visit->lane, request, SHMRPC_E_UNIMPLEMENTED);
    }
    rc = envelope_open(&inner, visit->scratch->metadata, &sent_ns);
    if (rc != 0) {
        return rc;
    }
    if (has_expired(&inner, sent_ns)) {
        return answer_status(visit->lane, request, SHMRPC_E_EXPIRED);
    }
    return run(self, visit, &inner, visit->scratch->metadata, sent_ns, is_in_place);
}

/* Messages that nobody awaits an answer of are not withdrawn; their senders may be gone. */
static RARE bool is_oneway(const typed_service *self, const lane_request *request)
{
    uint32_t method = request->method & ~(uint32_t)ENVELOPE_METHOD;

    return method < self->binding.service->method_count &&
           (self->binding.service->methods[method].flags & SHMRPC_METHOD_ONEWAY) != 0;
}

static ALWAYS_INLINE int handle_either(service *base, const service_visit *visit, const lane_request *request,
                                       bool is_in_place)
{
    typed_service *self = (typed_service *)(void *)base;

    if (request->cancelled && !is_oneway(self, request)) {
        return answer_status(visit->lane, request, SHMRPC_E_CANCELLED);
    }
    if (request->waited_ns != 0 && request->waited_ns > service_budget_ns(request->budget_us)) {
        return answer_status(visit->lane, request, SHMRPC_E_EXPIRED);
    }
    if (request->method >= self->binding.service->method_count) {
        return handle_enveloped(self, visit, request, is_in_place);
    }
    return run(self, visit, request, NULL, 0, is_in_place);
}

static int handle(service *base, const service_visit *visit, const lane_request *request)
{
    return handle_either(base, visit, request, false);
}

static int handle_in_place(service *base, const service_visit *visit, const lane_request *request)
{
    return handle_either(base, visit, request, true);
}

/* ---- contexts ---- */

int64_t shmrpc_context_sent_ns(const shmrpc_context *context)
{
    return ((const typed_call *)context->implementation)->sent_ns;
}

const char *shmrpc_context_metadata(const shmrpc_context *context, const char *key)
{
    const metadata *with = ((const typed_call *)context->implementation)->metadata;

    return with == NULL || key == NULL ? NULL : metadata_find(with, key);
}

int64_t shmrpc_context_timeout_ns(const shmrpc_context *context)
{
    return ((const typed_call *)context->implementation)->current.timeout_ns;
}

bool shmrpc_context_is_cancelled(const shmrpc_context *context)
{
    typed_call *call = context->implementation;
    int64_t now_ns;

    if (call->is_put_off) {
        return shmrpc_later_is_cancelled(call->later); /* the slot is the client's again */
    }
    if (lane_server_is_cancelled(call->request)) {
        return true;
    }
    /* The clock of the ticks: a handler that asks all the time does not enter the kernel all the time. */
    now_ns = clock_coarse_ns();
    if (now_ns != call->looked_ns) {
        call->looked_ns = now_ns;
        call->is_deserted = call->visit->lane->caller->is_gone(call->visit->lane->caller);
    }
    return call->is_deserted;
}

shmrpc_later shmrpc_context_defer(shmrpc_context *context)
{
    typed_call *call = context->implementation;
    uint8_t block;

    if (call->is_put_off || (call->method->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        (void)error_set(SHMRPC_E_MISUSE, "%s.%s: the call has been put off already, or has no answer",
                        call->service->base.name, call->method->name);
        return (shmrpc_later){0};
    }
    if (lane_server_place(call->visit->lane, call->request, call->terms->answer_size, &block) == NULL) {
        call->is_broken = true;
        return (shmrpc_later){0};
    }
    call->is_put_off = later_begin(call->visit->lane, call->request, call->service->base.name, call->method,
                                   call->terms, call->current.timeout_ns, &call->later) == 0;
    return call->is_put_off ? call->later : (shmrpc_later){0};
}

int shmrpc_context_throw(shmrpc_context *context, int code, const void *payload)
{
    typed_call *call = context->implementation;
    const shmrpc_type_info *type = message_error_payload(call->method->errors, code);

    if (type == NULL || payload == NULL) {
        return error_set(SHMRPC_E_INTERNAL, "%s.%s: error %d with a payload is not declared", call->service->base.name,
                         call->method->name, code);
    }
    if (type->validate != NULL && shmrpc_message_check(type, payload) != 0) {
        log_entry(about_handler(call), "%s.%s: the payload of error %d: %s", call->service->base.name,
                  call->method->name, code, shmrpc_last_error());
        return SHMRPC_E_INTERNAL;
    }
    memcpy(call->visit->scratch->payload, payload, type->size);
    call->thrown_code = code;
    return code;
}

/* ---- life ---- */

static void connected(service *base, shmrpc_server *server, shmrpc_session *session)
{
    const typed_service *self = (const typed_service *)(void *)base;

    if (self->binding.connected != NULL) {
        self->binding.connected(server, session);
    }
}

static void disconnected(service *base, shmrpc_server *server, shmrpc_session *session, int why)
{
    const typed_service *self = (const typed_service *)(void *)base;

    if (self->binding.disconnected != NULL) {
        self->binding.disconnected(server, session, why);
    }
}

static void typed_free(service *base)
{
    typed_service *self = (typed_service *)(void *)base;

    free(self->names);
    free(self->habits);
    free(self->newest);
    free(self);
}

static int typed_new(service **ret, const shmrpc_server_binding *binding)
{
    const shmrpc_service_info *info = binding->service;
    uint32_t request_size = 0;
    uint32_t answer_size = 0;
    typed_service *self;
    uint32_t i;
    int rc = message_check_service(info);

    if (rc != 0) {
        return rc;
    }
    self = calloc(1, sizeof(*self));
    if (self != NULL) {
        self->names = calloc((size_t)info->method_count + 1, sizeof(*self->names));
        self->habits = calloc((size_t)info->method_count + 1, sizeof(*self->habits));
        self->newest = calloc((size_t)info->method_count + 1, sizeof(*self->newest));
    }
    if (self == NULL || self->names == NULL || self->habits == NULL || self->newest == NULL) {
        if (self != NULL) {
            typed_free(&self->base);
        }
        return error_set(SHMRPC_E_NO_MEMORY, "cannot make a service");
    }
    for (i = 0; i < info->method_count; i++) {
        const shmrpc_method_info *method = &info->methods[i];
        uint32_t answer_of = message_answer_size(method);

        request_size =
            method->request != NULL && method->request->size > request_size ? method->request->size : request_size;
        answer_size = answer_of > answer_size ? answer_of : answer_size;
        self->names[i] = (typed_name){method_wire_name(method), i};
        self->newest[i] = revision_terms(method, 0);
    }
    qsort(self->names, info->method_count, sizeof(*self->names), typed_compare_names);
    self->binding = *binding;
    self->base.name = service_wire_name(info);
    self->base.request_size = request_size;
    self->base.answer_size = answer_size;
    self->base.method_count = info->method_count;
    self->base.takes_envelopes = true;
    self->base.agree = typed_agree;
    self->base.handle = handle;
    self->base.handle_in_place = handle_in_place;
    self->base.connected = connected;
    self->base.disconnected = disconnected;
    self->base.free = typed_free;
    *ret = &self->base;
    return 0;
}

int shmrpc_server_init(shmrpc_server *server, const shmrpc_server_binding *binding, const char *name,
                       const shmrpc_server_options *options)
{
    service *made = NULL;
    int rc;

    if (server == NULL || binding == NULL || binding->service == NULL || name == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a server needs a service and a name");
    }
    *server = (shmrpc_server){0};
    rc = typed_new(&made, binding);
    if (rc != 0) {
        return rc;
    }
    rc = server_core_init(server, made, name, options);
    if (rc != 0) {
        made->free(made);
        return rc;
    }
    server->operations = binding->operations;
    return 0;
}

int shmrpc_server_attach(shmrpc_server *server, const shmrpc_server_binding *binding, shmrpc_host *host)
{
    service *made = NULL;
    int rc;

    if (server == NULL || binding == NULL || binding->service == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a server needs a service");
    }
    *server = (shmrpc_server){0};
    rc = typed_new(&made, binding);
    if (rc != 0) {
        return rc;
    }
    rc = server_core_attach(server, made, host);
    if (rc != 0) {
        made->free(made);
        return rc;
    }
    server->operations = binding->operations;
    return 0;
}

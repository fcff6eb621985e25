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

/* What few calls have, or come to: all zero in the others. */
typedef struct typed_extras {
    const metadata *metadata; /* what came with the request; NULL: nothing */
    int64_t sent_ns;          /* when it was sent; 0: not told */
    int64_t looked_ns;        /* when a question of the handler's led to a look at the client's socket; 0: never */
    bool is_deserted;         /* what was seen then */
    bool is_broken;           /* the client has offered no block for the answer */
    int thrown_code;          /* of the error whose payload has been thrown; 0: none */
    shmrpc_later later;       /* what it is to be answered by; 0: it is not put off */
} typed_extras;

/* What is behind a context while its handler runs. */
typedef struct typed_call {
    current_call current;
    const typed_service *service;
    const service_visit *visit;
    const lane_request *request;
    typed_extras extras;
} typed_call;

static const shmrpc_method_info *method_of(const typed_call *call)
{
    return call->service->methods[call->request->method].info;
}

static bool is_put_off(const typed_call *call)
{
    return call->extras.later.id != 0;
}

/* What was agreed on for its method. */
static const method_terms *terms_of(const typed_call *call)
{
    return &call->visit->methods[call->request->method];
}

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
                              .method = method_of(call)->name, .status = SHMRPC_E_INTERNAL};
}

static RARE int handler_failed(lane_server *lane, const lane_request *request, const typed_call *call, const char *why)
{
    log_entry(about_handler(call), "%s.%s: the handler failed: %s", call->service->base.name, method_of(call)->name,
              why);
    return answer_status(lane, request, SHMRPC_E_INTERNAL);
}

static RARE int answer_failure(lane_server *lane, const lane_request *request, const typed_call *call, int status)
{
    if (status > 0) {
        const shmrpc_error_info *error = message_error(method_of(call)->errors, status);

        if (error == NULL) {
            return handler_failed(lane, request, call, "it returned an error that the method does not declare");
        }
        if (error->payload == NULL) {
            return answer_status(lane, request, status);
        }
        if (call->extras.thrown_code != status) {
            return handler_failed(lane, request, call, "it returned an error without its payload");
        }
        if (error->payload->size > terms_of(call)->answer_size) {
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
    uint32_t size = terms_of(call)->reply_size;
    const service_scratch *scratch = call->visit->scratch;
    uint8_t block;
    void *to = lane_server_place(lane, request, size, &block);

    if (to == NULL) {
        return error_no_block(size);
    }
    size = message_store_first(method_of(call)->reply, to, scratch->reply, size, scratch->narrow);
    lane_server_answer(lane, request, 0, size, block);
    return 0;
}

static ALWAYS_INLINE int answer(lane_server *lane, const lane_request *request, const typed_call *call,
                                const shmrpc_method_info *method, const in_place *place, int status)
{
    const shmrpc_type_info *type = method->reply;
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
    if (terms_of(call)->reply_size != type->size) {
        return answer_first(lane, request, call);
    }
    return answer_with(lane, request, 0, type, reply);
}

/* What becomes of a handler that has put its call off, or says so. */
static RARE int put_off(lane_server *lane, const lane_request *request, const typed_call *call, int returned)
{
    if (call->extras.is_broken) {
        return error_no_block(terms_of(call)->answer_size);
    }
    if (!is_put_off(call)) {
        return handler_failed(lane, request, call, "it returned SHMRPC_DEFERRED, and its call was not put off");
    }
    if (returned != SHMRPC_DEFERRED) {
        later_fail_handler(call->extras.later, call->service->base.name, method_of(call),
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

/* A call begins; what is said of it in addition comes after this. */
static ALWAYS_INLINE void begin(typed_call *call, const typed_service *self, const service_visit *visit,
                                const lane_request *request)
{
    call->service = self;
    call->visit = visit;
    call->request = request;
    call->extras = (typed_extras){0};
}

/* Runs the handler of a call that has begun. What it returned. */
static ALWAYS_INLINE int invoke(typed_call *call, typed_method *method, const void *message, void *reply)
{
    const service_visit *visit = call->visit;
    const lane_request *request = call->request;
    shmrpc_context context;
    int rc;

    context.session = visit->session;
    context.implementation = call;
    lane_server_start(visit->lane, request);
    current_begin(&call->current, service_budget_ns(request->budget_us), &method->calls_out);
    rc = method->info->invoke(visit->server, &context, message, reply);
    current_end(&call->current);
    return rc;
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
    begin(&call, self, visit, request);
    call.extras.metadata = with;
    call.extras.sent_ns = sent_ns;
    rc = invoke(&call, &self->methods[request->method], method->request == NULL ? NULL : place.request,
                method->reply == NULL ? NULL : place.reply);
    if (is_put_off(&call) || rc == SHMRPC_DEFERRED) {
        return put_off(lane, request, &call, rc);
    }
    return answer(lane, request, &call, method, is_in_place ? &place : NULL, rc);
}

/* What becomes of a plain request whose handler does not reply now. */
static RARE int answer_otherwise(const typed_call *call, int returned)
{
    lane_server *lane = call->visit->lane;

    return is_put_off(call) || returned == SHMRPC_DEFERRED ? put_off(lane, call->request, call, returned)
                                                           : answer_failure(lane, call->request, call, returned);
}

/*
 * run() of a plain request of a plain method, in the layout that this side has: nothing is left to ask. The payload of
 * the slot is copied whole, and so is the default image: what that brings behind the messages nobody looks at.
 */
static int run_plain(const typed_service *self, const service_visit *visit, const lane_request *request,
                     typed_method *method)
{
    const service_scratch *scratch = visit->scratch;
    void *message = scratch->request;
    void *reply = scratch->reply;
    typed_call call;
    uint32_t size;
    int rc;

    shared_copy_out(message, request->at->payload, SHMRPC_SLOT_PAYLOAD);
    if (request->length < method->plain_most) {
        message_fill(method->info->request, message, request->length);
    }
    if (method->checks_request && message_validate(method->info->request, message) != 0) {
        return SHMRPC_E_PROTOCOL;
    }
    memcpy(reply, method->plain_reply, sizeof(method->plain_reply));
    begin(&call, self, visit, request);
    rc = invoke(&call, method, method->has_request ? message : NULL, method->has_reply ? reply : NULL);
    if (rc != 0 || is_put_off(&call)) {
        return answer_otherwise(&call, rc);
    }
    size = method->plain_size;
    if (size != 0) {
        copy_bytes(request->at->payload, reply, size);
    } else if (method->has_reply) {
        if (shmrpc_message_check(method->info->reply, reply) != 0) {
            return handler_failed(visit->lane, request, &call, shmrpc_last_error());
        }
        size = message_store(method->info->reply, request->at->payload, reply);
    }
    lane_server_answer(visit->lane, request, 0, size, BLOCK_NONE);
    return 0;
}

/* The method of a request for run_plain(); NULL: this one takes more than that. */
static ALWAYS_INLINE typed_method *plain_method(const typed_service *self, const service_visit *visit,
                                                const lane_request *request)
{
    if (request->is_plain && request->method < self->base.method_count && visit->methods == self->newest &&
        terms_take(request->length, self->methods[request->method].plain_least,
                   self->methods[request->method].plain_most)) {
        return &self->methods[request->method];
    }
    return NULL;
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

static ALWAYS_INLINE int handle_any(typed_service *self, const service_visit *visit, const lane_request *request,
                                    bool is_in_place)
{
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

static __attribute__((noinline)) int handle_copied(typed_service *self, const service_visit *visit,
                                                   const lane_request *request)
{
    return handle_any(self, visit, request, false);
}

static __attribute__((noinline)) int handle_where_it_is(typed_service *self, const service_visit *visit,
                                                        const lane_request *request)
{
    return handle_any(self, visit, request, true);
}

static int handle(service *base, const service_visit *visit, const lane_request *request)
{
    typed_service *self = (typed_service *)(void *)base;
    typed_method *method = plain_method(self, visit, request);

    return method != NULL ? run_plain(self, visit, request, method) : handle_copied(self, visit, request);
}

/* What is in a slot is copied here, too. */
static int handle_in_place(service *base, const service_visit *visit, const lane_request *request)
{
    typed_service *self = (typed_service *)(void *)base;
    typed_method *method = plain_method(self, visit, request);

    return method != NULL ? run_plain(self, visit, request, method) : handle_where_it_is(self, visit, request);
}

/* ---- contexts ---- */

int64_t shmrpc_context_sent_ns(const shmrpc_context *context)
{
    return ((const typed_call *)context->implementation)->extras.sent_ns;
}

const char *shmrpc_context_metadata(const shmrpc_context *context, const char *key)
{
    const metadata *with = ((const typed_call *)context->implementation)->extras.metadata;

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

    if (is_put_off(call)) {
        return shmrpc_later_is_cancelled(call->extras.later); /* the slot is the client's again */
    }
    if (lane_server_is_cancelled(call->request)) {
        return true;
    }
    /* The clock of the ticks: a handler that asks all the time does not enter the kernel all the time. */
    now_ns = clock_coarse_ns();
    if (now_ns != call->extras.looked_ns) {
        call->extras.looked_ns = now_ns;
        call->extras.is_deserted = call->visit->lane->caller->is_gone(call->visit->lane->caller);
    }
    return call->extras.is_deserted;
}

shmrpc_later shmrpc_context_defer(shmrpc_context *context)
{
    typed_call *call = context->implementation;
    const shmrpc_method_info *method = method_of(call);
    shmrpc_later later = {0};
    uint8_t block;

    if (is_put_off(call) || (method->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        (void)error_set(SHMRPC_E_MISUSE, "%s.%s: the call has been put off already, or has no answer",
                        call->service->base.name, method->name);
        return later;
    }
    if (lane_server_place(call->visit->lane, call->request, terms_of(call)->answer_size, &block) == NULL) {
        call->extras.is_broken = true;
        return later;
    }
    if (later_begin(call->visit->lane, call->request, call->service->base.name, method, terms_of(call),
                    call->current.timeout_ns, &later) == 0) {
        call->extras.later = later;
    }
    return later;
}

int shmrpc_context_throw(shmrpc_context *context, int code, const void *payload)
{
    typed_call *call = context->implementation;
    const shmrpc_method_info *method = method_of(call);
    const shmrpc_type_info *type = message_error_payload(method->errors, code);

    if (type == NULL || payload == NULL) {
        return error_set(SHMRPC_E_INTERNAL, "%s.%s: error %d with a payload is not declared", call->service->base.name,
                         method->name, code);
    }
    if (type->validate != NULL && shmrpc_message_check(type, payload) != 0) {
        log_entry(about_handler(call), "%s.%s: the payload of error %d: %s", call->service->base.name, method->name,
                  code, shmrpc_last_error());
        return SHMRPC_E_INTERNAL;
    }
    memcpy(call->visit->scratch->payload, payload, type->size);
    call->extras.thrown_code = code;
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
    free(self->methods);
    free(self->newest);
    free(self);
}

/* A method of a service whose binding is this. */
static void typed_method_init(typed_method *self, const shmrpc_server_binding *binding, const shmrpc_method_info *info,
                              const method_terms *terms)
{
    const shmrpc_type_info *request = info->request;
    const shmrpc_type_info *reply = info->reply;
    bool is_plain = binding->permit == NULL && terms->request_size <= SHMRPC_SLOT_PAYLOAD &&
                    terms->reply_size <= SHMRPC_SLOT_PAYLOAD;

    self->info = info;
    self->plain_least = is_plain ? terms->request_least : 1;
    self->plain_most = is_plain ? terms->request_size : 0;
    self->has_request = request != NULL;
    self->has_reply = reply != NULL;
    self->checks_request = request != NULL && request->validate != NULL;
    if (is_plain && reply != NULL) {
        self->plain_size = reply->validate == NULL && reply->store == NULL ? (uint8_t)reply->size : 0;
        if (reply->initial != NULL) {
            memcpy(self->plain_reply, reply->initial, reply->size);
        }
    }
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
        self->methods = calloc((size_t)info->method_count + 1, sizeof(*self->methods));
        self->newest = calloc((size_t)info->method_count + 1, sizeof(*self->newest));
    }
    if (self == NULL || self->names == NULL || self->methods == NULL || self->newest == NULL) {
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
        typed_method_init(&self->methods[i], binding, method, &self->newest[i]);
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

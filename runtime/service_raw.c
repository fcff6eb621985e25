/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_raw.c - the answering end of the raw transport: one handler for all methods, bytes in, bytes out.
 */
#include "raw.h"

#include "current.h"
#include "error.h"
#include "log.h"
#include "server_core.h"
#include "shared.h"
#include "status.h"

#include <stdlib.h>

typedef struct raw_service {
    service base;
    const shmrpc_lane_handlers *handlers;
    _Atomic bool calls_out; /* see current.h */
} raw_service;

static shmrpc_lane_server *lane_server_of(shmrpc_server *server)
{
    return (shmrpc_lane_server *)(void *)server; /* its first member */
}

static int agree(const service *self, const control_hello *hello, service_terms *ret_terms)
{
    service_terms terms = {0};

    if (strcmp(hello->service, self->name) != 0 || hello->method_count != 0) {
        char line[ERROR_LINE_MAX + 1];

        return error_set(SHMRPC_E_REFUSED, "the server offers the raw transport, not '%s'",
                         log_text(line, sizeof(line), hello->service, strlen(hello->service)));
    }
    if (hello->request_size != self->request_size || hello->reply_size != self->answer_size) {
        return error_set(SHMRPC_E_MISMATCH, "the limits are %u and %u bytes in the server, %u and %u in the client",
                         self->request_size, self->answer_size, hello->request_size, hello->reply_size);
    }
    service_terms_add(&terms, self->request_size, self->answer_size);
    *ret_terms = terms;
    return 0;
}

/* What the handler returned, as far as it may: its status and the bytes of its reply. */
static int bound_answer(const service *base, int status, size_t *size)
{
    bool allowed = status >= 0 ? status <= SHMRPC_ERROR_MAX : status_may_travel(status);

    if (!allowed || *size > base->answer_size) {
        log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, HANDLER_FAILED), .status = SHMRPC_E_INTERNAL},
                  "raw transport: the handler failed: it returned %d with %zu bytes", status, *size);
        status = SHMRPC_E_INTERNAL;
    }
    if (status < 0) {
        *size = 0;
    }
    return status;
}

static int answer(const service_visit *visit, const lane_request *request, int status, size_t size)
{
    uint8_t block = BLOCK_NONE;
    void *to = lane_server_place(visit->lane, request, (uint32_t)size, &block);

    if (size > SHMRPC_SLOT_PAYLOAD && to == NULL) {
        /* Sent one way: nobody waits, so nobody offered a block. */
        size = 0;
        block = BLOCK_NONE;
        status = SHMRPC_E_TOO_LARGE;
    } else if (size != 0) {
        memcpy(to, visit->scratch->reply, size);
    }
    lane_server_answer(visit->lane, request, status, (uint32_t)size, block);
    return status;
}

static int handle(service *base, const service_visit *visit, const lane_request *request)
{
    raw_service *self = (raw_service *)(void *)base;
    const service_scratch *scratch = visit->scratch;
    shmrpc_lane_request asked;
    current_call current;
    size_t size = 0;
    int status;

    if (request->cancelled) {
        return answer(visit, request, SHMRPC_E_CANCELLED, 0);
    }
    if (request->waited_ns > service_budget_ns(request->budget_us)) {
        return answer(visit, request, SHMRPC_E_EXPIRED, 0);
    }
    if (request->method == SHMRPC_METHOD_ERROR) {
        return answer(visit, request, SHMRPC_E_UNIMPLEMENTED, 0);
    }
    if (request->length > base->request_size) {
        return error_set(SHMRPC_E_PROTOCOL, "a request of %u bytes, the limit is %u", request->length,
                         base->request_size);
    }
    shared_copy_out(scratch->request, request->payload, request->length);
    asked = (shmrpc_lane_request){
        .session = visit->session,
        .method = request->method,
        .data = scratch->request,
        .size = request->length,
        .timeout_ns = service_budget_ns(request->budget_us),
        .reply = scratch->reply,
        .capacity = base->answer_size,
    };
    lane_server_start(visit->lane, request);
    current_begin(&current, asked.timeout_ns, &self->calls_out);
    status = self->handlers->request(lane_server_of(visit->server), &asked, &size);
    current_end(&current);
    status = bound_answer(base, status, &size);
    return answer(visit, request, status, size);
}

static void connected(service *base, shmrpc_server *server, shmrpc_session *session)
{
    const raw_service *self = (const raw_service *)(const void *)base;

    if (self->handlers->connected != NULL) {
        self->handlers->connected(lane_server_of(server), session);
    }
}

static void disconnected(service *base, shmrpc_server *server, shmrpc_session *session, int why)
{
    const raw_service *self = (const raw_service *)(const void *)base;

    if (self->handlers->disconnected != NULL) {
        self->handlers->disconnected(lane_server_of(server), session, why);
    }
}

static void raw_free(service *base)
{
    free(base);
}

static int raw_new(raw_service **ret, const shmrpc_lane_handlers *handlers, const shmrpc_lane_limits *limits)
{
    shmrpc_lane_limits bounds;
    raw_service *self;
    int rc = raw_limits(limits, &bounds);

    if (rc != 0) {
        return rc;
    }
    self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return error_set(SHMRPC_E_NO_MEMORY, "cannot make a service");
    }
    self->handlers = handlers;
    self->base.name = RAW_SERVICE;
    self->base.request_size = bounds.request_size;
    self->base.answer_size = bounds.reply_size;
    self->base.agree = agree;
    self->base.handle = handle;
    self->base.connected = connected;
    self->base.disconnected = disconnected;
    self->base.free = raw_free;
    *ret = self;
    return 0;
}

int shmrpc_lane_server_init(shmrpc_lane_server *server, const shmrpc_lane_handlers *handlers, const char *name,
                            const shmrpc_lane_limits *limits, const shmrpc_server_options *options)
{
    raw_service *made;
    int rc;

    if (server == NULL || handlers == NULL || handlers->request == NULL || name == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a raw server needs a handler and a name");
    }
    *server = (shmrpc_lane_server){0};
    rc = raw_new(&made, handlers, limits);
    if (rc != 0) {
        return rc;
    }
    rc = server_core_init(&server->base, &made->base, name, options);
    if (rc != 0) {
        raw_free(&made->base);
    }
    return rc;
}

int shmrpc_lane_server_attach(shmrpc_lane_server *server, const shmrpc_lane_handlers *handlers,
                              const shmrpc_lane_limits *limits, struct shmrpc_host *host)
{
    raw_service *made;
    int rc;

    if (server == NULL || handlers == NULL || handlers->request == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a raw server needs a handler");
    }
    *server = (shmrpc_lane_server){0};
    rc = raw_new(&made, handlers, limits);
    if (rc != 0) {
        return rc;
    }
    rc = server_core_attach(&server->base, &made->base, host);
    if (rc != 0) {
        raw_free(&made->base);
    }
    return rc;
}

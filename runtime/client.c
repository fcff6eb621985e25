/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - the typed client: a handle, and the service's table to say what its payloads are. What most calls are is in
 * client_direct.c; here is what any call can be.
 */
#include <shmrpc/client.h>

#include "client_core.h"
#include "envelope.h"
#include "error.h"
#include "message.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/compiler.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>

/* ---- connecting ---- */

int shmrpc_client_connect(shmrpc_client **ret, const char *name, const shmrpc_service_info *info,
                          const shmrpc_client_options *options)
{
    static const shmrpc_client_options defaults;
    shmrpc_client *client;
    control_hello hello;
    int rc;

    if (ret == NULL || name == NULL || info == NULL) {
        return error_set(SHMRPC_E_MISUSE, "connecting needs a result, a name and a service");
    }
    options = options == NULL ? &defaults : options;
    rc = message_check_service(info);
    if (rc == 0) {
        rc = options_check_client(options);
    }
    if (rc != 0) {
        return rc;
    }
    client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_system(-ENOMEM, "cannot make a client");
    }
    client->service = info;
    client->uses_envelopes = options->send_times || options->metadata != 0;
    rc = handle_describe(info, &hello);
    if (rc == 0) {
        hello.envelope = client->uses_envelopes ? envelope_size(options->metadata) : 0;
        rc = handle_init(&client->handle, name, options, &hello, info);
    }
    if (rc != 0) {
        free(client);
        return rc;
    }
    *ret = client;
    return 0;
}

void shmrpc_client_free(shmrpc_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->uses_envelopes) {
        client_forget_metadata(client);
    }
    handle_deinit(&client->handle);
    free(client);
}

shmrpc_client_condition shmrpc_client_state(shmrpc_client *client)
{
    return handle_look(&client->handle);
}

shmrpc_pages shmrpc_client_arena_pages(shmrpc_client *client)
{
    return client == NULL ? SHMRPC_PAGES_NONE : handle_pages(&client->handle);
}

/* ---- calls ---- */

void client_refuse_method(uint32_t method)
{
    (void)error_set(SHMRPC_E_MISUSE, "the client is NULL, or its service has no method %u", method);
}

/* The server does not have it, or not in a layout that both have. */
static int error_no_method(const shmrpc_client *client, const client_call *call, uint32_t method)
{
    if (call->method == CONTROL_METHOD_MISMATCH) {
        return error_set(SHMRPC_E_MISMATCH, "%s", call->own->session->reports[method]);
    }
    return error_set(SHMRPC_E_UNIMPLEMENTED, "%s: the server does not have '%s'", client->service->name,
                     call->info->name);
}

int client_enter(shmrpc_client *client, uint32_t method, client_call *call)
{
    for (;;) {
        int rc = handle_enter(&client->handle, &call->timeout_ns, &call->own);

        if (rc != 0) {
            return rc;
        }
        call->terms = &call->own->session->methods[method];
        call->method = call->terms->number;
        if (call->method < CONTROL_METHOD_MISMATCH) {
            return 0;
        }
        if (client->handle.options.reconnect) {
            (void)connection_look(&call->own->connection); /* the next server may have it */
        }
        if (!handle_is_to_renew(&client->handle, call->own)) {
            return error_no_method(client, call, method);
        }
    }
}

/* begin() as far as there is room. */
static int find_room(shmrpc_client *client, uint32_t method, bool answers, client_call *call)
{
    uint32_t envelope = 0;
    int rc;

    do {
        rc = client_enter(client, method, call);
        if (rc != 0) {
            return rc;
        }
        if (client->uses_envelopes) {
            rc = client_measure_envelope(client, call, call->terms->request_size, &envelope);
            if (rc != 0) {
                return rc;
            }
        }
        rc = connection_begin(&call->own->connection, call->terms->request_size + envelope,
                              answers ? call->terms->answer_size : 0, &call->timeout_ns, &call->at);
    } while (rc == SHMRPC_E_NOT_SENT && handle_is_to_renew(&client->handle, call->own));
    if (rc == 0 && envelope != 0) {
        client_write_envelope(client, call->at.request);
    }
    call->length = envelope;
    return rc;
}

int client_begin_slowly(shmrpc_client *client, uint32_t method, const void *request, bool answers, client_call *call)
{
    const shmrpc_type_info *type = call->info->request;
    int rc = find_room(client, method, answers, call);
    unsigned char *to;

    if (rc != 0 || type == NULL) {
        return rc;
    }
    to = (unsigned char *)call->at.request + call->length;
    if (call->terms->request_size < type->size) {
        call->length += message_store_first(type, to, request, call->terms->request_size,
                                            call->own->scratch + client->handle.scratch_size);
    } else {
        call->length += message_store(type, to, request);
    }
    return 0;
}

/* The payload of a declared error is kept for shmrpc_client_error_payload(): in the lane that the thread now has. */
static int keep_error(const shmrpc_client *client, handle_lane *from, const shmrpc_method_info *info,
                      const lane_reply *reply)
{
    handle_lane *own = client_keeper(client, from);
    /* A code that this side does not know passes, without what may have come with it. */
    const shmrpc_type_info *payload = message_error_payload(info->errors, reply->status);

    if (payload != NULL && reply->length != 0) {
        if (!message_length_is_valid(payload, reply->length)) {
            (void)error_set(SHMRPC_E_PROTOCOL, "%s: a payload of %u bytes", payload->name, reply->length);
            return connection_fail(&from->connection);
        }
        if (message_load(payload, own->scratch, reply->payload, reply->length) != 0) {
            return connection_fail(&from->connection);
        }
        own->failed_errors = info->errors;
        own->failed_code = reply->status;
    }
    (void)error_set(reply->status, "%s.%s: the service answered with error %d", client->service->name, info->name,
                    reply->status);
    return reply->status;
}

int client_take_otherwise(const shmrpc_client *client, handle_lane *from, const shmrpc_method_info *info,
                          const lane_reply *reply)
{
    if (reply->status > 0) {
        return keep_error(client, from, info, reply);
    }
    if (reply->status == 0) {
        (void)error_set(SHMRPC_E_PROTOCOL, "%s.%s: a reply of %u bytes", client->service->name, info->name,
                        reply->length);
        return connection_fail(&from->connection);
    }
    if (!status_may_travel(reply->status)) {
        (void)error_set(SHMRPC_E_PROTOCOL, "%s.%s: the server answered with status %d, which is not a server's to give",
                        client->service->name, info->name, reply->status);
        return connection_fail(&from->connection);
    }
    return error_set(reply->status, "%s.%s: the server answered: %s", client->service->name, info->name,
                     shmrpc_status_text(reply->status));
}

int client_take_large(const shmrpc_type_info *type, const lane_reply *reply, void *ret)
{
    int rc = message_load(type, ret, reply->payload, reply->length);

    if (rc != 0) {
        message_reset(type, ret);
    }
    return rc;
}

int client_finish(const shmrpc_client *client, handle_lane *own, uint32_t method, uint64_t position, int status,
                  void *ret)
{
    connection *on = &own->connection;
    slot *at = region_slot(&on->memory, position);
    const lane_call call = {position, at, at->payload, {BLOCK_NONE, BLOCK_NONE}};
    lane_reply reply;
    int rc = connection_finish(on, &call, status, &reply);

    if (rc == 0) {
        rc = client_take_reply(client, own, &client->service->methods[method], &own->session->methods[method], &reply,
                               ret);
        connection_end(on, &call);
    }
    return rc;
}

/* `*ret_was_sent`: the request was published. */
static ALWAYS_INLINE int call_once(shmrpc_client *client, uint32_t method, const void *request, void *ret,
                                   client_call *call, bool *ret_was_sent)
{
    lane_reply reply;
    int rc = client_begin(client, method, request, true, call);

    *ret_was_sent = rc == 0;
    if (rc != 0) {
        return rc;
    }
    rc = connection_call(&call->own->connection, &call->at, call->method, call->length, call->timeout_ns, &reply);
    if (rc != 0) {
        return rc;
    }
    rc = client_take_reply(client, call->own, call->info, call->terms, &reply, ret);
    connection_end(&call->own->connection, &call->at);
    return rc;
}

static inline bool may_repeat(const shmrpc_client *client, const shmrpc_method_info *info)
{
    return client->handle.options.retry_idempotent && (info->flags & SHMRPC_METHOD_IDEMPOTENT) != 0;
}

/*
 * As long as it is the end of a connection that ends the call, and there is time. Once an attempt may have run, that is
 * so for the whole call, however the last one ended.
 */
static RARE int call_repeatedly(shmrpc_client *client, uint32_t method, const void *request, void *ret,
                                client_call *call)
{
    int64_t until_ns = clock_after_ns(call->timeout_ns);
    bool may_have_run = false;

    for (;;) {
        bool was_sent;
        int rc = call_once(client, method, request, ret, call, &was_sent);
        bool was_interrupted = rc == SHMRPC_E_UNKNOWN || rc == SHMRPC_E_NOT_EXECUTED;
        bool ran_not = !was_sent || rc == SHMRPC_E_NOT_EXECUTED || rc == SHMRPC_E_EXPIRED;

        if (until_ns != CLOCK_NEVER) {
            call->timeout_ns = clock_left_ns(until_ns);
        }
        if (!was_interrupted || call->timeout_ns == 0) {
            return may_have_run && ran_not
                       ? error_set(SHMRPC_E_UNKNOWN, "an earlier attempt may have run; then: %s", shmrpc_last_error())
                       : rc;
        }
        may_have_run = may_have_run || rc == SHMRPC_E_UNKNOWN;
    }
}

int client_call_otherwise(shmrpc_client *client, uint32_t method, const void *request, void *ret,
                          shmrpc_deadline deadline)
{
    client_call call;
    bool was_sent;
    int rc = client_prepare(client, method, request, &call);

    if (rc != 0) {
        return rc;
    }
    if ((call.info->reply != NULL && ret == NULL) || (call.info->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: no room for the reply, or it is oneway", client->service->name,
                         call.info->name);
    }
    call.timeout_ns = client_timeout_ns(client, call.info, deadline);
    if (may_repeat(client, call.info)) {
        return call_repeatedly(client, method, request, ret, &call);
    }
    return call_once(client, method, request, ret, &call, &was_sent);
}

int client_send_otherwise(shmrpc_client *client, uint32_t method, const void *request, shmrpc_deadline deadline)
{
    client_call call;
    int rc = client_prepare(client, method, request, &call);

    if (rc != 0) {
        return rc;
    }
    if ((call.info->flags & SHMRPC_METHOD_ONEWAY) == 0) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s is not oneway", client->service->name, call.info->name);
    }
    call.timeout_ns = client_timeout_ns(client, call.info, deadline);
    rc = client_begin(client, method, request, false, &call);
    if (rc != 0) {
        return rc;
    }
    return connection_send(&call.own->connection, &call.at, call.method, call.length, call.timeout_ns);
}

const void *shmrpc_client_error_payload(const shmrpc_client *client, const shmrpc_errors_info *errors, int code)
{
    const handle_lane *own = client == NULL ? NULL : handle_find(&client->handle);

    if (own == NULL || own->failed_errors == NULL || own->failed_errors != errors || own->failed_code != code) {
        return NULL;
    }
    return own->scratch;
}

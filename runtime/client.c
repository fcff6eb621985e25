/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - the typed client: a connection, and the service's table to say what its payloads are.
 *
 * On the call path nothing allocates, locks, reads a clock or enters the kernel while the server is awake and answers
 * within a few microseconds: validate, find room, copy in, publish, spin, copy out, validate.
 */
#include <shmrpc/client.h>

#include "connection.h"
#include "error.h"
#include "message.h"
#include "options.h"
#include "platform/process.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>

/* A method as this connection knows it. */
typedef struct client_method {
    uint16_t number;       /* the server's */
    uint32_t request_size; /* of the largest request and answer: what has to fit */
    uint32_t answer_size;
} client_method;

struct shmrpc_client {
    connection connection;
    const shmrpc_service_info *service;
    client_method *methods;
    unsigned char *scratch;                  /* a reply before it is validated; the payload of the last error */
    const shmrpc_errors_info *failed_errors; /* of the method whose call failed last with a payload */
    int failed_code;
};

/* ---- connecting ---- */

static int describe(const shmrpc_service_info *service, control_hello *hello)
{
    uint32_t i;

    *hello = (control_hello){.service = service->name, .method_count = service->method_count};
    hello->methods = calloc(service->method_count == 0 ? 1 : service->method_count, sizeof(*hello->methods));
    if (hello->methods == NULL) {
        return error_system(-ENOMEM, "cannot describe the service");
    }
    for (i = 0; i < service->method_count; i++) {
        const shmrpc_method_info *method = &service->methods[i];

        hello->methods[i] = (control_method){
            .name = method->name,
            .fingerprint = method->fingerprint,
            .request_size = method->request == NULL ? 0 : method->request->size,
            .reply_size = message_answer_size(method),
            .oneway = (method->flags & SHMRPC_METHOD_ONEWAY) != 0,
        };
    }
    return 0;
}

static int learn(shmrpc_client *client, const control_hello *hello, const control_welcome *welcome)
{
    uint32_t largest = 1;
    uint32_t i;

    client->methods = calloc(hello->method_count == 0 ? 1 : hello->method_count, sizeof(*client->methods));
    if (client->methods == NULL) {
        return error_system(-ENOMEM, "cannot make a client");
    }
    for (i = 0; i < hello->method_count; i++) {
        client->methods[i].number = (uint16_t)welcome->method_numbers[i];
        client->methods[i].request_size = hello->methods[i].request_size;
        client->methods[i].answer_size = hello->methods[i].reply_size;
        if (hello->methods[i].reply_size > largest) {
            largest = hello->methods[i].reply_size;
        }
    }
    client->scratch = calloc(1, largest);
    return client->scratch == NULL ? error_system(-ENOMEM, "cannot make a client") : 0;
}

int shmrpc_client_connect(shmrpc_client **ret, const char *name, const shmrpc_service_info *info,
                          const shmrpc_client_options *options)
{
    static const shmrpc_client_options defaults;
    shmrpc_client *client;
    control_packet *welcome = NULL;
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
    rc = describe(info, &hello);
    if (rc == 0) {
        rc = connection_init(&client->connection, name, options, &hello, &welcome);
        if (rc == 0) {
            rc = learn(client, &hello, &welcome->as.welcome);
            if (rc != 0) {
                connection_deinit(&client->connection);
            }
        }
        control_packet_free(welcome);
        free(hello.methods);
    }
    if (rc != 0) {
        free(client->methods);
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
    connection_deinit(&client->connection);
    free(client->methods);
    free(client->scratch);
    free(client);
}

shmrpc_client_condition shmrpc_client_state(shmrpc_client *client)
{
    return connection_look(&client->connection);
}

/* ---- calls ---- */

/* What both kinds of call begin with: everything that can be refused before there is room to be had. */
static int prepare(shmrpc_client *client, uint32_t method, const void *request, const shmrpc_method_info **ret_info)
{
    const shmrpc_method_info *info;

    if (client == NULL || method >= client->service->method_count) {
        return error_set(SHMRPC_E_MISUSE, "the client is NULL, or its service has no method %u", method);
    }
    /* Nobody else's to forget. */
    if (client->connection.thread == process_thread()) {
        client->failed_errors = NULL;
        lane_client_expect(&client->connection.lane);
    }
    info = &client->service->methods[method];
    *ret_info = info;
    if (info->request != NULL && (request == NULL || info->request->validate != NULL)) {
        int rc = shmrpc_message_check(info->request, request);

        if (rc != 0) {
            return rc;
        }
    }
    if (client->methods[method].number == CONTROL_METHOD_MISSING) {
        return error_set(SHMRPC_E_UNIMPLEMENTED, "%s: the server does not have '%s'", client->service->name,
                         info->name);
    }
    return 0;
}

/* The payload of a declared error is kept for shmrpc_client_error_payload(). */
static int keep_error(shmrpc_client *client, const shmrpc_method_info *info, const lane_reply *reply)
{
    /* A code that this side does not know passes, without what may have come with it. */
    const shmrpc_type_info *payload = message_error_payload(info->errors, reply->status);

    if (payload != NULL && reply->length != 0) {
        if (!message_length_is_valid(payload, reply->length)) {
            (void)error_set(SHMRPC_E_PROTOCOL, "%s: a payload of %u bytes", payload->name, reply->length);
            return connection_fail(&client->connection);
        }
        if (message_load(payload, client->scratch, reply->payload, reply->length) != 0) {
            return connection_fail(&client->connection);
        }
        client->failed_errors = info->errors;
        client->failed_code = reply->status;
    }
    (void)error_set(reply->status, "%s.%s: the service answered with error %d", client->service->name, info->name,
                    reply->status);
    return reply->status;
}

static int take_failure(shmrpc_client *client, const shmrpc_method_info *info, const lane_reply *reply)
{
    if (reply->status > 0) {
        return keep_error(client, info, reply);
    }
    if (!status_may_travel(reply->status)) {
        (void)error_set(SHMRPC_E_PROTOCOL, "%s.%s: the server answered with status %d, which is not a server's to give",
                        client->service->name, info->name, reply->status);
        return connection_fail(&client->connection);
    }
    return error_set(reply->status, "%s.%s: the server answered: %s", client->service->name, info->name,
                     shmrpc_status_text(reply->status));
}

static int take_reply(shmrpc_client *client, const shmrpc_method_info *info, const lane_reply *reply, void *ret)
{
    const shmrpc_type_info *type = info->reply;
    /* Nothing is written to the caller's memory that has not been validated. */
    void *to = type != NULL && type->validate != NULL ? client->scratch : ret;

    if (reply->status != 0) {
        return take_failure(client, info, reply);
    }
    if (type == NULL ? reply->length != 0 : !message_length_is_valid(type, reply->length)) {
        (void)error_set(SHMRPC_E_PROTOCOL, "%s.%s: a reply of %u bytes", client->service->name, info->name,
                        reply->length);
        return connection_fail(&client->connection);
    }
    if (type == NULL) {
        return 0;
    }
    if (message_load(type, to, reply->payload, reply->length) != 0) {
        return connection_fail(&client->connection);
    }
    if (to != ret) {
        copy_bytes(ret, to, type->size);
    }
    return 0;
}

int shmrpc_client_call(shmrpc_client *client, uint32_t method, const void *request, void *ret, shmrpc_deadline deadline)
{
    const shmrpc_method_info *info;
    const client_method *known;
    lane_call call;
    lane_reply reply;
    uint32_t length = 0;
    int64_t timeout_ns;
    int rc = prepare(client, method, request, &info);

    if (rc != 0) {
        return rc;
    }
    if ((info->reply != NULL && ret == NULL) || (info->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: no room for the reply, or it is oneway", client->service->name,
                         info->name);
    }
    known = &client->methods[method];
    timeout_ns = connection_timeout_ns(&client->connection, deadline.timeout_ns, info->timeout_ns);
    rc = connection_begin(&client->connection, known->request_size, known->answer_size, &timeout_ns, &call);
    if (rc != 0) {
        return rc;
    }
    if (info->request != NULL) {
        length = message_store(info->request, call.request, request);
    }
    rc = connection_call(&client->connection, &call, known->number, length, timeout_ns, &reply);
    if (rc != 0) {
        return rc;
    }
    rc = take_reply(client, info, &reply, ret);
    connection_end(&client->connection, &call);
    return rc;
}

int shmrpc_client_send(shmrpc_client *client, uint32_t method, const void *request, shmrpc_deadline deadline)
{
    const shmrpc_method_info *info;
    const client_method *known;
    lane_call call;
    uint32_t length = 0;
    int64_t timeout_ns;
    int rc = prepare(client, method, request, &info);

    if (rc != 0) {
        return rc;
    }
    if ((info->flags & SHMRPC_METHOD_ONEWAY) == 0) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s is not oneway", client->service->name, info->name);
    }
    known = &client->methods[method];
    timeout_ns = connection_timeout_ns(&client->connection, deadline.timeout_ns, info->timeout_ns);
    rc = connection_begin(&client->connection, known->request_size, 0, &timeout_ns, &call);
    if (rc != 0) {
        return rc;
    }
    if (info->request != NULL) {
        length = message_store(info->request, call.request, request);
    }
    return connection_send(&client->connection, &call, known->number, length, timeout_ns);
}

const void *shmrpc_client_error_payload(const shmrpc_client *client, const shmrpc_errors_info *errors, int code)
{
    if (client == NULL || client->failed_errors == NULL || client->failed_errors != errors ||
        client->failed_code != code) {
        return NULL;
    }
    return client->scratch;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.c - the calling end of the raw transport: a connection, and bytes.
 */
#include "raw.h"

#include "error.h"
#include "handle.h"
#include "options.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>

#define SIZE_DEFAULT 4096u

struct shmrpc_lane {
    handle handle;
    shmrpc_lane_limits limits;
};

static int limit_of(const char *what, uint32_t given, uint32_t *ret_limit)
{
    if (given > SHMRPC_LARGE_MAX) {
        return error_set(SHMRPC_E_TOO_LARGE, "%s is too large: %u, the limit is %u", what, given, SHMRPC_LARGE_MAX);
    }
    *ret_limit = given == 0 ? SIZE_DEFAULT : given;
    return 0;
}

int raw_limits(const shmrpc_lane_limits *given, shmrpc_lane_limits *ret_limits)
{
    int rc = limit_of("request_size", given == NULL ? 0 : given->request_size, &ret_limits->request_size);

    return rc != 0 ? rc : limit_of("reply_size", given == NULL ? 0 : given->reply_size, &ret_limits->reply_size);
}

int shmrpc_lane_connect(shmrpc_lane **ret, const char *name, const shmrpc_lane_limits *limits,
                        const shmrpc_client_options *options)
{
    static const shmrpc_client_options defaults;
    control_hello hello = {.service = RAW_SERVICE};
    shmrpc_lane *lane;
    int rc;

    if (ret == NULL || name == NULL) {
        return error_set(SHMRPC_E_MISUSE, "connecting needs a result and a name");
    }
    options = options == NULL ? &defaults : options;
    rc = options_check_client(options);
    if (rc == 0 && (options->send_times || options->metadata != 0)) {
        rc = error_set(SHMRPC_E_MISUSE, "the raw transport carries bytes and nothing beside them");
    }
    if (rc != 0) {
        return rc;
    }
    lane = calloc(1, sizeof(*lane));
    if (lane == NULL) {
        return error_system(-ENOMEM, "cannot make a lane");
    }
    rc = raw_limits(limits, &lane->limits);
    if (rc == 0) {
        hello.request_size = lane->limits.request_size;
        hello.reply_size = lane->limits.reply_size;
        rc = handle_init(&lane->handle, name, options, &hello, NULL);
    }
    if (rc != 0) {
        free(lane);
        return rc;
    }
    *ret = lane;
    return 0;
}

void shmrpc_lane_free(shmrpc_lane *lane)
{
    if (lane != NULL) {
        handle_deinit(&lane->handle);
        free(lane);
    }
}

shmrpc_client_condition shmrpc_lane_state(shmrpc_lane *lane)
{
    return handle_look(&lane->handle);
}

shmrpc_pages shmrpc_lane_arena_pages(shmrpc_lane *lane)
{
    return lane == NULL ? SHMRPC_PAGES_NONE : handle_pages(&lane->handle);
}

/* Everything that can be refused before there is room to be had. */
static int check(const shmrpc_lane *lane, uint16_t method, const void *request, size_t size)
{
    if (lane == NULL || method == SHMRPC_METHOD_ERROR || (request == NULL && size != 0)) {
        return error_set(SHMRPC_E_MISUSE, "no lane, no request, or method number %u", method);
    }
    if (size > lane->limits.request_size) {
        return error_set(SHMRPC_E_TOO_LARGE, "the request is too large: %zu, the limit is %u", size,
                         lane->limits.request_size);
    }
    return 0;
}

/* Finds the thread's lane and room in it, and writes the request. */
static int begin(shmrpc_lane *lane, const void *request, size_t size, uint32_t reply_size, int64_t *timeout_ns,
                 connection **ret_connection, lane_call *ret_call)
{
    handle_lane *own = handle_find(&lane->handle);
    int rc;

    *timeout_ns = handle_timeout_ns(&lane->handle, *timeout_ns, 0);
    do {
        rc = handle_enter(&lane->handle, timeout_ns, &own);
        if (rc != 0) {
            return rc;
        }
        *ret_connection = &own->connection;
        rc = connection_begin(&own->connection, (uint32_t)size, reply_size, timeout_ns, ret_call);
    } while (rc == SHMRPC_E_NOT_SENT && handle_is_to_renew(&lane->handle, own));
    if (rc == 0 && size != 0) {
        memcpy(ret_call->request, request, size);
    }
    return rc;
}

static int take_reply(const shmrpc_lane *lane, connection *on, const lane_reply *reply, void *buffer, size_t capacity)
{
    if (reply->status < 0 && !status_may_travel(reply->status)) {
        (void)error_set(SHMRPC_E_PROTOCOL, "the server answered with status %d, which is not a server's to give",
                        reply->status);
        return connection_fail(on);
    }
    if (reply->length > lane->limits.reply_size) {
        (void)error_set(SHMRPC_E_PROTOCOL, "a reply of %u bytes, the limit is %u", reply->length,
                        lane->limits.reply_size);
        return connection_fail(on);
    }
    if (reply->length > capacity) {
        return error_set(SHMRPC_E_TOO_LARGE, "the reply is too large: %u, the buffer holds %zu", reply->length,
                         capacity);
    }
    if (reply->length != 0) {
        shared_copy_out(buffer, reply->payload, reply->length);
    }
    return reply->status == 0 ? 0 : error_set(reply->status, "the server answered with %d", reply->status);
}

int shmrpc_lane_call(shmrpc_lane *lane, uint16_t method, const void *request, size_t size, void *buffer,
                     size_t capacity, shmrpc_lane_reply *ret_reply, shmrpc_deadline deadline)
{
    lane_call call;
    lane_reply reply = {0};
    connection *on;
    int64_t timeout_ns = deadline.timeout_ns;
    int rc = check(lane, method, request, size);

    if (rc == 0) {
        rc = begin(lane, request, size, lane->limits.reply_size, &timeout_ns, &on, &call);
    }
    if (rc == 0) {
        rc = connection_call(on, &call, method, (uint32_t)size, timeout_ns, &reply);
        if (rc == 0) {
            rc = take_reply(lane, on, &reply, buffer, buffer == NULL ? 0 : capacity);
            connection_end(on, &call);
        }
    }
    if (ret_reply != NULL) {
        *ret_reply = (shmrpc_lane_reply){rc == 0 ? method : SHMRPC_METHOD_ERROR, rc, reply.length};
    }
    return rc;
}

int shmrpc_lane_send(shmrpc_lane *lane, uint16_t method, const void *request, size_t size, shmrpc_deadline deadline)
{
    lane_call call;
    connection *on;
    int64_t timeout_ns = deadline.timeout_ns;
    int rc = check(lane, method, request, size);

    if (rc == 0) {
        rc = begin(lane, request, size, 0, &timeout_ns, &on, &call);
    }
    return rc != 0 ? rc : connection_send(on, &call, method, (uint32_t)size, timeout_ns);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_core.h - what is inside of a shmrpc_client, and what calls that wait (client.c), calls in flight (client_calls.c)
 * and most calls of either kind (client_direct.c) have in common.
 */
#ifndef SHMRPC_CLIENT_CORE_H
#define SHMRPC_CLIENT_CORE_H

#include "flight.h"
#include "handle.h"
#include "message.h"
#include "platform/compiler.h"

#include <shmrpc/generated.h>

struct shmrpc_client {
    handle handle;
    const shmrpc_service_info *service;
    bool uses_envelopes; /* calls may carry more than their requests */
};

/* A call of the thread that makes it. */
typedef struct client_call {
    const shmrpc_method_info *info;
    handle_lane *own;          /* the thread's lane */
    const method_terms *terms; /* what its session has agreed on */
    uint16_t method;           /* the server's number */
    uint32_t length;           /* of the request */
    int64_t timeout_ns;
    lane_call at;
} client_call;

/* error.h: there is no client, or its service has no such method. */
void client_refuse_method(uint32_t method);

/*
 * What each call does before anything else: fills in `info`, and `own` where the thread has a lane. 0, INVALID, MISUSE.
 */
static inline int client_prepare(const shmrpc_client *client, uint32_t method, const void *request, client_call *call)
{
    const shmrpc_type_info *type;

    if (client == NULL || method >= client->service->method_count) {
        client_refuse_method(method);
        return SHMRPC_E_MISUSE;
    }
    call->own = handle_find(&client->handle);
    if (call->own != NULL) {
        call->own->failed_errors = NULL;
        lane_client_expect(&call->own->connection.lane);
    }
    call->info = &client->service->methods[method];
    type = call->info->request;
    return type != NULL && (request == NULL || type->validate != NULL) ? shmrpc_message_check(type, request) : 0;
}

/* The time that a call of this method has. */
static inline int64_t client_timeout_ns(const shmrpc_client *client, const shmrpc_method_info *info,
                                        shmrpc_deadline deadline)
{
    return handle_timeout_ns(&client->handle, deadline.timeout_ns, info->timeout_ns);
}

/*
 * How large an envelope the call has; 0: none. Says in `call->method` that there is one. 0; UNIMPLEMENTED: the server
 * takes no metadata, and there is some.
 */
int client_measure_envelope(const shmrpc_client *client, client_call *call, uint32_t request_size, uint32_t *ret_size);

/* Writes it; the request comes behind it. */
void client_write_envelope(const shmrpc_client *client, void *to);

/*
 * The calling thread's lane, which it may get now, in `own` and `terms`; its connection may have ended where it cannot
 * be made anew. Takes what time that takes from `call->timeout_ns`. 0, NOT_SENT, UNIMPLEMENTED, MISMATCH, WRONG_THREAD,
 * FORKED.
 */
int client_enter(shmrpc_client *client, uint32_t method, client_call *call);

/*
 * begin() for a thread that may have no lane that it can use, for calls with envelopes, and for methods that the server
 * does not have, or has as they were before.
 */
int client_begin_slowly(shmrpc_client *client, uint32_t method, const void *request, bool answers, client_call *call);

/*
 * What each call begins with, in `call->timeout_ns`, from which it takes the time that it waits: the thread's lane,
 * room, and the request in its place. `answers`: room for the answer, too. 0, or a status with nothing sent.
 */
static ALWAYS_INLINE int client_begin(shmrpc_client *client, uint32_t method, const void *request, bool answers,
                                      client_call *call)
{
    const shmrpc_type_info *type = call->info->request;
    int rc;

    if (call->own == NULL || client->uses_envelopes) {
        return client_begin_slowly(client, method, request, answers, call);
    }
    call->length = 0;
    call->terms = &call->own->session->methods[method];
    call->method = call->terms->number;
    if (call->method >= CONTROL_METHOD_MISMATCH || (type != NULL && call->terms->request_size != type->size)) {
        return client_begin_slowly(client, method, request, answers, call); /* also: the next server may have it */
    }
    rc = connection_begin(&call->own->connection, call->terms->request_size, answers ? call->terms->answer_size : 0,
                          &call->timeout_ns, &call->at);
    if (rc == SHMRPC_E_NOT_SENT && handle_is_to_renew(&client->handle, call->own)) {
        return client_begin_slowly(client, method, request, answers, call);
    }
    if (rc == 0 && type != NULL) {
        call->length = message_store(type, call->at.request, request);
    }
    return rc;
}

/* Whose a call or loan is. */
static inline handle_lane *client_lane_of(const flight *self)
{
    return list_entry(self->connection, handle_lane, connection);
}

static inline shmrpc_client *client_of(const handle_lane *own)
{
    return list_entry(own->of, shmrpc_client, handle);
}

/*
 * Is this a call in flight (`state`: FLIGHT_ON), a loan (FLIGHT_LENT) or a view (FLIGHT_VIEWED) of the calling thread?
 * 0: it is. CANCELLED: it was, and its handle was freed or its thread has ended; MISUSE: it is not; WRONG_THREAD,
 * FORKED: it is another's.
 */
int client_check_flight(const flight *self, uint64_t state);

/*
 * Has some client of this process the object: in flight, lent or viewed, of a thread that still has lanes? Takes a lock;
 * one whose mark is 0 nobody has.
 */
bool client_holds(const flight *self);

/* The client is being freed. */
void client_forget_metadata(const shmrpc_client *client);

/* The lane in which the calling thread finds the payload of its last error: its current one. */
static inline handle_lane *client_keeper(const shmrpc_client *client, handle_lane *lane)
{
    return lane->is_former ? handle_find(&client->handle) : lane;
}

/* take_reply() of what is not a reply, or none that there can be. */
int client_take_otherwise(const shmrpc_client *client, handle_lane *from, const shmrpc_method_info *info,
                          const lane_reply *reply);

/*
 * take_reply() of one that came in a block, of a type that has values which are not valid: it is copied once, and where
 * it does not validate, `ret` becomes the default image.
 */
int client_take_large(const shmrpc_type_info *type, const lane_reply *reply, void *ret);

/*
 * Copies an answer out of shared memory and validates it: 0 with the reply in `ret` (which may be the scratch of
 * `from`, the lane that the answer came in), or what the call ended with, and the payload of an error kept for
 * shmrpc_client_error_payload(). `terms`: of the lane's session.
 */
static ALWAYS_INLINE int client_take_reply(const shmrpc_client *client, handle_lane *from,
                                           const shmrpc_method_info *info, const method_terms *terms,
                                           const lane_reply *reply, void *ret)
{
    const shmrpc_type_info *type = info->reply;
    /* Nothing is written to the caller's memory that has not been validated. */
    void *to = type != NULL && type->validate != NULL ? from->scratch : ret;

    if (reply->status != 0 || !terms_take(reply->length, terms->reply_least, terms->reply_size)) {
        return client_take_otherwise(client, from, info, reply);
    }
    if (type == NULL) {
        return 0;
    }
    if (reply->is_in_block && to != ret) {
        return client_take_large(type, reply, ret) == 0 ? 0 : connection_fail(&from->connection);
    }
    if (message_load(type, to, reply->payload, reply->length) != 0) {
        return connection_fail(&from->connection);
    }
    if (to != ret) {
        copy_bytes(ret, to, type->size);
    }
    return 0;
}

/* ---- what client_direct.c leaves to others ---- */

int client_call_otherwise(shmrpc_client *client, uint32_t method, const void *request, void *ret,
                          shmrpc_deadline deadline);
int client_send_otherwise(shmrpc_client *client, uint32_t method, const void *request, shmrpc_deadline deadline);
int client_start_otherwise(shmrpc_client *client, shmrpc_call *object, uint32_t method, const void *request,
                           shmrpc_deadline deadline, shmrpc_done *done);
int client_wait_otherwise(shmrpc_call *object, void *ret);

/*
 * The rest of a call without blocks that has been published and waited for, of which the lane said `status`: takes its
 * answer, if there is one. As shmrpc_client_call().
 */
int client_finish(const shmrpc_client *client, handle_lane *own, uint32_t method, uint64_t position, int status,
                  void *ret);

#endif

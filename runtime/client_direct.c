/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_direct.c - the calls that most calls are: the functions that stubs call, as far as nothing special is to be
 * done.
 *
 * On this path nothing allocates, locks, reads a clock or enters the kernel while the server is awake and answers within
 * a few microseconds: validate, copy in, publish, spin, copy out, validate.
 *
 * Which methods' calls can be direct is known when a session begins (method_terms.direct): their messages are those of
 * this side's types, lie in a slot and have no envelope, and the client repeats none. Such a call is direct where its
 * thread has a lane that there is no reason to look after, with a free slot. Everything else, and what is to be refused,
 * is left to the functions of the same names in client.c and client_calls.c, which begin anew; and what has been
 * published and is not answered by a good reply in its slot, to client_finish().
 *
 * So each thing is looked up once, and what describes a call is in registers: nobody gets its address. That is worth
 * a quarter of the instructions, and is why these functions do not use those of the others.
 */
#include <shmrpc/client.h>

#include "client_core.h"
#include "platform/compiler.h"

/* What is looked up for a call. */
typedef struct direct {
    const shmrpc_method_info *info;
    const method_terms *terms;
    handle_lane *own;
    lane_call at;
} direct;

/* Can the call be direct? The line of its slot is asked for: it comes while the request is checked. */
static ALWAYS_INLINE bool find(const shmrpc_client *client, uint32_t method, const void *request, bool is_oneway,
                               direct *ret)
{
    handle_lane *own;

    if (client == NULL || method >= client->service->method_count) {
        return false;
    }
    own = handle_find(&client->handle);
    if (own == NULL) {
        return false;
    }
    ret->own = own;
    ret->info = &client->service->methods[method];
    ret->terms = &own->session->methods[method];
    if (ret->terms->direct == CONTROL_METHOD_MISSING || !connection_is_clear(&own->connection) ||
        !lane_client_begin_in_slot(&own->connection.lane, &ret->at)) {
        return false;
    }
    lane_client_expect(&own->connection.lane);
    own->failed_errors = NULL;
    return ((ret->info->flags & SHMRPC_METHOD_ONEWAY) != 0) == is_oneway &&
           (ret->info->request == NULL || request != NULL);
}

/* 0, INVALID. */
static ALWAYS_INLINE int check(const shmrpc_type_info *type, const void *request)
{
    return type != NULL && type->validate != NULL ? shmrpc_message_check(type, request) : 0;
}

static ALWAYS_INLINE uint32_t store(const shmrpc_type_info *type, const direct *call, const void *request)
{
    return type == NULL ? 0 : message_store(type, call->at.at->payload, request);
}

/* Copies a good reply out of its slot and validates it. False: it is not one. */
static ALWAYS_INLINE bool take(handle_lane *from, const shmrpc_type_info *type, const method_terms *terms,
                               const slot *at, void *ret)
{
    const slot_header header = shared_load_header(at);
    /* Nothing is written to the caller's memory that has not been validated. */
    void *to = type != NULL && type->validate != NULL ? from->scratch : ret;

    /* Compared as one number: of two fields GCC 12 makes one in memory, stored in halves and waited for. */
    if (((uint32_t)header.method | header.reply_block) != 0 || header.length > SHMRPC_SLOT_PAYLOAD ||
        !terms_take(header.length, terms->reply_least, terms->reply_size)) {
        return false;
    }
    if (type == NULL) {
        return true;
    }
    if (message_load(type, to, at->payload, header.length) != 0) {
        return false;
    }
    if (to != ret) {
        copy_bytes(ret, to, type->size);
    }
    return true;
}

int shmrpc_client_call(shmrpc_client *client, uint32_t method, const void *request, void *ret, shmrpc_deadline deadline)
{
    direct call;
    lane_client *lane;
    int64_t timeout_ns;
    int rc;

    if (!find(client, method, request, false, &call) || (call.info->reply != NULL && ret == NULL) ||
        call.own->connection.lane.in_batch) {
        return client_call_otherwise(client, method, request, ret, deadline);
    }
    rc = check(call.info->request, request);
    if (rc != 0) {
        return rc;
    }
    lane = &call.own->connection.lane;
    timeout_ns = client_timeout_ns(client, call.info, deadline);
    lane_client_write(lane, &call.at, call.terms->direct, store(call.info->request, &call, request), timeout_ns);
    rc = lane_client_send(lane, &call.at);
    if (rc == 0 && !lane_client_spin(lane, call.at.position)) {
        rc = lane_client_wait_late(lane, call.at, timeout_ns);
    } else if (rc == 0 && take(call.own, call.info->reply, call.terms, call.at.at, ret)) {
        lane_client_end(lane, &call.at);
        return 0;
    }
    return client_finish(client, call.own, method, call.at.position, rc, ret);
}

int shmrpc_client_send(shmrpc_client *client, uint32_t method, const void *request, shmrpc_deadline deadline)
{
    direct call;
    int64_t timeout_ns;
    int rc;

    if (!find(client, method, request, true, &call)) {
        return client_send_otherwise(client, method, request, deadline);
    }
    rc = check(call.info->request, request);
    if (rc != 0) {
        return rc;
    }
    timeout_ns = client_timeout_ns(client, call.info, deadline);
    return connection_send(&call.own->connection, &call.at, call.terms->direct,
                           store(call.info->request, &call, request), timeout_ns);
}

int shmrpc_call_start(shmrpc_client *client, shmrpc_call *object, uint32_t method, const void *request,
                      shmrpc_deadline deadline, shmrpc_done *done)
{
    flight *self = flight_of(object);
    direct call;
    int64_t timeout_ns;
    int rc;

    if (self == NULL || self->mark != 0 || done != NULL || !find(client, method, request, false, &call)) {
        return client_start_otherwise(client, object, method, request, deadline, done);
    }
    rc = check(call.info->request, request);
    if (rc != 0) {
        return rc;
    }
    timeout_ns = client_timeout_ns(client, call.info, deadline);
    self->waiter.method = (uint16_t)method;
    return flight_start(self, NULL, &call.own->connection, &call.at, call.terms->direct,
                        store(call.info->request, &call, request), timeout_ns);
}

/* Is it in flight, of this thread, and to be waited for; on a connection that has sent all that it has? */
static ALWAYS_INLINE bool is_waited_for(const flight *self)
{
    return self != NULL && flight_is_mine(self) && self->done == NULL && self->waiter.state == WAITER_SENT &&
           self->connection->condition != SHMRPC_CLIENT_FAILED && self->connection->lane.unsent == 0;
}

int shmrpc_call_wait(shmrpc_call *object, void *ret)
{
    flight *self = flight_of(object);
    const shmrpc_type_info *type;
    const slot *at;
    handle_lane *own;
    lane_client *lane;

    if (!is_waited_for(self)) {
        return client_wait_otherwise(object, ret);
    }
    own = client_lane_of(self);
    lane = &own->connection.lane;
    lane_client_look_ahead(lane, self->waiter.position);
    type = client_of(own)->service->methods[self->waiter.method].reply;
    at = region_slot(&lane->memory, self->waiter.position);
    if (own->is_former || (type != NULL && ret == NULL) ||
        !lane_client_is_answered_at(lane, at, self->waiter.position) ||
        !take(own, type, &own->session->methods[self->waiter.method], at, ret)) {
        return client_wait_otherwise(object, ret);
    }
    own->failed_errors = NULL;
    lane_client_let_go_of_slot(lane, &self->waiter);
    flight_leave(self);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_loans.c - typed calls in place: a request that its caller writes where the server will read it, and a reply
 * that is read where the server wrote it.
 *
 * A request lies in a block of the lane from the loan on, or, with `seal_from`, in memory of its own, which is sealed and
 * sent when the call starts. Where it could not stay there, it lies in private memory, and is copied when the call
 * starts: where it fits into the call's slot (then it is in the call object), where the server knows the first bytes of
 * it only, and where the connection has ended since. So is a reply that is not in a block, or not whole: it is copied
 * when it is viewed.
 */
#include <shmrpc/client.h>

#include "client_core.h"
#include "error.h"
#include "platform/thread.h"

#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

static bool is_to_be_sealed(const shmrpc_client *client, const connection *on, const shmrpc_type_info *type)
{
    uint32_t from = client->handle.options.seal_from;

    return from != 0 && type->size >= from && type->size > SHMRPC_MESSAGE_MAX && on->takes_sealed;
}

/* Finds memory for a request: `call` has the lane. 0, AGAIN, TOO_LARGE, NO_MEMORY, UNIMPLEMENTED, PROTOCOL. */
static int find_memory(const shmrpc_client *client, flight *self, client_call *call, loan *ret_loan)
{
    connection *on = &call->own->connection;
    const shmrpc_type_info *type = call->info->request;
    uint32_t envelope = 0;
    int rc = 0;

    if (type->size <= SHMRPC_SLOT_PAYLOAD || call->terms->request_size != type->size) {
        return flight_find_place(self, on, type->size, ret_loan);
    }
    if (client->uses_envelopes) {
        rc = client_measure_envelope(client, call, type->size, &envelope);
    }
    ret_loan->room = NULL;
    ret_loan->offset = envelope;
    /* Where this process may have no more descriptors or mappings, the lane's memory does as well. */
    if (rc == 0 && is_to_be_sealed(client, on, type) &&
        flight_find_own(on, (size_t)type->size + envelope, client->handle.options.huge_pages, ret_loan) == 0) {
        return 0;
    }
    if (rc == 0) {
        rc = lane_client_lend(&on->lane, type->size + envelope, &ret_loan->lent);
    }
    return rc == SHMRPC_E_PROTOCOL ? connection_fail(on) : rc;
}

/* May the object be used for another call? */
static int check_idle(const flight *self, const shmrpc_client *client, const shmrpc_method_info *info)
{
    return self->mark != 0 && client_holds(self)
               ? error_set(SHMRPC_E_MISUSE, "%s.%s: this call object is in flight already, or a loan",
                           client->service->name, info->name)
               : 0;
}

int shmrpc_call_loan(shmrpc_client *client, shmrpc_call *object, uint32_t method, void **ret_request)
{
    flight *self = flight_of(object);
    client_call call;
    loan made = {.method = method};
    int rc;

    if (client == NULL || method >= client->service->method_count) {
        client_refuse_method(method);
        return SHMRPC_E_MISUSE;
    }
    call.info = &client->service->methods[method];
    if (object == NULL || ret_request == NULL || call.info->request == NULL ||
        (call.info->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        return error_set(SHMRPC_E_MISUSE,
                         "%s.%s: no call object or no result, or the method has no request or is oneway",
                         client->service->name, call.info->name);
    }
    rc = check_idle(self, client, call.info);
    if (rc != 0) {
        return rc;
    }
    call.own = handle_find(&client->handle);
    call.timeout_ns = client_timeout_ns(client, call.info, (shmrpc_deadline){0});
    do {
        rc = client_enter(client, method, &call);
        if (rc != 0) {
            return rc;
        }
        rc = connection_check(&call.own->connection);
    } while (rc == SHMRPC_E_NOT_SENT && handle_is_to_renew(&client->handle, call.own));
    if (rc == 0) {
        rc = find_memory(client, self, &call, &made);
    }
    if (rc != 0) {
        return rc;
    }
    flight_lend(self, FLIGHT_LENT, &call.own->connection, &made);
    *ret_request = flight_message(self);
    message_init_in_place(call.info->request, *ret_request);
    return 0;
}

/* The loan of a connection that goes on, or of one that has ended and is not made anew. */
static bool stays_in_place(const flight *self, const handle_lane *own)
{
    return self->loan.lent.room != NULL && !handle_is_to_renew(own->of, own);
}

/* What the call carries beside its request, which has `room` bytes with it. 0, UNIMPLEMENTED, TOO_LARGE. */
static int measure(const shmrpc_client *client, const flight *self, client_call *call, size_t room, uint32_t *ret_size)
{
    uint32_t size = call->info->request->size;
    int rc = 0;

    call->terms = &call->own->session->methods[self->loan.method];
    call->method = call->terms->number;
    *ret_size = 0;
    if (client->uses_envelopes) {
        rc = client_measure_envelope(client, call, size, ret_size);
    }
    return rc != 0 || size + *ret_size <= room
               ? rc
               : error_set(SHMRPC_E_TOO_LARGE, "the connection has no room for a request with so much metadata");
}

/* Makes the request, at `room`, what is sent. It is moved where the call carries more, or less, than when it was lent. */
static void finish(const shmrpc_client *client, flight *self, client_call *call, void *room, uint32_t envelope)
{
    const shmrpc_type_info *type = call->info->request;

    if (envelope != self->loan.offset) {
        memmove((unsigned char *)room + envelope, flight_message(self), type->size);
        self->loan.offset = envelope;
    }
    if (envelope != 0) {
        client_write_envelope(client, room);
    }
    call->length = envelope + message_finish(type, flight_message(self));
}

/* The call has not been sent: the request is again where its caller has been told that it is. */
static void move_back(flight *self, const shmrpc_type_info *type, uint32_t offset)
{
    if (self->loan.offset != offset) {
        unsigned char *at = (unsigned char *)flight_message(self) - self->loan.offset;

        memmove(at + offset, at + self->loan.offset, type->size);
        self->loan.offset = offset;
    }
}

/* Begins the call in place. 0, or as client_begin(), with nothing sent. */
static int begin_in_place(const shmrpc_client *client, flight *self, client_call *call)
{
    const lane_loan *lent = &self->loan.lent;
    uint32_t envelope;
    int rc = measure(client, self, call, lent->size, &envelope);

    if (rc == 0) {
        rc =
            connection_begin_lent(&call->own->connection, lent, call->terms->answer_size, &call->timeout_ns, &call->at);
    }
    if (rc == 0) {
        finish(client, self, call, lent->room, envelope);
    }
    return rc;
}

/* In memory that can still be sealed, of a connection that goes on. */
static bool is_sealable(const flight *self, const handle_lane *own)
{
    const loan *what = &self->loan;

    return what->lent.room == NULL && what->room != NULL && what->room->is_own && !what->room->is_sealed &&
           !handle_is_to_renew(own->of, own);
}

/*
 * Begins the call, and has its request sealed and sent. 0, or as client_begin(), with nothing sent; AGAIN and NOT_SENT also
 * where it can only be copied.
 */
static int begin_sealed(const shmrpc_client *client, flight *self, client_call *call)
{
    connection *on = &call->own->connection;
    connection_room *room = self->loan.room;
    const uint32_t offset = self->loan.offset;
    uint32_t envelope;
    int rc = measure(client, self, call, room->sealed.size_bytes, &envelope);
    int held;

    if (rc == 0) {
        rc = connection_begin_sealed(on, call->terms->answer_size, &call->timeout_ns, &call->at);
    }
    if (rc != 0) {
        return rc == SHMRPC_E_TOO_LARGE ? SHMRPC_E_AGAIN : rc; /* its place in the arena may have room */
    }
    held = thread_hold();
    finish(client, self, call, room->bytes, envelope);
    room->is_sealed = true;
    rc = sealed_seal(&room->sealed, call->length);
    if (rc != 0) {
        lane_client_unbegin(&on->lane, &call->at);
    } else {
        rc = connection_send_sealed(on, room->sealed.descriptor, &call->at);
    }
    if (rc != 0) {
        if (sealed_keep(&room->sealed) == 0) { /* where it cannot, it can be copied all the same */
            move_back(self, call->info->request, offset);
        }
        rc = SHMRPC_E_AGAIN;
    }
    thread_release(held);
    return rc;
}

/* The call could not be published, and its connection has failed: it is a loan again. */
static int restore(flight *self, const loan *what, uint32_t offset, connection *on, const client_call *call)
{
    bool can_write = true;

    if (what->lent.room != NULL) {
        lane_client_unbegin_lent(&call->own->connection.lane, &call->at);
    }
    self->loan = *what;
    if (what->lent.room == NULL && what->room != NULL && what->room->is_own && what->room->is_sealed) {
        can_write = sealed_keep(&what->room->sealed) == 0;
    }
    if (can_write) {
        move_back(self, call->info->request, offset);
    }
    flight_lend(self, FLIGHT_LENT, on, &self->loan);
    return SHMRPC_E_PROTOCOL;
}

/* What the loan was given in: a call in place has taken it over. */
static void end_loan(loan *what, handle_lane *own, bool in_place)
{
    if (!in_place) {
        loan_end(what, &own->connection);
    }
    handle_settle(own->of, own);
}

int shmrpc_call_start_loaned(shmrpc_call *object, shmrpc_deadline deadline, shmrpc_done *done)
{
    flight *self = flight_of(object);
    int rc = client_check_flight(self, FLIGHT_LENT);
    shmrpc_client *client;
    handle_lane *own;
    client_call call;
    loan kept;
    uint32_t offset;
    bool in_place;
    bool is_copied;

    if (rc != 0) {
        return rc;
    }
    own = client_lane_of(self);
    client = client_of(own);
    call.info = &client->service->methods[self->loan.method];
    rc = shmrpc_message_check(call.info->request, flight_message(self));
    if (rc != 0) {
        return rc;
    }
    call.timeout_ns = client_timeout_ns(client, call.info, deadline);
    call.own = own;
    offset = self->loan.offset;
    in_place = stays_in_place(self, own);
    is_copied = !in_place;
    if (in_place) {
        rc = begin_in_place(client, self, &call);
        in_place = rc != SHMRPC_E_NOT_SENT || stays_in_place(self, own);
        is_copied = !in_place;
    } else if (is_sealable(self, own)) {
        rc = begin_sealed(client, self, &call);
        is_copied = rc == SHMRPC_E_AGAIN || (rc == SHMRPC_E_NOT_SENT && handle_is_to_renew(own->of, own));
    }
    if (is_copied) {
        call.own = handle_find(&client->handle);
        rc = client_begin(client, self->loan.method, flight_message(self), true, &call);
    }
    if (rc != 0) {
        return rc;
    }
    kept = self->loan;
    list_remove(&self->link);
    self->waiter.method = (uint16_t)kept.method;
    rc = flight_start(self, done, &call.own->connection, &call.at, call.method, call.length, call.timeout_ns);
    if (rc != 0) {
        return restore(self, &kept, offset, &own->connection, &call);
    }
    end_loan(&kept, own, in_place);
    return 0;
}

void shmrpc_call_abandon(shmrpc_call *object)
{
    flight *self = flight_of(object);
    handle_lane *own;

    if (self == NULL || self->mark != FLIGHT_LENT + process_thread()) {
        return;
    }
    own = client_lane_of(self);
    flight_take_back(self);
    handle_settle(own->of, own);
}

/* ---- replies ---- */

/* Is the reply one that can be read where it is? */
static bool is_viewable(const shmrpc_type_info *type, const method_terms *terms, const lane_reply *reply)
{
    return reply->is_in_block && terms->reply_size == type->size &&
           message_is_whole(type, reply->payload, reply->length);
}

/* The reply stays where it is. 0, or PROTOCOL with the connection failed. */
static int view_in_place(flight *self, connection *on, const shmrpc_type_info *type, const lane_reply *reply,
                         loan *ret_loan)
{
    if (type->validate != NULL && message_validate(type, reply->payload) != 0) {
        return connection_fail(on);
    }
    ret_loan->room = NULL;
    ret_loan->offset = 0;
    lane_client_keep_in_place(&on->lane, &self->waiter, reply, &ret_loan->lent);
    return 0;
}

/* The reply is copied; `place` is private memory, and in the object where it is not `place->room`. As above. */
static int view_copy(flight *self, connection *on, const shmrpc_type_info *type, const lane_reply *reply, loan *place)
{
    /* What is in the object is copied to there. */
    _Alignas(16) unsigned char small[sizeof(place->payload)];
    void *to = place->room != NULL ? place->room->bytes : small;

    if (message_load(type, to, reply->payload, reply->length) != 0) {
        return connection_fail(on);
    }
    lane_client_let_go(&on->lane, &self->waiter);
    if (to == small) {
        memcpy(self->loan.payload + place->offset, small, type->size);
    }
    return 0;
}

/* A good answer has come, of a length that it may have. 0: it is viewed; else the call has ended so. */
static int view(flight *self, handle_lane *own, const shmrpc_method_info *info, const lane_reply *reply, bool in_place,
                loan *place)
{
    connection *on = &own->connection;
    int rc =
        in_place ? view_in_place(self, on, info->reply, reply, place) : view_copy(self, on, info->reply, reply, place);

    if (rc != 0) {
        loan_end(place, on);
        flight_land(self, false);
        return rc;
    }
    list_remove(&self->link);
    flight_lend(self, FLIGHT_VIEWED, on, place);
    return 0;
}

int shmrpc_call_view(shmrpc_call *object, const void **ret_reply)
{
    flight *self = flight_of(object);
    int rc = client_check_flight(self, FLIGHT_ON);
    const shmrpc_client *client;
    const shmrpc_method_info *info;
    const method_terms *terms;
    handle_lane *own;
    lane_reply reply;
    loan place = {0};
    bool in_place;

    if (rc == SHMRPC_E_CANCELLED) {
        self->mark = 0;
    }
    if (rc != 0) {
        return rc;
    }
    own = client_lane_of(self);
    client = client_of(own);
    info = &client->service->methods[self->waiter.method];
    terms = &own->session->methods[self->waiter.method];
    if (self->done != NULL || info->reply == NULL || ret_reply == NULL) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: no reply or no result, or it goes to a function of the call's own",
                         client->service->name, info->name);
    }
    client_keeper(client, own)->failed_errors = NULL;
    place.method = self->waiter.method;
    rc = flight_await(self, &reply);
    if (rc == 0 && (reply.status != 0 || !terms_take(reply.length, terms->reply_least, terms->reply_size))) {
        rc = client_take_otherwise(client, own, info, &reply);
    }
    if (rc == 0) {
        in_place = is_viewable(info->reply, terms, &reply);
        if (!in_place && flight_find_place(self, &own->connection, info->reply->size, &place) != 0) {
            return SHMRPC_E_NO_MEMORY; /* the call goes on, with its answer */
        }
        rc = view(self, own, info, &reply, in_place, &place);
        if (rc == 0) {
            *ret_reply = flight_message(self);
            return 0;
        }
    } else {
        flight_land(self, false);
    }
    handle_settle(own->of, own);
    return rc;
}

void shmrpc_call_release(shmrpc_call *object)
{
    flight *self = flight_of(object);
    handle_lane *own;

    if (self == NULL || self->mark != FLIGHT_VIEWED + process_thread()) {
        return;
    }
    own = client_lane_of(self);
    flight_take_back(self);
    handle_settle(own->of, own);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_calls.c - typed calls in flight: started, awaited in any order, withdrawn, told by callback; and batches.
 */
#include <shmrpc/client.h>

#include "client_core.h"
#include "error.h"
#include "flight.h"
#include "message.h"

/* ---- started, awaited, withdrawn ---- */

int client_check_flight(const flight *self, uint64_t state)
{
    uintptr_t thread;
    int rc = 0;

    if (self == NULL) {
        return error_set(SHMRPC_E_MISUSE, "the call is NULL");
    }
    thread = flight_thread(self);
    if (thread == process_thread()) {
        return self->mark == state + thread
                   ? 0
                   : error_set(SHMRPC_E_MISUSE, "the call %s",
                               flight_is_mine(self)                   ? "is in flight"
                               : self->mark == FLIGHT_VIEWED + thread ? "has ended, and its reply is viewed"
                                                                      : "is a loan, which has not been started");
    }
    if (thread != 0) {
        rc = handle_whose(thread);
    }
    if (rc != 0) {
        return error_set(rc, "another thread started this call%s",
                         rc == SHMRPC_E_FORKED ? ", in the parent process" : "");
    }
    if (thread != 0 || self->mark == FLIGHT_DROPPED) {
        return error_set(SHMRPC_E_CANCELLED, "its client was freed, or its thread ended, with the call in flight");
    }
    return error_set(SHMRPC_E_MISUSE, "%s",
                     state == FLIGHT_LENT ? "the call is no loan: never was, or has been started or given back"
                                          : "the call is not in flight: never started, or awaited already");
}

bool client_holds(const flight *self)
{
    uintptr_t thread = flight_thread(self);

    return thread != 0 && handle_whose(thread) != 0;
}

int client_start_otherwise(shmrpc_client *client, shmrpc_call *object, uint32_t method, const void *request,
                           shmrpc_deadline deadline, shmrpc_done *done)
{
    flight *self = flight_of(object);
    client_call call;
    int rc = client_prepare(client, method, request, &call);

    if (rc != 0) {
        return rc;
    }
    if (object == NULL || (call.info->flags & SHMRPC_METHOD_ONEWAY) != 0) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: no call object, or it is oneway", client->service->name,
                         call.info->name);
    }
    if (self->mark != 0 && client_holds(self)) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: this call object is in flight already", client->service->name,
                         call.info->name);
    }
    call.timeout_ns = client_timeout_ns(client, call.info, deadline);
    rc = client_begin(client, method, request, true, &call);
    if (rc != 0) {
        return rc;
    }
    self->waiter.method = (uint16_t)method;
    return flight_start(self, done, &call.own->connection, &call.at, call.method, call.length, call.timeout_ns);
}

int client_wait_otherwise(shmrpc_call *object, void *ret)
{
    flight *self = flight_of(object);
    const shmrpc_client *client;
    const shmrpc_method_info *info;
    handle_lane *own;
    lane_reply reply;
    int rc = self != NULL && flight_is_mine(self) ? 0 : client_check_flight(self, FLIGHT_ON);

    if (rc == SHMRPC_E_CANCELLED) {
        self->mark = 0;
    }
    if (rc != 0) {
        return rc;
    }
    own = client_lane_of(self);
    client = client_of(own);
    info = &client->service->methods[self->waiter.method];
    if (self->done != NULL || (info->reply != NULL && ret == NULL)) {
        return error_set(SHMRPC_E_MISUSE, "%s.%s: no room for the reply, or it goes to a function of the call's own",
                         client->service->name, info->name);
    }
    client_keeper(client, own)->failed_errors = NULL;
    rc = flight_await(self, &reply);
    if (rc != 0) {
        flight_land(self, false);
    } else {
        rc = client_take_reply(client, own, info, &own->session->methods[self->waiter.method], &reply, ret);
        flight_land(self, true);
    }
    handle_settle(own->of, own);
    return rc;
}

void shmrpc_call_cancel(shmrpc_call *object)
{
    flight *self = flight_of(object);

    if (self != NULL && flight_is_mine(self)) {
        (void)connection_withdraw(self->connection, &self->waiter);
    }
}

/* ---- batches ---- */

/* Where the thread has no lane and cannot get one, its calls will say so. */
void shmrpc_client_batch_begin(shmrpc_client *client)
{
    handle_lane *own;
    int64_t timeout_ns;

    if (client != NULL) {
        timeout_ns = handle_timeout_ns(&client->handle, 0, 0);
        own = handle_find(&client->handle);
        if (handle_enter(&client->handle, &timeout_ns, &own) == 0) {
            lane_client_open_batch(&own->connection.lane);
        }
    }
}

/* The calling thread's lane; *ret_own is NULL where it has none yet. 0, MISUSE, FORKED. */
static int find_lane(const shmrpc_client *client, handle_lane **ret_own)
{
    if (client == NULL) {
        return error_set(SHMRPC_E_MISUSE, "the client is NULL");
    }
    if (client->handle.generation != process_generation()) {
        return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
    }
    *ret_own = handle_find(&client->handle);
    return 0;
}

int shmrpc_client_batch_end(shmrpc_client *client)
{
    handle_lane *own;
    int rc = find_lane(client, &own);

    if (rc != 0) {
        return rc;
    }
    if (own == NULL || !own->connection.lane.in_batch) {
        return error_set(SHMRPC_E_MISUSE, "no batch was begun");
    }
    return connection_close_batch(&own->connection);
}

/* ---- callbacks ---- */

int shmrpc_client_fd(shmrpc_client *client)
{
    handle_lane *own;
    int64_t timeout_ns;
    int rc;

    if (client == NULL) {
        return error_set(SHMRPC_E_MISUSE, "the client is NULL");
    }
    timeout_ns = handle_timeout_ns(&client->handle, 0, 0);
    own = handle_find(&client->handle);
    rc = handle_enter(&client->handle, &timeout_ns, &own);
    if (rc == 0) {
        rc = connection_enter(&own->connection);
    }
    return rc != 0 ? rc : connection_open_loop(&own->connection);
}

/* Runs one callback. The object is the caller's again before it runs, so that it may start the next call with it. */
static void finish(const shmrpc_client *client, handle_lane *from, flight *self, int rc, const lane_reply *reply)
{
    const shmrpc_method_info *info = &client->service->methods[self->waiter.method];
    shmrpc_done *done = self->done;

    client_keeper(client, from)->failed_errors = NULL;
    if (rc == 0) {
        rc = client_take_reply(client, from, info, &from->session->methods[self->waiter.method], reply, from->scratch);
    }
    flight_land(self, false);
    done((shmrpc_call *)(void *)self, rc, rc == 0 && info->reply != NULL ? from->scratch : NULL);
}

/*
 * The lane whose calls are told of next: all of a former one have ended, and came before those of the current one. Where
 * it is not known yet how, nobody else waits for that.
 */
static handle_lane *next_lane(const shmrpc_client *client)
{
    handle_lane *own = handle_find(&client->handle);
    handle_lane *next = own;

    for (handle_lane *lane = own->former; lane != NULL; lane = lane->former) {
        if (flights_told_at(&lane->connection) == 0) {
            next = lane;
        }
    }
    return next;
}

/* After flights_rest(): the loop of the current lane is woken for the former ones, too. */
static void rest_formers(const handle_lane *own, client_loop *loop)
{
    for (handle_lane *lane = own->former; lane != NULL && loop_is_open(loop); lane = lane->former) {
        loop_wake_at(loop, flights_told_at(&lane->connection));
    }
}

/*
 * Runs the next callback; false: there is none. The lane of its call stays until it has run: it may make calls, get
 * another lane for its thread with them, and so make this one a former one.
 */
static bool finish_next(shmrpc_client *client)
{
    handle_lane *from = next_lane(client);
    lane_reply reply;
    int rc;
    flight *self = flights_next_ended(&from->connection, &rc, &reply);

    if (self == NULL) {
        /* A former lane may have seemed to have something to tell. */
        from = handle_find(&client->handle);
        self = flights_next_ended(&from->connection, &rc, &reply);
    }
    if (self == NULL) {
        return false;
    }
    from->is_telling = true;
    finish(client, from, self, rc, &reply);
    from->is_telling = false;
    handle_settle(&client->handle, from);
    return true;
}

int shmrpc_client_dispatch(shmrpc_client *client, int most)
{
    connection *on;
    handle_lane *own;
    int count = 0;
    int rc = find_lane(client, &own);

    if (rc != 0) {
        return rc;
    }
    if (most < 1 || (own != NULL && own->connection.in_dispatch)) {
        return error_set(SHMRPC_E_MISUSE, "nothing to do, or called from a function that it runs");
    }
    if (own == NULL) {
        return 0;
    }
    own->connection.in_dispatch = true;
    while (count < most && finish_next(client)) {
        count++;
    }
    own = handle_find(&client->handle);
    on = &own->connection;
    on->in_dispatch = false;
    if (count == most) {
        return 1;
    }
    rc = flights_rest(on);
    rest_formers(own, &on->loop);
    if (!connection_has_ended(on) || rc == 0) {
        return rc;
    }
    return count != 0 || flights_have_done(on) ? 1 : error_set(SHMRPC_E_UNAVAILABLE, "the connection has ended");
}

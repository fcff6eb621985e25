/* SPDX-License-Identifier: Apache-2.0 */
#include "flight.h"

#include "error.h"
#include "platform/clock.h"

int flight_start(flight *self, connection *on, const lane_call *at, uint16_t method, uint32_t length,
                 int64_t timeout_ns)
{
    int rc;

    self->connection = on;
    self->until_ns = clock_after_about_ns(timeout_ns);
    self->waiter.wants_turn = self->done != NULL;
    lane_client_keep(&on->lane, at, &self->waiter);
    if (self->done != NULL && loop_is_open(&on->loop) && !on->in_dispatch && (on->lane.armed & WISH_CALL) == 0) {
        /* Before it is published, so that the server sees the wish with it. */
        lane_client_arm(&on->lane, at->position);
        if (lane_client_has_news(&on->lane)) {
            loop_wake(&on->loop);
        }
    }
    rc = connection_send(on, at, method, length, timeout_ns);
    if (rc != 0) {
        lane_client_let_go(&on->lane, &self->waiter);
        return rc;
    }
    self->mark = FLIGHT_ON + process_thread();
    list_append(&on->calls, &self->link);
    if (self->done != NULL && self->until_ns < on->soonest_ns) {
        on->soonest_ns = self->until_ns;
        if (loop_is_open(&on->loop) && !on->in_dispatch) {
            loop_wake_at(&on->loop, self->until_ns);
        }
    }
    return 0;
}

int flight_await(flight *self, lane_reply *ret_reply)
{
    return connection_await(self->connection, &self->waiter, self->until_ns, ret_reply);
}

void flight_land(flight *self)
{
    lane_client_let_go(&self->connection->lane, &self->waiter);
    list_remove(&self->link);
    self->mark = 0;
    self->connection = NULL;
}

/* The first call with a `done` whose time is up; where there is none, when that of the first one will be. */
static flight *next_late(connection *on)
{
    int64_t now_ns;
    list_link *link;

    if (on->soonest_ns == CLOCK_NEVER) {
        return NULL;
    }
    now_ns = clock_now_ns();
    if (now_ns < on->soonest_ns) {
        return NULL;
    }
    on->soonest_ns = CLOCK_NEVER;
    for (link = on->calls.next; link != &on->calls; link = link->next) {
        flight *self = list_entry(link, flight, link);

        if (self->done == NULL) {
            continue;
        }
        if (self->until_ns <= now_ns) {
            on->soonest_ns = 0; /* there may be more of them */
            return self;
        }
        if (self->until_ns < on->soonest_ns) {
            on->soonest_ns = self->until_ns;
        }
    }
    return NULL;
}

static flight *first_with_done(const connection *on)
{
    list_link *link;

    for (link = on->calls.next; link != &on->calls; link = link->next) {
        flight *self = list_entry(link, flight, link);

        if (self->done != NULL) {
            return self;
        }
    }
    return NULL;
}

bool flights_have_done(const connection *on)
{
    return first_with_done(on) != NULL;
}

int64_t flights_told_at(connection *on)
{
    int64_t then_ns;

    if (!flights_have_done(on)) {
        return CLOCK_NEVER;
    }
    if (on->lane.ready != NULL || connection_is_settled(on)) {
        return 0;
    }
    then_ns = on->soonest_ns < on->settled_ns ? on->soonest_ns : on->settled_ns;
    return clock_left_ns(then_ns) == 0 ? 0 : then_ns;
}

flight *flights_next_ended(connection *on, int *ret_rc, lane_reply *ret_reply)
{
    lane_waiter *ready;
    flight *self = NULL;

    (void)connection_poll(on);
    ready = lane_client_take_ready(&on->lane);
    if (ready != NULL) {
        self = list_entry(ready, flight, waiter);
    } else if (connection_has_ended(on) && connection_is_settled(on)) {
        self = first_with_done(on);
    } else {
        self = next_late(on);
    }
    if (self != NULL) {
        /* What has come since counts, and nothing is waited for. */
        self->until_ns = 0;
        *ret_rc = flight_await(self, ret_reply);
    }
    return self;
}

/* Where no call has a `done`, nothing is wished for: the next one that is started has a wish of its own. */
static bool arm(connection *on)
{
    uint64_t position = 0;
    bool wishes = false;
    list_link *link;

    for (link = on->calls.next; position == 0 && link != &on->calls; link = link->next) {
        const flight *self = list_entry(link, flight, link);

        wishes = wishes || self->done != NULL;
        /* What is put off comes by the inbox. */
        position = self->done != NULL && self->waiter.state == WAITER_SENT ? self->waiter.position : 0;
    }
    if (!wishes) {
        lane_client_disarm(&on->lane);
        return true;
    }
    lane_client_arm(&on->lane, position);
    if (lane_client_has_news(&on->lane)) {
        lane_client_disarm(&on->lane);
        return false;
    }
    return true;
}

/* The connection has ended. 0: there are calls to be told of that, and it is not known yet how they ended. */
static int rest_ended(connection *on)
{
    int64_t then_ns = flights_told_at(on);
    bool is_known = then_ns == 0 || then_ns == CLOCK_NEVER;

    if (loop_is_open(&on->loop)) {
        if (is_known) {
            loop_wake(&on->loop);
        } else {
            loop_rest(&on->loop, on->socket, then_ns);
        }
    }
    return is_known ? 1 : 0;
}

int flights_rest(connection *on)
{
    if (!loop_is_open(&on->loop)) {
        connection_glance(on);
        return connection_has_ended(on) ? rest_ended(on) : 0;
    }
    if (!connection_hear(on)) {
        return rest_ended(on);
    }
    loop_wake_at(&on->loop, on->soonest_ns);
    return arm(on) ? 0 : 1;
}

static void drop(flight *self)
{
    list_remove(&self->link);
    self->mark = FLIGHT_DROPPED;
    self->connection = NULL;
}

void flights_drop(connection *on)
{
    /* In a forked child the objects may lie on stacks of its parent's other threads, and mean nothing (handle_whose()). */
    if (on->generation != process_generation()) {
        list_init(&on->calls);
        return;
    }
    while (lane_client_take_ready(&on->lane) != NULL) {
    }
    while (!list_is_empty(&on->calls)) {
        flight *self = list_entry(on->calls.next, flight, link);

        (void)lane_client_withdraw(&on->lane, &self->waiter);
        lane_client_let_go(&on->lane, &self->waiter);
        drop(self);
    }
    (void)lane_client_close_batch(&on->lane);
}

void flights_abandon(connection *on)
{
    lane_client_abandon(&on->lane);
    list_init(&on->calls);
    on->soonest_ns = CLOCK_NEVER;
    on->in_dispatch = false;
}

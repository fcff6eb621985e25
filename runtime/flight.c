/* SPDX-License-Identifier: Apache-2.0 */
#include "flight.h"

#include "error.h"
#include "platform/clock.h"
#include "platform/thread.h"

#include <errno.h>
#include <stdlib.h>

void flight_announce(connection *on, uint64_t position)
{
    if (loop_is_open(&on->loop) && !on->in_dispatch && (on->lane.armed & WISH_CALL) == 0) {
        /* Before it is published, so that the server sees the wish with it. */
        lane_client_arm(&on->lane, position);
        if (lane_client_has_news(&on->lane)) {
            loop_wake(&on->loop);
        }
    }
}

void flight_watch(flight *self)
{
    connection *on = self->connection;

    if (self->waiter.until_ns < on->soonest_ns) {
        on->soonest_ns = self->waiter.until_ns;
        if (loop_is_open(&on->loop) && !on->in_dispatch) {
            loop_wake_at(&on->loop, self->waiter.until_ns);
        }
    }
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
        if (self->waiter.until_ns <= now_ns) {
            on->soonest_ns = 0; /* there may be more of them */
            return self;
        }
        if (self->waiter.until_ns < on->soonest_ns) {
            on->soonest_ns = self->waiter.until_ns;
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

    if (on->lane.ready == NULL) {
        (void)connection_poll(on);
    }
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
        self->waiter.until_ns = 0;
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

/* ---- loans ---- */

void flight_lend(flight *self, uint64_t state, connection *on, const loan *what)
{
    if (what != &self->loan) {
        /* What a message that is in the object would lose is not copied either: it is written afterwards. */
        self->loan.lent = what->lent;
        self->loan.room = what->room;
        self->loan.method = what->method;
        self->loan.offset = what->offset;
    }
    self->connection = on;
    self->mark = state + process_thread();
    list_append(&on->loans, &self->link);
}

static void add_room(connection *on, connection_room *room, loan *ret_loan)
{
    room->next = on->rooms;
    on->rooms = room;
    ret_loan->room = room;
}

int flight_find_place(flight *self, connection *on, uint32_t size, loan *ret_loan)
{
    /* What is aligned to 16 at most is of a size that is a multiple of it. */
    uint32_t skipped = size % 16 == 0 ? (uint32_t)(-(uintptr_t)self->loan.payload % 16) : 0;

    ret_loan->lent.room = NULL;
    ret_loan->room = NULL;
    ret_loan->offset = skipped;
    if (size + skipped > sizeof(self->loan.payload)) {
        connection_room *room = malloc(sizeof(*room) + size);

        if (room == NULL) {
            return error_system(-ENOMEM, "cannot make room for a message of %u bytes", size);
        }
        room->bytes = room->heap;
        room->is_own = false;
        add_room(on, room, ret_loan);
        ret_loan->offset = 0;
    }
    return 0;
}

int flight_find_own(connection *on, size_t size, bool is_large, loan *ret_loan)
{
    connection_room *room = malloc(sizeof(*room));
    int held = thread_hold();
    int rc = room == NULL ? -ENOMEM : sealed_create(size, is_large, &room->sealed);

    thread_release(held);
    if (rc != 0) {
        free(room);
        return error_system(rc, "cannot make a memory of %zu bytes for a message", size);
    }
    room->bytes = room->sealed.base;
    room->is_own = true;
    room->is_sealed = false;
    ret_loan->lent.room = NULL;
    add_room(on, room, ret_loan);
    return 0;
}

static void free_room(connection *on, connection_room *room)
{
    connection_room **at = &on->rooms;

    while (*at != room) {
        at = &(*at)->next;
    }
    *at = room->next;
    if (room->is_own) {
        int held = thread_hold();

        /* A forked child has no mapping there, or another one. */
        sealed_free(&room->sealed, on->generation == process_generation());
        thread_release(held);
    }
    free(room);
}

static void free_rooms(connection *on)
{
    while (on->rooms != NULL) {
        free_room(on, on->rooms);
    }
}

void loan_end(loan *what, connection *on)
{
    if (what->lent.room != NULL) {
        lane_client_take_back(&on->lane, &what->lent);
    }
    if (what->room != NULL) {
        free_room(on, what->room);
        what->room = NULL;
    }
}

void flight_take_back(flight *self)
{
    loan_end(&self->loan, self->connection);
    list_remove(&self->link);
    self->mark = 0;
    self->connection = NULL;
}

/* ---- the end of them all ---- */

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
        list_init(&on->loans);
        free_rooms(on);
        return;
    }
    while (!list_is_empty(&on->loans)) {
        drop(list_entry(on->loans.next, flight, link));
    }
    free_rooms(on);
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
    list_init(&on->loans);
    free_rooms(on);
    on->soonest_ns = CLOCK_NEVER;
    on->in_dispatch = false;
}

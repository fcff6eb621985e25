/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_clients.c - what happens to clients that are there: what their sockets say, and how they, their lanes and the
 * host end.
 */
#include "server_state.h"

#include "error.h"
#include "log.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/process.h"

#include <inttypes.h>

/* ---- the end ---- */

/* Who is turned away before the session has begun is refused. */
static shmrpc_log_entry about_end(const server_host *host, const shmrpc_session *session, shmrpc_why why)
{
    shmrpc_log_entry entry = server_about(host, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_ENDED);

    if (why == SHMRPC_WHY_PROTOCOL) {
        entry.level = SHMRPC_LOG_WARNING;
        entry.event = session->state == SESSION_OPEN ? SHMRPC_LOG_SESSION_DROPPED : SHMRPC_LOG_CLIENT_REFUSED;
    }
    return entry;
}

static const char *why_text(shmrpc_why why)
{
    switch (why) {
    case SHMRPC_WHY_CLOSED: return "closed by the client";
    case SHMRPC_WHY_DIED: return "the client ended";
    case SHMRPC_WHY_STOPPED: return "the server stops";
    case SHMRPC_WHY_PROTOCOL: break;
    }
    return shmrpc_last_error();
}

/* The doorbell's file lives on in the client: closing it here would not take it out of the poller. */
static void unwatch_lane(const server_host *host, const session_lane *lane)
{
    poller_remove(host->poller, lane->socket);
    if (lane->bell >= 0) {
        poller_remove(host->poller, lane->bell);
    }
}

/* Takes a lane out of its session and closes it; what it has counted stays with those who had it. */
static void close_lane(server_host *host, session_lane *lane)
{
    shmrpc_session *session = lane->session;
    uint64_t doorbells = tally_get(&lane->caller.doorbells);

    unwatch_lane(host, lane);
    host_lock(host);
    if (session->offer != NULL) {
        session->offer->counts.doorbells += doorbells;
    }
    session->past_calls += tally_get(&lane->calls);
    session->past_calls_failed += tally_get(&lane->calls_failed);
    session->past_doorbells += doorbells;
    session->lane_count--;
    server_lane_leaves(host, session->peer.uid, lane);
    session_remove_lane(lane);
    host_unlock(host);
    session_lane_close(lane);
}

/* Closes the lanes of an ended session that had come and not been taken in. */
static void refuse_arrivals(list_link *arrivals)
{
    while (!list_is_empty(arrivals)) {
        session_lane *lane = list_entry(arrivals->next, session_lane, arriving);

        list_remove(&lane->arriving);
        session_refuse(lane, SHMRPC_E_REFUSED, "the session has ended");
        session_lane_close(lane);
    }
}

void server_end_session(server_worker *self, shmrpc_session *session, shmrpc_why why)
{
    server_host *host = self->host;
    server_offer *offer = session->offer;
    bool was_open = session->state == SESSION_OPEN;
    list_link arrivals;

    if (session->state == SESSION_ENDED) {
        return;
    }
    if (session->lane_bits != 0) {
        log_entry(about_end(host, session, why), "%s: session %" PRIu64 " of process %ld ended: %s",
                  server_name(host, session), session->id, (long)session->peer.pid, why_text(why));
    }
    session->state = SESSION_ENDED;
    list_init(&arrivals);
    host_lock(host);
    list_remove(&session->life);
    if (was_open) {
        host->members[session->seat->index] = NULL;
        host->open_count--;
        offer->counts.sessions_open--;
        server_user_leaves(host, session->peer.uid, true);
    } else {
        host->shaking_count--;
        server_user_leaves(host, session->caller, false);
        if (list_is_empty(&host->shaking)) {
            server_set_timer(host, self->now_ns);
        }
    }
    while (!list_is_empty(&session->arriving)) {
        list_link *first = session->arriving.next;

        list_remove(first);
        list_append(&arrivals, first);
        server_lane_leaves(host, session->peer.uid, list_entry(first, session_lane, arriving));
    }
    host_unlock(host);
    if (session->process >= 0) {
        poller_remove(host->poller, session->process);
    }
    while (session->lane_bits != 0) {
        close_lane(host, session->lanes[__builtin_ctzll(session->lane_bits)]);
    }
    refuse_arrivals(&arrivals);
    if (was_open) {
        offer->service->disconnected(offer->service, offer->handle, session, (int)why);
    }
}

void server_end_lane(server_worker *self, session_lane *lane, shmrpc_why why)
{
    server_host *host = self->host;
    shmrpc_session *session = lane->session;
    bool is_last;

    host_lock(host);
    is_last = session->lane_count == 1;
    if (is_last) {
        host->members[session->seat->index] = NULL; /* nobody may join any more */
    }
    host_unlock(host);
    if (is_last) {
        server_end_session(self, session, why);
    } else {
        close_lane(host, lane);
    }
}

/* Counts for the service that the session is connected to, or for the host where it has not come that far. */
static shmrpc_server_counts *counts_of(server_host *host, const shmrpc_session *session)
{
    return session->offer == NULL ? &host->counts : &session->offer->counts;
}

void server_drop(server_worker *self, shmrpc_session *session)
{
    host_lock(self->host);
    counts_of(self->host, session)->sessions_dropped++;
    host_unlock(self->host);
    server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
}

/*
 * The client, or the thread that had the lane, is gone; or the host stops: what had been sent by now is still answered,
 * and what comes later is not begun.
 */
static void leave(server_worker *self, session_lane *lane, shmrpc_why why)
{
    shmrpc_session *session = lane->session;

    if (lane->is_leaving) {
        return;
    }
    /* Of a client that is told to go, its own end is still of interest. */
    if (why != SHMRPC_WHY_STOPPED) {
        poller_remove(self->host->poller, lane->socket);
        lane_server_desert(&lane->lane);
    }
    lane->is_leaving = true;
    lane->why = why;
    lane->rest = lane_server_requests(&lane->lane);
    session->leaving_bits |= UINT64_C(1) << lane->number;
}

static void leave_all(server_worker *self, shmrpc_session *session, shmrpc_why why)
{
    uint64_t bits;

    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        leave(self, session->lanes[__builtin_ctzll(bits)], why);
    }
}

void server_bury(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;
    server_offer *offer = session->offer;
    seat *at = session->seat;

    seat_vacate(at);
    session_free(session);
    host_lock(host);
    host->free_seats[host->free_count++] = at->index;
    if (offer != NULL) {
        offer->users--;
    }
    if (host->is_winding && host->free_count == host->seat_count) {
        atomic_store_explicit(&host->is_over, true, memory_order_release);
        (void)event_ring(host->stop_bell);
    }
    (void)pthread_cond_broadcast(&host->left);
    host_unlock(host);
}

/* ---- news ---- */

static void refuse(server_worker *self, shmrpc_session *session)
{
    host_lock(self->host);
    counts_of(self->host, session)->sessions_refused++;
    host_unlock(self->host);
    server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
}

/*
 * Reads what has come over a lane's socket, which nobody will be told of again: where there may be more, the seat is
 * knocked for it, and neither given up nor slept upon.
 */
static void receive(server_worker *self, shmrpc_session *session, session_lane *lane)
{
    unsigned left = SERVER_PACKETS;
    int rc;

    do {
        rc = session_receive(session, lane, &self->rules);
        if (session->lane_bits == 0) {
            /* The lane is another session's now. */
            server_end_session(self, session, SHMRPC_WHY_CLOSED);
            return;
        }
    } while (rc == 1 && --left != 0);
    if (rc == 1) {
        seat *at = session->seat;

        (void)seat_knock(at, seat_generation(at), self->number, UINT64_C(1) << lane->number, 0);
    } else if (rc == SHMRPC_E_UNAVAILABLE) {
        shmrpc_why why = lane->said_goodbye ? SHMRPC_WHY_CLOSED : SHMRPC_WHY_DIED;

        if (session->state == SESSION_OPEN) {
            leave(self, lane, why);
        } else {
            server_end_session(self, session, why);
        }
    } else if (rc < 0 && rc != SHMRPC_E_PROTOCOL && session->state != SESSION_OPEN) {
        refuse(self, session);
    } else if (rc < 0) {
        server_drop(self, session);
    }
}

/* Is this session to end, because the host stops or its service is taken out of it? */
static bool is_unwanted(server_host *host, const shmrpc_session *session)
{
    bool is;

    host_lock(host);
    is = host->is_winding || (session->offer != NULL && atomic_load(&session->offer->is_over));
    host_unlock(host);
    return is;
}

/* What has been sent is still answered where the host stops; where the service is taken out, nothing more is begun. */
static void stop_session(server_worker *self, shmrpc_session *session)
{
    uint64_t bits;

    if (session->state != SESSION_OPEN || atomic_load(&session->offer->is_over)) {
        server_end_session(self, session, SHMRPC_WHY_STOPPED);
        return;
    }
    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        const session_lane *lane = session->lanes[__builtin_ctzll(bits)];

        if (!lane->is_leaving) {
            session_say_goodbye(lane);
        }
    }
    leave_all(self, session, SHMRPC_WHY_STOPPED);
}

void server_hear(server_worker *self, shmrpc_session *session)
{
    uint64_t sockets;
    uint32_t news;

    seat_take_news(session->seat, &sockets, &news);
    if ((news & NEWS_LANES) != 0 && session->state == SESSION_OPEN) {
        server_take_in(self, session);
    }
    for (; sockets != 0 && session->state != SESSION_ENDED; sockets &= sockets - 1) {
        session_lane *lane = session->lanes[__builtin_ctzll(sockets)];

        if (lane != NULL && !lane->is_leaving) {
            receive(self, session, lane);
        }
    }
    if ((news & NEWS_PROCESS) != 0 && session->state == SESSION_OPEN && process_has_ended(session->process)) {
        leave_all(self, session, SHMRPC_WHY_DIED);
    }
    /* Who said so had looked at its clock later than this worker did, perhaps, and says it once. */
    if ((news & NEWS_DEADLINE) != 0 && session->state == SESSION_SHAKING && session->deadline_ns <= clock_now_ns()) {
        (void)error_set(SHMRPC_E_TIMEOUT, "the client did not finish its handshake in time");
        server_drop(self, session);
    }
    if ((news & NEWS_STOP) != 0 && session->state != SESSION_ENDED && is_unwanted(self->host, session)) {
        stop_session(self, session);
    }
}

void server_wind_down(server_worker *self)
{
    server_host *host = self->host;
    list_link *link;

    self->is_winding = true;
    host_lock(host);
    if (!host->is_winding) {
        host->is_winding = true;
        host->stop_at_ns = atomic_load(&host->stopped_ns);
        host->stop_at_ns =
            host->stop_ns > CLOCK_NEVER - host->stop_at_ns ? CLOCK_NEVER : host->stop_at_ns + host->stop_ns;
        poller_remove(host->poller, host->entry.descriptor);
        host->listening = false;
        for (link = host->shaking.next; link != &host->shaking; link = link->next) {
            server_tell(self, list_entry(link, shmrpc_session, life), NEWS_STOP);
        }
        for (link = host->open.next; link != &host->open; link = link->next) {
            server_tell(self, list_entry(link, shmrpc_session, life), NEWS_STOP);
        }
        server_set_timer(host, self->now_ns);
        if (host->free_count == host->seat_count) {
            atomic_store_explicit(&host->is_over, true, memory_order_release);
        }
    }
    host_unlock(host);
}

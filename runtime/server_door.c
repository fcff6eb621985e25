/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_door.c - clients that come: accepted, given a seat, and a time by which they are to have shaken hands.
 */
#include "server_state.h"

#include "error.h"
#include "log.h"
#include "platform/clock.h"
#include "platform/closer.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "platform/timer.h"

#include <errno.h>

#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_NS INT64_C(100000000)

/* ---- timer ---- */

void server_set_timer(server_host *host, int64_t now_ns)
{
    int64_t at_ns = host->listening ? CLOCK_NEVER : host->accept_at_ns;
    list_link *link;

    if (host->is_winding) {
        at_ns = host->stop_at_ns > now_ns ? host->stop_at_ns : CLOCK_NEVER;
    }
    for (link = host->shaking.next; link != &host->shaking; link = link->next) {
        const shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->deadline_ns > now_ns) {
            at_ns = session->deadline_ns < at_ns ? session->deadline_ns : at_ns;
            break;
        }
    }
    timer_set(host->timer, at_ns);
}

void server_time(server_worker *self)
{
    server_host *host = self->host;
    list_link *link;

    host_lock(host);
    for (link = host->shaking.next; link != &host->shaking; link = link->next) {
        shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->deadline_ns > self->now_ns) {
            break;
        }
        server_tell(self, session, NEWS_DEADLINE);
    }
    for (link = host->open.next; host->is_winding && link != &host->open; link = link->next) {
        server_tell(self, list_entry(link, shmrpc_session, life), NEWS_STOP);
    }
    if (!host->listening && !host->is_winding && self->now_ns >= host->accept_at_ns) {
        (void)server_resume_accepting(host);
    }
    server_set_timer(host, self->now_ns);
    host_unlock(host);
}

/* ---- accepting ---- */

int server_resume_accepting(server_host *host)
{
    int rc = poller_watch(host->poller, host->entry.descriptor, TAG_LISTENER);

    host->listening = rc == 0;
    host->accept_at_ns = clock_after_ns(ACCEPT_PAUSE_NS);
    return rc;
}

static void pause_accepting(server_worker *self)
{
    server_host *host = self->host;

    host_lock(host);
    if (host->listening) {
        poller_remove(host->poller, host->entry.descriptor);
        host->listening = false;
        host->accept_at_ns = self->now_ns + ACCEPT_PAUSE_NS;
        server_set_timer(host, self->now_ns);
    }
    host_unlock(host);
}

/* Gives a session a seat, where there is room for another client in its handshake. */
static bool seat_newcomer(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;
    uint32_t most = host->seat_count - host->max_sessions; /* who may be in their handshake at once */
    server_user *user;
    bool is_first;

    host_lock(host);
    user = server_user_of(host, session->caller);
    if (host->is_winding || user == NULL || host->shaking_count >= most || host->free_count == 0 ||
        (session->caller != process_user() && user->shaking >= most / 2)) {
        host->counts.sessions_refused++;
        if (user != NULL) {
            server_user_tidy(host, user);
        }
        host_unlock(host);
        return false;
    }
    user->shaking++;
    host->shaking_count++;
    session->id = host->next_id++;
    session->lane_count = 1;
    session->seat = &host->seats[host->free_seats[--host->free_count]];
    if (session->seat->index >= atomic_load_explicit(&host->seats_used, memory_order_relaxed)) {
        atomic_store_explicit(&host->seats_used, session->seat->index + 1, memory_order_release);
    }
    (void)seat_fill(session->seat, self->number, session);
    is_first = list_is_empty(&host->shaking);
    list_append(&host->shaking, &session->life);
    if (is_first) {
        server_set_timer(host, self->now_ns);
    }
    host_unlock(host);
    return true;
}

/* A client whose user has sent descriptors that take long to close: further ones would be added to them. */
static void turn_away(server_worker *self, int socket, unsigned closing)
{
    server_host *host = self->host;

    log_entry(server_about(host, NULL, SHMRPC_LOG_WARNING, SHMRPC_LOG_CLIENT_REFUSED),
              "%s: a client was turned away: %u descriptors of its user are still to be closed",
              server_name(host, NULL), closing);
    host_lock(host);
    host->counts.sessions_refused++;
    host_unlock(host);
    socket_close(socket);
}

static void accept_one(server_worker *self, int socket)
{
    server_host *host = self->host;
    shmrpc_session *session;
    unsigned closing = closer_count(socket_peer(socket));
    int64_t deadline_ns =
        host->handshake_ns > CLOCK_NEVER - self->now_ns ? CLOCK_NEVER : self->now_ns + host->handshake_ns;

    if (closing >= CLOSER_MANY) {
        turn_away(self, socket, closing);
        return;
    }
    session = session_new(socket, deadline_ns);
    if (session == NULL) {
        return;
    }
    session->caller = socket_peer(socket);
    if (!seat_newcomer(self, session)) {
        log_entry(server_about(host, NULL, SHMRPC_LOG_WARNING, SHMRPC_LOG_CLIENT_REFUSED),
                  "%s: a client was turned away: too many others are in their handshake", server_name(host, NULL));
        session_free(session);
        return;
    }
    server_keep(self, session->seat);
    if (poller_watch(host->poller, socket, server_key(session->seat, 0, TAG_SOCKET)) != 0) {
        server_end_session(self, session, SHMRPC_WHY_CLOSED);
    }
}

/* An event of the listener comes once for all who wait: where some are left, another one is asked for. */
void server_accept(server_worker *self)
{
    server_host *host = self->host;
    int i;

    for (i = 0; i < ACCEPT_BURST; i++) {
        int socket = socket_accept(host->entry.descriptor);

        if (socket >= 0) {
            accept_one(self, socket);
        } else if (socket == -EMFILE || socket == -ENFILE || socket == -ENOMEM || socket == -ENOBUFS) {
            log_entry(server_about(host, NULL, SHMRPC_LOG_ERROR, SHMRPC_LOG_ACCEPT_FAILED),
                      "%s: cannot accept a client: %s", server_name(host, NULL),
                      shmrpc_status_text(error_system(socket, "accept")));
            pause_accepting(self);
            return;
        } else if (socket == -EAGAIN) {
            return;
        }
    }
    host_lock(host);
    if (host->listening) {
        (void)poller_watch_as(host->poller, host->entry.descriptor, TAG_LISTENER);
    }
    host_unlock(host);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_clients.c - clients that come, shake hands, and go.
 */
#include "server_state.h"

#include "error.h"
#include "log.h"
#include "platform/clock.h"
#include "platform/poller.h"
#include "platform/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_NS INT64_C(100000000)
#define SHAKING_MAX 128u /* clients that may be in their handshake at once, beyond the sessions */

/* ---- the end ---- */

static shmrpc_log_entry about(const server *self, shmrpc_log_level level, shmrpc_log_event event)
{
    return (shmrpc_log_entry){.level = level,
                              .event = event,
                              .socket = self->entry.path,
                              .service = self->host.service->name,
                              .pid = -1,
                              .uid = (uid_t)-1};
}

static shmrpc_log_entry about_session(const server *self, const shmrpc_session *session, shmrpc_log_level level,
                                      shmrpc_log_event event)
{
    shmrpc_log_entry entry = about(self, level, event);

    entry.session = session->id;
    entry.pid = session->peer.pid;
    entry.uid = session->peer.uid;
    return entry;
}

/* Who is turned away before the session has begun is refused. */
static shmrpc_log_entry about_end(const server *self, const shmrpc_session *session, shmrpc_why why)
{
    shmrpc_log_entry entry = about_session(self, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_ENDED);

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

void server_end_session(server *self, shmrpc_session *session, shmrpc_why why)
{
    bool was_open = session->state == SESSION_OPEN;

    if (session->state == SESSION_ENDED) {
        return;
    }
    log_entry(about_end(self, session, why), "%s: session %" PRIu64 " of process %ld ended: %s",
              self->host.service->name, session->id, (long)session->peer.pid, why_text(why));
    self->counts.sessions_open -= was_open;
    self->shaking_count -= !was_open;
    poller_remove(self->poller, session->socket);
    if (was_open) {
        /* The doorbell's file lives on in the client: closing it here would not take it out of the poller. */
        poller_remove(self->poller, session->bell);
    }
    if (was_open && session->process >= 0) {
        poller_remove(self->poller, session->process);
    }
    self->counts.doorbells += session->lane.doorbells;
    session_end(session, &self->host, why);
    list_remove(&session->hot);
    list_remove(&session->life);
    list_append(&self->ended, &session->life);
}

void server_drop(server *self, shmrpc_session *session)
{
    self->counts.sessions_dropped++;
    server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
}

void server_leave(server *self, shmrpc_session *session, shmrpc_why why, int64_t now_ns)
{
    if (session->state != SESSION_OPEN) {
        server_end_session(self, session, why);
        return;
    }
    poller_remove(self->poller, session->socket);
    if (session->process >= 0) {
        poller_remove(self->poller, session->process);
    }
    session->is_leaving = true;
    session->why = why;
    session->rest = session->geometry.depth;
    server_warm(self, session, now_ns);
}

void server_bury(server *self)
{
    while (!list_is_empty(&self->ended)) {
        shmrpc_session *session = list_entry(self->ended.next, shmrpc_session, life);

        list_remove(&session->life);
        session_free(session);
    }
}

/* ---- accepting ---- */

static void pause_accepting(server *self, int64_t now_ns)
{
    poller_remove(self->poller, self->entry.descriptor);
    self->listening = false;
    self->accept_at_ns = now_ns + ACCEPT_PAUSE_NS;
}

int server_resume_accepting(server *self, int64_t now_ns)
{
    int rc = poller_add(self->poller, self->entry.descriptor, 0, self, TAG_LISTENER);

    self->listening = rc == 0;
    self->accept_at_ns = now_ns + ACCEPT_PAUSE_NS;
    return rc;
}

static void accept_one(server *self, int socket, int64_t now_ns)
{
    shmrpc_session *session;
    int64_t deadline_ns = self->handshake_ns > CLOCK_NEVER - now_ns ? CLOCK_NEVER : now_ns + self->handshake_ns;

    if (self->shaking_count >= SHAKING_MAX) {
        (void)close(socket);
        self->counts.sessions_refused++;
        log_entry(about(self, SHMRPC_LOG_WARNING, SHMRPC_LOG_CLIENT_REFUSED),
                  "%s: a client was turned away: %u others are in their handshake", self->host.service->name,
                  SHAKING_MAX);
        return;
    }
    session = session_new(socket, self->next_id++, deadline_ns);
    if (session == NULL) {
        return;
    }
    if (poller_add(self->poller, socket, 0, session, TAG_SOCKET) != 0) {
        session_free(session);
        return;
    }
    self->shaking_count++;
    list_append(&self->shaking, &session->life);
}

void server_accept(server *self, int64_t now_ns)
{
    int i;

    for (i = 0; i < ACCEPT_BURST; i++) {
        int socket = socket_accept(self->entry.descriptor);

        if (socket >= 0) {
            accept_one(self, socket, now_ns);
        } else if (socket == -EMFILE || socket == -ENFILE || socket == -ENOMEM || socket == -ENOBUFS) {
            log_entry(about(self, SHMRPC_LOG_ERROR, SHMRPC_LOG_ACCEPT_FAILED), "%s: cannot accept a client: %s",
                      self->host.service->name, shmrpc_status_text(error_system(socket, "accept")));
            pause_accepting(self, now_ns);
            return;
        } else if (socket == -EAGAIN) {
            return;
        }
    }
}

/* ---- handshakes ---- */

/* A session has just become open: its doorbell and its process are watched from now on. */
static int watch(server *self, shmrpc_session *session, int64_t now_ns)
{
    int rc = poller_add(self->poller, session->bell, 1, session, TAG_BELL);

    if (rc == 0 && session->process >= 0) {
        rc = poller_add(self->poller, session->process, 0, session, TAG_PROCESS);
    }
    self->shaking_count--;
    self->counts.sessions_open++;
    self->counts.sessions_accepted++;
    list_remove(&session->life);
    list_append(&self->open, &session->life);
    if (rc != 0) {
        return error_system(rc, "the client's descriptors cannot be watched");
    }
    log_entry(about_session(self, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_OPENED),
              "%s: session %" PRIu64 " of process %ld, user %ld", self->host.service->name, session->id,
              (long)session->peer.pid, (long)session->peer.uid);
    server_warm(self, session, now_ns);
    return 0;
}

void server_expire(server *self, int64_t now_ns)
{
    while (!list_is_empty(&self->shaking)) {
        shmrpc_session *session = list_entry(self->shaking.next, shmrpc_session, life);

        if (session->quiet_ns > now_ns) {
            return;
        }
        (void)error_set(SHMRPC_E_TIMEOUT, "the client did not finish its handshake in time");
        server_drop(self, session);
    }
}

/* One packet per event: what is left makes the next one. */
void server_receive(server *self, shmrpc_session *session, int64_t now_ns)
{
    bool shakes = session->state != SESSION_OPEN;
    int rc;

    self->host.full = self->counts.sessions_open >= self->max_sessions;
    rc = session_receive(session, &self->host);
    if (shakes && session->state == SESSION_OPEN) {
        int watched = watch(self, session, now_ns);

        rc = rc < 0 ? rc : watched;
    }
    if (rc == SHMRPC_E_UNAVAILABLE) {
        server_leave(self, session, session->said_goodbye ? SHMRPC_WHY_CLOSED : SHMRPC_WHY_DIED, now_ns);
    } else if (rc < 0 && rc != SHMRPC_E_PROTOCOL && session->state != SESSION_OPEN) {
        self->counts.sessions_refused++;
        server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
    } else if (rc < 0) {
        server_drop(self, session);
    }
}

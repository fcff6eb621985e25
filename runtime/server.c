/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the loop of a server: one thread, a poller, and the lanes that have traffic.
 *
 *   hot lanes    are looked at again and again; a lane without a request for spin_ns is armed and becomes cold
 *   cold lanes   wake the poller by their doorbell
 *   the poller   is looked at every LOOK_NS while a lane is hot, and slept in while none is
 *
 * A pass costs what the hot lanes cost, however many are connected. A lane gets at most BURST requests per pass, so
 * nobody waits for more than that of each other client. Whatever a client does wrong ends its session and nothing else.
 *
 * Sessions that end are freed only between passes (bury()), so events at hand may still name them.
 */
#include <shmrpc/server.h>

#include "directory.h"
#include "error.h"
#include "log.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "server_core.h"
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define BURST 32
#define PASSES_PER_CLOCK 64u
#define LOOK_NS INT64_C(50000)
#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_NS INT64_C(100000000)
#define SHAKING_MAX 128u /* clients that may be in their handshake at once, beyond the sessions */
#define SESSIONS_DEFAULT 1024u
#define DEPTH_LIMIT_DEFAULT 4096u

enum { TAG_LISTENER, TAG_STOP, TAG_SOCKET, TAG_BELL, TAG_PROCESS };

typedef struct server {
    session_host host;
    directory_entry entry;
    int64_t spin_ns;
    int64_t handshake_ns;
    uint32_t max_sessions;
    int poller; /* made by run(): a poller is not to be shared with a parent */
    int stop_bell;
    _Atomic bool stopping;
    bool has_run;
    bool listening;       /* the listener is watched */
    int64_t accept_at_ns; /* when it will be again, where it is not */
    list_link hot;
    list_link shaking; /* oldest deadline first */
    list_link open;
    list_link ended;
    uint32_t shaking_count;
    uint64_t next_id;
    shmrpc_server_counts counts;
} server;

static server *server_of(const shmrpc_server *handle)
{
    return handle == NULL ? NULL : handle->implementation;
}

/* ---- sessions: hot, cold, and ended ---- */

static void warm(server *self, shmrpc_session *session, int64_t now_ns)
{
    if (session->state == SESSION_OPEN && list_is_empty(&session->hot)) {
        session->busy = false;
        session->quiet_ns = now_ns;
        list_append(&self->hot, &session->hot);
    }
}

/* Where a request came meanwhile, the lane stays hot. */
static void cool(shmrpc_session *session, int64_t now_ns)
{
    if (lane_server_arm(&session->lane)) {
        list_remove(&session->hot);
    } else {
        session->quiet_ns = now_ns;
    }
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

static void end_session(server *self, shmrpc_session *session, shmrpc_why why)
{
    bool was_open = session->state == SESSION_OPEN;
    bool dropped = why == SHMRPC_WHY_PROTOCOL;

    if (session->state == SESSION_ENDED) {
        return;
    }
    log_line(dropped ? SHMRPC_LOG_WARNING : SHMRPC_LOG_INFO, "%s: session %" PRIu64 " of process %ld ended: %s",
             self->host.service->name, session->id, (long)session->peer.pid, why_text(why));
    self->counts.sessions_dropped += dropped;
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

static void bury(server *self)
{
    while (!list_is_empty(&self->ended)) {
        shmrpc_session *session = list_entry(self->ended.next, shmrpc_session, life);

        list_remove(&session->life);
        session_free(session);
    }
}

/* ---- requests ---- */

/* Answers up to `most` requests. The number answered; the session may have ended. */
static uint32_t serve(server *self, shmrpc_session *session, uint32_t most)
{
    service *offered = self->host.service;
    uint32_t count = 0;

    while (count < most) {
        lane_request request;
        int rc = lane_server_take(&session->lane, &request);

        if (rc == 0) {
            break;
        }
        if (rc > 0) {
            rc = offered->handle(offered, self->host.server, session, &session->lane, &request);
            count++;
            self->counts.calls_failed += rc < 0;
        }
        if (rc == SHMRPC_E_PROTOCOL) {
            end_session(self, session, SHMRPC_WHY_PROTOCOL);
            break;
        }
    }
    self->counts.calls += count;
    return count;
}

/* What had been sent before the end is still answered: a oneway message is not lost because its sender is done. */
static void serve_rest(server *self, shmrpc_session *session)
{
    if (session->state == SESSION_OPEN) {
        (void)serve(self, session, session->geometry.depth);
    }
}

static bool serve_hot(server *self)
{
    list_link *link = self->hot.next;
    bool any = false;

    while (link != &self->hot) {
        shmrpc_session *session = list_entry(link, shmrpc_session, hot);

        link = link->next;
        if (serve(self, session, BURST) != 0) {
            session->busy = true;
            any = true;
        } else if (self->spin_ns == 0) {
            cool(session, 0);
        }
    }
    return any;
}

static void cool_quiet(server *self, int64_t now_ns)
{
    list_link *link = self->hot.next;

    while (link != &self->hot) {
        shmrpc_session *session = list_entry(link, shmrpc_session, hot);

        link = link->next;
        if (session->busy) {
            session->busy = false;
            session->quiet_ns = now_ns;
        } else if (now_ns - session->quiet_ns >= self->spin_ns) {
            cool(session, now_ns);
        }
    }
}

/* ---- clients that come ---- */

static void pause_accepting(server *self, int64_t now_ns)
{
    poller_remove(self->poller, self->entry.descriptor);
    self->listening = false;
    self->accept_at_ns = now_ns + ACCEPT_PAUSE_NS;
}

static int resume_accepting(server *self)
{
    int rc = poller_add(self->poller, self->entry.descriptor, 0, self, TAG_LISTENER);

    self->listening = rc == 0;
    return rc;
}

static void accept_one(server *self, int socket, int64_t now_ns)
{
    shmrpc_session *session;
    int64_t deadline_ns = self->handshake_ns == CLOCK_NEVER ? CLOCK_NEVER : now_ns + self->handshake_ns;

    if (self->shaking_count >= SHAKING_MAX) {
        (void)close(socket);
        self->counts.sessions_refused++;
        log_line(SHMRPC_LOG_WARNING, "%s: a client was turned away: %u others are in their handshake",
                 self->host.service->name, SHAKING_MAX);
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

static void accept_clients(server *self, int64_t now_ns)
{
    int i;

    for (i = 0; i < ACCEPT_BURST; i++) {
        int socket = socket_accept(self->entry.descriptor);

        if (socket >= 0) {
            accept_one(self, socket, now_ns);
        } else if (socket == -EMFILE || socket == -ENFILE || socket == -ENOMEM || socket == -ENOBUFS) {
            log_line(SHMRPC_LOG_ERROR, "%s: cannot accept a client: %s", self->host.service->name,
                     shmrpc_status_text(error_system(socket, "accept")));
            pause_accepting(self, now_ns);
            return;
        } else if (socket == -EAGAIN) {
            return;
        }
    }
}

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
    log_line(SHMRPC_LOG_INFO, "%s: session %" PRIu64 " of process %ld, user %ld", self->host.service->name, session->id,
             (long)session->peer.pid, (long)session->peer.uid);
    warm(self, session, now_ns);
    return 0;
}

static void expire(server *self, int64_t now_ns)
{
    while (!list_is_empty(&self->shaking)) {
        shmrpc_session *session = list_entry(self->shaking.next, shmrpc_session, life);

        if (session->quiet_ns > now_ns) {
            return;
        }
        (void)error_set(SHMRPC_E_TIMEOUT, "the client did not finish its handshake in time");
        end_session(self, session, SHMRPC_WHY_PROTOCOL);
    }
}

/* ---- events ---- */

/* One packet per event: what is left makes the next one. */
static void socket_event(server *self, shmrpc_session *session, int64_t now_ns)
{
    bool shakes = session->state != SESSION_OPEN;
    int rc;

    self->host.full = self->counts.sessions_open >= self->max_sessions;
    rc = session_receive(session, &self->host);
    if (shakes && session->state == SESSION_OPEN) {
        int watched = watch(self, session, now_ns);

        rc = rc < 0 ? rc : watched;
    } else if (shakes && rc < 0) {
        self->counts.sessions_refused++;
    }
    if (rc == SHMRPC_E_UNAVAILABLE) {
        serve_rest(self, session);
        end_session(self, session, session->said_goodbye ? SHMRPC_WHY_CLOSED : SHMRPC_WHY_DIED);
    } else if (rc < 0) {
        end_session(self, session, SHMRPC_WHY_PROTOCOL);
    }
}

static void handle_event(server *self, const poller_event *event, int64_t now_ns)
{
    shmrpc_session *session = event->owner;

    switch (event->tag) {
    case TAG_LISTENER: accept_clients(self, now_ns); return;
    case TAG_STOP: return;
    default: break;
    }
    if (session->state == SESSION_ENDED) {
        return;
    }
    switch (event->tag) {
    case TAG_SOCKET: socket_event(self, session, now_ns); break;
    case TAG_BELL: warm(self, session, now_ns); break;
    case TAG_PROCESS:
        serve_rest(self, session);
        end_session(self, session, SHMRPC_WHY_DIED);
        break;
    default: break;
    }
}

/* Until when the poller may sleep: the first deadline of a handshake, or the end of a pause in accepting. */
static int64_t wake_at(const server *self)
{
    int64_t at_ns = self->listening ? CLOCK_NEVER : self->accept_at_ns;

    if (!list_is_empty(&self->shaking)) {
        const shmrpc_session *first = list_entry(self->shaking.next, shmrpc_session, life);

        at_ns = first->quiet_ns < at_ns ? first->quiet_ns : at_ns;
    }
    return at_ns;
}

/* Handles what the poller has, after sleeping for it where `sleep`. Returns 0 or a status. */
static int look_around(server *self, bool sleep, int64_t *ret_now_ns)
{
    poller_event events[POLLER_EVENTS_MAX];
    int count;
    int i;

    self->counts.sleeps += sleep;
    count = poller_wait(self->poller, events, sleep ? clock_left_ns(wake_at(self)) : 0);
    if (count < 0) {
        return error_system(count, "cannot wait for clients");
    }
    *ret_now_ns = clock_now_ns();
    for (i = 0; i < count; i++) {
        handle_event(self, &events[i], *ret_now_ns);
    }
    expire(self, *ret_now_ns);
    if (!self->listening && *ret_now_ns >= self->accept_at_ns && resume_accepting(self) != 0) {
        self->accept_at_ns = *ret_now_ns + ACCEPT_PAUSE_NS;
    }
    bury(self);
    return 0;
}

static bool is_stopping(const server *self)
{
    return atomic_load_explicit(&self->stopping, memory_order_acquire);
}

static int loop(server *self)
{
    int64_t looked_ns = 0;
    uint32_t passes = 0;
    int rc = 0;

    while (rc == 0 && !is_stopping(self)) {
        if (list_is_empty(&self->hot)) {
            rc = look_around(self, true, &looked_ns);
            continue;
        }
        if (!serve_hot(self)) {
            /* Two, because a look takes the line away from a client that is writing its request: measured, not derived. */
            cpu_pause();
            cpu_pause();
        }
        if (!list_is_empty(&self->ended)) {
            bury(self);
        }
        if (++passes % PASSES_PER_CLOCK == 0) {
            int64_t now_ns = clock_now_ns();

            if (self->spin_ns != CLOCK_NEVER) {
                cool_quiet(self, now_ns);
            }
            if (now_ns - looked_ns >= LOOK_NS) {
                rc = look_around(self, false, &looked_ns);
            }
        }
    }
    return rc;
}

/* ---- life ---- */

static void end_all(server *self, list_link *list)
{
    while (!list_is_empty(list)) {
        end_session(self, list_entry(list->next, shmrpc_session, life), SHMRPC_WHY_STOPPED);
    }
    bury(self);
}

/* Nobody new; what has been sent is answered; then everybody is told. */
static void wind_down(server *self)
{
    list_link *link;
    list_link *next;

    directory_release(&self->entry);
    for (link = self->open.next; link != &self->open; link = link->next) {
        session_say_goodbye(list_entry(link, shmrpc_session, life));
    }
    for (link = self->open.next; link != &self->open; link = next) {
        next = link->next;
        serve_rest(self, list_entry(link, shmrpc_session, life));
    }
    end_all(self, &self->shaking);
    end_all(self, &self->open);
}

static int begin(server *self)
{
    int rc;

    self->poller = poller_new();
    if (self->poller < 0) {
        return error_system(self->poller, "cannot make a poller");
    }
    rc = poller_add(self->poller, self->stop_bell, 1, self, TAG_STOP);
    if (rc == 0) {
        rc = resume_accepting(self);
    }
    if (rc != 0) {
        return error_system(rc, "cannot watch the server's socket");
    }
    directory_claim(&self->entry);
    return 0;
}

int shmrpc_server_run(shmrpc_server *handle)
{
    server *self = server_of(handle);
    int rc;

    if (self == NULL || self->has_run) {
        return error_set(SHMRPC_E_MISUSE, "a server runs once, after it has been initialised");
    }
    self->has_run = true;
    rc = begin(self);
    if (rc == 0) {
        log_line(SHMRPC_LOG_INFO, "%s: serves at %s", self->host.service->name, self->entry.path);
        rc = loop(self);
        wind_down(self);
    }
    return rc;
}

void shmrpc_server_stop(shmrpc_server *handle)
{
    server *self = server_of(handle);

    if (self != NULL) {
        atomic_store_explicit(&self->stopping, true, memory_order_release);
        (void)event_ring(self->stop_bell);
    }
}

static server *server_new(shmrpc_server *handle, service *offered, const shmrpc_server_options *options)
{
    server *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        return NULL;
    }
    self->host.service = offered;
    self->host.server = handle;
    self->host.max_depth = options->max_depth == 0 ? DEPTH_LIMIT_DEFAULT : options->max_depth;
    self->host.state_size = options->session_state_size;
    self->spin_ns = options_spin_ns(options->spin_ns);
    self->handshake_ns = options_timeout_ns(options->handshake_timeout_ns);
    self->max_sessions = options->max_sessions == 0 ? SESSIONS_DEFAULT : options->max_sessions;
    self->poller = -1;
    self->stop_bell = -1;
    self->next_id = 1;
    list_init(&self->hot);
    list_init(&self->shaking);
    list_init(&self->open);
    list_init(&self->ended);
    return self;
}

int server_core_init(shmrpc_server *handle, service *offered, const char *name, const shmrpc_server_options *options)
{
    static const shmrpc_server_options defaults;
    server *self;
    int rc;

    options = options == NULL ? &defaults : options;
    rc = options_check_server(options);
    if (rc != 0) {
        return rc;
    }
    self = server_new(handle, offered, options);
    if (self == NULL) {
        return error_system(-ENOMEM, "cannot make a server");
    }
    self->stop_bell = event_new();
    if (self->stop_bell < 0) {
        rc = error_system(self->stop_bell, "cannot make an eventfd");
    } else {
        rc = directory_listen(name, options->mode == 0 ? 0600 : (mode_t)options->mode, &self->entry);
    }
    if (rc != 0) {
        if (self->stop_bell >= 0) {
            (void)close(self->stop_bell);
        }
        free(self);
        return rc;
    }
    *handle = (shmrpc_server){.implementation = self};
    return 0;
}

void shmrpc_server_deinit(shmrpc_server *handle)
{
    server *self = server_of(handle);

    if (self == NULL) {
        return;
    }
    directory_release(&self->entry);
    if (self->poller >= 0) {
        (void)close(self->poller);
    }
    (void)close(self->stop_bell);
    self->host.service->free(self->host.service);
    free(self);
    handle->implementation = NULL;
}

shmrpc_server_counts shmrpc_server_counters(const shmrpc_server *handle)
{
    const server *self = server_of(handle);
    shmrpc_server_counts counts = {0};
    list_link *link;

    if (self == NULL) {
        return counts;
    }
    counts = self->counts;
    for (link = self->open.next; link != &self->open; link = link->next) {
        counts.doorbells += list_entry(link, shmrpc_session, life)->lane.doorbells;
    }
    return counts;
}

service *server_core_service(const shmrpc_server *handle)
{
    const server *self = server_of(handle);

    return self == NULL ? NULL : self->host.service;
}

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
 * Sessions that end are freed only between passes (server_bury()), so events at hand may still name them.
 */
#include <shmrpc/server.h>

#include "error.h"
#include "log.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "server_core.h"
#include "server_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSES_PER_CLOCK 64u
#define LOOK_NS INT64_C(50000)
#define SESSIONS_DEFAULT 1024u
#define DEPTH_LIMIT_DEFAULT 4096u

static server *server_of(const shmrpc_server *handle)
{
    return handle == NULL ? NULL : handle->implementation;
}

/* ---- events ---- */

static void handle_event(server *self, const poller_event *event, int64_t now_ns)
{
    shmrpc_session *session = event->owner;

    switch (event->tag) {
    case TAG_LISTENER: server_accept(self, now_ns); return;
    case TAG_STOP: return;
    default: break;
    }
    if (session->state == SESSION_ENDED || session->is_leaving) {
        return;
    }
    switch (event->tag) {
    case TAG_SOCKET: server_receive(self, session, now_ns); break;
    case TAG_BELL: server_warm(self, session, now_ns); break;
    case TAG_PROCESS: server_leave(self, session, SHMRPC_WHY_DIED, now_ns); break;
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
    self->now_ns = clock_now_ns();
    *ret_now_ns = self->now_ns;
    for (i = 0; i < count; i++) {
        handle_event(self, &events[i], *ret_now_ns);
    }
    server_expire(self, *ret_now_ns);
    if (!self->listening && *ret_now_ns >= self->accept_at_ns) {
        (void)server_resume_accepting(self, *ret_now_ns);
    }
    server_bury(self);
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
        if (!server_serve_hot(self)) {
            /* Two: a look takes the line away from a client that is writing its request. Measured, not derived. */
            cpu_pause();
            cpu_pause();
        } else {
            self->now_ns = clock_coarse_ns();
            if (self->now_ns - looked_ns >= LOOK_NS) {
                /* Handlers may take long: whoever waits for the poller does not wait for many of them. */
                rc = look_around(self, false, &looked_ns);
            }
        }
        if (!list_is_empty(&self->ended)) {
            server_bury(self);
        }
        if (++passes % PASSES_PER_CLOCK == 0) {
            int64_t now_ns = clock_now_ns();

            if (self->spin_ns != CLOCK_NEVER) {
                server_cool_quiet(self, now_ns);
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
        shmrpc_session *session = list_entry(list->next, shmrpc_session, life);

        server_end_session(self, session, session->is_leaving ? session->why : SHMRPC_WHY_STOPPED);
    }
    server_bury(self);
}

/* Nobody new; what has been sent is answered; then everybody is told. */
static void wind_down(server *self)
{
    list_link *link;
    list_link *next;

    for (link = self->open.next; link != &self->open; link = link->next) {
        session_say_goodbye(list_entry(link, shmrpc_session, life));
    }
    for (link = self->open.next; link != &self->open; link = next) {
        next = link->next;
        server_serve_rest(self, list_entry(link, shmrpc_session, life));
    }
    end_all(self, &self->shaking);
    end_all(self, &self->open);
    /* Last: the directory's lock may be somebody else's for a while, and nobody's answer is to wait for that. */
    directory_release(&self->entry);
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
        rc = server_resume_accepting(self, clock_now_ns());
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
        log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SERVER_STARTED), .service = self->host.service->name,
                                     .socket = self->entry.path},
                  "%s: serves at %s", self->host.service->name, self->entry.path);
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

    *handle = (shmrpc_server){0};
    options = options == NULL ? &defaults : options;
    rc = options_check_server(options);
    if (rc != 0) {
        return rc;
    }
    self = server_new(handle, offered, options);
    if (self == NULL) {
        return error_system(-ENOMEM, "cannot make a server");
    }
    rc = service_scratch_init(&self->scratch, offered);
    self->stop_bell = event_new();
    if (rc != 0) {
        /* error.h says it */
    } else if (self->stop_bell < 0) {
        rc = error_system(self->stop_bell, "cannot make an eventfd");
    } else {
        rc = directory_listen(name, options->mode == 0 ? 0600 : (mode_t)options->mode, &self->entry);
    }
    if (rc != 0) {
        if (self->stop_bell >= 0) {
            (void)close(self->stop_bell);
        }
        service_scratch_deinit(&self->scratch);
        free(self);
        return rc;
    }
    handle->implementation = self;
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
    service_scratch_deinit(&self->scratch);
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

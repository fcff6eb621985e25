/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_clients.c - clients that come, shake hands, open further lanes, and go.
 */
#include "server_state.h"

#include "error.h"
#include "log.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/random.h"
#include "platform/socket.h"
#include "platform/timer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_NS INT64_C(100000000)

static void lock(server_host *host)
{
    (void)pthread_mutex_lock(&host->lock);
}

static void unlock(server_host *host)
{
    (void)pthread_mutex_unlock(&host->lock);
}

uint64_t server_key(const seat *at, unsigned lane, unsigned tag)
{
    return (uint64_t)seat_generation(at) << 32 | (uint64_t)at->index << 9 | (uint64_t)lane << 3 | tag;
}

/* ---- users ---- */

/* What this user has so far; made where there is nothing yet. NULL: out of memory. Under the lock. */
static server_user *user_of(server_host *host, uid_t uid)
{
    uint32_t i;

    for (i = 0; i < host->user_count; i++) {
        if (host->users[i].uid == uid) {
            return &host->users[i];
        }
    }
    if (host->user_count == host->user_room) {
        uint32_t room = host->user_room == 0 ? 4 : host->user_room * 2;
        server_user *more = realloc(host->users, room * sizeof(*more));

        if (more == NULL) {
            return NULL;
        }
        host->users = more;
        host->user_room = room;
    }
    host->users[host->user_count] = (server_user){.uid = uid};
    return &host->users[host->user_count++];
}

/* Forgets a user who has nothing. */
static void user_tidy(server_host *host, server_user *user)
{
    if (user->sessions == 0 && user->shaking == 0) {
        *user = host->users[--host->user_count];
    }
}

/* Counts one who has left. Under the lock. */
static void user_leaves(server_host *host, uid_t uid, bool was_open)
{
    server_user *user = user_of(host, uid);

    if (user == NULL) {
        return; /* nobody leaves who was not counted */
    }
    user->sessions -= was_open;
    user->shaking -= !was_open;
    user_tidy(host, user);
}

/* So many sessions may this user have. One's own user can end the server anyway, and is not kept from anything. */
static uint32_t sessions_of(const server_host *host, uid_t uid)
{
    if (host->max_sessions_per_uid != 0) {
        return host->max_sessions_per_uid;
    }
    return uid == process_user() ? host->max_sessions : (host->max_sessions + 1) / 2;
}

/* Asked twice: several clients may be in their handshake when the last place is taken. Under the lock. */
static int check_room(server_host *host, uid_t uid)
{
    const server_user *user = user_of(host, uid);

    if (host->open_count >= host->max_sessions) {
        return error_set(SHMRPC_E_REFUSED, "the server has as many sessions as it takes");
    }
    if (user == NULL || user->sessions >= sessions_of(host, uid)) {
        return error_set(SHMRPC_E_REFUSED, "the server has as many sessions as it takes from one user");
    }
    return 0;
}

/* ---- timer ---- */

/* Sets it for the first deadline after now, or for the end of a pause in accepting. Under the lock. */
static void set_timer(server_host *host, int64_t now_ns)
{
    int64_t at_ns = host->listening || host->is_winding ? CLOCK_NEVER : host->accept_at_ns;
    list_link *link;

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

    lock(host);
    for (link = host->shaking.next; link != &host->shaking; link = link->next) {
        shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->deadline_ns > self->now_ns) {
            break;
        }
        server_tell(self, session, NEWS_DEADLINE);
    }
    if (!host->listening && !host->is_winding && self->now_ns >= host->accept_at_ns) {
        (void)server_resume_accepting(host);
    }
    set_timer(host, self->now_ns);
    unlock(host);
}

/* ---- the log ---- */

/* `session`: or NULL. */
static shmrpc_log_entry about(const server_host *host, const shmrpc_session *session, shmrpc_log_level level,
                              shmrpc_log_event event)
{
    shmrpc_log_entry entry = {.level = level,
                              .event = event,
                              .socket = host->entry.path,
                              .service = host->service_name,
                              .pid = -1,
                              .uid = (uid_t)-1};

    if (session != NULL) {
        entry.service = session->offer == NULL ? host->service_name : session->offer->service->name;
        entry.session = session->id;
        entry.pid = session->peer.pid;
        entry.uid = session->peer.uid;
    }
    return entry;
}

/* Who is turned away before the session has begun is refused. */
static shmrpc_log_entry about_end(const server_host *host, const shmrpc_session *session, shmrpc_why why)
{
    shmrpc_log_entry entry = about(host, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_ENDED);

    if (why == SHMRPC_WHY_PROTOCOL) {
        entry.level = SHMRPC_LOG_WARNING;
        entry.event = session->state == SESSION_OPEN ? SHMRPC_LOG_SESSION_DROPPED : SHMRPC_LOG_CLIENT_REFUSED;
    }
    return entry;
}

/* ---- the end ---- */

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

/* Takes a lane out of its session and closes it; its doorbells are counted with those of the past. */
static void close_lane(server_host *host, session_lane *lane)
{
    server_offer *offer = lane->session->offer;

    unwatch_lane(host, lane);
    lock(host);
    if (offer != NULL) {
        offer->counts.doorbells += atomic_load_explicit(&lane->lane.doorbells, memory_order_relaxed);
    }
    lane->session->lane_count--;
    session_remove_lane(lane);
    unlock(host);
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
    lock(host);
    list_remove(&session->life);
    if (was_open) {
        host->members[session->seat->index] = NULL;
        host->open_count--;
        offer->counts.sessions_open--;
        user_leaves(host, session->peer.uid, true);
    } else {
        host->shaking_count--;
        user_leaves(host, session->caller, false);
        if (list_is_empty(&host->shaking)) {
            set_timer(host, self->now_ns);
        }
    }
    while (!list_is_empty(&session->arriving)) {
        list_link *first = session->arriving.next;

        list_remove(first);
        list_append(&arrivals, first);
    }
    unlock(host);
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

    lock(host);
    is_last = session->lane_count == 1;
    if (is_last) {
        host->members[session->seat->index] = NULL; /* nobody may join any more */
    }
    unlock(host);
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
    lock(self->host);
    counts_of(self->host, session)->sessions_dropped++;
    unlock(self->host);
    server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
}

/* The client, or the thread that had the lane, is gone; or the host stops: what had been sent is still answered. */
static void leave(server_worker *self, session_lane *lane, shmrpc_why why)
{
    shmrpc_session *session = lane->session;

    if (lane->is_leaving) {
        return;
    }
    poller_remove(self->host->poller, lane->socket);
    lane->is_leaving = true;
    lane->why = why;
    lane->rest = lane->geometry.depth;
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
    lock(host);
    host->free_seats[host->free_count++] = at->index;
    if (offer != NULL) {
        offer->users--;
    }
    if (host->is_winding && host->free_count == host->seat_count) {
        atomic_store_explicit(&host->is_over, true, memory_order_release);
        (void)event_ring(host->stop_bell);
    }
    (void)pthread_cond_broadcast(&host->left);
    unlock(host);
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

    lock(host);
    if (host->listening) {
        poller_remove(host->poller, host->entry.descriptor);
        host->listening = false;
        host->accept_at_ns = self->now_ns + ACCEPT_PAUSE_NS;
        set_timer(host, self->now_ns);
    }
    unlock(host);
}

/* Gives a session a seat, where there is room for another client in its handshake. */
static bool seat_newcomer(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;
    uint32_t most = host->seat_count - host->max_sessions; /* who may be in their handshake at once */
    server_user *user;
    bool is_first;

    lock(host);
    user = user_of(host, session->caller);
    if (host->is_winding || user == NULL || host->shaking_count >= most || host->free_count == 0 ||
        (session->caller != process_user() && user->shaking >= most / 2)) {
        host->counts.sessions_refused++;
        if (user != NULL) {
            user_tidy(host, user);
        }
        unlock(host);
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
        set_timer(host, self->now_ns);
    }
    unlock(host);
    return true;
}

static void accept_one(server_worker *self, int socket)
{
    server_host *host = self->host;
    shmrpc_session *session;
    int64_t deadline_ns =
        host->handshake_ns > CLOCK_NEVER - self->now_ns ? CLOCK_NEVER : self->now_ns + host->handshake_ns;

    session = session_new(socket, deadline_ns);
    if (session == NULL) {
        return;
    }
    session->caller = socket_peer(socket);
    if (!seat_newcomer(self, session)) {
        log_entry(about(host, NULL, SHMRPC_LOG_WARNING, SHMRPC_LOG_CLIENT_REFUSED),
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
            log_entry(about(host, NULL, SHMRPC_LOG_ERROR, SHMRPC_LOG_ACCEPT_FAILED), "%s: cannot accept a client: %s",
                      server_name(host, NULL), shmrpc_status_text(error_system(socket, "accept")));
            pause_accepting(self);
            return;
        } else if (socket == -EAGAIN) {
            return;
        }
    }
    lock(host);
    if (host->listening) {
        (void)poller_watch_as(host->poller, host->entry.descriptor, TAG_LISTENER);
    }
    unlock(host);
}

/* ---- Hello ---- */

/* The service of this name. Under the lock. NULL: none; then *ret_any is one, where there is exactly one. */
static server_offer *find_offer(server_host *host, const char *name, server_offer **ret_any)
{
    list_link *link;

    *ret_any = NULL;
    for (link = host->offers.next; link != &host->offers; link = link->next) {
        server_offer *offer = list_entry(link, server_offer, others);

        if (strcmp(offer->service->name, name) == 0) {
            return offer;
        }
        *ret_any = host->offers.next->next == &host->offers ? offer : NULL;
    }
    return NULL;
}

static int error_not_offered(server_host *host, const char *name)
{
    char line[ERROR_LINE_MAX + 1];
    char offered[256] = "nothing";
    size_t used = 0;
    list_link *link;

    lock(host);
    for (link = host->offers.next; link != &host->offers; link = link->next) {
        const char *one = list_entry(link, server_offer, others)->service->name;
        int length = snprintf(offered + used, sizeof(offered) - used, "%s%s", used == 0 ? "" : ", ",
                              one[0] == '\0' ? "the raw transport" : one);

        if (length < 0 || (size_t)length >= sizeof(offered) - used) {
            offered[used] = '\0';
            break;
        }
        used += (size_t)length;
    }
    unlock(host);
    return error_set(SHMRPC_E_REFUSED, "the server offers %s, not '%s'", offered,
                     log_text(line, sizeof(line), name, strlen(name)));
}

/* The open session that has this token. Under the lock. */
static shmrpc_session *find_session(const server_host *host, const control_token *token)
{
    shmrpc_session *session;
    uint32_t index;

    memcpy(&index, token->bytes, sizeof(index));
    if (index >= host->seat_count) {
        return NULL;
    }
    session = host->members[index];
    return session != NULL && control_token_is_equal(&session->token, token) ? session : NULL;
}

/* May this client have one more lane of the session? Asked twice. Under the lock. */
static int check_further(const server_host *host, const shmrpc_session *found, const shmrpc_session *asking)
{
    if (found == NULL || host->is_winding || found->peer.pid != asking->peer.pid ||
        found->peer.uid != asking->peer.uid) {
        return error_set(SHMRPC_E_REFUSED, "the server has no such session");
    }
    if (found->lane_count >= SESSION_LANES_MAX) {
        return error_set(SHMRPC_E_REFUSED, "the session has %u lanes, which is the limit", SESSION_LANES_MAX);
    }
    return 0;
}

static int greet_further(server_worker *self, shmrpc_session *session, const control_hello *hello,
                         service_terms *ret_terms)
{
    server_host *host = self->host;
    const shmrpc_session *found;
    int rc;

    if (hello->method_count != 0) {
        return error_set(SHMRPC_E_PROTOCOL, "a further lane asks for methods");
    }
    lock(host);
    found = find_session(host, &hello->token);
    rc = check_further(host, found, session);
    if (rc == 0 && strcmp(found->offer->service->name, hello->service) != 0) {
        rc = error_set(SHMRPC_E_REFUSED, "the session is connected to another service");
    }
    if (rc == 0) {
        session->is_further = true;
        session->token = hello->token;
        session->id = found->id;
        *ret_terms = (service_terms){.request_size = found->request_size, .answer_size = found->answer_size};
    }
    unlock(host);
    return rc;
}

/* Its first bytes say which seat it belongs to, so that it is found without a search; twelve are left to guess. */
static int make_token(shmrpc_session *session)
{
    uint32_t index = session->seat->index;
    int rc = random_bytes(&session->token, sizeof(session->token));

    if (rc != 0) {
        return error_system(rc, "cannot make a token");
    }
    memcpy(session->token.bytes, &index, sizeof(index));
    return 0;
}

static int greet(session_host *rules, shmrpc_session *session, const control_hello *hello, service_terms *ret_terms)
{
    server_worker *self = (server_worker *)(void *)rules;
    server_host *host = self->host;
    server_offer *offer;
    server_offer *any;
    int rc;

    if (control_token_is_set(&hello->token)) {
        return greet_further(self, session, hello, ret_terms);
    }
    lock(host);
    rc = check_room(host, session->peer.uid);
    offer = find_offer(host, hello->service, &any);
    offer = offer == NULL ? any : offer;
    if (rc == 0 && offer != NULL) {
        offer->users++;
        session->offer = offer;
    }
    unlock(host);
    if (rc != 0) {
        return rc;
    }
    if (offer == NULL) {
        return error_not_offered(host, hello->service);
    }
    rc = make_token(session);
    return rc != 0 ? rc : offer->service->agree(offer->service, hello, ret_terms);
}

/* ---- Attach ---- */

/* Hands the lane over to the session that it belongs to. */
static int join(server_worker *self, shmrpc_session *session, session_lane *lane)
{
    server_host *host = self->host;
    shmrpc_session *found;
    int rc;

    lock(host);
    found = find_session(host, &session->token);
    rc = check_further(host, found, session);
    if (rc == 0) {
        session_remove_lane(lane);
        list_append(&found->arriving, &lane->arriving);
        found->lane_count++;
        server_tell(self, found, NEWS_LANES);
    }
    unlock(host);
    return rc;
}

/* Enters a session among those that are open. */
static int enter(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;
    server_offer *offer = session->offer;
    server_user *user;
    int rc;

    lock(host);
    rc = check_room(host, session->peer.uid);
    user = user_of(host, session->peer.uid);
    if (rc == 0 && (user == NULL || host->is_winding || atomic_load(&offer->is_over))) {
        rc = error_set(SHMRPC_E_REFUSED, "the server stops");
    }
    if (rc == 0) {
        user->sessions++;
        user_leaves(host, session->caller, false);
        host->shaking_count--;
        host->open_count++;
        host->members[session->seat->index] = session;
        list_remove(&session->life);
        list_append(&host->open, &session->life);
        if (list_is_empty(&host->shaking)) {
            set_timer(host, self->now_ns);
        }
        offer->counts.sessions_open++;
        offer->counts.sessions_accepted++;
    }
    unlock(host);
    return rc;
}

/* A lane of an open session is watched, and served, from here on. */
static int watch_lane(server_worker *self, session_lane *lane)
{
    server_host *host = self->host;
    const seat *at = lane->session->seat;
    int rc = poller_watch_as(host->poller, lane->socket, server_key(at, lane->number, TAG_SOCKET));

    if (rc == 0) {
        rc = poller_watch(host->poller, lane->bell, server_key(at, lane->number, TAG_BELL));
    }
    if (rc != 0) {
        return error_system(rc, "the client's descriptors cannot be watched");
    }
    lane->state = LANE_OPEN;
    lane->session->quiet_ns = self->now_ns;
    return session_say_ready(lane);
}

static int open_lane(session_host *rules, shmrpc_session *session, session_lane *lane)
{
    server_worker *self = (server_worker *)(void *)rules;
    server_offer *offer = session->offer;
    int rc;

    if (session->is_further) {
        return join(self, session, lane);
    }
    if (self->host->state_size != 0) {
        session->memory = calloc(1, self->host->state_size);
        if (session->memory == NULL) {
            return error_system(-ENOMEM, "cannot make a session");
        }
    }
    rc = enter(self, session);
    if (rc != 0) {
        return rc;
    }
    session->state = SESSION_OPEN;
    log_entry(about(self->host, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_OPENED),
              "%s: session %" PRIu64 " of process %ld, user %ld", offer->service->name, session->id,
              (long)session->peer.pid, (long)session->peer.uid);
    offer->service->connected(offer->service, offer->handle, session);
    if (session->process >= 0) {
        rc = poller_watch(self->host->poller, session->process, server_key(session->seat, 0, TAG_PROCESS));
        if (rc != 0) {
            return error_system(rc, "the client's process cannot be watched");
        }
    }
    return watch_lane(self, lane);
}

void server_rules(server_worker *self)
{
    self->rules = (session_host){.max_depth = self->host->max_depth, .greet = greet, .open = open_lane};
}

/* The lanes that have come to an open session. */
static void take_in(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;

    for (;;) {
        session_lane *lane = NULL;

        lock(host);
        if (!list_is_empty(&session->arriving)) {
            bool has_room;

            lane = list_entry(session->arriving.next, session_lane, arriving);
            list_remove(&lane->arriving);
            has_room = session_add_lane(session, lane);
            assert(has_room);
            (void)has_room;
        }
        unlock(host);
        if (lane == NULL) {
            return;
        }
        if (watch_lane(self, lane) != 0) {
            server_end_lane(self, lane, SHMRPC_WHY_DIED);
        }
        if (session->state != SESSION_OPEN) {
            return;
        }
    }
}

/* ---- news ---- */

static void refuse(server_worker *self, shmrpc_session *session)
{
    lock(self->host);
    counts_of(self->host, session)->sessions_refused++;
    unlock(self->host);
    server_end_session(self, session, SHMRPC_WHY_PROTOCOL);
}

/* Reads what has come over a lane's socket, which nobody will be told of again. */
static void receive(server_worker *self, shmrpc_session *session, session_lane *lane)
{
    int rc;

    do {
        rc = session_receive(session, lane, &self->rules);
        if (session->lane_bits == 0) {
            /* The lane is another session's now. */
            server_end_session(self, session, SHMRPC_WHY_CLOSED);
            return;
        }
    } while (rc == 1);
    if (rc == SHMRPC_E_UNAVAILABLE) {
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

    lock(host);
    is = host->is_winding || (session->offer != NULL && atomic_load(&session->offer->is_over));
    unlock(host);
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
        session_say_goodbye(session->lanes[__builtin_ctzll(bits)]);
    }
    leave_all(self, session, SHMRPC_WHY_STOPPED);
}

void server_hear(server_worker *self, shmrpc_session *session)
{
    uint64_t sockets;
    uint32_t news;

    seat_take_news(session->seat, &sockets, &news);
    if ((news & NEWS_LANES) != 0 && session->state == SESSION_OPEN) {
        take_in(self, session);
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
    if ((news & NEWS_DEADLINE) != 0 && session->state == SESSION_SHAKING && session->deadline_ns <= self->now_ns) {
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
    lock(host);
    if (!host->is_winding) {
        host->is_winding = true;
        host->stop_at_ns = clock_after_ns(host->stop_ns);
        poller_remove(host->poller, host->entry.descriptor);
        host->listening = false;
        for (link = host->shaking.next; link != &host->shaking; link = link->next) {
            server_tell(self, list_entry(link, shmrpc_session, life), NEWS_STOP);
        }
        for (link = host->open.next; link != &host->open; link = link->next) {
            server_tell(self, list_entry(link, shmrpc_session, life), NEWS_STOP);
        }
        if (host->free_count == host->seat_count) {
            atomic_store_explicit(&host->is_over, true, memory_order_release);
        }
    }
    unlock(host);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_handshake.c - what the host decides in a handshake: which service a client meets, whether there is room for
 * it, and to which session a further lane belongs.
 */
#include "server_state.h"

#include "error.h"
#include "log.h"
#include "platform/poller.h"
#include "platform/random.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

    host_lock(host);
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
    host_unlock(host);
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
static int check_further(server_host *host, const shmrpc_session *found, const shmrpc_session *asking,
                         bool has_semaphores)
{
    if (found == NULL || host->is_winding || found->peer.pid != asking->peer.pid ||
        found->peer.uid != asking->peer.uid) {
        return error_set(SHMRPC_E_REFUSED, "the server has no such session");
    }
    if (found->lane_count >= SESSION_LANES_MAX) {
        return error_set(SHMRPC_E_REFUSED, "the session has %u lanes, which is the limit", SESSION_LANES_MAX);
    }
    return server_check_lanes(host, found->peer.uid, has_semaphores);
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
    host_lock(host);
    found = find_session(host, &hello->token);
    rc = check_further(host, found, session, hello->semaphores);
    if (rc == 0 && strcmp(found->offer->service->name, hello->service) != 0) {
        rc = error_set(SHMRPC_E_REFUSED, "the session is connected to another service");
    }
    if (rc == 0) {
        session->is_further = true;
        session->token = hello->token;
        session->id = found->id;
        *ret_terms = (service_terms){
            .request_size = found->request_size,
            .answer_size = found->answer_size,
            .large_request_size = found->large_request_size,
            .large_answer_size = found->large_answer_size,
            .takes_envelopes = found->offer->service->takes_envelopes,
        };
    }
    host_unlock(host);
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
    host_lock(host);
    rc = server_check_room(host, session->peer.uid);
    rc = rc == 0 ? server_check_lanes(host, session->peer.uid, hello->semaphores) : rc;
    offer = find_offer(host, hello->service, &any);
    offer = offer == NULL ? any : offer;
    if (rc == 0 && offer != NULL) {
        offer->users++;
        session->offer = offer;
    }
    host_unlock(host);
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

    host_lock(host);
    found = find_session(host, &session->token);
    rc = check_further(host, found, session, lane->semaphores);
    if (rc == 0) {
        server_lane_comes(host, found->peer.uid, lane);
        session_remove_lane(lane);
        list_append(&found->arriving, &lane->arriving);
        found->lane_count++;
        server_tell(self, found, NEWS_LANES);
    }
    host_unlock(host);
    return rc;
}

/* Enters a session among those that are open. */
static int enter(server_worker *self, shmrpc_session *session, session_lane *lane)
{
    server_host *host = self->host;
    server_offer *offer = session->offer;
    server_user *user;
    int rc;

    host_lock(host);
    rc = server_check_room(host, session->peer.uid);
    rc = rc == 0 ? server_check_lanes(host, session->peer.uid, lane->semaphores) : rc;
    user = server_user_of(host, session->peer.uid);
    if (rc == 0 && (user == NULL || host->is_winding || atomic_load(&offer->is_over))) {
        rc = error_set(SHMRPC_E_REFUSED, "the server stops");
    }
    if (rc == 0) {
        user->sessions++;
        server_lane_comes(host, session->peer.uid, lane);
        server_user_leaves(host, session->caller, false);
        host->shaking_count--;
        host->open_count++;
        host->members[session->seat->index] = session;
        list_remove(&session->life);
        list_append(&host->open, &session->life);
        if (list_is_empty(&host->shaking)) {
            server_set_timer(host, self->now_ns);
        }
        offer->counts.sessions_open++;
        offer->counts.sessions_accepted++;
    }
    host_unlock(host);
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
    lane->host = host;
    lane->key = server_key(at, lane->number, TAG_BELL);
    lane->caller.settle = server_settle;
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
    rc = enter(self, session, lane);
    if (rc != 0) {
        return rc;
    }
    session->state = SESSION_OPEN;
    session->spin = self->host->spin;
    log_entry(server_about(self->host, session, SHMRPC_LOG_INFO, SHMRPC_LOG_SESSION_OPENED),
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
    self->rules = (session_host){.max_depth = self->host->max_depth,
                                 .max_arena = self->host->max_arena,
                                 .greet = greet,
                                 .open = open_lane};
}

void server_take_in(server_worker *self, shmrpc_session *session)
{
    server_host *host = self->host;

    for (;;) {
        session_lane *lane = NULL;

        host_lock(host);
        if (!list_is_empty(&session->arriving)) {
            bool has_room;

            lane = list_entry(session->arriving.next, session_lane, arriving);
            list_remove(&lane->arriving);
            has_room = session_add_lane(session, lane);
            assert(has_room);
            (void)has_room;
        }
        host_unlock(host);
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

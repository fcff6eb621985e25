/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_lanes.c - hot and cold lanes, and the requests in them.
 */
#include "server_state.h"

#define BURST 32 /* requests of one lane per pass: nobody waits for more than that of each other client */

/* ---- requests ---- */

/* Answers up to `most` requests. The number answered; the session may have ended. */
static uint32_t serve(server *self, shmrpc_session *session, uint32_t most)
{
    service *offered = self->host.service;
    const service_visit visit = {
        .server = self->host.server,
        .session = session,
        .lane = &session->lane,
        .scratch = &self->scratch,
        .now_ns = self->now_ns,
    };
    uint32_t count = 0;

    while (count < most) {
        lane_request request;
        int rc = lane_server_take(&session->lane, &request);

        if (rc == 0) {
            break;
        }
        if (rc > 0) {
            rc = offered->handle(offered, &visit, &request);
            count++;
            self->counts.calls++;
            self->counts.calls_failed += rc < 0;
        }
        if (rc == SHMRPC_E_PROTOCOL) {
            server_drop(self, session);
            break;
        }
    }
    return count;
}

/* ---- the end of a session ---- */

void server_serve_rest(server *self, shmrpc_session *session)
{
    if (session->state == SESSION_OPEN) {
        (void)serve(self, session, session->geometry.depth);
    }
}

/* One visit to a client that is gone. Had it left anything? */
static bool serve_leaving(server *self, shmrpc_session *session)
{
    uint32_t count = serve(self, session, session->rest < BURST ? session->rest : BURST);

    session->rest -= count;
    if (count == 0 || session->rest == 0) {
        server_end_session(self, session, session->why);
    }
    return count != 0;
}

/* ---- hot and cold ---- */

void server_warm(server *self, shmrpc_session *session, int64_t now_ns)
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

bool server_serve_hot(server *self)
{
    list_link *link = self->hot.next;
    bool any = false;

    while (link != &self->hot) {
        shmrpc_session *session = list_entry(link, shmrpc_session, hot);

        link = link->next;
        if (session->is_leaving) {
            any = serve_leaving(self, session) || any;
        } else if (serve(self, session, BURST) != 0) {
            session->busy = true;
            any = true;
        } else if (self->spin_ns == 0) {
            cool(session, 0);
        }
    }
    return any;
}

void server_cool_quiet(server *self, int64_t now_ns)
{
    list_link *link = self->hot.next;

    while (link != &self->hot) {
        shmrpc_session *session = list_entry(link, shmrpc_session, hot);

        link = link->next;
        if (session->busy) {
            session->busy = false;
            session->quiet_ns = now_ns;
        } else if (!session->is_leaving && now_ns - session->quiet_ns >= self->spin_ns) {
            cool(session, now_ns);
        }
    }
}

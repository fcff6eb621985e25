/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_lanes.c - the requests of a session's lanes, and lanes that become cold.
 */
#include "server_state.h"

#include "envelope.h"
#include "platform/clock.h"
#include "platform/cpu.h"

#define BURST 32u /* requests of one lane per visit: nobody waits for more than that of each other client */
/*
 * Looks at a lane that is the only one, and pauses before each: a look takes the line away from a client that is
 * writing its request. Two to three microseconds in all: a request that comes a microsecond after the last one still finds the
 * worker here. Measured, not derived.
 */
#define LINGERING_LOOKS 64u
#define LINGERING_PAUSES 2u

/* ---- requests ---- */

static void count(server_desk *desk, session_lane *lane, const service *offered, uint32_t method, bool failed)
{
    uint32_t last = offered->method_count;
    server_tally *tally;

    if (offered->takes_envelopes) {
        method &= ~(uint32_t)ENVELOPE_METHOD;
    }
    tally = &desk->methods[method < last ? method : last];

    tally_add(&tally->calls, 1);
    tally_add(&lane->calls, 1);
    if (failed) {
        tally_add(&tally->failed, 1);
        tally_add(&lane->calls_failed, 1);
    }
}

/* Or is there something to look at before the next request? */
static inline bool may_go_on(const server_worker *self, const shmrpc_session *session)
{
    return !offer_is_over(session->offer) && !host_is_stopping(self->host);
}

/* Handlers may take long: whoever waits for the poller does not wait for many of them. */
static inline bool has_time(server_worker *self)
{
    server_tell_time(self);
    return self->now_ns - self->looked_ns < SERVER_LOOK_NS;
}

/*
 * None is there: a worker that has only this lane stays here for a moment: a whole pass takes longer than a look, and
 * what comes meanwhile would wait for the rest of it. As lane_server_take().
 */
static int linger(server_worker *self, shmrpc_session *session, session_lane *lane, lane_request *request)
{
    bool is_only = self->lingers && session->spin.now_ns != 0 && (session->lane_bits & (session->lane_bits - 1)) == 0;
    uint32_t looks;
    int rc = 0;

    if (!is_only || !has_time(self)) {
        return 0;
    }
    for (looks = 0; rc == 0 && looks < LINGERING_LOOKS; looks++) {
        uint32_t pauses;

        for (pauses = 0; pauses < LINGERING_PAUSES; pauses++) {
            cpu_pause();
        }
        rc = lane_server_take(&lane->lane, request);
    }
    if (rc > 0) {
        session_found_more(session);
    }
    return rc;
}

/* The next request of a lane, if there is one. As lane_server_take(). */
static inline int take(server_worker *self, shmrpc_session *session, session_lane *lane, lane_request *request)
{
    int rc = lane_server_take(&lane->lane, request);

    return rc != 0 ? rc : linger(self, session, lane, request);
}

/* The memory of its requests came behind many other packets: the other clients have their turn first. */
static bool has_read_much(session_lane *lane)
{
    bool has = lane->sealed_looks > SERVER_PACKETS;

    lane->sealed_looks = has ? 0 : lane->sealed_looks;
    return has;
}

/* Answers a request that has been taken, and up to `most` in all. The number answered; the session may have ended. */
static uint32_t answer(server_worker *self, shmrpc_session *session, session_lane *lane, lane_request *request,
                       uint32_t most)
{
    server_desk *desk = &session->offer->desks[self->number - 1];
    service *offered = session->offer->service;
    const service_visit visit = {
        .server = session->offer->handle,
        .session = session,
        .lane = &lane->lane,
        .scratch = &desk->scratch,
        .methods = session->methods,
        .now_ns = self->now_ns,
    };
    uint32_t answered = 0;
    int rc = 1;

    while (rc > 0) {
        rc = offered->handle(offered, &visit, request);
        answered++;
        if (request->is_sealed) {
            sealed_box_close(&lane->sealed);
            most = has_read_much(lane) ? answered : most;
        }
        count(desk, lane, offered, request->method, rc < 0);
        if (rc == SHMRPC_E_PROTOCOL) {
            break;
        }
        rc = answered < most && may_go_on(self, session) ? take(self, session, lane, request) : 0;
    }
    self->allowance -= answered;
    if (rc < 0) {
        server_drop(self, session);
    }
    return answered;
}

/* A look at a lane: answers up to `most` requests. The number answered; the session may have ended. */
static inline uint32_t serve(server_worker *self, shmrpc_session *session, session_lane *lane, uint32_t most)
{
    lane_request request;
    int rc = most == 0 ? 0 : take(self, session, lane, &request);

    if (rc > 0) {
        return answer(self, session, lane, &request, most);
    }
    if (rc < 0) {
        server_drop(self, session);
    }
    return 0;
}

/*
 * Are there answers to come that somebody waits for? A server that stops gives them time. Once its requests have been
 * begun, the lane waits for them without being looked at.
 */
static bool owes(session_lane *lane)
{
    return lane->why == SHMRPC_WHY_STOPPED && lane_server_owes(&lane->lane) && !lane->caller.is_gone(&lane->caller);
}

/* Nothing was taken: is that all, or does the lane pause? Once its client has left, it does not. */
static void look_at_rest(session_lane *lane)
{
    if (!lane_server_has_request(&lane->lane)) {
        lane->rest = 0;
    } else if (lane->caller.is_gone(&lane->caller)) {
        lane_server_desert(&lane->lane);
    }
}

/*
 * One visit to a lane that ends: what was sent before is answered, in turn with the others. While the host stops, one
 * at a time, so that the limit of that is met as soon as a handler returns, also where the client had left before. Had
 * it left anything?
 */
static bool serve_leaving(server_worker *self, session_lane *lane, uint32_t most)
{
    shmrpc_session *session = lane->session;
    uint32_t share = lane->rest < most ? lane->rest : most;
    uint32_t count;

    if (self->is_winding) {
        self->now_ns = clock_now_ns();
        if (self->now_ns >= self->host->stop_at_ns) {
            server_end_lane(self, lane, lane->why);
            return false;
        }
        share = share < 1 ? share : 1;
    }
    count = serve(self, session, lane, share);
    if (session->state != SESSION_OPEN) {
        return count != 0;
    }
    lane->rest -= count;
    if (count == 0 && share != 0) {
        look_at_rest(lane);
    }
    if (lane->rest == 0 && !owes(lane)) {
        server_end_lane(self, lane, lane->why);
    }
    return count != 0;
}

bool server_visit(server_worker *self, shmrpc_session *session)
{
    uint64_t bits = session->lane_bits;
    bool any = false;

    while (bits != 0 && session->state == SESSION_OPEN) {
        session_lane *lane = session->lanes[__builtin_ctzll(bits)];
        uint32_t most = self->allowance < BURST ? self->allowance : BURST;

        bits &= bits - 1;
        if (lane->is_leaving) {
            any = serve_leaving(self, lane, most) || any;
        } else if (serve(self, session, lane, most) != 0) {
            any = true;
        }
    }
    return any;
}

/* ---- hot and cold ---- */

void server_settle(lane_caller *caller)
{
    const session_lane *lane = list_entry(caller, session_lane, caller);

    server_knock(lane->host, lane->key);
}

/*
 * Can it be left alone? A lane that leaves: until its last answer, or one that makes room for the next request, its
 * client's end or the host's limit.
 */
static bool cool_lane(session_lane *lane)
{
    if (lane->is_leaving) {
        return lane->rest == 0 ? lane_server_await_answers(&lane->lane) : lane_server_arm_paused(&lane->lane);
    }
    return lane_server_arm(&lane->lane);
}

bool server_cool(shmrpc_session *session)
{
    uint64_t bits;

    /* Where one has a request, the marks of the others stay: at worst a client rings for nothing. */
    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        if (!cool_lane(session->lanes[__builtin_ctzll(bits)])) {
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_lanes.c - the requests of a session's lanes, and lanes that become cold.
 */
#include "server_state.h"

#include "envelope.h"
#include "platform/clock.h"
#include "platform/compiler.h"
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

/* The tally of one method; there is one for all numbers that are none's. */
static inline server_tally *tally_of(const server_desk *desk, const service *offered, uint32_t method)
{
    uint32_t last = offered->method_count;

    if (method >= last) {
        method = offered->takes_envelopes ? method & ~(uint32_t)ENVELOPE_METHOD : last;
        method = method < last ? method : last;
    }
    return &desk->methods[method];
}

static inline void count(server_tally *tally, session_lane *lane, bool failed)
{
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
 * So many looks, and one before them, have found nothing. A worker that has only this lane stays here for a moment: a
 * whole pass takes longer than a look, and what comes meanwhile would wait for the rest of it. Pauses, and returns how
 * many there are with the next look; 0: it does not stay.
 */
static __attribute__((noinline)) uint32_t linger(server_worker *self, const shmrpc_session *session, uint32_t looks)
{
    uint32_t pauses;

    if (looks == 0) {
        bool is_only = session->spin.now_ns != 0 && (session->lane_bits & (session->lane_bits - 1)) == 0;

        if (!is_only || !has_time(self)) {
            return 0;
        }
    }
    for (pauses = 0; looks < LINGERING_LOOKS && pauses < LINGERING_PAUSES; pauses++) {
        cpu_pause();
    }
    return looks < LINGERING_LOOKS ? looks + 1 : 0;
}

/* The next request of a lane, if there is one, or one comes in a moment. As lane_server_take(). */
static ALWAYS_INLINE int take(server_worker *self, shmrpc_session *session, session_lane *lane, lane_request *request)
{
    uint32_t looks = 0;
    int rc = lane_server_take(&lane->lane, request);

    while (rc == 0 && self->lingers) {
        looks = linger(self, session, looks);
        if (looks == 0) {
            break;
        }
        rc = lane_server_take(&lane->lane, request);
    }
    if (looks != 0 && rc > 0) {
        session_found_more(session);
    }
    return rc;
}

/* Answers a request. 0; PROTOCOL: it was the last one of its client. */
static ALWAYS_INLINE int answer(const shmrpc_session *session, session_lane *lane, const lane_request *request)
{
    service *offered = session->offer->service;
    int status = offered->handle(offered, &lane->visit, request);

    count(tally_of(lane->desk, offered, request->method), lane, status < 0);
    return status == SHMRPC_E_PROTOCOL ? status : 0;
}

/* After the answer to a sealed request. Did its memory come behind many other packets? Then others have their turn. */
static __attribute__((noinline)) bool end_sealed(session_lane *lane)
{
    bool has_read_much = lane->sealed_looks > SERVER_PACKETS;

    sealed_box_close(&lane->sealed);
    lane->sealed_looks = has_read_much ? 0 : lane->sealed_looks;
    return has_read_much;
}

/* This worker serves the lane from now on. */
static RARE void adopt(const server_worker *self, session_lane *lane)
{
    shmrpc_session *session = lane->session;

    lane->worker = self->number;
    lane->desk = &session->offer->desks[self->number - 1];
    lane->visit = (service_visit){
        .server = session->offer->handle,
        .session = session,
        .lane = &lane->lane,
        .scratch = &lane->desk->scratch,
        .methods = session->methods,
    };
}

/* A look at a lane: answers up to `most` requests. The number answered; the session may have ended. */
static ALWAYS_INLINE uint32_t serve(server_worker *self, shmrpc_session *session, session_lane *lane, uint32_t most)
{
    lane_request request;
    uint32_t answered = 0;
    bool is_enough;
    int rc;

    if (most == 0) {
        return 0;
    }
    if (lane->worker != self->number) {
        adopt(self, lane);
    }
    do {
        rc = take(self, session, lane, &request);
        if (rc <= 0) {
            break;
        }
        rc = answer(session, lane, &request);
        answered++;
        is_enough = request.is_sealed && end_sealed(lane);
    } while (rc == 0 && !is_enough && answered < most && may_go_on(self, session));
    self->allowance -= answered;
    if (rc < 0) {
        server_drop(self, session);
    }
    return answered;
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
static RARE bool serve_leaving(server_worker *self, session_lane *lane, uint32_t most)
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - a client's session, and its lanes: one for each thread that calls.
 *
 *   state    event                          next    who
 *   SHAKING  Hello that the host agrees to  SHAKING session_receive(): Welcome was sent, the lane is in ATTACH
 *   SHAKING  Attach with a sound memory     OPEN    session_receive(), through the host: connected() has run, Ready was
 *                                                   sent; or the lane has moved to the session that it belongs to
 *   SHAKING  anything else, deadline, stop  ENDED   refused, with a reason where it can be told
 *   OPEN     requests; further lanes        OPEN    the host's workers
 *   OPEN     the last lane has ended, the   ENDED   disconnected() has run
 *            protocol was broken
 *
 *   lane     event                          next
 *   HELLO    Hello                          ATTACH
 *   ATTACH   Attach                         OPEN
 *   OPEN     Goodbye, socket closed,        OPEN, leaving: what was sent before is answered; then it is closed
 *            process ended, host stops
 *
 * A lane is private memory with a count of references: what outlives it (an answer that was put off) may look at it
 * when its shared memory is long unmapped. A session and its lanes belong to the worker that holds its seat (seat.h).
 */
#ifndef SHMRPC_SESSION_H
#define SHMRPC_SESSION_H

#include "lane_server.h"
#include "list.h"
#include "ringer.h"
#include "sealed_box.h"
#include "seat.h"
#include "service.h"
#include "spin.h"

#include <shmrpc/server.h>

#define SESSION_LANES_MAX 64u
#define SESSION_ARENA_MAX (UINT64_C(64) * 1024 * 1024)

typedef enum session_state { SESSION_SHAKING, SESSION_OPEN, SESSION_ENDED } session_state;
typedef enum session_lane_state { LANE_HELLO, LANE_ATTACH, LANE_OPEN, LANE_CLOSED } session_lane_state;

/* What has come of polling a session, since it became hot. */
typedef enum session_trial {
    TRIAL_NONE,   /* it has had no request yet */
    TRIAL_SERVED, /* what made it hot has been served */
    TRIAL_WAITS,  /* and a look has found nothing more */
    TRIAL_PAID,   /* and a later one has */
} session_trial;

typedef struct session_lane {
    lane_server lane;
    service_visit visit;      /* what its requests are handled with: made by the worker that serves it, */
    struct server_desk *desk; /* at its desk for the service, */
    unsigned worker;          /* and this is its number; 0: none yet */
    shmrpc_session *session;  /* NULL once closed */
    session_lane_state state;
    unsigned number; /* in its session */
    int socket;
    int bell; /* held by the client, too: watched, never read or written. With semaphores: the ringer's */
    ringer ringer;
    bool semaphores;          /* what the client rings by */
    uint32_t weight;          /* as which it counts among its user's; 0: not counted */
    bool membarrier;          /* the client makes fences in this process where it needs them */
    lane_caller caller;       /* what the lane asks */
    int process;              /* the session's, for that */
    struct server_host *host; /* while it is open; with: */
    uint64_t key;             /* the session's seat, as of an event */
    region_geometry geometry;
    sealed_box sealed;     /* requests that have memory of their own */
    unsigned sealed_looks; /* packets that were read for them, since a visit ended for that */
    bool said_goodbye;
    bool is_leaving;        /* what had been sent is being answered: */
    uint32_t rest;          /* at most so much of it; 0: all has been begun; */
    shmrpc_why why;         /* then the lane is closed, for this reason */
    list_link arriving;     /* of the lanes that their session has yet to take in */
    _Atomic uint64_t calls; /* written by the owner alone; wake-ups are in `caller` */
    _Atomic uint64_t calls_failed;
    _Atomic uint32_t references;
} session_lane;

struct shmrpc_session {
    seat *seat;
    session_state state;
    bool busy; /* has had a request since the worker last looked at the clock */
    session_trial trial;
    bool is_further;       /* while it shakes hands: it is to be one more lane of the session that has this token */
    int64_t quiet_ns;      /* since when it has had no request */
    spin spin;             /* for how long it is polled then */
    uint64_t lane_bits;    /* lanes that it has; once open, changed under the host's lock */
    uint64_t leaving_bits; /* of these: that are leaving */
    struct server_offer *offer; /* what it is connected to; NULL before Hello */
    session_lane *lanes[SESSION_LANES_MAX];

    uint64_t id;
    control_token token; /* with which further lanes find it */
    shmrpc_peer peer;
    int process;           /* pidfd of the client, or -1 */
    void *memory;          /* the application's, per session */
    uint32_t request_size; /* the largest messages that were agreed on, as in service_terms */
    uint32_t answer_size;
    uint32_t large_request_size;
    uint32_t large_answer_size;
    const method_terms *methods; /* what was agreed on for each, as in service_terms, */
    bool owns_methods;
    bool is_told; /* Welcome has said why the client is turned away */

    /* The host's, under its lock. */
    uint64_t past_calls; /* of lanes that it had */
    uint64_t past_calls_failed;
    uint64_t past_doorbells;
    list_link life;      /* of the sessions that shake hands, or are open */
    list_link arriving;  /* lanes that it is to take in */
    uint32_t lane_count; /* with these */
    int64_t deadline_ns; /* of the handshake */
    uid_t caller;        /* who connected, as counted while it shakes hands */
};

/* What a handshake asks. */
typedef struct session_host session_host;
struct session_host {
    uint32_t max_depth;
    uint64_t
        max_arena; /* bytes of a client's arena; 0: SESSION_ARENA_MAX, or what shmrpc_arena_size() says, if that is more */

    /*
     * Hello has come, from session->peer: what is the client to have? 0 with *ret_terms (as of service.agree()), or a
     * status and a line that it is refused with.
     */
    int (*greet)(session_host *host, shmrpc_session *session, const control_hello *hello, service_terms *ret_terms);

    /* A sound memory has come, and its lane is ready: opens it and says so to the client. 0, or a status and a line. */
    int (*open)(session_host *host, shmrpc_session *session, session_lane *lane);
};

/* ---- is it worth being polled? ---- */

/* It was polled, and has had a further request: that paid. */
static inline void session_found_more(shmrpc_session *session)
{
    if (session->trial != TRIAL_PAID && session->spin.now_ns != 0) {
        session->trial = TRIAL_PAID;
        spin_paid(&session->spin);
    }
}

/* A look at its lanes has found requests, or none. */
static inline void session_note_look(shmrpc_session *session, bool served)
{
    if (!served) {
        session->trial = session->trial == TRIAL_SERVED ? TRIAL_WAITS : session->trial;
    } else if (session->trial == TRIAL_WAITS) {
        session_found_more(session);
    } else if (session->trial == TRIAL_NONE) {
        session->trial = TRIAL_SERVED;
    }
}

/* It becomes cold. What had made it hot was served, and polling it for more was in vain; or that paid. */
static inline void session_end_trial(shmrpc_session *session)
{
    if (session->trial == TRIAL_SERVED || session->trial == TRIAL_WAITS) {
        spin_slept(&session->spin);
    }
    session->trial = TRIAL_NONE;
}

/* ---- its life ---- */

/*
 * A session with one lane for an accepted socket, which it owns from now on. NULL: out of memory, and the socket is
 * closed.
 */
shmrpc_session *session_new(int socket, int64_t deadline_ns);

/* Closes what is open, and frees. */
void session_free(shmrpc_session *session);

/*
 * Reads one packet of a lane. 1: one was handled; 0: none is there; UNAVAILABLE: the client has closed, or says
 * goodbye; another status: it is to be dropped (error.h says why, and the client has been told where it can be).
 */
int session_receive(shmrpc_session *session, session_lane *lane, session_host *host);

/* Tells a client in its handshake why it is turned away. Never blocks. */
void session_refuse(const session_lane *lane, int status, const char *text);

/* Tells the client that the lane is open. 0 or a status. */
int session_say_ready(const session_lane *lane);

/* Tells an open client that the server stops. Never blocks. */
void session_say_goodbye(const session_lane *lane);

/* Gives a lane a number in a session; false: the session has as many as it may. */
bool session_add_lane(shmrpc_session *session, session_lane *lane);

/* Takes a lane out of its session, without closing it. */
void session_remove_lane(session_lane *lane);

/* Closes a lane, which is in no session any more: tells the client, unmaps, and drops the session's reference. */
void session_lane_close(session_lane *lane);

void session_lane_ref(session_lane *lane);
void session_lane_unref(session_lane *lane);

#endif

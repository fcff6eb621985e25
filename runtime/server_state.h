/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_state.h - what the parts of a server share: its state, and what they do for each other.
 *
 *   server.c             servers as applications have them
 *   server_host.c        the life of a host
 *   server_offer.c       its services
 *   server_counts.c      what any thread may ask
 *   server_loop.c        workers: who serves which session, and when they sleep
 *   server_door.c        clients that come
 *   server_users.c       how many of each user
 *   server_handshake.c   which service they meet, to which session a lane belongs
 *   server_clients.c     what happens to those who are there, and how they end
 *   server_lanes.c       requests, and lanes that become cold
 *
 * A host has one name, one socket, one poller and up to 64 workers; it offers services, each a shmrpc_server. Sessions
 * belong to the worker that holds their seat (seat.h), which alone touches them. What belongs to the host is under its
 * lock, which is never held while a handler or a callback runs, and never taken for a request.
 */
#ifndef SHMRPC_SERVER_STATE_H
#define SHMRPC_SERVER_STATE_H

#include "directory.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "platform/thread.h"
#include "session.h"

#include <shmrpc/log.h>

#include <pthread.h>

/* What an event is about: bits 0 .. 2 of its key; then 6 bits of a lane, 20 of a seat, 32 of a generation. */
enum { TAG_LISTENER, TAG_STOP, TAG_TIMER, TAG_SOCKET, TAG_BELL, TAG_PROCESS };

/* What the owner of a seat is told to look at. Each is a hint: it looks whether it is so. */
#define NEWS_PROCESS 1u  /* the client's process has ended */
#define NEWS_DEADLINE 2u /* the handshake has taken too long */
#define NEWS_LANES 4u    /* further lanes have come */
#define NEWS_STOP 8u     /* the host stops, or the service is taken out of it */

typedef struct server_host server_host;
typedef struct server_worker server_worker;

#define SERVER_LOOK_NS INT64_C(50000) /* a worker with hot sessions looks at the poller so often */
#define SERVER_PACKETS 16u            /* of a lane's socket per visit, so that nobody holds up the others */

/* How often a method was called. Written by one worker, read by anybody. */
typedef struct server_tally {
    _Atomic uint64_t calls;
    _Atomic uint64_t failed;
} server_tally;

/* What one worker has for one service. */
typedef struct server_desk {
    _Alignas(64) service_scratch scratch;
    server_tally *methods; /* one for each, and one for all other numbers */
} server_desk;

/* A service in a host. */
typedef struct server_offer {
    list_link others; /* of the host's services; the host's lock */
    server_host *host;
    service *service;
    shmrpc_server *handle;
    bool has_host;        /* of its own; else it is one of several */
    server_desk *desks;   /* one for each worker */
    _Atomic bool is_over; /* nobody may connect to it any more */

    /* The host's, under its lock. */
    uint32_t users; /* sessions that are connected to it, or about to be */
    shmrpc_server_counts counts;
} server_offer;

/* What clients of one user have, under the host's lock. */
typedef struct server_user {
    uid_t uid;
    uint32_t shaking;
    uint32_t sessions;
    uint32_t lanes; /* by their weight */
} server_user;

/* A seat that a worker has, or had: the tenure tells. */
typedef struct server_hold {
    seat *at;
    uint32_t tenure;
} server_hold;

struct server_worker {
    session_host rules; /* first: what its sessions ask in their handshake */
    server_host *host;
    unsigned number; /* from 1: whose seats are its own */
    server_hold *holds;
    uint32_t hold_count;
    uint32_t hold_room;
    bool lingers;       /* on a lane that is the only one it has: see server_lanes.c */
    int64_t now_ns;     /* as last read */
    int64_t looked_ns;  /* when it last looked at the poller */
    uint32_t allowance; /* requests that it may still begin before it returns to its caller */
    bool is_winding;
    bool is_called; /* somebody has more than one session, and called who slept */
    bool is_unsure; /* the poller may have something: it was not asked in this round, or not until it had nothing */
    int status;     /* that it ended with */
    pthread_t thread;

    _Alignas(64) _Atomic uint32_t load; /* seats that are its own; others take from it */
    _Atomic uint64_t passes;            /* over its seats; others see that it is not stuck in a handler */
    _Atomic uint64_t sleeps;
    _Atomic uint64_t seen_passes; /* by others, and when */
    _Atomic int64_t seen_ns;
};

enum { HOST_SET_UP, HOST_RUNS, HOST_DISPATCHES, HOST_ENDED };

struct server_host {
    directory_entry entry;
    const char *service_name; /* where it is made for one service alone */
    uint32_t max_depth;
    uint64_t max_arena; /* as of session_host */
    spin spin;          /* as its sessions begin */
    int64_t handshake_ns;
    int64_t stop_ns;
    size_t state_size;
    uint32_t max_sessions;
    uint32_t max_sessions_per_uid; /* 0: half of them, for users other than this one */
    uint32_t max_lanes_per_uid;    /* 0: as many as sessions, for users other than this one */
    bool in_place;                 /* messages are handed over where they are */
    uint32_t worker_count;
    int stop_bell; /* rung by stop(), and for workers that sleep and should not */

    _Atomic int phase;
    _Atomic uint32_t generation; /* of the process that serves; 0: none yet. stop() asks at any time */
    _Atomic bool stopping;
    _Atomic int64_t stopped_ns; /* when that was asked for first */
    _Atomic bool is_over;       /* after stopping: there is nobody left to serve */
    _Atomic uint32_t sleepers;
    _Atomic bool has_outside_news; /* seats that nobody has may be pending */
    _Atomic bool is_in_round;      /* a thread dispatches */

    int poller; /* made when it begins: a poller is not to be shared with a parent */
    int timer;
    seat *seats;
    uint32_t seat_count;
    shmrpc_session **members; /* by seat: those who are open; under the lock */
    server_worker *workers;

    pthread_mutex_t lock;
    int holder_held;     /* of thread_hold() of who has the lock */
    pthread_cond_t left; /* a session has ended */
    list_link offers;
    list_link shaking; /* oldest deadline first */
    list_link open;
    uint32_t *free_seats;
    uint32_t free_count;
    _Atomic uint32_t seats_used; /* the table beyond has never been used */
    uint32_t shaking_count;
    uint32_t open_count;
    server_user *users;
    uint32_t user_count;
    uint32_t user_room;
    bool listening; /* the listener is watched */
    bool is_winding;
    int64_t accept_at_ns; /* when it will be watched again, where it is not */
    int64_t stop_at_ns;   /* when what is not yet answered is left */
    uint64_t next_id;
    shmrpc_server_counts counts; /* of those who came to no service, and of services that were taken out */
};

static inline uint64_t tally_get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* Its one writer counts: a load and a store are enough, and cost what a plain addition costs. */
static inline void tally_add(_Atomic uint64_t *count, uint64_t more)
{
    atomic_store_explicit(count, tally_get(count) + more, memory_order_relaxed);
}

/*
 * Is this a forked child, and serves its parent? Then nothing but the descriptors is its own: locks are as they were in
 * the middle of something, the shared memory is not there, and what the poller and the sockets hold is the parent's.
 */
static inline bool host_is_inherited(const server_host *host)
{
    uint32_t generation = atomic_load_explicit(&host->generation, memory_order_relaxed);

    return generation != 0 && generation != process_generation();
}

static inline bool host_is_stopping(const server_host *host)
{
    return atomic_load_explicit(&host->stopping, memory_order_acquire);
}

static inline bool offer_is_over(const server_offer *offer)
{
    return atomic_load_explicit(&offer->is_over, memory_order_relaxed);
}

/* Whoever asks or takes a service out may be a thread that is cancelled: not with the lock held. */
static inline void host_lock(server_host *host)
{
    int held = thread_hold();

    (void)pthread_mutex_lock(&host->lock);
    host->holder_held = held;
}

static inline void host_unlock(server_host *host)
{
    int held = host->holder_held;

    (void)pthread_mutex_unlock(&host->lock);
    thread_release(held);
}

/* With the lock held, which others have meanwhile. */
static inline void host_wait(server_host *host, pthread_cond_t *condition)
{
    int held = host->holder_held;

    (void)pthread_cond_wait(condition, &host->lock);
    host->holder_held = held;
}

/* ---- server.c ---- */

/* The name of what a session (or NULL) is connected to, or of the host, for lines of the log. */
const char *server_name(const server_host *host, const shmrpc_session *session);

/* An entry of the log about a session, or (NULL) about the host. */
shmrpc_log_entry server_about(const server_host *host, const shmrpc_session *session, shmrpc_log_level level,
                              shmrpc_log_event event);

/* ---- server_host.c ---- */

/* A host with a name, and no service. 0 or a status. */
int server_host_new(server_host **ret_host, const char *name, const shmrpc_server_options *options);

/* Its services are gone. */
void server_host_free(server_host *host);

/* As for servers and hosts (server.h, host.h). */
int server_host_run(server_host *host);
int server_host_fd(server_host *host);
int server_host_dispatch(server_host *host, int most);
void server_stop(server_host *host);

/* Puts a service in. On success it is the host's, and *ret_offer the handle's implementation. 0 or a status. */
int server_host_attach(server_host *host, shmrpc_server *handle, service *offered, server_offer **ret_offer);

/* Takes it out, and frees it. Its handle has no implementation any more. 0 or MISUSE. */
int server_host_detach(server_offer *offer);

/* ---- server_offer.c ---- */

/* A service that nobody finds yet. NULL: out of memory; on success `offered` is its to use, and not to free. */
server_offer *server_offer_new(server_host *host, shmrpc_server *handle, service *offered);
void server_offer_free(server_offer *offer);

/* Lets clients find it. 0, UNAVAILABLE, IN_USE. */
int server_offer_put_in(server_offer *offer);

/*
 * Hides it, ends its sessions, and waits until nobody has it. Not in a thread that serves the host; where it is
 * dispatched, by who may do that now.
 */
void server_offer_take_out(server_offer *offer);

/* ---- server_counts.c ---- */

/* Adds what was counted for a service. Under the lock. */
void server_add_counts(shmrpc_server_counts *counts, const server_offer *offer);

/* ---- server_loop.c ---- */

/* Makes what serving takes. Returns 0 or a status. */
int server_begin(server_host *host);

/* Serves with all workers until the host is over. 0 or a status. */
int server_serve(server_host *host);

/* Gives back what serving took, also after a failure; the counts stay. */
void server_finish(server_host *host);

/* One round of the only worker, of `most` requests: 1: there is more; 0: wait for the poller. Or a status. */
int server_round(server_worker *self, uint32_t most);

/* Looks at what the worker's seats were knocked for, serving nobody. */
void server_sweep(server_worker *self);

/* The host that this thread serves at the moment; NULL: none. */
extern _Thread_local server_host *server_of_thread;

/* Knocks at the seat of an event's key, from any thread; a worker will look at what sits there. */
void server_knock(server_host *host, uint64_t key);

/* Adds a seat that the worker has taken to those that it visits. */
void server_keep(server_worker *self, seat *at);

/* Knocks at a session's seat for a worker, which keeps it where it is nobody's. Under the lock, or at one's own. */
void server_tell(server_worker *self, shmrpc_session *session, uint32_t news);

/* The key of an event. */
uint64_t server_key(const seat *at, unsigned lane, unsigned tag);

/* ---- server_door.c ---- */

/* Accepts those who wait; where descriptors have run out, pauses. */
void server_accept(server_worker *self);

/* Watches the listener. Under the lock, or before anybody serves. Returns 0 or -errno. */
int server_resume_accepting(server_host *host);

/*
 * Sets the timer for the first deadline after now: of a handshake, of what is left when the host stops, or the end of a
 * pause in accepting. Under the lock.
 */
void server_set_timer(server_host *host, int64_t now_ns);

/* The timer has been reached: looks what for. */
void server_time(server_worker *self);

/* ---- server_users.c: under the lock ---- */

/* What this user has so far; made where there is nothing yet. NULL: out of memory. */
server_user *server_user_of(server_host *host, uid_t uid);

/* Forgets a user who has nothing. */
void server_user_tidy(server_host *host, server_user *user);

/* Counts one who has left. */
void server_user_leaves(server_host *host, uid_t uid, bool was_open);

/* Is there room for one more session of this user? Asked twice: several may shake hands when the last place is taken. */
int server_check_room(server_host *host, uid_t uid);

/* And for one more lane? Asked twice, too. */
int server_check_lanes(server_host *host, uid_t uid, bool has_semaphores);

/* Counts a lane that a session gets, and that has left it. */
void server_lane_comes(server_host *host, uid_t uid, session_lane *lane);
void server_lane_leaves(server_host *host, uid_t uid, session_lane *lane);

/* ---- server_handshake.c ---- */

/* What a worker's sessions ask in their handshake. */
void server_rules(server_worker *self);

/* Takes in the lanes that have come to an open session, which may end. */
void server_take_in(server_worker *self, shmrpc_session *session);

/* ---- server_clients.c ---- */

/* Looks at what a session's seat was knocked for. The session may have ended. */
void server_hear(server_worker *self, shmrpc_session *session);

/* A lane has come to its end. The session may have ended. */
void server_end_lane(server_worker *self, session_lane *lane, shmrpc_why why);

/* Ends a session; it stays in its seat until the visit is over. For SHMRPC_WHY_PROTOCOL, error.h says why. */
void server_end_session(server_worker *self, shmrpc_session *session, shmrpc_why why);

/* The client broke the protocol, as error.h says: ends its session, and counts it. */
void server_drop(server_worker *self, shmrpc_session *session);

/* Gives an ended session's seat back and frees it. */
void server_bury(server_worker *self, shmrpc_session *session);

/* Nobody new from here on; everybody is told. Once, whoever is first. */
void server_wind_down(server_worker *self);

/* Time has passed: as of the system's last tick, without a look at a clock. */
static inline void server_tell_time(server_worker *self)
{
    int64_t coarse_ns = clock_coarse_ns();

    self->now_ns = coarse_ns > self->now_ns ? coarse_ns : self->now_ns;
}

/* ---- server_lanes.c ---- */

/* One visit to an open session: serves each of its lanes. Did any have a request? The session may have ended. */
bool server_visit(server_worker *self, shmrpc_session *session);

/* The last answer of a lane has come that it waits for before it ends (lane_caller.settle). Any thread. */
void server_settle(lane_caller *caller);

/*
 * Arms the lanes of a session without traffic, and lets those that leave wait for answers that were put off. true: all
 * are cold.
 */
bool server_cool(shmrpc_session *session);

#endif

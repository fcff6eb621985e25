/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_loop.c - workers: who serves which session, and when they sleep.
 *
 *   hot     a session that some worker owns: its lanes are looked at again and again; without a request for some time
 *           (spin.h) all of them are armed, and it is nobody's
 *   cold    a session that is nobody's: its doorbells, its sockets and its process wake the poller, and whoever gets
 *           the event owns it from then on
 *   poller  one for all workers, each event for one of them. Who has hot sessions looks at it every SERVER_LOOK_NS,
 *           but only while nobody sleeps in it; so what is new goes to who has nothing to do
 *
 * A pass costs what the hot sessions of one worker cost, however many are connected. A lane gets a bounded number of
 * requests per pass, so nobody waits for more than that of each other client.
 *
 * With several workers a session does not wait behind the handler of another one: a worker that has more than one
 * leaves those free to be taken that it is not visiting at the moment. They are taken by a worker that is about to
 * sleep, by one that has much less to do, and from one that has been in the same handler for STUCK_NS.
 *
 *   going to sleep   says so (sleepers), looks for somebody with too much (load), sleeps
 *   taking a second  counts it (load), looks for somebody who sleeps, wakes one
 *   after a visit    leaves it free again, looks for somebody who sleeps, wakes one
 *
 * All are sequentially consistent, so one of two sees the other.
 *
 * A handler that does not return holds up its own session; with as many of them as workers, everybody.
 */
#include "server_state.h"

#include "error.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/event.h"
#include "platform/poller.h"
#include "platform/thread.h"
#include "platform/timer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSES_PER_CLOCK 16u
#define STUCK_NS INT64_C(10000000)

_Thread_local server_host *server_of_thread;

/* ---- whose it is ---- */

void server_keep(server_worker *self, seat *at)
{
    assert(self->hold_count < self->hold_room);
    self->holds[self->hold_count++] = (server_hold){at, ++at->tenure};
    (void)atomic_fetch_add(&self->load, 1);
}

/* An entry that is not its own any more. */
static void forget(server_worker *self, uint32_t place)
{
    self->holds[place] = self->holds[--self->hold_count];
}

/* An entry that it gives up. */
static void let_go(server_worker *self, uint32_t place)
{
    forget(self, place);
    (void)atomic_fetch_sub(&self->load, 1);
}

/* One worker that sleeps, if any does. */
static void call_sleeper(server_host *host)
{
    if (atomic_load(&host->sleepers) != 0) {
        (void)event_ring(host->stop_bell);
    }
}

/* Somebody may take it now. Who looked a moment ago, and found it pinned, may sleep. */
static void offer(server_worker *self, seat *at)
{
    seat_unpin(at);
    call_sleeper(self->host);
}

void server_tell(server_worker *self, shmrpc_session *session, uint32_t news)
{
    seat *at = session->seat;

    if (seat_knock(at, seat_generation(at), self->number, 0, news) != SEAT_TAKEN) {
        return;
    }
    server_keep(self, at);
    /* This may be within a visit, and the next one may be to a handler that does not return. */
    if (self->host->worker_count > 1) {
        offer(self, at);
    }
}

/* Others may take what it is not visiting; who sleeps is woken for it. */
static void share(server_worker *self)
{
    uint32_t i;

    if (self->host->worker_count == 1 || atomic_load(&self->load) < 2) {
        return;
    }
    for (i = 0; i < self->hold_count; i++) {
        seat *at = self->holds[i].at;

        if (seat_is_held(seat_word(at), self->number)) {
            seat_unpin(at);
        }
    }
    call_sleeper(self->host);
}

/* Takes one session from a worker that has more than one and that `may` be relieved. Did it? */
static bool relieve(server_worker *self, bool (*may)(server_worker *self, server_worker *other))
{
    server_host *host = self->host;
    uint32_t used = atomic_load_explicit(&host->seats_used, memory_order_acquire);
    bool wanted[SEAT_WORKERS_MAX + 1] = {false};
    bool any = false;
    uint32_t i;

    for (i = 0; i < host->worker_count; i++) {
        server_worker *other = &host->workers[i];

        wanted[other->number] = other != self && atomic_load(&other->load) > 1 && may(self, other);
        any = any || wanted[other->number];
    }
    for (i = 0; any && i < used; i++) {
        seat *at = &host->seats[i];
        unsigned owner = seat_owner_of(seat_word_now(at));

        if (wanted[owner] && seat_steal(at, self->number, &owner)) {
            uint32_t left = atomic_fetch_sub(&host->workers[owner - 1].load, 1) - 1;

            server_keep(self, at);
            share(self);
            /* It may have called once for all of them, and what was taken may keep its taker. */
            if (left > 1) {
                call_sleeper(host);
            }
            return true;
        }
    }
    return false;
}

static bool always(server_worker *self, server_worker *other)
{
    (void)self;
    (void)other;
    return true;
}

/* Much more to do than oneself, or nothing done for some time. */
static bool where_it_helps(server_worker *self, server_worker *other)
{
    uint64_t passes = atomic_load_explicit(&other->passes, memory_order_relaxed);

    if (atomic_load(&other->load) >= atomic_load(&self->load) + 2) {
        return true;
    }
    if (atomic_load_explicit(&other->seen_passes, memory_order_relaxed) != passes) {
        atomic_store_explicit(&other->seen_passes, passes, memory_order_relaxed);
        atomic_store_explicit(&other->seen_ns, self->now_ns, memory_order_relaxed);
        return false;
    }
    return self->now_ns - atomic_load_explicit(&other->seen_ns, memory_order_relaxed) >= STUCK_NS;
}

/* Takes what has been left for nobody in particular. */
static void adopt(server_worker *self)
{
    server_host *host = self->host;
    uint32_t i;

    if (!atomic_exchange(&host->has_outside_news, false)) {
        return;
    }
    for (i = 0; i < atomic_load_explicit(&host->seats_used, memory_order_acquire); i++) {
        if (seat_adopt(&host->seats[i], self->number)) {
            server_keep(self, &host->seats[i]);
        }
    }
}

/* ---- the poller ---- */

uint64_t server_key(const seat *at, unsigned lane, unsigned tag)
{
    return (uint64_t)seat_generation(at) << 32 | (uint64_t)at->index << 9 | (uint64_t)lane << 3 | tag;
}

void server_knock(server_host *host, uint64_t key)
{
    (void)seat_knock(&host->seats[key >> 9 & 0x7fffff], (uint32_t)(key >> 32), SEAT_NOBODY, 0, 0);
    atomic_store(&host->has_outside_news, true);
    (void)event_ring(host->stop_bell);
}

static void handle_event(server_worker *self, uint64_t key)
{
    unsigned tag = (unsigned)(key & 7);
    uint64_t lane = UINT64_C(1) << (key >> 3 & 63);
    seat *at = &self->host->seats[key >> 9 & 0x7fffff];
    uint32_t generation = (uint32_t)(key >> 32);
    seat_answer answer = SEAT_STALE;

    switch (tag) {
    case TAG_LISTENER: server_accept(self); break;
    case TAG_TIMER: server_time(self); break;
    case TAG_SOCKET: answer = seat_knock(at, generation, self->number, lane, 0); break;
    case TAG_BELL: answer = seat_knock(at, generation, self->number, 0, 0); break;
    case TAG_PROCESS: answer = seat_knock(at, generation, self->number, 0, NEWS_PROCESS); break;
    default: self->is_called = true; break; /* the bell of stop(), and of who has too much */
    }
    if (answer == SEAT_TAKEN) {
        server_keep(self, at);
    }
}

/* Handles what the poller has, after sleeping for it where `sleep`. Returns 0 or a status. */
static int look_around(server_worker *self, bool sleep)
{
    poller_event events[POLLER_EVENTS_MAX];
    int count;
    int i;

    count = poller_wait(self->host->poller, events, sleep ? CLOCK_NEVER : 0);
    if (sleep) {
        (void)atomic_fetch_sub(&self->host->sleepers, 1);
    }
    if (count < 0) {
        return error_system(count, "cannot wait for clients");
    }
    self->now_ns = clock_now_ns();
    self->looked_ns = self->now_ns;
    self->is_unsure = count == POLLER_EVENTS_MAX;
    for (i = 0; i < count; i++) {
        handle_event(self, events[i].key);
    }
    adopt(self);
    share(self);
    /* Who called does so once; what else came may not keep it from being taken. */
    if (self->is_called) {
        self->is_called = false;
        (void)relieve(self, always);
    }
    return 0;
}

static int sleep_for_events(server_worker *self)
{
    server_host *host = self->host;

    (void)atomic_fetch_add(&host->sleepers, 1);
    if (atomic_load(&host->is_over) || (host_is_stopping(host) && !self->is_winding) || relieve(self, always)) {
        (void)atomic_fetch_sub(&host->sleepers, 1);
        self->now_ns = clock_now_ns();
        return 0;
    }
    tally_add(&self->sleeps, 1);
    return look_around(self, true);
}

/* A look by one who has hot sessions: what is new is left to those who sleep. */
static int glance(server_worker *self)
{
    self->looked_ns = self->now_ns;
    if (self->host->worker_count > 1) {
        if (atomic_load(&self->host->sleepers) != 0) {
            share(self);
            return 0;
        }
        self->now_ns = clock_now_ns();
        (void)relieve(self, where_it_helps);
    }
    return look_around(self, false);
}

/* ---- passes ---- */

typedef enum pass_kind {
    PASS_SERVE,
    PASS_CHECK, /* and arm those who have been quiet */
    PASS_HEAR,  /* only what the seats were knocked for */
} pass_kind;

/* Arms its lanes and makes it nobody's, unless there is something to do after all. */
static bool become_cold(shmrpc_session *session)
{
    if (!server_cool(session)) {
        return false;
    }
    session_end_trial(session); /* while it is still this worker's */
    session->busy = false;
    return seat_release(session->seat);
}

/* Has it been quiet for long enough, and is it cold now? Then it is nobody's. */
static bool cool(server_worker *self, shmrpc_session *session, pass_kind kind, bool served)
{
    int64_t spin_ns = session->spin.now_ns;

    session_note_look(session, served);
    if (served) {
        session->busy = true;
    }
    if (spin_ns == 0) {
        return !served && become_cold(session);
    }
    if (kind != PASS_CHECK) {
        return false;
    }
    if (session->busy) {
        /* Its time begins with the next such look, where this one had a request: the handler took long, perhaps. */
        session->busy = served;
        session->quiet_ns = self->now_ns;
        return false;
    }
    if (spin_ns == CLOCK_NEVER || self->now_ns - session->quiet_ns < spin_ns) {
        return false;
    }
    if (become_cold(session)) {
        return true;
    }
    session->quiet_ns = self->now_ns;
    return false;
}

/* Visits one seat that is its own, pinned. *ret_served: it had a request. Returns whether it is given up. */
static inline bool visit(server_worker *self, seat *at, uint64_t word, pass_kind kind, bool *ret_served)
{
    shmrpc_session *session = at->occupant;
    bool served = false;

    if ((word & SEAT_PENDING) != 0) {
        server_hear(self, session);
    }
    if (session->state == SESSION_OPEN && kind != PASS_HEAR) {
        served = server_visit(self, session);
        *ret_served = *ret_served || served;
    }
    switch (session->state) {
    case SESSION_OPEN: return kind != PASS_HEAR && cool(self, session, kind, served);
    case SESSION_SHAKING: return seat_release(at);
    case SESSION_ENDED: server_bury(self, session); return true;
    }
    return false;
}

/* One pass over its sessions. Did any have a request? */
static bool pass(server_worker *self, pass_kind kind)
{
    bool has_others = self->host->worker_count > 1;
    bool served = false;
    uint32_t i = 0;

    atomic_store_explicit(&self->passes, atomic_load_explicit(&self->passes, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    while (i < self->hold_count) {
        seat *at = self->holds[i].at;
        uint64_t word = seat_word(at);
        bool is_held = seat_is_held(word, self->number) || seat_claim(at, self->number);

        /* Taken away; or taken away and had again, as another entry. */
        if (!is_held || at->tenure != self->holds[i].tenure) {
            forget(self, i);
        } else if (visit(self, at, word, kind, &served)) {
            let_go(self, i);
        } else {
            i++;
            /* Asked each time: a visit may have brought it a second one. */
            if (has_others && atomic_load_explicit(&self->load, memory_order_relaxed) > 1) {
                offer(self, at);
            }
        }
    }
    return served;
}

static bool is_over(const server_host *host)
{
    return atomic_load_explicit(&host->is_over, memory_order_acquire);
}

static void wind_down(server_worker *self)
{
    self->now_ns = clock_now_ns();
    server_wind_down(self);
    (void)pass(self, PASS_HEAR);
    share(self);
}

static int loop(server_worker *self)
{
    uint32_t passes = 0;
    int rc = 0;

    while (rc == 0 && !is_over(self->host)) {
        pass_kind kind = PASS_SERVE;

        if (!self->is_winding && host_is_stopping(self->host)) {
            wind_down(self);
            continue;
        }
        if (self->hold_count == 0) {
            rc = sleep_for_events(self);
            continue;
        }
        if (++passes % PASSES_PER_CLOCK == 0) {
            self->now_ns = clock_now_ns();
            kind = PASS_CHECK;
        }
        self->allowance = UINT32_MAX;
        self->lingers = self->hold_count == 1;
        if (pass(self, kind)) {
            /* Handlers may take long: whoever waits for the poller does not wait for many of them. */
            server_tell_time(self);
        } else {
            /* A look takes the line away from a client that is writing its request: none too soon. Measured. */
            cpu_pause();
        }
        if (self->now_ns - self->looked_ns >= SERVER_LOOK_NS) {
            rc = glance(self);
        }
    }
    /* The next one who sleeps. */
    (void)event_ring(self->host->stop_bell);
    return rc;
}

/* Who did not get a turn is first the next time. */
static void rotate(server_worker *self)
{
    if (self->hold_count > 1) {
        server_hold first = self->holds[0];

        memmove(&self->holds[0], &self->holds[1], (self->hold_count - 1) * sizeof(first));
        self->holds[self->hold_count - 1] = first;
    }
}

/*
 * The poller is only asked where nothing else is known to do. A loop that is told of edges alone has taken, before this
 * round, what made it readable: it is not told of that again, so nobody is to wait before it has been asked.
 */
static int do_round(server_worker *self, uint32_t most)
{
    int rc = 0;

    self->is_unsure = true;
    self->now_ns = clock_now_ns();
    if (self->hold_count == 0 || self->now_ns - self->looked_ns >= SERVER_LOOK_NS) {
        rc = look_around(self, false);
    }
    if (rc != 0) {
        return rc;
    }
    if (!self->is_winding && host_is_stopping(self->host)) {
        wind_down(self);
    }
    self->allowance = most;
    self->lingers = false;
    (void)pass(self, PASS_CHECK);
    if (self->allowance == 0) {
        rotate(self);
    }
    if (self->hold_count == 0 && self->is_unsure) {
        rc = look_around(self, false);
    }
    if (rc != 0) {
        return rc;
    }
    /* The bell of stop() rings once, and may just have been heard. */
    return self->hold_count != 0 || self->is_unsure || is_over(self->host) ||
           (!self->is_winding && host_is_stopping(self->host));
}

int server_round(server_worker *self, uint32_t most)
{
    server_host *outer = server_of_thread;
    int rc;

    if (is_over(self->host)) {
        return error_set(SHMRPC_E_UNAVAILABLE, "the server has stopped");
    }
    server_of_thread = self->host;
    rc = do_round(self, most);
    server_of_thread = outer;
    return rc;
}

void server_sweep(server_worker *self)
{
    server_host *outer = server_of_thread;

    server_of_thread = self->host;
    (void)pass(self, PASS_HEAR);
    server_of_thread = outer;
}

/* ---- begin and end ---- */

static int make_workers(server_host *host)
{
    server_worker *workers = aligned_alloc(_Alignof(server_worker), host->worker_count * sizeof(*workers));
    uint32_t i;

    if (workers == NULL) {
        return -ENOMEM;
    }
    for (i = 0; i < host->worker_count; i++) {
        server_worker *self = &workers[i];

        *self = (server_worker){.host = host, .number = i + 1};
        /* Each seat once, and once more where it was taken away between two passes. */
        self->hold_room = 2 * host->seat_count + POLLER_EVENTS_MAX;
        self->holds = calloc(self->hold_room, sizeof(*self->holds));
        server_rules(self);
    }
    /* Whoever asks for its counters may do so already. */
    host_lock(host);
    host->workers = workers;
    host_unlock(host);
    for (i = 0; i < host->worker_count; i++) {
        if (host->workers[i].holds == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int make_seats(server_host *host)
{
    uint32_t i;

    host->seats = aligned_alloc(_Alignof(seat), host->seat_count * sizeof(*host->seats));
    host->free_seats = calloc(host->seat_count, sizeof(*host->free_seats));
    host->members = calloc(host->seat_count, sizeof(*host->members));
    if (host->seats == NULL || host->free_seats == NULL || host->members == NULL) {
        return -ENOMEM;
    }
    for (i = 0; i < host->seat_count; i++) {
        host->seats[i] = (seat){.index = i};
        host->free_seats[host->seat_count - 1 - i] = i;
    }
    host->free_count = host->seat_count;
    return 0;
}

int server_begin(server_host *host)
{
    int rc = make_seats(host);

    if (rc == 0) {
        rc = make_workers(host);
    }
    if (rc == 0) {
        host->poller = poller_new();
        host->timer = host->poller < 0 ? host->poller : timer_new();
        rc = host->timer < 0 ? host->timer : 0;
    }
    if (rc == 0) {
        rc = poller_watch(host->poller, host->stop_bell, TAG_STOP);
    }
    if (rc == 0) {
        rc = poller_watch(host->poller, host->timer, TAG_TIMER);
    }
    if (rc == 0) {
        rc = server_resume_accepting(host);
    }
    if (rc != 0) {
        return error_system(rc, "cannot begin to serve");
    }
    host->workers[0].now_ns = clock_now_ns();
    directory_claim(&host->entry);
    return 0;
}

void server_finish(server_host *host)
{
    bool is_ours = !host_is_inherited(host);
    uint32_t i;

    /* Only where a worker failed is anybody left. Nobody else serves any more. */
    for (i = 0; is_ours && host->workers != NULL && host->seats != NULL && i < atomic_load(&host->seats_used); i++) {
        shmrpc_session *session = host->seats[i].occupant;

        if (session != NULL) {
            server_end_session(&host->workers[0], session, SHMRPC_WHY_STOPPED);
            server_bury(&host->workers[0], session);
        }
    }
    /* Last: the directory's lock may be somebody else's for a while, and nobody's answer is to wait for that. */
    directory_release(&host->entry);
    if (host->poller >= 0) {
        (void)close(host->poller);
    }
    if (host->timer >= 0) {
        (void)close(host->timer);
    }
    for (i = 0; host->workers != NULL && i < host->worker_count; i++) {
        free(host->workers[i].holds);
        host->workers[i].holds = NULL;
    }
    host->poller = -1;
    host->timer = -1;
}

/* ---- threads ---- */

/* Its poller fails: the host stops. What it has is nobody else's: it serves that until it has ended, or is cold. */
static void drain(server_worker *self)
{
    server_stop(self->host);
    wind_down(self);
    while (self->hold_count != 0) {
        self->now_ns = clock_now_ns();
        self->allowance = UINT32_MAX;
        self->lingers = false;
        (void)pass(self, PASS_CHECK);
        cpu_pause();
    }
}

static void *worker_main(void *argument)
{
    server_worker *self = argument;

    server_of_thread = self->host;
    self->status = loop(self);
    if (self->status != 0) {
        drain(self);
    }
    server_of_thread = NULL;
    return NULL;
}

int server_serve(server_host *host)
{
    uint32_t started = 1;
    int rc = 0;
    uint32_t i;

    while (rc == 0 && started < host->worker_count) {
        rc = thread_start(&host->workers[started].thread, "shmrpc-worker", worker_main, &host->workers[started]);
        started += rc == 0;
    }
    if (rc != 0) {
        rc = error_set(SHMRPC_E_LIMIT, "cannot start %u workers", host->worker_count);
        server_stop(host);
    }
    (void)worker_main(&host->workers[0]);
    for (i = 1; i < started; i++) {
        (void)pthread_join(host->workers[i].thread, NULL);
        rc = rc == 0 ? host->workers[i].status : rc;
    }
    return rc == 0 ? host->workers[0].status : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_host.c - the life of a host: set up, then run by threads of its own or dispatched by the application's loop,
 * then over.
 *
 *   phase        event                          next
 *   SET_UP       run()                          RUNS
 *   SET_UP       fd(), dispatch()               DISPATCHES
 *   RUNS         run() returns                  ENDED
 *   DISPATCHES   stop(), and all is answered    ENDED
 */
#include <shmrpc/host.h>

#include "error.h"
#include "log.h"
#include "options.h"
#include "platform/barrier.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "server_core.h"
#include "server_state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SESSIONS_DEFAULT 1024u
#define SHAKING_MAX 128u /* clients that may be in their handshake at once, beyond the sessions */
#define DEPTH_LIMIT_DEFAULT 4096u

void server_host_free(server_host *host)
{
    server_finish(host);
    if (host->stop_bell >= 0) {
        (void)close(host->stop_bell);
    }
    /* In a child somebody may seem to hold the one and to wait for the other. */
    if (!host_is_inherited(host)) {
        (void)pthread_mutex_destroy(&host->lock);
        (void)pthread_cond_destroy(&host->left);
    }
    free(host->workers);
    free(host->seats);
    free(host->free_seats);
    free(host->members);
    free(host->users);
    free(host);
}

static server_host *host_new(const shmrpc_server_options *options)
{
    server_host *host = calloc(1, sizeof(*host));

    if (host == NULL) {
        return NULL;
    }
    host->spin = options_spin(options->spin_ns);
    host->handshake_ns = options_timeout_ns(options->handshake_timeout_ns);
    host->stop_ns = options_timeout_ns(options->stop_timeout_ns);
    host->state_size = options->session_state_size;
    host->max_depth = options->max_depth == 0 ? DEPTH_LIMIT_DEFAULT : options->max_depth;
    host->max_arena = options->max_arena_size;
    host->max_sessions = options->max_sessions == 0 ? SESSIONS_DEFAULT : options->max_sessions;
    host->max_sessions_per_uid = options->max_sessions_per_uid;
    host->max_lanes_per_uid = options->max_lanes_per_uid;
    host->in_place = options->in_place;
    host->worker_count = options->workers == 0 ? 1 : options->workers;
    host->seat_count = host->max_sessions + SHAKING_MAX;
    host->poller = -1;
    host->timer = -1;
    host->stop_bell = -1;
    host->next_id = 1;
    list_init(&host->offers);
    list_init(&host->shaking);
    list_init(&host->open);
    (void)pthread_mutex_init(&host->lock, NULL);
    (void)pthread_cond_init(&host->left, NULL);
    return host;
}

int server_host_new(server_host **ret_host, const char *name, const shmrpc_server_options *options)
{
    static const shmrpc_server_options defaults;
    server_host *host;
    int rc;

    options = options == NULL ? &defaults : options;
    rc = options_check_server(options);
    if (rc != 0) {
        return rc;
    }
    host = host_new(options);
    if (host == NULL) {
        return error_system(-ENOMEM, "cannot make a server");
    }
    host->stop_bell = event_new();
    if (host->stop_bell < 0) {
        rc = error_system(host->stop_bell, "cannot make an eventfd");
        server_host_free(host);
        return rc;
    }
    (void)barrier_join(); /* which takes a while in a process that has threads already */
    rc = directory_listen(name, options->mode == 0 ? 0600 : (mode_t)options->mode, &host->entry);
    if (rc != 0) {
        server_host_free(host);
        return rc;
    }
    *ret_host = host;
    return 0;
}

void server_stop(server_host *host)
{
    int64_t never = 0;

    if (host_is_inherited(host)) {
        return;
    }
    (void)atomic_compare_exchange_strong(&host->stopped_ns, &never, clock_now_ns());
    atomic_store_explicit(&host->stopping, true, memory_order_release);
    (void)event_ring(host->stop_bell);
}

/*
 * Gives back what serving took. The poller stays where the application has it in a loop of its own, which does not wait
 * either: what it would have to wait for is left to deinit().
 */
static void end(server_host *host, int phase)
{
    if (phase != HOST_DISPATCHES) {
        server_finish(host);
    } else {
        (void)directory_try_release(&host->entry);
    }
    atomic_store(&host->phase, HOST_ENDED);
}

static int error_inherited(void)
{
    return error_set(SHMRPC_E_FORKED, "the server runs in the process that forked this one");
}

/* From SET_UP to another phase, which can serve from here on. 0 or a status. */
static int begin(server_host *host, int phase)
{
    int from = HOST_SET_UP;
    uint32_t generation = process_generation();
    int rc;

    if (host_is_inherited(host)) {
        return error_inherited();
    }
    if (!atomic_compare_exchange_strong(&host->phase, &from, phase)) {
        return error_set(SHMRPC_E_MISUSE, "a server runs once, after it has been initialised");
    }
    atomic_store_explicit(&host->generation, generation, memory_order_relaxed);
    rc = generation == 0 ? error_system(-ENOMEM, "cannot watch for fork()") : server_begin(host);
    if (rc != 0) {
        end(host, HOST_RUNS);
        return rc;
    }
    log_entry(server_about(host, NULL, SHMRPC_LOG_INFO, SHMRPC_LOG_SERVER_STARTED), "%s: serves at %s",
              server_name(host, NULL), host->entry.path);
    return 0;
}

/* ---- run by threads of its own ---- */

int server_host_run(server_host *host)
{
    int rc = begin(host, HOST_RUNS);

    if (rc == 0) {
        rc = server_serve(host);
        end(host, HOST_RUNS);
    }
    return rc;
}

/* ---- dispatched by the application's loop ---- */

/* One thread at a time. 0, or MISUSE; then nothing is to be left. */
static int enter_round(server_host *host)
{
    if (host_is_inherited(host)) {
        return error_inherited();
    }
    if (host->worker_count != 1) {
        return error_set(SHMRPC_E_MISUSE, "a server with %u workers can only run", host->worker_count);
    }
    if (atomic_exchange_explicit(&host->is_in_round, true, memory_order_acquire)) {
        return error_set(SHMRPC_E_MISUSE, "the server is being dispatched: by this thread's caller, or another thread");
    }
    return 0;
}

static void leave_round(server_host *host)
{
    atomic_store_explicit(&host->is_in_round, false, memory_order_release);
}

/* Within a round: can it be dispatched? 0 or a status. */
static int be_dispatched(server_host *host)
{
    switch (atomic_load(&host->phase)) {
    case HOST_SET_UP: return begin(host, HOST_DISPATCHES);
    case HOST_DISPATCHES: return 0;
    case HOST_ENDED: return error_set(SHMRPC_E_UNAVAILABLE, "the server has stopped");
    default: return error_set(SHMRPC_E_MISUSE, "the server runs: it is not to be dispatched, too");
    }
}

int server_host_fd(server_host *host)
{
    int rc = enter_round(host);

    if (rc != 0) {
        return rc;
    }
    rc = be_dispatched(host);
    rc = rc == 0 ? host->poller : rc;
    leave_round(host);
    return rc;
}

int server_host_dispatch(server_host *host, int most)
{
    int rc = most < 1 ? error_set(SHMRPC_E_MISUSE, "a round is of at least one request") : enter_round(host);

    if (rc != 0) {
        return rc;
    }
    rc = be_dispatched(host);
    if (rc == 0) {
        rc = server_round(&host->workers[0], (uint32_t)most);
        if (rc == SHMRPC_E_UNAVAILABLE) {
            end(host, HOST_DISPATCHES);
        }
    }
    leave_round(host);
    return rc;
}

/* ---- services ---- */

int server_host_attach(server_host *host, shmrpc_server *handle, service *offered, server_offer **ret_offer)
{
    server_offer *offer = server_offer_new(host, handle, offered);
    int rc;

    if (offer == NULL) {
        return SHMRPC_E_NO_MEMORY;
    }
    /* Before clients find it. */
    handle->implementation = offer;
    rc = server_offer_put_in(offer);
    if (rc != 0) {
        handle->implementation = NULL;
        server_offer_free(offer);
        return rc;
    }
    *ret_offer = offer;
    return 0;
}

int server_host_detach(server_offer *offer)
{
    server_host *host = offer->host;
    bool is_dispatched = atomic_load(&host->phase) == HOST_DISPATCHES && !host_is_inherited(host);

    if (server_of_thread == host) {
        return error_set(SHMRPC_E_MISUSE, "a handler cannot take a service out of its own host");
    }
    if (is_dispatched && enter_round(host) != 0) {
        return SHMRPC_E_MISUSE;
    }
    server_offer_take_out(offer);
    if (is_dispatched) {
        leave_round(host);
    }
    offer->handle->implementation = NULL;
    offer->service->free(offer->service);
    server_offer_free(offer);
    return 0;
}

/* ---- for applications ---- */

static server_host *host_of(const shmrpc_host *handle)
{
    return handle == NULL ? NULL : handle->implementation;
}

static int error_no_host(void)
{
    return error_set(SHMRPC_E_MISUSE, "a host has to be initialised first");
}

int shmrpc_host_init(shmrpc_host *handle, const char *name, const shmrpc_server_options *options)
{
    server_host *host = NULL;
    int rc;

    if (handle == NULL || name == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a host needs a name");
    }
    *handle = (shmrpc_host){0};
    rc = server_host_new(&host, name, options);
    if (rc == 0) {
        handle->implementation = host;
    }
    return rc;
}

void shmrpc_host_deinit(shmrpc_host *handle)
{
    server_host *host = host_of(handle);

    if (host == NULL) {
        return;
    }
    server_finish(host);
    atomic_store(&host->phase, HOST_ENDED);
    while (!list_is_empty(&host->offers)) {
        (void)server_host_detach(list_entry(host->offers.next, server_offer, others));
    }
    server_host_free(host);
    handle->implementation = NULL;
}

int shmrpc_host_run(shmrpc_host *handle)
{
    server_host *host = host_of(handle);

    return host == NULL ? error_no_host() : server_host_run(host);
}

void shmrpc_host_stop(shmrpc_host *handle)
{
    server_host *host = host_of(handle);

    if (host != NULL) {
        server_stop(host);
    }
}

int shmrpc_host_fd(shmrpc_host *handle)
{
    server_host *host = host_of(handle);

    return host == NULL ? error_no_host() : server_host_fd(host);
}

int shmrpc_host_dispatch(shmrpc_host *handle, int most)
{
    server_host *host = host_of(handle);

    return host == NULL ? error_no_host() : server_host_dispatch(host, most);
}

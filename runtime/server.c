/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the life of a host and of the service that it offers, and what any thread may ask of them.
 */
#include <shmrpc/server.h>

#include "error.h"
#include "log.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "server_core.h"
#include "server_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define SESSIONS_DEFAULT 1024u
#define SHAKING_MAX 128u /* clients that may be in their handshake at once, beyond the sessions */
#define DEPTH_LIMIT_DEFAULT 4096u

static server_offer *offer_of(const shmrpc_server *handle)
{
    return handle == NULL ? NULL : handle->implementation;
}

const char *server_name(const server_host *host, const shmrpc_session *session)
{
    const char *name = session != NULL && session->offer != NULL ? session->offer->service->name : host->service_name;

    return name == NULL ? host->entry.path : name;
}

shmrpc_log_entry server_about(const server_host *host, const shmrpc_session *session, shmrpc_log_level level,
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

void server_stop(server_host *host)
{
    atomic_store_explicit(&host->stopping, true, memory_order_release);
    (void)event_ring(host->stop_bell);
}

/* ---- services ---- */

static void desk_deinit(server_desk *desk)
{
    service_scratch_deinit(&desk->scratch);
    free(desk->methods);
}

static int desk_init(server_desk *desk, const service *offered)
{
    *desk = (server_desk){.methods = calloc((size_t)offered->method_count + 1, sizeof(*desk->methods))};
    if (desk->methods == NULL) {
        return error_system(-ENOMEM, "cannot make room for a service's counters");
    }
    return service_scratch_init(&desk->scratch, offered);
}

static void offer_free(server_offer *offer)
{
    uint32_t i;

    for (i = 0; i < offer->host->worker_count; i++) {
        desk_deinit(&offer->desks[i]);
    }
    free(offer->desks);
    free(offer);
}

/* On success `offered` is the offer's. */
static server_offer *offer_new(server_host *host, shmrpc_server *handle, service *offered)
{
    server_offer *offer = calloc(1, sizeof(*offer));
    int rc = 0;
    uint32_t i;

    if (offer == NULL) {
        (void)error_system(-ENOMEM, "cannot make a server");
        return NULL;
    }
    list_init(&offer->others);
    offer->host = host;
    offer->handle = handle;
    offer->service = offered;
    offer->desks = aligned_alloc(_Alignof(server_desk), host->worker_count * sizeof(*offer->desks));
    if (offer->desks == NULL) {
        free(offer);
        (void)error_system(-ENOMEM, "cannot make a server");
        return NULL;
    }
    for (i = 0; i < host->worker_count; i++) {
        int made = desk_init(&offer->desks[i], offered);

        rc = rc == 0 ? made : rc;
    }
    if (rc != 0) {
        offer_free(offer);
        return NULL;
    }
    return offer;
}

/* ---- hosts ---- */

static void host_free(server_host *host)
{
    server_finish(host);
    if (host->stop_bell >= 0) {
        (void)close(host->stop_bell);
    }
    (void)pthread_mutex_destroy(&host->lock);
    (void)pthread_cond_destroy(&host->left);
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
    host->spin_ns = options_spin_ns(options->spin_ns);
    host->handshake_ns = options_timeout_ns(options->handshake_timeout_ns);
    host->stop_ns = options_timeout_ns(options->stop_timeout_ns);
    host->state_size = options->session_state_size;
    host->max_depth = options->max_depth == 0 ? DEPTH_LIMIT_DEFAULT : options->max_depth;
    host->max_sessions = options->max_sessions == 0 ? SESSIONS_DEFAULT : options->max_sessions;
    host->max_sessions_per_uid = options->max_sessions_per_uid;
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

/* A host without a name yet. */
static int host_init(server_host **ret_host, const shmrpc_server_options *options)
{
    int rc = options_check_server(options);
    server_host *host;

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
        host_free(host);
        return rc;
    }
    *ret_host = host;
    return 0;
}

static int host_run(server_host *host)
{
    int phase = HOST_SET_UP;
    int rc;

    if (!atomic_compare_exchange_strong(&host->phase, &phase, HOST_RUNS)) {
        return error_set(SHMRPC_E_MISUSE, "a server runs once, after it has been initialised");
    }
    rc = server_begin(host);
    if (rc == 0) {
        log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SERVER_STARTED), .service = host->service_name,
                                     .socket = host->entry.path},
                  "%s: serves at %s", server_name(host, NULL), host->entry.path);
        rc = server_serve(host);
        server_finish(host);
    }
    atomic_store(&host->phase, HOST_ENDED);
    return rc;
}

/* ---- servers ---- */

int server_core_init(shmrpc_server *handle, service *offered, const char *name, const shmrpc_server_options *options)
{
    static const shmrpc_server_options defaults;
    server_host *host = NULL;
    server_offer *offer;
    int rc;

    *handle = (shmrpc_server){0};
    options = options == NULL ? &defaults : options;
    rc = host_init(&host, options);
    if (rc != 0) {
        return rc;
    }
    offer = offer_new(host, handle, offered);
    if (offer == NULL) {
        host_free(host);
        return SHMRPC_E_NO_MEMORY;
    }
    rc = directory_listen(name, options->mode == 0 ? 0600 : (mode_t)options->mode, &host->entry);
    if (rc != 0) {
        offer_free(offer);
        host_free(host);
        return rc;
    }
    host->service_name = offered->name;
    list_append(&host->offers, &offer->others);
    handle->implementation = offer;
    return 0;
}

service *server_core_service(const shmrpc_server *handle)
{
    const server_offer *offer = offer_of(handle);

    return offer == NULL ? NULL : offer->service;
}

int shmrpc_server_run(shmrpc_server *handle)
{
    server_offer *offer = offer_of(handle);

    if (offer == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a server runs once, after it has been initialised");
    }
    return host_run(offer->host);
}

void shmrpc_server_stop(shmrpc_server *handle)
{
    const server_offer *offer = offer_of(handle);

    if (offer != NULL) {
        server_stop(offer->host);
    }
}

void shmrpc_server_deinit(shmrpc_server *handle)
{
    server_offer *offer = offer_of(handle);
    server_host *host;

    if (offer == NULL) {
        return;
    }
    host = offer->host;
    server_finish(host);
    offer->service->free(offer->service);
    offer_free(offer);
    host_free(host);
    handle->implementation = NULL;
}

/* ---- counters ---- */

/* What its workers have counted so far. */
static void add_tallies(const server_offer *offer, shmrpc_server_counts *counts)
{
    uint32_t worker;
    uint32_t method;

    for (worker = 0; worker < offer->host->worker_count; worker++) {
        for (method = 0; method <= offer->service->method_count; method++) {
            const server_tally *tally = &offer->desks[worker].methods[method];

            counts->calls += tally_get(&tally->calls);
            counts->calls_failed += tally_get(&tally->failed);
        }
    }
}

/* The doorbells of those who are still connected. Under the lock. */
static uint64_t doorbells_of(const server_host *host, const server_offer *offer)
{
    list_link *link;
    uint64_t count = 0;

    for (link = host->open.next; link != &host->open; link = link->next) {
        const shmrpc_session *session = list_entry(link, shmrpc_session, life);
        uint64_t bits;

        for (bits = session->offer == offer ? session->lane_bits : 0; bits != 0; bits &= bits - 1) {
            count += tally_get(&session->lanes[__builtin_ctzll(bits)]->lane.doorbells);
        }
    }
    return count;
}

static uint64_t sleeps_of(const server_host *host)
{
    uint64_t count = 0;
    uint32_t i;

    for (i = 0; host->workers != NULL && i < host->worker_count; i++) {
        count += tally_get(&host->workers[i].sleeps);
    }
    return count;
}

shmrpc_server_counts shmrpc_server_counters(const shmrpc_server *handle)
{
    server_offer *offer = offer_of(handle);
    shmrpc_server_counts counts = {0};
    server_host *host;

    if (offer == NULL) {
        return counts;
    }
    host = offer->host;
    (void)pthread_mutex_lock(&host->lock);
    counts = offer->counts;
    counts.sessions_refused += host->counts.sessions_refused;
    counts.sessions_dropped += host->counts.sessions_dropped;
    counts.doorbells += doorbells_of(host, offer);
    (void)pthread_mutex_unlock(&host->lock);
    counts.sleeps = sleeps_of(host);
    add_tallies(offer, &counts);
    return counts;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_offer.c - the services of a host: made, put in, and taken out while it runs.
 *
 *   put in      found by clients from here on
 *   taken out   not found any more; its sessions are told, and end as soon as their workers hear of it; when the last
 *               one is buried (`users` is 0), nobody has the service, its handle or its desks any more
 */
#include "server_state.h"

#include "error.h"
#include "platform/event.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void server_offer_free(server_offer *offer)
{
    uint32_t i;

    for (i = 0; i < offer->host->worker_count; i++) {
        desk_deinit(&offer->desks[i]);
    }
    free(offer->desks);
    free(offer);
}

server_offer *server_offer_new(server_host *host, shmrpc_server *handle, service *offered)
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
    if (host->in_place && offered->handle_in_place != NULL) {
        offered->handle = offered->handle_in_place;
    }
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
        server_offer_free(offer);
        return NULL;
    }
    return offer;
}

/* ---- put in ---- */

/* Under the lock. */
static bool is_offered(const server_host *host, const char *name)
{
    list_link *link;

    for (link = host->offers.next; link != &host->offers; link = link->next) {
        if (strcmp(list_entry(link, server_offer, others)->service->name, name) == 0) {
            return true;
        }
    }
    return false;
}

int server_offer_put_in(server_offer *offer)
{
    server_host *host = offer->host;
    int rc = 0;

    host_lock(host);
    if (host_is_stopping(host) || atomic_load(&host->phase) == HOST_ENDED) {
        rc = error_set(SHMRPC_E_UNAVAILABLE, "the host has stopped");
    } else if (is_offered(host, offer->service->name)) {
        rc = error_set(SHMRPC_E_IN_USE, "the host offers %s already",
                       offer->service->name[0] == '\0' ? "the raw transport" : offer->service->name);
    } else {
        list_append(&host->offers, &offer->others);
    }
    host_unlock(host);
    return rc;
}

/* ---- taken out ---- */

/* Under the lock. `self`: NULL: no worker's thread. Was there one that somebody has to be woken for? */
static bool tell_sessions(server_host *host, server_worker *self, list_link *sessions, const server_offer *offer)
{
    list_link *link;
    bool is_left = false;

    for (link = sessions->next; link != sessions; link = link->next) {
        shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->offer != offer) {
            continue;
        }
        if (self != NULL) {
            server_tell(self, session, NEWS_STOP);
        } else {
            (void)seat_knock(session->seat, seat_generation(session->seat), SEAT_NOBODY, 0, NEWS_STOP);
            is_left = true;
        }
    }
    if (is_left) {
        atomic_store(&host->has_outside_news, true);
    }
    return is_left;
}

void server_offer_take_out(server_offer *offer)
{
    server_host *host = offer->host;
    server_worker *self = atomic_load(&host->phase) == HOST_DISPATCHES ? &host->workers[0] : NULL;
    bool is_left;

    if (host_is_inherited(host)) {
        list_remove(&offer->others);
        return;
    }
    host_lock(host);
    list_remove(&offer->others);
    atomic_store(&offer->is_over, true);
    is_left = tell_sessions(host, self, &host->shaking, offer);
    is_left = tell_sessions(host, self, &host->open, offer) || is_left;
    host_unlock(host);
    if (self != NULL) {
        server_sweep(self);
    } else if (is_left) {
        (void)event_ring(host->stop_bell);
    }
    host_lock(host);
    while (offer->users != 0) {
        assert(self == NULL); /* nobody else would end them */
        host_wait(host, &host->left);
    }
    server_add_counts(&host->counts, offer);
    host_unlock(host);
}

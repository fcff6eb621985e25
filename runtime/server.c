/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - servers as applications have them: a service with a host of its own, or in a host that has several.
 */
#include <shmrpc/host.h>

#include "error.h"
#include "server_core.h"
#include "server_state.h"

static server_offer *offer_of(const shmrpc_server *handle)
{
    return handle == NULL ? NULL : handle->implementation;
}

/* The host that this server is alone in, and runs. NULL, as MISUSE in error.h: it has none. */
static server_host *own_host(const shmrpc_server *handle)
{
    const server_offer *offer = offer_of(handle);

    if (offer == NULL) {
        (void)error_set(SHMRPC_E_MISUSE, "a server runs once, after it has been initialised");
        return NULL;
    }
    if (!offer->has_host) {
        (void)error_set(SHMRPC_E_MISUSE, "the server is attached to a host, which is to run it");
        return NULL;
    }
    return offer->host;
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

service *server_core_service(const shmrpc_server *handle)
{
    const server_offer *offer = offer_of(handle);

    return offer == NULL ? NULL : offer->service;
}

int server_core_init(shmrpc_server *handle, service *offered, const char *name, const shmrpc_server_options *options)
{
    server_host *host = NULL;
    server_offer *offer = NULL;
    int rc;

    *handle = (shmrpc_server){0};
    rc = server_host_new(&host, name, options);
    if (rc != 0) {
        return rc;
    }
    rc = server_host_attach(host, handle, offered, &offer);
    if (rc != 0) {
        server_host_free(host);
        return rc;
    }
    offer->has_host = true;
    host->service_name = offered->name;
    return 0;
}

int server_core_attach(shmrpc_server *handle, service *offered, shmrpc_host *host)
{
    server_offer *offer;

    *handle = (shmrpc_server){0};
    if (host == NULL || host->implementation == NULL) {
        return error_set(SHMRPC_E_MISUSE, "a server is attached to a host that has been initialised");
    }
    return server_host_attach(host->implementation, handle, offered, &offer);
}

int shmrpc_server_detach(shmrpc_server *handle)
{
    server_offer *offer = offer_of(handle);

    if (offer == NULL || offer->has_host) {
        return error_set(SHMRPC_E_MISUSE, "the server is not attached to a host");
    }
    return server_host_detach(offer);
}

int shmrpc_server_run(shmrpc_server *handle)
{
    server_host *host = own_host(handle);

    return host == NULL ? SHMRPC_E_MISUSE : server_host_run(host);
}

int shmrpc_server_fd(shmrpc_server *handle)
{
    server_host *host = own_host(handle);

    return host == NULL ? SHMRPC_E_MISUSE : server_host_fd(host);
}

int shmrpc_server_dispatch(shmrpc_server *handle, int most)
{
    server_host *host = own_host(handle);

    return host == NULL ? SHMRPC_E_MISUSE : server_host_dispatch(host, most);
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
    if (!offer->has_host) {
        (void)server_host_detach(offer);
        return;
    }
    host = offer->host;
    server_finish(host);
    atomic_store(&host->phase, HOST_ENDED);
    (void)server_host_detach(offer);
    server_host_free(host);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - several services behind one name: one socket, one set of threads, one loop.
 *
 *     shmrpc_host_init(&host, "home", NULL);
 *     climate_server_attach(&climate, &climate_operations, &host);
 *     lights_server_attach(&lights, &lights_operations, &host);
 *     shmrpc_host_run(&host);                      climate_connect(&client, "home", NULL);
 *
 * A client names the service that it wants when it connects; one that asks for another is refused (REFUSED) with a line
 * that says what is offered. Services come and go while the host runs.
 *
 * What server.h says of a server's threads holds for a host: it serves in run(), and with the option `workers` in
 * further threads, and handlers of one session never run at the same time. A session is a client's connection to one of
 * the services; the options count sessions of all of them, and session_state_size is the same for all: the largest that
 * any of them takes.
 */
#ifndef SHMRPC_HOST_H
#define SHMRPC_HOST_H

#include <shmrpc/server.h>

SHMRPC_BEGIN_DECLS

/* Private to the library, of a size that does not change; initialised by shmrpc_host_init(). Do not copy or move. */
typedef struct shmrpc_host {
    void *implementation;
    uint64_t reserved[7];
} shmrpc_host;

/*
 * Takes the name and listens; `options` may be NULL. Statuses as shmrpc_server_init(). On failure nothing is to be
 * deinitialised.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_host_init(shmrpc_host *host, const char *name,
                                                    const shmrpc_server_options *options);

/*
 * Takes out the services that are still attached (their shmrpc_server have to be there yet), gives up the name where it
 * is this process's, and frees. Not while run() or dispatch() runs. Takes a zeroed or failed host.
 */
SHMRPC_EXPORT void shmrpc_host_deinit(shmrpc_host *host);

/* As shmrpc_server_run(), _stop(), _fd() and _dispatch(), for all services of the host. */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_host_run(shmrpc_host *host);
SHMRPC_EXPORT void shmrpc_host_stop(shmrpc_host *host);
SHMRPC_EXPORT int shmrpc_host_fd(shmrpc_host *host);
SHMRPC_EXPORT int shmrpc_host_dispatch(shmrpc_host *host, int most);

/*
 * Counters of all services that the host offers and has offered, and of clients that it turned away before they came to
 * one. Any thread. Those of one service (shmrpc_server_counters()) end with detach().
 */
SHMRPC_EXPORT shmrpc_server_counts shmrpc_host_counters(const shmrpc_host *host);

/*
 * Offers one more service. Before the host runs and while it does; any thread, handlers too. What `binding` points to
 * and `server` have to stay until the service is taken out. IN_USE: the host offers a service of this name; NO_MEMORY;
 * UNAVAILABLE: the host has stopped; MISUSE, VERSION. On failure nothing is to be deinitialised.
 *
 * The server is then as one that was initialised, but that the host runs it: its own run(), fd() and dispatch() return
 * MISUSE, its stop() stops the host, and its deinit() is detach().
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_server_attach(shmrpc_server *server, const shmrpc_server_binding *binding,
                                                        shmrpc_host *host);

/*
 * Takes the service out: from here on clients are refused, and its sessions end (SHMRPC_WHY_STOPPED) as soon as the
 * handler that each of them may be in has returned; calls that were not begun then end as NOT_EXECUTED, others that are
 * not answered as UNKNOWN. Waits until no handler and no callback of the service runs or will run; then `server` is the
 * application's again. Other services of the host notice nothing.
 *
 * Any thread but one that is in a handler or a callback of this host; where the host is dispatched, the thread that
 * dispatches it. 0, or MISUSE with nothing done: also for a server that is not attached.
 */
SHMRPC_EXPORT int shmrpc_server_detach(shmrpc_server *server);

SHMRPC_END_DECLS

#endif

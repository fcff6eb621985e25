/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_core.h - a server of any kind of service.
 */
#ifndef SHMRPC_SERVER_CORE_H
#define SHMRPC_SERVER_CORE_H

#include "service.h"

/*
 * As shmrpc_server_init(), for any service. On success `offered` is the server's, to be freed by
 * shmrpc_server_deinit(); on failure it stays the caller's.
 */
int server_core_init(shmrpc_server *handle, service *offered, const char *name, const shmrpc_server_options *options);

/* As shmrpc_server_attach(), likewise. */
struct shmrpc_host;
int server_core_attach(shmrpc_server *handle, service *offered, struct shmrpc_host *host);

/* The service given to init(); NULL after deinit(). */
service *server_core_service(const shmrpc_server *handle);

#endif

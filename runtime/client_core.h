/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_core.h - what is inside of a shmrpc_client, and what calls that wait (client.c) and calls in flight
 * (client_calls.c) have in common.
 */
#ifndef SHMRPC_CLIENT_CORE_H
#define SHMRPC_CLIENT_CORE_H

#include "handle.h"

#include <shmrpc/generated.h>

struct shmrpc_client {
    handle handle;
    const shmrpc_service_info *service;
    bool uses_envelopes; /* calls may carry more than their requests */
};

/* A call of the thread that makes it. */
typedef struct client_call {
    const shmrpc_method_info *info;
    handle_lane *own; /* the thread's lane */
    uint16_t method;  /* the server's number */
    uint32_t length;  /* of the request */
    int64_t timeout_ns;
    lane_call at;
} client_call;

/*
 * What each call does before anything else: fills in `info`, and `own` where the thread has a lane. 0, INVALID, MISUSE.
 */
int client_prepare(shmrpc_client *client, uint32_t method, const void *request, client_call *call);

/* The time that a call of this method has. */
static inline int64_t client_timeout_ns(const shmrpc_client *client, const shmrpc_method_info *info,
                                        shmrpc_deadline deadline)
{
    return handle_timeout_ns(&client->handle, deadline.timeout_ns, info->timeout_ns);
}

/*
 * What each call begins with, in `call->timeout_ns`, from which it takes the time that it waits: the thread's lane,
 * room, and the request in its place. `answers`: room for the answer, too. 0, or a status with nothing sent.
 */
int client_begin(shmrpc_client *client, uint32_t method, const void *request, bool answers, client_call *call);

/*
 * How large an envelope the call has; 0: none. Says in `call->method` that there is one. 0; UNIMPLEMENTED: the server
 * takes no metadata, and there is some.
 */
int client_measure_envelope(const shmrpc_client *client, client_call *call, uint32_t request_size, uint32_t *ret_size);

/* Writes it. Returns where the request goes. */
void *client_write_envelope(const shmrpc_client *client, void *to);

/* The client is being freed. */
void client_forget_metadata(const shmrpc_client *client);

/* The lane in which the calling thread finds the payload of its last error: its current one. */
static inline handle_lane *client_keeper(const shmrpc_client *client, handle_lane *lane)
{
    return lane->is_former ? handle_find(&client->handle) : lane;
}

/*
 * Copies an answer out of shared memory and validates it: 0 with the reply in `ret` (which may be the scratch of
 * `from`, the lane that the answer came in), or what the call ended with, and the payload of an error kept for
 * shmrpc_client_error_payload().
 */
int client_take_reply(const shmrpc_client *client, handle_lane *from, const shmrpc_method_info *info,
                      const lane_reply *reply, void *ret);

#endif

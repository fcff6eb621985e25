/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h - the transport alone: bytes by method number, for those who bring their own encoding.
 *
 * The same rings, doorbells, deadlines and outcomes as typed calls, without a schema: a request and a reply are bytes,
 * a method is a number that the two sides have agreed on. Nothing is validated but lengths; what the bytes mean, and
 * whether they may be believed, is the application's.
 *
 *     server    shmrpc_lane_server_init(&server, &handlers, "echo", NULL, NULL);
 *               shmrpc_lane_server_run(&server);
 *
 *     client    shmrpc_lane_connect(&lane, "echo", NULL, NULL);
 *               shmrpc_lane_call(lane, 1, "hi", 2, buffer, sizeof(buffer), &reply, shmrpc_default());
 *
 * Threads, ownership and blocking are as in client.h and server.h.
 */
#ifndef SHMRPC_LANE_H
#define SHMRPC_LANE_H

#include <shmrpc/base.h>
#include <shmrpc/client.h>
#include <shmrpc/server.h>
#include <shmrpc/wire.h>

SHMRPC_BEGIN_DECLS

/*
 * Stands in shmrpc_lane_reply.method in place of the method of a call that has failed, so that a reply that is kept or
 * forwarded cannot be taken for an answer. No method has this number.
 */
#define SHMRPC_METHOD_ERROR UINT16_C(0xffff)

/* What messages are allowed: both sides have to give the same numbers. Zero stands for 4096 bytes. */
typedef struct shmrpc_lane_limits {
    uint32_t request_size; /* bytes of the largest request: 1 .. SHMRPC_LARGE_MAX (docs/large-messages.md) */
    uint32_t reply_size;   /* bytes of the largest reply, likewise */
} shmrpc_lane_limits;

/* ---- calling ---- */

typedef struct shmrpc_lane shmrpc_lane;

/* How a call ended. */
typedef struct shmrpc_lane_reply {
    uint16_t method; /* the method called; SHMRPC_METHOD_ERROR where `status` is not 0 */
    int status;      /* as returned */
    size_t size;     /* bytes of the reply */
} shmrpc_lane_reply;

/*
 * Connects to the raw server called `name`. `options` and `limits` may be NULL. On success *ret is the caller's to
 * free. Statuses as shmrpc_client_connect(); MISMATCH where the server's limits are others.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_lane_connect(shmrpc_lane **ret, const char *name,
                                                       const shmrpc_lane_limits *limits,
                                                       const shmrpc_client_options *options);

/* Disconnects and frees. Takes NULL. No other thread may be using it; all else may be done from many (client.h). */
SHMRPC_EXPORT void shmrpc_lane_free(shmrpc_lane *lane);

/* As shmrpc_client_state(). */
SHMRPC_EXPORT shmrpc_client_condition shmrpc_lane_state(shmrpc_lane *lane);

/* As shmrpc_client_arena_pages(). */
SHMRPC_EXPORT shmrpc_pages shmrpc_lane_arena_pages(shmrpc_lane *lane);

/*
 * One call: sends `size` bytes (0 .. request_size; `request` may be NULL for 0) to `method` (0 .. 0xfffe), waits, and
 * copies the reply to `buffer`. Returns 0, the handler's error (> 0), or a status as shmrpc_client_call(); *ret_reply
 * (may be NULL) is written in each case. TOO_LARGE where the request exceeds the limit (nothing was sent), or the reply
 * `capacity` (nothing was copied; ret_reply->size says what it takes).
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_lane_call(shmrpc_lane *lane, uint16_t method, const void *request,
                                                    size_t size, void *buffer, size_t capacity,
                                                    shmrpc_lane_reply *ret_reply, shmrpc_deadline deadline);

/* Sends without waiting for an answer; the deadline bounds the wait for room. Statuses as shmrpc_client_send(). */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_lane_send(shmrpc_lane *lane, uint16_t method, const void *request,
                                                    size_t size, shmrpc_deadline deadline);

/* ---- answering ---- */

typedef struct shmrpc_lane_server {
    shmrpc_server base;
} shmrpc_lane_server;

/* A request, and where the reply goes. Lives as long as the handler runs. */
typedef struct shmrpc_lane_request {
    shmrpc_session *session;
    uint16_t method;
    const void *data; /* a private copy */
    size_t size;
    int64_t timeout_ns; /* as shmrpc_context_timeout_ns() */
    void *reply;        /* private; written by the handler */
    size_t capacity;    /* of the reply: the limit */
} shmrpc_lane_request;

typedef struct shmrpc_lane_handlers {
    /*
     * Answers a request: 0 with *ret_size bytes (0 .. capacity) in request->reply, an error of its own (1 .. 32767,
     * with bytes if it likes), or a status that a handler may return (UNIMPLEMENTED for a method that it does not
     * know). The answer to a message that was sent one way is dropped.
     */
    int (*request)(shmrpc_lane_server *server, const shmrpc_lane_request *request, size_t *ret_size);
    void (*connected)(shmrpc_lane_server *server, shmrpc_session *session);             /* may be NULL */
    void (*disconnected)(shmrpc_lane_server *server, shmrpc_session *session, int why); /* may be NULL */
} shmrpc_lane_handlers;

/* `handlers` has to outlive the server; `limits` and `options` may be NULL. Statuses as shmrpc_server_init(). */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_lane_server_init(shmrpc_lane_server *server,
                                                           const shmrpc_lane_handlers *handlers, const char *name,
                                                           const shmrpc_lane_limits *limits,
                                                           const shmrpc_server_options *options);

struct shmrpc_host;

/* As shmrpc_server_attach() (host.h); a host offers the raw transport once. shmrpc_lane_server_deinit() takes it out. */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_lane_server_attach(shmrpc_lane_server *server,
                                                             const shmrpc_lane_handlers *handlers,
                                                             const shmrpc_lane_limits *limits,
                                                             struct shmrpc_host *host);

static inline void shmrpc_lane_server_deinit(shmrpc_lane_server *server)
{
    shmrpc_server_deinit(&server->base);
}

SHMRPC_NODISCARD static inline int shmrpc_lane_server_run(shmrpc_lane_server *server)
{
    return shmrpc_server_run(&server->base);
}

SHMRPC_NODISCARD static inline int shmrpc_lane_server_fd(shmrpc_lane_server *server)
{
    return shmrpc_server_fd(&server->base);
}

SHMRPC_NODISCARD static inline int shmrpc_lane_server_dispatch(shmrpc_lane_server *server, int most)
{
    return shmrpc_server_dispatch(&server->base, most);
}

/* Async-signal-safe. */
static inline void shmrpc_lane_server_stop(shmrpc_lane_server *server)
{
    shmrpc_server_stop(&server->base);
}

SHMRPC_END_DECLS

#endif

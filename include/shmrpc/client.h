/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the calling side, beneath the generated stubs.
 *
 * Programs call the typed functions that shmc generates; what they use from here is the options and
 * shmrpc_client_state(). shmrpc_client_call() and the like are what those functions are made of.
 *
 * Threads: a handle may be used from any number of threads at once. Each gets a lane of the session of its own with its
 * first call, and gives it back when it ends (docs/threads.md). Only freeing a handle needs that no other thread uses it.
 * Any number of handles may exist in a process and connect to the same server.
 */
#ifndef SHMRPC_CLIENT_H
#define SHMRPC_CLIENT_H

#include <shmrpc/base.h>
#include <shmrpc/deadline.h>
#include <shmrpc/status.h>

SHMRPC_BEGIN_DECLS

typedef struct shmrpc_client shmrpc_client;
struct shmrpc_service_info;

/* How a side waits: how long it spins before it sleeps. */
#define SHMRPC_SPIN_DEFAULT INT64_C(0) /* 50 us; none where the machine has one core */
#define SHMRPC_SPIN_NONE INT64_C(-1)   /* sleeps at once */
#define SHMRPC_SPIN_FOREVER INT64_MAX  /* polls; never sleeps */

/* All zero is a good choice. */
typedef struct shmrpc_client_options {
    int64_t connect_timeout_ns; /* for the whole of connecting; 0: 5 s; INT64_MAX: none */
    int64_t call_timeout_ns; /* of calls with shmrpc_default() whose method has no @deadline; 0: 5 s; INT64_MAX: none */
    int64_t spin_ns;         /* SHMRPC_SPIN_..., or nanoseconds */
    uint32_t depth;          /* slots of the ring: a power of two, 2 .. 65536; 0: 64 */
    uint32_t blocks;         /* calls beyond a slot that may be outstanding, 1 .. 255; 0: 8. Fewer where they would
                                   take more than 256 KiB in all */
    bool wait_for_server;    /* keeps trying until connect_timeout_ns while nobody listens */
    uint32_t reserved[8];    /* zero */
} shmrpc_client_options;

typedef enum shmrpc_client_condition {
    SHMRPC_CLIENT_UP,       /* connected */
    SHMRPC_CLIENT_STOPPING, /* the server has said that it stops */
    SHMRPC_CLIENT_GONE,     /* the server has closed the connection, or its process has ended */
    SHMRPC_CLIENT_FAILED,   /* the server broke the protocol */
} shmrpc_client_condition;

/*
 * What is known of the server, without asking it. Never blocks. Any thread: one that has called with this handle learns
 * what its own lane has been told; another one may see UP where that is STOPPING.
 */
SHMRPC_EXPORT shmrpc_client_condition shmrpc_client_state(shmrpc_client *client);

/* ---- for generated code ---- */

/*
 * Connects to the server called `name` (docs/names.md) and its service `info`. `options` may be NULL. Blocks until
 * connected or connect_timeout_ns. On success *ret is the caller's to free. NAME, UNAVAILABLE, REFUSED, MISMATCH,
 * PERMISSION, VERSION, PROTOCOL, TOO_LARGE (options), NO_MEMORY, LIMIT, SYSTEM, MISUSE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_connect(shmrpc_client **ret, const char *name,
                                                         const struct shmrpc_service_info *info,
                                                         const shmrpc_client_options *options);

/*
 * Disconnects and frees; takes NULL. Oneway messages that were sent are still handled; calls that have timed out and
 * still run at the server are forgotten. In a forked child: frees the child's copy, and the parent's connection lives
 * on.
 */
SHMRPC_EXPORT void shmrpc_client_free(shmrpc_client *client);

/*
 * One call of method `method` (index in the service's table): validates and copies `request` (NULL where the method has
 * none), waits, copies the validated reply to `ret` (only on success; NULL where there is none).
 * 0, a declared error, or INVALID, UNIMPLEMENTED, TIMEOUT, NOT_SENT, NOT_EXECUTED, UNKNOWN, PROTOCOL, INTERNAL,
 * TOO_LARGE (the server gave no block of that size), FORKED, MISUSE, or another status that the handler returned
 * (docs/errors.md says which ones may). NOT_SENT also where the thread has no lane yet and none was to be had before the
 * deadline. WRONG_THREAD where the server is of a release that gives a client one lane, and another thread has it.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_call(shmrpc_client *client, uint32_t method, const void *request,
                                                      void *ret, shmrpc_deadline deadline);

/*
 * Sends a oneway message; returns when it is in the ring. The deadline bounds the wait for room. 0, INVALID,
 * UNIMPLEMENTED (where the server is known not to have it), NOT_SENT, TOO_LARGE, PROTOCOL, WRONG_THREAD, FORKED,
 * MISUSE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_send(shmrpc_client *client, uint32_t method, const void *request,
                                                      shmrpc_deadline deadline);

/*
 * Payload of this thread's last failed call where it ended with the declared error `code` of the set `errors`
 * (a shmrpc_errors_info) and that error carries one; else NULL. Valid until the thread's next call with the client.
 */
struct shmrpc_errors_info;
SHMRPC_EXPORT const void *shmrpc_client_error_payload(const shmrpc_client *client,
                                                      const struct shmrpc_errors_info *errors, int code);

SHMRPC_END_DECLS

#endif

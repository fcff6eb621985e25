/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle.h - what a client's handle is made of: one session with a server, and a lane of it for each thread that calls.
 *
 * A lane is used by one thread at a time. A thread gets its lane with its first call and keeps it until it ends; other
 * threads find it neither by a lock nor by a shared line (thread_map.h).
 *
 *   a lane is   becomes    when
 *   idle        owned      a thread calls that has none; the first to call has the one that connecting made
 *   (none)      owned      none is idle: one more is opened, with the session's token
 *   owned       idle       its thread ends: what it had in flight is withdrawn
 *   owned       (none)     the same, where HANDLE_IDLE_MAX are idle already
 *
 * Which lanes a handle has, and who owns them, is read and written under one lock for the whole process (handle_lock),
 * which fork() holds, too. It is never held while anything blocks.
 *
 * A handle that is being freed must not be in use in another thread; threads that have used it before may end or go on.
 */
#ifndef SHMRPC_HANDLE_H
#define SHMRPC_HANDLE_H

#include "connection.h"
#include "current.h"
#include "list.h"
#include "thread_map.h"

#include <shmrpc/generated.h>

#define HANDLE_IDLE_MAX 8u /* lanes that are kept for threads to come */

/* What all lanes of a session have in common. */
typedef struct handle_session {
    control_token token; /* none: there can be one lane only */
    uint32_t method_count;
    uint16_t methods[]; /* the server's numbers, in the order of the Hello */
} handle_session;

typedef struct handle handle;

typedef struct handle_lane {
    connection connection;
    handle *of;
    list_link link;
    bool is_idle;
    const handle_session *session;
    const shmrpc_errors_info *failed_errors; /* of the method whose call failed last with a payload */
    int failed_code;
    _Alignas(16) unsigned char scratch[]; /* handle.scratch_size bytes: a reply before it is validated; that payload */
} handle_lane;

struct handle {
    uint64_t number; /* never used again in this process */
    list_link link;  /* of all handles */
    list_link lanes;
    unsigned idle_count;
    uint32_t generation; /* process_generation() of the process that connected */
    char *name;
    shmrpc_client_options options;
    control_hello hello; /* its methods are the handle's */
    uint32_t scratch_size;
    int64_t call_timeout_ns;
    handle_session *session;
};

/*
 * Connects, as connection_init(). `hello` says what is asked for; its methods are the handle's from here on, also where
 * this fails. `scratch_size`: bytes that each lane has for its thread. Returns 0 or a status.
 */
int handle_init(handle *self, const char *name, const shmrpc_client_options *options, const control_hello *hello,
                uint32_t scratch_size);
void handle_deinit(handle *self);

/*
 * The time that a call has: its own, else the method's, else the client's (each 0 where not given); within a handler at
 * most what is left of the time of the handler's caller.
 */
static inline int64_t handle_timeout_ns(const handle *self, int64_t call_ns, int64_t method_ns)
{
    return current_limit_ns(call_ns != 0 ? call_ns : method_ns != 0 ? method_ns : self->call_timeout_ns);
}

/* The calling thread's lane; NULL: it has none yet. Takes no lock. */
static inline handle_lane *handle_find(const handle *self)
{
    return thread_map_get(self->number);
}

/*
 * Gives the calling thread, which has none, a lane: an idle one, or one more, which takes at most *timeout_ns; what it
 * took is taken from there. 0, NOT_SENT, WRONG_THREAD (the server gives one lane only), FORKED.
 */
int handle_join(handle *self, int64_t *timeout_ns, handle_lane **ret_lane);

/* The calling thread's lane, got where it has none. As handle_join(). */
static inline int handle_enter(handle *self, int64_t *timeout_ns, handle_lane **ret_lane)
{
    handle_lane *lane = handle_find(self);

    if (lane == NULL) {
        return handle_join(self, timeout_ns, ret_lane);
    }
    *ret_lane = lane;
    return 0;
}

/*
 * Has the thread of this number (process_thread()) a lane of any handle? 0: none; WRONG_THREAD: it has, and is not the
 * calling one; FORKED: its lane is the parent process's.
 */
int handle_whose(uintptr_t thread);

/* What is known of the server: by the calling thread's lane, or, where it has none, by the first one's socket. */
shmrpc_client_condition handle_look(handle *self);

#endif

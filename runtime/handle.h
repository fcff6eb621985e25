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
 *   idle        (none)     it has ended, and a thread looks for a lane
 *
 * A session ends when its server does. Without `reconnect` the handle then has no other; with it, whoever calls next
 * replaces what it has lost:
 *
 *   owned       former     it has ended, its thread has got another one, and has still to be told of calls in flight
 *   owned       (none)     the same, with nothing in flight
 *   former      (none)     the thread has been told of the last of them, or ends
 *
 * Where no lane of the session lives, one thread connects as the handle did at first, and the others wait for it; where
 * that fails, somebody tries again after a while (backoff.h), as long as a call has time. So a handle has a current
 * session, and lanes of it and of former ones.
 *
 * Which lanes a handle has, and who owns them, is read and written under one lock for the whole process, which fork()
 * holds, too. It is never held while anything blocks.
 *
 * A handle that is being freed must not be in use in another thread; threads that have used it before may end or go on.
 */
#ifndef SHMRPC_HANDLE_H
#define SHMRPC_HANDLE_H

#include "backoff.h"
#include "connection.h"
#include "current.h"
#include "list.h"
#include "revision.h"
#include "thread_map.h"

#include <shmrpc/generated.h>

#include <pthread.h>

#define HANDLE_IDLE_MAX 8u /* lanes that are kept for threads to come */

/* What all lanes of a session have in common. */
typedef struct handle_session {
    unsigned references; /* of lanes, and of threads that join it */
    process_share *process;
    control_token token; /* none: there can be one lane only */
    uint32_t method_count;
    char **reports;         /* for methods that the server has in other layouts: what differs; NULL: there are none */
    method_terms methods[]; /* in the order of the Hello */
} handle_session;

typedef struct handle handle;
typedef struct handle_lane handle_lane;

struct handle_lane {
    connection connection;
    handle *of;
    list_link link;
    bool is_idle;
    bool is_former;
    bool is_telling;     /* the function of one of its calls runs: it stays until that has returned */
    handle_lane *former; /* the newest of the owner's former lanes of this handle, and so on; the owner's alone */
    handle_session *session;
    const shmrpc_errors_info *failed_errors; /* of the method whose call failed last with a payload */
    int failed_code;
    /*
     * handle.scratch_size bytes: a reply before it is validated; that payload. Then handle.narrow_size: a request of which
     * the server takes the first bytes.
     */
    _Alignas(16) unsigned char scratch[];
};

struct handle {
    uint64_t number; /* never used again in this process */
    list_link link;  /* of all handles */
    list_link lanes;
    unsigned idle_count;
    uint32_t generation; /* process_generation() of the process that connected */
    char *name;
    shmrpc_client_options options;
    control_hello hello;                /* its methods are the handle's */
    const shmrpc_service_info *service; /* NULL: the raw transport */
    uint32_t scratch_size;              /* a multiple of 16 */
    uint32_t narrow_size;
    int64_t call_timeout_ns;
    handle_session *session; /* the current one */
    bool is_renewing;        /* a thread connects */
    pthread_cond_t renewed;  /* it has, or could not */
    backoff backoff;
    int64_t renewed_ns; /* when it has for the last time; 0: not lately */
    char reason[256];   /* why it could not the last time */
};

/* Says in Hello which methods there are, in which layouts. Its methods are the heap's. 0 or NO_MEMORY. */
int handle_describe(const shmrpc_service_info *service, control_hello *hello);

/*
 * Connects, as connection_init(), to a service, or by the raw transport (NULL). `hello` says what is asked for; its
 * methods are the handle's from here on, also where this fails. Returns 0 or a status.
 */
int handle_init(handle *self, const char *name, const shmrpc_client_options *options, const control_hello *hello,
                const shmrpc_service_info *service);
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
 * Gives the calling thread, which has none, a lane: an idle one, or one more, or, with `reconnect`, the first of a new
 * session. Takes at most *timeout_ns; what it took is taken from there. 0, NOT_SENT, WRONG_THREAD (the server gives one
 * lane only), FORKED.
 */
int handle_join(handle *self, int64_t *timeout_ns, handle_lane **ret_lane);

/* The same in place of *lane, which is the calling thread's and has ended. On failure the thread keeps that. */
int handle_replace(handle *self, int64_t *timeout_ns, handle_lane **lane);

/* Has the lane ended, and may its thread have another one? */
static inline bool handle_is_to_renew(const handle *self, const handle_lane *lane)
{
    return connection_has_ended(&lane->connection) && self->options.reconnect;
}

/* What is in *lane, the calling thread's or NULL, becomes one that can be used. As handle_join(). */
static inline int handle_enter(handle *self, int64_t *timeout_ns, handle_lane **lane)
{
    if (*lane == NULL) {
        return handle_join(self, timeout_ns, lane);
    }
    return handle_is_to_renew(self, *lane) ? handle_replace(self, timeout_ns, lane) : 0;
}

/* settle() of a former one. */
void handle_settle_former(handle *self, handle_lane *lane);

/* One of the calling thread's: if it is a former one of which nothing is to be told any more, it is closed. */
static inline void handle_settle(handle *self, handle_lane *lane)
{
    if (lane->is_former) {
        handle_settle_former(self, lane);
    }
}

/*
 * Has the thread of this number (process_thread()) a lane of any handle? 0: none; WRONG_THREAD: it has, also where it is
 * the calling one; FORKED: its lane is the parent process's.
 */
int handle_whose(uintptr_t thread);

/* Is there a handle with this number? */
bool handle_lives(uint64_t number);

/* What is known of the server: by the calling thread's lane, or, where it has none, by those of the session. */
shmrpc_client_condition handle_look(handle *self);

/*
 * What the arena of the calling thread's lane lies in, or, where it has none, that of the idle one that it would be
 * given. NONE also where there is neither, and in a forked child.
 */
shmrpc_pages handle_pages(handle *self);

#endif

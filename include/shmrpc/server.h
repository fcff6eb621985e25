/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the serving side, beneath the generated skeletons.
 *
 * A server is embedded in a struct of the application's own, so that a handler finds its state by container_of and
 * nothing is a void pointer. It serves in the thread that calls run(), and with the option `workers` in further threads
 * that run() starts and ends. Handlers of one session, and its connected() and disconnected(), never run at the same
 * time, whatever thread each of them runs in: what belongs to the session needs no lock. Those of different sessions do
 * where there are several workers: what they share is the application's to guard.
 *
 * A handler that takes long holds up its own session. With one worker it holds up everybody; with several, the others
 * go on with the other sessions as long as one of them is free.
 */
#ifndef SHMRPC_SERVER_H
#define SHMRPC_SERVER_H

#include <shmrpc/base.h>
#include <shmrpc/client.h>
#include <shmrpc/status.h>

#include <sys/types.h>

SHMRPC_BEGIN_DECLS

struct shmrpc_service_info;

/* Private to the library, of a size that does not change; initialised by ..._server_init(). Do not copy or move. */
typedef struct shmrpc_server {
    void *implementation;
    const void *operations;
    uint64_t reserved[14];
} shmrpc_server;

/* One client's connection: lives from connected() to the end of disconnected(). */
typedef struct shmrpc_session shmrpc_session;

/* What a handler knows of its call. Lives as long as the handler runs. Do not copy. */
typedef struct shmrpc_context {
    shmrpc_session *session;
    void *implementation;
    uint64_t reserved[6];
} shmrpc_context;

/* All zero is a good choice. */
typedef struct shmrpc_server_options {
    int64_t spin_ns;              /* how long a connection without traffic is polled: SHMRPC_SPIN_..., or nanoseconds */
    int64_t handshake_timeout_ns; /* a client that has not finished connecting by then is dropped; 0: 5 s */
    int64_t stop_timeout_ns;      /* how long stop() waits for what is not answered yet; 0: 5 s */
    size_t session_state_size;    /* bytes of zeroed memory per session for the application (shmrpc_session_state) */
    uint32_t workers;             /* threads that serve, run()'s among them: 1 .. 64; 0: 1 */
    uint32_t max_sessions;        /* 0: 1024; further clients are refused */
    uint32_t max_sessions_per_uid; /* of these, from one user; 0: half of them, and all for the server's own user */
    uint32_t max_depth;            /* of a client's ring: a power of two; 0: 4096; clients get no more than this */
    uint32_t mode;                 /* permission bits of the socket; 0: 0600 */
    uint32_t
        max_lanes_per_uid;   /* threads of clients, from one user; 0: max_sessions, and all for the server's own user.
                                   One of a client without futexes counts as four, since the server has a thread for it */
    uint64_t max_arena_size; /* bytes of a client's arena (client.h), at most 4 GiB; 0: 64 MiB, or what two of the
                                   largest requests and answers take, if that is more. Clients get no more than this; those
                                   of whose calls not one would fit are refused */
    bool in_place;        /* for trusted clients: operations get larger requests where the client wrote them, and write
                                   larger replies where it will read them (see below) */
    uint32_t reserved[1]; /* zero */
} shmrpc_server_options;

/*
 * In place
 *
 * With the option `in_place` nothing of a message beyond a slot (48 bytes) is copied: the request that an operation gets
 * is the client's memory, checked once, and the reply that it fills is where the client will read it, begun as its
 * default image; of a last field that varies, items beyond that are of any value. A client can write there meanwhile,
 * and what was checked then changes under the operation's eyes: only for servers all of whose clients are trusted not to.
 * What clients of other versions of the service send or get is copied, and so is all that fits into a slot.
 *
 * A reply is the client's room whatever the operation returns: an error is told without it. An operation that puts its
 * call off copies what it needs of its request before: shmrpc_context_defer() gives the request back.
 */

/* Why a session ended: the `why` of disconnected(). */
typedef enum shmrpc_why {
    SHMRPC_WHY_CLOSED = 1, /* the client freed its handle */
    SHMRPC_WHY_DIED,       /* the client's process ended, or closed the connection, without freeing its handle */
    SHMRPC_WHY_PROTOCOL,   /* the client broke the protocol and was dropped */
    SHMRPC_WHY_STOPPED,    /* this server stops */
} shmrpc_why;

/* Who the client is, as the kernel says. */
typedef struct shmrpc_peer {
    pid_t pid; /* of the process that connected, at that time; 0 where it is not visible here */
    uid_t uid;
    gid_t gid;
} shmrpc_peer;

/* The session's number: unique in this server, from 1. */
SHMRPC_EXPORT uint64_t shmrpc_session_id(const shmrpc_session *session);
SHMRPC_EXPORT shmrpc_peer shmrpc_session_peer(const shmrpc_session *session);

/* The session's memory of session_state_size bytes, zeroed before connected(); NULL where the size is 0. */
SHMRPC_EXPORT void *shmrpc_session_state(const shmrpc_session *session);

/*
 * Declares `static inline type *name(const shmrpc_session *session)`: the session's memory as the application's own
 * type. The server's session_state_size must be sizeof(type).
 */
#define SHMRPC_SESSION_STATE(name, type)                    \
    static inline type *name(const shmrpc_session *session) \
    {                                                       \
        return (type *)shmrpc_session_state(session);       \
    }                                                       \
    SHMRPC_STATIC_ASSERT(sizeof(type) > 0, "the state of a session has a size")

/*
 * What is left of the caller's time, as the caller told it when it sent the request (advisory; in ns); INT64_MAX: no
 * deadline. Calls that the handler makes, by any client handle in its thread, have no more time than is left of this
 * when they begin, whatever deadline they are given.
 */
SHMRPC_EXPORT int64_t shmrpc_context_timeout_ns(const shmrpc_context *context);

/*
 * Has the caller given up this call: it waited until its deadline, it was cancelled, or the client is gone? For handlers
 * that take long; what they return then is told to nobody. Within the handler and in its thread only. Cheap: most calls
 * of it look at a word in memory, and some, a few milliseconds apart, make a system call that does not block.
 *
 * It is the caller who gives up. One that has the call in flight and does something else does so when it next looks at its
 * calls: until then an answer is still its own, also past the deadline.
 */
SHMRPC_EXPORT bool shmrpc_context_is_cancelled(const shmrpc_context *context);

/*
 * When the call was sent, in ns of CLOCK_MONOTONIC, as its client says; 0: it does not say (the client's option
 * `send_times`). Not to be relied upon where the client is not.
 */
SHMRPC_EXPORT int64_t shmrpc_context_sent_ns(const shmrpc_context *context);

/*
 * What the call carries under this key (shmrpc_client_set_metadata()), valid UTF-8; NULL: nothing. Valid until the
 * handler returns.
 */
SHMRPC_EXPORT const char *shmrpc_context_metadata(const shmrpc_context *context, const char *key);

/*
 * Answers that are put off
 *
 * A handler that would take long puts its call off: it takes a shmrpc_later, keeps a copy of what it needs of its request
 * (which is gone when it returns), and returns SHMRPC_DEFERRED. The session's next call is handled at once. The call is
 * then answered by one of the functions below, exactly once, by any thread, in any order, also before the handler has
 * returned, and also where nobody waits any longer: until then the server keeps what the call needs.
 *
 * Where a client has as many answers to come or to read as its connection has room for, its further calls wait until it
 * has read one; other clients do not.
 */
typedef struct shmrpc_later {
    uint64_t id; /* 0: none */
} shmrpc_later;

#define SHMRPC_DEFERRED (-32768) /* what a handler returns that has put its call off; to nobody else */

/*
 * Puts the call of a running handler off, in its thread. {0} where it cannot be: the call is oneway or was put off
 * before, the client takes no answers later, memory is short (shmrpc_last_error()); the handler then answers by itself.
 */
SHMRPC_EXPORT shmrpc_later shmrpc_context_defer(shmrpc_context *context);

/*
 * Answers with a reply (NULL where the method has none), which is validated and copied. 0; CANCELLED: nobody waits any
 * longer; INVALID: the reply does not validate, and the caller gets INTERNAL. In each of these cases the call is done
 * with. MISUSE: it was before, or there is none of this id, or the reply is NULL and must not be. FORKED: the process
 * that forked this one put it off, and can still answer it.
 */
SHMRPC_EXPORT int shmrpc_later_reply(shmrpc_later later, const void *reply);

/*
 * Answers with a declared error without payload (> 0) or a status that a handler may return (< 0). 0, CANCELLED, MISUSE,
 * FORKED as above; INTERNAL: not one that the method may give, and the caller gets INTERNAL. 0 is not a failure: MISUSE.
 */
SHMRPC_EXPORT int shmrpc_later_fail(shmrpc_later later, int status);

/* Answers with a declared error and its payload. 0, CANCELLED, INVALID, INTERNAL, MISUSE, FORKED as above. */
SHMRPC_EXPORT int shmrpc_later_throw(shmrpc_later later, int code, const void *payload);

/*
 * Has the caller given up, is the client gone, has the call been answered, or is it for the process that forked this one
 * to answer? Any thread; costs system calls that do not block.
 */
SHMRPC_EXPORT bool shmrpc_later_is_cancelled(shmrpc_later later);

/* Counters of a server since its start. Any thread may ask, while it runs and after; they are read one by one. */
typedef struct shmrpc_server_counts {
    uint64_t sessions_accepted;
    uint64_t sessions_refused; /* handshakes that ended in a refusal */
    uint64_t sessions_dropped; /* for breaking the protocol, at any time */
    uint64_t sessions_open;
    uint64_t calls;        /* requests taken from rings */
    uint64_t calls_failed; /* of these: answered by a status below 0 */
    uint64_t doorbells;    /* times that a client was woken, for whatever it waited */
    uint64_t sleeps;       /* times that the server's thread slept */
} shmrpc_server_counts;

SHMRPC_EXPORT shmrpc_server_counts shmrpc_server_counters(const shmrpc_server *server);

/*
 * The same of one method: by its index, as of permit. A number that no method has stands for all such, and for all of a
 * raw server.
 */
typedef struct shmrpc_method_counts {
    uint64_t calls;
    uint64_t calls_failed;
} shmrpc_method_counts;

SHMRPC_EXPORT shmrpc_method_counts shmrpc_server_method_counters(const shmrpc_server *server, uint32_t method);

/* And of a session that is open. */
typedef struct shmrpc_session_counts {
    uint64_t session; /* shmrpc_session_id() */
    shmrpc_peer peer;
    uint32_t lanes; /* threads of the client that have called, or did lately */
    uint64_t calls;
    uint64_t calls_failed;
    uint64_t doorbells;
} shmrpc_session_counts;

/*
 * Writes the counts of up to `room` open sessions to ret_counts (may be NULL for 0), the oldest first, and returns how
 * many there are, which may be more. Any thread. Clients that come and go wait for as long as this takes.
 */
SHMRPC_EXPORT uint32_t shmrpc_server_session_counters(const shmrpc_server *server, shmrpc_session_counts *ret_counts,
                                                      uint32_t room);

/*
 * And of a lane, which is a thread's of the client, or was: its session's counts are those of its lanes and of the
 * lanes that it had.
 */
typedef struct shmrpc_lane_counts {
    uint64_t session; /* shmrpc_session_id() */
    uint32_t lane;    /* 0 .. 63, of the session's; another one's when it has ended */
    uint32_t reserved;
    uint64_t calls;
    uint64_t calls_failed;
    uint64_t doorbells;
} shmrpc_lane_counts;

/* The lanes of all open sessions: as shmrpc_server_session_counters(), by session, and then by number. */
SHMRPC_EXPORT uint32_t shmrpc_server_lane_counters(const shmrpc_server *server, shmrpc_lane_counts *ret_counts,
                                                   uint32_t room);

/* ---- for generated code ---- */

typedef void shmrpc_connected_function(shmrpc_server *server, shmrpc_session *session);
typedef void shmrpc_disconnected_function(shmrpc_server *server, shmrpc_session *session, int why);

/*
 * May this session call this method (its index in the service's table)? 0: yes; anything else: the caller gets
 * PERMISSION.
 */
typedef int shmrpc_permit_function(shmrpc_server *server, const shmrpc_session *session, uint32_t method);

/* `operations` is the generated table, passed back to the thunks; it must outlive the server. */
typedef struct shmrpc_server_binding {
    const struct shmrpc_service_info *service;
    const void *operations;
    shmrpc_connected_function *connected;       /* may be NULL */
    shmrpc_disconnected_function *disconnected; /* may be NULL */
    shmrpc_permit_function *permit;             /* asked before each handler; NULL: all may call all */
} shmrpc_server_binding;

/*
 * Takes the name and listens. From here on clients can connect; they are served by run(). The process may fork
 * afterwards and run the server in the child (the parent then calls deinit(), which leaves the name alone). IN_USE,
 * NAME, PERMISSION, TOO_LARGE (options), NO_MEMORY, LIMIT, VERSION, SYSTEM, MISUSE. On failure nothing is to be
 * deinitialised.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_server_init(shmrpc_server *server, const shmrpc_server_binding *binding,
                                                      const char *name, const shmrpc_server_options *options);

/*
 * Gives up the name where it is this process's, and frees. Not while run() runs. Takes a zeroed or failed server. In a
 * child that was forked while its parent served, it closes what is the child's alone, and the parent serves on.
 */
SHMRPC_EXPORT void shmrpc_server_deinit(shmrpc_server *server);

/*
 * Serves until stop(), then answers what has been sent and ends all sessions. Once per server. 0, or LIMIT, SYSTEM,
 * NO_MEMORY, MISUSE, FORKED (the process that forked this one runs it).
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_server_run(shmrpc_server *server);

/*
 * In place of run(), in a loop of the application's own: a descriptor to wait for (readable), and a function that never
 * blocks, which is to be called when it is, and once before the first wait.
 *
 *     while ((rc = shmrpc_server_dispatch(&server, 64)) >= 0) {
 *         poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, rc == 1 ? 0 : -1);
 *     }
 *
 * dispatch() runs up to `most` (at least 1) handlers. 1: call it again at once, or when the loop has looked at what else
 * there is; 0: wait for the descriptor, there is nothing to do until then. Below 0: UNAVAILABLE: the server was stopped,
 * and all has been answered or given up; LIMIT, SYSTEM, NO_MEMORY; MISUSE: run() was called, the server has several
 * workers, `most` is 0 or less, or dispatch() runs already (in a handler, or in another thread); FORKED as run().
 *
 * The descriptor is the server's, valid until deinit(), and the same each time; only to be waited for. Both functions
 * begin to serve where that has not begun, in this process; from then on run() is MISUSE. One thread at a time.
 *
 * While clients call one after the other, dispatch() returns 1 for as long as the option spin_ns says, and by default while
 * spinning pays: a loop that is to sleep rather than to spin sets SHMRPC_SPIN_NONE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_server_fd(shmrpc_server *server);
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_server_dispatch(shmrpc_server *server, int most);

/*
 * Ends the server in good order: takes no client and nothing new, answers what has been sent, waits for answers that were
 * put off and whose clients are still there, and then makes run() return, or dispatch() UNAVAILABLE. At the latest when
 * stop_timeout_ns has passed since the first stop(), and the handlers that run then have returned, which are never cut
 * off; what was not begun until then is NOT_EXECUTED for its caller, and what was not answered UNKNOWN. It sleeps while
 * it waits. Async-signal-safe; any thread; before run() too. Nothing in a child that was forked while its parent
 * served.
 */
SHMRPC_EXPORT void shmrpc_server_stop(shmrpc_server *server);

/* The operations given to init(). For thunks. */
static inline const void *shmrpc_server_operations(const shmrpc_server *server)
{
    return server->operations;
}

/*
 * Keeps a copy of the payload of error `code` for the reply and returns `code`, to be returned from the handler.
 * INTERNAL where the method does not throw that error or the payload does not validate.
 */
SHMRPC_EXPORT int shmrpc_context_throw(shmrpc_context *context, int code, const void *payload);

SHMRPC_END_DECLS

#endif

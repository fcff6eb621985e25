/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what the library has to say, to whoever asks for it.
 *
 * Silent by default. Nothing is logged on the call path; an entry is written when a connection comes, goes or is
 * dropped, and when a handler fails. It is a line for people, and the same in fields for programs.
 */
#ifndef SHMRPC_LOG_H
#define SHMRPC_LOG_H

#include <shmrpc/base.h>

#include <sys/types.h>

SHMRPC_BEGIN_DECLS

typedef enum shmrpc_log_level {
    SHMRPC_LOG_ERROR = 1, /* something is lost that should not be */
    SHMRPC_LOG_WARNING,   /* a peer misbehaved and was dropped; a handler failed */
    SHMRPC_LOG_INFO,      /* servers start and stop, sessions come and go */
    SHMRPC_LOG_DEBUG,
} shmrpc_log_level;

/*  X(name, value, when) */
#define SHMRPC_LOG_EVENT_LIST(X)                                                            \
    X(SERVER_STARTED, 1, "a server has begun to serve")                                     \
    X(SESSION_OPENED, 2, "a client has connected")                                          \
    X(SESSION_ENDED, 3, "a session has ended")                                              \
    X(SESSION_DROPPED, 4, "a client was dropped: it broke the protocol")                    \
    X(CLIENT_REFUSED, 5, "a client was turned away before its session began")               \
    X(ACCEPT_FAILED, 6, "clients cannot be accepted for the moment")                        \
    X(HANDLER_FAILED, 7, "a handler returned what it may not; its caller got INTERNAL")     \
    X(CONNECTION_FAILED, 8, "a client ended its connection: the server broke the protocol") \
    X(SOCKET_REMOVED, 9, "the socket of a server that has died was removed")                \
    X(SOCKET_LEFT, 10, "a server could not remove its socket")                              \
    X(UNWATCHED, 11, "no thread could be started to watch servers for clients of this process")

typedef enum shmrpc_log_event {
#define SHMRPC_LOG_EVENT_ENUM(name, value, when) SHMRPC_LOG_##name = (value),
    SHMRPC_LOG_EVENT_LIST(SHMRPC_LOG_EVENT_ENUM)
#undef SHMRPC_LOG_EVENT_ENUM
} shmrpc_log_event;

/* "SESSION_OPENED"; NULL for what is not in the list. Static storage; any thread. */
SHMRPC_EXPORT const char *shmrpc_log_event_name(shmrpc_log_event event);

/*
 * One entry. Only the receiver's while it is called; strings too. A field that the event is not about is NULL, 0, or -1
 * for ids. Later versions may add fields at the end.
 */
typedef struct shmrpc_log_entry {
    shmrpc_log_level level;
    shmrpc_log_event event;
    const char *line;    /* all of it, without a newline; printable */
    const char *socket;  /* path of the server's socket */
    const char *service; /* "demo.calc.Calculator" */
    const char *method;  /* "add" */
    uint64_t session;    /* shmrpc_session_id() */
    pid_t pid;           /* of the client, as the kernel says */
    uid_t uid;
    int status; /* a shmrpc_status */
} shmrpc_log_entry;

/*
 * Receives an entry. May be called from any thread that uses the library, and from several at once; must not call it
 * back, but for functions of this header and the names and texts of status.h.
 */
typedef void shmrpc_log_function(const shmrpc_log_entry *entry);

/*
 * Sets the function that receives entries up to `most`, for the whole process; NULL: silence. Any thread; takes effect
 * with the next entry. One that another thread is writing meanwhile may still reach the function that was set before, so
 * that one must stay callable. `shmrpc_log_to_stderr` is one to pass.
 */
SHMRPC_EXPORT void shmrpc_log_set(shmrpc_log_function *function, shmrpc_log_level most);

/* Writes "shmrpc: warning: LINE" to standard error, each by one system call. */
SHMRPC_EXPORT void shmrpc_log_to_stderr(const shmrpc_log_entry *entry);

SHMRPC_END_DECLS

#endif

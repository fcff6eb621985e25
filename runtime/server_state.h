/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_state.h - what the three parts of a server share: its state, and what they do for each other.
 *
 *   server.c          the loop, and the life of a server
 *   server_clients.c  who comes and who goes: accept, handshake, end
 *   server_lanes.c    who is served: hot and cold lanes, requests
 *
 * All of it runs in the thread that calls run(), but for stop().
 */
#ifndef SHMRPC_SERVER_STATE_H
#define SHMRPC_SERVER_STATE_H

#include "directory.h"
#include "session.h"

/* What an event is about: its owner is the server for the first two, a session for the others. */
enum { TAG_LISTENER, TAG_STOP, TAG_SOCKET, TAG_BELL, TAG_PROCESS };

typedef struct server {
    session_host host;
    service_scratch scratch;
    directory_entry entry;
    int64_t spin_ns;
    int64_t handshake_ns;
    uint32_t max_sessions;
    int poller; /* made by run(): a poller is not to be shared with a parent */
    int stop_bell;
    _Atomic bool stopping;
    bool has_run;
    int64_t now_ns;       /* as last read by the loop */
    bool listening;       /* the listener is watched */
    int64_t accept_at_ns; /* when it will be again, where it is not */
    list_link hot;
    list_link shaking; /* oldest deadline first */
    list_link open;
    list_link ended;
    uint32_t shaking_count;
    uint64_t next_id;
    shmrpc_server_counts counts;
} server;

/* ---- server_clients.c ---- */

/* Accepts those who wait; where descriptors have run out, pauses. */
void server_accept(server *self, int64_t now_ns);

/* Watches the listener, for the first time or after a pause; where that fails, the pause goes on. Returns 0 or -errno. */
int server_resume_accepting(server *self, int64_t now_ns);

/* One packet, or the end, of a session's socket. */
void server_receive(server *self, shmrpc_session *session, int64_t now_ns);

/* Ends the sessions whose handshake has taken too long. */
void server_expire(server *self, int64_t now_ns);

/* Ends a session; its memory stays until server_bury(). For SHMRPC_WHY_PROTOCOL, error.h says why. */
void server_end_session(server *self, shmrpc_session *session, shmrpc_why why);

/* The client broke the protocol, as error.h says: ends its session, and counts it. */
void server_drop(server *self, shmrpc_session *session);

/*
 * The client is gone: what it had sent is still answered, in turn with the others and a ring's worth at most (who has
 * closed its socket may write on), then its session ends. A oneway message is not lost because its sender is done.
 */
void server_leave(server *self, shmrpc_session *session, shmrpc_why why, int64_t now_ns);

/* Frees the sessions that have ended. Not while events or a list of sessions are being walked. */
void server_bury(server *self);

/* ---- server_lanes.c ---- */

/* Polls a session's lane from now on. */
void server_warm(server *self, shmrpc_session *session, int64_t now_ns);

/* One pass over the hot lanes. Did any have a request? Sessions may have ended. */
bool server_serve_hot(server *self);

/* Arms the lanes that have had no request for spin_ns. */
void server_cool_quiet(server *self, int64_t now_ns);

/* Answers what has been sent, before the server ends. The session may have ended by itself. */
void server_serve_rest(server *self, shmrpc_session *session);

#endif

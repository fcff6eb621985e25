/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - one client's connection, from accept() to the end.
 *
 *   state    event                          next    who
 *   HELLO    Hello that the service agrees  ATTACH  session_receive(): Welcome was sent
 *   HELLO    any other packet, refusal      ENDED   refused, with a reason where it can be told
 *   ATTACH   Attach with a sound memory     OPEN    session_receive(): connected() has run, Ready was sent
 *   ATTACH   anything else                  ENDED
 *   OPEN     requests                       OPEN    the server's loop
 *   OPEN     Goodbye, socket closed,        OPEN    server_leave(): and leaving; ENDED once what was sent is answered
 *            process ended
 *   any      socket closed, deadline, stop, ENDED   session_end(): disconnected() runs where connected() did
 *            broken lane
 *
 * A session that has ended stays allocated until the loop has handled the events at hand.
 */
#ifndef SHMRPC_SESSION_H
#define SHMRPC_SESSION_H

#include "lane_server.h"
#include "list.h"
#include "ringer.h"
#include "service.h"

#include <shmrpc/server.h>

typedef enum session_state { SESSION_HELLO, SESSION_ATTACH, SESSION_OPEN, SESSION_ENDED } session_state;

struct shmrpc_session {
    list_link hot;  /* of the lanes that are polled; or of nothing */
    list_link life; /* of the sessions that shake hands, are open, or have ended */
    session_state state;
    uint64_t id;
    int socket;
    int process; /* pidfd of the client, or -1 */
    int bell;    /* held by the client, too: watched, never read or written. With semaphores: the ringer's */
    ringer ringer;
    bool semaphores; /* what the client rings by */
    lane_server lane;
    lane_caller caller; /* what the lane asks */
    region_geometry geometry;
    shmrpc_peer peer;
    bool said_goodbye;
    bool is_leaving;  /* the client is gone, and what it had sent is being answered: */
    uint32_t rest;    /* at most so much of it; */
    shmrpc_why why;   /* then the session ends, for this reason */
    bool busy;        /* has had a request since the loop last looked at the clock */
    int64_t quiet_ns; /* since when it has had none; while shaking hands: the deadline */
    void *memory;     /* the application's, per session */
};

/* What a session needs to know of its server. */
typedef struct session_host {
    service *service;
    shmrpc_server *server;
    uint32_t max_depth;
    size_t state_size;
    bool full; /* no further session may open */
} session_host;

/* A session for an accepted socket, which it owns from now on. NULL: out of memory, and the socket is closed. */
shmrpc_session *session_new(int socket, uint64_t id, int64_t deadline_ns);

/* Closes and frees an ended session. */
void session_free(shmrpc_session *session);

/*
 * Reads one packet. 1: one was handled (the session may have become OPEN: then its bell and process are to be
 * watched); 0: none is there; UNAVAILABLE: the client has closed, or says goodbye; another status: it is to be
 * dropped (error.h says why, and the client has been told where it can be).
 */
int session_receive(shmrpc_session *session, const session_host *host);

/* Tells a client in its handshake why it is turned away. Never blocks. */
void session_refuse(shmrpc_session *session, int status, const char *text);

/* Tells an open client that the server stops. Never blocks. */
void session_say_goodbye(shmrpc_session *session);

/* Ends it: tells the lane and the application. The session's links stay as they are. */
void session_end(shmrpc_session *session, const session_host *host, shmrpc_why why);

#endif

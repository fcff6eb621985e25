/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_lanes.h - the lists behind a handle: its sessions and its lanes, and the lock that they are under.
 *
 * What is called "with the lock held" does not block. What opens and closes connections does, and is called without.
 */
#ifndef SHMRPC_HANDLE_LANES_H
#define SHMRPC_HANDLE_LANES_H

#include "handle.h"

/* One lock for all handles of the process. */
void handles_lock(void);
void handles_unlock(void);
/* As pthread_cond_timedwait() with it; CLOCK_NEVER: without end. */
void handles_wait(pthread_cond_t *condition, int64_t until_ns);

/* With the lock held. A former session goes with the last who refers to it. */
void session_enter(handle_session *session);
void session_leave(const handle *self, handle_session *session);
/* A session to which nobody refers yet. NULL: out of memory. */
handle_session *handle_session_new(const handle *self, const control_welcome *welcome, process_share *process);
/* To which nobody refers; NULL: none. */
void handle_session_free(handle_session *session);

/*
 * Can this be lived with? 0; PROTOCOL; MISMATCH with the report, where a method whose layouts differ is of a strict
 * service, on either side. A refusal that says nothing of methods is not looked at: 0.
 */
int handle_judge(const handle *self, const control_welcome *welcome);

/* Does a lane of the current session, other than `except`, still have its server? With the lock held. */
bool session_lives(const handle *self, const handle_lane *except);

/*
 * Opens a lane that nobody owns and no list has yet: one more of `session`, or, where that is NULL, the first of a new
 * one. 0 or a status.
 */
int lane_open(handle *self, const handle_session *session, const shmrpc_client_options *options, handle_lane **ret_lane,
              control_packet **ret_welcome);
/* It is in no list any more. What it has in flight is withdrawn. */
void lane_free(handle_lane *lane);
/* All of a list that is nobody else's; it is empty then. */
void lanes_free(list_link *lanes);

/* With the lock held: into the handle's list, as one of the session's. */
void lane_enter(handle *self, handle_lane *lane, handle_session *session);
/* With the lock held: out of it and into `closing`, for lanes_free(). */
void lane_close(handle *self, handle_lane *lane, list_link *closing);
/* The calling thread has it from here on, in place of what it had. With the lock held. 0 or -ENOMEM. */
int lane_take(handle *self, handle_lane *lane);
/* Nobody has it from here on. With the lock held. */
void lane_leave(handle *self, handle_lane *lane);

/* With the lock held; NULL: none. */
handle_lane *lane_first_idle(const handle *self);
void lanes_close_ended_idle(handle *self, list_link *closing);

/*
 * Connects, and makes the new session the current one. With `own` the calling thread has its lane, else nobody. 0 or a
 * status.
 */
int handle_connect(handle *self, const shmrpc_client_options *options, bool own, handle_lane **ret_lane);

#endif

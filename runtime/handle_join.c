/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_join.c - how a thread gets its lane: an idle one, one more of the session, or the first of the next session.
 */
#include "handle_lanes.h"

#include "error.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "platform/thread.h"

#include <stdio.h>

/* A round of joining has not found a lane, and the next one may. */
#define TRY_AGAIN 1

static int error_forked(void)
{
    return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
}

static int error_no_memory(void)
{
    return error_set(SHMRPC_E_NOT_SENT, "no lane for this thread: out of memory");
}

/* With the lock held. */
static int error_no_session(const handle *self)
{
    return error_set(SHMRPC_E_NOT_SENT, "the connection has ended, and no other could be had in time%s%s",
                     self->reason[0] == '\0' ? "" : ": ", self->reason);
}

/* The handle's options for one attempt at connecting that is part of a call. */
static shmrpc_client_options options_until(const handle *self, int64_t until_ns)
{
    shmrpc_client_options options = self->options;
    int64_t connect_ns = options_timeout_ns(options.connect_timeout_ns);
    int64_t left_ns = clock_left_ns(until_ns);

    options.wait_for_server = false;
    options.connect_timeout_ns = left_ns == 0 ? 1 : left_ns < connect_ns ? left_ns : connect_ns;
    return options;
}

/* ---- the next session ---- */

/*
 * Waits until the calling thread may connect in place of `former`, which has ended. With the lock held. 0: it may, and
 * the handle is renewing; TRY_AGAIN: another thread has; or NOT_SENT.
 */
static int wait_turn(handle *self, const handle_session *former, int64_t until_ns)
{
    for (;;) {
        int64_t now_ns = clock_now_ns();
        int64_t next_ns = until_ns;

        if (self->session != former) {
            return TRY_AGAIN;
        }
        if (now_ns >= until_ns) {
            return error_no_session(self);
        }
        if (!self->is_renewing) {
            if (self->renewed_ns != 0 && now_ns - self->renewed_ns > BACKOFF_LAST_NS) {
                /* What was had for a while was good: the first attempt is made at once. */
                backoff_reset(&self->backoff);
                self->renewed_ns = 0;
            }
            if (now_ns >= self->backoff.until_ns) {
                self->is_renewing = true;
                return 0;
            }
            if (self->backoff.until_ns < until_ns) {
                next_ns = self->backoff.until_ns;
            }
        }
        handles_wait(&self->renewed, next_ns);
    }
}

/* An attempt has been made: who waits may look, and when the next one may be. With the lock held. */
static void end_turn(handle *self, int status)
{
    int64_t now_ns = clock_now_ns();

    self->is_renewing = false;
    self->reason[0] = '\0';
    if (status == 0) {
        self->renewed_ns = now_ns;
    } else {
        (void)snprintf(self->reason, sizeof(self->reason), "%s", shmrpc_last_error());
    }
    backoff_grow(&self->backoff, now_ns, self->number + (uint64_t)now_ns);
    (void)pthread_cond_broadcast(&self->renewed);
}

/* The server may be on its way: not there yet, or stopping. */
static bool is_passing(int status)
{
    return status == SHMRPC_E_UNAVAILABLE || status == SHMRPC_E_REFUSED;
}

/* A session in place of `former`. 0 with the calling thread's lane; TRY_AGAIN: there is one, join it; or NOT_SENT. */
static int renew(handle *self, const handle_session *former, int64_t until_ns, handle_lane **ret_lane)
{
    int rc;

    handles_lock();
    do {
        rc = wait_turn(self, former, until_ns);
        if (rc == 0) {
            shmrpc_client_options options = options_until(self, until_ns);

            handles_unlock();
            rc = handle_connect(self, &options, true, ret_lane);
            handles_lock();
            end_turn(self, rc);
            if (rc != 0 && !is_passing(rc)) {
                rc = error_no_session(self);
            }
        }
    } while (is_passing(rc));
    handles_unlock();
    return rc;
}

/* ---- joining ---- */

/* One more lane of the session, for the calling thread. */
static int join_session(handle *self, handle_session *session, int64_t until_ns, handle_lane **ret_lane)
{
    shmrpc_client_options options = options_until(self, until_ns);
    control_packet *welcome = NULL;
    handle_lane *lane = NULL;
    int rc;

    if (!control_token_is_set(&session->token)) {
        return error_set(SHMRPC_E_WRONG_THREAD, "the server gives a client one lane, and another thread has it");
    }
    rc = lane_open(self, session, &options, &lane, &welcome);
    control_packet_free(welcome);
    if (rc != 0) {
        return error_set(SHMRPC_E_NOT_SENT, "no lane for this thread: %s", shmrpc_last_error());
    }
    handles_lock();
    rc = lane_take(self, lane);
    if (rc == 0) {
        lane_enter(self, lane, session);
    }
    handles_unlock();
    if (rc != 0) {
        lane_free(lane);
        return error_no_memory();
    }
    *ret_lane = lane;
    return 0;
}

/* As renew(), in the place of `session`: joins it where a lane of it, other than `ended`, lives. With a reference. */
static int join_or_renew(handle *self, handle_session *session, const handle_lane *ended, bool lives, int64_t until_ns,
                         handle_lane **ret_lane)
{
    if (lives) {
        int rc = join_session(self, session, until_ns, ret_lane);

        if (rc == 0 || !self->options.reconnect) {
            return rc;
        }
        /* It may have ended just now. */
        handles_lock();
        lives = self->session == session && session_lives(self, ended);
        handles_unlock();
        if (lives) {
            return rc;
        }
    }
    return renew(self, session, until_ns, ret_lane);
}

/* One round. `ended`: the thread's lane until now, or NULL. 0, TRY_AGAIN, or a status. */
static int join_once(handle *self, const handle_lane *ended, int64_t until_ns, handle_lane **ret_lane)
{
    list_link closing = {&closing, &closing};
    handle_session *session;
    handle_lane *lane;
    bool lives;
    int rc = 0;

    handles_lock();
    lanes_close_ended_idle(self, &closing);
    lane = lane_first_idle(self);
    if (lane != NULL) {
        rc = lane_take(self, lane);
    }
    session = self->session;
    session_enter(session); /* stays while this thread refers to it */
    lives = !self->options.reconnect || lane != NULL || session_lives(self, ended);
    handles_unlock();
    lanes_free(&closing);
    if (rc != 0) {
        rc = error_no_memory();
    } else if (lane != NULL) {
        *ret_lane = lane;
    } else {
        rc = join_or_renew(self, session, ended, lives, until_ns, ret_lane);
    }
    handles_lock();
    session_leave(self, session);
    handles_unlock();
    return rc;
}

static int join(handle *self, const handle_lane *ended, int64_t *timeout_ns, handle_lane **ret_lane)
{
    int64_t until_ns;
    int held;
    int rc;

    if (self->generation != process_generation()) {
        return error_forked();
    }
    held = thread_hold(); /* others may wait for this one's turn to end */
    until_ns = clock_after_ns(*timeout_ns);
    do {
        rc = join_once(self, ended, until_ns, ret_lane);
    } while (rc == TRY_AGAIN && clock_left_ns(until_ns) > 0);
    if (rc == TRY_AGAIN) {
        handles_lock();
        rc = error_no_session(self);
        handles_unlock();
    }
    if (*timeout_ns != CLOCK_NEVER) {
        *timeout_ns = clock_left_ns(until_ns);
    }
    thread_release(held);
    return rc;
}

int handle_join(handle *self, int64_t *timeout_ns, handle_lane **ret_lane)
{
    return join(self, NULL, timeout_ns, ret_lane);
}

/* ---- in place of a lane that has ended ---- */

int handle_replace(handle *self, int64_t *timeout_ns, handle_lane **lane)
{
    handle_lane *ended = *lane;
    int rc = join(self, ended, timeout_ns, lane);

    if (rc == 0) {
        (*lane)->former = ended;
        /* A batch, the function of a dispatch that is running, and the descriptor of an event loop go on. */
        (*lane)->connection.lane.in_batch = ended->connection.lane.in_batch;
        (*lane)->connection.in_dispatch = ended->connection.in_dispatch;
        connection_inherit_loop(&(*lane)->connection, &ended->connection);
        ended->is_former = true;
        handle_settle(self, ended);
    }
    return rc;
}

void handle_settle_former(handle *self, handle_lane *lane)
{
    list_link closing = {&closing, &closing};
    handle_lane *newer;

    if (lane->is_telling || !list_is_empty(&lane->connection.calls) || !list_is_empty(&lane->connection.loans)) {
        return;
    }
    newer = handle_find(self);
    while (newer->former != lane) {
        newer = newer->former;
    }
    newer->former = lane->former;
    handles_lock();
    lane_close(self, lane, &closing);
    handles_unlock();
    lanes_free(&closing);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_lanes.h"

#include "error.h"
#include "flight.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "platform/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int holder_held; /* of thread_hold() of who has the lock */

void handles_lock(void)
{
    int held = thread_hold();

    (void)pthread_mutex_lock(&lock);
    holder_held = held;
}

void handles_unlock(void)
{
    int held = holder_held;

    (void)pthread_mutex_unlock(&lock);
    thread_release(held);
}

void handles_wait(pthread_cond_t *condition, int64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = (long)(until_ns % 1000000000)};
    int held = holder_held;

    if (until_ns == CLOCK_NEVER) {
        (void)pthread_cond_wait(condition, &lock);
    } else {
        (void)pthread_cond_timedwait(condition, &lock, &until);
    }
    holder_held = held;
}

/* ---- sessions ---- */

void session_enter(handle_session *session)
{
    session->references++;
}

void session_leave(const handle *self, handle_session *session)
{
    session->references--;
    if (session->references == 0 && session != self->session) {
        handle_session_free(session);
    }
}

bool session_lives(const handle *self, const handle_lane *except)
{
    for (list_link *link = self->lanes.next; link != &self->lanes; link = link->next) {
        const handle_lane *lane = list_entry(link, handle_lane, link);

        if (lane != except && lane->session == self->session &&
            connection_peek(&lane->connection) == SHMRPC_CLIENT_UP) {
            return true;
        }
    }
    return false;
}

/* ---- lanes ---- */

void lane_free(handle_lane *lane)
{
    flights_drop(&lane->connection);
    connection_deinit(&lane->connection);
    free(lane);
}

void lanes_free(list_link *lanes)
{
    int held = thread_hold();

    for (list_link *link = lanes->next, *next; link != lanes; link = next) {
        next = link->next;
        lane_free(list_entry(link, handle_lane, link));
    }
    list_init(lanes);
    thread_release(held);
}

static int judge(const void *of, const control_welcome *welcome)
{
    return handle_judge(of, welcome);
}

int lane_open(handle *self, const handle_session *session, const shmrpc_client_options *options, handle_lane **ret_lane,
              control_packet **ret_welcome)
{
    control_hello hello = self->hello;
    handle_lane *lane = calloc(1, sizeof(*lane) + self->scratch_size + self->narrow_size);
    int rc;

    if (lane == NULL) {
        return error_system(-ENOMEM, "cannot make a lane");
    }
    if (session != NULL) {
        hello.methods = NULL;
        hello.method_count = 0;
        hello.token = session->token;
    }
    rc = connection_init(&lane->connection, self->name, options, &hello, session == NULL ? NULL : session->process,
                         judge, self, ret_welcome);
    if (rc != 0) {
        free(lane);
        return rc;
    }
    lane->of = self;
    *ret_lane = lane;
    return 0;
}

void lane_enter(handle *self, handle_lane *lane, handle_session *session)
{
    lane->session = session;
    session_enter(session);
    list_append(&self->lanes, &lane->link);
}

static void leave_idleness(handle *self, handle_lane *lane)
{
    if (lane->is_idle) {
        lane->is_idle = false;
        self->idle_count--;
    }
}

void lane_close(handle *self, handle_lane *lane, list_link *closing)
{
    leave_idleness(self, lane);
    session_leave(self, lane->session);
    list_remove(&lane->link);
    list_append(closing, &lane->link);
}

int lane_take(handle *self, handle_lane *lane)
{
    int rc = thread_map_put(self->number, lane);

    if (rc == 0) {
        leave_idleness(self, lane);
        lane->connection.thread = process_thread();
    }
    return rc;
}

void lane_leave(handle *self, handle_lane *lane)
{
    connection_leave(&lane->connection);
    lane->failed_errors = NULL;
    lane->former = NULL;
    lane->is_telling = false;
    lane->is_idle = true;
    self->idle_count++;
}

handle_lane *lane_first_idle(const handle *self)
{
    for (list_link *link = self->lanes.next; link != &self->lanes; link = link->next) {
        handle_lane *lane = list_entry(link, handle_lane, link);

        if (lane->is_idle) {
            return lane;
        }
    }
    return NULL;
}

void lanes_close_ended_idle(handle *self, list_link *closing)
{
    for (list_link *link = self->lanes.next, *next; link != &self->lanes; link = next) {
        handle_lane *lane = list_entry(link, handle_lane, link);

        next = link->next;
        if (lane->is_idle &&
            (connection_has_ended(&lane->connection) || connection_peek(&lane->connection) != SHMRPC_CLIENT_UP)) {
            lane_close(self, lane, closing);
        }
    }
}

/* ---- connecting ---- */

int handle_connect(handle *self, const shmrpc_client_options *options, bool own, handle_lane **ret_lane)
{
    control_packet *welcome = NULL;
    handle_session *former;
    handle_session *session;
    handle_lane *lane = NULL;
    int rc = lane_open(self, NULL, options, &lane, &welcome);

    if (rc != 0) {
        return rc;
    }
    session = handle_session_new(self, &welcome->as.welcome, lane->connection.process);
    control_packet_free(welcome);
    handles_lock();
    rc = session == NULL ? -ENOMEM : own ? lane_take(self, lane) : 0;
    if (rc == 0) {
        former = self->session;
        self->session = session;
        lane_enter(self, lane, session);
        if (!own) {
            lane_leave(self, lane);
        }
        if (former != NULL && former->references == 0) {
            handle_session_free(former);
        }
    }
    handles_unlock();
    if (rc != 0) {
        handle_session_free(session);
        lane_free(lane);
        return error_system(rc, "cannot make a session");
    }
    *ret_lane = lane;
    return 0;
}

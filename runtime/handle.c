/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include "error.h"
#include "flight.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list_link handles = {&handles, &handles};
static uint64_t numbers;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;

static void lock_handles(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void unlock_handles(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* ---- lanes ---- */

static void lane_free(handle_lane *lane)
{
    flights_drop(&lane->connection);
    connection_deinit(&lane->connection);
    free(lane);
}

/*
 * Opens a lane that nobody owns yet: with the session's token, or, where there is none, the first of a new session.
 * `timeout_ns` is for the whole of it. 0 or a status.
 */
static int lane_open(handle *self, int64_t timeout_ns, handle_lane **ret_lane, control_packet **ret_welcome)
{
    shmrpc_client_options options = self->options;
    control_hello hello = self->hello;
    handle_lane *lane = calloc(1, sizeof(*lane) + self->scratch_size);
    int rc;

    if (lane == NULL) {
        return error_system(-ENOMEM, "cannot make a lane");
    }
    options.connect_timeout_ns = timeout_ns;
    if (self->session != NULL) {
        options.wait_for_server = false;
        hello.methods = NULL;
        hello.method_count = 0;
        hello.token = self->session->token;
    }
    rc = connection_init(&lane->connection, self->name, &options, &hello, ret_welcome);
    if (rc != 0) {
        free(lane);
        return rc;
    }
    lane->of = self;
    *ret_lane = lane;
    return 0;
}

/* The calling thread has it from here on. With the lock held. 0 or -ENOMEM. */
static int lane_take(handle *self, handle_lane *lane)
{
    int rc = thread_map_put(self->number, lane);

    if (rc == 0 && lane->is_idle) {
        lane->is_idle = false;
        self->idle_count--;
    }
    lane->connection.thread = rc == 0 ? process_thread() : 0;
    return rc;
}

/* Nobody has it from here on. With the lock held. */
static void lane_leave(handle *self, handle_lane *lane)
{
    connection_leave(&lane->connection);
    lane->failed_errors = NULL;
    lane->is_idle = true;
    self->idle_count++;
}

static handle_lane *first_idle(handle *self)
{
    for (list_link *link = self->lanes.next; link != &self->lanes; link = link->next) {
        handle_lane *lane = list_entry(link, handle_lane, link);

        if (lane->is_idle) {
            return lane;
        }
    }
    return NULL;
}

static handle_lane *lane_of_thread(handle *self, uintptr_t thread)
{
    for (list_link *link = self->lanes.next; link != &self->lanes; link = link->next) {
        handle_lane *lane = list_entry(link, handle_lane, link);

        if (lane->connection.thread == thread) {
            return lane;
        }
    }
    return NULL;
}

/* ---- the ends of threads, and forks ---- */

/* What the calling thread has of each handle becomes idle, or is closed. */
static void thread_ends(void)
{
    list_link closing = {&closing, &closing};

    lock_handles();
    for (list_link *link = handles.next; link != &handles; link = link->next) {
        handle *self = list_entry(link, handle, link);
        handle_lane *lane = lane_of_thread(self, process_thread());

        if (lane == NULL || self->generation != process_generation()) {
            continue;
        }
        flights_abandon(&lane->connection);
        if (self->idle_count < HANDLE_IDLE_MAX) {
            lane_leave(self, lane);
        } else {
            list_remove(&lane->link);
            list_append(&closing, &lane->link);
        }
    }
    unlock_handles();
    while (!list_is_empty(&closing)) {
        handle_lane *lane = list_entry(closing.next, handle_lane, link);

        list_remove(&lane->link);
        lane_free(lane);
    }
}

/* With the lock held. */
static bool is_alive(uint64_t number)
{
    for (list_link *link = handles.next; link != &handles; link = link->next) {
        if (list_entry(link, handle, link)->number == number) {
            return true;
        }
    }
    return false;
}

static void register_fork(void)
{
    static const thread_map_owner owner = {is_alive, thread_ends};

    fork_error = -pthread_atfork(lock_handles, unlock_handles, unlock_handles);
    if (fork_error == 0) {
        fork_error = thread_map_prepare(&owner);
    }
}

/* ---- handles ---- */

static int learn(handle *self, const control_welcome *welcome)
{
    handle_session *session = calloc(1, sizeof(*session) + welcome->method_count * sizeof(session->methods[0]));

    if (session == NULL) {
        return error_system(-ENOMEM, "cannot make a client");
    }
    session->token = welcome->token;
    session->method_count = welcome->method_count;
    for (uint32_t i = 0; i < welcome->method_count; i++) {
        session->methods[i] = (uint16_t)welcome->method_numbers[i];
    }
    self->session = session;
    return 0;
}

int handle_init(handle *self, const char *name, const shmrpc_client_options *options, const control_hello *hello,
                uint32_t scratch_size)
{
    control_packet *welcome = NULL;
    handle_lane *lane = NULL;
    int rc;

    *self = (handle){.options = *options, .hello = *hello, .scratch_size = scratch_size};
    self->call_timeout_ns = options_timeout_ns(options->call_timeout_ns);
    list_init(&self->link);
    list_init(&self->lanes);
    self->generation = process_generation();
    self->name = strdup(name);
    (void)pthread_once(&fork_once, register_fork);
    rc = fork_error != 0 ? fork_error : self->name == NULL ? -ENOMEM : 0;
    if (rc != 0) {
        rc = error_system(rc, "cannot make a client");
    } else {
        rc = lane_open(self, options->connect_timeout_ns, &lane, &welcome);
    }
    if (rc == 0) {
        rc = learn(self, &welcome->as.welcome);
        if (rc != 0) {
            lane_free(lane);
        }
    }
    control_packet_free(welcome);
    if (rc != 0) {
        handle_deinit(self);
        return rc;
    }
    lane->session = self->session;
    lock_handles();
    self->number = ++numbers;
    list_append(&handles, &self->link);
    list_append(&self->lanes, &lane->link);
    lane_leave(self, lane);
    unlock_handles();
    return 0;
}

void handle_deinit(handle *self)
{
    lock_handles();
    list_remove(&self->link);
    unlock_handles();
    thread_map_remove(self->number);
    while (!list_is_empty(&self->lanes)) {
        handle_lane *lane = list_entry(self->lanes.next, handle_lane, link);

        list_remove(&lane->link);
        lane_free(lane);
    }
    free(self->session);
    free(self->hello.methods);
    free(self->name);
}

/* One more lane, for the calling thread. */
static int join_anew(handle *self, int64_t timeout_ns, handle_lane **ret_lane)
{
    control_packet *welcome = NULL;
    handle_lane *lane = NULL;
    int rc;

    if (!control_token_is_set(&self->session->token)) {
        return error_set(SHMRPC_E_WRONG_THREAD, "the server gives a client one lane, and another thread has it");
    }
    rc = lane_open(self, timeout_ns, &lane, &welcome);
    control_packet_free(welcome);
    if (rc == 0) {
        lane->session = self->session;
        lock_handles();
        rc = lane_take(self, lane);
        if (rc == 0) {
            list_append(&self->lanes, &lane->link);
        }
        unlock_handles();
        if (rc != 0) {
            lane_free(lane);
            rc = error_system(rc, "cannot give a thread its lane");
        }
    }
    if (rc != 0) {
        return error_set(SHMRPC_E_NOT_SENT, "no lane for this thread: %s", shmrpc_last_error());
    }
    *ret_lane = lane;
    return 0;
}

int handle_join(handle *self, int64_t *timeout_ns, handle_lane **ret_lane)
{
    int64_t connect_ns = options_timeout_ns(self->options.connect_timeout_ns);
    int64_t until_ns;
    handle_lane *lane;
    int rc = 0;

    if (self->generation != process_generation()) {
        return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
    }
    lock_handles();
    lane = first_idle(self);
    if (lane != NULL) {
        rc = lane_take(self, lane);
    }
    unlock_handles();
    if (rc != 0) {
        return error_system(rc, "cannot give a thread its lane");
    }
    if (lane != NULL) {
        *ret_lane = lane;
        return 0;
    }
    until_ns = clock_after_ns(*timeout_ns);
    rc = join_anew(self, *timeout_ns < connect_ns ? *timeout_ns : connect_ns, ret_lane);
    if (*timeout_ns != CLOCK_NEVER) {
        *timeout_ns = clock_left_ns(until_ns);
    }
    return rc;
}

int handle_whose(uintptr_t thread)
{
    int rc = 0;

    lock_handles();
    for (list_link *link = handles.next; rc == 0 && link != &handles; link = link->next) {
        handle *self = list_entry(link, handle, link);
        const handle_lane *lane = lane_of_thread(self, thread);

        if (lane != NULL) {
            rc = self->generation == process_generation() ? SHMRPC_E_WRONG_THREAD : SHMRPC_E_FORKED;
        }
    }
    unlock_handles();
    return rc;
}

shmrpc_client_condition handle_look(handle *self)
{
    handle_lane *lane = handle_find(self);
    shmrpc_client_condition condition = SHMRPC_CLIENT_GONE;

    if (lane != NULL) {
        return connection_look(&lane->connection);
    }
    if (self->generation != process_generation()) {
        return SHMRPC_CLIENT_GONE;
    }
    lock_handles();
    lane = first_idle(self);
    if (lane != NULL) {
        /* It is nobody's: nobody else reads its socket while the lock is held. */
        condition = connection_look(&lane->connection);
    } else if (!list_is_empty(&self->lanes)) {
        condition = connection_peek(&list_entry(self->lanes.next, handle_lane, link)->connection);
    }
    unlock_handles();
    return condition;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_lanes.h"

#include "client_memory.h"
#include "error.h"
#include "flight.h"
#include "message.h"
#include "options.h"
#include "platform/closer.h"
#include "platform/process.h"
#include "platform/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static list_link handles = {&handles, &handles};
static uint64_t numbers;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;

/* ---- the ends of threads, and forks ---- */

/* The calling thread's lanes of one handle become idle, or are closed. With the lock held. */
static void give_back(handle *self, list_link *closing)
{
    for (list_link *link = self->lanes.next, *next; link != &self->lanes; link = next) {
        handle_lane *lane = list_entry(link, handle_lane, link);

        next = link->next;
        if (lane->connection.thread != process_thread()) {
            continue;
        }
        flights_abandon(&lane->connection);
        if (!lane->is_former && self->idle_count < HANDLE_IDLE_MAX) {
            lane_leave(self, lane);
        } else {
            lane_close(self, lane, closing);
        }
    }
}

static void thread_ends(void)
{
    list_link closing = {&closing, &closing};

    handles_lock();
    for (list_link *link = handles.next; link != &handles; link = link->next) {
        handle *self = list_entry(link, handle, link);

        if (self->generation == process_generation()) {
            give_back(self, &closing);
        }
    }
    handles_unlock();
    lanes_free(&closing);
    /* A destructor that comes later may ask for calls whose lane is another thread's by then, or is closed. */
    process_thread_retire();
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

    /* What an idle lane's socket has brought is got rid of with the lock held. */
    fork_error = closer_prepare();
    if (fork_error != 0) {
        return;
    }
    fork_error = -pthread_atfork(handles_lock, handles_unlock, handles_unlock);
    if (fork_error == 0) {
        fork_error = thread_map_prepare(&owner);
    }
}

/* ---- handles ---- */

static int make_condition(pthread_cond_t *ret_condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error == 0) {
        error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (error == 0) {
            error = pthread_cond_init(ret_condition, &attributes);
        }
        (void)pthread_condattr_destroy(&attributes);
    }
    return -error;
}

/* What each lane has for its thread. */
static void measure_scratch(handle *self, const shmrpc_service_info *service)
{
    uint32_t answer_size = 0;
    uint32_t request_size = 0;
    bool has_former = false;

    for (uint32_t i = 0; service != NULL && i < service->method_count; i++) {
        const shmrpc_method_info *method = &service->methods[i];
        uint32_t own_size = message_answer_size(method);

        answer_size = own_size > answer_size ? own_size : answer_size;
        own_size = method->request == NULL ? 0 : method->request->size;
        request_size = own_size > request_size ? own_size : request_size;
        has_former = has_former || method->former_count != 0;
    }
    if (service != NULL) {
        self->hello.request_size = request_size;
        self->hello.reply_size = answer_size;
    }
    self->scratch_size = (answer_size + 15) / 16 * 16;
    self->narrow_size = has_former ? request_size : 0;
}

int handle_init(handle *self, const char *name, const shmrpc_client_options *options, const control_hello *hello,
                const shmrpc_service_info *service)
{
    handle_lane *lane = NULL;
    int held;
    int rc;

    *self = (handle){.options = *options, .hello = *hello, .service = service};
    measure_scratch(self, service);
    self->call_timeout_ns = options_timeout_ns(options->call_timeout_ns);
    list_init(&self->link);
    list_init(&self->lanes);
    self->generation = process_generation();
    (void)pthread_once(&fork_once, register_fork);
    rc = make_condition(&self->renewed);
    if (rc != 0) {
        free(self->hello.methods);
        return error_system(rc, "cannot make a client");
    }
    self->name = strdup(name);
    rc = fork_error != 0 ? fork_error : self->name == NULL ? -ENOMEM : 0;
    held = thread_hold();
    rc = rc != 0 ? error_system(rc, "cannot make a client") : handle_connect(self, options, false, &lane);
    thread_release(held);
    if (rc != 0) {
        handle_deinit(self);
        return rc;
    }
    handles_lock();
    self->number = ++numbers;
    list_append(&handles, &self->link);
    handles_unlock();
    return 0;
}

void handle_deinit(handle *self)
{
    list_link closing = {&closing, &closing};

    handles_lock();
    list_remove(&self->link);
    while (!list_is_empty(&self->lanes)) {
        lane_close(self, list_entry(self->lanes.next, handle_lane, link), &closing);
    }
    handles_unlock();
    if (self->number != 0) {
        thread_map_remove(self->number);
    }
    lanes_free(&closing);
    handle_session_free(self->session);
    free(self->hello.methods);
    free(self->name);
    /* In a child it may count waiters that are not there, for whom this would wait. */
    if (self->generation == process_generation()) {
        (void)pthread_cond_destroy(&self->renewed);
    }
}

/* ---- what others ask ---- */

static bool has_lane(const handle *self, uintptr_t thread)
{
    for (list_link *link = self->lanes.next; link != &self->lanes; link = link->next) {
        if (list_entry(link, handle_lane, link)->connection.thread == thread) {
            return true;
        }
    }
    return false;
}

bool handle_lives(uint64_t number)
{
    bool lives;

    handles_lock();
    lives = is_alive(number);
    handles_unlock();
    return lives;
}

int handle_whose(uintptr_t thread)
{
    int rc = 0;

    handles_lock();
    for (list_link *link = handles.next; rc == 0 && link != &handles; link = link->next) {
        const handle *self = list_entry(link, handle, link);

        if (has_lane(self, thread)) {
            rc = self->generation == process_generation() ? SHMRPC_E_WRONG_THREAD : SHMRPC_E_FORKED;
        }
    }
    handles_unlock();
    return rc;
}

/* What is known through a lane of the handle. */
static shmrpc_client_condition look(handle *self)
{
    handle_lane *lane = handle_find(self);
    shmrpc_client_condition condition;

    if (lane != NULL) {
        return connection_look(&lane->connection);
    }
    handles_lock();
    lane = lane_first_idle(self);
    if (lane != NULL && lane->session == self->session) {
        /* It is nobody's: nobody else reads its socket while the lock is held. */
        condition = connection_look(&lane->connection);
    } else {
        condition = session_lives(self, NULL) ? SHMRPC_CLIENT_UP : SHMRPC_CLIENT_GONE;
    }
    handles_unlock();
    return condition;
}

shmrpc_client_condition handle_look(handle *self)
{
    shmrpc_client_condition condition;

    if (self->generation != process_generation()) {
        return SHMRPC_CLIENT_GONE;
    }
    condition = look(self);
    if (self->options.reconnect && (condition == SHMRPC_CLIENT_GONE || condition == SHMRPC_CLIENT_FAILED)) {
        return SHMRPC_CLIENT_RECONNECTING;
    }
    return condition;
}

shmrpc_pages handle_pages(handle *self)
{
    region memory = {.arena = NULL};
    handle_lane *lane;

    if (self->generation != process_generation()) {
        return SHMRPC_PAGES_NONE;
    }
    lane = handle_find(self);
    if (lane != NULL) {
        return client_memory_pages(&lane->connection.memory);
    }
    handles_lock();
    lane = lane_first_idle(self);
    if (lane != NULL) {
        memory = lane->connection.memory;
    }
    handles_unlock();
    /* It may be gone by now: nothing is read of it. */
    return client_memory_pages(&memory);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include "client_memory.h"
#include "directory.h"
#include "error.h"
#include "handshake.h"
#include "log.h"
#include "monitor.h"
#include "options.h"
#include "platform/barrier.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "platform/feature.h"
#include "platform/memory.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "platform/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* A process that is being killed closes its files a little before its pidfd says that it has ended. */
#define ENDING_NS INT64_C(100000000)

static void close_if_open(int *descriptor)
{
    if (*descriptor >= 0) {
        (void)close(*descriptor);
        *descriptor = -1;
    }
}

/* ---- the server's process ---- */

/* The connection's, from here on: the session's, or one for this pidfd, which is taken. 0 or a status. */
static int take_process(connection *self, process_share *known, int pidfd)
{
    if (known != NULL || pidfd < 0) {
        close_if_open(&pidfd);
        self->process = process_enter(known);
    } else {
        self->process = process_share_new(pidfd);
        if (self->process == NULL) {
            return error_system(-ENOMEM, "cannot make a connection");
        }
    }
    self->server = self->process == NULL ? -1 : self->process->pidfd;
    return 0;
}

/* ---- what is known of the server ---- */

static void end(connection *self, shmrpc_client_condition condition)
{
    self->condition = condition;
    loop_wake(&self->loop);
}

/*
 * Reads what the server sent after the handshake: nothing but a goodbye and pokes are expected. One packet per look, so
 * that a server that sends without end keeps nobody here; the end of the socket shows without the packets before it.
 * Was it a poke?
 */
static bool read_packet(connection *self)
{
    int rc = handshake_hear(self->socket);

    if (rc == 0) {
        self->condition = SHMRPC_CLIENT_STOPPING;
    } else if (rc < 0 && rc != SHMRPC_E_AGAIN) {
        end(self, rc == SHMRPC_E_PROTOCOL ? SHMRPC_CLIENT_FAILED : SHMRPC_CLIENT_GONE);
    }
    return rc == 1;
}

/* Looks at the socket and the process. Was there a poke? */
static bool look_around(connection *self)
{
    bool was_poked = false;
    int held;
    int rc;

    /* A forked child has no part of it: the memory is not there, and what the socket holds is its parent's to read. */
    if (self->generation != process_generation() || connection_has_ended(self)) {
        return false;
    }
    held = thread_hold(); /* an alarm has been taken back for this */
    rc = socket_wait(self->socket, self->server, 0);
    if (rc > 0 && (rc & SOCKET_READABLE) != 0) {
        was_poked = read_packet(self);
    }
    /* The lane's owner closes it, and wakes who sleeps, a little before it closes the socket. */
    if ((rc < 0 || (rc & SOCKET_CLOSED) != 0 || shared_get_closed(self->memory.header)) &&
        !connection_has_ended(self)) {
        end(self, SHMRPC_CLIENT_GONE);
    }
    thread_release(held);
    return was_poked;
}

shmrpc_client_condition connection_look(connection *self)
{
    /* The server has taken the loop's wish and pokes once: whoever reads that in the loop's place tells it. */
    if (look_around(self)) {
        loop_wake(&self->loop);
    }
    return self->generation == process_generation() ? self->condition : SHMRPC_CLIENT_GONE;
}

shmrpc_client_condition connection_peek(const connection *self)
{
    int rc = socket_wait(self->socket, self->server, 0);

    return rc < 0 || (rc & SOCKET_CLOSED) != 0 ? SHMRPC_CLIENT_GONE : SHMRPC_CLIENT_UP;
}

void connection_glance(connection *self)
{
    if (!self->peer.is_watched || alarm_is_set(&self->peer.alarm)) {
        alarm_clear(&self->peer.alarm);
        (void)look_around(self);
    }
}

static int look(lane_peer *peer)
{
    connection *self = (connection *)(void *)peer;

    switch (connection_look(self)) {
    case SHMRPC_CLIENT_UP:
    case SHMRPC_CLIENT_STOPPING: return 0;
    case SHMRPC_CLIENT_GONE: return error_set(SHMRPC_E_UNKNOWN, "the server has closed the connection or has ended");
    case SHMRPC_CLIENT_FAILED:
    case SHMRPC_CLIENT_RECONNECTING: break; /* the handle's word, not this */
    }
    return SHMRPC_E_PROTOCOL;
}

/* The lane's wish was for a poke, and is not any more. */
static void disarmed(lane_peer *peer)
{
    loop_wake(&((connection *)(void *)peer)->loop);
}

/* A server that does not read is not waited for: at the deadline it knows by itself. */
static void say_cancelled(const connection *self, uint64_t position)
{
    control_packet packet = {.kind = CONTROL_CANCEL, .as.cancel = position};
    int held = thread_hold();

    (void)handshake_send(self->socket, &packet, NULL, 0, 0);
    thread_release(held);
}

static void abandoned(lane_peer *peer, uint64_t position)
{
    say_cancelled((const connection *)(void *)peer, position);
}

int connection_fail(connection *self)
{
    end(self, SHMRPC_CLIENT_FAILED);
    log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, CONNECTION_FAILED), .status = SHMRPC_E_PROTOCOL},
              "connection to a server ended: %s", shmrpc_last_error());
    return SHMRPC_E_PROTOCOL;
}

/* Will `started` stay as it is? The server's process may be just about to end: where the caller waits, it is given time. */
static bool is_final(connection *self, bool waits)
{
    const lane_header *header = self->memory.header;
    bool has_ended;
    int held;

    if (shared_get_closed(header) || self->server < 0) {
        return shared_get_closed(header);
    }
    if (self->settled_ns == 0) {
        self->settled_ns = clock_after_ns(ENDING_NS);
    }
    held = thread_hold();
    has_ended = socket_wait(-1, self->server, waits ? clock_left_ns(self->settled_ns) : 0) > 0;
    thread_release(held);
    return has_ended || shared_get_closed(header);
}

bool connection_is_settled(connection *self)
{
    return self->condition == SHMRPC_CLIENT_FAILED || self->server < 0 || is_final(self, false) ||
           clock_left_ns(self->settled_ns) == 0;
}

/* The connection has ended while the call at `position` waited: had a handler begun it? */
static int outcome_of(connection *self, uint64_t position, bool waits)
{
    if (!lane_client_has_sent(&self->lane, position)) {
        return error_set(SHMRPC_E_NOT_EXECUTED, "the server ended before the call was published");
    }
    if (is_final(self, waits) && shared_get_started(self->memory.header) < position) {
        return error_set(SHMRPC_E_NOT_EXECUTED, "the server ended before it began the call");
    }
    return error_set(SHMRPC_E_UNKNOWN, "the server ended, and may have begun the call");
}

/* ---- connecting ---- */

/* Where the server says that there is one. 0 or a status. */
static int make_arena(connection *self, const shmrpc_client_options *options, int *ret_descriptor)
{
    size_t size = region_arena_size(&self->memory.geometry);
    void *base = NULL;
    int rc;

    if (size == 0) {
        return 0;
    }
    rc = client_memory_make_arena(options, size, &base, ret_descriptor);
    if (rc == 0) {
        self->memory.arena = base;
    }
    return rc;
}

static int attach(connection *self, const control_hello *hello, const control_welcome *welcome,
                  const shmrpc_client_options *options, int64_t until_ns)
{
    region_geometry geometry = {welcome->depth,
                                welcome->request_block_size,
                                welcome->request_block_count,
                                welcome->reply_block_size,
                                welcome->reply_block_count,
                                welcome->inbox_depth,
                                (uint32_t)(welcome->arena_size / SHMRPC_ARENA_UNIT)};
    control_packet packet = {.kind = CONTROL_ATTACH};
    control_packet *ready = NULL;
    void *base = NULL;
    int descriptors[3];
    unsigned count = 0;
    int arena_file = -1;
    int rc;

    if (!region_check(&geometry)) {
        return error_set(SHMRPC_E_PROTOCOL, "the server asks for an impossible memory");
    }
    rc = client_memory_check(hello, welcome);
    if (rc != 0) {
        return rc;
    }
    /* What lane_client_wait.c depends on. */
    if (geometry.inbox_depth != 0 && geometry.inbox_depth < geometry.depth) {
        return error_set(SHMRPC_E_PROTOCOL, "the server gives an inbox of %u entries to a ring of %u slots",
                         geometry.inbox_depth, geometry.depth);
    }
    rc = client_memory_make(options, region_size(&geometry), &base, &descriptors[count++]);
    if (rc != 0) {
        return rc;
    }
    region_init(&self->memory, base, &geometry);
    self->memory.semaphores = !feature_is_wanted(FEATURE_FUTEX);
    self->memory.membarrier = welcome->membarrier;
    if (!self->memory.semaphores) {
        self->bell = event_new();
        if (self->bell < 0) {
            rc = error_system(self->bell, "cannot make an eventfd");
            goto out;
        }
        descriptors[count++] = self->bell;
    }
    rc = make_arena(self, options, &arena_file);
    if (rc != 0) {
        goto out;
    }
    if (arena_file >= 0) {
        descriptors[count++] = arena_file;
    }
    packet.as.attach.size = self->memory.size;
    packet.as.attach.arena_size = region_arena_size(&geometry);
    packet.as.attach.prefault = options->prefault;
    rc = handshake_send(self->socket, &packet, descriptors, count, until_ns);
    if (rc == 0) {
        rc = handshake_await(self->socket, until_ns, CONTROL_READY, CONTROL_READY, &ready, NULL);
    }
    if (rc == 0 && ready->as.ready.status != 0) {
        rc = handshake_refusal(ready->as.ready.status, ready->as.ready.text);
    }
    control_packet_free(ready);
    if (rc == 0) {
        rc = lane_client_init(&self->lane, &self->memory, options_spin(options->spin_ns), self->bell, &self->peer);
        if (rc != 0) {
            rc = error_system(rc, "cannot make a lane");
        }
    }
out:
    (void)close(descriptors[0]);
    close_if_open(&arena_file);
    return rc;
}

/* Without the monitor's thread everything works, but a waiting caller learns of the server's end by looking. */
static void watch(connection *self)
{
    int rc = monitor_add(&self->peer.alarm, self->socket, self->server);

    self->peer.is_watched = rc == 0;
    if (rc != 0) {
        log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, UNWATCHED)},
                  "a server's end may be heard 100 ms late: no thread to watch it: %s", strerror(-rc));
    }
}

int connection_init(connection *self, const char *name, const shmrpc_client_options *options, control_hello *hello,
                    process_share *process, connection_judge *judge, const void *judge_of, control_packet **ret_welcome)
{
    control_packet packet = {.kind = CONTROL_HELLO};
    control_packet *welcome = NULL;
    int64_t until_ns = clock_after_ns(options_timeout_ns(options->connect_timeout_ns));
    int pidfd = -1;
    int rc;

    *self = (connection){.peer = {.look = look, .disarmed = disarmed, .abandoned = abandoned},
                         .socket = -1,
                         .server = -1,
                         .bell = -1};
    list_init(&self->calls);
    list_init(&self->loans);
    self->soonest_ns = CLOCK_NEVER;
    loop_init(&self->loop);
    self->generation = process_generation();
    if (self->generation == 0) {
        return error_system(-ENOMEM, "cannot watch for fork()");
    }
    self->socket = directory_connect(name, until_ns, options->wait_for_server);
    if (self->socket < 0) {
        return self->socket;
    }
    hello->protocol_least = CONTROL_PROTOCOL;
    hello->protocol_most = CONTROL_PROTOCOL;
    hello->depth = options->depth;
    hello->blocks = options->blocks;
    hello->arena_size = client_memory_wish(options, hello);
    hello->inbox = options->depth == 0 ? REGION_DEPTH : options->depth;
    hello->runtime = SHMRPC_VERSION;
    hello->semaphores = !feature_is_wanted(FEATURE_FUTEX);
    hello->membarrier = barrier_make() == 0; /* whoever can make one now can later */
    packet.as.hello = *hello;
    rc = handshake_send(self->socket, &packet, NULL, 0, until_ns);
    if (rc == 0) {
        rc = handshake_await(self->socket, until_ns, CONTROL_WELCOME, CONTROL_WELCOME, &welcome, &pidfd);
    }
    if (rc == 0) {
        rc = take_process(self, process, pidfd);
    }
    if (rc == 0 && welcome->as.welcome.status != 0) {
        rc = judge(judge_of, &welcome->as.welcome);
    }
    if (rc == 0 && welcome->as.welcome.status != 0) {
        rc = handshake_refusal(welcome->as.welcome.status, welcome->as.welcome.text);
    }
    if (rc == 0 && welcome->as.welcome.method_count != hello->method_count) {
        rc = error_set(SHMRPC_E_PROTOCOL, "the server numbered %u methods of %u", welcome->as.welcome.method_count,
                       hello->method_count);
    }
    if (rc == 0) {
        rc = judge(judge_of, &welcome->as.welcome);
    }
    if (rc == 0) {
        rc = attach(self, hello, &welcome->as.welcome, options, until_ns);
    }
    if (rc != 0) {
        control_packet_free(welcome);
        connection_deinit(self);
        return rc;
    }
    self->takes_envelopes = welcome->as.welcome.envelopes;
    self->takes_sealed = welcome->as.welcome.sealed;
    watch(self);
    *ret_welcome = welcome;
    return 0;
}

/* A server that reads this knows that the client did not die. */
static void say_goodbye(const connection *self)
{
    control_packet packet = {.kind = CONTROL_GOODBYE};

    packet.as.goodbye = "";
    (void)handshake_send(self->socket, &packet, NULL, 0, 0);
}

void connection_deinit(connection *self)
{
    bool ours = self->generation == process_generation();

    if (ours && self->lane.holds != NULL) {
        say_goodbye(self);
    }
    if (ours && self->peer.is_watched) {
        monitor_remove(&self->peer.alarm, self->socket, self->server);
        self->peer.is_watched = false;
    }
    loop_close(&self->loop);
    if (ours && self->socket >= 0) {
        socket_close(self->socket);
        self->socket = -1;
    }
    close_if_open(&self->socket);
    process_leave(self->process);
    self->process = NULL;
    self->server = -1;
    close_if_open(&self->bell);
    lane_client_deinit(&self->lane);
    if (ours) {
        memory_unmap(self->memory.header, self->memory.size);
        memory_unmap(self->memory.arena, region_arena_size(&self->memory.geometry));
    }
    self->memory.header = NULL;
    self->memory.arena = NULL;
}

void connection_leave(connection *self)
{
    lane_client_disarm(&self->lane);
    loop_close(&self->loop);
    self->thread = 0;
}

/* ---- calls ---- */

/* Each thread has a lane of its own: what can come here is a child, or a thread that ends and has given its lane up. */
int connection_refuse_thread(const connection *self)
{
    if (self->generation != process_generation()) {
        return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
    }
    return error_set(SHMRPC_E_WRONG_THREAD, "this belongs to another thread");
}

int connection_check(connection *self)
{
    int rc = connection_enter(self);

    if (rc != 0) {
        return rc;
    }
    /* Told meanwhile: nothing is published for a server that is not there. */
    if (alarm_is_set(&self->peer.alarm)) {
        alarm_clear(&self->peer.alarm);
        (void)connection_look(self);
    }
    return connection_has_ended(self) ? error_set(SHMRPC_E_NOT_SENT, "the connection has ended") : 0;
}

int connection_not_begun(connection *self, int status)
{
    switch (status) {
    case 0: return error_set(SHMRPC_E_NOT_SENT, "the connection has ended");
    case SHMRPC_E_TIMEOUT:
        return error_set(SHMRPC_E_NOT_SENT, "no room before the deadline: %" PRIu64 " calls are with the server",
                         self->lane.next - self->lane.reaped);
    case SHMRPC_E_UNKNOWN: return error_set(SHMRPC_E_NOT_SENT, "the server has closed the connection or has ended");
    case SHMRPC_E_PROTOCOL: return connection_fail(self);
    default: return status;
    }
}

int connection_begin_lent(connection *self, const lane_loan *loan, uint32_t reply_size, int64_t *timeout_ns,
                          lane_call *ret_call)
{
    int rc = connection_check(self);

    if (rc != 0) {
        return rc;
    }
    rc = lane_client_begin_lent(&self->lane, loan, reply_size, timeout_ns, ret_call);
    return rc == 0 && !connection_has_ended(self) ? 0 : connection_not_begun(self, rc);
}

int connection_begin_sealed(connection *self, uint32_t reply_size, int64_t *timeout_ns, lane_call *ret_call)
{
    int rc = connection_check(self);

    if (rc != 0) {
        return rc;
    }
    rc = lane_client_begin_sealed(&self->lane, reply_size, timeout_ns, ret_call);
    return rc == 0 && !connection_has_ended(self) ? 0 : connection_not_begun(self, rc);
}

int connection_send_sealed(connection *self, int descriptor, lane_call *call)
{
    control_packet packet = {.kind = CONTROL_SEALED, .as.sealed = call->position};
    int held = thread_hold();
    int rc = handshake_send(self->socket, &packet, &descriptor, 1, 0);

    thread_release(held);
    if (rc != 0) {
        lane_client_unbegin(&self->lane, call);
    }
    if (rc == SHMRPC_E_UNAVAILABLE) {
        (void)connection_look(self); /* it has ended: what is copied goes to the next one */
    }
    return rc;
}

/* The wait ended without a reply. 0: there is one after all. */
static int without_reply(connection *self, const lane_call *call, int status)
{
    switch (status) {
    case SHMRPC_E_TIMEOUT: return lane_client_cancel(&self->lane, call) != 0 ? 0 : SHMRPC_E_TIMEOUT;
    case SHMRPC_E_UNKNOWN: return outcome_of(self, call->position, true);
    default: return connection_fail(self);
    }
}

int connection_finish(connection *self, const lane_call *call, int status, lane_reply *ret_reply)
{
    int rc = status < 0 ? without_reply(self, call, status) : 0;

    if (rc != 0) {
        return rc;
    }
    rc = status > 0 ? lane_client_answer(&self->lane, &self->lane.spare, ret_reply)
                    : lane_client_reply(&self->lane, call, ret_reply);
    return rc == 0 ? 0 : connection_fail(self);
}

static int await(connection *self, const lane_waiter *waiter)
{
    int64_t until_ns;
    int rc;

    if (connection_has_ended(self)) {
        return lane_client_is_answered(&self->lane, waiter) > 0
                   ? 0
                   : outcome_of(self, waiter->position, waiter->until_ns != 0);
    }
    rc = lane_client_await(&self->lane, waiter);
    until_ns = waiter->until_ns;
    switch (rc) {
    case 0: return 0;
    case SHMRPC_E_TIMEOUT:
        rc = lane_client_withdraw(&self->lane, waiter);
        return rc == 0 ? SHMRPC_E_TIMEOUT : rc > 0 ? 0 : connection_fail(self);
    case SHMRPC_E_UNKNOWN: return outcome_of(self, waiter->position, until_ns != 0);
    default: return connection_fail(self);
    }
}

int connection_await_otherwise(connection *self, const lane_waiter *waiter, lane_reply *ret_reply)
{
    int rc;

    if (self->condition == SHMRPC_CLIENT_FAILED) {
        return error_set(SHMRPC_E_PROTOCOL, "the server broke the protocol while the call was in flight");
    }
    rc = await(self, waiter);
    if (rc != 0) {
        return rc;
    }
    rc = lane_client_answer(&self->lane, waiter, ret_reply);
    return rc == 0 ? 0 : connection_fail(self);
}

int connection_withdraw(connection *self, const lane_waiter *waiter)
{
    int rc = lane_client_withdraw(&self->lane, waiter);

    if (rc == 0) {
        /* Its slot may say only now that it was put off. */
        rc = lane_client_is_answered(&self->lane, waiter);
    }
    if (rc < 0) {
        return connection_fail(self);
    }
    if (rc == 0 && waiter->state == WAITER_MOVED) {
        say_cancelled(self, waiter->position);
    }
    return 0;
}

int connection_poll(connection *self)
{
    return connection_has_ended(self) || lane_client_look(&self->lane) == 0 ? 0 : connection_fail(self);
}

int connection_close_batch(connection *self)
{
    return lane_client_close_batch(&self->lane) == 0 ? 0 : connection_fail(self);
}

/* ---- event loops ---- */

int connection_open_loop(connection *self)
{
    if (!loop_is_open(&self->loop)) {
        int rc = loop_open(&self->loop, self->socket, self->server);

        if (rc != 0) {
            return error_system(rc, "cannot make a descriptor for an event loop");
        }
        /* What has happened until now is looked for by the first dispatch. */
        loop_wake(&self->loop);
    }
    return self->loop.poller;
}

void connection_inherit_loop(connection *self, connection *former)
{
    if (loop_is_open(&former->loop)) {
        loop_move(&self->loop, &former->loop, former->socket, former->server, self->socket, self->server);
    }
}

bool connection_hear(connection *self)
{
    if (loop_has_news(&self->loop)) {
        (void)look_around(self);
    }
    return !connection_has_ended(self);
}

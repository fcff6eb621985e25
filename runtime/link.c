/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "directory.h"
#include "error.h"
#include "handshake.h"
#include "log.h"
#include "options.h"
#include "platform/clock.h"
#include "platform/event.h"
#include "platform/memory.h"
#include "platform/process.h"
#include "platform/socket.h"

#include <inttypes.h>
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

/* ---- what is known of the server ---- */

/* Reads what the server sent after the handshake: nothing but a goodbye is expected. */
static void read_packets(client_link *link)
{
    for (;;) {
        control_packet *packet = NULL;
        int rc = handshake_receive(link->socket, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, NULL);

        if (rc == SHMRPC_E_AGAIN) {
            return;
        }
        if (rc != 0) {
            link->condition = rc == SHMRPC_E_PROTOCOL ? SHMRPC_CLIENT_FAILED : SHMRPC_CLIENT_GONE;
            return;
        }
        link->condition = SHMRPC_CLIENT_STOPPING;
        control_packet_free(packet);
    }
}

static bool has_ended(const client_link *link)
{
    return link->condition == SHMRPC_CLIENT_GONE || link->condition == SHMRPC_CLIENT_FAILED;
}

shmrpc_client_condition link_look(client_link *link)
{
    int rc;

    if (has_ended(link)) {
        return link->condition;
    }
    rc = socket_wait(link->socket, link->server, 0);
    if (rc > 0 && (rc & SOCKET_READABLE) != 0) {
        read_packets(link);
    }
    if ((rc < 0 || (rc & SOCKET_CLOSED) != 0) && !has_ended(link)) {
        link->condition = SHMRPC_CLIENT_GONE;
    }
    return link->condition;
}

static int look(lane_peer *peer)
{
    client_link *link = (client_link *)(void *)peer;

    switch (link_look(link)) {
    case SHMRPC_CLIENT_UP:
    case SHMRPC_CLIENT_STOPPING: return 0;
    case SHMRPC_CLIENT_GONE: return error_set(SHMRPC_E_UNKNOWN, "the server has closed the connection or has ended");
    case SHMRPC_CLIENT_FAILED: break;
    }
    return SHMRPC_E_PROTOCOL;
}

int link_fail(client_link *link)
{
    link->condition = SHMRPC_CLIENT_FAILED;
    log_line(SHMRPC_LOG_WARNING, "connection to a server ended: %s", shmrpc_last_error());
    return SHMRPC_E_PROTOCOL;
}

/* The connection has ended while the call at `position` waited: had a handler begun it? */
static int outcome_of(client_link *link, uint64_t position)
{
    lane_header *header = link->memory.header;
    bool final = shared_get_closed(header);

    if (!final && link->server >= 0) {
        final = socket_wait(-1, link->server, ENDING_NS) > 0 || shared_get_closed(header);
    }
    if (final && shared_get_started(header) < position) {
        return error_set(SHMRPC_E_NOT_EXECUTED, "the server ended before it began the call");
    }
    return error_set(SHMRPC_E_UNKNOWN, "the server ended, and may have begun the call");
}

/* ---- connecting ---- */

static int attach(client_link *link, const control_welcome *welcome, int64_t until_ns, int64_t spin_ns)
{
    region_geometry geometry = {welcome->depth, welcome->request_block_size, welcome->request_block_count,
                                welcome->reply_block_size, welcome->reply_block_count};
    control_packet packet = {.kind = CONTROL_ATTACH};
    control_packet *ready = NULL;
    void *base = NULL;
    int descriptors[2] = {-1, -1};
    int rc;

    if (!region_check(&geometry)) {
        return error_set(SHMRPC_E_PROTOCOL, "the server asks for an impossible memory");
    }
    rc = memory_create(region_size(&geometry), &base, &descriptors[0]);
    if (rc != 0) {
        return error_system(rc, "cannot make %zu bytes of shared memory", region_size(&geometry));
    }
    region_init(&link->memory, base, &geometry);
    link->bell = event_new();
    if (link->bell < 0) {
        rc = error_system(link->bell, "cannot make an eventfd");
        goto out;
    }
    descriptors[1] = link->bell;
    packet.as.attach.size = link->memory.size;
    rc = handshake_send(link->socket, &packet, descriptors, 2, until_ns);
    if (rc == 0) {
        rc = handshake_await(link->socket, until_ns, CONTROL_READY, CONTROL_READY, &ready, NULL);
    }
    if (rc == 0 && ready->as.ready.status != 0) {
        rc = handshake_refusal(ready->as.ready.status, ready->as.ready.text);
    }
    control_packet_free(ready);
    if (rc == 0) {
        rc = lane_client_init(&link->lane, &link->memory, spin_ns, link->bell, &link->peer);
        if (rc != 0) {
            rc = error_system(rc, "cannot make a lane");
        }
    }
out:
    (void)close(descriptors[0]);
    return rc;
}

int link_init(client_link *link, const char *name, const shmrpc_client_options *options, control_hello *hello,
              control_packet **ret_welcome)
{
    control_packet packet = {.kind = CONTROL_HELLO};
    control_packet *welcome = NULL;
    int64_t until_ns = clock_after_ns(options_timeout_ns(options->connect_timeout_ns));
    int rc;

    *link = (client_link){.peer = {look}, .socket = -1, .server = -1, .bell = -1};
    link->generation = process_generation();
    link->call_timeout_ns = options_timeout_ns(options->call_timeout_ns);
    link->socket = directory_connect(name, until_ns, options->wait_for_server);
    if (link->socket < 0) {
        return link->socket;
    }
    hello->protocol_least = CONTROL_PROTOCOL;
    hello->protocol_most = CONTROL_PROTOCOL;
    hello->depth = options->depth;
    hello->blocks = options->blocks;
    hello->runtime = SHMRPC_VERSION;
    packet.as.hello = *hello;
    rc = handshake_send(link->socket, &packet, NULL, 0, until_ns);
    if (rc == 0) {
        rc = handshake_await(link->socket, until_ns, CONTROL_WELCOME, CONTROL_WELCOME, &welcome, &link->server);
    }
    if (rc == 0 && welcome->as.welcome.status != 0) {
        rc = handshake_refusal(welcome->as.welcome.status, welcome->as.welcome.text);
    }
    if (rc == 0 && welcome->as.welcome.method_count != hello->method_count) {
        rc = error_set(SHMRPC_E_PROTOCOL, "the server numbered %u methods of %u", welcome->as.welcome.method_count,
                       hello->method_count);
    }
    if (rc == 0) {
        rc = attach(link, &welcome->as.welcome, until_ns, options_spin_ns(options->spin_ns));
    }
    if (rc != 0) {
        control_packet_free(welcome);
        link_deinit(link);
        return rc;
    }
    *ret_welcome = welcome;
    return 0;
}

/* A server that reads this knows that the client did not die. */
static void say_goodbye(const client_link *link)
{
    control_packet packet = {.kind = CONTROL_GOODBYE};

    packet.as.goodbye = "";
    (void)handshake_send(link->socket, &packet, NULL, 0, 0);
}

void link_deinit(client_link *link)
{
    bool ours = link->generation == process_generation();

    if (ours && link->lane.holds != NULL) {
        say_goodbye(link);
    }
    close_if_open(&link->socket);
    close_if_open(&link->server);
    close_if_open(&link->bell);
    lane_client_deinit(&link->lane);
    if (ours) {
        memory_unmap(link->memory.header, link->memory.size);
    }
    link->memory.header = NULL;
}

/* ---- calls ---- */

static int wrong_owner(client_link *link)
{
    if (link->generation != process_generation()) {
        return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
    }
    if (link->thread != 0) {
        return error_set(SHMRPC_E_WRONG_THREAD, "the client belongs to another thread: connect once per thread");
    }
    link->thread = process_thread();
    return 0;
}

/* Where a call could not even be published. */
static int not_begun(client_link *link, int status)
{
    switch (status) {
    case SHMRPC_E_TIMEOUT:
        return error_set(SHMRPC_E_NOT_SENT, "no room before the deadline: %" PRIu64 " calls are with the server",
                         link->lane.next - link->lane.reaped);
    case SHMRPC_E_UNKNOWN: return error_set(SHMRPC_E_NOT_SENT, "the server has closed the connection or has ended");
    case SHMRPC_E_PROTOCOL: return link_fail(link);
    default: return status;
    }
}

int link_begin(client_link *link, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns, lane_call *ret_call)
{
    int rc;

    if (link->thread != process_thread() || link->generation != process_generation()) {
        rc = wrong_owner(link);
        if (rc != 0) {
            return rc;
        }
    }
    if (has_ended(link)) {
        return error_set(SHMRPC_E_NOT_SENT, "the connection has ended");
    }
    rc = lane_client_begin(&link->lane, request_size, reply_size, timeout_ns, ret_call);
    return rc == 0 ? 0 : not_begun(link, rc);
}

int link_send(client_link *link, const lane_call *call, uint16_t method, uint32_t length, int64_t timeout_ns)
{
    int rc = lane_client_publish(&link->lane, call, method, length, timeout_ns);

    return rc == 0 ? 0 : link_fail(link);
}

/* The wait ended without a reply. 0: there is one after all. */
static int without_reply(client_link *link, const lane_call *call, int status)
{
    switch (status) {
    case SHMRPC_E_TIMEOUT: return lane_client_cancel(&link->lane, call) != 0 ? 0 : SHMRPC_E_TIMEOUT;
    case SHMRPC_E_UNKNOWN: return outcome_of(link, call->position);
    default: return link_fail(link);
    }
}

int link_call(client_link *link, const lane_call *call, uint16_t method, uint32_t length, int64_t timeout_ns,
              lane_reply *ret_reply)
{
    int rc = lane_client_publish(&link->lane, call, method, length, timeout_ns);

    if (rc == 0) {
        rc = lane_client_wait(&link->lane, call, timeout_ns);
    }
    if (rc != 0) {
        rc = without_reply(link, call, rc);
        if (rc != 0) {
            return rc;
        }
    }
    rc = lane_client_reply(&link->lane, call, ret_reply);
    return rc == 0 ? 0 : link_fail(link);
}

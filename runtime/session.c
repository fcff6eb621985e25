/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "error.h"
#include "handshake.h"
#include "platform/event.h"
#include "platform/memory.h"
#include "platform/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_gone(lane_caller *caller)
{
    const shmrpc_session *session = list_entry(caller, const shmrpc_session, caller);
    int found = socket_wait(session->socket, session->process, 0);

    return found < 0 || (found & SOCKET_CLOSED) != 0;
}

shmrpc_session *session_new(int socket, uint64_t id, int64_t deadline_ns)
{
    shmrpc_session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        (void)close(socket);
        return NULL;
    }
    list_init(&session->hot);
    list_init(&session->life);
    session->caller.is_gone = is_gone;
    session->state = SESSION_HELLO;
    session->id = id;
    session->socket = socket;
    session->process = -1;
    session->bell = -1;
    session->quiet_ns = deadline_ns;
    return session;
}

void session_free(shmrpc_session *session)
{
    (void)close(session->socket);
    if (session->process >= 0) {
        (void)close(session->process);
    }
    if (session->ringer.header != NULL) {
        ringer_stop(&session->ringer);
    }
    if (session->bell >= 0) {
        (void)close(session->bell);
    }
    memory_unmap(session->lane.memory.header, session->lane.memory.size);
    free(session->memory);
    free(session);
}

/* ---- what is said to the client ---- */

static int say(const shmrpc_session *session, const control_packet *packet)
{
    return handshake_send(session->socket, packet, NULL, 0, 0);
}

void session_refuse(shmrpc_session *session, int status, const char *text)
{
    control_packet packet = {.kind = CONTROL_WELCOME};

    if (session->state == SESSION_HELLO) {
        packet.as.welcome = (control_welcome){.status = status, .text = text, .runtime = SHMRPC_VERSION};
    } else {
        packet.kind = CONTROL_READY;
        packet.as.ready = (control_ready){.status = status, .text = text};
    }
    (void)say(session, &packet);
}

void session_say_goodbye(shmrpc_session *session)
{
    control_packet packet = {.kind = CONTROL_GOODBYE};

    packet.as.goodbye = "the server stops";
    (void)say(session, &packet);
}

static int send_welcome(const shmrpc_session *session, const service_terms *terms)
{
    const region_geometry *geometry = &session->geometry;
    control_packet packet = {.kind = CONTROL_WELCOME};

    packet.as.welcome = (control_welcome){
        .text = "",
        .protocol = CONTROL_PROTOCOL,
        .depth = geometry->depth,
        .request_block_size = geometry->request_block_size,
        .request_block_count = geometry->request_block_count,
        .reply_block_size = geometry->reply_block_size,
        .reply_block_count = geometry->reply_block_count,
        .inbox_depth = geometry->inbox_depth,
        .method_numbers = terms->method_numbers,
        .method_count = terms->method_count,
        .session = session->id,
        .runtime = SHMRPC_VERSION,
    };
    return say(session, &packet);
}

/* Asked twice: several clients may be in their handshake when the last place is taken. */
static int error_full(void)
{
    return error_set(SHMRPC_E_REFUSED, "the server has as many sessions as it takes");
}

/* ---- Hello ---- */

/* The client's wish for depth and blocks, within this server's limits. */
static int plan(shmrpc_session *session, const control_hello *hello, const session_host *host,
                const service_terms *terms)
{
    region_geometry geometry = region_plan(hello->depth, hello->blocks > BLOCKS_MAX ? BLOCKS_MAX : hello->blocks,
                                           terms->request_size, terms->answer_size);

    geometry.inbox_depth = hello->inbox;
    if (geometry.depth > host->max_depth) {
        geometry.depth = host->max_depth;
    }
    if (geometry.inbox_depth > host->max_depth) {
        geometry.inbox_depth = host->max_depth;
    }
    if (!region_check(&geometry)) {
        return error_set(SHMRPC_E_REFUSED, "a ring of %u slots for messages of %u and %u bytes is impossible",
                         hello->depth, terms->request_size, terms->answer_size);
    }
    session->geometry = geometry;
    session->semaphores = hello->semaphores;
    return 0;
}

static int agree(shmrpc_session *session, const control_hello *hello, const session_host *host)
{
    service_terms terms = {0};
    int rc;

    if (host->full) {
        return error_full();
    }
    if (hello->protocol_least > CONTROL_PROTOCOL || hello->protocol_most < CONTROL_PROTOCOL) {
        return error_set(SHMRPC_E_VERSION, "the server speaks protocol %u, the client %u to %u", CONTROL_PROTOCOL,
                         hello->protocol_least, hello->protocol_most);
    }
    rc = host->service->agree(host->service, hello, &terms);
    if (rc != 0) {
        return rc;
    }
    rc = plan(session, hello, host, &terms);
    if (rc == 0) {
        rc = send_welcome(session, &terms);
    }
    free(terms.method_numbers);
    return rc;
}

/* ---- Attach ---- */

/* The client's eventfd, or one that a thread rings for each post of the client's semaphore. The lane is set up. */
static int take_bell(shmrpc_session *session, socket_packet *envelope)
{
    int rc;

    if (!session->semaphores) {
        rc = event_inspect(envelope->descriptors[1]);
        if (rc != 0) {
            return error_system(rc, "the client's doorbell is no eventfd");
        }
        session->bell = envelope->descriptors[1];
        envelope->descriptors[1] = -1;
        return 0;
    }
    session->bell = event_new();
    if (session->bell < 0) {
        return error_system(session->bell, "cannot make an eventfd");
    }
    rc = ringer_start(&session->ringer, session->lane.memory.header, session->bell);
    return rc == 0 ? 0 : error_system(rc, "cannot start a thread for a client without futexes");
}

static int attach(shmrpc_session *session, const control_attach *said, socket_packet *envelope,
                  const session_host *host)
{
    control_packet ready = {.kind = CONTROL_READY};
    size_t size = region_size(&session->geometry);
    unsigned expected = session->semaphores ? 1 : 2;
    region memory;
    void *base = NULL;
    int rc;

    if (envelope->descriptor_count != expected || said->size != size) {
        return error_set(SHMRPC_E_PROTOCOL, "a memory of %llu bytes with %u descriptors came, not of %zu with %u",
                         (unsigned long long)said->size, envelope->descriptor_count, size, expected);
    }
    if (host->full) {
        return error_full();
    }
    if (host->state_size != 0) {
        session->memory = calloc(1, host->state_size);
        if (session->memory == NULL) {
            return error_system(-ENOMEM, "cannot make a session");
        }
    }
    rc = memory_adopt(envelope->descriptors[0], size, &base);
    if (rc != 0) {
        return error_system(rc, "the client's memory is not as it has to be");
    }
    region_init(&memory, base, &session->geometry);
    memory.semaphores = session->semaphores;
    lane_server_init(&session->lane, &memory, &session->caller);
    rc = take_bell(session, envelope);
    if (rc != 0) {
        return rc;
    }
    session->state = SESSION_OPEN;
    host->service->connected(host->service, host->server, session);
    ready.as.ready.text = "";
    return say(session, &ready);
}

/* The sender of Hello is the client; Attach has to come from the same one. */
static int learn_sender(shmrpc_session *session, socket_sender *sender)
{
    if (session->state == SESSION_HELLO) {
        session->peer = (shmrpc_peer){sender->pid, sender->uid, sender->gid};
        session->process = sender->pidfd;
        sender->pidfd = -1;
        return 0;
    }
    if (sender->pid != session->peer.pid || sender->uid != session->peer.uid) {
        return error_set(SHMRPC_E_PROTOCOL, "Hello and Attach came from two processes");
    }
    return 0;
}

static int shake_hands(shmrpc_session *session, const session_host *host)
{
    bool greets = session->state == SESSION_HELLO;
    control_kind expected = greets ? CONTROL_HELLO : CONTROL_ATTACH;
    control_packet *packet = NULL;
    socket_packet envelope;
    int rc = handshake_receive(session->socket, expected, expected, &packet, &envelope);

    if (rc != 0) {
        return rc;
    }
    rc = learn_sender(session, &envelope.sender);
    if (rc == 0 && greets) {
        rc = agree(session, &packet->as.hello, host);
    } else if (rc == 0) {
        rc = attach(session, &packet->as.attach, &envelope, host);
    }
    if (rc == 0 && greets) {
        session->state = SESSION_ATTACH;
    }
    socket_packet_deinit(&envelope);
    control_packet_free(packet);
    return rc;
}

int session_receive(shmrpc_session *session, const session_host *host)
{
    int rc;

    if (session->state == SESSION_HELLO || session->state == SESSION_ATTACH) {
        rc = shake_hands(session, host);
        if (rc == 0) {
            return 1;
        }
        if (rc != SHMRPC_E_AGAIN && rc != SHMRPC_E_UNAVAILABLE) {
            session_refuse(session, rc, shmrpc_last_error());
        }
    } else {
        control_packet *packet = NULL;

        rc = handshake_receive(session->socket, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet, NULL);
        control_packet_free(packet);
        if (rc == 0) {
            session->said_goodbye = true;
            rc = SHMRPC_E_UNAVAILABLE;
        }
    }
    return rc == SHMRPC_E_AGAIN ? 0 : rc;
}

/* ---- the end ---- */

void session_end(shmrpc_session *session, const session_host *host, shmrpc_why why)
{
    bool was_open = session->state == SESSION_OPEN;

    session->state = SESSION_ENDED;
    if (was_open) {
        lane_server_close(&session->lane);
        host->service->disconnected(host->service, host->server, session, (int)why);
    }
}

/* ---- what handlers may ask ---- */

uint64_t shmrpc_session_id(const shmrpc_session *session)
{
    return session->id;
}

shmrpc_peer shmrpc_session_peer(const shmrpc_session *session)
{
    return session->peer;
}

void *shmrpc_session_state(const shmrpc_session *session)
{
    return session->memory;
}

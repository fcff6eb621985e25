/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "error.h"
#include "handshake.h"
#include "platform/barrier.h"
#include "platform/closer.h"
#include "platform/event.h"
#include "platform/memory.h"
#include "platform/pages.h"
#include "platform/process.h"
#include "platform/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define SEALED_LOOKS 1024u /* packets that may be in a socket before the one that is looked for */

/* ---- lanes ---- */

static bool is_gone(lane_caller *caller)
{
    const session_lane *lane = list_entry(caller, session_lane, caller);
    int found = socket_wait(lane->socket, lane->process, 0);

    return found < 0 || (found & SOCKET_CLOSED) != 0;
}

/* Where there is no room, the client has enough to read. */
static void poke(lane_caller *caller)
{
    static const char nothing;
    const session_lane *lane = list_entry(caller, session_lane, caller);

    (void)socket_send(lane->socket, &nothing, sizeof(nothing), NULL, 0);
}

static int unseal(lane_caller *caller, uint64_t position, uint32_t length, const void **ret_payload);

static session_lane *lane_new(int socket)
{
    session_lane *lane = calloc(1, sizeof(*lane));

    if (lane == NULL) {
        socket_close(socket);
        return NULL;
    }
    list_init(&lane->arriving);
    lane->caller = (lane_caller){.is_gone = is_gone, .poke = poke, .unseal = unseal};
    lane->process = -1;
    lane->state = LANE_HELLO;
    lane->socket = socket;
    lane->bell = -1;
    atomic_init(&lane->references, 1);
    return lane;
}

void session_lane_ref(session_lane *lane)
{
    (void)atomic_fetch_add_explicit(&lane->references, 1, memory_order_relaxed);
}

/* Release and acquire: whoever frees it comes after all that others did with it. */
void session_lane_unref(session_lane *lane)
{
    if (atomic_fetch_sub_explicit(&lane->references, 1, memory_order_acq_rel) == 1) {
        free(lane);
    }
}

void session_lane_close(session_lane *lane)
{
    if (lane->state == LANE_OPEN) {
        lane_server_close(&lane->lane);
    }
    lane->state = LANE_CLOSED;
    if (lane->ringer.header != NULL) {
        ringer_stop(&lane->ringer);
    }
    socket_close(lane->socket);
    if (lane->bell >= 0) {
        (void)close(lane->bell);
    }
    sealed_box_deinit(&lane->sealed);
    memory_unmap(lane->lane.memory.header, lane->lane.memory.size);
    memory_unmap(lane->lane.memory.arena, region_arena_size(&lane->geometry));
    session_lane_unref(lane);
}

bool session_add_lane(shmrpc_session *session, session_lane *lane)
{
    unsigned number;

    if (session->lane_bits == UINT64_MAX) {
        return false;
    }
    number = (unsigned)__builtin_ctzll(~session->lane_bits);
    session->lanes[number] = lane;
    session->lane_bits |= UINT64_C(1) << number;
    lane->number = number;
    lane->session = session;
    lane->process = session->process;
    return true;
}

void session_remove_lane(session_lane *lane)
{
    shmrpc_session *session = lane->session;
    uint64_t bit = UINT64_C(1) << lane->number;

    session->lanes[lane->number] = NULL;
    session->lane_bits &= ~bit;
    session->leaving_bits &= ~bit;
    lane->session = NULL;
}

/* ---- life ---- */

shmrpc_session *session_new(int socket, int64_t deadline_ns)
{
    shmrpc_session *session = calloc(1, sizeof(*session));
    session_lane *lane = lane_new(socket);

    if (session == NULL || lane == NULL) {
        if (lane != NULL) {
            session_lane_close(lane);
        }
        free(session);
        return NULL;
    }
    list_init(&session->life);
    list_init(&session->arriving);
    session->state = SESSION_SHAKING;
    session->process = -1;
    session->deadline_ns = deadline_ns;
    (void)session_add_lane(session, lane);
    return session;
}

void session_free(shmrpc_session *session)
{
    while (session->lane_bits != 0) {
        session_lane *lane = session->lanes[__builtin_ctzll(session->lane_bits)];

        session_remove_lane(lane);
        session_lane_close(lane);
    }
    if (session->process >= 0) {
        (void)close(session->process);
    }
    if (session->owns_methods) {
        free((method_terms *)(uintptr_t)session->methods);
    }
    free(session->memory);
    free(session);
}

/* ---- what is said to the client ---- */

static int say(const session_lane *lane, const control_packet *packet)
{
    return handshake_send(lane->socket, packet, NULL, 0, 0);
}

void session_refuse(const session_lane *lane, int status, const char *text)
{
    control_packet packet = {.kind = CONTROL_WELCOME};

    if (lane->state == LANE_HELLO) {
        packet.as.welcome = (control_welcome){.status = status, .text = text, .runtime = SHMRPC_VERSION};
    } else {
        packet.kind = CONTROL_READY;
        packet.as.ready = (control_ready){.status = status, .text = text};
    }
    (void)say(lane, &packet);
}

int session_say_ready(const session_lane *lane)
{
    control_packet packet = {.kind = CONTROL_READY};

    packet.as.ready.text = "";
    return say(lane, &packet);
}

void session_say_goodbye(const session_lane *lane)
{
    control_packet packet = {.kind = CONTROL_GOODBYE};

    packet.as.goodbye = "the server stops";
    (void)say(lane, &packet);
}

/* The client is turned away for methods that it has in other layouts, and is told which. */
static int send_refusal(const session_lane *lane, const service_terms *terms)
{
    control_packet packet = {.kind = CONTROL_WELCOME};

    packet.as.welcome = (control_welcome){
        .status = SHMRPC_E_MISMATCH,
        .text = shmrpc_last_error(),
        .version = terms->version,
        .mismatches = terms->mismatches,
        .mismatch_count = terms->mismatch_count,
        .runtime = SHMRPC_VERSION,
    };
    return say(lane, &packet);
}

static int send_welcome(const shmrpc_session *session, const session_lane *lane, const service_terms *terms)
{
    const region_geometry *geometry = &lane->geometry;
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
        .arena_size = region_arena_size(geometry),
        .method_numbers = terms->method_numbers,
        .method_revisions = terms->method_revisions,
        .method_count = terms->method_count,
        .version = terms->version,
        .mismatches = terms->mismatches,
        .mismatch_count = terms->mismatch_count,
        .session = session->id,
        .token = session->token,
        .membarrier = lane->membarrier,
        .envelopes = terms->takes_envelopes,
        .sealed = terms->large_request_size != 0,
        .runtime = SHMRPC_VERSION,
    };
    return say(lane, &packet);
}

/* ---- Hello ---- */

/* The client's wish for an arena, where there are messages for it, within this server's limits. */
static int plan_arena(const control_hello *hello, const session_host *host, const service_terms *terms,
                      uint32_t envelope, uint32_t *ret_units)
{
    uint32_t request_size =
        (terms->large_request_size != 0 ? terms->large_request_size : terms->request_size) + envelope;
    uint32_t answer_size = terms->large_answer_size != 0 ? terms->large_answer_size : terms->answer_size;
    uint64_t most = shmrpc_arena_size(request_size, answer_size);

    *ret_units = 0;
    if (terms->large_request_size == 0 && terms->large_answer_size == 0) {
        return 0;
    }
    /* One that is meant to lie in large pages is not made odd by a cap that nobody has set. */
    most = host->max_arena != 0 ? host->max_arena : most > SESSION_ARENA_MAX ? pages_round(most) : SESSION_ARENA_MAX;
    *ret_units = region_plan_arena(hello->arena_size, most, request_size, answer_size);
    if (*ret_units == 0) {
        return error_set(SHMRPC_E_REFUSED,
                         "a call with %u and %u bytes needs an arena of %" PRIu64 ", the server takes %" PRIu64
                         " (max_arena_size)",
                         request_size, answer_size, shmrpc_arena_call_size(request_size, answer_size), most);
    }
    return 0;
}

/* The client's wish for depth and blocks, within this server's limits. */
static int plan(session_lane *lane, const control_hello *hello, const session_host *host, const service_terms *terms)
{
    uint32_t envelope = terms->takes_envelopes ? hello->envelope : 0;
    uint32_t request_size = terms->request_size + envelope;
    region_geometry geometry =
        region_plan(hello->depth, hello->blocks > BLOCKS_MAX ? BLOCKS_MAX : hello->blocks,
                    request_size < SHMRPC_MESSAGE_MAX ? request_size : SHMRPC_MESSAGE_MAX, terms->answer_size);

    int rc;

    geometry.inbox_depth = hello->inbox;
    if (geometry.depth > host->max_depth) {
        geometry.depth = host->max_depth;
    }
    if (geometry.inbox_depth > host->max_depth) {
        geometry.inbox_depth = host->max_depth;
    }
    rc = plan_arena(hello, host, terms, envelope, &geometry.arena_units);
    if (rc != 0) {
        return rc;
    }
    if (!region_check(&geometry)) {
        return error_set(SHMRPC_E_REFUSED, "a ring of %u slots for messages of %u and %u bytes is impossible",
                         hello->depth, terms->request_size, terms->answer_size);
    }
    lane->geometry = geometry;
    lane->semaphores = hello->semaphores;
    lane->membarrier = hello->membarrier && barrier_join() == 0;
    return 0;
}

static int agree(shmrpc_session *session, session_lane *lane, const control_hello *hello, session_host *host)
{
    service_terms terms = {0};
    int rc;

    if (hello->protocol_least > CONTROL_PROTOCOL || hello->protocol_most < CONTROL_PROTOCOL) {
        return error_set(SHMRPC_E_VERSION, "the server speaks protocol %u, the client %u to %u", CONTROL_PROTOCOL,
                         hello->protocol_least, hello->protocol_most);
    }
    rc = host->greet(host, session, hello, &terms);
    if (rc != 0) {
        return rc;
    }
    session->request_size = terms.request_size;
    session->answer_size = terms.answer_size;
    session->large_request_size = terms.large_request_size;
    session->large_answer_size = terms.large_answer_size;
    if (terms.is_refused) {
        session->is_told = send_refusal(lane, &terms) == 0;
        rc = SHMRPC_E_MISMATCH;
    } else {
        rc = plan(lane, hello, host, &terms);
    }
    if (rc == 0) {
        rc = send_welcome(session, lane, &terms);
    }
    if (rc == 0) {
        session->methods = terms.methods;
        session->owns_methods = terms.owns_methods;
        terms.owns_methods = false;
    }
    service_terms_deinit(&terms);
    return rc;
}

/* ---- Attach ---- */

/* The client's eventfd, or one that a thread rings for each post of the client's semaphore. The lane is set up. */
static int take_bell(session_lane *lane, socket_packet *envelope)
{
    int rc;

    if (!lane->semaphores) {
        rc = event_inspect(envelope->descriptors[1]);
        if (rc != 0) {
            return error_system(rc, "the client's doorbell is no eventfd");
        }
        lane->bell = envelope->descriptors[1];
        envelope->descriptors[1] = -1;
        return 0;
    }
    lane->bell = event_new();
    if (lane->bell < 0) {
        return error_system(lane->bell, "cannot make an eventfd");
    }
    rc = ringer_start(&lane->ringer, lane->lane.memory.header, lane->bell);
    return rc == 0 ? 0 : error_system(rc, "cannot start a thread for a client without futexes");
}

/* The arena comes last. The lane has been set up. */
static int take_arena(session_lane *lane, const socket_packet *envelope, bool prefault)
{
    size_t size = region_arena_size(&lane->geometry);
    void *base = NULL;
    int rc;

    if (size == 0) {
        return 0;
    }
    /* It takes a worker's time, which only who could stop the server anyway may ask for. */
    prefault = prefault && lane->session->peer.uid == process_user();
    rc = memory_adopt_whole(envelope->descriptors[envelope->descriptor_count - 1], size,
                            prefault ? MEMORY_PREFAULTED : MEMORY_ON_DEMAND, &base);
    if (rc != 0) {
        return error_system(rc, "the client's arena is not as it has to be");
    }
    lane->lane.memory.arena = base;
    return 0;
}

static int attach(shmrpc_session *session, session_lane *lane, const control_attach *said, socket_packet *envelope,
                  session_host *host)
{
    size_t size = region_size(&lane->geometry);
    size_t arena_size = region_arena_size(&lane->geometry);
    unsigned expected = (lane->semaphores ? 1u : 2u) + (arena_size != 0);
    region memory;
    void *base = NULL;
    int rc;

    if (envelope->descriptor_count != expected || said->size != size || said->arena_size != arena_size) {
        return error_set(
            SHMRPC_E_PROTOCOL,
            "a memory of %llu bytes and an arena of %llu with %u descriptors came, not of %zu and %zu with %u",
            (unsigned long long)said->size, (unsigned long long)said->arena_size, envelope->descriptor_count, size,
            arena_size, expected);
    }
    rc = memory_adopt(envelope->descriptors[0], size, MEMORY_PREFAULTED, &base);
    if (rc != 0) {
        return error_system(rc, "the client's memory is not as it has to be");
    }
    region_init(&memory, base, &lane->geometry);
    memory.semaphores = lane->semaphores;
    memory.membarrier = lane->membarrier;
    lane_server_init(&lane->lane, &memory, &lane->caller);
    rc = take_arena(lane, envelope, said->prefault);
    rc = rc == 0 ? take_bell(lane, envelope) : rc;
    return rc == 0 ? host->open(host, session, lane) : rc;
}

/* The sender of Hello is the client; Attach has to come from the same one. */
static int learn_sender(shmrpc_session *session, session_lane *lane, socket_sender *sender)
{
    if (lane->state == LANE_HELLO) {
        session->peer = (shmrpc_peer){sender->pid, sender->uid, sender->gid};
        session->process = sender->pidfd;
        lane->process = sender->pidfd;
        sender->pidfd = -1;
        return 0;
    }
    if (sender->pid != session->peer.pid || sender->uid != session->peer.uid) {
        return error_set(SHMRPC_E_PROTOCOL, "Hello and Attach came from two processes");
    }
    return 0;
}

static int shake_hands(shmrpc_session *session, session_lane *lane, session_host *host)
{
    bool greets = lane->state == LANE_HELLO;
    control_kind expected = greets ? CONTROL_HELLO : CONTROL_ATTACH;
    control_packet *packet = NULL;
    socket_packet envelope;
    int rc = handshake_receive(lane->socket, expected, expected, &packet, &envelope);

    if (rc != 0) {
        return rc;
    }
    rc = learn_sender(session, lane, &envelope.sender);
    if (rc == 0 && greets && envelope.descriptor_count != 0) {
        rc = error_set(SHMRPC_E_PROTOCOL, "descriptors came before the memory was agreed on");
    } else if (rc == 0 && greets) {
        rc = agree(session, lane, &packet->as.hello, host);
        lane->state = rc == 0 ? LANE_ATTACH : LANE_HELLO;
    } else if (rc == 0) {
        rc = attach(session, lane, &packet->as.attach, &envelope, host);
    }
    socket_packet_deinit(&envelope);
    control_packet_free(packet);
    return rc;
}

/* Does the client send memory with its requests? */
static bool takes_sealed(const shmrpc_session *session)
{
    return session->large_request_size != 0;
}

/* May a client that keeps to the rules send descriptors now? */
static bool expects_descriptors(const shmrpc_session *session, const session_lane *lane)
{
    return lane->state == LANE_ATTACH || (lane->state == LANE_OPEN && takes_sealed(session));
}

/*
 * A user some of whose descriptors take long to close sends no others where none are expected, and none at all where they
 * are many: those that are taken in count against this process's limit.
 */
static int check_next(const shmrpc_session *session, const session_lane *lane)
{
    unsigned closing = closer_count(session->caller);

    if (closing == 0 || (closing < CLOSER_MANY && expects_descriptors(session, lane)) ||
        !socket_brings_descriptors(lane->socket)) {
        return 0;
    }
    return error_set(SHMRPC_E_PROTOCOL, "%u descriptors of the client's user are still to be closed", closing);
}

/* Bytes that a large request of this session may have, in an envelope. */
static uint32_t request_most(const shmrpc_session *session)
{
    return session->large_request_size + CONTROL_ENVELOPE_MAX;
}

/* A packet of a client whose lane is open. 0; AGAIN; UNAVAILABLE: there is none any more, or it says goodbye; a status. */
static int receive_open(session_lane *lane)
{
    /*
     * Elsewhere descriptors need no room here. Whether the next packet brings some is no question to ask first: it may
     * come in between, and would lose them.
     */
    bool brings = takes_sealed(lane->session);
    control_packet *packet = NULL;
    socket_packet envelope = {.descriptor_count = 0};
    int rc =
        handshake_receive_rights(lane->socket, CONTROL_GOODBYE, CONTROL_SEALED, &packet, brings ? &envelope : NULL);

    if (rc != 0) {
        return rc;
    }
    if (packet->kind == CONTROL_SEALED && !takes_sealed(lane->session)) {
        rc = error_set(SHMRPC_E_PROTOCOL, "a request's memory came, and none was offered to be taken");
    } else if (envelope.descriptor_count != (packet->kind == CONTROL_SEALED)) {
        rc = error_set(SHMRPC_E_PROTOCOL, "%u descriptors came with a packet of an open lane",
                       envelope.descriptor_count);
    } else if (packet->kind == CONTROL_SEALED) {
        rc = sealed_box_put(&lane->sealed, packet->as.sealed, envelope.descriptors[0], request_most(lane->session));
        if (rc == 0) {
            /* It is mapped, so that closing it is done at once, and is not waited for by the next one. */
            (void)close(envelope.descriptors[0]);
            envelope.descriptors[0] = -1;
        }
    } else if (packet->kind == CONTROL_CANCEL) {
        lane_server_cancel(&lane->lane, packet->as.cancel);
    } else {
        lane->said_goodbye = true;
        rc = SHMRPC_E_UNAVAILABLE;
    }
    if (brings) {
        socket_packet_deinit(&envelope);
    }
    control_packet_free(packet);
    return rc;
}

/*
 * The memory was sent before the request was published: it has come, or is in the socket. Whatever else is there first has
 * been sent before, too; but no end of the stream, and no goodbye.
 */
static int unseal(lane_caller *caller, uint64_t position, uint32_t length, const void **ret_payload)
{
    session_lane *lane = list_entry(caller, session_lane, caller);
    unsigned left = SEALED_LOOKS;
    bool is_again = false;
    int rc = 0;

    while (rc == 0 && left-- != 0 && !sealed_box_has(&lane->sealed, position)) {
        lane->sealed_looks++;
        rc = check_next(lane->session, lane);
        rc = rc == 0 ? receive_open(lane) : rc;
        if (rc == SHMRPC_E_UNAVAILABLE && !lane->said_goodbye && !is_again) {
            is_again = true; /* a client that died with something unread has left an error, which comes first */
            rc = 0;
        }
    }
    if (rc != 0 && rc != SHMRPC_E_AGAIN && rc != SHMRPC_E_UNAVAILABLE) {
        return rc; /* PROTOCOL; or what this process has none of, which is not the client's fault */
    }
    return sealed_box_open(&lane->sealed, position, length, ret_payload);
}

int session_receive(shmrpc_session *session, session_lane *lane, session_host *host)
{
    int rc = check_next(session, lane);

    if (rc != 0) {
        if (lane->state != LANE_OPEN) {
            session_refuse(lane, rc, shmrpc_last_error());
        }
        return rc;
    }
    if (lane->state != LANE_OPEN) {
        rc = shake_hands(session, lane, host);
        if (rc == 0) {
            return 1;
        }
        if (rc != SHMRPC_E_AGAIN && rc != SHMRPC_E_UNAVAILABLE && !session->is_told) {
            session_refuse(lane, rc, shmrpc_last_error());
        }
    } else {
        rc = receive_open(lane);
        rc = rc == 0 ? 1 : rc;
    }
    return rc == SHMRPC_E_AGAIN ? 0 : rc;
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "handshake.h"

#include "error.h"
#include "log.h"
#include "platform/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long a sender waits before it tries a full socket again. */
#define RETRY_NS INT64_C(1000000)
/* Of the one packet that comes after the handshake: a text and what is around it. */
#define GOODBYE_MAX (CONTROL_TEXT_MAX + 65u)

int handshake_send(int socket, const control_packet *packet, const int *descriptors, unsigned count, int64_t until_ns)
{
    void *bytes = NULL;
    size_t length = 0;
    int rc = control_encode(packet, &bytes, &length);

    if (rc != 0) {
        return rc == -EMSGSIZE
                   ? error_set(SHMRPC_E_TOO_LARGE, "a handshake packet is larger than %u bytes", SOCKET_PACKET_MAX)
                   : error_system(rc, "cannot encode a handshake packet");
    }
    while ((rc = socket_send(socket, bytes, length, descriptors, count)) == -EAGAIN && clock_now_ns() < until_ns) {
        clock_sleep_ns(RETRY_NS);
    }
    free(bytes);
    switch (rc) {
    case 0: return 0;
    case -EAGAIN: return error_set(SHMRPC_E_AGAIN, "the peer does not read its socket");
    case -EPIPE:
    case -ECONNRESET: return error_set(SHMRPC_E_UNAVAILABLE, "the peer closed the connection during the handshake");
    case -EMSGSIZE:
        return error_set(SHMRPC_E_TOO_LARGE, "a handshake packet of %zu bytes does not fit the socket", length);
    default: return error_system(rc, "cannot send a handshake packet");
    }
}

static int decode(const void *bytes, size_t length, control_kind first, control_kind last, control_packet **ret_packet)
{
    control_packet *packet = NULL;
    const char *reason = "";
    int rc = control_decode(bytes, length, &packet, &reason);

    if (rc == -EPROTO) {
        return error_set(SHMRPC_E_PROTOCOL, "the peer sent a packet of %zu bytes: %s", length, reason);
    }
    if (rc != 0) {
        return error_system(rc, "cannot decode a handshake packet");
    }
    if (packet->kind < first || packet->kind > last) {
        control_packet_free(packet);
        return error_set(SHMRPC_E_PROTOCOL, "the peer sent a packet that is not expected now");
    }
    *ret_packet = packet;
    return 0;
}

static int not_received(int rc)
{
    switch (rc) {
    case -EAGAIN: return SHMRPC_E_AGAIN;
    case -EPIPE:
    case -ECONNRESET: return error_set(SHMRPC_E_UNAVAILABLE, "the peer closed the connection");
    case -EMSGSIZE:
        return error_set(SHMRPC_E_PROTOCOL, "the peer sent a packet that is too large, or too many descriptors");
    default: return error_system(rc, "cannot receive a packet");
    }
}

typedef int receive_whole(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet);

/* `whole` receives what is beside the bytes as well, where that is wanted. */
static int receive(int socket, control_kind first, control_kind last, receive_whole *whole, control_packet **ret_packet,
                   socket_packet *ret_envelope)
{
    void *bytes = malloc(SOCKET_PACKET_MAX);
    socket_packet envelope;
    size_t length = 0;
    int rc;

    if (bytes == NULL) {
        return error_system(-ENOMEM, "cannot receive a handshake packet");
    }
    if (ret_envelope == NULL) {
        rc = socket_receive_bytes(socket, bytes, SOCKET_PACKET_MAX, &length);
    } else {
        rc = whole(socket, bytes, SOCKET_PACKET_MAX, &envelope);
        length = rc == 0 ? envelope.length : 0;
    }
    switch (rc) {
    case 0:
        rc = decode(bytes, length, first, last, ret_packet);
        if (rc == 0 && ret_envelope != NULL) {
            *ret_envelope = envelope;
        } else if (ret_envelope != NULL) {
            socket_packet_deinit(&envelope);
        }
        break;
    default: rc = not_received(rc); break;
    }
    free(bytes);
    return rc;
}

int handshake_receive(int socket, control_kind first, control_kind last, control_packet **ret_packet,
                      socket_packet *ret_envelope)
{
    return receive(socket, first, last, socket_receive, ret_packet, ret_envelope);
}

int handshake_receive_rights(int socket, control_kind first, control_kind last, control_packet **ret_packet,
                             socket_packet *ret_envelope)
{
    return receive(socket, first, last, socket_receive_rights, ret_packet, ret_envelope);
}

int handshake_await(int socket, int64_t until_ns, control_kind first, control_kind last, control_packet **ret_packet,
                    int *ret_sender)
{
    for (;;) {
        socket_packet envelope;
        int64_t left_ns = clock_left_ns(until_ns);
        int rc = socket_wait(socket, -1, left_ns);

        if (rc < 0) {
            return error_system(rc, "cannot wait for the peer");
        }
        if (rc == 0 && left_ns == 0) {
            return error_set(SHMRPC_E_UNAVAILABLE, "the peer did not answer before the deadline");
        }
        rc = handshake_receive(socket, first, last, ret_packet, ret_sender == NULL ? NULL : &envelope);
        if (rc == SHMRPC_E_AGAIN) {
            continue;
        }
        if (rc == 0 && ret_sender != NULL) {
            *ret_sender = envelope.sender.pidfd;
            envelope.sender.pidfd = -1;
            socket_packet_deinit(&envelope);
        }
        return rc;
    }
}

int handshake_hear(int socket)
{
    unsigned char bytes[GOODBYE_MAX];
    control_packet *packet = NULL;
    size_t length = 0;
    int rc = socket_receive_bytes(socket, bytes, sizeof(bytes), &length);

    if (rc != 0) {
        return not_received(rc);
    }
    if (length == 1 && bytes[0] == 0) {
        return 1;
    }
    rc = decode(bytes, length, CONTROL_GOODBYE, CONTROL_GOODBYE, &packet);
    if (rc == 0) {
        control_packet_free(packet);
    }
    return rc;
}

int handshake_refusal(int status, const char *text)
{
    char line[ERROR_LINE_MAX + 1];

    (void)log_text(line, sizeof(line), text, strlen(text));
    return error_set(shmrpc_status_name(status) != NULL && status < 0 ? status : SHMRPC_E_REFUSED, "%s", line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.h - packets over a socket, decoded, with statuses instead of -errno.
 *
 * Used by both sides. `first` and `last` say which kinds of packet are expected (a range of control_kind); another kind
 * breaks the protocol.
 */
#ifndef SHMRPC_HANDSHAKE_H
#define SHMRPC_HANDSHAKE_H

#include "control.h"
#include "platform/socket.h"

/*
 * Sends; where the socket is full, waits until until_ns (0: does not wait). 0, UNAVAILABLE, AGAIN, TOO_LARGE,
 * NO_MEMORY, SYSTEM, ...
 */
int handshake_send(int socket, const control_packet *packet, const int *descriptors, unsigned count, int64_t until_ns);

/*
 * Receives without waiting. 0; AGAIN; UNAVAILABLE at the end of the stream; PROTOCOL; NO_MEMORY; SYSTEM. `ret_envelope`
 * receives the descriptors and the sender, the receiver's to close (socket_packet_deinit()); NULL: they are closed, and
 * this needs no room for them.
 */
int handshake_receive(int socket, control_kind first, control_kind last, control_packet **ret_packet,
                      socket_packet *ret_envelope);

/* The same of one whose sender is known: only descriptors need room. */
int handshake_receive_rights(int socket, control_kind first, control_kind last, control_packet **ret_packet,
                             socket_packet *ret_envelope);

/*
 * Receives, waiting until until_ns. As above, and UNAVAILABLE at that time. `ret_sender` receives the sender's pidfd,
 * or -1; may be NULL.
 */
int handshake_await(int socket, int64_t until_ns, control_kind first, control_kind last, control_packet **ret_packet,
                    int *ret_sender);

/*
 * Receives what a server may send once the lane is open, without waiting. 0: it says goodbye; 1: a poke, which is a
 * packet of one byte 0 and says no more than that it is time to look; AGAIN; UNAVAILABLE at the end of the
 * stream; PROTOCOL; NO_MEMORY; SYSTEM.
 */
int handshake_hear(int socket);

/* Turns what the peer gave as its reason into this side's status and line. */
int handshake_refusal(int status, const char *text);

#endif

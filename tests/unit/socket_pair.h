/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_pair.h - two connected sockets as the runtime has them: packets, non-blocking, with the sender's credentials.
 *
 * And packets by hand on one of them, for tests that play the other side.
 */
#ifndef SHMRPC_TEST_SOCKET_PAIR_H
#define SHMRPC_TEST_SOCKET_PAIR_H

#include "runtime/control.h"

void socket_pair_new(int *ret_near, int *ret_far);

/* Fails the case where it cannot be sent. */
void socket_pair_send(int far, const control_packet *packet, const int *descriptors, unsigned count);

/* A packet that is none. */
void socket_pair_send_rubbish(int far);

/* What is there to be received: the caller's to free; NULL where there is nothing, or the end. */
control_packet *socket_pair_receive(int far);

#endif

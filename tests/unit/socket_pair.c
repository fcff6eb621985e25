/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_pair.h"

#include "test_support.h"

#include "runtime/handshake.h"

#include <sys/socket.h>

void socket_pair_new(int *ret_near, int *ret_far)
{
    const int on = 1;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(setsockopt(ends[i], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    }
    *ret_near = ends[0];
    *ret_far = ends[1];
}

void socket_pair_send(int far, const control_packet *packet, const int *descriptors, unsigned count)
{
    ck_assert_int_eq(handshake_send(far, packet, descriptors, count, 0), 0);
}

void socket_pair_send_rubbish(int far)
{
    ck_assert_int_eq(socket_send(far, "\xff\xff\xff", 3, NULL, 0), 0);
}

control_packet *socket_pair_receive(int far)
{
    control_packet *packet = NULL;

    return handshake_receive(far, CONTROL_HELLO, CONTROL_GOODBYE, &packet, NULL) == 0 ? packet : NULL;
}

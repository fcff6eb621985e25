/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zeromq.c - ZeroMQ over ipc: REQ and REP for one call after another, DEALER and REP for many in flight.
 *
 * A REQ socket takes a request only when the last one has been answered. A DEALER does not mind, and writes the empty
 * frame itself that a REQ puts before a message.
 */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ADDRESS_MAX (PEER_PATH_MAX + 8)

static void *context, *caller, *dealer;

static int fail(const char *what)
{
    return peer_say("zeromq", what, zmq_strerror(zmq_errno()));
}

static void address_of(const peer_place *place, char address[ADDRESS_MAX])
{
    snprintf(address, ADDRESS_MAX, "ipc://%s", place->socket);
}

static int zeromq_serve(const peer_place *place)
{
    void *replier = zmq_socket(context = zmq_ctx_new(), ZMQ_REP);
    char *bytes = malloc(PEER_ECHO_MAX);
    char address[ADDRESS_MAX];
    int n;

    address_of(place, address);
    if (!bytes || !replier || zmq_bind(replier, address)) {
        free(bytes);
        return fail("no server");
    }
    if (peer_tell_ready(place)) {
        free(bytes);
        return -1;
    }
    while ((n = zmq_recv(replier, bytes, PEER_ECHO_MAX, 0)) >= 0) {
        peer_operands operands;
        int64_t sum;

        if ((size_t)n == sizeof(operands)) {
            memcpy(&operands, bytes, sizeof(operands));
            sum = (int64_t)operands.left + operands.right;
            n = zmq_send(replier, &sum, sizeof(sum), 0);
        } else {
            n = zmq_send(replier, bytes, (size_t)n, 0);
        }
        if (n < 0) {
            break;
        }
    }
    free(bytes);
    return fail("the server failed");
}

static void *connect_as(int type, const peer_place *place)
{
    void *connecting = zmq_socket(context, type);
    const int no_linger = 0;
    char address[ADDRESS_MAX];

    address_of(place, address);
    if (!connecting || zmq_setsockopt(connecting, ZMQ_LINGER, &no_linger, sizeof(no_linger)) ||
        zmq_connect(connecting, address)) {
        fail("no connection");
        if (connecting) {
            zmq_close(connecting);
        }
        return NULL;
    }
    return connecting;
}

static int zeromq_connect(const peer_place *place)
{
    context = zmq_ctx_new();
    caller = connect_as(ZMQ_REQ, place);
    dealer = connect_as(ZMQ_DEALER, place);
    return context && caller && dealer ? 0 : -1;
}

static void zeromq_disconnect(void)
{
    zmq_close(caller);
    zmq_close(dealer);
    zmq_ctx_term(context);
}

static int zeromq_echo(const void *bytes, size_t length, void *ret_bytes)
{
    if (zmq_send(caller, bytes, length, 0) < 0 || zmq_recv(caller, ret_bytes, length, 0) != (int)length) {
        return fail("no answer");
    }
    return 0;
}

static int zeromq_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    const peer_operands operands = {left, right};

    return zeromq_echo(&operands, sizeof(operands), ret_sum);
}

static int zeromq_start(int32_t left, int32_t right)
{
    const peer_operands operands = {left, right};

    if (zmq_send(dealer, "", 0, ZMQ_SNDMORE) < 0 || zmq_send(dealer, &operands, sizeof(operands), 0) < 0) {
        return fail("cannot send");
    }
    return 0;
}

static int zeromq_finish(int64_t *ret_sum)
{
    char none;

    if (zmq_recv(dealer, &none, 0, 0) != 0 || zmq_recv(dealer, ret_sum, sizeof(*ret_sum), 0) != (int)sizeof(*ret_sum)) {
        return fail("no answer");
    }
    return 0;
}

const peer peer_zeromq = {
    .name = "zeromq",
    .summary = "ZeroMQ, ipc",
    .packages = "libzmq3-dev",
    .slowness = 20,
    .serve = zeromq_serve,
    .connect = zeromq_connect,
    .disconnect = zeromq_disconnect,
    .add = zeromq_add,
    .echo = zeromq_echo,
    .start = zeromq_start,
    .finish = zeromq_finish,
};

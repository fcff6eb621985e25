/* SPDX-License-Identifier: Apache-2.0 */
/* nng.c - nng over ipc: a req socket and a rep socket; for many calls in flight the client has a context for each. */
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX (PEER_PATH_MAX + 8)
#define CONTEXTS 256 /* a power of two */

static nng_socket caller;
static nng_ctx contexts[CONTEXTS];
static nng_aio *operations[CONTEXTS];
static uint32_t opened, started, finished;

static int fail(const char *what, int r)
{
    return peer_say("nng", what, nng_strerror(r));
}

static void address_of(const peer_place *place, char address[ADDRESS_MAX])
{
    snprintf(address, ADDRESS_MAX, "ipc://%s", place->socket);
}

/* Sends `length` bytes of what has been received back, and the sum of two numbers in place of these. */
static int reply(nng_socket replier, const char *bytes, size_t length)
{
    peer_operands operands;
    int64_t sum;

    if (length != sizeof(operands)) {
        return nng_send(replier, (void *)(uintptr_t)bytes, length, 0);
    }
    memcpy(&operands, bytes, sizeof(operands));
    sum = (int64_t)operands.left + operands.right;
    return nng_send(replier, &sum, sizeof(sum), 0);
}

static int nng_peer_serve(const peer_place *place)
{
    nng_socket replier;
    char *bytes = malloc(PEER_ECHO_MAX);
    char address[ADDRESS_MAX];
    int r;

    address_of(place, address);
    r = bytes ? nng_rep0_open(&replier) : NNG_ENOMEM;
    if (r == 0) {
        nng_socket_set_size(replier, NNG_OPT_RECVMAXSZ, PEER_ECHO_MAX);
        r = nng_listen(replier, address, NULL, 0);
    }
    if (r) {
        free(bytes);
        return fail("no server", r);
    }
    if (peer_tell_ready(place)) {
        free(bytes);
        return -1;
    }
    do {
        size_t length = PEER_ECHO_MAX;

        r = nng_recv(replier, bytes, &length, 0);
        if (r == 0) {
            r = reply(replier, bytes, length);
        }
    } while (r == 0);
    free(bytes);
    return fail("the server failed", r);
}

static int nng_peer_connect(const peer_place *place)
{
    char address[ADDRESS_MAX];
    int r;

    address_of(place, address);
    opened = started = finished = 0;
    r = nng_req0_open(&caller);
    if (r == 0) {
        nng_socket_set_size(caller, NNG_OPT_RECVMAXSZ, PEER_ECHO_MAX);
        r = nng_dial(caller, address, NULL, 0);
    }
    return r ? fail("no connection", r) : 0;
}

static void nng_peer_disconnect(void)
{
    while (opened > 0) {
        nng_aio_free(operations[--opened]);
    }
    nng_close(caller);
}

static int nng_peer_echo(const void *bytes, size_t length, void *ret_bytes)
{
    size_t got = length;
    int r;

    r = nng_send(caller, (void *)(uintptr_t)bytes, length, 0);
    if (r == 0) {
        r = nng_recv(caller, ret_bytes, &got, 0);
    }
    if (r) {
        return fail("no answer", r);
    }
    return got == length ? 0 : -1;
}

static int nng_peer_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    const peer_operands operands = {left, right};

    return nng_peer_echo(&operands, sizeof(operands), ret_sum);
}

/* Opens the next context. Returns 0 or a code of nng. */
static int context_open(void)
{
    const int r = nng_ctx_open(&contexts[opened], caller);

    return r ? r : nng_aio_alloc(&operations[opened++], NULL, NULL);
}

/* Sends, and asks for the answer, which comes in its own time. Returns 0 or a code of nng. */
static int ask(nng_ctx context, nng_aio *operation, const peer_operands *operands)
{
    nng_msg *message;
    int r = nng_msg_alloc(&message, 0);

    if (r) {
        return r;
    }
    r = nng_msg_append(message, operands, sizeof(*operands));
    if (r == 0) {
        nng_aio_set_msg(operation, message);
        nng_ctx_send(context, operation);
        nng_aio_wait(operation);
        r = nng_aio_result(operation);
    }
    if (r) {
        nng_msg_free(message);
        return r;
    }
    nng_ctx_recv(context, operation);
    return 0;
}

static int nng_peer_start(int32_t left, int32_t right)
{
    const peer_operands operands = {left, right};
    const uint32_t which = started % CONTEXTS;
    int r = which == opened ? context_open() : 0;

    if (r == 0) {
        r = ask(contexts[which], operations[which], &operands);
    }
    if (r) {
        return fail("cannot send", r);
    }
    started++;
    return 0;
}

static int nng_peer_finish(int64_t *ret_sum)
{
    nng_aio *operation = operations[finished++ % CONTEXTS];
    nng_msg *message;
    int r;

    nng_aio_wait(operation);
    r = nng_aio_result(operation);
    if (r) {
        return fail("no answer", r);
    }
    message = nng_aio_get_msg(operation);
    r = nng_msg_len(message) == sizeof(*ret_sum) ? 0 : -1;
    if (r == 0) {
        memcpy(ret_sum, nng_msg_body(message), sizeof(*ret_sum));
    }
    nng_msg_free(message);
    return r;
}

const peer peer_nng = {
    .name = "nng",
    .summary = "nng, ipc",
    .packages = "libnng-dev",
    .slowness = 20,
    .serve = nng_peer_serve,
    .connect = nng_peer_connect,
    .disconnect = nng_peer_disconnect,
    .add = nng_peer_add,
    .echo = nng_peer_echo,
    .start = nng_peer_start,
    .finish = nng_peer_finish,
};

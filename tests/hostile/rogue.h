/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rogue.h - a client and a server that speak the protocol by hand, and need not speak it well.
 *
 * They are made of the library's inner parts (packets, sockets, the shared format), without what makes a client or a
 * server of them: each step is taken or left out by the test. A rogue never has more rights than a peer has: its end
 * of a socket, and the memory that both map.
 *
 * All functions fail the running case where the machine does not do its part; what the peer does is returned.
 */
#ifndef SHMRPC_TEST_ROGUE_H
#define SHMRPC_TEST_ROGUE_H

#include "runtime/control.h"
#include "runtime/region.h"
#include "runtime/slot.h"

#include "probe_server.h"

typedef struct rogue {
    int socket; /* -1 where there is none */
    int bell;
    region memory; /* header NULL: not mapped */
    uint64_t next; /* position of the next request that is written, or expected */
    uint64_t session;
    control_token token; /* with which further lanes of the session are opened */
} rogue;

/* Ends the connection and unmaps; a rogue that was zeroed or left is left alone. */
void rogue_leave(rogue *self);

/* ---- packets ---- */

void rogue_send_bytes(rogue *self, const void *bytes, size_t length, const int *descriptors, unsigned count);
void rogue_send(rogue *self, const control_packet *packet, const int *descriptors, unsigned count);

/* The next packet of one of these kinds; NULL where the connection ended, or where nothing came in time. */
control_packet *rogue_receive(rogue *self, control_kind first, control_kind last);

/* Reads on until the peer has closed; false where it has not after TEST_PATIENCE_MS. */
bool rogue_is_dropped(rogue *self);

/* ---- as a client of a server of the probe service ---- */

/* Connects and says nothing. */
void rogue_connect(rogue *self, const char *name);

/*
 * What a client of the probe service says; `methods` has room for PROBE_METHODS. The caller changes it as it likes.
 */
control_packet rogue_hello(control_method *methods);

/* Hello and Welcome: true where the server agreed; the geometry then is in self->memory. */
bool rogue_greet_with(rogue *self, const control_packet *hello);
bool rogue_greet(rogue *self);

/* Makes memory and doorbell as the server asked for them. Returns the memory's descriptor, the caller's to close. */
int rogue_make_memory(rogue *self);

/* Attach and Ready: true where the server took them. */
bool rogue_attach(rogue *self, uint64_t size, const int *descriptors, unsigned count);

/* All of the above, well. */
void rogue_join_with(rogue *self, const char *name, const control_packet *hello);
void rogue_join(rogue *self, const char *name);

/* Hello for a further lane of the session of `first`, and all of it, well. */
control_packet rogue_hello_further(const rogue *first);
void rogue_join_further(rogue *self, const char *name, const rogue *first);

/*
 * Writes the next request: header and payload as they are; the word as it has to be, exclusive-or `word_lie`; and
 * rings.
 */
void rogue_request(rogue *self, const slot *wanted, uint32_t word_lie);
void rogue_ring(const rogue *self);

/*
 * Awaits the reply to the request that was written last: true with the slot's copy; false where the server dropped the
 * session.
 */
bool rogue_await_reply(rogue *self, slot *ret_reply);

/* ---- as a server ---- */

/* Takes a name in the runtime directory of the case. */
int rogue_listen(const char *name);

/* Accepts one client and reads its Hello. The packet is the caller's to free. */
control_packet *rogue_accept(rogue *self, int listener);

/* What a server of the probe service answers to `hello`; `numbers` has room for PROBE_METHODS. */
control_packet rogue_welcome(rogue *self, const control_hello *hello, uint32_t *numbers);

/*
 * Welcome, Attach, Ready: maps what the client sent, with the words that a server puts there. False where the client
 * left.
 */
bool rogue_admit(rogue *self, const control_packet *welcome);

/* Awaits the next request and copies its slot: false where the client left. */
bool rogue_await_request(rogue *self, slot *ret_request);

/*
 * Answers it: header and payload as they are; the word as it has to be, exclusive-or `word_lie`; and wakes the client.
 */
void rogue_reply(rogue *self, const slot *wanted, uint32_t word_lie);

/* A header for either: `method` is the status of a reply. */
slot rogue_slot(uint16_t method, uint8_t request_block, uint8_t reply_block, uint32_t length);

#endif

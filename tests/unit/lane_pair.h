/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_pair.h - both ends of a lane over one private memory, for one thread to move step by step.
 *
 * The memory has a page without access on each side, so that a byte beyond it is a fault. The client's peer is the
 * test: its `on_look` runs whenever the client, having spun and slept, asks whether the server lives; so a test that
 * waits has the server do its part from there.
 */
#ifndef SHMRPC_TEST_LANE_PAIR_H
#define SHMRPC_TEST_LANE_PAIR_H

#include "runtime/lane_client.h"
#include "runtime/lane_server.h"

#define PAIR_BLOCK 256u /* bytes of a block, either way */

#define PAIR_ABANDONED_MAX 8u

typedef struct lane_pair lane_pair;

/* Returns what the peer's look() returns. */
typedef int pair_look_function(lane_pair *pair);

struct lane_pair {
    lane_peer peer;
    lane_client client;
    lane_server server;
    region memory;
    int bell;
    unsigned char *guarded; /* the mapping with its two pages */
    size_t page;
    pair_look_function *on_look; /* NULL: the server lives */
    unsigned looks;              /* how often it was asked */
    lane_caller caller;
    bool client_is_gone;                    /* as the server is told where it asks */
    unsigned pokes;                         /* that the client was given */
    uint64_t abandoned[PAIR_ABANDONED_MAX]; /* positions that the client's peer was told of */
    unsigned abandoned_count;
};

/* As lane_pair_init(), with an inbox of so many entries. */
void lane_pair_init_with_inbox(lane_pair *pair, uint32_t depth, uint32_t blocks, uint32_t inbox_depth);

/* Blocks of PAIR_BLOCK bytes, `blocks` each way; a client that sleeps at once. */
void lane_pair_init(lane_pair *pair, uint32_t depth, uint32_t blocks);
void lane_pair_deinit(lane_pair *pair);

/* Both go on at this position, as if all before it had been answered. */
void lane_pair_move_to(lane_pair *pair, uint64_t position);

/* How often the doorbell was rung since this was asked last. */
uint64_t lane_pair_rings(lane_pair *pair);

/* The slot's word of a position, as it is. */
uint32_t lane_pair_word(const lane_pair *pair, uint64_t position);

/* begin() and publish() of a call with `value` in a payload of `size` bytes; each fails the case where it fails. */
lane_call lane_pair_call(lane_pair *pair, uint64_t value, uint32_t size, uint32_t reply_size);

/* The server takes the next request and answers it with its value + 1, in a payload of `size` bytes. */
void lane_pair_answer(lane_pair *pair, uint32_t size);

/* Expects the reply of `call` to be there, with `value`; ends the call. */
void lane_pair_expect_reply(lane_pair *pair, const lane_call *call, uint64_t value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_loan.h - the calling end of a lane lends its room: for a request that is written before it has a slot, and
 * for an answer that is read where the server wrote it.
 *
 *   room of            taken by                    until
 *   a request          lane_client_lend()          lane_client_begin_lent() and what ends that call, or take_back()
 *   an answer          lane_client_keep_in_place() take_back()
 *
 * What is lent is in no slot and has no waiter: neither is in anybody's way but by the block that it has. Where a thread
 * ends, lane_client_abandon() takes back what no slot holds, and so what was lent.
 */
#ifndef SHMRPC_LANE_CLIENT_LOAN_H
#define SHMRPC_LANE_CLIENT_LOAN_H

#include "lane_client.h"

typedef struct lane_loan {
    void *room; /* in shared memory; `size` bytes */
    lane_hold hold;
    uint32_t size;
} lane_loan;

/*
 * Lends room for a request of up to `size` bytes, more than a slot takes. Never waits. 0; AGAIN: all of it is in use;
 * TOO_LARGE; PROTOCOL.
 */
int lane_client_lend(lane_client *lane, uint32_t size, lane_loan *ret_loan);

/* What was lent has been read, or is not wanted. */
void lane_client_take_back(lane_client *lane, lane_loan *loan);

/*
 * As lane_client_begin(), for a call whose request is in what was lent: that is the call's from here on. Where it fails,
 * or the call is given up before it was published (lane_client_unbegin_lent()), it is still lent.
 */
int lane_client_begin_lent(lane_client *lane, const lane_loan *loan, uint32_t reply_size, int64_t *timeout_ns,
                           lane_call *ret_call);

/* publish() has failed. */
void lane_client_unbegin_lent(lane_client *lane, const lane_call *call);

/*
 * As lane_client_begin(), for a call whose request is in sealed memory of its own, which the server gets before it is
 * published. AGAIN also where there are SEALED_MAX in flight.
 */
int lane_client_begin_sealed(lane_client *lane, uint32_t reply_size, int64_t *timeout_ns, lane_call *ret_call);

/* The memory could not be sent: what the call has comes back, and its place in the ring is the next one's. */
void lane_client_unbegin(lane_client *lane, lane_call *call);

/*
 * The call has this answer, which is in a block and has been bounded: it stays there, lent; all else that the call had
 * comes back. What the server says of it is not read again. In place of let_go().
 */
void lane_client_keep_in_place(lane_client *lane, lane_waiter *waiter, const lane_reply *reply, lane_loan *ret_loan);

#endif

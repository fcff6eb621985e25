/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client.h - the calling end of a lane.
 *
 * A call is four steps: begin() finds room and gives the place for the payload, publish() sends it, wait() waits until
 * its word is terminal, reply() and end() read it and take its blocks back. What is not waited for (a oneway message,
 * a call that timed out) ends by itself: its slot and blocks come back when a later begin() finds its word terminal.
 *
 * Invariants
 *   - reaped <= next <= reaped + depth. Positions below `reaped` are terminal and hold no blocks; those from `reaped`
 *     to `next` may still be the server's, and nothing of theirs is used again before their word is terminal. So a
 *     late reply never meets a new call.
 *   - Sleeping awaits the last published position, whatever is being waited for: that is the one that the server is
 *     sure to look for (shared_read_wish). A wait for room therefore sleeps until the server has caught up.
 *
 * One thread at a time. Nothing here allocates after init, or knows who the peer is: whether it still lives is asked
 * through `lane_peer`, and only after the spin has failed.
 */
#ifndef SHMRPC_LANE_CLIENT_H
#define SHMRPC_LANE_CLIENT_H

#include "alarm.h"
#include "block.h"
#include "platform/cpu.h"
#include "region.h"
#include "shared.h"

/* Blocks held by a position, by slot. */
typedef struct lane_hold {
    uint8_t request_block;
    uint8_t reply_block;
} lane_hold;

typedef struct lane_peer lane_peer;
struct lane_peer {
    /* 0: lives; a status below 0: there will be no more replies than are already published. Never blocks. */
    int (*look)(lane_peer *peer);
    alarm_word alarm; /* set by another thread when there is something to look at */
    bool is_watched;  /* there is such a thread */
};

typedef struct lane_client {
    region memory;
    uint64_t next;   /* the position of the next call */
    uint64_t reaped; /* see above */
    int64_t spin_ns; /* 0: none; CLOCK_NEVER: never sleeps */
    int bell;        /* the server's doorbell; not owned */
    lane_peer *peer; /* not owned */
    lane_hold *holds;
    block_list request_blocks;
    block_list reply_blocks;
} lane_client;

/* Takes a formatted memory. Returns 0 or -ENOMEM. The caller keeps the memory mapped until deinit(). */
int lane_client_init(lane_client *lane, const region *memory, int64_t spin_ns, int bell, lane_peer *peer);
void lane_client_deinit(lane_client *lane);

/* A call that is being written. */
typedef struct lane_call {
    uint64_t position;
    slot *at;
    void *request; /* where its payload goes: the slot or a block */
    lane_hold hold;
} lane_call;

/*
 * A call is about to begin: fetches its slot while the request is validated. A hint; harmless where no call follows.
 */
static inline void lane_client_expect(const lane_client *lane)
{
    cpu_prefetch_to_write(region_slot(&lane->memory, lane->next));
}

/*
 * Finds room for a call with payloads of up to these sizes, waiting at most *timeout_ns, from which it takes the time
 * that it waited. 0; TIMEOUT; TOO_LARGE where the lane has no blocks of that size; PROTOCOL; or what the peer's look()
 * said.
 */
int lane_client_begin(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                      lane_call *ret_call);

/* Sends it. 0; PROTOCOL where the slot was not as the server has to leave it. A doorbell is rung where one is owed. */
int lane_client_publish(lane_client *lane, const lane_call *call, uint16_t method, uint32_t length, int64_t timeout_ns);

/* Waits for its reply. 0; TIMEOUT; PROTOCOL; or what look() said, where no reply was published before. */
int lane_client_wait(lane_client *lane, const lane_call *call, int64_t timeout_ns);

/* Marks it as not wanted any more. 0: so be it; 1: its reply is there after all. */
int lane_client_cancel(lane_client *lane, const lane_call *call);

/* A terminal call's status and payload, bounded; the payload may be read once, by shared_copy_out(), before end(). */
typedef struct lane_reply {
    int status; /* -32768 .. 32767, as the peer wrote it */
    uint32_t length;
    const void *payload;
} lane_reply;

/* 0; PROTOCOL where length or block are not within bounds. */
int lane_client_reply(const lane_client *lane, const lane_call *call, lane_reply *ret_reply);

/* Takes back the slots and blocks of calls that are terminal: the one whose reply has been read, and older ones. */
void lane_client_reap(lane_client *lane);

/* The reply has been read: as reap(), for the usual case that no older call is in flight. */
static inline void lane_client_end(lane_client *lane, const lane_call *call)
{
    if (lane->reaped == call->position) {
        block_list_give(&lane->request_blocks, call->hold.request_block);
        block_list_give(&lane->reply_blocks, call->hold.reply_block);
        lane->reaped++;
    } else {
        lane_client_reap(lane);
    }
}

#endif

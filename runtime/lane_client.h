/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client.h - the calling end of a lane.
 *
 * A call is four steps: begin() finds room and gives the place for the payload, publish() sends it, wait() waits until
 * its word is terminal, reply() and end() read it and take its blocks back. What is not waited for (a oneway message,
 * a call that timed out) ends by itself: its slot and blocks come back when a later begin() finds its word terminal.
 *
 * A call whose answer is to be read later has a waiter: keep() stands between begin() and publish(), and the answer
 * stays where the server wrote it, in the slot or in the block, until let_go(). Waiters may be awaited in any order.
 * Where a slot is needed whose answer nobody has read, begin() moves what is in the slot into the waiter.
 *
 * A call that its handler has put off is MOVED: its slot is free, and its answer comes as an entry of the inbox, by the
 * ticket that the slot had. Entries are taken as they come, by whoever waits or looks, into the waiters that they are
 * for; so a client that waits for one answer makes room for the others, and the server is never kept from going on.
 *
 * Invariants
 *   - reaped <= seen <= next - unsent <= next <= reaped + depth. Positions below `reaped` are terminal and hold no
 *     blocks; those below `seen` are terminal, and hold blocks only where a waiter has them. Those from `seen` on may
 *     still be the server's, and nothing of theirs is used again before their word is terminal. So a late reply never
 *     meets a new call. (`seen` may fall behind `reaped`; advance() puts that right.)
 *   - A slot is used again in order, and not before its answer has been read or stowed. Blocks come back one by one.
 *   - The last `unsent` positions are written and not published. They are before anything sleeps, before a status says
 *     that there is no room, and in the end of the batch.
 *   - Sleeping awaits the position that is waited for. Where that is not the last one published, the server may look for
 *     the wish without a fence, and the fence is made for it by barrier_make() (shared_read_wish).
 *
 * The path of a call that finds a slot free and needs no block is inline, here and in connection.h, and client_direct.c
 * makes one function of it: a third of the instructions of a call were those of calling from one of these layers to the
 * next. What is off that path is behind functions of its own.
 *
 * One thread at a time. Nothing here allocates after init, or knows who the peer is: whether it still lives is asked
 * through `lane_peer`, and only after the spin has failed.
 */
#ifndef SHMRPC_LANE_CLIENT_H
#define SHMRPC_LANE_CLIENT_H

#include "alarm.h"
#include "arena.h"
#include "block.h"
#include "first_look.h"
#include "platform/compiler.h"
#include "platform/cpu.h"
#include "region.h"
#include "shared.h"
#include "spin.h"

/*
 * What a call holds of its lane, beside a slot: numbers of blocks (block.h), or of extents (arena.h). The low byte of
 * either is what stands in the slot's header.
 */
typedef struct lane_hold {
    uint16_t request_block;
    uint16_t reply_block;
} lane_hold;

/*
 *   state    where the answer is or will be                      next    who
 *   SENT     in the slot, once that is terminal; or in a block   STOWED  begin(), for want of slots
 *                                                                MOVED   the handler has put it off
 *   MOVED    to come by the inbox                                STOWED  its entry has been taken
 *   STOWED   in the waiter; or in a block                                let_go() ends all three
 */
typedef enum waiter_state { WAITER_SENT, WAITER_MOVED, WAITER_STOWED } waiter_state;

/* TURN_WANTED: it is put into the queue when its answer is there, and is TURN_QUEUED until it is taken out. */
typedef enum waiter_turn { TURN_NONE, TURN_WANTED, TURN_QUEUED } waiter_turn;

/* Whoever will read the answer of a call later. Its memory is the caller's; the lane's from keep() to let_go(). */
typedef struct lane_waiter lane_waiter;
struct lane_waiter {
    uint64_t position;
    lane_waiter *next_ready; /* of the lane's queue */
    lane_hold hold;          /* the reply block is the one that the answer is in, once STOWED */
    uint8_t state;
    uint8_t turn;    /* waiter_turn */
    int16_t status;  /* once STOWED */
    uint16_t ticket; /* while MOVED */
    uint16_t method; /* the owner's, for what is not known here */
    uint32_t length;
    int64_t
        until_ns; /* the owner's, too: its deadline; below 0: its time, negated, which begins when it is published */
    unsigned char payload[SHMRPC_SLOT_PAYLOAD];
};

/* A call whose answer is to come by the inbox, by its ticket. */
typedef struct lane_moved {
    lane_waiter *waiter; /* NULL: nobody will read its answer */
    uint64_t position;
    bool is_out;
    uint16_t reply_block; /* as of lane_hold */
} lane_moved;

typedef struct lane_peer lane_peer;
struct lane_peer {
    /* 0: lives; a status below 0: there will be no more replies than are already published. Never blocks. */
    int (*look)(lane_peer *peer);
    alarm_word alarm; /* set by another thread when there is something to look at */
    bool is_watched;  /* there is such a thread */
    /* A wait has taken the place of the wish that arm() made: who waits for a poke is to look around. */
    void (*disarmed)(lane_peer *peer);
    /* abandon() has let go of a call that its handler has put off, whom a mark in the slot does not reach. */
    void (*abandoned)(lane_peer *peer, uint64_t position);
};

typedef struct lane_client {
    region memory;
    uint64_t next;   /* the position of the next call */
    uint64_t reaped; /* see above */
    uint64_t seen;
    uint64_t unsent;
    bool in_batch;  /* publish() only writes */
    uint32_t armed; /* the wish that arm() made; 0: none */
    spin spin;
    first_look first_look;
    int bell;        /* the server's doorbell; not owned */
    lane_peer *peer; /* not owned */
    lane_hold *holds;
    lane_waiter **waiters; /* by slot; NULL: nobody will read its answer */
    lane_waiter *ready;    /* waiters that want a turn and whose answer has been seen, in the order of positions */
    lane_waiter **ready_end;
    lane_moved *moved; /* NULL: there is no inbox */
    uint32_t moved_count;
    uint32_t moved_blocks;  /* of these: that have a reply block, */
    uint32_t moved_extents; /* or an extent for it */
    uint64_t inbox_next;    /* the entry that is expected */
    lane_waiter spare;      /* of a call that wait() waits for; its position is 0 while there is none */
    block_list request_blocks;
    block_list reply_blocks;
    arena *arena;    /* NULL: there is none */
    uint32_t sealed; /* calls in flight whose requests are in memory of their own */
} lane_client;

/* Takes a formatted memory. Returns 0 or -ENOMEM. The caller keeps the memory mapped until deinit(). */
int lane_client_init(lane_client *lane, const region *memory, spin spins, int bell, lane_peer *peer);
void lane_client_deinit(lane_client *lane);

/* A call that is being written. */
typedef struct lane_call {
    uint64_t position;
    slot *at;
    void *request; /* where its payload goes: the slot, a block or an extent */
    lane_hold hold;
} lane_call;

/*
 * A call is about to begin: asks for the line of its slot, of which the server has a copy since it looks there for the
 * next request. It comes while the request is checked. A hint: it may be for nothing, and where the ring is full it
 * takes a line from the server that comes back at once.
 */
static inline void lane_client_expect(const lane_client *lane)
{
    cpu_prefetch_to_write(region_slot(&lane->memory, lane->next));
}

static inline lane_hold *lane_client_hold(const lane_client *lane, uint64_t position)
{
    return &lane->holds[position & (lane->memory.geometry.depth - 1)];
}

/* An extent comes back. */
void lane_client_give_extent(lane_client *lane, uint16_t number);

/* What a call held, if anything, comes back: a block of this list, or an extent. */
static inline void lane_client_give(lane_client *lane, block_list *list, uint16_t number)
{
    if (number > BLOCKS_MAX) {
        lane_client_give_extent(lane, number);
    } else {
        block_list_give(list, (uint8_t)number);
    }
}

static inline void lane_client_give_hold(lane_client *lane, lane_hold *hold)
{
    lane_client_give(lane, &lane->request_blocks, hold->request_block);
    lane_client_give(lane, &lane->reply_blocks, hold->reply_block);
    *hold = (lane_hold){BLOCK_NONE, BLOCK_NONE};
}

static inline lane_waiter **lane_client_waiter(const lane_client *lane, uint64_t position)
{
    return &lane->waiters[position & (lane->memory.geometry.depth - 1)];
}

/* begin() of a call whose payloads fit into its slot. False: no slot is known to be free. Never waits. */
static ALWAYS_INLINE bool lane_client_begin_in_slot(const lane_client *lane, lane_call *ret_call)
{
    slot *at = region_slot(&lane->memory, lane->next);

    if (lane->next - lane->reaped == lane->memory.geometry.depth) {
        return false;
    }
    *ret_call = (lane_call){lane->next, at, at->payload, {BLOCK_NONE, BLOCK_NONE}};
    return true;
}

/* begin() where a payload needs a block or an extent, or there is no slot. */
int lane_client_begin_otherwise(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                                lane_call *ret_call);

/*
 * Finds room for a call with payloads of up to these sizes, waiting at most *timeout_ns, from which it takes the time
 * that it waited. 0; AGAIN where answers that have not been read have all blocks, or what is to be had of the arena, so
 * that waiting is of no use; TIMEOUT; TOO_LARGE where the lane has no room of that size; PROTOCOL; or what the peer's
 * look() said.
 */
static inline int lane_client_begin(lane_client *lane, uint32_t request_size, uint32_t reply_size, int64_t *timeout_ns,
                                    lane_call *ret_call)
{
    return request_size <= SHMRPC_SLOT_PAYLOAD && reply_size <= SHMRPC_SLOT_PAYLOAD &&
                   lane_client_begin_in_slot(lane, ret_call)
               ? 0
               : lane_client_begin_otherwise(lane, request_size, reply_size, timeout_ns, ret_call);
}

/*
 * A long batch is published in pieces of so many calls, as long as the server is awake: it serves the first ones while
 * the last ones are still being written.
 */
#define BATCH_PIECE 8u
int lane_client_publish_piece(lane_client *lane);

/* publish() where `found` stood in the slot, which is not the reply of one lap earlier. */
int lane_client_publish_over(lane_client *lane, uint64_t position, uint32_t found);

/* As in the slot's header. */
static inline uint32_t lane_client_budget_us(int64_t timeout_ns)
{
    uint64_t timeout_us = timeout_ns <= 0 ? 0 : (uint64_t)timeout_ns / 1000;

    return timeout_us >= BUDGET_NONE ? BUDGET_NONE : (uint32_t)timeout_us;
}

/* The first half of publish(): what stands in the slot beside the payload, and that there is a call. */
static ALWAYS_INLINE void lane_client_write(lane_client *lane, const lane_call *call, uint16_t method, uint32_t length,
                                            int64_t timeout_ns)
{
    slot_header header = {method, (uint8_t)call->hold.request_block, (uint8_t)call->hold.reply_block, length,
                          lane_client_budget_us(timeout_ns)};

    shared_store_header(call->at, header);
    *lane_client_hold(lane, call->position) = call->hold;
    lane->next = call->position + 1;
}

/* The second half where it is not within a batch. */
static ALWAYS_INLINE int lane_client_send(lane_client *lane, const lane_call *call)
{
    const uint32_t request = word_request(call->position, lane->memory.shift);
    const uint32_t found = shared_publish_request(call->at, request);

    return found == word_before_request(request) ? 0 : lane_client_publish_over(lane, call->position, found);
}

/*
 * Sends it, or, within a batch, writes it. 0; PROTOCOL where the slot was not as the server has to leave it. A doorbell
 * is rung where one is owed.
 */
static ALWAYS_INLINE int lane_client_publish(lane_client *lane, const lane_call *call, uint16_t method, uint32_t length,
                                             int64_t timeout_ns)
{
    lane_client_write(lane, call, method, length, timeout_ns);
    if (lane->in_batch) {
        return ++lane->unsent % BATCH_PIECE == 0 ? lane_client_publish_piece(lane) : 0;
    }
    return lane_client_send(lane, call);
}

/*
 * Waits for its reply. 0; 1: it has come by the inbox, and is read as the answer of lane->spare; TIMEOUT; PROTOCOL; or
 * what look() said, where no reply was published before.
 */
int lane_client_wait(lane_client *lane, const lane_call *call, int64_t timeout_ns);

/* The same in two steps. Spins, if it does, without reading a clock: is the reply in the slot of this position? */
bool lane_client_spin(lane_client *lane, uint64_t position);
/* wait() where it was not. */
int lane_client_wait_late(lane_client *lane, lane_call call, int64_t timeout_ns);

/*
 * From here on calls are written and not published. flush() publishes what has been written so far, from the last to
 * the first, with one exchange and one doorbell at most; whatever is about to wait does it first. 0; PROTOCOL.
 */
static inline void lane_client_open_batch(lane_client *lane)
{
    lane->in_batch = true;
}
int lane_client_flush(lane_client *lane);

/* The same without a look at who waits for it: of a thread that ends, whose waiters may be gone with its stack. */
int lane_client_publish_unsent(lane_client *lane);

/* Has this position been published, or is it only written? */
static inline bool lane_client_has_sent(const lane_client *lane, uint64_t position)
{
    return position < lane->next - lane->unsent;
}
int lane_client_close_batch(lane_client *lane);

/* Marks it as not wanted any more. 0: so be it; 1: its reply is there after all. */
int lane_client_cancel(lane_client *lane, const lane_call *call);

/* A terminal call's status and payload, bounded; the payload may be read once, by shared_copy_out(), before end(). */
typedef struct lane_reply {
    int status; /* -32768 .. 32767, as the peer wrote it */
    uint32_t length;
    const void *payload;
    bool is_in_block; /* or in the arena */
} lane_reply;

/* bound() of an answer that is in a block, or is to be refused. */
int lane_client_bound_otherwise(const lane_client *lane, slot_header header, uint16_t reply_block,
                                lane_reply *ret_reply);

/* Bounds what the server says of an answer, in a slot or an entry; `reply_block` is what it may use. 0, PROTOCOL. */
static inline int lane_client_bound(const lane_client *lane, const slot *at, slot_header header, uint16_t reply_block,
                                    lane_reply *ret_reply)
{
    if (header.reply_block != BLOCK_NONE || header.length > SHMRPC_SLOT_PAYLOAD) {
        return lane_client_bound_otherwise(lane, header, reply_block, ret_reply);
    }
    *ret_reply = (lane_reply){(int16_t)header.method, header.length, at->payload, false};
    return 0;
}

/* 0; PROTOCOL where length or block are not within bounds. */
static inline int lane_client_reply(const lane_client *lane, const lane_call *call, lane_reply *ret_reply)
{
    return lane_client_bound(lane, call->at, shared_load_header(call->at), call->hold.reply_block, ret_reply);
}

/* ---- answers that are read later ---- */

/*
 * Between begin() and publish(): the answer waits for this waiter, whose `turn`, `method` and `until_ns` are
 * filled in.
 */
static inline void lane_client_keep(lane_client *lane, const lane_call *call, lane_waiter *waiter)
{
    waiter->position = call->position;
    waiter->hold = call->hold;
    waiter->state = WAITER_SENT;
    *lane_client_waiter(lane, call->position) = waiter;
}

/* Is the answer in this slot, the position's? */
static inline bool lane_client_is_answered_at(const lane_client *lane, const slot *at, uint64_t position)
{
    return (shared_load_word(at) & ~WORD_MARKS) == word_reply(position, lane->memory.shift);
}

/*
 * The answer of this position is about to be read: asks for the line of one that is awaited later. A batch is mostly
 * answered while it is still being written, and reading one answer takes less time than its line needs to come. Measured:
 * 20 ns in place of 35 to read one of 64. A hint, as lane_client_expect().
 */
#define ANSWERS_AHEAD 8u
static inline void lane_client_look_ahead(const lane_client *lane, uint64_t position)
{
    if (position + ANSWERS_AHEAD < lane->next) {
        cpu_prefetch(region_slot(&lane->memory, position + ANSWERS_AHEAD));
    }
}

/* Is the answer in its slot? */
static inline bool lane_client_is_in_slot(const lane_client *lane, const lane_waiter *waiter)
{
    return waiter->state == WAITER_SENT &&
           lane_client_is_answered_at(lane, region_slot(&lane->memory, waiter->position), waiter->position);
}

/* Takes what has come, and looks whether the answer is there. 1: it is; 0; PROTOCOL. Publishes nothing. */
int lane_client_is_answered(lane_client *lane, const lane_waiter *waiter);

/* Waits for it, until the waiter's until_ns. As wait(). */
int lane_client_await(lane_client *lane, const lane_waiter *waiter);

/* As cancel(), also for a call that is not published yet, or is put off. 0; 1; PROTOCOL. */
int lane_client_withdraw(lane_client *lane, const lane_waiter *waiter);

/* answer() of one that is in its slot, or in the block that it names. */
static inline int lane_client_answer_in_slot(const lane_client *lane, const lane_waiter *waiter, lane_reply *ret_reply)
{
    const slot *at = region_slot(&lane->memory, waiter->position);

    return lane_client_bound(lane, at, shared_load_header(at), waiter->hold.reply_block, ret_reply);
}

/* As reply(): there is an answer, and it may be read until let_go(). */
int lane_client_answer(const lane_client *lane, const lane_waiter *waiter, lane_reply *ret_reply);

/* let_go() of a waiter that is queued, or whose answer is not in its slot. */
void lane_client_let_go_otherwise(lane_client *lane, lane_waiter *waiter);

/* Nobody needs the answer in the slot of this position any more. */
static inline void lane_client_pass(lane_client *lane, uint64_t position)
{
    lane->reaped += position == lane->reaped;
    while (lane->reaped < lane->seen && *lane_client_waiter(lane, lane->reaped) == NULL) {
        lane->reaped++;
    }
}

/*
 * let_go() of a waiter that is not queued, and whose answer is in its slot. The slots behind it are not looked at: the
 * server may be about to write them.
 */
static inline void lane_client_let_go_of_slot(lane_client *lane, const lane_waiter *waiter)
{
    const uint64_t position = waiter->position;

    *lane_client_waiter(lane, position) = NULL;
    if ((waiter->hold.request_block | waiter->hold.reply_block) != BLOCK_NONE) {
        lane_client_give_hold(lane, lane_client_hold(lane, position));
    }
    lane_client_pass(lane, position);
}

/* The answer has been read, or nobody will: the call ends by itself, and the waiter's memory is the caller's again. */
static inline void lane_client_let_go(lane_client *lane, lane_waiter *waiter)
{
    if (waiter->turn == TURN_QUEUED || !lane_client_is_in_slot(lane, waiter)) {
        lane_client_let_go_otherwise(lane, waiter);
    } else {
        lane_client_let_go_of_slot(lane, waiter);
    }
}

/*
 * Publishes what is written, withdraws what waiters await, and lets go of all waiters without touching their memory,
 * which may be gone. The peer is told of those that are put off.
 */
void lane_client_abandon(lane_client *lane);

/* Publishes what is written, and looks which calls are answered. 0; PROTOCOL. */
int lane_client_look(lane_client *lane);

/*
 * Asks the server for a poke when the call at `position` (0: none), or a later one, is answered. The wish lasts until
 * it is fulfilled, also for calls that are published afterwards; a wait that sleeps takes its place, and says so to the
 * peer. Whoever arms for a call that is published already looks for news afterwards.
 */
void lane_client_arm(lane_client *lane, uint64_t position);

/* Is there anything to look at? */
bool lane_client_has_news(const lane_client *lane);

/* Nobody waits for a poke any more. One may still come. */
void lane_client_disarm(lane_client *lane);

/* Takes the first of those that want a turn; NULL: none. It stays kept. */
lane_waiter *lane_client_take_ready(lane_client *lane);

/* ---- the end of a call ---- */

/* Takes back the slots and blocks of calls that are terminal, as far as nobody is going to read them. 0; PROTOCOL. */
int lane_client_reap(lane_client *lane);

/* end() of a call that has blocks, or behind others in flight; or whose reply has come by the inbox. */
void lane_client_end_otherwise(lane_client *lane, lane_call call);

/* The reply has been read. */
static ALWAYS_INLINE void lane_client_end(lane_client *lane, const lane_call *call)
{
    if (lane->reaped == call->position && (call->hold.request_block | call->hold.reply_block) == BLOCK_NONE) {
        lane->reaped++;
    } else {
        lane_client_end_otherwise(lane, *call);
    }
}

#endif

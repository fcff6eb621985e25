/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_server.h - the answering end of a lane.
 *
 *   state   take() finds        then
 *   HOT     a request           it is answered, in order; the next take() looks at the next slot
 *           nothing             after a while without traffic the owner calls arm()
 *   arm()   nothing             COLD: the next slot carries the wish; the client's next request rings the doorbell
 *           a request           HOT again at once: nothing was missed
 *
 * A lane whose handlers have put calls off pauses while no further one could be: take() finds nothing, and arm() asks
 * the client to ring when it has read what is in its inbox. Where the client has left it reads no more: then the lane
 * goes on, and who would have waited for an answer counts as having given up.
 *
 * Every value that the client wrote is loaded once and bounded here; what does not fit ends the lane (take() below 0).
 * One thread at a time.
 */
#ifndef SHMRPC_LANE_SERVER_H
#define SHMRPC_LANE_SERVER_H

#include "lane_caller.h"
#include "platform/compiler.h"
#include "region.h"
#include "shared.h"

struct inbox_writer;

typedef struct lane_server {
    region memory;
    uint64_t next;              /* the position that is expected: lane_server_expect(), */
    slot *at;                   /* its slot, */
    uint32_t request;           /* and the word of its request */
    const slot *end;            /* of the ring */
    lane_caller *caller;        /* not owned */
    struct inbox_writer *inbox; /* for answers that are put off (later.h); NULL: none has been yet */
    bool wants_room;            /* the client is asked to ring when there is room in its inbox */
    bool is_deserted;           /* the client has left: it reads no answers */
    int64_t paused_ns;          /* since when the next request is known to wait; 0: it is not */
} lane_server;

/* A request that take() found; answered by exactly one answer(). */
typedef struct lane_request {
    uint64_t position;
    slot *at;
    uint16_t method;
    uint8_t reply_block;
    bool is_sealed; /* its payload is the lane_caller's until it is answered, and nobody can change it */
    bool cancelled; /* the caller gave up before it was taken, or left where its answer could not be put off */
    bool is_plain;  /* neither of these; and in its slot, from the payload's first byte on, and it has not waited */
    uint32_t length;
    uint32_t budget_us;
    uint32_t reply_first; /* where reply_block is BLOCK_ARENA: the room for the answer, in units */
    uint32_t reply_count;
    int64_t waited_ns;   /* so long at least; 0 where nothing is known */
    const void *payload; /* in shared memory: `length` bytes, to be copied once */
} lane_request;

/* Formats the memory. The owner keeps it mapped, and `caller` alive. */
void lane_server_init(lane_server *lane, const region *memory, lane_caller *caller);

/* The next request that take() looks for is at this position. */
static inline void lane_server_expect(lane_server *lane, uint64_t position)
{
    lane->next = position;
    lane->at = region_slot(&lane->memory, position);
    lane->request = word_request(position, lane->memory.shift);
}

/* That one has been taken: as lane_server_expect() of the position after it. */
static inline void lane_server_advance(lane_server *lane)
{
    lane->next++;
    lane->at++;
    if (lane->at == lane->end) {
        lane->at = lane->memory.slots;
        lane->request += UINT32_C(1) << WORD_LAP_SHIFT;
    }
}

/* word_is_free() of the position that is expected. */
static inline bool lane_server_is_free(const lane_server *lane, uint32_t word)
{
    uint32_t moved_before = lane->request - (UINT32_C(1) << WORD_LAP_SHIFT) + (WORD_MOVED - WORD_REQUEST);

    return ((word & ~WORD_MARKS) | (WORD_REPLY ^ WORD_MOVED)) == moved_before;
}

/* take() of what is neither a request in its slot, there and wanted, nor none; and where calls have been put off. */
int lane_server_take_otherwise(lane_server *lane, lane_request *ret_request);

/* 1: a request; 0: none; SHMRPC_E_PROTOCOL (error.h): the client broke the protocol. */
static ALWAYS_INLINE int lane_server_take(lane_server *lane, lane_request *ret_request)
{
    slot *at = lane->at;
    uint32_t word = shared_load_word(at);
    slot_header header;

    if ((word & ~WORD_WISH) != lane->request || lane->inbox != NULL) {
        return lane_server_is_free(lane, word) ? 0 : lane_server_take_otherwise(lane, ret_request);
    }
    header = shared_load_header(at);
    if (header.request_block != BLOCK_NONE || header.length > SHMRPC_SLOT_PAYLOAD ||
        header.reply_block > lane->memory.geometry.reply_block_count) {
        return lane_server_take_otherwise(lane, ret_request);
    }
    ret_request->position = lane->next;
    ret_request->at = at;
    ret_request->method = header.method;
    ret_request->reply_block = header.reply_block;
    ret_request->is_sealed = false;
    ret_request->cancelled = false;
    ret_request->is_plain = true;
    ret_request->length = header.length;
    ret_request->budget_us = header.budget_us;
    ret_request->waited_ns = 0;
    ret_request->payload = at->payload;
    lane_server_advance(lane);
    return 1;
}

/* place() of what does not fit into a slot. */
void *lane_server_place_block(const lane_server *lane, const lane_request *request, uint32_t size, uint8_t *ret_block);

/*
 * Where a reply of up to `size` bytes goes: the slot (*ret_block is BLOCK_NONE), or the block or the part of the arena
 * that the client offered. NULL where it offered none and needs to. Bytes written there are seen by nobody before answer().
 */
static inline void *lane_server_place(const lane_server *lane, const lane_request *request, uint32_t size,
                                      uint8_t *ret_block)
{
    if (size > SHMRPC_SLOT_PAYLOAD) {
        return lane_server_place_block(lane, request, size, ret_block);
    }
    *ret_block = BLOCK_NONE;
    return request->at->payload;
}

/* Says that a handler is about to begin this call. */
static inline void lane_server_start(lane_server *lane, const lane_request *request)
{
    shared_set_started(lane->memory.header, request->position);
}

/* Has the caller given up? Costs a look at the slot. */
static inline bool lane_server_is_cancelled(const lane_request *request)
{
    return (shared_load_word(request->at) & WORD_CANCEL) != 0;
}

/* The terminal word has been published: wakes the client where it wished for it. */
static inline void lane_server_end(lane_server *lane, const lane_request *request)
{
    /* A client that sleeps for another call than its last makes both fences, where it can. */
    bool more = (shared_load_word(lane->at) & ~WORD_MARKS) == lane->request;
    uint32_t wish = shared_read_wish(lane->memory.header, !more || !lane->memory.membarrier);

    if (wish_reached(wish, request->position)) {
        lane_wake(&lane->memory, lane->caller, wish);
    }
}

/* Publishes the reply and wakes the client where it wished for it. `block` as place() gave it. */
static inline void lane_server_answer(lane_server *lane, const lane_request *request, int status, uint32_t length,
                                      uint8_t block)
{
    slot_header header = {(uint16_t)(int16_t)status, BLOCK_NONE, block, length, 0};

    shared_store_header(request->at, header);
    shared_publish_reply(request->at, word_reply(request->position, lane->memory.shift));
    lane_server_end(lane, request);
}

/*
 * Frees the slot: the request is answered by the inbox, with this ticket. In place of answer(). Had the caller withdrawn
 * it?
 */
bool lane_server_move(lane_server *lane, const lane_request *request, uint32_t ticket);

/* The caller has withdrawn the call at this position, if that was put off. */
void lane_server_cancel(lane_server *lane, uint64_t position);

/* Are answers to come of calls that were put off? */
bool lane_server_owes(const lane_server *lane);

/* The same; where there are, the caller's settle() runs when the last one has come. */
bool lane_server_await_answers(const lane_server *lane);

/* true: armed; false: the slot has changed: call take(). */
bool lane_server_arm(lane_server *lane);

/* The same of a lane that has a request and pauses; false: it goes on. */
bool lane_server_arm_paused(lane_server *lane);

/* Is there a request, which take() finds now or after a pause? */
bool lane_server_has_request(const lane_server *lane);

/* How many there are by now; at most the ring's depth. */
uint32_t lane_server_requests(const lane_server *lane);

/* The client has left: what it has sent does not wait for answers to be read. */
void lane_server_desert(lane_server *lane);

/* Says that no further call will be begun and no further answer written, and wakes the client. */
void lane_server_close(lane_server *lane);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_caller.h - who is at the other end of a served lane, as far as its memory does not tell; and waking it.
 */
#ifndef SHMRPC_LANE_CALLER_H
#define SHMRPC_LANE_CALLER_H

#include "platform/futex.h"
#include "region.h"
#include "shared.h"

typedef struct lane_caller lane_caller;
struct lane_caller {
    bool (*is_gone)(lane_caller *caller); /* has it closed its end, or died? Never blocks. Any thread. */
    void (*poke)(lane_caller *caller);    /* wakes one that waits in a loop of its own. Never blocks. Any thread. */
    void (*settle)(lane_caller *caller);  /* inbox_writer_await() has come true: tells the owner. Likewise. */
    /*
     * Where the request at this position is, of so many bytes, that is said to be in sealed memory. 0; PROTOCOL: there is none
     * for it; LIMIT, NO_MEMORY, SYSTEM: this process could not take it. By the lane's owner; NULL: there never is.
     */
    int (*unseal)(lane_caller *caller, uint64_t position, uint32_t length, const void **ret_payload);
    _Atomic uint64_t doorbells; /* times that it was woken; by any thread, and read by any */
};

/* Wakes whoever left this wish, unless it has been taken back or fulfilled meanwhile. */
static inline void lane_wake(const region *memory, lane_caller *caller, uint32_t wish)
{
    lane_header *header = memory->header;

    if (!shared_take_wish(header, wish)) {
        return;
    }
    caller->doorbells++;
    if ((wish & WISH_POKE) != 0) {
        caller->poke(caller);
    } else if (memory->semaphores) {
        shared_post_client_bell(header);
    } else {
        futex_wake(&header->wish);
    }
}

#endif

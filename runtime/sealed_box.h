/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed_box.h - requests of a lane that are in sealed memory of their own, on the server's side.
 *
 *   of a request     by
 *   put              its memory has come over the lane's socket: it is looked at and mapped at once
 *   opened           the request has been taken from its slot, which says EXTENT_SEALED: this one is read
 *   closed           it is answered
 *
 * A client sends the memory of each such request before it publishes it, and has few of them out at a time; so they come
 * in the order of their positions, and there is no more of them than this box takes. One thread at a time.
 */
#ifndef SHMRPC_SEALED_BOX_H
#define SHMRPC_SEALED_BOX_H

#include "slot.h"

typedef struct sealed_request {
    const void *base; /* NULL: none */
    uint64_t position;
    size_t size; /* of the memory that came, */
    size_t room; /* and of the mapping */
} sealed_request;

/* Begins as zeros. */
typedef struct sealed_box {
    sealed_request opened;
    sealed_request waiting[SEALED_MAX]; /* oldest first */
    uint32_t count;
} sealed_box;

/*
 * The memory of the request at this position, of a service whose requests take `most` bytes. The descriptor stays the
 * caller's. 0; PROTOCOL: it is not what it has to be, out of turn, or one too many; NO_MEMORY, SYSTEM.
 */
int sealed_box_put(sealed_box *self, uint64_t position, int descriptor, uint32_t most);

/* Has the memory of this request come? */
bool sealed_box_has(const sealed_box *self, uint64_t position);

/*
 * The request, of so many bytes, is to be read: *ret_payload, behind which all bytes up to `most` can be read, until
 * close(). 0; PROTOCOL: its memory has not come, or is smaller.
 */
int sealed_box_open(sealed_box *self, uint64_t position, uint32_t length, const void **ret_payload);

/* It has been read. */
void sealed_box_close(sealed_box *self);

/* Unmaps all that is left. */
void sealed_box_deinit(sealed_box *self);

#endif

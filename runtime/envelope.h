/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope.h - what a request is in that carries more than its message: when it was sent, and metadata.
 *
 *   offset
 *   0        u16  bytes of metadata, at most METADATA_MAX
 *   2        u16  number of its entries
 *   4        u32  0
 *   8        u64  when it was sent: CLOCK_MONOTONIC in ns; 0: not told
 *   16       metadata (metadata.h), then up to 15 bytes, so that
 *   16 + 16n the message begins at a multiple of 16, the largest @align; it ends with the payload
 *
 * ENVELOPE_METHOD in the number of the method says that there is one. A client sends none where the Welcome did not say
 * that the server takes them. A call that carries nothing has none, and costs nothing of this.
 */
#ifndef SHMRPC_ENVELOPE_H
#define SHMRPC_ENVELOPE_H

#include "lane_server.h"
#include "metadata.h"

#define ENVELOPE_METHOD UINT16_C(0x8000)
#define ENVELOPE_STEP 16u /* its size is a multiple of this */

typedef struct envelope_head {
    uint16_t length;
    uint16_t count;
    uint32_t zero;
    uint64_t sent_ns;
} envelope_head;

_Static_assert(sizeof(envelope_head) == 16, "the head of an envelope has no padding");

#define ENVELOPE_MAX (sizeof(envelope_head) + METADATA_MAX)

/* Bytes of an envelope with so many bytes of metadata. */
static inline uint32_t envelope_size(uint32_t metadata_length)
{
    return (uint32_t)sizeof(envelope_head) + ((metadata_length + ENVELOPE_STEP - 1) & ~(ENVELOPE_STEP - 1));
}

/* Writes one to shared memory with room for it; `with` may be NULL. Returns where the message goes. */
void *envelope_write(void *to, const metadata *with, int64_t sent_ns);

/*
 * Takes a request out of its envelope: its method, payload and length become the message's. 0 with what was in it, all
 * of it copied and checked; PROTOCOL.
 */
int envelope_open(lane_request *request, metadata *ret_metadata, int64_t *ret_sent_ns);

#endif

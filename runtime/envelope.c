/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"

#include "error.h"
#include "shared.h"

#include <string.h>

void *envelope_write(void *to, const metadata *with, int64_t sent_ns)
{
    envelope_head head = {.sent_ns = (uint64_t)sent_ns};
    unsigned char *at = to;
    uint32_t size;

    if (with != NULL) {
        head.length = (uint16_t)with->length;
        head.count = (uint16_t)with->count;
    }
    size = envelope_size(head.length);
    memcpy(at, &head, sizeof(head));
    if (head.length != 0) {
        /* What was here before is nobody's to see. */
        memset(at + size - ENVELOPE_STEP, 0, ENVELOPE_STEP);
        memcpy(at + sizeof(head), with->bytes, head.length);
    }
    return at + size;
}

int envelope_open(lane_request *request, metadata *ret_metadata, int64_t *ret_sent_ns)
{
    const unsigned char *from = request->payload;
    envelope_head head;
    uint32_t size;

    if (request->length < sizeof(head)) {
        return error_set(SHMRPC_E_PROTOCOL, "an envelope of %u bytes", request->length);
    }
    shared_copy_out(&head, from, sizeof(head));
    size = envelope_size(head.length);
    if (head.length > METADATA_MAX || size > request->length || head.zero != 0 || head.sent_ns > INT64_MAX) {
        return error_set(SHMRPC_E_PROTOCOL, "an envelope with %u bytes of metadata in a request of %u", head.length,
                         request->length);
    }
    ret_metadata->length = head.length;
    ret_metadata->count = head.count;
    shared_copy_out(ret_metadata->bytes, from + sizeof(head), head.length);
    if (!metadata_is_valid(ret_metadata)) {
        return error_set(SHMRPC_E_PROTOCOL, "metadata that is not keys and texts");
    }
    request->method &= (uint16_t)~ENVELOPE_METHOD;
    request->payload = from + size;
    request->length -= size;
    *ret_sent_ns = (int64_t)head.sent_ns;
    return 0;
}

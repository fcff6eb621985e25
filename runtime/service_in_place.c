/* SPDX-License-Identifier: Apache-2.0 */
#include "service_in_place.h"

#include "message.h"

static bool is_within(const unsigned char *at, uint32_t size, const unsigned char *begin, const unsigned char *end)
{
    return at >= begin && at < end && size <= (size_t)(end - at);
}

/*
 * Is the request in a block, the arena or memory of its own, with a whole message's bytes behind its beginning? An envelope that is larger
 * than what was agreed on may leave less, and so may a client that says that it is at the arena's end.
 */
static bool has_room(const lane_server *lane, const lane_request *request, uint32_t size)
{
    const region *memory = &lane->memory;
    const unsigned char *end = (const unsigned char *)memory->header + memory->size;

    return request->is_sealed || is_within(request->payload, size, memory->request_blocks, end) ||
           (memory->arena != NULL &&
            is_within(request->payload, size, memory->arena, memory->arena + region_arena_size(&memory->geometry)));
}

int in_place_take(const lane_server *lane, const shmrpc_method_info *method, const method_terms *terms,
                  const lane_request *request, in_place *place)
{
    const shmrpc_type_info *type = method->request;

    if (type == NULL || terms->request_size != type->size ||
        !terms_take(request->length, terms->request_least, terms->request_size) ||
        !has_room(lane, request, type->size) || !message_is_whole(type, request->payload, request->length)) {
        return 0;
    }
    if (type->validate != NULL) {
        int rc = message_validate(type, request->payload);

        if (rc != 0) {
            return rc;
        }
    }
    place->request = request->payload;
    return 1;
}

bool in_place_begin(const lane_server *lane, const shmrpc_method_info *method, const method_terms *terms,
                    const lane_request *request, in_place *place)
{
    const shmrpc_type_info *type = method->reply;
    uint8_t block = BLOCK_NONE;
    void *to;

    if (type->size <= SHMRPC_SLOT_PAYLOAD || terms->reply_size != type->size) {
        return false;
    }
    to = lane_server_place(lane, request, type->size, &block);
    if (to == NULL) {
        return false; /* as a reply that is copied will tell */
    }
    message_init_in_place(type, to);
    place->reply = to;
    place->block = block;
    return true;
}

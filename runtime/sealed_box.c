/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed_box.h"

#include "error.h"
#include "platform/sealed.h"

#include <inttypes.h>
#include <string.h>

static void drop(sealed_request *request)
{
    sealed_unmap(request->base, request->room);
    *request = (sealed_request){0};
}

/* The oldest of those that wait leaves. */
static sealed_request take_first(sealed_box *self)
{
    sealed_request first = self->waiting[0];

    self->count--;
    memmove(&self->waiting[0], &self->waiting[1], self->count * sizeof(self->waiting[0]));
    self->waiting[self->count] = (sealed_request){0};
    return first;
}

int sealed_box_put(sealed_box *self, uint64_t position, int descriptor, uint32_t most)
{
    sealed_request *last = self->count == 0 ? NULL : &self->waiting[self->count - 1];
    sealed_request put = {.position = position, .room = most};
    int rc;

    if (self->count == SEALED_MAX || position == 0 || (last != NULL && position <= last->position)) {
        return error_set(SHMRPC_E_PROTOCOL, "the memory of the request at %" PRIu64 " is out of turn, or one too many",
                         position);
    }
    rc = sealed_adopt(descriptor, most, &put.size, &put.base);
    if (rc != 0) {
        return error_system(rc, "a request's memory is not sealed as it has to be");
    }
    self->waiting[self->count++] = put;
    return 0;
}

bool sealed_box_has(const sealed_box *self, uint64_t position)
{
    return self->count != 0 && self->waiting[self->count - 1].position >= position;
}

int sealed_box_open(sealed_box *self, uint64_t position, uint32_t length, const void **ret_payload)
{
    sealed_box_close(self);
    /* Of a request that was never published. */
    while (self->count != 0 && self->waiting[0].position < position) {
        sealed_request unused = take_first(self);

        drop(&unused);
    }
    if (self->count == 0 || self->waiting[0].position != position || self->waiting[0].size < length) {
        return error_set(SHMRPC_E_PROTOCOL,
                         "a request of %u bytes is said to be in memory that has not come, or is smaller", length);
    }
    self->opened = take_first(self);
    *ret_payload = self->opened.base;
    return 0;
}

void sealed_box_close(sealed_box *self)
{
    drop(&self->opened);
}

void sealed_box_deinit(sealed_box *self)
{
    sealed_box_close(self);
    while (self->count != 0) {
        drop(&self->waiting[--self->count]);
    }
}

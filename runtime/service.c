/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include "error.h"

#include <errno.h>
#include <stdlib.h>

/* A cache line more than needed: an empty payload has a place, too. */
static unsigned char *scratch(uint32_t size)
{
    return aligned_alloc(SHMRPC_SLOT_SIZE, ((size_t)size / SHMRPC_SLOT_SIZE + 1) * SHMRPC_SLOT_SIZE);
}

int service_init(service *self, const char *name, uint32_t request_size, uint32_t answer_size)
{
    self->name = name;
    self->request_size = request_size;
    self->answer_size = answer_size;
    self->request = scratch(request_size);
    self->reply = scratch(answer_size);
    self->payload = scratch(answer_size);
    if (self->request == NULL || self->reply == NULL || self->payload == NULL) {
        service_deinit(self);
        return error_system(-ENOMEM, "cannot make a service");
    }
    return 0;
}

void service_deinit(service *self)
{
    free(self->request);
    free(self->reply);
    free(self->payload);
    self->request = NULL;
    self->reply = NULL;
    self->payload = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include "error.h"
#include "mismatch.h"

#include <errno.h>
#include <stdlib.h>

static void add_size(uint32_t *small, uint32_t *large, uint32_t size)
{
    uint32_t *most = size <= SHMRPC_MESSAGE_MAX ? small : large;

    *most = size > *most ? size : *most;
}

void service_terms_add(service_terms *terms, uint32_t request_size, uint32_t answer_size)
{
    add_size(&terms->request_size, &terms->large_request_size, request_size);
    add_size(&terms->answer_size, &terms->large_answer_size, answer_size);
}

void service_terms_deinit(service_terms *terms)
{
    free(terms->method_numbers);
    free(terms->method_revisions);
    mismatches_free(terms->mismatches, terms->mismatch_count);
    if (terms->owns_methods) {
        free((method_terms *)(uintptr_t)terms->methods);
    }
    *terms = (service_terms){0};
}

/* A cache line more than needed: an empty payload has a place, too. */
static unsigned char *room(uint32_t size)
{
    return aligned_alloc(SHMRPC_SLOT_SIZE, ((size_t)size / SHMRPC_SLOT_SIZE + 1) * SHMRPC_SLOT_SIZE);
}

int service_scratch_init(service_scratch *scratch, const service *of)
{
    scratch->request = room(of->request_size);
    scratch->reply = room(of->answer_size);
    scratch->payload = room(of->answer_size);
    scratch->narrow = room(of->answer_size);
    scratch->metadata = calloc(1, sizeof(*scratch->metadata));
    if (scratch->request == NULL || scratch->reply == NULL || scratch->payload == NULL || scratch->narrow == NULL ||
        scratch->metadata == NULL) {
        service_scratch_deinit(scratch);
        return error_system(-ENOMEM, "cannot make room for requests");
    }
    return 0;
}

void service_scratch_deinit(service_scratch *scratch)
{
    free(scratch->request);
    free(scratch->reply);
    free(scratch->payload);
    free(scratch->narrow);
    free(scratch->metadata);
    *scratch = (service_scratch){0};
}

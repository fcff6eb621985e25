/* SPDX-License-Identifier: Apache-2.0 */
#include "client_memory.h"

#include "error.h"
#include "platform/memory.h"
#include "platform/pages.h"
#include "platform/thread.h"

#include <errno.h>
#include <inttypes.h>

static bool has_large(const control_hello *hello)
{
    return hello->request_size > SHMRPC_MESSAGE_MAX || hello->reply_size > SHMRPC_MESSAGE_MAX;
}

uint64_t client_memory_wish(const shmrpc_client_options *options, const control_hello *hello)
{
    uint32_t request_size = hello->request_size + hello->envelope;
    uint64_t least;

    if (!options->huge_pages || !has_large(hello)) {
        return options->arena_size;
    }
    /* All that the server could make of it otherwise, so that it makes nothing else of it. */
    if (options->arena_size == 0) {
        return pages_round(shmrpc_arena_size(request_size, hello->reply_size));
    }
    least = shmrpc_arena_call_size(request_size, hello->reply_size);
    return pages_round(options->arena_size > least ? options->arena_size : least);
}

int client_memory_check(const control_hello *hello, const control_welcome *welcome)
{
    uint32_t request_size = hello->request_size + hello->envelope;
    uint64_t most = has_large(hello) ? shmrpc_arena_size(request_size, hello->reply_size) : 0;

    most = has_large(hello) && hello->arena_size > most ? hello->arena_size : most;
    if (welcome->arena_size > memory_round((size_t)most)) {
        return error_set(SHMRPC_E_PROTOCOL, "the server asks for an arena of %" PRIu64 " bytes", welcome->arena_size);
    }
    return 0;
}

/* Where the options say. 0 or a status. */
static int make(const shmrpc_client_options *options, size_t size, memory_faults faults, memory_pages pages,
                void **ret_base, int *ret_descriptor)
{
    int node = options->binds_memory ? options->memory_node : MEMORY_ANY_NODE;
    int rc = memory_create(size, faults, pages, node, ret_base, ret_descriptor);

    if (rc == -ENODEV) {
        return error_set(SHMRPC_E_MISUSE, "memory_node is %d: this machine has no such node", node);
    }
    return rc == 0 ? 0 : error_system(rc, "cannot make %zu bytes of shared memory", size);
}

int client_memory_make(const shmrpc_client_options *options, size_t size, void **ret_base, int *ret_descriptor)
{
    return make(options, size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, ret_base, ret_descriptor);
}

int client_memory_make_arena(const shmrpc_client_options *options, size_t size, void **ret_base, int *ret_descriptor)
{
    return make(options, size, options->prefault ? MEMORY_PREFAULTED : MEMORY_ON_DEMAND,
                options->huge_pages ? MEMORY_LARGE_PAGES : MEMORY_ORDINARY_PAGES, ret_base, ret_descriptor);
}

shmrpc_pages client_memory_pages(const region *memory)
{
    shmrpc_pages pages = SHMRPC_PAGES_NONE;
    int held;

    if (memory->arena == NULL) {
        return SHMRPC_PAGES_NONE;
    }
    held = thread_hold();
    switch (pages_find(memory->arena, region_arena_size(&memory->geometry))) {
    case PAGES_ORDINARY: pages = SHMRPC_PAGES_ORDINARY; break;
    case PAGES_TRANSPARENT: pages = SHMRPC_PAGES_TRANSPARENT; break;
    case PAGES_HUGE: pages = SHMRPC_PAGES_HUGE; break;
    }
    thread_release(held);
    return pages;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "region.h"

#include "platform/memory.h"
#include "platform/semaphore.h"

#define LINE ((uint32_t)SHMRPC_SLOT_SIZE)

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

region_geometry region_plan(uint32_t depth, uint32_t blocks, uint32_t request_size, uint32_t reply_size)
{
    region_geometry plan = {0};
    uint32_t count;

    plan.depth = depth == 0 ? REGION_DEPTH : depth;
    plan.request_block_size = shmrpc_lane_block_size(request_size);
    plan.reply_block_size = shmrpc_lane_block_size(reply_size);
    if (plan.request_block_size == 0 && plan.reply_block_size == 0) {
        return plan;
    }
    count = shmrpc_lane_block_count(blocks == 0 ? SHMRPC_LANE_BLOCKS : blocks, plan.request_block_size,
                                    plan.reply_block_size);
    plan.request_block_count = plan.request_block_size == 0 ? 0 : count;
    plan.reply_block_count = plan.reply_block_size == 0 ? 0 : count;
    return plan;
}

uint32_t region_plan_arena(uint64_t wanted, uint64_t most, uint32_t request_size, uint32_t answer_size)
{
    const uint64_t least = shmrpc_arena_call_size(request_size, answer_size);
    uint64_t size = wanted == 0 ? shmrpc_arena_size(request_size, answer_size) : wanted;

    most = most < SHMRPC_ARENA_MOST ? most : SHMRPC_ARENA_MOST;
    if (least > most) {
        return 0;
    }
    size = size < least ? least : size < most ? size : most;
    return (uint32_t)(memory_round((size_t)size) / SHMRPC_ARENA_UNIT);
}

static bool blocks_are_valid(uint32_t size, uint32_t count)
{
    if (size == 0 || count == 0) {
        return size == 0 && count == 0;
    }
    return size % LINE == 0 && size <= SHMRPC_MESSAGE_MAX && count <= BLOCKS_MAX;
}

static bool depth_is_valid(uint32_t depth)
{
    return is_power_of_two(depth) && depth >= DEPTH_MIN && depth <= DEPTH_MAX;
}

bool region_check(const region_geometry *geometry)
{
    return depth_is_valid(geometry->depth) && (geometry->inbox_depth == 0 || depth_is_valid(geometry->inbox_depth)) &&
           blocks_are_valid(geometry->request_block_size, geometry->request_block_count) &&
           blocks_are_valid(geometry->reply_block_size, geometry->reply_block_count) &&
           geometry->arena_units <= SHMRPC_ARENA_MOST / SHMRPC_ARENA_UNIT &&
           memory_round(region_arena_size(geometry)) == region_arena_size(geometry);
}

size_t region_size(const region_geometry *geometry)
{
    uint64_t blocks = (uint64_t)geometry->request_block_size * geometry->request_block_count +
                      (uint64_t)geometry->reply_block_size * geometry->reply_block_count;

    return memory_round((size_t)shmrpc_lane_size((uint64_t)geometry->depth + geometry->inbox_depth, blocks));
}

void region_init(region *memory, void *base, const region_geometry *geometry)
{
    unsigned char *at = base;

    memory->geometry = *geometry;
    memory->semaphores = false;
    memory->membarrier = false;
    memory->arena = NULL;
    memory->shift = (unsigned)__builtin_ctz(geometry->depth);
    memory->size = region_size(geometry);
    memory->header = (lane_header *)base;
    at += sizeof(lane_header);
    memory->slots = (slot *)(void *)at;
    at += (size_t)geometry->depth * sizeof(slot);
    memory->inbox = (slot *)(void *)at;
    memory->inbox_shift = geometry->inbox_depth == 0 ? 0 : (unsigned)__builtin_ctz(geometry->inbox_depth);
    at += (size_t)geometry->inbox_depth * sizeof(slot);
    memory->request_blocks = at;
    at += (size_t)geometry->request_block_size * geometry->request_block_count;
    memory->reply_blocks = at;
}

unsigned char *region_reply_room(const region *memory, uint8_t block, uint32_t first, uint32_t count, uint32_t size)
{
    if (block == BLOCK_ARENA) {
        return size <= (uint64_t)count * SHMRPC_ARENA_UNIT ? region_unit(memory, first) : NULL;
    }
    return block == BLOCK_NONE || size > memory->geometry.reply_block_size ? NULL : region_reply_block(memory, block);
}

void region_format(region *memory)
{
    uint64_t first;

    atomic_store_explicit(&memory->header->wish, WISH_NONE, memory_order_relaxed);
    atomic_store_explicit(&memory->header->started, 0, memory_order_relaxed);
    atomic_store_explicit(&memory->header->closed, 0, memory_order_relaxed);
    atomic_store_explicit(&memory->header->inbox_read, 0, memory_order_relaxed);
    atomic_store_explicit(&memory->header->inbox_wanted, 0, memory_order_relaxed);
    semaphore_init(&memory->header->client_bell);
    semaphore_init(&memory->header->server_bell);
    for (first = 1; first <= memory->geometry.inbox_depth; first++) {
        atomic_store_explicit(&region_entry(memory, first)->word, word_before(first, memory->inbox_shift),
                              memory_order_relaxed);
    }
    /* Positions begin at 1, so the first position of slot 0 is that of the second lap. */
    for (first = 1; first <= memory->geometry.depth; first++) {
        atomic_store_explicit(&region_slot(memory, first)->word, word_before(first, memory->shift),
                              memory_order_release);
    }
}

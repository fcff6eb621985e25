/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_pair.h"

#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/event.h"

#include <sys/mman.h>
#include <unistd.h>

static int look(lane_peer *peer)
{
    lane_pair *pair = (lane_pair *)(void *)peer;

    pair->looks++;
    return pair->on_look == NULL ? 0 : pair->on_look(pair);
}

static void abandoned(lane_peer *peer, uint64_t position)
{
    lane_pair *pair = (lane_pair *)(void *)peer;

    ck_assert_uint_lt(pair->abandoned_count, PAIR_ABANDONED_MAX);
    pair->abandoned[pair->abandoned_count++] = position;
}

static bool is_gone(lane_caller *caller)
{
    return ((lane_pair *)(void *)((char *)caller - offsetof(lane_pair, caller)))->client_is_gone;
}

static void poke(lane_caller *caller)
{
    ((lane_pair *)(void *)((char *)caller - offsetof(lane_pair, caller)))->pokes++;
}

void lane_pair_init(lane_pair *pair, uint32_t depth, uint32_t blocks)
{
    lane_pair_init_with_inbox(pair, depth, blocks, 0);
}

void lane_pair_init_with_inbox(lane_pair *pair, uint32_t depth, uint32_t blocks, uint32_t inbox_depth)
{
    uint32_t block_size = blocks == 0 ? 0 : PAIR_BLOCK;
    region_geometry geometry = {depth, block_size, blocks, block_size, blocks, inbox_depth, 0};
    size_t size = region_size(&geometry);

    *pair = (lane_pair){.peer = {.look = look, .abandoned = abandoned},
                        .caller = {.is_gone = is_gone, .poke = poke},
                        .page = (size_t)sysconf(_SC_PAGESIZE)};
    ck_assert(region_check(&geometry));
    pair->guarded = mmap(NULL, size + 2 * pair->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(pair->guarded, MAP_FAILED);
    ck_assert_int_eq(mprotect(pair->guarded, pair->page, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(pair->guarded + pair->page + size, pair->page, PROT_NONE), 0);
    region_init(&pair->memory, pair->guarded + pair->page, &geometry);
    pair->bell = event_new();
    ck_assert_int_ge(pair->bell, 0);
    lane_server_init(&pair->server, &pair->memory, &pair->caller);
    ck_assert_int_eq(lane_client_init(&pair->client, &pair->memory, spin_for(0, false), pair->bell, &pair->peer), 0);
}

void lane_pair_deinit(lane_pair *pair)
{
    lane_client_deinit(&pair->client);
    (void)close(pair->bell);
    ck_assert_int_eq(munmap(pair->guarded, pair->memory.size + 2 * pair->page), 0);
}

void lane_pair_move_to(lane_pair *pair, uint64_t position)
{
    for (uint64_t p = position; p < position + pair->memory.geometry.depth; p++) {
        atomic_store(&region_slot(&pair->memory, p)->word, word_before(p, pair->memory.shift));
    }
    pair->client.next = position;
    pair->client.reaped = position;
    pair->client.seen = position;
    pair->client.unsent = 0;
    lane_server_expect(&pair->server, position);
}

uint64_t lane_pair_rings(lane_pair *pair)
{
    uint64_t rings = 0;

    return read(pair->bell, &rings, sizeof(rings)) == sizeof(rings) ? rings : 0;
}

uint32_t lane_pair_word(const lane_pair *pair, uint64_t position)
{
    return atomic_load(&region_slot(&pair->memory, position)->word);
}

lane_call lane_pair_call(lane_pair *pair, uint64_t value, uint32_t size, uint32_t reply_size)
{
    int64_t timeout_ns = CLOCK_NEVER;
    lane_call call;

    ck_assert_uint_ge(size, sizeof(value));
    ck_assert_int_eq(lane_client_begin(&pair->client, size, reply_size, &timeout_ns, &call), 0);
    memset(call.request, 0, size);
    memcpy(call.request, &value, sizeof(value));
    ck_assert_int_eq(lane_client_publish(&pair->client, &call, 5, size, timeout_ns), 0);
    return call;
}

void lane_pair_answer(lane_pair *pair, uint32_t size)
{
    lane_request request;
    uint64_t value;
    uint8_t block;
    void *to;

    ck_assert_int_eq(lane_server_take(&pair->server, &request), 1);
    ck_assert_uint_ge(request.length, sizeof(value));
    shared_copy_out(&value, request.payload, sizeof(value));
    value++;
    to = lane_server_place(&pair->server, &request, size, &block);
    ck_assert_ptr_nonnull(to);
    memset(to, 0, size);
    memcpy(to, &value, sizeof(value));
    lane_server_answer(&pair->server, &request, 0, size, block);
}

void lane_pair_expect_reply(lane_pair *pair, const lane_call *call, uint64_t value)
{
    lane_reply reply;
    uint64_t found;

    ck_assert_int_eq(lane_client_wait(&pair->client, call, 1), 0);
    ck_assert_int_eq(lane_client_reply(&pair->client, call, &reply), 0);
    ck_assert_int_eq(reply.status, 0);
    ck_assert_uint_ge(reply.length, sizeof(found));
    shared_copy_out(&found, reply.payload, sizeof(found));
    ck_assert_uint_eq(found, value);
    lane_client_end(&pair->client, call);
}

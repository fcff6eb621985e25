/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/region.h"
#include "runtime/shared.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- the plan ---- */

typedef struct plan_row {
    uint32_t depth, blocks, request_size, reply_size; /* asked for */
    region_geometry plan;
} plan_row;

static const plan_row plan_rows[] = {
    {0, 0, 0, 0, {64, 0, 0, 0, 0, 0, 0}},
    {0, 0, 48, 48, {64, 0, 0, 0, 0, 0, 0}},
    {2, 1, 49, 0, {2, 64, 1, 0, 0, 0, 0}},
    {2, 1, 0, 49, {2, 0, 0, 64, 1, 0, 0}},
    {64, 0, 64, 65, {64, 64, 8, 128, 8, 0, 0}},
    {16, 254, 64, 64, {16, 64, 254, 64, 254, 0, 0}},
    {65536, 254, 1000, 8, {65536, 1024, 254, 0, 0, 0, 0}},
    {4, 255, 2048, 8, {4, 2048, 128, 0, 0, 0, 0}},
    {4, 255, 4096, 4096, {4, 4096, 32, 4096, 32, 0, 0}},
    {4, 255, 65536, 0, {4, 65536, 4, 0, 0, 0, 0}},
    {4, 255, 65536, 65536, {4, 65536, 2, 65536, 2, 0, 0}},
    {4, 1, 65536, 65536, {4, 65536, 1, 65536, 1, 0, 0}},
};

START_TEST(plans_slots_and_blocks_for_messages)
{
    const plan_row *row = &plan_rows[_i];
    region_geometry plan = region_plan(row->depth, row->blocks, row->request_size, row->reply_size);

    ck_assert_uint_eq(plan.depth, row->plan.depth);
    ck_assert_uint_eq(plan.request_block_size, row->plan.request_block_size);
    ck_assert_uint_eq(plan.request_block_count, row->plan.request_block_count);
    ck_assert_uint_eq(plan.reply_block_size, row->plan.reply_block_size);
    ck_assert_uint_eq(plan.reply_block_count, row->plan.reply_block_count);
    ck_assert(region_check(&plan));
}
END_TEST

START_TEST(every_plan_keeps_to_the_total_of_blocks)
{
    for (uint32_t request = 0; request <= SHMRPC_MESSAGE_MAX; request += 1021) {
        for (uint32_t reply = 0; reply <= SHMRPC_MESSAGE_MAX; reply += 997) {
            region_geometry plan = region_plan(2, BLOCKS_MAX, request, reply);

            ck_assert(region_check(&plan));
            ck_assert_uint_le(plan.request_block_size * plan.request_block_count +
                                  plan.reply_block_size * plan.reply_block_count,
                              REGION_BLOCKS_TOTAL);
            ck_assert(plan.request_block_size >= request || request <= SHMRPC_SLOT_PAYLOAD);
            ck_assert(plan.reply_block_size >= reply || reply <= SHMRPC_SLOT_PAYLOAD);
        }
    }
}
END_TEST

/* ---- arenas ---- */

typedef struct arena_row {
    uint64_t wanted, most;
    uint32_t request_size, answer_size;
    uint64_t size;
} arena_row;

#define MIB (UINT64_C(1024) * 1024)
#define UNIT UINT64_C(4096)

static const arena_row arena_rows[] = {
    {0, 64 * MIB, 65537, 0, MIB},
    {0, 64 * MIB, MIB, MIB, 4 * MIB},
    {0, 64 * MIB, MIB + 1, 8, 2 * (MIB + 2 * UNIT)},
    {0, 4096 * MIB, 1024 * MIB, 1024 * MIB, 4096 * MIB},
    {0, 2 * MIB, MIB, MIB, 2 * MIB},
    {0, 2 * MIB - UNIT, MIB, MIB, 0},
    {1, 64 * MIB, MIB, MIB, 2 * MIB},
    {8 * MIB + 1, 64 * MIB, MIB, MIB, 8 * MIB + UNIT},
    {65 * MIB, 64 * MIB, MIB, MIB, 64 * MIB},
    {UINT64_MAX, UINT64_MAX, MIB, MIB, 4096 * MIB},
    {0, UINT64_MAX, UINT32_MAX, UINT32_MAX, 0},
    {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, 0},
};

START_TEST(plans_an_arena_for_at_least_one_call)
{
    const arena_row *row = &arena_rows[_i];
    uint32_t units = region_plan_arena(row->wanted, row->most, row->request_size, row->answer_size);
    const region_geometry geometry = {.depth = 2, .arena_units = units};

    ck_assert_uint_eq(units * UNIT, row->size);
    ck_assert(region_check(&geometry));
}
END_TEST

START_TEST(what_lies_in_the_arena_is_bounded_whatever_the_peer_says)
{
    static unsigned char bytes[4 * UNIT];
    const region none = {.geometry = {.depth = 2, .arena_units = 4}};
    const region memory = {.geometry = {.depth = 2, .arena_units = 4}, .arena = bytes};

    ck_assert(region_arena_holds(&memory, 0, 4 * UNIT));
    ck_assert(region_arena_holds(&memory, 3, UNIT));
    ck_assert(region_arena_holds(&memory, 4, 0));
    ck_assert(!region_arena_holds(&memory, 0, 4 * UNIT + 1));
    ck_assert(!region_arena_holds(&memory, 3, UNIT + 1));
    ck_assert(!region_arena_holds(&memory, 4, 1));
    ck_assert(!region_arena_holds(&memory, 5, 0));
    ck_assert(!region_arena_holds(&memory, UINT32_MAX, 0));
    ck_assert(!region_arena_holds(&memory, UINT32_MAX, UINT32_MAX));
    ck_assert(!region_arena_holds(&memory, 1, UINT64_MAX));
    ck_assert(!region_arena_holds(&none, 0, 0));
    ck_assert_ptr_eq(region_unit(&memory, 3), bytes + 3 * UNIT);
    ck_assert_ptr_eq(region_reply_room(&memory, BLOCK_ARENA, 2, 2, 2 * UNIT), bytes + 2 * UNIT);
    ck_assert_ptr_null(region_reply_room(&memory, BLOCK_ARENA, 2, 2, 2 * UNIT + 1));
    ck_assert_ptr_null(region_reply_room(&memory, BLOCK_NONE, 0, 0, 49));
}
END_TEST

/* ---- what is possible ---- */

typedef struct check_row {
    region_geometry geometry;
    bool possible;
} check_row;

static const check_row check_rows[] = {
    {{2, 0, 0, 0, 0, 0, 0}, true},
    {{65536, 65536, 254, 65536, 254, 0, 0}, true},
    {{64, 64, 1, 0, 0, 0, 0}, true},
    {{0, 0, 0, 0, 0, 0, 0}, false},
    {{1, 0, 0, 0, 0, 0, 0}, false},
    {{3, 0, 0, 0, 0, 0, 0}, false},
    {{65535, 0, 0, 0, 0, 0, 0}, false},
    {{131072, 0, 0, 0, 0, 0, 0}, false},
    {{UINT32_C(1) << 31, 0, 0, 0, 0, 0, 0}, false},
    {{64, 64, 0, 0, 0, 0, 0}, false},
    {{64, 0, 1, 0, 0, 0, 0}, false},
    {{64, 63, 1, 0, 0, 0, 0}, false},
    {{64, 65, 1, 0, 0, 0, 0}, false},
    {{64, 65536 + 64, 1, 0, 0, 0, 0}, false},
    {{64, UINT32_MAX - 63, 1, 0, 0, 0, 0}, false},
    {{64, 64, 255, 0, 0, 0, 0}, false},
    {{64, 64, UINT32_MAX, 0, 0, 0, 0}, false},
    {{64, 0, 0, 64, 0, 0, 0}, false},
    {{64, 0, 0, 0, 1, 0, 0}, false},
    {{64, 0, 0, 48, 1, 0, 0}, false},
    {{64, 0, 0, 131072, 1, 0, 0}, false},
    {{64, 0, 0, 64, 255, 0, 0}, false},
    {{64, 0, 0, 0, 0, 2, 0}, true},
    {{64, 0, 0, 0, 0, 65536, 0}, true},
    {{64, 0, 0, 0, 0, 1, 0}, false},
    {{64, 0, 0, 0, 0, 3, 0}, false},
    {{64, 0, 0, 0, 0, 131072, 0}, false},
    {{64, 0, 0, 0, 0, UINT32_C(1) << 31, 0}, false},
    {{64, 0, 0, 0, 0, 0, 256}, true},
    {{64, 0, 0, 0, 0, 0, UINT32_C(1) << 20}, true},
    {{64, 0, 0, 0, 0, 0, (UINT32_C(1) << 20) + 16}, false},
    {{64, 0, 0, 0, 0, 0, UINT32_MAX}, false},
};

START_TEST(checks_every_number_of_a_geometry)
{
    const check_row *row = &check_rows[_i];

    ck_assert_msg(region_check(&row->geometry) == row->possible, "row %d", _i);
}
END_TEST

/* ---- the layout ---- */

START_TEST(the_largest_memory_has_its_parts_in_order_and_ends_in_a_whole_page)
{
    const region_geometry geometry = {65536, 65536, 254, 64, 3, 32768, 0};
    size_t slots = sizeof(lane_header);
    size_t inbox = slots + (size_t)65536 * 64;
    size_t requests = inbox + (size_t)32768 * 64;
    size_t replies = requests + (size_t)65536 * 254;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *base = aligned_alloc(page, region_size(&geometry));
    region memory;

    ck_assert_ptr_nonnull(base);
    ck_assert_uint_eq(region_size(&geometry), (replies + 3 * 64 + page - 1) / page * page);
    region_init(&memory, base, &geometry);
    ck_assert_ptr_eq((unsigned char *)memory.header, base);
    ck_assert_ptr_eq((unsigned char *)region_slot(&memory, 0), base + slots);
    ck_assert_ptr_eq((unsigned char *)region_slot(&memory, 65535), base + slots + 65535 * 64);
    ck_assert_ptr_eq((unsigned char *)region_slot(&memory, 65537), base + slots + 64);
    ck_assert_ptr_eq((unsigned char *)region_entry(&memory, 32768), base + inbox);
    ck_assert_ptr_eq((unsigned char *)region_entry(&memory, 32767), base + inbox + 32767 * 64);
    ck_assert_ptr_eq(region_request_block(&memory, 1), base + requests);
    ck_assert_ptr_eq(region_request_block(&memory, 254), base + requests + (size_t)253 * 65536);
    ck_assert_ptr_eq(region_reply_block(&memory, 1), base + replies);
    ck_assert_ptr_eq(region_reply_block(&memory, 3), base + replies + 2 * 64);
    ck_assert_uint_eq(memory.shift, 16);
    ck_assert_uint_eq(memory.inbox_shift, 15);
    free(base);
}
END_TEST

START_TEST(a_fresh_memory_holds_the_replies_of_the_lap_before)
{
    const region_geometry geometry = {4, 0, 0, 0, 0, 2, 0};
    unsigned char *base = aligned_alloc(128, region_size(&geometry));
    region memory;

    ck_assert_ptr_nonnull(base);
    memset(base, 0xa5, region_size(&geometry));
    region_init(&memory, base, &geometry);
    region_format(&memory);
    ck_assert_uint_eq(atomic_load(&memory.header->wish), WISH_NONE);
    ck_assert_uint_eq(shared_get_started(memory.header), 0);
    ck_assert(!shared_get_closed(memory.header));
    ck_assert_uint_eq(shared_get_inbox_read(memory.header), 0);
    ck_assert_uint_eq(atomic_load(&memory.header->inbox_wanted), 0);
    for (uint64_t number = 1; number <= 2; number++) {
        ck_assert_uint_eq(shared_load_word(region_entry(&memory, number)), word_before(number, memory.inbox_shift));
    }
    for (uint64_t position = 1; position <= 4; position++) {
        ck_assert_uint_eq(shared_load_word(region_slot(&memory, position)), word_before(position, memory.shift));
    }
    /* Written out: slots 1 to 3 begin in lap 0, after lap -1; slot 0 begins with position 4, in lap 1. */
    ck_assert_uint_eq(shared_load_word(&memory.slots[1]), UINT32_C(0xfffffff2));
    ck_assert_uint_eq(shared_load_word(&memory.slots[0]), UINT32_C(0x00000002));
    free(base);
}
END_TEST

/* ---- words ---- */

START_TEST(the_words_of_a_position_differ_from_those_of_its_neighbours_in_time)
{
    static const unsigned shifts[] = {1, 6, 16};

    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        uint64_t depth = UINT64_C(1) << shifts[i];
        uint64_t wrap = depth << 28; /* where the lap's 28 bits begin again */
        const uint64_t positions[] = {1, depth - 1, depth, wrap - 1, wrap, wrap + 1, wrap * 2 - 1, UINT64_MAX - depth};

        for (size_t k = 0; k < sizeof(positions) / sizeof(positions[0]); k++) {
            uint64_t p = positions[k];

            ck_assert_uint_eq(word_before(p + depth, shifts[i]), word_reply(p, shifts[i]));
            ck_assert_uint_ne(word_request(p, shifts[i]), word_request(p + depth, shifts[i]));
            ck_assert_uint_ne(word_reply(p, shifts[i]), word_request(p, shifts[i]));
            ck_assert_uint_eq(word_request(p, shifts[i]) & WORD_MARKS, 0);
            ck_assert_uint_eq(word_reply(p, shifts[i]) & WORD_MARKS, 0);
        }
        ck_assert_uint_eq(word_request(wrap, shifts[i]), WORD_REQUEST);
        ck_assert_uint_eq(word_before(wrap, shifts[i]), UINT32_C(0xfffffff0) | WORD_REPLY);
    }
}
END_TEST

START_TEST(a_wish_is_reached_from_its_position_on_also_over_the_wrap)
{
    const uint64_t positions[] = {1,
                                  1000,
                                  (UINT64_C(1) << 31) - 1,
                                  UINT64_C(1) << 31,
                                  (UINT64_C(1) << 31) + 1,
                                  (UINT64_C(1) << 32) - 1,
                                  UINT64_C(1) << 32,
                                  (UINT64_C(1) << 40) + 7};

    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        uint64_t p = positions[i];
        uint32_t wish = wish_of(p, WISH_CALL);

        ck_assert_uint_ne(wish, WISH_NONE);
        ck_assert(wish_reached(wish, p));
        ck_assert(wish_reached(wish, p + 1));
        ck_assert(wish_reached(wish, p + DEPTH_MAX));
        ck_assert(!wish_reached(wish, p - 1));
        if (p > DEPTH_MAX) {
            ck_assert(!wish_reached(wish, p - DEPTH_MAX));
        }
    }
    ck_assert(!wish_reached(wish_of(1, WISH_INBOX | WISH_POKE), 1)); /* no wish for a call */
    ck_assert(!wish_reached(WISH_NONE, 1));
    ck_assert(!wish_reached(WISH_NONE, 0));
}
END_TEST

static Suite *region_suite(void)
{
    Suite *suite = suite_create("runtime_region");
    TCase *tests = tcase_create("region");

    tcase_add_loop_test(tests, plans_slots_and_blocks_for_messages, 0, sizeof(plan_rows) / sizeof(plan_rows[0]));
    tcase_add_test(tests, every_plan_keeps_to_the_total_of_blocks);
    tcase_add_loop_test(tests, plans_an_arena_for_at_least_one_call, 0, sizeof(arena_rows) / sizeof(arena_rows[0]));
    tcase_add_test(tests, what_lies_in_the_arena_is_bounded_whatever_the_peer_says);
    tcase_add_loop_test(tests, checks_every_number_of_a_geometry, 0, sizeof(check_rows) / sizeof(check_rows[0]));
    tcase_add_test(tests, the_largest_memory_has_its_parts_in_order_and_ends_in_a_whole_page);
    tcase_add_test(tests, a_fresh_memory_holds_the_replies_of_the_lap_before);
    tcase_add_test(tests, the_words_of_a_position_differ_from_those_of_its_neighbours_in_time);
    tcase_add_test(tests, a_wish_is_reached_from_its_position_on_also_over_the_wrap);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(region_suite)

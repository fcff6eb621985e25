/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/arena.h"

#include <stdlib.h>
#include <string.h>

#define UNITS 64u

static arena book;

static void expect(uint16_t number, uint32_t first, uint32_t count)
{
    ck_assert(arena_has_number(number));
    ck_assert_uint_eq(arena_find(&book, number).first, first);
    ck_assert_uint_eq(arena_find(&book, number).count, count);
}

static void setup(void)
{
    arena_init(&book, UNITS);
}

START_TEST(gives_out_the_first_gap_that_is_large_enough)
{
    uint16_t a = arena_take(&book, 10);
    uint16_t b = arena_take(&book, 20);
    uint16_t c = arena_take(&book, 30);

    expect(a, 0, 10);
    expect(b, 10, 20);
    expect(c, 30, 30);
    ck_assert_uint_eq(arena_take(&book, 5), BLOCK_NONE);
    arena_give(&book, b);
    expect(arena_take(&book, 4), 10, 4);
    ck_assert_uint_eq(arena_take(&book, 17), BLOCK_NONE);
    expect(arena_take(&book, 16), 14, 16);
    expect(arena_take(&book, 4), 60, 4);
    ck_assert_uint_eq(arena_take(&book, 1), BLOCK_NONE);
}
END_TEST

START_TEST(what_is_next_to_each_other_comes_back_as_one)
{
    uint16_t all[UNITS];

    for (uint32_t i = 0; i < UNITS; i++)
        all[i] = arena_take(&book, 1);
    ck_assert_uint_eq(arena_take(&book, 1), BLOCK_NONE);
    for (uint32_t i = 0; i < UNITS; i += 2)
        arena_give(&book, all[i]);
    ck_assert_uint_eq(arena_take(&book, 2), BLOCK_NONE);
    for (uint32_t i = 1; i < UNITS; i += 2)
        arena_give(&book, all[i]);
    expect(arena_take(&book, UNITS), 0, UNITS);
}
END_TEST

START_TEST(sizes_beyond_any_arena_find_nothing)
{
    ck_assert_uint_eq(arena_take(&book, UNITS + 1), BLOCK_NONE);
    ck_assert_uint_eq(arena_take(&book, UINT32_MAX), BLOCK_NONE);
    ck_assert_uint_ne(arena_take(&book, 1), BLOCK_NONE);
    ck_assert_uint_eq(arena_take(&book, UINT32_MAX), BLOCK_NONE);
    arena_init(&book, 0);
    ck_assert_uint_eq(arena_take(&book, 1), BLOCK_NONE);
}
END_TEST

START_TEST(there_are_as_many_extents_as_numbers)
{
    static bool is_known[UINT16_MAX + 1];
    uint16_t number = BLOCK_NONE;

    arena_init(&book, 1000);
    memset(is_known, 0, sizeof(is_known));
    for (uint32_t i = 0; i < ARENA_EXTENTS_MAX; i++) {
        number = arena_take(&book, 1);
        ck_assert(arena_has_number(number) && !is_known[number]);
        is_known[number] = true;
    }
    ck_assert_uint_eq(arena_take(&book, 1), BLOCK_NONE);
    arena_give(&book, number);
    ck_assert_uint_eq(arena_take(&book, 1), number);
}
END_TEST

START_TEST(numbers_of_extents_are_not_those_of_blocks)
{
    ck_assert(!arena_has_number(BLOCK_NONE));
    for (uint16_t number = 1; number <= BLOCKS_MAX; number++)
        ck_assert(!arena_has_number(number));
    ck_assert_uint_gt(arena_take(&book, 1), BLOCKS_MAX);
}
END_TEST

START_TEST(all_that_is_not_held_comes_back_at_once)
{
    bool is_held[ARENA_EXTENTS_MAX] = {false};
    uint16_t a = arena_take(&book, 16);
    uint16_t b = arena_take(&book, 16);
    uint16_t c = arena_take(&book, 16);
    uint16_t d = arena_take(&book, 16);

    is_held[arena_index(b)] = true;
    arena_keep(&book, is_held);
    expect(b, 16, 16);
    ck_assert_uint_eq(arena_find(&book, a).count, 0);
    ck_assert_uint_eq(arena_find(&book, c).count, 0);
    ck_assert_uint_eq(arena_find(&book, d).count, 0);
    expect(arena_take(&book, 32), 32, 32);
    expect(arena_take(&book, 16), 0, 16);
    ck_assert_uint_eq(book.used, 3);
}
END_TEST

/* ---- against a simple model: who has each unit ---- */

#define MODEL_UNITS 300u
#define MODEL_STEPS 20000u

static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * limit >> 24);
}

/* The first gap of so many units, found unit by unit; MODEL_UNITS: none. */
static uint32_t model_gap(const uint16_t *owners, uint32_t count)
{
    uint32_t length = 0;

    for (uint32_t unit = 0; unit < MODEL_UNITS; unit++) {
        length = owners[unit] == BLOCK_NONE ? length + 1 : 0;
        if (length == count)
            return unit + 1 - count;
    }
    return MODEL_UNITS;
}

static void model_set(uint16_t *owners, arena_extent extent, uint16_t owner)
{
    for (uint32_t unit = extent.first; unit < extent.first + extent.count; unit++) {
        ck_assert((owners[unit] == BLOCK_NONE) != (owner == BLOCK_NONE));
        owners[unit] = owner;
    }
}

START_TEST(is_like_a_list_of_owners_of_each_unit)
{
    uint16_t owners[MODEL_UNITS] = {BLOCK_NONE};
    uint16_t out[ARENA_EXTENTS_MAX];
    uint32_t count = 0;

    seed = (uint32_t)_i * 7919u + 1;
    arena_init(&book, MODEL_UNITS);
    for (uint32_t step = 0; step < MODEL_STEPS; step++) {
        bool grows = random_below(1000) < (step / 2000 % 2 == 0 ? 600u : 400u);

        if (grows || count == 0) {
            uint32_t size = 1 + random_below(_i % 2 == 0 ? 40 : 3);
            uint32_t first = model_gap(owners, size);
            uint16_t number = arena_take(&book, size);

            ck_assert((number == BLOCK_NONE) == (first == MODEL_UNITS || count == ARENA_EXTENTS_MAX));
            if (number != BLOCK_NONE) {
                expect(number, first, size);
                model_set(owners, arena_find(&book, number), number);
                out[count++] = number;
            }
        } else {
            uint32_t which = random_below(count);
            arena_extent extent = arena_find(&book, out[which]);

            model_set(owners, extent, BLOCK_NONE);
            arena_give(&book, out[which]);
            out[which] = out[--count];
        }
        ck_assert_uint_eq(book.used, count);
    }
}
END_TEST

static Suite *arena_suite(void)
{
    Suite *suite = suite_create("runtime_arena");
    TCase *tests = tcase_create("arena");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, gives_out_the_first_gap_that_is_large_enough);
    tcase_add_test(tests, what_is_next_to_each_other_comes_back_as_one);
    tcase_add_test(tests, sizes_beyond_any_arena_find_nothing);
    tcase_add_test(tests, there_are_as_many_extents_as_numbers);
    tcase_add_test(tests, numbers_of_extents_are_not_those_of_blocks);
    tcase_add_test(tests, all_that_is_not_held_comes_back_at_once);
    tcase_add_loop_test(tests, is_like_a_list_of_owners_of_each_unit, 0, 8);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(arena_suite)

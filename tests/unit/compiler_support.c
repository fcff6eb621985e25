/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>
#include <string.h>

#include "support/arena.h"
#include "support/buffer.h"
#include "support/checked.h"
#include "support/map.h"
#include "support/text.h"
#include "support/vector.h"

static arena *memory;

static void open_arena(void)
{
    memory = arena_new();
}

static void close_arena(void)
{
    memory = arena_free(memory);
    ck_assert_ptr_null(memory);
}

START_TEST(arena_gives_zeroed_aligned_memory_that_does_not_overlap)
{
    unsigned char *last = NULL;
    size_t last_size = 0;
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *bytes = arena_alloc(memory, size);
        ck_assert_uint_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(bytes[i], 0);
        memset(bytes, 0xff, size);
        ck_assert(!last || bytes >= last + last_size || bytes + size <= last);
        last = bytes;
        last_size = size;
    }
}
END_TEST

START_TEST(arena_goes_on_in_its_block_after_a_large_allocation)
{
    char *first = arena_alloc(memory, 16);
    memset(arena_alloc(memory, (size_t)4 * 1024 * 1024), 1, (size_t)4 * 1024 * 1024);
    char *second = arena_alloc(memory, 16);
    ck_assert_ptr_eq(second, first + 16);
}
END_TEST

START_TEST(arena_starts_anew_once_cleared)
{
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(memory, 100000), 0xff, 100000);
    arena_clear(memory);
    unsigned char *bytes = arena_alloc(memory, 64);
    for (size_t i = 0; i < 64; i++)
        ck_assert_uint_eq(bytes[i], 0);
    arena_clear(memory);
    arena_clear(memory);
    ck_assert_str_eq(arena_printf(memory, "%d", 7), "7");
}
END_TEST

START_TEST(arena_is_zero_behind_a_text_that_did_not_fit)
{
    char *text = arena_alloc(memory, 1000);
    memset(text, 'x', 999);
    for (int i = 0; i < 2000; i++) {
        ck_assert_uint_eq(strlen(arena_printf(memory, "%s%d", text, i % 10)), 1000);
        unsigned char *bytes = arena_alloc(memory, 32);
        for (size_t j = 0; j < 32; j++)
            ck_assert_uint_eq(bytes[j], 0);
    }
}
END_TEST

START_TEST(arena_gives_distinct_pointers_for_nothing)
{
    ck_assert_ptr_ne(arena_alloc(memory, 0), arena_alloc(memory, 0));
}
END_TEST

START_TEST(arena_formats_texts_of_any_length)
{
    char long_text[5000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    ck_assert_str_eq(arena_printf(memory, "%d-%s", 7, "a"), "7-a");
    ck_assert_uint_eq(strlen(arena_printf(memory, "%s%s", long_text, long_text)), 9998);
    ck_assert_str_eq(arena_copy(memory, "abcdef", 3), "abc");
}
END_TEST

START_TEST(arena_free_takes_null)
{
    ck_assert_ptr_null(arena_free(NULL));
}
END_TEST

START_TEST(buffer_grows_and_stays_terminated)
{
    buffer text = {0};
    for (int i = 0; i < 10000; i++) {
        buffer_printf(&text, "%d,", i % 10);
        ck_assert_uint_eq(text.length, (size_t)(i + 1) * 2);
        ck_assert_int_eq(text.data[text.length], '\0');
    }
    buffer_append(&text, "a\0b", 3);
    ck_assert_uint_eq(text.length, 20003);
    ck_assert_int_eq(memcmp(text.data + 20000, "a\0b", 4), 0);
    buffer_deinit(&text);
    ck_assert_ptr_null(text.data);
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(vector_keeps_its_elements_when_it_grows)
{
    vector list = VECTOR_OF(uint64_t);
    for (uint64_t i = 0; i < 1000; i++)
        *(uint64_t *)vector_add(&list, memory) = i * i;
    ck_assert_uint_eq(list.count, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(*VECTOR_AT(&list, uint64_t, i), i * i);
}
END_TEST

START_TEST(map_finds_what_was_added_and_nothing_else)
{
    map names = {0};
    int values[1000];
    ck_assert_ptr_null(map_find(&names, "none"));
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_null(map_add(&names, memory, arena_printf(memory, "name%d", i), &values[i]));
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq(map_find(&names, arena_printf(memory, "name%d", i)), &values[i]);
    ck_assert_ptr_null(map_find(&names, "name1000"));
    ck_assert_ptr_null(map_find(&names, ""));
}
END_TEST

START_TEST(map_keeps_the_first_of_two_with_one_name)
{
    map names = {0};
    int first;
    int second;
    ck_assert_ptr_null(map_add(&names, memory, "name", &first));
    ck_assert_ptr_eq(map_add(&names, memory, "name", &second), &first);
    ck_assert_ptr_eq(map_find(&names, "name"), &first);
    ck_assert_uint_eq(names.count, 1);
}
END_TEST

START_TEST(checked_arithmetic_refuses_what_overflows)
{
    uint64_t result = 42;
    ck_assert(checked_add(UINT64_MAX - 1, 1, &result));
    ck_assert_uint_eq(result, UINT64_MAX);
    result = 42;
    ck_assert(!checked_add(UINT64_MAX, 1, &result));
    ck_assert(!checked_multiply(UINT64_C(1) << 32, UINT64_C(1) << 32, &result));
    ck_assert(!checked_round_up(UINT64_MAX - 2, 8, &result));
    ck_assert_uint_eq(result, 42);
    ck_assert(checked_round_up(17, 8, &result));
    ck_assert_uint_eq(result, 24);
    ck_assert(checked_round_up(24, 8, &result));
    ck_assert_uint_eq(result, 24);
}
END_TEST

START_TEST(utf8_decodes_what_it_encodes)
{
    for (uint32_t character = 1; character <= 0x10ffff; character += character < 0x900 ? 1 : 97) {
        char bytes[4];
        uint32_t again = 0;
        if (character >= 0xd800 && character <= 0xdfff)
            continue;
        size_t length = utf8_encode(character, bytes);
        ck_assert_uint_eq(utf8_decode(bytes, length, &again), length);
        ck_assert_uint_eq(again, character);
        ck_assert_uint_eq(utf8_decode(bytes, length - 1, &again), 0);
    }
}
END_TEST

START_TEST(utf8_refuses_overlong_forms_surrogates_and_what_is_beyond)
{
    const char *const wrong[] = {
        "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80", "\x80",         "\xff",         "\xc3("};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_uint_eq(utf8_decode(wrong[i], strlen(wrong[i]), NULL), 0);
    size_t offset = 0;
    ck_assert(!utf8_valid("ab\xff", 3, &offset));
    ck_assert_uint_eq(offset, 2);
    ck_assert(utf8_valid("", 0, &offset));
}
END_TEST

START_TEST(distance_counts_slips_of_the_finger)
{
    ck_assert_uint_eq(text_distance("same", "same", 3), 0);
    ck_assert_uint_eq(text_distance("Same", "sAME", 3), 0);
    ck_assert_uint_eq(text_distance("colour", "color", 3), 1);
    ck_assert_uint_eq(text_distance("colour", "coluor", 3), 1);
    ck_assert_uint_eq(text_distance("abc", "xyz", 3), 3);
    ck_assert_uint_eq(text_distance("abcdef", "uvwxyz", 3), 4);
    ck_assert_uint_eq(text_distance("", "abcdef", 3), 4);
}
END_TEST

START_TEST(guess_keeps_the_nearest_and_nothing_far)
{
    text_guess guess = {.wanted = "mesage"};
    text_guess_offer(&guess, "zebra");
    ck_assert_ptr_null(guess.nearest);
    text_guess_offer(&guess, "massage");
    text_guess_offer(&guess, "message");
    text_guess_offer(&guess, "messages");
    ck_assert_str_eq(guess.nearest, "message");
    text_guess short_name = {.wanted = "x"};
    text_guess_offer(&short_name, "y");
    ck_assert_ptr_null(short_name.nearest);
}
END_TEST

static Suite *support_suite(void)
{
    Suite *suite = suite_create("compiler_support");
    TCase *tests = tcase_create("support");

    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, arena_gives_zeroed_aligned_memory_that_does_not_overlap);
    tcase_add_test(tests, arena_goes_on_in_its_block_after_a_large_allocation);
    tcase_add_test(tests, arena_starts_anew_once_cleared);
    tcase_add_test(tests, arena_is_zero_behind_a_text_that_did_not_fit);
    tcase_add_test(tests, arena_gives_distinct_pointers_for_nothing);
    tcase_add_test(tests, arena_formats_texts_of_any_length);
    tcase_add_test(tests, arena_free_takes_null);
    tcase_add_test(tests, buffer_grows_and_stays_terminated);
    tcase_add_test(tests, vector_keeps_its_elements_when_it_grows);
    tcase_add_test(tests, map_finds_what_was_added_and_nothing_else);
    tcase_add_test(tests, map_keeps_the_first_of_two_with_one_name);
    tcase_add_test(tests, checked_arithmetic_refuses_what_overflows);
    tcase_add_test(tests, utf8_decodes_what_it_encodes);
    tcase_add_test(tests, utf8_refuses_overlong_forms_surrogates_and_what_is_beyond);
    tcase_add_test(tests, distance_counts_slips_of_the_finger);
    tcase_add_test(tests, guess_keeps_the_nearest_and_nothing_far);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(support_suite)

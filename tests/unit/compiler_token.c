/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>
#include <string.h>

#include "token.h"

static arena *memory;
static diag *diagnostics;

static void open_diag(void)
{
    memory = arena_new();
    diagnostics = diag_new(memory);
}

static void close_diag(void)
{
    memory = arena_free(memory);
}

static span span_of(const char *text)
{
    uint32_t size = (uint32_t)strlen(text);
    return (span){source_new(memory, "a.shm", "a.shm", text, size), 0, size};
}

static void assert_integer(const char *text, ast_expr_kind kind, uint64_t value)
{
    const ast_expr *expr = token_number(memory, diagnostics, span_of(text));
    ck_assert_int_eq(expr->kind, kind);
    ck_assert_uint_eq(expr->integer, value);
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
}

static void assert_faulty(const char *text)
{
    size_t before = diag_errors(diagnostics);
    const ast_expr *expr = token_number(memory, diagnostics, span_of(text));
    ck_assert_msg(expr->kind == AST_FAULTY, "%s", text);
    ck_assert_uint_eq(diag_errors(diagnostics), before + 1);
}

START_TEST(reads_integers_in_three_bases)
{
    assert_integer("0", AST_INTEGER, 0);
    assert_integer("18446744073709551615", AST_INTEGER, UINT64_MAX);
    assert_integer("0xffff_FFFF", AST_INTEGER, UINT32_MAX);
    assert_integer("0xFFFFFFFFFFFFFFFF", AST_INTEGER, UINT64_MAX);
    assert_integer("0b1010_1010", AST_INTEGER, 0xaa);
    assert_integer("1_000_000", AST_INTEGER, 1000000);
}
END_TEST

START_TEST(reads_sizes_and_times)
{
    assert_integer("4KiB", AST_INTEGER, 4096);
    assert_integer("3MiB", AST_INTEGER, UINT64_C(3) << 20);
    assert_integer("17179869183GiB", AST_INTEGER, UINT64_C(17179869183) << 30);
    assert_integer("7B", AST_INTEGER, 7);
    assert_integer("0B", AST_INTEGER, 0);
    assert_integer("5ns", AST_DURATION, 5);
    assert_integer("5us", AST_DURATION, 5000);
    assert_integer("50ms", AST_DURATION, 50000000);
    assert_integer("9223372036s", AST_DURATION, UINT64_C(9223372036000000000));
}
END_TEST

START_TEST(reads_floats_exactly)
{
    const struct {
        const char *text;
        double value;
    } floats[] = {{"1.5", 1.5}, {"0.1", 0.1}, {"1e3", 1e3}, {"1_0.2_5e-1_0", 10.25e-10}, {"2.5E+2", 250}, {"0e0", 0}};
    for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++) {
        const ast_expr *expr = token_number(memory, diagnostics, span_of(floats[i].text));
        ck_assert_int_eq(expr->kind, AST_FLOAT);
        ck_assert(expr->real == floats[i].value);
    }
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
}
END_TEST

START_TEST(refuses_numbers_with_one_word_each)
{
    const char *const wrong[] = {"18446744073709551616",
                                 "0x1_0000_0000_0000_0000",
                                 "00",
                                 "012",
                                 "0x",
                                 "0b",
                                 "0b2",
                                 "0xg",
                                 "1_",
                                 "1__0",
                                 "0x_1",
                                 "5kb",
                                 "5KIB",
                                 "5m",
                                 "1.5ms",
                                 "1.5x",
                                 "1e",
                                 "1e999",
                                 "17179869184GiB",
                                 "9223372037s",
                                 "0x5ms",
                                 "12abc"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_faulty(wrong[i]);
}
END_TEST

static void assert_string(const char *literal, const char *text)
{
    ast_string string = token_string(memory, diagnostics, span_of(literal));
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(string.length, strlen(text));
    ck_assert_str_eq(string.text, text);
}

START_TEST(unescapes_strings)
{
    assert_string("\"\"", "");
    assert_string("\"abc\"", "abc");
    assert_string("\"\\\\ \\\" \\n \\t \\r\"", "\\ \" \n \t \r");
    assert_string("\"\\x41\\u{42}\\u{e9}\\u{20AC}\\u{1F600}\"", "AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string("\"\\xc3\\xa9\"", "\xc3\xa9");
}
END_TEST

START_TEST(refuses_escapes_that_make_no_text)
{
    const char *const wrong[] = {"\"\\a\"",    "\"\\x4\"",   "\"\\xg0\"",     "\"\\x00\"",
                                 "\"\\u{}\"",  "\"\\u{0}\"", "\"\\u{d800}\"", "\"\\u{110000}\"",
                                 "\"\\u{41\"", "\"\\xff\"",  "\"\\u41\""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        token_string(memory, diagnostics, span_of(wrong[i]));
        ck_assert_msg(diag_errors(diagnostics) == i + 1, "%s", wrong[i]);
    }
}
END_TEST

static Suite *token_suite(void)
{
    Suite *suite = suite_create("compiler_token");
    TCase *tests = tcase_create("token");

    tcase_add_checked_fixture(tests, open_diag, close_diag);
    tcase_add_test(tests, reads_integers_in_three_bases);
    tcase_add_test(tests, reads_sizes_and_times);
    tcase_add_test(tests, reads_floats_exactly);
    tcase_add_test(tests, refuses_numbers_with_one_word_each);
    tcase_add_test(tests, unescapes_strings);
    tcase_add_test(tests, refuses_escapes_that_make_no_text);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(token_suite)

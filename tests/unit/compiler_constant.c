/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"

static const model_value *constant(const model *compiled, const char *name)
{
    const model_decl *decl = schema_decl(compiled, name);
    ck_assert_ptr_nonnull(decl);
    ck_assert_int_eq(decl->kind, MODEL_DECL_CONST);
    return &decl->as.constant->value;
}

static void assert_constant(const char *expression, bool negative, uint64_t magnitude)
{
    char text[256];
    snprintf(text, sizeof(text), "const %s X = %s;", negative ? "int64" : "uint64", expression);
    const model_value *value = constant(schema_good(text), "X");
    ck_assert_int_eq(value->kind, MODEL_VALUE_INT);
    ck_assert(value->negative == negative);
    ck_assert_uint_eq(value->magnitude, magnitude);
}

START_TEST(evaluates_with_the_precedence_of_c)
{
    assert_constant("1 + 2 * 3", false, 7);
    assert_constant("(1 + 2) * 3", false, 9);
    assert_constant("10 - 4 - 3", false, 3);
    assert_constant("1 | 6 & 3 ^ 1", false, 3);
    assert_constant("1 << 2 + 1", false, 8);
    assert_constant("-7 / 2", true, 3);
    assert_constant("-7 % 3", true, 1);
    assert_constant("~5", true, 6);
    assert_constant("-~-1", false, 0);
    assert_constant("7 - -3", false, 10);
    assert_constant("4KiB - 256", false, 3840);
}
END_TEST

START_TEST(keeps_intermediate_results_exact_beyond_the_type)
{
    const model *compiled = schema_good("const uint8 A = 1000000 / 10000;\n"
                                        "const int8 B = 18446744073709551615 - 18446744073709551488 - 127;\n"
                                        "const int8 C = -9223372036854775808 + 9223372036854775807;");
    ck_assert_uint_eq(constant(compiled, "A")->magnitude, 100);
    ck_assert_uint_eq(constant(compiled, "B")->magnitude, 0);
    ck_assert(!constant(compiled, "B")->negative);
    ck_assert(constant(compiled, "C")->negative);
    ck_assert_uint_eq(constant(compiled, "C")->magnitude, 1);
}
END_TEST

START_TEST(knows_members_constants_and_sizes)
{
    const model *compiled = schema_good("enum Colour : int8 { LOW = -1; NONE = 0; RED = Colour.NONE + 5; }\n"
                                        "struct Pair { uint32 a; uint64 b; }\n"
                                        "message Note { uint8 a; }\n"
                                        "const int32 A = Colour.RED * 2 + Colour.LOW;\n"
                                        "const uint32 B = sizeof(Pair) + sizeof(uint16[3]) + sizeof(Note);\n"
                                        "const Colour C = Colour.LOW;\n"
                                        "const uint32 D = sizeof(string<5>);\n"
                                        "const Colour E = C;\n"
                                        "const int8 F = C * 2 - E;\n"
                                        "const float64 G = 1.5 - 0.25;");
    ck_assert_uint_eq(constant(compiled, "A")->magnitude, 9);
    ck_assert_uint_eq(constant(compiled, "B")->magnitude, 16 + 6 + 8);
    ck_assert(constant(compiled, "C")->negative);
    ck_assert_uint_eq(constant(compiled, "C")->magnitude, 1);
    ck_assert_uint_eq(constant(compiled, "D")->magnitude, 8);
    ck_assert(constant(compiled, "E")->negative);
    ck_assert_uint_eq(constant(compiled, "E")->magnitude, 1);
    ck_assert(constant(compiled, "F")->negative);
    ck_assert_uint_eq(constant(compiled, "F")->magnitude, 1);
    ck_assert_double_eq(constant(compiled, "G")->real, 1.25);
}
END_TEST

START_TEST(rounds_a_float_literal_but_no_integer)
{
    const model *compiled = schema_good("const float32 A = 0.1;\nconst float64 B = 0.1;\nconst float32 C = 16777216;");
    ck_assert(constant(compiled, "A")->real == (double)0.1f);
    ck_assert(constant(compiled, "B")->real == 0.1);
    ck_assert(constant(compiled, "C")->real == 16777216.0);
    schema_bad("const float32 X = 16777217;", DIAG_E301);
    schema_bad("const float64 X = 9007199254740993;", DIAG_E301);
    schema_bad("const float32 X = 3.5e38;", DIAG_E301);
}
END_TEST

START_TEST(counts_a_string_in_bytes)
{
    const model *compiled = schema_good("const string<4> A = \"\xc3\xa9\xc3\xa9\";");
    ck_assert_uint_eq(constant(compiled, "A")->length, 4);
    ck_assert_str_eq(constant(compiled, "A")->text, "\xc3\xa9\xc3\xa9");
    schema_bad("const string<3> A = \"\xc3\xa9\xc3\xa9\";", DIAG_E301);
}
END_TEST

START_TEST(takes_members_of_its_own_enum_only)
{
    schema_bad("enum A { X = 0; }\nenum B { X = 0; }\nconst A C = B.X;", DIAG_E301);
    schema_bad("enum A { X = 0; }\nconst A C = 0;", DIAG_E301);
    schema_bad("flags A { X = 1; Y = 2; }\nconst A C = 7;", DIAG_E301);
    const model *compiled = schema_good("flags A { X = 1; Y = 2; }\nconst A C = A.X | A.Y;\nconst A NONE = 0;");
    ck_assert_uint_eq(constant(compiled, "C")->magnitude, 3);
}
END_TEST

START_TEST(fills_defaults_by_bare_and_by_full_name)
{
    const model *compiled = schema_good("enum Colour { NONE = 0; RED = 4; }\n"
                                        "const uint32 LIMIT = 60;\n"
                                        "message M { @default(RED) Colour a; @default(Colour.RED) Colour b;\n"
                                        "    @default(LIMIT + 1) uint32 c; @default(true) bool d; uint32 e; }");
    ck_assert_uint_eq(schema_field(compiled, "M", "a")->initial.magnitude, 4);
    ck_assert_uint_eq(schema_field(compiled, "M", "b")->initial.magnitude, 4);
    ck_assert_uint_eq(schema_field(compiled, "M", "c")->initial.magnitude, 61);
    ck_assert(schema_field(compiled, "M", "d")->initial.boolean);
    ck_assert_int_eq(schema_field(compiled, "M", "e")->initial.kind, MODEL_VALUE_NONE);
}
END_TEST

START_TEST(reports_the_cause_and_not_its_uses)
{
    schema_bad("const uint32 A = 1 / 0;\nconst uint32 B = A + 1;\nmessage M { uint8[B] x; string<A> y; }\n"
               "service S { rpc f(M) -> (); }",
               DIAG_E302);
    schema_bad("struct A { Missing x; }\nstruct B { A a; }\nunion C { B b = 1; }\nerrors E { BAD(A) = 1; }\n"
               "service S { rpc f({ C c; }) -> () throws E; }",
               DIAG_E205);
}
END_TEST

/* "const uint64 X = " before middle... after, with so many middles. */
static char *repeated(const char *before, const char *middle, size_t times, const char *inner, const char *after)
{
    size_t size = 64 + strlen(before) + times * (strlen(middle) + strlen(after)) + strlen(inner);
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    char *end = stpcpy(stpcpy(text, "const uint64 X = "), before);
    for (size_t i = 0; i < times; i++)
        end = stpcpy(end, middle);
    end = stpcpy(end, inner);
    for (size_t i = 0; i < times; i++)
        end = stpcpy(end, after);
    stpcpy(end, ";");
    return text;
}

START_TEST(evaluates_a_flat_chain_of_any_length_from_its_left)
{
    char *sum = repeated("1000000", " + 3 * 7 - 1", 20000, "", "");
    char *mixed = repeated("5", " * 2 / 2 << 1 >> 1 | 1 ^ 0", 5000, "", "");
    char *behind = repeated("1 + (7", " - 0", 5000, ")", "");
    ck_assert_uint_eq(constant(schema_good(sum), "X")->magnitude, 1400000);
    ck_assert_uint_eq(constant(schema_good(mixed), "X")->magnitude, 5);
    ck_assert_uint_eq(constant(schema_good(behind), "X")->magnitude, 8);
    free(sum);
    free(mixed);
    free(behind);
}
END_TEST

START_TEST(bounds_what_nests_to_the_level)
{
    static const char *const shapes[][3] = {{"(", "1", ")"}, {"1 + (", "1", ")"}, {"-(", "0", ")"}, {"~~", "1", ""}};
    static const size_t most[] = {999, 499, 499, 499};
    for (size_t i = 0; i < 4; i++) {
        char *fine = repeated("", shapes[i][0], most[i], shapes[i][1], shapes[i][2]);
        char *deep = repeated("", shapes[i][0], most[i] + 1, shapes[i][1], shapes[i][2]);
        schema_good(fine);
        schema_bad(deep, DIAG_E114);
        free(fine);
        free(deep);
    }
}
END_TEST

START_TEST(says_where_in_a_chain_a_fault_is)
{
    schema_bad("const uint64 X = 1 + 2 + 3 / 0 + 4;", DIAG_E302);
    schema_bad("const uint64 X = 1 + missing + 3 + 4;", DIAG_E205);
    schema_bad("const uint64 X = 9223372036854775807 * 2 * 2 * 2 + 1;", DIAG_E302);
}
END_TEST

static Suite *constant_suite(void)
{
    Suite *suite = suite_create("compiler_constant");
    TCase *tests = tcase_create("constant");

    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, evaluates_with_the_precedence_of_c);
    tcase_add_test(tests, keeps_intermediate_results_exact_beyond_the_type);
    tcase_add_test(tests, knows_members_constants_and_sizes);
    tcase_add_test(tests, rounds_a_float_literal_but_no_integer);
    tcase_add_test(tests, counts_a_string_in_bytes);
    tcase_add_test(tests, takes_members_of_its_own_enum_only);
    tcase_add_test(tests, fills_defaults_by_bare_and_by_full_name);
    tcase_add_test(tests, reports_the_cause_and_not_its_uses);
    tcase_add_test(tests, evaluates_a_flat_chain_of_any_length_from_its_left);
    tcase_add_test(tests, bounds_what_nests_to_the_level);
    tcase_add_test(tests, says_where_in_a_chain_a_fault_is);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(constant_suite)

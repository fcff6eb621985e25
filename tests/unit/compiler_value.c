/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>

#include "value.h"

#define HIGH_BIT (UINT64_C(1) << 63)

static value of(int64_t number)
{
    return number < 0 ? value_integer(true, 0 - (uint64_t)number) : value_integer(false, (uint64_t)number);
}

static value large(uint64_t magnitude)
{
    return value_integer(false, magnitude);
}

static void assert_binary(value a, ast_operator op, value b, value expected)
{
    value result;
    ck_assert_int_eq(value_binary(op, a, b, &result), VALUE_OK);
    ck_assert_int_eq(result.is.kind, MODEL_VALUE_INT);
    ck_assert_uint_eq(result.is.magnitude, expected.is.magnitude);
    ck_assert(result.is.negative == expected.is.negative);
}

static void assert_refused(value a, ast_operator op, value b, value_result why)
{
    value result;
    ck_assert_int_eq(value_binary(op, a, b, &result), why);
}

/* The whole of a smaller range, against the machine's own arithmetic. */
START_TEST(agrees_with_the_machine_on_small_numbers)
{
    for (int64_t a = -40; a <= 40; a++) {
        for (int64_t b = -40; b <= 40; b++) {
            assert_binary(of(a), AST_ADD, of(b), of(a + b));
            assert_binary(of(a), AST_SUBTRACT, of(b), of(a - b));
            assert_binary(of(a), AST_MULTIPLY, of(b), of(a * b));
            assert_binary(of(a), AST_OR, of(b), of(a | b));
            assert_binary(of(a), AST_AND, of(b), of(a & b));
            assert_binary(of(a), AST_XOR, of(b), of(a ^ b));
            if (b != 0) {
                assert_binary(of(a), AST_DIVIDE, of(b), of(a / b));
                assert_binary(of(a), AST_REMAINDER, of(b), of(a % b));
            }
        }
        value result;
        ck_assert_int_eq(value_unary(AST_INVERT, of(a), &result), VALUE_OK);
        ck_assert(result.is.negative == (~a < 0));
        ck_assert_uint_eq(result.is.magnitude, of(~a).is.magnitude);
    }
}
END_TEST

START_TEST(is_exact_at_both_ends_of_its_range)
{
    value lowest = value_integer(true, HIGH_BIT);
    assert_binary(large(UINT64_MAX - 1), AST_ADD, of(1), large(UINT64_MAX));
    assert_binary(of(INT64_MIN + 1), AST_SUBTRACT, of(1), lowest);
    assert_binary(large(UINT64_MAX), AST_ADD, lowest, large(HIGH_BIT - 1));
    assert_binary(lowest, AST_ADD, large(UINT64_MAX), large(HIGH_BIT - 1));
    assert_binary(large(UINT32_MAX), AST_MULTIPLY, large(UINT64_C(4294967297)), large(UINT64_MAX));
    assert_binary(of(1), AST_SHIFT_LEFT, of(63), large(HIGH_BIT));
    assert_binary(of(-1), AST_AND, large(UINT64_MAX), large(UINT64_MAX));
    assert_binary(of(5), AST_SUBTRACT, of(5), of(0));
}
END_TEST

START_TEST(refuses_what_leaves_its_range)
{
    value lowest = value_integer(true, HIGH_BIT);
    value result;
    assert_refused(large(UINT64_MAX), AST_ADD, of(1), VALUE_OVERFLOW);
    assert_refused(lowest, AST_SUBTRACT, of(1), VALUE_OVERFLOW);
    assert_refused(large(UINT64_C(1) << 32), AST_MULTIPLY, large(UINT64_C(1) << 32), VALUE_OVERFLOW);
    assert_refused(lowest, AST_MULTIPLY, of(2), VALUE_OVERFLOW);
    assert_refused(of(2), AST_SHIFT_LEFT, of(63), VALUE_OVERFLOW);
    assert_refused(of(-1), AST_XOR, large(UINT64_MAX), VALUE_OVERFLOW); /* -2^64 */
    ck_assert_int_eq(value_unary(AST_NEGATE, large(HIGH_BIT + 1), &result), VALUE_OVERFLOW);
    ck_assert_int_eq(value_unary(AST_INVERT, large(UINT64_MAX), &result), VALUE_OVERFLOW);
    ck_assert_int_eq(value_unary(AST_NEGATE, large(HIGH_BIT), &result), VALUE_OK);
}
END_TEST

START_TEST(refuses_shifts_and_divisors_that_mean_nothing)
{
    assert_refused(of(1), AST_SHIFT_LEFT, of(64), VALUE_SHIFT_COUNT);
    assert_refused(of(1), AST_SHIFT_RIGHT, of(-1), VALUE_SHIFT_COUNT);
    assert_refused(of(-1), AST_SHIFT_RIGHT, of(1), VALUE_SHIFT_NEGATIVE);
    assert_refused(of(1), AST_DIVIDE, of(0), VALUE_BY_ZERO);
    assert_refused(of(1), AST_REMAINDER, of(0), VALUE_BY_ZERO);
    assert_refused(value_real(1), AST_DIVIDE, value_real(0), VALUE_BY_ZERO);
    assert_refused(value_real(1e308), AST_MULTIPLY, value_real(10), VALUE_OVERFLOW);
    assert_refused(value_real(1), AST_OR, of(1), VALUE_KIND);
}
END_TEST

START_TEST(turns_integers_into_floats_only_where_exact)
{
    value result;
    double real;
    ck_assert_int_eq(value_binary(AST_ADD, of(1), value_real(0.5), &result), VALUE_OK);
    ck_assert(result.is.real == 1.5);
    ck_assert_int_eq(value_to_real(large(UINT64_C(9007199254740993)), &real), VALUE_INEXACT);
    ck_assert_int_eq(value_to_real(large(HIGH_BIT), &real), VALUE_OK);
    ck_assert(real == 9223372036854775808.0);
    ck_assert_int_eq(value_to_real(large(UINT64_MAX), &real), VALUE_INEXACT);
}
END_TEST

START_TEST(knows_the_range_of_every_integer_kind)
{
    const struct {
        model_kind kind;
        uint64_t lowest; /* magnitude below 0 */
        uint64_t highest;
    } kinds[] = {
        {MODEL_INT8, 128, 127},
        {MODEL_INT16, 32768, 32767},
        {MODEL_INT32, HIGH_BIT >> 32, INT32_MAX},
        {MODEL_INT64, HIGH_BIT, INT64_MAX},
        {MODEL_UINT8, 0, UINT8_MAX},
        {MODEL_UINT16, 0, UINT16_MAX},
        {MODEL_UINT32, 0, UINT32_MAX},
        {MODEL_UINT64, 0, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ck_assert(value_fits(false, kinds[i].highest, kinds[i].kind));
        ck_assert(kinds[i].highest == UINT64_MAX || !value_fits(false, kinds[i].highest + 1, kinds[i].kind));
        ck_assert(kinds[i].lowest == 0 || value_fits(true, kinds[i].lowest, kinds[i].kind));
        ck_assert(!value_fits(true, kinds[i].lowest + 1, kinds[i].kind));
        ck_assert(value_fits(false, 0, kinds[i].kind));
    }
}
END_TEST

static Suite *value_suite(void)
{
    Suite *suite = suite_create("compiler_value");
    TCase *tests = tcase_create("value");

    tcase_add_test(tests, agrees_with_the_machine_on_small_numbers);
    tcase_add_test(tests, is_exact_at_both_ends_of_its_range);
    tcase_add_test(tests, refuses_what_leaves_its_range);
    tcase_add_test(tests, refuses_shifts_and_divisors_that_mean_nothing);
    tcase_add_test(tests, turns_integers_into_floats_only_where_exact);
    tcase_add_test(tests, knows_the_range_of_every_integer_kind);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(value_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>
#include <string.h>

#include "compiler_schema.h"
#include "fingerprint.h"

static uint64_t of_record(const char *text, const char *name)
{
    schema_result result = schema_try(text);
    ck_assert_int_eq(result.rc, 0);
    return schema_record(result.model, name)->fingerprint;
}

static const model_method *method(const char *text)
{
    const model *compiled = schema_good(text);
    return &schema_decl(compiled, "S")->as.service->methods[0];
}

START_TEST(is_fnv_1a)
{
    ck_assert_uint_eq(fingerprint_text(""), UINT64_C(0xcbf29ce484222325));
    ck_assert_uint_eq(fingerprint_text("a"), UINT64_C(0xaf63dc4c8601ec8c));
    ck_assert_uint_eq(fingerprint_text("foobar"), UINT64_C(0x85944171f73967e8));
}
END_TEST

START_TEST(has_a_text_that_says_what_the_bytes_are)
{
    const model *compiled = schema_good(
        "enum Colour : uint8 { NONE = 0; }\nstruct Pair { uint32 a; uint32 b; }\nunion Any { Pair p = 1; uint8 c = 7; }\n"
        "message M { Any any; Colour colour; string<9>? text; uint16[2][3] grid; vector<Pair, 2> pairs; }");
    const model_record *record = schema_record(compiled, "M");
    ck_assert_str_eq(record->canonical,
                     "message(64){0:union(12){4:struct(8){0:uint32 a;4:uint32 b;} p=1;4:uint8 c=7;} any;"
                     "12:enum:uint8 colour;14?13:string<9> text;26:uint16[2][3] grid;"
                     "40:vector<struct(8){0:uint32 a;4:uint32 b;},2> pairs;}");
    ck_assert_uint_eq(record->fingerprint, fingerprint_text(record->canonical));
}
END_TEST

START_TEST(does_not_change_with_what_bytes_do_not_depend_on)
{
    uint64_t first = of_record("enum C { NONE = 0; }\nmessage A { uint32 x; C c; }", "A");
    ck_assert_uint_eq(first, of_record("enum D { NONE = 0; ONE = 1; }\n/// Text.\n@c_name(\"z\") message B {\n"
                                       "  /// More.\n  @default(5) @c_name(\"q\") @deprecated uint32 x; D c; }",
                                       "B"));
    ck_assert_uint_eq(first, of_record("alias N = uint32;\nenum C { NONE = 0; }\nmessage A { N x; C c; }", "A"));
}
END_TEST

START_TEST(changes_with_everything_that_bytes_depend_on)
{
    const char *const others[] = {
        "message A { uint32 x; uint32 y; }",           "struct A { uint32 x; uint32 z; }",
        "message A { uint32 z; uint32 y; }",           "message A { uint32 x; int32 y; }",
        "message A { uint32 x; uint16 y; }",           "message A { uint32 x; uint32[1] y; }",
        "message A { uint32 x; uint32? y; }",          "message A { uint32 x; bytes<2> y; }",
        "message A { uint32 x; bytes<1> y; }",         "message A { uint32 x; string<1> y; }",
        "union A { uint32 x = 1; uint32 y = 2; }",     "union A { uint32 x = 1; uint32 y = 3; }",
        "message A { uint32 x; uint32 y; uint64 w; }",
    };
    size_t count = sizeof(others) / sizeof(others[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            ck_assert_msg(of_record(others[i], "A") != of_record(others[j], "A"), "%s %s", others[i], others[j]);
}
END_TEST

START_TEST(stays_short_however_types_nest)
{
    char text[8192];
    size_t length = 0;
    for (int i = 11; i > 0; i--)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "union U%d { U%d a = 1; U%d b = 2; }\n", i,
                                   i - 1, i - 1);
    snprintf(text + length, sizeof(text) - length, "union U0 { uint8 a = 1; }\n");
    const model *compiled = schema_good(text);
    ck_assert_uint_lt(strlen(schema_record(compiled, "U11")->canonical), 3 * FINGERPRINT_EXPANDED);
    ck_assert(schema_record(compiled, "U11")->fingerprint != schema_record(compiled, "U10")->fingerprint);
}
END_TEST

START_TEST(of_a_method_covers_kind_request_reply_and_errors)
{
    const char *const texts[] = {
        "service S { rpc f() -> (); }",
        "service S { oneway f(); }",
        "message A { uint32 x; }\nservice S { rpc f(A) -> (); }",
        "message A { uint32 x; }\nservice S { rpc f() -> (A); }",
        "message A { uint32 x; }\nservice S { rpc f(A) -> (A); }",
        "errors E { BAD = 1; }\nservice S { rpc f() -> () throws E; }",
        "errors E { BAD = 2; }\nservice S { rpc f() -> () throws E; }",
        "struct P { uint32 x; }\nerrors E { BAD(P) = 1; }\nservice S { rpc f() -> () throws E; }",
        "struct P { uint64 x; }\nerrors E { BAD(P) = 1; }\nservice S { rpc f() -> () throws E; }",
    };
    size_t count = sizeof(texts) / sizeof(texts[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            ck_assert_msg(method(texts[i])->fingerprint != method(texts[j])->fingerprint, "%zu %zu", i, j);
    ck_assert_uint_eq(
        method("errors E { A = 1; B = 2; }\nservice S { rpc f() -> () throws E; }")->fingerprint,
        method("errors E { C = 2; D = 1; }\nservice S { @idempotent rpc g() -> () throws E; }")->fingerprint);
}
END_TEST

static Suite *fingerprint_suite(void)
{
    Suite *suite = suite_create("compiler_fingerprint");
    TCase *tests = tcase_create("fingerprint");

    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, is_fnv_1a);
    tcase_add_test(tests, has_a_text_that_says_what_the_bytes_are);
    tcase_add_test(tests, does_not_change_with_what_bytes_do_not_depend_on);
    tcase_add_test(tests, changes_with_everything_that_bytes_depend_on);
    tcase_add_test(tests, stays_short_however_types_nest);
    tcase_add_test(tests, of_a_method_covers_kind_request_reply_and_errors);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(fingerprint_suite)

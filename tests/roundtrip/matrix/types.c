/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c - each type that a field may have, its values from one end to the other, and what it refuses.
 */
#include "types.h"

const char matrix_declarations[] =
    "enum EI8 : int8 { ZERO = 0; LOW = -128; HIGH = 127; }\n"
    "enum EI16 : int16 { ZERO = 0; LOW = -32768; HIGH = 32767; }\n"
    "enum EI32 : int32 { ZERO = 0; LOW = -2147483648; HIGH = 2147483647; }\n"
    "enum EI64 : int64 { ZERO = 0; LOW = -9223372036854775808; HIGH = 9223372036854775807; }\n"
    "enum EU8 : uint8 { ZERO = 0; ONE = 1; HIGH = 255; }\n"
    "enum EU16 : uint16 { ZERO = 0; ONE = 1; HIGH = 65535; }\n"
    "enum EU32 { ZERO = 0; ONE = 1; HIGH = 4294967295; }\n"
    "enum EU64 : uint64 { ZERO = 0; ONE = 1; HIGH = 18446744073709551615; }\n"
    "flags FU8 : uint8 { FIRST = 1; LAST = 1 << 7; }\n"
    "flags FU16 : uint16 { FIRST = 1; LAST = 1 << 15; }\n"
    "flags FU32 { FIRST = 1; LAST = 1 << 31; }\n"
    "flags FU64 : uint64 { FIRST = 1; LAST = 1 << 63; }\n"
    "struct Flat { uint32 p; uint32 q; }\n"
    "struct Gaps { uint8 p; uint64 q; uint16 r; }\n"
    "struct Byte { uint8 p; }\n"
    "struct Rich { bool open; string<5> word; float64? weight; vector<Flat, 2> flats; EI16 level; }\n"
    "union Shape { bool truth = 1; int16 small = 2; float64 real = 3; EU8 color = 4; Gaps gaps = 5; string<9> word = 6;\n"
    "    bytes<3> raw = 7; vector<Rich, 2> riches = 8; uint16[3] three = 9; Tiny tiny = 10; Byte byte = 4294967295; }\n"
    "union Tiny { uint8 low = 1; uint8[5] five = 2; }\n"
    "strict enum SI8 : int8 { ZERO = 0; LOW = -128; }\n"
    "strict enum SI64 : int64 { ZERO = 0; LOW = -9223372036854775808; }\n"
    "strict enum SU16 : uint16 { ZERO = 0; HIGH = 65535; }\n"
    "strict enum SU32 { ZERO = 0; HIGH = 4294967295; }\n"
    "strict flags SF8 : uint8 { FIRST = 1; LAST = 1 << 7; }\n"
    "strict flags SF64 : uint64 { FIRST = 1; LAST = 1 << 63; }\n"
    "strict union Must { uint8 low = 1; SU16 mode = 2; uint64 high = 4000000000; }\n"
    "@size(40) struct Sized { uint8 p; uint64 q; bool r; }\n"
    "@size(40) union Roomy { uint8 low = 1; string<3> word = 2; }\n"
    "@align(8) struct Aligned { uint16 p; }\n"
    "struct Kept { uint8 p; reserved uint32; uint16 r; reserved uint64 q; }\n";

#define OF_INTEGER(name, low, high)                                              \
    {                                                                            \
        "$ = " low ";", "$ = " high ";", "$ = 0;", "$ = 1;", "$ = (" name ")~1;" \
    }

#define NAN_BITS(type, bits) "{ static const " type " bits = " bits "; memcpy(&$, &bits, sizeof bits); }"

#define TEXT(length, text) "$.length = " length "; memcpy($.text, " text ", " length " + 1);"

#define RICH(place, open_, text, has, count_)                                                                  \
    place ".open = " open_ "; " place ".word.length = sizeof(" text ") - 1; memcpy(" place ".word.text, " text \
          ", sizeof(" text ")); " place ".has_weight = " has "; if (" has ") " place ".weight = -2.5; " place  \
          ".flats.count = " count_ "; for (unsigned f = 0; f != " count_ "; f++) { " place                     \
          ".flats.items[f].p = 7 + f; " place ".flats.items[f].q = UINT32_MAX - f; } " place ".level = T_EI16_LOW;"

/* A rich struct with one place of it changed: each of its own is refused. */
#define RICH_FAULTS(first, place, path)                                                                               \
    {first RICH(place, "1", "\"ab\"", "1", "2") place ".open = 2;", path ".open", "neither 0 nor 1"},                 \
        {first RICH(place, "1", "\"ab\"", "1", "2") place ".word.length = 6;", path ".word", "more than 5 bytes"},    \
        {first RICH(place, "1", "\"ab\"", "1", "2") place ".word.text[1] = '\\x80';", path ".word",                   \
         "not UTF-8, or with a NUL inside"},                                                                          \
        {first RICH(place, "1", "\"ab\"", "1", "2") place ".has_weight = 2;", path ".has_weight", "neither 0 nor 1"}, \
    {                                                                                                                 \
        first RICH(place, "1", "\"ab\"", "1", "2") place ".flats.count = 3;", path ".flats", "more than 2 items"      \
    }

#define NO_FAULTS \
    {             \
        {         \
            0     \
        }         \
    }

const matrix_type matrix_types[] = {
    {"bool",
     "bool",
     "",
     {"$ = 0;", "$ = 1;"},
     {{"$ = 2;", "", "neither 0 nor 1"}, {"$ = 255;", "", "neither 0 nor 1"}}},
    {"i8", "int8", "", OF_INTEGER("int8_t", "INT8_MIN", "INT8_MAX"), NO_FAULTS},
    {"i16", "int16", "", OF_INTEGER("int16_t", "INT16_MIN", "INT16_MAX"), NO_FAULTS},
    {"i32", "int32", "", OF_INTEGER("int32_t", "INT32_MIN", "INT32_MAX"), NO_FAULTS},
    {"i64", "int64", "", OF_INTEGER("int64_t", "INT64_MIN", "INT64_MAX"), NO_FAULTS},
    {"u8", "uint8", "", OF_INTEGER("uint8_t", "0x80", "UINT8_MAX"), NO_FAULTS},
    {"u16", "uint16", "", OF_INTEGER("uint16_t", "0x8001", "UINT16_MAX"), NO_FAULTS},
    {"u32", "uint32", "", OF_INTEGER("uint32_t", "0x80000001", "UINT32_MAX"), NO_FAULTS},
    {"u64", "uint64", "", OF_INTEGER("uint64_t", "UINT64_C(0x8000000000000001)", "UINT64_MAX"), NO_FAULTS},
    {"f32",
     "float32",
     "",
     {"$ = -0.0F;", "$ = 0.0F;", "$ = FLT_MAX;", "$ = -FLT_MAX;", "$ = FLT_MIN;", "$ = FLT_TRUE_MIN;", "$ = INFINITY;",
      "$ = -INFINITY;", NAN_BITS("uint32_t", "UINT32_C(0x7fc00000)"), NAN_BITS("uint32_t", "UINT32_C(0xffedcba9)"),
      NAN_BITS("uint32_t", "UINT32_C(0x7f800001)")},
     NO_FAULTS},
    {"f64",
     "float64",
     "",
     {"$ = -0.0;", "$ = 0.0;", "$ = DBL_MAX;", "$ = -DBL_MAX;", "$ = DBL_MIN;", "$ = DBL_TRUE_MIN;", "$ = INFINITY;",
      "$ = -INFINITY;", NAN_BITS("uint64_t", "UINT64_C(0x7ff8000000000000)"),
      NAN_BITS("uint64_t", "UINT64_C(0xfffedcba98765432)"), NAN_BITS("uint64_t", "UINT64_C(0x7ff0000000000001)")},
     NO_FAULTS},

    /* The last value of each is unknown to it. */
    {"ei8", "t.EI8", "", {"$ = T_EI8_LOW;", "$ = T_EI8_HIGH;", "$ = T_EI8_ZERO;", "$ = -3;"}, NO_FAULTS},
    {"ei16", "t.EI16", "", {"$ = T_EI16_LOW;", "$ = T_EI16_HIGH;", "$ = T_EI16_ZERO;", "$ = -3;"}, NO_FAULTS},
    {"ei32", "t.EI32", "", {"$ = T_EI32_LOW;", "$ = T_EI32_HIGH;", "$ = T_EI32_ZERO;", "$ = -3;"}, NO_FAULTS},
    {"ei64", "t.EI64", "", {"$ = T_EI64_LOW;", "$ = T_EI64_HIGH;", "$ = T_EI64_ZERO;", "$ = -3;"}, NO_FAULTS},
    {"eu8", "t.EU8", "", {"$ = T_EU8_HIGH;", "$ = T_EU8_ONE;", "$ = T_EU8_ZERO;", "$ = 77;"}, NO_FAULTS},
    {"eu16", "t.EU16", "", {"$ = T_EU16_HIGH;", "$ = T_EU16_ONE;", "$ = T_EU16_ZERO;", "$ = 0x7788;"}, NO_FAULTS},
    {"eu32", "t.EU32", "", {"$ = T_EU32_HIGH;", "$ = T_EU32_ONE;", "$ = T_EU32_ZERO;", "$ = 0x778899aa;"}, NO_FAULTS},
    {"eu64",
     "t.EU64",
     "",
     {"$ = T_EU64_HIGH;", "$ = T_EU64_ONE;", "$ = T_EU64_ZERO;", "$ = UINT64_C(0x778899aabbccddee);"},
     NO_FAULTS},
    {"fu8",
     "t.FU8",
     "",
     {"$ = T_FU8_LAST;", "$ = T_FU8_FIRST;", "$ = T_FU8_FIRST | T_FU8_LAST;", "$ = 0;", "$ = 0x7e;"},
     NO_FAULTS},
    {"fu16",
     "t.FU16",
     "",
     {"$ = T_FU16_LAST;", "$ = T_FU16_FIRST;", "$ = T_FU16_FIRST | T_FU16_LAST;", "$ = 0;", "$ = 0x7ffe;"},
     NO_FAULTS},
    {"fu32",
     "t.FU32",
     "",
     {"$ = T_FU32_LAST;", "$ = T_FU32_FIRST;", "$ = T_FU32_FIRST | T_FU32_LAST;", "$ = 0;", "$ = 0x7ffffffe;"},
     NO_FAULTS},
    {"fu64",
     "t.FU64",
     "",
     {"$ = T_FU64_LAST;", "$ = T_FU64_FIRST;", "$ = T_FU64_FIRST | T_FU64_LAST;", "$ = 0;",
      "$ = UINT64_C(0x7ffffffffffffffe);"},
     NO_FAULTS},

    /* Empty, full, and characters of one byte to four: the first and the last of each length. */
    {"text",
     "string<5>",
     "",
     {TEXT("0", "\"\""), TEXT("5", "\"12345\""), TEXT("2", "\"\\x01\\x7f\""), TEXT("4", "\"\\xc2\\x80\\xdf\\xbf\""),
      TEXT("3", "\"\\xe0\\xa0\\x80\""), TEXT("3", "\"\\xed\\x9f\\xbf\""), TEXT("3", "\"\\xef\\xbf\\xbf\""),
      TEXT("4", "\"\\xf0\\x90\\x80\\x80\""), TEXT("5", "\"\\xf4\\x8f\\xbf\\xbf!\"")},
     {{"$.length = 6; memcpy($.text, \"123456\", 6);", "", "more than 5 bytes"},
      {"$.length = UINT16_MAX; $.text[0] = '\\0';", "", "more than 5 bytes"},
      {TEXT("2", "\"a\\xff\""), "", "not UTF-8, or with a NUL inside"},
      {TEXT("2", "\"\\xc1\\xbf\""), "", "not UTF-8, or with a NUL inside"},
      {TEXT("3", "\"\\xed\\xa0\\x80\""), "", "not UTF-8, or with a NUL inside"},
      {TEXT("4", "\"\\xf4\\x90\\x80\\x80\""), "", "not UTF-8, or with a NUL inside"},
      {TEXT("2", "\"\\xe2\\x82\\xac\""), "", "not UTF-8, or with a NUL inside"},
      {TEXT("3", "\"a\\0b\""), "", "not UTF-8, or with a NUL inside"},
      {"$.length = 2; memcpy($.text, \"abc\", 4);", "", "without a NUL after its end"},
      {"$.length = 5; memcpy($.text, \"123456\", 6);", "", "without a NUL after its end"}}},
    {"text1",
     "string<1>",
     "",
     {TEXT("1", "\"x\""), TEXT("0", "\"\"")},
     {{"$.length = 2; $.text[0] = 'a'; $.text[1] = 'b';", "", "more than 1 bytes"}}},
    {"raw",
     "bytes<5>",
     "",
     {"$.count = 0;", "$.count = 5; memset($.items, 0xff, 5);", "$.count = 1; $.items[0] = 0;",
      "$.count = 4; memcpy($.items, \"\\0\\x80\\xff\\x01\", 4);"},
     {{"$.count = 6;", "", "more than 5 bytes"}, {"$.count = UINT16_MAX;", "", "more than 5 bytes"}}},
    {"raw4",
     "bytes<4>",
     "",
     {"$.count = 4; memcpy($.items, \"four\", 4);", "$.count = 0;"},
     {{"$.count = 5;", "", "more than 4 bytes"}}},

    {"v_bool",
     "vector<bool, 3>",
     "",
     {"$.count = 0;", "$.count = 3; $.items[0] = 1; $.items[1] = 0; $.items[2] = 1;", "$.count = 1; $.items[0] = 1;"},
     {{"$.count = 4; $.items[0] = $.items[1] = $.items[2] = 0;", "", "more than 3 items"},
      {"$.count = 3; $.items[0] = $.items[1] = 1; $.items[2] = 2;", "[]", "neither 0 nor 1"}}},
    {"v_u16",
     "vector<uint16, 3>",
     "",
     {"$.count = 3; $.items[0] = 1; $.items[1] = 0xfffe; $.items[2] = 3;", "$.count = 0;",
      "$.count = 1; $.items[0] = 9;"},
     {{"$.count = 4;", "", "more than 3 items"}}},
    {"v_f64",
     "vector<float64, 2>",
     "",
     {"$.count = 2; $.items[0] = -0.0; $.items[1] = DBL_MAX;", "$.count = 0;", "$.count = 1; $.items[0] = 0.1;"},
     {{"$.count = 3;", "", "more than 2 items"}}},
    {"v_enum",
     "vector<t.EI32, 2>",
     "",
     {"$.count = 2; $.items[0] = T_EI32_LOW; $.items[1] = 5;", "$.count = 0;",
      "$.count = 1; $.items[0] = T_EI32_HIGH;"},
     {{"$.count = 3;", "", "more than 2 items"}}},
    {"v_flags",
     "vector<t.FU8, 3>",
     "",
     {"$.count = 3; $.items[0] = T_FU8_LAST; $.items[1] = 0; $.items[2] = 0xff;", "$.count = 0;"},
     {{"$.count = 4;", "", "more than 3 items"}}},
    {"v_text",
     "vector<string<3>, 2>",
     "",
     {"$.count = 2; $.items[0].length = 3; memcpy($.items[0].text, \"abc\", 4); $.items[1].length = 0; "
      "$.items[1].text[0] = '\\0';",
      "$.count = 0;", "$.count = 1; $.items[0].length = 2; memcpy($.items[0].text, \"\\xc3\\xa9\", 3);"},
     {{"$.count = 3; memset($.items, 0, sizeof $.items);", "", "more than 2 items"},
      {"$.count = 2; memset($.items, 0, sizeof $.items); $.items[1].length = 4;", "[]", "more than 3 bytes"},
      {"$.count = 2; memset($.items, 0, sizeof $.items); $.items[1].length = 1;", "[]",
       "not UTF-8, or with a NUL inside"}}},
    {"v_raw",
     "vector<bytes<2>, 2>",
     "",
     {"$.count = 2; $.items[0].count = 2; memcpy($.items[0].items, \"ab\", 2); $.items[1].count = 0;", "$.count = 0;",
      "$.count = 1; $.items[0].count = 1; $.items[0].items[0] = 0x99;"},
     {{"$.count = 3; memset($.items, 0, sizeof $.items);", "", "more than 2 items"},
      {"$.count = 1; $.items[0].count = 3;", "[]", "more than 2 bytes"}}},
    {"v_gaps",
     "vector<t.Gaps, 2>",
     "",
     {"$.count = 2; for (unsigned n = 0; n < 2; n++) { $.items[n].p = 1; $.items[n].q = UINT64_MAX - n; $.items[n].r = 3; }",
      "$.count = 0;", "$.count = 1; $.items[0].p = 4; $.items[0].q = 5; $.items[0].r = 6;"},
     {{"$.count = 3;", "", "more than 2 items"}}},
    {"v_rich",
     "vector<t.Rich, 2>",
     "",
     {"$.count = 2; " RICH("$.items[0]", "1", "\"abcde\"", "0", "1") RICH("$.items[1]", "0", "\"\"", "1", "2"),
      "$.count = 0;", "$.count = 1; " RICH("$.items[0]", "0", "\"abc\"", "1", "0")},
     {{"$.count = 3; " RICH("$.items[0]", "0", "\"a\"", "0", "0") RICH("$.items[1]", "0", "\"a\"", "0", "0"), "",
       "more than 2 items"},
      RICH_FAULTS("$.count = 1; ", "$.items[0]", "[]")}},
    {"v_shape",
     "vector<t.Shape, 2>",
     "",
     {"$.count = 2; $.items[0].tag = T_SHAPE_REAL; $.items[0].body.real = 0.5; $.items[1].tag = 0;", "$.count = 0;",
      "$.count = 1; $.items[0].tag = T_SHAPE_WORD; $.items[0].body.word.length = 1; memcpy($.items[0].body.word.text, "
      "\"w\", 2);"},
     {{"$.count = 3; $.items[0].tag = $.items[1].tag = 0;", "", "more than 2 items"},
      {"$.count = 2; $.items[0].tag = 0; $.items[1].tag = T_SHAPE_TRUTH; $.items[1].body.truth = 2;", "[].truth",
       "neither 0 nor 1"}}},
    {"v_array",
     "vector<uint16[2], 2>",
     "",
     {"$.count = 2; $.items[0][0] = 1; $.items[0][1] = 2; $.items[1][0] = 3; $.items[1][1] = 4;", "$.count = 0;",
      "$.count = 1; $.items[0][0] = 0xffff; $.items[0][1] = 0;"},
     {{"$.count = 3;", "", "more than 2 items"}}},
    {"v_v",
     "vector<vector<bool, 2>, 2>",
     "",
     {"$.count = 2; $.items[0].count = 2; $.items[0].items[0] = 0; $.items[0].items[1] = 1; $.items[1].count = 0;",
      "$.count = 0;", "$.count = 1; $.items[0].count = 1; $.items[0].items[0] = 1;"},
     {{"$.count = 3; memset($.items, 0, sizeof $.items);", "", "more than 2 items"},
      {"$.count = 1; $.items[0].count = 3; $.items[0].items[0] = $.items[0].items[1] = 0;", "[]", "more than 2 items"},
      {"$.count = 1; $.items[0].count = 1; $.items[0].items[0] = 3;", "[][]", "neither 0 nor 1"}}},

    {"a_bool",
     "bool",
     "[3]",
     {"$[0] = 1; $[1] = 0; $[2] = 1;", "$[0] = 0; $[1] = 1; $[2] = 0;"},
     {{"$[0] = $[1] = 0; $[2] = 2;", "[]", "neither 0 nor 1"}}},
    {"a_u16", "uint16", "[3]", {"$[0] = 1; $[1] = 0xfffe; $[2] = 3;", "$[0] = $[1] = $[2] = 0;"}, NO_FAULTS},
    {"a_u64",
     "uint64",
     "[2][3]",
     {"for (unsigned n = 0; n < 6; n++) $[n / 3][n % 3] = UINT64_MAX - n;",
      "for (unsigned n = 0; n < 6; n++) $[n / 3][n % 3] = n;"},
     NO_FAULTS},
    {"a_enum", "t.EU16", "[2]", {"$[0] = T_EU16_HIGH; $[1] = 7;", "$[0] = 0; $[1] = T_EU16_ONE;"}, NO_FAULTS},
    {"a_text",
     "string<3>",
     "[2]",
     {"for (unsigned n = 0; n < 2; n++) { $[n].length = (uint16_t)(3 * n); memcpy($[n].text, n ? \"xyz\" : \"\", 3 * n + 1); }",
      "for (unsigned n = 0; n < 2; n++) { $[n].length = 2; memcpy($[n].text, \"\\xc3\\xa9\", 3); }"},
     {{"memset($, 0, sizeof $); $[1].length = 4;", "[]", "more than 3 bytes"},
      {"memset($, 0, sizeof $); $[1].text[0] = 'x';", "[]", "without a NUL after its end"}}},
    {"a_raw",
     "bytes<2>",
     "[2]",
     {"$[0].count = 2; memcpy($[0].items, \"ab\", 2); $[1].count = 0;",
      "$[0].count = 0; $[1].count = 1; $[1].items[0] = 0xff;"},
     {{"memset($, 0, sizeof $); $[1].count = 3;", "[]", "more than 2 bytes"}}},
    {"a_v",
     "vector<bool, 2>",
     "[2][1]",
     {"$[0][0].count = 2; $[0][0].items[0] = 1; $[0][0].items[1] = 0; $[1][0].count = 0;",
      "$[0][0].count = 0; $[1][0].count = 1; $[1][0].items[0] = 1;"},
     {{"memset($, 0, sizeof $); $[1][0].count = 3;", "[][]", "more than 2 items"},
      {"memset($, 0, sizeof $); $[1][0].count = 1; $[1][0].items[0] = 2;", "[][][]", "neither 0 nor 1"}}},
    {"a_gaps",
     "t.Gaps",
     "[2]",
     {"for (unsigned n = 0; n < 2; n++) { $[n].p = 1; $[n].q = UINT64_MAX - n; $[n].r = 3; }",
      "for (unsigned n = 0; n < 2; n++) { $[n].p = 9; $[n].q = n; $[n].r = 0xffff; }"},
     NO_FAULTS},
    {"a_rich",
     "t.Rich",
     "[2]",
     {RICH("$[0]", "1", "\"abcde\"", "0", "1") RICH("$[1]", "0", "\"\"", "1", "2"),
      RICH("$[0]", "0", "\"abc\"", "1", "0") RICH("$[1]", "0", "\"\"", "1", "0")},
     {RICH_FAULTS("memset($, 0, sizeof $); ", "$[1]", "[]")}},
    {"a_tiny",
     "t.Tiny",
     "[2]",
     {"$[0].tag = T_TINY_LOW; $[0].body.low = 8; $[1].tag = 0;",
      "$[0].tag = 0; $[1].tag = T_TINY_FIVE; memcpy($[1].body.five, \"12345\", 5);"},
     NO_FAULTS},

    {"flat", "t.Flat", "", {"$.p = UINT32_MAX; $.q = 1;", "$.p = 0; $.q = UINT32_MAX;"}, NO_FAULTS},
    {"gaps", "t.Gaps", "", {"$.p = 255; $.q = UINT64_MAX; $.r = 0xffff;", "$.p = 0; $.q = 0; $.r = 1;"}, NO_FAULTS},
    {"byte", "t.Byte", "", {"$.p = 255;", "$.p = 0;"}, NO_FAULTS},
    {"rich",
     "t.Rich",
     "",
     {RICH("$", "1", "\"abcde\"", "0", "0"), RICH("$", "0", "\"\"", "1", "2"),
      RICH("$", "1", "\"\\xc3\\xa9\"", "1", "1")},
     {RICH_FAULTS("", "$", "")}},
    /* Each arm, none, and one that is not known, whose body is carried over whole. */
    {"shape",
     "t.Shape",
     "",
     {"$.tag = 0;", "$.tag = T_SHAPE_TRUTH; $.body.truth = 1;", "$.tag = T_SHAPE_SMALL; $.body.small = INT16_MIN;",
      "$.tag = T_SHAPE_REAL; $.body.real = -0.0;", "$.tag = T_SHAPE_COLOR; $.body.color = T_EU8_HIGH;",
      "$.tag = T_SHAPE_GAPS; $.body.gaps.p = 1; $.body.gaps.q = UINT64_MAX; $.body.gaps.r = 3;",
      "$.tag = T_SHAPE_WORD; $.body.word.length = 9; memcpy($.body.word.text, \"nine char\", 10);",
      "$.tag = T_SHAPE_RAW; $.body.raw.count = 2; memcpy($.body.raw.items, \"rw\", 2);",
      "$.tag = T_SHAPE_RICHES; $.body.riches.count = 1; " RICH("$.body.riches.items[0]", "1", "\"abc\"", "1", "1"),
      "$.tag = T_SHAPE_THREE; $.body.three[0] = 1; $.body.three[1] = 2; $.body.three[2] = 3;",
      "$.tag = T_SHAPE_TINY; $.body.tiny.tag = T_TINY_FIVE; memcpy($.body.tiny.body.five, \"54321\", 5);",
      "$.tag = T_SHAPE_BYTE; $.body.byte.p = 0xb7;", "$.tag = 11; memset(&$.body, 0x5c, sizeof $.body);"},
     {{"$.tag = T_SHAPE_TRUTH; $.body.truth = 2;", ".truth", "neither 0 nor 1"},
      {"$.tag = T_SHAPE_WORD; $.body.word.length = 10;", ".word", "more than 9 bytes"},
      {"$.tag = T_SHAPE_RAW; $.body.raw.count = 4;", ".raw", "more than 3 bytes"},
      {"$.tag = T_SHAPE_RICHES; $.body.riches.count = 3; memset($.body.riches.items, 0, sizeof $.body.riches.items);",
       ".riches", "more than 2 items"},
      RICH_FAULTS("$.tag = T_SHAPE_RICHES; $.body.riches.count = 1; ", "$.body.riches.items[0]", ".riches[]")}},
    {"tiny",
     "t.Tiny",
     "",
     {"$.tag = T_TINY_LOW; $.body.low = 200;", "$.tag = 0;", "$.tag = T_TINY_FIVE; memcpy($.body.five, \"12345\", 5);",
      "$.tag = UINT32_MAX; memset(&$.body, 0xc5, sizeof $.body);"},
     NO_FAULTS},

    {"si8", "t.SI8", "", {"$ = T_SI8_LOW;", "$ = T_SI8_ZERO;"}, {{"$ = 1;", "", "not a member of the enum"}}},
    {"si64",
     "t.SI64",
     "",
     {"$ = T_SI64_LOW;", "$ = T_SI64_ZERO;"},
     {{"$ = INT64_MAX;", "", "not a member of the enum"}}},
    {"su16", "t.SU16", "", {"$ = T_SU16_HIGH;", "$ = T_SU16_ZERO;"}, {{"$ = 256;", "", "not a member of the enum"}}},
    {"su32", "t.SU32", "", {"$ = T_SU32_HIGH;", "$ = T_SU32_ZERO;"}, {{"$ = 1;", "", "not a member of the enum"}}},
    {"sf8",
     "t.SF8",
     "",
     {"$ = T_SF8_LAST;", "$ = 0;", "$ = T_SF8_FIRST | T_SF8_LAST;"},
     {{"$ = 2;", "", "with bits that are no flags"}}},
    {"sf64",
     "t.SF64",
     "",
     {"$ = T_SF64_LAST;", "$ = 0;", "$ = T_SF64_FIRST | T_SF64_LAST;"},
     {{"$ = T_SF64_LAST | 4;", "", "with bits that are no flags"}}},
    {"v_si8",
     "vector<t.SI8, 3>",
     "",
     {"$.count = 3; $.items[0] = T_SI8_LOW; $.items[1] = 0; $.items[2] = T_SI8_LOW;", "$.count = 0;"},
     {{"$.count = 2; $.items[0] = 0; $.items[1] = -1;", "[]", "not a member of the enum"}}},
    {"a_sf64",
     "t.SF64",
     "[2]",
     {"$[0] = T_SF64_LAST; $[1] = 0;", "$[0] = $[1] = T_SF64_FIRST;"},
     {{"$[0] = 0; $[1] = 2;", "[]", "with bits that are no flags"}}},
    {"must",
     "t.Must",
     "",
     {"$.tag = T_MUST_LOW; $.body.low = 3;", "$.tag = T_MUST_MODE; $.body.mode = T_SU16_HIGH;",
      "$.tag = T_MUST_HIGH; $.body.high = UINT64_MAX;"},
     {{"$.tag = 0;", ".tag", "not the tag of an arm"},
      {"$.tag = 3;", ".tag", "not the tag of an arm"},
      {"$.tag = T_MUST_MODE; $.body.mode = 9;", ".mode", "not a member of the enum"}}},
    {"v_must",
     "vector<t.Must, 2>",
     "",
     {"$.count = 2; $.items[0].tag = T_MUST_LOW; $.items[0].body.low = 3; $.items[1].tag = T_MUST_HIGH; "
      "$.items[1].body.high = 4;",
      "$.count = 0;"},
     {{"$.count = 1; $.items[0].tag = 0;", "[].tag", "not the tag of an arm"}}},
    {"a_must",
     "t.Must",
     "[2]",
     {"$[0].tag = T_MUST_LOW; $[0].body.low = 3; $[1].tag = T_MUST_HIGH; $[1].body.high = 4;",
      "$[0].tag = $[1].tag = T_MUST_MODE; $[0].body.mode = $[1].body.mode = 0;"},
     {{"$[0].tag = T_MUST_LOW; $[0].body.low = 3; $[1].tag = UINT32_MAX;", "[].tag", "not the tag of an arm"}}},

    /* Room to grow into, more room than is used, and places that are kept free: zero, like padding. */
    {"sized",
     "t.Sized",
     "",
     {"$.p = 1; $.q = UINT64_MAX; $.r = 1;", "$.p = 255; $.q = 0; $.r = 0;"},
     {{"$.p = 0; $.q = 0; $.r = 2;", ".r", "neither 0 nor 1"}}},
    {"v_sized",
     "vector<t.Sized, 2>",
     "",
     {"$.count = 2; for (unsigned n = 0; n < 2; n++) { $.items[n].p = 1; $.items[n].q = n; $.items[n].r = 1; }",
      "$.count = 0;"},
     {{"$.count = 1; $.items[0].p = 0; $.items[0].q = 0; $.items[0].r = 2;", "[].r", "neither 0 nor 1"}}},
    {"roomy",
     "t.Roomy",
     "",
     {"$.tag = T_ROOMY_LOW; $.body.low = 1;", "$.tag = 0;",
      "$.tag = T_ROOMY_WORD; $.body.word.length = 3; memcpy($.body.word.text, \"abc\", 4);",
      "$.tag = 3; memset(&$.body, 0x71, sizeof $.body);"},
     {{"$.tag = T_ROOMY_WORD; $.body.word.length = 4;", ".word", "more than 3 bytes"}}},
    {"aligned", "t.Aligned", "", {"$.p = 0xffff;", "$.p = 1;"}, NO_FAULTS},
    {"a_aligned",
     "t.Aligned",
     "[3]",
     {"$[0].p = 1; $[1].p = 2; $[2].p = 3;", "$[0].p = $[1].p = $[2].p = 0;"},
     NO_FAULTS},
    {"kept", "t.Kept", "", {"$.p = 255; $.r = 0xffff;", "$.p = 0; $.r = 0;"}, NO_FAULTS},
    {"v_kept",
     "vector<t.Kept, 2>",
     "",
     {"$.count = 2; $.items[0].p = $.items[1].p = 1; $.items[0].r = $.items[1].r = 2;", "$.count = 0;"},
     NO_FAULTS},
};

const unsigned matrix_type_count = sizeof matrix_types / sizeof matrix_types[0];

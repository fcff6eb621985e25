/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each type is written twice: as a schema, and as a C struct by hand. The C compiler says what is right.
 */
#include "test_support.h"

#include <stddef.h>
#include <stdint.h>

#include "compiler_schema.h"

static void assert_record(const model *compiled, const char *name, size_t size, size_t align, bool plain)
{
    const model_record *record = schema_record(compiled, name);
    ck_assert_msg(record->size == size, "%s: size %u, not %zu", name, record->size, size);
    ck_assert_msg(record->align == align, "%s: align %u, not %zu", name, record->align, align);
    ck_assert_msg(record->plain == plain, "%s: plain", name);
}

static void assert_field(const model *compiled, const char *record, const char *name, size_t offset, size_t size)
{
    const model_field *field = schema_field(compiled, record, name);
    ck_assert_msg(field->offset == offset, "%s.%s: offset %u, not %zu", record, name, field->offset, offset);
    ck_assert_msg(field->type->size == size, "%s.%s: size %u, not %zu", record, name, field->type->size, size);
}

#define ASSERT_FIELD(compiled, record, name) \
    assert_field(compiled, #record, #name, offsetof(record, name), sizeof(((record *)NULL)->name))

typedef struct Scalars {
    uint8_t a;
    int16_t b;
    int8_t c;
    uint32_t d;
    uint8_t e;
    double f;
    float g;
    uint64_t h;
    uint16_t i;
} Scalars;

START_TEST(scalars_lie_as_in_c)
{
    schema_result result =
        schema_try("struct Scalars { bool a; int16 b; int8 c; uint32 d; uint8 e; float64 f; float32 g;"
                   " uint64 h; uint16 i; }");
    const model *compiled = result.model;
    ck_assert_int_eq(result.rc, 0);
    assert_record(compiled, "Scalars", sizeof(Scalars), _Alignof(Scalars), false);
    ASSERT_FIELD(compiled, Scalars, a);
    ASSERT_FIELD(compiled, Scalars, b);
    ASSERT_FIELD(compiled, Scalars, c);
    ASSERT_FIELD(compiled, Scalars, d);
    ASSERT_FIELD(compiled, Scalars, e);
    ASSERT_FIELD(compiled, Scalars, f);
    ASSERT_FIELD(compiled, Scalars, g);
    ASSERT_FIELD(compiled, Scalars, h);
    ASSERT_FIELD(compiled, Scalars, i);
    ck_assert_uint_eq(schema_field(compiled, "Scalars", "b")->padding_before, 1);
    ck_assert_uint_eq(schema_field(compiled, "Scalars", "f")->padding_before, 3);
    ck_assert_uint_eq(schema_record(compiled, "Scalars")->tail_padding, sizeof(Scalars) - offsetof(Scalars, i) - 2);
}
END_TEST

typedef struct Point {
    int32_t x;
    uint8_t y;
} Point;

typedef struct Sequences {
    struct {
        uint16_t length;
        char text[6];
    } text;
    struct {
        uint16_t count;
        uint8_t items[3];
    } bytes;
    struct {
        uint16_t count;
        uint64_t items[3];
    } numbers;
    struct {
        uint16_t count;
        Point items[2];
    } points;
    uint16_t grid[2][3];
    struct {
        uint32_t length;
        char text[65537];
    } large;
} Sequences;

START_TEST(sequences_lie_as_in_c)
{
    const model *compiled = schema_good("struct Point { int32 x; uint8 y; }\n"
                                        "struct Sequences { string<5> text; bytes<3> bytes; vector<uint64, 3> numbers;"
                                        " vector<Point, 2> points; uint16[2][3] grid; string<65536> large; }");
    assert_record(compiled, "Point", sizeof(Point), _Alignof(Point), false);
    assert_record(compiled, "Sequences", sizeof(Sequences), _Alignof(Sequences), false);
    ASSERT_FIELD(compiled, Sequences, text);
    ASSERT_FIELD(compiled, Sequences, bytes);
    ASSERT_FIELD(compiled, Sequences, numbers);
    ASSERT_FIELD(compiled, Sequences, points);
    ASSERT_FIELD(compiled, Sequences, grid);
    ASSERT_FIELD(compiled, Sequences, large);

    const model_type *bytes = schema_field(compiled, "Sequences", "bytes")->type;
    ck_assert_uint_eq(bytes->count_size, 2);
    ck_assert_uint_eq(bytes->items_offset, 2);
    ck_assert_uint_eq(bytes->tail_padding, 1);
    const model_type *numbers = schema_field(compiled, "Sequences", "numbers")->type;
    ck_assert_uint_eq(numbers->items_offset, 8);
    ck_assert_uint_eq(numbers->align, 8);
    const model_type *large = schema_field(compiled, "Sequences", "large")->type;
    ck_assert_uint_eq(large->count_size, 4);
    const model_type *grid = schema_field(compiled, "Sequences", "grid")->type;
    ck_assert_uint_eq(grid->capacity, 2);
    ck_assert_uint_eq(grid->element->capacity, 3);
}
END_TEST

START_TEST(counters_widen_at_65536)
{
    const model *compiled = schema_good("struct A { bytes<65535> a; }\nstruct B { bytes<65536> a; }");
    ck_assert_uint_eq(schema_field(compiled, "A", "a")->type->count_size, 2);
    ck_assert_uint_eq(schema_field(compiled, "B", "a")->type->count_size, 4);
    assert_record(compiled, "A", 65538, 2, false);
    assert_record(compiled, "B", 65540, 4, false);
}
END_TEST

START_TEST(an_array_of_an_alias_puts_its_dimensions_first)
{
    const model *compiled = schema_good("alias Row = float32[4];\nstruct A { Row[3] m; }");
    const model_type *type = schema_field(compiled, "A", "m")->type;
    ck_assert_uint_eq(type->capacity, 3);
    ck_assert_uint_eq(type->element->capacity, 4);
    ck_assert_str_eq(type->element->alias->name, "Row");
    ck_assert_uint_eq(type->size, sizeof(float[3][4]));
}
END_TEST

typedef struct Optionals {
    uint8_t has_a;
    uint64_t a;
    uint8_t has_b;
    uint8_t b;
    uint8_t has_c;
    struct {
        uint16_t length;
        char text[4];
    } c;
} Optionals;

START_TEST(optionals_lie_behind_a_byte_of_their_own)
{
    schema_result result = schema_try("struct Optionals { uint64? a; uint8? b; string<3>? c; }");
    const model *compiled = result.model;
    ck_assert_int_eq(result.rc, 0);
    assert_record(compiled, "Optionals", sizeof(Optionals), _Alignof(Optionals), false);
    ASSERT_FIELD(compiled, Optionals, a);
    ASSERT_FIELD(compiled, Optionals, b);
    ASSERT_FIELD(compiled, Optionals, c);
    const model_field *a = schema_field(compiled, "Optionals", "a");
    ck_assert(a->optional);
    ck_assert_uint_eq(a->has_offset, offsetof(Optionals, has_a));
    ck_assert_uint_eq(a->padding_after_has, 7);
    ck_assert_uint_eq(schema_field(compiled, "Optionals", "b")->has_offset, offsetof(Optionals, has_b));
    ck_assert_uint_eq(schema_field(compiled, "Optionals", "c")->has_offset, offsetof(Optionals, has_c));
    ck_assert_uint_eq(schema_field(compiled, "Optionals", "c")->padding_after_has, 1);
}
END_TEST

typedef struct Small {
    uint32_t tag;
    union {
        uint8_t a;
        uint8_t b[3];
    } body;
} Small;

typedef struct Large {
    uint32_t tag;
    union {
        uint64_t a;
        uint8_t b[13];
        Small c;
    } body;
} Large;

START_TEST(unions_lie_as_in_c)
{
    const model *compiled = schema_good("union Small { uint8 a = 1; uint8[3] b = 2; }\n"
                                        "union Large { uint64 a = 1; uint8[13] b = 5; Small c = 9; }");
    assert_record(compiled, "Small", sizeof(Small), _Alignof(Small), false);
    assert_record(compiled, "Large", sizeof(Large), _Alignof(Large), false);
    const model_record *large = schema_record(compiled, "Large");
    ck_assert_uint_eq(large->body_offset, offsetof(Large, body));
    ck_assert_uint_eq(large->body_size, sizeof(((Large *)NULL)->body));
    ck_assert_uint_eq(schema_record(compiled, "Small")->body_offset, offsetof(Small, body));
    ck_assert_uint_eq(schema_record(compiled, "Small")->tail_padding, 1);
    ck_assert_uint_eq(schema_field(compiled, "Large", "b")->tag, 5);
    ck_assert_uint_eq(schema_field(compiled, "Large", "b")->offset, offsetof(Large, body));
}
END_TEST

START_TEST(a_message_is_a_multiple_of_8)
{
    const model *compiled = schema_good("message A { uint8 x; }\nmessage B { uint64 x; uint32 y; }\n"
                                        "message C { uint8[65536] x; }\nmessage D { uint16[5] x; }");
    assert_record(compiled, "A", 8, 1, false);
    assert_record(compiled, "B", 16, 8, false);
    assert_record(compiled, "C", 65536, 1, true);
    assert_record(compiled, "D", 16, 2, false);
    ck_assert_uint_eq(schema_record(compiled, "A")->tail_padding, 7);
    ck_assert_uint_eq(schema_record(compiled, "D")->tail_padding, 6);
}
END_TEST

START_TEST(plain_means_no_padding_and_nothing_to_validate)
{
    const model *compiled = schema_good("enum Colour : uint8 { NONE = 0; }\nflags Access : uint8 { READ = 1; }\n"
                                        "struct Even { Colour a; Access b; uint16 c; uint32 d; float64[2] e; }\n"
                                        "struct Holder { Even[3] all; }\n"
                                        "struct Boolean { bool a; }\n"
                                        "struct Gap { uint8 a; uint16 b; }\n"
                                        "struct HolderOfGap { Gap a; }\n"
                                        "struct Text { string<1> a; }\n"
                                        "struct Maybe { uint8? a; }");
    ck_assert(schema_record(compiled, "Even")->plain);
    ck_assert(schema_record(compiled, "Holder")->plain);
    ck_assert(!schema_record(compiled, "Boolean")->plain);
    ck_assert(!schema_record(compiled, "Gap")->plain);
    ck_assert(!schema_record(compiled, "HolderOfGap")->plain);
    ck_assert(!schema_record(compiled, "Text")->plain);
    ck_assert(!schema_record(compiled, "Maybe")->plain);
}
END_TEST

START_TEST(only_a_message_has_a_variable_tail)
{
    const model *compiled =
        schema_good("message A { uint32 x; string<20> y; }\nmessage B { uint32 x; string<20>? y; }\n"
                    "struct C { uint32 x; string<20> y; }\nmessage D { string<20> y; uint32 x; }");
    ck_assert_ptr_eq(schema_record(compiled, "A")->variable_tail, schema_field(compiled, "A", "y"));
    ck_assert_ptr_null(schema_record(compiled, "B")->variable_tail);
    ck_assert_ptr_null(schema_record(compiled, "C")->variable_tail);
    ck_assert_ptr_null(schema_record(compiled, "D")->variable_tail);
}
END_TEST

/* What is reserved of one record is where the fields of another are that has them still. */
static void assert_same_places(const model *compiled, const char *kept, const char *whole)
{
    const model_record *record = schema_record(compiled, kept);
    const model_record *full = schema_record(compiled, whole);
    uint32_t end = 0;

    ck_assert_uint_eq(record->field_count + record->hole_count, full->field_count);
    assert_record(compiled, kept, full->size, full->align, false);
    for (uint32_t i = 0; i < record->hole_count; i++) {
        const model_hole *hole = &record->holes[i];
        const model_field *field = &full->fields[hole->before + i];
        ck_assert_str_eq(hole->name, field->name);
        ck_assert_uint_eq(hole->offset, field->offset);
        ck_assert_uint_eq(hole->type->size, field->type->size);
        ck_assert_uint_eq(hole->since, field->notes.since);
    }
    for (uint32_t i = 0; i < record->field_count; i++) {
        const model_field *field = &record->fields[i];
        uint32_t begin = field->optional ? field->has_offset : field->offset;
        ck_assert_uint_eq(field->offset, schema_field(compiled, whole, field->name)->offset);
        ck_assert_uint_eq(field->padding_before, begin - end);
        end = field->offset + field->type->size;
    }
    ck_assert_uint_eq(record->tail_padding, record->size - end);
    ck_assert_uint_eq(record->revision_count, full->revision_count);
    for (uint32_t i = 0; i < full->revision_count; i++) {
        ck_assert_uint_eq(record->revisions[i].version, full->revisions[i].version);
        ck_assert_uint_eq(record->revisions[i].size, full->revisions[i].size);
    }
}

START_TEST(a_reserved_place_is_where_a_field_was)
{
    const char *text = "@version(4) package test;\n"
                       "struct Whole { uint8 a; uint64 b; uint16 c; uint32 d; uint8 e; }\n"
                       "struct Kept { uint8 a; reserved uint64 b; uint16 c; reserved uint32 d; uint8 e; }\n"
                       "struct Ends { reserved uint8 a; reserved uint64 b; uint16 c; uint32 d; reserved uint8 e; }\n"
                       "message Old { uint8? a; string<5> b; Whole c; @since(3) uint8 d; @since(4) uint16[7] e; }\n"
                       "message New { uint8? a; reserved string<5> b; reserved Whole c; @since(3) reserved uint8 d;\n"
                       "  @since(4) uint16[7] e; }\n"
                       "message Cut { uint8? a; string<5> b; reserved Whole c; @since(3) reserved uint8 d;\n"
                       "  @since(4) reserved uint16[7] e; }\n";
    schema_write("test.shm", text);
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    ck_assert_uint_eq(result.errors, 0);
    assert_same_places(result.model, "Kept", "Whole");
    assert_same_places(result.model, "Ends", "Whole");
    assert_same_places(result.model, "New", "Old");
    assert_same_places(result.model, "Cut", "Old");
    ck_assert_uint_eq(schema_record(result.model, "Old")->revision_count, 3);
}
END_TEST

START_TEST(reserved_places_count_towards_a_gibibyte)
{
    schema_good("struct A { uint8 x; reserved uint8[(1 << 30) - 1]; }");
    schema_bad("struct A { uint8 x; reserved uint8[1 << 30]; }", DIAG_E321);
    schema_bad("struct A { reserved uint8[1 << 30]; uint8 x; }", DIAG_E321);
}
END_TEST

START_TEST(refuses_types_beyond_a_gibibyte_without_wrapping)
{
    schema_good("struct A { uint8[1 << 30] x; }");
    schema_bad("struct A { uint8[(1 << 30) + 1] x; }", DIAG_E321);
    schema_bad("struct A { uint64[4294967295][4294967295][4294967295] x; }", DIAG_E321);
    schema_bad("struct A { vector<uint64, 4294967295> x; }", DIAG_E321);
    schema_bad("struct A { uint8[1 << 30] x; uint8 y; }", DIAG_E321);
    schema_bad("struct A { uint8 y; uint64[1 << 27] x; }", DIAG_E321);
    schema_bad("union A { uint8[1 << 30] x = 1; }", DIAG_E321);
}
END_TEST

static Suite *layout_suite(void)
{
    Suite *suite = suite_create("compiler_layout");
    TCase *tests = tcase_create("layout");

    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, scalars_lie_as_in_c);
    tcase_add_test(tests, sequences_lie_as_in_c);
    tcase_add_test(tests, counters_widen_at_65536);
    tcase_add_test(tests, an_array_of_an_alias_puts_its_dimensions_first);
    tcase_add_test(tests, optionals_lie_behind_a_byte_of_their_own);
    tcase_add_test(tests, unions_lie_as_in_c);
    tcase_add_test(tests, a_message_is_a_multiple_of_8);
    tcase_add_test(tests, plain_means_no_padding_and_nothing_to_validate);
    tcase_add_test(tests, only_a_message_has_a_variable_tail);
    tcase_add_test(tests, a_reserved_place_is_where_a_field_was);
    tcase_add_test(tests, reserved_places_count_towards_a_gibibyte);
    tcase_add_test(tests, refuses_types_beyond_a_gibibyte_without_wrapping);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(layout_suite)

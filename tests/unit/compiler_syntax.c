/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"
#include "syntax.h"

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

static const ast_file *parse_bytes(const char *text, size_t size)
{
    return syntax_parse(memory, memory, diagnostics, source_new(memory, "a.shm", "a.shm", text, (uint32_t)size));
}

static const ast_file *parse_text(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static const ast_decl *decl(const ast_file *file, uint32_t index)
{
    ck_assert_uint_lt(index, file->decls.count);
    return *VECTOR_AT(&file->decls, ast_decl *, index);
}

/* How many diagnostics there are of a code. */
static size_t count_of(diag_code code)
{
    size_t count;
    size_t found = 0;
    const diag_entry *const *sorted = diag_sorted(diagnostics, &count);
    for (size_t i = 0; i < count; i++)
        found += sorted[i]->code == code;
    return found;
}

START_TEST(joins_the_lines_of_a_doc_comment)
{
    const ast_file *file =
        parse_text("/// Of the package.\npackage a;\n///  Indented.\r\n///\n@deprecated\n/// Third.\n"
                   "message A {\n    /// Of x.\n    int32 x;\n    int32 y; // none\n}\n");
    ck_assert_uint_eq(diag_errors(diagnostics) + diag_warnings(diagnostics), 0);
    ck_assert_str_eq(file->package->notes->doc, "Of the package.");
    ck_assert_str_eq(decl(file, 0)->notes->doc, " Indented.\n\nThird.");
    ck_assert_str_eq((*VECTOR_AT(&decl(file, 0)->body->entries, ast_field *, 0))->notes->doc, "Of x.");
    ck_assert_ptr_null((*VECTOR_AT(&decl(file, 0)->body->entries, ast_field *, 1))->notes->doc);
}
END_TEST

START_TEST(lets_soft_keywords_name_members)
{
    const ast_file *file =
        parse_text("package a.message;\nmessage A { string<4> string; int32 rpc; }\nenum B { flags = 0; }\n"
                   "service C { rpc event() -> (); oneway stream(); }\n");
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(file->decls.count, 3);
    ck_assert_str_eq((*VECTOR_AT(&decl(file, 0)->body->entries, ast_field *, 1))->name.text, "rpc");
}
END_TEST

START_TEST(keeps_all_declarations_over_mild_mistakes)
{
    const ast_file *file =
        parse_text("package a\nmessage A { int32 x int32 y, int32 z = 1 }\nenum stream { A = 0, B = 1 };\n"
                   "const uint32 C = 012\n");
    ck_assert(!file->broken);
    ck_assert_uint_eq(file->decls.count, 3);
    ck_assert_uint_eq(decl(file, 0)->body->entries.count, 3);
    ck_assert_uint_eq(decl(file, 1)->body->entries.count, 2);
    ck_assert_uint_eq(count_of(DIAG_E102), 5);
    ck_assert_uint_eq(count_of(DIAG_E101), 2);
    ck_assert_uint_eq(count_of(DIAG_E113), 1);
    ck_assert_uint_eq(count_of(DIAG_E105), 1);
}
END_TEST

START_TEST(goes_on_behind_an_entry_with_a_mistake)
{
    const ast_file *file =
        parse_text("package a;\nmessage A { int32 x; int32 ] y; int32 z; }\nnonsense { a; b { c; } d; }\n"
                   "service S { rpc f({ int32 ? ; int32 y; }) -> (); rpc g(); rpc h() -> (); }\n"
                   "message B { int32 x; }\n");
    ck_assert(file->broken);
    ck_assert_uint_eq(file->decls.count, 3);
    ck_assert_uint_eq(decl(file, 0)->body->entries.count, 2);
    ck_assert_uint_eq(decl(file, 1)->body->entries.count, 3);
    ck_assert_uint_eq(count_of(DIAG_E110), 4);
    ck_assert_uint_eq(diag_errors(diagnostics), 4);
}
END_TEST

START_TEST(takes_a_declaration_in_column_one_for_the_end_of_an_open_brace)
{
    const ast_file *file = parse_text("package a;\nmessage A {\n    int32 x;\n\nmessage B { int32 y; }\nenum C {\n"
                                      "    X = 0;\n\nstruct D { int32 z; }\n");
    ck_assert_uint_eq(count_of(DIAG_E108), 2);
    ck_assert_uint_eq(diag_errors(diagnostics), 2);
    ck_assert_uint_eq(file->decls.count, 4);
    ck_assert_str_eq(decl(file, 3)->name.text, "D");
}
END_TEST

START_TEST(reads_ranges_and_ends_of_lines_of_every_kind)
{
    const ast_file *file =
        parse_text("\xef\xbb\xbfpackage a;\r\n/* \r */ message A {\r    reserved 7..9, 11;\r\n int32 x; }\r");
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    const ast_reserved *kept = *VECTOR_AT(&decl(file, 0)->body->reserved, ast_reserved *, 0);
    ck_assert_uint_eq(kept->ranges->count, 2);
    const ast_range *first = *VECTOR_AT(kept->ranges, ast_range *, 0);
    ck_assert_uint_eq(first->first->integer, 7);
    ck_assert_uint_eq(first->last->integer, 9);
}
END_TEST

START_TEST(reads_a_last_line_without_newline)
{
    const ast_file *file = parse_text("package a; const uint32 A = 1;// end");
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(file->decls.count, 1);
}
END_TEST

static char *repeat(const char *before, const char *middle, size_t times, const char *after)
{
    size_t size = strlen(before) + times * strlen(middle) + strlen(after) + 1;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    char *end = stpcpy(text, before);
    for (size_t i = 0; i < times; i++)
        end = stpcpy(end, middle);
    stpcpy(end, after);
    return text;
}

static void assert_too_deep(const char *before, const char *middle, const char *after)
{
    char *text = repeat(before, middle, 1000000, after);
    diagnostics = diag_new(memory);
    const ast_file *file = parse_text(text);
    ck_assert(file->broken);
    ck_assert_uint_eq(count_of(DIAG_E114), 1);
    ck_assert_uint_eq(diag_errors(diagnostics), 1);
    free(text);
}

START_TEST(bounds_how_deep_things_nest)
{
    assert_too_deep("package a; const uint32 A = ", "(", "");
    assert_too_deep("package a; const uint32 A = ", "-", "1;");
    assert_too_deep("package a; const uint32 A = ", "1 + (", "");
    assert_too_deep("package a; alias A = ", "vector<", "");
    assert_too_deep("package a; alias A = uint8", "[1]", ";");
}
END_TEST

START_TEST(has_no_limit_on_the_length_of_a_name_a_text_or_a_line)
{
    char *text = repeat("package a; message ", "abcdefgh", 100000, " { int32 x; }");
    const ast_file *file = parse_text(text);
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(strlen(decl(file, 0)->name.text), 800000);
    free(text);
    text = repeat("package ", "a.", 200000, "b;");
    file = parse_text(text);
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(strlen(file->package->name.text), 400001);
    free(text);
    text = repeat("package a; const string<4> A = \"", "\\u{e9}", 100000, "\";");
    file = parse_text(text);
    ck_assert_uint_eq(diag_errors(diagnostics), 0);
    ck_assert_uint_eq(decl(file, 0)->value->text.length, 200000);
    free(text);
}
END_TEST

START_TEST(survives_every_single_byte_and_every_cut)
{
    static const char schema[] =
        "package a;\n@version(1) /* c */ import \"x\" as y;\n/// d\nenum E : uint8 { A = 0; }\n"
        "union U { string<3> s = 1; }\nservice S { rpc f({ int32? x; }) -> (E) throws Q; }\n";
    size_t size = sizeof(schema) - 1;
    char text[sizeof(schema)];
    for (size_t cut = 0; cut <= size; cut++)
        ck_assert_ptr_nonnull(parse_bytes(schema, cut));
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < size; at += 7) {
            memcpy(text, schema, sizeof(schema));
            text[at] = (char)byte;
            ck_assert_ptr_nonnull(parse_bytes(text, size));
        }
    }
}
END_TEST

static Suite *syntax_suite(void)
{
    Suite *suite = suite_create("compiler_syntax");
    TCase *tests = tcase_create("syntax");

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, open_diag, close_diag);
    tcase_add_test(tests, joins_the_lines_of_a_doc_comment);
    tcase_add_test(tests, lets_soft_keywords_name_members);
    tcase_add_test(tests, keeps_all_declarations_over_mild_mistakes);
    tcase_add_test(tests, goes_on_behind_an_entry_with_a_mistake);
    tcase_add_test(tests, takes_a_declaration_in_column_one_for_the_end_of_an_open_brace);
    tcase_add_test(tests, reads_ranges_and_ends_of_lines_of_every_kind);
    tcase_add_test(tests, reads_a_last_line_without_newline);
    tcase_add_test(tests, bounds_how_deep_things_nest);
    tcase_add_test(tests, has_no_limit_on_the_length_of_a_name_a_text_or_a_line);
    tcase_add_test(tests, survives_every_single_byte_and_every_cut);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(syntax_suite)

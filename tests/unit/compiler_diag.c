/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"
#include "support/text.h"

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

static const source *file_of(const char *path, const char *text, size_t size)
{
    return source_new(memory, path, path, text, (uint32_t)size);
}

static span place(const source *file, uint32_t start, uint32_t end)
{
    return (span){file, start, end};
}

static void assert_shown(const char *expected)
{
    char *shown = schema_shown(diagnostics, DIAG_TEXT);
    ck_assert_str_eq(shown, expected);
    free(shown);
}

START_TEST(shows_the_line_a_caret_a_note_and_a_fix)
{
    const char text[] = "first line\nuint32 x = 1;\n";
    const source *file = file_of("a.shm", text, strlen(text));
    diag_entry *entry = diag_add(diagnostics, DIAG_E305, place(file, 18, 23), "it is %s", "wrong");
    diag_note(entry, place(file, 0, 5), "see %d", 1);
    diag_fix(entry, "remove it");
    assert_shown(
        "a.shm:2:8: error[E305]: it is wrong\nuint32 x = 1;\n       ^~~~~\na.shm:1:1: note: see 1\nfix: remove it\n");
    ck_assert_uint_eq(diag_errors(diagnostics), 1);
    ck_assert_uint_eq(diag_warnings(diagnostics), 0);
}
END_TEST

START_TEST(repeats_tabs_and_counts_characters_before_the_caret)
{
    const char text[] = "\t\xc3\xa9 \tx";
    diag_add(diagnostics, DIAG_W106, place(file_of("a.shm", text, strlen(text)), 5, 6), "here");
    assert_shown("a.shm:1:5: warning[W106]: here\n\t\xc3\xa9 \tx\n\t  \t^\n");
}
END_TEST

START_TEST(points_behind_the_end_of_a_line)
{
    const char text[] = "ab\r\ncd";
    const source *file = file_of("a.shm", text, strlen(text));
    diag_add(diagnostics, DIAG_E102, place(file, 2, 2), "one");
    diag_add(diagnostics, DIAG_E102, place(file, 6, 6), "two");
    assert_shown("a.shm:1:3: error[E102]: one\nab\n  ^\na.shm:2:3: error[E102]: two\ncd\n  ^\n");
}
END_TEST

START_TEST(ends_a_mark_of_several_lines_with_the_first)
{
    const char text[] = "ab {\ncd\n}";
    diag_add(diagnostics, DIAG_E317, place(file_of("a.shm", text, strlen(text)), 3, 9), "here");
    assert_shown("a.shm:1:4: error[E317]: here\nab {\n   ^\n");
}
END_TEST

START_TEST(lets_no_control_character_of_a_file_out)
{
    const char text[] = "a\x1b[31m\x07\xff\xc2\x9b z";
    diag_add(diagnostics, DIAG_E111, place(file_of("a\x1b.shm", text, strlen(text)), 1, 2), "say \x1b[0m");
    assert_shown("a?.shm:1:2: error[E111]: say ?[0m\na?[31m???"
                 " z\n ^\n");
}
END_TEST

START_TEST(cuts_a_long_line_around_the_place)
{
    char text[10001];
    memset(text, 'a', sizeof(text) - 1);
    text[5000] = '#';
    text[sizeof(text) - 1] = '\0';
    diag_add(diagnostics, DIAG_E111, place(file_of("a.shm", text, strlen(text)), 5000, 5001), "here");
    char *shown = schema_shown(diagnostics, DIAG_TEXT);
    ck_assert_uint_lt(strlen(shown), 400);
    char *line = strchr(shown, '\n') + 1;
    char *carets = strchr(line, '\n') + 1;
    ck_assert_int_eq(strncmp(line, "...aaa", 6), 0);
    ck_assert_int_eq(strchr(line, '#') - line, strchr(carets, '^') - carets);
    free(shown);
}
END_TEST

START_TEST(sorts_by_path_and_place_and_shows_each_once)
{
    const source *first = file_of("a.shm", "xyz", 3);
    const source *second = file_of("b.shm", "xyz", 3);
    diag_add(diagnostics, DIAG_E205, place(second, 0, 1), "b");
    diag_add(diagnostics, DIAG_E205, place(first, 2, 3), "late");
    diag_add(diagnostics, DIAG_W412, place(first, 0, 1), "warning");
    diag_add(diagnostics, DIAG_E205, place(first, 0, 1), "early");
    diag_add(diagnostics, DIAG_E205, place(first, 0, 1), "early");
    diag_add(diagnostics, DIAG_E001, (span){0}, "no place");
    size_t count;
    const diag_entry *const *sorted = diag_sorted(diagnostics, &count);
    const char *const expected[] = {"no place", "early", "warning", "late", "b"};
    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(sorted[i]->message, expected[i]);
}
END_TEST

START_TEST(counts_what_it_does_not_keep)
{
    const source *file = file_of("a.shm", "x", 1);
    for (int i = 0; i < DIAG_MOST + 7; i++)
        diag_fix(diag_add(diagnostics, DIAG_E205, place(file, 0, 1), "number %d", i), "none");
    char *shown = schema_shown(diagnostics, DIAG_TEXT);
    ck_assert_uint_eq(diag_errors(diagnostics), DIAG_MOST + 7);
    ck_assert_ptr_nonnull(strstr(shown, "shmc: 7 more diagnostics are not shown\n"));
    free(shown);
}
END_TEST

START_TEST(cuts_a_long_text_between_characters)
{
    char long_text[20001];
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(long_text + i, "\xc3\xa9", 3);
    diag_add(diagnostics, DIAG_E001, (span){0}, "%s", long_text);
    diag_add(diagnostics, DIAG_E002, (span){0}, "x%s", long_text);
    size_t count;
    const diag_entry *const *entries = diag_sorted(diagnostics, &count);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        size_t bad;
        size_t length = strlen(entries[i]->message);
        ck_assert_uint_eq(length, i == 0 ? 16003 : 16002);
        ck_assert(utf8_valid(entries[i]->message, length, &bad));
        ck_assert_str_eq(entries[i]->message + length - 3, "...");
    }
}
END_TEST

START_TEST(colors_what_a_terminal_shows)
{
    char *shown = NULL;
    size_t length;
    FILE *to = open_memstream(&shown, &length);
    ck_assert_ptr_nonnull(to);
    diag_entry *entry = diag_add(diagnostics, DIAG_E305, place(file_of("a.shm", "x y", 3), 2, 3), "wrong");
    diag_note(entry, (span){0}, "n");
    diag_add(diagnostics, DIAG_W106, place(file_of("b.shm", "x", 1), 0, 1), "odd");
    ck_assert_int_eq(diag_render(diagnostics, DIAG_TEXT, true, to), 0);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_str_eq(shown, "\x1b[1ma.shm:1:3:\x1b[0m \x1b[1;31merror[E305]:\x1b[0m wrong\nx y\n  \x1b[1;31m^\x1b[0m\n"
                            "\x1b[1;36mnote:\x1b[0m n\n"
                            "\x1b[1mb.shm:1:1:\x1b[0m \x1b[1;35mwarning[W106]:\x1b[0m odd\nx\n\x1b[1;35m^\x1b[0m\n");
    free(shown);
}
END_TEST

START_TEST(writes_commands_of_a_workflow_that_are_one_line_each)
{
    const source *file = file_of("a.shm", "x", 1);
    for (int i = 0; i < DIAG_MOST + 2; i++)
        diag_add(diagnostics, DIAG_E205, place(file, 0, 1), "100%% \r\n\x01 number %d", i);
    char *shown = schema_shown(diagnostics, DIAG_GITHUB);
    const char first[] = "::error file=a.shm,line=1,col=1,title=E205 unknown name::100%25 %0D%0A? number 0\n";
    ck_assert_int_eq(strncmp(shown, first, strlen(first)), 0);
    const char *last = strstr(shown, "::warning");
    ck_assert_ptr_nonnull(last);
    ck_assert_str_eq(last, "::warning title=shmc::2 more diagnostics are not shown\n");
    free(shown);
}
END_TEST

START_TEST(writes_json_that_escapes_everything)
{
    const source *file = file_of("a\"b.shm", "x \xc3\xa9y", 5);
    diag_entry *entry = diag_add(diagnostics, DIAG_E305, place(file, 2, 5), "say \"\\\n\x01\xff\"");
    diag_note(entry, (span){0}, "n");
    diag_fix(entry, "f");
    char *shown = schema_shown(diagnostics, DIAG_JSON);
    ck_assert_str_eq(
        shown, "[\n  {\"code\": \"E305\", \"severity\": \"error\", \"title\": \"number after a field\", \"message\": "
               "\"say \\\"\\\\\\u000a\\u0001\\ufffd\\\"\", \"file\": \"a\\\"b.shm\", \"line\": 1, \"column\": 3, "
               "\"end_line\": 1, \"end_column\": 5, \"note\": {\"message\": \"n\"}, \"fix\": \"f\"}\n]\n");
    free(shown);
}
END_TEST

START_TEST(writes_an_empty_array_for_nothing)
{
    char *shown = schema_shown(diagnostics, DIAG_JSON);
    ck_assert_str_eq(shown, "[]\n");
    free(shown);
    assert_shown("");
}
END_TEST

START_TEST(says_when_it_could_not_be_written)
{
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    diag_add(diagnostics, DIAG_E001, (span){0}, "no place");
    ck_assert_int_eq(diag_render(diagnostics, DIAG_TEXT, false, full), -ENOSPC);
    fclose(full);
}
END_TEST

START_TEST(gives_every_code_a_name_and_a_title)
{
    static const char *const names[] = {
#define X(code, severity, title) #code,
#include "codes.h"
#undef X
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        diag_code code = (diag_code)i;
        ck_assert_str_eq(diag_code_name(code), names[i]);
        ck_assert_uint_gt(strlen(diag_code_title(code)), 3);
        ck_assert((names[i][0] == 'E') == (diag_code_severity(code) == DIAG_ERROR));
    }
}
END_TEST

static Suite *diag_suite(void)
{
    Suite *suite = suite_create("compiler_diag");
    TCase *tests = tcase_create("diag");

    tcase_add_checked_fixture(tests, open_diag, close_diag);
    tcase_add_test(tests, shows_the_line_a_caret_a_note_and_a_fix);
    tcase_add_test(tests, repeats_tabs_and_counts_characters_before_the_caret);
    tcase_add_test(tests, points_behind_the_end_of_a_line);
    tcase_add_test(tests, ends_a_mark_of_several_lines_with_the_first);
    tcase_add_test(tests, lets_no_control_character_of_a_file_out);
    tcase_add_test(tests, cuts_a_long_line_around_the_place);
    tcase_add_test(tests, sorts_by_path_and_place_and_shows_each_once);
    tcase_add_test(tests, counts_what_it_does_not_keep);
    tcase_add_test(tests, cuts_a_long_text_between_characters);
    tcase_add_test(tests, colors_what_a_terminal_shows);
    tcase_add_test(tests, writes_commands_of_a_workflow_that_are_one_line_each);
    tcase_add_test(tests, writes_json_that_escapes_everything);
    tcase_add_test(tests, writes_an_empty_array_for_nothing);
    tcase_add_test(tests, says_when_it_could_not_be_written);
    tcase_add_test(tests, gives_every_code_a_name_and_a_title);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(diag_suite)

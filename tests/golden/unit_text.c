/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_text.c - templates, JSON, dependency rules, names, and files written whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/c/names.h"
#include "backends/c/reserved.h"
#include "backends/c/types.h"
#include "backends/json/writer.h"
#include "depfile.h"
#include "emit.h"
#include "output.h"
#include "spell.h"
#include "test_support.h"

static arena *memory;
static buffer text;
static emit e;

static void begin(void)
{
    memory = arena_new();
    text = (buffer){0};
    emit_init(&e, &text, memory);
}

static void end(void)
{
    emit_deinit(&e);
    buffer_deinit(&text);
    arena_free(memory);
}

START_TEST(fills_holes_from_the_nearest_binding)
{
    size_t mark;

    emit_bind(&e, "a", "one");
    mark = emit_mark(&e);
    emit_bind(&e, "a", "two");
    EMIT(&e, "${a} ${b};\n", {"b", "${a}"});
    emit_release(&e, mark);
    emit_text(&e, "${a}\n");
    EMIT(&e, "${a}${a}\n", {"a", "x"});
    ck_assert_str_eq(text.data, "two ${a};\none\nxx\n");
}
END_TEST

START_TEST(indents_lines_but_not_directives)
{
    emit_in(&e);
    emit_text(&e, "a;\n\n#define B\nc(");
    emit_text(&e, "d);\n");
    emit_in(&e);
    EMIT(&e, "${lines}", {"lines", "x\ny\n"});
    emit_out(&e);
    emit_out(&e);
    emit_text(&e, "z\n");
    ck_assert_str_eq(text.data, "    a;\n\n#define B\n    c(d);\n        x\n        y\nz\n");
}
END_TEST

START_TEST(breaks_long_lines_below_their_bracket)
{
    EMIT(&e, "int ${name}(int first, int second, int third, int fourth, int fifth, const char *text, size_t length);\n",
         {"name", "a_function_of_a_rather_long_name"});
    ck_assert_str_eq(text.data,
                     "int a_function_of_a_rather_long_name(int first, int second, int third, int fourth, int "
                     "fifth, const char *text,\n"
                     "                                     size_t length);\n");
    for (size_t at = 0, column = 0; at < text.length; at++) {
        column = text.data[at] == '\n' ? 0 : column + 1;
        ck_assert_uint_le(column, EMIT_COLUMNS);
    }
}
END_TEST

START_TEST(breaks_after_the_bracket_where_nothing_else_helps)
{
    char name[101];

    memset(name, 'n', 100);
    name[100] = '\0';
    emit_in(&e);
    EMIT(&e, "int ${name}(struct something *first, int second);\n", {"name", name});
    char *line = strchr(text.data, '\n');
    ck_assert_str_eq(line, "\n        struct something *first, int second);\n");
}
END_TEST

START_TEST(leaves_texts_and_comments_whole)
{
    char long_text[200];

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    memcpy(long_text + 50, ", ", 2);
    EMIT(&e, "f(\"${text}\");\n/* (${text}) */\n#define F(a) (${text})\n", {"text", long_text});
    ck_assert_uint_eq(text.length, 3 * 199 + strlen("f(\n    \"\");\n/* () */\n#define F(a) ()\n"));
}
END_TEST

START_TEST(puts_gaps_where_there_are_none)
{
    emit_gap(&e);
    emit_text(&e, "a {\n");
    emit_gap(&e);
    emit_text(&e, "b\n");
    emit_gap(&e);
    emit_gap(&e);
    emit_text(&e, "c\n");
    ck_assert_str_eq(text.data, "a {\nb\n\nc\n");
}
END_TEST

START_TEST(turns_names_to_snake_case)
{
    static const char *const cases[][2] = {
        {"HTTPServer2", "http_server2"},
        {"getURL", "get_url"},
        {"KEY_MAX", "key_max"},
        {"XMLHttpRequest", "xml_http_request"},
        {"a", "a"},
        {"A", "a"},
        {"v2Beta", "v2_beta"},
        {"OUT_OF_RANGE", "out_of_range"},
        {"already_so", "already_so"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(spell_snake(memory, cases[i][0]), cases[i][1]);
}
END_TEST

/* What a name is taken for, or NULL. */
static const char *taken_for(const map *words, const char *name)
{
    const char *const *what = map_find(words, name);

    return what ? *what : NULL;
}

START_TEST(knows_what_is_taken)
{
    map words = {0};

    reserved_enter(&words, memory);
    ck_assert_str_eq(taken_for(&words, "class"), "a keyword of C++");
    ck_assert_str_eq(taken_for(&words, "typeof"), "a keyword of C from C23 on and of C++");
    ck_assert_ptr_nonnull(taken_for(&words, "assert"));
    ck_assert_ptr_nonnull(taken_for(&words, "linux"));
    ck_assert_ptr_null(taken_for(&words, "import"));
    ck_assert_ptr_null(taken_for(&words, "identifier"));
    ck_assert(!name_is_free("a_"));
    ck_assert(!name_is_free("_a"));
    ck_assert(!name_is_free("a__b"));
    ck_assert(!name_is_free(""));
    ck_assert(name_is_free("a_b"));
}
END_TEST

START_TEST(spells_integers)
{
    ck_assert_str_eq(c_literal_integer(memory, MODEL_INT8, true, 128), "INT8_MIN");
    ck_assert_str_eq(c_literal_integer(memory, MODEL_INT64, true, UINT64_C(1) << 63), "INT64_MIN");
    ck_assert_str_eq(c_literal_integer(memory, MODEL_INT32, true, 7), "(-INT32_C(7))");
    ck_assert_str_eq(c_literal_integer(memory, MODEL_UINT64, false, UINT64_MAX), "UINT64_C(18446744073709551615)");
}
END_TEST

START_TEST(spells_texts)
{
    ck_assert_str_eq(c_literal_string(memory, "a\"\\\n\t\x01", 6), "\"a\\\"\\\\\\n\\t\\001\"");
    ck_assert_str_eq(c_literal_string(memory,
                                      "?"
                                      "?=",
                                      3),
                     "\"?\\?=\"");
    ck_assert_str_eq(c_literal_string(memory, "\xC3\xA9", 2), "\"\xC3\xA9\"");
    ck_assert_str_eq(c_literal_string(memory, "\xE2\x80\xAE", 3), "\"\\342\\200\\256\"");
    ck_assert_str_eq(c_literal_string(memory,
                                      "\x07"
                                      "1",
                                      2),
                     "\"\\0071\"");
}
END_TEST

START_TEST(writes_json)
{
    json_writer json = {.to = &text};

    json_object_begin(&json, NULL);
    json_array_begin(&json, "empty");
    json_array_end(&json);
    json_array_begin(&json, "list");
    json_unsigned(&json, NULL, UINT64_MAX);
    json_integer(&json, NULL, true, UINT64_C(1) << 63);
    json_integer(&json, NULL, true, 0);
    json_array_end(&json);
    json_text(&json, "text", "\"\\\n\x01\xC3\xA9\xFF\0.", 9);
    json_string(&json, "none", NULL);
    json_float(&json, "tenth", 0.1);
    json_float(&json, "whole", 3);
    json_float(&json, "huge", 1e300);
    json_hex(&json, "hex", 255);
    json_bool(&json, "yes", true);
    json_object_end(&json);
    json_finish(&json);
    ck_assert_str_eq(text.data, "{\n"
                                "  \"empty\": [],\n"
                                "  \"list\": [\n"
                                "    18446744073709551615,\n"
                                "    -9223372036854775808,\n"
                                "    0\n"
                                "  ],\n"
                                "  \"text\": \"\\\"\\\\\\n\\u0001\xC3\xA9\\ufffd\\u0000.\",\n"
                                "  \"none\": null,\n"
                                "  \"tenth\": 0.1,\n"
                                "  \"whole\": 3.0,\n"
                                "  \"huge\": 1e+300,\n"
                                "  \"hex\": \"0x00000000000000ff\",\n"
                                "  \"yes\": true\n"
                                "}\n");
}
END_TEST

START_TEST(escapes_paths_for_make)
{
    static const char *const targets[] = {"a b.h", "c$d#e"};
    static const char *const inputs[] = {"x\\ y", "plain\\z"};

    depfile_rule(&text, targets, 2, inputs, 2);
    ck_assert_str_eq(text.data, "a\\ b.h c$$d\\#e: \\\n  x\\\\\\ y \\\n  plain\\z\n");
}
END_TEST

/* ---- files ---- */

static char folder[] = "/tmp/shmc-text-XXXXXX";

static void folder_make(void)
{
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    begin();
}

static void folder_remove(void)
{
    static const char *const made[] = {"out/sub/b", "out/a", "out/sub", "out/c", "out", "c"};

    end();
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        remove(made[i]);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void expect_file(const char *path, const char *contents)
{
    char found[64] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(read(fd, found, sizeof found - 1), 0);
    close(fd);
    ck_assert_str_eq(found, contents);
}

START_TEST(writes_files_and_makes_folders)
{
    output *out = output_new();
    output_failure failure = {0};
    size_t count;

    buffer_puts(output_file(out, "a"), "first");
    buffer_puts(output_file(out, "sub/b"), "second");
    ck_assert_str_eq(output_paths(out, "out", &count)[1], "out/sub/b");
    ck_assert_str_eq(output_paths(out, "out/", &count)[1], "out/sub/b");
    ck_assert_uint_eq(count, 2);
    buffer_puts(output_file_at(out, "c"), "");
    ck_assert_int_eq(output_commit(out, "out", &failure), 0);
    expect_file("out/a", "first");
    expect_file("out/sub/b", "second");
    expect_file("c", "");
    output_free(out);
}
END_TEST

START_TEST(keeps_files_that_would_be_the_same)
{
    struct stat before, after;
    output_failure failure = {0};

    for (int i = 0; i < 2; i++) {
        output *out = output_new();
        buffer_puts(output_file(out, "c"), "same");
        ck_assert_int_eq(output_commit(out, ".", &failure), 0);
        ck_assert_int_eq(stat("c", i == 0 ? &before : &after), 0);
        output_free(out);
    }
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(leaves_nothing_where_one_file_fails)
{
    output *out = output_new();
    output_failure failure = {0};

    ck_assert_int_eq(mkdir("out", 0777), 0);
    ck_assert_int_eq(mkdir("out/c", 0777), 0);
    buffer_puts(output_file(out, "a"), "first");
    buffer_puts(output_file(out, "sub/b"), "second");
    buffer_puts(output_file(out, "c"), "a folder is in its place");
    ck_assert_int_eq(output_commit(out, "out", &failure), -1);
    ck_assert_str_eq(failure.path, "out/c");
    ck_assert_int_eq(failure.error, EISDIR);
    ck_assert_int_eq(access("out/a", F_OK), -1);
    ck_assert_int_eq(access("out/sub", F_OK), -1);
    ck_assert_int_eq(rmdir("out/c"), 0);
    ck_assert_int_eq(rmdir("out"), 0); /* fails where a temporary was left */
    output_free(out);
}
END_TEST

START_TEST(puts_back_what_was_there_where_a_device_is_full)
{
    output *out = output_new();
    output_failure failure = {0};

    if (access("/dev/full", W_OK) != 0) {
        output_free(out);
        test_skip("there is no /dev/full");
        return;
    }
    buffer_puts(output_file(out, "c"), "old");
    ck_assert_int_eq(output_commit(out, ".", &failure), 0);
    output_free(out);
    out = output_new();
    buffer_puts(output_file(out, "c"), "new");
    buffer_puts(output_file_at(out, "/dev/full"), "more");
    ck_assert_int_eq(output_commit(out, ".", &failure), -1);
    ck_assert_str_eq(failure.path, "/dev/full");
    ck_assert_int_eq(failure.error, ENOSPC);
    expect_file("c", "old");
    output_free(out);
}
END_TEST

static Suite *text_suite(void)
{
    Suite *suite = suite_create("shmc_text");
    TCase *texts = tcase_create("texts");
    TCase *files = tcase_create("files");

    tcase_add_checked_fixture(texts, begin, end);
    tcase_add_test(texts, fills_holes_from_the_nearest_binding);
    tcase_add_test(texts, indents_lines_but_not_directives);
    tcase_add_test(texts, breaks_long_lines_below_their_bracket);
    tcase_add_test(texts, breaks_after_the_bracket_where_nothing_else_helps);
    tcase_add_test(texts, leaves_texts_and_comments_whole);
    tcase_add_test(texts, puts_gaps_where_there_are_none);
    tcase_add_test(texts, turns_names_to_snake_case);
    tcase_add_test(texts, knows_what_is_taken);
    tcase_add_test(texts, spells_integers);
    tcase_add_test(texts, spells_texts);
    tcase_add_test(texts, writes_json);
    tcase_add_test(texts, escapes_paths_for_make);
    suite_add_tcase(suite, texts);
    tcase_add_checked_fixture(files, folder_make, folder_remove);
    tcase_add_test(files, writes_files_and_makes_folders);
    tcase_add_test(files, keeps_files_that_would_be_the_same);
    tcase_add_test(files, leaves_nothing_where_one_file_fails);
    tcase_add_test(files, puts_back_what_was_there_where_a_device_is_full);
    suite_add_tcase(suite, files);
    return suite;
}

TEST_MAIN(text_suite)

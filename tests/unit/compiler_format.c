/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every file: formatting takes nothing away and adds nothing but white space, and doing it again
 * changes nothing. Shown with every .shm file of the source tree, as it is and with white space and comments strewn
 * between its tokens. The bytes but for white space are compared here, so that this does not rest on the formatter's
 * own proof.
 */
#include "test_support.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "format_tokens.h"

#define MANGLINGS 3                        /* of each file, each time */
#define MANGLED_MOST ((uint32_t)16 * 1024) /* bytes: larger files are formatted as they are */

static arena *memory;
static uint64_t state;

static uint32_t pick(uint32_t count)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % count);
}

static const source *source_of(const buffer *text)
{
    return source_new(memory, "x.shm", "x.shm", text->data ? text->data : "", (uint32_t)text->length);
}

static format_result format_source(const source *text, buffer *out)
{
    uint32_t line = 0;
    diag *found = diag_new(memory);
    format_result result = format_text(memory, found, text, out, &line);
    ck_assert_msg(result != FORMAT_WRONG, "%s:%u: would be changed:\n%s", text->path, line, text->text);
    ck_assert_int_eq(result == FORMAT_SYNTAX, diag_errors(found) > 0);
    return result;
}

static bool is_white(const char *at)
{
    return strchr(" \t\r\n\v\f", *at) != NULL;
}

/* Both texts without white space. */
static void compare_ink(const source *before, const buffer *after)
{
    const char *left = before->text + before->lines[0];
    const char *right = after->data;
    for (;;) {
        while (*left && is_white(left))
            left++;
        while (*right && is_white(right))
            right++;
        ck_assert_msg(*left == *right, "differs from here on:\n%s\n---- is now\n%s", left, right);
        if (!*left)
            return;
        left++;
        right++;
    }
}

/* What no formatted text has. */
static void check_form(const buffer *text)
{
    ck_assert(text->length > 1 && text->data[text->length - 1] == '\n' && text->data[0] != '\n');
    ck_assert_ptr_null(strstr(text->data, " \n"));
    ck_assert_ptr_null(strchr(text->data, '\r'));
    ck_assert_ptr_null(strchr(text->data, '\t'));
    ck_assert_int_ne(text->data[text->length - 2], '\n');
    ck_assert_ptr_null(strstr(text->data, "{\n\n"));
}

static void check_text(const source *text, bool form)
{
    buffer once = {0};
    buffer twice = {0};
    if (format_source(text, &once) == FORMAT_DONE) {
        compare_ink(text, &once);
        if (form)
            check_form(&once);
        ck_assert_int_eq(format_source(source_of(&once), &twice), FORMAT_DONE);
        ck_assert_msg(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0,
                      "formatted differently again:\n%s\n---- first\n%s\n---- then\n%s", text->text, once.data,
                      twice.data);
    }
    buffer_deinit(&once);
    buffer_deinit(&twice);
}

/* ---- mangling ---- */

/* Whether a doc comment may stand on a line of its own before a token: not within a statement. */
static bool begins_statement(const format_tokens *tokens, uint32_t index)
{
    int before = index ? tokens->items[index - 1].kind : ';';
    return (before == ';' || before == '{' || before == '}') && tokens->items[index].kind != ')';
}

static void strew_space(buffer *to, bool may_end_line)
{
    static const char *const spaces[] = {" ",   "  ",     "\t",   " \v ",       "\f",
                                         " \n", "\n\n\n", "\r\n", " \n\t \n  ", "\n      "};
    buffer_puts(to, spaces[pick(may_end_line ? 10 : 5)]);
}

static void strew_comment(buffer *to, bool may_document)
{
    static const char *const comments[] = {
        "/* block */", "/**/", "/* two\n lines */", "/*\n\t * a\n\n    *  b\r\n     */",
        "// line  \n", "//\n", "//// four \r\n",    "/// doc\n",
        "///\n",
    };
    uint32_t which = pick(may_document ? 9 : 7);
    buffer_puts(to, comments[which]);
}

/* A text of the same tokens, with white space and comments between them as may be. */
static void mangle(const source *text, buffer *to)
{
    format_tokens tokens;
    size_t code_end = 0;
    buffer_puts(to, "\t");
    format_tokens_of(memory, text, &tokens);
    for (uint32_t i = 0; i < tokens.count; i++) {
        const format_token *token = &tokens.items[i];
        bool free_line = begins_statement(&tokens, i);
        bool glued = i > 0 && token->text == tokens.items[i - 1].text + tokens.items[i - 1].length;
        if (!glued || pick(4) == 0)
            strew_space(to, true);
        for (uint32_t j = 0; j < token->before_count; j++) {
            const format_comment *comment = &token->before[j];
            if (comment->documents && !free_line)
                continue;
            buffer_append(to, comment->text, comment->length);
            buffer_puts(to, comment->to_line_end ? "\n" : "");
            strew_space(to, true);
        }
        while (pick(5) == 0) {
            strew_comment(to, free_line);
            strew_space(to, true);
        }
        bool same_line = !memchr(to->data + code_end, '\n', to->length - code_end);
        if (!free_line && same_line && pick(12) == 0) /* documents nothing, since it is behind code */
            buffer_puts(to, " /// behind code\n");
        buffer_append(to, token->text, token->length);
        code_end = to->length;
    }
}

static bool is_sound(const source *text)
{
    buffer out = {0};
    bool sound = format_source(text, &out) == FORMAT_DONE;
    buffer_deinit(&out);
    return sound;
}

static size_t files;
static size_t mangled;

static void check_file(const char *path)
{
    source *text;
    memory = arena_new();
    ck_assert_int_eq(source_read(memory, path, path, &text), 0);
    check_text(text, false);
    uint32_t count = text->size <= MANGLED_MOST && is_sound(text) ? MANGLINGS : 0;
    files += count > 0;
    for (uint32_t i = 0; i < count; i++) {
        buffer strewn = {0};
        mangle(text, &strewn);
        ck_assert_msg(is_sound(source_of(&strewn)), "is not sound once it is mangled:\n%s", strewn.data);
        check_text(source_of(&strewn), false);
        mangled++;
        buffer_deinit(&strewn);
    }
    memory = arena_free(memory);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    size_t length = strlen(path);
    if (kind == FTW_F && place->level > 0 && length > 4 && strcmp(path + length - 4, ".shm") == 0)
        check_file(path);
    return 0;
}

START_TEST(keeps_all_and_changes_nothing_again_in_every_file_of_the_tree)
{
    static const char *const folders[] = {"idl-examples", "tests", "bench"};
    state = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *folder = NULL;
        ck_assert_int_gt(asprintf(&folder, "%s/%s", SOURCE_DIR, folders[i]), 0);
        ck_assert_int_eq(nftw(folder, visit, 16, FTW_PHYS), 0);
        free(folder);
    }
    ck_assert_uint_ge(files, 50);
    ck_assert_uint_eq(mangled, MANGLINGS * files);
}
END_TEST

/* ---- small texts ---- */

static void open_memory(void)
{
    memory = arena_new();
}

static void close_memory(void)
{
    memory = arena_free(memory);
}

static void expect(const char *text, const char *wanted)
{
    buffer out = {0};
    const source *given = source_new(memory, "x.shm", "x.shm", text, (uint32_t)strlen(text));
    ck_assert_int_eq(format_source(given, &out), FORMAT_DONE);
    ck_assert_str_eq(out.data, wanted);
    buffer_deinit(&out);
    check_text(given, true);
}

START_TEST(lays_out_what_it_is_given)
{
    expect("package a;", "package a;\n");
    expect("\xef\xbb\xbfpackage  a . b ;\r\n\r\n\r\nconst  uint32 X=- 1+~2*( 3 ) ;\r\n",
           "package a.b;\n\nconst uint32 X = -1 + ~2 * (3);\n");
    expect("package a;\nmessage M{uint32 x;vector < string<8>,4 >y;}",
           "package a;\nmessage M { uint32 x; vector<string<8>, 4> y; }\n");
    expect("package a;message M {\nuint32?x; uint8 [ 3 ][2]y;}\n",
           "package a;\n\nmessage M {\n    uint32? x;\n    uint8[3][2] y;\n}\n");
    expect("package a;service S{\n@deadline( 50ms )@idempotent rpc f ( { uint32 x ; } )->( )throws E ;oneway g();}",
           "package a;\n\nservice S {\n    @deadline(50ms) @idempotent rpc f({ uint32 x; }) -> () throws E;\n"
           "    oneway g();\n}\n");
    expect("package a;enum E:uint8{\nA=0;LONG = 1; MUCH_LONGER=2;}",
           "package a;\n\nenum E : uint8 {\n    A    = 0;\n    LONG = 1;\n    MUCH_LONGER = 2;\n}\n");
    expect("package a;service S {\n}\nservice T { }\n", "package a;\nservice S {}\nservice T {}\n");
    expect("package a;errors E{\nA(b.C)=1;reserved 4,7 .. 9,\"X\";}",
           "package a;\n\nerrors E {\n    A(b.C) = 1;\n    reserved 4, 7..9, \"X\";\n}\n");
}
END_TEST

START_TEST(keeps_comments_where_they_are)
{
    expect("// first\n\n\n/* second */ package a; // behind\n// alone\nconst uint32 X = 1 + // one\n2;",
           "// first\n\n/* second */ package a; // behind\n// alone\nconst uint32 X = 1 + // one\n    2;\n");
    expect(
        "package a;\nenum E { // of E\n\n    A = 0; // zero\n    LONGER = 100; /* more */\n\n    // last\n\n}\n",
        "package a;\n\nenum E { // of E\n    A = 0;        // zero\n    LONGER = 100; /* more */\n\n    // last\n}\n");
    expect("package a;\nservice S {\n        /* a\n           b\n         c */\n    oneway f(/* none */);\n}",
           "package a;\n\nservice S {\n    /* a\n       b\n     c */\n    oneway f(/* none */);\n}\n");
    expect("package a;\nservice S { /// nothing\n    /// of f\n    oneway f(); /// nothing either\n}\n",
           "package a;\n\nservice S { /// nothing\n    /// of f\n    oneway f(); /// nothing either\n}\n");
    expect("package a;\nmessage M { uint32 x; /* why */ uint32 y; }\n",
           "package a;\nmessage M { uint32 x; /* why */ uint32 y; }\n");
    expect("package a;\nmessage M { uint32 x; // why\nuint32 y; }\n",
           "package a;\n\nmessage M {\n    uint32 x; // why\n    uint32 y;\n}\n");
    expect("package a; /* two\n  lines */ /// of X\nconst uint32 X = 1;\n",
           "package a; /* two\n  lines */ /// of X\nconst uint32 X = 1;\n");
}
END_TEST

START_TEST(breaks_lines_that_are_too_long)
{
    expect("package a;\nconst uint64 X = 1000000000000000000 | 2000000000000000000 | 3000000000000000000 | "
           "4000000000000000000 | 5000000000000000000;\n",
           "package a;\nconst uint64 X = 1000000000000000000 | 2000000000000000000 | 3000000000000000000 | "
           "4000000000000000000 |\n    5000000000000000000;\n");
    expect("package a;\nservice S {\n    @deadline(50ms) rpc abcdefghijklmnopqrstuvwxyz({ uint32 abcdefghijklmnopqrst; "
           "}) -> ({ uint32 abcdefghijklmnopqrst; });\n}\n",
           "package a;\n\nservice S {\n    @deadline(50ms)\n    rpc abcdefghijklmnopqrstuvwxyz({ uint32 "
           "abcdefghijklmnopqrst; }) -> ({ uint32 abcdefghijklmnopqrst; });\n}\n");
    expect("package a;\nservice S {\n    rpc abcdefghijklmnopqrstuvwxyz({ uint32 abcdefghijklmnopqrst; uint32 "
           "bcdefghijklmnopqrstuvwxyz; }) -> ({ uint32 z; });\n}\n",
           "package a;\n\nservice S {\n    rpc abcdefghijklmnopqrstuvwxyz({\n        uint32 abcdefghijklmnopqrst;\n"
           "        uint32 bcdefghijklmnopqrstuvwxyz;\n    }) -> ({\n        uint32 z;\n    });\n}\n");
}
END_TEST

START_TEST(leaves_mistakes_of_syntax_to_their_messages)
{
    static const char *const texts[] = {
        "package a;\nmessage M { uint32 x }\n",
        "package a;\nconst uint32 X = 012;\n",
        "message M { uint32 x; }\n",
        "package a;\nservice S { /// of f\n oneway /* x */\n /// no\n f(); }\n",
        "package a;\n/* no end",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer out = {0};
        const source *given = source_new(memory, "x.shm", "x.shm", texts[i], (uint32_t)strlen(texts[i]));
        ck_assert_int_eq(format_source(given, &out), FORMAT_SYNTAX);
        ck_assert_uint_eq(out.length, 0);
    }
}
END_TEST

/* What the formatter's own proof rests on. */
START_TEST(tells_texts_apart_that_do_not_say_the_same)
{
    static const char *const texts[] = {
        "package a;\n/// of X\nconst uint32 X = 1;\n", "package a;\n/// of Y\nconst uint32 X = 1;\n",
        "package a; /// of X\nconst uint32 X = 1;\n",  "package a;\n// of X\nconst uint32 X = 1;\n",
        "package a;\nconst uint32 X = 1;\n",           "package a;\n/// of X\nconst uint32 X = 1 /* */;\n",
        "package a;\n/// of X\nconst uint32 X = 2;\n", "package a;\n/// of X\nconst uint32 X = 1; // end\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
            format_tokens left;
            format_tokens right;
            uint32_t at;
            format_tokens_of(memory, source_new(memory, "x", "x", texts[i], (uint32_t)strlen(texts[i])), &left);
            format_tokens_of(memory, source_new(memory, "x", "x", texts[j], (uint32_t)strlen(texts[j])), &right);
            ck_assert_int_eq(format_tokens_same(&left, &right, &at), i == j);
        }
    }
}
END_TEST

static Suite *format_suite(void)
{
    Suite *suite = suite_create("compiler_format");
    TCase *tree = tcase_create("tree");
    TCase *tests = tcase_create("texts");

    tcase_set_timeout(tree, 100);
    tcase_add_loop_test(tree, keeps_all_and_changes_nothing_again_in_every_file_of_the_tree, 0, 2);
    suite_add_tcase(suite, tree);
    tcase_add_checked_fixture(tests, open_memory, close_memory);
    tcase_add_test(tests, lays_out_what_it_is_given);
    tcase_add_test(tests, keeps_comments_where_they_are);
    tcase_add_test(tests, breaks_lines_that_are_too_long);
    tcase_add_test(tests, leaves_mistakes_of_syntax_to_their_messages);
    tcase_add_test(tests, tells_texts_apart_that_do_not_say_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(format_suite)

/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

static arena *memory;

static void open_arena(void)
{
    memory = arena_new();
}

static void close_arena(void)
{
    memory = arena_free(memory);
}

static source *text_of(const char *text)
{
    return source_new(memory, "a.shm", "a.shm", text, (uint32_t)strlen(text));
}

static void assert_position(const source *file, uint32_t offset, uint32_t line, uint32_t column)
{
    position at = source_position(file, offset);
    ck_assert_uint_eq(at.line, line);
    ck_assert_uint_eq(at.column, column);
}

START_TEST(counts_lines_and_columns_from_one)
{
    const source *file = text_of("ab\n\ncd");
    assert_position(file, 0, 1, 1);
    assert_position(file, 1, 1, 2);
    assert_position(file, 2, 1, 3);
    assert_position(file, 3, 2, 1);
    assert_position(file, 4, 3, 1);
    assert_position(file, 6, 3, 3);
}
END_TEST

START_TEST(counts_characters_and_not_bytes)
{
    assert_position(text_of("\xc3\xa9\xe2\x82\xac!"), 5, 1, 3);
}
END_TEST

START_TEST(does_not_count_a_byte_order_mark)
{
    const source *file = text_of("\xef\xbb\xbfx\ny");
    assert_position(file, 3, 1, 1);
    assert_position(file, 5, 2, 1);
}
END_TEST

START_TEST(gives_an_empty_file_one_line)
{
    const source *file = text_of("");
    ck_assert_uint_eq(file->line_count, 1);
    assert_position(file, 0, 1, 1);
}
END_TEST

START_TEST(reads_a_pipe_to_its_end)
{
    int ends[2];
    char path[64];
    source *file = NULL;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "a\0b", 3), 3);
    ck_assert_int_eq(close(ends[1]), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    ck_assert_int_eq(source_read(memory, path, "pipe.shm", &file), 0);
    ck_assert_uint_eq(file->size, 3);
    ck_assert_int_eq(memcmp(file->text, "a\0b", 4), 0);
    ck_assert_str_eq(file->logical, "pipe.shm");
    ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

START_TEST(refuses_folders_devices_and_what_is_not_there)
{
    source *file = NULL;
    ck_assert_int_eq(source_read(memory, "/", "x", &file), -EISDIR);
    ck_assert_int_eq(source_read(memory, "/dev/zero", "x", &file), -ENOTSUP);
    ck_assert_str_eq(source_error(ENOTSUP), "it is not a file");
    ck_assert_str_eq(source_error(ENOENT), strerror(ENOENT));
    ck_assert_int_eq(source_read(memory, "/nowhere/at/all", "x", &file), -ENOENT);
    ck_assert_ptr_null(file);
}
END_TEST

/* A hole in a file takes no room. */
START_TEST(refuses_what_a_scanner_cannot_count)
{
    source *file = NULL;
    char path[] = "/tmp/shmrpc-source-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)INT32_MAX), 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(source_read(memory, path, "x", &file), -EFBIG);
    ck_assert_ptr_null(file);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static Suite *source_suite(void)
{
    Suite *suite = suite_create("compiler_source");
    TCase *tests = tcase_create("source");

    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, counts_lines_and_columns_from_one);
    tcase_add_test(tests, counts_characters_and_not_bytes);
    tcase_add_test(tests, does_not_count_a_byte_order_mark);
    tcase_add_test(tests, gives_an_empty_file_one_line);
    tcase_add_test(tests, reads_a_pipe_to_its_end);
    tcase_add_test(tests, refuses_folders_devices_and_what_is_not_there);
    tcase_add_test(tests, refuses_what_a_scanner_cannot_count);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(source_suite)

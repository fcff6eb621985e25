/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

static counts before;

static void setup(void)
{
    counts_take(&before);
}

static int make_file(size_t size)
{
    int descriptor = pages_open(false);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)size), 0);
    return descriptor;
}

static size_t allocated(int descriptor)
{
    struct stat status;

    ck_assert_int_eq(fstat(descriptor, &status), 0);
    return (size_t)status.st_blocks * 512;
}

START_TEST(rounds_to_whole_large_pages)
{
    const uint64_t large = PAGES_LARGE;

    ck_assert_uint_eq(pages_round(0), 0);
    ck_assert_uint_eq(pages_round(1), large);
    ck_assert_uint_eq(pages_round(large), large);
    ck_assert_uint_eq(pages_round(large + 1), 2 * large);
    ck_assert_uint_eq(pages_round(UINT64_C(4) << 30), UINT64_C(4) << 30);
}
END_TEST

START_TEST(opens_files_that_can_be_sealed_and_are_not_inherited)
{
    for (int is_huge = 0; is_huge < 2; is_huge++) {
        int descriptor = pages_open(is_huge == 1);

        if (descriptor < 0 && is_huge == 1) /* a kernel without them */
            break;
        ck_assert_int_ge(descriptor, 0);
        ck_assert_int_ne(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_uint_eq(allocated(descriptor), 0);
        ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_GROW), 0);
        close(descriptor);
    }
    counts_expect_same(&before);
}
END_TEST

START_TEST(maps_at_multiples_of_a_large_page)
{
    static const size_t sizes[] = {PAGES_LARGE, PAGES_LARGE + PAGE, 3 * PAGES_LARGE - PAGE, 8 * PAGES_LARGE};
    static const int protections[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE};
    void *bases[24];

    for (size_t i = 0; i < 24; i++) {
        int descriptor = make_file(sizes[i % 4]);

        ck_assert_int_eq(pages_map(descriptor, sizes[i % 4], protections[i % 3], &bases[i]), 0);
        ck_assert_uint_eq((uintptr_t)bases[i] % PAGES_LARGE, 0);
        close(descriptor);
    }
    for (size_t i = 0; i < 24; i++)
        ck_assert_int_eq(munmap(bases[i], sizes[i % 4]), 0);
    counts_expect_same(&before);
}
END_TEST

START_TEST(maps_what_is_smaller_wherever_there_is_room)
{
    int descriptor = make_file(PAGES_LARGE - PAGE);
    void *base;

    ck_assert_int_eq(pages_map(descriptor, PAGES_LARGE - PAGE, PROT_READ | PROT_WRITE, &base), 0);
    memset(base, 7, PAGES_LARGE - PAGE);
    ck_assert_int_eq(munmap(base, PAGES_LARGE - PAGE), 0);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

/* Bytes of the process's address space that are in use. */
static size_t space(void)
{
    char line[128];
    FILE *file = fopen("/proc/self/statm", "re");

    child_check(file != NULL && fgets(line, sizeof(line), file) != NULL, "statm");
    fclose(file);
    return strtoul(line, NULL, 10) * PAGE;
}

static int map_without_room(child_link *link, void *data)
{
    const size_t size = 2 * PAGES_LARGE;
    int descriptor = pages_open(false);
    struct rlimit limit;
    void *base = NULL;

    (void)link;
    (void)data;
    child_check(descriptor >= 0 && ftruncate(descriptor, (off_t)size) == 0, "file");
    /* Enough for the mapping and not for a gap beside it. */
    limit = (struct rlimit){space() + size + PAGES_LARGE / 2, RLIM_INFINITY};
    child_check(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
    child_check(pages_map(descriptor, size, PROT_READ | PROT_WRITE, &base) == 0, "pages_map");
    memset(base, 1, size);
    child_check(munmap(base, size) == 0, "munmap");
    return 0;
}

START_TEST(maps_also_where_there_is_no_room_to_choose)
{
    child process;

    if (test_is_built_with("asan") || test_is_built_with("tsan")) {
        test_skip("the sanitizer's address space has no limit");
        return;
    }
    child_spawn(&process, map_without_room, NULL);
    child_expect_exit(&process, 0);
}
END_TEST

START_TEST(leaves_nothing_where_it_cannot_map)
{
    int descriptor = make_file(PAGES_LARGE);
    void *base = &before;

    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE), 0);
    ck_assert_int_eq(pages_map(descriptor, PAGES_LARGE, PROT_READ | PROT_WRITE, &base), -EPERM);
    ck_assert_ptr_eq(base, &before);
    close(descriptor);
    ck_assert_int_eq(pages_map(-1, PAGES_LARGE, PROT_READ, &base), -EBADF);
    ck_assert_ptr_eq(base, &before);
    counts_expect_same(&before);
}
END_TEST

START_TEST(allocates_a_part_of_a_file)
{
    int descriptor = make_file(16 * PAGE);

    ck_assert_int_eq(pages_allocate(descriptor, 4 * PAGE, 3 * PAGE), 0);
    /* More where the system makes larger pages of its own accord. */
    ck_assert_uint_ge(allocated(descriptor), 3 * PAGE);
    ck_assert_int_eq(pages_allocate(descriptor, 0, 16 * PAGE), 0);
    ck_assert_uint_ge(allocated(descriptor), 16 * PAGE);
    close(descriptor);
    ck_assert_int_eq(pages_allocate(-1, 0, PAGE), -EBADF);
    counts_expect_same(&before);
}
END_TEST

/* Is each byte of it this one? */
static bool is_filled(const void *base, unsigned char byte, size_t bytes)
{
    const unsigned char *at = base;

    return at[0] == byte && memcmp(at, at + 1, bytes - 1) == 0;
}

/* Does the kernel make a large page where one is touched first? */
static bool are_made(void)
{
    int descriptor = make_file(PAGES_LARGE);
    bool are;
    void *base;

    ck_assert_int_eq(pages_map(descriptor, PAGES_LARGE, PROT_READ | PROT_WRITE, &base), 0);
    (void)madvise(base, PAGES_LARGE, MADV_HUGEPAGE);
    *(volatile unsigned char *)base = 1;
    are = allocated(descriptor) == PAGES_LARGE;
    munmap(base, PAGES_LARGE);
    close(descriptor);
    return are;
}

START_TEST(makes_transparent_pages_where_there_are_some)
{
    static const size_t sizes[] = {PAGES_LARGE, 3 * PAGES_LARGE, 2 * PAGES_LARGE + 5 * PAGE};

    if (!are_made()) {
        test_skip("shmem_enabled allows no transparent pages");
        return;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int descriptor = make_file(sizes[i]);
        void *base, *other;

        ck_assert_int_eq(pages_map(descriptor, sizes[i], PROT_READ | PROT_WRITE, &base), 0);
        ck_assert_int_eq(pages_allocate_transparent(descriptor, base, sizes[i]), 0);
        ck_assert_int_eq(pages_find(base, sizes[i]), PAGES_TRANSPARENT);
        ck_assert_uint_ge(allocated(descriptor), sizes[i]);
        ck_assert(is_filled(base, 0, sizes[i]));
        memset(base, 0x5a, sizes[i]);

        /* Another mapping has large entries once it is touched. */
        ck_assert_int_eq(pages_map(descriptor, sizes[i], PROT_READ | PROT_WRITE, &other), 0);
        ck_assert_int_eq(pages_find(other, sizes[i]), PAGES_ORDINARY);
        ck_assert_int_eq(((const unsigned char *)other)[sizes[i] - 1], 0x5a);
        ck_assert_int_eq(((const unsigned char *)other)[0], 0x5a);
        ck_assert_int_eq(pages_find(other, sizes[i]), PAGES_TRANSPARENT);
        munmap(base, sizes[i]);
        munmap(other, sizes[i]);
        close(descriptor);
    }
    counts_expect_same(&before);
}
END_TEST

static int allocate_where_none_are(child_link *link, void *data)
{
    const size_t size = 2 * PAGES_LARGE + PAGE;
    int descriptor = pages_open(false);
    struct stat status;
    void *base = NULL;

    (void)link;
    (void)data;
    child_check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0, "prctl");
    child_check(descriptor >= 0 && ftruncate(descriptor, (off_t)size) == 0, "file");
    child_check(pages_map(descriptor, size, PROT_READ | PROT_WRITE, &base) == 0, "pages_map");
    child_check(pages_allocate_transparent(descriptor, base, size) == 0, "allocate");
    child_check(fstat(descriptor, &status) == 0 && (size_t)status.st_blocks * 512 >= size, "all blocks");
    child_check(pages_find(base, size) == PAGES_ORDINARY, "ordinary");
    return 0;
}

START_TEST(makes_ordinary_ones_where_there_are_none)
{
    child process;

    child_spawn(&process, allocate_where_none_are, NULL);
    child_expect_exit(&process, 0);
}
END_TEST

START_TEST(finds_nothing_of_what_is_not_mapped)
{
    ck_assert_int_eq(pages_find(NULL, PAGES_LARGE), PAGES_ORDINARY);
    ck_assert_int_eq(pages_find(&before, sizeof(before)), PAGES_ORDINARY);
    counts_expect_same(&before);
}
END_TEST

static Suite *pages_suite(void)
{
    Suite *suite = suite_create("runtime_pages");
    TCase *tests = tcase_create("pages");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, rounds_to_whole_large_pages);
    tcase_add_test(tests, opens_files_that_can_be_sealed_and_are_not_inherited);
    tcase_add_test(tests, maps_at_multiples_of_a_large_page);
    tcase_add_test(tests, maps_what_is_smaller_wherever_there_is_room);
    tcase_add_test(tests, maps_also_where_there_is_no_room_to_choose);
    tcase_add_test(tests, leaves_nothing_where_it_cannot_map);
    tcase_add_test(tests, allocates_a_part_of_a_file);
    tcase_add_test(tests, makes_transparent_pages_where_there_are_some);
    tcase_add_test(tests, makes_ordinary_ones_where_there_are_none);
    tcase_add_test(tests, finds_nothing_of_what_is_not_mapped);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(pages_suite)

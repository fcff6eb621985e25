/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/memory.h"
#include "runtime/platform/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PAGES 16

static size_t page, size;
static counts before;

static void setup(void)
{
    page = memory_round(1);
    size = page * PAGES;
    counts_take(&before);
}

static unsigned char byte_of(size_t i)
{
    return (unsigned char)(i * 31 + i / 251 + 1);
}

static sealed_memory make(size_t bytes)
{
    sealed_memory made;

    ck_assert_int_eq(sealed_create(bytes, false, &made), 0);
    return made;
}

static void fill(const sealed_memory *made)
{
    for (size_t i = 0; i < made->size_bytes; i++)
        ((unsigned char *)made->base)[i] = byte_of(i);
}

/* Filled, and so much of it sealed. */
static sealed_memory make_sealed(size_t used)
{
    sealed_memory made = make(size);

    fill(&made);
    ck_assert_int_eq(sealed_seal(&made, used), 0);
    return made;
}

static const unsigned char *adopt(int descriptor, size_t room, size_t expected)
{
    const void *base = NULL;
    size_t got = 0;

    ck_assert_int_eq(sealed_adopt(descriptor, room, &got, &base), 0);
    ck_assert_uint_eq(got, expected);
    ck_assert_ptr_nonnull(base);
    return base;
}

/* `used` bytes of what fill() wrote, zeros up to the end. */
static void expect_bytes(const unsigned char *bytes, size_t used, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (bytes[i] != (i < used ? byte_of(i) : 0))
            ck_abort_msg("byte %zu of %zu, %zu used", i, end, used);
}

static struct stat status_of(int descriptor)
{
    struct stat status;

    ck_assert_int_eq(fstat(descriptor, &status), 0);
    return status;
}

/* Nobody takes it for sealed memory, and nothing of the attempt is left. */
static void expect_not_adopted(int descriptor, size_t room, int expected)
{
    counts held;
    size_t got = 77;
    const void *base = &size;

    counts_take(&held);
    ck_assert_int_eq(sealed_adopt(descriptor, room, &got, &base), expected);
    ck_assert_ptr_eq(base, &size);
    ck_assert_uint_eq(got, 77);
    counts_expect_same(&held);
}

static void expect_refused(int descriptor)
{
    ck_assert_int_ge(descriptor, 0);
    expect_not_adopted(descriptor, size, -EPROTO);
    close(descriptor);
    counts_expect_same(&before);
}

/* ---- who makes it ---- */

START_TEST(is_zero_and_nobody_elses)
{
    sealed_memory made = make(size - page + 1);

    ck_assert_uint_eq(made.size_bytes, size);
    ck_assert_int_ne(fcntl(made.descriptor, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(fcntl(made.descriptor, F_GET_SEALS) & ~F_SEAL_EXEC, 0);
    ck_assert_int_eq((int)status_of(made.descriptor).st_size, (int)size);
    ck_assert_int_eq((int)status_of(made.descriptor).st_blocks, 0);
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(((unsigned char *)made.base)[i], 0);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

START_TEST(what_was_written_is_what_is_read)
{
    sealed_memory made = make_sealed(size);
    const unsigned char *adopted = adopt(made.descriptor, size, size);

    ck_assert_ptr_ne(adopted, made.base);
    expect_bytes(adopted, size, size);
    ck_assert_int_eq(fcntl(made.descriptor, F_GET_SEALS) & ~F_SEAL_EXEC, ALL_SEALS);
    /* It is there for as long as somebody has it. */
    sealed_free(&made, true);
    expect_bytes(adopted, size, size);
    sealed_unmap(adopted, size);
    counts_expect_same(&before);
}
END_TEST

START_TEST(what_is_not_used_is_cut_off_and_reads_as_zeros)
{
    const size_t used[] = {1, page - 1, page, page + 1, size / 2, size - page, size - 1, size};

    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
        sealed_memory made = make_sealed(used[i]);
        const size_t whole = memory_round(used[i]), room = size + 3 * page;
        const unsigned char *adopted = adopt(made.descriptor, room - 1, whole);

        ck_assert_uint_eq((size_t)status_of(made.descriptor).st_size, whole);
        ck_assert_uint_eq((size_t)status_of(made.descriptor).st_blocks * 512, whole);
        expect_bytes(adopted, whole, room);
        expect_bytes(made.base, whole, size);
        sealed_unmap(adopted, room - 1);
        sealed_free(&made, true);
        counts_expect_same(&before);
    }
}
END_TEST

START_TEST(pages_that_were_never_touched_are_there_for_the_reader)
{
    sealed_memory made = make(size);

    ((unsigned char *)made.base)[page] = byte_of(page);
    ck_assert_int_eq(sealed_seal(&made, size / 2), 0);
    blkcnt_t blocks = status_of(made.descriptor).st_blocks;
    ck_assert_uint_eq((size_t)blocks * 512, size / 2);
    const unsigned char *adopted = adopt(made.descriptor, size, size / 2);
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(adopted[i], i == page ? byte_of(i) : 0);
    ck_assert_int_eq((int)status_of(made.descriptor).st_blocks, (int)blocks);
    sealed_unmap(adopted, size);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

START_TEST(its_maker_goes_on_at_the_same_place_without_effect)
{
    const bool has_room = _i == 0; /* for a copy */
    sealed_memory made = make_sealed(size / 2);
    unsigned char *bytes = made.base, found = 0;
    const unsigned char *adopted = adopt(made.descriptor, size, size / 2);
    struct rlimit usual;

    expect_bytes(bytes, size / 2, size);
    if (!has_room)
        limit_lower(RLIMIT_AS, 1, &usual);
    int r = sealed_keep(&made);
    if (!has_room)
        limit_restore(RLIMIT_AS, &usual);
    ck_assert_int_eq(r, 0);
    expect_bytes(bytes, size / 2, size);
    memset(bytes, 0xee, size);
    expect_bytes(adopted, size / 2, size);
    for (size_t i = 0; i < size / 2; i += page / 2) {
        ck_assert_int_eq((int)pread(made.descriptor, &found, 1, (off_t)i), 1);
        ck_assert_uint_eq(found, byte_of(i));
    }
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(bytes[i], 0xee);
    sealed_unmap(adopted, size);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

static int reopen(int descriptor, int flags)
{
    char path[64];

    ck_assert_int_gt(snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor), 0);
    return open(path, flags | O_CLOEXEC);
}

static void expect_errno(long result, int expected)
{
    ck_assert_int_eq((int)result, -1);
    ck_assert_int_eq(errno, expected);
}

static void expect_unchangeable(int descriptor)
{
    const int punch_hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    expect_errno(pwrite(descriptor, "x", 1, 0), EPERM);
    expect_errno(pwrite(descriptor, "x", 1, (off_t)size), EPERM);
    expect_errno(ftruncate(descriptor, 0), EPERM);
    expect_errno(ftruncate(descriptor, (off_t)(size - page)), EPERM);
    expect_errno(ftruncate(descriptor, (off_t)size * 2), EPERM);
    expect_errno(fallocate(descriptor, punch_hole, 0, (off_t)page), EPERM);
    expect_errno(fallocate(descriptor, 0, (off_t)size, (off_t)page), EPERM);
    expect_errno(fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)page), EPERM);
    expect_errno(fcntl(descriptor, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), EPERM);
    ck_assert_ptr_eq(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EPERM);
}

START_TEST(nobody_can_change_it_any_more)
{
    sealed_memory made = make_sealed(size);
    int again = reopen(made.descriptor, O_RDWR), copied = dup(made.descriptor);
    const unsigned char *adopted = adopt(made.descriptor, size, size);

    ck_assert(again >= 0 && copied >= 0);
    expect_unchangeable(made.descriptor);
    expect_unchangeable(again);
    expect_unchangeable(copied);
    expect_errno(madvise(made.base, page, MADV_REMOVE), EACCES);
    /* Where a shared mapping for reading is to be had at all, it does not become one for writing. */
    void *shared = mmap(NULL, size, PROT_READ, MAP_SHARED, made.descriptor, 0);
    if (shared != MAP_FAILED) {
        expect_errno(mprotect(shared, size, PROT_READ | PROT_WRITE), EACCES);
        ck_assert_int_eq(munmap(shared, size), 0);
    }
    ck_assert_uint_eq((size_t)status_of(made.descriptor).st_size, size);
    ck_assert_uint_eq((size_t)status_of(made.descriptor).st_blocks * 512, size);
    expect_bytes(adopted, size, size);
    sealed_unmap(adopted, size);
    sealed_free(&made, true);
    close(again);
    close(copied);
    counts_expect_same(&before);
}
END_TEST

START_TEST(is_busy_while_another_mapping_can_write)
{
    sealed_memory made = make(size);

    fill(&made);
    unsigned char *another = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, made.descriptor, 0);
    ck_assert(another != MAP_FAILED);
    ck_assert_int_eq(sealed_seal(&made, size / 2), -EBUSY);
    expect_not_adopted(made.descriptor, size, -EPROTO);
    /* What was used can be read, and all of it written where it is kept. */
    expect_bytes(made.base, size / 2, size / 2);
    ck_assert_int_eq(sealed_keep(&made), 0);
    expect_bytes(made.base, size / 2, size / 2);
    memset(made.base, 0x11, size);
    ck_assert_uint_eq(((unsigned char *)made.base)[size - 1], 0x11);
    ck_assert_int_eq(munmap(another, page), 0);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

/* ---- forked children ---- */

typedef struct family {
    sealed_memory made, sealed;
    const void *adopted;
} family;

static bool is_unmapped(const void *base)
{
    errno = 0;
    return msync((void *)(uintptr_t)base, size, MS_ASYNC) < 0 && errno == ENOMEM;
}

static int free_in_child(child_link *link, void *data)
{
    family *of = data;
    void *mine;

    (void)link;
    child_check(is_unmapped(of->made.base), "what is not sealed yet");
    child_check(is_unmapped(of->sealed.base), "what is");
    child_check(is_unmapped(of->adopted), "what was adopted");
    /* What it has put there itself stays. */
    mine =
        mmap(of->sealed.base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    child_check(mine == of->sealed.base, "the place is taken");
    *(volatile unsigned char *)mine = 9;
    sealed_free(&of->made, false);
    sealed_free(&of->sealed, false);
    child_check(*(volatile unsigned char *)mine == 9, "it is another's");
    child_check(fcntl(of->made.descriptor, F_GETFD) < 0 && errno == EBADF, "the one is open still");
    child_check(fcntl(of->sealed.descriptor, F_GETFD) < 0 && errno == EBADF, "the other is open still");
    return 0;
}

START_TEST(a_forked_child_has_none_of_it_mapped)
{
    family of = {.made = make(size), .sealed = make_sealed(size / 2)};
    child process;

    of.adopted = adopt(of.sealed.descriptor, size, size / 2);
    fill(&of.made);
    child_spawn(&process, free_in_child, &of);
    child_expect_exit(&process, 0);
    expect_bytes(of.made.base, size, size);
    expect_bytes(of.adopted, size / 2, size);
    ck_assert_int_eq(sealed_seal(&of.made, size), 0);
    sealed_unmap(of.adopted, size);
    sealed_free(&of.made, true);
    sealed_free(&of.sealed, true);
    counts_expect_same(&before);
}
END_TEST

/* ---- limits ---- */

START_TEST(refuses_sizes_that_are_none)
{
    sealed_memory made = {.descriptor = -7};

    ck_assert_int_eq(sealed_create(0, false, &made), -EINVAL);
    ck_assert_int_eq(sealed_create(SIZE_MAX, false, &made), -EINVAL);
    ck_assert_int_eq(made.descriptor, -7);
    made = make_sealed(size);
    expect_not_adopted(made.descriptor, 0, -EINVAL);
    expect_not_adopted(made.descriptor, SIZE_MAX, -EINVAL);
    sealed_free(&made, true);
    sealed_unmap(NULL, size);
    counts_expect_same(&before);
}
END_TEST

START_TEST(leaves_nothing_where_the_process_is_at_its_limits)
{
    const int resources[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_FSIZE};
    const int expected[] = {-EMFILE, -ENOMEM, -EFBIG};

    for (int i = 0; i < 3; i++) {
        sealed_memory made = {.descriptor = -7};
        struct rlimit usual;

        limit_lower(resources[i], resources[i] == RLIMIT_FSIZE ? size - 1 : 1, &usual);
        int r = sealed_create(size, false, &made);
        limit_restore(resources[i], &usual);
        ck_assert_int_eq(r, expected[i]);
        ck_assert_int_eq(made.descriptor, -7);
        counts_expect_same(&before);
    }
}
END_TEST

/* No signal: it would have ended this process. */
START_TEST(one_that_the_limit_for_files_does_not_take_is_not_sealed)
{
    sealed_memory made = make(size);
    struct rlimit usual;

    fill(&made);
    limit_lower(RLIMIT_FSIZE, size / 2, &usual);
    int r = sealed_seal(&made, size);
    limit_restore(RLIMIT_FSIZE, &usual);
    ck_assert_int_eq(r, -EFBIG);
    expect_bytes(made.base, size, size);
    ck_assert_int_eq(sealed_keep(&made), 0);
    expect_bytes(made.base, size, size);
    memset(made.base, 0x11, size);
    expect_not_adopted(made.descriptor, size, -EPROTO);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

START_TEST(a_reader_without_address_space_has_nothing)
{
    sealed_memory made = make_sealed(size);
    const void *base = &size;
    struct rlimit usual;
    size_t got = 77;

    limit_lower(RLIMIT_AS, 1, &usual);
    int r = sealed_adopt(made.descriptor, size, &got, &base);
    limit_restore(RLIMIT_AS, &usual);
    ck_assert_int_eq(r, -ENOMEM);
    ck_assert_ptr_eq(base, &size);
    ck_assert_uint_eq(got, 77);
    /* The limit for files is that of who makes them. */
    limit_lower(RLIMIT_FSIZE, size / 2, &usual);
    r = sealed_adopt(made.descriptor, size, &got, &base);
    limit_restore(RLIMIT_FSIZE, &usual);
    ck_assert_int_eq(r, 0);
    expect_bytes(base, size, size);
    sealed_unmap(base, size);
    sealed_free(&made, true);
    counts_expect_same(&before);
}
END_TEST

/* ---- who is lied to ---- */

/* A memfd with pages for all of it, before it has these seals. */
static int make_memfd(size_t bytes, int seals)
{
    int made = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(made, 0);
    ck_assert_int_eq(ftruncate(made, (off_t)bytes), 0);
    ck_assert(bytes == 0 || fallocate(made, 0, 0, (off_t)bytes) == 0);
    ck_assert_int_eq(fcntl(made, F_ADD_SEALS, seals), 0);
    return made;
}

START_TEST(takes_what_is_sealed_by_another)
{
    int made = make_memfd(size, ALL_SEALS);

    sealed_unmap(adopt(made, size, size), size);
    sealed_unmap(adopt(made, size - page + 1, size), size - page + 1);
    close(made);
    counts_expect_same(&before);
}
END_TEST

START_TEST(refuses_what_lacks_a_seal_or_has_another)
{
    const int seals[] = {0,
                         ALL_SEALS & ~F_SEAL_WRITE,
                         ALL_SEALS & ~F_SEAL_SHRINK,
                         ALL_SEALS & ~F_SEAL_GROW,
                         ALL_SEALS & ~F_SEAL_SEAL,
                         (ALL_SEALS & ~F_SEAL_WRITE) | F_SEAL_FUTURE_WRITE,
                         ALL_SEALS | F_SEAL_FUTURE_WRITE};

    expect_refused(make_memfd(size, seals[_i]));
}
END_TEST

START_TEST(refuses_another_size)
{
    expect_refused(make_memfd(size + page, ALL_SEALS));
    expect_refused(make_memfd(size - 1, ALL_SEALS));
    expect_refused(make_memfd(1, ALL_SEALS));
    expect_refused(make_memfd(0, ALL_SEALS));
}
END_TEST

static void seal(int descriptor)
{
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, ALL_SEALS), 0);
}

START_TEST(refuses_holes)
{
    const size_t at[] = {0, size / 2, size - page};

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        int made = make_memfd(size, 0);

        ck_assert_int_eq(fallocate(made, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at[i], (off_t)page), 0);
        seal(made);
        blkcnt_t blocks = status_of(made).st_blocks;
        expect_not_adopted(made, size, -EPROTO);
        ck_assert_int_eq((int)status_of(made).st_blocks, (int)blocks);
        close(made);
    }
    int all = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(all, (off_t)size), 0);
    seal(all);
    expect_refused(all);
}
END_TEST

/* They count as its blocks, and nothing of them can be read. */
START_TEST(is_not_taken_in_by_pages_behind_the_end)
{
    int made = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(ftruncate(made, (off_t)size), 0);
    ck_assert_int_eq(fallocate(made, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)size), 0);
    ck_assert_uint_eq((size_t)status_of(made).st_blocks * 512, size);
    seal(made);
    expect_refused(made);
}
END_TEST

/* Whoever looks at it does not spend the time that it takes to give them back. */
START_TEST(leaves_many_pages_behind_the_end_where_they_are)
{
    const size_t many = (size_t)65 << 20;
    int made = make_memfd(size, 0);

    ck_assert_int_eq(fallocate(made, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)many), 0);
    seal(made);
    expect_not_adopted(made, size, -EPROTO);
    ck_assert_uint_eq((size_t)status_of(made).st_blocks * 512, size + many);
    ck_assert_int_eq(ftruncate(made, (off_t)size), 0);
    sealed_unmap(adopt(made, size, size), size);
    close(made);
    counts_expect_same(&before);
}
END_TEST

START_TEST(refuses_what_is_no_memory)
{
    char path[] = "/var/tmp/shmrpc-test-XXXXXX", shared[] = "/dev/shm/shmrpc-test-XXXXXX";
    int ends[2], file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(file, (off_t)size), 0);
    expect_refused(file);
    file = mkstemp(shared);
    if (file >= 0) {
        ck_assert_int_eq(unlink(shared), 0);
        ck_assert_int_eq(ftruncate(file, (off_t)size), 0);
        expect_refused(file);
    }
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    expect_refused(ends[0]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[1]);
    expect_refused(ends[0]);
    expect_refused(eventfd(0, EFD_CLOEXEC));
    expect_refused(open("/dev/zero", O_RDWR | O_CLOEXEC));
    expect_refused(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    expect_refused(open("/tmp", O_PATH | O_CLOEXEC));
    expect_not_adopted(-1, size, -EBADF);
}
END_TEST

/* Whoever reads it makes sure of its pages, for which it takes a descriptor that could write. */
START_TEST(refuses_a_descriptor_that_may_not_do_both)
{
    const int flags[] = {O_RDONLY, O_WRONLY, O_PATH};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        sealed_memory made = make_sealed(size);
        int opened = reopen(made.descriptor, flags[i]);

        sealed_free(&made, true);
        expect_refused(opened);
    }
}
END_TEST

START_TEST(takes_huge_pages_for_what_they_are_or_not_at_all)
{
    const size_t huge = (size_t)2 << 20;
    int made = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB);
    const void *base = NULL;
    size_t got = 0;

    if (made < 0 || ftruncate(made, (off_t)huge) < 0 || fallocate(made, 0, 0, (off_t)huge) < 0) {
        if (made >= 0)
            close(made);
        test_skip("this machine has no free huge page");
        return;
    }
    seal(made);
    int r = sealed_adopt(made, huge, &got, &base);
    ck_assert_msg(r == 0 || r == -EPROTO, "%s", strerror(-r));
    if (r == 0) {
        ck_assert_uint_eq(((const unsigned char *)base)[huge - 1], 0);
        sealed_unmap(base, huge);
    }
    close(made);
    counts_expect_same(&before);
}
END_TEST

/* ---- one that punches while it is sealed and looked at ---- */

typedef struct puncher {
    int descriptor;
    _Atomic bool stop;
    _Atomic unsigned punched;
} puncher;

static void *punch(void *data)
{
    puncher *of = data;

    while (!atomic_load(&of->stop))
        if (fallocate(of->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0)
            atomic_fetch_add(&of->punched, 1);
    return NULL;
}

START_TEST(what_was_taken_has_no_hole_then_or_later)
{
    for (int round = 0; round < 100; round++) {
        puncher of = {.descriptor = make_memfd(size, 0)};
        pthread_t thread;
        const void *base = NULL;
        size_t got = 0;

        ck_assert_int_eq(pthread_create(&thread, NULL, punch, &of), 0);
        while (atomic_load(&of.punched) == 0)
            ;
        ck_assert_int_eq(fallocate(of.descriptor, 0, 0, (off_t)size), 0);
        seal(of.descriptor);
        int r = sealed_adopt(of.descriptor, size, &got, &base);
        atomic_store(&of.stop, true);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        bool whole = (size_t)status_of(of.descriptor).st_blocks * 512 == size;
        ck_assert_int_eq(r, whole ? 0 : -EPROTO);
        if (r == 0)
            sealed_unmap(base, size);
        close(of.descriptor);
    }
    counts_expect_same(&before);
}
END_TEST

static Suite *sealed_suite(void)
{
    Suite *suite = suite_create("runtime_sealed");
    TCase *made = tcase_create("create");
    TCase *adopted = tcase_create("adopt");

    tcase_add_checked_fixture(made, setup, NULL);
    tcase_add_test(made, is_zero_and_nobody_elses);
    tcase_add_test(made, what_was_written_is_what_is_read);
    tcase_add_test(made, what_is_not_used_is_cut_off_and_reads_as_zeros);
    tcase_add_test(made, pages_that_were_never_touched_are_there_for_the_reader);
    tcase_add_loop_test(made, its_maker_goes_on_at_the_same_place_without_effect, 0, 2);
    tcase_add_test(made, nobody_can_change_it_any_more);
    tcase_add_test(made, is_busy_while_another_mapping_can_write);
    tcase_add_test(made, a_forked_child_has_none_of_it_mapped);
    tcase_add_test(made, refuses_sizes_that_are_none);
    tcase_add_test(made, leaves_nothing_where_the_process_is_at_its_limits);
    tcase_add_test(made, one_that_the_limit_for_files_does_not_take_is_not_sealed);
    suite_add_tcase(suite, made);

    tcase_add_checked_fixture(adopted, setup, NULL);
    tcase_add_test(adopted, a_reader_without_address_space_has_nothing);
    tcase_add_test(adopted, takes_what_is_sealed_by_another);
    tcase_add_loop_test(adopted, refuses_what_lacks_a_seal_or_has_another, 0, 7);
    tcase_add_test(adopted, refuses_another_size);
    tcase_add_test(adopted, refuses_holes);
    tcase_add_test(adopted, is_not_taken_in_by_pages_behind_the_end);
    tcase_add_test(adopted, leaves_many_pages_behind_the_end_where_they_are);
    tcase_add_test(adopted, refuses_what_is_no_memory);
    tcase_add_test(adopted, refuses_a_descriptor_that_may_not_do_both);
    tcase_add_test(adopted, takes_huge_pages_for_what_they_are_or_not_at_all);
    tcase_add_test(adopted, what_was_taken_has_no_hole_then_or_later);
    suite_add_tcase(suite, adopted);
    return suite;
}

TEST_MAIN(sealed_suite)

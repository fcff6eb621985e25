/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/memory.h"
#include "runtime/platform/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define PAGES 16

static size_t size;
static counts before;

static void setup(void)
{
    size = memory_round(1) * PAGES;
    counts_take(&before);
}

/* A memfd as a client would make it, but with these seals, of this size, allocated. */
static int make_memfd(size_t bytes, int seals)
{
    int descriptor = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)bytes), 0);
    ck_assert_int_eq(fallocate(descriptor, 0, 0, (off_t)bytes), 0);
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, seals), 0);
    return descriptor;
}

static void expect_refused(int descriptor, int expected)
{
    int seals = fcntl(descriptor, F_GET_SEALS);
    void *base = &size;

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(memory_adopt(descriptor, size, MEMORY_PREFAULTED, &base), expected);
    ck_assert_ptr_eq(base, &size);
    ck_assert_int_eq(fcntl(descriptor, F_GET_SEALS), seals);
    close(descriptor);
    counts_expect_same(&before);
}

static blkcnt_t blocks_of(int descriptor)
{
    struct stat status;

    ck_assert_int_eq(fstat(descriptor, &status), 0);
    return status.st_blocks;
}

START_TEST(rounds_to_whole_pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    ck_assert_uint_eq(memory_round(0), 0);
    ck_assert_uint_eq(memory_round(1), page);
    ck_assert_uint_eq(memory_round(page), page);
    ck_assert_uint_eq(memory_round(page + 1), 2 * page);
    ck_assert_uint_eq(memory_round(SIZE_MAX), 0);
    ck_assert_uint_eq(memory_round(SIZE_MAX - page + 1), SIZE_MAX - page + 1);
}
END_TEST

START_TEST(creates_zeroed_memory_of_exact_size_and_seals)
{
    struct stat status;
    unsigned char *bytes;
    void *base;
    int descriptor;

    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base, &descriptor),
                     0);
    bytes = base;
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(bytes[i], 0);
    ck_assert_int_eq(fstat(descriptor, &status), 0);
    ck_assert_uint_eq((size_t)status.st_size, size);
    ck_assert_uint_ge((size_t)status.st_blocks * 512, size);
    ck_assert_int_eq(fcntl(descriptor, F_GET_SEALS) & ~F_SEAL_EXEC, F_SEAL_SHRINK | F_SEAL_GROW);
    ck_assert_int_ne(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);

    memory_unmap(base, size);
    memory_unmap(NULL, size);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

/* What the kernel says of a page: the policy of its place (MPOL_...), or below 0. */
static int policy_of(void *page)
{
    int mode = -1;

    return syscall(SYS_get_mempolicy, &mode, NULL, 0, page, MPOL_F_ADDR) == 0 ? mode : -1;
}

static int node_of(void *page)
{
    int node = -1;

    return syscall(SYS_get_mempolicy, &node, NULL, 0, page, MPOL_F_ADDR | MPOL_F_NODE) == 0 ? node : -1;
}

START_TEST(creates_memory_on_a_node)
{
    void *base;
    int descriptor;

    if (policy_of(&before) < 0) {
        test_skip("this kernel tells nothing of nodes");
        return;
    }
    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, 0, &base, &descriptor), 0);
    ck_assert_int_eq(policy_of(base), MPOL_BIND);
    ck_assert_int_eq(node_of((unsigned char *)base + size - 1), 0);
    memory_unmap(base, size);
    close(descriptor);
    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base, &descriptor),
                     0);
    ck_assert_int_eq(policy_of(base), MPOL_DEFAULT);
    memory_unmap(base, size);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

START_TEST(refuses_a_node_that_is_not_there)
{
    const int nodes[] = {MEMORY_NODES_MAX - 1, MEMORY_NODES_MAX, 65535, -2};
    void *base = &size;
    int descriptor = -7;

    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, nodes[i], &base, &descriptor),
                         -ENODEV);
    ck_assert_ptr_eq(base, &size);
    ck_assert_int_eq(descriptor, -7);
    counts_expect_same(&before);
}
END_TEST

/* Is each byte of it this one? */
static bool is_filled(const void *base, unsigned char byte, size_t bytes)
{
    const unsigned char *at = base;

    return at[0] == byte && memcmp(at, at + 1, bytes - 1) == 0;
}

/* Whatever pages there are: what is made is the same. */
START_TEST(large_pages_are_asked_for_and_not_needed)
{
    const size_t sizes[] = {size, PAGES_LARGE - memory_round(1), PAGES_LARGE, PAGES_LARGE + size, 4 * PAGES_LARGE};

    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        const size_t bytes = sizes[i / 2];
        const memory_faults faults = i % 2 == 0 ? MEMORY_ON_DEMAND : MEMORY_PREFAULTED;
        unsigned char *made, *adopted;
        struct stat status;
        void *base;
        int descriptor;

        ck_assert_int_eq(memory_create(bytes, faults, MEMORY_LARGE_PAGES, MEMORY_ANY_NODE, &base, &descriptor), 0);
        made = base;
        ck_assert(bytes < PAGES_LARGE || (uintptr_t)made % PAGES_LARGE == 0);
        ck_assert(bytes % PAGES_LARGE == 0 || pages_find(base, bytes) != PAGES_HUGE);
        ck_assert_int_eq(fstat(descriptor, &status), 0);
        ck_assert_uint_eq((size_t)status.st_size, bytes);
        ck_assert_uint_ge((size_t)status.st_blocks * 512, bytes);
        ck_assert_int_eq(fcntl(descriptor, F_GET_SEALS) & ~F_SEAL_EXEC, F_SEAL_SHRINK | F_SEAL_GROW);
        ck_assert_int_ne(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_eq(memory_adopt_whole(descriptor, bytes, faults, &base), 0);
        adopted = base;
        ck_assert(bytes < PAGES_LARGE || (uintptr_t)adopted % PAGES_LARGE == 0);
        ck_assert(is_filled(adopted, 0, bytes));
        memset(made, 0x5a, bytes);
        ck_assert(is_filled(adopted, 0x5a, bytes));
        memory_unmap(made, bytes);
        memory_unmap(adopted, bytes);
        close(descriptor);
        counts_expect_same(&before);
    }
}
END_TEST

START_TEST(of_large_pages_too_a_node_and_a_size_are_checked)
{
    void *base = &size;
    int descriptor = -7;

    ck_assert_int_eq(memory_create(PAGES_LARGE + 1, MEMORY_ON_DEMAND, MEMORY_LARGE_PAGES, 0, &base, &descriptor),
                     -EINVAL);
    if (policy_of(&before) >= 0)
        ck_assert_int_eq(memory_create(PAGES_LARGE, MEMORY_ON_DEMAND, MEMORY_LARGE_PAGES, 1000, &base, &descriptor),
                         -ENODEV);
    ck_assert_ptr_eq(base, &size);
    ck_assert_int_eq(descriptor, -7);
    counts_expect_same(&before);
}
END_TEST

static int create_without_transparent(child_link *link, void *data)
{
    void *base = NULL;
    int descriptor = -1;

    (void)link;
    (void)data;
    child_check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0, "prctl");
    /* No multiple, so that the pool is not asked. */
    child_check(memory_create(PAGES_LARGE + size, MEMORY_PREFAULTED, MEMORY_LARGE_PAGES, MEMORY_ANY_NODE, &base,
                              &descriptor) == 0,
                "memory_create");
    child_check(pages_find(base, PAGES_LARGE + size) == PAGES_ORDINARY, "ordinary pages");
    memset(base, 1, PAGES_LARGE + size);
    return 0;
}

START_TEST(where_there_are_no_large_pages_it_is_of_ordinary_ones)
{
    child process;

    child_spawn(&process, create_without_transparent, NULL);
    child_expect_exit(&process, 0);
}
END_TEST

START_TEST(refuses_sizes_that_are_not_whole_pages)
{
    const size_t bad[] = {0, 1, size - 1, size + 1, SIZE_MAX, SIZE_MAX - memory_round(1) + 1};
    void *base = &size;
    int descriptor = -7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(memory_create(bad[i], MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base,
                                       &descriptor),
                         -EINVAL);
        ck_assert_int_eq(memory_adopt(0, bad[i], MEMORY_PREFAULTED, &base), -EINVAL);
    }
    ck_assert_ptr_eq(base, &size);
    ck_assert_int_eq(descriptor, -7);
    counts_expect_same(&before);
}
END_TEST

/* Both limits are put back before anything is asserted: Check needs memory and files as well. */
START_TEST(leaves_nothing_where_the_process_is_at_its_limits)
{
    const int resources[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_FSIZE};
    const int expected[] = {-EMFILE, -ENOMEM, -EFBIG};

    for (int i = 0; i < 3; i++) {
        struct rlimit usual;
        void *base = &size;
        int descriptor = -7;
        int r;

        limit_lower(resources[i], resources[i] == RLIMIT_FSIZE ? size - 1 : 1, &usual);
        r = memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base, &descriptor);
        limit_restore(resources[i], &usual);

        ck_assert_int_eq(r, expected[i]);
        ck_assert_ptr_eq(base, &size);
        ck_assert_int_eq(descriptor, -7);
        counts_expect_same(&before);
    }
}
END_TEST

#define PIECE_PAGES 2

/* As an older kernel does where a signal comes before it is done: every fallocate() of more than a few pages fails. */
static bool interrupt_large_pieces(void)
{
    const unsigned at_number = (unsigned)offsetof(struct seccomp_data, nr);
    const unsigned at_length = (unsigned)offsetof(struct seccomp_data, args[3]);
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_length),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)(memory_round(1) * PIECE_PAGES), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINTR),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(program) / sizeof(program[0]), .filter = program};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int create_interrupted(child_link *link, void *data)
{
    size_t bytes = memory_round(1) * 77;
    struct stat status;
    void *base = NULL;
    int descriptor = -1;

    (void)link;
    (void)data;
    child_check(interrupt_large_pieces(), "seccomp");
    child_check(memory_create(bytes, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base, &descriptor) ==
                    0,
                "memory_create");
    child_check(fstat(descriptor, &status) == 0 && (size_t)status.st_blocks * 512 >= bytes, "all blocks");
    child_check(memory_adopt(descriptor, bytes, MEMORY_PREFAULTED, &base) == 0, "memory_adopt");
    return 0;
}

START_TEST(is_allocated_piece_by_piece_where_signals_interrupt_it)
{
    child process;

    child_spawn(&process, create_interrupted, NULL);
    child_expect_exit(&process, 0);
}
END_TEST

static int look_at_parents_memory(child_link *link, void *data)
{
    (void)link;
    errno = 0;
    return msync(data, size, MS_ASYNC) < 0 && errno == ENOMEM ? 0 : 1;
}

START_TEST(a_forked_child_has_neither_side_mapped)
{
    void *made;
    void *adopted;
    int descriptor;
    child process;

    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &made, &descriptor),
                     0);
    ck_assert_int_eq(memory_adopt(descriptor, size, MEMORY_PREFAULTED, &adopted), 0);
    child_spawn(&process, look_at_parents_memory, made);
    child_expect_exit(&process, 0);
    child_spawn(&process, look_at_parents_memory, adopted);
    child_expect_exit(&process, 0);
    memory_unmap(adopted, size);
    memory_unmap(made, size);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

START_TEST(both_sides_see_the_same_bytes)
{
    void *made;
    void *adopted;
    int descriptor;

    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &made, &descriptor),
                     0);
    ck_assert_int_eq(memory_adopt(descriptor, size, MEMORY_PREFAULTED, &adopted), 0);
    close(descriptor);
    ck_assert_ptr_ne(made, adopted);
    ((char *)made)[0] = 'a';
    ((char *)adopted)[size - 1] = 'z';
    ck_assert_int_eq(((char *)adopted)[0], 'a');
    ck_assert_int_eq(((char *)made)[size - 1], 'z');

    /* One side's end does not take the memory from the other. */
    memory_unmap(made, size);
    ck_assert_int_eq(((char *)adopted)[0], 'a');
    memory_unmap(adopted, size);
    counts_expect_same(&before);
}
END_TEST

START_TEST(after_adoption_the_client_cannot_take_pages_away)
{
    const off_t page = (off_t)memory_round(1);
    unsigned char *bytes;
    void *made;
    void *adopted;
    int descriptor;

    ck_assert_int_eq(memory_create(size, MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &made, &descriptor),
                     0);
    ck_assert_int_eq(memory_adopt(descriptor, size, MEMORY_PREFAULTED, &adopted), 0);
    bytes = adopted;
    memset(made, 0x5a, size);

    ck_assert_int_eq(ftruncate(descriptor, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)size * 2), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(madvise(made, (size_t)page, MADV_REMOVE), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(pwrite(descriptor, "x", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_ptr_eq(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE), -1);
    ck_assert_int_eq(errno, EPERM);

    ck_assert_uint_ge((size_t)blocks_of(descriptor) * 512, size);
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(bytes[i], 0x5a);
    memset(made, 0xa5, size);
    ck_assert_uint_eq(bytes[size / 2], 0xa5);

    memory_unmap(adopted, size);
    memory_unmap(made, size);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

START_TEST(fills_holes_that_were_punched_before_the_seal)
{
    int descriptor = make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    blkcnt_t full = blocks_of(descriptor);
    void *base;

    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size), 0);
    ck_assert_int_eq(blocks_of(descriptor), 0);
    ck_assert_int_eq(memory_adopt(descriptor, size, MEMORY_PREFAULTED, &base), 0);
    ck_assert_int_eq(blocks_of(descriptor), full);
    memory_unmap(base, size);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

START_TEST(a_memory_that_has_to_be_whole_is_not_filled)
{
    int descriptor = make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    void *base;

    ck_assert_int_eq(memory_adopt_whole(descriptor, size, MEMORY_ON_DEMAND, &base), 0);
    memory_unmap(base, size);
    close(descriptor);
    descriptor = make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size), 0);
    ck_assert_int_eq(memory_adopt_whole(descriptor, size, MEMORY_ON_DEMAND, &base), -EPROTO);
    ck_assert_int_eq(blocks_of(descriptor), 0);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

/* They count as its blocks, and nothing of them can be read. */
START_TEST(is_not_taken_in_by_pages_behind_the_end)
{
    const int punch_hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int descriptor = make_memfd(size, F_SEAL_SHRINK);
    blkcnt_t full = blocks_of(descriptor);

    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)size), 0);
    ck_assert_int_eq(fallocate(descriptor, punch_hole, 0, (off_t)size), 0);
    ck_assert_int_eq(blocks_of(descriptor), full);
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_GROW), 0);
    ck_assert_int_eq(memory_adopt_whole(descriptor, size, MEMORY_ON_DEMAND, &(void *){NULL}), -EPROTO);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

typedef struct puncher {
    int descriptor;
    _Atomic bool stop;
    _Atomic unsigned punched;
} puncher;

static void *punch(void *data)
{
    puncher *of = data;

    while (!atomic_load(&of->stop)) {
        if (fallocate(of->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0)
            atomic_fetch_add(&of->punched, 1);
    }
    return NULL;
}

START_TEST(a_client_that_punches_all_the_while_leaves_no_hole)
{
    for (int round = 0; round < 50; round++) {
        puncher of = {.descriptor = make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW)};
        blkcnt_t full = blocks_of(of.descriptor);
        pthread_t thread;
        void *base;

        ck_assert_int_eq(pthread_create(&thread, NULL, punch, &of), 0);
        while (atomic_load(&of.punched) == 0)
            ;
        ck_assert_int_eq(memory_adopt(of.descriptor, size, MEMORY_PREFAULTED, &base), 0);
        ck_assert_int_eq(blocks_of(of.descriptor), full);
        atomic_store(&of.stop, true);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(blocks_of(of.descriptor), full);
        memory_unmap(base, size);
        close(of.descriptor);
    }
    counts_expect_same(&before);
}
END_TEST

START_TEST(refuses_an_ordinary_file)
{
    char path[] = "/var/tmp/shmrpc-test-XXXXXX";
    int descriptor = mkstemp(path);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)size), 0);
    expect_refused(descriptor, -EPROTO);
}
END_TEST

START_TEST(refuses_a_named_file_in_shared_memory)
{
    char path[] = "/dev/shm/shmrpc-test-XXXXXX";
    int descriptor = mkstemp(path);

    if (descriptor < 0) {
        test_skip("no file can be made in /dev/shm: %s", strerror(errno));
        return;
    }
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)size), 0);
    expect_refused(descriptor, -EPROTO);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    expect_refused(ends[0], -EPROTO);
    expect_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), -EPROTO);
    expect_refused(open("/tmp", O_PATH | O_CLOEXEC), -EPROTO);
    ck_assert_int_eq(memory_adopt(-1, size, MEMORY_PREFAULTED, &(void *){NULL}), -EBADF);
}
END_TEST

START_TEST(refuses_another_size)
{
    expect_refused(make_memfd(size - memory_round(1), F_SEAL_SHRINK | F_SEAL_GROW), -EPROTO);
    expect_refused(make_memfd(size + memory_round(1), F_SEAL_SHRINK | F_SEAL_GROW), -EPROTO);
    expect_refused(make_memfd(size - 1, F_SEAL_SHRINK | F_SEAL_GROW), -EPROTO);
}
END_TEST

START_TEST(refuses_missing_and_extra_seals)
{
    expect_refused(make_memfd(size, 0), -EPROTO);
    expect_refused(make_memfd(size, F_SEAL_SHRINK), -EPROTO);
    expect_refused(make_memfd(size, F_SEAL_GROW), -EPROTO);
    expect_refused(make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), -EPROTO);
    expect_refused(make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), -EPROTO);
    expect_refused(make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE), -EPROTO);
}
END_TEST

START_TEST(refuses_a_descriptor_that_may_not_write)
{
    int descriptor = make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    char *path;
    int reader;

    ck_assert_int_ge(asprintf(&path, "/proc/self/fd/%d", descriptor), 0);
    reader = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    close(descriptor);
    expect_refused(reader, -EPROTO);
}
END_TEST

START_TEST(refuses_a_part_of_a_huge_page)
{
    int descriptor = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB);

    if (descriptor < 0 || fallocate(descriptor, 0, 0, (off_t)size) < 0) {
        if (descriptor >= 0)
            close(descriptor);
        test_skip("this machine has no free huge page");
        return;
    }
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    expect_refused(descriptor, -EPROTO);
}
END_TEST

START_TEST(adopts_huge_pages_and_counts_their_blocks)
{
    const size_t huge = (size_t)2 << 20;
    int descriptor = memfd_create("shmrpc", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB);
    void *base;

    if (descriptor < 0 || ftruncate(descriptor, (off_t)huge) < 0 || fallocate(descriptor, 0, 0, (off_t)huge) < 0) {
        if (descriptor >= 0)
            close(descriptor);
        test_skip("this machine has no free huge page");
        return;
    }
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)huge), 0);
    ck_assert_int_eq(memory_adopt(descriptor, huge, MEMORY_PREFAULTED, &base), 0);
    ck_assert_uint_ge((size_t)blocks_of(descriptor) * 512, huge);
    memory_unmap(base, huge);
    close(descriptor);
    counts_expect_same(&before);
}
END_TEST

static Suite *memory_suite(void)
{
    Suite *suite = suite_create("runtime_memory");
    TCase *made = tcase_create("create");
    TCase *adopted = tcase_create("adopt");

    tcase_add_checked_fixture(made, setup, NULL);
    tcase_add_test(made, rounds_to_whole_pages);
    tcase_add_test(made, creates_zeroed_memory_of_exact_size_and_seals);
    tcase_add_test(made, creates_memory_on_a_node);
    tcase_add_test(made, refuses_a_node_that_is_not_there);
    tcase_add_test(made, large_pages_are_asked_for_and_not_needed);
    tcase_add_test(made, of_large_pages_too_a_node_and_a_size_are_checked);
    tcase_add_test(made, where_there_are_no_large_pages_it_is_of_ordinary_ones);
    tcase_add_test(made, refuses_sizes_that_are_not_whole_pages);
    tcase_add_test(made, leaves_nothing_where_the_process_is_at_its_limits);
    tcase_add_test(made, is_allocated_piece_by_piece_where_signals_interrupt_it);
    tcase_add_test(made, a_forked_child_has_neither_side_mapped);
    suite_add_tcase(suite, made);

    tcase_add_checked_fixture(adopted, setup, NULL);
    tcase_add_test(adopted, both_sides_see_the_same_bytes);
    tcase_add_test(adopted, after_adoption_the_client_cannot_take_pages_away);
    tcase_add_test(adopted, fills_holes_that_were_punched_before_the_seal);
    tcase_add_test(adopted, a_memory_that_has_to_be_whole_is_not_filled);
    tcase_add_test(adopted, is_not_taken_in_by_pages_behind_the_end);
    tcase_add_test(adopted, a_client_that_punches_all_the_while_leaves_no_hole);
    tcase_add_test(adopted, refuses_an_ordinary_file);
    tcase_add_test(adopted, refuses_a_named_file_in_shared_memory);
    tcase_add_test(adopted, refuses_what_is_no_file);
    tcase_add_test(adopted, refuses_another_size);
    tcase_add_test(adopted, refuses_missing_and_extra_seals);
    tcase_add_test(adopted, refuses_a_descriptor_that_may_not_write);
    tcase_add_test(adopted, refuses_a_part_of_a_huge_page);
    tcase_add_test(adopted, adopts_huge_pages_and_counts_their_blocks);
    suite_add_tcase(suite, adopted);
    return suite;
}

TEST_MAIN(memory_suite)

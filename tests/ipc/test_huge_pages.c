/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_huge_pages.c - arenas in huge pages, of a pool that the cases fill and empty, and where there are none.
 *
 * The only file that changes the machine's pool (nr_hugepages): by a few pages, only where it is empty, and put back
 * by a fixture that runs outside of the cases, so also after one that has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shmrpc/lane.h>

#include "probe_server.h"
#include "runtime/platform/memory.h"
#include "runtime/platform/pages.h"
#include "runtime/platform/sealed.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define MIB ((size_t)1024 * 1024)
#define LIMIT 1048576u /* bytes of the largest messages, so that a call takes 2 MiB */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static const shmrpc_lane_limits limits = {LIMIT, LIMIT};
static child server;
static counts before;

/* ---- the pool ---- */

/* A number of the pool's, or -1. */
static long pool_read(const char *name)
{
    char text[128];
    long number = -1;

    (void)snprintf(text, sizeof(text), POOL "%s", name);
    FILE *file = fopen(text, "re");
    if (file == NULL)
        return -1;
    if (fgets(text, sizeof(text), file) != NULL)
        number = strtol(text, NULL, 10);
    (void)fclose(file);
    return number;
}

static bool pool_write(long pages)
{
    FILE *file = fopen(POOL "nr_hugepages", "we");
    bool written;

    if (file == NULL)
        return false;
    written = fprintf(file, "%ld\n", pages) > 0;
    return fclose(file) == 0 && written;
}

static long pool_at_first; /* -1: there is none */
static bool pool_is_ours;

static void pool_setup(void)
{
    pool_at_first = pool_read("nr_hugepages");
    pool_is_ours = pool_at_first == 0 && pool_write(0);
}

static void pool_teardown(void)
{
    if (pool_is_ours)
        (void)pool_write(pool_at_first);
}

/* A pool of so many pages, all free; or the case is skipped. */
static bool pool_has(long pages)
{
    if (pages == 0 && pool_at_first <= 0)
        return true;
    if (!pool_is_ours) {
        test_skip(pool_at_first < 0    ? "this kernel has no pool of pages of 2 MiB"
                  : pool_at_first != 0 ? "the pool of huge pages is in use by others"
                                       : "the pool of huge pages cannot be changed by this user");
        return false;
    }
    if (!pool_write(pages) || pool_read("free_hugepages") != pages) {
        test_skip("the kernel finds no %ld huge pages", pages);
        return false;
    }
    return true;
}

/* Pages that nobody has and nobody has been promised. */
static long pool_left(void)
{
    return pool_read("free_hugepages") - pool_read("resv_hugepages");
}

static void expect_left(long pages)
{
    uint64_t deadline_ns = test_deadline_ns(TEST_PATIENCE_MS);

    /* The server unmaps a little after the client has. */
    while (pool_left() != pages && test_remaining_ms(deadline_ns) > 0)
        (void)poll(NULL, 0, 1);
    ck_assert_int_eq(pool_left(), pages);
}

/* ---- a server that echoes ---- */

static shmrpc_lane_server lane_server;

static int echo(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    (void)self;
    memcpy(request->reply, request->data, request->size);
    *ret_size = request->size;
    return 0;
}

static void on_terminate(int signal_number)
{
    (void)signal_number;
    shmrpc_lane_server_stop(&lane_server);
}

static const shmrpc_lane_limits small_limits = {4096, 4096};

static int serve_with(child_link *link, const shmrpc_server_options *options, const shmrpc_lane_limits *of)
{
    static const shmrpc_lane_handlers handlers = {echo, NULL, NULL};
    const struct sigaction action = {.sa_handler = on_terminate};

    child_check(shmrpc_lane_server_init(&lane_server, &handlers, "huge", of, options) == 0, shmrpc_last_error());
    child_check(sigaction(SIGTERM, &action, NULL) == 0, "sigaction");
    link_signal(link, 's');
    int rc = shmrpc_lane_server_run(&lane_server);
    shmrpc_lane_server_deinit(&lane_server);
    return rc == 0 ? 0 : 1;
}

static int serve(child_link *link, void *data)
{
    return serve_with(link, data, &limits);
}

static int serve_small(child_link *link, void *data)
{
    return serve_with(link, data, &small_limits);
}

static void start_server(child_main_fn *run, const shmrpc_server_options *options)
{
    child_spawn(&server, run, (void *)(uintptr_t)options);
    link_await(&server.link, 's');
}

static void end_server(void)
{
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    child_expect_exit(&server, 0);
}

static void setup(void)
{
    runtime_dir_make();
    counts_take(&before);
}

static void teardown(void)
{
    if (server.pid != 0)
        end_server();
    counts_expect_same(&before);
    runtime_dir_remove();
}

static shmrpc_lane *connect_with(shmrpc_client_options options)
{
    shmrpc_lane *lane = NULL;

    options.huge_pages = true;
    assert_status(shmrpc_lane_connect(&lane, "huge", &limits, &options), 0);
    return lane;
}

/* Messages of many sizes, of which the largest go everywhere in an arena of 4 MiB. */
static void expect_echoes(shmrpc_lane *lane)
{
    static unsigned char request[LIMIT], reply[LIMIT];

    for (uint32_t i = 0; i < 24; i++) {
        size_t size = i % 3 == 0 ? LIMIT : (size_t)1 << (i % 21);
        shmrpc_lane_reply how;

        memset(request, (int)i + 1, size);
        memset(reply, 0, size);
        assert_status(shmrpc_lane_call(lane, 1, request, size, reply, sizeof(reply), &how, shmrpc_default()), 0);
        ck_assert_uint_eq(how.size, size);
        ck_assert(memcmp(request, reply, size) == 0);
    }
}

/* ---- what is mapped ---- */

typedef struct arena_seen {
    uintptr_t base;
    size_t size;
    size_t page_size;
    size_t in_tables; /* bytes of it, also as large entries; of huge pages */
} arena_seen;

/* The largest mapping of this library's that a process has. */
static arena_seen arena_of(pid_t pid)
{
    char line[512];
    arena_seen found = {0}, at = {0};

    (void)snprintf(line, sizeof(line), "/proc/%ld/smaps", (long)pid);
    FILE *file = fopen(line, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        uintptr_t start, end;
        size_t kib;

        if (maps_range(line, &start, &end))
            at = (arena_seen){.base = start, .size = strstr(line, "memfd:shmrpc") == NULL ? 0 : end - start};
        else if (maps_kib(line, "KernelPageSize", &kib))
            at.page_size = kib * 1024;
        else if (maps_kib(line, "Shared_Hugetlb", &kib) || maps_kib(line, "Private_Hugetlb", &kib))
            at.in_tables += kib * 1024;
        if (at.size >= found.size)
            found = at;
    }
    (void)fclose(file);
    return found;
}

static void expect_arena(pid_t pid, size_t size, bool is_huge)
{
    arena_seen found = arena_of(pid);

    ck_assert_uint_eq(found.size, size);
    ck_assert_uint_eq(found.base % PAGES_LARGE, 0);
    ck_assert_int_eq(found.page_size == PAGES_LARGE, is_huge);
}

/* ---- where there are none ---- */

START_TEST(where_the_pool_is_empty_messages_go_all_the_same)
{
    if (!pool_has(0))
        return;
    start_server(serve, NULL);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){0});
    shmrpc_pages pages = shmrpc_lane_arena_pages(lane);

    ck_assert(pages == SHMRPC_PAGES_ORDINARY || pages == SHMRPC_PAGES_TRANSPARENT);
    expect_arena(getpid(), 4 * MIB, false);
    expect_arena(server.pid, 4 * MIB, false);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(where_the_pool_is_too_small_nothing_is_taken_of_it)
{
    if (!pool_has(3))
        return;
    start_server(serve, NULL);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){.arena_size = 7 * MIB});

    ck_assert(shmrpc_lane_arena_pages(lane) != SHMRPC_PAGES_HUGE);
    expect_arena(getpid(), 8 * MIB, false);
    ck_assert_int_eq(pool_left(), 3);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(without_the_option_the_pool_is_left_alone)
{
    shmrpc_lane *lane = NULL;

    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    assert_status(shmrpc_lane_connect(&lane, "huge", &limits, NULL), 0);
    ck_assert(shmrpc_lane_arena_pages(lane) == SHMRPC_PAGES_ORDINARY ||
              shmrpc_lane_arena_pages(lane) == SHMRPC_PAGES_TRANSPARENT); /* where the system makes all so */
    ck_assert_int_eq(pool_left(), 4);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(an_arena_that_a_server_makes_odd_is_not_of_the_pool)
{
    static const shmrpc_server_options capping = {.max_arena_size = 3 * MIB};

    if (!pool_has(4))
        return;
    start_server(serve, &capping);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){0});

    ck_assert(shmrpc_lane_arena_pages(lane) != SHMRPC_PAGES_HUGE);
    expect_arena(getpid(), 3 * MIB, false);
    ck_assert_int_eq(pool_left(), 4);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(there_is_no_arena_where_messages_are_small)
{
    const shmrpc_client_options options = {.huge_pages = true};
    shmrpc_lane *lane = NULL;
    char reply[8];

    start_server(serve_small, NULL);
    assert_status(shmrpc_lane_connect(&lane, "huge", &small_limits, &options), 0);
    ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_NONE);
    ck_assert_int_eq(shmrpc_lane_arena_pages(NULL), SHMRPC_PAGES_NONE);
    assert_status(shmrpc_lane_call(lane, 1, "hello", 5, reply, sizeof(reply), NULL, shmrpc_default()), 0);
    shmrpc_lane_free(lane);
}
END_TEST

/* ---- where there are some ---- */

START_TEST(of_a_pool_an_arena_takes_what_it_needs_and_gives_it_back)
{
    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    for (int round = 0; round < 3; round++) {
        shmrpc_lane *lane = connect_with((shmrpc_client_options){.prefault = round == 1});

        ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
        ck_assert_int_eq(pool_read("free_hugepages"), 2);
        ck_assert_int_eq(pool_left(), 2);
        expect_arena(getpid(), 4 * MIB, true);
        expect_arena(server.pid, 4 * MIB, true);
        if (round == 1) {
            ck_assert_uint_eq(arena_of(getpid()).in_tables, 4 * MIB);
            ck_assert_uint_eq(arena_of(server.pid).in_tables, 4 * MIB);
        }
        expect_echoes(lane);
        shmrpc_lane_free(lane);
        expect_left(4);
        ck_assert_int_eq(pool_read("free_hugepages"), 4);
    }
}
END_TEST

START_TEST(sizes_are_rounded_up_to_whole_pages)
{
    static const size_t sizes[][2] = {{1, 2}, {2 * MIB, 2}, {2 * MIB + 1, 4}, {5 * MIB, 6}, {8 * MIB, 8}};

    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        shmrpc_lane *lane = connect_with((shmrpc_client_options){.arena_size = sizes[i][0]});

        ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
        expect_arena(getpid(), sizes[i][1] * MIB, true);
        expect_echoes(lane);
        shmrpc_lane_free(lane);
        expect_left(4);
    }
}
END_TEST

START_TEST(they_lie_on_the_node_that_is_asked_for)
{
    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){.binds_memory = true, .memory_node = 0});

    ck_assert(shmrpc_lane_arena_pages(lane) != SHMRPC_PAGES_NONE);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
    expect_left(4);
}
END_TEST

static void *call_in_thread(void *data)
{
    shmrpc_pages pages;

    ck_assert_int_eq(shmrpc_lane_arena_pages(data), SHMRPC_PAGES_NONE);
    expect_echoes(data);
    pages = shmrpc_lane_arena_pages(data);
    ck_assert_int_ne(pages, SHMRPC_PAGES_NONE);
    ck_assert_int_ne(pages, SHMRPC_PAGES_HUGE);
    return NULL;
}

START_TEST(a_thread_that_finds_the_pool_taken_has_other_pages)
{
    pthread_t thread;

    if (!pool_has(3))
        return;
    start_server(serve, NULL);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){0});
    expect_echoes(lane);
    ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
    ck_assert_int_eq(pthread_create(&thread, NULL, call_in_thread, lane), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
    expect_echoes(lane);
    ck_assert_int_eq(pool_left(), 1);
    shmrpc_lane_free(lane);
    expect_left(3);
}
END_TEST

static int ask_in_child(child_link *link, void *data)
{
    (void)link;
    return shmrpc_lane_arena_pages(data) == SHMRPC_PAGES_NONE ? 0 : 1;
}

START_TEST(a_forked_child_has_none)
{
    child forked;

    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    shmrpc_lane *lane = connect_with((shmrpc_client_options){0});
    child_spawn(&forked, ask_in_child, lane);
    child_expect_exit(&forked, 0);
    ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
    expect_echoes(lane);
    shmrpc_lane_free(lane);
    expect_left(4);
}
END_TEST

static int call_and_stay(child_link *link, void *data)
{
    const shmrpc_client_options options = {.huge_pages = true};
    shmrpc_lane *lane = NULL;

    (void)data;
    child_check(shmrpc_lane_connect(&lane, "huge", &limits, &options) == 0, shmrpc_last_error());
    child_check(shmrpc_lane_call(lane, 1, "x", 1, NULL, 0, NULL, shmrpc_default()) == SHMRPC_E_TOO_LARGE, "call");
    link_signal(link, 'c');
    link_await(link, 'g');
    return 0;
}

START_TEST(the_pool_has_all_back_when_a_side_is_killed)
{
    child client;

    if (!pool_has(4))
        return;
    start_server(serve, NULL);
    child_spawn(&client, call_and_stay, NULL);
    link_await(&client.link, 'c');
    ck_assert_int_eq(pool_left(), 2);
    child_kill(&client);
    expect_left(4);

    shmrpc_lane *lane = connect_with((shmrpc_client_options){0});
    ck_assert_int_eq(shmrpc_lane_arena_pages(lane), SHMRPC_PAGES_HUGE);
    child_kill(&server);
    ck_assert_int_eq(pool_left(), 2);
    shmrpc_lane_free(lane);
    expect_left(4);
    start_server(serve, NULL); /* takes the name that the other one has left, and gives it back */
}
END_TEST

/* ---- the memory alone ---- */

static blkcnt_t blocks_of(int descriptor)
{
    struct stat status;

    ck_assert_int_eq(fstat(descriptor, &status), 0);
    return status.st_blocks;
}

START_TEST(adopted_huge_pages_cannot_be_taken_away)
{
    const size_t size = 4 * MIB;
    void *made, *adopted;
    int descriptor;

    if (!pool_has(2))
        return;
    ck_assert_int_eq(memory_create(size, MEMORY_ON_DEMAND, MEMORY_LARGE_PAGES, MEMORY_ANY_NODE, &made, &descriptor), 0);
    ck_assert_int_eq(pages_find(made, size), PAGES_HUGE);
    ck_assert_int_eq(fcntl(descriptor, F_GET_SEALS) & SEALS, SEALS);
    ck_assert_uint_eq((size_t)blocks_of(descriptor) * 512, size);
    ck_assert_int_eq(memory_adopt_whole(descriptor, size, MEMORY_PREFAULTED, &adopted), 0);
    ck_assert_int_eq(pages_find(adopted, size), PAGES_HUGE);
    ck_assert_int_ne(fcntl(descriptor, F_GET_SEALS) & F_SEAL_FUTURE_WRITE, 0);

    memset(made, 0x5a, size);
    ck_assert_int_eq(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)PAGES_LARGE), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(madvise(made, PAGES_LARGE, MADV_REMOVE), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(descriptor, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_ptr_eq(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EPERM);
    ck_assert(*(const unsigned char *)adopted == 0x5a && memcmp(adopted, (const char *)adopted + 1, size - 1) == 0);

    memory_unmap(made, size);
    memory_unmap(adopted, size);
    ck_assert_int_eq(pool_left(), 0);
    (void)close(descriptor);
    ck_assert_int_eq(pool_left(), 2);
}
END_TEST

START_TEST(huge_pages_with_holes_are_refused)
{
    const size_t size = 4 * MIB;
    void *base = &before;

    if (!pool_has(2))
        return;
    /* Nothing of it; then all but the second one. */
    for (size_t made = 0; made < size; made += PAGES_LARGE) {
        int descriptor = pages_open(true);

        ck_assert_int_ge(descriptor, 0);
        ck_assert_int_eq(ftruncate(descriptor, (off_t)size), 0);
        ck_assert_int_eq(made == 0 ? 0 : pages_allocate(descriptor, 0, made), 0);
        ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, SEALS), 0);
        ck_assert_int_eq(memory_adopt_whole(descriptor, size, MEMORY_ON_DEMAND, &base), -EPROTO);
        ck_assert_ptr_eq(base, &before);
        ck_assert_uint_eq((size_t)blocks_of(descriptor) * 512, made);
        (void)close(descriptor);
        ck_assert_int_eq(pool_left(), 2);
    }
}
END_TEST

/* ---- requests in sealed memory ---- */

static void expect_sealed_and_read(sealed_memory *made, size_t used, size_t room)
{
    unsigned char *bytes = made->base;
    const void *read = NULL;
    size_t size = 0;

    for (size_t i = 0; i < used; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251);
    ck_assert_int_eq(sealed_seal(made, used), 0);
    ck_assert_int_eq(sealed_adopt(made->descriptor, room, &size, &read), 0);
    ck_assert_uint_eq(size % made->page_bytes, 0);
    ck_assert_uint_ge(size, used);
    ck_assert_uint_lt(size, used + made->page_bytes);
    for (size_t i = 0; i < room; i++)
        if (((const unsigned char *)read)[i] != (i < used ? (unsigned char)(i * 7 + i / 251) : 0))
            ck_abort_msg("byte %zu of %zu", i, room);
    /* Without a further huge page it is the maker's own again. */
    ck_assert_int_eq(sealed_keep(made), 0);
    ck_assert_uint_eq(bytes[used - 1], (unsigned char)((used - 1) * 7 + (used - 1) / 251));
    memset(bytes, 0x11, made->size_bytes);
    ck_assert_uint_eq(*(const unsigned char *)read, 0);
    sealed_unmap(read, room);
}

START_TEST(sealed_memory_lies_in_them)
{
    sealed_memory made;

    if (!pool_has(2))
        return;
    ck_assert_int_eq(sealed_create(3 * MIB, true, &made), 0);
    ck_assert_uint_eq(made.page_bytes, PAGES_LARGE);
    ck_assert_uint_eq(made.size_bytes, 4 * MIB);
    ck_assert_uint_eq((uintptr_t)made.base % PAGES_LARGE, 0);
    ck_assert_int_eq(pool_left(), 0);
    expect_sealed_and_read(&made, MIB + 1, 3 * MIB);
    sealed_free(&made, true);
    expect_left(2);
}
END_TEST

START_TEST(sealed_memory_does_without_them)
{
    sealed_memory made;

    if (!pool_has(1))
        return;
    ck_assert_int_eq(sealed_create(3 * MIB, true, &made), 0); /* which takes two */
    ck_assert_uint_eq(made.page_bytes, memory_round(1));
    ck_assert_uint_eq(made.size_bytes, 3 * MIB);
    ck_assert_uint_eq((uintptr_t)made.base % PAGES_LARGE, 0);
    expect_sealed_and_read(&made, MIB + 1, 3 * MIB);
    sealed_free(&made, true);
    ck_assert_int_eq(sealed_create(MIB, true, &made), 0); /* which is less than one */
    ck_assert_uint_eq(made.page_bytes, memory_round(1));
    expect_sealed_and_read(&made, MIB, MIB);
    sealed_free(&made, true);
    expect_left(1);
}
END_TEST

static Suite *huge_pages_suite(void)
{
    Suite *suite = suite_create("ipc_huge_pages");
    TCase *without = tcase_create("without");
    TCase *with = tcase_create("with");

    tcase_set_timeout(without, 60);
    tcase_add_unchecked_fixture(without, pool_setup, pool_teardown);
    tcase_add_checked_fixture(without, setup, teardown);
    tcase_add_test(without, where_the_pool_is_empty_messages_go_all_the_same);
    tcase_add_test(without, where_the_pool_is_too_small_nothing_is_taken_of_it);
    tcase_add_test(without, without_the_option_the_pool_is_left_alone);
    tcase_add_test(without, an_arena_that_a_server_makes_odd_is_not_of_the_pool);
    tcase_add_test(without, there_is_no_arena_where_messages_are_small);
    suite_add_tcase(suite, without);

    tcase_set_timeout(with, 60);
    tcase_add_unchecked_fixture(with, pool_setup, pool_teardown);
    tcase_add_checked_fixture(with, setup, teardown);
    tcase_add_test(with, of_a_pool_an_arena_takes_what_it_needs_and_gives_it_back);
    tcase_add_test(with, sizes_are_rounded_up_to_whole_pages);
    tcase_add_test(with, they_lie_on_the_node_that_is_asked_for);
    tcase_add_test(with, a_thread_that_finds_the_pool_taken_has_other_pages);
    tcase_add_test(with, a_forked_child_has_none);
    tcase_add_test(with, the_pool_has_all_back_when_a_side_is_killed);
    tcase_add_test(with, adopted_huge_pages_cannot_be_taken_away);
    tcase_add_test(with, huge_pages_with_holes_are_refused);
    tcase_add_test(with, sealed_memory_lies_in_them);
    tcase_add_test(with, sealed_memory_does_without_them);
    suite_add_tcase(suite, with);
    return suite;
}

TEST_MAIN(huge_pages_suite)

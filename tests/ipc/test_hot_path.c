/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hot_path.c - while both sides are awake, a call neither asks the system nor allocates nor locks.
 *
 * System calls are forbidden by a seccomp filter (seal.h), to the client and to the server. The functions that
 * allocate and lock are wrapped by the linker and counted, for each process apart.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_server.h"
#include "seal.h"

#define EXIT_WRONG 20
#define EXIT_NO_SEAL 21

/* Pairs of calls under seal, in slots and in blocks: about a millisecond. */
#define SEALED_ROUND 100
#define SEALED_ROUNDS 100

static probe_process server;

static const shmrpc_server_options polling_server = {.spin_ns = SHMRPC_SPIN_FOREVER};
static const shmrpc_client_options polling_client = {.spin_ns = SHMRPC_SPIN_FOREVER};

static shmrpc_client *connect_polling(void)
{
    shmrpc_client *client = NULL;

    assert_status(probe_connect(&client, "probe", &polling_client), 0);
    return client;
}

/* ---- system calls ---- */

static int sealed_client_main(child_link *link, void *data)
{
    /* The clock is read without the kernel where the machine has a clock for that. */
    static const int allowed[] = {SYS_clock_gettime};
    _Atomic(long) *ret_forbidden = data;
    shmrpc_client *client = NULL;

    child_check(probe_connect(&client, "probe", &polling_client) == 0, "connect");
    if (!probe_answers_rightly(client, 1, 100))
        return EXIT_WRONG;
    link_signal(link, 'w');
    link_await(link, 'g');
    if (!seal_system_calls(ret_forbidden, PROBE_EXIT_SYSCALL, allowed, sizeof(allowed) / sizeof(allowed[0])))
        return EXIT_NO_SEAL;
    /* Nothing may be asked of the system from here on: the process ends here, and not where it was spawned. */
    bool right = probe_answers_rightly(client, 1000, SEALED_ROUND);
    _exit(right ? 0 : EXIT_WRONG);
}

/* The exit status of one client that made its calls under seal. */
static int run_sealed_client(void)
{
    child client;
    siginfo_t info = {0};

    child_spawn(&client, sealed_client_main, &server.state->forbidden_syscall);
    link_await(&client.link, 'w');
    link_signal(&client.link, 'g');
    ck_assert_int_eq(waitid(P_PID, (id_t)client.pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(info.si_code, CLD_EXITED);
    child_expect_exit(&client, info.si_status);
    return info.si_status;
}

START_TEST(makes_no_system_call_while_the_server_is_awake)
{
    int status = PROBE_EXIT_SYSCALL;

    if (test_is_built_with("asan") || test_is_built_with("tsan")) {
        test_skip("the sanitizer makes system calls of its own");
        return;
    }
    probe_process_start(&server, &(probe_setup){.options = &polling_server});
    /*
     * A caller that has waited for 10 ms looks whether its server lives. That happens where another process has the
     * server's core, so one round of many has to do; a system call for each call, or each tenth, would be seen in all.
     */
    for (int round = 0; round < SEALED_ROUNDS && status == PROBE_EXIT_SYSCALL; round++)
        status = run_sealed_client();
    if (status == EXIT_NO_SEAL)
        test_skip("no seccomp filters here");
    else
        ck_assert_msg(status == 0, "exit status %d; the last system call was %ld", status,
                      atomic_load(&server.state->forbidden_syscall));
    probe_process_stop(&server);
}
END_TEST

START_TEST(makes_no_system_call_but_looks_around_while_clients_are_awake)
{
    shmrpc_server_counts before, after;

    probe_process_start(&server, &(probe_setup){.options = &polling_server});
    shmrpc_client *client = connect_polling();
    ck_assert(probe_answers_rightly(client, 1, 100));
    assert_status(probe_get_counters(client, &before), 0);
    if (shmrpc_client_call(client, PROBE_SEAL, NULL, NULL, shmrpc_default()) != 0) {
        test_skip("no seccomp filters here");
    } else {
        ck_assert_msg(probe_answers_rightly(client, 1000, 5000), "the server made system call %ld",
                      atomic_load(&server.state->forbidden_syscall));
        assert_status(probe_get_counters(client, &after), 0);
        ck_assert_uint_eq(after.doorbells, before.doorbells);
        ck_assert_uint_eq(after.sleeps, before.sleeps);
    }
    shmrpc_client_free(client);
    probe_process_kill(&server);
    probe_forget("probe");
}
END_TEST

/* ---- memory and locks ---- */

typedef struct use_counts {
    _Atomic(uint64_t) allocations, locks;
} use_counts;

/* Of the test's process and of its children, in a shared page; NULL: nothing is counted. */
static _Atomic(use_counts *) uses;
static pid_t test_pid;

/* Those of a process's first thread, which calls, or serves: the monitor's thread may come to life when it likes. */
static use_counts *uses_here(void)
{
    use_counts *counted = atomic_load(&uses);

    return counted == NULL || gettid() != getpid() ? NULL : &counted[getpid() != test_pid];
}

static use_counts uses_of(use_counts *counted)
{
    return (use_counts){.allocations = atomic_load(&counted->allocations), .locks = atomic_load(&counted->locks)};
}

static void count_allocation(void)
{
    use_counts *here = uses_here();

    if (here != NULL)
        atomic_fetch_add(&here->allocations, 1);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **ret, size_t alignment, size_t size);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **ret, size_t alignment, size_t size);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t size)
{
    count_allocation();
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    count_allocation();
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    count_allocation();
    return __real_realloc(memory, size);
}

void __wrap_free(void *memory)
{
    count_allocation();
    __real_free(memory);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    count_allocation();
    return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **ret, size_t alignment, size_t size)
{
    count_allocation();
    return __real_posix_memalign(ret, alignment, size);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    use_counts *here = uses_here();

    if (here != NULL)
        atomic_fetch_add(&here->locks, 1);
    return __real_pthread_mutex_lock(mutex);
}

/* Calls of all kinds: true where each went as it has to. Check's assertions allocate, so there are none here. */
static bool make_calls_of_all_kinds(shmrpc_client *client)
{
    bool right = probe_answers_rightly(client, 1, 500);
    probe_total total;
    uint64_t reply;

    for (int i = 0; i < 200; i++) {
        right &= probe_note(client, 1, shmrpc_default()) == 0;
        right &= probe_fail(client, PROBE_ERROR_PLAIN, &reply, shmrpc_default()) == PROBE_ERROR_PLAIN;
        right &= probe_fail(client, PROBE_ERROR_BLOB, &reply, shmrpc_default()) == PROBE_ERROR_BLOB;
        right &= shmrpc_client_call(client, PROBE_ABSENT, NULL, NULL, shmrpc_default()) == SHMRPC_E_UNIMPLEMENTED;
    }
    return right && probe_get_total(client, &total) == 0;
}

START_TEST(neither_allocates_nor_locks_for_a_call)
{
    static const int64_t spins[] = {SHMRPC_SPIN_FOREVER, SHMRPC_SPIN_DEFAULT, SHMRPC_SPIN_NONE, SHMRPC_SPIN_DEFAULT};
    const shmrpc_client_options options = {.spin_ns = spins[_i], .send_times = _i == 3, .metadata = _i == 3 ? 64 : 0};
    shmrpc_client *client = NULL;

    test_pid = getpid();
    use_counts *page = mmap(NULL, 2 * sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(page != MAP_FAILED);
    atomic_store(&uses, page);
    probe_process_start(&server, &(probe_setup){.options = &(shmrpc_server_options){.spin_ns = spins[_i]}});
    assert_status(probe_connect(&client, "probe", &options), 0);
    if (options.metadata != 0)
        assert_status(shmrpc_client_set_metadata(client, "trace", "4bf92f35"), 0);
    /* That anything is counted at all, in both processes. */
    ck_assert_uint_gt(atomic_load(&page[0].allocations), 0);
    ck_assert_uint_gt(atomic_load(&page[1].allocations), 0);

    ck_assert(make_calls_of_all_kinds(client));
    use_counts mine = uses_of(&page[0]), theirs = uses_of(&page[1]);
    bool right = make_calls_of_all_kinds(client);
    atomic_store(&uses, NULL);
    ck_assert(right);
    ck_assert_uint_eq(atomic_load(&page[0].allocations), mine.allocations);
    ck_assert_uint_eq(atomic_load(&page[0].locks), mine.locks);
    ck_assert_uint_eq(atomic_load(&page[1].allocations), theirs.allocations);
    ck_assert_uint_eq(atomic_load(&page[1].locks), theirs.locks);
    shmrpc_client_free(client);
    probe_process_stop(&server);
    munmap(page, 2 * sizeof(*page));
}
END_TEST

static Suite *hot_path_suite(void)
{
    Suite *suite = suite_create("ipc_hot_path");
    TCase *tests = tcase_create("hot path");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 50);
    tcase_add_test(tests, makes_no_system_call_while_the_server_is_awake);
    tcase_add_test(tests, makes_no_system_call_but_looks_around_while_clients_are_awake);
    tcase_add_loop_test(tests, neither_allocates_nor_locks_for_a_call, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(hot_path_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_large_ends.c - large calls whose callers give up, whose threads, clients or servers end; what arenas cost and where
 * they are.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "large_pair.h"
#include "seal.h"

/* ---- callers that give up ---- */

START_TEST(a_call_that_timed_out_gives_back_what_it_held_when_it_ends)
{
    large_client *narrow = connect_with(1);

    make_request(request, 1, 1048576);
    assert_status(large_hold(narrow, request, reply, shmrpc_in_ms(50)), SHMRPC_E_TIMEOUT);
    link_await(&process.link, 'h');
    /* The handler still has both of its extents. */
    assert_status(turn_with(narrow, 2, 1048576, shmrpc_in_ms(50)), SHMRPC_E_NOT_SENT);
    link_signal(&process.link, 'g');
    assert_status(turn_with(narrow, 3, 1048576, shmrpc_default()), 0);
    expect_room(narrow, 1);
    large_client_free(narrow);
}
END_TEST

START_TEST(calls_that_are_withdrawn_give_it_back_too)
{
    large_hold_call held = {0};
    large_turn_call second = {0};
    large_put_off_call third = {0};

    make_request(request, 1, 1048576);
    assert_status(large_hold_start(client, &held, request, shmrpc_default()), 0);
    link_await(&process.link, 'h');
    start_turn(client, &second, 1, 1048576);
    large_turn_cancel(&second);
    large_hold_cancel(&held);
    link_signal(&process.link, 'g');
    assert_status(large_turn_wait(&second, reply), SHMRPC_E_CANCELLED);
    assert_status(large_hold_wait(&held, reply), 0);
    expect_turned(reply, 1, 1048576);
    expect_room(client, 2);

    start_put_off(client, &third, 1, 1048576);
    let_all_begin(client);
    large_put_off_cancel(&third);
    release_all(client, 1);
    assert_status(large_put_off_wait(&third, reply), 0);
    expect_room(client, 2);
}
END_TEST

/* A thread that ends with calls in flight, of which one is put off. */
static void *leave_calls(void *data)
{
    static large_turn_call turned;
    static large_put_off_call off;

    (void)data;
    turned = (large_turn_call){0};
    off = (large_put_off_call){0};
    start_turn(client, &turned, 1, 1048576);
    start_put_off(client, &off, 2, 1048576);
    let_all_begin(client);
    return NULL;
}

static void *turn_twice(void *data)
{
    (void)data;
    expect_room(client, 2);
    return NULL;
}

START_TEST(the_next_thread_finds_the_arena_of_one_that_ended_with_calls_in_flight)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, leave_calls, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    release_all(client, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, turn_twice, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    expect_room(client, 2);
}
END_TEST

#define THREADS 4u

static void *turn_often(void *data)
{
    uint32_t seed = *(const uint32_t *)data;
    large_frame *own = malloc(sizeof(*own)), *turned = malloc(sizeof(*turned));

    ck_assert(own != NULL && turned != NULL);
    for (uint32_t i = 0; i < 10; i++) {
        make_request(own, seed + i, 1048576 - i);
        assert_status(large_turn(client, own, turned, shmrpc_default()), 0);
        expect_turned(turned, seed + i, 1048576 - i);
    }
    free(own);
    free(turned);
    return NULL;
}

START_TEST(each_thread_has_an_arena_of_its_own)
{
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];

    for (uint32_t i = 0; i < THREADS; i++) {
        seeds[i] = i * 50;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, turn_often, &seeds[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    expect_room(client, 2);
}
END_TEST

/* ---- connections that end ---- */

START_TEST(a_server_that_dies_leaves_one_outcome_for_each_call_and_the_next_one_is_found)
{
    const shmrpc_client_options options = {.reconnect = true, .wait_for_server = true};
    large_client *lasting = NULL;
    large_hold_call held = {0};
    large_turn_call second = {0};

    assert_status(large_connect(&lasting, "large", &options), 0);
    make_request(request, 1, 1048576);
    assert_status(large_hold_start(lasting, &held, request, shmrpc_default()), 0);
    link_await(&process.link, 'h');
    start_turn(lasting, &second, 1, 1048576);
    child_kill(&process);
    assert_status(large_hold_wait(&held, reply), SHMRPC_E_UNKNOWN);
    assert_status(large_turn_wait(&second, reply), SHMRPC_E_NOT_EXECUTED);
    start_server(NULL);
    expect_room(lasting, 2);
    large_client_free(lasting);
    large_client_free(client);
    client = NULL;
}
END_TEST

static int die_in_a_call(child_link *link, void *data)
{
    large_client *mine = NULL;
    large_hold_call held = {0};
    static large_frame frame;

    (void)data;
    child_check(large_connect(&mine, "large", NULL) == 0, "connect");
    frame.data.count = 1048576;
    child_check(large_hold_start(mine, &held, &frame, shmrpc_default()) == 0, "start");
    link_signal(link, 'c');
    (void)link_await_closed(link);
    return 0;
}

START_TEST(a_client_that_dies_in_a_large_call_leaves_nothing)
{
    for (uint32_t i = 0; i < 3; i++) {
        child dying;

        child_spawn(&dying, die_in_a_call, NULL);
        link_await(&dying.link, 'c');
        link_await(&process.link, 'h');
        child_kill(&dying);
        link_signal(&process.link, 'g');
        assert_status(turn_with(client, i, 1048576, shmrpc_default()), 0);
    }
}
END_TEST

/* ---- sizes ---- */

START_TEST(a_server_takes_no_larger_arena_than_it_says)
{
    shmrpc_server_options options = {.max_arena_size = CALL_SIZE};
    large_client *made = NULL;
    large_turn_call calls[2] = {0};

    large_client_free(client);
    client = NULL;
    end_server();
    start_server(&options);
    made = connect_with(8 * CALL_SIZE);
    start_turn(made, &calls[0], 1, 1048576);
    make_request(request, 2, 1048576);
    assert_status(large_turn_start(made, &calls[1], request, shmrpc_default()), SHMRPC_E_AGAIN);
    expect_turn(&calls[0], 1, 1048576);
    large_client_free(made);

    end_server();
    options.max_arena_size = CALL_SIZE - 4096;
    start_server(&options);
    made = NULL;
    assert_status(large_connect(&made, "large", NULL), SHMRPC_E_REFUSED);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "max_arena_size"));
    ck_assert_ptr_null(made);
}
END_TEST

/* ---- the path of a call ---- */

#define EXIT_WRONG 20
#define EXIT_NO_SEAL 21
#define EXIT_SYSCALL 22
#define SEALED_ROUNDS 100

static _Atomic(long) last_forbidden;

/* Calls with large messages, of which one is there and back while system calls are forbidden. */
static int sealed_main(child_link *link, void *data)
{
    static const int allowed[] = {SYS_clock_gettime};
    static large_frame question, answer;
    const shmrpc_client_options options = {.spin_ns = SHMRPC_SPIN_FOREVER, .prefault = true};
    large_client *mine = NULL;

    (void)link;
    (void)data;
    child_check(large_connect(&mine, "large", &options) == 0, "connect");
    question.data.count = 100000;
    question.data.items[0] = 3;
    for (int i = 0; i < 10; i++)
        child_check(large_turn(mine, &question, &answer, shmrpc_default()) == 0, "turn");
    if (!seal_system_calls(&last_forbidden, EXIT_SYSCALL, allowed, sizeof(allowed) / sizeof(allowed[0])))
        return EXIT_NO_SEAL;
    bool right =
        large_turn(mine, &question, &answer, shmrpc_default()) == 0 && answer.sum == 3 && answer.data.items[99999] == 3;
    _exit(right ? 0 : EXIT_WRONG);
}

START_TEST(a_large_call_makes_no_system_call_while_both_are_awake)
{
    shmrpc_server_options polling = {.spin_ns = SHMRPC_SPIN_FOREVER};
    int status = EXIT_SYSCALL;

    if (test_is_built_with("asan") || test_is_built_with("tsan")) {
        test_skip("the sanitizer makes system calls of its own");
        return;
    }
    large_client_free(client);
    client = NULL;
    end_server();
    start_server(&polling);
    /* Where another process has the server's core for 10 ms the caller looks whether it lives: one round has to do. */
    for (int round = 0; round < SEALED_ROUNDS && status == EXIT_SYSCALL; round++) {
        child sealed;
        siginfo_t info = {0};

        child_spawn(&sealed, sealed_main, NULL);
        ck_assert_int_eq(waitid(P_PID, (id_t)sealed.pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(info.si_code, CLD_EXITED);
        child_expect_exit(&sealed, info.si_status);
        status = info.si_status;
    }
    if (status == EXIT_NO_SEAL)
        test_skip("no seccomp filters here");
    else
        ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- where memory is ---- */

/* Kibibytes of a process's arenas, and of these: that are in its tables. The lane's own memory is smaller. */
static void measure(pid_t pid, unsigned long *ret_size, unsigned long *ret_resident)
{
    char line[512];
    unsigned long size = 0;
    bool is_ours = false;

    *ret_size = *ret_resident = 0;
    snprintf(line, sizeof(line), "/proc/%ld/smaps", (long)pid);
    FILE *file = fopen(line, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end;

        /* The line of a mapping begins with its addresses. */
        (void)strtoul(line, &end, 16);
        if (end != line && *end == '-')
            is_ours = strstr(line, "memfd:shmrpc") != NULL;
        else if (strncmp(line, "Size:", 5) == 0)
            size = strtoul(line + 5, NULL, 10);
        else if (is_ours && strncmp(line, "Rss:", 4) == 0 && size >= CALL_SIZE / 1024) {
            *ret_size += size;
            *ret_resident += strtoul(line + 4, NULL, 10);
        }
    }
    fclose(file);
}

static void expect_pages(pid_t pid, unsigned long size_kib, unsigned long resident_kib)
{
    unsigned long size, resident;

    measure(pid, &size, &resident);
    ck_assert_uint_eq(size, size_kib);
    ck_assert_uint_eq(resident, resident_kib);
}

START_TEST(the_pages_of_an_arena_are_there_when_asked_for)
{
    const shmrpc_client_options eager = {.prefault = true, .arena_size = 4 * CALL_SIZE};
    const unsigned long kib = CALL_SIZE / 1024;
    large_client *made = NULL;

    expect_pages(getpid(), 2 * kib, 0);
    expect_pages(process.pid, 2 * kib, 0);
    assert_status(large_connect(&made, "large", &eager), 0);
    expect_pages(getpid(), 6 * kib, 4 * kib);
    expect_pages(process.pid, 6 * kib, 4 * kib);
    expect_room(made, 4);
    large_client_free(made);
}
END_TEST

START_TEST(an_arena_in_large_pages_is_of_whole_ones)
{
    static const size_t sizes[][2] = {{0, 6}, {1, 4}, {CALL_SIZE, 4}, {8 << 20, 8}};
    large_client *made = NULL;

    _Static_assert(CALL_SIZE > 2 << 20 && 2 * CALL_SIZE < 6 << 20, "sizes");
    ck_assert_int_eq(shmrpc_client_arena_pages(large_client_base(client)), SHMRPC_PAGES_ORDINARY); /* and untouched */
    ck_assert_int_eq(shmrpc_client_arena_pages(NULL), SHMRPC_PAGES_NONE);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const shmrpc_client_options options = {.huge_pages = true, .arena_size = sizes[i][0]};
        const unsigned long kib = CALL_SIZE / 1024;
        unsigned long size, resident;

        assert_status(large_connect(&made, "large", &options), 0);
        ck_assert_int_ge(shmrpc_client_arena_pages(large_client_base(made)), SHMRPC_PAGES_ORDINARY);
        measure(getpid(), &size, &resident);
        ck_assert_uint_eq(size, 2 * kib + sizes[i][1] * 1024);
        measure(process.pid, &size, &resident);
        ck_assert_uint_eq(size, 2 * kib + sizes[i][1] * 1024);
        expect_room(made, (uint32_t)((sizes[i][1] << 20) / CALL_SIZE));
        large_client_free(made);
    }
}
END_TEST

START_TEST(memory_lies_on_the_node_that_is_asked_for)
{
    shmrpc_client_options options = {.binds_memory = true, .memory_node = 1000};
    large_client *made = NULL;

    assert_status(large_connect(&made, "large", &options), SHMRPC_E_MISUSE);
    ck_assert_str_eq(shmrpc_last_error(), "memory_node is 1000: this machine has no such node");
    ck_assert_ptr_null(made);
    options.memory_node = 0;
    assert_status(large_connect(&made, "large", &options), 0);
    expect_room(made, 2);
    large_client_free(made);
}
END_TEST

static Suite *large_ends_suite(void)
{
    Suite *suite = suite_create("ipc_large_ends");
    TCase *tests = tcase_create("large_ends");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_call_that_timed_out_gives_back_what_it_held_when_it_ends);
    tcase_add_test(tests, calls_that_are_withdrawn_give_it_back_too);
    tcase_add_test(tests, the_next_thread_finds_the_arena_of_one_that_ended_with_calls_in_flight);
    tcase_add_test(tests, each_thread_has_an_arena_of_its_own);
    tcase_add_test(tests, a_server_that_dies_leaves_one_outcome_for_each_call_and_the_next_one_is_found);
    tcase_add_test(tests, a_client_that_dies_in_a_large_call_leaves_nothing);
    tcase_add_test(tests, a_server_takes_no_larger_arena_than_it_says);
    tcase_add_test(tests, a_large_call_makes_no_system_call_while_both_are_awake);
    tcase_add_test(tests, the_pages_of_an_arena_are_there_when_asked_for);
    tcase_add_test(tests, an_arena_in_large_pages_is_of_whole_ones);
    tcase_add_test(tests, memory_lies_on_the_node_that_is_asked_for);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(large_ends_suite)

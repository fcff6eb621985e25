/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "name_service.h"

#include "runtime/platform/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <shmrpc/status.h>

#define LONG_NS INT64_C(20000000000)

/* ---- who has the name ---- */

START_TEST(a_socket_has_the_mode_asked_for)
{
    char *path = path_in(runtime_dir_path(), "calc");
    directory_entry entry;
    struct stat status;

    ck_assert_int_eq(directory_listen("calc", 0666, &entry), 0);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0666);
    directory_release(&entry);
    free(path);
}
END_TEST

START_TEST(a_live_server_is_never_replaced)
{
    directory_entry entry;

    expect_listen("calc", &entry);
    expect_listen_refused("calc", SHMRPC_E_IN_USE, "a server listens at");
    ck_assert(is_served("calc"));
    directory_release(&entry);
    expect_listen("calc", &entry);
    directory_release(&entry);
    directory_release(&entry);
    directory_release(&(directory_entry){0});
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
    directory_entry entry;
    child process;

    spawn_server(&process, (char[]){"calc"});
    end_server(&process, 'c');
    ck_assert(is_socket(runtime_dir_path(), "calc"));
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_UNAVAILABLE);

    expect_listen("calc", &entry);
    ck_assert(is_served("calc"));
    directory_release(&entry);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(what_is_not_a_socket_is_left_alone)
{
    char *path = path_in(runtime_dir_path(), "calc");
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_eq(write(file, "precious", 8), 8);
    close(file);
    expect_listen_refused("calc", SHMRPC_E_SYSTEM, "is not a socket");
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(symlink("/nonexistent", path), 0);
    expect_listen_refused("calc", SHMRPC_E_IN_USE, "bound");
    ck_assert_int_eq(unlink(path), 0);
    free(path);
}
END_TEST

START_TEST(a_server_of_another_kind_of_socket_is_left_alone)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = path_in(runtime_dir_path(), "calc");
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    ck_assert_int_eq(bind(other, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(other, 1), 0);
    expect_listen_refused("calc", SHMRPC_E_IN_USE, "a server listens at");
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_SYSTEM);
    expect_line_with("another kind");
    close(other);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
}
END_TEST

typedef struct racer {
    int start; /* readable for all when the race begins */
} racer;

static int race(child_link *link, void *data)
{
    struct pollfd start = {.fd = ((racer *)data)->start, .events = POLLIN};
    directory_entry entry;
    int r;

    link_signal(link, 'r');
    child_check(poll(&start, 1, TEST_PATIENCE_MS) == 1, "the race did not begin");
    r = directory_listen("calc", 0600, &entry);
    link_send(link, &r, sizeof(r));
    link_await(link, 'e');
    if (r == 0) {
        directory_claim(&entry);
        directory_release(&entry);
    }
    return 0;
}

#define RACERS 4

static void run_race(void)
{
    child processes[RACERS];
    int starter[2];
    int winners = 0;

    ck_assert_int_eq(pipe2(starter, O_CLOEXEC), 0);
    racer of = {.start = starter[0]};
    for (int i = 0; i < RACERS; i++) {
        child_spawn(&processes[i], race, &of);
        link_await(&processes[i].link, 'r');
    }
    ck_assert_int_eq(write(starter[1], "g", 1), 1);
    for (int i = 0; i < RACERS; i++) {
        int r;

        link_receive(&processes[i].link, &r, sizeof(r));
        winners += r == 0;
        ck_assert(r == 0 || r == SHMRPC_E_IN_USE);
    }
    ck_assert_int_eq(winners, 1);
    ck_assert(is_served("calc"));
    for (int i = 0; i < RACERS; i++)
        end_server(&processes[i], 'e');
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    close(starter[0]);
    close(starter[1]);
}

START_TEST(of_servers_that_start_at_once_exactly_one_wins)
{
    for (int round = 0; round < 25; round++)
        run_race();
}
END_TEST

START_TEST(of_servers_that_find_a_stale_socket_at_once_exactly_one_wins)
{
    for (int round = 0; round < 25; round++) {
        child process;

        spawn_server(&process, (char[]){"calc"});
        end_server(&process, 'c');
        ck_assert_uint_eq(runtime_dir_entries(), 1);
        run_race();
    }
}
END_TEST

START_TEST(a_stopped_server_with_a_full_backlog_is_not_stale)
{
    int descriptors[512];
    int count = 0;
    child process;

    spawn_server(&process, (char[]){"calc"});
    child_stop(&process);
    while (count < 512) {
        int descriptor = connect_now("calc");

        if (descriptor < 0)
            break;
        descriptors[count++] = descriptor;
    }
    ck_assert_int_lt(count, 512);
    expect_line_with("did not accept");
    expect_listen_refused("calc", SHMRPC_E_IN_USE, "a server listens at");

    /* With `wait` or without: at the deadline, and not before. */
    for (int wait = 0; wait < 2; wait++) {
        int64_t until = clock_after_ns(20000000);

        ck_assert_int_eq(directory_connect("calc", until, wait != 0), SHMRPC_E_UNAVAILABLE);
        expect_line_with("did not accept");
        ck_assert(clock_left_ns(until) == 0);
        ck_assert_int_lt(clock_now_ns() - until, (int64_t)TEST_SOON_NS);
    }

    /* Room in the backlog is noticed. */
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    child_continue(&process);
    end_server(&process, 'e');
}
END_TEST

typedef struct waiter {
    int result;
} waiter;

static void *connect_with_patience(void *data)
{
    waiter *of = data;

    of->result = directory_connect("calc", clock_after_ns(LONG_NS), true);
    return NULL;
}

START_TEST(a_client_can_wait_for_its_server)
{
    directory_entry entry;
    waiter of = {.result = -1};
    pthread_t thread;
    int64_t until = clock_after_ns(10000000);

    ck_assert_int_eq(directory_connect("calc", until, true), SHMRPC_E_UNAVAILABLE);
    ck_assert(clock_left_ns(until) == 0);
    expect_line_with("nobody listens as \"calc\" in ");
    expect_line_with(runtime_dir_path());

    ck_assert_int_eq(pthread_create(&thread, NULL, connect_with_patience, &of), 0);
    expect_listen("calc", &entry);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_ge(of.result, 0);
    close(of.result);
    directory_release(&entry);
}
END_TEST

static int hold_lock(child_link *link, void *data)
{
    int directory = open(runtime_dir_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)data;
    child_check(flock(directory, LOCK_EX) == 0, "flock");
    link_signal(link, 'l');
    link_await(link, 'e');
    return 0;
}

START_TEST(a_lock_that_is_never_given_back_is_an_error_and_no_hang)
{
    int64_t until = clock_after_ns(INT64_C(5000000000));
    child process;

    child_spawn(&process, hold_lock, NULL);
    link_await(&process.link, 'l');
    expect_listen_refused("calc", SHMRPC_E_SYSTEM, "locking the directory");
    expect_line_with("Connection timed out");
    ck_assert(clock_left_ns(until) == 0);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    end_server(&process, 'e');
}
END_TEST

static void *listen_in_thread(void *data)
{
    return (void *)(intptr_t)directory_listen("calc", 0600, data);
}

START_TEST(whoever_binds_waits_for_the_directorys_lock)
{
    directory_entry entry;
    pthread_t thread;
    child process;
    void *result;

    child_spawn(&process, hold_lock, NULL);
    link_await(&process.link, 'l');
    ck_assert_int_eq(pthread_create(&thread, NULL, listen_in_thread, &entry), 0);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    link_signal(&process.link, 'e');
    child_expect_exit(&process, 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_int_eq((int)(intptr_t)result, 0);
    ck_assert(is_served("calc"));
    directory_release(&entry);
}
END_TEST

START_TEST(a_name_is_given_up_without_waiting_for_the_lock)
{
    directory_entry first, second;
    int lock = open(runtime_dir_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    expect_listen("calc", &first);
    directory_claim(&first);
    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    ck_assert(!directory_try_release(&first));
    ck_assert_int_eq(directory_connect("calc", 0, false), SHMRPC_E_UNAVAILABLE);
    ck_assert(!directory_try_release(&first));
    ck_assert_int_eq(close(lock), 0);
    /* Who takes the name meanwhile keeps it. */
    expect_listen("calc", &second);
    directory_release(&first);
    ck_assert_ptr_null(first.path);
    ck_assert(is_served("calc"));
    directory_claim(&second);
    ck_assert(directory_try_release(&second));
    ck_assert_ptr_null(second.path);
    ck_assert(directory_try_release(&second));
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

/* ---- forks ---- */

static directory_entry inherited;

static int take_over(child_link *link, void *data)
{
    (void)data;
    directory_claim(&inherited);
    link_signal(link, 'c');
    link_await(link, 'e');
    directory_release(&inherited);
    return 0;
}

START_TEST(a_daemon_keeps_the_name_that_its_parent_took)
{
    child process;

    expect_listen("calc", &inherited);
    child_spawn(&process, take_over, NULL);
    link_await(&process.link, 'c');
    directory_release(&inherited);
    ck_assert_ptr_null(inherited.path);
    ck_assert_int_eq(inherited.descriptor, -1);
    ck_assert(is_served("calc"));
    link_signal(&process.link, 'e');
    child_expect_exit(&process, 0);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

static int only_release(child_link *link, void *data)
{
    (void)link;
    (void)data;
    directory_release(&inherited);
    return 0;
}

START_TEST(a_child_that_does_not_serve_leaves_the_name_alone)
{
    child process;

    expect_listen("calc", &inherited);
    child_spawn(&process, only_release, NULL);
    child_expect_exit(&process, 0);
    ck_assert(is_served("calc"));

    directory_claim(&inherited);
    child_spawn(&process, only_release, NULL);
    child_expect_exit(&process, 0);
    ck_assert(is_served("calc"));
    directory_release(&inherited);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

static int keep_open(child_link *link, void *data)
{
    (void)data;
    link_signal(link, 'k');
    link_await(link, 'e');
    return 0;
}

START_TEST(a_server_takes_its_name_away_though_a_child_has_the_listener)
{
    child process;

    expect_listen("calc", &inherited);
    directory_claim(&inherited);
    child_spawn(&process, keep_open, NULL);
    link_await(&process.link, 'k');
    directory_release(&inherited);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_UNAVAILABLE);
    end_server(&process, 'e');
}
END_TEST

START_TEST(a_successors_socket_is_not_removed)
{
    char *path = path_in(runtime_dir_path(), "calc");
    directory_entry first;
    directory_entry second;

    expect_listen("calc", &first);
    directory_claim(&first);
    ck_assert_int_eq(unlink(path), 0);
    expect_listen("calc", &second);
    directory_release(&first);
    ck_assert(is_served("calc"));
    directory_release(&second);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    free(path);
}
END_TEST

static void add_listening(Suite *suite)
{
    TCase *tests = tcase_create("listening");

    tcase_add_checked_fixture(tests, name_service_setup, name_service_teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, a_socket_has_the_mode_asked_for);
    tcase_add_test(tests, a_live_server_is_never_replaced);
    tcase_add_test(tests, a_stale_socket_is_replaced);
    tcase_add_test(tests, what_is_not_a_socket_is_left_alone);
    tcase_add_test(tests, a_server_of_another_kind_of_socket_is_left_alone);
    tcase_add_test(tests, of_servers_that_start_at_once_exactly_one_wins);
    tcase_add_test(tests, of_servers_that_find_a_stale_socket_at_once_exactly_one_wins);
    tcase_add_test(tests, a_stopped_server_with_a_full_backlog_is_not_stale);
    tcase_add_test(tests, a_client_can_wait_for_its_server);
    tcase_add_test(tests, a_lock_that_is_never_given_back_is_an_error_and_no_hang);
    tcase_add_test(tests, whoever_binds_waits_for_the_directorys_lock);
    tcase_add_test(tests, a_name_is_given_up_without_waiting_for_the_lock);
    suite_add_tcase(suite, tests);
}

static void add_forks(Suite *suite)
{
    TCase *tests = tcase_create("forks");

    tcase_add_checked_fixture(tests, name_service_setup, name_service_teardown);
    tcase_add_test(tests, a_daemon_keeps_the_name_that_its_parent_took);
    tcase_add_test(tests, a_child_that_does_not_serve_leaves_the_name_alone);
    tcase_add_test(tests, a_server_takes_its_name_away_though_a_child_has_the_listener);
    tcase_add_test(tests, a_successors_socket_is_not_removed);
    suite_add_tcase(suite, tests);
}

static Suite *directory_suite(void)
{
    Suite *suite = suite_create("runtime_directory");

    add_listening(suite);
    add_forks(suite);
    return suite;
}

TEST_MAIN(directory_suite)

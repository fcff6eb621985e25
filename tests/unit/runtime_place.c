/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "name_service.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shmrpc/status.h>

/* ---- names ---- */

START_TEST(a_name_is_one_file_with_its_slashes_as_percent_signs)
{
    static const char *const rows[][2] = {
        {"calc", "calc"}, {"robot/pose", "robot%pose"}, {"a/b/c/d", "a%b%c%d"}, {"A-Z_0.9", "A-Z_0.9"},
        {"...", "..."},   {".hidden", ".hidden"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        directory_entry entry;

        expect_listen(rows[i][0], &entry);
        ck_assert(is_socket(runtime_dir_path(), rows[i][1]));
        ck_assert(is_served(rows[i][0]));
        directory_release(&entry);
        ck_assert_uint_eq(runtime_dir_entries(), 0);
    }
}
END_TEST

START_TEST(names_that_are_not_allowed_are_refused_with_the_reason)
{
    static const struct {
        const char *name;
        const char *part;
    } rows[] = {
        {"", "is empty"},
        {"a//b", "an empty part at byte 2"},
        {"a/", "an empty part at byte 2"},
        {".", "a part \".\" at byte 0"},
        {"a/..", "a part \"..\" at byte 2"},
        {"../a", "a part \"..\" at byte 0"},
        {"a b", "a byte 0x20 at 1"},
        {"a%b", "a byte 0x25 at 1"},
        {"ab/c\n", "a byte 0x0a at 4"},
        {"\xc3\xa4", "a byte 0xc3 at 0"},
        {"/tmp/", "the path of a directory"},
        {"/", "the path of a directory"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_listen_refused(rows[i].name, SHMRPC_E_NAME, rows[i].part);
        ck_assert_int_eq(connect_now(rows[i].name), SHMRPC_E_NAME);
        expect_line_with(rows[i].part);
    }
    expect_listen_refused(NULL, SHMRPC_E_MISUSE, "NULL");
    ck_assert_int_eq(connect_now(NULL), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
}
END_TEST

START_TEST(an_over_long_name_is_refused_with_both_numbers)
{
    char name[232];

    memset(name, 'n', sizeof(name));
    name[231] = '\0';
    expect_listen_refused(name, SHMRPC_E_NAME, "is 231 bytes long, the limit is 200");
    ck_assert_int_eq(connect_now(name), SHMRPC_E_NAME);
    expect_line_with("is 231 bytes long, the limit is 200");
}
END_TEST

START_TEST(a_path_that_does_not_fit_an_address_is_refused_with_both_numbers)
{
    size_t room = SOCKET_PATH_MAX - strlen(runtime_dir_path()) - 1;
    directory_entry entry;
    char name[SOCKET_PATH_MAX + 2];

    memset(name, 'n', sizeof(name));
    name[room] = '\0';
    expect_listen(name, &entry);
    ck_assert(is_served(name));
    directory_release(&entry);

    name[room] = 'n';
    name[room + 1] = '\0';
    expect_listen_refused(name, SHMRPC_E_NAME, "is 108 bytes long, the limit is 107");
    ck_assert_int_eq(connect_now(name), SHMRPC_E_NAME);
    expect_line_with("is 108 bytes long, the limit is 107");

    memset(name, 'n', sizeof(name));
    name[0] = '/';
    name[SOCKET_PATH_MAX + 1] = '\0';
    expect_listen_refused(name, SHMRPC_E_NAME, "is 108 bytes long, the limit is 107");
    ck_assert_int_eq(connect_now(name), SHMRPC_E_NAME);
}
END_TEST

START_TEST(an_absolute_path_is_taken_as_it_is)
{
    char *path = path_in(runtime_dir_path(), "any name %");
    directory_entry entry;

    unsetenv("SHMRPC_DIR");
    ck_assert_int_eq(connect_now(path), SHMRPC_E_UNAVAILABLE);
    expect_line_with(path);
    expect_listen(path, &entry);
    ck_assert(is_socket(runtime_dir_path(), "any name %"));
    ck_assert(is_served(path));
    directory_release(&entry);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    free(path);
    expect_listen_refused("/nonexistent/socket", SHMRPC_E_SYSTEM, "/nonexistent");
}
END_TEST

/* ---- places ---- */

START_TEST(a_given_directory_is_made_for_servers_only)
{
    char *directory = path_in(runtime_dir_path(), "sub");
    directory_entry entry;
    struct stat status;

    setenv("SHMRPC_DIR", directory, 1);
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_UNAVAILABLE);
    ck_assert_int_eq(access(directory, F_OK), -1);
    expect_listen("calc", &entry);
    ck_assert_int_eq(lstat(directory, &status), 0);
    ck_assert_uint_eq(status.st_mode, S_IFDIR | 0700);
    ck_assert(is_served("calc"));
    directory_release(&entry);
    ck_assert_int_eq(rmdir(directory), 0);
    free(directory);
}
END_TEST

START_TEST(a_given_directory_that_cannot_be_is_named)
{
    char *inner = path_in(runtime_dir_path(), "missing/sub");
    char *file = path_in(runtime_dir_path(), "file");
    char *to = path_in(runtime_dir_path(), "link");

    setenv("SHMRPC_DIR", inner, 1);
    expect_listen_refused("calc", SHMRPC_E_SYSTEM, inner);
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_UNAVAILABLE);

    setenv("SHMRPC_DIR", "relative/sub", 1);
    expect_listen_refused("calc", SHMRPC_E_NAME, "\"relative/sub\", which is not an absolute path");
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_NAME);

    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    setenv("SHMRPC_DIR", file, 1);
    expect_listen_refused("calc", SHMRPC_E_PERMISSION, "is not a directory");
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_PERMISSION);

    ck_assert_int_eq(symlink("/tmp", to), 0);
    setenv("SHMRPC_DIR", to, 1);
    expect_listen_refused("calc", SHMRPC_E_PERMISSION, "is a symbolic link");
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_PERMISSION);
    expect_line_with("is a symbolic link");
    unlink(to);
    unlink(file);
    free(inner);
    free(file);
    free(to);
}
END_TEST

START_TEST(a_directory_that_everybody_may_empty_is_refused)
{
    directory_entry entry;

    ck_assert_int_eq(chmod(runtime_dir_path(), 0777), 0);
    expect_listen_refused("calc", SHMRPC_E_PERMISSION, "(mode 0777, without the sticky bit)");
    expect_line_with(runtime_dir_path());
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_PERMISSION);
    ck_assert_int_eq(chmod(runtime_dir_path(), 01777), 0);
    expect_listen("calc", &entry);
    ck_assert(is_served("calc"));
    directory_release(&entry);
    ck_assert_int_eq(chmod(runtime_dir_path(), 0770), 0);
    expect_listen("calc", &entry);
    directory_release(&entry);
    ck_assert_int_eq(chmod(runtime_dir_path(), 0700), 0);
}
END_TEST

START_TEST(without_a_given_directory_the_sessions_is_used)
{
    char *directory = path_in(runtime_dir_path(), "shmrpc");
    directory_entry entry;
    struct stat status;

    unsetenv("SHMRPC_DIR");
    setenv("XDG_RUNTIME_DIR", runtime_dir_path(), 1);
    expect_listen("calc", &entry);
    ck_assert(is_socket(directory, "calc"));
    ck_assert_int_eq(lstat(directory, &status), 0);
    ck_assert_uint_eq(status.st_mode, S_IFDIR | 0700);
    ck_assert(is_served("calc"));
    directory_release(&entry);

    ck_assert_int_eq(chmod(directory, 0720), 0);
    expect_listen_refused("calc", SHMRPC_E_PERMISSION, "others may write to the directory");
    expect_line_with(directory);
    ck_assert_int_eq(connect_now("calc"), SHMRPC_E_PERMISSION);
    ck_assert_int_eq(rmdir(directory), 0);

    ck_assert_int_eq(symlink(".", directory), 0);
    expect_listen_refused("calc", SHMRPC_E_PERMISSION, "is a symbolic link");
    ck_assert_int_eq(unlink(directory), 0);
    free(directory);
}
END_TEST

/* A user that this machine hardly has, another one for each test process; and that user's directory in /tmp. */
static uid_t stranger;
static char *stranger_directory;

static bool make_stranger(void)
{
    if (geteuid() != 0) {
        test_skip("only root can be another user");
        return false;
    }
    stranger = 20000 + (uid_t)getpid() % 40000;
    ck_assert_int_ge(asprintf(&stranger_directory, "/tmp/shmrpc-%lu", (unsigned long)stranger), 0);
    return true;
}

static void expect_in_child(bool fine, const char *what)
{
    if (!fine)
        fprintf(stderr, "line: %s\n", shmrpc_last_error());
    child_check(fine, what);
}

static int use_the_temporary_directory(child_link *link, void *data)
{
    const char *directory = stranger_directory;
    directory_entry entry;
    struct stat status;

    (void)link;
    (void)data;
    unsetenv("SHMRPC_DIR");
    /* What su leaves behind. */
    setenv("XDG_RUNTIME_DIR", runtime_dir_path(), 1);

    expect_in_child(connect_now("calc") == SHMRPC_E_UNAVAILABLE, "nobody listens yet");
    expect_in_child(strstr(shmrpc_last_error(), directory) != NULL, "the line names the directory");
    expect_in_child(access(directory, F_OK) < 0, "a client makes no directory");

    expect_in_child(mkdir(directory, 0777) == 0 && chmod(directory, 0777) == 0, "mkdir");
    expect_in_child(directory_listen("calc", 0600, &entry) == SHMRPC_E_PERMISSION, "others may write");
    expect_in_child(strstr(shmrpc_last_error(), "others may write") != NULL, "others may write: named");
    expect_in_child(rmdir(directory) == 0, "rmdir");

    expect_in_child(directory_listen("calc", 0600, &entry) == 0, "listens in a directory that it makes");
    expect_in_child(lstat(directory, &status) == 0 && status.st_mode == (S_IFDIR | 0700), "0700");
    expect_in_child(is_served("calc"), "is found");
    directory_claim(&entry);
    directory_release(&entry);
    return rmdir(directory) == 0 ? 0 : 1;
}

static int meet_a_strangers_directory(child_link *link, void *data)
{
    directory_entry entry;
    char *part;

    (void)link;
    (void)data;
    unsetenv("SHMRPC_DIR");
    child_check(asprintf(&part, "%s belongs to user %lu, not to user %lu", stranger_directory,
                         (unsigned long)stranger + 1, (unsigned long)stranger) > 0,
                "asprintf");
    expect_in_child(directory_listen("calc", 0600, &entry) == SHMRPC_E_PERMISSION, "a stranger's directory");
    expect_in_child(strstr(shmrpc_last_error(), part) != NULL, "the owner is named");
    free(part);
    expect_in_child(connect_now("calc") == SHMRPC_E_PERMISSION, "a stranger's directory, to connect");
    return 0;
}

static int meet_a_link(child_link *link, void *data)
{
    directory_entry entry;

    (void)link;
    (void)data;
    unsetenv("SHMRPC_DIR");
    expect_in_child(directory_listen("calc", 0600, &entry) == SHMRPC_E_PERMISSION, "a symbolic link");
    expect_in_child(strstr(shmrpc_last_error(), "is a symbolic link") != NULL, "the link is named");
    return 0;
}

static int as_stranger(child_link *link, void *data)
{
    child_check(setresgid(stranger, stranger, stranger) == 0 && setresuid(stranger, stranger, stranger) == 0,
                "setresuid");
    return (*(child_main_fn **)data)(link, NULL);
}

static void run_as_stranger(child_main_fn *run)
{
    child process;

    child_spawn(&process, as_stranger, &run);
    child_expect_exit(&process, 0);
}

START_TEST(the_last_resort_is_a_directory_of_the_users_own_in_tmp)
{
    if (!make_stranger())
        return;
    run_as_stranger(use_the_temporary_directory);

    ck_assert_int_eq(mkdir(stranger_directory, 0755), 0);
    ck_assert_int_eq(chown(stranger_directory, stranger + 1, stranger + 1), 0);
    run_as_stranger(meet_a_strangers_directory);
    ck_assert_int_eq(rmdir(stranger_directory), 0);

    ck_assert_int_eq(symlink(runtime_dir_path(), stranger_directory), 0);
    run_as_stranger(meet_a_link);
    ck_assert_int_eq(unlink(stranger_directory), 0);
    free(stranger_directory);
}
END_TEST

static int meet_anothers_server(child_link *link, void *data)
{
    directory_entry entry;

    (void)link;
    (void)data;
    expect_in_child(connect_now("calc") == SHMRPC_E_PERMISSION, "the socket's mode");
    expect_in_child(strstr(shmrpc_last_error(), "/calc: Permission denied") != NULL, "the socket is named");
    expect_in_child(directory_listen("calc", 0600, &entry) == SHMRPC_E_PERMISSION, "another's socket, to listen");
    expect_in_child(is_served("open"), "a socket for all");
    expect_in_child(directory_listen("open", 0600, &entry) == SHMRPC_E_IN_USE, "another's server, to listen");
    return 0;
}

START_TEST(in_a_shared_directory_modes_decide)
{
    directory_entry own;
    directory_entry shared;

    if (!make_stranger())
        return;
    ck_assert_int_eq(chmod(runtime_dir_path(), 01777), 0);
    expect_listen("calc", &own);
    ck_assert_int_eq(directory_listen("open", 0666, &shared), 0);
    run_as_stranger(meet_anothers_server);
    directory_release(&own);
    directory_release(&shared);
    free(stranger_directory);
}
END_TEST

static void add_names(Suite *suite)
{
    TCase *tests = tcase_create("names");

    tcase_add_checked_fixture(tests, name_service_setup, name_service_teardown);
    tcase_add_test(tests, a_name_is_one_file_with_its_slashes_as_percent_signs);
    tcase_add_test(tests, names_that_are_not_allowed_are_refused_with_the_reason);
    tcase_add_test(tests, an_over_long_name_is_refused_with_both_numbers);
    tcase_add_test(tests, a_path_that_does_not_fit_an_address_is_refused_with_both_numbers);
    tcase_add_test(tests, an_absolute_path_is_taken_as_it_is);
    suite_add_tcase(suite, tests);
}

static void add_places(Suite *suite)
{
    TCase *tests = tcase_create("places");

    tcase_add_checked_fixture(tests, name_service_setup, name_service_teardown);
    tcase_add_test(tests, a_given_directory_is_made_for_servers_only);
    tcase_add_test(tests, a_given_directory_that_cannot_be_is_named);
    tcase_add_test(tests, a_directory_that_everybody_may_empty_is_refused);
    tcase_add_test(tests, without_a_given_directory_the_sessions_is_used);
    tcase_add_test(tests, the_last_resort_is_a_directory_of_the_users_own_in_tmp);
    tcase_add_test(tests, in_a_shared_directory_modes_decide);
    suite_add_tcase(suite, tests);
}

static Suite *place_suite(void)
{
    Suite *suite = suite_create("runtime_place");

    add_names(suite);
    add_places(suite);
    return suite;
}

TEST_MAIN(place_suite)

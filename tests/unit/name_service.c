/* SPDX-License-Identifier: Apache-2.0 */
#include "name_service.h"

#include "runtime/platform/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shmrpc/status.h>

static counts before;

void name_service_setup(void)
{
    runtime_dir_make();
    counts_take(&before);
}

void name_service_teardown(void)
{
    counts_expect_same(&before);
    runtime_dir_remove();
}

char *path_in(const char *directory, const char *file)
{
    char *path;

    return asprintf(&path, "%s/%s", directory, file) < 0 ? NULL : path;
}

bool is_socket(const char *directory, const char *file)
{
    struct stat status;
    char *path = path_in(directory, file);
    bool found = path != NULL && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);

    free(path);
    return found;
}

int connect_now(const char *name)
{
    return directory_connect(name, clock_now_ns(), false);
}

bool is_served(const char *name)
{
    int descriptor = connect_now(name);

    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

void expect_line_with(const char *part)
{
    ck_assert_msg(strstr(shmrpc_last_error(), part) != NULL, "\"%s\" is not in: %s", part, shmrpc_last_error());
}

void expect_listen_refused(const char *name, int status, const char *part)
{
    directory_entry entry;

    memset(&entry, 0x11, sizeof(entry));
    ck_assert_int_eq(directory_listen(name, 0600, &entry), status);
    ck_assert_int_eq(entry.descriptor, 0x11111111);
    expect_line_with(part);
}

void expect_listen(const char *name, directory_entry *ret_entry)
{
    int r = directory_listen(name, 0600, ret_entry);

    ck_assert_msg(r == 0, "%s", shmrpc_last_error());
}

static int serve(child_link *link, void *data)
{
    directory_entry entry;
    char step;

    child_check(directory_listen(data, 0600, &entry) == 0, shmrpc_last_error());
    directory_claim(&entry);
    link_signal(link, 'l');
    link_receive(link, &step, 1);
    if (step == 'c')
        _exit(0);
    directory_release(&entry);
    return 0;
}

void spawn_server(child *ret_child, char *name)
{
    child_spawn(ret_child, serve, name);
    link_await(&ret_child->link, 'l');
}

void end_server(child *process, char how)
{
    link_signal(&process->link, how);
    child_expect_exit(process, 0);
}

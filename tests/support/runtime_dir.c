/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <check.h>

#define OPEN_FOLDERS_MAX 16

/* Under /tmp whatever TMPDIR says: the address of a socket has 108 bytes. */
static char path[] = "/tmp/shmrpc-test-XXXXXX";
static const char path_template[sizeof(path)] = "/tmp/shmrpc-test-XXXXXX";

void runtime_dir_make(void)
{
    memcpy(path, path_template, sizeof(path));
    ck_assert_msg(mkdtemp(path) != NULL, "mkdtemp %s: %s", path, strerror(errno));
    ck_assert_int_eq(setenv("SHMRPC_DIR", path, 1), 0);
}

const char *runtime_dir_path(void)
{
    return path;
}

size_t runtime_dir_entries(void)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    ck_assert_msg(folder != NULL, "opendir %s: %s", path, strerror(errno));
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; /* "." and ".." */
}

static int remove_entry(const char *entry, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(entry);
}

void runtime_dir_remove(void)
{
    unsetenv("SHMRPC_DIR");
    ck_assert_msg(nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0, "remove %s: %s", path,
                  strerror(errno));
}

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
#define BASE_TEMPLATE "/tmp/shmrpc-test-XXXXXX"
#define NAME_TEMPLATE "/XXXXXX"

static char base[] = BASE_TEMPLATE;
static char path[] = BASE_TEMPLATE NAME_TEMPLATE;

void runtime_dir_make(void)
{
    size_t length = strlen(base);

    memcpy(path, base, length);
    memcpy(path + length, NAME_TEMPLATE, sizeof(NAME_TEMPLATE));
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

static int remove_tree(const char *root)
{
    return nftw(root, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -errno;
}

void runtime_dir_remove(void)
{
    unsetenv("SHMRPC_DIR");
    int rc = remove_tree(path);
    ck_assert_msg(rc == 0, "remove %s: %s", path, strerror(-rc));
}

int runtime_dir_base_make(void)
{
    /* Searchable, not readable: a case may open its own folder to another user. */
    return mkdtemp(base) != NULL && chmod(base, 0711) == 0 ? 0 : -errno;
}

int runtime_dir_base_remove(void)
{
    return remove_tree(base);
}

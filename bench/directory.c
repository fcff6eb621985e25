/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *bench_directory_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path;

    if (asprintf(&path, "%s/shmrpc-bench-XXXXXX", base && *base ? base : "/tmp") < 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (!mkdtemp(path)) {
        goto out_path;
    }
    if (setenv("SHMRPC_DIR", path, 1)) {
        rmdir(path);
        goto out_path;
    }
    return path;

out_path:
    free(path);
    return NULL;
}

static void files_remove(const char *path)
{
    const struct dirent *entry;
    DIR *directory;

    directory = opendir(path);
    if (!directory) {
        return;
    }
    while ((entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(directory), entry->d_name, 0);
        }
    }
    closedir(directory);
}

void bench_directory_free(char *path)
{
    if (!path) {
        return;
    }
    files_remove(path);
    if (rmdir(path)) {
        fprintf(stderr, "bench: cannot remove %s: %s\n", path, strerror(errno));
    }
    free(path);
}

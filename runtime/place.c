/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "error.h"
#include "platform/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_MODE 0700

/* ---- names ---- */

static bool name_byte_is_allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

static int name_check_part(const char *part, size_t length, size_t at)
{
    if (length == 0)
        return error_set(SHMRPC_E_NAME, "the server's name has an empty part at byte %zu", at);
    if ((length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.'))
        return error_set(SHMRPC_E_NAME, "the server's name has a part \"%.*s\" at byte %zu", (int)length, part, at);
    for (size_t i = 0; i < length; i++) {
        if (!name_byte_is_allowed(part[i]))
            return error_set(SHMRPC_E_NAME,
                             "the server's name has a byte 0x%02x at %zu; letters, digits, '.', '_', '-' and '/' are "
                             "allowed",
                             (unsigned)(unsigned char)part[i], at + i);
    }
    return 0;
}

static int name_check(const char *name)
{
    size_t length = strlen(name);
    size_t start = 0;

    if (length == 0)
        return error_set(SHMRPC_E_NAME, "the server's name is empty");
    if (length > PLACE_NAME_MAX)
        return error_set(SHMRPC_E_NAME, "the server's name is %zu bytes long, the limit is %u", length, PLACE_NAME_MAX);

    for (;;) {
        size_t part = strcspn(name + start, "/");
        int r = name_check_part(name + start, part, start);

        if (r != 0)
            return r;
        start += part;
        if (name[start] == '\0')
            return 0;
        start++;
    }
}

static int path_check(const char *path)
{
    size_t length = strlen(path);

    if (path[length - 1] == '/')
        return error_set(SHMRPC_E_NAME, "the server's name is the path of a directory");
    if (length > SOCKET_PATH_MAX)
        return error_set(SHMRPC_E_NAME, "the socket's path %s is %zu bytes long, the limit is %u", path, length,
                         SOCKET_PATH_MAX);
    return 0;
}

/* ---- lists ---- */

static int no_memory(void)
{
    return error_system(-ENOMEM, "looking up a server's name");
}

/* Takes `directory` over, whatever it returns. */
static int list_add(place_list *list, place_kind kind, char *directory, const char *name)
{
    char *path = NULL;

    if (directory == NULL)
        return no_memory();
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        free(directory);
        return no_memory();
    }
    for (char *c = path + strlen(directory) + 1; *c != '\0'; c++) {
        if (*c == '/')
            *c = '%';
    }

    assert(list->count < PLACE_COUNT_MAX);
    list->items[list->count++] = (place){.kind = kind, .directory = directory, .path = path};
    return 0;
}

static int list_add_path(place_list *list, const char *path)
{
    const char *last = strrchr(path, '/');
    char *directory;
    char *copy;
    int r;

    r = path_check(path);
    if (r != 0)
        return r;

    directory = last == path ? strdup("/") : strndup(path, (size_t)(last - path));
    copy = strdup(path);
    if (directory == NULL || copy == NULL) {
        free(directory);
        free(copy);
        return no_memory();
    }
    list->items[list->count++] = (place){.kind = PLACE_PATH, .directory = directory, .path = copy};
    return 0;
}

static int list_add_given(place_list *list, const char *directory, const char *name)
{
    if (directory[0] != '/')
        return error_set(SHMRPC_E_NAME, "SHMRPC_DIR is \"%s\", which is not an absolute path", directory);
    return list_add(list, PLACE_GIVEN, strdup(directory), name);
}

/* $XDG_RUNTIME_DIR of somebody else is what su and sudo leave behind: not ours to use. */
static bool session_is_usable(const char *parent)
{
    struct stat status;

    return parent != NULL && parent[0] == '/' && stat(parent, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid();
}

static int list_add_usual(place_list *list, const char *name)
{
    const char *parent = secure_getenv("XDG_RUNTIME_DIR");
    char *directory;
    int r;

    if (session_is_usable(parent)) {
        if (asprintf(&directory, "%s/shmrpc", parent) < 0)
            directory = NULL;
        r = list_add(list, PLACE_SESSION, directory, name);
        if (r != 0)
            return r;
    }
    r = list_add(list, PLACE_SYSTEM, strdup("/run/shmrpc"), name);
    if (r != 0)
        return r;
    if (asprintf(&directory, "/tmp/shmrpc-%lu", (unsigned long)geteuid()) < 0)
        directory = NULL;
    return list_add(list, PLACE_TEMPORARY, directory, name);
}

int place_list_init(place_list *ret_list, const char *name)
{
    const char *given = secure_getenv("SHMRPC_DIR");
    place_list list = {0};
    int r;

    if (name == NULL)
        return error_set(SHMRPC_E_MISUSE, "the server's name is NULL");
    if (name[0] == '/') {
        r = list_add_path(&list, name);
    } else {
        r = name_check(name);
        if (r == 0)
            r = given != NULL && given[0] != '\0' ? list_add_given(&list, given, name) : list_add_usual(&list, name);
    }
    if (r != 0) {
        place_list_deinit(&list);
        return r;
    }
    *ret_list = list;
    return 0;
}

void place_list_deinit(place_list *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        free(list->items[i].directory);
        free(list->items[i].path);
    }
    list->count = 0;
}

/* ---- directories ---- */

/* open() has refused: says why in a way that names the thing. */
static int directory_refuse(const place *at, int negative_errno)
{
    struct stat status;

    if (negative_errno == -ENOTDIR || negative_errno == -ELOOP) {
        if (lstat(at->directory, &status) == 0 && S_ISLNK(status.st_mode))
            return error_set(SHMRPC_E_PERMISSION, "%s is a symbolic link", at->directory);
        return error_set(SHMRPC_E_PERMISSION, "%s is not a directory", at->directory);
    }
    return error_system(negative_errno, "the directory %s", at->directory);
}

static int directory_trust(const place *at, int directory)
{
    struct stat status;
    unsigned mode;

    if (fstat(directory, &status) < 0)
        return error_system(-errno, "the directory %s", at->directory);
    mode = (unsigned)status.st_mode & 07777u;

    switch (at->kind) {
    case PLACE_PATH: return 0;
    case PLACE_GIVEN:
    case PLACE_SYSTEM:
        if ((mode & S_IWOTH) && !(mode & S_ISVTX))
            return error_set(SHMRPC_E_PERMISSION,
                             "everybody may write to the directory %s (mode %04o, without the sticky bit)",
                             at->directory, mode);
        return 0;
    case PLACE_SESSION:
    case PLACE_TEMPORARY:
        if (status.st_uid != geteuid())
            return error_set(SHMRPC_E_PERMISSION, "the directory %s belongs to user %lu, not to user %lu",
                             at->directory, (unsigned long)status.st_uid, (unsigned long)geteuid());
        if (mode & (S_IWGRP | S_IWOTH))
            return error_set(SHMRPC_E_PERMISSION, "others may write to the directory %s (mode %04o)", at->directory,
                             mode);
        return 0;
    }
    return error_set(SHMRPC_E_PERMISSION, "the directory %s", at->directory);
}

static bool directory_is_left_out(const place *at, place_use use)
{
    int access = use == PLACE_TO_LISTEN ? W_OK | X_OK : X_OK;

    return at->kind == PLACE_SYSTEM && faccessat(AT_FDCWD, at->directory, access, AT_EACCESS) < 0;
}

static bool directory_may_be_made(const place *at, place_use use)
{
    return use == PLACE_TO_LISTEN && at->kind != PLACE_PATH && at->kind != PLACE_SYSTEM;
}

int place_open(const place *at, place_use use, int *ret_directory)
{
    int flags = O_CLOEXEC | O_DIRECTORY | (use == PLACE_TO_LISTEN ? O_RDONLY : O_PATH);
    size_t length = strlen(at->path);
    int directory;
    int r;

    if (length > SOCKET_PATH_MAX)
        return error_set(SHMRPC_E_NAME, "the socket's path %s is %zu bytes long, the limit is %u", at->path, length,
                         SOCKET_PATH_MAX);
    if (directory_is_left_out(at, use))
        return SHMRPC_E_UNAVAILABLE;
    if (directory_may_be_made(at, use) && mkdir(at->directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
        return error_system(-errno, "making the directory %s", at->directory);

    if (at->kind != PLACE_PATH)
        flags |= O_NOFOLLOW;
    directory = open(at->directory, flags);
    if (directory < 0) {
        if (errno == ENOENT && use == PLACE_TO_CONNECT)
            return SHMRPC_E_UNAVAILABLE;
        return directory_refuse(at, -errno);
    }
    r = directory_trust(at, directory);
    if (r != 0) {
        (void)close(directory);
        return r;
    }
    *ret_directory = directory;
    return 0;
}

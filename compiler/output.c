/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c - all files or none.
 *
 * A commit has three steps. prepare() decides for each file whether it has to be written at all, makes its
 * folder and writes a temporary beside the target: this is where disks are full and folders are not writable,
 * and nothing has been touched yet. publish() exchanges each temporary with its target, so that the old contents
 * live on under the temporary's name; a failure exchanges them back. settle() removes what the temporaries'
 * names hold by then: the old contents after a success, the new ones after a failure.
 *
 * A process that ends in between for want of memory puts all back on its way out. One that dies leaves a file named
 * .shmc-PID-N behind, and no target that is half written.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/arena.h"
#include "support/map.h"
#include "support/memory.h"
#include "support/vector.h"

typedef enum file_state {
    FILE_UNTOUCHED, /* nothing done, or nothing to do */
    FILE_SPECIAL,   /* the target is a device or a pipe: written to in publish() */
    FILE_WRITTEN,   /* the temporary holds the new contents */
    FILE_EXCHANGED, /* the target holds them, the temporary the old ones */
    FILE_SHARED,    /* the target has other names: its contents are written over in publish() */
    FILE_RENAMED,   /* the target holds them, the temporary's name is free */
} file_state;

typedef struct output_entry {
    const char *path; /* as asked for */
    bool at;          /* the output folder does not count */
    bool keeps_mode;  /* of the file that it replaces; its owner too, as far as possible */
    buffer text;
    const char *shown;  /* path with the output folder, for messages */
    const char *target; /* the same with symbolic links followed, where it exists */
    const char *temporary;
    bool existed;
    file_state state;
} output_entry;

struct output {
    arena *memory;
    vector files;   /* output_entry * */
    vector folders; /* char *: made by this commit, outer ones first */
};

output *output_new(void)
{
    arena *memory = arena_new();
    output *out = arena_alloc(memory, sizeof *out);

    out->memory = memory;
    out->files = VECTOR_OF(output_entry *);
    out->folders = VECTOR_OF(char *);
    return out;
}

output *output_free(output *out)
{
    if (!out)
        return NULL;
    for (uint32_t i = 0; i < out->files.count; i++)
        buffer_deinit(&(*VECTOR_AT(&out->files, output_entry *, i))->text);
    arena_free(out->memory);
    return NULL;
}

static buffer *file_add(output *out, const char *path, bool at)
{
    output_entry *entry = arena_alloc(out->memory, sizeof *entry);

    entry->path = arena_copy(out->memory, path, strlen(path));
    entry->at = at;
    vector_add_pointer(&out->files, out->memory, entry);
    return &entry->text;
}

buffer *output_file(output *out, const char *relative_path)
{
    return file_add(out, relative_path, false);
}

buffer *output_file_at(output *out, const char *path)
{
    return file_add(out, path, true);
}

buffer *output_replacement(output *out, const char *path)
{
    buffer *text = file_add(out, path, true);
    (*VECTOR_AT(&out->files, output_entry *, out->files.count - 1))->keeps_mode = true;
    return text;
}

static const char *entry_path(const output *out, const output_entry *entry, const char *directory)
{
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";

    return entry->at ? entry->path : arena_printf(out->memory, "%s%s%s", directory, slash, entry->path);
}

const char *const *output_paths(output *out, const char *directory, size_t *ret_count)
{
    output_entry **files = out->files.items;
    const char **paths = arena_array(out->memory, out->files.count, sizeof *paths);

    for (uint32_t i = 0; i < out->files.count; i++)
        paths[i] = entry_path(out, files[i], directory);
    *ret_count = out->files.count;
    return paths;
}

/*
 * What a path stands for: with symbolic links followed, as far as it exists. NULL for devices and pipes, which
 * several may be written to.
 */
static const char *identity(output *out, const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *real = realpath(path, NULL);

    if (real && stat(real, &status) == 0 && !S_ISREG(status.st_mode)) {
        free(real);
        return NULL;
    }
    if (!real) {
        real = realpath(slash ? arena_printf(out->memory, "%.*s/", (int)(slash - path), path) : ".", NULL);
        if (!real)
            return path;
        path = arena_printf(out->memory, "%s/%s", real, name);
    } else {
        path = arena_copy(out->memory, real, strlen(real));
    }
    free(real);
    return path;
}

bool output_clashes(output *out, const char *directory, const char *const *inputs, size_t input_count,
                    output_clash *ret_clash)
{
    static char input, file; /* what a name stands for in the map */
    map names = {0};

    for (size_t i = 0; i < input_count; i++) {
        const char *name = identity(out, inputs[i]);
        if (name)
            map_add(&names, out->memory, name, &input);
    }
    for (uint32_t i = 0; i < out->files.count; i++) {
        const char *path = entry_path(out, *VECTOR_AT(&out->files, output_entry *, i), directory);
        const char *name = identity(out, path);
        const char *known = name ? map_add(&names, out->memory, name, &file) : NULL;
        if (known) {
            *ret_clash = (output_clash){path, known == &input};
            return true;
        }
    }
    return false;
}

/* Makes one folder, or finds it there. */
static int folder_make(output *out, const char *path)
{
    struct stat status;

    vector_add_pointer(&out->folders, out->memory, path); /* before it is there: this may be the end of the process */
    if (mkdir(path, 0777) == 0)
        return 0;
    out->folders.count--;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

/* Makes the folders that `path` lies in. *ret_at: the one that could not be made. */
static int folders_make(output *out, const char *path, const char **ret_at)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (slash[-1] == '/')
            continue;
        char *folder = arena_copy(out->memory, path, (size_t)(slash - path));
        int error = folder_make(out, folder);
        if (error < 0) {
            *ret_at = folder;
            return error;
        }
    }
    return 0;
}

static int bytes_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Writes all of `text` to a descriptor and closes it, whatever happens. */
static int text_write_close(int fd, const buffer *text)
{
    int error = bytes_write(fd, text->data, text->length);

    if (close(fd) < 0 && errno != EINTR && error == 0)
        error = -errno;
    return error;
}

static int bytes_read(int fd, buffer *text)
{
    char block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        buffer_append(text, block, (size_t)got);
    }
}

static int contents_set(int fd, const buffer *text)
{
    int error = lseek(fd, 0, SEEK_SET) < 0 ? -errno : bytes_write(fd, text->data, text->length);
    if (error < 0)
        return error;
    return ftruncate(fd, (off_t)text->length) < 0 ? -errno : 0;
}

/* Writes over what a file holds, and on failure what it held. */
static int contents_replace(const char *path, const buffer *text)
{
    buffer old = {0};
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int error = bytes_read(fd, &old);
    if (error == 0) {
        error = contents_set(fd, text);
        if (error < 0)
            (void)contents_set(fd, &old); /* there was room for it */
    }
    buffer_deinit(&old);
    if (close(fd) < 0 && errno != EINTR && error == 0)
        error = -errno;
    return error;
}

/* Whether a file's contents are `text`; false where they cannot be read. */
static bool file_holds(const char *path, const buffer *text)
{
    char block[16384];
    size_t at = 0;
    bool same = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return false;
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (got == 0) {
            same = at == text->length;
            break;
        }
        if ((size_t)got > text->length - at || memcmp(block, text->data + at, (size_t)got) != 0)
            break;
        at += (size_t)got;
    }
    close(fd);
    return same;
}

/* The name of a new temporary in the folder of `target`, opened for writing. */
static int temporary_open(output *out, const char *target, const char **ret_path)
{
    static unsigned counter;
    const char *slash = strrchr(target, '/');
    int folder_length = slash ? (int)(slash - target + 1) : 0;

    for (int attempt = 0; attempt < 1000; attempt++) {
        char *path = arena_printf(out->memory, "%.*s.shmc-%ld-%u", folder_length, target, (long)getpid(), counter++);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *ret_path = path;
            return fd;
        }
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

/* Gives a new file the mode of the one that it replaces; its owner and group where this process may. */
static int mode_keep(int fd, const struct stat *old)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    mode_t mode = old->st_mode & 0777;
    if (status.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid) < 0)
        mode &= ~(mode_t)0070; /* what its group may do is not for another group */
    if (status.st_uid != old->st_uid && fchown(fd, old->st_uid, (gid_t)-1) < 0 && errno != EPERM)
        return -errno;
    return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int entry_prepare(output *out, output_entry *entry, const char **ret_at)
{
    struct stat status = {0};
    char *real;
    int fd, error;

    *ret_at = entry->shown;
    entry->target = entry->shown;
    real = realpath(entry->shown, NULL);
    if (real) {
        entry->target = arena_copy(out->memory, real, strlen(real));
        free(real);
        if (stat(entry->target, &status) < 0)
            return -errno;
        if (S_ISDIR(status.st_mode))
            return -EISDIR;
        if (!S_ISREG(status.st_mode)) {
            entry->state = FILE_SPECIAL;
            return 0;
        }
        if (file_holds(entry->target, &entry->text))
            return 0;
        entry->existed = true;
        if (entry->keeps_mode && status.st_nlink > 1) {
            entry->state = FILE_SHARED;
            return 0;
        }
    } else if (errno != ENOENT) {
        return -errno;
    } else {
        error = folders_make(out, entry->shown, ret_at);
        if (error < 0)
            return error;
        *ret_at = entry->shown;
    }

    fd = temporary_open(out, entry->target, &entry->temporary);
    if (fd < 0)
        return fd;
    entry->state = FILE_WRITTEN;
    error = entry->keeps_mode && entry->existed ? mode_keep(fd, &status) : 0;
    if (error < 0) {
        close(fd);
        return error;
    }
    return text_write_close(fd, &entry->text);
}

/* Puts the new contents in the target's place and, where the file system can, the old ones in the temporary's. */
static int entry_publish(output_entry *entry)
{
    if (entry->state == FILE_SPECIAL) {
        int fd = open(entry->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : text_write_close(fd, &entry->text);
    }
    if (entry->state == FILE_SHARED)
        return contents_replace(entry->target, &entry->text);
    if (entry->state != FILE_WRITTEN)
        return 0;
    if (entry->existed) {
        if (renameat2(AT_FDCWD, entry->temporary, AT_FDCWD, entry->target, RENAME_EXCHANGE) == 0) {
            entry->state = FILE_EXCHANGED;
            return 0;
        }
        if (errno != EINVAL && errno != ENOSYS && errno != ENOENT)
            return -errno;
    }
    if (rename(entry->temporary, entry->target) < 0)
        return -errno;
    entry->state = FILE_RENAMED;
    return 0;
}

static void entry_withdraw(output_entry *entry)
{
    if (entry->state == FILE_EXCHANGED) {
        if (renameat2(AT_FDCWD, entry->temporary, AT_FDCWD, entry->target, RENAME_EXCHANGE) == 0)
            entry->state = FILE_WRITTEN;
    } else if (entry->state == FILE_RENAMED && !entry->existed) {
        unlink(entry->target);
    }
}

static void entry_settle(const output_entry *entry)
{
    if (entry->state == FILE_WRITTEN || entry->state == FILE_EXCHANGED)
        unlink(entry->temporary);
}

static void settle(output *out)
{
    for (uint32_t i = 0; i < out->files.count; i++)
        entry_settle(*VECTOR_AT(&out->files, output_entry *, i));
}

/* Puts all back as it was. */
static void withdraw(output *out)
{
    for (uint32_t i = out->files.count; i > 0; i--)
        entry_withdraw(*VECTOR_AT(&out->files, output_entry *, i - 1));
    settle(out);
    for (uint32_t i = out->folders.count; i > 0; i--)
        rmdir(*VECTOR_AT(&out->folders, char *, i - 1));
}

/* The commit that is under way: where memory runs out, the process ends in the middle of it. */
static output *unfinished;

static void withdraw_unfinished(void)
{
    if (unfinished)
        withdraw(unfinished);
}

int output_commit(output *out, const char *directory, output_failure *ret_failure)
{
    static bool is_registered;
    const char *at = directory;
    uint32_t count = out->files.count;
    output_entry **files = out->files.items;
    int error = 0;

    if (!is_registered && atexit(withdraw_unfinished) != 0)
        memory_exhausted();
    is_registered = true;
    unfinished = out;
    for (uint32_t i = 0; i < count && error == 0; i++) {
        files[i]->shown = entry_path(out, files[i], directory);
        error = entry_prepare(out, files[i], &at);
    }
    /* What cannot be taken back comes first: a full device then still finds all files as they were. */
    for (int special = 1; special >= 0; special--) {
        for (uint32_t i = 0; i < count && error == 0; i++) {
            if ((files[i]->state == FILE_SPECIAL || files[i]->state == FILE_SHARED) != (special == 1))
                continue;
            at = files[i]->shown;
            error = entry_publish(files[i]);
        }
    }
    unfinished = NULL;
    if (error == 0) {
        settle(out);
        return 0;
    }
    withdraw(out);
    *ret_failure = (output_failure){.path = at, .error = -error};
    return -1;
}

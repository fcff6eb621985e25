/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c - reading a file whole, and its table of lines.
 *
 * Regular files are read, and pipes that the process was handed. A device is refused, since it may never end, and a pipe
 * with a name, since nobody may ever write to it.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/buffer.h"
#include "support/memory.h"

#define CHUNK ((size_t)64 * 1024)
#define SIZE_MOST ((size_t)INT32_MAX - 16) /* a scanner counts in int */

/* Appends all that `fd` gives. Returns 0 or -errno. */
static int read_all(int fd, buffer *text)
{
    char *chunk = memory_alloc(CHUNK);
    int rc = 0;
    while (rc == 0) {
        ssize_t got = read(fd, chunk, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = -errno;
        if (got <= 0)
            break;
        if (text->length + (size_t)got > SIZE_MOST)
            rc = -EFBIG;
        else
            buffer_append(text, chunk, (size_t)got);
    }
    free(chunk);
    return rc;
}

bool source_begins_with_mark(const char *text)
{
    return strncmp(text, "\xef\xbb\xbf", 3) == 0;
}

static void index_lines(source *file, arena *memory)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < file->size; i++)
        count += file->text[i] == '\n';
    file->lines = arena_array(memory, count, sizeof(*file->lines));
    file->line_count = 1;
    if (source_begins_with_mark(file->text))
        file->lines[0] = 3; /* not a column of the first line */
    for (uint32_t i = 0; i < file->size; i++)
        if (file->text[i] == '\n')
            file->lines[file->line_count++] = i + 1;
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* So that a column is found without a walk along all of a line, which may be the whole file. */
static void index_characters(source *file, arena *memory)
{
    uint32_t count = 0;
    file->characters = arena_array(memory, (size_t)file->size / SOURCE_BLOCK + 1, sizeof(*file->characters));
    for (uint32_t i = 0; i < file->size; i++) {
        if (i % SOURCE_BLOCK == 0)
            file->characters[i / SOURCE_BLOCK] = count;
        count += begins_character(file->text[i]);
    }
    if (file->size % SOURCE_BLOCK == 0)
        file->characters[file->size / SOURCE_BLOCK] = count;
}

/* How many characters begin before an offset. */
static uint32_t characters_before(const source *file, uint32_t offset)
{
    uint32_t block = offset / SOURCE_BLOCK;
    uint32_t count = file->characters[block];
    for (uint32_t i = block * SOURCE_BLOCK; i < offset; i++)
        count += begins_character(file->text[i]);
    return count;
}

source *source_new(arena *memory, const char *path, const char *logical, const char *text, uint32_t size)
{
    source *file = arena_alloc(memory, sizeof(*file));
    file->path = arena_copy(memory, path, strlen(path));
    file->logical = arena_copy(memory, logical, strlen(logical));
    file->text = arena_copy(memory, text, size);
    file->size = size;
    index_lines(file, memory);
    index_characters(file, memory);
    return file;
}

bool source_is_nameless(const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return true;
    char *name = realpath(path, NULL);
    free(name);
    return !name && stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int read_input(arena *memory, source **ret)
{
    buffer text = {0};
    int rc = read_all(STDIN_FILENO, &text);
    if (rc == 0)
        *ret = source_new(memory, SOURCE_STDIN, SOURCE_STDIN, text.data, (uint32_t)text.length);
    buffer_deinit(&text);
    return rc;
}

int source_read(arena *memory, const char *path, const char *logical, source **ret)
{
    buffer text = {0};
    struct stat status;

    if (strcmp(path, "-") == 0)
        return read_input(memory, ret);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENXIO ? -ENOTSUP : -errno; /* a socket */
    int rc = 0;
    if (fstat(fd, &status) < 0)
        rc = -errno;
    else if (S_ISDIR(status.st_mode))
        rc = -EISDIR;
    else if (!S_ISREG(status.st_mode) && !(S_ISFIFO(status.st_mode) && source_is_nameless(path)))
        rc = -ENOTSUP;
    else if (fcntl(fd, F_SETFL, 0) < 0)
        rc = -errno;
    else if (S_ISREG(status.st_mode) && status.st_size > (off_t)SIZE_MOST)
        rc = -EFBIG;
    else
        rc = read_all(fd, &text);
    if (rc == 0)
        *ret = source_new(memory, path, logical, text.data, (uint32_t)text.length);
    buffer_deinit(&text);
    close(fd);
    return rc;
}

const char *source_error(int error)
{
    return error == ENOTSUP ? "it is not a file" : strerror(error);
}

uint32_t source_line(const source *file, uint32_t offset)
{
    uint32_t low = 0;
    uint32_t high = file->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (file->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

position source_position(const source *file, uint32_t offset)
{
    position at = {.line = source_line(file, offset), .column = 1};
    uint32_t start = file->lines[at.line - 1];
    if (offset > start)
        at.column += characters_before(file, offset) - characters_before(file, start);
    return at;
}

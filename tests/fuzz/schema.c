/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c - see schema.h.
 */
#include "schema.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "support/text.h"

#define NAMES_MOST 4

static char *folder;
static char *paths[NAMES_MOST];
static size_t path_count;

void require(bool fine)
{
    if (!fine)
        abort();
}

static void folder_remove(void)
{
    for (size_t i = 0; i < path_count; i++) {
        (void)unlink(paths[i]);
        free(paths[i]);
    }
    (void)rmdir(folder);
    free(folder);
}

static void folder_make(void)
{
    const char *base = getenv("TMPDIR");

    require(asprintf(&folder, "%s/shmc-fuzz-XXXXXX", base && *base ? base : "/tmp") > 0);
    require(mkdtemp(folder) != NULL);
    require(atexit(folder_remove) == 0);
}

const char *input_path(const char *name)
{
    if (folder == NULL)
        folder_make();
    require(path_count < NAMES_MOST);
    require(asprintf(&paths[path_count], "%s/%s", folder, name) > 0);
    return paths[path_count++];
}

void input_write(const char *path, const void *bytes, size_t length)
{
    const char *at = bytes;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    require(fd >= 0);
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        require(written > 0);
        at += written;
        length -= (size_t)written;
    }
    require(close(fd) == 0);
}

static void check_place(span at)
{
    require(at.file == NULL || (at.start <= at.end && at.end <= at.file->size));
}

/* Returns what diag_render() writes; free() it. */
static char *rendered(const diag *found, diag_format format, size_t *ret_length)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, ret_length);

    require(to != NULL);
    require(diag_render(found, format, false, to) == 0);
    require(fclose(to) == 0);
    return text;
}

void check_diagnostics(const diag *found)
{
    size_t count;
    const diag_entry *const *entries = diag_sorted(found, &count);

    for (size_t i = 0; i < count; i++) {
        check_place(entries[i]->at);
        check_place(entries[i]->note_at);
    }
    for (int format = DIAG_TEXT; format <= DIAG_GITHUB; format++) {
        size_t length;
        size_t bad;
        char *text = rendered(found, (diag_format)format, &length);
        require(utf8_valid(text, length, &bad));
        for (size_t i = 0; i < length; i++)
            require((unsigned char)text[i] >= 0x20 || text[i] == '\n' || (text[i] == '\t' && format != DIAG_JSON));
        free(text);
    }
}

size_t seed_file(const char *pattern, size_t index, uint8_t *to)
{
    static glob_t files; /* of the one pattern of a harness */
    static bool is_read;
    size_t length = 0;

    if (!is_read)
        require(glob(pattern, GLOB_BRACE, NULL, &files) == 0);
    is_read = true;
    if (index < files.gl_pathc) {
        FILE *from = fopen(files.gl_pathv[index], "r");
        require(from != NULL);
        length = fread(to, 1, FUZZ_SIZE_MAX, from);
        require(length > 0 && fclose(from) == 0);
    }
    return length;
}

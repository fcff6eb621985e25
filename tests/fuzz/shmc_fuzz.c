/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema of a stranger: whatever the text, the front end ends with a model or with errors, never with both; what it
 * shows lies within the file and cannot drive a terminal; and what it accepts, every backend accepts or refuses with
 * an error, and generates in full; as it was at its first version, too.
 *
 * The front end reads files, hence one file in a folder of this process's own, which is removed at the end. Inputs to
 * start from are the good files of tests/diagnostics, whose imports are found.
 */
#include "fuzz.h"

#include "backend.h"
#include "front.h"
#include "support/text.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;
static char *path;

static void require(bool fine)
{
    if (!fine)
        abort();
}

static void folder_remove(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
    free(path);
    free(folder);
}

static void folder_make(void)
{
    const char *base = getenv("TMPDIR");

    require(asprintf(&folder, "%s/shmc-fuzz-XXXXXX", base && *base ? base : "/tmp") > 0);
    require(mkdtemp(folder) != NULL);
    require(asprintf(&path, "%s/input.shm", folder) > 0);
    require(atexit(folder_remove) == 0);
}

static void input_write(const uint8_t *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    require(fd >= 0);
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        require(written > 0);
        bytes += written;
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

static void check_diagnostics(const diag *found)
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

static void generate_all(const model *schema, arena *memory)
{
    output *out = output_new();
    size_t count;

    for (uint32_t i = 0; i < schema->file_count; i++)
        for (const backend *const *each = backends; *each; each++)
            require((*each)->generate(schema, schema->files[i], out, memory) == 0);
    (void)output_paths(out, "out", &count);
    require(count > 0);
    (void)output_free(out);
}

/* The front end, and all that follows where it finds no mistake. Returns whether it did not. */
static bool compile(uint32_t at_version)
{
    const char *include_dirs[] = {SHMC_FUZZ_LIB};
    front_options options = {.include_dirs = include_dirs, .include_count = 1, .at_version = at_version};
    const model *schema = NULL;
    arena *memory = arena_new();
    diag *found = diag_new(memory);
    int rc = front_compile(memory, found, &options, (const char *const[]){path}, 1, &schema);
    require(rc == (diag_errors(found) > 0) && (rc == 0) == (schema != NULL));
    for (const backend *const *each = backends; schema && *each; each++)
        if ((*each)->check)
            (*each)->check(schema, found, memory);
    check_diagnostics(found);
    bool fine = diag_errors(found) == 0;
    if (fine)
        generate_all(schema, memory);
    (void)arena_free(memory);
    return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (folder == NULL)
        folder_make();
    input_write(bytes, length);
    if (compile(0))
        (void)compile(1);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    glob_t files;
    size_t length = 0;

    require(glob(SHMC_FUZZ_SEEDS "/*.shm", 0, NULL, &files) == 0);
    if (index < files.gl_pathc) {
        FILE *from = fopen(files.gl_pathv[index], "r");
        require(from != NULL);
        length = fread(to, 1, FUZZ_SIZE_MAX, from);
        require(length > 0 && fclose(from) == 0);
    }
    globfree(&files);
    return length;
}

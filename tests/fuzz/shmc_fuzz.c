/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema of a stranger: whatever the text, the front end ends with a model or with errors, never with both; what it
 * shows lies within the file and cannot drive a terminal; and what it accepts, every backend accepts or refuses with
 * an error, and generates in full; as it was at its first version, too. A schema that is accepted breaks nothing of its
 * own, and its lock holds of it and of its first version.
 *
 * The front end reads files, hence one file in a folder of this process's own. Inputs to start from are the good files
 * of tests/diagnostics, whose imports are found, and those of corpus/, which libFuzzer has found.
 */
#include "fuzz.h"

#include "backend.h"
#include "compare.h"
#include "front.h"
#include "lock.h"
#include "schema.h"

#include <unistd.h>

static const char *path;
static const char *lock;

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

static void check_own_lock(const model *schema, uint32_t at_version, arena *memory)
{
    vector read = VECTOR_OF(const char *);
    diag *found = diag_new(memory);

    for (uint32_t i = 0; i < schema->file_count && at_version == 0; i++) {
        buffer text = {0};
        if (!schema->files[i]->requested)
            continue;
        lock_write(memory, schema->files[i], &text);
        input_write(lock, text.data, text.length);
        buffer_deinit(&text);
    }
    lock_verify(memory, found, schema, at_version, &read);
    check_diagnostics(found);
    require(diag_errors(found) == 0 && read.count == 1);
}

static void check_breaks_nothing(const model *schema, arena *memory)
{
    size_t count;

    (void)compare_models(memory, schema, schema, &count);
    require(count == 0);
}

/* The front end, and all that follows where it finds no mistake. Returns whether it did not. */
static bool compile(uint32_t at_version)
{
    const char *include_dirs[] = {SHMC_FUZZ_LIB};
    front_options options = {.include_dirs = include_dirs, .include_count = 1, .at_version = at_version};
    const model *schema = NULL;
    arena *memory = arena_new();
    diag *found = diag_new(memory);
    int rc = front_compile(memory, found, &options, &path, 1, &schema);
    require(rc == (diag_errors(found) > 0) && (rc == 0) == (schema != NULL));
    for (const backend *const *each = backends; schema && *each; each++)
        if ((*each)->check)
            (*each)->check(schema, found, memory);
    check_diagnostics(found);
    bool fine = diag_errors(found) == 0;
    if (fine && schema != NULL) {
        generate_all(schema, memory);
        check_own_lock(schema, at_version, memory);
        check_breaks_nothing(schema, memory);
    }
    (void)arena_free(memory);
    return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (path == NULL) {
        path = input_path("input.shm");
        lock = input_path("input.shm" LOCK_SUFFIX);
    }
    input_write(path, bytes, length);
    if (compile(0))
        (void)compile(1);
    (void)unlink(lock);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    return seed_file("{" SHMC_FUZZ_SEEDS "/*.shm," SHMC_FUZZ_CORPUS "/*}", index, to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text of a stranger to be formatted: either it has mistakes, or what comes out says the same, has no mistake, and
 * comes out as it is when it is formatted again.
 */
#include "fuzz.h"

#include <string.h>

#include "format.h"
#include "schema.h"

static format_result formatted(arena *memory, const char *text, size_t length, buffer *out)
{
    diag *found = diag_new(memory);
    const source *from = source_new(memory, "x.shm", "x.shm", text, (uint32_t)length);
    uint32_t line;
    format_result result = format_text(memory, found, from, out, &line);

    require(result != FORMAT_WRONG && (result == FORMAT_SYNTAX) == (diag_errors(found) > 0));
    check_diagnostics(found);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    arena *memory = arena_new();
    buffer once = {0};
    buffer twice = {0};

    if (formatted(memory, (const char *)bytes, length, &once) == FORMAT_DONE) {
        require(formatted(memory, once.data, once.length, &twice) == FORMAT_DONE);
        require(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    }
    buffer_deinit(&once);
    buffer_deinit(&twice);
    (void)arena_free(memory);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    return seed_file("{" SHMC_FUZZ_SEEDS "/*.shm," SHMC_FUZZ_FORMATS "/*.in.shm," SHMC_FUZZ_CORPUS "/*}", index, to);
}

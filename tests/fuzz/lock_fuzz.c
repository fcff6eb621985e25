/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock of a stranger beside a schema that has one of everything: whatever it says, the file holds or there are
 * errors, and what they show lies within the files.
 */
#include "fuzz.h"

#include "front.h"
#include "lock.h"
#include "schema.h"

static const model *schema;
static const char *lock;

static void schema_compile(void)
{
    static const char text[] = "@version(2)\npackage t;\n"
                               "enum E : int8 { A = -1; ZERO = 0; @since(2) B = 3; reserved 7, \"C\"; }\n"
                               "flags F { X = 1; }\nstrict enum G { ZERO = 0; ONE = 1; }\n"
                               "@size(32) struct P { uint32 x; @since(2) G g; }\n"
                               "union U { P p = 1; string<8> s = 2; }\n"
                               "message M { uint8 a; P[2] p; vector<U, 3> u; @since(2) bytes<9>? b; }\n"
                               "errors R { NO = 1; BIG(P) = 2; }\n"
                               "service S { rpc f(M) -> (stream { uint8 a; }) throws R; oneway g({ E e; F f; });\n"
                               "    @since(2) event h(M); reserved \"old\"; }\n"
                               "topic x(M);\nqueue y({ G g; });\n";
    arena *memory = arena_new(); /* to the end of the process */
    front_options options = {0};
    const char *path = input_path("t.shm");

    input_write(path, text, sizeof(text) - 1);
    require(front_compile(memory, diag_new(memory), &options, &path, 1, &schema) == 0);
    lock = input_path("t.shm" LOCK_SUFFIX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    vector read = VECTOR_OF(const char *);

    if (schema == NULL)
        schema_compile();
    input_write(lock, bytes, length);
    for (uint32_t newest = 0; newest <= 1; newest++) {
        arena *memory = arena_new();
        diag *found = diag_new(memory);
        read.count = read.capacity = 0;
        lock_verify(memory, found, schema, newest, &read);
        require(read.count == 1);
        check_diagnostics(found);
        (void)arena_free(memory);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    size_t length = 0;

    if (schema == NULL)
        schema_compile();
    if (index == 0) { /* its own */
        arena *memory = arena_new();
        buffer text = {0};
        lock_write(memory, schema->files[0], &text);
        for (; length < text.length && length < FUZZ_SIZE_MAX; length++)
            to[length] = (uint8_t)text.data[length];
        buffer_deinit(&text);
        (void)arena_free(memory);
        return length;
    }
    return seed_file("{" SHMC_FUZZ_SEEDS "/*.lock," SHMC_FUZZ_CORPUS "/*}", index - 1, to);
}

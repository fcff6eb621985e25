/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sizes.c - messages at the borders: what just fits into a slot, what just does not, and the largest there are. Both
 * directions, in full and in every used length around each border.
 */
/* clang-format off */
#if 0 /* IDL: sizes.shm */
package rt.sizes;

message Fixed48    { uint64[6] words; }
message Fixed56    { uint64[7] words; }
message Fixed64    { uint64[8] words; }
message Fixed65528 { uint64[8191] words; }
message Fixed65536 { uint64[8192] words; }

message Bytes48    { bytes<46> data; }
message Bytes65528 { bytes<65526> data; }
message Bytes65536 { bytes<65528> data; }
message Text65536  { @default("to be replaced") string<65533> text; }

service Borders {
    rpc f48(Fixed48) -> (Fixed48);
    rpc f56(Fixed56) -> (Fixed56);
    rpc f64(Fixed64) -> (Fixed64);
    rpc f65528(Fixed65528) -> (Fixed65528);
    rpc f65536(Fixed65536) -> (Fixed65536);
    rpc b48(Bytes48) -> (Bytes48);
    rpc b65528(Bytes65528) -> (Bytes65528);
    rpc b65536(Bytes65536) -> (Bytes65536);
    rpc t65536(Text65536) -> (Text65536);
}
#endif /* IDL */
/* clang-format on */
#include "sizes.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

/* An operation that gives back what it gets. */
#define ECHO(method, type)                                                                           \
    static int method(rt_sizes_borders_server *server, rt_sizes_borders_##method##_context *context, \
                      const rt_sizes_##type *request, rt_sizes_##type *reply)                        \
    {                                                                                                \
        (void)server, (void)context;                                                                 \
        *reply = *request;                                                                           \
        return 0;                                                                                    \
    }

ECHO(f48, fixed48)
ECHO(f56, fixed56)
ECHO(f64, fixed64)
ECHO(f65528, fixed65528)
ECHO(f65536, fixed65536)
ECHO(b48, bytes48)
ECHO(b65528, bytes65528)
ECHO(b65536, bytes65536)
ECHO(t65536, text65536)

static const rt_sizes_borders_ops ops = {
    .f48 = f48,
    .f56 = f56,
    .f64 = f64,
    .f65528 = f65528,
    .f65536 = f65536,
    .b48 = b48,
    .b65528 = b65528,
    .b65536 = b65536,
    .t65536 = t65536,
};

static rt_sizes_borders_server server;
static rt_sizes_borders_client *client;
static roundtrip_host host;

static void begin(void)
{
    runtime_dir_make();
    ck_assert_int_eq(rt_sizes_borders_server_init(&server, &ops, "borders", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_sizes_borders_connect(&client, "borders", NULL), 0);
}

static void end(void)
{
    rt_sizes_borders_client_free(client);
    roundtrip_stop(&host);
    rt_sizes_borders_server_deinit(&server);
    runtime_dir_remove();
}

/* Bytes that are nowhere alike, so that one that is out of its place is noticed. */
static void *pattern_new(size_t size, unsigned seed)
{
    unsigned char *bytes = malloc(size);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251 + seed);
    return bytes;
}

/* Calls with a message of words, all of them in use, and compares what comes back. */
#define CHECK_FIXED(method, type)                                                                \
    do {                                                                                         \
        for (unsigned seed = 0; seed < 3; seed++) {                                              \
            rt_sizes_##type *sent = pattern_new(sizeof *sent, seed);                             \
            rt_sizes_##type *got = pattern_new(sizeof *got, seed + 100);                         \
            ck_assert_int_eq(rt_sizes_borders_##method(client, sent, got, shmrpc_default()), 0); \
            ck_assert_mem_eq(got, sent, sizeof *sent);                                           \
            free(sent);                                                                          \
            free(got);                                                                           \
        }                                                                                        \
    } while (0)

/* Likewise with `length` bytes of data. */
#define CHECK_BYTES(method, type, length)                                                    \
    do {                                                                                     \
        rt_sizes_##type *sent = pattern_new(sizeof *sent, 1);                                \
        rt_sizes_##type *got = pattern_new(sizeof *got, 2);                                  \
        sent->data.count = (uint16_t)(length);                                               \
        ck_assert_int_eq(rt_sizes_borders_##method(client, sent, got, shmrpc_default()), 0); \
        ck_assert_uint_eq(got->data.count, length);                                          \
        ck_assert_mem_eq(got->data.items, sent->data.items, length);                         \
        free(sent);                                                                          \
        free(got);                                                                           \
    } while (0)

START_TEST(has_messages_of_the_sizes_it_means)
{
    ck_assert_uint_eq(sizeof(rt_sizes_fixed48), 48);
    ck_assert_uint_eq(sizeof(rt_sizes_fixed56), 56);
    ck_assert_uint_eq(sizeof(rt_sizes_fixed65528), 65528);
    ck_assert_uint_eq(sizeof(rt_sizes_fixed65536), SHMRPC_MESSAGE_MAX);
    ck_assert_uint_eq(sizeof(rt_sizes_bytes48), 48);
    ck_assert_uint_eq(sizeof(rt_sizes_bytes65528), 65528);
    ck_assert_uint_eq(sizeof(rt_sizes_bytes65536), SHMRPC_MESSAGE_MAX);
    ck_assert_uint_eq(sizeof(rt_sizes_text65536), SHMRPC_MESSAGE_MAX);
}
END_TEST

START_TEST(passes_messages_of_fixed_size)
{
    CHECK_FIXED(f48, fixed48);
    CHECK_FIXED(f56, fixed56);
    CHECK_FIXED(f64, fixed64);
    CHECK_FIXED(f65528, fixed65528);
    CHECK_FIXED(f65536, fixed65536);
}
END_TEST

START_TEST(passes_every_length_around_a_slot)
{
    for (size_t length = 0; length <= 46; length++)
        CHECK_BYTES(b48, bytes48, length);
    for (size_t length = 0; length <= 300; length++)
        CHECK_BYTES(b65536, bytes65536, length);
}
END_TEST

START_TEST(passes_every_length_up_to_the_largest)
{
    for (size_t length = 65526 - 24; length <= 65526; length++)
        CHECK_BYTES(b65528, bytes65528, length);
    for (size_t length = 65528 - 24; length <= 65528; length++)
        CHECK_BYTES(b65536, bytes65536, length);
}
END_TEST

START_TEST(passes_a_text_of_any_length_over_its_default)
{
    static const size_t lengths[] = {0, 1, 13, 14, 15, 37, 45, 46, 53, 54, 61, 4096, 65516, 65525, 65532, 65533};
    rt_sizes_text65536 *sent = pattern_new(sizeof *sent, 1);
    rt_sizes_text65536 *got = pattern_new(sizeof *got, 2);
    char *text = malloc(65533);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 65533);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ck_assert(rt_sizes_text65536_set_text(sent, text, lengths[i]));
        ck_assert_int_eq(rt_sizes_borders_t65536(client, sent, got, shmrpc_default()), 0);
        ck_assert_uint_eq(got->text.length, lengths[i]);
        ck_assert_uint_eq(strlen(got->text.text), lengths[i]);
        roundtrip_expect_equal(&rt_sizes_text65536_info, sent, got);
    }
    ck_assert(!rt_sizes_text65536_set_text(sent, text, 65534));
    sent->text.length = 65534;
    ck_assert_int_eq(rt_sizes_borders_t65536(client, sent, got, shmrpc_default()), SHMRPC_E_INVALID);
    free(text);
    free(sent);
    free(got);
}
END_TEST

static Suite *sizes_suite(void)
{
    Suite *suite = suite_create("roundtrip_sizes");
    TCase *tests = tcase_create("sizes");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, has_messages_of_the_sizes_it_means);
    tcase_add_test(tests, passes_messages_of_fixed_size);
    tcase_add_test(tests, passes_every_length_around_a_slot);
    tcase_add_test(tests, passes_every_length_up_to_the_largest);
    tcase_add_test(tests, passes_a_text_of_any_length_over_its_default);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(sizes_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * defaults.c - default images: where messages and replies begin, and what fills a tail that was not sent.
 */
/* clang-format off */
#if 0 /* IDL: defaults.shm */
package rt.defaults;

enum Mode : uint8 { SLOW = 0; FAST = 3; }
flags Mask : uint16 { A = 1; B = 2; C = 4; }
const string<8> WHO = "nobody";

message Settings {
    @default(-5) int32 low;
    @default(18446744073709551615) uint64 high;
    @default(true) bool on;
    @default(FAST) Mode mode;
    @default(Mask.A | Mask.C) Mask mask;
    @default(0.1) float64 tenth;
    @default(-2.5) float32 real;
    uint32 plain;
    @default(WHO) string<8> who;
    float32? absent;
    @default("and so on") string<30> text;
}

message Nothing { uint8 x; }

service Store { rpc load() -> (Settings); rpc save(Settings) -> (Settings); }
#endif /* IDL */
/* clang-format on */
#include "defaults.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static void expect_defaults(const rt_defaults_settings *settings)
{
    ck_assert_int_eq(settings->low, -5);
    ck_assert_uint_eq(settings->high, UINT64_MAX);
    ck_assert_uint_eq(settings->on, 1);
    ck_assert_uint_eq(settings->mode, RT_DEFAULTS_MODE_FAST);
    ck_assert_uint_eq(settings->mask, 5);
    ck_assert(settings->tenth == 0.1);
    ck_assert(settings->real == -2.5F);
    ck_assert_uint_eq(settings->plain, 0);
    ck_assert_str_eq(settings->who.text, RT_DEFAULTS_WHO);
    ck_assert_uint_eq(settings->who.length, 6);
    ck_assert_uint_eq(settings->has_absent, 0);
    ck_assert_str_eq(settings->text.text, "and so on");
    ck_assert_uint_eq(settings->text.length, 9);
}

static int load(rt_defaults_store_server *server, rt_defaults_store_load_context *context, rt_defaults_settings *reply)
{
    (void)server, (void)context, (void)reply;
    return 0;
}

static int save(rt_defaults_store_server *server, rt_defaults_store_save_context *context,
                const rt_defaults_settings *request, rt_defaults_settings *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

START_TEST(init_gives_the_default_image)
{
    rt_defaults_settings settings;

    memset(&settings, 0xEE, sizeof settings);
    rt_defaults_settings_init(&settings);
    expect_defaults(&settings);
    roundtrip_expect_valid(&rt_defaults_settings_info, &settings);
    ck_assert_ptr_nonnull(rt_defaults_settings_info.initial);
    ck_assert_mem_eq(&settings, rt_defaults_settings_info.initial, sizeof settings);
    ck_assert_ptr_null(rt_defaults_nothing_info.initial);
}
END_TEST

START_TEST(the_image_has_no_stray_bytes)
{
    rt_defaults_settings settings, garbage;

    rt_defaults_settings_init(&settings);
    memset(&garbage, 0xEE, sizeof garbage);
    garbage.low = -5;
    garbage.high = UINT64_MAX;
    garbage.on = 1;
    garbage.mode = RT_DEFAULTS_MODE_FAST;
    garbage.mask = RT_DEFAULTS_MASK_A | RT_DEFAULTS_MASK_C;
    garbage.tenth = 0.1;
    garbage.real = -2.5F;
    garbage.plain = 0;
    ck_assert(rt_defaults_settings_set_who(&garbage, "nobody", 6));
    rt_defaults_settings_clear_absent(&garbage);
    ck_assert(rt_defaults_settings_set_text(&garbage, "and so on", 9));
    roundtrip_expect_equal(&rt_defaults_settings_info, &settings, &garbage);
}
END_TEST

START_TEST(a_shorter_text_than_the_default_arrives_as_it_is)
{
    rt_defaults_settings settings, loaded;
    size_t used;

    rt_defaults_settings_init(&settings);
    ck_assert(rt_defaults_settings_set_text(&settings, "", 0));
    unsigned char *image = roundtrip_store(&rt_defaults_settings_info, &settings, &used);
    ck_assert_uint_eq(used, rt_defaults_settings_info.min_size);
    roundtrip_load(&rt_defaults_settings_info, image, used, &loaded);
    roundtrip_expect_valid(&rt_defaults_settings_info, &loaded);
    ck_assert_str_eq(loaded.text.text, "");
    ck_assert_uint_eq(loaded.text.length, 0);
    free(image);
}
END_TEST

START_TEST(replies_begin_as_their_default_image)
{
    static const rt_defaults_store_ops ops = {.load = load, .save = save};
    rt_defaults_store_server server;
    rt_defaults_store_client *client;
    roundtrip_host host;
    rt_defaults_settings settings, reply;

    ck_assert_int_eq(rt_defaults_store_server_init(&server, &ops, "store", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_defaults_store_connect(&client, "store", NULL), 0);
    for (int i = 0; i < 2; i++) {
        memset(&settings, 0, sizeof settings);
        ck_assert_int_eq(rt_defaults_store_load(client, &settings, shmrpc_default()), 0);
        expect_defaults(&settings);
        settings.low = 17;
        ck_assert(rt_defaults_settings_set_text(&settings, "x", 1));
        ck_assert_int_eq(rt_defaults_store_save(client, &settings, &reply, shmrpc_default()), 0);
        ck_assert_int_eq(reply.low, 17);
        ck_assert_str_eq(reply.text.text, "x");
    }
    rt_defaults_store_client_free(client);
    roundtrip_stop(&host);
    rt_defaults_store_server_deinit(&server);
}
END_TEST

static Suite *defaults_suite(void)
{
    Suite *suite = suite_create("roundtrip_defaults");
    TCase *tests = tcase_create("defaults");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, init_gives_the_default_image);
    tcase_add_test(tests, the_image_has_no_stray_bytes);
    tcase_add_test(tests, a_shorter_text_than_the_default_arrives_as_it_is);
    tcase_add_test(tests, replies_begin_as_their_default_image);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(defaults_suite)

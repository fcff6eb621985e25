/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scalars.c - numbers, bools, enums and flags, from one end of their range to the other.
 */
/* clang-format off */
#if 0 /* IDL: scalars.shm */
package rt.scalars;

enum Color : uint8 { RED = 0; GREEN = 1; BLUE = 200; }
enum Level : int64 { LOWEST = -9223372036854775808; NONE = 0; HIGHEST = 9223372036854775807; }
flags Mask : uint64 { FIRST = 1; LAST = 1 << 63; }

message All {
    int64 i64; uint64 u64; float64 f64; Level level; Mask mask;
    int32 i32; uint32 u32; float32 f32;
    int16 i16; uint16 u16;
    bool b; int8 i8; uint8 u8; Color color;
}

message Bools { bool first; bool[3] several; }

service Echo { rpc echo(All) -> (All); rpc bools(Bools) -> (Bools); }
#endif /* IDL */
/* clang-format on */
#include "scalars.shm.h"

#include <float.h>
#include <math.h>

#include "roundtrip.h"
#include "test_support.h"

static int echo(rt_scalars_echo_server *server, rt_scalars_echo_echo_context *context, const rt_scalars_all *request,
                rt_scalars_all *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void fill_highest(void *message)
{
    rt_scalars_all *all = message;

    all->b = 1;
    all->i8 = INT8_MAX;
    all->i16 = INT16_MAX;
    all->i32 = INT32_MAX;
    all->i64 = INT64_MAX;
    all->u8 = UINT8_MAX;
    all->u16 = UINT16_MAX;
    all->u32 = UINT32_MAX;
    all->u64 = UINT64_MAX;
    all->f32 = FLT_MAX;
    all->f64 = DBL_MAX;
    all->color = RT_SCALARS_COLOR_BLUE;
    all->level = RT_SCALARS_LEVEL_HIGHEST;
    all->mask = RT_SCALARS_MASK_FIRST | RT_SCALARS_MASK_LAST;
}

static void fill_lowest(void *message)
{
    rt_scalars_all *all = message;

    all->b = 0;
    all->i8 = INT8_MIN;
    all->i16 = INT16_MIN;
    all->i32 = INT32_MIN;
    all->i64 = INT64_MIN;
    all->u8 = 0;
    all->u16 = 0;
    all->u32 = 0;
    all->u64 = 0;
    all->f32 = -FLT_TRUE_MIN;
    all->f64 = -INFINITY;
    all->color = RT_SCALARS_COLOR_RED;
    all->level = RT_SCALARS_LEVEL_LOWEST;
    all->mask = 0;
}

START_TEST(keeps_all_values)
{
    roundtrip_check(&rt_scalars_all_info, fill_highest, sizeof(rt_scalars_all));
    roundtrip_check(&rt_scalars_all_info, fill_lowest, sizeof(rt_scalars_all));
}
END_TEST

START_TEST(passes_them_through_a_call)
{
    static const rt_scalars_echo_ops ops = {.echo = echo};
    rt_scalars_echo_server server;
    rt_scalars_echo_client *client;
    roundtrip_host host;
    rt_scalars_all request, reply;

    ck_assert_int_eq(rt_scalars_echo_server_init(&server, &ops, "scalars", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_scalars_echo_connect(&client, "scalars", NULL), 0);
    fill_highest(&request);
    ck_assert_int_eq(rt_scalars_echo_echo(client, &request, &reply, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_scalars_all_info, &request, &reply);
    ck_assert_uint_eq(reply.u64, UINT64_MAX);
    ck_assert(reply.f64 == DBL_MAX);
    fill_lowest(&request);
    ck_assert_int_eq(rt_scalars_echo_echo(client, &request, &reply, shmrpc_default()), 0);
    ck_assert_int_eq(reply.i64, INT64_MIN);
    ck_assert(reply.f64 == -INFINITY);
    ck_assert(reply.f32 == -FLT_TRUE_MIN);
    ck_assert_int_eq(reply.level, RT_SCALARS_LEVEL_LOWEST);
    rt_scalars_echo_client_free(client);
    roundtrip_stop(&host);
    rt_scalars_echo_server_deinit(&server);
}
END_TEST

START_TEST(refuses_a_bool_that_is_neither)
{
    rt_scalars_all all;
    rt_scalars_bools bools;

    rt_scalars_all_init(&all);
    all.b = 2;
    roundtrip_expect_fault(&rt_scalars_all_info, &all, "b", "neither 0 nor 1", 2, 1);
    rt_scalars_bools_init(&bools);
    roundtrip_expect_valid(&rt_scalars_bools_info, &bools);
    bools.several[2] = 255;
    roundtrip_expect_fault(&rt_scalars_bools_info, &bools, "several[]", "neither 0 nor 1", 255, 1);
}
END_TEST

START_TEST(passes_unknown_members_and_bits)
{
    rt_scalars_all all;

    rt_scalars_all_init(&all);
    all.color = 17;
    all.level = -3;
    all.mask = UINT64_MAX;
    roundtrip_expect_valid(&rt_scalars_all_info, &all);
    ck_assert(!rt_scalars_color_is_known(all.color));
    ck_assert(rt_scalars_color_is_known(RT_SCALARS_COLOR_BLUE));
    ck_assert(!rt_scalars_level_is_known(all.level));
    ck_assert(rt_scalars_level_is_known(RT_SCALARS_LEVEL_LOWEST));
    ck_assert(!rt_scalars_mask_is_known(all.mask));
    ck_assert(rt_scalars_mask_is_known(RT_SCALARS_MASK_LAST));
    ck_assert(rt_scalars_mask_is_known(0));
}
END_TEST

START_TEST(names_members)
{
    ck_assert_str_eq(rt_scalars_color_name(RT_SCALARS_COLOR_BLUE), "BLUE");
    ck_assert_str_eq(rt_scalars_level_name(RT_SCALARS_LEVEL_LOWEST), "LOWEST");
    ck_assert_ptr_null(rt_scalars_color_name(17));
}
END_TEST

static Suite *scalars_suite(void)
{
    Suite *suite = suite_create("roundtrip_scalars");
    TCase *tests = tcase_create("scalars");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_all_values);
    tcase_add_test(tests, passes_them_through_a_call);
    tcase_add_test(tests, refuses_a_bool_that_is_neither);
    tcase_add_test(tests, passes_unknown_members_and_bits);
    tcase_add_test(tests, names_members);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(scalars_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structs.c - structs in structs, their padding, and aliases of what has a shape.
 */
/* clang-format off */
#if 0 /* IDL: structs.shm */
package rt.structs;

struct Flat  { uint32 x; uint32 y; }
struct Gaps  { uint8 a; uint32 b; uint16 c; uint64 d; uint8 e; }
struct Outer { Flat flat; Gaps gaps; Gaps[2] two; }
alias Row = float32[3];
alias Table = Row[2];
alias Spot = Gaps;

message Plain  { Flat flat; uint64 number; }
message Packed { Outer outer; Spot spot; Row row; Table table; uint8 last; }

service Boxes { rpc plain(Plain) -> (Plain); rpc packed(Packed) -> (Packed); }
#endif /* IDL */
/* clang-format on */
#include "structs.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int plain(rt_structs_boxes_server *server, rt_structs_boxes_plain_context *context,
                 const rt_structs_plain *request, rt_structs_plain *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static int packed(rt_structs_boxes_server *server, rt_structs_boxes_packed_context *context,
                  const rt_structs_packed *request, rt_structs_packed *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void fill_plain(void *message)
{
    rt_structs_plain *made = message;

    made->flat.x = 1;
    made->flat.y = 2;
    made->number = 3;
}

static void gaps_set(rt_structs_gaps *gaps, uint8_t seed)
{
    gaps->a = seed;
    gaps->b = seed + 1U;
    gaps->c = (uint16_t)(seed + 2);
    gaps->d = seed + 3U;
    gaps->e = (uint8_t)(seed + 4);
}

static void fill_packed(void *message)
{
    rt_structs_packed *made = message;

    made->outer.flat.x = 1;
    made->outer.flat.y = 2;
    gaps_set(&made->outer.gaps, 10);
    gaps_set(&made->outer.two[0], 20);
    gaps_set(&made->outer.two[1], 30);
    gaps_set(&made->spot, 40);
    for (int i = 0; i < 3; i++) {
        made->row[i] = (float)i;
        made->table[0][i] = (float)i * 2;
        made->table[1][i] = (float)i * 3;
    }
    made->last = 50;
}

START_TEST(keeps_fields_and_no_padding)
{
    roundtrip_check(&rt_structs_plain_info, fill_plain, 16);
    roundtrip_check(&rt_structs_packed_info, fill_packed, sizeof(rt_structs_packed));
}
END_TEST

START_TEST(says_what_needs_no_care)
{
    ck_assert(rt_structs_plain_info.store == NULL);
    ck_assert(rt_structs_plain_info.validate == NULL);
    ck_assert_ptr_null(rt_structs_plain_info.initial);
    ck_assert(rt_structs_packed_info.validate == NULL);
    ck_assert(rt_structs_packed_info.store != NULL);
}
END_TEST

START_TEST(padding_is_zero_in_what_is_sent)
{
    rt_structs_packed made;
    rt_structs_packed sent;
    size_t used;

    memset(&made, 0xEE, sizeof made);
    fill_packed(&made);
    unsigned char *image = roundtrip_store(&rt_structs_packed_info, &made, &used);
    ck_assert_uint_eq(used, sizeof sent);
    memcpy(&sent, image, sizeof sent);
    for (size_t i = 0; i < sizeof sent.spot.padding_1_; i++)
        ck_assert_uint_eq(sent.spot.padding_1_[i], 0);
    for (size_t i = 0; i < sizeof sent.outer.two[1].padding_3_; i++)
        ck_assert_uint_eq(sent.outer.two[1].padding_3_[i], 0);
    ck_assert_uint_eq(sent.outer.two[1].e, 34);
    ck_assert_uint_eq(image[used - 1], 0);
    rt_structs_packed_info.tidy(&made); /* and so it becomes where it lies */
    ck_assert_mem_eq(&made, image, used);
    free(image);
}
END_TEST

START_TEST(passes_structs_through_a_call)
{
    static const rt_structs_boxes_ops ops = {.plain = plain, .packed = packed};
    rt_structs_boxes_server server;
    rt_structs_boxes_client *client;
    roundtrip_host host;
    rt_structs_plain asked, answered;
    rt_structs_packed sent, received;

    ck_assert_int_eq(rt_structs_boxes_server_init(&server, &ops, "boxes", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_structs_boxes_connect(&client, "boxes", NULL), 0);
    fill_plain(&asked);
    ck_assert_int_eq(rt_structs_boxes_plain(client, &asked, &answered, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_structs_plain_info, &asked, &answered);
    memset(&sent, 0xAB, sizeof sent);
    fill_packed(&sent);
    ck_assert_int_eq(rt_structs_boxes_packed(client, &sent, &received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_structs_packed_info, &sent, &received);
    ck_assert(received.table[1][2] == 6);
    ck_assert_uint_eq(received.last, 50);
    rt_structs_boxes_client_free(client);
    roundtrip_stop(&host);
    rt_structs_boxes_server_deinit(&server);
}
END_TEST

static Suite *structs_suite(void)
{
    Suite *suite = suite_create("roundtrip_structs");
    TCase *tests = tcase_create("structs");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_fields_and_no_padding);
    tcase_add_test(tests, says_what_needs_no_care);
    tcase_add_test(tests, padding_is_zero_in_what_is_sent);
    tcase_add_test(tests, passes_structs_through_a_call);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(structs_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unions.c - one of several, none, and one that is not known here.
 */
/* clang-format off */
#if 0 /* IDL: unions.shm */
package rt.unions;

struct Point { uint8 x; uint64 y; }
struct Named { string<3> name; bool open; }

union Shape {
    uint32 number = 1;
    Point point = 2;
    Named named = 3;
    vector<uint16, 4> list = 4;
    string<11> word = 5;
    bool truth = 6;
    uint8[5] five = 4000000000;
}

union Small { uint8 low = 1; uint8[5] five = 2; }

message Drawing { uint32 id; Shape shape; Small small; vector<Shape, 2> more; }

service Board { rpc draw(Drawing) -> (Drawing); }
#endif /* IDL */
/* clang-format on */
#include "unions.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int draw(rt_unions_board_server *server, rt_unions_board_draw_context *context, const rt_unions_drawing *request,
                rt_unions_drawing *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void fill_unset(void *message)
{
    rt_unions_drawing *made = message;

    made->id = 1;
    made->shape.tag = 0;
    made->small.tag = 0;
    made->more.count = 0;
}

static void fill_number(void *message)
{
    fill_unset(message);
    rt_unions_shape_set_number(&((rt_unions_drawing *)message)->shape, 77);
    rt_unions_small_set_low(&((rt_unions_drawing *)message)->small, 7);
}

static void fill_point(void *message)
{
    rt_unions_point point;

    point.x = 1;
    point.y = UINT64_MAX;
    fill_unset(message);
    rt_unions_shape_set_point(&((rt_unions_drawing *)message)->shape, &point);
}

static void fill_named(void *message)
{
    rt_unions_named named;

    ck_assert(rt_unions_named_set_name(&named, "ab", 2));
    named.open = 1;
    fill_unset(message);
    rt_unions_shape_set_named(&((rt_unions_drawing *)message)->shape, &named);
}

static void fill_list(void *message)
{
    static const uint16_t items[] = {1, 2, 3};

    fill_unset(message);
    ck_assert(rt_unions_shape_set_list(&((rt_unions_drawing *)message)->shape, items, 3));
}

static void fill_word(void *message)
{
    fill_unset(message);
    ck_assert(rt_unions_shape_set_word(&((rt_unions_drawing *)message)->shape, "word", 4));
}

static void fill_five(void *message)
{
    rt_unions_drawing *made = message;

    fill_unset(message);
    made->shape.tag = RT_UNIONS_SHAPE_FIVE;
    memcpy(made->shape.body.five, "12345", 5);
    made->small.tag = RT_UNIONS_SMALL_FIVE;
    memcpy(made->small.body.five, "54321", 5);
}

static void fill_several(void *message)
{
    rt_unions_drawing *made = message;

    fill_unset(message);
    made->more.count = 2;
    rt_unions_shape_set_truth(&made->more.items[0], true);
    ck_assert(rt_unions_shape_set_word(&made->more.items[1], "eleven char", 11));
}

static roundtrip_fill *const fills[] = {fill_unset, fill_number, fill_point, fill_named,
                                        fill_list,  fill_word,   fill_five};

START_TEST(keeps_each_arm)
{
    size_t head = offsetof(rt_unions_drawing, more.items);

    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++)
        roundtrip_check(&rt_unions_drawing_info, fills[i], head);
    roundtrip_check(&rt_unions_drawing_info, fill_several, head + 2 * sizeof(rt_unions_shape));
}
END_TEST

START_TEST(nothing_of_an_unused_body_travels)
{
    rt_unions_drawing made, zero;
    size_t used;

    memset(&made, 0xEE, sizeof made);
    fill_unset(&made);
    memset(&zero, 0, sizeof zero);
    fill_unset(&zero);
    roundtrip_expect_equal(&rt_unions_drawing_info, &made, &zero);

    memset(&made, 0xEE, sizeof made);
    fill_number(&made);
    unsigned char *image = roundtrip_store(&rt_unions_drawing_info, &made, &used);
    size_t body = offsetof(rt_unions_drawing, shape) + offsetof(rt_unions_shape, body);
    for (size_t i = body + sizeof(uint32_t); i < body + sizeof made.shape.body; i++)
        ck_assert_uint_eq(image[i], 0);
    free(image);
}
END_TEST

START_TEST(carries_an_unknown_arm_over_whole)
{
    rt_unions_drawing made, loaded;
    size_t used;

    memset(&made, 0xEE, sizeof made);
    fill_unset(&made);
    made.shape.tag = 12345;
    roundtrip_expect_valid(&rt_unions_drawing_info, &made);
    unsigned char *image = roundtrip_store(&rt_unions_drawing_info, &made, &used);
    roundtrip_load(&rt_unions_drawing_info, image, used, &loaded);
    ck_assert_uint_eq(loaded.shape.tag, 12345);
    ck_assert_mem_eq(&loaded.shape.body, &made.shape.body, sizeof made.shape.body);
    free(image);
}
END_TEST

START_TEST(checks_the_arm_that_is_set_and_no_other)
{
    rt_unions_drawing made;

    fill_named(&made);
    made.shape.body.named.open = 2;
    roundtrip_expect_fault(&rt_unions_drawing_info, &made, "shape.named.open", "neither 0 nor 1", 2, 1);
    made.shape.tag = RT_UNIONS_SHAPE_NUMBER;
    roundtrip_expect_valid(&rt_unions_drawing_info, &made);
    fill_list(&made);
    made.shape.body.list.count = 5;
    roundtrip_expect_fault(&rt_unions_drawing_info, &made, "shape.list", "more than 4 items", 5, 4);
    fill_several(&made);
    made.more.items[1].body.word.length = 12;
    roundtrip_expect_fault(&rt_unions_drawing_info, &made, "more[].word", "more than 11 bytes", 12, 11);
    fill_several(&made);
    made.more.items[0].body.truth = 2;
    roundtrip_expect_fault(&rt_unions_drawing_info, &made, "more[].truth", "neither 0 nor 1", 2, 1);
}
END_TEST

START_TEST(a_setter_that_refuses_leaves_the_tag)
{
    rt_unions_shape shape;

    rt_unions_shape_set_number(&shape, 5);
    ck_assert(!rt_unions_shape_set_word(&shape, "twelve chars", 12));
    ck_assert_uint_eq(shape.tag, RT_UNIONS_SHAPE_NUMBER);
    ck_assert_uint_eq(shape.body.number, 5);
}
END_TEST

START_TEST(passes_drawings_through_a_call)
{
    static const rt_unions_board_ops ops = {.draw = draw};
    rt_unions_board_server server;
    rt_unions_board_client *client;
    roundtrip_host host;
    rt_unions_drawing sent, received;

    ck_assert_int_eq(rt_unions_board_server_init(&server, &ops, "board", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_unions_board_connect(&client, "board", NULL), 0);
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
        memset(&sent, 0xAB, sizeof sent);
        fills[i](&sent);
        ck_assert_int_eq(rt_unions_board_draw(client, &sent, &received, shmrpc_default()), 0);
        roundtrip_expect_equal(&rt_unions_drawing_info, &sent, &received);
        ck_assert_uint_eq(received.shape.tag, sent.shape.tag);
    }
    fill_several(&sent);
    ck_assert_int_eq(rt_unions_board_draw(client, &sent, &received, shmrpc_default()), 0);
    ck_assert_str_eq(received.more.items[1].body.word.text, "eleven char");
    rt_unions_board_client_free(client);
    roundtrip_stop(&host);
    rt_unions_board_server_deinit(&server);
}
END_TEST

static Suite *unions_suite(void)
{
    Suite *suite = suite_create("roundtrip_unions");
    TCase *tests = tcase_create("unions");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_each_arm);
    tcase_add_test(tests, nothing_of_an_unused_body_travels);
    tcase_add_test(tests, carries_an_unknown_arm_over_whole);
    tcase_add_test(tests, checks_the_arm_that_is_set_and_no_other);
    tcase_add_test(tests, a_setter_that_refuses_leaves_the_tag);
    tcase_add_test(tests, passes_drawings_through_a_call);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(unions_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.c - vectors and arrays of what may be in them.
 */
/* clang-format off */
#if 0 /* IDL: vectors.shm */
package rt.vectors;

struct Point { int8 x; int32 y; }
struct Tagged { string<3> tag; bool open; }
alias Name = string<5>;

message Numbers { vector<uint64, 4> wide; vector<bool, 3> flags; vector<int16, 5> small; }
message Points  { uint16 id; vector<Point, 3> points; }
message Tags    { vector<Tagged, 2> first; Tagged[2] second; vector<Tagged, 3> last; }
message Nested  { vector<vector<uint8, 2>, 3> lists; uint16[2][3] table; vector<Name, 2> names; vector<string<2>, 2> words; }

service Lists { rpc numbers(Numbers) -> (Numbers); rpc points(Points) -> (Points); rpc tags(Tags) -> (Tags); }
#endif /* IDL */
/* clang-format on */
#include "vectors.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int numbers(rt_vectors_lists_server *server, rt_vectors_lists_numbers_context *context,
                   const rt_vectors_numbers *request, rt_vectors_numbers *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static int points(rt_vectors_lists_server *server, rt_vectors_lists_points_context *context,
                  const rt_vectors_points *request, rt_vectors_points *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static int tags(rt_vectors_lists_server *server, rt_vectors_lists_tags_context *context, const rt_vectors_tags *request,
                rt_vectors_tags *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void tagged_set(rt_vectors_tagged *tagged, const char *tag, uint8_t open)
{
    ck_assert(rt_vectors_tagged_set_tag(tagged, tag, strlen(tag)));
    tagged->open = open;
}

static void fill_numbers(void *message)
{
    static const uint64_t wide[] = {1, UINT64_MAX, 3};
    static const uint8_t flags[] = {1, 0};
    static const int16_t small[] = {-1, INT16_MIN, 5, 6, 7};
    rt_vectors_numbers *made = message;

    ck_assert(rt_vectors_numbers_set_wide(made, wide, 3));
    ck_assert(rt_vectors_numbers_set_flags(made, flags, 2));
    ck_assert(rt_vectors_numbers_set_small(made, small, 5));
}

static void fill_points(void *message)
{
    rt_vectors_points *made = message;

    made->id = 9;
    made->points.count = 2;
    made->points.items[0].x = -1;
    made->points.items[0].y = 70000;
    made->points.items[1].x = 2;
    made->points.items[1].y = -70000;
}

static void fill_tags(void *message)
{
    rt_vectors_tags *made = message;

    made->first.count = 1;
    tagged_set(&made->first.items[0], "one", 1);
    tagged_set(&made->second[0], "", 0);
    tagged_set(&made->second[1], "two", 1);
    made->last.count = 0;
}

static void fill_nested(void *message)
{
    rt_vectors_nested *made = message;

    made->lists.count = 2;
    made->lists.items[0].count = 0;
    made->lists.items[1].count = 1;
    made->lists.items[1].items[0] = 77;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++)
            made->table[i][j] = (uint16_t)(10 * i + j);
    }
    made->names.count = 1;
    ck_assert(rt_vectors_name_set(&made->names.items[0], "abc", 3));
    made->words.count = 1;
    made->words.items[0].length = 1;
    memcpy(made->words.items[0].text, "w", 2);
}

START_TEST(sends_the_used_items_only)
{
    roundtrip_check(&rt_vectors_numbers_info, fill_numbers, 64);
    ck_assert_uint_eq(rt_vectors_points_info.size, 32);
    ck_assert_uint_eq(rt_vectors_points_info.min_size, 8);
    roundtrip_check(&rt_vectors_points_info, fill_points, 24);
    roundtrip_check(&rt_vectors_tags_info, fill_tags, 40);
    roundtrip_check(&rt_vectors_nested_info, fill_nested, 56);
}
END_TEST

START_TEST(setters_refuse_too_many)
{
    static const uint64_t wide[5];
    rt_vectors_numbers made;

    fill_numbers(&made);
    ck_assert(!rt_vectors_numbers_set_wide(&made, wide, 5));
    ck_assert(!rt_vectors_numbers_set_wide(&made, wide, SIZE_MAX));
    ck_assert_uint_eq(made.wide.count, 3);
    ck_assert_uint_eq(made.wide.items[1], UINT64_MAX);
    ck_assert(rt_vectors_numbers_set_wide(&made, NULL, 0));
    ck_assert_uint_eq(made.wide.count, 0);
}
END_TEST

START_TEST(refuses_a_count_beyond_the_capacity)
{
    rt_vectors_numbers made;
    rt_vectors_nested nested;

    fill_numbers(&made);
    made.small.count = 6;
    roundtrip_expect_fault(&rt_vectors_numbers_info, &made, "small", "more than 5 items", 6, 5);
    fill_nested(&nested);
    nested.lists.items[1].count = 3;
    roundtrip_expect_fault(&rt_vectors_nested_info, &nested, "lists[]", "more than 2 items", 3, 2);
    fill_nested(&nested);
    nested.names.items[0].length = 6;
    roundtrip_expect_fault(&rt_vectors_nested_info, &nested, "names[]", "more than 5 bytes", 6, 5);
}
END_TEST

START_TEST(checks_used_items_and_no_others)
{
    rt_vectors_numbers made;
    rt_vectors_tags tagged;

    fill_numbers(&made);
    made.flags.items[2] = 9;
    roundtrip_expect_valid(&rt_vectors_numbers_info, &made);
    made.flags.count = 3;
    roundtrip_expect_fault(&rt_vectors_numbers_info, &made, "flags[]", "neither 0 nor 1", 9, 1);

    fill_tags(&tagged);
    memset(&tagged.last.items, 0xFF, sizeof tagged.last.items);
    memset(&tagged.first.items[1], 0xFF, sizeof tagged.first.items[1]);
    roundtrip_expect_valid(&rt_vectors_tags_info, &tagged);
    tagged.second[1].open = 3;
    roundtrip_expect_fault(&rt_vectors_tags_info, &tagged, "second[].open", "neither 0 nor 1", 3, 1);
    fill_tags(&tagged);
    tagged.first.items[0].tag.text[0] = (char)0xFF;
    roundtrip_expect_fault(&rt_vectors_tags_info, &tagged, "first[].tag", "not UTF-8, or with a NUL inside", 3, 0);
    fill_tags(&tagged);
    tagged.last.count = 1;
    tagged_set(&tagged.last.items[0], "", 2);
    roundtrip_expect_fault(&rt_vectors_tags_info, &tagged, "last[].open", "neither 0 nor 1", 2, 1);
}
END_TEST

START_TEST(passes_lists_through_a_call)
{
    static const rt_vectors_lists_ops ops = {.numbers = numbers, .points = points, .tags = tags};
    rt_vectors_lists_server server;
    rt_vectors_lists_client *client;
    roundtrip_host host;
    rt_vectors_numbers sent, received;
    rt_vectors_points asked, answered;
    rt_vectors_tags put, got;

    ck_assert_int_eq(rt_vectors_lists_server_init(&server, &ops, "lists", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_vectors_lists_connect(&client, "lists", NULL), 0);
    memset(&sent, 0xAB, sizeof sent);
    fill_numbers(&sent);
    ck_assert_int_eq(rt_vectors_lists_numbers(client, &sent, &received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_vectors_numbers_info, &sent, &received);
    ck_assert_int_eq(received.small.items[1], INT16_MIN);
    ck_assert_uint_eq(received.wide.items[3], 0);
    memset(&asked, 0xAB, sizeof asked);
    fill_points(&asked);
    ck_assert_int_eq(rt_vectors_lists_points(client, &asked, &answered, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_vectors_points_info, &asked, &answered);
    ck_assert_int_eq(answered.points.items[1].y, -70000);
    memset(&put, 0xAB, sizeof put);
    fill_tags(&put);
    ck_assert_int_eq(rt_vectors_lists_tags(client, &put, &got, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_vectors_tags_info, &put, &got);
    ck_assert_str_eq(got.second[1].tag.text, "two");
    rt_vectors_lists_client_free(client);
    roundtrip_stop(&host);
    rt_vectors_lists_server_deinit(&server);
}
END_TEST

static Suite *vectors_suite(void)
{
    Suite *suite = suite_create("roundtrip_vectors");
    TCase *tests = tcase_create("vectors");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, sends_the_used_items_only);
    tcase_add_test(tests, setters_refuse_too_many);
    tcase_add_test(tests, refuses_a_count_beyond_the_capacity);
    tcase_add_test(tests, checks_used_items_and_no_others);
    tcase_add_test(tests, passes_lists_through_a_call);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(vectors_suite)

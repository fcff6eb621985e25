/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strict.c - what refuses the values that it does not know, wherever they stand.
 */
/* clang-format off */
#if 0 /* IDL: strict.shm */
package rt.strict;

strict enum Mode : uint8 { UPSERT = 0; INSERT = 1; REPLACE = 7; }
strict enum Level : int64 { LOWEST = -9223372036854775808; NONE = 0; }
strict flags Access : uint16 { READ = 1; WRITE = 1 << 15; }
enum Lax : uint8 { NONE = 0; }

strict union Number { uint32 small = 1; uint64 large = 4000000000; }
strict union Any { Mode mode = 1; Number number = 2; vector<Access, 3> accesses = 9; }

struct Nested { Mode mode; Number? number; Any[2] anys; }
struct Why { Level level; }

message Everything {
    Level level;
    Mode[2] modes;
    Access access;
    Mode? maybe;
    Lax lax;
    Number number;
    Nested nested;
    vector<Nested, 2> all;
}

errors Error { WRONG(Why) = 1; }
strict service Strictly { rpc pass(Everything) -> (Everything) throws Error; }
service Loosely { rpc pass(Everything) -> (); }
#endif /* IDL */
/* clang-format on */
#include "strict.shm.h"

#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static void nested_set(rt_strict_nested *nested)
{
    rt_strict_number number;

    memset(&number, 0, sizeof number);
    rt_strict_number_set_large(&number, UINT64_MAX);
    nested->mode = RT_STRICT_MODE_REPLACE;
    nested->has_number = 0;
    rt_strict_any_set_mode(&nested->anys[0], RT_STRICT_MODE_INSERT);
    rt_strict_any_set_number(&nested->anys[1], &number);
}

static void fill(void *message)
{
    rt_strict_everything *made = message;

    made->level = RT_STRICT_LEVEL_LOWEST;
    made->modes[0] = RT_STRICT_MODE_UPSERT;
    made->modes[1] = RT_STRICT_MODE_REPLACE;
    made->access = RT_STRICT_ACCESS_READ | RT_STRICT_ACCESS_WRITE;
    made->has_maybe = 0;
    made->lax = 99;
    rt_strict_number_set_small(&made->number, 5);
    nested_set(&made->nested);
    made->all.count = 1;
    nested_set(&made->all.items[0]);
}

static rt_strict_everything filled(void)
{
    rt_strict_everything made;

    memset(&made, 0, sizeof made);
    fill(&made);
    return made;
}

static void refused(const rt_strict_everything *made, const char *field, const char *reason, uint64_t value)
{
    roundtrip_expect_fault(&rt_strict_everything_info, made, field, reason, value, 0);
}

START_TEST(keeps_what_is_known)
{
    roundtrip_check(&rt_strict_everything_info, fill,
                    offsetof(rt_strict_everything, all.items) + sizeof(rt_strict_nested));
}
END_TEST

START_TEST(refuses_values_of_enums_and_bits_of_flags)
{
    static const char enums[] = "not a member of the enum";
    static const char flags[] = "with bits that are no flags";
    rt_strict_everything made = filled();
    uint16_t accesses[] = {1, 0x8001, 2};

    made.level = -1;
    refused(&made, "level", enums, UINT64_MAX);
    made = filled();
    made.modes[1] = 2;
    refused(&made, "modes[]", enums, 2);
    made = filled();
    made.access = 0x4001;
    refused(&made, "access", flags, 0x4001);
    made = filled();
    made.maybe = 3;
    roundtrip_expect_valid(&rt_strict_everything_info, &made); /* it is absent */
    made.has_maybe = 1;
    refused(&made, "maybe", enums, 3);
    made = filled();
    made.all.items[0].mode = 8;
    refused(&made, "all[].mode", enums, 8);
    made = filled();
    made.all.items[1].mode = 8;
    roundtrip_expect_valid(&rt_strict_everything_info, &made); /* it is beyond the count */
    made = filled();
    ck_assert(rt_strict_any_set_accesses(&made.nested.anys[0], accesses, 2));
    roundtrip_expect_valid(&rt_strict_everything_info, &made);
    ck_assert(rt_strict_any_set_accesses(&made.nested.anys[0], accesses, 3));
    refused(&made, "nested.anys[].accesses[]", flags, 2);
    rt_strict_any_set_mode(&made.nested.anys[0], 6);
    refused(&made, "nested.anys[].mode", enums, 6);
}
END_TEST

START_TEST(refuses_tags_that_are_no_arms_and_unions_that_are_unset)
{
    static const char tags[] = "not the tag of an arm";
    rt_strict_everything made = filled();

    made.number.tag = 0;
    refused(&made, "number.tag", tags, 0);
    made.number.tag = 3;
    refused(&made, "number.tag", tags, 3);
    made = filled();
    made.nested.anys[1].tag = 3;
    refused(&made, "nested.anys[].tag", tags, 3);
    made = filled();
    made.all.items[0].anys[1].body.number.tag = 2;
    refused(&made, "all[].anys[].number.tag", tags, 2);
    made = filled();
    made.nested.number.tag = 7;
    roundtrip_expect_valid(&rt_strict_everything_info, &made);
    made.nested.has_number = 1;
    refused(&made, "nested.number.tag", tags, 7);
}
END_TEST

START_TEST(a_default_image_is_refused_until_its_unions_are_set)
{
    rt_strict_everything made;

    rt_strict_everything_init(&made);
    made.nested.anys[0].tag = RT_STRICT_ANY_MODE;
    refused(&made, "number.tag", "not the tag of an arm", 0);
}
END_TEST

/* Answers as the request asks for by its level. */
static int pass(rt_strict_strictly_server *server, rt_strict_strictly_pass_context *context,
                const rt_strict_everything *request, rt_strict_everything *reply)
{
    rt_strict_why why = {RT_STRICT_LEVEL_NONE};

    (void)server;
    *reply = *request;
    if (request->lax == 1)
        reply->modes[0] = 5;
    if (request->lax == 2)
        return rt_strict_strictly_pass_throw_wrong(context, &why);
    return 0;
}

START_TEST(neither_side_sends_what_the_other_would_refuse)
{
    static const rt_strict_strictly_ops ops = {.pass = pass};
    rt_strict_strictly_server server;
    rt_strict_strictly_client *client;
    roundtrip_host host;
    rt_strict_everything sent = filled();
    rt_strict_everything received;

    ck_assert_int_eq(rt_strict_strictly_server_init(&server, &ops, "strict", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_strict_strictly_connect(&client, "strict", NULL), 0);
    ck_assert_int_eq(rt_strict_strictly_pass(client, &sent, &received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_strict_everything_info, &sent, &received);
    sent.modes[0] = 2;
    ck_assert_int_eq(rt_strict_strictly_pass(client, &sent, &received, shmrpc_default()), SHMRPC_E_INVALID);
    sent.modes[0] = 0;
    sent.lax = 1;
    ck_assert_int_eq(rt_strict_strictly_pass(client, &sent, &received, shmrpc_default()), SHMRPC_E_INTERNAL);
    sent.lax = 2;
    ck_assert_int_eq(rt_strict_strictly_pass(client, &sent, &received, shmrpc_default()), RT_STRICT_ERROR_WRONG);
    ck_assert_int_eq(rt_strict_strictly_error_wrong(client)->level, RT_STRICT_LEVEL_NONE);
    rt_strict_strictly_client_free(client);
    roundtrip_stop(&host);
    rt_strict_strictly_server_deinit(&server);
}
END_TEST

START_TEST(a_strict_service_says_so)
{
    ck_assert_uint_eq(rt_strict_strictly_service_info.flags, SHMRPC_SERVICE_STRICT);
    ck_assert_uint_eq(rt_strict_loosely_service_info.flags, 0);
}
END_TEST

static Suite *strict_suite(void)
{
    Suite *suite = suite_create("roundtrip_strict");
    TCase *tests = tcase_create("strict");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_what_is_known);
    tcase_add_test(tests, refuses_values_of_enums_and_bits_of_flags);
    tcase_add_test(tests, refuses_tags_that_are_no_arms_and_unions_that_are_unset);
    tcase_add_test(tests, a_default_image_is_refused_until_its_unions_are_set);
    tcase_add_test(tests, neither_side_sends_what_the_other_would_refuse);
    tcase_add_test(tests, a_strict_service_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(strict_suite)

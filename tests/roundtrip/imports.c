/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imports.c - what one file takes from another: types, payloads, and the checks that belong to them.
 */
/* clang-format off */
#if 0 /* IDL: common/parts.shm */
package rt.parts;

const uint32 MOST = 2;
struct Part { string<4> label; bool fragile; }
union Thing { Part part = 1; uint64 number = 2; }
message Order { vector<Part, MOST> parts; }
errors Failure { BROKEN(Part) = 5; }
#endif /* IDL */
#if 0 /* IDL: imports.shm */
package rt.imports;

import "common/parts.shm" as stock;

struct Box { stock.Part[stock.MOST] parts; stock.Thing thing; }
message Delivery { uint32 id; Box box; stock.Part? extra; }
errors Own { HEAVY(stock.Part) = 1; }

service Depot {
    rpc order(stock.Order) -> (stock.Order) throws stock.Failure;
    rpc deliver(Delivery) -> (Delivery) throws Own;
}
#endif /* IDL */
/* clang-format on */
#include "imports.shm.h"

#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int order(rt_imports_depot_server *server, rt_imports_depot_order_context *context,
                 const rt_parts_order *request, rt_parts_order *reply)
{
    (void)server;
    if (request->parts.count > 0 && request->parts.items[0].fragile)
        return rt_imports_depot_order_throw_broken(context, &request->parts.items[0]);
    *reply = *request;
    return 0;
}

static int deliver(rt_imports_depot_server *server, rt_imports_depot_deliver_context *context,
                   const rt_imports_delivery *request, rt_imports_delivery *reply)
{
    (void)server;
    if (request->has_extra)
        return rt_imports_depot_deliver_throw_heavy(context, &request->extra);
    *reply = *request;
    return 0;
}

static void part_set(rt_parts_part *part, const char *label, uint8_t fragile)
{
    ck_assert(rt_parts_part_set_label(part, label, strlen(label)));
    part->fragile = fragile;
}

static void fill_delivery(void *message)
{
    rt_imports_delivery *made = message;
    rt_parts_part part;

    made->id = 3;
    part_set(&made->box.parts[0], "a", 0);
    part_set(&made->box.parts[1], "b", 1);
    part_set(&part, "c", 1);
    rt_parts_thing_set_part(&made->box.thing, &part);
    rt_imports_delivery_clear_extra(made);
}

START_TEST(keeps_what_is_of_another_file)
{
    roundtrip_check(&rt_imports_delivery_info, fill_delivery, sizeof(rt_imports_delivery));
}
END_TEST

START_TEST(names_the_whole_path)
{
    rt_imports_delivery made;

    fill_delivery(&made);
    made.box.parts[1].fragile = 2;
    roundtrip_expect_fault(&rt_imports_delivery_info, &made, "box.parts[].fragile", "neither 0 nor 1", 2, 1);
    fill_delivery(&made);
    made.box.thing.body.part.label.length = 5;
    roundtrip_expect_fault(&rt_imports_delivery_info, &made, "box.thing.part.label", "more than 4 bytes", 5, 4);
    fill_delivery(&made);
    made.has_extra = 1;
    part_set(&made.extra, "d", 3);
    roundtrip_expect_fault(&rt_imports_delivery_info, &made, "extra.fragile", "neither 0 nor 1", 3, 1);
}
END_TEST

START_TEST(passes_them_through_calls_and_errors)
{
    static const rt_imports_depot_ops ops = {.order = order, .deliver = deliver};
    rt_imports_depot_server server;
    rt_imports_depot_client *client;
    roundtrip_host host;
    rt_parts_order asked, answered;
    rt_imports_delivery sent, received;

    ck_assert_int_eq(rt_imports_depot_server_init(&server, &ops, "depot", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_imports_depot_connect(&client, "depot", NULL), 0);

    rt_parts_order_init(&asked);
    asked.parts.count = 1;
    part_set(&asked.parts.items[0], "bolt", 0);
    ck_assert_int_eq(rt_imports_depot_order(client, &asked, &answered, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_parts_order_info, &asked, &answered);
    part_set(&asked.parts.items[0], "bulb", 1);
    ck_assert_int_eq(rt_imports_depot_order(client, &asked, &answered, shmrpc_default()), RT_PARTS_FAILURE_BROKEN);
    ck_assert_str_eq(rt_imports_depot_failure_broken(client)->label.text, "bulb");
    ck_assert_ptr_null(rt_imports_own_heavy(client));

    memset(&sent, 0xAB, sizeof sent);
    fill_delivery(&sent);
    ck_assert_int_eq(rt_imports_depot_deliver(client, &sent, &received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_imports_delivery_info, &sent, &received);
    part_set(&sent.extra, "lead", 0);
    sent.has_extra = 1;
    ck_assert_int_eq(rt_imports_depot_deliver(client, &sent, &received, shmrpc_default()), RT_IMPORTS_OWN_HEAVY);
    ck_assert_str_eq(rt_imports_own_heavy(client)->label.text, "lead");

    rt_imports_depot_client_free(client);
    roundtrip_stop(&host);
    rt_imports_depot_server_deinit(&server);
}
END_TEST

static Suite *imports_suite(void)
{
    Suite *suite = suite_create("roundtrip_imports");
    TCase *tests = tcase_create("imports");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_what_is_of_another_file);
    tcase_add_test(tests, names_the_whole_path);
    tcase_add_test(tests, passes_them_through_calls_and_errors);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(imports_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * composed.c - a service that takes over the methods of two others, one of them of another file, and places that are
 * reserved.
 */
/* clang-format off */
#if 0 /* IDL: common/health.shm */
package rt.health;

message State { uint32 value; }
errors Trouble { SICK(Sign) = 4; }
struct Sign { bool loud; }
service Health {
    @idempotent rpc check() -> (State);
    rpc examine({ string<8> part; }) -> ({ uint8 score; }) throws Trouble;
    oneway poke();
}
#endif /* IDL */
#if 0 /* IDL: composed.shm */
package rt.composed;

import "common/health.shm" as health;

service Store {
    compose health.Health;
    rpc get({ uint32 key; }) -> ({ uint64 value; });
    compose Counts;
}

service Counts { rpc count() -> ({ uint64 keys; uint64 pokes; }); }

struct Inner { uint8 first; reserved uint64 gone; uint8 second; }
message Spaced {
    uint8 first;
    reserved uint16[3];
    uint8? second;
    Inner inner;
    reserved "third";
    reserved string<20> last;
}
#endif /* IDL */
/* clang-format on */
#include "composed.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static unsigned pokes;

static int check(rt_composed_store_server *server, rt_composed_store_check_context *context, rt_health_state *reply)
{
    (void)server, (void)context;
    reply->value = 7;
    return 0;
}

static int examine(rt_composed_store_server *server, rt_composed_store_examine_context *context,
                   const rt_health_health_examine_request *request, rt_health_health_examine_reply *reply)
{
    rt_health_sign sign = {1};

    (void)server;
    reply->score = (uint8_t)request->part.length;
    return request->part.length > 4 ? rt_composed_store_examine_throw_sick(context, &sign) : 0;
}

static void poke(rt_composed_store_server *server, rt_composed_store_poke_context *context)
{
    (void)server, (void)context;
    pokes++;
}

static int get(rt_composed_store_server *server, rt_composed_store_get_context *context,
               const rt_composed_store_get_request *request, rt_composed_store_get_reply *reply)
{
    (void)server, (void)context;
    reply->value = request->key * 2u;
    return 0;
}

static int count(rt_composed_store_server *server, rt_composed_store_count_context *context,
                 rt_composed_counts_count_reply *reply)
{
    (void)server, (void)context;
    reply->keys = 3;
    reply->pokes = pokes;
    return 0;
}

static const rt_composed_store_ops ops = {.check = check, .examine = examine, .poke = poke, .get = get, .count = count};

START_TEST(serves_composed_methods_as_its_own)
{
    rt_composed_store_server server;
    rt_composed_store_client *client;
    roundtrip_host host;
    rt_health_state state;
    rt_health_health_examine_request part;
    rt_health_health_examine_reply score;
    rt_composed_store_get_request key = {.key = 21};
    rt_composed_store_get_reply value;
    rt_composed_counts_count_reply counted;

    ck_assert_int_eq(rt_composed_store_server_init(&server, &ops, "store", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_composed_store_connect(&client, "store", NULL), 0);

    ck_assert_int_eq(rt_composed_store_check(client, &state, shmrpc_default()), 0);
    ck_assert_uint_eq(state.value, 7);
    rt_health_health_examine_request_init(&part);
    ck_assert(rt_health_health_examine_request_set_part(&part, "knee", 4));
    ck_assert_int_eq(rt_composed_store_examine(client, &part, &score, shmrpc_default()), 0);
    ck_assert_uint_eq(score.score, 4);
    ck_assert(rt_health_health_examine_request_set_part(&part, "elbow", 5));
    ck_assert_int_eq(rt_composed_store_examine(client, &part, &score, shmrpc_default()), RT_HEALTH_TROUBLE_SICK);
    ck_assert_uint_eq(rt_composed_store_trouble_sick(client)->loud, 1);
    ck_assert_int_eq(rt_composed_store_poke(client, shmrpc_default()), 0);
    ck_assert_int_eq(rt_composed_store_get(client, &key, &value, shmrpc_default()), 0);
    ck_assert_uint_eq(value.value, 42);
    ck_assert_int_eq(rt_composed_store_count(client, &counted, shmrpc_default()), 0);
    ck_assert_uint_eq(counted.keys, 3);
    ck_assert_uint_eq(counted.pokes, 1);

    rt_composed_store_client_free(client);
    roundtrip_stop(&host);
    rt_composed_store_server_deinit(&server);
}
END_TEST

START_TEST(numbers_methods_in_the_order_of_the_file)
{
    static const char *const names[] = {"check", "examine", "poke", "get", "count"};

    ck_assert_uint_eq(rt_composed_store_service_info.method_count, 5);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_str_eq(rt_composed_store_service_info.methods[i].name, names[i]);
    ck_assert_uint_eq(RT_COMPOSED_STORE_METHOD_COUNT, 4);
    for (uint32_t i = 0; i < 3; i++) {
        const shmrpc_method_info *own = &rt_health_health_service_info.methods[i];
        ck_assert_uint_eq(rt_composed_store_service_info.methods[i].fingerprint, own->fingerprint);
        ck_assert_uint_eq(rt_composed_store_service_info.methods[i].flags, own->flags);
        ck_assert_ptr_eq(rt_composed_store_service_info.methods[i].request, own->request);
    }
    ck_assert_ptr_null(rt_composed_store_service_info.methods[0].request);
    ck_assert_uint_eq(rt_composed_store_service_info.methods[0].flags, SHMRPC_METHOD_IDEMPOTENT);
}
END_TEST

static void fill_spaced(void *message)
{
    rt_composed_spaced *made = message;

    made->first = 1;
    made->has_second = 1;
    made->second = 2;
    made->inner.first = 3;
    made->inner.second = 4;
}

START_TEST(reserved_places_are_zero_and_ignored)
{
    rt_composed_spaced made;
    size_t used;

    roundtrip_check(&rt_composed_spaced_info, fill_spaced, sizeof made);
    ck_assert_uint_eq(offsetof(rt_composed_spaced, has_second), 8);
    ck_assert_uint_eq(offsetof(rt_composed_inner, second), 16);
    memset(&made, 0xEE, sizeof made);
    fill_spaced(&made);
    unsigned char *image = roundtrip_store(&rt_composed_spaced_info, &made, &used);
    unsigned seen = 0;
    for (size_t i = 0; i < used; i++)
        seen += image[i] != 0;
    ck_assert_uint_eq(seen, 5);
    rt_composed_spaced_info.tidy(&made); /* all that there is has a value: the rest is padding */
    ck_assert_mem_eq(&made, image, used);
    free(image);
}
END_TEST

static Suite *composed_suite(void)
{
    Suite *suite = suite_create("roundtrip_composed");
    TCase *tests = tcase_create("composed");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, serves_composed_methods_as_its_own);
    tcase_add_test(tests, numbers_methods_in_the_order_of_the_file);
    tcase_add_test(tests, reserved_places_are_zero_and_ignored);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(composed_suite)

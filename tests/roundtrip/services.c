/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services.c - methods of every shape, declared errors with and without payload, and the tables that say so.
 */
/* clang-format off */
#if 0 /* IDL: services.shm */
@version(7)
package rt.services;

struct Limit { uint8 kind; uint32 most; string<10> unit; }
struct Pair { uint32 a; uint32 b; }

errors Error { LAST = 32767; FULL(Limit) = 2; CLOSED = 1; ODD(Pair) = 3; }

message Number { uint32 value; }

@c_prefix("shop") @deadline(250ms)
service Shop {
    rpc nothing() -> ();
    rpc ask() -> (Number);
    rpc tell(Number) -> () throws Error;
    @idempotent @deadline(2s) rpc both(Number) -> ({ uint64 twice; string<20> text; }) throws Error;
    @deadline(none) rpc missing(Number) -> (Number);
    oneway shout({ string<30> text; });
    oneway knock();
    oneway unheard();
}

service Second { rpc tell(Number) -> () throws Error; rpc plain() -> (); }
#endif /* IDL */
/* clang-format on */
#include "services.shm.h"

#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

typedef struct shop {
    shop_server base;
    unsigned connected;
    unsigned disconnected;
    int why;
    unsigned knocks;
    char heard[31];
    uint32_t told;
} shop;

static shop *shop_of(shop_server *server)
{
    return (shop *)server;
}

static int nothing(shop_server *server, shop_nothing_context *context)
{
    (void)server, (void)context;
    return 0;
}

static int ask(shop_server *server, shop_ask_context *context, rt_services_number *reply)
{
    (void)context;
    reply->value = shop_of(server)->told;
    return 0;
}

static int tell(shop_server *server, shop_tell_context *context, const rt_services_number *request)
{
    rt_services_limit limit;

    shop_of(server)->told = request->value;
    switch (request->value) {
    case 1: return RT_SERVICES_ERROR_CLOSED;
    case 2:
        memset(&limit, 0xEE, sizeof limit);
        limit.kind = 9;
        limit.most = 100;
        if (!rt_services_limit_set_unit(&limit, "boxes", 5))
            return SHMRPC_E_INTERNAL;
        return shop_tell_throw_full(context, &limit);
    case 3: return RT_SERVICES_ERROR_LAST;
    default: return 0;
    }
}

static int both(shop_server *server, shop_both_context *context, const rt_services_number *request,
                shop_both_reply *reply)
{
    rt_services_pair pair = {request->value, 1};

    (void)server;
    if (request->value % 2 != 0)
        return shop_both_throw_odd(context, &pair);
    reply->twice = (uint64_t)request->value * 2;
    return shop_both_reply_set_text(reply, "twice", 5) ? 0 : SHMRPC_E_INTERNAL;
}

static void shout(shop_server *server, shop_shout_context *context, const shop_shout_request *request)
{
    (void)context;
    memcpy(shop_of(server)->heard, request->text.text, sizeof shop_of(server)->heard);
}

static void knock(shop_server *server, shop_knock_context *context)
{
    (void)context;
    shop_of(server)->knocks++;
}

static void connected(shop_server *server, shmrpc_session *session)
{
    ck_assert_uint_eq(shmrpc_session_id(session), 1);
    shop_of(server)->connected++;
}

static void disconnected(shop_server *server, shmrpc_session *session, int why)
{
    (void)session;
    shop_of(server)->disconnected++;
    shop_of(server)->why = why;
}

static const shop_ops ops = {
    .nothing = nothing,
    .ask = ask,
    .tell = tell,
    .both = both,
    .shout = shout,
    .knock = knock,
    .connected = connected,
    .disconnected = disconnected,
};

static shop served;
static shop_client *client;
static roundtrip_host host;

static void connect_both(void)
{
    runtime_dir_make();
    served = (shop){0};
    ck_assert_int_eq(shop_server_init(&served.base, &ops, "shop", NULL), 0);
    roundtrip_start(&host, &served.base.base);
    ck_assert_int_eq(shop_connect(&client, "shop", NULL), 0);
}

static void disconnect_both(void)
{
    shop_client_free(client);
    roundtrip_stop(&host);
    shop_server_deinit(&served.base);
    runtime_dir_remove();
}

START_TEST(calls_methods_of_every_shape)
{
    rt_services_number number = {.value = 10};
    shop_both_reply reply;

    ck_assert_int_eq(shop_nothing(client, shmrpc_default()), 0);
    ck_assert_int_eq(shop_tell(client, &number, shmrpc_default()), 0);
    number.value = 0;
    ck_assert_int_eq(shop_ask(client, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, 10);
    ck_assert_int_eq(shop_both(client, &number, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply.twice, 20);
    ck_assert_str_eq(reply.text.text, "twice");
    ck_assert_int_eq(shmrpc_client_state(shop_client_base(client)), SHMRPC_CLIENT_UP);
}
END_TEST

START_TEST(sends_oneway_messages_in_order)
{
    shop_shout_request request;

    shop_shout_request_init(&request);
    ck_assert(shop_shout_request_set_text(&request, "is anybody there", 16));
    ck_assert_int_eq(shop_shout(client, &request, shmrpc_default()), 0);
    ck_assert_int_eq(shop_knock(client, shmrpc_default()), 0);
    ck_assert_int_eq(shop_knock(client, shmrpc_default()), 0);
    ck_assert_int_eq(shop_unheard(client, shmrpc_default()), 0);
    ck_assert_int_eq(shop_nothing(client, shmrpc_default()), 0); /* all before it have been served */
    roundtrip_stop(&host);
    ck_assert_str_eq(served.heard, "is anybody there");
    ck_assert_uint_eq(served.knocks, 2);
}
END_TEST

START_TEST(answers_a_null_operation)
{
    rt_services_number number = {.value = 1};

    ck_assert_int_eq(shop_missing(client, &number, &number, shmrpc_in_ms(2000)), SHMRPC_E_UNIMPLEMENTED);
    ck_assert_int_eq(shop_nothing(client, shmrpc_default()), 0);
}
END_TEST

START_TEST(returns_declared_errors_and_their_payloads)
{
    rt_services_number number = {.value = 1};
    shop_both_reply reply = {0};

    ck_assert_int_eq(shop_tell(client, &number, shmrpc_default()), RT_SERVICES_ERROR_CLOSED);
    ck_assert_ptr_null(shop_error_full(client));
    ck_assert_ptr_null(shop_error_odd(client));

    number.value = 2;
    ck_assert_int_eq(shop_tell(client, &number, shmrpc_default()), RT_SERVICES_ERROR_FULL);
    const rt_services_limit *limit = shop_error_full(client);
    ck_assert_ptr_nonnull(limit);
    ck_assert_uint_eq(limit->kind, 9);
    ck_assert_uint_eq(limit->most, 100);
    ck_assert_str_eq(limit->unit.text, "boxes");
    ck_assert_uint_eq(limit->padding_1_[0], 0);
    ck_assert_ptr_null(shop_error_odd(client));

    number.value = 5;
    ck_assert_int_eq(shop_both(client, &number, &reply, shmrpc_default()), RT_SERVICES_ERROR_ODD);
    ck_assert_uint_eq(reply.twice, 0);
    ck_assert_ptr_null(shop_error_full(client));
    ck_assert_uint_eq(shop_error_odd(client)->a, 5);

    number.value = 3;
    ck_assert_int_eq(shop_tell(client, &number, shmrpc_default()), 32767);
    number.value = 4;
    ck_assert_int_eq(shop_tell(client, &number, shmrpc_default()), 0);
    ck_assert_ptr_null(shop_error_odd(client));
}
END_TEST

START_TEST(tells_of_the_session)
{
    ck_assert_int_eq(shop_nothing(client, shmrpc_default()), 0);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.connected, 1);
    shop_server_deinit(&served.base);
    ck_assert_uint_eq(served.disconnected, 1);
    ck_assert_int_eq(served.why, SHMRPC_WHY_STOPPED);
    ck_assert_int_lt(shop_nothing(client, shmrpc_in_ms(5000)), 0);
    ck_assert_int_ne(shmrpc_client_state(shop_client_base(client)), SHMRPC_CLIENT_UP);
}
END_TEST

START_TEST(names_errors)
{
    ck_assert_str_eq(rt_services_error_name(RT_SERVICES_ERROR_FULL), "FULL");
    ck_assert_str_eq(rt_services_error_name(32767), "LAST");
    ck_assert_ptr_null(rt_services_error_name(0));
    ck_assert_ptr_null(rt_services_error_name(SHMRPC_E_TIMEOUT));
}
END_TEST

START_TEST(tables_say_what_the_schema_says)
{
    const shmrpc_method_info *methods = shop_service_info.methods;

    ck_assert_ptr_eq(shop_service_info.abi, &shmrpc_generated_abi_3);
    ck_assert_str_eq(shop_service_info.name, "rt.services.Shop");
    ck_assert_uint_eq(shop_service_info.version, 7);
    ck_assert_uint_eq(shop_service_info.method_count, 8);
    ck_assert_str_eq(methods[3].name, "both");
    ck_assert_uint_eq(methods[3].flags, SHMRPC_METHOD_IDEMPOTENT);
    ck_assert_int_eq(methods[3].timeout_ns, INT64_C(2000000000));
    ck_assert_int_eq(methods[2].timeout_ns, INT64_C(250000000));
    ck_assert_int_eq(methods[4].timeout_ns, SHMRPC_METHOD_DEADLINE_NONE);
    ck_assert_uint_eq(methods[5].flags, SHMRPC_METHOD_ONEWAY);
    ck_assert_ptr_eq(methods[3].request, &rt_services_number_info);
    ck_assert_ptr_eq(methods[3].reply, &shop_both_reply_info);
    ck_assert_ptr_eq(methods[3].errors, &rt_services_error_info);
    ck_assert_ptr_null(methods[6].request);
    ck_assert_ptr_null(methods[6].reply);
    ck_assert_ptr_null(methods[0].errors);
    ck_assert_str_eq(methods[3].reply->name, "rt.services.Shop.both.reply");
    ck_assert_uint_ne(methods[2].fingerprint, methods[3].fingerprint);
    ck_assert_uint_eq(methods[2].fingerprint, rt_services_second_service_info.methods[0].fingerprint);
    ck_assert_int_eq(rt_services_second_service_info.methods[1].timeout_ns, SHMRPC_METHOD_DEADLINE_UNSET);
}
END_TEST

START_TEST(errors_stand_in_the_order_of_their_codes)
{
    static const int32_t codes[] = {1, 2, 3, 32767};

    ck_assert_uint_eq(rt_services_error_info.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(rt_services_error_info.items[i].code, codes[i]);
    ck_assert_ptr_eq(rt_services_error_info.items[1].payload, &rt_services_limit_info);
    ck_assert_ptr_null(rt_services_error_info.items[3].payload);
}
END_TEST

START_TEST(wrong_arguments_are_a_status)
{
    ck_assert_int_eq(shop_connect(NULL, "shop", NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shop_server_init(NULL, &ops, "shop", NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shop_server_init(&served.base, NULL, "shop", NULL), SHMRPC_E_MISUSE);
    shop_client_free(NULL);
}
END_TEST

static Suite *services_suite(void)
{
    Suite *suite = suite_create("roundtrip_services");
    TCase *alone = tcase_create("alone");
    TCase *calls = tcase_create("calls");

    tcase_add_test(alone, names_errors);
    tcase_add_test(alone, tables_say_what_the_schema_says);
    tcase_add_test(alone, errors_stand_in_the_order_of_their_codes);
    tcase_add_test(alone, wrong_arguments_are_a_status);
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(calls, connect_both, disconnect_both);
    tcase_add_test(calls, calls_methods_of_every_shape);
    tcase_add_test(calls, sends_oneway_messages_in_order);
    tcase_add_test(calls, answers_a_null_operation);
    tcase_add_test(calls, returns_declared_errors_and_their_payloads);
    tcase_add_test(calls, tells_of_the_session);
    suite_add_tcase(suite, calls);
    return suite;
}

TEST_MAIN(services_suite)

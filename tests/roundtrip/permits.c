/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits.c - the entry of the table of operations that is asked first, and the numbers it is asked by.
 */
/* clang-format off */
#if 0 /* IDL: permits.shm */
package rt.permits;

message Number { uint32 value; }

@c_prefix("vault") @deadline(10s)
service Vault {
    rpc look() -> (Number);
    rpc put(Number) -> ();
    oneway drop();
    @c_name("empty_it") rpc clear() -> ();
}
#endif /* IDL */
/* clang-format on */
#include "permits.shm.h"

#include <unistd.h>

#include "roundtrip.h"
#include "test_support.h"

typedef struct vault {
    vault_server base;
    uint32_t value;
    uint32_t dropped;
    unsigned asked[4]; /* by method */
    uid_t uid;         /* of who asked last */
    _Atomic(int) answers[4];
} vault;

static vault served;
static vault_client *client;
static roundtrip_host host;

static int look(vault_server *server, vault_look_context *context, rt_permits_number *reply)
{
    (void)context;
    reply->value = ((vault *)server)->value;
    return 0;
}

static int put(vault_server *server, vault_put_context *context, const rt_permits_number *request)
{
    (void)context;
    ((vault *)server)->value = request->value;
    return 0;
}

static void drop(vault_server *server, vault_drop_context *context)
{
    (void)context;
    ((vault *)server)->dropped++;
}

static int permit(vault_server *server, const shmrpc_session *session, uint32_t method)
{
    vault *self = (vault *)server;

    if (method >= 4)
        return SHMRPC_E_INTERNAL;
    self->asked[method]++;
    self->uid = shmrpc_session_peer(session).uid;
    return self->answers[method];
}

static const vault_ops asking = {.look = look, .put = put, .drop = drop, .permit = permit};
static const vault_ops open = {.look = look, .put = put, .drop = drop};

static void connect_to(const vault_ops *ops)
{
    runtime_dir_make();
    served = (vault){.value = 1, .uid = (uid_t)-1};
    ck_assert_int_eq(vault_server_init(&served.base, ops, "vault", NULL), 0);
    roundtrip_start(&host, &served.base.base);
    ck_assert_int_eq(vault_connect(&client, "vault", NULL), 0);
}

static void disconnect(void)
{
    vault_client_free(client);
    roundtrip_stop(&host);
    vault_server_deinit(&served.base);
    runtime_dir_remove();
}

START_TEST(numbers_are_places_in_the_table)
{
    ck_assert_uint_eq(VAULT_METHOD_LOOK, 0);
    ck_assert_uint_eq(VAULT_METHOD_EMPTY_IT, 3);
    ck_assert_str_eq(vault_service_info.methods[VAULT_METHOD_DROP].name, "drop");
    ck_assert_str_eq(vault_service_info.methods[VAULT_METHOD_EMPTY_IT].name, "clear");
}
END_TEST

START_TEST(asks_before_each_operation)
{
    rt_permits_number number = {.value = 7};

    connect_to(&asking);
    ck_assert_int_eq(vault_put(client, &number, shmrpc_default()), 0);
    ck_assert_int_eq(vault_drop(client, shmrpc_default()), 0);
    ck_assert_int_eq(vault_look(client, &number, shmrpc_default()), 0);
    ck_assert_int_eq(vault_look(client, &number, shmrpc_default()), 0);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.asked[VAULT_METHOD_PUT], 1);
    ck_assert_uint_eq(served.asked[VAULT_METHOD_DROP], 1);
    ck_assert_uint_eq(served.asked[VAULT_METHOD_LOOK], 2);
    ck_assert_uint_eq(served.uid, getuid());
    ck_assert_uint_eq(served.dropped, 1);
    disconnect();
}
END_TEST

START_TEST(what_is_not_permitted_does_not_run)
{
    rt_permits_number number = {.value = 7};

    connect_to(&asking);
    served.answers[VAULT_METHOD_PUT] = SHMRPC_E_PERMISSION;
    served.answers[VAULT_METHOD_DROP] = SHMRPC_E_PERMISSION;
    ck_assert_int_eq(vault_put(client, &number, shmrpc_default()), SHMRPC_E_PERMISSION);
    ck_assert_int_eq(vault_drop(client, shmrpc_default()), 0);
    ck_assert_int_eq(vault_look(client, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, 1);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.value, 1);
    ck_assert_uint_eq(served.dropped, 0);
    ck_assert_uint_eq(served.asked[VAULT_METHOD_DROP], 1);
    disconnect();
}
END_TEST

START_TEST(whatever_is_not_zero_is_a_refusal)
{
    rt_permits_number number = {.value = 7};

    connect_to(&asking);
    served.answers[VAULT_METHOD_PUT] = 1;
    served.answers[VAULT_METHOD_LOOK] = SHMRPC_E_TIMEOUT;
    ck_assert_int_eq(vault_put(client, &number, shmrpc_default()), SHMRPC_E_PERMISSION);
    ck_assert_int_eq(vault_look(client, &number, shmrpc_default()), SHMRPC_E_PERMISSION);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.value, 1);
    disconnect();
}
END_TEST

START_TEST(without_it_all_may)
{
    rt_permits_number number = {.value = 7};

    connect_to(&open);
    ck_assert_int_eq(vault_put(client, &number, shmrpc_default()), 0);
    ck_assert_int_eq(vault_look(client, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, 7);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.asked[VAULT_METHOD_LOOK], 0);
    disconnect();
}
END_TEST

static Suite *permits_suite(void)
{
    Suite *suite = suite_create("roundtrip_permits");
    TCase *cases = tcase_create("cases");

    tcase_add_test(cases, numbers_are_places_in_the_table);
    tcase_add_test(cases, asks_before_each_operation);
    tcase_add_test(cases, what_is_not_permitted_does_not_run);
    tcase_add_test(cases, whatever_is_not_zero_is_a_refusal);
    tcase_add_test(cases, without_it_all_may);
    suite_add_tcase(suite, cases);
    return suite;
}

TEST_MAIN(permits_suite)

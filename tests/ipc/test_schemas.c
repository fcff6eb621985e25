/* SPDX-License-Identifier: Apache-2.0 */
/* test_schemas.c - the two sides were made from different schemas: what goes well, what fails at the call, and what is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe_server.h"

static probe_schema theirs, ours;
static probe_process server;
static shmrpc_client *client;

static void setup(void)
{
    probe_case_begin();
    probe_schema_init(&theirs);
    probe_schema_init(&ours);
    client = NULL;
}

static void start_theirs(void)
{
    probe_process_start(&server, &(probe_setup){.service = &theirs.info});
}

static int connect_ours(void)
{
    return shmrpc_client_connect(&client, "probe", &ours.info, NULL);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    probe_process_stop(&server);
    probe_case_end();
}

static void assert_error_has(const char *text)
{
    ck_assert_msg(strstr(shmrpc_last_error(), text) != NULL, "\"%s\" does not say \"%s\"", shmrpc_last_error(), text);
}

START_TEST(fails_a_method_of_another_layout_and_names_both_fingerprints)
{
    char text[32];

    theirs.methods[PROBE_BLOB].fingerprint = UINT64_C(0x0123456789abcdef);
    ours.methods[PROBE_BLOB].fingerprint = UINT64_C(0xfedcba9876543210);
    probe_blob blob = {0};

    start_theirs();
    assert_status(connect_ours(), 0);
    uint64_t begun = atomic_load(&server.state->begun);
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &blob, &blob, shmrpc_default()), SHMRPC_E_MISMATCH);
    assert_error_has("blob");
    snprintf(text, sizeof(text), "%" PRIx64, UINT64_C(0x123456789abcdef));
    assert_error_has(text);
    snprintf(text, sizeof(text), "%" PRIx64, UINT64_C(0xfedcba9876543210));
    assert_error_has(text);
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun);

    /* The others are served. */
    uint64_t reply = 0;
    assert_status(probe_echo(client, 41, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply, 41);
}
END_TEST

/* A strict service, on either side, is connected whole or not at all. */
START_TEST(refuses_all_of_a_strict_service_for_one_method)
{
    theirs.methods[PROBE_BLOB].fingerprint = UINT64_C(0x0123456789abcdef);
    theirs.info.flags = _i == 0 ? SHMRPC_SERVICE_STRICT : 0;
    ours.info.flags = _i == 0 ? 0 : SHMRPC_SERVICE_STRICT;
    start_theirs();
    assert_status(connect_ours(), SHMRPC_E_MISMATCH);
    ck_assert_ptr_null(client);
    assert_error_has("blob");
    assert_error_has("123456789abcdef in the server");
    ck_assert_uint_eq(atomic_load(&server.state->connected), 0);

    ours.methods[PROBE_BLOB].fingerprint = theirs.methods[PROBE_BLOB].fingerprint;
    assert_status(connect_ours(), 0);
    ck_assert(probe_answers_rightly(client, 1, 10));
}
END_TEST

/* A method that the server lacks is no other layout of it. */
START_TEST(connects_to_a_strict_service_that_lacks_a_method)
{
    uint64_t reply = 0;

    ours.methods[PROBE_ECHO].name = "novelty";
    theirs.info.flags = ours.info.flags = SHMRPC_SERVICE_STRICT;
    start_theirs();
    assert_status(connect_ours(), 0);
    assert_status(probe_echo(client, 1, &reply, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
}
END_TEST

START_TEST(answers_a_method_that_the_server_lacks_without_asking_it)
{
    ours.methods[PROBE_ECHO].name = "novelty";
    start_theirs();
    assert_status(connect_ours(), 0);
    uint64_t reply = 3, begun = atomic_load(&server.state->begun);
    for (int i = 0; i < 10; i++)
        assert_status(probe_echo(client, 1, &reply, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    ck_assert_uint_eq(reply, 3);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun + 1);

    shmrpc_server_counts now;
    assert_status(probe_get_counters(client, &now), 0);
    ck_assert_uint_eq(now.calls_failed, 0);

    /* Also while nobody could answer. */
    child_stop(&server.child);
    assert_status(probe_echo(client, 1, &reply, shmrpc_forever()), SHMRPC_E_UNIMPLEMENTED);
    child_continue(&server.child);
}
END_TEST

START_TEST(answers_a_oneway_that_the_server_lacks_without_sending_it)
{
    ours.methods[PROBE_NOTE].name = "novelty";
    start_theirs();
    assert_status(connect_ours(), 0);
    assert_status(probe_note(client, 1, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    assert_status(probe_ping(client, shmrpc_default()), 0);
    ck_assert_uint_eq(atomic_load(&server.state->notes), 0);
}
END_TEST

START_TEST(finds_methods_by_name_where_the_tables_have_another_order)
{
    for (int i = 0; i < PROBE_METHODS; i++)
        theirs.methods[i] = ours.methods[PROBE_METHODS - 1 - i];
    start_theirs();
    assert_status(connect_ours(), 0);
    ck_assert(probe_answers_rightly(client, 1, 50));
    uint64_t reply = 0;
    assert_status(probe_fail(client, PROBE_ERROR_RANGE, &reply, shmrpc_default()), PROBE_ERROR_RANGE);
    ck_assert_ptr_nonnull(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
    assert_status(probe_note(client, 8, shmrpc_default()), 0);
    probe_total total;
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.sum, 8);
}
END_TEST

START_TEST(serves_a_client_that_knows_fewer_methods)
{
    ours.info.method_count = PROBE_BLOB + 1;
    start_theirs();
    assert_status(connect_ours(), 0);
    ck_assert(probe_answers_rightly(client, 1, 20));
    assert_status(probe_ping(client, shmrpc_default()), SHMRPC_E_MISUSE);
}
END_TEST

START_TEST(serves_a_client_that_knows_no_method)
{
    ours.info.method_count = 0;
    start_theirs();
    assert_status(connect_ours(), 0);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
}
END_TEST

START_TEST(fails_a_oneway_that_is_a_call_at_the_other_side)
{
    theirs.methods[PROBE_NOTE].flags = 0;
    if (_i == 1)
        theirs.methods[PROBE_NOTE].fingerprint = 1234;
    start_theirs();
    assert_status(connect_ours(), 0);
    assert_status(probe_note(client, 1, shmrpc_default()), SHMRPC_E_MISMATCH);
    ck_assert_str_eq(shmrpc_last_error(), PROBE_NAME ".note: it is oneway here, an rpc in the server (version 1)");
    ck_assert_uint_eq(atomic_load(&server.state->notes), 0);
}
END_TEST

/* Fingerprints can collide, and tables can be wrong: sizes that differ are another layout too. */
START_TEST(fails_where_sizes_differ_under_one_fingerprint)
{
    static shmrpc_type_info larger;

    larger = probe_value_type;
    larger.size = larger.min_size = 24;
    ours.methods[PROBE_ECHO].request = &larger;
    start_theirs();
    assert_status(connect_ours(), 0);
    uint64_t reply = 0;
    unsigned char request[24] = {0};
    assert_status(shmrpc_client_call(client, PROBE_ECHO, request, &reply, shmrpc_default()), SHMRPC_E_MISMATCH);
    assert_error_has("echo: requests and answers have 24 and 8 bytes here, 8 and 8 in the server (version 1)");
}
END_TEST

START_TEST(refuses_a_service_that_the_server_does_not_have)
{
    ours.info.name = "test.ipc.Other";
    start_theirs();
    assert_status(connect_ours(), SHMRPC_E_REFUSED);
    assert_error_has("test.ipc.Other");
    assert_error_has(PROBE_NAME);
}
END_TEST

START_TEST(refuses_tables_of_another_generated_code_abi)
{
    static const uint32_t other_abi = 1;

    start_theirs();
    ours.info.abi = &other_abi;
    assert_status(connect_ours(), SHMRPC_E_VERSION);
    ck_assert_ptr_null(client);

    probe_server other;
    probe_state *state = probe_state_new();
    assert_status(probe_server_init(&other, state, 0, &(probe_setup){.name = "other", .service = &ours.info}),
                  SHMRPC_E_VERSION);
    probe_state_free(state);
}
END_TEST

static Suite *schemas_suite(void)
{
    Suite *suite = suite_create("ipc_schemas");
    TCase *tests = tcase_create("schemas");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, fails_a_method_of_another_layout_and_names_both_fingerprints);
    tcase_add_loop_test(tests, refuses_all_of_a_strict_service_for_one_method, 0, 2);
    tcase_add_test(tests, connects_to_a_strict_service_that_lacks_a_method);
    tcase_add_test(tests, answers_a_method_that_the_server_lacks_without_asking_it);
    tcase_add_test(tests, answers_a_oneway_that_the_server_lacks_without_sending_it);
    tcase_add_test(tests, finds_methods_by_name_where_the_tables_have_another_order);
    tcase_add_test(tests, serves_a_client_that_knows_fewer_methods);
    tcase_add_test(tests, serves_a_client_that_knows_no_method);
    tcase_add_loop_test(tests, fails_a_oneway_that_is_a_call_at_the_other_side, 0, 2);
    tcase_add_test(tests, fails_where_sizes_differ_under_one_fingerprint);
    tcase_add_test(tests, refuses_a_service_that_the_server_does_not_have);
    tcase_add_test(tests, refuses_tables_of_another_generated_code_abi);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(schemas_suite)

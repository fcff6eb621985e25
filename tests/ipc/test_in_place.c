/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_in_place.c - servers with the option `in_place`: operations get requests where their clients wrote them, and write
 * replies where these will read them; and what is copied all the same. Answers are those of any server.
 */
#include <string.h>

#include "probe_server.h"

#define BOTH 3
#define REPLY_ALONE 2

static probe_process server;
static shmrpc_client *client;
static probe_blob request, reply;

static void begin(bool in_place, const shmrpc_client_options *options)
{
    const shmrpc_server_options in_place_options = {.in_place = in_place};
    const probe_setup setup = {.options = &in_place_options};

    probe_case_begin();
    probe_process_start(&server, &setup);
    assert_status(probe_connect(&client, "probe", options), 0);
}

static void setup(void)
{
    begin(true, &(shmrpc_client_options){.blocks = 4});
}

static void teardown(void)
{
    shmrpc_client_free(client);
    client = NULL;
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_case_end();
}

/* Calls with so many bytes, and expects that answer, from these places. */
static void expect(uint64_t value, uint32_t length, int places)
{
    probe_blob_fill(&request, value, length);
    memset(&reply, 0xee, sizeof(reply));
    assert_status(shmrpc_client_call(client, PROBE_PLACES, &request, &reply, shmrpc_default()), 0);
    ck_assert(probe_blob_answers(&reply, value, length));
    ck_assert_int_eq(atomic_load(&server.state->places), places);
}

START_TEST(operations_work_where_the_client_has_its_messages)
{
    for (uint32_t length = 0; length <= PROBE_BLOB_MAX; length += 143)
        expect(length, length, BOTH);
    expect(1, PROBE_BLOB_MAX, BOTH);
    ck_assert(probe_answers_rightly(client, 1, 50)); /* those in slots, too */
}
END_TEST

START_TEST(without_the_option_all_is_copied)
{
    teardown();
    begin(false, NULL);
    expect(7, 1000, 0);
    ck_assert(probe_answers_rightly(client, 1, 10));
}
END_TEST

/* From the caller's hand to the operation's, and back, without a copy. */
START_TEST(loans_and_views_meet_operations_in_place)
{
    shmrpc_call calls[4] = {0};

    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < 4; i++) {
            void *lent = NULL;

            assert_status(shmrpc_call_loan(client, &calls[i], PROBE_PLACES, &lent), 0);
            probe_blob_fill(lent, i, 500 * round);
            assert_status(shmrpc_call_start_loaned(&calls[i], shmrpc_default(), NULL), 0);
        }
        for (unsigned i = 0; i < 4; i++) {
            const void *at = NULL;

            assert_status(shmrpc_call_view(&calls[i], &at), 0);
            const probe_blob *view = at;
            probe_blob_fill(&request, i, 500 * round);
            ck_assert(view->value == i + 1 && view->length == 500 * round);
            for (uint32_t k = 0; k < view->length; k++)
                ck_assert_uint_eq(view->bytes[k], request.bytes[k] ^ 0xffu);
            ck_assert_int_eq(atomic_load(&server.state->places), BOTH);
            shmrpc_call_release(&calls[i]);
        }
    }
}
END_TEST

START_TEST(an_error_takes_the_place_of_a_reply)
{
    const probe_blob *payload;

    probe_blob_fill(&request, PROBE_PLACES_THROWS, 2000);
    assert_status(shmrpc_client_call(client, PROBE_PLACES, &request, &reply, shmrpc_default()), PROBE_ERROR_BLOB);
    payload = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB);
    ck_assert_ptr_nonnull(payload);
    probe_blob_fill(&reply, 77, 3000);
    ck_assert(payload->value == 77 && payload->length == 3000 && memcmp(payload->bytes, reply.bytes, 3000) == 0);
    probe_blob_fill(&request, PROBE_PLACES_INVALID, 2000);
    assert_status(shmrpc_client_call(client, PROBE_PLACES, &request, &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    ck_assert(probe_state_has_line(server.state, "test.ipc.Probe.places: the handler failed: test.ipc.Blob: 'bytes'"));
    expect(3, 700, BOTH);
}
END_TEST

START_TEST(metadata_stands_before_a_request_in_place)
{
    const shmrpc_client_options carrying = {.metadata = 256, .send_times = true};
    char value[200];

    shmrpc_client_free(client);
    assert_status(probe_connect(&client, "probe", &carrying), 0);
    for (unsigned length = 0; length < sizeof(value); length += 13) {
        memset(value, 'm', sizeof(value));
        value[length] = '\0';
        assert_status(shmrpc_client_set_metadata(client, "key", value), 0);
        expect(length, 10 * length, BOTH);
        expect(length, PROBE_BLOB_MAX, BOTH);
        request.length = 3;
        memcpy(request.bytes, "key", 3);
        assert_status(shmrpc_client_call(client, PROBE_CARRIED, &request, &reply, shmrpc_default()), 0);
        ck_assert(reply.length == length + 1 && memcmp(reply.bytes, value, length + 1) == 0);
    }
}
END_TEST

/* ---- clients that say what is not so ---- */

static size_t store_too_little(void *to, const void *message)
{
    memcpy(to, message, 16); /* and says that there were more bytes */
    return 16;
}

static shmrpc_type_info odd_type;
static probe_schema odd;

static void connect_oddly(const shmrpc_type_info *type)
{
    odd_type = *type;
    probe_schema_init(&odd);
    odd.methods[PROBE_PLACES].request = &odd_type;
    shmrpc_client_free(client);
    client = NULL;
    assert_status(shmrpc_client_connect(&client, "probe", &odd.info, NULL), 0);
}

START_TEST(what_has_not_come_is_filled_in_a_copy)
{
    shmrpc_type_info type = probe_blob_type;

    type.store = store_too_little;
    expect(1, PROBE_BLOB_MAX, BOTH);
    connect_oddly(&type);
    probe_blob_fill(&request, 5, 2000);
    assert_status(shmrpc_client_call(client, PROBE_PLACES, &request, &reply, shmrpc_default()), 0);
    ck_assert_int_eq(atomic_load(&server.state->places), REPLY_ALONE);
    ck_assert(reply.value == 6 && reply.length == 2000);
    for (uint32_t i = 0; i < 2000; i++) /* the first four have come */
        ck_assert_uint_eq(reply.bytes[i], i < 4 ? request.bytes[i] ^ 0xffu : 0xffu);
}
END_TEST

START_TEST(what_is_not_valid_ends_the_connection)
{
    shmrpc_type_info type = probe_blob_type;
    uint64_t begun = atomic_load(&server.state->begun);

    type.validate = NULL;
    type.store = NULL;
    connect_oddly(&type);
    memset(&request, 0, sizeof(request));
    request.length = PROBE_BLOB_MAX + 1;
    int rc = shmrpc_client_call(client, PROBE_PLACES, &request, &reply, shmrpc_default());
    ck_assert(rc == SHMRPC_E_NOT_EXECUTED || rc == SHMRPC_E_UNKNOWN);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun);
}
END_TEST

static Suite *in_place_suite(void)
{
    Suite *suite = suite_create("ipc_in_place");
    TCase *tests = tcase_create("in_place");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, operations_work_where_the_client_has_its_messages);
    tcase_add_test(tests, without_the_option_all_is_copied);
    tcase_add_test(tests, loans_and_views_meet_operations_in_place);
    tcase_add_test(tests, an_error_takes_the_place_of_a_reply);
    tcase_add_test(tests, metadata_stands_before_a_request_in_place);
    tcase_add_test(tests, what_has_not_come_is_filled_in_a_copy);
    tcase_add_test(tests, what_is_not_valid_ends_the_connection);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(in_place_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_calls.c - what one call gives its caller: answers, declared errors, refusals, and handlers that answer rubbish.
 */
#include <limits.h>
#include <string.h>

#include "probe_pair.h"

static void setup(void)
{
    probe_pair_begin(NULL);
}

static uint64_t begun(void)
{
    return atomic_load(&server.state->begun);
}

/* The server still does what it did, for this client. */
static void assert_serves(void)
{
    uint64_t reply = 0;

    assert_status(probe_echo(client, 4711, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply, 4711);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_UP);
}

START_TEST(answers_a_call_in_a_slot)
{
    for (uint64_t value = 0; value < 300; value++) {
        uint64_t reply = ~value;
        assert_status(probe_echo(client, value * UINT64_C(0x0123456789abcdef), &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply, value * UINT64_C(0x0123456789abcdef));
    }
    ck_assert_uint_eq(begun(), 300);
}
END_TEST

START_TEST(answers_a_call_without_messages)
{
    assert_status(probe_ping(client, shmrpc_default()), 0);
    ck_assert_uint_eq(begun(), 1);
}
END_TEST

START_TEST(answers_blobs_of_every_length_around_a_slot_and_at_the_limit)
{
    static const uint32_t lengths[] = {0,  1,  3,  4,  5,  28,   35,   36,   37,   38,
                                       44, 45, 52, 60, 64, 1000, 3999, 4000, 4003, PROBE_BLOB_MAX};
    probe_blob request, reply;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        probe_blob_fill(&request, i * 1000, lengths[i]);
        memset(&reply, 0xee, sizeof(reply));
        assert_status(shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_default()), 0);
        ck_assert_msg(probe_blob_answers(&reply, i * 1000, lengths[i]), "wrong answer for %u bytes", lengths[i]);
    }
}
END_TEST

START_TEST(touches_nothing_of_a_reply_behind_what_was_sent)
{
    probe_blob request, reply;

    probe_blob_fill(&request, 1, PROBE_BLOB_MAX);
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_default()), 0);
    /* The next one is short, and nothing of the long one may show through. */
    probe_blob_fill(&request, 2, 1);
    memset(&reply, 0xee, sizeof(reply));
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_default()), 0);
    ck_assert(probe_blob_answers(&reply, 2, 1));
    for (size_t i = 1; i < PROBE_BLOB_MAX; i++)
        ck_assert_uint_eq(reply.bytes[i], i < 4 ? 0 : 0xee);
}
END_TEST

START_TEST(gives_a_declared_error_and_leaves_the_reply_alone)
{
    uint64_t reply = 99;

    assert_status(probe_fail(client, PROBE_ERROR_PLAIN, &reply, shmrpc_default()), PROBE_ERROR_PLAIN);
    ck_assert_uint_eq(reply, 99);
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_PLAIN));
    assert_serves();
}
END_TEST

START_TEST(gives_the_payload_of_an_error_until_the_next_call)
{
    uint64_t reply = 99;

    assert_status(probe_fail(client, PROBE_ERROR_RANGE, &reply, shmrpc_default()), PROBE_ERROR_RANGE);
    const probe_range *range = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE);
    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(range->lowest, -5);
    ck_assert_int_eq(range->highest, 1000);
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB));
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_PLAIN));
    ck_assert_uint_eq(reply, 99);

    assert_serves();
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
}
END_TEST

START_TEST(gives_a_payload_beyond_a_slot)
{
    uint64_t reply;
    probe_blob wanted;

    for (int i = 0; i < 20; i++) {
        assert_status(probe_fail(client, PROBE_ERROR_BLOB, &reply, shmrpc_default()), PROBE_ERROR_BLOB);
        const probe_blob *blob = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB);
        ck_assert_ptr_nonnull(blob);
        memset(&wanted, 0, sizeof(wanted));
        probe_blob_fill(&wanted, 77, 3000);
        ck_assert_mem_eq(blob, &wanted, sizeof(wanted));
    }
    assert_serves();
}
END_TEST

START_TEST(has_no_payload_for_an_error_that_was_returned_without_one)
{
    uint64_t reply = 5;

    assert_status(probe_fail(client, PROBE_ERROR_RANGE, &reply, shmrpc_default()), PROBE_ERROR_RANGE);
    ck_assert_ptr_nonnull(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
    /* Whatever its status is, no payload of an earlier call shows through. */
    int rc = probe_fail(client, PROBE_FAIL_BARE + PROBE_ERROR_RANGE, &reply, shmrpc_default());
    ck_assert_msg(rc == PROBE_ERROR_RANGE || rc == SHMRPC_E_INTERNAL, "%d", rc);
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
    assert_serves();
}
END_TEST

START_TEST(turns_an_invalid_payload_of_an_error_into_internal)
{
    uint64_t reply = 5;

    assert_status(probe_fail(client, PROBE_ERROR_BLOB + 1, &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(reply, 5);
    ck_assert_uint_ge(atomic_load(&server.state->warnings), 1);
    assert_serves();
}
END_TEST

/* A handler may return 0, an error that its method declares, or a status. */
static const int wrong_codes[] = {5, 3, 32767, 32768, 70000, 65536, 65537, INT_MIN, -70000, -26, -32768, -65536};

START_TEST(turns_a_code_that_a_handler_may_not_return_into_internal)
{
    uint64_t reply = 99;

    assert_status(probe_fail(client, wrong_codes[_i], &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(reply, 99);
    ck_assert_msg(probe_state_has_line(server.state, "fail"), "the server's log does not name the method");
    assert_serves();
}
END_TEST

START_TEST(passes_a_status_that_a_handler_may_return)
{
    uint64_t reply = 99;

    static const int may_travel[] = {
        SHMRPC_E_UNIMPLEMENTED, SHMRPC_E_CANCELLED, SHMRPC_E_EXPIRED, SHMRPC_E_AGAIN,    SHMRPC_E_UNAVAILABLE,
        SHMRPC_E_PERMISSION,    SHMRPC_E_TOO_LARGE, SHMRPC_E_LIMIT,   SHMRPC_E_INTERNAL, SHMRPC_E_NO_MEMORY,
    };
    /* What only the caller's own side can know is not a handler's to say. */
    static const int may_not[] = {
        SHMRPC_E_TIMEOUT,  SHMRPC_E_NOT_SENT,     SHMRPC_E_NOT_EXECUTED, SHMRPC_E_UNKNOWN,
        SHMRPC_E_PROTOCOL, SHMRPC_E_WRONG_THREAD, SHMRPC_E_INVALID,      SHMRPC_E_FORKED,
    };

    for (size_t i = 0; i < sizeof(may_travel) / sizeof(may_travel[0]); i++)
        assert_status(probe_fail(client, may_travel[i], &reply, shmrpc_default()), may_travel[i]);
    for (size_t i = 0; i < sizeof(may_not) / sizeof(may_not[0]); i++)
        assert_status(probe_fail(client, may_not[i], &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(reply, 99);
    assert_serves();
}
END_TEST

START_TEST(answers_unimplemented_where_the_operation_is_missing)
{
    assert_status(shmrpc_client_call(client, PROBE_ABSENT, NULL, NULL, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    assert_serves();
}
END_TEST

START_TEST(refuses_a_method_that_the_table_does_not_have)
{
    uint64_t value = 1;

    assert_status(shmrpc_client_call(client, PROBE_METHODS, &value, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_call(client, UINT32_MAX, &value, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_send(client, PROBE_METHODS, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(begun(), 0);
    assert_serves();
}
END_TEST

START_TEST(refuses_a_call_as_oneway_and_a_oneway_as_call)
{
    uint64_t value = 1, reply = 0;

    assert_status(shmrpc_client_send(client, PROBE_ECHO, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_call(client, PROBE_NOTE, &value, &reply, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(begun(), 0);
    assert_serves();
}
END_TEST

START_TEST(refuses_pointers_that_do_not_fit_the_method)
{
    uint64_t value = 1;

    assert_status(shmrpc_client_call(client, PROBE_ECHO, NULL, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_call(client, PROBE_ECHO, &value, NULL, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_call(NULL, PROBE_ECHO, &value, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_send(client, PROBE_NOTE, NULL, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_send(NULL, PROBE_NOTE, &value, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(begun(), 0);
    assert_serves();
}
END_TEST

START_TEST(refuses_an_invalid_message_at_the_sender_and_names_the_field)
{
    probe_flag request = {.flag = 2}, reply = {0};
    static probe_blob blob = {.length = PROBE_BLOB_MAX + 1};

    assert_status(shmrpc_client_call(client, PROBE_CHECK, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "flag"));
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &blob, &blob, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "bytes"));
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "4005"));

    /* All that was published before an answer comes was seen before it: nothing reached the server. */
    assert_serves();
    ck_assert_uint_eq(begun(), 1);
    ck_assert_uint_eq(atomic_load(&server.state->warnings), 0);
}
END_TEST

START_TEST(checks_a_message_alone_as_a_sender_does)
{
    assert_status(shmrpc_message_check(&probe_flag_type, &(probe_flag){.flag = 1}), 0);
    assert_status(shmrpc_message_check(&probe_flag_type, &(probe_flag){.flag = 255}), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "flag"));
    assert_status(shmrpc_message_check(&probe_value_type, &(probe_value){1}), 0);
}
END_TEST

START_TEST(turns_an_invalid_reply_of_a_handler_into_internal)
{
    probe_flag request = {.flag = 1, .value = 7}, reply = {.flag = 77};

    assert_status(shmrpc_client_call(client, PROBE_CHECK, &request, &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(reply.flag, 77);
    ck_assert_msg(probe_state_has_line(server.state, "flag"), "the server's log does not name the field");

    request.value = 1;
    assert_status(shmrpc_client_call(client, PROBE_CHECK, &request, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply.flag, 1);
    assert_serves();
}
END_TEST

START_TEST(delivers_oneways_in_order_and_once)
{
    probe_total total;

    /* More than the ring holds, so that it wraps several times. */
    for (uint64_t i = 1; i <= 1000; i++)
        assert_status(probe_note(client, i, shmrpc_default()), 0);
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.count, 1000);
    ck_assert_uint_eq(total.sum, 500500);
    ck_assert_uint_eq(atomic_load(&server.state->notes), 1000);
}
END_TEST

START_TEST(gives_a_handler_the_time_that_its_caller_has)
{
    uint64_t left = 0;

    assert_status(shmrpc_client_call(client, PROBE_BUDGET, NULL, &left, shmrpc_in_ms(700)), 0);
    ck_assert_int_gt((int64_t)left, 0);
    ck_assert_int_le((int64_t)left, INT64_C(700000000));

    /* The method's own deadline is 7 s. */
    assert_status(shmrpc_client_call(client, PROBE_BUDGET, NULL, &left, shmrpc_default()), 0);
    ck_assert_int_gt((int64_t)left, INT64_C(5000000000));
    ck_assert_int_le((int64_t)left, INT64_C(7000000000));

    assert_status(shmrpc_client_call(client, PROBE_BUDGET, NULL, &left, shmrpc_forever()), 0);
    ck_assert_int_eq((int64_t)left, INT64_MAX);
}
END_TEST

START_TEST(counts_calls_and_failed_calls)
{
    shmrpc_server_counts before, after;
    uint64_t reply;

    assert_status(probe_get_counters(client, &before), 0);
    assert_status(probe_echo(client, 1, &reply, shmrpc_default()), 0);
    assert_status(probe_fail(client, PROBE_ERROR_PLAIN, &reply, shmrpc_default()), PROBE_ERROR_PLAIN);
    assert_status(probe_fail(client, 70000, &reply, shmrpc_default()), SHMRPC_E_INTERNAL);
    assert_status(shmrpc_client_call(client, PROBE_ABSENT, NULL, NULL, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    assert_status(probe_get_counters(client, &after), 0);
    ck_assert_uint_eq(after.calls - before.calls, 5);
    ck_assert_uint_eq(after.calls_failed - before.calls_failed, 2);
    ck_assert_uint_eq(after.sessions_accepted, 1);
    ck_assert_uint_eq(after.sessions_open, 1);
    ck_assert_uint_eq(after.sessions_dropped, 0);
    ck_assert_uint_eq(after.sessions_refused, 0);
}
END_TEST

static Suite *calls_suite(void)
{
    Suite *suite = suite_create("ipc_calls");
    TCase *tests = tcase_create("calls");

    tcase_add_checked_fixture(tests, setup, probe_pair_end);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, answers_a_call_in_a_slot);
    tcase_add_test(tests, answers_a_call_without_messages);
    tcase_add_test(tests, answers_blobs_of_every_length_around_a_slot_and_at_the_limit);
    tcase_add_test(tests, touches_nothing_of_a_reply_behind_what_was_sent);
    tcase_add_test(tests, gives_a_declared_error_and_leaves_the_reply_alone);
    tcase_add_test(tests, gives_the_payload_of_an_error_until_the_next_call);
    tcase_add_test(tests, gives_a_payload_beyond_a_slot);
    tcase_add_test(tests, has_no_payload_for_an_error_that_was_returned_without_one);
    tcase_add_test(tests, turns_an_invalid_payload_of_an_error_into_internal);
    tcase_add_loop_test(tests, turns_a_code_that_a_handler_may_not_return_into_internal, 0,
                        (int)(sizeof(wrong_codes) / sizeof(wrong_codes[0])));
    tcase_add_test(tests, passes_a_status_that_a_handler_may_return);
    tcase_add_test(tests, answers_unimplemented_where_the_operation_is_missing);
    tcase_add_test(tests, refuses_a_method_that_the_table_does_not_have);
    tcase_add_test(tests, refuses_a_call_as_oneway_and_a_oneway_as_call);
    tcase_add_test(tests, refuses_pointers_that_do_not_fit_the_method);
    tcase_add_test(tests, refuses_an_invalid_message_at_the_sender_and_names_the_field);
    tcase_add_test(tests, checks_a_message_alone_as_a_sender_does);
    tcase_add_test(tests, turns_an_invalid_reply_of_a_handler_into_internal);
    tcase_add_test(tests, delivers_oneways_in_order_and_once);
    tcase_add_test(tests, gives_a_handler_the_time_that_its_caller_has);
    tcase_add_test(tests, counts_calls_and_failed_calls);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(calls_suite)

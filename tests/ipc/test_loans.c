/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loans.c - calls in place: a request that is written where the server reads it, a reply that is read where the
 * server wrote it; and how such calls end.
 */
#include <string.h>

#include "loan_calls.h"

static probe_blob filler, answer;

/* ---- in place ---- */

START_TEST(a_request_is_written_where_the_server_reads_it)
{
    shmrpc_call call = {0};

    for (unsigned i = 0; i < 3 * LOAN_BLOCKS; i++) {
        probe_blob *request = loan_blob(&call);

        ck_assert(probe_is_shared(request));
        ck_assert(request->value == 0 && request->length == 0);
        probe_blob_fill(request, i, 300 * i);
        assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), 0);
        assert_status(shmrpc_call_wait(&call, &answer), 0);
        ck_assert(probe_blob_answers(&answer, i, 300 * i));
    }
}
END_TEST

START_TEST(a_reply_is_read_where_the_server_wrote_it)
{
    shmrpc_call calls[LOAN_BLOCKS] = {0};

    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < LOAN_BLOCKS; i++)
            loan_start_blob(&calls[i], 10 * round + i);
        for (unsigned i = LOAN_BLOCKS; i-- > 0;)
            (void)loan_view_blob(&calls[i], 10 * round + i);
        for (unsigned i = 0; i < LOAN_BLOCKS; i++)
            shmrpc_call_release(&calls[i]);
    }
}
END_TEST

START_TEST(other_calls_come_and_go_beside_loans_and_views)
{
    shmrpc_call lent = {0}, viewed = {0}, small = {0};
    probe_blob *request = loan_blob(&lent);
    void *value;

    probe_blob_fill(request, 3, 700);
    loan_start_blob(&viewed, 40);
    const probe_blob *view = loan_view_blob(&viewed, 40);
    assert_status(shmrpc_call_loan(client, &small, PROBE_ECHO, &value), 0);
    *(uint64_t *)value = 77;
    ck_assert(probe_answers_rightly(client, 9, 5 * LOAN_DEPTH));
    ck_assert_uint_eq(view->value, 41);
    assert_status(shmrpc_call_start_loaned(&small, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&lent, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 3, 700));
    probe_expect_echo(&small, 77);
    ck_assert(view->value == 41);
    shmrpc_call_release(&viewed);
}
END_TEST

START_TEST(what_fits_into_a_slot_is_in_the_object)
{
    shmrpc_call calls[2] = {0};

    for (unsigned i = 0; i < 40; i++) {
        shmrpc_call *call = &calls[i % 2];
        void *request = NULL;
        const void *view = NULL;

        assert_status(shmrpc_call_loan(client, call, PROBE_ECHO, &request), 0);
        ck_assert(loan_is_within(request, call));
        ck_assert_uint_eq(*(uint64_t *)request, 0);
        *(uint64_t *)request = i;
        assert_status(shmrpc_call_start_loaned(call, shmrpc_default(), NULL), 0);
        if (i % 3 == 0) /* its answer is taken out of the slot meanwhile */
            ck_assert(probe_answers_rightly(client, 9, LOAN_DEPTH));
        assert_status(shmrpc_call_view(call, &view), 0);
        ck_assert(loan_is_within(view, call));
        ck_assert_uint_eq(*(const uint64_t *)view, i);
        ck_assert(probe_answers_rightly(client, 1, 1));
        shmrpc_call_release(call);
    }
}
END_TEST

/* Unread answers leave their slots when these are needed; what is viewed has left before. */
START_TEST(answers_are_viewed_after_their_slots_were_used_again)
{
    shmrpc_call large = {0}, small[3 * LOAN_DEPTH] = {0};

    loan_start_blob(&large, 6);
    for (unsigned i = 0; i < 3 * LOAN_DEPTH; i++)
        assert_status(probe_start(client, &small[i], PROBE_ECHO, i, shmrpc_default(), NULL), 0);
    (void)loan_view_blob(&large, 6);
    for (unsigned i = 0; i < 3 * LOAN_DEPTH; i++) {
        const void *view = NULL;

        assert_status(shmrpc_call_view(&small[i], &view), 0);
        ck_assert_uint_eq(*(const uint64_t *)view, i);
    }
    ck_assert(probe_answers_rightly(client, 9, 2 * LOAN_DEPTH));
    shmrpc_call_release(&large);
    for (unsigned i = 0; i < 3 * LOAN_DEPTH; i++)
        shmrpc_call_release(&small[i]);
}
END_TEST

START_TEST(again_while_all_blocks_are_lent)
{
    shmrpc_call lent[LOAN_BLOCKS] = {0}, late = {0};
    void *request;

    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        probe_blob_fill(loan_blob(&lent[i]), i, 100);
    assert_status(shmrpc_call_loan(client, &late, PROBE_BLOB, &request), SHMRPC_E_AGAIN);
    probe_blob_fill(&filler, 1, 100);
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &filler, &answer, shmrpc_forever()), SHMRPC_E_AGAIN);
    assert_status(probe_start(client, &late, PROBE_ECHO, 4, shmrpc_default(), NULL), 0);
    probe_expect_echo(&late, 4);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        assert_status(shmrpc_call_start_loaned(&lent[i], shmrpc_default(), NULL), 0);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++) {
        assert_status(shmrpc_call_wait(&lent[i], &answer), 0);
        ck_assert(probe_blob_answers(&answer, i, 100));
    }
}
END_TEST

START_TEST(views_keep_blocks_until_they_are_released)
{
    shmrpc_call viewed[LOAN_BLOCKS] = {0}, late = {0};

    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        loan_start_blob(&viewed[i], i);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        (void)loan_view_blob(&viewed[i], i);
    probe_blob *request = loan_blob(&late); /* room for requests there is */
    probe_blob_fill(request, 8, 60);
    assert_status(shmrpc_call_start_loaned(&late, shmrpc_forever(), NULL), SHMRPC_E_AGAIN);
    shmrpc_call_release(&viewed[2]);
    ck_assert(request->value == 8 && request->length == 60);
    assert_status(shmrpc_call_start_loaned(&late, shmrpc_forever(), NULL), 0);
    assert_status(shmrpc_call_wait(&late, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 8, 60));
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        shmrpc_call_release(&viewed[i]);
}
END_TEST

START_TEST(loans_of_a_batch_are_published_with_it)
{
    shmrpc_call calls[LOAN_BLOCKS] = {0};

    shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        loan_start_blob(&calls[i], i);
    shmrpc_call early = {0};
    void *request;
    assert_status(shmrpc_call_loan(client, &early, PROBE_BLOB, &request), SHMRPC_E_AGAIN); /* publishes them */
    assert_status(shmrpc_client_batch_end(client), 0);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++) {
        (void)loan_view_blob(&calls[i], i);
        shmrpc_call_release(&calls[i]);
    }
}
END_TEST

typedef struct told {
    shmrpc_call call;
    int rc;
    uint64_t value;
    unsigned times;
} told;

static void on_done(shmrpc_call *call, int rc, const void *reply)
{
    told *self = (told *)(void *)call;

    self->times++;
    self->rc = rc;
    self->value = reply == NULL ? 0 : ((const probe_blob *)reply)->value;
}

START_TEST(a_loan_may_end_in_a_callback)
{
    told self = {0};
    const void *view;

    probe_blob_fill(loan_blob(&self.call), 60, 800);
    assert_status(shmrpc_call_start_loaned(&self.call, shmrpc_default(), on_done), 0);
    assert_status(shmrpc_call_view(&self.call, &view), SHMRPC_E_MISUSE);
    await_true(shmrpc_client_dispatch(client, 4) == 0 && self.times != 0);
    ck_assert_uint_eq(self.times, 1);
    assert_status(self.rc, 0);
    ck_assert_uint_eq(self.value, 61);
}
END_TEST

/* ---- how calls end ---- */

START_TEST(what_is_invalid_stays_a_loan)
{
    shmrpc_call call = {0};
    probe_blob *request = loan_blob(&call);
    uint64_t begun = atomic_load(&server.state->begun);

    request->length = PROBE_BLOB_MAX + 1;
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "bytes"));
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun);
    probe_blob_fill(request, 2, PROBE_BLOB_MAX);
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&call, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 2, PROBE_BLOB_MAX));
}
END_TEST

START_TEST(errors_end_a_call_that_is_viewed)
{
    const probe_blob *payload;
    const void *view = &filler;
    shmrpc_call call = {0};
    void *request;

    assert_status(shmrpc_call_loan(client, &call, PROBE_FAIL, &request), 0);
    *(uint64_t *)request = PROBE_ERROR_BLOB;
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_view(&call, &view), PROBE_ERROR_BLOB);
    ck_assert_ptr_eq(view, &filler);
    payload = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB);
    ck_assert_ptr_nonnull(payload);
    ck_assert(payload->value == 77 && payload->length == 3000);
    shmrpc_call_release(&call);
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);
    ck_assert_ptr_nonnull(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB));
}
END_TEST

START_TEST(a_loan_that_finds_no_slot_before_its_deadline_stays)
{
    shmrpc_call held[LOAN_DEPTH] = {0}, lent = {0};
    probe_blob *request = loan_blob(&lent);

    probe_blob_fill(request, 1, 90);
    for (unsigned i = 0; i < LOAN_DEPTH; i++)
        assert_status(probe_start(client, &held[i], PROBE_HOLD, i + 1, shmrpc_forever(), NULL), 0);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_in_ms(20), NULL), SHMRPC_E_NOT_SENT);
    probe_gate_pass(&server, LOAN_DEPTH);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_forever(), NULL), 0);
    for (unsigned i = 0; i < LOAN_DEPTH; i++)
        probe_expect_echo(&held[i], i + 1);
    assert_status(shmrpc_call_wait(&lent, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 1, 90));
}
END_TEST

START_TEST(a_call_that_times_out_or_is_cancelled_gives_all_back)
{
    shmrpc_call held = {0}, cancelled = {0};
    const void *view = NULL;
    void *request;

    assert_status(shmrpc_call_loan(client, &held, PROBE_HOLD_BLOB, &request), 0);
    probe_blob_fill(request, 5, 100);
    shmrpc_call_cancel(&held); /* it is not in flight */
    assert_status(shmrpc_call_start_loaned(&held, shmrpc_in_ms(30), NULL), 0);
    loan_start_blob(&cancelled, 4);
    shmrpc_call_cancel(&cancelled);
    await_true(atomic_load(&server.state->holding) == 5);
    assert_status(shmrpc_call_view(&held, &view), SHMRPC_E_TIMEOUT);
    probe_gate_pass(&server, 1);
    assert_status(shmrpc_call_view(&cancelled, &view), SHMRPC_E_CANCELLED);
    ck_assert_ptr_null(view);
}
END_TEST

static Suite *loans_suite(void)
{
    Suite *suite = suite_create("ipc_loans");
    TCase *tests = tcase_create("loans");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, loan_setup, loan_teardown);
    tcase_add_test(tests, a_request_is_written_where_the_server_reads_it);
    tcase_add_test(tests, a_reply_is_read_where_the_server_wrote_it);
    tcase_add_test(tests, other_calls_come_and_go_beside_loans_and_views);
    tcase_add_test(tests, what_fits_into_a_slot_is_in_the_object);
    tcase_add_test(tests, answers_are_viewed_after_their_slots_were_used_again);
    tcase_add_test(tests, again_while_all_blocks_are_lent);
    tcase_add_test(tests, views_keep_blocks_until_they_are_released);
    tcase_add_test(tests, loans_of_a_batch_are_published_with_it);
    tcase_add_test(tests, a_loan_may_end_in_a_callback);
    tcase_add_test(tests, what_is_invalid_stays_a_loan);
    tcase_add_test(tests, errors_end_a_call_that_is_viewed);
    tcase_add_test(tests, a_loan_that_finds_no_slot_before_its_deadline_stays);
    tcase_add_test(tests, a_call_that_times_out_or_is_cancelled_gives_all_back);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(loans_suite)

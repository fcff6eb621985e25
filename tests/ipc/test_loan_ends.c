/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loan_ends.c - loans and views that are misused, or whose thread, client or server ends; servers of an older
 * version; what goes with a call.
 */
#include <pthread.h>
#include <string.h>

#include "loan_calls.h"

static probe_blob answer;

/* ---- misuse ---- */

START_TEST(misuse_is_a_status)
{
    shmrpc_call call = {0};
    const void *view;
    void *request;

    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_start_loaned(NULL, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_view(NULL, &view), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);
    shmrpc_call_abandon(NULL);
    shmrpc_call_abandon(&call);
    shmrpc_call_release(NULL);
    shmrpc_call_release(&call);
    assert_status(shmrpc_call_loan(NULL, &call, PROBE_BLOB, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, NULL, PROBE_BLOB, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_BLOB, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_METHODS, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_NOTE, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_PING, &request), SHMRPC_E_MISUSE);

    probe_blob_fill(loan_blob(&call), 3, 2000); /* lent */
    assert_status(shmrpc_call_loan(client, &call, PROBE_BLOB, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_ECHO, &request), SHMRPC_E_MISUSE);
    assert_status(probe_start(client, &call, PROBE_ECHO, 1, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_wait(&call, &answer), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);
    shmrpc_call_release(&call);
    shmrpc_call_cancel(&call);

    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), 0); /* in flight */
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_BLOB, &request), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_view(&call, NULL), SHMRPC_E_MISUSE);
    shmrpc_call_abandon(&call);
    shmrpc_call_release(&call);

    (void)loan_view_blob(&call, 3); /* viewed */
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_wait(&call, &answer), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_loan(client, &call, PROBE_BLOB, &request), SHMRPC_E_MISUSE);
    assert_status(probe_start(client, &call, PROBE_ECHO, 1, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    shmrpc_call_abandon(&call);
    shmrpc_call_cancel(&call);
    shmrpc_call_release(&call);
    shmrpc_call_release(&call);
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);

    assert_status(probe_ping(client, shmrpc_default()), 0); /* no reply to view */
    assert_status(shmrpc_call_start(client, &call, PROBE_PING, NULL, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_view(&call, &view), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_wait(&call, NULL), 0);
}
END_TEST

typedef struct stranger {
    shmrpc_call *lent, *viewed;
    int started, loaned, viewed_again;
} stranger;

static void *use_as_a_stranger(void *data)
{
    stranger *self = data;
    const void *view;
    void *request;

    shmrpc_call_abandon(self->lent);
    shmrpc_call_release(self->viewed);
    self->started = shmrpc_call_start_loaned(self->lent, shmrpc_default(), NULL);
    self->loaned = shmrpc_call_loan(client, self->lent, PROBE_BLOB, &request);
    self->viewed_again = shmrpc_call_view(self->viewed, &view);
    return NULL;
}

START_TEST(loans_and_views_belong_to_their_thread)
{
    shmrpc_call lent = {0}, viewed = {0};
    stranger other = {.lent = &lent, .viewed = &viewed};
    pthread_t thread;

    probe_blob_fill(loan_blob(&lent), 8, 50);
    loan_start_blob(&viewed, 2);
    const probe_blob *view = loan_view_blob(&viewed, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, use_as_a_stranger, &other), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    assert_status(other.started, SHMRPC_E_WRONG_THREAD);
    assert_status(other.loaned, SHMRPC_E_MISUSE);
    assert_status(other.viewed_again, SHMRPC_E_WRONG_THREAD);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&lent, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 8, 50));
    ck_assert_uint_eq(view->value, 3);
    shmrpc_call_release(&viewed);
}
END_TEST

static shmrpc_call inherited_lent, inherited_viewed;

static int use_inherited(child_link *link, void *data)
{
    const void *view;

    (void)link;
    (void)data;
    child_check(shmrpc_call_start_loaned(&inherited_lent, shmrpc_default(), NULL) == SHMRPC_E_FORKED, "not FORKED");
    child_check(shmrpc_call_view(&inherited_viewed, &view) == SHMRPC_E_FORKED, "a view is not FORKED");
    shmrpc_call_abandon(&inherited_lent);
    shmrpc_call_release(&inherited_viewed);
    shmrpc_client_free(client);
    child_check(shmrpc_call_start_loaned(&inherited_lent, shmrpc_default(), NULL) == SHMRPC_E_CANCELLED,
                "freed, and not CANCELLED");
    return 0;
}

START_TEST(a_forked_child_has_no_part_of_loans_and_views)
{
    child forked;

    probe_blob_fill(loan_blob(&inherited_lent), 8, 50);
    loan_start_blob(&inherited_viewed, 2);
    const probe_blob *view = loan_view_blob(&inherited_viewed, 2);
    child_spawn(&forked, use_inherited, NULL);
    child_expect_exit(&forked, 0);
    ck_assert_uint_eq(view->value, 3);
    assert_status(shmrpc_call_start_loaned(&inherited_lent, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&inherited_lent, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 8, 50));
    shmrpc_call_release(&inherited_viewed);
}
END_TEST

/* ---- ends of threads, clients and servers ---- */

typedef struct leaver {
    shmrpc_call *lent, *viewed, *small, *started;
} leaver;

static void *leave_with_loans(void *data)
{
    leaver *self = data;
    shmrpc_call on_stack[2] = {0};
    void *request;

    assert_status(probe_ping(client, shmrpc_default()), 0);
    probe_blob_fill(loan_blob(self->lent), 8, 50);
    (void)loan_blob(&on_stack[0]);
    loan_start_blob(&on_stack[1], 5);
    (void)loan_view_blob(&on_stack[1], 5);
    assert_status(shmrpc_call_loan(client, self->small, PROBE_ECHO, &request), 0);
    loan_start_blob(self->viewed, 9);
    (void)loan_view_blob(self->viewed, 9);
    loan_start_blob(self->started, 7);
    return NULL;
}

static void *take_all_blocks(void *data)
{
    loan_expect_all_blocks();
    return data;
}

START_TEST(a_thread_that_ends_gives_loans_and_views_back)
{
    for (unsigned round = 0; round < 3; round++) {
        shmrpc_call lent = {0}, viewed = {0}, small = {0}, started = {0};
        leaver self = {&lent, &viewed, &small, &started};
        const void *view;
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, leave_with_loans, &self), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        shmrpc_call_abandon(&lent);
        shmrpc_call_release(&viewed);
        assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), SHMRPC_E_CANCELLED);
        assert_status(shmrpc_call_start_loaned(&small, shmrpc_default(), NULL), SHMRPC_E_CANCELLED);
        assert_status(shmrpc_call_view(&viewed, &view), SHMRPC_E_CANCELLED);
        assert_status(shmrpc_call_view(&started, &view), SHMRPC_E_CANCELLED);
        ck_assert_int_eq(pthread_create(&thread, NULL, take_all_blocks, NULL), 0); /* in the same lane */
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
}
END_TEST

START_TEST(a_client_that_is_freed_ends_loans_and_views)
{
    shmrpc_call lent = {0}, viewed = {0}, small = {0};
    const void *view;
    void *request;

    probe_blob_fill(loan_blob(&lent), 8, 50);
    loan_start_blob(&viewed, 9);
    (void)loan_view_blob(&viewed, 9);
    assert_status(shmrpc_call_loan(client, &small, PROBE_ECHO, &request), 0);
    shmrpc_client_free(client);
    client = NULL;
    shmrpc_call_abandon(&lent);
    shmrpc_call_release(&viewed);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), SHMRPC_E_CANCELLED);
    assert_status(shmrpc_call_start_loaned(&small, shmrpc_default(), NULL), SHMRPC_E_CANCELLED);
    assert_status(shmrpc_call_view(&viewed, &view), SHMRPC_E_CANCELLED);
    assert_status(shmrpc_call_view(&viewed, &view), SHMRPC_E_MISUSE);
    assert_status(probe_connect(&client, "probe", &loan_options), 0);
    probe_blob_fill(loan_blob(&lent), 1, 70); /* the objects are the caller's again */
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&lent, &answer), 0);
    ck_assert(probe_blob_answers(&answer, 1, 70));
}
END_TEST

START_TEST(a_death_leaves_loans_and_views_where_they_are)
{
    shmrpc_call lent = {0}, small = {0}, viewed = {0}, unread = {0};
    probe_blob *request = loan_blob(&lent);
    void *value;

    probe_blob_fill(request, 8, 50);
    assert_status(shmrpc_call_loan(client, &small, PROBE_ECHO, &value), 0);
    loan_start_blob(&viewed, 9);
    const probe_blob *view = loan_view_blob(&viewed, 9);
    loan_start_blob(&unread, 11);
    assert_status(probe_ping(client, shmrpc_default()), 0); /* so its answer is there */
    probe_process_kill(&server);
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_GONE);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), SHMRPC_E_NOT_SENT);
    assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), SHMRPC_E_NOT_SENT);
    assert_status(shmrpc_call_start_loaned(&small, shmrpc_default(), NULL), SHMRPC_E_NOT_SENT);
    ck_assert(request->value == 8 && request->length == 50);
    ck_assert_uint_eq(view->value, 10);
    (void)loan_view_blob(&unread, 11);
    shmrpc_call_release(&unread);
    shmrpc_call_release(&viewed);
    shmrpc_call_abandon(&lent);
    shmrpc_call_abandon(&small);
    assert_status(shmrpc_call_loan(client, &lent, PROBE_BLOB, &value), SHMRPC_E_NOT_SENT);
    probe_forget("probe");
    probe_process_start(&server, NULL);
}
END_TEST

START_TEST(a_loan_goes_over_to_the_next_connection)
{
    shmrpc_client_options renewing = loan_options;
    shmrpc_call lent = {0}, small = {0}, viewed = {0}, abandoned = {0};
    const void *view_of_small = NULL;
    void *value;

    renewing.reconnect = true;
    shmrpc_client_free(client);
    assert_status(probe_connect(&client, "probe", &renewing), 0);
    for (unsigned round = 0; round < 3; round++) {
        probe_blob *request = loan_blob(&lent);

        probe_blob_fill(request, 8, 50);
        (void)loan_blob(&abandoned);
        assert_status(shmrpc_call_loan(client, &small, PROBE_ECHO, &value), 0);
        *(uint64_t *)value = 6;
        loan_start_blob(&viewed, 9);
        const probe_blob *view = loan_view_blob(&viewed, 9);
        probe_process_kill(&server);
        probe_forget("probe");
        await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
        if (round == 1)
            assert_status(shmrpc_call_start_loaned(&lent, shmrpc_in_ms(30), NULL), SHMRPC_E_NOT_SENT);
        probe_process_start(&server, NULL);
        if (round == 2)
            ck_assert(probe_answers_rightly(client, 1, 3)); /* connected anew before */
        ck_assert_uint_eq(request->value, 8);
        assert_status(shmrpc_call_start_loaned(&lent, shmrpc_default(), NULL), 0);
        assert_status(shmrpc_call_start_loaned(&small, shmrpc_default(), NULL), 0);
        assert_status(shmrpc_call_wait(&lent, &answer), 0);
        ck_assert(probe_blob_answers(&answer, 8, 50));
        assert_status(shmrpc_call_view(&small, &view_of_small), 0);
        ck_assert_uint_eq(*(const uint64_t *)view_of_small, 6);
        ck_assert_uint_eq(view->value, 10);
        shmrpc_call_abandon(&abandoned);
        shmrpc_call_release(&small);
        ck_assert(probe_is_shared(view)); /* the last that keeps the former connection */
        shmrpc_call_release(&viewed);
        ck_assert(!probe_is_shared(view));
        ck_assert(probe_answers_rightly(client, 1, 3));
        loan_expect_all_blocks();
    }
}
END_TEST

/* ---- servers of an older version ---- */

typedef struct wide_value {
    uint64_t value;
    uint64_t later[7]; /* came with version 2 */
} wide_value;

static const wide_value wide_initial = {.later = {70, 71, 72, 73, 74, 75, 76}};
static const shmrpc_type_info wide_type = {.name = "test.ipc.Wide",
                                           .fingerprint = 7,
                                           .size = sizeof(wide_value),
                                           .min_size = sizeof(wide_value),
                                           .initial = &wide_initial};
static const shmrpc_revision_info narrow = {
    1, 1, sizeof(probe_value), sizeof(probe_value), sizeof(probe_value), sizeof(probe_value), sizeof(probe_value)};
static probe_schema newer;

static void connect_newer(void)
{
    probe_schema_init(&newer);
    newer.methods[PROBE_ECHO].fingerprint = 99;
    newer.methods[PROBE_ECHO].request = &wide_type;
    newer.methods[PROBE_ECHO].reply = &wide_type;
    newer.methods[PROBE_ECHO].former = &narrow;
    newer.methods[PROBE_ECHO].former_count = 1;
    shmrpc_client_free(client);
    client = NULL;
    assert_status(shmrpc_client_connect(&client, "probe", &newer.info, &loan_options), 0);
}

static wide_value *loan_wide(shmrpc_call *call, uint64_t value)
{
    void *request = NULL;

    assert_status(shmrpc_call_loan(client, call, PROBE_ECHO, &request), 0);
    ck_assert(!probe_is_shared(request) && !loan_is_within(request, call));
    ck_assert_mem_eq(request, &wide_initial, sizeof(wide_initial));
    ((wide_value *)request)->value = value;
    return request;
}

static const wide_value *view_wide(shmrpc_call *call, uint64_t value)
{
    const void *at = NULL;

    assert_status(shmrpc_call_view(call, &at), 0);
    const wide_value *view = at;
    ck_assert(!probe_is_shared(view));
    ck_assert_uint_eq(view->value, value);
    ck_assert_mem_eq(view->later, wide_initial.later, sizeof(view->later));
    return view;
}

static void *leave_copies(void *data)
{
    shmrpc_call *calls = data;

    (void)loan_wide(&calls[0], 1);
    (void)loan_wide(&calls[1], 2);
    assert_status(shmrpc_call_start_loaned(&calls[1], shmrpc_default(), NULL), 0);
    (void)view_wide(&calls[1], 2);
    return NULL;
}

/* What the server has not in this layout is a copy, as many as there are at once; all are freed (leaks are told of). */
START_TEST(what_an_older_server_knows_in_part_is_a_private_copy)
{
    shmrpc_call calls[3 * LOAN_BLOCKS] = {0}, left[2] = {0};
    pthread_t thread;

    connect_newer();
    for (unsigned i = 0; i < 3 * LOAN_BLOCKS; i++)
        loan_wide(&calls[i], i)->later[3] = 5; /* does not travel */
    shmrpc_call_abandon(&calls[1]);
    for (unsigned i = 2; i < 3 * LOAN_BLOCKS; i++)
        assert_status(shmrpc_call_start_loaned(&calls[i], shmrpc_default(), NULL), 0);
    for (unsigned i = 2; i < 3 * LOAN_BLOCKS; i++)
        (void)view_wide(&calls[i], i);
    for (unsigned i = 2; i < 3 * LOAN_BLOCKS; i += 2)
        shmrpc_call_release(&calls[i]);
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_copies, left), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    assert_status(shmrpc_call_start_loaned(&left[0], shmrpc_default(), NULL), SHMRPC_E_CANCELLED);
    loan_expect_all_blocks();
    shmrpc_client_free(client); /* with a loan and views */
    assert_status(probe_connect(&client, "probe", &loan_options), 0);
}
END_TEST

/* ---- what goes with a call ---- */

static void expect_carried(shmrpc_call *call, const char *value)
{
    const void *view = NULL;

    assert_status(shmrpc_call_start_loaned(call, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_view(call, &view), 0);
    const probe_blob *blob = view;
    if (value == NULL)
        ck_assert_uint_eq(blob->length, 0);
    else
        ck_assert(blob->length == strlen(value) + 1 && memcmp(blob->bytes, value, blob->length) == 0);
    shmrpc_call_release(call);
}

START_TEST(a_loan_carries_the_metadata_of_when_it_is_started)
{
    shmrpc_client_options carrying = loan_options;
    shmrpc_call call = {0};

    carrying.metadata = 512;
    shmrpc_client_free(client);
    assert_status(probe_connect(&client, "probe", &carrying), 0);
    for (unsigned i = 0; i < 16; i++) {
        char value[300];
        void *request;

        memset(value, 'a' + (int)i, sizeof(value));
        value[i * 18] = '\0';
        assert_status(shmrpc_client_set_metadata(client, "key", i % 4 == 3 ? NULL : "as it was lent"), 0);
        assert_status(shmrpc_call_loan(client, &call, PROBE_CARRIED, &request), 0);
        ck_assert(probe_is_shared(request));
        ((probe_blob *)request)->length = 3;
        memcpy(((probe_blob *)request)->bytes, "key", 3);
        assert_status(shmrpc_client_set_metadata(client, "key", i % 5 == 4 ? NULL : value), 0);
        expect_carried(&call, i % 5 == 4 ? NULL : value);
    }
    assert_status(shmrpc_client_set_metadata(client, "key", NULL), 0);
}
END_TEST

/* As much as an object holds, and more than a slot does. */
typedef struct odd_value {
    uint64_t value;
    uint64_t later[6];
} odd_value;

START_TEST(a_private_copy_may_fill_the_object)
{
    static const odd_value initial = {.later = {70, 71, 72, 73, 74, 75}};
    static const shmrpc_type_info type = {.name = "test.ipc.Odd",
                                          .fingerprint = 7,
                                          .size = sizeof(odd_value),
                                          .min_size = sizeof(odd_value),
                                          .initial = &initial};
    shmrpc_call call = {0};
    void *request = NULL;
    const void *view = NULL;

    probe_schema_init(&newer);
    newer.methods[PROBE_ECHO].fingerprint = 99;
    newer.methods[PROBE_ECHO].request = &type;
    newer.methods[PROBE_ECHO].reply = &type;
    newer.methods[PROBE_ECHO].former = &narrow;
    newer.methods[PROBE_ECHO].former_count = 1;
    shmrpc_client_free(client);
    client = NULL;
    assert_status(shmrpc_client_connect(&client, "probe", &newer.info, &loan_options), 0);
    assert_status(shmrpc_call_loan(client, &call, PROBE_ECHO, &request), 0);
    ((odd_value *)request)->value = 5;
    assert_status(shmrpc_call_start_loaned(&call, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_view(&call, &view), 0);
    ck_assert_uint_eq(((const odd_value *)view)->value, 5);
    ck_assert_mem_eq(((const odd_value *)view)->later, initial.later, sizeof(initial.later));
    shmrpc_call_release(&call);
    shmrpc_client_free(client);
    assert_status(probe_connect(&client, "probe", &loan_options), 0);
}
END_TEST

START_TEST(nothing_is_lent_beyond_the_deadline_where_the_server_is_gone)
{
    shmrpc_client_options renewing = loan_options;
    shmrpc_call lent = {0};
    void *value;

    renewing.reconnect = true;
    renewing.call_timeout_ns = 100000000;
    shmrpc_client_free(client);
    assert_status(probe_connect(&client, "probe", &renewing), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
    probe_process_kill(&server);
    probe_forget("probe");
    await_true(shmrpc_client_state(client) == SHMRPC_CLIENT_RECONNECTING);
    assert_status(probe_ping(client, shmrpc_default()), SHMRPC_E_NOT_SENT);
    assert_status(shmrpc_call_loan(client, &lent, PROBE_BLOB, &value), SHMRPC_E_NOT_SENT);
    probe_process_start(&server, NULL);
}
END_TEST

static Suite *loan_ends_suite(void)
{
    Suite *suite = suite_create("ipc_loan_ends");
    TCase *tests = tcase_create("loan_ends");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, loan_setup, loan_teardown);
    tcase_add_test(tests, misuse_is_a_status);
    tcase_add_test(tests, loans_and_views_belong_to_their_thread);
    tcase_add_test(tests, a_forked_child_has_no_part_of_loans_and_views);
    tcase_add_test(tests, a_thread_that_ends_gives_loans_and_views_back);
    tcase_add_test(tests, a_client_that_is_freed_ends_loans_and_views);
    tcase_add_test(tests, a_death_leaves_loans_and_views_where_they_are);
    tcase_add_test(tests, a_loan_goes_over_to_the_next_connection);
    tcase_add_test(tests, what_an_older_server_knows_in_part_is_a_private_copy);
    tcase_add_test(tests, a_loan_carries_the_metadata_of_when_it_is_started);
    tcase_add_test(tests, a_private_copy_may_fill_the_object);
    tcase_add_test(tests, nothing_is_lent_beyond_the_deadline_where_the_server_is_gone);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(loan_ends_suite)

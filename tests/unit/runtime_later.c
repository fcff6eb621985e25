/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are put off: their slots, tickets and entries, who is woken, and what becomes of numbers that are used
 * twice. The serving half alone.
 */
#include "test_support.h"

#include "later_rig.h"

#include <pthread.h>
#include <string.h>

/* ---- moving ---- */

START_TEST(frees_the_slot_with_a_ticket_and_answers_with_it)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);
    uint32_t ticket = ticket_of(1);
    uint64_t value;
    slot_header answer;

    ck_assert(lane_server_owes(&rig.pair.server));
    ck_assert_uint_lt(ticket, INBOX);
    ck_assert_uint_eq(shared_get_started(rig.pair.memory.header), 1);
    ck_assert(!has_entry(1));
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){77}), 0);
    answer = entry(1, &value);
    ck_assert_uint_eq(answer.budget_us, ticket);
    ck_assert_int_eq((int16_t)answer.method, 0);
    ck_assert_uint_eq(answer.length, 8);
    ck_assert_uint_eq(answer.reply_block, BLOCK_NONE);
    ck_assert_uint_eq(value, 77);
    ck_assert(!lane_server_owes(&rig.pair.server));
    ck_assert_uint_eq(rig.lines, 0);
}
END_TEST

START_TEST(answers_in_the_order_of_the_answers)
{
    shmrpc_later laters[INBOX];

    for (unsigned i = 0; i < INBOX; i++) {
        laters[i] = put_off(METHOD_ECHO, BLOCK_NONE);
        for (unsigned j = 0; j < i; j++) {
            ck_assert_uint_ne(ticket_of(1 + i), ticket_of(1 + j));
        }
    }
    for (unsigned i = 0; i < INBOX; i++) {
        unsigned which = INBOX - 1 - i;
        uint64_t value;

        ck_assert_int_eq(shmrpc_later_reply(laters[which], &(uint64_t){100 + which}), 0);
        ck_assert_uint_eq(entry(1 + i, &value).budget_us, ticket_of(1 + which));
        ck_assert_uint_eq(value, 100 + which);
    }
}
END_TEST

START_TEST(answers_in_the_block_that_came_with_the_call)
{
    shmrpc_later first = put_off(METHOD_GROW, 3);
    shmrpc_later second = put_off(METHOD_GROW, 2);
    large reply = {.number = 5};
    uint64_t value;

    ck_assert_int_eq(shmrpc_later_reply(second, &reply), 0);
    reply.number = 6;
    ck_assert_int_eq(shmrpc_later_reply(first, &reply), 0);
    ck_assert_uint_eq(entry(1, &value).reply_block, 2);
    ck_assert_uint_eq(value, 5);
    ck_assert_uint_eq(entry(2, &value).reply_block, 3);
    ck_assert_uint_eq(entry(2, &value).length, sizeof(large));
    ck_assert_uint_eq(value, 6);
}
END_TEST

START_TEST(a_client_that_offers_no_block_for_its_answer_breaks_the_protocol)
{
    send_request(METHOD_GROW, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(rig.given.id, 0);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, 1), word_request(1, rig.pair.memory.shift));
}
END_TEST

START_TEST(an_answer_may_come_before_the_handler_returns)
{
    uint64_t value;

    rig.answers_at_once = true;
    (void)put_off(METHOD_ECHO, BLOCK_NONE);
    ck_assert_uint_eq(entry(1, &value).budget_us, ticket_of(1));
    ck_assert_uint_eq(value, 55);
}
END_TEST

/* ---- what handlers do wrong ---- */

START_TEST(saying_deferred_without_deferring_is_internal)
{
    rig.defers = 0;
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, 1), word_reply(1, rig.pair.memory.shift));
    ck_assert_int_eq((int16_t)shared_load_header(region_slot(&rig.pair.memory, 1)).method, SHMRPC_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(rig.logged, "test.Service.echo: the handler failed: it returned SHMRPC_DEFERRED"));
}
END_TEST

START_TEST(deferring_without_saying_so_is_internal)
{
    rig.returned = 0;
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), SHMRPC_E_INTERNAL);
    (void)ticket_of(1);
    ck_assert_int_eq(status_of(1), SHMRPC_E_INTERNAL);
    ck_assert_int_eq(shmrpc_later_reply(rig.given, &(uint64_t){1}), SHMRPC_E_MISUSE);
    ck_assert(!has_entry(2));
    ck_assert_ptr_nonnull(strstr(rig.logged, "did not return SHMRPC_DEFERRED"));
}
END_TEST

START_TEST(a_call_is_put_off_once)
{
    rig.defers = 2;
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), 0);
    ck_assert_uint_eq(rig.given.id, 0);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "has been put off already"));
}
END_TEST

START_TEST(a_oneway_message_is_not_put_off)
{
    send_request(METHOD_NOTE, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(rig.given.id, 0);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, 1), word_reply(1, rig.pair.memory.shift));
}
END_TEST

static void begin_without_inbox(void)
{
    rig_begin_with(0);
}

START_TEST(a_client_without_an_inbox_gets_internal)
{
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), SHMRPC_E_INTERNAL);
    ck_assert_uint_eq(rig.given.id, 0);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, 1), word_reply(1, rig.pair.memory.shift));
    ck_assert_ptr_null(rig.pair.server.inbox);
}
END_TEST

/* ---- answers ---- */

typedef struct outcome {
    uint16_t method;
    char how; /* r: reply, f: fail, t: throw */
    int code;
    uint64_t value;
    int said, status; /* to who answers, to the caller */
    uint32_t length;
    bool is_logged;
} outcome;

static const outcome outcomes[] = {
    {METHOD_ECHO, 'r', 0, 4, 0, 0, 8, false},
    {METHOD_DONE, 'r', 0, 0, 0, 0, 0, false},
    {METHOD_GROW, 'r', 0, 13, SHMRPC_E_INVALID, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_FAIL, 'f', 1, 0, 0, 1, 0, false},
    {METHOD_FAIL, 'f', 2, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true}, /* without its payload */
    {METHOD_FAIL, 'f', 3, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true}, /* not declared */
    {METHOD_ECHO, 'f', 1, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true}, /* declared elsewhere */
    {METHOD_ECHO, 'f', SHMRPC_E_AGAIN, 0, 0, SHMRPC_E_AGAIN, 0, false},
    {METHOD_ECHO, 'f', SHMRPC_E_INTERNAL, 0, 0, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_ECHO, 'f', SHMRPC_E_TIMEOUT, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_ECHO, 'f', SHMRPC_DEFERRED, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_ECHO, 'f', -70000, 0, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_FAIL, 't', 2, 4, 0, 2, sizeof(large), false},
    {METHOD_FAIL, 't', 2, 13, SHMRPC_E_INVALID, SHMRPC_E_INTERNAL, 0, true},
    {METHOD_FAIL, 't', 1, 4, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true}, /* has no payload */
    {METHOD_GROW, 't', 2, 4, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0, true},
};

static int answer(shmrpc_later later, const outcome *row)
{
    const large message = {.number = row->value};

    switch (row->how) {
    case 'r': return shmrpc_later_reply(later, row->method == METHOD_DONE ? NULL : &message);
    case 't': return shmrpc_later_throw(later, row->code, &message);
    default: return shmrpc_later_fail(later, row->code);
    }
}

START_TEST(whatever_is_answered_the_caller_gets_one_answer)
{
    const outcome *row = &outcomes[_i];
    shmrpc_later later = put_off(row->method, 1);
    uint64_t value;
    slot_header header;

    ck_assert_int_eq(answer(later, row), row->said);
    header = entry(1, &value);
    ck_assert_int_eq((int16_t)header.method, row->status);
    ck_assert_uint_eq(header.length, row->length);
    if (row->length != 0) {
        ck_assert_uint_eq(value, row->value);
    }
    ck_assert_uint_eq(rig.lines, row->is_logged);
    /* It is done with, however it ended. */
    ck_assert_int_eq(answer(later, row), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_later_fail(later, SHMRPC_E_AGAIN), SHMRPC_E_MISUSE);
    ck_assert(shmrpc_later_is_cancelled(later));
    ck_assert(!has_entry(2));
}
END_TEST

START_TEST(what_is_no_answer_leaves_the_call_as_it_is)
{
    shmrpc_later later = put_off(METHOD_FAIL, 1);

    ck_assert_int_eq(shmrpc_later_reply(later, NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_later_fail(later, 0), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_later_throw(later, 2, NULL), SHMRPC_E_MISUSE);
    ck_assert(!has_entry(1));
    ck_assert(!shmrpc_later_is_cancelled(later));
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){4}), 0);
    ck_assert_int_eq(status_of(1), 0);
}
END_TEST

START_TEST(numbers_that_nobody_gave_reach_nothing)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);

    for (unsigned bit = 0; bit < 64; bit++) {
        shmrpc_later other = {later.id ^ UINT64_C(1) << bit};

        ck_assert_int_eq(shmrpc_later_reply(other, &(uint64_t){1}), SHMRPC_E_MISUSE);
        ck_assert(shmrpc_later_is_cancelled(other));
    }
    ck_assert_int_eq(shmrpc_later_fail((shmrpc_later){0}, SHMRPC_E_AGAIN), SHMRPC_E_MISUSE);
    ck_assert(!has_entry(1));
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){1}), 0);
}
END_TEST

START_TEST(a_ticket_that_is_used_again_has_another_number)
{
    shmrpc_later first = put_off(METHOD_ECHO, BLOCK_NONE);
    shmrpc_later again;

    ck_assert_int_eq(shmrpc_later_reply(first, &(uint64_t){1}), 0);
    (void)shared_set_inbox_read(rig.pair.memory.header, 1);
    for (unsigned i = 0; i < INBOX; i++) {
        again = put_off(METHOD_ECHO, BLOCK_NONE);
        ck_assert_uint_ne(again.id, first.id);
    }
    ck_assert_int_eq(shmrpc_later_reply(first, &(uint64_t){1}), SHMRPC_E_MISUSE);
    ck_assert(!has_entry(2));
}
END_TEST

/* ---- who is woken ---- */

START_TEST(wakes_a_client_that_waits_for_its_inbox)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);

    shared_make_wish(rig.pair.memory.header, WISH_INBOX);
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){1}), 0);
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->wish), WISH_NONE);
    ck_assert_uint_eq(rig.pair.pokes, 0);
    ck_assert_uint_eq(rig.pair.caller.doorbells, 1);
}
END_TEST

START_TEST(pokes_a_client_that_has_a_loop_of_its_own)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);

    shared_make_wish(rig.pair.memory.header, wish_of(2, WISH_CALL | WISH_INBOX | WISH_POKE));
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){1}), 0);
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->wish), WISH_NONE);
    ck_assert_uint_eq(rig.pair.pokes, 1);
    ck_assert_uint_eq(rig.pair.caller.doorbells, 1);
}
END_TEST

START_TEST(lets_a_client_sleep_that_waits_for_a_reply_in_place)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);

    shared_make_wish(rig.pair.memory.header, wish_of(2, WISH_CALL));
    ck_assert_int_eq(shmrpc_later_reply(later, &(uint64_t){1}), 0);
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->wish), wish_of(2, WISH_CALL));
    ck_assert_uint_eq(rig.pair.caller.doorbells, 0);
}
END_TEST

START_TEST(wakes_a_client_whose_call_is_put_off)
{
    shared_make_wish(rig.pair.memory.header, wish_of(1, _i == 0 ? WISH_CALL : WISH_CALL | WISH_POKE));
    (void)put_off(METHOD_ECHO, BLOCK_NONE);
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->wish), WISH_NONE);
    ck_assert_uint_eq(rig.pair.caller.doorbells, 1);
    ck_assert_uint_eq(rig.pair.pokes, (unsigned)_i);
}
END_TEST

/* ---- threads that are cancelled ---- */

static bool look_where_one_may_be_cancelled(lane_caller *caller)
{
    (void)caller;
    pthread_testcancel();
    return false;
}

static void *ask_cancelled(void *data)
{
    bool *ret_was_told = data;

    /* An assertion of Check's may be cancelled, too. */
    (void)pthread_cancel(pthread_self());
    *ret_was_told = !shmrpc_later_is_cancelled(rig.given);
    pthread_testcancel();
    return NULL;
}

/* The lane's worker is to go on. */
START_TEST(a_thread_that_is_cancelled_does_not_end_within)
{
    bool was_told = false;
    pthread_t thread;
    void *ended;

    rig.pair.caller.is_gone = look_where_one_may_be_cancelled;
    (void)put_off(METHOD_ECHO, BLOCK_NONE);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_cancelled, &was_told), 0);
    ck_assert_int_eq(pthread_join(thread, &ended), 0);
    ck_assert(was_told);
    ck_assert_ptr_eq(ended, PTHREAD_CANCELED);
    ck_assert(lane_server_owes(&rig.pair.server));
    ck_assert_int_eq(shmrpc_later_reply(rig.given, &(uint64_t){1}), 0);
}
END_TEST

static Suite *later_suite(void)
{
    Suite *suite = suite_create("runtime_later");
    TCase *tests = tcase_create("later");
    TCase *without = tcase_create("without_inbox");

    tcase_add_checked_fixture(tests, rig_begin, rig_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, frees_the_slot_with_a_ticket_and_answers_with_it);
    tcase_add_test(tests, answers_in_the_order_of_the_answers);
    tcase_add_test(tests, a_thread_that_is_cancelled_does_not_end_within);
    tcase_add_test(tests, answers_in_the_block_that_came_with_the_call);
    tcase_add_test(tests, a_client_that_offers_no_block_for_its_answer_breaks_the_protocol);
    tcase_add_test(tests, an_answer_may_come_before_the_handler_returns);
    tcase_add_test(tests, saying_deferred_without_deferring_is_internal);
    tcase_add_test(tests, deferring_without_saying_so_is_internal);
    tcase_add_test(tests, a_call_is_put_off_once);
    tcase_add_test(tests, a_oneway_message_is_not_put_off);
    tcase_add_loop_test(tests, whatever_is_answered_the_caller_gets_one_answer, 0,
                        sizeof(outcomes) / sizeof(outcomes[0]));
    tcase_add_test(tests, what_is_no_answer_leaves_the_call_as_it_is);
    tcase_add_test(tests, numbers_that_nobody_gave_reach_nothing);
    tcase_add_test(tests, a_ticket_that_is_used_again_has_another_number);
    tcase_add_test(tests, wakes_a_client_that_waits_for_its_inbox);
    tcase_add_test(tests, pokes_a_client_that_has_a_loop_of_its_own);
    tcase_add_test(tests, lets_a_client_sleep_that_waits_for_a_reply_in_place);
    tcase_add_loop_test(tests, wakes_a_client_whose_call_is_put_off, 0, 2);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(without, begin_without_inbox, rig_end);
    tcase_add_test(without, a_client_without_an_inbox_gets_internal);
    suite_add_tcase(suite, without);
    return suite;
}

TEST_MAIN(later_suite)

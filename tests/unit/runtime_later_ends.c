/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are put off, where there are more than tickets, where their callers give up, and where many threads answer.
 */
#include "test_support.h"

#include "later_rig.h"

#include "runtime/platform/clock.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

/* ---- the pause ---- */

START_TEST(pauses_while_no_ticket_is_free)
{
    shmrpc_later laters[INBOX];

    put_off_all(laters);
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), 1);
    ck_assert_uint_eq(rig.invoked, INBOX);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, rig.sent), word_request(rig.sent, rig.pair.memory.shift));
    /* Cold, though there is a request: the client will ring. */
    ck_assert(lane_server_arm(&rig.pair.server));
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->inbox_wanted), 1);
    /* An answer is not yet room: the client has to read it. */
    ck_assert_int_eq(shmrpc_later_reply(laters[2], &(uint64_t){1}), 0);
    ck_assert_int_eq(serve(), 1);
    ck_assert(lane_server_arm(&rig.pair.server));
    ck_assert(shared_set_inbox_read(rig.pair.memory.header, 1));
    ck_assert(!lane_server_arm(&rig.pair.server));
    ck_assert_uint_eq(atomic_load(&rig.pair.memory.header->inbox_wanted), 0);
    ck_assert_int_eq(serve(), 0);
    ck_assert_uint_eq(rig.invoked, INBOX + 1);
    ck_assert_uint_eq(ticket_of(rig.sent), ticket_of(3));
    ck_assert_int_eq(shmrpc_later_reply(laters[2], &(uint64_t){1}), SHMRPC_E_MISUSE);
}
END_TEST

START_TEST(a_lane_that_has_never_put_off_does_not_pause)
{
    rig.returned = 0;
    rig.defers = 0;
    for (unsigned i = 0; i < 3 * INBOX; i++) {
        send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
        ck_assert_int_eq(serve(), 0);
    }
    ck_assert_ptr_null(rig.pair.server.inbox);
}
END_TEST

START_TEST(goes_around_the_inbox_many_times)
{
    for (uint64_t i = 1; i <= 100; i++) {
        shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);
        uint64_t value;

        ck_assert_int_eq(shmrpc_later_reply(later, &i), 0);
        ck_assert_uint_eq(entry(i, &value).budget_us, ticket_of(i));
        ck_assert_uint_eq(value, i);
        (void)shared_set_inbox_read(rig.pair.memory.header, i);
    }
}
END_TEST

START_TEST(a_client_that_lies_about_what_it_has_read_gains_nothing)
{
    static const uint64_t lies[] = {2, INBOX, INBOX + 1, 1000000, UINT64_MAX, UINT64_MAX - 1};
    shmrpc_later laters[INBOX];
    uint64_t value;

    put_off_all(laters);
    ck_assert_int_eq(shmrpc_later_reply(laters[0], &(uint64_t){1}), 0);
    (void)shared_set_inbox_read(rig.pair.memory.header, lies[_i]);
    /* One entry was written: one ticket is free, and no other call's. */
    (void)put_off(METHOD_ECHO, BLOCK_NONE);
    ck_assert_uint_eq(ticket_of(rig.sent), ticket_of(1));
    send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
    ck_assert_int_eq(serve(), 1);
    (void)shared_set_inbox_read(rig.pair.memory.header, 0);
    ck_assert_int_eq(serve(), 1);
    for (unsigned i = 1; i < INBOX; i++) {
        ck_assert_int_eq(shmrpc_later_reply(laters[i], &(uint64_t){i}), 0);
        ck_assert_uint_eq(entry(1 + i, &value).budget_us, ticket_of(1 + i));
        ck_assert_uint_eq(value, i);
    }
}
END_TEST

START_TEST(what_has_waited_too_long_in_a_pause_is_not_begun)
{
    shmrpc_later laters[INBOX];
    int64_t paused_ns;

    put_off_all(laters);
    send_request(METHOD_ECHO, 1000, BLOCK_NONE);
    ck_assert(lane_server_arm(&rig.pair.server));
    paused_ns = clock_now_ns();
    ck_assert_int_eq(shmrpc_later_reply(laters[0], &(uint64_t){1}), 0);
    (void)shared_set_inbox_read(rig.pair.memory.header, 1);
    while (clock_now_ns() - paused_ns < 1000000) {
    }
    ck_assert_int_eq(serve(), SHMRPC_E_EXPIRED);
    ck_assert_uint_eq(rig.invoked, INBOX);
    ck_assert_uint_eq(lane_pair_word(&rig.pair, rig.sent), word_reply(rig.sent, rig.pair.memory.shift));
    /* Nothing is known of the next one. */
    send_request(METHOD_ECHO, 1, BLOCK_NONE);
    ck_assert_int_eq(serve(), 0);
    ck_assert_uint_eq(rig.invoked, INBOX + 1);
}
END_TEST

/* ---- who gave up ---- */

START_TEST(is_cancelled_once_the_callers_time_is_over)
{
    send_request(METHOD_ECHO, 2000, BLOCK_NONE);
    ck_assert_int_eq(serve(), 0);
    while (!shmrpc_later_is_cancelled(rig.given)) {
    }
    /* It is answered all the same: the ticket has to come back. */
    ck_assert_int_eq(shmrpc_later_reply(rig.given, &(uint64_t){1}), 0);
    ck_assert_int_eq(status_of(1), 0);
}
END_TEST

/* Before the slot says MOVED by a mark in it, and after that by a packet; the answer is the caller's in any case. */
START_TEST(is_cancelled_once_the_caller_has_withdrawn_it)
{
    shmrpc_later marked, told, other;

    rig.is_withdrawn = true;
    marked = put_off(METHOD_ECHO, BLOCK_NONE);
    rig.is_withdrawn = false;
    ck_assert(shmrpc_later_is_cancelled(marked));
    told = put_off(METHOD_ECHO, BLOCK_NONE);
    other = put_off(METHOD_ECHO, BLOCK_NONE);
    ck_assert(!shmrpc_later_is_cancelled(told));
    for (uint64_t position = 100; position < 110; position++) {
        lane_server_cancel(&rig.pair.server, position);
    }
    lane_server_cancel(&rig.pair.server, 0);
    ck_assert(!shmrpc_later_is_cancelled(told));
    lane_server_cancel(&rig.pair.server, 2);
    ck_assert(shmrpc_later_is_cancelled(told));
    ck_assert(!shmrpc_later_is_cancelled(other));
    ck_assert_int_eq(shmrpc_later_fail(marked, SHMRPC_E_LIMIT), 0);
    ck_assert_int_eq(shmrpc_later_reply(told, &(uint64_t){5}), 0);
    ck_assert_int_eq(shmrpc_later_reply(other, &(uint64_t){6}), 0);
    ck_assert_int_eq(status_of(1), SHMRPC_E_LIMIT);
    ck_assert_int_eq(status_of(2), 0);
    ck_assert_int_eq(status_of(3), 0);
}
END_TEST

START_TEST(is_cancelled_once_the_client_is_gone)
{
    shmrpc_later later = put_off(METHOD_ECHO, BLOCK_NONE);

    ck_assert(!shmrpc_later_is_cancelled(later));
    rig.pair.client_is_gone = true;
    ck_assert(shmrpc_later_is_cancelled(later));
}
END_TEST

START_TEST(answers_after_the_end_of_the_lane_are_dropped)
{
    shmrpc_later first = put_off(METHOD_ECHO, BLOCK_NONE);
    shmrpc_later second = put_off(METHOD_GROW, 1);
    shmrpc_later third = put_off(METHOD_FAIL, 2);
    large large_reply = {.number = 13};

    ck_assert_uint_eq(later_lanes(), 1);
    rig_close_lane();
    ck_assert(shared_get_closed(rig.pair.memory.header));
    /* Whoever touches the lane's memory now dies. */
    ck_assert_int_eq(mprotect(rig.pair.guarded, rig.pair.memory.size + 2 * rig.pair.page, PROT_NONE), 0);
    ck_assert(shmrpc_later_is_cancelled(first));
    ck_assert_int_eq(shmrpc_later_reply(first, &(uint64_t){1}), SHMRPC_E_CANCELLED);
    ck_assert_int_eq(shmrpc_later_reply(first, &(uint64_t){1}), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_later_fail(third, SHMRPC_E_AGAIN), SHMRPC_E_CANCELLED);
    ck_assert_int_eq(shmrpc_later_fail(third, SHMRPC_E_AGAIN), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(later_lanes(), 1);
    ck_assert_int_eq(shmrpc_later_reply(second, &large_reply), SHMRPC_E_CANCELLED);
    ck_assert_uint_eq(later_lanes(), 0);
    ck_assert_int_eq(shmrpc_later_reply(second, &large_reply), SHMRPC_E_MISUSE);
}
END_TEST

/* ---- threads ---- */

#define HANDS 4u
#define ROUNDS 3000u

static _Atomic uint64_t to_do[INBOX]; /* ids; 0: taken */
static _Atomic bool over;
static _Atomic unsigned answered, dropped;

static void *hand_main(void *data)
{
    (void)data;
    while (!atomic_load(&over)) {
        for (unsigned i = 0; i < INBOX; i++) {
            /* Not taken away: several find the same, and one of them is the first. */
            shmrpc_later later = {atomic_load(&to_do[i])};

            if (later.id != 0) {
                int rc = shmrpc_later_reply(later, &later.id);

                ck_assert_msg(rc == 0 || rc == SHMRPC_E_CANCELLED || rc == SHMRPC_E_MISUSE, "%d", rc);
                atomic_fetch_add(&answered, rc == 0);
                atomic_fetch_add(&dropped, rc == SHMRPC_E_CANCELLED);
                atomic_compare_exchange_strong(&to_do[i], &later.id, 0);
            }
        }
        sched_yield();
    }
    return NULL;
}

START_TEST(many_hands_answer_each_call_once)
{
    uint64_t id_of[INBOX] = {0};
    uint64_t read = 0;
    pthread_t hands[HANDS];

    for (unsigned i = 0; i < HANDS; i++) {
        ck_assert_int_eq(pthread_create(&hands[i], NULL, hand_main, NULL), 0);
    }
    for (unsigned calls = 0; read < ROUNDS;) {
        while (has_entry(read + 1)) {
            uint64_t value;
            uint32_t ticket = entry(read + 1, &value).budget_us;

            ck_assert_uint_lt(ticket, INBOX);
            ck_assert_uint_ne(id_of[ticket], 0);
            ck_assert_uint_eq(value, id_of[ticket]);
            id_of[ticket] = 0;
            read++;
            (void)shared_set_inbox_read(rig.pair.memory.header, read);
        }
        for (unsigned i = 0; i < INBOX && calls < ROUNDS && calls - read < INBOX; i++) {
            if (atomic_load(&to_do[i]) == 0) {
                send_request(METHOD_ECHO, BUDGET_NONE, BLOCK_NONE);
                ck_assert_int_eq(serve(), 0);
                ck_assert_uint_eq(id_of[ticket_of(rig.sent)], 0);
                id_of[ticket_of(rig.sent)] = rig.given.id;
                calls++;
                atomic_store(&to_do[i], rig.given.id);
            }
        }
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < HANDS; i++) {
        ck_assert_int_eq(pthread_join(hands[i], NULL), 0);
    }
    ck_assert_uint_eq(atomic_load(&answered), ROUNDS);
    ck_assert_uint_eq(atomic_load(&dropped), 0);
}
END_TEST

START_TEST(the_lane_may_end_while_many_hands_answer)
{
    pthread_t hands[HANDS];
    shmrpc_later laters[INBOX];

    put_off_all(laters);
    for (unsigned i = 0; i < INBOX; i++) {
        atomic_store(&to_do[i], laters[i].id);
    }
    atomic_store(&over, false);
    for (unsigned i = 0; i < HANDS; i++) {
        ck_assert_int_eq(pthread_create(&hands[i], NULL, hand_main, NULL), 0);
    }
    while (atomic_load(&answered) == 0) {
    }
    rig_close_lane();
    atomic_store(&over, true);
    for (unsigned i = 0; i < HANDS; i++) {
        ck_assert_int_eq(pthread_join(hands[i], NULL), 0);
    }
    for (unsigned i = 0; i < INBOX; i++) {
        int rc = shmrpc_later_reply(laters[i], &(uint64_t){1});

        ck_assert_msg(rc == SHMRPC_E_MISUSE || rc == SHMRPC_E_CANCELLED, "%d", rc);
        atomic_fetch_add(&dropped, rc == SHMRPC_E_CANCELLED);
    }
    ck_assert_uint_eq(atomic_load(&answered) + atomic_load(&dropped), INBOX);
}
END_TEST

static Suite *later_ends_suite(void)
{
    Suite *suite = suite_create("runtime_later_ends");
    TCase *tests = tcase_create("later_ends");

    tcase_add_checked_fixture(tests, rig_begin, rig_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, pauses_while_no_ticket_is_free);
    tcase_add_test(tests, a_lane_that_has_never_put_off_does_not_pause);
    tcase_add_test(tests, goes_around_the_inbox_many_times);
    tcase_add_loop_test(tests, a_client_that_lies_about_what_it_has_read_gains_nothing, 0, 6);
    tcase_add_test(tests, what_has_waited_too_long_in_a_pause_is_not_begun);
    tcase_add_test(tests, is_cancelled_once_the_callers_time_is_over);
    tcase_add_test(tests, is_cancelled_once_the_caller_has_withdrawn_it);
    tcase_add_test(tests, is_cancelled_once_the_client_is_gone);
    tcase_add_test(tests, answers_after_the_end_of_the_lane_are_dropped);
    tcase_add_test(tests, many_hands_answer_each_call_once);
    tcase_add_test(tests, the_lane_may_end_while_many_hands_answer);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(later_ends_suite)

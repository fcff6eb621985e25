/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calling end, step by step: room, blocks, deadlines, cancelling, late replies, and each lie of a server.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/lane_client_core.h"
#include "runtime/platform/clock.h"

#include <shmrpc/status.h>

#include <errno.h>

#define MS INT64_C(1000000)

static lane_pair pair;
static unsigned sleeps;
static int64_t longest_sleep_ns;
static bool has_waitv = true;

/* The linker puts them in the place of futex_wait() and futex_wait_either() (--wrap). */
int __real_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __real_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);
int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);

static void note_sleep(int64_t timeout_ns)
{
    sleeps++;
    longest_sleep_ns = timeout_ns > longest_sleep_ns ? timeout_ns : longest_sleep_ns;
}

int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    note_sleep(timeout_ns);
    return __real_futex_wait(word, expected, timeout_ns);
}

int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns)
{
    if (!has_waitv) {
        return -ENOSYS;
    }
    note_sleep(timeout_ns);
    return __real_futex_wait_either(word, expected, other, timeout_ns);
}

static void begin(void)
{
    lane_pair_init(&pair, 4, 2);
}

static void end(void)
{
    lane_pair_deinit(&pair);
}

static void write_word(uint64_t position, uint32_t word)
{
    atomic_store(&region_slot(&pair.memory, position)->word, word);
}

static uint8_t blocks_free(void)
{
    ck_assert_uint_eq(pair.client.request_blocks.count, pair.client.reply_blocks.count);
    return pair.client.request_blocks.count;
}

/* ---- calls ---- */

START_TEST(calls_in_turn_for_many_laps_and_over_the_wrap_of_laps)
{
    const uint64_t starts[] = {1, (UINT64_C(4) << 28) - 6, (UINT64_C(1) << 31) - 6, (UINT64_C(1) << 32) - 6};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        lane_pair_move_to(&pair, starts[i]);
        for (uint64_t n = 0; n < 13; n++) {
            lane_call call = lane_pair_call(&pair, n, 8, 8);

            ck_assert_uint_eq(call.position, starts[i] + n);
            lane_pair_answer(&pair, 8);
            lane_pair_expect_reply(&pair, &call, n + 1);
        }
    }
    ck_assert_uint_eq(pair.looks, 0);
}
END_TEST

START_TEST(a_publication_says_all_that_the_server_needs)
{
    static const int64_t timeouts[] = {1,          999, 1000, 5 * MS, INT64_C(4294967294000), INT64_C(4294967295000),
                                       CLOCK_NEVER};
    static const uint32_t budgets[] = {0, 0, 1, 5000, UINT32_C(4294967294), BUDGET_NONE, BUDGET_NONE};

    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        int64_t timeout_ns = timeouts[i];
        lane_request request;
        lane_call call;

        ck_assert_int_eq(lane_client_begin(&pair.client, 8, 100, &timeout_ns, &call), 0);
        ck_assert_int_eq(timeout_ns, timeouts[i]);
        ck_assert_int_eq(lane_client_publish(&pair.client, &call, 0xfffe, 8, timeout_ns), 0);
        ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
        ck_assert_uint_eq(request.method, 0xfffe);
        ck_assert_uint_eq(request.length, 8);
        ck_assert_uint_eq(request.budget_us, budgets[i]);
        ck_assert_uint_eq(request.reply_block, call.hold.reply_block);
        lane_server_answer(&pair.server, &request, 0, 0, BLOCK_NONE);
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), 0);
        lane_client_end(&pair.client, &call);
    }
}
END_TEST

START_TEST(a_budget_below_zero_is_none_at_all)
{
    int64_t timeout_ns = CLOCK_NEVER;
    lane_request request;
    lane_call call;

    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    ck_assert_int_eq(lane_client_publish(&pair.client, &call, 0, 8, -5 * MS), 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert_uint_eq(request.budget_us, 0);
}
END_TEST

START_TEST(a_payload_beyond_a_slot_goes_through_a_block_and_gives_it_back)
{
    for (uint64_t n = 0; n < 9; n++) {
        lane_call call = lane_pair_call(&pair, n, PAIR_BLOCK, PAIR_BLOCK);

        ck_assert_uint_eq(blocks_free(), 1);
        ck_assert_ptr_eq(call.request, region_request_block(&pair.memory, (uint8_t)call.hold.request_block));
        lane_pair_answer(&pair, PAIR_BLOCK);
        lane_pair_expect_reply(&pair, &call, n + 1);
        ck_assert_uint_eq(blocks_free(), 2);
    }
}
END_TEST

START_TEST(refuses_what_no_block_can_hold)
{
    int64_t timeout_ns = MS;
    lane_call call;

    ck_assert_int_eq(lane_client_begin(&pair.client, PAIR_BLOCK + 1, 8, &timeout_ns, &call), SHMRPC_E_TOO_LARGE);
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, PAIR_BLOCK + 1, &timeout_ns, &call), SHMRPC_E_TOO_LARGE);
    ck_assert_int_eq(lane_client_begin(&pair.client, UINT32_MAX, UINT32_MAX, &timeout_ns, &call), SHMRPC_E_TOO_LARGE);
    ck_assert_uint_eq(pair.client.next, 1);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

/* ---- room ---- */

START_TEST(has_no_room_while_the_ring_is_the_servers)
{
    int64_t timeout_ns = 2 * MS;
    lane_call call;

    for (uint64_t n = 0; n < 4; n++) {
        (void)lane_pair_call(&pair, n, 8, 8);
    }
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(pair.client.next, 5);
    lane_pair_answer(&pair, 8);
    timeout_ns = 2 * MS;
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    ck_assert_uint_eq(call.position, 5);
    ck_assert_uint_eq(pair.client.reaped, 2);
}
END_TEST

START_TEST(has_no_room_while_the_blocks_are_the_servers)
{
    int64_t timeout_ns = 2 * MS;
    lane_call call;

    (void)lane_pair_call(&pair, 0, 100, 8);
    (void)lane_pair_call(&pair, 1, 8, 100);
    (void)lane_pair_call(&pair, 2, 100, 8);
    ck_assert_int_eq(lane_client_begin(&pair.client, 100, 8, &timeout_ns, &call), SHMRPC_E_TIMEOUT);
    ck_assert_int_eq(lane_client_begin(&pair.client, 100, 100, &timeout_ns, &call), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(pair.client.request_blocks.count, 0);
    ck_assert_uint_eq(pair.client.reply_blocks.count, 1);
    timeout_ns = 2 * MS;
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    lane_pair_answer(&pair, 8);
    lane_pair_answer(&pair, 8);
    lane_pair_answer(&pair, 8);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

static int answer_one(lane_pair *with)
{
    (void)with;
    lane_pair_answer(&pair, 8);
    return 0;
}

START_TEST(waits_for_room_and_takes_what_it_waited_from_the_deadline)
{
    int64_t timeout_ns = 10000 * MS;
    int64_t before_ns = clock_now_ns();
    lane_call call;

    for (uint64_t n = 0; n < 4; n++) {
        (void)lane_pair_call(&pair, n, 8, 8);
    }
    pair.on_look = answer_one; /* the first look comes after a sleep */
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    ck_assert_uint_eq(pair.looks, 1);
    ck_assert_int_le(timeout_ns, 9950 * MS);
    ck_assert_int_ge(timeout_ns + (clock_now_ns() - before_ns), 10000 * MS);
}
END_TEST

static int answer_late(lane_pair *with)
{
    (void)with;
    clock_sleep_ns(5 * MS); /* beyond the deadline of 3 ms */
    lane_pair_answer(&pair, 8);
    return 0;
}

START_TEST(room_that_comes_after_the_deadline_is_none)
{
    int64_t timeout_ns = 3 * MS;
    lane_call call;

    for (uint64_t n = 0; n < 4; n++) {
        (void)lane_pair_call(&pair, n, 8, 8);
    }
    pair.on_look = answer_late;
    alarm_set(&pair.peer.alarm);
    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(pair.client.next, 5);
}
END_TEST

/* ---- deadlines ---- */

START_TEST(a_call_that_times_out_is_cancelled_and_its_slot_stays_the_servers)
{
    lane_call call = lane_pair_call(&pair, 1, 100, 100);
    lane_request request;

    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 2 * MS), SHMRPC_E_TIMEOUT);
    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 0);
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_request(1, pair.memory.shift) | WORD_CANCEL);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(pair.client.reaped, 1);
    ck_assert_uint_eq(blocks_free(), 1);

    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert(request.cancelled);
    lane_server_answer(&pair.server, &request, SHMRPC_E_CANCELLED, 0, BLOCK_NONE);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(pair.client.reaped, 2);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

START_TEST(cancelling_a_call_that_is_being_handled_changes_nothing_for_its_slot)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);
    lane_request request;

    ck_assert_int_eq(lane_server_take(&pair.server, &request), 1);
    ck_assert(!request.cancelled);
    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 0);
    lane_server_answer(&pair.server, &request, 0, 0, BLOCK_NONE);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(pair.client.reaped, 2);
}
END_TEST

START_TEST(cancelling_finds_a_reply_that_has_just_come)
{
    lane_call call = lane_pair_call(&pair, 41, 8, 8);

    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 1);
    ck_assert_uint_eq(lane_pair_word(&pair, 1), word_reply(1, pair.memory.shift));
    write_word(1, word_reply(1, pair.memory.shift) | WORD_WISH); /* or one that carries the server's wish */
    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 1);
    lane_pair_expect_reply(&pair, &call, 42);
}
END_TEST

START_TEST(a_late_reply_never_meets_a_new_call)
{
    lane_call late = lane_pair_call(&pair, 1000, 100, 100);

    ck_assert_int_eq(lane_client_wait(&pair.client, &late, MS), SHMRPC_E_TIMEOUT);
    ck_assert_int_eq(lane_client_cancel(&pair.client, &late), 0);
    lane_pair_answer(&pair, 100); /* takes no notice of the cancelling */
    for (uint64_t n = 0; n < 9; n++) {
        lane_call call = lane_pair_call(&pair, n, 100, 100);

        ck_assert_uint_eq(call.position, 2 + n);
        lane_pair_answer(&pair, 100);
        lane_pair_expect_reply(&pair, &call, n + 1);
        ck_assert_uint_eq(blocks_free(), 2);
    }
}
END_TEST

START_TEST(ending_a_call_also_takes_back_older_ones)
{
    lane_call first = lane_pair_call(&pair, 1, 100, 100);
    lane_call second = lane_pair_call(&pair, 2, 100, 100);

    ck_assert_int_eq(lane_client_cancel(&pair.client, &first), 0);
    lane_pair_answer(&pair, 100);
    lane_pair_answer(&pair, 100);
    lane_pair_expect_reply(&pair, &second, 3);
    ck_assert_uint_eq(pair.client.reaped, 3);
    ck_assert_uint_eq(blocks_free(), 2);
}
END_TEST

/* ---- sleeping ---- */

static int answer_and_see_the_wish_gone(lane_pair *with)
{
    ck_assert_uint_eq(atomic_load(&with->memory.header->wish), WISH_NONE);
    lane_pair_answer(with, 8);
    return 0;
}

START_TEST(takes_its_wish_back_after_each_sleep)
{
    lane_call call = lane_pair_call(&pair, 7, 8, 8);

    pair.on_look = answer_and_see_the_wish_gone;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    ck_assert_uint_eq(pair.looks, 1);
    ck_assert_uint_eq(pair.caller.doorbells, 0);
    lane_pair_expect_reply(&pair, &call, 8);
}
END_TEST

static int server_has_ended(lane_pair *with)
{
    (void)with;
    return SHMRPC_E_UNKNOWN;
}

static int server_answers_and_ends(lane_pair *with)
{
    lane_pair_answer(with, 8);
    return SHMRPC_E_UNKNOWN;
}

START_TEST(hears_of_the_end_of_the_server_asleep_or_spinning)
{
    static const int64_t spins[] = {0, 50000, CLOCK_NEVER};

    for (size_t i = 0; i < sizeof(spins) / sizeof(spins[0]); i++) {
        lane_call call = lane_pair_call(&pair, 1, 8, 8);

        pair.client.spin = spin_for(spins[i], false);
        pair.on_look = server_has_ended;
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_UNKNOWN);
        pair.on_look = server_answers_and_ends;
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
        lane_pair_expect_reply(&pair, &call, 2);
    }
}
END_TEST

START_TEST(sleeps_at_once_without_a_spin_and_never_with_one_without_end)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    unsigned slept;

    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), SHMRPC_E_TIMEOUT); /* that is no time to sleep in */
    ck_assert_uint_eq(sleeps, 0);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 20 * MS), SHMRPC_E_TIMEOUT);
    ck_assert_uint_ge(sleeps, 1);
    slept = sleeps;
    pair.client.spin = spin_for(CLOCK_NEVER, false);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 20 * MS), SHMRPC_E_TIMEOUT);
    ck_assert_uint_eq(sleeps, slept);
    ck_assert_uint_eq(atomic_load(&pair.memory.header->wish), WISH_NONE);
}
END_TEST

/* Waits for a reply that does not come in time; has it spun before it slept? */
static bool spins_in_vain(const lane_call *call)
{
    bool spins = pair.client.spin.now_ns != 0;
    unsigned slept = sleeps;

    ck_assert_int_eq(lane_client_wait(&pair.client, call, 20 * MS), SHMRPC_E_TIMEOUT);
    ck_assert_uint_gt(sleeps, slept);
    return spins;
}

static int answer_it(lane_pair *with)
{
    lane_pair_answer(with, 8);
    return 0;
}

/* A call whose reply comes while its caller spins. */
static void call_and_spin(void)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.on_look = answer_it;
    alarm_set(&pair.peer.alarm);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    lane_pair_expect_reply(&pair, &call, 2);
}

START_TEST(sleeps_at_once_where_spinning_was_in_vain_and_spins_again_where_it_pays)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.client.spin = spin_for(1000, true);
    ck_assert(spins_in_vain(&call));
    ck_assert(spins_in_vain(&call));
    ck_assert(!spins_in_vain(&call));
    ck_assert(spins_in_vain(&call));
    ck_assert(!spins_in_vain(&call));
    ck_assert(!spins_in_vain(&call));
    ck_assert_int_eq(pair.client.spin.now_ns, 1000);
    ck_assert_uint_eq(pair.client.spin.failures, 3);
    /* A reply that is there at the first look says nothing; */
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    lane_pair_expect_reply(&pair, &call, 2);
    /* those that come later take it all back. */
    for (uint32_t failures = 3; failures > 0; failures--) {
        ck_assert_uint_eq(pair.client.spin.failures, failures);
        call_and_spin();
    }
    ck_assert_uint_eq(pair.client.spin.failures, 0);
}
END_TEST

#define LEARNED ((FIRST_LOOK_START + 1) * FIRST_LOOK_PARTS)

START_TEST(a_reply_that_was_not_waited_for_takes_nothing_back)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.client.spin = spin_for(1000, true);
    ck_assert(spins_in_vain(&call));
    ck_assert(spins_in_vain(&call));
    ck_assert_int_eq(pair.client.spin.now_ns, 0);
    pair.client.first_look.parts = LEARNED;
    lane_pair_answer(&pair, 8);
    ck_assert_int_eq(lane_client_wait_for(&pair.client, call.position, CLOCK_NEVER), 0);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    ck_assert_uint_eq(pair.client.spin.failures, 2);
    ck_assert_uint_eq(pair.client.spin.rest, 1);
    ck_assert_uint_eq(pair.client.first_look.parts, LEARNED);
    /* Nor does one of a call that was sent before; at a first look that was learned, right after it was sent, it does. */
    pair.client.spin = (spin){.now_ns = 1000, .most_ns = 1000, .adapts = true, .failures = 1};
    ck_assert_int_eq(lane_client_wait_for(&pair.client, call.position, CLOCK_NEVER), 0);
    ck_assert_uint_eq(pair.client.spin.failures, 1);
    ck_assert_uint_eq(pair.client.first_look.parts, LEARNED);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), 0);
    ck_assert_uint_eq(pair.client.spin.failures, 0);
    ck_assert_uint_eq(pair.client.first_look.parts, LEARNED - 1);
    lane_pair_expect_reply(&pair, &call, 2);
}
END_TEST

START_TEST(a_deadline_within_the_spin_is_a_failure_of_it)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.client.spin = spin_for(1000 * MS, true);
    for (uint32_t failures = 1; failures <= 2; failures++) {
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, 20000), SHMRPC_E_TIMEOUT);
        ck_assert_uint_eq(sleeps, 0);
        ck_assert_uint_eq(pair.client.spin.failures, failures);
    }
    ck_assert_int_eq(pair.client.spin.now_ns, 0);
    lane_pair_answer(&pair, 8);
    lane_pair_expect_reply(&pair, &call, 2);
}
END_TEST

static int quiet(lane_pair *with)
{
    (void)with;
    return 0;
}

/* An alarm is taken before the look, and asks for one look. */
START_TEST(looks_around_once_for_an_alarm_and_goes_on_waiting)
{
    static const int64_t spins[] = {0, CLOCK_NEVER};

    for (size_t i = 0; i < sizeof(spins) / sizeof(spins[0]); i++) {
        lane_call call = lane_pair_call(&pair, 1, 8, 8);

        pair.looks = 0;
        pair.client.spin = spin_for(spins[i], false);
        pair.peer.is_watched = true;
        pair.on_look = quiet;
        alarm_set(&pair.peer.alarm);
        /* Well before the first look of one that hears no alarm. */
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, 20 * MS), SHMRPC_E_TIMEOUT);
        ck_assert_uint_eq(pair.looks, 1);
        ck_assert(!alarm_is_set(&pair.peer.alarm));
        lane_pair_answer(&pair, 8);
        lane_pair_expect_reply(&pair, &call, 2);
    }
}
END_TEST

static int alarm_again_and_end(lane_pair *with)
{
    ck_assert(!alarm_is_set(&with->peer.alarm));
    if (with->looks == 1) {
        alarm_set(&with->peer.alarm);
        return 0;
    }
    return SHMRPC_E_UNKNOWN;
}

START_TEST(looks_again_for_an_alarm_that_comes_during_the_look)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.peer.is_watched = true;
    pair.on_look = alarm_again_and_end;
    alarm_set(&pair.peer.alarm);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(pair.looks, 2);
}
END_TEST

START_TEST(sleeps_a_second_where_it_is_watched_and_a_tenth_where_it_is_not)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    pair.on_look = server_has_ended;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(sleeps, 1);
    ck_assert_int_eq(longest_sleep_ns, 100 * MS);
    pair.peer.is_watched = true;
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(sleeps, 2);
    ck_assert_int_eq(longest_sleep_ns, 1000 * MS);
}
END_TEST

/* It cannot be woken by the alarm then, but sees it after a tenth of a second. */
START_TEST(sees_an_alarm_after_a_short_sleep_where_it_cannot_wait_for_two_words)
{
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    has_waitv = false;
    pair.peer.is_watched = true;
    pair.on_look = server_has_ended;
    alarm_set(&pair.peer.alarm);
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(sleeps, 1);
    ck_assert_int_eq(longest_sleep_ns, 100 * MS);
}
END_TEST

/* ---- lies ---- */

START_TEST(refuses_a_slot_that_the_server_changed_behind_its_back)
{
    const uint32_t words[] = {0, word_request(1, 2), word_reply(1, 2), UINT32_MAX ^ (1u << WORD_LAP_SHIFT)};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        int64_t timeout_ns = MS;
        lane_call call;

        lane_pair_move_to(&pair, 1);
        ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
        write_word(1, words[i]);
        ck_assert_int_eq(lane_client_publish(&pair.client, &call, 0, 8, timeout_ns), SHMRPC_E_PROTOCOL);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "not its own"));
    }
}
END_TEST

START_TEST(refuses_a_word_that_is_neither_its_request_nor_its_reply)
{
    const uint32_t words[] = {0, UINT32_MAX, word_reply(5, 2), word_before(1, 2), word_request(5, 2)};
    lane_call call = lane_pair_call(&pair, 1, 8, 8);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        write_word(1, words[i]);
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, CLOCK_NEVER), SHMRPC_E_PROTOCOL);
        ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "neither the request nor its reply"));
    }
}
END_TEST

typedef struct lie {
    slot_header header;
    const char *text;
} lie;

static const lie lies[] = {
    {{0, 0, 0, 49, 0}, "a slot holds 49 bytes"},
    {{0, 0, 0, UINT32_MAX, 0}, "a slot holds 4294967295 bytes"},
    {{0, 0, 1, 8, 0}, "block 1 with 8 bytes"}, /* the call offered block 2 */
    {{0, 0, 255, 8, 0}, "block 255 with 8 bytes"},
    {{0, 0, 2, PAIR_BLOCK + 1, 0}, "block 2 with 257 bytes"},
    {{0, 0, 2, UINT32_MAX, 0}, "block 2 with 4294967295 bytes"},
};

START_TEST(refuses_a_reply_that_points_outside)
{
    lane_reply reply = {.status = 77};
    lane_call call;

    pair.client.reply_blocks.count = 0;
    block_list_give(&pair.client.reply_blocks, 2);
    call = lane_pair_call(&pair, 1, 8, 100);
    ck_assert_uint_eq(call.hold.reply_block, 2);
    shared_store_header(call.at, lies[_i].header);
    write_word(1, word_reply(1, pair.memory.shift));
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), 0);
    ck_assert_int_eq(lane_client_reply(&pair.client, &call, &reply), SHMRPC_E_PROTOCOL);
    ck_assert_msg(strstr(shmrpc_last_error(), lies[_i].text) != NULL, "%s", shmrpc_last_error());
    ck_assert_int_eq(reply.status, 77);
}
END_TEST

START_TEST(refuses_a_block_that_it_did_not_offer)
{
    const slot_header header = {0, 0, 1, 8, 0};
    lane_call call = lane_pair_call(&pair, 1, 8, 8);
    lane_reply reply;

    shared_store_header(call.at, header);
    write_word(1, word_reply(1, pair.memory.shift));
    ck_assert_int_eq(lane_client_reply(&pair.client, &call, &reply), SHMRPC_E_PROTOCOL);
}
END_TEST

static Suite *lane_client_suite(void)
{
    Suite *suite = suite_create("runtime_lane_client");
    TCase *tests = tcase_create("lane_client");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, calls_in_turn_for_many_laps_and_over_the_wrap_of_laps);
    tcase_add_test(tests, a_publication_says_all_that_the_server_needs);
    tcase_add_test(tests, a_budget_below_zero_is_none_at_all);
    tcase_add_test(tests, a_payload_beyond_a_slot_goes_through_a_block_and_gives_it_back);
    tcase_add_test(tests, refuses_what_no_block_can_hold);
    tcase_add_test(tests, has_no_room_while_the_ring_is_the_servers);
    tcase_add_test(tests, has_no_room_while_the_blocks_are_the_servers);
    tcase_add_test(tests, waits_for_room_and_takes_what_it_waited_from_the_deadline);
    tcase_add_test(tests, room_that_comes_after_the_deadline_is_none);
    tcase_add_test(tests, a_call_that_times_out_is_cancelled_and_its_slot_stays_the_servers);
    tcase_add_test(tests, cancelling_a_call_that_is_being_handled_changes_nothing_for_its_slot);
    tcase_add_test(tests, cancelling_finds_a_reply_that_has_just_come);
    tcase_add_test(tests, a_late_reply_never_meets_a_new_call);
    tcase_add_test(tests, ending_a_call_also_takes_back_older_ones);
    tcase_add_test(tests, takes_its_wish_back_after_each_sleep);
    tcase_add_test(tests, hears_of_the_end_of_the_server_asleep_or_spinning);
    tcase_add_test(tests, sleeps_at_once_without_a_spin_and_never_with_one_without_end);
    tcase_add_test(tests, sleeps_at_once_where_spinning_was_in_vain_and_spins_again_where_it_pays);
    tcase_add_test(tests, a_reply_that_was_not_waited_for_takes_nothing_back);
    tcase_add_test(tests, a_deadline_within_the_spin_is_a_failure_of_it);
    tcase_add_test(tests, looks_around_once_for_an_alarm_and_goes_on_waiting);
    tcase_add_test(tests, looks_again_for_an_alarm_that_comes_during_the_look);
    tcase_add_test(tests, sleeps_a_second_where_it_is_watched_and_a_tenth_where_it_is_not);
    tcase_add_test(tests, sees_an_alarm_after_a_short_sleep_where_it_cannot_wait_for_two_words);
    tcase_add_test(tests, refuses_a_slot_that_the_server_changed_behind_its_back);
    tcase_add_test(tests, refuses_a_word_that_is_neither_its_request_nor_its_reply);
    tcase_add_loop_test(tests, refuses_a_reply_that_points_outside, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(tests, refuses_a_block_that_it_did_not_offer);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_client_suite)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two races that decide whether a wake-up is lost, run again and again at the same moment in two threads.
 *
 *   W1 <> W2   the server arms its next slot       | the client publishes into it
 *              armed exactly where the doorbell rings, and the request is there in any case
 *   W3 <> W4   the server answers, looks for wish  | the client wishes, looks for its reply
 *              at least one look succeeds
 *
 * Nobody sleeps here: what would wake is counted instead.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/platform/cpu.h"
#include "runtime/platform/event.h"

#include <pthread.h>
#include <sched.h>

#define ROUNDS 50000u
#define SPREAD 256u /* steps that either side may be early */

static lane_pair pair;
static unsigned rings; /* of the doorbell, by the client's thread */
static _Atomic unsigned client_at;
static _Atomic unsigned server_at;
static bool armed; /* handed over at a meeting */

/* The linker puts these in the place of event_ring() and futex_wake() (--wrap). */
int __wrap_event_ring(int descriptor);
void __wrap_futex_wake(const _Atomic uint32_t *word);

int __wrap_event_ring(int descriptor)
{
    (void)descriptor;
    rings++;
    return 0;
}

void __wrap_futex_wake(const _Atomic uint32_t *word)
{
    (void)word;
}

/* Goes on when the other side has come to the same point. */
static void meet(_Atomic unsigned *mine, const _Atomic unsigned *other)
{
    unsigned point = atomic_fetch_add(mine, 1) + 1;
    unsigned tries;

    for (tries = 0; (int)(atomic_load(other) - point) < 0; tries++) {
        if (tries < 200) {
            cpu_pause();
        } else {
            (void)sched_yield();
        }
    }
}

/* xorshift64* (Vigna). */
static void delay(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    for (uint64_t n = (*state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % SPREAD; n > 0; n--) {
        __asm__ __volatile__("" : : : "memory");
    }
}

static void begin(void)
{
    lane_pair_init(&pair, 2, 0);
}

static void end(void)
{
    lane_pair_deinit(&pair);
}

/* ---- W1 <> W2 ---- */

static void *arm_rounds(void *argument)
{
    uint64_t state = 11;

    for (unsigned round = 0; round < ROUNDS; round++) {
        meet(&server_at, &client_at);
        delay(&state);
        armed = lane_server_arm(&pair.server);
        meet(&server_at, &client_at);
        /* The client looks at what came of it. */
        meet(&server_at, &client_at);
    }
    return argument;
}

START_TEST(a_server_is_armed_exactly_where_the_request_rings)
{
    uint64_t state = 22;
    unsigned times_armed = 0;
    pthread_t server;

    ck_assert_int_eq(pthread_create(&server, NULL, arm_rounds, NULL), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned before = rings;
        lane_call call;

        meet(&client_at, &server_at);
        delay(&state);
        call = lane_pair_call(&pair, round, 8, 8);
        meet(&client_at, &server_at);
        ck_assert_uint_eq(rings - before, armed);
        times_armed += armed;
        lane_pair_answer(&pair, 8);
        lane_pair_expect_reply(&pair, &call, round + 1);
        meet(&client_at, &server_at);
    }
    ck_assert_int_eq(pthread_join(server, NULL), 0);
    /* Both orders came about. */
    ck_assert_uint_gt(times_armed, 0);
    ck_assert_uint_lt(times_armed, ROUNDS);
}
END_TEST

/* ---- W3 <> W4 ---- */

static void *answer_rounds(void *argument)
{
    uint64_t state = 33;

    for (unsigned round = 0; round < ROUNDS; round++) {
        lane_request request;

        meet(&server_at, &client_at);
        if (lane_server_take(&pair.server, &request) != 1) {
            return NULL;
        }
        meet(&server_at, &client_at);
        delay(&state);
        lane_server_answer(&pair.server, &request, 0, 0, BLOCK_NONE);
        meet(&server_at, &client_at);
    }
    return argument;
}

START_TEST(a_reply_or_a_wish_is_seen)
{
    uint64_t state = 44;
    unsigned seen = 0;
    void *result = NULL;
    pthread_t server;

    ck_assert_int_eq(pthread_create(&server, NULL, answer_rounds, &pair), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        lane_call call = lane_pair_call(&pair, round, 8, 8);
        uint64_t woken = pair.caller.doorbells;
        bool is_there;

        meet(&client_at, &server_at);
        meet(&client_at, &server_at);
        delay(&state);
        shared_make_wish(pair.memory.header, wish_of(call.position, WISH_CALL));
        is_there = shared_load_word(call.at) == word_reply(call.position, pair.memory.shift);
        meet(&client_at, &server_at);
        ck_assert_msg(is_there || pair.caller.doorbells == woken + 1, "round %u: both looked too early", round);
        seen += is_there;
        shared_drop_wish(pair.memory.header);
        ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), 0);
        lane_client_end(&pair.client, &call);
    }
    ck_assert_int_eq(pthread_join(server, &result), 0);
    ck_assert_ptr_eq(result, &pair);
    ck_assert_uint_gt(seen, 0);
    ck_assert_uint_lt(seen, ROUNDS);
}
END_TEST

static Suite *lane_race_suite(void)
{
    Suite *suite = suite_create("runtime_lane_race");
    TCase *tests = tcase_create("lane_race");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_server_is_armed_exactly_where_the_request_rings);
    tcase_add_test(tests, a_reply_or_a_wish_is_seen);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_race_suite)

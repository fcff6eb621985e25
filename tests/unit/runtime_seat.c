/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seats: each change of the word by itself, then all of them at once from several threads.
 */
#include "test_support.h"

#include "runtime/seat.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ME 1u
#define OTHER 2u

static seat *at;
static int occupant;

static void begin(void)
{
    at = aligned_alloc(_Alignof(seat), sizeof(*at));
    ck_assert_ptr_nonnull(at);
    *at = (seat){.index = 3};
}

static void end(void)
{
    free(at);
}

static void expect_news(uint64_t sockets, uint32_t news)
{
    uint64_t found_sockets;
    uint32_t found;

    ck_assert((seat_word(at) & SEAT_PENDING) != 0);
    seat_take_news(at, &found_sockets, &found);
    ck_assert_uint_eq(found_sockets, sockets);
    ck_assert_uint_eq(found, news);
    ck_assert((seat_word(at) & SEAT_PENDING) == 0);
}

START_TEST(is_its_fillers_until_it_is_released_and_then_whose_knock_comes_first)
{
    uint32_t generation = seat_fill(at, ME, &occupant);

    ck_assert_ptr_eq(at->occupant, &occupant);
    ck_assert(seat_is_held(seat_word(at), ME));
    ck_assert(!seat_is_held(seat_word(at), OTHER));
    ck_assert(seat_release(at));
    ck_assert_uint_eq(seat_owner_of(seat_word(at)), SEAT_NOBODY);
    ck_assert_int_eq(seat_knock(at, generation, OTHER, 5, 0), SEAT_TAKEN);
    ck_assert(seat_is_held(seat_word(at), OTHER));
    ck_assert_int_eq(seat_knock(at, generation, ME, 2, 8), SEAT_LEFT);
    expect_news(7, 8);
}
END_TEST

START_TEST(is_not_released_over_a_knock)
{
    uint32_t generation = seat_fill(at, ME, &occupant);

    ck_assert_int_eq(seat_knock(at, generation, OTHER, 0, 0), SEAT_LEFT);
    ck_assert(!seat_release(at));
    ck_assert(seat_is_held(seat_word(at), ME));
    expect_news(0, 0);
    ck_assert(seat_release(at));
}
END_TEST

START_TEST(knows_an_event_for_who_sat_there_before)
{
    uint32_t generation = seat_fill(at, ME, &occupant);
    uint32_t next;

    seat_vacate(at);
    ck_assert_ptr_null(at->occupant);
    ck_assert_int_eq(seat_knock(at, generation, OTHER, 1, 1), SEAT_STALE);
    next = seat_fill(at, ME, &occupant);
    ck_assert_uint_ne(next, generation);
    ck_assert_uint_eq(seat_generation(at), next);
    ck_assert_int_eq(seat_knock(at, generation, OTHER, 1, 1), SEAT_STALE);
    ck_assert(seat_release(at));
}
END_TEST

START_TEST(forgets_what_was_left_for_who_sat_there_before)
{
    uint32_t generation = seat_fill(at, ME, &occupant);

    ck_assert_int_eq(seat_knock(at, generation, OTHER, 1, 1), SEAT_LEFT);
    seat_vacate(at);
    ck_assert_uint_ne(seat_fill(at, ME, &occupant), generation);
    ck_assert(seat_release(at));
}
END_TEST

START_TEST(is_taken_away_only_where_its_owner_is_not_visiting)
{
    unsigned owner = 77;

    (void)seat_fill(at, ME, &occupant);
    ck_assert(!seat_steal(at, OTHER, &owner));
    seat_unpin(at);
    ck_assert(!seat_steal(at, ME, &owner));
    ck_assert(seat_claim(at, ME));
    ck_assert(!seat_steal(at, OTHER, &owner));
    seat_unpin(at);
    ck_assert(seat_steal(at, OTHER, &owner));
    ck_assert_uint_eq(owner, ME);
    ck_assert(seat_is_held(seat_word(at), OTHER));
    ck_assert(!seat_claim(at, ME));
    ck_assert(seat_release(at));
    ck_assert(!seat_steal(at, ME, &owner));
    ck_assert(!seat_claim(at, ME));
}
END_TEST

START_TEST(keeps_what_was_left_when_it_is_taken_away)
{
    uint32_t generation = seat_fill(at, ME, &occupant);
    unsigned owner;

    ck_assert_int_eq(seat_knock(at, generation, OTHER, 4, 2), SEAT_LEFT);
    seat_unpin(at);
    ck_assert(seat_steal(at, OTHER, &owner));
    expect_news(4, 2);
}
END_TEST

START_TEST(is_adopted_where_somebody_who_serves_nobody_knocked)
{
    uint32_t generation = seat_fill(at, ME, &occupant);

    ck_assert(seat_release(at));
    ck_assert(!seat_adopt(at, ME));
    ck_assert_int_eq(seat_knock(at, generation, SEAT_NOBODY, 0, 16), SEAT_LEFT);
    ck_assert_uint_eq(seat_owner_of(seat_word(at)), SEAT_NOBODY);
    ck_assert(seat_adopt(at, OTHER));
    ck_assert(!seat_adopt(at, ME));
    expect_news(0, 16);
    ck_assert(seat_release(at));
}
END_TEST

/* ---- from several threads ---- */

#define WORKERS 4u
#define KNOCKS 20000u

static _Atomic unsigned inside; /* workers that hold the seat at this moment */
static unsigned visits;         /* touched by the owner alone */
static _Atomic uint64_t heard;  /* numbers of knocks, as far as the owners were told */
static _Atomic uint64_t told;
static _Atomic bool wrong;
static uint32_t generation;

static void visit(unsigned worker)
{
    uint64_t sockets;
    uint32_t news;
    uint64_t now;

    if (atomic_fetch_add(&inside, 1) != 0 || !seat_is_held(seat_word(at), worker)) {
        atomic_store(&wrong, true);
    }
    visits++;
    seat_take_news(at, &sockets, &news);
    now = atomic_load(&told);
    if (atomic_load(&heard) < now) {
        atomic_store(&heard, now);
    }
    (void)atomic_fetch_sub(&inside, 1);
}

/* As a worker does: takes what it knocks at, visits, lets others have it now and then, gives it up. */
static void *work(void *argument)
{
    unsigned worker = (unsigned)(uintptr_t)argument;
    bool owns = false;

    for (unsigned i = 0; i < KNOCKS; i++) {
        unsigned owner;

        (void)atomic_fetch_add(&told, 1);
        if (seat_knock(at, generation, worker, 1, 1) == SEAT_TAKEN) {
            owns = true;
        }
        if (!owns && i % 3 == 0 && seat_steal(at, worker, &owner)) {
            owns = true;
        }
        if (owns && !seat_is_held(seat_word(at), worker) && !seat_claim(at, worker)) {
            owns = false;
        }
        if (owns) {
            visit(worker);
            if (i % 5 == 0) {
                seat_unpin(at);
            } else if (seat_release(at)) {
                owns = false;
            }
        }
    }
    while (owns && (seat_is_held(seat_word(at), worker) || seat_claim(at, worker))) {
        visit(worker);
        owns = !seat_release(at);
    }
    return NULL;
}

START_TEST(has_one_owner_at_a_time_and_each_knock_is_heard)
{
    pthread_t threads[WORKERS];

    generation = seat_fill(at, ME, &occupant);
    ck_assert(seat_release(at));
    for (uintptr_t i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert(!atomic_load(&wrong));
    ck_assert_uint_gt(visits, 0);
    ck_assert_uint_eq(atomic_load(&heard), WORKERS * KNOCKS);
    ck_assert_uint_eq(seat_owner_of(seat_word(at)), SEAT_NOBODY);
    ck_assert((seat_word(at) & SEAT_PENDING) == 0);
}
END_TEST

static _Atomic uint32_t known; /* the generation that the one who knocks has heard of */
static _Atomic bool is_over;

static void *knock_late(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        if (seat_knock(at, atomic_load(&known), OTHER, 1, 1) == SEAT_TAKEN) {
            atomic_store(&wrong, true);
        }
    }
    return NULL;
}

/* However late it comes: also where the seat is given on while it knocks. */
START_TEST(a_knock_for_who_sat_there_before_is_never_heard_by_the_next)
{
    pthread_t late;

    atomic_store(&known, seat_fill(at, ME, &occupant));
    ck_assert_int_eq(pthread_create(&late, NULL, knock_late, NULL), 0);
    for (unsigned round = 0; round < 1000000; round++) {
        seat_vacate(at);
        uint32_t next = seat_fill(at, ME, &occupant);

        ck_assert((seat_word(at) & SEAT_PENDING) == 0);
        atomic_store(&known, next);
    }
    atomic_store(&is_over, true);
    ck_assert_int_eq(pthread_join(late, NULL), 0);
    ck_assert(!atomic_load(&wrong));
    ck_assert_uint_eq(seat_owner_of(seat_word(at)), ME);
}
END_TEST

static Suite *seat_suite(void)
{
    Suite *suite = suite_create("runtime_seat");
    TCase *tests = tcase_create("seat");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, is_its_fillers_until_it_is_released_and_then_whose_knock_comes_first);
    tcase_add_test(tests, is_not_released_over_a_knock);
    tcase_add_test(tests, knows_an_event_for_who_sat_there_before);
    tcase_add_test(tests, forgets_what_was_left_for_who_sat_there_before);
    tcase_add_test(tests, is_taken_away_only_where_its_owner_is_not_visiting);
    tcase_add_test(tests, keeps_what_was_left_when_it_is_taken_away);
    tcase_add_test(tests, is_adopted_where_somebody_who_serves_nobody_knocked);
    tcase_add_test(tests, has_one_owner_at_a_time_and_each_knock_is_heard);
    tcase_add_test(tests, a_knock_for_who_sat_there_before_is_never_heard_by_the_next);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(seat_suite)

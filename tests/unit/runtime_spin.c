/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of runtime/spin.h: what a spin that adapts learns, and what it forgets. */
#include "runtime/spin.h"

#include "runtime/platform/clock.h"
#include "test_support.h"

#define MOST_NS 50000

/* Waits that sleep; counts those that spun before it. */
static unsigned sleep_through(spin *self, unsigned waits)
{
    unsigned spun = 0;

    for (unsigned i = 0; i < waits; i++) {
        ck_assert(self->now_ns == 0 || self->now_ns == self->most_ns);
        spun += self->now_ns != 0;
        spin_slept(self);
    }
    return spun;
}

START_TEST(once_is_chance)
{
    spin self = spin_for(MOST_NS, true);

    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(self.now_ns, MOST_NS);
        spin_slept(&self);
        ck_assert_int_eq(self.now_ns, MOST_NS);
        spin_paid(&self);
    }
}
END_TEST

START_TEST(rests_twice_as_long_after_each_failure)
{
    spin self = spin_for(MOST_NS, true);

    spin_slept(&self);
    for (uint32_t rest = 1; rest <= SPIN_REST_MOST; rest *= 2) {
        ck_assert_int_eq(self.now_ns, MOST_NS);
        spin_slept(&self);
        ck_assert_uint_eq(sleep_through(&self, rest), 0);
    }
    ck_assert_int_eq(self.now_ns, MOST_NS);
}
END_TEST

START_TEST(tries_seldom_where_it_never_pays_and_for_ever)
{
    spin self = spin_for(MOST_NS, true);

    (void)sleep_through(&self, 4 * SPIN_REST_MOST);
    ck_assert_uint_eq(sleep_through(&self, 100 * (SPIN_REST_MOST + 1)), 100);
}
END_TEST

START_TEST(forgets_what_was_in_vain_when_it_pays)
{
    spin self = spin_for(MOST_NS, true);

    (void)sleep_through(&self, 10 * SPIN_REST_MOST);
    while (self.now_ns == 0) {
        spin_slept(&self);
    }
    /* One success halves the next rest; */
    spin_paid(&self);
    ck_assert_int_eq(self.now_ns, MOST_NS);
    ck_assert_uint_eq(sleep_through(&self, 1), 1);
    ck_assert_uint_eq(sleep_through(&self, SPIN_REST_MOST / 2), 0);
    ck_assert_int_eq(self.now_ns, MOST_NS);
    /* as many as there were failures make it as new. */
    for (int i = 0; i < 10; i++) {
        spin_paid(&self);
    }
    ck_assert_uint_eq(sleep_through(&self, 2), 2);
    ck_assert_uint_eq(sleep_through(&self, 2), 1);
}
END_TEST

/* None, always, and a time that was asked for. */
START_TEST(one_that_does_not_adapt_stays_as_it_is)
{
    static const int64_t times[] = {0, CLOCK_NEVER, 1234};
    spin self = spin_for(times[_i], false);

    for (int i = 0; i < 100; i++) {
        spin_slept(&self);
        ck_assert_int_eq(self.now_ns, times[_i]);
    }
}
END_TEST

START_TEST(none_is_none_where_it_adapts)
{
    spin self = spin_for(0, true);

    ck_assert_uint_eq(sleep_through(&self, 100), 0);
}
END_TEST

static Suite *spin_suite(void)
{
    Suite *suite = suite_create("runtime_spin");
    TCase *tests = tcase_create("spin");

    tcase_add_test(tests, once_is_chance);
    tcase_add_test(tests, rests_twice_as_long_after_each_failure);
    tcase_add_test(tests, tries_seldom_where_it_never_pays_and_for_ever);
    tcase_add_test(tests, forgets_what_was_in_vain_when_it_pays);
    tcase_add_loop_test(tests, one_that_does_not_adapt_stays_as_it_is, 0, 3);
    tcase_add_test(tests, none_is_none_where_it_adapts);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(spin_suite)

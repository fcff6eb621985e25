/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "deadline.h"

#define NS_PER_S UINT64_C(1000000000)

_Static_assert(sizeof(_Atomic(unsigned)) == sizeof(uint32_t), "a futex has 32 bits");

unsigned tally_up(_Atomic(unsigned) *tally)
{
    unsigned before = atomic_fetch_add(tally, 1);

    (void)syscall(SYS_futex, tally, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return before;
}

bool tally_reaches(_Atomic(unsigned) *tally, unsigned least, uint64_t until_ns)
{
    /* This operation takes a moment of the monotonic clock, not a span. */
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S), .tv_nsec = (long)(until_ns % NS_PER_S)};
    unsigned now = atomic_load(tally);

    while (now < least && test_now_ns() < until_ns) {
        (void)syscall(SYS_futex, tally, FUTEX_WAIT_BITSET, now, &until, NULL, FUTEX_BITSET_MATCH_ANY);
        now = atomic_load(tally);
    }
    return now >= least;
}

void tally_await(_Atomic(unsigned) *tally, unsigned least)
{
    ck_assert_msg(tally_reaches(tally, least, test_deadline_ns(TEST_PATIENCE_MS)), "awaited %u, there are %u", least,
                  atomic_load(tally));
}

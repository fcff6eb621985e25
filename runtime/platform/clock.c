/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <assert.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t clock_read(clockid_t which)
{
    struct timespec now;
    int r = clock_gettime(which, &now);

    assert(r == 0);
    (void)r;
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_coarse_ns(void)
{
    return clock_read(CLOCK_MONOTONIC_COARSE);
}

static int64_t clock_add(int64_t now, int64_t timeout_ns)
{
    if (timeout_ns <= 0)
        return now;
    return timeout_ns > CLOCK_NEVER - now ? CLOCK_NEVER : now + timeout_ns;
}

int64_t clock_after_ns(int64_t timeout_ns)
{
    return timeout_ns == CLOCK_NEVER ? CLOCK_NEVER : clock_add(clock_now_ns(), timeout_ns);
}

int64_t clock_after_about_reading(clock_reading *reading, int64_t timeout_ns)
{
    if (timeout_ns == CLOCK_NEVER)
        return CLOCK_NEVER;
    if (timeout_ns < NS_PER_S) {
        if (reading->now_ns == 0)
            reading->now_ns = clock_now_ns();
        return clock_add(reading->now_ns, timeout_ns);
    }
    if (reading->tick_ns == 0)
        reading->tick_ns = clock_coarse_ns();
    return clock_add(reading->tick_ns + CLOCK_TICK_MOST_NS, timeout_ns);
}

int64_t clock_after_about_ns(int64_t timeout_ns)
{
    clock_reading reading = {0};

    return clock_after_about_reading(&reading, timeout_ns);
}

int64_t clock_left_ns(int64_t until_ns)
{
    if (until_ns == CLOCK_NEVER)
        return CLOCK_NEVER;

    int64_t now = clock_now_ns();

    return until_ns > now ? until_ns - now : 0;
}

void clock_sleep_ns(int64_t timeout_ns)
{
    struct timespec span = clock_timespec(timeout_ns);

    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

struct timespec clock_timespec(int64_t timeout_ns)
{
    if (timeout_ns < 0)
        timeout_ns = 0;
    return (struct timespec){
        .tv_sec = (time_t)(timeout_ns / NS_PER_S),
        .tv_nsec = (long)(timeout_ns % NS_PER_S),
    };
}

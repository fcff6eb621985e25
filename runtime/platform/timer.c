/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

#include "clock.h"

#include <assert.h>
#include <errno.h>
#include <sys/timerfd.h>

int timer_new(void)
{
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    return descriptor < 0 ? -errno : descriptor;
}

void timer_set(int descriptor, int64_t until_ns)
{
    struct itimerspec when = {{0, 0}, {0, 0}};
    int r;

    if (until_ns != CLOCK_NEVER) {
        /* All zero would be "never". */
        when.it_value = clock_timespec(until_ns < 1 ? 1 : until_ns);
    }
    r = timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL);
    assert(r == 0);
    (void)r;
}

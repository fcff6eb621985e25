/* SPDX-License-Identifier: Apache-2.0 */
#include "gap.h"

#include "stamp.h"

#include <errno.h>
#include <time.h>

#define CALIBRATION_TURNS UINT64_C(50000)
#define CALIBRATION_TRIES 30

uint64_t gap_calibrate(uint64_t work_ns)
{
    uint64_t least_ns = UINT64_MAX, turns;

    for (int i = 0; i < CALIBRATION_TRIES; i++) {
        const uint64_t begin_ns = stamp_clock_ns();
        uint64_t took_ns;

        gap_work(CALIBRATION_TURNS);
        took_ns = stamp_clock_ns() - begin_ns;
        if (took_ns > 0 && took_ns < least_ns) {
            least_ns = took_ns;
        }
    }
    turns = CALIBRATION_TURNS * work_ns / least_ns;
    return turns > 0 ? turns : 1;
}

void gap_sleep(uint64_t period_ns, uint64_t *due_ns)
{
    struct timespec now, due;
    uint64_t now_ns;

    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    *due_ns += period_ns;
    if (*due_ns <= now_ns) {
        *due_ns = now_ns + period_ns;
    }
    due.tv_sec = (time_t)(*due_ns / UINT64_C(1000000000));
    due.tv_nsec = (long)(*due_ns % UINT64_C(1000000000));
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
    }
}

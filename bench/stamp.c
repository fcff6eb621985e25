/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define CALIBRATION_NS UINT64_C(100000000)
#define COST_SAMPLES 10000

/* rdtscp must exist, and the counter must tick at one rate whatever the core's frequency does. */
static bool counter_is_usable(void)
{
#if defined(__x86_64__)
    const unsigned has_rdtscp = 1u << 27;
    const unsigned is_invariant = 1u << 8;
    unsigned a, b, c, d;

    if (!__get_cpuid(0x80000001u, &a, &b, &c, &d) || !(d & has_rdtscp)) {
        return false;
    }
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & is_invariant);
#else
    return true;
#endif
}

double stamp_calibrate(void)
{
    uint64_t first_ns, last_ns, first, last;

    if (!counter_is_usable()) {
        return 0;
    }
    first_ns = stamp_clock_ns();
    first = stamp_now();
    do {
        last_ns = stamp_clock_ns();
        last = stamp_now();
    } while (last_ns - first_ns < CALIBRATION_NS);
    return last > first ? (double)(last_ns - first_ns) / (double)(last - first) : 0;
}

uint64_t stamp_cost(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < COST_SAMPLES; i++) {
        uint64_t before = stamp_now();
        uint64_t after = stamp_now();

        if (after - before < least) {
            least = after - before;
        }
    }
    return least;
}

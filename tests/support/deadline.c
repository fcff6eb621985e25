/* SPDX-License-Identifier: Apache-2.0 */
#include "deadline.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

uint64_t test_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t test_deadline_ns(unsigned int patience_ms)
{
    const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
    unsigned long stretch = text != NULL ? strtoul(text, NULL, 10) : 1;

    if (stretch < 1 || stretch > 100)
        stretch = 1;
    return test_now_ns() + patience_ms * NS_PER_MS * stretch;
}

int test_remaining_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = test_now_ns();

    if (now_ns >= deadline_ns)
        return 0;
    uint64_t remaining_ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return remaining_ms > INT_MAX ? INT_MAX : (int)remaining_ms;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "futex.h"

#include "clock.h"
#include "feature.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the kernel has them, for headers that are older than 5.16. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define WAITV_U32 2u

typedef struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} waitv;

_Static_assert(sizeof(waitv) == 24, "struct futex_waitv of the kernel");

int futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec span = clock_timespec(timeout_ns);
    const struct timespec *limit = timeout_ns == CLOCK_NEVER ? NULL : &span;

    if (syscall(SYS_futex, word, FUTEX_WAIT, expected, limit, NULL, 0) == 0)
        return 0;
    return errno == EAGAIN ? 0 : -errno;
}

int futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                      int64_t timeout_ns)
{
    const waitv words[2] = {
        {.value = expected, .address = (uint64_t)(uintptr_t)word, .flags = WAITV_U32},
        {.value = 0, .address = (uint64_t)(uintptr_t)other, .flags = WAITV_U32},
    };
    int64_t until_ns = clock_after_ns(timeout_ns);
    struct timespec end = clock_timespec(until_ns);

    if (!feature_is_wanted(FEATURE_FUTEX_WAITV))
        return -ENOSYS;
    if (syscall(SYS_futex_waitv, words, 2, 0, until_ns == CLOCK_NEVER ? NULL : &end, CLOCK_MONOTONIC) >= 0)
        return 0;
    switch (errno) {
    case EAGAIN: return 0;
    case EPERM: return -ENOSYS;
    default: return -errno;
    }
}

void futex_wake(const _Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

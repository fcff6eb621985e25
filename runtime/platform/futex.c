/* SPDX-License-Identifier: Apache-2.0 */
#include "futex.h"

#include "clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec span = clock_timespec(timeout_ns);
    const struct timespec *limit = timeout_ns == CLOCK_NEVER ? NULL : &span;

    if (syscall(SYS_futex, word, FUTEX_WAIT, expected, limit, NULL, 0) == 0)
        return 0;
    return errno == EAGAIN ? 0 : -errno;
}

void futex_wake(const _Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

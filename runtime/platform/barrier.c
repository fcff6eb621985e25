/* SPDX-License-Identifier: Apache-2.0 */
#include "barrier.h"

#include "feature.h"
#include "process.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static int membarrier(int command)
{
    if (!feature_is_wanted(FEATURE_MEMBARRIER))
        return -ENOSYS;
    return syscall(SYS_membarrier, command, 0, 0) == 0 ? 0 : -errno;
}

int barrier_join(void)
{
    static _Atomic uint32_t joined; /* process_generation() of the process that has; two threads may both do it */
    uint32_t generation = process_generation();
    int rc;

    if (generation != 0 && atomic_load_explicit(&joined, memory_order_relaxed) == generation)
        return 0;
    rc = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
    if (rc == 0)
        atomic_store_explicit(&joined, generation, memory_order_relaxed);
    return rc;
}

int barrier_make(void)
{
    return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

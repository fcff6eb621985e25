/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu.h"

#include <limits.h>
#include <unistd.h>

int cpu_online_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    if (count < 1)
        return 1;
    return count > INT_MAX ? INT_MAX : (int)count;
}

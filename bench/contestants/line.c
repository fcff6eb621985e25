/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

int line_map(line **ret_lines, uint32_t count)
{
    void *memory;

    memory = mmap(NULL, count * sizeof(line), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    *ret_lines = memory;
    return 0;
}

void line_unmap(line *lines, uint32_t count)
{
    if (lines) {
        munmap(lines, count * sizeof(line));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

int line_map(line_walk *walk)
{
    void *memory = mmap(NULL, walk->count * sizeof(line), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED) {
        return -errno;
    }
    walk->lines = memory;
    return 0;
}

void line_unmap(line_walk *walk)
{
    if (walk->lines) {
        munmap(walk->lines, walk->count * sizeof(line));
        walk->lines = NULL;
    }
}

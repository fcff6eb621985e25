/* SPDX-License-Identifier: Apache-2.0 */
#include "unanswered.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/slot.h"

#include "maps.h"
#include "probe_server.h"

/* By the kernel's hand: a lane that goes away in between is no fault, and a sanitizer has no thread to blame. */
static unsigned int count_in_lane(uintptr_t base, unsigned int depth)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < depth; i++) {
        uint32_t word;
        const struct iovec here = {.iov_base = &word, .iov_len = sizeof(word)};
        const struct iovec there = {.iov_base = (void *)(base + sizeof(lane_header) + i * sizeof(slot)),
                                    .iov_len = sizeof(word)};

        ssize_t length = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

        ck_assert_msg(length == (ssize_t)sizeof(word) || errno == EFAULT, "process_vm_readv: %s", strerror(errno));
        if (length == (ssize_t)sizeof(word))
            count += (word & WORD_MOVED) == WORD_REQUEST; /* both of its bits tell the state */
    }
    return count;
}

unsigned int unanswered_count(unsigned int depth)
{
    char line[512];
    unsigned int count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t begin, end;

        if (strstr(line, "memfd:shmrpc") != NULL && maps_range(line, &begin, &end))
            count += count_in_lane(begin, depth);
    }
    ck_assert_int_eq(fclose(maps), 0);
    return count;
}

void unanswered_await(unsigned int depth, unsigned int least)
{
    await_true(unanswered_count(depth) >= least);
}

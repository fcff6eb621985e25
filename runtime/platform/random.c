/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

int random_bytes(void *bytes, size_t length)
{
    ssize_t got;

    assert(length <= 256); /* of which a signal leaves nothing half done */
    do {
        got = getrandom(bytes, length, 0);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : 0;
}

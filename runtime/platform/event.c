/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int event_new(void)
{
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return descriptor < 0 ? -errno : descriptor;
}

int event_ring(int descriptor)
{
    const uint64_t one = 1;
    int saved = errno;
    int result = 0;
    ssize_t written;

    do {
        written = write(descriptor, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    if (written < 0 && errno != EAGAIN)
        result = -errno;

    errno = saved;
    return result;
}

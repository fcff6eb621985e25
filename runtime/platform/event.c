/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
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
    int held = thread_hold(); /* whoever rings has taken the wish of who sleeps */
    int result = 0;
    ssize_t written;

    do {
        written = write(descriptor, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    if (written < 0 && errno != EAGAIN)
        result = -errno;

    thread_release(held);
    errno = saved;
    return result;
}

/* Descriptors that no file is behind have no file type; without asking whoever serves a file. 0, -EPROTO, -errno. */
static int inspect_type(int descriptor)
{
    struct statx status;

    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0)
        return -errno;
    return (status.stx_mode & S_IFMT) == 0 ? 0 : -EPROTO;
}

int event_inspect(int descriptor)
{
    static const char expected[] = "anon_inode:[eventfd]";
    char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    char found[sizeof(expected)];
    ssize_t length;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    length = readlink(path, found, sizeof(found));
    if (length < 0)
        return inspect_type(descriptor);
    return (size_t)length == sizeof(expected) - 1 && memcmp(found, expected, sizeof(expected) - 1) == 0 ? 0 : -EPROTO;
}

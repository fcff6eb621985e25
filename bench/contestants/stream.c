/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int stream_open(stream_pair *pair)
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends) ? -errno : 0;
}

void stream_close(stream_pair *pair)
{
    close(pair->ends[STREAM_SERVER]);
    close(pair->ends[STREAM_CLIENT]);
}

int stream_take(const stream_pair *pair, int which)
{
    close(pair->ends[STREAM_ENDS - 1 - which]);
    return pair->ends[which];
}

ssize_t stream_receive(int end, void *bytes, size_t length)
{
    ssize_t n;

    do {
        n = recv(end, bytes, length, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

int stream_receive_all(int end, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t n = stream_receive(end, (char *)bytes + done, length - done);

        if (n <= 0) {
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

/* A blocking socket takes all of it, but where a signal comes in between. */
int stream_send_all(int end, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t n = send(end, (const char *)bytes + done, length - done, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

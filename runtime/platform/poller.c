/* SPDX-License-Identifier: Apache-2.0 */
#include "poller.h"

#include "clock.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>

int poller_new(void)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);

    return poller < 0 ? -errno : poller;
}

static int add(int poller, int descriptor, uint32_t events, void *owner, unsigned tag)
{
    struct epoll_event event = {.events = events};

    assert(tag <= POLLER_TAG_MAX && ((uintptr_t)owner & POLLER_TAG_MAX) == 0);
    event.data.u64 = (uint64_t)(uintptr_t)owner | tag;
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0 ? -errno : 0;
}

int poller_add(int poller, int descriptor, int edge, void *owner, unsigned tag)
{
    return add(poller, descriptor, (uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP | (edge ? (uint32_t)EPOLLET : 0), owner,
               tag);
}

int poller_add_end(int poller, int socket, void *owner)
{
    return add(poller, socket, (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET, owner, 0);
}

static int control(int poller, int operation, int descriptor, uint64_t key)
{
    struct epoll_event event = {.events = (uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET,
                                .data.u64 = key};

    return epoll_ctl(poller, operation, descriptor, &event) != 0 ? -errno : 0;
}

int poller_watch(int poller, int descriptor, uint64_t key)
{
    return control(poller, EPOLL_CTL_ADD, descriptor, key);
}

int poller_watch_as(int poller, int descriptor, uint64_t key)
{
    return control(poller, EPOLL_CTL_MOD, descriptor, key);
}

void poller_remove(int poller, int descriptor)
{
    (void)epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL);
}

static int milliseconds(int64_t timeout_ns)
{
    if (timeout_ns == CLOCK_NEVER) {
        return -1;
    }
    return timeout_ns >= (int64_t)INT_MAX * 1000000 ? INT_MAX : (int)((timeout_ns + 999999) / 1000000);
}

int poller_wait(int poller, poller_event *ret_events, int64_t timeout_ns)
{
    struct epoll_event events[POLLER_EVENTS_MAX];
    int count = epoll_wait(poller, events, POLLER_EVENTS_MAX, milliseconds(timeout_ns));
    int i;

    if (count < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    for (i = 0; i < count; i++) {
        ret_events[i].owner = (void *)(uintptr_t)(events[i].data.u64 & ~(uint64_t)POLLER_TAG_MAX);
        ret_events[i].tag = (unsigned)(events[i].data.u64 & POLLER_TAG_MAX);
        ret_events[i].key = events[i].data.u64;
    }
    return count;
}

void poller_await(int poller)
{
    struct pollfd ready = {.fd = poller, .events = POLLIN};

    (void)ppoll(&ready, 1, NULL, NULL);
}

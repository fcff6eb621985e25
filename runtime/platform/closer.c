/* SPDX-License-Identifier: Apache-2.0 */
#include "closer.h"

#include "event.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAT_BLOCK 512
#define NESTED_MAX 4                         /* sockets in sockets: the kernel's limit */
#define PACKETS_MAX 4096                     /* that are taken out of one socket */
#define MEMORY_MAX ((off_t)64 * 1024 * 1024) /* bytes that are given back in a few milliseconds */

/* What waits for one user. */
typedef struct queue {
    struct queue *next;
    uid_t user;
    bool has_thread;
    unsigned count;
    unsigned room;
    int *descriptors; /* oldest first, which may be in the middle of being closed */
} queue;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static queue *queues;
static _Atomic unsigned total; /* of all queues; changed under the lock */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;

/* ---- forks ---- */

static void before_fork(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* The threads are the parent's. So is what they close: a child's copies would have it wait. */
static void after_fork_in_child(void)
{
    while (queues != NULL) {
        queue *first = queues;

        queues = first->next;
        free(first->descriptors);
        free(first);
    }
    atomic_store_explicit(&total, 0, memory_order_relaxed);
    (void)pthread_mutex_unlock(&lock);
}

static void register_fork(void)
{
    fork_error = -pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

int closer_prepare(void)
{
    (void)pthread_once(&fork_once, register_fork);
    return fork_error;
}

/* ---- queues: under the lock ---- */

static queue *queue_of(uid_t user)
{
    queue *self = queues;

    while (self != NULL && self->user != user)
        self = self->next;
    return self;
}

static queue *queue_make(uid_t user)
{
    queue *self = queue_of(user);

    if (self == NULL) {
        self = calloc(1, sizeof(*self));
        if (self == NULL)
            return NULL;
        self->user = user;
        self->next = queues;
        queues = self;
    }
    return self;
}

static void queue_free(queue *self)
{
    queue **at = &queues;

    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    free(self->descriptors);
    free(self);
}

static bool queue_add(queue *self, int descriptor)
{
    if (self->count == self->room) {
        unsigned room = self->room == 0 ? CLOSER_MANY : self->room * 2;
        int *more = realloc(self->descriptors, room * sizeof(*more));

        if (more == NULL)
            return false;
        self->descriptors = more;
        self->room = room;
    }
    self->descriptors[self->count++] = descriptor;
    atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
    return true;
}

static void queue_remove_first(queue *self)
{
    unsigned i;

    self->count--;
    for (i = 0; i < self->count; i++)
        self->descriptors[i] = self->descriptors[i + 1];
    atomic_fetch_sub_explicit(&total, 1, memory_order_relaxed);
}

/* ---- threads ---- */

static void get_rid_of(int descriptor, int depth);

/* The descriptors in a part of a packet's control data; a pidfd where whoever sent the socket has asked for them. */
static void get_rid_of_part(const struct cmsghdr *part, int depth)
{
    size_t size = part->cmsg_len - CMSG_LEN(0);
    int descriptor;

    if (part->cmsg_level != SOL_SOCKET || (part->cmsg_type != SCM_RIGHTS && part->cmsg_type != SCM_PIDFD))
        return;
    for (size_t at = 0; at + sizeof(descriptor) <= size; at += sizeof(descriptor)) {
        memcpy(&descriptor, CMSG_DATA(part) + at, sizeof(descriptor));
        if (descriptor >= 0)
            get_rid_of(descriptor, depth + 1);
    }
}

/* Takes a packet out of a socket, and gets rid of what came with it. Was there one? */
static bool take_packet(int socket, int depth)
{
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
                            CMSG_SPACE(CLOSER_RIGHTS_MAX * sizeof(int))];
    } control;
    char bytes[4096];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *header;

    if (received < 0)
        return errno == EINTR;
    for (header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header))
        get_rid_of_part(header, depth);
    return received > 0 || message.msg_controllen > 0;
}

/* A socket is kept from lingering, and so is what lies in it unread, which would be closed with it. */
static void get_rid_of(int descriptor, int depth)
{
    const struct linger none = {0};
    int domain = -1;
    socklen_t size = sizeof(domain);

    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    for (int i = 0; domain == AF_UNIX && depth < NESTED_MAX && i < PACKETS_MAX; i++) {
        if (!take_packet(descriptor, depth))
            break;
    }
    (void)close(descriptor);
}

static void *close_all(void *data)
{
    queue *self = data;

    (void)pthread_mutex_lock(&lock);
    while (self->count != 0) {
        int first = self->descriptors[0];

        (void)pthread_mutex_unlock(&lock);
        get_rid_of(first, 0);
        (void)pthread_mutex_lock(&lock);
        queue_remove_first(self);
    }
    queue_free(self);
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

/* Under the lock: leaves it to the user's thread. */
static bool leave_to_thread(int descriptor, uid_t user)
{
    queue *self = queue_make(user);
    pthread_t thread;
    bool is_left = self != NULL && queue_add(self, descriptor);

    if (is_left && !self->has_thread) {
        self->has_thread = thread_start(&thread, "shmrpc-closer", close_all, self) == 0;
        is_left = self->has_thread;
        if (is_left)
            (void)pthread_detach(thread);
        else
            queue_remove_first(self);
    }
    if (self != NULL && !self->has_thread)
        queue_free(self);
    return is_left;
}

void closer_leave(int descriptor, uid_t user)
{
    bool is_left;

    (void)closer_prepare();
    (void)pthread_mutex_lock(&lock);
    is_left = leave_to_thread(descriptor, user);
    (void)pthread_mutex_unlock(&lock);
    /* Where there is no thread to be had: what waits in a socket is got rid of, and a file has to be waited for. */
    if (!is_left)
        get_rid_of(descriptor, 0);
}

/* ---- what closes at once ---- */

/* Memory of memfd_create() alone has seals; asking a file for them asks nobody who serves it. */
static bool is_small_memory(int descriptor)
{
    struct stat status;

    return fcntl(descriptor, F_GET_SEALS) >= 0 && fstat(descriptor, &status) == 0 &&
           status.st_blocks <= MEMORY_MAX / STAT_BLOCK;
}

static bool is_pipe(int descriptor)
{
    struct statx status;

    return statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
           S_ISFIFO(status.stx_mode);
}

void closer_close(int descriptor, uid_t user)
{
    if (is_small_memory(descriptor) || event_inspect(descriptor) == 0 || is_pipe(descriptor))
        (void)close(descriptor);
    else
        closer_leave(descriptor, user);
}

unsigned closer_count(uid_t user)
{
    unsigned count = 0;
    const queue *self;

    if (atomic_load_explicit(&total, memory_order_relaxed) != 0) {
        (void)pthread_mutex_lock(&lock);
        self = queue_of(user);
        count = self == NULL ? 0 : self->count;
        (void)pthread_mutex_unlock(&lock);
    }
    return count;
}

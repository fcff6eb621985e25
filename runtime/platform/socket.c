/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include "clock.h"
#include "closer.h"
#include "feature.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#define UNREAD_MAX 64 /* packets that are read before a socket is closed */

static_assert(SOCKET_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, "sun_path with its NUL");

static void descriptor_close(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

/*
 * Asks for the credentials of senders, and for room to send a packet of SOCKET_PACKET_MAX. The room is only asked for:
 * a larger packet than the system's limit allows is answered with -EMSGSIZE when it is sent.
 */
static int socket_prepare(int descriptor)
{
    const int on = 1;
    const int room = (int)SOCKET_PACKET_MAX;

    if (setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
        return -errno;
    if (feature_is_wanted(FEATURE_SCM_PIDFD) && setsockopt(descriptor, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) < 0 &&
        errno != ENOPROTOOPT)
        return -errno;
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
        return -errno;
    return 0;
}

static int socket_new(void)
{
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    if (descriptor < 0)
        return -errno;
    r = socket_prepare(descriptor);
    if (r < 0) {
        (void)close(descriptor);
        return r;
    }
    return descriptor;
}

static int socket_address(const char *path, struct sockaddr_un *ret_address)
{
    size_t length = strlen(path);

    if (length == 0)
        return -ENOENT;
    if (length > SOCKET_PATH_MAX)
        return -ENAMETOOLONG;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, path, length);
    return 0;
}

/* bind() gave the file the bits of the socket's inode less those of the umask: gives it the rest. */
static int socket_set_mode(const char *path, mode_t mode)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    if ((status.st_mode & 0777) == mode)
        return 0;
    return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int socket_listen(const char *path, mode_t mode, int backlog)
{
    struct sockaddr_un address;
    bool bound = false;
    int descriptor;
    int r;

    assert((mode & ~(mode_t)0777) == 0);

    r = socket_address(path, &address);
    if (r < 0)
        return r;
    descriptor = socket_new();
    if (descriptor < 0)
        return descriptor;

    if (fchmod(descriptor, mode) < 0 || bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        r = -errno;
        goto out_close;
    }
    bound = true;
    r = socket_set_mode(path, mode);
    if (r < 0)
        goto out_close;
    if (listen(descriptor, backlog) < 0) {
        r = -errno;
        goto out_close;
    }
    return descriptor;

out_close:
    if (bound)
        (void)unlink(path);
    (void)close(descriptor);
    return r;
}

void socket_stop_listening(int listener)
{
    (void)shutdown(listener, SHUT_RDWR);
}

int socket_connect(const char *path)
{
    struct sockaddr_un address;
    int descriptor;
    int r;

    r = socket_address(path, &address);
    if (r < 0)
        return r;
    descriptor = socket_new();
    if (descriptor < 0)
        return descriptor;

    do {
        r = connect(descriptor, (const struct sockaddr *)&address, sizeof(address));
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        r = -errno;
        (void)close(descriptor);
        return r;
    }
    return descriptor;
}

int socket_accept(int listener)
{
    int descriptor;
    int r;

    do {
        descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (descriptor < 0)
        return -errno;
    r = socket_prepare(descriptor);
    if (r < 0) {
        (void)close(descriptor);
        return r;
    }
    return descriptor;
}

uid_t socket_peer(int descriptor)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : (uid_t)-1;
}

int socket_send(int descriptor, const void *bytes, size_t length, const int *descriptors, unsigned count)
{
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(SOCKET_DESCRIPTORS_MAX * sizeof(int))];
    } control = {{0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    assert(length > 0 && count <= SOCKET_DESCRIPTORS_MAX);
    if (length > SOCKET_PACKET_MAX)
        return -EMSGSIZE;

    if (count > 0) {
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    }

    do {
        sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
    return (size_t)sent == length ? 0 : -EIO;
}

static const socket_packet packet_nothing = {
    .descriptors = {-1, -1},
    .sender = {.uid = (uid_t)-1, .gid = (gid_t)-1, .pidfd = -1},
};

/*
 * What the control part of a packet says. Takes every descriptor out of it, so that none can be forgotten: there is room
 * for all, since what the kernel has to let go is closed by who receives.
 */
typedef struct socket_control {
    unsigned surplus; /* descriptors beyond SOCKET_DESCRIPTORS_MAX: already given away */
    int pidfd_error;  /* -errno where the kernel could not make a pidfd */
} socket_control;

static void control_take_descriptors(socket_packet *packet, socket_control *control, const struct cmsghdr *header)
{
    const unsigned char *data = CMSG_DATA(header);
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (size_t i = 0; i < count; i++) {
        int descriptor;

        memcpy(&descriptor, data + i * sizeof(int), sizeof(int));
        if (packet->descriptor_count < SOCKET_DESCRIPTORS_MAX) {
            packet->descriptors[packet->descriptor_count++] = descriptor;
        } else {
            control->surplus++;
            closer_close(descriptor, packet->sender.uid);
        }
    }
}

static void control_take(socket_packet *packet, socket_control *control, const struct cmsghdr *header)
{
    size_t size = header->cmsg_len - CMSG_LEN(0);

    if (header->cmsg_level != SOL_SOCKET)
        return;
    if (header->cmsg_type == SCM_RIGHTS) {
        control_take_descriptors(packet, control, header);
    } else if (header->cmsg_type == SCM_CREDENTIALS && size >= sizeof(struct ucred)) {
        struct ucred credentials;

        memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
        packet->sender.pid = credentials.pid;
        packet->sender.uid = credentials.uid;
        packet->sender.gid = credentials.gid;
    } else if (header->cmsg_type == SCM_PIDFD && size >= sizeof(int)) {
        int pidfd;

        memcpy(&pidfd, CMSG_DATA(header), sizeof(pidfd));
        if (pidfd < 0) {
            control->pidfd_error = pidfd;
        } else {
            descriptor_close(&packet->sender.pidfd);
            packet->sender.pidfd = pidfd;
        }
    }
}

/* Kernels before 6.5, or a sender that was gone when its packet was received. */
static int sender_open_pidfd(socket_sender *sender)
{
    int pidfd;

    if (sender->pidfd >= 0 || sender->pid <= 0)
        return 0;
    pidfd = (int)syscall(SYS_pidfd_open, sender->pid, 0);
    if (pidfd < 0)
        return errno == EMFILE || errno == ENFILE ? -errno : 0;
    sender->pidfd = pidfd;
    return 0;
}

/* Of the packet's bytes. */
static int packet_check_bytes(const socket_packet *packet, const socket_control *control, int flags)
{
    if ((flags & MSG_TRUNC) || control->surplus > 0)
        return -EMSGSIZE;
    return packet->length == 0 ? -EPIPE : 0;
}

/* Of the descriptors that came with them. The buffer has room for all: what was cut off, the table had no room for. */
static int packet_check_rights(int flags)
{
    return flags & MSG_CTRUNC ? -EMFILE : 0;
}

/* Of who sent them. */
static int packet_check_sender(socket_packet *packet, const socket_control *control)
{
    if (control->pidfd_error == -EMFILE || control->pidfd_error == -ENFILE)
        return control->pidfd_error;
    return sender_open_pidfd(&packet->sender);
}

/* Takes one packet with all that comes with it, which is the caller's to check and to close. 0 or -errno. */
static int packet_take(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet,
                       socket_control *ret_control, int *ret_flags)
{
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
                            CMSG_SPACE(CLOSER_RIGHTS_MAX * sizeof(int))];
    } control_bytes;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control_bytes,
        .msg_controllen = sizeof(control_bytes),
    };
    socket_packet packet = packet_nothing;
    socket_control control = {0};
    ssize_t received;

    do {
        received = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0)
        return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header))
        control_take(&packet, &control, header);

    packet.length = (size_t)received;
    *ret_packet = packet;
    *ret_control = control;
    *ret_flags = message.msg_flags;
    return 0;
}

/* What of a packet has to be there. */
typedef enum packet_needs { NEEDS_BYTES, NEEDS_RIGHTS, NEEDS_SENDER } packet_needs;

static int packet_receive(int descriptor, void *bytes, size_t capacity, packet_needs needs, socket_packet *ret_packet)
{
    socket_packet packet = packet_nothing;
    socket_control control = {0};
    int flags = 0;
    int r = packet_take(descriptor, bytes, capacity, &packet, &control, &flags);

    if (r < 0)
        return r;
    r = packet_check_bytes(&packet, &control, flags);
    if (r == 0 && needs >= NEEDS_RIGHTS)
        r = packet_check_rights(flags);
    if (r == 0 && needs >= NEEDS_SENDER)
        r = packet_check_sender(&packet, &control);
    if (r < 0) {
        socket_packet_deinit(&packet);
        return r;
    }
    *ret_packet = packet;
    return 0;
}

int socket_receive(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet)
{
    return packet_receive(descriptor, bytes, capacity, NEEDS_SENDER, ret_packet);
}

int socket_receive_rights(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet)
{
    return packet_receive(descriptor, bytes, capacity, NEEDS_RIGHTS, ret_packet);
}

int socket_receive_bytes(int descriptor, void *bytes, size_t capacity, size_t *ret_length)
{
    socket_packet packet;
    int r = packet_receive(descriptor, bytes, capacity, NEEDS_BYTES, &packet);

    if (r < 0)
        return r;
    *ret_length = packet.length;
    socket_packet_deinit(&packet);
    return 0;
}

void socket_packet_deinit(socket_packet *packet)
{
    for (unsigned i = 0; i < packet->descriptor_count; i++) {
        if (packet->descriptors[i] >= 0)
            closer_close(packet->descriptors[i], packet->sender.uid);
        packet->descriptors[i] = -1;
    }
    packet->descriptor_count = 0;
    descriptor_close(&packet->sender.pidfd);
}

/* ---- what is not read ---- */

typedef enum unread { UNREAD_NONE, UNREAD_BYTES, UNREAD_DESCRIPTORS } unread;

/*
 * What is the next packet? Takes nothing out of it: there is room for credentials alone, so that the kernel says by a
 * flag whether descriptors are there. At the end of the stream not even credentials come.
 */
static unread look_at_next(int descriptor)
{
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t found;

    /* Twice: an error that the peer has left there comes first. */
    for (int i = 0; i < 2; i++) {
        found = recvmsg(descriptor, &message, MSG_PEEK | MSG_DONTWAIT);
        if (found >= 0 || errno == EAGAIN)
            break;
    }
    if (found < 0 || message.msg_controllen == 0)
        return UNREAD_NONE;
    return (message.msg_flags & MSG_CTRUNC) != 0 ? UNREAD_DESCRIPTORS : UNREAD_BYTES;
}

/* A pidfd is one more thing that there would be no room for. */
static void set_pidfds(int descriptor, int on)
{
    if (feature_is_wanted(FEATURE_SCM_PIDFD))
        (void)setsockopt(descriptor, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
}

bool socket_brings_descriptors(int descriptor)
{
    unread next;

    set_pidfds(descriptor, 0);
    next = look_at_next(descriptor);
    set_pidfds(descriptor, 1);
    return next == UNREAD_DESCRIPTORS;
}

void socket_close(int descriptor)
{
    unread next = UNREAD_BYTES;
    char byte;

    /* Nothing more can come. */
    (void)shutdown(descriptor, SHUT_RDWR);
    set_pidfds(descriptor, 0);
    for (int i = 0; i < UNREAD_MAX && next == UNREAD_BYTES; i++) {
        next = look_at_next(descriptor);
        if (next == UNREAD_BYTES)
            (void)recv(descriptor, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC);
    }
    if (next == UNREAD_NONE)
        (void)close(descriptor);
    else
        closer_leave(descriptor, socket_peer(descriptor));
}

int socket_wait(int descriptor, int pidfd, int64_t timeout_ns)
{
    struct pollfd pollers[2] = {
        {.fd = descriptor, .events = POLLIN | POLLRDHUP},
        {.fd = pidfd, .events = POLLIN},
    };
    int64_t until_ns = clock_after_ns(timeout_ns);
    int64_t left_ns = timeout_ns;
    int result = 0;
    int r;

    for (;;) {
        struct timespec span = clock_timespec(left_ns);

        r = ppoll(pollers, 2, left_ns == CLOCK_NEVER ? NULL : &span, NULL);
        if (r >= 0 || errno != EINTR)
            break;
        left_ns = clock_left_ns(until_ns);
    }
    if (r < 0)
        return -errno;

    if (pollers[0].revents & POLLIN)
        result |= SOCKET_READABLE;
    if ((pollers[0].revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) || pollers[1].revents != 0)
        result |= SOCKET_CLOSED;
    return result;
}

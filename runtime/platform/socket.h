/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - Unix sockets of SOCK_SEQPACKET: packets with descriptors, and with the kernel's word on who sent them.
 *
 * All sockets are non-blocking and close-on-exec.
 */
#ifndef SHMRPC_PLATFORM_SOCKET_H
#define SHMRPC_PLATFORM_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCKET_PACKET_MAX 262144u /* bytes */
#define SOCKET_DESCRIPTORS_MAX 2u

/* Who sent a packet: SCM_PIDFD (Linux 6.5), or pidfd_open() of the pid of SCM_CREDENTIALS. Not SO_PEERCRED, which names whoever
   called listen(). */
typedef struct socket_sender {
    pid_t pid;  /* 0 where it is not visible here */
    uid_t uid;
    gid_t gid;
    int pidfd;  /* -1: none to be had */
} socket_sender;

typedef struct socket_packet {
    size_t length;
    int descriptors[SOCKET_DESCRIPTORS_MAX]; /* the receiver's to close */
    unsigned descriptor_count;
    socket_sender sender; /* pidfd: the receiver's to close */
} socket_packet;

/* Bound and listening at `path` with these permission bits. Returns the descriptor or -errno (-EADDRINUSE, -ENAMETOOLONG, ...). */
int socket_listen(const char *path, mode_t mode, int backlog);

/* Begins to connect; -EAGAIN where the backlog is full, -ECONNREFUSED, -ENOENT, ... Never blocks. */
int socket_connect(const char *path);

/* Returns the descriptor, ready to receive credentials; -EAGAIN where nobody waits; -errno. */
int socket_accept(int listener);

/* Sends one packet whole with `count` descriptors (0 .. SOCKET_DESCRIPTORS_MAX). 0, -EAGAIN, -EPIPE, -EMSGSIZE, -errno. Never raises SIGPIPE. */
int socket_send(int descriptor, const void *bytes, size_t length, const int *descriptors, unsigned count);

/*
 * Receives one packet. 0 with *ret_packet filled; -EAGAIN; -EPIPE at the end of the stream; -EMSGSIZE where it was longer than
 * `capacity` or carried more descriptors than SOCKET_DESCRIPTORS_MAX (all are closed); -errno. Descriptors are close-on-exec.
 */
int socket_receive(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet);

void socket_packet_deinit(socket_packet *packet); /* closes what is still there; fields become -1 */

#define SOCKET_CLOSED 1 /* the peer has closed, or the connection is broken */
#define SOCKET_READABLE 2
/*
 * Waits until `descriptor` is readable or closed or the process of `pidfd` (or -1) has ended, at most timeout_ns (0: only looks).
 * A set of the bits above (an ended process counts as closed), 0 at the timeout, or -errno (-EINTR is tried again).
 */
int socket_wait(int descriptor, int pidfd, int64_t timeout_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - Unix sockets of SOCK_SEQPACKET: packets with descriptors, and with the kernel's word on who sent them.
 *
 * All sockets are non-blocking and close-on-exec, and ask for credentials from before the first packet can arrive:
 * a client before it connects, a server on the listener, from which accepted sockets inherit. No function blocks
 * except socket_wait().
 */
#ifndef SHMRPC_PLATFORM_SOCKET_H
#define SHMRPC_PLATFORM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCKET_PACKET_MAX 262144u /* bytes */
#define SOCKET_PATH_MAX 107u      /* bytes of a path */
#define SOCKET_DESCRIPTORS_MAX 3u /* descriptors of a packet */

/*
 * Who sent a packet: SCM_PIDFD (Linux 6.5), or pidfd_open() of the pid of SCM_CREDENTIALS. Not SO_PEERCRED, which
 * names whoever called listen(). Where it is pidfd_open() and the sender has ended and its pid was used again before
 * the packet was received, the pidfd names the wrong process; the socket's own end is then what tells.
 */
typedef struct socket_sender {
    pid_t pid; /* 0 where it is not visible here */
    uid_t uid; /* (uid_t)-1 where the kernel did not say */
    gid_t gid; /* likewise */
    int pidfd; /* -1: none to be had */
} socket_sender;

typedef struct socket_packet {
    size_t length;                           /* bytes, at least 1 */
    int descriptors[SOCKET_DESCRIPTORS_MAX]; /* the receiver's to close; -1 from descriptor_count on */
    unsigned descriptor_count;
    socket_sender sender; /* pidfd: the receiver's to close */
} socket_packet;

/*
 * Bound and listening at `path`, which has exactly these permission bits before anybody can connect. Returns the
 * descriptor or -errno (-EADDRINUSE where the path exists, -ENAMETOOLONG, ...); on failure no file is left.
 */
int socket_listen(const char *path, mode_t mode, int backlog);

/* From here on nobody connects: -ECONNREFUSED. The socket stays open, and its file where it is. */
void socket_stop_listening(int listener);

/* A connected socket; -EAGAIN where the backlog is full, -ECONNREFUSED where nobody listens, -ENOENT, -errno. */
int socket_connect(const char *path);

/* Returns the descriptor; -EAGAIN where nobody waits; -errno. */
int socket_accept(int listener);

/*
 * The user who connected an accepted socket, as it was then: enough to count by. (uid_t)-1 where the kernel does not
 * say. Who sends is another question (socket_sender).
 */
uid_t socket_peer(int descriptor);

/*
 * Sends one packet of 1 .. SOCKET_PACKET_MAX bytes whole, with `count` descriptors (0 .. SOCKET_DESCRIPTORS_MAX),
 * which stay the caller's. 0; -EAGAIN where there is no room; -EPIPE where the peer has closed; -EMSGSIZE; -errno.
 * Never raises SIGPIPE.
 */
int socket_send(int descriptor, const void *bytes, size_t length, const int *descriptors, unsigned count);

/*
 * Receives one packet. 0 with *ret_packet filled; -EAGAIN where there is none; -EPIPE at the end of the stream (an
 * empty packet ends it too); -EMSGSIZE where it was longer than `capacity` or carried more descriptors than
 * SOCKET_DESCRIPTORS_MAX; -EMFILE where the process has no room for its descriptors; -errno. In all but the first
 * case no descriptor stays open.
 */
int socket_receive(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet);

/* The same where nobody asks who sent it: its pidfd need not have had room here. */
int socket_receive_rights(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet);

/* The same where only the bytes count: what comes with them is closed, and need not have had room here. */
int socket_receive_bytes(int descriptor, void *bytes, size_t capacity, size_t *ret_length);

/* Closes what is still there, without waiting (closer.h); those fields become -1. */
void socket_packet_deinit(socket_packet *packet);

/* Does the next packet bring descriptors? Receives nothing. */
bool socket_brings_descriptors(int descriptor);

/*
 * Ends a connection and closes the socket, without waiting for what descriptors the peer has sent that were not received
 * (closer.h). Where copies of it are in other processes, the connection ends for them, too.
 */
void socket_close(int descriptor);

#define SOCKET_CLOSED 1   /* the peer has closed, or the connection is broken; packets may still be there to read */
#define SOCKET_READABLE 2 /* socket_receive() has something to say, be it the end */

/*
 * Waits until `descriptor` is readable or closed or the process of `pidfd` (or -1) has ended, at most timeout_ns
 * (0: only looks; CLOCK_NEVER: without limit). Signals do not end the wait. A set of the bits above (an ended process
 * counts as closed), 0 at the timeout, or -errno.
 */
int socket_wait(int descriptor, int pidfd, int64_t timeout_ns);

#endif

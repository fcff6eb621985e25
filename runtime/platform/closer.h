/* SPDX-License-Identifier: Apache-2.0 */
/*
 * closer.h - descriptors that came from another process, and how they are got rid of.
 *
 * To close a descriptor may take as long as its sender likes: a TCP socket that lingers waits for its peer, a file of
 * FUSE for whoever serves it, and a socket for whatever lies unread in it. So only what is known to close at once is
 * closed by who has it: eventfds, pipes, and memory that is not large. The rest is left to a thread, one for each user
 * whose descriptors they are, so that nobody waits for another user's; it keeps sockets from lingering, those too that
 * lie in others unread, and ends when it has closed all.
 */
#ifndef SHMRPC_PLATFORM_CLOSER_H
#define SHMRPC_PLATFORM_CLOSER_H

#include <sys/socket.h>
#include <sys/types.h>

/* What may come with a packet: so many descriptors at most (the kernel's SCM_MAX_FD), and, where asked for, a pidfd. */
#define CLOSER_RIGHTS_MAX 253u
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/* With so many descriptors that wait to be closed, a user gets no further ones taken. */
#define CLOSER_MANY 16u

/*
 * Registers for fork(), which takes the lock of this here after the locks of all who register theirs later: what they
 * hold while they close is taken first. Whoever closes something with a lock held calls it before it registers. 0 or
 * -errno; any number of times.
 */
int closer_prepare(void);

/* Closes a descriptor that `user` has sent, now or soon. Waits only where no thread is to be had. */
void closer_close(int descriptor, uid_t user);

/* The same for one that is known to take long, or may. */
void closer_leave(int descriptor, uid_t user);

/* How many of this user's descriptors wait to be closed. One load where nobody's do. */
unsigned closer_count(uid_t user);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor.h - the thread that hears of a server's end while the callers sleep or spin.
 *
 * A caller that waits for a reply sleeps in a futex, or polls a word of shared memory: neither tells it that the server
 * has ended. One thread per process waits for that in its place, in epoll, on the sockets and pidfds of all servers
 * that the process is connected to. When one of them ends, it sets the connection's alarm, which wakes the caller; the
 * caller then looks for itself (connection_look()). The thread knows nothing else: it reads no descriptor, loads no
 * shared memory, takes no decision.
 *
 * Invariants
 *   - The thread is there exactly while something is watched: the first monitor_add() starts it, the last
 *     monitor_remove() ends it and waits for its end. While nothing happens it sleeps and costs nothing.
 *   - What is watched is changed with the lock held, and so are events taken (without waiting) and alarms set. So no
 *     event of a connection is taken after its monitor_remove(), and no alarm is set that is no longer there.
 *   - Edge-triggered: an end is told once, and a descriptor that stays readable wakes nobody a second time.
 *   - After fork() the child has no thread, and closes what it has inherited of its parent's set without touching the
 *     set itself; its own first connection starts a thread of its own.
 */
#ifndef SHMRPC_MONITOR_H
#define SHMRPC_MONITOR_H

#include "alarm.h"

/*
 * Sets `alarm` from now on when `socket` is closed from the other side or the process of `pidfd` (or -1) ends, also
 * where that has happened already. All three stay the caller's and as they are until monitor_remove(); a pidfd may be
 * that of several connections. Returns 0 or -errno; then nothing is watched.
 */
int monitor_add(alarm_word *alarm, int socket, int pidfd);

/* `alarm` is not set any more. Not to be called in a forked child for what its parent has added. */
void monitor_remove(const alarm_word *alarm, int socket, int pidfd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - what an event loop sees of a connection: one descriptor, readable when dispatch has something to do.
 *
 * It is a poller with three things in it, none of them edge-triggered:
 *   the socket   a poke, a goodbye, or the server's end
 *   the process  of the server, which may end while a child of it holds the socket
 *   a timer      the next deadline; it is also set to "now" where dispatch has to run for a reason of this side's own
 *
 * One thread, the connection's.
 */
#ifndef SHMRPC_LOOP_H
#define SHMRPC_LOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct client_loop {
    int poller; /* -1: nobody has asked for it */
    int timer;
    int64_t at_ns; /* what the timer is set to; CLOCK_NEVER */
    bool is_deaf;  /* it could not be made to watch the connection that it was moved to: it wakes every LOOP_DEAF_NS */
} client_loop;

#define LOOP_DEAF_NS INT64_C(10000000)

/* Nobody has asked for it. */
void loop_init(client_loop *self);

/* Watches a socket and, where it is not -1, a process. Returns 0 or -errno; then nothing remains. */
int loop_open(client_loop *self, int socket, int process);
void loop_close(client_loop *self);

/*
 * Whoever waits for `from` waits for `to` from here on, by the same descriptor, which becomes readable now. `from` has
 * watched `old_...`, which are still open.
 */
void loop_move(client_loop *to, client_loop *from, int old_socket, int old_process, int socket, int process);

static inline bool loop_is_open(const client_loop *self)
{
    return self->poller >= 0;
}

/* Does the socket, or the process, have news? A timer that has been reached is set anew by loop_wake_at(). */
bool loop_has_news(client_loop *self);

/* Becomes readable at this time, or before; where it is deaf, soon. */
void loop_wake_at(client_loop *self, int64_t until_ns);

/* The socket has ended, and is always readable: not watched any more. Becomes readable at this time, not before. */
void loop_rest(client_loop *self, int socket, int64_t until_ns);

/* Becomes readable now. Nothing, where it is not open. */
void loop_wake(client_loop *self);

#endif

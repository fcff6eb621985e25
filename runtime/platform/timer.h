/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.h - a point in time with a descriptor: timerfd.
 *
 * Watched edge-triggered and never read, as the bells of event.h: each time that it is reached is an edge.
 */
#ifndef SHMRPC_PLATFORM_TIMER_H
#define SHMRPC_PLATFORM_TIMER_H

#include <stdint.h>

/* Non-blocking, close-on-exec, not set. Returns the descriptor or -errno. */
int timer_new(void);

/* Sets it to a time of clock.h, in place of the one before; a time that has passed is reached at once; CLOCK_NEVER. */
void timer_set(int descriptor, int64_t until_ns);

#endif

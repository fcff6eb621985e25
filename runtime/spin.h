/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin.h - how long whoever waits spins before it sleeps, and whether that pays.
 *
 * Spinning pays where what is waited for comes meanwhile: it spares a wake-up, 10 us. It is waste where that comes later
 * anyway, and worse where the other side needs this very core to bring it. Neither can be known before, and both are
 * seen after a few waits: so a spin that adapts rests after two waits in a row that it has lengthened in vain. It rests
 * for one wait, and for twice as many after each further failure, up to SPIN_REST_MOST; then it is tried again.
 *
 *   what                          rests for
 *   first failure                 nothing: once is chance
 *   2nd, 3rd, 4th ... in a row    1, 2, 4 ... SPIN_REST_MOST waits, which sleep at once
 *   success                       nothing, and the next failure for half as long
 *
 * Trial and exponential back-off, as Linux's halt polling grows and shrinks its window, but with one window: half of it
 * would fail where the whole pays, and cost half where it does not.
 */
#ifndef SHMRPC_SPIN_H
#define SHMRPC_SPIN_H

#include <stdbool.h>
#include <stdint.h>

/* Where spinning never pays, a trial of 50 us is shared by so many waits; where it begins to, it is missed as often. */
#define SPIN_REST_MOST 512u

typedef struct spin {
    int64_t now_ns;  /* in the next wait. 0: sleeps at once; CLOCK_NEVER: never sleeps */
    int64_t most_ns; /* when it does not rest */
    bool adapts;
    uint32_t rest;     /* waits to come that sleep at once */
    uint32_t failures; /* not taken back: what the next rest is made from */
} spin;

static inline spin spin_for(int64_t most_ns, bool adapts)
{
    return (spin){.now_ns = most_ns, .most_ns = most_ns, .adapts = adapts && most_ns != 0};
}

/*
 * What was waited for has come while it spun. This takes back one failure, not all: where both sides have one core, it
 * comes now and then because the scheduler has taken the spinner's core away meanwhile. Where there is none, as in calls
 * at once, nothing is written.
 */
static inline void spin_paid(spin *self)
{
    if (self->failures != 0) {
        self->failures--;
    }
}

/* It slept: after it had spun in vain, or at once because it rests. */
static inline void spin_slept(spin *self)
{
    if (!self->adapts) {
        return;
    }
    if (self->rest != 0) {
        self->rest--;
    } else {
        self->rest = (UINT32_C(1) << self->failures) / 2;
        self->failures += self->rest < SPIN_REST_MOST;
    }
    self->now_ns = self->rest != 0 ? 0 : self->most_ns;
}

#endif

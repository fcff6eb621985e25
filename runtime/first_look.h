/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first_look.h - how long whoever spins for an answer leaves the line alone before its first look.
 *
 * A look before the answer is written takes the line away from the side that is about to write it, which has to get it
 * back: some 50 ns. A look that comes late costs what it is late. So the best one comes right after the answer, and
 * when that is depends on the machine, on its clock rate and on what the handler does. It is learned from each answer:
 *
 *   what the first look finds                      the next one comes
 *   nothing, but one of the next few looks does    8/32 pauses later, up to FIRST_LOOK_MOST
 *   the answer; or nothing for longer              1/32 pause earlier
 *
 * So it settles where one look in nine comes shortly before the answer: the stochastic approximation of a quantile
 * (Robbins and Monro, A Stochastic Approximation Method, 1951). An answer that takes much longer than others does not
 * make them wait. "Shortly" is a few looks; or as long as the first look is early, so many pauses and looks in all as
 * can be learned from the start. Where a pause is so short that no answer comes within these, nothing is learned, and
 * the first look comes at once.
 */
#ifndef SHMRPC_FIRST_LOOK_H
#define SHMRPC_FIRST_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#define FIRST_LOOK_PARTS 32u /* of a pause (cpu_pause()) */
#define FIRST_LOOK_LATER 8u  /* parts */
#define FIRST_LOOK_START 4u  /* pauses, some 70 ns */
#define FIRST_LOOK_MOST 16u
#define FIRST_LOOK_FEW 6u /* looks, with a pause before each */

typedef struct first_look {
    uint32_t parts; /* of a pause, before the first look */
} first_look;

static inline first_look first_look_new(void)
{
    return (first_look){FIRST_LOOK_START * FIRST_LOOK_PARTS};
}

static inline uint32_t first_look_pauses(const first_look *self)
{
    return self->parts / FIRST_LOOK_PARTS;
}

/*
 * The answer was there after so many looks in vain. Has it come while this thread waited for it? Not where it was there
 * at a first look that is no later than at the start: hardly an answer is that fast, and this thread was off its core.
 */
static inline bool first_look_found(first_look *self, uint32_t looks)
{
    bool is_learned = self->parts > FIRST_LOOK_START * FIRST_LOOK_PARTS;
    bool is_soon = looks <= FIRST_LOOK_FEW || first_look_pauses(self) + looks <= FIRST_LOOK_START + FIRST_LOOK_FEW;

    if (looks == 0 || !is_soon) {
        self->parts -= self->parts != 0;
    } else if (self->parts < FIRST_LOOK_MOST * FIRST_LOOK_PARTS) {
        self->parts += FIRST_LOOK_LATER;
    }
    return looks != 0 || is_learned;
}

#endif

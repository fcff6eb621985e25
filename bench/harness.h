/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harness.h - runs contestants: two processes on two cores, in alternating rounds.
 *
 * The machine's own speed wanders, also while nobody else seems to run. So a figure is worth something beside another
 * one taken right before it: each run of a contestant is preceded by a run of the reference, and the ratio of the two
 * is what is kept. A round is one such pair per contestant; the next round begins again at the first.
 *
 * The parent measures nothing. It sleeps while its two children run, and is thereby free to end them: when one fails,
 * when a run takes too long, and when the user interrupts it. Children are ended by pid and waited for, and the
 * kernel kills them if the parent should die first.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include "contestant.h"
#include "measure.h"

#include <stddef.h>

typedef struct harness_plan harness_plan;

struct harness_plan {
    contestant_setting setting;
    uint32_t rounds;
    uint32_t calls; /* of each pass; a contestant makes 1 / slowness of them */
    double ns_per_tick;
    const gap *rhythm; /* NULL: three passes without gaps */
    const char *part;  /* of the question, for progress; NULL where there is one */
    /* Before each run of a contestant; may be NULL. */
    void (*progress)(const harness_plan *plan, uint32_t round, const char *name);
};

/* One contestant in one round. */
typedef struct harness_pair {
    measure_summary own;
    measure_summary reference; /* of the run right before */
} harness_pair;

/*
 * Takes over SIGINT, SIGTERM, SIGHUP and SIGCHLD of this process, which must have one thread. Call it once, first:
 * children that are made before have no part in it.
 */
void harness_take_signals(void);

/* The signal that ended the last run, or 0. */
int harness_interrupted(void);

/* Ends this process by that signal, as its parent expects, once all is cleaned up. Not without one. */
_Noreturn void harness_end_by_signal(void);

/*
 * Runs `count` contestants against `reference` and writes ret_pairs[contestant * rounds + round]. Returns 0, or
 * -errno with the cause on standard error; -EINTR where harness_interrupted(). No child is left in either case.
 */
int harness_run(const harness_plan *plan, contestant *reference, contestant *const *contestants, size_t count,
                harness_pair *ret_pairs);

/*
 * The calls that a contestant makes per pass: at least one block, a multiple of it. In a rhythm, which has no blocks, all
 * make as many as asked for.
 */
uint32_t harness_calls(const harness_plan *plan, const contestant *entrant);

/*
 * Picks the first two cores that this process may use, or the same one twice where there is one. A core of -1 is to
 * be picked, others are kept. Returns 0; -EINVAL where a core that was asked for may not be used; or -errno.
 */
int harness_pick_cores(contestant_setting *setting);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial.h - what programs share that put one question to contestants: the command line, cores and clock, the rounds,
 * and a report as text and JSON.
 *
 * A question has one part or several. Each has a reference of its own, and contestants that the harness runs against
 * it. The program says what the parts are and how results are printed; all else is here.
 *
 * Timings are reported, never judged: the exit status is 0 when every answer was right, and 2 when the bench could
 * not run. After a signal it cleans up and ends by that signal.
 */
#ifndef BENCH_TRIAL_H
#define BENCH_TRIAL_H

#include "conditions.h"
#include "figure.h"
#include "harness.h"

#include <stdio.h>

#define TRIAL_CONTESTANTS_MAX 20

typedef struct trial_part {
    const char *name;        /* a key of the JSON report; NULL in the only part of a question */
    const char *title;       /* one line for people, likewise */
    double goal;             /* of shmrpc's ratio to the reference, as the table says; 0: none */
    bool needs_two_cores;    /* left out where the two processes share one */
    const figure_keys *keys; /* what is saved of it; NULL: what trial_save_parts() is told */
    contestant *reference;
    const contestant *beside; /* one of the contestants, to which a second ratio is taken; NULL: none */
    contestant *contestants[TRIAL_CONTESTANTS_MAX + 1]; /* NULL behind the last; --only leaves some of them */

    /* Filled by trial_main(). */
    harness_plan plan;
    harness_pair *pairs;
    figure_row *rows; /* NULL where none of the contestants was asked for */
    size_t row_count;
} trial_part;

typedef struct trial trial;

struct trial {
    const char *name;    /* a key of the JSON report: "call" */
    const char *program; /* "bench_call" */
    const char *about;   /* what it does: lines of the usage */
    uint32_t default_calls;
    bool has_payloads; /* of sizes that its parts say; else 8 bytes go each way */
    bool has_arenas;   /* shmrpc's can be in huge pages: the option is to be had */
    trial_part *parts;
    size_t part_count;

    /* Can those that were asked for be run? Says what is wrong where they cannot. NULL: yes. */
    bool (*check)(const trial *self);
    /* What a part changes in the plan. NULL: nothing. */
    void (*prepare)(const trial *self, size_t part, harness_plan *plan);
    /* The results as text, behind the line of conditions. */
    void (*print)(const trial *self, FILE *out);
    /* The members of a JSON object behind the common conditions, which stay open: begins with a comma. */
    void (*save)(const trial *self, FILE *out);

    /* Filled by trial_main(). */
    harness_plan plan; /* as the command line says, before a part changes it */
    const conditions *found;
    double stamp_cost_ns;
};

/* The program. Returns its exit status. */
int trial_main(trial *self, int argc, char **argv);

/* The member "parts" of the report, likewise: all that were run. `keys` may be NULL where each part has its own. */
void trial_save_parts(const trial *self, const figure_keys *keys, FILE *out);

/* One line: who is on which core, where both poll as long as each has its own. */
void trial_print_polling(const trial *self, FILE *out);

/* One line: what each message holds, rounds and calls, and what a stamp costs. */
void trial_print_method(const trial *self, FILE *out);

/* "median [lower, upper]", 22 columns. */
void trial_print_ratio(const stats_quartiles *ratio, FILE *out);

#endif

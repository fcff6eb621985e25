/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figure.h - what is shown of a contestant's rounds.
 *
 * Absolute figures are medians over the rounds. A ratio is taken within a round, a contestant's figure over that of
 * the reference run right before it, and kept as median and quartiles over the rounds. Ratios are of times, above 1 is
 * slower than the reference, but for FIGURE_RATE. Of what a contestant takes besides there is none.
 */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include "harness.h"
#include "stats.h"

#include <stdio.h>

/* Each is a member of measure_summary. */
typedef enum figure {
    FIGURE_P10,
    FIGURE_P25,
    FIGURE_P50,
    FIGURE_P75,
    FIGURE_P90,
    FIGURE_P95,
    FIGURE_P99,
    FIGURE_P999,
    FIGURE_BLOCK,
    FIGURE_UNTIMED, /* calls per second; as a ratio the reference's rate over the contestant's */
    FIGURE_SERVER,  /* processor time of the server's process per call, in a rhythm; has no ratio */
    FIGURE_RATE,    /* calls per second again; as a ratio the contestant's over the reference's: above 1 is faster */
    FIGURES,
} figure;

typedef struct figure_row {
    const contestant *entrant;
    uint32_t calls;
    uint32_t rounds;
    double medians[FIGURES];
    stats_quartiles ratios[FIGURES];
    stats_quartiles beside[FIGURES]; /* to a second contestant's figures of the same round; 0 without one */
    const harness_pair *pairs;       /* [rounds] */
} figure_row;

/*
 * A row for each contestant of a plan that harness_run() has run; what it was given and has written must outlive them.
 * The caller's to free. NULL where memory is short. `beside`: the contestant that a second ratio is taken to; NULL, or not
 * one of these: none.
 */
figure_row *figure_rows_new(const harness_plan *plan, contestant *const *contestants, size_t count,
                            const harness_pair *pairs, const contestant *beside);

/* What of a row is saved, and under which keys. */
typedef struct figure_keys {
    const figure *figures; /* the first has a ratio */
    size_t count;
    const char *ratios;    /* "time_ratio" */
    const char *reference; /* of a round: "limit" */
    const char *beside;    /* "unix_ratio"; NULL: not saved */
} figure_keys;

/* An array in JSON, each line but the first behind `indent` spaces; without an end of line. */
void figure_rows_save(const figure_row *rows, size_t count, const figure_keys *keys, int indent, FILE *out);

#endif

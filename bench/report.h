/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what came out, for people and for programs.
 *
 * Absolute figures are medians over the rounds. A ratio is taken within a round, a contestant's figure over that of
 * the reference run right before it, and shown as median and quartiles over the rounds: above 1 is slower than the
 * reference.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "conditions.h"
#include "harness.h"
#include "stats.h"

#include <stdio.h>

/* What is shown of a run; each is a member of measure_summary. */
typedef enum report_figure {
    REPORT_P50,
    REPORT_P99,
    REPORT_P999,
    REPORT_BLOCK,
    REPORT_UNTIMED,
    REPORT_FIGURES,
} report_figure;

typedef struct report_row {
    const contestant *entrant;
    uint32_t calls;
    double medians[REPORT_FIGURES]; /* ns per call; of REPORT_UNTIMED calls per second */
    stats_quartiles
        ratios[REPORT_FIGURES]; /* of times: for REPORT_UNTIMED the reference's rate over the contestant's */
    const harness_pair *pairs;  /* [rounds] */
} report_row;

typedef struct report {
    const char *question; /* "call" */
    const harness_plan *plan;
    const conditions *found;
    double stamp_cost_ns;
    size_t row_count;
    report_row *rows;
} report;

/*
 * `pairs` is what harness_run() wrote; it, the plan and the conditions must outlive the report. Returns 0 or -ENOMEM.
 */
int report_init(report *ret_report, const char *question, const harness_plan *plan, const conditions *found,
                contestant *const *contestants, size_t count, const harness_pair *pairs);
void report_deinit(report *results);

void report_print(const report *results, FILE *out);

/* Writes a JSON object. Returns 0 or -errno, also where closing the file fails. */
int report_save(const report *results, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h - order statistics: no averages, since one stolen time slice would be most of an average. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>
#include <stdint.h>

/* The middle of a set and its spread. */
typedef struct stats_quartiles {
    double lower;
    double median;
    double upper;
} stats_quartiles;

void stats_sort_ticks(uint64_t *values, size_t count);

/*
 * The smallest value of an ascending row that at least `permille` / 1000 of the values do not exceed. `count` > 0,
 * `permille` 1 .. 1000.
 */
uint64_t stats_percentile(const uint64_t *values, size_t count, unsigned permille);

/* Sorts `values`, `count` > 0; between two values, linearly. */
stats_quartiles stats_quartiles_of(double *values, size_t count);

#endif

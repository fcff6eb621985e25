/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <assert.h>
#include <stdlib.h>

static int compare_ticks(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return (a > b) - (a < b);
}

void stats_sort_ticks(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_ticks);
}

uint64_t stats_percentile(const uint64_t *values, size_t count, unsigned permille)
{
    size_t rank;

    assert(count > 0 && permille > 0 && permille <= 1000);
    rank = (count * permille + 999) / 1000;
    return values[rank - 1];
}

/* The value at `fraction` of the way from the first to the last of a sorted row. */
static double value_at(const double *values, size_t count, double fraction)
{
    const double position = fraction * (double)(count - 1);
    const size_t below = (size_t)position;
    const size_t above = below + 1 < count ? below + 1 : below;

    return values[below] + (position - (double)below) * (values[above] - values[below]);
}

stats_quartiles stats_quartiles_of(double *values, size_t count)
{
    stats_quartiles quartiles;

    assert(count > 0);
    qsort(values, count, sizeof(values[0]), compare_doubles);
    quartiles.lower = value_at(values, count, 0.25);
    quartiles.median = value_at(values, count, 0.5);
    quartiles.upper = value_at(values, count, 0.75);
    return quartiles;
}

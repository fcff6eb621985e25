/* SPDX-License-Identifier: Apache-2.0 */
#include "figure.h"

#include "json.h"

#include <stddef.h>
#include <stdlib.h>

typedef enum figure_ratio {
    RATIO_AS_IT_IS,
    RATIO_INVERTED, /* of rates, to be one of times */
    RATIO_NONE,
} figure_ratio;

typedef struct figure_info {
    const char *key; /* in JSON, where it does not change */
    size_t offset;   /* in measure_summary */
    figure_ratio ratio;
} figure_info;

static const figure_info infos[FIGURES] = {
    [FIGURE_P10] = {"p10_ns", offsetof(measure_summary, p10_ns), RATIO_AS_IT_IS},
    [FIGURE_P25] = {"p25_ns", offsetof(measure_summary, p25_ns), RATIO_AS_IT_IS},
    [FIGURE_P50] = {"p50_ns", offsetof(measure_summary, p50_ns), RATIO_AS_IT_IS},
    [FIGURE_P75] = {"p75_ns", offsetof(measure_summary, p75_ns), RATIO_AS_IT_IS},
    [FIGURE_P90] = {"p90_ns", offsetof(measure_summary, p90_ns), RATIO_AS_IT_IS},
    [FIGURE_P95] = {"p95_ns", offsetof(measure_summary, p95_ns), RATIO_AS_IT_IS},
    [FIGURE_P99] = {"p99_ns", offsetof(measure_summary, p99_ns), RATIO_AS_IT_IS},
    [FIGURE_P999] = {"p999_ns", offsetof(measure_summary, p999_ns), RATIO_AS_IT_IS},
    [FIGURE_BLOCK] = {"block_ns", offsetof(measure_summary, block_ns), RATIO_AS_IT_IS},
    [FIGURE_UNTIMED] = {"calls_per_s", offsetof(measure_summary, calls_per_s), RATIO_INVERTED},
    [FIGURE_RATE] = {"calls_per_s", offsetof(measure_summary, calls_per_s), RATIO_AS_IT_IS},
    [FIGURE_SERVER] = {"server_ns", offsetof(measure_summary, server_ns), RATIO_NONE},
};

static double figure_of(const measure_summary *summary, figure which)
{
    return *(const double *)(const void *)((const char *)summary + infos[which].offset);
}

static double ratio_of(const measure_summary *taken, const measure_summary *to, figure which)
{
    const double own = figure_of(taken, which);
    const double reference = figure_of(to, which);

    if (own <= 0 || reference <= 0) {
        return 0; /* not measured */
    }
    return infos[which].ratio == RATIO_INVERTED ? reference / own : own / reference;
}

static void row_fill(figure_row *row, double *scratch)
{
    for (figure which = 0; which < FIGURES; which++) {
        for (uint32_t round = 0; round < row->rounds; round++) {
            scratch[round] = figure_of(&row->pairs[round].own, which);
        }
        row->medians[which] = stats_quartiles_of(scratch, row->rounds).median;
        if (infos[which].ratio == RATIO_NONE) {
            continue;
        }
        for (uint32_t round = 0; round < row->rounds; round++) {
            scratch[round] = ratio_of(&row->pairs[round].own, &row->pairs[round].reference, which);
        }
        row->ratios[which] = stats_quartiles_of(scratch, row->rounds);
    }
}

/* To another contestant's figures of the same round. */
static void row_compare(figure_row *row, const harness_pair *beside, double *scratch)
{
    for (figure which = 0; which < FIGURES; which++) {
        if (infos[which].ratio == RATIO_NONE) {
            continue;
        }
        for (uint32_t round = 0; round < row->rounds; round++) {
            scratch[round] = ratio_of(&row->pairs[round].own, &beside[round].own, which);
        }
        row->beside[which] = stats_quartiles_of(scratch, row->rounds);
    }
}

figure_row *figure_rows_new(const harness_plan *plan, contestant *const *contestants, size_t count,
                            const harness_pair *pairs, const contestant *beside)
{
    figure_row *rows = calloc(count, sizeof(*rows));
    double *scratch = calloc(plan->rounds, sizeof(*scratch));
    size_t other = 0;

    if (!rows || !scratch) {
        free(rows);
        free(scratch);
        return NULL;
    }
    while (other < count && contestants[other] != beside) {
        other++;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = (figure_row){
            .entrant = contestants[i],
            .calls = harness_calls(plan, contestants[i]),
            .rounds = plan->rounds,
            .pairs = &pairs[i * plan->rounds],
        };
        row_fill(&rows[i], scratch);
        if (other < count) {
            row_compare(&rows[i], &pairs[other * plan->rounds], scratch);
        }
    }
    free(scratch);
    return rows;
}

static void save_summary(const measure_summary *summary, const figure_keys *keys, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < keys->count; i++) {
        fprintf(out, "%s\"%s\": %.1f", i ? ", " : "", infos[keys->figures[i]].key,
                figure_of(summary, keys->figures[i]));
    }
    fputc('}', out);
}

static void save_ratios(const char *name, const stats_quartiles *ratios, const figure_keys *keys, int indent, FILE *out)
{
    fprintf(out, "%*s\"%s\": {\n", indent, "", name);
    for (size_t i = 0; i < keys->count; i++) {
        const stats_quartiles *ratio = &ratios[keys->figures[i]];

        if (infos[keys->figures[i]].ratio != RATIO_NONE) {
            fprintf(out, "%s%*s\"%s\": {\"lower\": %.4f, \"median\": %.4f, \"upper\": %.4f}", i ? ",\n" : "",
                    indent + 2, "", infos[keys->figures[i]].key, ratio->lower, ratio->median, ratio->upper);
        }
    }
    fprintf(out, "\n%*s},\n", indent, "");
}

static void save_row(const figure_row *row, const figure_keys *keys, int indent, FILE *out)
{
    fprintf(out, "%*s{\n%*s\"name\": \"%s\",\n", indent, "", indent + 2, "", row->entrant->name);
    fprintf(out, "%*s\"summary\": ", indent + 2, "");
    json_text(out, row->entrant->summary);
    fprintf(out, ",\n%*s\"calls\": %u,\n", indent + 2, "", row->calls);
    for (size_t i = 0; i < keys->count; i++) {
        fprintf(out, "%*s\"%s\": %.1f,\n", indent + 2, "", infos[keys->figures[i]].key, row->medians[keys->figures[i]]);
    }
    save_ratios(keys->ratios, row->ratios, keys, indent + 2, out);
    if (keys->beside && row->beside[keys->figures[0]].median > 0) {
        save_ratios(keys->beside, row->beside, keys, indent + 2, out);
    }
    fprintf(out, "%*s\"rounds\": [\n", indent + 2, "");
    for (uint32_t round = 0; round < row->rounds; round++) {
        fprintf(out, "%*s{\"own\": ", indent + 4, "");
        save_summary(&row->pairs[round].own, keys, out);
        fprintf(out, ", \"%s\": ", keys->reference);
        save_summary(&row->pairs[round].reference, keys, out);
        fprintf(out, "}%s\n", round + 1 < row->rounds ? "," : "");
    }
    fprintf(out, "%*s]\n%*s}", indent + 2, "", indent, "");
}

void figure_rows_save(const figure_row *rows, size_t count, const figure_keys *keys, int indent, FILE *out)
{
    fprintf(out, "[\n");
    for (size_t i = 0; i < count; i++) {
        save_row(&rows[i], keys, indent + 2, out);
        fprintf(out, "%s\n", i + 1 < count ? "," : "");
    }
    fprintf(out, "%*s]", indent, "");
}

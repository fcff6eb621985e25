/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "json.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The names of the figures in JSON, where they are keys that do not change. */
static const char *const figure_keys[REPORT_FIGURES] = {
    [REPORT_P50] = "p50_ns",     [REPORT_P99] = "p99_ns",          [REPORT_P999] = "p999_ns",
    [REPORT_BLOCK] = "block_ns", [REPORT_UNTIMED] = "calls_per_s",
};

static double figure_of(const measure_summary *summary, report_figure figure)
{
    switch (figure) {
    case REPORT_P50: return summary->p50_ns;
    case REPORT_P99: return summary->p99_ns;
    case REPORT_P999: return summary->p999_ns;
    case REPORT_BLOCK: return summary->block_ns;
    case REPORT_UNTIMED: return summary->calls_per_s;
    case REPORT_FIGURES: break;
    }
    abort();
}

/* A rate is the inverse of a time. */
static double ratio_of(const harness_pair *pair, report_figure figure)
{
    const double own = figure_of(&pair->own, figure);
    const double reference = figure_of(&pair->reference, figure);

    return figure == REPORT_UNTIMED ? reference / own : own / reference;
}

static void row_fill(report_row *row, uint32_t rounds, double *scratch)
{
    for (report_figure figure = 0; figure < REPORT_FIGURES; figure++) {
        for (uint32_t round = 0; round < rounds; round++) {
            scratch[round] = figure_of(&row->pairs[round].own, figure);
        }
        row->medians[figure] = stats_quartiles_of(scratch, rounds).median;
        for (uint32_t round = 0; round < rounds; round++) {
            scratch[round] = ratio_of(&row->pairs[round], figure);
        }
        row->ratios[figure] = stats_quartiles_of(scratch, rounds);
    }
}

int report_init(report *ret_report, const char *question, const harness_plan *plan, const conditions *found,
                contestant *const *contestants, size_t count, const harness_pair *pairs)
{
    report_row *rows;
    double *scratch;

    rows = calloc(count, sizeof(*rows));
    scratch = calloc(plan->rounds, sizeof(*scratch));
    if (!rows || !scratch) {
        free(rows);
        free(scratch);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i].entrant = contestants[i];
        rows[i].calls = harness_calls(plan, contestants[i]);
        rows[i].pairs = &pairs[i * plan->rounds];
        row_fill(&rows[i], plan->rounds, scratch);
    }
    free(scratch);
    *ret_report = (report){
        .question = question,
        .plan = plan,
        .found = found,
        .stamp_cost_ns = (double)stamp_cost() * plan->ns_per_tick,
        .row_count = count,
        .rows = rows,
    };
    return 0;
}

void report_deinit(report *results)
{
    free(results->rows);
    memset(results, 0, sizeof(*results));
}

static void print_conditions(const report *results, FILE *out)
{
    const harness_plan *plan = results->plan;

    conditions_print(results->found, out);
    if (plan->setting.shares_core) {
        fprintf(out, "server and client share core %d: whoever waits gives it up, nobody spins\n",
                plan->setting.server_core);
    } else {
        fprintf(out, "server on core %d, client on core %d, both polling\n", plan->setting.server_core,
                plan->setting.client_core);
    }
    fprintf(out, "8 bytes each way; %u rounds of %u calls; stamps by %s, %.0f ns of which are in each timed call\n\n",
            plan->rounds, plan->calls, STAMP_SOURCE, results->stamp_cost_ns);
}

void report_print(const report *results, FILE *out)
{
    print_conditions(results, out);
    fprintf(out, "%-8s %32s   %14s   %12s\n", "", "timed per call, ns", "in blocks of", "");
    fprintf(out, "%-8s %10s %10s %10s   %14s   %12s\n", "", "p50", "p99", "p99.9", "32, ns/call", "calls/s");
    for (size_t i = 0; i < results->row_count; i++) {
        const report_row *row = &results->rows[i];

        fprintf(out, "%-8s %10.0f %10.0f %10.0f   %14.0f   %12.0f   %s\n", row->entrant->name, row->medians[REPORT_P50],
                row->medians[REPORT_P99], row->medians[REPORT_P999], row->medians[REPORT_BLOCK],
                row->medians[REPORT_UNTIMED], row->entrant->summary);
    }

    fprintf(out, "\n%-8s %s\n", "",
            "times as multiples of the limit measured right before: median [quartiles] of the rounds");
    fprintf(out, "%-8s %22s   %22s   %22s   %22s\n", "", "p50", "p99", "in blocks of 32", "untimed");
    for (size_t i = 0; i < results->row_count; i++) {
        static const report_figure shown[] = {REPORT_P50, REPORT_P99, REPORT_BLOCK, REPORT_UNTIMED};
        const report_row *row = &results->rows[i];

        fprintf(out, "%-8s", row->entrant->name);
        for (size_t j = 0; j < sizeof(shown) / sizeof(shown[0]); j++) {
            const stats_quartiles *ratio = &row->ratios[shown[j]];

            fprintf(out, "%s %6.2f [%6.2f, %6.2f]", j ? "  " : "", ratio->median, ratio->lower, ratio->upper);
        }
        fputc('\n', out);
    }
}

static void save_conditions(const report *results, FILE *out)
{
    const harness_plan *plan = results->plan;

    fprintf(out, "  \"conditions\": {\n");
    conditions_save(results->found, out);
    fprintf(out, ",\n");
    fprintf(out, "    \"server_core\": %d,\n", plan->setting.server_core);
    fprintf(out, "    \"client_core\": %d,\n", plan->setting.client_core);
    fprintf(out, "    \"shares_core\": %s,\n", json_bool(plan->setting.shares_core));
    fprintf(out, "    \"rounds\": %u,\n", plan->rounds);
    fprintf(out, "    \"calls\": %u,\n", plan->calls);
    fprintf(out, "    \"calls_per_block\": %d,\n", MEASURE_BLOCK);
    fprintf(out, "    \"request_bytes\": 8,\n    \"reply_bytes\": 8,\n");
    fprintf(out, "    \"stamp\": \"%s\",\n", STAMP_SOURCE);
    fprintf(out, "    \"stamp_cost_ns\": %.1f\n  },\n", results->stamp_cost_ns);
}

static void save_summary(FILE *out, const measure_summary *summary)
{
    fputc('{', out);
    for (report_figure figure = 0; figure < REPORT_FIGURES; figure++) {
        fprintf(out, "%s\"%s\": %.1f", figure ? ", " : "", figure_keys[figure], figure_of(summary, figure));
    }
    fputc('}', out);
}

static void save_row(const report *results, const report_row *row, FILE *out)
{
    fprintf(out, "    {\n      \"name\": \"%s\",\n      \"summary\": ", row->entrant->name);
    json_text(out, row->entrant->summary);
    fprintf(out, ",\n      \"calls\": %u,\n", row->calls);
    for (report_figure figure = 0; figure < REPORT_FIGURES; figure++) {
        fprintf(out, "      \"%s\": %.1f,\n", figure_keys[figure], row->medians[figure]);
    }
    fprintf(out, "      \"time_ratio\": {\n");
    for (report_figure figure = 0; figure < REPORT_FIGURES; figure++) {
        const stats_quartiles *ratio = &row->ratios[figure];

        fprintf(out, "        \"%s\": {\"lower\": %.4f, \"median\": %.4f, \"upper\": %.4f}%s\n", figure_keys[figure],
                ratio->lower, ratio->median, ratio->upper, figure + 1 < REPORT_FIGURES ? "," : "");
    }
    fprintf(out, "      },\n      \"rounds\": [\n");
    for (uint32_t round = 0; round < results->plan->rounds; round++) {
        fprintf(out, "        {\"own\": ");
        save_summary(out, &row->pairs[round].own);
        fprintf(out, ", \"limit\": ");
        save_summary(out, &row->pairs[round].reference);
        fprintf(out, "}%s\n", round + 1 < results->plan->rounds ? "," : "");
    }
    fprintf(out, "      ]\n    }");
}

int report_save(const report *results, const char *path)
{
    FILE *out;

    out = fopen(path, "we");
    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"%s\",\n  \"format\": 1,\n  \"version\": \"%s\",\n", results->question,
            SHMRPC_VERSION);
    save_conditions(results, out);
    fprintf(out, "  \"contestants\": [\n");
    for (size_t i = 0; i < results->row_count; i++) {
        save_row(results, &results->rows[i], out);
        fprintf(out, "%s\n", i + 1 < results->row_count ? "," : "");
    }
    fprintf(out, "  ]\n}\n");
    return json_close(out);
}

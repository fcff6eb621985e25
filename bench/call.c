/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - the question: what does a typed call take, beside what the machine makes possible and what a Unix socket
 * takes?
 */
#include "contestant.h"
#include "trial.h"

#define DEFAULT_CALLS 20000

static const char about[] =
    "Times the same call (two int32 there, their sum as int64 back) made in several ways by two processes, each\n"
    "against the fastest way there is, measured right before it.\n";

static const figure figures[] = {FIGURE_P50, FIGURE_P99, FIGURE_P999, FIGURE_BLOCK, FIGURE_UNTIMED};

static void call_print(const trial *self, FILE *out)
{
    const trial_part *part = self->parts;

    trial_print_polling(self, out);
    trial_print_method(self, out);

    fprintf(out, "\n%-8s %32s   %14s   %12s\n", "", "timed per call, ns", "in blocks of", "");
    fprintf(out, "%-8s %10s %10s %10s   %14s   %12s\n", "", "p50", "p99", "p99.9", "32, ns/call", "calls/s");
    for (size_t i = 0; i < part->row_count; i++) {
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-8s %10.0f %10.0f %10.0f   %14.0f   %12.0f   %s\n", row->entrant->name, row->medians[FIGURE_P50],
                row->medians[FIGURE_P99], row->medians[FIGURE_P999], row->medians[FIGURE_BLOCK],
                row->medians[FIGURE_UNTIMED], row->entrant->summary);
    }

    fprintf(out, "\n%-8s %s\n", "",
            "times as multiples of the limit measured right before: median [quartiles] of the rounds");
    fprintf(out, "%-8s %22s   %22s   %22s   %22s\n", "", "p50", "p99", "in blocks of 32", "untimed");
    for (size_t i = 0; i < part->row_count; i++) {
        static const figure shown[] = {FIGURE_P50, FIGURE_P99, FIGURE_BLOCK, FIGURE_UNTIMED};
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-8s", row->entrant->name);
        for (size_t j = 0; j < sizeof(shown) / sizeof(shown[0]); j++) {
            fputs(j ? "   " : " ", out);
            trial_print_ratio(&row->ratios[shown[j]], out);
        }
        fputc('\n', out);
    }
}

static void call_save(const trial *self, FILE *out)
{
    static const figure_keys keys = {figures, sizeof(figures) / sizeof(figures[0]), "time_ratio", "limit", NULL};

    fprintf(out, ",\n    \"calls_per_block\": %d\n  },\n  \"contestants\": ", MEASURE_BLOCK);
    figure_rows_save(self->parts->rows, self->parts->row_count, &keys, 2, out);
}

int main(int argc, char **argv)
{
    trial_part part = {
        .reference = limit_contestant(),
        .contestants = {limit_contestant(), ring_contestant(), typed_contestant(), checked_contestant(),
                        unix_contestant()},
    };
    trial question = {
        .name = "call",
        .program = "bench_call",
        .about = about,
        .default_calls = DEFAULT_CALLS,
        .parts = &part,
        .part_count = 1,
        .print = call_print,
        .save = call_save,
    };

    return trial_main(&question, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.c - the question: what does a large message take, there and back?
 *
 * The reference is a raw program that copies as often as shmrpc does, by copy or in place; beside it is a Unix socket, to
 * which a second ratio is taken.
 */
#include "contestant.h"
#include "gap.h"
#include "trial.h"

#include <string.h>

#define DEFAULT_CALLS 20000
#define CALLS_LEAST 8
#define UNSCALED 4096 /* bytes; of larger messages there are fewer calls */
#define GOAL 1.1

static const char about[] =
    "Times an echo of messages of 1 KiB to 64 MiB, by copy and in place, made in several ways by two processes, each against\n"
    "a raw program with as many copies, measured right before it, and against a Unix socket.\n";

static const figure figures[] = {FIGURE_P50, FIGURE_P99, FIGURE_SERVER};

typedef struct echo {
    const char *name;
    const char *title;
    uint32_t bytes; /* of a message: with the number of bytes, which is one of 16 bits up to 64 KiB, or of 32 */
    bool is_in_place;
} echo;

static const echo echoes[] = {
    {"copy_1k", "1 KiB by copy", 1 << 10, false},     {"copy_4k", "4 KiB by copy", 1 << 12, false},
    {"copy_16k", "16 KiB by copy", 1 << 14, false},   {"copy_64k", "64 KiB by copy", 1 << 16, false},
    {"copy_1m", "1 MiB by copy", 1 << 20, false},     {"in_place_64k", "64 KiB in place", 1 << 16, true},
    {"in_place_1m", "1 MiB in place", 1 << 20, true}, {"in_place_64m", "64 MiB in place", 1 << 26, true},
};

#define ECHOES (sizeof(echoes) / sizeof(echoes[0]))
#define SMALL_MOST 65536

static const gap at_once = {.kind = GAP_NONE};

static void payload_prepare(const trial *self, size_t part, harness_plan *plan)
{
    const uint32_t bytes = echoes[part].bytes;

    (void)self;
    plan->rhythm = &at_once;
    plan->setting.payload = bytes - (bytes <= SMALL_MOST ? (uint32_t)sizeof(uint16_t) : (uint32_t)sizeof(uint32_t));
    if (bytes > UNSCALED) {
        plan->calls = (uint32_t)((uint64_t)plan->calls * UNSCALED / bytes);
    }
    if (plan->calls < CALLS_LEAST) {
        plan->calls = CALLS_LEAST;
    }
}

static bool is_in_place(const trial_part *part)
{
    return part->reference == raw_three_contestant();
}

static void part_print(const trial_part *part, FILE *out)
{
    fprintf(out, "\n%s, %u calls; times as multiples of %s (%s)", part->title, part->plan.calls, part->reference->name,
            part->reference->summary);
    if (part->goal > 0) {
        fprintf(out, "; goal of %s: at most %.2f, and below 1 of unix", is_in_place(part) ? "in_place" : "typed",
                part->goal);
    }
    fputc('\n', out);
    fprintf(out, "%-10s %10s %10s %12s   %22s   %22s   %22s\n", "", "p50, us", "p99, us", "server, us",
            "p50 by reference", "p99 by reference", "p50 by unix");
    for (size_t i = 0; i < part->row_count; i++) {
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-10s %10.2f %10.2f %12.2f   ", row->entrant->name, row->medians[FIGURE_P50] / 1000,
                row->medians[FIGURE_P99] / 1000, row->medians[FIGURE_SERVER] / 1000);
        trial_print_ratio(&row->ratios[FIGURE_P50], out);
        fputs("   ", out);
        trial_print_ratio(&row->ratios[FIGURE_P99], out);
        fputs("   ", out);
        if (row->beside[FIGURE_P50].median > 0) {
            trial_print_ratio(&row->beside[FIGURE_P50], out);
        } else {
            fprintf(out, "%22s", "-"); /* unix was not asked for */
        }
        fprintf(out, "   %s\n", row->entrant->summary);
    }
}

static void payload_print(const trial *self, FILE *out)
{
    trial_print_polling(self, out);
    fprintf(out, "the same bytes each way; %u rounds; stamps by %s, %.0f ns of which are in each timed call\n",
            self->plan.rounds, STAMP_SOURCE, self->stamp_cost_ns);
    if (self->plan.setting.huge_pages) {
        fputs("shmrpc's arenas in huge pages, where there are some\n", out);
    }
    fprintf(out, "server: processor time per call; by unix: of the same round\n");
    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].row_count > 0) {
            part_print(&self->parts[i], out);
        }
    }
}

static void payload_save(const trial *self, FILE *out)
{
    static const figure_keys keys = {figures, sizeof(figures) / sizeof(figures[0]), "time_ratio", "reference",
                                     "unix_ratio"};

    fprintf(out, ",\n    \"huge_pages\": %s", self->plan.setting.huge_pages ? "true" : "false");
    trial_save_parts(self, &keys, out);
}

int main(int argc, char **argv)
{
    trial_part parts[ECHOES];
    trial question = {
        .name = "payload",
        .program = "bench_payload",
        .about = about,
        .default_calls = DEFAULT_CALLS,
        .has_payloads = true,
        .has_arenas = true,
        .parts = parts,
        .part_count = ECHOES,
        .prepare = payload_prepare,
        .print = payload_print,
        .save = payload_save,
    };

    for (size_t i = 0; i < ECHOES; i++) {
        const echo *at = &echoes[i];

        parts[i] = (trial_part){
            .name = at->name,
            .title = at->title,
            .goal = at->is_in_place || at->bytes <= SMALL_MOST ? GOAL : 0,
            .reference = at->is_in_place ? raw_three_contestant() : raw_payload_contestant(),
            .beside = unix_payload_contestant(),
            .contestants = {raw_payload_contestant(), raw_three_contestant(), typed_payload_contestant(),
                            unix_payload_contestant()},
        };
        if (at->is_in_place) {
            /* What is sealed is more than a block holds. */
            contestant *const large = at->bytes > SMALL_MOST ? sealed_contestant() : NULL;

            memcpy(parts[i].contestants,
                   (contestant *[]){raw_three_contestant(), in_place_contestant(), unix_payload_contestant(),
                                    lent_contestant(), large, NULL},
                   6 * sizeof(contestant *));
        }
    }
    return trial_main(&question, argc, argv);
}

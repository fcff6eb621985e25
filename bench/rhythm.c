/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rhythm.c - the question: what does a call take that comes now and then, and what does waiting for it cost?
 *
 * Between two calls there is nothing, or a microsecond of work, or a sleep until a timer is due; server and client have
 * a core each, or share one. The reference is the fastest way in the same rhythm: one line, polled, where a call follows
 * soon; a futex, both sides asleep, where it does not or where only one side can run.
 */
#include "contestant.h"
#include "gap.h"
#include "trial.h"

#define DEFAULT_CALLS 10000
#define CALLS_SHARED_MAX 2000 /* of spinning on one core each call takes as long as the spinning */
#define SLEEP_SHARE 10        /* with sleeps a tenth of the calls */

#define WORK_NS 1000
#define PERIOD_NS 200000

static const char about[] =
    "Times calls with a gap between them (none, 1 us of work, a timer of 200 us), on two cores and on one, for each way\n"
    "to wait, each against the fastest way in the same rhythm, measured right before it.\n";

static const figure figures[] = {FIGURE_P50, FIGURE_P99, FIGURE_SERVER};

typedef struct rhythm {
    const char *name;
    const char *title;
    gap_kind kind;
    bool is_on_one_core;
    double goal;
} rhythm;

static const rhythm rhythms[] = {
    {"next", "two cores, the next call at once", GAP_NONE, false, 0},
    {"work_1us", "two cores, 1 us of work between calls", GAP_WORK, false, 1.05},
    {"timer_200us", "two cores, a call each 200 us", GAP_SLEEP, false, 1.1},
    {"next_one_core", "one core, the next call at once", GAP_NONE, true, 1.2},
    {"work_1us_one_core", "one core, 1 us of work between calls", GAP_WORK, true, 1.2},
    {"timer_200us_one_core", "one core, a call each 200 us", GAP_SLEEP, true, 1.2},
};

#define RHYTHMS (sizeof(rhythms) / sizeof(rhythms[0]))

/* As this machine has to pass them; by kind. */
static gap gaps[] = {
    [GAP_NONE] = {.kind = GAP_NONE},
    [GAP_WORK] = {.kind = GAP_WORK},
    [GAP_SLEEP] = {.kind = GAP_SLEEP, .period_ns = PERIOD_NS},
};

static void rhythm_prepare(const trial *self, size_t part, harness_plan *plan)
{
    const rhythm *at = &rhythms[part];

    (void)self;
    if (at->kind == GAP_WORK && gaps[GAP_WORK].turns == 0) {
        gaps[GAP_WORK].turns = gap_calibrate(WORK_NS);
    }
    plan->rhythm = &gaps[at->kind];
    if (at->is_on_one_core) {
        plan->setting.client_core = plan->setting.server_core;
        plan->setting.shares_core = true;
        plan->calls = plan->calls > CALLS_SHARED_MAX ? CALLS_SHARED_MAX : plan->calls;
    }
    if (at->kind == GAP_SLEEP) {
        plan->calls /= SLEEP_SHARE;
    }
}

static void part_print(const trial_part *part, FILE *out)
{
    fprintf(out, "\n%s; times as multiples of %s (%s)", part->title, part->reference->name, part->reference->summary);
    if (part->goal > 0) {
        fprintf(out, "; goal of p50: at most %.2f", part->goal);
    }
    fprintf(out, "\n%-13s %10s %10s %12s   %22s   %22s\n", "", "p50, ns", "p99, ns", "server, us", "p50 by reference",
            "p99 by reference");
    for (size_t i = 0; i < part->row_count; i++) {
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-13s %10.0f %10.0f %12.2f   ", row->entrant->name, row->medians[FIGURE_P50],
                row->medians[FIGURE_P99], row->medians[FIGURE_SERVER] / 1000);
        trial_print_ratio(&row->ratios[FIGURE_P50], out);
        fputs("   ", out);
        trial_print_ratio(&row->ratios[FIGURE_P99], out);
        fprintf(out, "   %s\n", row->entrant->summary);
    }
}

static void rhythm_print(const trial *self, FILE *out)
{
    const contestant_setting *setting = &self->plan.setting;

    if (setting->shares_core) {
        fprintf(out, "server and client share core %d, for all of it: what needs two cores is left out\n",
                setting->server_core);
    } else {
        fprintf(out, "server on core %d, client on core %d; or both on core %d\n", setting->server_core,
                setting->client_core, setting->server_core);
    }
    trial_print_method(self, out);
    fprintf(out, "a tenth of the calls with a timer, at most %d on one core; server: processor time per call\n",
            CALLS_SHARED_MAX);
    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].row_count > 0) {
            part_print(&self->parts[i], out);
        }
    }
}

static void rhythm_save(const trial *self, FILE *out)
{
    static const figure_keys keys = {figures, sizeof(figures) / sizeof(figures[0]), "time_ratio", "reference", NULL};

    trial_save_parts(self, &keys, out);
}

/* Who polls needs a core of its own. */
static trial_part part_of(const rhythm *at)
{
    const bool is_polled = !at->is_on_one_core && at->kind != GAP_SLEEP;
    trial_part part = {
        .name = at->name,
        .title = at->title,
        .goal = at->goal,
        .needs_two_cores = !at->is_on_one_core,
        .reference = is_polled ? limit_contestant() : futex_contestant(),
    };
    size_t count = 0;

    part.contestants[count++] = part.reference;
    if (!at->is_on_one_core) {
        part.contestants[count++] = typed_poll_contestant();
    }
    part.contestants[count++] = typed_default_contestant();
    part.contestants[count++] = typed_sleep_contestant();
    part.contestants[count] = unix_contestant();
    return part;
}

int main(int argc, char **argv)
{
    trial_part parts[RHYTHMS];
    trial question = {
        .name = "rhythm",
        .program = "bench_rhythm",
        .about = about,
        .default_calls = DEFAULT_CALLS,
        .parts = parts,
        .part_count = RHYTHMS,
        .prepare = rhythm_prepare,
        .print = rhythm_print,
        .save = rhythm_save,
    };

    for (size_t i = 0; i < RHYTHMS; i++) {
        parts[i] = part_of(&rhythms[i]);
    }
    return trial_main(&question, argc, argv);
}

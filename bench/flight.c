/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight.c - the question: how many calls per second, when many are in flight at once? And how many messages one way?
 *
 * The reference is a ring of slots in shared memory, with the same number of slots as the lane has, and nothing around
 * it. Both sides poll: the doorbell is not part of the question.
 */
#include "contestant.h"
#include "trial.h"

#define DEFAULT_CALLS 400000
#define ONEWAY_BYTES 48

static const char about[] =
    "Counts calls per second (two int32 there, their sum as int64 back) with 1 to 256 of them in flight, and messages of\n"
    "48 bytes one way in batches of 16, each against a raw ring in shared memory, measured right before it.\n";

static const figure figures[] = {FIGURE_RATE};

typedef struct flight {
    const char *name;
    const char *title;
    uint32_t in_flight;
    uint32_t slots; /* of the ring, and of the lane */
    double goal;    /* of what is sent in batches */
    bool is_oneway;
} flight;

static const flight flights[] = {
    {"in_flight_1", "1 call in flight", 1, 64, 0, false},
    {"in_flight_4", "4 calls in flight", 4, 64, 0, false},
    {"in_flight_16", "16 calls in flight", 16, 64, 0, false},
    {"in_flight_64", "64 calls in flight", 64, 64, 0.85, false},
    {"in_flight_256", "256 calls in flight", 256, 256, 0, false},
    {"oneway_16", "one way, 48 bytes, batches of 16", 16, 1024, 0.8, true},
};

#define FLIGHTS (sizeof(flights) / sizeof(flights[0]))

static void flight_prepare(const trial *self, size_t part, harness_plan *plan)
{
    (void)self;
    plan->setting.in_flight = flights[part].in_flight;
    plan->setting.slots = flights[part].slots;
}

static void part_print(const trial_part *part, FILE *out)
{
    fprintf(out, "\n%s; rates as shares of that of %s, with %u slots as the lane", part->title, part->reference->name,
            part->plan.setting.slots);
    if (part->goal > 0) {
        fprintf(out, "; goal of batches: at least %.2f", part->goal);
    }
    fprintf(out, "\n%-12s %12s   %22s\n", "", "per second", "rate by reference");
    for (size_t i = 0; i < part->row_count; i++) {
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-12s %12.0f   ", row->entrant->name, row->medians[FIGURE_RATE]);
        trial_print_ratio(&row->ratios[FIGURE_RATE], out);
        fprintf(out, "   %s\n", row->entrant->summary);
    }
}

static void flight_print(const trial *self, FILE *out)
{
    trial_print_polling(self, out);
    fprintf(out, "8 bytes each way, %d one way; %u rounds of %u calls\n", ONEWAY_BYTES, self->plan.rounds,
            self->plan.calls);
    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].row_count > 0) {
            part_print(&self->parts[i], out);
        }
    }
}

static void flight_save(const trial *self, FILE *out)
{
    static const figure_keys keys = {figures, sizeof(figures) / sizeof(figures[0]), "rate_ratio", "reference", NULL};

    fprintf(out, ",\n    \"oneway_bytes\": %d", ONEWAY_BYTES);
    trial_save_parts(self, &keys, out);
}

static trial_part part_of(const flight *at)
{
    trial_part part = {.name = at->name, .title = at->title, .goal = at->goal};
    size_t count = 0;

    part.reference = at->is_oneway ? raw_oneway_contestant() : raw_contestant();
    part.contestants[count++] = part.reference;
    if (at->is_oneway) {
        part.contestants[count] = typed_oneway_contestant();
        return part;
    }
    part.contestants[count++] = typed_batch_contestant();
    part.contestants[count++] = typed_window_contestant();
    part.contestants[count] = unix_flight_contestant();
    return part;
}

int main(int argc, char **argv)
{
    trial_part parts[FLIGHTS];
    trial question = {
        .name = "flight",
        .program = "bench_flight",
        .about = about,
        .default_calls = DEFAULT_CALLS,
        .parts = parts,
        .part_count = FLIGHTS,
        .prepare = flight_prepare,
        .print = flight_print,
        .save = flight_save,
    };

    for (size_t i = 0; i < FLIGHTS; i++) {
        parts[i] = part_of(&flights[i]);
    }
    return trial_main(&question, argc, argv);
}

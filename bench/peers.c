/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers.c - the question: how much faster is shmrpc than the other ways to call a process on the same machine?
 *
 * The reference is shmrpc itself, so each ratio says how many times as long the other one takes for the same work. The
 * mechanisms of the kernel are always there; libraries take part where their packages were found when this was built, and
 * the report says which were not.
 */
#include "contestant.h"
#include "peers/contestants.h"
#include "trial.h"

#include <string.h>

#define DEFAULT_CALLS 20000
#define FLIGHT_CALLS 10   /* times as many in flight: there is one pass in place of three, of quicker calls */
#define BLOCK_BYTES 65536 /* what messages of shmrpc take at most that do not travel in an arena */

static const char about[] =
    "Times the same work (add two int32, with one call or many in flight; send bytes back) done by shmrpc and by others:\n"
    "mechanisms of the kernel, and libraries as far as they were installed when this was built.\n";

/* Which libraries there are; the build says so. */
#ifndef BENCH_HAS_ZEROMQ
#define BENCH_HAS_ZEROMQ 0
#endif
#ifndef BENCH_HAS_NNG
#define BENCH_HAS_NNG 0
#endif
#ifndef BENCH_HAS_SDBUS
#define BENCH_HAS_SDBUS 0
#endif
#ifndef BENCH_HAS_CAPNP
#define BENCH_HAS_CAPNP 0
#endif
#ifndef BENCH_HAS_GRPC
#define BENCH_HAS_GRPC 0
#endif
#ifndef BENCH_HAS_ICEORYX
#define BENCH_HAS_ICEORYX 0
#endif

static const peer *const subjects[] = {
    &peer_eventfd, &peer_seqpacket,
#if BENCH_HAS_ICEORYX
    &peer_iceoryx, &peer_iceoryx_waitset,
#endif
#if BENCH_HAS_SDBUS
    &peer_sdbus,
#endif
#if BENCH_HAS_ZEROMQ
    &peer_zeromq,
#endif
#if BENCH_HAS_CAPNP
    &peer_capnp,
#endif
#if BENCH_HAS_NNG
    &peer_nng,
#endif
#if BENCH_HAS_GRPC
    &peer_grpc,    &peer_grpc_stream,
#endif
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static const struct library {
    const char *name;
    const char *packages;
    bool is_here;
} libraries[] = {
    {"iceoryx", "libiceoryx-binding-c-dev iceoryx", BENCH_HAS_ICEORYX},
    {"sdbus", "libsystemd-dev", BENCH_HAS_SDBUS},
    {"zeromq", "libzmq3-dev", BENCH_HAS_ZEROMQ},
    {"capnp", "libcapnp-dev capnproto", BENCH_HAS_CAPNP},
    {"nng", "libnng-dev", BENCH_HAS_NNG},
    {"grpc", "libgrpc++-dev protobuf-compiler-grpc", BENCH_HAS_GRPC},
};

#define LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

typedef struct contest {
    const char *name;
    const char *title;
    const char *column; /* of the last table */
    peer_work work;
    bool sleeps; /* shmrpc waits in the kernel at once, as most of the others always do */
    uint32_t in_flight;
    uint32_t payload; /* bytes each way */
} contest;

static const contest contests[] = {
    {"call", "one call after another, 8 bytes each way", "call", PEER_CALLS, false, 1, 8},
    {"call_asleep", "the same, shmrpc asleep in the kernel between calls", "asleep", PEER_CALLS, true, 1, 8},
    {"in_flight_1", "1 call in flight", "1", PEER_FLIGHT, false, 1, 8},
    {"in_flight_4", "4 calls in flight", "4", PEER_FLIGHT, false, 4, 8},
    {"in_flight_16", "16 calls in flight", "16", PEER_FLIGHT, false, 16, 8},
    {"in_flight_64", "64 calls in flight", "64", PEER_FLIGHT, false, 64, 8},
    {"in_flight_256", "256 calls in flight", "256", PEER_FLIGHT, false, 256, 8},
    {"payload_1k", "echo of 1 KiB", "1 KiB", PEER_PAYLOAD, false, 1, 1024},
    {"payload_64k", "echo of 64 KiB", "64 KiB", PEER_PAYLOAD, false, 1, 65534},
    {"payload_1m", "echo of 1 MiB", "1 MiB", PEER_PAYLOAD, false, 1, 1048572},
};

#define CONTESTS (sizeof(contests) / sizeof(contests[0]))

static const figure call_figures[] = {FIGURE_P10, FIGURE_P25, FIGURE_P50,  FIGURE_P75,    FIGURE_P90,
                                      FIGURE_P95, FIGURE_P99, FIGURE_P999, FIGURE_UNTIMED};
static const figure flight_figures[] = {FIGURE_UNTIMED};

static const figure_keys call_keys = {
    .figures = call_figures,
    .count = sizeof(call_figures) / sizeof(call_figures[0]),
    .ratios = "time_ratio",
    .reference = "shmrpc",
};
static const figure_keys flight_keys = {
    .figures = flight_figures,
    .count = sizeof(flight_figures) / sizeof(flight_figures[0]),
    .ratios = "time_ratio",
    .reference = "shmrpc",
};

/* What the others are held against in a part. */
static figure figure_of(const contest *at)
{
    return at->work == PEER_FLIGHT ? FIGURE_UNTIMED : FIGURE_P50;
}

/* Of large messages there are fewer calls. */
static uint32_t calls_divisor(uint32_t payload)
{
    if (payload > BLOCK_BYTES) {
        return 64;
    }
    return payload > 4096 ? 8 : payload > 8 ? 2 : 1;
}

static void peers_prepare(const trial *self, size_t part, harness_plan *plan)
{
    const contest *at = &contests[part];

    (void)self;
    plan->setting.in_flight = at->in_flight;
    plan->setting.slots = at->work == PEER_FLIGHT && at->in_flight > 64 ? at->in_flight : 64;
    plan->setting.payload = at->payload;
    if (at->work == PEER_FLIGHT) {
        plan->calls *= FLIGHT_CALLS;
    } else {
        plan->calls /= calls_divisor(at->payload);
    }
    if (plan->calls < MEASURE_BLOCK) {
        plan->calls = MEASURE_BLOCK;
    }
}

/* ---- as text ---- */

/* Who is faster, as far as the rounds tell. */
static void print_verdict(const stats_quartiles *ratio, FILE *out)
{
    const bool is_inverted = ratio->upper < 1 && ratio->lower > 0;
    const stats_quartiles shown =
        is_inverted ? (stats_quartiles){1 / ratio->upper, 1 / ratio->median, 1 / ratio->lower} : *ratio;
    const char *words = is_inverted ? "times slower" : ratio->lower > 1 ? "times faster" : "about as fast";

    fprintf(out, "%7.2f [%6.2f, %6.2f] %-13s", shown.median, shown.lower, shown.upper, words);
}

static void part_print(const trial_part *part, const contest *at, FILE *out)
{
    fprintf(out, "\n%s; against %s: %s\n", part->title, part->reference->name, part->reference->summary);
    if (at->work == PEER_FLIGHT) {
        fprintf(out, "%-16s %12s    %s\n", "", "calls/s", "by calls/s, shmrpc is");
    } else {
        fprintf(out, "%-16s %10s %10s %12s    %s\n", "", "p50, us", "p99, us", "calls/s", "by p50, shmrpc is");
    }
    for (size_t i = 0; i < part->row_count; i++) {
        const figure_row *row = &part->rows[i];

        fprintf(out, "%-16s ", row->entrant->name);
        if (at->work != PEER_FLIGHT) {
            fprintf(out, "%10.2f %10.2f ", row->medians[FIGURE_P50] / 1000, row->medians[FIGURE_P99] / 1000);
        }
        fprintf(out, "%12.0f ", row->medians[FIGURE_UNTIMED]);
        print_verdict(&row->ratios[figure_of(at)], out);
        fprintf(out, "   %s\n", row->entrant->summary);
    }
}

static const figure_row *row_named(const trial_part *part, const char *name)
{
    for (size_t i = 0; i < part->row_count; i++) {
        if (strcmp(part->rows[i].entrant->name, name) == 0) {
            return &part->rows[i];
        }
    }
    return NULL;
}

static void summary_print_row(const trial *self, const char *name, FILE *out)
{
    fprintf(out, "%-16s", name);
    for (size_t i = 0; i < self->part_count; i++) {
        const figure_row *row = row_named(&self->parts[i], name);

        if (self->parts[i].row_count == 0) {
            continue;
        }
        if (row) {
            fprintf(out, " %8.2f", row->ratios[figure_of(&contests[i])].median);
        } else {
            fprintf(out, " %8s", "-");
        }
    }
    fputc('\n', out);
}

/* Does `name` have a row in a part before this one? */
static bool is_known(const trial *self, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (row_named(&self->parts[i], name)) {
            return true;
        }
    }
    return false;
}

/* One of shmrpc's ways, or the limit, which is nobody's. */
static bool is_own(const contestant *entrant)
{
    return entrant == limit_contestant() || entrant == typed_default_contestant() ||
           entrant == typed_sleep_contestant() || entrant == typed_window_contestant() ||
           entrant == typed_batch_contestant() || entrant == typed_payload_contestant();
}

static void summary_print(const trial *self, FILE *out)
{
    bool is_slower = false;

    fprintf(out, "\nhow many times as long the others take as shmrpc; below 1, shmrpc is slower\n%-16s", "");
    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].row_count > 0) {
            fprintf(out, " %8s", contests[i].column);
        }
    }
    fputc('\n', out);
    for (size_t i = 0; i < self->part_count; i++) {
        for (size_t j = 0; j < self->parts[i].row_count; j++) {
            const char *name = self->parts[i].rows[j].entrant->name;

            if (!is_known(self, i, name)) {
                summary_print_row(self, name, out);
            }
        }
    }
    for (size_t i = 0; i < self->part_count; i++) {
        for (size_t j = 0; j < self->parts[i].row_count; j++) {
            const figure_row *row = &self->parts[i].rows[j];

            /* As far as the rounds tell. */
            if (!is_own(row->entrant) && row->ratios[figure_of(&contests[i])].upper < 1) {
                fprintf(out, "slower than %s: %s\n", row->entrant->name, self->parts[i].title);
                is_slower = true;
            }
        }
    }
    if (!is_slower) {
        fprintf(out, "slower than none\n");
    }
}

static void peers_print(const trial *self, FILE *out)
{
    fprintf(out,
            "server on core %d, client on core %d; shmrpc polls where it does not say otherwise, the others wait as"
            " they do by default\n",
            self->plan.setting.server_core, self->plan.setting.client_core);
    fprintf(out, "%u rounds; stamps by %s, %.0f ns of which are in each timed call\n", self->plan.rounds, STAMP_SOURCE,
            self->stamp_cost_ns);
    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].row_count > 0) {
            part_print(&self->parts[i], &contests[i], out);
        }
    }
    summary_print(self, out);
    for (size_t i = 0; i < LIBRARIES; i++) {
        if (!libraries[i].is_here) {
            fprintf(out, "%s takes no part: not found when this was built (Debian: %s; tools/dev bench --peers)\n",
                    libraries[i].name, libraries[i].packages);
        }
    }
}

static void peers_save(const trial *self, FILE *out)
{
    const char *between = "";

    trial_save_parts(self, NULL, out);
    fprintf(out, ",\n  \"absent\": [");
    for (size_t i = 0; i < LIBRARIES; i++) {
        if (!libraries[i].is_here) {
            fprintf(out, "%s\n    {\"name\": \"%s\", \"packages\": \"%s\"}", between, libraries[i].name,
                    libraries[i].packages);
            between = ",";
        }
    }
    fprintf(out, "%s]", *between ? "\n  " : "");
}

/* ---- who takes part ---- */

static trial_part part_of(const contest *at)
{
    trial_part part = {.name = at->name, .title = at->title};
    size_t count = 0;

    part.keys = at->work == PEER_FLIGHT ? &flight_keys : &call_keys;
    switch (at->work) {
    case PEER_CALLS:
        part.reference = at->sleeps ? typed_sleep_contestant() : typed_default_contestant();
        part.contestants[count++] = part.reference;
        if (!at->sleeps) {
            part.contestants[count++] = limit_contestant();
        }
        part.contestants[count++] = futex_contestant();
        part.contestants[count++] = unix_contestant();
        break;
    case PEER_FLIGHT:
        part.reference = typed_batch_contestant();
        part.contestants[count++] = part.reference;
        part.contestants[count++] = typed_window_contestant();
        part.contestants[count++] = unix_flight_contestant();
        break;
    case PEER_PAYLOAD:
        part.reference = typed_payload_contestant();
        part.contestants[count++] = part.reference;
        part.contestants[count++] = unix_payload_contestant();
        break;
    }
    for (size_t i = 0; i < SUBJECTS; i++) {
        if (peer_does(subjects[i], at->work) && !(at->sleeps && subjects[i]->polls)) {
            part.contestants[count++] = peer_contestant(subjects[i], at->work);
        }
    }
    return part;
}

/* Whether all who are asked for could be run. */
static bool peers_check(const trial *self)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        if (!subjects[i]->check) {
            continue;
        }
        for (size_t j = 0; j < self->part_count; j++) {
            for (contestant *const *at = self->parts[j].contestants; *at; at++) {
                if (*at == peer_contestant(subjects[i], contests[j].work)) {
                    return subjects[i]->check() == 0;
                }
            }
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    trial_part parts[CONTESTS];
    trial question = {
        .name = "peers",
        .program = "bench_peers",
        .about = about,
        .default_calls = DEFAULT_CALLS,
        .has_payloads = true,
        .parts = parts,
        .part_count = CONTESTS,
        .check = peers_check,
        .prepare = peers_prepare,
        .print = peers_print,
        .save = peers_save,
    };

    for (size_t i = 0; i < CONTESTS; i++) {
        parts[i] = part_of(&contests[i]);
    }
    return trial_main(&question, argc, argv);
}

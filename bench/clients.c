/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients.c - the question: what is it to be one of many clients?
 *
 * What a call takes with 1 to 1,000 clients connected of which one calls; what a server does while all of them are idle;
 * how many calls per second clients make that all call at once, and how they share them; and what memory a client is.
 *
 * Nothing that is found is judged: the exit status is 0 when every call was answered rightly, and 2 when the bench could
 * not run. After a signal it cleans up and ends by that signal.
 */
#include "clients.h"

#include "crowd.h"
#include "footprint.h"
#include "harness.h"
#include "measure.h"
#include "question.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_CLIENTS 1000
#define CLIENTS_MAX 60000
#define DEFAULT_CALLS 20000
#define CALLS_MAX 10000000
#define DEFAULT_ROUNDS 15
#define ROUNDS_MAX 1000
#define DEFAULT_CALLERS 8
#define DEFAULT_MS 400
#define MS_MAX 60000
#define DEFAULT_SECONDS 10
#define SECONDS_MAX 3600
#define CORES_MAX 1024

#define PER_HOLDER 100 /* idle clients of one process */
#define OWN_PROCESSES 16
#define FIRST_PROCESSES 4 /* bring what a server has but once */
#define SETTLE_MS 100     /* nothing has happened for so long: the calls before are over */
#define SETTLE_TIMES 100  /* tries, until that is so */

static const char usage_text[] =
    "usage: bench_clients [options]\n"
    "\n"
    "Connects many clients to a server: one that calls among many that do not, all of them idle, some that call at once;\n"
    "and counts what memory a client takes.\n"
    "\n"
    "  --clients N        most that are connected (default 1000)\n"
    "  --calls N          of the one that calls, in each run (default 20000)\n"
    "  --rounds N         to take the median of (default 15, the least for figures to be quoted)\n"
    "  --callers N        clients that call at once (default 8)\n"
    "  --ms N             for so long in each run (default 400)\n"
    "  --seconds N        to be idle (default 10)\n"
    "  --server-core N    (default: the first that may be used)\n"
    "  --client-core N    (default: the next)\n"
    "  --json FILE        writes all figures and their conditions there as well\n"
    "  --help, --version\n"
    "\n"
    "docs/benchmarks.md says how to read what is printed.\n";

static int out_of_memory(void)
{
    fprintf(stderr, "bench_clients: out of memory\n");
    return -ENOMEM;
}

/* ---- one that calls among many ---- */

/* So many clients, which do nothing, of a server; a hundred in a process. */
static int fill(crowd *made, uint32_t clients, int core)
{
    int r = 0;

    while (r == 0 && made->clients < clients) {
        uint32_t missing = clients - made->clients;

        r = crowd_add(made, missing < PER_HOLDER ? missing : PER_HOLDER, core, NULL, NULL);
    }
    return question_interrupted() ? -EINTR : r;
}

typedef struct timing {
    double p50;
    double p99;
} timing;

static int time_one(const crowd *among, measure_samples *samples, int core, timing *ret_ticks)
{
    int r = crowd_time(among, samples, core);

    if (r == 0) {
        stats_sort_ticks(samples->call_ticks, samples->timed_calls);
        ret_ticks->p50 = (double)stats_percentile(samples->call_ticks, samples->timed_calls, 500);
        ret_ticks->p99 = (double)stats_percentile(samples->call_ticks, samples->timed_calls, 990);
    }
    return r;
}

/* `figures`: room for four of each round. */
static int time_among(const crowd *alone, const crowd *among, const clients_options *given, measure_samples *samples,
                      double ns_per_tick, double *figures, clients_active *ret_row)
{
    double *p50 = figures, *p99 = p50 + given->rounds, *p50_ratio = p99 + given->rounds,
           *p99_ratio = p50_ratio + given->rounds;

    for (uint32_t i = 0; i < given->rounds; i++) {
        timing reference = {0}, own = {0};
        int r = time_one(alone, samples, given->client_core, &reference);

        if (r == 0) {
            r = time_one(among, samples, given->client_core, &own);
        }
        if (r < 0) {
            return r;
        }
        p50[i] = own.p50 * ns_per_tick;
        p99[i] = own.p99 * ns_per_tick;
        p50_ratio[i] = own.p50 / reference.p50;
        p99_ratio[i] = own.p99 / reference.p99;
    }
    *ret_row = (clients_active){
        .clients = among->clients + 1,
        .p50_ns = stats_quartiles_of(p50, given->rounds).median,
        .p99_ns = stats_quartiles_of(p99, given->rounds).median,
        .p50_ratio = stats_quartiles_of(p50_ratio, given->rounds),
        .p99_ratio = stats_quartiles_of(p99_ratio, given->rounds),
    };
    return 0;
}

static int answer_active(const clients_options *given, const crowd *crowds, uint32_t count, clients_found *found)
{
    double *figures = calloc(4 * (size_t)given->rounds, sizeof(*figures));
    const double ns_per_tick = stamp_calibrate();
    measure_samples *samples = NULL;
    int r = figures ? measure_samples_new(&samples, given->calls) : -ENOMEM;

    if (r < 0) {
        free(figures);
        return out_of_memory();
    }
    if (ns_per_tick <= 0) {
        fprintf(stderr, "bench_clients: this processor has no time-stamp counter of constant rate\n");
        r = -ENOTSUP;
    }
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = time_among(&crowds[0], &crowds[i], given, samples, ns_per_tick, figures, &found->active[i]);
    }
    found->active_count = count;
    measure_samples_free(samples);
    free(figures);
    return r;
}

/* ---- all idle ---- */

static int count_activity(const crowd *of, clients_idle *ret_counts)
{
    int r;

    *ret_counts = (clients_idle){.clients = of->clients};
    r = activity_add(&ret_counts->server, of->server);
    for (uint32_t i = 0; i < of->holder_count && r == 0; i++) {
        r = activity_add(&ret_counts->holders, of->holders[i]);
    }
    if (r < 0) {
        fprintf(stderr, "bench_clients: a process cannot be counted: %s\n", strerror(-r));
    }
    return r;
}

static activity difference(const activity *after, const activity *before)
{
    return (activity){
        .threads = after->threads,
        .voluntary = after->voluntary - before->voluntary,
        .involuntary = after->involuntary - before->involuntary,
        .cpu_ns = after->cpu_ns - before->cpu_ns,
        .asleep = after->asleep,
    };
}

static int answer_idle(const clients_options *given, const crowd *of, clients_found *found)
{
    clients_idle before, after;
    int r = count_activity(of, &after);

    /* Until nobody does anything; or for ten seconds, and what is done then is part of the result. */
    for (int i = 0; i < SETTLE_TIMES && r == 0 && !question_interrupted(); i++) {
        before = after;
        (void)poll(NULL, 0, SETTLE_MS);
        r = count_activity(of, &after);
        if (r == 0 && activity_is_same(&before.server, &after.server) &&
            activity_is_same(&before.holders, &after.holders)) {
            break;
        }
    }
    before = after;
    for (uint32_t i = 0; i < given->seconds && r == 0 && !question_interrupted(); i++) {
        (void)poll(NULL, 0, 1000);
    }
    if (r == 0) {
        r = count_activity(of, &after);
    }
    if (r == 0) {
        found->idle = (clients_idle){
            .clients = of->clients,
            .server = difference(&after.server, &before.server),
            .holders = difference(&after.holders, &before.holders),
        };
    }
    return question_interrupted() ? -EINTR : r;
}

/* ---- many at once ---- */

/* 1 where all have as much, 1 / count where one has all. */
static double jain(const uint64_t *values, uint32_t count)
{
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    return squares > 0 ? sum * sum / ((double)count * squares) : 0;
}

static int rate_of(const crowd *of, uint32_t callers, int core, uint32_t ms, double *ret_rate, double *ret_jain)
{
    uint64_t calls[CROWD_CALLERS_MAX];
    uint64_t ns;
    uint64_t sum = 0;
    int r = crowd_run(of, callers, core, ms, calls, &ns);

    if (r < 0) {
        return r;
    }
    for (uint32_t i = 0; i < callers; i++) {
        sum += calls[i];
    }
    *ret_rate = (double)sum * 1e9 / (double)ns;
    *ret_jain = jain(calls, callers);
    return 0;
}

/* `figures`: room for four of each round. */
static int run_flat(const crowd *alone, const crowd *of, const clients_options *given, double *figures,
                    clients_flat *row)
{
    double *rates = figures, *references = rates + given->rounds, *ratios = references + given->rounds,
           *fairness = ratios + given->rounds;

    for (uint32_t i = 0; i < given->rounds; i++) {
        double unused;
        int r = rate_of(alone, 1, given->client_core, given->ms, &references[i], &unused);

        if (r == 0) {
            r = rate_of(of, given->callers, row->is_free ? CROWD_ANY_CORE : given->client_core, given->ms, &rates[i],
                        &fairness[i]);
        }
        if (r < 0) {
            return r;
        }
        ratios[i] = rates[i] / references[i];
    }
    row->callers = given->callers;
    row->calls_per_s = stats_quartiles_of(rates, given->rounds).median;
    row->alone_per_s = stats_quartiles_of(references, given->rounds).median;
    row->rate_ratio = stats_quartiles_of(ratios, given->rounds);
    row->fairness = stats_quartiles_of(fairness, given->rounds);
    return 0;
}

static int answer_flat(const clients_options *given, const crowd *alone, clients_found *found)
{
    double *figures = calloc(4 * (size_t)given->rounds, sizeof(*figures));
    int r = figures ? 0 : out_of_memory();

    found->flat[0] = (clients_flat){.name = "apart", .title = "server on one core, clients on the other", .workers = 1};
    found->flat[1] =
        (clients_flat){.name = "free", .title = "all where the system puts them", .workers = 1, .is_free = true};
    found->flat[2] = (clients_flat){.name = "free_2",
                                    .title = "the same, of a server with two workers",
                                    .workers = 2,
                                    .is_free = true};
    for (size_t i = 0; i < CLIENTS_FLATS && r == 0; i++) {
        clients_flat *row = &found->flat[i];
        crowd of;

        r = crowd_begin(&of, "bench/flat", CROWD_CALLERS_MAX, row->workers,
                        row->is_free ? CROWD_ANY_CORE : given->server_core);
        if (r == 0) {
            r = run_flat(alone, &of, given, figures, row);
        }
        crowd_end(&of);
    }
    free(figures);
    return r;
}

/* ---- memory ---- */

static int read_footprint(footprint *ret_found, pid_t pid)
{
    int r = footprint_read(ret_found, pid);

    if (r < 0) {
        fprintf(stderr, "bench_clients: the memory of a process cannot be read: %s\n", strerror(-r));
    }
    return r;
}

static int note_footprint(pid_t holder, void *data)
{
    return read_footprint(data, holder);
}

/* So many processes more, with so many clients each. */
static int weigh(crowd *of, uint32_t processes, uint32_t clients, int core, clients_memory *row)
{
    footprint before = {0}, after = {0};
    int r = read_footprint(&before, of->server);
    double client_bytes = 0, lane_bytes = 0;

    for (uint32_t i = 0; i < processes && r == 0; i++) {
        footprint empty = {0}, full = {0};

        r = crowd_add(of, clients, core, note_footprint, &empty);
        if (r == 0) {
            r = read_footprint(&full, of->holders[of->holder_count - 1]);
        }
        client_bytes += (double)full.private_bytes - (double)empty.private_bytes;
        lane_bytes += (double)full.lanes_bytes - (double)empty.lanes_bytes;
    }
    if (r == 0) {
        r = read_footprint(&after, of->server);
    }
    row->clients = processes * clients;
    row->server_bytes = ((double)after.private_bytes - (double)before.private_bytes) / row->clients;
    row->client_bytes = client_bytes / row->clients;
    row->lane_bytes = lane_bytes / row->clients;
    return question_interrupted() ? -EINTR : r;
}

static int answer_memory(const clients_options *given, clients_found *found)
{
    crowd of;
    int r = crowd_begin(&of, "bench/memory", 2 * (OWN_PROCESSES + PER_HOLDER), 1, given->server_core);

    found->memory[0] = (clients_memory){.name = "process", .title = "a process with one client"};
    found->memory[1] = (clients_memory){.name = "further", .title = "one of many clients in a process"};
    for (uint32_t i = 0; i < FIRST_PROCESSES && r == 0; i++) {
        r = crowd_add(&of, 1, given->client_core, NULL, NULL);
    }
    if (r == 0) {
        r = weigh(&of, OWN_PROCESSES, 1, given->client_core, &found->memory[0]);
    }
    if (r == 0) {
        r = weigh(&of, 1, PER_HOLDER, given->client_core, &found->memory[1]);
    }
    crowd_end(&of);
    return r;
}

/* ---- the program ---- */

static int answer_all(const clients_options *given, clients_found *found)
{
    static const uint32_t sizes[CLIENTS_SIZES - 1] = {1, 10, 100};
    crowd crowds[CLIENTS_SIZES] = {0};
    uint32_t count = 0;
    int r = 0;

    while (count < CLIENTS_SIZES && r == 0) {
        const bool is_last = count == CLIENTS_SIZES - 1 || sizes[count] >= given->clients;
        const uint32_t size = is_last ? given->clients : sizes[count];
        char name[32];

        (void)snprintf(name, sizeof(name), "bench/of-%u", size);
        r = crowd_begin(&crowds[count], name, size + 1, 1, given->server_core);
        if (r == 0) {
            r = fill(&crowds[count], size - 1, given->client_core);
        }
        count++;
        if (is_last) {
            break;
        }
    }
    if (r == 0) {
        r = answer_active(given, crowds, count, found);
    }
    if (r == 0) {
        r = answer_idle(given, &crowds[count - 1], found);
    }
    if (r == 0) {
        r = answer_flat(given, &crowds[0], found);
    }
    for (uint32_t i = 0; i < count; i++) {
        crowd_end(&crowds[i]);
    }
    return r == 0 ? answer_memory(given, found) : r;
}

/* Returns 0 or -errno with the cause on standard error. */
static int answer(const void *data, const conditions *machine)
{
    const clients_options *given = data;
    clients_found found = {0};
    int r = answer_all(given, &found);

    if (r == 0) {
        clients_print(&found, given, machine);
        if (fflush(stdout)) {
            r = -errno;
            fprintf(stderr, "bench_clients: cannot write the results: %s\n", strerror(-r));
        }
    }
    if (r == 0 && given->json_path) {
        r = clients_save(&found, given, machine);
        if (r < 0) {
            fprintf(stderr, "bench_clients: cannot write %s: %s\n", given->json_path, strerror(-r));
        }
    }
    return r;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static bool number(const char *option, uint32_t least, uint32_t most, uint32_t *ret_number)
{
    return question_number("bench_clients", option, optarg, least, most, ret_number);
}

static bool core(const char *option, int *ret_core)
{
    uint32_t found = 0;
    bool fine = number(option, 0, CORES_MAX - 1, &found);

    *ret_core = (int)found;
    return fine;
}

static parse_outcome options_parse(clients_options *given, int argc, char **argv)
{
    enum { CLIENTS = 256, CALLS, ROUNDS, CALLERS, MS, SECONDS, SERVER_CORE, CLIENT_CORE, JSON, HELP, VERSION };
    static const struct option known[] = {
        {"clients", required_argument, NULL, CLIENTS},
        {"calls", required_argument, NULL, CALLS},
        {"rounds", required_argument, NULL, ROUNDS},
        {"callers", required_argument, NULL, CALLERS},
        {"ms", required_argument, NULL, MS},
        {"seconds", required_argument, NULL, SECONDS},
        {"server-core", required_argument, NULL, SERVER_CORE},
        {"client-core", required_argument, NULL, CLIENT_CORE},
        {"json", required_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    bool fine = true;

    while (fine) {
        switch (getopt_long(argc, argv, "", known, NULL)) {
        case -1:
            if (optind == argc) {
                return PARSE_RUN;
            }
            fprintf(stderr, "bench_clients: unexpected argument '%s'\n", argv[optind]);
            return PARSE_WRONG;
        case CLIENTS: fine = number("--clients", 2, CLIENTS_MAX, &given->clients); break;
        case CALLS: fine = number("--calls", 100, CALLS_MAX, &given->calls); break;
        case ROUNDS: fine = number("--rounds", 1, ROUNDS_MAX, &given->rounds); break;
        case CALLERS: fine = number("--callers", 1, CROWD_CALLERS_MAX, &given->callers); break;
        case MS: fine = number("--ms", 1, MS_MAX, &given->ms); break;
        case SECONDS: fine = number("--seconds", 1, SECONDS_MAX, &given->seconds); break;
        case SERVER_CORE: fine = core("--server-core", &given->server_core); break;
        case CLIENT_CORE: fine = core("--client-core", &given->client_core); break;
        case JSON: given->json_path = optarg; break;
        case HELP: fputs(usage_text, stdout); return PARSE_DONE;
        case VERSION: puts("bench_clients " SHMRPC_VERSION); return PARSE_DONE;
        default: return PARSE_WRONG;
        }
    }
    return PARSE_WRONG;
}

int main(int argc, char **argv)
{
    clients_options given = {
        .clients = DEFAULT_CLIENTS,
        .calls = DEFAULT_CALLS,
        .rounds = DEFAULT_ROUNDS,
        .callers = DEFAULT_CALLERS,
        .ms = DEFAULT_MS,
        .seconds = DEFAULT_SECONDS,
        .server_core = -1,
        .client_core = -1,
    };
    contestant_setting cores;

    switch (options_parse(&given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: fputs("bench_clients: --help lists the options\n", stderr); return EXIT_UNUSABLE;
    }
    cores = (contestant_setting){.server_core = given.server_core, .client_core = given.client_core};
    if (harness_pick_cores(&cores) < 0) {
        fprintf(stderr, "bench_clients: this process may not run on one of the cores that were asked for\n");
        return EXIT_UNUSABLE;
    }
    given.server_core = cores.server_core;
    given.client_core = cores.client_core;
    if (crowd_raise_descriptors(given.clients) < 0) {
        return EXIT_UNUSABLE;
    }
    return question_run("bench_clients", answer, &given);
}

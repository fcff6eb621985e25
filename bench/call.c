/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - the question: what does a typed call take, beside what the machine makes possible and what a Unix socket
 * takes?
 *
 * Timings are reported, never judged: the exit status is 0 when every answer was right, and 2 when the bench could
 * not run. After a signal it cleans up and ends by that signal.
 */
#include "conditions.h"
#include "contestant.h"
#include "directory.h"
#include "harness.h"
#include "report.h"
#include "stamp.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_UNUSABLE 2 /* usage, or the system */

#define DEFAULT_ROUNDS 15
#define DEFAULT_CALLS 20000
#define ROUNDS_MAX 1000
#define CALLS_MIN 320
#define CALLS_MAX 10000000
#define CALLS_SHARED_MAX 2000 /* on one core each call takes two context switches */

#define CORES_MAX 1024
#define CONTESTANTS_MAX 5

typedef struct options {
    uint32_t rounds;
    uint32_t calls;
    contestant_setting setting;
    const char *json_path; /* NULL: none */
    const char *only;      /* comma-separated names; NULL: all */
    bool is_quiet;
} options;

static const char usage_text[] =
    "usage: bench_call [options]\n"
    "\n"
    "Times the same call (two int32 there, their sum as int64 back) made in several ways by two processes, each\n"
    "against the fastest way there is, measured right before it.\n"
    "\n"
    "  --rounds N         rounds to take the median of (default 15, at least 15 for figures to be quoted)\n"
    "  --calls N          calls of each of the three passes of a run (default 20000)\n"
    "  --server-core N    core of the server process (default: the first that may be used)\n"
    "  --client-core N    core of the client process (default: the next)\n"
    "  --only A,B         these contestants only\n"
    "  --json FILE        writes all figures and their conditions there as well\n"
    "  --quiet            no progress on standard error\n"
    "  --help, --version\n"
    "\n"
    "contestants: limit, ring, typed, checked, unix. docs/benchmarks.md says how to read what is printed.\n";

static void print_usage_hint(void)
{
    fputs("bench_call: --help lists the options\n", stderr);
}

/* A decimal number within bounds, and nothing else. Returns false with the cause on standard error. */
static bool parse_number(const char *option, const char *text, uint32_t least, uint32_t most, uint32_t *ret_number)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most) {
        fprintf(stderr, "bench_call: --%s takes a number from %u to %u, not '%s'\n", option, least, most, text);
        return false;
    }
    *ret_number = (uint32_t)value;
    return true;
}

static bool parse_core(const char *option, const char *text, int *ret_core)
{
    uint32_t core;

    if (!parse_number(option, text, 0, CORES_MAX - 1, &core)) {
        return false;
    }
    *ret_core = (int)core;
    return true;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static parse_outcome options_parse(options *given, int argc, char **argv)
{
    enum { ROUNDS = 256, CALLS, SERVER_CORE, CLIENT_CORE, ONLY, JSON, QUIET, HELP, VERSION };
    static const struct option known[] = {
        {"rounds", required_argument, NULL, ROUNDS},
        {"calls", required_argument, NULL, CALLS},
        {"server-core", required_argument, NULL, SERVER_CORE},
        {"client-core", required_argument, NULL, CLIENT_CORE},
        {"only", required_argument, NULL, ONLY},
        {"json", required_argument, NULL, JSON},
        {"quiet", no_argument, NULL, QUIET},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    bool is_valid = true;

    for (;;) {
        const int option = getopt_long(argc, argv, "", known, NULL);

        switch (option) {
        case -1:
            if (optind < argc) {
                fprintf(stderr, "bench_call: unexpected argument '%s'\n", argv[optind]);
                is_valid = false;
            }
            if (!is_valid) {
                print_usage_hint();
            }
            return is_valid ? PARSE_RUN : PARSE_WRONG;
        case ROUNDS: is_valid &= parse_number("rounds", optarg, 1, ROUNDS_MAX, &given->rounds); break;
        case CALLS: is_valid &= parse_number("calls", optarg, CALLS_MIN, CALLS_MAX, &given->calls); break;
        case SERVER_CORE: is_valid &= parse_core("server-core", optarg, &given->setting.server_core); break;
        case CLIENT_CORE: is_valid &= parse_core("client-core", optarg, &given->setting.client_core); break;
        case ONLY: given->only = optarg; break;
        case JSON: given->json_path = optarg; break;
        case QUIET: given->is_quiet = true; break;
        case HELP: fputs(usage_text, stdout); return PARSE_DONE;
        case VERSION: puts("bench_call " SHMRPC_VERSION); return PARSE_DONE;
        default: print_usage_hint(); return PARSE_WRONG;
        }
    }
}

/* Is `name` one of the comma-separated `names`? */
static bool names_hold(const char *names, const char *name)
{
    const size_t length = strlen(name);

    for (const char *at = names; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == length && strncmp(at, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Writes those that were asked for to `chosen`; returns how many, 0 where a name is unknown. */
static size_t contestants_choose(const char *only, contestant **chosen)
{
    contestant *const all[] = {limit_contestant(), ring_contestant(), typed_contestant(), checked_contestant(),
                               unix_contestant()};
    const size_t all_count = sizeof(all) / sizeof(all[0]);
    size_t asked = only ? 1 : all_count;
    size_t count = 0;

    for (const char *c = only; c && *c; c++) {
        asked += *c == ',';
    }
    for (size_t i = 0; i < all_count; i++) {
        if (!only || names_hold(only, all[i]->name)) {
            chosen[count++] = all[i];
        }
    }
    return count == asked ? count : 0;
}

static void show_progress(uint32_t round, const char *name)
{
    fprintf(stderr, "\rround %u: %-8s", round + 1, name);
}

static void end_progress(void)
{
    fprintf(stderr, "\r%32s\r", "");
}

/* Runs, prints, saves. Returns 0 or -errno with the cause on standard error. */
static int question_answer(const options *given, const harness_plan *plan, const conditions *found)
{
    contestant *chosen[CONTESTANTS_MAX];
    harness_pair *pairs;
    report results;
    size_t count;
    int r;

    count = contestants_choose(given->only, chosen);
    if (count == 0) {
        fprintf(stderr, "bench_call: --only takes names of contestants, not '%s'\n", given->only);
        return -EINVAL;
    }
    pairs = calloc(count * plan->rounds, sizeof(*pairs));
    if (!pairs) {
        fputs("bench_call: out of memory\n", stderr);
        return -ENOMEM;
    }
    r = harness_run(plan, limit_contestant(), chosen, count, pairs);
    if (plan->progress) {
        end_progress();
    }
    if (r < 0) {
        goto out_pairs;
    }
    r = report_init(&results, "call", plan, found, chosen, count, pairs);
    if (r < 0) {
        fputs("bench_call: out of memory\n", stderr);
        goto out_pairs;
    }
    report_print(&results, stdout);
    if (fflush(stdout)) {
        r = -errno;
        fprintf(stderr, "bench_call: cannot write the results: %s\n", strerror(-r));
        goto out_results;
    }
    if (given->json_path) {
        r = report_save(&results, given->json_path);
        if (r < 0) {
            fprintf(stderr, "bench_call: cannot write %s: %s\n", given->json_path, strerror(-r));
        }
    }

out_results:
    report_deinit(&results);
out_pairs:
    free(pairs);
    return r;
}

/* Fills what depends on this machine. Returns 0 or -errno with the cause on standard error. */
static int plan_init(harness_plan *ret_plan, const options *given)
{
    harness_plan plan = {.setting = given->setting, .rounds = given->rounds, .calls = given->calls};
    int r;

    r = harness_pick_cores(&plan.setting);
    if (r < 0) {
        fprintf(stderr, "bench_call: cannot use the cores that were asked for: %s\n",
                r == -EINVAL ? "this process may not run on one of them" : strerror(-r));
        return r;
    }
    if (plan.setting.shares_core && plan.calls > CALLS_SHARED_MAX) {
        plan.calls = CALLS_SHARED_MAX;
    }
    plan.ns_per_tick = stamp_calibrate();
    if (plan.ns_per_tick <= 0) {
        fputs("bench_call: this processor has no time-stamp counter of constant rate\n", stderr);
        return -ENOTSUP;
    }
    plan.progress = !given->is_quiet && isatty(STDERR_FILENO) ? show_progress : NULL;
    *ret_plan = plan;
    return 0;
}

int main(int argc, char **argv)
{
    options given = {
        .rounds = DEFAULT_ROUNDS,
        .calls = DEFAULT_CALLS,
        .setting = {.server_core = -1, .client_core = -1},
    };
    harness_plan plan;
    conditions found;
    char *directory;
    int r;

    switch (options_parse(&given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: return EXIT_UNUSABLE;
    }
    if (plan_init(&plan, &given) < 0) {
        return EXIT_UNUSABLE;
    }
    r = conditions_init(&found);
    if (r < 0) {
        fprintf(stderr, "bench_call: cannot tell what machine this is: %s\n", strerror(-r));
        return EXIT_UNUSABLE;
    }
    harness_take_signals();
    directory = bench_directory_new();
    if (!directory) {
        fprintf(stderr, "bench_call: cannot make a directory for the servers: %s\n", strerror(errno));
        conditions_deinit(&found);
        return EXIT_UNUSABLE;
    }

    r = question_answer(&given, &plan, &found);

    bench_directory_free(directory);
    conditions_deinit(&found);
    if (harness_interrupted()) {
        harness_end_by_signal();
    }
    return r < 0 ? EXIT_UNUSABLE : EXIT_SUCCESS;
}

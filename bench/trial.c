/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include "json.h"
#include "question.h"
#include "stamp.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 15
#define ROUNDS_MAX 1000
#define CALLS_MIN 320
#define CALLS_MAX 10000000
#define CALLS_SHARED_MAX 2000 /* on one core each call takes two context switches */

#define CORES_MAX 1024

typedef struct options {
    uint32_t rounds;
    uint32_t calls;
    contestant_setting setting;
    const char *json_path; /* NULL: none */
    const char *only;      /* comma-separated names; NULL: all */
    const char *parts;     /* likewise */
    bool is_quiet;
} options;

/* What question_run() hands on. */
typedef struct answering {
    trial *self;
    const options *given;
} answering;

/* ---- contestants ---- */

static size_t contestants_count(contestant *const *contestants)
{
    size_t count = 0;

    while (contestants[count]) {
        count++;
    }
    return count;
}

/* Is `name` of this length that of a contestant of one of the first `count` parts? */
static bool parts_hold(const trial_part *parts, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        for (contestant *const *at = parts[i].contestants; *at; at++) {
            if (strlen((*at)->name) == length && strncmp((*at)->name, name, length) == 0) {
                return true;
            }
        }
    }
    return false;
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

/* Leaves those in the parts that were asked for. Returns false where a name is unknown. */
static bool contestants_choose(trial *self, const char *only)
{
    const char *at = only;

    do {
        const size_t length = strcspn(at, ",");

        if (!parts_hold(self->parts, self->part_count, at, length)) {
            return false;
        }
        at += length;
    } while (*at++ == ',');
    for (size_t i = 0; i < self->part_count; i++) {
        contestant **kept = self->parts[i].contestants;

        for (contestant *const *from = self->parts[i].contestants; *from; from++) {
            if (names_hold(only, (*from)->name)) {
                *kept++ = *from;
            }
        }
        *kept = NULL;
    }
    return true;
}

/* Does the name of a part begin with one of the comma-separated `names`? */
static bool names_begin(const char *names, const char *part)
{
    for (const char *at = names; *at; at += strcspn(at, ","), at += *at == ',') {
        const size_t length = strcspn(at, ",");

        if (length > 0 && strncmp(part, at, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Leaves the parts that were asked for. Returns false where none was. */
static bool parts_choose(trial *self, const char *names)
{
    bool is_any = false;

    for (size_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].name && names_begin(names, self->parts[i].name)) {
            is_any = true;
        } else {
            self->parts[i].contestants[0] = NULL;
        }
    }
    return is_any;
}

/* ---- the command line ---- */

static void print_usage(const trial *self)
{
    printf("usage: %s [options]\n\n%s\n", self->program, self->about);
    printf("  --rounds N         rounds to take the median of (default %d, at least 15 for figures to be quoted)\n"
           "  --calls N          calls of each pass of a run (default %u)\n"
           "  --server-core N    core of the server process (default: the first that may be used)\n"
           "  --client-core N    core of the client process (default: the next)\n"
           "  --only A,B         these contestants only\n"
           "  --parts A,B        only the parts, where there are several, whose names begin so\n"
           "%s"
           "  --json FILE        writes all figures and their conditions there as well\n"
           "  --quiet            no progress on standard error\n"
           "  --help, --version\n"
           "\n",
           DEFAULT_ROUNDS, self->default_calls,
           self->has_arenas ? "  --huge-pages       shmrpc's arenas in huge pages, where there are some\n" : "");
    printf("contestants:");
    for (size_t i = 0; i < self->part_count; i++) {
        for (contestant *const *at = self->parts[i].contestants; *at; at++) {
            const char *name = (*at)->name;

            if (!parts_hold(self->parts, i, name, strlen(name))) {
                printf(" %s", name);
            }
        }
    }
    puts("\ndocs/benchmarks.md says how to read what is printed.");
}

static bool parse_core(const char *program, const char *option, const char *text, int *ret_core)
{
    uint32_t core;

    if (!question_number(program, option, text, 0, CORES_MAX - 1, &core)) {
        return false;
    }
    *ret_core = (int)core;
    return true;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static parse_outcome options_parse(const trial *self, options *given, int argc, char **argv)
{
    enum { ROUNDS = 256, CALLS, SERVER_CORE, CLIENT_CORE, ONLY, PARTS, HUGE_PAGES, JSON, QUIET, HELP, VERSION };
    static const struct option known[] = {
        {"rounds", required_argument, NULL, ROUNDS},
        {"calls", required_argument, NULL, CALLS},
        {"server-core", required_argument, NULL, SERVER_CORE},
        {"client-core", required_argument, NULL, CLIENT_CORE},
        {"only", required_argument, NULL, ONLY},
        {"parts", required_argument, NULL, PARTS},
        {"huge-pages", no_argument, NULL, HUGE_PAGES},
        {"json", required_argument, NULL, JSON},
        {"quiet", no_argument, NULL, QUIET},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    const char *program = self->program;
    bool fine = true;

    while (fine) {
        switch (getopt_long(argc, argv, "", known, NULL)) {
        case -1:
            if (optind == argc) {
                return PARSE_RUN;
            }
            fprintf(stderr, "%s: unexpected argument '%s'\n", program, argv[optind]);
            return PARSE_WRONG;
        case ROUNDS: fine = question_number(program, "--rounds", optarg, 1, ROUNDS_MAX, &given->rounds); break;
        case CALLS: fine = question_number(program, "--calls", optarg, CALLS_MIN, CALLS_MAX, &given->calls); break;
        case SERVER_CORE: fine = parse_core(program, "--server-core", optarg, &given->setting.server_core); break;
        case CLIENT_CORE: fine = parse_core(program, "--client-core", optarg, &given->setting.client_core); break;
        case ONLY: given->only = optarg; break;
        case PARTS: given->parts = optarg; break;
        case HUGE_PAGES:
            fine = given->setting.huge_pages = self->has_arenas;
            if (!fine) {
                fprintf(stderr, "%s: --huge-pages: there are no arenas here\n", program);
            }
            break;
        case JSON: given->json_path = optarg; break;
        case QUIET: given->is_quiet = true; break;
        case HELP: print_usage(self); return PARSE_DONE;
        case VERSION: printf("%s " SHMRPC_VERSION "\n", program); return PARSE_DONE;
        default: return PARSE_WRONG;
        }
    }
    return PARSE_WRONG;
}

/* ---- running ---- */

static void show_progress(const harness_plan *plan, uint32_t round, const char *name)
{
    fprintf(stderr, "\r%s%sround %u: %-13s", plan->part ? plan->part : "", plan->part ? ", " : "", round + 1, name);
}

static void end_progress(void)
{
    fprintf(stderr, "\r%64s\r", "");
}

/* Fills what depends on this machine. Returns 0 or -errno with the cause on standard error. */
static int plan_init(trial *self, const options *given)
{
    harness_plan plan = {.setting = given->setting, .rounds = given->rounds, .calls = given->calls};
    int r;

    plan.setting.in_flight = 1;
    r = harness_pick_cores(&plan.setting);
    if (r < 0) {
        fprintf(stderr, "%s: cannot use the cores that were asked for: %s\n", self->program,
                r == -EINVAL ? "this process may not run on one of them" : strerror(-r));
        return r;
    }
    if (plan.setting.shares_core && plan.calls > CALLS_SHARED_MAX) {
        plan.calls = CALLS_SHARED_MAX;
    }
    plan.ns_per_tick = stamp_calibrate();
    if (plan.ns_per_tick <= 0) {
        fprintf(stderr, "%s: this processor has no time-stamp counter of constant rate\n", self->program);
        return -ENOTSUP;
    }
    plan.progress = !given->is_quiet && isatty(STDERR_FILENO) ? show_progress : NULL;
    self->plan = plan;
    self->stamp_cost_ns = (double)stamp_cost() * plan.ns_per_tick;
    return 0;
}

/* Runs a part of the question, where any of its contestants was asked for. Returns 0 or -errno, having said why. */
static int part_run(const trial *self, size_t index)
{
    trial_part *part = &self->parts[index];
    const size_t count = contestants_count(part->contestants);
    int r;

    if (count == 0 || (part->needs_two_cores && self->plan.setting.shares_core)) {
        return 0;
    }
    part->plan = self->plan;
    part->plan.part = part->name;
    if (self->prepare) {
        self->prepare(self, index, &part->plan);
    }
    part->pairs = calloc(count * part->plan.rounds, sizeof(*part->pairs));
    if (!part->pairs) {
        fprintf(stderr, "%s: out of memory\n", self->program);
        return -ENOMEM;
    }
    r = harness_run(&part->plan, part->reference, part->contestants, count, part->pairs);
    if (part->plan.progress) {
        end_progress();
    }
    if (r < 0) {
        return r;
    }
    part->rows = figure_rows_new(&part->plan, part->contestants, count, part->pairs, part->beside);
    if (!part->rows) {
        fprintf(stderr, "%s: out of memory\n", self->program);
        return -ENOMEM;
    }
    part->row_count = count;
    return 0;
}

static void part_deinit(trial_part *part)
{
    free(part->rows);
    free(part->pairs);
    part->rows = NULL;
    part->pairs = NULL;
    part->row_count = 0;
}

/* ---- the report ---- */

void trial_print_polling(const trial *self, FILE *out)
{
    const contestant_setting *setting = &self->plan.setting;

    if (setting->shares_core) {
        fprintf(out, "server and client share core %d: whoever waits gives it up, nobody spins\n",
                setting->server_core);
    } else {
        fprintf(out, "server on core %d, client on core %d, both polling\n", setting->server_core,
                setting->client_core);
    }
}

void trial_print_method(const trial *self, FILE *out)
{
    fprintf(out, "8 bytes each way; %u rounds of %u calls; stamps by %s, %.0f ns of which are in each timed call\n",
            self->plan.rounds, self->plan.calls, STAMP_SOURCE, self->stamp_cost_ns);
}

void trial_print_ratio(const stats_quartiles *ratio, FILE *out)
{
    fprintf(out, "%6.2f [%6.2f, %6.2f]", ratio->median, ratio->lower, ratio->upper);
}

void trial_save_parts(const trial *self, const figure_keys *keys, FILE *out)
{
    const char *between = "";

    fprintf(out, "\n  },\n  \"parts\": [\n");
    for (size_t i = 0; i < self->part_count; i++) {
        const trial_part *part = &self->parts[i];

        if (part->row_count == 0) {
            continue;
        }
        fprintf(out, "%s    {\n      \"name\": \"%s\",\n      \"title\": ", between, part->name);
        json_text(out, part->title);
        fprintf(out, ",\n      \"reference\": \"%s\",\n", part->reference->name);
        fprintf(out, "      \"in_flight\": %u,\n", part->plan.setting.in_flight);
        if (self->has_payloads) {
            fprintf(out, "      \"payload_bytes\": %u,\n", part->plan.setting.payload);
        }
        fprintf(out, "      \"shares_core\": %s,\n", json_bool(part->plan.setting.shares_core));
        if (part->goal > 0) {
            fprintf(out, "      \"goal\": %.2f,\n", part->goal);
        } else {
            fprintf(out, "      \"goal\": null,\n");
        }
        fprintf(out, "      \"contestants\": ");
        figure_rows_save(part->rows, part->row_count, part->keys ? part->keys : keys, 6, out);
        fprintf(out, "\n    }");
        between = ",\n";
    }
    fprintf(out, "\n  ]");
}

static int report_save(const trial *self, const char *path)
{
    const harness_plan *plan = &self->plan;
    FILE *out;

    out = fopen(path, "we");
    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"%s\",\n  \"format\": 1,\n  \"version\": \"%s\",\n", self->name, SHMRPC_VERSION);
    fprintf(out, "  \"conditions\": {\n");
    conditions_save(self->found, out);
    fprintf(out, ",\n");
    fprintf(out, "    \"server_core\": %d,\n", plan->setting.server_core);
    fprintf(out, "    \"client_core\": %d,\n", plan->setting.client_core);
    fprintf(out, "    \"shares_core\": %s,\n", json_bool(plan->setting.shares_core));
    fprintf(out, "    \"rounds\": %u,\n", plan->rounds);
    fprintf(out, "    \"calls\": %u,\n", plan->calls);
    if (!self->has_payloads) {
        fprintf(out, "    \"request_bytes\": 8,\n    \"reply_bytes\": 8,\n");
    }
    fprintf(out, "    \"stamp\": \"%s\",\n", STAMP_SOURCE);
    fprintf(out, "    \"stamp_cost_ns\": %.1f", self->stamp_cost_ns);
    self->save(self, out);
    fprintf(out, "\n}\n");
    return json_close(out);
}

/* Returns 0 or -errno with the cause on standard error. */
static int report(const trial *self, const options *given)
{
    int r;

    conditions_print(self->found, stdout);
    self->print(self, stdout);
    if (fflush(stdout)) {
        r = -errno;
        fprintf(stderr, "%s: cannot write the results: %s\n", self->program, strerror(-r));
        return r;
    }
    if (given->json_path) {
        r = report_save(self, given->json_path);
        if (r < 0) {
            fprintf(stderr, "%s: cannot write %s: %s\n", self->program, given->json_path, strerror(-r));
            return r;
        }
    }
    return 0;
}

static int answer(const void *data, const conditions *found)
{
    const answering *asked = data;
    trial *self = asked->self;
    int r = 0;

    self->found = found;
    for (size_t i = 0; i < self->part_count && r == 0; i++) {
        r = part_run(self, i);
    }
    if (r == 0) {
        r = report(self, asked->given);
    }
    for (size_t i = 0; i < self->part_count; i++) {
        part_deinit(&self->parts[i]);
    }
    return r;
}

int trial_main(trial *self, int argc, char **argv)
{
    options given = {
        .rounds = DEFAULT_ROUNDS,
        .calls = self->default_calls,
        .setting = {.server_core = -1, .client_core = -1},
    };
    const answering asked = {self, &given};
    int status;

    switch (options_parse(self, &given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: fprintf(stderr, "%s: --help lists the options\n", self->program); return EXIT_UNUSABLE;
    }
    if (given.only && !contestants_choose(self, given.only)) {
        fprintf(stderr, "%s: --only takes names of contestants, not '%s'\n", self->program, given.only);
        return EXIT_UNUSABLE;
    }
    if (given.parts && !parts_choose(self, given.parts)) {
        fprintf(stderr, "%s: --parts takes the beginnings of names of parts, not '%s'\n", self->program, given.parts);
        return EXIT_UNUSABLE;
    }
    if ((self->check && !self->check(self)) || plan_init(self, &given) < 0) {
        return EXIT_UNUSABLE;
    }
    harness_take_signals();
    status = question_run(self->program, answer, &asked);
    if (harness_interrupted()) {
        harness_end_by_signal();
    }
    return status;
}

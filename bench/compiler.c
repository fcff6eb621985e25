/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.c - the question: how do shmc's time and memory grow with the schema?
 *
 * Schemas of 1,000, 10,000, 100,000 lines and so on are written, each as one file and as files of a thousand lines that
 * import each other; each is checked and compiled some times. Time is the processor's, of the run that took least of
 * it: other processes can only add to it. Memory is the most that was resident at once. Figures are reported, never
 * judged; where shmc refuses a schema, the bench ends with 2.
 */
#include "conditions.h"
#include "json.h"
#include "question.h"
#include "schemas.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_LINES 100000
#define DEFAULT_REPEAT 5
#define REPEAT_MAX 1000
#define LINES_LEAST 1000
#define FILE_LINES 1000 /* of a schema in many files */
#define ROWS_MAX 16
#define SEED 1

typedef struct options {
    uint32_t lines;
    uint32_t repeat;
    const char *shmc;
    const char *json_path; /* NULL: none */
    const char *write_to;  /* NULL: measure */
    uint32_t files;
} options;

/* Of one verb: the least of all runs. */
typedef struct cost {
    double seconds;
    uint64_t bytes;
} cost;

typedef struct row {
    uint32_t files;
    schemas_made schema;
    cost check;
    cost generate;
} row;

static const char usage_text[] = "usage: bench_compiler [options]\n"
                                 "\n"
                                 "Measures shmc with schemas of 1,000 lines, 10,000 and so on.\n"
                                 "\n"
                                 "  --lines N          of the longest (default 100000)\n"
                                 "  --repeat N         runs, of which the shortest counts (default 5)\n"
                                 "  --shmc PATH        the compiler (default: that of this build)\n"
                                 "  --json FILE        writes all figures and their conditions there as well\n"
                                 "  --write DIR        only writes a schema of --lines into a folder that is there\n"
                                 "  --files N          with --write: of so many files (default 1)\n"
                                 "  --help, --version\n"
                                 "\n"
                                 "docs/benchmarks.md says how to read what is printed.\n";

/* ---- a run ---- */

_Noreturn static void shmc_exec(const char *shmc, bool generate, const char *folder, uint32_t files)
{
    char **words = calloc(files + 8, sizeof(*words));
    size_t count = 0;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (!words || null < 0 || chdir(folder) || dup2(null, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    words[count++] = strdup(shmc);
    words[count++] = strdup(generate ? "generate" : "check");
    if (generate) {
        words[count++] = strdup("--emit=c");
        words[count++] = strdup("--out=.");
    }
    for (uint32_t i = 0; i < files; i++) {
        if (asprintf(&words[count++], "%u.shm", i) < 0) {
            _exit(127);
        }
    }
    execv(shmc, words);
    _exit(127);
}

/* Waits for it; ends it where the bench is to end. */
static int child_wait(pid_t child, struct rusage *ret_used)
{
    int status;

    while (wait4(child, &status, 0, ret_used) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
        if (question_interrupted()) {
            kill(child, SIGKILL);
        }
    }
    if (question_interrupted()) {
        return -EINTR;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPROTO;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Returns 0 or -errno with the cause on standard error. */
static int shmc_measure(const options *given, bool generate, const char *folder, uint32_t files, cost *ret)
{
    cost least = {0};

    for (uint32_t i = 0; i < given->repeat; i++) {
        struct rusage used;
        int r;

        fflush(NULL);
        pid_t child = fork();
        if (child < 0) {
            r = -errno;
            fprintf(stderr, "bench_compiler: no process: %s\n", strerror(-r));
            return r;
        }
        if (child == 0) {
            shmc_exec(given->shmc, generate, folder, files);
        }
        r = child_wait(child, &used);
        if (r < 0) {
            if (r != -EINTR) {
                fprintf(stderr, "bench_compiler: '%s %s' failed\n", given->shmc, generate ? "generate" : "check");
            }
            return r;
        }
        double seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
        if (i == 0 || seconds < least.seconds) {
            least.seconds = seconds;
        }
        if (i == 0 || (uint64_t)used.ru_maxrss * 1024 < least.bytes) {
            least.bytes = (uint64_t)used.ru_maxrss * 1024;
        }
    }
    *ret = least;
    return 0;
}

static int row_measure(const options *given, const char *folder, uint32_t lines, uint32_t files, row *ret)
{
    schemas_wish wish = {.lines = lines, .files = files, .seed = SEED};
    row made = {.files = files};
    int r = schemas_write(folder, &wish, &made.schema);

    if (r < 0) {
        fprintf(stderr, "bench_compiler: cannot write a schema: %s\n", strerror(-r));
        return r;
    }
    r = shmc_measure(given, false, folder, files, &made.check);
    if (r == 0) {
        r = shmc_measure(given, true, folder, files, &made.generate);
    }
    *ret = made;
    return r;
}

/* ---- the report ---- */

static double per_line_us(const row *each, const cost *of)
{
    return of->seconds * 1e6 / (double)each->schema.lines;
}

static double per_byte(const row *each, const cost *of)
{
    return (double)of->bytes / (double)each->schema.bytes;
}

static void report_print(const row *rows, size_t count, uint32_t repeat, const conditions *found)
{
    conditions_print(found, stdout);
    printf("the least of %u runs each; processor time, resident memory, its ratio to the source\n\n", repeat);
    printf("%8s %6s %7s %8s | %-31s | %-31s\n", "", "", "", "", "check", "generate --emit c");
    printf("%8s %6s %7s %8s | %8s %8s %7s %5s | %8s %8s %7s %5s\n", "lines", "files", "types", "KiB", "s", "us/line",
           "MiB", "ratio", "s", "us/line", "MiB", "ratio");
    for (size_t i = 0; i < count; i++) {
        const row *each = &rows[i];
        const double mib = 1024.0 * 1024.0;
        printf("%8llu %6u %7u %8.0f | %8.3f %8.2f %7.1f %5.0f | %8.3f %8.2f %7.1f %5.0f\n",
               (unsigned long long)each->schema.lines, each->files, each->schema.types,
               (double)each->schema.bytes / 1024, each->check.seconds, per_line_us(each, &each->check),
               (double)each->check.bytes / mib, per_byte(each, &each->check), each->generate.seconds,
               per_line_us(each, &each->generate), (double)each->generate.bytes / mib, per_byte(each, &each->generate));
    }
}

static void cost_save(FILE *out, const char *name, const cost *of)
{
    fprintf(out, ", \"%s\": {\"cpu_s\": %.6f, \"memory_bytes\": %llu}", name, of->seconds,
            (unsigned long long)of->bytes);
}

static int report_save(const row *rows, size_t count, uint32_t repeat, const conditions *found, const char *path)
{
    FILE *out = fopen(path, "we");

    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"compiler\",\n  \"format\": 1,\n  \"version\": \"%s\",\n", SHMRPC_VERSION);
    fprintf(out, "  \"conditions\": {\n");
    conditions_save(found, out);
    fprintf(out, "\n  },\n  \"repeat\": %u,\n  \"rows\": [\n", repeat);
    for (size_t i = 0; i < count; i++) {
        const schemas_made *schema = &rows[i].schema;
        fprintf(out, "    {\"lines\": %llu, \"files\": %u, \"types\": %u, \"services\": %u, \"source_bytes\": %llu",
                (unsigned long long)schema->lines, rows[i].files, schema->types, schema->services,
                (unsigned long long)schema->bytes);
        cost_save(out, "check", &rows[i].check);
        cost_save(out, "generate", &rows[i].generate);
        fprintf(out, "}%s\n", i + 1 < count ? "," : "");
    }
    fprintf(out, "  ]\n}\n");
    return json_close(out);
}

static int question_answer(const void *data, const conditions *found)
{
    const options *given = data;
    const char *folder = getenv("SHMRPC_DIR");
    row rows[ROWS_MAX];
    size_t count = 0;
    int r = folder == NULL ? -ENOENT : 0; /* directory.c has set it */

    for (uint64_t lines = LINES_LEAST; lines <= given->lines && r == 0; lines *= 10) {
        r = row_measure(given, folder, (uint32_t)lines, 1, &rows[count++]);
        if (r == 0 && lines > FILE_LINES) {
            r = row_measure(given, folder, (uint32_t)lines, (uint32_t)(lines / FILE_LINES), &rows[count++]);
        }
    }
    if (r == 0) {
        report_print(rows, count, given->repeat, found);
        if (fflush(stdout)) {
            r = -errno;
            fprintf(stderr, "bench_compiler: cannot write the results: %s\n", strerror(-r));
        }
    }
    if (r == 0 && given->json_path) {
        r = report_save(rows, count, given->repeat, found, given->json_path);
        if (r < 0) {
            fprintf(stderr, "bench_compiler: cannot write %s: %s\n", given->json_path, strerror(-r));
        }
    }
    return r;
}

static int write_only(const options *given)
{
    schemas_wish wish = {.lines = given->lines, .files = given->files, .seed = SEED};
    schemas_made made;
    int r = schemas_write(given->write_to, &wish, &made);

    if (r < 0) {
        fprintf(stderr, "bench_compiler: cannot write into %s: %s\n", given->write_to, strerror(-r));
        return EXIT_UNUSABLE;
    }
    printf("%llu lines, %llu bytes, %u types, %u services\n", (unsigned long long)made.lines,
           (unsigned long long)made.bytes, made.types, made.services);
    return EXIT_SUCCESS;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static parse_outcome options_parse(options *given, int argc, char **argv)
{
    enum { LINES = 256, REPEAT, SHMC, JSON, WRITE, FILES, HELP, VERSION };
    static const struct option known[] = {
        {"lines", required_argument, NULL, LINES},
        {"repeat", required_argument, NULL, REPEAT},
        {"shmc", required_argument, NULL, SHMC},
        {"json", required_argument, NULL, JSON},
        {"write", required_argument, NULL, WRITE},
        {"files", required_argument, NULL, FILES},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    bool right = true;

    while (right) {
        switch (getopt_long(argc, argv, "", known, NULL)) {
        case -1:
            if (optind == argc) {
                return PARSE_RUN;
            }
            fprintf(stderr, "bench_compiler: unexpected argument '%s'\n", argv[optind]);
            return PARSE_WRONG;
        case LINES:
            right = question_number("bench_compiler", "--lines", optarg, 1, SCHEMAS_LINES_MAX, &given->lines);
            break;
        case REPEAT:
            right = question_number("bench_compiler", "--repeat", optarg, 1, REPEAT_MAX, &given->repeat);
            break;
        case FILES:
            right = question_number("bench_compiler", "--files", optarg, 1, SCHEMAS_LINES_MAX, &given->files);
            break;
        case SHMC: given->shmc = optarg; break;
        case JSON: given->json_path = optarg; break;
        case WRITE: given->write_to = optarg; break;
        case HELP: fputs(usage_text, stdout); return PARSE_DONE;
        case VERSION: puts("bench_compiler " SHMRPC_VERSION); return PARSE_DONE;
        default: right = false; break;
        }
    }
    return PARSE_WRONG;
}

int main(int argc, char **argv)
{
    options given = {.lines = DEFAULT_LINES, .repeat = DEFAULT_REPEAT, .shmc = BENCH_SHMC, .files = 1};

    switch (options_parse(&given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: fputs("bench_compiler: --help lists the options\n", stderr); return EXIT_UNUSABLE;
    }
    if (given.write_to) {
        return write_only(&given);
    }
    return question_run("bench_compiler", question_answer, &given);
}

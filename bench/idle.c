/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.c - the question: what does it cost to be connected while nobody calls?
 *
 * A server and its clients, each a process of its own, make a call each and then do nothing for a while. Before and
 * after that the kernel is asked what their threads have done meanwhile: how often one went to sleep or was interrupted,
 * and how much processor time they had. What is found is reported, never judged: the exit status is 0 when every call
 * was answered, and 2 when the bench could not run. After a signal it cleans up and ends by that signal.
 */
#include "activity.h"
#include "conditions.h"
#include "json.h"
#include "question.h"

#include <shmrpc/base.h>
#include <shmrpc/lane.h>
#include <shmrpc/status.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_NAME "bench/idle"
#define DEFAULT_SECONDS 10
#define DEFAULT_CLIENTS 200
#define SECONDS_MAX 3600
#define CLIENTS_MAX 1000
#define WORKERS_MAX 64
#define SETTLE_MS 100    /* nothing has happened for so long: the calls before are over */
#define SETTLE_TIMES 100 /* tries, until that is so */

typedef struct options {
    uint32_t seconds;
    uint32_t clients;
    uint32_t workers;
    const char *json_path; /* NULL: none */
} options;

/* What happened in the time, of processes of one kind. */
typedef struct row {
    const char *who;
    uint32_t clients;
    activity counts;
} row;

#define ROWS 4

static const char usage_text[] =
    "usage: bench_idle [options]\n"
    "\n"
    "Connects clients to a server, lets all be idle, and counts what their threads do meanwhile.\n"
    "\n"
    "  --seconds N        to be idle (default 10)\n"
    "  --clients N        connected, after a run with one of them (default 200)\n"
    "  --workers N        threads of the server (default 1)\n"
    "  --json FILE        writes all figures and their conditions there as well\n"
    "  --help, --version\n"
    "\n"
    "docs/benchmarks.md says how to read what is printed.\n";

/* ---- the processes that are counted ---- */

static int answer(shmrpc_lane_server *server, const shmrpc_lane_request *request, size_t *ret_size)
{
    (void)server;
    (void)request;
    *ret_size = 0;
    return 0;
}

static _Noreturn void serve(int ready, uint32_t workers)
{
    static const shmrpc_lane_handlers handlers = {.request = answer};
    const shmrpc_server_options given = {.workers = workers};
    shmrpc_lane_server server;

    if (shmrpc_lane_server_init(&server, &handlers, SERVER_NAME, NULL, &given) != 0) {
        fprintf(stderr, "bench_idle: no server: %s\n", shmrpc_last_error());
        _exit(EXIT_UNUSABLE);
    }
    if (write(ready, "r", 1) != 1 || shmrpc_lane_server_run(&server) != 0) {
        _exit(EXIT_UNUSABLE);
    }
    _exit(EXIT_SUCCESS);
}

static _Noreturn void be_client(int ready)
{
    shmrpc_lane *lane = NULL;
    int rc = shmrpc_lane_connect(&lane, SERVER_NAME, NULL, NULL);

    if (rc == 0) {
        rc = shmrpc_lane_call(lane, 1, NULL, 0, NULL, 0, NULL, shmrpc_default());
    }
    if (rc != 0) {
        fprintf(stderr, "bench_idle: a client: %s\n", shmrpc_last_error());
        _exit(EXIT_UNUSABLE);
    }
    if (write(ready, "r", 1) != 1) {
        _exit(EXIT_UNUSABLE);
    }
    for (;;) {
        pause();
    }
}

/* The server first, then the clients. */
typedef struct group {
    pid_t *pids;
    uint32_t count;
} group;

static bool read_ready(int ready)
{
    char byte;
    ssize_t length;

    do {
        length = read(ready, &byte, 1);
    } while (length < 0 && errno == EINTR && !question_interrupted());
    return length == 1;
}

/* One process more, when it is ready. Says why not on standard error. */
static bool group_add(group *processes, uint32_t workers)
{
    int ends[2];
    bool is_ready;
    pid_t pid;

    if (pipe(ends)) {
        fprintf(stderr, "bench_idle: no pipe: %s\n", strerror(errno));
        return false;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        if (processes->count == 0) {
            serve(ends[1], workers);
        }
        be_client(ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        fprintf(stderr, "bench_idle: no process: %s\n", strerror(errno));
        close(ends[0]);
        return false;
    }
    processes->pids[processes->count++] = pid;
    is_ready = read_ready(ends[0]);
    close(ends[0]);
    return is_ready;
}

static void group_end(group *processes)
{
    while (processes->count > 0) {
        pid_t pid = processes->pids[--processes->count];

        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

/* ---- counting ---- */

static int count(const group *processes, activity *ret_server, activity *ret_clients)
{
    int r;

    *ret_server = (activity){0};
    *ret_clients = (activity){0};
    r = activity_add(ret_server, processes->pids[0]);
    for (uint32_t i = 1; i < processes->count && r == 0; i++) {
        r = activity_add(ret_clients, processes->pids[i]);
    }
    if (r < 0) {
        fprintf(stderr, "bench_idle: a process cannot be counted: %s\n", strerror(-r));
    }
    return r;
}

static void rest(uint32_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

/* Until nobody does anything; or for ten seconds, and what is done then is part of the result. */
static int settle(const group *processes, activity *ret_server, activity *ret_clients)
{
    int r = count(processes, ret_server, ret_clients);

    for (int i = 0; i < SETTLE_TIMES && r == 0 && !question_interrupted(); i++) {
        const activity server = *ret_server;
        const activity clients = *ret_clients;

        rest(SETTLE_MS);
        r = count(processes, ret_server, ret_clients);
        if (r == 0 && activity_is_same(&server, ret_server) && activity_is_same(&clients, ret_clients)) {
            break;
        }
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

/* Fills two rows: the server's, and its clients'. 0 or -errno with the cause on standard error. */
static int group_watch(const group *processes, uint32_t seconds, row *rows)
{
    activity server, clients, server_after, clients_after;
    int r = settle(processes, &server, &clients);

    for (uint32_t i = 0; i < seconds && r == 0 && !question_interrupted(); i++) {
        rest(1000);
    }
    if (r == 0) {
        r = count(processes, &server_after, &clients_after);
    }
    if (r == 0) {
        rows[0] = (row){"server", processes->count - 1, difference(&server_after, &server)};
        rows[1] = (row){"clients", processes->count - 1, difference(&clients_after, &clients)};
    }
    return r;
}

static int run(const options *given, uint32_t clients, row *rows)
{
    group processes = {.pids = calloc((size_t)clients + 1, sizeof(pid_t))};
    int r = processes.pids ? 0 : -ENOMEM;

    while (r == 0 && processes.count < clients + 1) {
        r = group_add(&processes, given->workers) ? 0 : -EIO;
    }
    if (r == 0) {
        r = group_watch(&processes, given->seconds, rows);
    }
    group_end(&processes);
    free(processes.pids);
    return question_interrupted() ? -EINTR : r;
}

/* ---- the report ---- */

static void report_print(const row *rows, const options *given, const conditions *found)
{
    conditions_print(found, stdout);
    printf("%u s without a call, %u worker%s, each client a process\n\n", given->seconds, given->workers,
           given->workers == 1 ? "" : "s");
    printf("%-8s %8s %8s %10s %12s %12s\n", "", "clients", "threads", "went to", "interrupted", "processor");
    printf("%-8s %8s %8s %10s %12s %12s\n", "", "", "", "sleep", "", "time, us");
    for (size_t i = 0; i < ROWS; i++) {
        const row *at = &rows[i];

        printf("%-8s %8u %8" PRIu64 " %10" PRIu64 " %12" PRIu64 " %12.1f\n", at->who, at->clients, at->counts.threads,
               at->counts.voluntary, at->counts.involuntary, (double)at->counts.cpu_ns / 1000);
    }
}

static int report_save(const row *rows, const options *given, const conditions *found)
{
    FILE *out = fopen(given->json_path, "we");

    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"idle\",\n  \"format\": 1,\n  \"version\": \"%s\",\n", SHMRPC_VERSION);
    fprintf(out, "  \"conditions\": {\n");
    conditions_save(found, out);
    fprintf(out, "\n  },\n  \"seconds\": %u,\n  \"workers\": %u,\n  \"rows\": [\n", given->seconds, given->workers);
    for (size_t i = 0; i < ROWS; i++) {
        const activity *counts = &rows[i].counts;

        fprintf(out,
                "    {\"who\": \"%s\", \"clients\": %u, \"threads\": %" PRIu64 ", \"voluntary\": %" PRIu64
                ", \"involuntary\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}%s\n",
                rows[i].who, rows[i].clients, counts->threads, counts->voluntary, counts->involuntary, counts->cpu_ns,
                i + 1 < ROWS ? "," : "");
    }
    fprintf(out, "  ]\n}\n");
    return json_close(out);
}

/* Returns 0 or -errno with the cause on standard error. */
static int question_answer(const void *data, const conditions *found)
{
    const options *given = data;
    row rows[ROWS];
    int r = run(given, 1, &rows[0]);

    if (r == 0) {
        r = run(given, given->clients, &rows[2]);
    }
    if (r == 0) {
        report_print(rows, given, found);
        if (fflush(stdout)) {
            r = -errno;
            fprintf(stderr, "bench_idle: cannot write the results: %s\n", strerror(-r));
        }
    }
    if (r == 0 && given->json_path) {
        r = report_save(rows, given, found);
        if (r < 0) {
            fprintf(stderr, "bench_idle: cannot write %s: %s\n", given->json_path, strerror(-r));
        }
    }
    return r;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static parse_outcome options_parse(options *given, int argc, char **argv)
{
    enum { SECONDS = 256, CLIENTS, WORKERS, JSON, HELP, VERSION };
    static const struct option known[] = {
        {"seconds", required_argument, NULL, SECONDS},
        {"clients", required_argument, NULL, CLIENTS},
        {"workers", required_argument, NULL, WORKERS},
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
            fprintf(stderr, "bench_idle: unexpected argument '%s'\n", argv[optind]);
            return PARSE_WRONG;
        case SECONDS: fine = question_number("bench_idle", "--seconds", optarg, 1, SECONDS_MAX, &given->seconds); break;
        case CLIENTS: fine = question_number("bench_idle", "--clients", optarg, 1, CLIENTS_MAX, &given->clients); break;
        case WORKERS: fine = question_number("bench_idle", "--workers", optarg, 1, WORKERS_MAX, &given->workers); break;
        case JSON: given->json_path = optarg; break;
        case HELP: fputs(usage_text, stdout); return PARSE_DONE;
        case VERSION: puts("bench_idle " SHMRPC_VERSION); return PARSE_DONE;
        default: return PARSE_WRONG;
        }
    }
    return PARSE_WRONG;
}

/* The server has four descriptors for each client. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    options given = {.seconds = DEFAULT_SECONDS, .clients = DEFAULT_CLIENTS, .workers = 1};

    switch (options_parse(&given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: fputs("bench_idle: --help lists the options\n", stderr); return EXIT_UNUSABLE;
    }
    raise_descriptors();
    return question_run("bench_idle", question_answer, &given);
}

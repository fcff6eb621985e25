/* SPDX-License-Identifier: Apache-2.0 */
/*
 * death.c - the question: how soon does a caller hear that its server was killed, asleep and spinning?
 *
 * In each round a new server holds a call in a handler that never returns, and is killed; timed is from before kill()
 * to the end of the caller's call, which has to be UNKNOWN. Timings are reported, never judged: the exit status is 0
 * when every outcome was right, and 2 when the bench could not run. After a signal it cleans up and ends by that
 * signal.
 */
#include "conditions.h"
#include "json.h"
#include "question.h"
#include "stats.h"

#include <shmrpc/base.h>
#include <shmrpc/lane.h>
#include <shmrpc/status.h>

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVER_NAME "bench/death"
#define DEFAULT_KILLS 200
#define KILLS_MAX 100000
#define LOOKS_MAX 2000 /* of a millisecond, for a caller to fall asleep */

typedef struct way {
    const char *name;
    const char *summary;
    int64_t spin_ns;
    uint64_t *times_ns; /* sorted once all are there */
} way;

typedef struct options {
    uint32_t kills;
    const char *json_path; /* NULL: none */
} options;

static const char usage_text[] =
    "usage: bench_death [options]\n"
    "\n"
    "Kills servers that hold a call, and times how long it takes the caller to hear of it.\n"
    "\n"
    "  --kills N          of each way to wait (default 200)\n"
    "  --json FILE        writes all figures and their conditions there as well\n"
    "  --help, --version\n"
    "\n"
    "ways: asleep, spinning. docs/benchmarks.md says how to read what is printed.\n";

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pause_1ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- the server process ---- */

static int held_pipe; /* written to when it serves, and when it holds a call */

static int hold(shmrpc_lane_server *server, const shmrpc_lane_request *request, size_t *ret_size)
{
    (void)server;
    (void)request;
    (void)ret_size;
    if (write(held_pipe, "h", 1) != 1) {
        _exit(EXIT_UNUSABLE);
    }
    for (;;) {
        pause();
    }
}

static _Noreturn void serve(int pipe_end)
{
    static const shmrpc_lane_handlers handlers = {.request = hold};
    shmrpc_lane_server server;

    held_pipe = pipe_end;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (shmrpc_lane_server_init(&server, &handlers, SERVER_NAME, NULL, NULL) != 0) {
        fprintf(stderr, "bench_death: no server: %s\n", shmrpc_last_error());
        _exit(EXIT_UNUSABLE);
    }
    if (write(pipe_end, "r", 1) != 1 || shmrpc_lane_server_run(&server) != 0) {
        _exit(EXIT_UNUSABLE);
    }
    _exit(EXIT_SUCCESS);
}

/* ---- the caller ---- */

typedef struct caller {
    shmrpc_lane *lane;
    _Atomic(pid_t) tid;
    int status;
    uint64_t ended_ns;
} caller;

static void *call(void *data)
{
    caller *self = data;

    atomic_store(&self->tid, gettid());
    self->status = shmrpc_lane_call(self->lane, 1, NULL, 0, NULL, 0, NULL, shmrpc_forever());
    self->ended_ns = now_ns();
    return NULL;
}

static bool is_asleep(pid_t tid)
{
    char path[64], line[256] = "";
    const char *end;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", (long)tid);
    file = fopen(path, "re");
    if (!file) {
        return false;
    }
    end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return end && end[1] != '\0' && end[2] == 'S';
}

static bool read_step(int pipe_end, char step)
{
    char found = 0;
    ssize_t length;

    do {
        length = read(pipe_end, &found, 1);
    } while (length < 0 && errno == EINTR && !question_interrupted());
    return length == 1 && found == step;
}

/* Kills a server that holds the call of `self`, which has a thread of its own. Returns the time it took, or 0. */
static uint64_t kill_and_time(caller *self, const way *how, pid_t server, int pipe_end)
{
    uint64_t begun_ns = 0;
    pthread_t thread;

    if (pthread_create(&thread, NULL, call, self) != 0) {
        fputs("bench_death: cannot start a thread\n", stderr);
        return 0;
    }
    if (read_step(pipe_end, 'h')) {
        /* A sleeper is asleep, and stays so; a spinner has begun. */
        for (int i = 0; i < LOOKS_MAX && how->spin_ns == SHMRPC_SPIN_NONE && !is_asleep(atomic_load(&self->tid)); i++) {
            pause_1ms();
        }
        pause_1ms();
        begun_ns = now_ns();
    }
    kill(server, SIGKILL);
    pthread_join(thread, NULL);
    if (begun_ns == 0) {
        if (!question_interrupted()) {
            fputs("bench_death: the server did not begin the call\n", stderr);
        }
        return 0;
    }
    if (self->status != SHMRPC_E_UNKNOWN) {
        fprintf(stderr, "bench_death: a call ended with '%s'\n", shmrpc_status_text(self->status));
        return 0;
    }
    return self->ended_ns - begun_ns;
}

/* One server, from its start to its end. Returns the time, or 0 with the cause on standard error. */
static uint64_t round_run(const way *how)
{
    const shmrpc_client_options client = {.spin_ns = how->spin_ns};
    caller self = {.status = 0};
    uint64_t took_ns = 0;
    int ends[2];
    pid_t server;

    if (pipe(ends)) {
        fprintf(stderr, "bench_death: no pipe: %s\n", strerror(errno));
        return 0;
    }
    server = fork();
    if (server == 0) {
        close(ends[0]);
        serve(ends[1]);
    }
    close(ends[1]);
    if (server < 0) {
        fprintf(stderr, "bench_death: no process: %s\n", strerror(errno));
    } else if (read_step(ends[0], 'r')) {
        if (shmrpc_lane_connect(&self.lane, SERVER_NAME, NULL, &client) != 0) {
            fprintf(stderr, "bench_death: cannot connect: %s\n", shmrpc_last_error());
        } else {
            took_ns = kill_and_time(&self, how, server, ends[0]);
            shmrpc_lane_free(self.lane);
        }
    }
    if (server > 0) {
        kill(server, SIGKILL);
        while (waitpid(server, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
    return took_ns;
}

/* ---- the report ---- */

static void report_print(const way *ways, size_t count, uint32_t kills, const conditions *found)
{
    conditions_print(found, stdout);
    printf("%u kills each, from kill() to the end of the call that the server held\n\n", kills);
    printf("%-10s %10s %10s %10s\n", "us", "p50", "p99", "most");
    for (size_t i = 0; i < count; i++) {
        printf("%-10s %10.0f %10.0f %10.0f   %s\n", ways[i].name,
               (double)stats_percentile(ways[i].times_ns, kills, 500) / 1000,
               (double)stats_percentile(ways[i].times_ns, kills, 990) / 1000,
               (double)stats_percentile(ways[i].times_ns, kills, 1000) / 1000, ways[i].summary);
    }
}

static int report_save(const way *ways, size_t count, uint32_t kills, const conditions *found, const char *path)
{
    FILE *out = fopen(path, "we");

    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"death\",\n  \"format\": 1,\n  \"version\": \"%s\",\n", SHMRPC_VERSION);
    fprintf(out, "  \"conditions\": {\n");
    conditions_save(found, out);
    fprintf(out, "\n  },\n  \"kills\": %u,\n  \"ways\": [\n", kills);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    {\"name\": \"%s\", \"summary\": ", ways[i].name);
        json_text(out, ways[i].summary);
        fprintf(out, ", \"p50_ns\": %llu, \"p99_ns\": %llu, \"most_ns\": %llu}%s\n",
                (unsigned long long)stats_percentile(ways[i].times_ns, kills, 500),
                (unsigned long long)stats_percentile(ways[i].times_ns, kills, 990),
                (unsigned long long)stats_percentile(ways[i].times_ns, kills, 1000), i + 1 < count ? "," : "");
    }
    fprintf(out, "  ]\n}\n");
    return json_close(out);
}

/* Kills, in turn so that a bad minute hits all; prints, saves. Returns 0 or -errno with the cause on standard error. */
static int question_answer(const void *data, const conditions *found)
{
    const options *given = data;
    way ways[] = {
        {"asleep", "the caller sleeps in the kernel", SHMRPC_SPIN_NONE, NULL},
        {"spinning", "the caller polls its slot", SHMRPC_SPIN_FOREVER, NULL},
    };
    const size_t count = sizeof(ways) / sizeof(ways[0]);
    int r = 0;

    for (size_t i = 0; i < count; i++) {
        ways[i].times_ns = calloc(given->kills, sizeof(uint64_t));
        if (!ways[i].times_ns) {
            fputs("bench_death: out of memory\n", stderr);
            r = -ENOMEM;
        }
    }
    for (uint32_t kills = 0; kills < given->kills && r == 0; kills++) {
        for (size_t i = 0; i < count && r == 0; i++) {
            ways[i].times_ns[kills] = round_run(&ways[i]);
            if (ways[i].times_ns[kills] == 0 || question_interrupted()) {
                r = question_interrupted() ? -EINTR : -EIO;
            }
        }
    }
    if (r == 0) {
        for (size_t i = 0; i < count; i++) {
            stats_sort_ticks(ways[i].times_ns, given->kills);
        }
        report_print(ways, count, given->kills, found);
        if (fflush(stdout)) {
            r = -errno;
            fprintf(stderr, "bench_death: cannot write the results: %s\n", strerror(-r));
        }
    }
    if (r == 0 && given->json_path) {
        r = report_save(ways, count, given->kills, found, given->json_path);
        if (r < 0) {
            fprintf(stderr, "bench_death: cannot write %s: %s\n", given->json_path, strerror(-r));
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(ways[i].times_ns);
    }
    return r;
}

typedef enum parse_outcome { PARSE_RUN, PARSE_DONE, PARSE_WRONG } parse_outcome;

static parse_outcome options_parse(options *given, int argc, char **argv)
{
    enum { KILLS = 256, JSON, HELP, VERSION };
    static const struct option known[] = {
        {"kills", required_argument, NULL, KILLS},
        {"json", required_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };

    for (;;) {
        switch (getopt_long(argc, argv, "", known, NULL)) {
        case -1:
            if (optind == argc) {
                return PARSE_RUN;
            }
            fprintf(stderr, "bench_death: unexpected argument '%s'\n", argv[optind]);
            return PARSE_WRONG;
        case KILLS:
            if (!question_number("bench_death", "--kills", optarg, 1, KILLS_MAX, &given->kills)) {
                return PARSE_WRONG;
            }
            break;
        case JSON: given->json_path = optarg; break;
        case HELP: fputs(usage_text, stdout); return PARSE_DONE;
        case VERSION: puts("bench_death " SHMRPC_VERSION); return PARSE_DONE;
        default: return PARSE_WRONG;
        }
    }
}

int main(int argc, char **argv)
{
    options given = {.kills = DEFAULT_KILLS};

    switch (options_parse(&given, argc, argv)) {
    case PARSE_RUN: break;
    case PARSE_DONE: return EXIT_SUCCESS;
    case PARSE_WRONG: fputs("bench_death: --help lists the options\n", stderr); return EXIT_UNUSABLE;
    }
    return question_run("bench_death", question_answer, &given);
}

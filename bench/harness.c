/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run that takes longer is broken: a slow contestant takes a few seconds with the largest number of calls. */
#define RUN_LIMIT_NS INT64_C(120000000000)
/* What a server gets to end by itself. */
#define STOP_LIMIT_NS INT64_C(2000000000)

static int interrupting_signal;

static void signals_of_parent(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGINT);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGHUP);
    sigaddset(ret_set, SIGCHLD);
}

/* Nothing for this handler to do: SIGCHLD is taken by sigtimedwait(), and is not queued at all while it is ignored. */
static void on_child(int number)
{
    (void)number;
}

void harness_take_signals(void)
{
    struct sigaction action = {.sa_handler = on_child};
    sigset_t set;

    signals_of_parent(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGCHLD, &action, NULL);
}

int harness_interrupted(void)
{
    return interrupting_signal;
}

_Noreturn void harness_end_by_signal(void)
{
    sigset_t set;

    signal(interrupting_signal, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, interrupting_signal);
    raise(interrupting_signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(EXIT_FAILURE);
}

static int pin_to_core(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int harness_pick_cores(contestant_setting *setting)
{
    cpu_set_t allowed;
    int first = -1, second = -1;

    if (sched_getaffinity(0, sizeof(allowed), &allowed)) {
        return -errno;
    }
    if ((setting->server_core >= 0 && !CPU_ISSET((size_t)setting->server_core, &allowed)) ||
        (setting->client_core >= 0 && !CPU_ISSET((size_t)setting->client_core, &allowed))) {
        return -EINVAL;
    }
    for (int core = 0; core < CPU_SETSIZE && second < 0; core++) {
        if (!CPU_ISSET((size_t)core, &allowed) || core == setting->server_core || core == setting->client_core) {
            continue;
        }
        if (first < 0) {
            first = core;
        } else {
            second = core;
        }
    }
    if (setting->server_core < 0) {
        setting->server_core = first >= 0 ? first : setting->client_core;
        first = second;
    }
    if (setting->client_core < 0) {
        setting->client_core = first >= 0 ? first : setting->server_core;
    }
    setting->shares_core = setting->server_core == setting->client_core;
    return 0;
}

uint32_t harness_calls(const harness_plan *plan, const contestant *entrant)
{
    const uint32_t calls = plan->calls / entrant->slowness / MEASURE_BLOCK * MEASURE_BLOCK;

    if (plan->rhythm) {
        return plan->calls;
    }
    return calls > 0 ? calls : MEASURE_BLOCK;
}

/*
 * What a child does before its part: it dies with its parent, leaves Ctrl-C to it, takes signals as a
 * program of its own would, and stays on its core.
 */
static void child_begin(pid_t parent, int core)
{
    sigset_t set;
    int r;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signals_of_parent(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    r = pin_to_core(core);
    if (r < 0) {
        fprintf(stderr, "bench: cannot run on core %d: %s\n", core, strerror(-r));
        _exit(EXIT_FAILURE);
    }
}

int contestant_tell_ready(int ready)
{
    const char byte = 0;

    return write(ready, &byte, 1) == 1 ? 0 : -1;
}

/* The end of the pipe means that the server has ended instead. */
static int await_ready(int ready)
{
    char byte;
    ssize_t n;

    do {
        n = read(ready, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : -1;
}

static pid_t server_start(contestant *entrant, const contestant_setting *setting, const int ready[2],
                          measure_samples *samples)
{
    const pid_t parent = getpid();
    pid_t child;

    child = fork();
    if (child == 0) {
        child_begin(parent, setting->server_core);
        close(ready[0]);
        if (measure_answer_time(samples) < 0) {
            _exit(EXIT_FAILURE);
        }
        _exit(entrant->serve(entrant, setting, ready[1]) ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    return child < 0 ? -errno : child;
}

static pid_t client_start(contestant *entrant, const contestant_setting *setting, const int ready[2],
                          measure_samples *samples)
{
    const pid_t parent = getpid();
    pid_t child;

    child = fork();
    if (child == 0) {
        child_begin(parent, setting->client_core);
        close(ready[1]);
        if (await_ready(ready[0])) {
            _exit(EXIT_FAILURE);
        }
        _exit(entrant->measure(entrant, setting, samples) ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    return child < 0 ? -errno : child;
}

/*
 * Waits until one of two children (0: none) has ended. Returns its pid with *ret_status; -EINTR at a signal that asks
 * us to end; -ETIMEDOUT.
 */
static pid_t children_wait(pid_t one, pid_t other, int64_t limit_ns, int *ret_status)
{
    const uint64_t begin_ns = stamp_clock_ns();
    sigset_t set;

    signals_of_parent(&set);
    for (;;) {
        const pid_t children[] = {one, other};
        struct timespec left;
        int64_t left_ns;
        int number;

        for (size_t i = 0; i < 2; i++) {
            if (children[i] > 0 && waitpid(children[i], ret_status, WNOHANG) == children[i]) {
                return children[i];
            }
        }
        left_ns = limit_ns - (int64_t)(stamp_clock_ns() - begin_ns);
        if (left_ns <= 0) {
            return -ETIMEDOUT;
        }
        left.tv_sec = left_ns / INT64_C(1000000000);
        left.tv_nsec = left_ns % INT64_C(1000000000);
        number = sigtimedwait(&set, NULL, &left);
        if (number > 0 && number != SIGCHLD) {
            interrupting_signal = number;
            return -EINTR;
        }
    }
}

/* Asks, waits a while, then does not ask. Returns false where it had to be killed or ended badly. */
static bool child_stop(pid_t child)
{
    bool was_killed = false;
    int status;
    pid_t r;

    kill(child, SIGTERM);
    do {
        r = children_wait(child, 0, STOP_LIMIT_NS, &status);
    } while (r == -EINTR);
    if (r < 0) {
        was_killed = true;
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    return !was_killed && ((WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) ||
                           (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
}

static void report_failure(const contestant *entrant, const measure_samples *samples, pid_t ended, pid_t server)
{
    if (ended == -EINTR) {
        return;
    }
    if (ended == -ETIMEDOUT) {
        fprintf(stderr, "bench: %s: not done after %lld s\n", entrant->name,
                (long long)(RUN_LIMIT_NS / INT64_C(1000000000)));
    } else if (ended == server) {
        fprintf(stderr, "bench: %s: the server ended during the run\n", entrant->name);
    } else {
        fprintf(stderr, "bench: %s: the client failed at call %u\n", entrant->name, samples->failed_call);
    }
}

/* Runs both processes of an opened contestant to the end. Returns 0 or -errno. */
static int processes_run(contestant *entrant, const contestant_setting *setting, measure_samples *samples)
{
    int ready[2], status = 0, r = 0;
    pid_t server, client, ended;

    if (pipe2(ready, O_CLOEXEC)) {
        return -errno;
    }
    server = server_start(entrant, setting, ready, samples);
    if (server < 0) {
        r = server;
        close(ready[0]);
        close(ready[1]);
        return r;
    }
    samples->server = server;
    client = client_start(entrant, setting, ready, samples);
    close(ready[0]);
    close(ready[1]);
    if (client < 0) {
        r = client;
        goto out_server;
    }

    ended = children_wait(client, server, RUN_LIMIT_NS, &status);
    if (ended == client && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS && samples->complete) {
        goto out_server;
    }
    report_failure(entrant, samples, ended, server);
    r = ended == -EINTR ? -EINTR : -EIO;
    if (ended != client) {
        child_stop(client);
    }
    if (ended == server) {
        return r;
    }

out_server:
    if (!child_stop(server) && r == 0) {
        fprintf(stderr, "bench: %s: the server did not end as it was told\n", entrant->name);
        r = -EIO;
    }
    if (r == 0 && interrupting_signal) {
        r = -EINTR;
    }
    return r;
}

static int contestant_run(const harness_plan *plan, contestant *entrant, measure_samples *samples,
                          measure_summary *ret_summary)
{
    int r;

    samples->calls = harness_calls(plan, entrant);
    samples->complete = false;
    samples->failed_call = 0;
    samples->timed_calls = 0;
    samples->timed_blocks = 0;
    samples->untimed_ns = 0;
    samples->server_ns = 0;
    samples->rhythm = plan->rhythm;

    if (entrant->open) {
        r = entrant->open(entrant);
        if (r < 0) {
            fprintf(stderr, "bench: %s: cannot be set up: %s\n", entrant->name, strerror(-r));
            return r;
        }
    }
    r = processes_run(entrant, &plan->setting, samples);
    if (entrant->close) {
        entrant->close(entrant);
    }
    if (r == 0) {
        *ret_summary = measure_summarize(samples, plan->ns_per_tick);
    }
    return r;
}

int harness_run(const harness_plan *plan, contestant *reference, contestant *const *contestants, size_t count,
                harness_pair *ret_pairs)
{
    measure_samples *samples = NULL;
    int r;

    r = measure_samples_new(&samples, harness_calls(plan, reference));
    if (r < 0) {
        fprintf(stderr, "bench: no memory for the samples: %s\n", strerror(-r));
        return r;
    }
    for (uint32_t round = 0; round < plan->rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            harness_pair *pair = &ret_pairs[i * plan->rounds + round];

            if (plan->progress) {
                plan->progress(plan, round, contestants[i]->name);
            }
            r = contestant_run(plan, reference, samples, &pair->reference);
            if (r < 0) {
                goto out_samples;
            }
            r = contestant_run(plan, contestants[i], samples, &pair->own);
            if (r < 0) {
                goto out_samples;
            }
        }
    }

out_samples:
    measure_samples_free(samples);
    return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "activity.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_OF_TASK 64

typedef struct task {
    uint64_t voluntary;
    uint64_t involuntary;
    uint64_t cpu_ns;
    char name[32];
    char state;
} task;

static FILE *open_of(long pid, long tid, const char *file)
{
    char path[PATH_MAX_OF_TASK];

    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/%s", pid, tid, file);
    return fopen(path, "re");
}

/* The value of a line "key: value", or NULL. */
static const char *value_of(const char *line, const char *key)
{
    size_t length = strlen(key);

    if (strncmp(line, key, length) != 0 || line[length] != ':') {
        return NULL;
    }
    return line + length + 1 + strspn(line + length + 1, "\t ");
}

static int read_status(long pid, long tid, task *found)
{
    FILE *file = open_of(pid, tid, "status");
    char line[256];
    int seen = 0;

    if (!file) {
        return -errno;
    }
    while (fgets(line, sizeof(line), file)) {
        const char *value = value_of(line, "Name");

        if (value) {
            (void)snprintf(found->name, sizeof(found->name), "%.*s", (int)strcspn(value, "\n"), value);
        } else if ((value = value_of(line, "State"))) {
            found->state = value[0];
            seen++;
        } else if ((value = value_of(line, "voluntary_ctxt_switches"))) {
            found->voluntary = strtoull(value, NULL, 10);
            seen++;
        } else if ((value = value_of(line, "nonvoluntary_ctxt_switches"))) {
            found->involuntary = strtoull(value, NULL, 10);
            seen++;
        }
    }
    fclose(file);
    return seen == 3 ? 0 : -ESRCH;
}

/* The first line of one of a thread's files. */
static int read_line(long pid, long tid, const char *file, char *line, size_t size)
{
    FILE *in = open_of(pid, tid, file);
    int r = 0;

    if (!in) {
        return -errno;
    }
    if (!fgets(line, (int)size, in)) {
        r = -ESRCH;
    }
    fclose(in);
    return r;
}

/* In ticks: fields 14 and 15 of proc(5)'s stat. The name before field 3, in parentheses, may hold anything. */
static int read_ticks(long pid, long tid, uint64_t *ret_ns)
{
    uint64_t ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t user;
    char line[512];
    char *at;
    int r = read_line(pid, tid, "stat", line, sizeof(line));

    if (r < 0) {
        return r;
    }
    at = strrchr(line, ')');
    for (int field = 2; at && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (!at) {
        return -ESRCH;
    }
    user = strtoull(at, &at, 10);
    *ret_ns = (user + strtoull(at, NULL, 10)) * (UINT64_C(1000000000) / ticks_per_s);
    return 0;
}

static int read_cpu(long pid, long tid, uint64_t *ret_ns)
{
    char line[128];
    int r = read_line(pid, tid, "schedstat", line, sizeof(line));

    if (r == -ENOENT) {
        return read_ticks(pid, tid, ret_ns);
    }
    if (r == 0) {
        *ret_ns = strtoull(line, NULL, 10);
    }
    return r;
}

/* A thread that ends meanwhile is none of those that there are. */
static int add_task(activity *total, long pid, long tid, const char *prefix)
{
    task found = {0};
    int r = read_status(pid, tid, &found);

    if (r == 0 && prefix && tid != pid && strncmp(found.name, prefix, strlen(prefix)) != 0) {
        return 0;
    }
    if (r == 0) {
        r = read_cpu(pid, tid, &found.cpu_ns);
    }
    if (r < 0) {
        return r == -ENOENT || r == -ESRCH ? 0 : r;
    }
    total->asleep = (total->threads == 0 || total->asleep) && found.state == 'S';
    total->threads++;
    total->voluntary += found.voluntary;
    total->involuntary += found.involuntary;
    total->cpu_ns += found.cpu_ns;
    return 0;
}

int activity_add_thread(activity *total, pid_t pid, pid_t tid)
{
    return add_task(total, (long)pid, (long)tid, NULL);
}

int activity_add_named(activity *total, pid_t pid, const char *prefix)
{
    uint64_t threads = total->threads;
    char path[PATH_MAX_OF_TASK];
    struct dirent *entry;
    DIR *folder;
    int r = 0;

    (void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    folder = opendir(path);
    if (!folder) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    while (r == 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] != '.') {
            r = add_task(total, (long)pid, strtol(entry->d_name, NULL, 10), prefix);
        }
    }
    closedir(folder);
    return r == 0 && total->threads == threads ? -ESRCH : r;
}

int activity_add(activity *total, pid_t pid)
{
    return activity_add_named(total, pid, NULL);
}

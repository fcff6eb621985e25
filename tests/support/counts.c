/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "deadline.h"

#define SETTLE_MS 3000
/* Of a task's flags, the kernel's PF_EXITING: set before anybody who joins the thread is told. */
#define IS_EXITING 0x4

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Entries of a folder whose name contains `part`; 0 where there is no such folder. */
static size_t count_entries(const char *path, const char *part)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += !is_dot(entry->d_name) && strstr(entry->d_name, part) != NULL;
    closedir(folder);
    return count;
}

/* A mapping with a name that is neither the kernel's ("[heap]") nor a library's. */
static bool is_counted_mapping(const char *line)
{
    const char *name = strpbrk(line, "/[");

    return name != NULL && *name != '[' && strstr(name, ".so") == NULL;
}

static size_t count_mappings(bool print)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0, count = 0;

    ck_assert_ptr_nonnull(maps);
    while (getline(&line, &size, maps) >= 0) {
        if (!is_counted_mapping(line))
            continue;
        count++;
        if (print)
            printf("  mapping %s", line);
    }
    free(line);
    fclose(maps);
    return count;
}

static char *proc_path(long pid, const char *file)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "/proc/%ld/%s", pid, file), 0);
    return path;
}

/* A number from a file like /proc/PID/stat by its position in proc(5), from 4 on; -1 where who it is about is gone. */
static long long number_in(char *path, unsigned int position)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    long long number = -1;

    free(path);
    if (file == NULL)
        return -1;
    if (getline(&line, &size, file) > 0) {
        /* The name, in parentheses, may hold anything: count from its end, which is before field 3. */
        char *at = strrchr(line, ')');
        for (unsigned int field = 2; at != NULL && field < position; field++)
            at = strchr(at + 1, ' ');
        if (at != NULL)
            number = strtoll(at, NULL, 10);
    }
    free(line);
    fclose(file);
    return number;
}

static long long stat_number(long pid, unsigned int position)
{
    return number_in(proc_path(pid, "stat"), position);
}

static size_t count_children(void)
{
    DIR *folder = opendir("/proc");
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (isdigit((unsigned char)entry->d_name[0]))
            count += stat_number(strtol(entry->d_name, NULL, 10), 4) == (long long)getpid();
    closedir(folder);
    return count;
}

size_t counts_fds_of(long pid)
{
    char *path = proc_path(pid, "fd");
    size_t count = count_entries(path, "");

    free(path);
    return count;
}

size_t counts_threads_of(long pid)
{
    char *path = proc_path(pid, "task");
    DIR *folder = opendir(path);
    size_t count = 0;

    free(path);
    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            long long flags;

            ck_assert_int_gt(asprintf(&path, "/proc/%ld/task/%s/stat", pid, entry->d_name), 0);
            flags = number_in(path, 9);
            count += flags >= 0 && (flags & IS_EXITING) == 0;
        }
    }
    closedir(folder);
    return count;
}

unsigned long long counts_cpu_time_ns_of(long pid)
{
    long long user = stat_number(pid, 14), system = stat_number(pid, 15);
    long ticks_per_s = sysconf(_SC_CLK_TCK);

    ck_assert_msg(user >= 0 && system >= 0 && ticks_per_s > 0, "process %ld is gone", pid);
    return (unsigned long long)(user + system) * (1000000000ULL / (unsigned long long)ticks_per_s);
}

#ifdef __SANITIZE_THREAD__
static void *return_at_once(void *data)
{
    return data;
}

/* ThreadSanitizer starts a thread of its own beside the first of the program's; let it be there before the count. */
static void start_thread_of_sanitizer(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, return_at_once, NULL) == 0)
        pthread_join(thread, NULL);
}
#else
static void start_thread_of_sanitizer(void) {}
#endif

void counts_take(counts *ret_counts)
{
    start_thread_of_sanitizer();
    const char *runtime_dir = getenv("SHMRPC_DIR");

    *ret_counts = (counts){
        .fds = counts_fds_of(getpid()),
        .mappings = count_mappings(false),
        .threads = counts_threads_of(getpid()),
        .children = count_children(),
        .shm_entries = count_entries("/dev/shm", "shmrpc"),
        .runtime_entries = runtime_dir != NULL ? count_entries(runtime_dir, "") : 0,
    };
}

static bool counts_equal(const counts *a, const counts *b)
{
    return a->fds == b->fds && a->mappings == b->mappings && a->threads == b->threads && a->children == b->children &&
           a->shm_entries == b->shm_entries && a->runtime_entries == b->runtime_entries;
}

static void print_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");

    if (folder == NULL)
        return;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char target[256];
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));
        if (length > 0)
            printf("  fd %s %.*s\n", entry->d_name, (int)length, target);
    }
    closedir(folder);
}

void counts_expect_same(const counts *before)
{
    uint64_t deadline_ns = test_deadline_ns(SETTLE_MS);
    counts now;

    counts_take(&now);
    while (!counts_equal(before, &now) && test_remaining_ms(deadline_ns) > 0) {
        poll(NULL, 0, 1);
        counts_take(&now);
    }
    if (counts_equal(before, &now))
        return;
    print_fds();
    count_mappings(true);
    ck_abort_msg("left behind (before, now): fds %zu %zu, mappings %zu %zu, threads %zu %zu, children %zu %zu, "
                 "/dev/shm %zu %zu, runtime directory %zu %zu",
                 before->fds, now.fds, before->mappings, now.mappings, before->threads, now.threads, before->children,
                 now.children, before->shm_entries, now.shm_entries, before->runtime_entries, now.runtime_entries);
}

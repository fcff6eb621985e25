/* SPDX-License-Identifier: Apache-2.0 */
#include "scarcity.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test_support.h"

#define CALLS_MAX 8
#define DESCRIPTORS_MAX 1024

rlim_t scarcity_descriptors(pid_t pid, unsigned int spare)
{
    static bool used[DESCRIPTORS_MAX];
    char path[64];
    rlim_t end = 0;

    memset(used, 0, sizeof(used));
    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
    DIR *folder = opendir(path);
    child_check(folder != NULL, path);
    for (struct dirent *entry = folder == NULL ? NULL : readdir(folder); entry != NULL; entry = readdir(folder)) {
        unsigned long number = strtoul(entry->d_name, NULL, 10);
        bool is_folder = pid == getpid() && (int)number == dirfd(folder);
        if (entry->d_name[0] != '.' && number < DESCRIPTORS_MAX && !is_folder)
            used[number] = true;
    }
    if (folder != NULL)
        closedir(folder);
    while (end < DESCRIPTORS_MAX && (used[end] || spare-- > 0))
        end++;
    return end;
}

rlim_t scarcity_address_space(pid_t pid)
{
    char path[64];
    char line[128] = "";

    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    FILE *file = fopen(path, "re");
    child_check(file != NULL && fgets(line, sizeof(line), file) != NULL, path);
    if (file != NULL)
        fclose(file);
    return (rlim_t)strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

rlim_t scarcity_limit(pid_t pid, int resource, rlim_t soft)
{
    struct rlimit limit, before;

    child_check(prlimit(pid, (__rlimit_resource_t)resource, NULL, &before) == 0, "prlimit");
    limit = (struct rlimit){soft < before.rlim_max ? soft : before.rlim_max, before.rlim_max};
    child_check(prlimit(pid, (__rlimit_resource_t)resource, &limit, NULL) == 0, "prlimit");
    return before.rlim_cur;
}

bool scarcity_fail_calls(const int *numbers, size_t count, int error)
{
    struct sock_filter program[2 + 2 * CALLS_MAX];
    unsigned short length = 0;

    if (count > CALLS_MAX)
        return false;
    program[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = length, .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned long)SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOWED_MAX 32

static struct {
    _Atomic(long) *ret_forbidden;
    int exit_status;
} seal;

static void on_forbidden(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    atomic_store(seal.ret_forbidden, info->si_syscall);
    _exit(seal.exit_status);
}

bool seal_system_calls(_Atomic(long) *ret_forbidden, int exit_status, const int *allowed, size_t allowed_count)
{
    static const int always[] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn};
    const size_t always_count = sizeof(always) / sizeof(always[0]);
    struct sock_filter program[1 + 2 * ALLOWED_MAX + 1];
    unsigned short length = 0;

    if (allowed_count + always_count > ALLOWED_MAX)
        return false;

    program[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < allowed_count + always_count; i++) {
        int number = i < allowed_count ? allowed[i] : always[i - allowed_count];
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);

    seal.ret_forbidden = ret_forbidden;
    seal.exit_status = exit_status;
    struct sigaction action = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    struct sock_fprog filter = {.len = length, .filter = program};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0UL, &filter) == 0;
}

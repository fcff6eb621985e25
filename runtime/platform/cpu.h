/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - what a spinning loop says to its core, and how many cores there are. */
#ifndef SHMRPC_PLATFORM_CPU_H
#define SHMRPC_PLATFORM_CPU_H

static inline void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ __volatile__("yield");
#endif
}

/* Cores that are online: at least 1. */
int cpu_online_count(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - what a spinning loop says to its core, which line it will write, and how many cores there are. */
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

/* Asks for the line of `at` as one that will be read. Never faults. */
static inline void cpu_prefetch(const void *at)
{
    __builtin_prefetch(at, 0);
    __asm__ __volatile__(""); /* GCC 12 drops calls of functions that do nothing but prefetch */
}

/*
 * Asks for the line of `at` as one that will be written. Never faults. x86: GCC makes a prefetch for reading of its
 * builtin unless it is told of the instruction, which every 64-bit processor of today takes, if only as a no-op.
 */
static inline void cpu_prefetch_to_write(const void *at)
{
#if defined(__x86_64__)
    __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)at));
#else
    __builtin_prefetch(at, 1);
#endif
}

/* Cores that are online: at least 1. */
int cpu_online_count(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarm.h - a private word by which another thread of this process tells a waiting one to look around.
 *
 * Whoever sets it wakes who sleeps on it. Whoever waits sleeps on it too (futex_wait_either()), or loads it every so
 * many spins. It carries no data, so all accesses are relaxed: what happened is asked of the kernel afterwards, and
 * the kernel compares the word with its own lock held before it lets anybody sleep.
 *
 * It is taken back before the look, never after: what happens from then on sets it again.
 */
#ifndef SHMRPC_ALARM_H
#define SHMRPC_ALARM_H

#include "platform/futex.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct alarm_word {
    _Alignas(8) _Atomic uint32_t word; /* 0, or 1: set */
} alarm_word;

static inline bool alarm_is_set(const alarm_word *alarm)
{
    return atomic_load_explicit(&alarm->word, memory_order_relaxed) != 0;
}

static inline void alarm_set(alarm_word *alarm)
{
    atomic_store_explicit(&alarm->word, 1, memory_order_relaxed);
    futex_wake(&alarm->word);
}

static inline void alarm_clear(alarm_word *alarm)
{
    atomic_store_explicit(&alarm->word, 0, memory_order_relaxed);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* raw.h - what a message is that goes one way: 48 bytes, and the sum by which one sees that it came. */
#ifndef BENCH_CONTESTANTS_RAW_H
#define BENCH_CONTESTANTS_RAW_H

#include <stdint.h>

#define RAW_NOTE_WORDS 6

static inline int64_t raw_note_word(uint32_t number, int word)
{
    return (int64_t)(number & 0xffff) + word;
}

static inline int64_t raw_note_sum(uint32_t number)
{
    return RAW_NOTE_WORDS * (int64_t)(number & 0xffff) + RAW_NOTE_WORDS * (RAW_NOTE_WORDS - 1) / 2;
}

#endif

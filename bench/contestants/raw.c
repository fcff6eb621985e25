/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.c - the references with many calls in flight: rings of 64-byte slots, each with its own sequence, and nothing
 * around them.
 *
 * `raw` answers in place. The client writes a batch from its end and the first slot last, by an exchange, as a lane does
 * whose peer may have to be woken; the server, which looks at the first slot, then finds all of them, and answers each by
 * a plain release store.
 *
 * `raw_oneway` goes one way, message by message. The receiver says how far it is once in a quarter of the ring, and
 * where a message asks for it; the sender looks at that only where the ring may be full.
 *
 * Memory order: each sequence is stored as a release and loaded as an acquire by the other side, as is `position`;
 * without them a slot is read before it is written, or written before it is read.
 */
#include "raw.h"

#include "../contestant.h"
#include "line.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

/* ---- there and back ---- */

typedef struct raw {
    contestant base;
    line_walk all; /* as many lines as there may be; a run uses some */
    line_walk walk;
    uint32_t in_flight;
    bool shares_core;
} raw;

static int raw_open(contestant *self)
{
    return line_map(&CONTESTANT_OF(self, raw, base)->all);
}

static void raw_close(contestant *self)
{
    line_unmap(&CONTESTANT_OF(self, raw, base)->all);
}

static void raw_set(raw *ring, const contestant_setting *setting)
{
    ring->walk = (line_walk){.lines = ring->all.lines, .count = setting->slots, .stay = 0};
    ring->in_flight = setting->in_flight;
    ring->shares_core = setting->shares_core;
}

static int raw_serve(contestant *self, const contestant_setting *setting, int ready)
{
    raw *ring = CONTESTANT_OF(self, raw, base);

    raw_set(ring, setting);
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    line_serve(&ring->walk, setting->shares_core);
    return 0;
}

static uint32_t raw_many(contestant *self, uint32_t number, uint32_t count)
{
    const raw *ring = CONTESTANT_OF(self, raw, base);
    uint32_t done = 0;

    while (done < count) {
        const uint32_t first = number + done;
        const uint32_t batch = measure_least(ring->in_flight, count - done);
        line *shared;

        for (uint32_t position = first + batch - 1; position != first; position--) {
            shared = line_at(&ring->walk, position);
            shared->operands = (line_operands){measure_left(position), MEASURE_RIGHT};
            atomic_store_explicit(&shared->turn, 2 * position + 1, memory_order_release);
        }
        shared = line_at(&ring->walk, first);
        shared->operands = (line_operands){measure_left(first), MEASURE_RIGHT};
        atomic_exchange_explicit(&shared->turn, 2 * first + 1, memory_order_seq_cst);

        for (uint32_t i = 0; i < batch; i++, done++) {
            shared = line_at(&ring->walk, first + i);
            line_await(shared, 2 * (first + i) + 2, ring->shares_core);
            if (shared->sum != measure_answer(first + i)) {
                return done;
            }
        }
    }
    return done;
}

static int raw_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    raw_set(CONTESTANT_OF(self, raw, base), setting);
    return measure_rate(samples, self, raw_many);
}

contestant *raw_contestant(void)
{
    static raw ring = {
        .base =
            {
                .name = "raw",
                .summary = "raw ring of slots, answered in place",
                .slowness = 1,
                .open = raw_open,
                .serve = raw_serve,
                .measure = raw_measure,
                .close = raw_close,
            },
        .all = {.count = CONTESTANT_SLOTS_MAX},
    };

    return &ring.base;
}

/* ---- one way ---- */

typedef struct note_slot {
    _Alignas(64) _Atomic uint32_t sequence; /* its position + 1 */
    uint32_t is_asking;                     /* the receiver is to say at once how far it is */
    int64_t words[RAW_NOTE_WORDS];
} note_slot;

_Static_assert(sizeof(note_slot) == 64, "a slot is a cache line");

typedef struct note_ring {
    _Alignas(64) _Atomic uint32_t position; /* messages that have been heard */
    int64_t sum;                            /* of what was in them; written before */
    note_slot slots[CONTESTANT_SLOTS_MAX];
} note_ring;

typedef struct oneway {
    contestant base;
    note_ring *shared;
    uint32_t slots;
    bool shares_core;
    int64_t told;
} oneway;

static int oneway_open(contestant *self)
{
    void *memory =
        mmap(NULL, sizeof(note_ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED) {
        return -errno;
    }
    CONTESTANT_OF(self, oneway, base)->shared = memory;
    return 0;
}

static void oneway_close(contestant *self)
{
    munmap(CONTESTANT_OF(self, oneway, base)->shared, sizeof(note_ring));
}

static int oneway_serve(contestant *self, const contestant_setting *setting, int ready)
{
    note_ring *shared = CONTESTANT_OF(self, oneway, base)->shared;
    const uint32_t slots = setting->slots;
    int64_t sum = 0;

    if (contestant_tell_ready(ready)) {
        return -1;
    }
    for (uint32_t position = 0;; position++) {
        note_slot *slot = &shared->slots[position & (slots - 1)];

        while (atomic_load_explicit(&slot->sequence, memory_order_acquire) != position + 1) {
            line_pause(setting->shares_core);
        }
        for (int i = 0; i < RAW_NOTE_WORDS; i++) {
            sum += slot->words[i];
        }
        if (slot->is_asking || (position + 1) % (slots / 4) == 0) {
            shared->sum = sum;
            atomic_store_explicit(&shared->position, position + 1, memory_order_release);
        }
    }
}

/* Waits until as many have been heard as leaves room for the message at `position`. */
static uint32_t await_room(const oneway *sender, uint32_t position)
{
    uint32_t heard;

    for (;;) {
        heard = atomic_load_explicit(&sender->shared->position, memory_order_acquire);
        if (position - heard < sender->slots) {
            return heard;
        }
        line_pause(sender->shares_core);
    }
}

static uint32_t oneway_many(contestant *self, uint32_t number, uint32_t count)
{
    oneway *sender = CONTESTANT_OF(self, oneway, base);
    uint32_t heard = number; /* all before have been */

    for (uint32_t position = number; position != number + count; position++) {
        note_slot *slot = &sender->shared->slots[position & (sender->slots - 1)];

        if (position - heard >= sender->slots) {
            heard = await_room(sender, position);
        }
        for (int i = 0; i < RAW_NOTE_WORDS; i++) {
            slot->words[i] = raw_note_word(position, i);
        }
        sender->told += raw_note_sum(position);
        slot->is_asking = position + 1 == number + count;
        atomic_store_explicit(&slot->sequence, position + 1, memory_order_release);
    }
    while (atomic_load_explicit(&sender->shared->position, memory_order_acquire) != number + count) {
        line_pause(sender->shares_core);
    }
    return sender->shared->sum == sender->told ? count : 0;
}

static int oneway_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    oneway *sender = CONTESTANT_OF(self, oneway, base);

    sender->slots = setting->slots;
    sender->shares_core = setting->shares_core;
    sender->told = 0;
    return measure_rate(samples, self, oneway_many);
}

contestant *raw_oneway_contestant(void)
{
    static oneway sender = {
        .base =
            {
                .name = "raw_oneway",
                .summary = "raw ring of slots, one way",
                .slowness = 1,
                .open = oneway_open,
                .serve = oneway_serve,
                .measure = oneway_measure,
                .close = oneway_close,
            },
    };

    return &sender.base;
}

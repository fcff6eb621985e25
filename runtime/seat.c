/* SPDX-License-Identifier: Apache-2.0 */
#include "seat.h"

#include <stddef.h>

#define OWNER UINT64_C(0xff)

/* Acquire: what the owner before this one did is seen. Release: what was left with a knock is seen by the owner. */
static bool change(seat *self, uint64_t *word, uint64_t to)
{
    return atomic_compare_exchange_weak_explicit(&self->word, word, to, memory_order_acq_rel, memory_order_relaxed);
}

static uint64_t owned_by(uint64_t word, unsigned worker)
{
    return (word & ~OWNER) | SEAT_PINNED | worker;
}

seat_answer seat_knock(seat *self, uint32_t generation, unsigned worker, uint64_t sockets, uint32_t news)
{
    uint64_t word = seat_word(self);
    bool takes;

    if (seat_generation_of(word) != generation) {
        return SEAT_STALE;
    }
    if (sockets != 0) {
        (void)atomic_fetch_or_explicit(&self->sockets, sockets, memory_order_relaxed);
    }
    if (news != 0) {
        (void)atomic_fetch_or_explicit(&self->news, news, memory_order_relaxed);
    }
    do {
        if (seat_generation_of(word) != generation) {
            return SEAT_STALE;
        }
        takes = seat_owner_of(word) == SEAT_NOBODY && worker != SEAT_NOBODY;
    } while (!change(self, &word, takes ? owned_by(word, worker) | SEAT_PENDING : word | SEAT_PENDING));
    return takes ? SEAT_TAKEN : SEAT_LEFT;
}

bool seat_claim(seat *self, unsigned worker)
{
    uint64_t word = seat_word(self);

    do {
        if (seat_owner_of(word) != worker) {
            return false;
        }
    } while (!change(self, &word, word | SEAT_PINNED));
    return true;
}

void seat_unpin(seat *self)
{
    (void)atomic_fetch_and_explicit(&self->word, ~SEAT_PINNED, memory_order_seq_cst);
}

bool seat_steal(seat *self, unsigned worker, unsigned *ret_owner)
{
    uint64_t word = seat_word(self);

    do {
        unsigned owner = seat_owner_of(word);

        if (owner == SEAT_NOBODY || owner == worker || (word & SEAT_PINNED) != 0) {
            return false;
        }
        *ret_owner = owner;
    } while (!change(self, &word, owned_by(word, worker)));
    return true;
}

bool seat_adopt(seat *self, unsigned worker)
{
    uint64_t word = seat_word(self);

    do {
        if (seat_owner_of(word) != SEAT_NOBODY || (word & SEAT_PENDING) == 0) {
            return false;
        }
    } while (!change(self, &word, owned_by(word, worker)));
    return true;
}

uint32_t seat_fill(seat *self, unsigned worker, void *occupant)
{
    uint64_t word = seat_word(self);

    self->occupant = occupant;
    atomic_store_explicit(&self->sockets, 0, memory_order_relaxed);
    atomic_store_explicit(&self->news, 0, memory_order_relaxed);
    /* Knocks of generations before find another one, and change nothing. */
    while (!change(self, &word, (uint64_t)seat_generation_of(word) << 32 | SEAT_PINNED | worker)) {
    }
    return seat_generation_of(word);
}

void seat_take_news(seat *self, uint64_t *ret_sockets, uint32_t *ret_news)
{
    (void)atomic_fetch_and_explicit(&self->word, ~SEAT_PENDING, memory_order_acquire);
    *ret_sockets = atomic_exchange_explicit(&self->sockets, 0, memory_order_relaxed);
    *ret_news = atomic_exchange_explicit(&self->news, 0, memory_order_relaxed);
}

bool seat_release(seat *self)
{
    uint64_t word = seat_word(self);

    do {
        if ((word & SEAT_PENDING) != 0) {
            return false;
        }
    } while (!change(self, &word, word & ~(OWNER | SEAT_PINNED)));
    return true;
}

void seat_vacate(seat *self)
{
    uint64_t word = seat_word(self);

    self->occupant = NULL;
    while (!change(self, &word, (uint64_t)(seat_generation_of(word) + 1) << 32)) {
    }
}

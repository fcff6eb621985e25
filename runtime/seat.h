/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seat.h - who serves a session: at most one worker at a time, found by events without a lock.
 *
 * A host has a table of seats that lives as long as the host. What sits in a seat (a session) comes and goes; each
 * vacancy makes another generation. Events carry an index and a generation, so an event that comes too late, or twice,
 * or to another worker meets a seat that is still there and a generation that is not its own.
 *
 * All of it is decided by one word, changed by compare-and-swap:
 *
 *   generation << 32 | PENDING | PINNED | owner          (owner: 0 nobody, else a worker's number)
 *
 *   from             event                            to
 *   nobody           seat_knock() of a worker         that worker's, pinned: what it was about is the worker's to look at
 *   somebody's       seat_knock()                     PENDING: the owner looks, at its next visit or before it lets go
 *   pinned           seat_unpin(), its owner          the owner is elsewhere; another worker may take it away
 *   not pinned       seat_claim(), its owner          pinned: a visit begins
 *   not pinned       seat_steal(), another worker     that worker's, pinned
 *   pinned           seat_release(), its owner        nobody's; fails where PENDING is set
 *   pinned           seat_vacate(), its owner         nobody's, of the next generation
 *
 * What a knock is about is left in `sockets` and `news` before the word is changed, and taken by the owner after it has
 * cleared PENDING: nothing is lost, and what is found twice is looked at in vain.
 *
 * Only the owner, between claim and unpin, touches what sits in the seat. Changes of the owner are acquire and release,
 * so each owner sees all that the one before it did.
 */
#ifndef SHMRPC_SEAT_H
#define SHMRPC_SEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEAT_NOBODY 0u
#define SEAT_WORKERS_MAX 64u /* numbers 1 .. this */

#define SEAT_PINNED UINT64_C(0x100)
#define SEAT_PENDING UINT64_C(0x200)

typedef enum seat_answer {
    SEAT_TAKEN, /* it is the caller's now, pinned */
    SEAT_LEFT,  /* its owner will look */
    SEAT_STALE, /* who was meant has left */
} seat_answer;

typedef struct seat {
    _Alignas(64) _Atomic uint64_t word;
    _Atomic uint64_t sockets; /* a bit for each lane whose socket has something to say */
    _Atomic uint32_t news;    /* what else has happened: the host's bits */
    uint32_t index;           /* in the table */
    void *occupant;           /* the owner's */
    uint32_t tenure;          /* counts owners; the owner's, too */
} seat;

static inline unsigned seat_owner_of(uint64_t word)
{
    return (unsigned)(word & 0xff);
}

static inline uint32_t seat_generation_of(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* Relaxed: whoever acts upon it changes the word by compare-and-swap. */
static inline uint64_t seat_word(const seat *self)
{
    return atomic_load_explicit(&self->word, memory_order_relaxed);
}

/* The same in the one order of all that is sequentially consistent: after seat_unpin(), or before it. */
static inline uint64_t seat_word_now(const seat *self)
{
    return atomic_load_explicit(&self->word, memory_order_seq_cst);
}

/* Does the caller, whose number this is, hold it pinned? Only itself can change that. */
static inline bool seat_is_held(uint64_t word, unsigned worker)
{
    return (word & (SEAT_PINNED | 0xff)) == (SEAT_PINNED | worker);
}

/*
 * Leaves `sockets` and `news` for whoever has, or takes, the seat. `worker`: the caller's number; SEAT_NOBODY for who
 * serves nobody: then a seat that nobody has stays so, with PENDING, until a worker adopts it.
 */
seat_answer seat_knock(seat *self, uint32_t generation, unsigned worker, uint64_t sockets, uint32_t news);

/* The owner begins a visit. false: it has been taken away, or is not the caller's. */
bool seat_claim(seat *self, unsigned worker);

/* The owner ends a visit, and keeps the seat; others may take it away. Sequentially consistent. */
void seat_unpin(seat *self);

/* Takes a seat that its owner, not the caller, has not pinned. *ret_owner: whose it was. */
bool seat_steal(seat *self, unsigned worker, unsigned *ret_owner);

/* Takes a seat that nobody has and that is pending. */
bool seat_adopt(seat *self, unsigned worker);

/* A new occupant's: the caller holds it, pinned. The seat is vacant. Returns its generation. */
uint32_t seat_fill(seat *self, unsigned worker, void *occupant);

/* The owner takes what has been left for it. */
void seat_take_news(seat *self, uint64_t *ret_sockets, uint32_t *ret_news);

/* The owner lets go. false: something is pending, and it still owns the seat. */
bool seat_release(seat *self);

/* The owner's occupant has left. */
void seat_vacate(seat *self);

/* The generation of the occupant, for the key of an event. */
static inline uint32_t seat_generation(const seat *self)
{
    return seat_generation_of(seat_word(self));
}

#endif

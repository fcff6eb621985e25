/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.h - every access to memory that a peer can write.
 *
 * A value is loaded once into a private variable, bounded there, and used from there: the functions below are the only
 * ones in the library that read shared memory, so that this can be audited in one place. None of them returns a pointer
 * into it. Loads that are not of a word are relaxed: the acquire load of the slot's word before them orders them.
 *
 * Stores to a slot or block that belongs to the writer are plain; the release of the slot's word publishes them.
 *
 * The pairs of ordered accesses, by tag (docs/memory-model.md):
 *   R1 -> R2   client publishes a request    -> server sees its header and payload
 *   R3 -> R4   server publishes a reply      -> client sees its header and payload
 *   W1 <> W2   server wishes, then sleeps    <> client publishes, then looks for the wish
 *   W3 <> W4   client wishes, then looks for its reply <> server replies, then looks for the wish
 *   S1 -> S2   server says "closed"          -> client sees the last position that was started
 *   I1 -> I2   server publishes an entry     -> client sees its header and payload
 *   I3 -> I4   client has read entries       -> server writes them again
 *   I5 <> I6   server wants room in the inbox, then looks <> client has read entries, then looks who wants room
 */
#ifndef SHMRPC_SHARED_H
#define SHMRPC_SHARED_H

#include "platform/semaphore.h"
#include "slot.h"

#include <stdbool.h>
#include <string.h>

/* ---- words ---- */

/*
 * ORDER R2, R4, I2 acquire: what the peer wrote before it published this word, header and payload, is seen after it.
 * Without it: a slot is read before it is written. Pairs with R1 in shared_publish_request(), R3 in
 * shared_publish_reply(), I1 in shared_publish_entry().
 */
static inline uint32_t shared_load_word(const slot *at)
{
    return atomic_load_explicit(&at->word, memory_order_acquire);
}

/*
 * ORDER R1 release, W2 sequentially consistent: publishes the request and returns the word that stood there. The
 * server's wish (W1) is a compare-and-swap on the same word, so one of the two sees the other: either the server's swap
 * fails, or the wish is in what is returned. Without the exchange (a store): the wish is overwritten unseen and the
 * server sleeps on a published request.
 */
static inline uint32_t shared_publish_request(slot *at, uint32_t word)
{
    return atomic_exchange_explicit(&at->word, word, memory_order_seq_cst);
}

/*
 * The requests of a batch behind its first, before that one is published by the exchange above, from the last on. The
 * release of the exchange (R1) comes after these stores, and the server takes requests in order: whoever has seen the
 * first one's word sees these. A server's wish cannot stand here, for it expects the first one.
 */
static inline void shared_publish_behind(slot *at, uint32_t word)
{
    atomic_store_explicit(&at->word, word, memory_order_release);
}

/* ORDER R3 release: the reply's header and payload come first; pairs with R4. */
static inline void shared_publish_reply(slot *at, uint32_t word)
{
    atomic_store_explicit(&at->word, word, memory_order_release);
}

/*
 * ORDER W1: leaves a mark in a word that is still `expected`; false with the word found otherwise. Acquire on failure:
 * the word found may be a published request (R2) or reply (R4).
 */
static inline bool shared_mark_word(slot *at, uint32_t expected, uint32_t mark, uint32_t *ret_found)
{
    uint32_t found = expected;

    if (atomic_compare_exchange_strong_explicit(&at->word, &found, expected | mark, memory_order_seq_cst,
                                                memory_order_acquire)) {
        return true;
    }
    *ret_found = found;
    return false;
}

/*
 * The same for MOVED, which returns the word that stood there: a CANCEL that the client has set by then is in it, and one
 * that comes later finds MOVED, and is told by a packet. Without the exchange (a store): it is overwritten unseen.
 */
static inline uint32_t shared_publish_moved(slot *at, uint32_t word)
{
    return atomic_exchange_explicit(&at->word, word, memory_order_acq_rel);
}

/* ---- the client's wish ---- */

/*
 * ORDER W3: the wish is visible before the word is looked at again. The full fence pairs with the one in
 * shared_read_wish(): of "wish, fence, look for the reply" and "reply, fence, look for the wish" at least one look
 * succeeds. Without either: both miss, and the client sleeps on a published reply.
 */
static inline void shared_make_wish(lane_header *header, uint32_t wish)
{
    atomic_store_explicit(&header->wish, wish, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

/* The same without the fence: only where barrier_make() follows at once, which is both of them. */
static inline void shared_write_wish(lane_header *header, uint32_t wish)
{
    atomic_store_explicit(&header->wish, wish, memory_order_relaxed);
}

/* Relaxed: a wake-up that comes too late finds nobody. */
static inline void shared_drop_wish(lane_header *header)
{
    atomic_store_explicit(&header->wish, WISH_NONE, memory_order_relaxed);
}

/*
 * ORDER W4: see W3. `fence` may be left out where a later call of the same client is already published, and the client
 * calls barrier_make() before it sleeps for any but the last (region.membarrier).
 */
static inline uint32_t shared_read_wish(const lane_header *header, bool fence)
{
    if (fence) {
        atomic_thread_fence(memory_order_seq_cst);
    }
    return atomic_load_explicit(&header->wish, memory_order_relaxed);
}

/* Takes the wish back before the wake-up, so that one wish is one system call. false: it changed meanwhile. */
static inline bool shared_take_wish(lane_header *header, uint32_t wish)
{
    return atomic_compare_exchange_strong_explicit(&header->wish, &wish, WISH_NONE, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

/* ---- the inbox ---- */

/*
 * ORDER I1 release: the entry's header and payload come first; pairs with I2, the acquire of shared_load_word(). The
 * client's wish is then looked for as after a reply, always with the fence (W4): entries are not the client's to await
 * one by one.
 */
static inline void shared_publish_entry(slot *at, uint32_t word)
{
    atomic_store_explicit(&at->word, word, memory_order_release);
}

/*
 * ORDER I3 release, I5 with the fence: what was in the entries up to `number` has been copied; then the server's want
 * is looked for. Returns whether it wants to be rung for.
 */
static inline bool shared_set_inbox_read(lane_header *header, uint64_t number)
{
    atomic_store_explicit(&header->inbox_read, number, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&header->inbox_wanted, memory_order_relaxed) != 0;
}

/* ORDER I4 acquire: entries up to this one may be written again. A client that lies here overwrites its own answers. */
static inline uint64_t shared_get_inbox_read(const lane_header *header)
{
    return atomic_load_explicit(&header->inbox_read, memory_order_acquire);
}

/*
 * ORDER I6: the want is visible before inbox_read is looked at again. Of "want, fence, look for room" and "read, fence,
 * look for the want" at least one look succeeds. Without either: the lane pauses for ever.
 */
static inline void shared_want_inbox(lane_header *header, bool want)
{
    atomic_store_explicit(&header->inbox_wanted, want, memory_order_relaxed);
    if (want) {
        atomic_thread_fence(memory_order_seq_cst);
    }
}

/* ---- how far the server got ---- */

/* Relaxed: it is read only when it is final, after `closed` (S1) or after the end of the process. */
static inline void shared_set_started(lane_header *header, uint64_t position)
{
    atomic_store_explicit(&header->started, position, memory_order_relaxed);
}

/* A lie here makes a wrong outcome for the liar's own client, nothing else. */
static inline uint64_t shared_get_started(const lane_header *header)
{
    return atomic_load_explicit(&header->started, memory_order_relaxed);
}

/*
 * ORDER S1 release, after the last handler of the lane; pairs with S2. Without it: a call that was begun is reported as
 * not executed.
 */
static inline void shared_set_closed(lane_header *header)
{
    atomic_store_explicit(&header->closed, 1, memory_order_release);
}

/* ORDER S2 acquire: `started` is loaded after it. */
static inline bool shared_get_closed(const lane_header *header)
{
    return atomic_load_explicit(&header->closed, memory_order_acquire) != 0;
}

/* ---- doorbells without futexes ---- */

/*
 * A post orders what is before it with what is after the wait that takes it. A wait that takes a post which was meant
 * for an earlier sleep returns too early, once; nobody waits longer than SEMAPHORE_SLICE_NS.
 */
static inline void shared_post_client_bell(lane_header *header)
{
    semaphore_post(&header->client_bell);
}

static inline int shared_await_client_bell(lane_header *header, int64_t timeout_ns)
{
    return semaphore_wait(&header->client_bell, timeout_ns);
}

static inline void shared_post_server_bell(lane_header *header)
{
    semaphore_post(&header->server_bell);
}

static inline int shared_await_server_bell(lane_header *header, int64_t timeout_ns)
{
    return semaphore_wait(&header->server_bell, timeout_ns);
}

/* ---- headers and payloads ---- */

typedef struct slot_header {
    uint16_t method;
    uint8_t request_block;
    uint8_t reply_block;
    uint32_t length;
    uint32_t budget_us;
} slot_header;

static inline slot_header shared_load_header(const slot *at)
{
    slot_header header;

    header.method = __atomic_load_n(&at->method, __ATOMIC_RELAXED);
    header.request_block = __atomic_load_n(&at->request_block, __ATOMIC_RELAXED);
    header.reply_block = __atomic_load_n(&at->reply_block, __ATOMIC_RELAXED);
    header.length = __atomic_load_n(&at->length, __ATOMIC_RELAXED);
    header.budget_us = __atomic_load_n(&at->budget_us, __ATOMIC_RELAXED);
    return header;
}

static inline void shared_store_header(slot *at, slot_header header)
{
    at->method = header.method;
    at->request_block = header.request_block;
    at->reply_block = header.reply_block;
    at->length = header.length;
    at->budget_us = header.budget_us;
}

/*
 * Copies `length` bytes. Messages that travel in a slot are a few words long: for these a call of memcpy() takes longer
 * than the copy.
 */
static inline void copy_bytes(void *to, const void *from, size_t length)
{
    switch (length) {
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    case 24: memcpy(to, from, 24); break;
    case 32: memcpy(to, from, 32); break;
    case 48: memcpy(to, from, 48); break;
    default: memcpy(to, from, length); break;
    }
}

/* The same for zeros. */
static inline void zero_bytes(void *to, size_t length)
{
    switch (length) {
    case 8: memset(to, 0, 8); break;
    case 16: memset(to, 0, 16); break;
    case 24: memset(to, 0, 24); break;
    case 32: memset(to, 0, 32); break;
    case 48: memset(to, 0, 48); break;
    default: memset(to, 0, length); break;
    }
}

/*
 * Copies out of shared memory, once: the barrier keeps the compiler from reading the source again in place of the copy.
 * `length` is private and bounded by the caller.
 */
static inline void shared_copy_out(void *to, const void *from, size_t length)
{
    copy_bytes(to, from, length);
    __asm__ __volatile__("" : : : "memory");
}

#endif

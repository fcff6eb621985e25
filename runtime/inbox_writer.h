/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inbox_writer.h - the writing end of a lane's inbox: calls whose answers are put off, and those answers.
 *
 * A call that is put off has a ticket until its client has read the entry that answers it. There are as many tickets as
 * entries, so an answer always finds room and never waits.
 *
 *   ticket    event                                            next    who
 *   free      a handler puts its call off                      OUT     inbox_writer_take(): the lane's owner
 *   OUT       its answer                                       SENT    inbox_writer_answer(): any thread
 *   SENT      the client has counted the entry in inbox_read   free    inbox_writer_has_room(): the lane's owner
 *
 * The owner is the one thread that serves the lane. The lock is for the others, who answer; it is private, and nobody
 * waits for a client with it. A writer outlives its lane as long as answers are to come: then they are dropped.
 */
#ifndef SHMRPC_INBOX_WRITER_H
#define SHMRPC_INBOX_WRITER_H

#include "lane_caller.h"
#include "platform/thread.h"
#include "region.h"

#include <pthread.h>

struct shmrpc_method_info;

/* A call whose answer is to come, by its ticket. */
typedef struct inbox_call {
    uint32_t serial;     /* as later.h has it; 0: no answer is to come */
    bool is_cancelled;   /* the caller has withdrawn it, and hears how it ended all the same */
    uint8_t reply_block; /* that the client offered, and where that is BLOCK_ARENA: */
    uint32_t reply_first;
    uint32_t reply_count;
    uint64_t position;
    int64_t until_ns;                        /* when its caller has given up at the latest */
    const char *service;                     /* for lines of the log; there while the lane is open, */
    const struct shmrpc_method_info *method; /* as is this, with all that it leads to */
    uint32_t reply_size; /* bytes of its reply and of its largest answer, as agreed with the client */
    uint32_t answer_size;
} inbox_call;

typedef struct inbox_writer inbox_writer;
struct inbox_writer {
    region memory;
    void (*on_close)(inbox_writer *self);
    uint32_t index;      /* later.h's, under its lock, with `references` */
    uint32_t generation; /* process_generation() of the process that serves */
    uint32_t references; /* one of the lane while it is open, one of each answer that is to come, and of who looks */

    pthread_mutex_t lock;
    int holder_held;     /* of thread_hold() of who has the lock */
    lane_caller *caller; /* NULL: the lane is closed, and its memory gone */
    uint64_t written;    /* entries */
    uint32_t out;        /* answers that are to come */
    bool is_awaited;     /* the owner is to be told when there are none */
    inbox_call *calls;   /* by ticket */
    uint16_t *tickets;   /* by entry: whose it is */
    void *narrow;        /* for answers of which the client takes the first bytes; NULL: none has been needed */
    uint32_t narrow_size;

    /* The owner's alone. */
    uint16_t *free;
    uint32_t free_count;
    uint64_t taken_back; /* entries whose tickets are free again */
    bool is_deserted;    /* nobody reads them: each is free as soon as its entry is written */
};

/*
 * For a lane that has an inbox. NULL: out of memory. `memory` and `caller` stay until inbox_writer_close(), of which
 * `on_close` is the end; it may free the writer.
 */
inbox_writer *inbox_writer_new(const region *memory, lane_caller *caller, void (*on_close)(inbox_writer *self));
void inbox_writer_free(inbox_writer *self);

/* Makes room for answers of this size of which the client takes the first bytes. 0 or -ENOMEM. The owner. */
int inbox_writer_reserve(inbox_writer *self, uint32_t size);

/* Is a ticket free? Takes those back whose entries have been read. The owner. */
bool inbox_writer_has_room(inbox_writer *self);

/* Gives a call a ticket; there is room. The owner. */
uint32_t inbox_writer_take(inbox_writer *self, const inbox_call *call);

/* The caller has withdrawn the call at this position; one that is not put off, or was answered, is no error. The owner. */
void inbox_writer_cancel(inbox_writer *self, uint64_t position);

/* Are answers to come? */
bool inbox_writer_owes(inbox_writer *self);

/* The same; where there are, the owner is told when the last one has come (lane_caller.settle). The owner. */
bool inbox_writer_await(inbox_writer *self);

/* The memory is about to go: when this returns nobody touches it any more. The owner. */
void inbox_writer_close(inbox_writer *self);

/* ---- under the lock, by anybody ---- */

/* Whoever answers may be a thread that is cancelled: not with the lock held, which the lane's worker waits for. */
static inline void inbox_writer_lock(inbox_writer *self)
{
    int held = thread_hold();

    (void)pthread_mutex_lock(&self->lock);
    self->holder_held = held;
}

static inline void inbox_writer_unlock(inbox_writer *self)
{
    int held = self->holder_held;

    (void)pthread_mutex_unlock(&self->lock);
    thread_release(held);
}

static inline bool inbox_writer_is_open(const inbox_writer *self)
{
    return self->caller != NULL;
}

/* Where an answer of up to `size` bytes goes: the next entry, or the block that came with the call. As a lane's. */
void *inbox_writer_place(inbox_writer *self, uint32_t ticket, uint32_t size, uint8_t *ret_block);

/*
 * Answers a call that has not been answered, and wakes the client where it wished for it. Where the lane is closed, it
 * is only counted as answered.
 */
void inbox_writer_answer(inbox_writer *self, uint32_t ticket, int status, uint32_t length, uint8_t block);

#endif

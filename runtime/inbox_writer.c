/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox_writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

inbox_writer *inbox_writer_new(const region *memory, lane_caller *caller, void (*on_close)(inbox_writer *self))
{
    uint32_t depth = memory->geometry.inbox_depth;
    inbox_writer *self = calloc(1, sizeof(*self));
    uint32_t i;

    assert(depth >= DEPTH_MIN && depth <= DEPTH_MAX);
    if (self == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&self->lock, NULL);
    self->memory = *memory;
    self->caller = caller;
    self->on_close = on_close;
    self->calls = calloc(depth, sizeof(*self->calls));
    self->tickets = calloc(depth, sizeof(*self->tickets));
    self->free = calloc(depth, sizeof(*self->free));
    if (self->calls == NULL || self->tickets == NULL || self->free == NULL) {
        inbox_writer_free(self);
        return NULL;
    }
    for (i = 0; i < depth; i++) {
        self->free[i] = (uint16_t)(depth - 1 - i);
    }
    self->free_count = depth;
    return self;
}

void inbox_writer_free(inbox_writer *self)
{
    (void)pthread_mutex_destroy(&self->lock);
    free(self->calls);
    free(self->tickets);
    free(self->free);
    free(self->narrow);
    free(self);
}

static uint32_t depth_of(const inbox_writer *self)
{
    return self->memory.geometry.inbox_depth;
}

/* ---- the owner ---- */

int inbox_writer_reserve(inbox_writer *self, uint32_t size)
{
    void *larger;
    void *former;

    if (size <= self->narrow_size) {
        return 0;
    }
    larger = malloc(size);
    if (larger == NULL) {
        return -ENOMEM;
    }
    inbox_writer_lock(self);
    former = self->narrow;
    self->narrow = larger;
    self->narrow_size = size;
    inbox_writer_unlock(self);
    free(former);
    return 0;
}

bool inbox_writer_has_room(inbox_writer *self)
{
    uint64_t read;

    if (self->free_count != 0) {
        return true;
    }
    read = self->is_deserted ? UINT64_MAX : shared_get_inbox_read(self->memory.header);
    if (read <= self->taken_back) {
        return false;
    }
    /* Nobody has read what has not been written, whatever the client says. */
    inbox_writer_lock(self);
    if (read > self->written) {
        read = self->written;
    }
    while (self->taken_back < read) {
        self->taken_back++;
        self->free[self->free_count++] = self->tickets[self->taken_back & (depth_of(self) - 1)];
    }
    inbox_writer_unlock(self);
    return self->free_count != 0;
}

uint32_t inbox_writer_take(inbox_writer *self, const inbox_call *call)
{
    uint32_t ticket;

    assert(self->free_count != 0);
    ticket = self->free[--self->free_count];
    inbox_writer_lock(self);
    assert(self->calls[ticket].serial == 0);
    self->calls[ticket] = *call;
    self->out++;
    inbox_writer_unlock(self);
    return ticket;
}

void inbox_writer_cancel(inbox_writer *self, uint64_t position)
{
    uint32_t i;

    inbox_writer_lock(self);
    for (i = 0; i < depth_of(self); i++) {
        if (self->calls[i].serial != 0 && self->calls[i].position == position) {
            self->calls[i].is_cancelled = true;
        }
    }
    inbox_writer_unlock(self);
}

bool inbox_writer_owes(inbox_writer *self)
{
    bool owes;

    inbox_writer_lock(self);
    owes = self->out != 0;
    inbox_writer_unlock(self);
    return owes;
}

bool inbox_writer_await(inbox_writer *self)
{
    inbox_writer_lock(self);
    self->is_awaited = self->out != 0;
    inbox_writer_unlock(self);
    return self->is_awaited;
}

void inbox_writer_close(inbox_writer *self)
{
    inbox_writer_lock(self);
    self->caller = NULL;
    inbox_writer_unlock(self);
    self->on_close(self);
}

/* ---- anybody, under the lock ---- */

void *inbox_writer_place(inbox_writer *self, uint32_t ticket, uint32_t size, uint8_t *ret_block)
{
    const inbox_call *call = &self->calls[ticket];

    if (size <= SHMRPC_SLOT_PAYLOAD) {
        *ret_block = BLOCK_NONE;
        return region_entry(&self->memory, self->written + 1)->payload;
    }
    *ret_block = call->reply_block;
    return region_reply_room(&self->memory, call->reply_block, call->reply_first, call->reply_count, size);
}

void inbox_writer_answer(inbox_writer *self, uint32_t ticket, int status, uint32_t length, uint8_t block)
{
    slot_header header = {(uint16_t)(int16_t)status, INBOX_REPLY, block, length, ticket};
    uint64_t number = self->written + 1;
    lane_header *lane = self->memory.header;
    uint32_t wish;
    slot *entry;

    assert(self->calls[ticket].serial != 0);
    self->calls[ticket].serial = 0;
    self->out--;
    if (!inbox_writer_is_open(self)) {
        return;
    }
    entry = region_entry(&self->memory, number);
    self->tickets[number & (depth_of(self) - 1)] = (uint16_t)ticket;
    self->written = number;
    shared_store_header(entry, header);
    shared_publish_entry(entry, word_reply(number, self->memory.inbox_shift));
    wish = shared_read_wish(lane, true);
    if ((wish & WISH_INBOX) != 0) {
        lane_wake(&self->memory, self->caller, wish);
    }
    if (self->out == 0 && self->is_awaited) {
        self->caller->settle(self->caller);
    }
}

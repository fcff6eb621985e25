/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_entries.h - what `shmc layout` shows: all that has a layout, in the order of the file.
 */
#ifndef SHMRPC_COMPILER_LAYOUT_ENTRIES_H
#define SHMRPC_COMPILER_LAYOUT_ENTRIES_H

#include "model.h"
#include "support/vector.h"

/* A declaration, or the inline body of a method, a topic or a queue. */
typedef struct layout_entry {
    const char *word;           /* "struct", "message", "service" ...; of an inline body "body" */
    const char *name;           /* "demo.kv.Stamp", "demo.kv.KeyValue.put_reply" */
    const model_decl *decl;     /* NULL: an inline body */
    const model_record *record; /* of a struct, message, union or inline body; else NULL */
} layout_entry;

/* The entries of the files that are requested: layout_entry. */
vector layout_entries_of(arena *memory, const model *schema);

/*
 * The entries that a name means: a qualified name of any file, or without its package one of a requested file. None
 * where there is none: then *ret_near is a name that may have been meant, or NULL.
 */
vector layout_entries_named(arena *memory, const model *schema, const char *name, const char **ret_near);

/* The memory of a lane, where its client asks for nothing in particular: see shmrpc/wire.h. */
typedef struct layout_lane {
    uint32_t request_size; /* of the largest request and answer that slots or blocks hold */
    uint32_t answer_size;
    uint32_t large_request_size; /* of the largest that are for the arena; 0: there is none */
    uint32_t large_answer_size;
    uint32_t request_block_size;
    uint32_t request_block_count;
    uint32_t reply_block_size;
    uint32_t reply_block_count;
    uint64_t bytes;       /* in whole pages of LAYOUT_PAGE bytes */
    uint64_t arena_bytes; /* beside them, for messages that no block holds; 0: there are none */
    bool has_more;        /* streams or events, which lanes do not carry yet: not counted */
} layout_lane;

#define LAYOUT_PAGE 4096u

layout_lane layout_lane_of(const model_service *service);

/* Bytes of the largest answer of a method: its reply, or the payload of an error. */
uint32_t layout_answer_size(const model_method *method);

/* What messages of a size travel in: "slot", "block" or "arena". */
const char *layout_vehicle(uint32_t size);

#endif

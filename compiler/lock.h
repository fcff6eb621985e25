/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - FILE.lock: what of a file is out, and must stay as it is.
 *
 * A lock is text: comments, a line that says which form of lock it is, and then one fact per line, sorted by bytes. It
 * is written by `shmc freeze`, and every later compile compares what the file has become with it. A fact has a kind, a
 * name and values:
 *
 *   package P version N              the newest version that is locked
 *   type T since N KIND ...          a declaration; enums, flags, unions and services are strict or flexible
 *   version R N size S fingerprint F [strict H]
 *                                    the bytes of a record in that version
 *   field R.F since N at O TYPE      why these bytes are what they are: for messages, not compared by itself
 *   arm U.A since N tag T TYPE
 *   member E.M since N value V       of an enum or flags
 *   error E.M since N code C (PAYLOAD)
 *   method S.M since N SIGNATURE
 *   revision S.M N fingerprint F [strict H]
 *                                    of a method, in that version; several where a payload is of another package, which
 *                                    has versions of its own
 *   item T fingerprint F [strict H] TYPE
 *                                    of a topic or queue
 *   reserved T WHAT
 *
 * H is what the strict types in it take (lock_strict.h), where there are any.
 *
 * Names are those on the wire (@renamed_from), so that renaming changes no lock. The inline bodies of a method are
 * named S.M.request, ..., that of a topic T.item.
 */
#ifndef SHMRPC_COMPILER_LOCK_H
#define SHMRPC_COMPILER_LOCK_H

#include <stdbool.h>

#include "diag.h"
#include "model.h"
#include "support/buffer.h"
#include "support/map.h"
#include "support/vector.h"

#define LOCK_SUFFIX ".lock"
#define LOCK_FORM "shmc-lock 1"

typedef enum lock_kind {
    LOCK_PACKAGE,
    LOCK_TYPE,
    LOCK_VERSION,
    LOCK_FIELD,
    LOCK_ARM,
    LOCK_MEMBER,
    LOCK_ERROR,
    LOCK_METHOD,
    LOCK_REVISION,
    LOCK_ITEM,
    LOCK_RESERVED,
} lock_kind;

/* A line. */
typedef struct lock_fact {
    lock_kind kind;
    const char *line;
    const char *key;      /* kind and name, of VERSION with the version, of REVISION with the fingerprint, too */
    const char *name;     /* "GetReply.ttl_s" */
    const char *owner;    /* "GetReply": the name, or of FIELD to METHOD and REVISION what stands before the last dot */
    const char *member;   /* "ttl_s", or "" */
    uint32_t version;     /* of PACKAGE, VERSION, REVISION; of others: since; 1 of ITEM and RESERVED */
    uint64_t number;      /* size, offset, tag, code; the magnitude of a member's value */
    bool negative;        /* MEMBER */
    uint64_t fingerprint; /* VERSION, REVISION, ITEM */
    uint64_t strict;      /* likewise: what strict types in it take, or 0 */
    const char *rest;     /* the last value, to the end of the line, or "" */
    span at;              /* of the line in a lock; of what it is about in a schema */
} lock_fact;

typedef struct lock_facts {
    vector list; /* lock_fact *, in their order */
    map by_key;  /* key -> lock_fact */
    map groups;  /* "field GetReply": kind and owner -> vector of lock_fact * */
} lock_facts;

/* Reads a line into *ret; false where it is none. */
bool lock_fact_read(arena *memory, const char *line, size_t length, lock_fact *ret);
void lock_facts_add(lock_facts *to, arena *memory, lock_fact *fact);

/* The facts of a kind about an owner; *ret_count is 0 where there are none. */
lock_fact *const *lock_facts_of(const lock_facts *of, arena *memory, lock_kind kind, const char *owner,
                                uint32_t *ret_count);
const lock_fact *lock_facts_find(const lock_facts *of, const char *key);

/* What a file says of itself, types after those that they need. */
lock_facts *lock_facts_of_file(arena *memory, const model_file *file);

/* How a record is named in its file's lock, or in a message. */
const char *lock_record_name(arena *memory, const model_record *record);

/* The text of a file's lock. */
void lock_write(arena *memory, const model_file *file, buffer *to);

/*
 * Reads the lock of a file. NULL where there is none, or where it cannot be read: that is reported (E413) and
 * *ret_path is set, as it is where the lock was read.
 */
lock_facts *lock_read(arena *memory, diag *diagnostics, const model_file *file, const char **ret_path);

/* The path of a file's lock. */
const char *lock_path(arena *memory, const model_file *file);

/*
 * Compares each file of a schema that has a lock with it: E407 to E411, and E413 for a lock that cannot be read. Facts
 * of versions beyond `newest` (0: none is) do not count. The paths of the locks that were there are added to `read`, a
 * vector of strings.
 */
void lock_verify(arena *memory, diag *diagnostics, const model *schema, uint32_t newest, vector *read);

#endif

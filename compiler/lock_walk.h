/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_walk.h - what the parts of the verification of a lock share; for lock_verify.c and lock_called.c only.
 */
#ifndef SHMRPC_COMPILER_LOCK_WALK_H
#define SHMRPC_COMPILER_LOCK_WALK_H

#include "lock.h"

typedef struct lock_verifier {
    arena *memory;
    diag *diagnostics;
    const model_file *file;
    const lock_facts *old; /* the lock */
    const lock_facts *new; /* the file */
    uint32_t locked;       /* the newest version in the lock */
    uint32_t newest;       /* the newest version to look at */
    map *told;             /* addresses of records and members of which something was told */
    map *alike;            /* what facts that one side alone has say, but for their names -> the fact */
    map gone;              /* "test.Part": types of the lock that the file has no more, which was told */
} lock_verifier;

/* Whether something was told of a record or of members (NULL: no), so that what holds it is no mistake of its own. */
bool lock_is_told(const lock_verifier *v, const void *of);
bool lock_record_is_told(const lock_verifier *v, const model_record *record);
void lock_tell(lock_verifier *v, const void *of);

/* Whether a fact of the lock is about a type that is gone: `rpc (test.Part) -> ()`. */
bool lock_names_gone(const lock_verifier *v, const lock_fact *old);

/* The note that cites a line of the lock. */
void lock_note(diag_entry *entry, const lock_fact *old);

/* The name on the wire. */
const char *lock_identity(const char *name, const model_notes *notes);

/* Whether a fact is of a version that is looked at. */
bool lock_counts(const lock_verifier *v, const lock_fact *old);

/* Whether what is strict in two facts takes the same values. */
bool lock_same_strict(const lock_verifier *v, const lock_fact *old, const lock_fact *now);

void lock_record_check(lock_verifier *v, const model_record *record, span whole);
void lock_service_check(lock_verifier *v, const model_service *service);
void lock_channel_check(lock_verifier *v, const model_channel *channel);

#endif

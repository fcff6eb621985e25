/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_strict.h - what the strict types in a message take, as a number.
 *
 * Fingerprints are of bytes, and a strict type lies as one that is not strict does. What it refuses is a promise to
 * those who are out all the same, so a lock has this number beside a fingerprint wherever something strict is part of
 * what that is of: the FNV-1a of a text that has each strict type's values or tags, with the place where it stands. The
 * number is 0 where nothing is strict.
 *
 * All values count, whatever version they came with: who is out refuses what is new, too. The fields are those of the
 * revision.
 */
#ifndef SHMRPC_COMPILER_LOCK_STRICT_H
#define SHMRPC_COMPILER_LOCK_STRICT_H

#include "model.h"
#include "support/arena.h"
#include "support/map.h"

/* Remembers what it was asked; begins as {.memory = ...}. */
typedef struct lock_strict {
    arena *memory;
    map known; /* address of a revision -> uint64_t */
} lock_strict;

uint64_t lock_strict_record(lock_strict *of, const model_record *record, const model_revision *revision);
uint64_t lock_strict_method(lock_strict *of, const model_method *method, const model_method_revision *revision);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_walk.h - what the parts of a comparison share; for compare.c and compare_*.c only.
 */
#ifndef SHMRPC_COMPILER_COMPARE_WALK_H
#define SHMRPC_COMPILER_COMPARE_WALK_H

#include "compare.h"
#include "support/map.h"
#include "support/vector.h"

typedef struct comparison {
    arena *memory;
    vector findings; /* compare_finding * */
    map pairs;       /* address of an old declaration -> the new one */
    map members;     /* address of a set of members -> map of them */
    map methods;     /* address of a service, or of two -> map of methods */
    map walked;      /* addresses of two records or sets of members -> compare_walked */
} comparison;

/* What came out of comparing a pair. */
typedef struct compare_walked {
    bool differs;
} compare_walked;

/* The entry of a pair; *ret_first: it is new, and to be filled. */
compare_walked *compare_walk(comparison *run, const void *old, const void *new, bool *ret_first);

/* Where a finding belongs. */
typedef struct compare_subject {
    compare_part part;
    const char *owner;
    const char *member; /* "" : the owner itself */
} compare_subject;

compare_finding *compare_add(comparison *run, compare_rule rule, compare_subject subject, span at, const char *format,
                             ...) __attribute__((format(printf, 5, 6)));
void compare_note(compare_finding *found, span old_at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void compare_fix(compare_finding *found, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether `new` is what became of `old`. */
bool compare_is_pair(const comparison *run, const model_decl *old, const model_decl *new);

/* The name by which the other side knows it, and since which version it is there. */
const char *compare_identity(const char *name, const model_notes *notes);
uint32_t compare_since(const model_notes *notes);

/*
 * Whether something came with another version than before. What came with that which it is in (NULL: nothing) moves
 * together with it, and is told there.
 */
bool compare_moved(const model_notes *old, const model_notes *new, const model_notes *old_in,
                   const model_notes *new_in);

/* The finding for it. */
void compare_since_told(comparison *run, compare_rule rule, compare_subject subject, const char *name, span old_at,
                        const model_notes *old, span new_at, const model_notes *new);

/* c-name where the two are called differently in C. */
void compare_c_names(comparison *run, compare_subject subject, const char *old_name, const model_notes *old_notes,
                     span old_at, const char *new_name, const model_notes *new_notes, span new_at);

/* Whether two names are one in a macro. */
bool compare_macro_names(comparison *run, const char *old_name, const model_notes *old_notes, const char *new_name,
                         const model_notes *new_notes);

/* reserved-used where something new has a name or a number (NULL: it has none) that the old schema keeps free. */
void compare_reserved(comparison *run, compare_subject subject, const model_reserved *reserved, uint32_t count,
                      const char *name, const uint64_t *number, span at);

/* What the change of a type means. */
typedef enum compare_change {
    COMPARE_SAME,     /* nothing, or what is told where the type is declared */
    COMPARE_NAMED,    /* another type in C, the same bytes */
    COMPARE_MEANT,    /* another enum or flags, the same bytes */
    COMPARE_STRICT,   /* the same bytes, of which values are refused that were not */
    COMPARE_LOST,     /* likewise, where the old type was strict, too */
    COMPARE_GAINED,   /* the same bytes, which may have values that old processes refuse */
    COMPARE_CAPACITY, /* other bytes: a capacity */
    COMPARE_BYTES,    /* other bytes */
} compare_change;

/* *ret_below is set, and else left alone, where bytes differ for a reason that is told where a type is declared. */
compare_change compare_types(comparison *run, const model_type *old, const model_type *new, bool *ret_below);

/*
 * Compares what the old schema's processes know of a record with what the new ones' do. Returns whether bytes differ,
 * here or in a part of it; the findings are there then. Each pair is walked once.
 */
bool compare_record(comparison *run, const model_record *old, const model_record *new);

/* Whether a new process knows the newest bytes of `old`, whatever the two are called. */
bool compare_same_bytes(const model_record *old, const model_record *new);

/* Two records that stand in one place: a payload, an item. */
compare_change compare_payloads(comparison *run, const model_record *old, const model_record *new, bool *ret_below);

/* One of SAME, STRICT, LOST and GAINED, for two of the same bytes that are no pair. */
compare_change compare_strict_members(const model_members *old, const model_members *new);
compare_change compare_strict_records(const comparison *run, const model_record *old, const model_record *new);

/* The rule that a change is of: `named` where only names differ, `bytes` where bytes do. */
compare_rule compare_rule_for(compare_change change, compare_rule named, compare_rule bytes);

/* How a record is called in a message: "demo.kv.GetReply", "an inline body", "()" for NULL. */
const char *compare_record_name(const model_record *record);

/* Enums, flags, errors. Returns as compare_record() does. */
bool compare_members(comparison *run, const model_members *old, const model_members *new);

/* What a method throws where that is another set, or none. Returns whether bytes differ. */
bool compare_other_errors(comparison *run, compare_subject subject, const model_method *old, const model_method *new);

void compare_service(comparison *run, const model_service *old, const model_service *new);
void compare_channel(comparison *run, const model_channel *old, const model_channel *new);

/* A value as it would be written. */
const char *compare_value(const comparison *run, const model_value *value);
bool compare_values_equal(const model_value *a, const model_value *b);

#endif

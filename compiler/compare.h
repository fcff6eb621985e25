/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.h - what a newer schema breaks for those who have the older one.
 *
 * Both are models, each compiled on its own, and neither is written to. Directional: what the newer one adds where
 * there is room for it is no finding, the reverse would be one. Files are paired by package (the requested file of
 * each side with the other's in any case), declarations and members by the names that they have on the wire.
 *
 * Told are causes, not consequences: a struct that changes is one finding, however many messages hold it.
 */
#ifndef SHMRPC_COMPILER_COMPARE_H
#define SHMRPC_COMPILER_COMPARE_H

#include "model.h"
#include "support/arena.h"

typedef enum compare_class { COMPARE_WIRE, COMPARE_SOURCE, COMPARE_BEHAVIOUR } compare_class;
#define COMPARE_CLASSES 3

typedef enum compare_rule {
#define X(id, class, name, title) COMPARE_##id,
#include "compare_rules.h"
#undef X
    COMPARE_RULES
} compare_rule;

/* In the order of a report: services first, then types, then the rest. */
typedef enum compare_part {
    COMPARE_PART_PACKAGE,
    COMPARE_PART_SERVICE,
    COMPARE_PART_TYPE,
    COMPARE_PART_OTHER,
} compare_part;

typedef struct compare_finding {
    compare_rule rule;
    compare_part part;
    const char *owner;  /* "demo.kv.GetReply" */
    const char *member; /* "ttl_s", or "" */
    span at;            /* in the new schema: what changed, or what it is missing from */
    const char *message;
    span old_at; /* in the old schema */
    const char *note;
    const char *fix; /* NULL: none */
    arena *memory;
} compare_finding;

const char *compare_rule_name(compare_rule rule); /* "field-removed" */
const char *compare_rule_title(compare_rule rule);
compare_class compare_rule_class(compare_rule rule);
const char *compare_class_name(compare_class of); /* "wire" */

/* An array of *ret_count findings, sorted by part, owner and member. */
const compare_finding *const *compare_models(arena *memory, const model *old, const model *new, size_t *ret_count);

#endif

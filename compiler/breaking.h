/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaking.h - findings of a comparison as a report, and which of them are allowed.
 */
#ifndef SHMRPC_COMPILER_BREAKING_H
#define SHMRPC_COMPILER_BREAKING_H

#include <stdio.h>

#include "compare.h"
#include "diag.h"

/* What is not reported. */
typedef struct breaking_allowed {
    bool rules[COMPARE_RULES];
} breaking_allowed;

/* Adds a class or a rule by its name; false where there is none of that name. */
bool breaking_allow(breaking_allowed *allowed, const char *name);

/* Calls `each` with every name that breaking_allow() takes, classes first. */
void breaking_names(void (*each)(void *context, const char *name), void *context);

/*
 * Writes what is not allowed: `path:line:column: wire[field-removed]: owner.member: message` with the source line, a
 * note that cites the old schema, and a fix; a JSON array of objects, or a workflow command each. Returns how many there are; that writing
 * failed is left in the stream.
 */
size_t breaking_report(const compare_finding *const *findings, size_t count, const breaking_allowed *allowed,
                       diag_format format, FILE *to);

#endif

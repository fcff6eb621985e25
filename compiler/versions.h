/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versions.h - which version of its package a declaration or a member came with, and what may use what.
 *
 * While something is looked at, run->home is the file that it is of and run->since the version that it came with. A
 * member came with the version of what holds it, where it has no @since of its own.
 */
#ifndef SHMRPC_COMPILER_VERSIONS_H
#define SHMRPC_COMPILER_VERSIONS_H

#include "annotate.h"
#include "compile.h"

/* A declaration begins, of run->home: E401. Sets run->since. */
void versions_declaration(compile *run, annotate_result *notes);

/* A member of the declaration that is looked at begins: E401, E402 where it is older than that. Sets run->since. */
void versions_member(compile *run, annotate_result *notes, const char *name);

/*
 * Enters the name that others know something by, the one that it had before it was renamed: E202 where something else in
 * the scope is known by it; E604 where it is no other name than its own. Needed where anything in the scope was renamed.
 * `package`: of a declaration; else NULL.
 */
void versions_identity(compile *run, map *scope, const char *package, const model_notes *notes, const char *name,
                       span at);

/* E402 and false where `field` is older than the one before it. */
bool versions_ascend(compile *run, const model_field *before, const model_field *field);

/* Notes that a declaration, or its member unless that is NULL, was used: E404 where it is newer than what uses it. */
void versions_use(compile *run, const symbol *used, const model_member *member, span at);

/* Whether two files are of one package, whose versions can be compared. */
bool versions_comparable(const model_file *a, const model_file *b);

#endif

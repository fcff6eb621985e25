/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - names: who declares them, who means them.
 */
#ifndef SHMRPC_COMPILER_RESOLVE_H
#define SHMRPC_COMPILER_RESOLVE_H

#include "compile.h"

/* Enters the imports and declarations of a file; the model's declarations are made, empty. */
void resolve_declare(compile *run, unit *file);

/* E210 for a part of a package's name. */
void resolve_check_package(compile *run, const ast_package *package);

/*
 * What a dotted name means, seen from a file: a declaration of its own or, behind the qualifier of an import, of
 * another. *ret_rest is what follows the declaration's name ("MEMBER" of "Enum.MEMBER"), or NULL. Returns NULL where
 * there is no such declaration, having said so unless it may stand in a part of a file that could not be read.
 */
symbol *resolve_name(compile *run, const unit *from, ast_ident name, const char **ret_rest);

/* Says that a declaration has no member of this name, with the nearest one that it has. */
void resolve_unknown_member(compile *run, const symbol *owner, const char *member, span at);

/* Notes that a declaration, or its member unless that is NULL, was used: W412 where it is deprecated,
   E404 where it is newer than what uses it. */
void resolve_use(compile *run, const symbol *used, const model_member *member, span at);

/* A name among its like in one scope: E201 where it is there, E210 where it is ill-formed. */
void resolve_enter(compile *run, map *scope, const ast_ident *name, const char *role);

/* Lints that need all names to have been looked up: W209. */
void resolve_finish(compile *run, const unit *file);

/*
 * The reason in a @deprecated, "" without one, NULL without the annotation. Read from the tree, since what is used may
 * not be completed yet.
 */
const char *resolve_deprecation(const ast_notes *notes);

#endif

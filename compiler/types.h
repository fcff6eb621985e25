/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h - types as they are written, to types as they are laid out.
 */
#ifndef SHMRPC_COMPILER_TYPES_H
#define SHMRPC_COMPILER_TYPES_H

#include "compile.h"

/* Where a type stands, which decides what it may be. */
typedef enum types_place {
    TYPES_FIELD, /* of a struct or message: the only place of an optional */
    TYPES_ARM,
    TYPES_ELEMENT,
    TYPES_ALIAS,
    TYPES_CONST,
    TYPES_BASE,
    TYPES_SIZEOF, /* the only place of a message */
    TYPES_RESERVED,
} types_place;

/*
 * Resolves a type; *ret_optional, which may be NULL but for TYPES_FIELD, says whether it was written with `?`.
 * Returns NULL where there is a mistake in it, or in what it names; that has been reported.
 */
const model_type *types_resolve(compile *run, const unit *from, const ast_type *ast, types_place place,
                                bool *ret_optional);

/* E114 and false where a type would nest more than MODEL_NESTING_MOST deep. */
bool types_may_nest(compile *run, uint32_t nesting, span at);

/* A type as it would be written, for messages: "vector<Pair, 4>". */
const char *types_name(arena *memory, const model_type *type);

/* "uint32", …: the word of a scalar kind. */
const char *types_scalar_name(model_kind kind);

#endif

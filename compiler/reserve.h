/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserve.h - the numbers and names that `reserved` keeps free in a body.
 */
#ifndef SHMRPC_COMPILER_RESERVE_H
#define SHMRPC_COMPILER_RESERVE_H

#include "compile.h"

/* What a body is of, which decides what may be reserved in it. */
typedef enum reserve_place {
    RESERVE_ENUM,    /* numbers, names */
    RESERVE_FLAGS,   /* likewise */
    RESERVE_ERRORS,  /* likewise */
    RESERVE_UNION,   /* likewise */
    RESERVE_RECORD,  /* of a struct or message: names, and places, which have a type */
    RESERVE_SERVICE, /* names */
} reserve_place;

typedef struct reserve {
    reserve_place place;
    const model_reserved *items; /* in the order of the file; not those of places */
    uint32_t count;
    map names;                     /* text -> span, those of places too */
    const model_reserved **ranges; /* those of numbers, ascending */
    uint32_t range_count;
} reserve;

/* Reads what a body keeps; `base` is of an enum or flags. E406 and false where there is a mistake, which is left out. */
bool reserve_read(compile *run, const ast_body *body, reserve_place place, model_kind base, reserve *ret);

/* E405 and false where a name is kept. */
bool reserve_allows_name(compile *run, const reserve *kept, const ast_ident *name);

/* E405 and false where the number at `at`, that `name` has, is kept. */
bool reserve_allows_number(compile *run, const reserve *kept, const ast_ident *name, uint64_t number, span at);

#endif

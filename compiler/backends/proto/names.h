/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - how things are called in proto, and that no two of them are called the same.
 *
 * A name is kept as it is written. What proto needs a name for and the schema has none is composed: the numbers of
 * errors and flags, messages for inline bodies and for "()", messages for arrays in arrays. Members of enums are
 * upper case with the enum's name before them, since they share a scope with all types of the package. A name that is
 * taken gets "_2" behind it, or the next number that is free.
 *
 * The names of a file depend on it and on what it imports, and not on who asks.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_PROTO_NAMES_H
#define SHMRPC_COMPILER_BACKENDS_PROTO_NAMES_H

#include "model.h"
#include "support/arena.h"
#include "support/map.h"

typedef struct proto_method_names {
    const char *request; /* of the inline body, or of the empty message that stands for "()" */
    const char *reply;
} proto_method_names;

typedef struct proto_decl_names {
    const char *name;            /* STRUCT, MESSAGE, UNION, ENUM, ERRORS, SERVICE */
    const char *numbers;         /* FLAGS, ERRORS: the enum of their numbers; ENUM: likewise its name */
    const char *zero;            /* ENUM, FLAGS, ERRORS: the member 0 where the schema has none */
    const char *const *members;  /* by id */
    const char *item;            /* TOPIC, QUEUE: of the inline body */
    proto_method_names *methods; /* SERVICE: by id */
} proto_decl_names;

typedef struct proto_file_names {
    map taken;               /* every name of the package that this file can see */
    proto_decl_names *decls; /* by id */
} proto_file_names;

typedef struct proto_names proto_names;

proto_names *proto_names_new(arena *memory, const model *schema);
const proto_file_names *proto_names_of(proto_names *known, const model_file *file);

/* A scope of its own: takes `wanted`, or what it has to be called instead. */
const char *proto_name_take(map *taken, arena *memory, const char *wanted);

/* The same, where names that differ in case and '_' alone are too alike: fields, and members of enums. */
const char *proto_name_take_apart(map *taken, arena *memory, const char *wanted);

/* Whether a type of this name at the beginning of a line would be taken for something else. */
bool proto_name_is_word(const char *name);

#endif

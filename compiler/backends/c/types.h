/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h - types, values and texts as C spells them.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_TYPES_H
#define SHMRPC_COMPILER_BACKENDS_C_TYPES_H

#include <stdbool.h>

#include "emit.h"
#include "model.h"
#include "support/arena.h"
#include "support/vector.h"

/* The integer or floating type of a scalar kind: "uint8_t" for a bool. */
const char *c_type_scalar(model_kind kind);

/* The name of a type where it has one: a scalar, a declared type, an alias; else NULL. */
const char *c_type_name(arena *memory, const model_type *type);

/* Declares a member of this type; the structs of strings and the like in place. */
void c_type_declare(emit *e, const model_type *type, const char *declarator);

/* Defines a type of this name; a struct in it has a tag, since C++ wants types of members to have one. */
void c_type_define(emit *e, const model_type *type, const char *name);

/* "text" for strings, "items" else; "length" for strings, "count" else. */
const char *c_type_items(const model_type *type);
const char *c_type_count(const model_type *type);

/* Whether the bytes of a value are its canonical form as they stand: nothing that varies, no padding. */
bool c_type_is_solid(const model_type *type);
bool c_record_is_solid(const model_record *record);

/* Whether any value can be refused. */
bool c_type_is_checked(const model_type *type);
bool c_record_is_checked(const model_record *record);

/* Whether the count of a sequence can be beyond its capacity. */
bool c_type_count_is_checked(const model_type *type);

/*
 * The places of a value that can be refused, in the order in which the checks come, as paths for messages: "items[].key".
 * Adds to a vector of const char *.
 */
void c_type_paths(arena *memory, const model_type *type, const char *path, vector *ret_paths);
void c_record_paths(arena *memory, const model_record *record, const char *prefix, vector *ret_paths);
size_t c_type_path_count(arena *memory, const model_type *type);

/* An integer constant of a kind: "UINT32_C(7)", "(-INT16_C(7))", "INT64_MIN". */
const char *c_literal_integer(arena *memory, model_kind kind, bool negative, uint64_t magnitude);

/* A constant of a scalar, enum, flags or string type. */
const char *c_literal_value(arena *memory, const model_type *type, const model_value *value);

/* A string literal, with the quotes. */
const char *c_literal_string(arena *memory, const char *text, size_t length);

/* The initialiser of a value that is all zero but, where given, for `initial`. */
const char *c_literal_initial(arena *memory, const model_type *type, const model_value *initial);

/* A doc comment and the reason of a deprecation as one comment; nothing where there is neither. */
void c_doc_emit(emit *e, const model_notes *notes);

#endif

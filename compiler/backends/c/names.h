/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - how things are called in C, and whether two of them are called the same.
 *
 * Whatever the C backend declares, it declares by a name that it got from names_declare(). check() renders the headers
 * of a file and of all that it imports with a register that reports; generate() renders them again with one that does
 * not. So the names that are checked are the names that are written, all of them.
 *
 * Names that end in '_' are for what the generated code needs among itself. No name in a schema can end so (E210),
 * and none of them is registered.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_NAMES_H
#define SHMRPC_COMPILER_BACKENDS_C_NAMES_H

#include <stdbool.h>

#include "diag.h"
#include "model.h"
#include "support/arena.h"

const char *name_upper(arena *memory, const char *name);

const char *name_package(arena *memory, const model_file *file);       /* calc */
const char *name_decl(arena *memory, const model_decl *decl);          /* calc_pair */
const char *name_service(arena *memory, const model_service *service); /* calc, or demo_calc_calculator */
const char *name_method(arena *memory, const model_method *method);    /* add: the part after the prefix */
/* What an inline body is of its method, or of its topic or queue: "request", "reply", "item", ... */
const char *name_role(const model_record *record);
const char *name_record(arena *memory, const model_record *record); /* calc_pair, calc_note_request */
const char *name_field(arena *memory, const model_field *field);    /* text */
const char *name_member(arena *memory, const model_member *member); /* divide_by_zero: the part after the prefix */
const char *name_member_macro(arena *memory, const model_members *members, const model_member *member);

/* Whether a name leaves alone what the language and the generated code keep for themselves. */
bool name_is_free(const char *name);
void name_refuse(diag *diagnostics, const char *name, span at); /* E210 */

typedef struct names names;

/*
 * A register that reports what collides, or (NULL, to be passed on) nothing. Without `diagnostics` it is a sketch: it
 * takes 16 bytes for a name and cannot report, but knows whether there would be anything to be reported.
 */
names *names_new(diag *diagnostics);
names *names_free(names *known); /* takes NULL; returns NULL */
bool names_are_suspicious(const names *known);

/* Of names in two files nothing is said any more: two packages have one prefix, which was reported (E211). */
void names_share_prefix(names *known);

/* What a name is for. */
typedef struct name_origin {
    span at;
    const char *what; /* "method 'connect'", "the setter of 'text'" */
    const char *
        written; /* of the model: the name in the schema where it becomes this one and no other was added; NULL: composed */
} name_origin;

/*
 * Registers `name`, declared in `scope` ("" is the file's), and reports a keyword or a macro (E203), and a name that is
 * taken (E202 where both stand in the schema, else E204). Returns `name`.
 */
const char *names_declare(names *known, const char *scope, const char *name, name_origin origin);

#endif

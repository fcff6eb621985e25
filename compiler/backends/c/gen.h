/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen.h - what the parts of the C backend share: one schema file on its way to a header and a source.
 *
 * Each part writes what it is about into both, a declaration into `header` and its definition into `source`. All of
 * them read the model alone, so that the parts need not know of each other; their order is backend.c's.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_C_GEN_H
#define SHMRPC_COMPILER_BACKENDS_C_GEN_H

#include "backends/c/names.h"
#include "backends/c/types.h"
#include "emit.h"
#include "model.h"

typedef struct gen {
    const model_file *file;
    arena *memory;          /* for one declaration: cleared before the next */
    names *known;           /* NULL: declares without looking */
    uint32_t service_count; /* of the file */
    emit header;
    emit source;
} gen;

/* Declares what is named in the schema: `name` is made of `written` alone. */
const char *gen_declare(gen *g, const char *name, span at, const char *kind, const char *written);

/* Declares what is composed: `what` is a format with one %s for `written`. Composes `name` from `format` and `base`. */
const char *gen_compose(gen *g, const char *base, const char *suffix, span at, const char *what, const char *written);

/* A scope of its own for each record and service, whatever they are called. */
const char *gen_scope(gen *g, const void *owner);

/* Declares a name from the schema in a scope. */
const char *gen_member(gen *g, const char *scope, const char *name, span at, const char *kind, const char *written);

/* Where a record stands in the schema, and what it is called in messages: "message 'Pair'". */
span gen_record_at(const model_record *record);
const char *gen_record_title(gen *g, const model_record *record);

/* SHMRPC_DEPRECATED("reason") on a line of its own, or "". */
const char *gen_deprecated(gen *g, const model_notes *notes);

/* "message" or "record": what a pointer to one is called. */
const char *gen_record_pointer(const model_record *record);

/* Constants, aliases, enums and flags, errors. */
void gen_constant(gen *g, const model_decl *decl);
void gen_alias(gen *g, const model_decl *decl);
void gen_members(gen *g, const model_decl *decl);
void gen_errors(gen *g, const model_decl *decl);

/* A struct, message or union: its type, what fills it in, what checks and copies it, and its description. */
void gen_record(gen *g, const model_record *record);
void gen_record_setters(gen *g, const model_record *record);
void gen_alias_setter(gen *g, const model_decl *decl);
void gen_record_store(gen *g, const model_record *record);
void gen_record_tidy(gen *g, const model_record *record);
void gen_record_check(gen *g, const model_record *record);
void gen_record_info(gen *g, const model_record *record);

/* How many bytes are sent at least of a record of this size, whose variable tail this is, or NULL. */
uint32_t c_least_size(const model_field *tail, uint32_t size);

/* Whether there is anything to be done for a message that is filled in where it is sent from. */
bool c_message_is_tidied(const model_record *record);

/* The function that every check of a file calls where something is refused; nothing where no check does. */
void gen_refuse(gen *g);

/* Of a topic or a queue, no more than an inline item: refuse() says so. */
void gen_channel(gen *g, const model_channel *channel);

/* A service: inline bodies, the calling side and its calls in flight, the serving side and what it defers, the tables. */
void gen_service(gen *g, const model_service *service);
void gen_client(gen *g, const model_service *service);
void gen_calls(gen *g, const model_service *service, const char *client);
/* Of the method `base`, whose call objects are of the type `call`. */
void gen_loans(gen *g, const model_method *method, const char *client, const char *base, const char *call);
void gen_server(gen *g, const model_service *service);
void gen_later(gen *g, const model_service *service);
void gen_service_info(gen *g, const model_service *service);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen.h - what the parts of the proto backend share: one schema file on its way to a .proto.
 *
 * What proto cannot say stands in a comment that begins with "shm:" and goes on in the language of the schema.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_PROTO_GEN_H
#define SHMRPC_COMPILER_BACKENDS_PROTO_GEN_H

#include "backends/proto/names.h"
#include "emit.h"
#include "model.h"

/* Field numbers from here to the end of this range are protobuf's own. */
#define PROTO_OWN_FIRST 19000
#define PROTO_OWN_LAST 19999
#define PROTO_FIELD_MOST 536870911
#define PROTO_ENUM_MOST INT32_MAX

typedef struct proto_gen {
    const model_file *file;
    arena *memory;
    proto_names *known;
    const proto_file_names *names; /* of `file` */
    bool *used;                    /* by id: files whose types were referred to */
    emit body;
} proto_gen;

/* Documentation, what is deprecated, and (not NULL or "") what proto cannot say. */
void proto_comment_emit(proto_gen *g, const model_notes *notes, const char *shm);

/* A type by its name, and the file that it is from imported. */
const char *proto_ref(proto_gen *g, const model_file *file, const char *name);
/* A record that is declared, or what is in a topic or queue; not a method's body. */
const char *proto_record_ref(proto_gen *g, const model_record *record);

/* Whether all members are numbers that an enum of proto can have. */
bool proto_enum_fits(const model_members *members);

/* The message of a field's own: which names are taken in it. */
typedef struct proto_scope {
    map symbols;
    map apart;
} proto_scope;

/* The number of a field that has so many before it: proto's own numbers are left out. */
uint32_t proto_field_number(uint32_t before);

/*
 * What stands before a field's name: "repeated uint32". Where proto needs a message for that, it is written now, by
 * the name of the field with "Item" behind it. `alone`: a field of a oneof, which nothing may stand before.
 */
const char *proto_field_type(proto_gen *g, proto_scope *scope, const model_field *field, bool alone);

/* Whether proto says all that there is to say about a field of this type. */
bool proto_type_is_said(const model_type *type);

/* "reserved 4, 7 to 9;", of numbers of which none is above `most`; they may be in any order and overlap. */
typedef struct proto_range {
    uint64_t first;
    uint64_t last;
} proto_range;

void proto_reserved_emit(proto_gen *g, proto_range *ranges, uint32_t count, uint64_t most);

/* "reserved "a", "b";", of those of the names that are not NULL. */
void proto_reserved_names_emit(proto_gen *g, const char *const *names, uint32_t count);

void proto_record(proto_gen *g, const model_record *record, const char *name, const char *shm,
                  const model_notes *notes);
void proto_enum(proto_gen *g, const model_decl *decl);
void proto_flags(proto_gen *g, const model_decl *decl);
void proto_errors(proto_gen *g, const model_decl *decl);
void proto_service(proto_gen *g, const model_decl *decl);
void proto_channel(proto_gen *g, const model_decl *decl);

#endif

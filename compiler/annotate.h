/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotate.h - what annotations say about what they stand before.
 */
#ifndef SHMRPC_COMPILER_ANNOTATE_H
#define SHMRPC_COMPILER_ANNOTATE_H

#include "compile.h"

typedef enum annotate_target {
    ANNOTATE_PACKAGE,
    ANNOTATE_IMPORT,
    ANNOTATE_DECL,    /* const, alias, enum, flags, errors */
    ANNOTATE_STRUCT,  /* struct, union */
    ANNOTATE_MESSAGE, /* message */
    ANNOTATE_SERVICE,
    ANNOTATE_MEMBER,        /* of enum, flags, errors; an arm of a union; a field of a struct */
    ANNOTATE_MESSAGE_FIELD, /* of an inline body too */
    ANNOTATE_RPC,           /* without streams */
    ANNOTATE_STREAM,        /* rpc with one or two */
    ANNOTATE_ONEWAY,
    ANNOTATE_EVENT,
    ANNOTATE_COMPOSE,
    ANNOTATE_RESERVED,
    ANNOTATE_PLACE, /* that is reserved */
    ANNOTATE_TOPIC,
    ANNOTATE_QUEUE,
} annotate_target;

typedef struct annotate_result {
    model_notes notes;
    const char *c_prefix;        /* package, service */
    uint32_t version;            /* package: 1 where not given */
    const ast_expr *initial;     /* message field: the value of @default, or NULL */
    const ast_expr *fixed_size;  /* struct, union: of @size, or NULL */
    const ast_expr *fixed_align; /* struct, union, message: of @align, or NULL */
    span since_at;               /* of @since; its file is NULL where it is not given */
    span original_at;            /* of @renamed_from; likewise */
    bool idempotent;             /* service, rpc */
    int64_t deadline_ns;         /* service, rpc: MODEL_DEADLINE_UNSET, MODEL_DEADLINE_NONE, or above 0 */
    span deadline_at;
    const ast_expr *depth;    /* service, method, topic, queue: of @depth, or NULL */
    model_overflow overflow;  /* topic, queue */
    bool reliable;            /* topic */
    const ast_expr *retain;   /* topic: of @retain, or NULL */
    const ast_expr *attempts; /* queue: of @attempts, or NULL */
} annotate_result;

/* Reads the annotations; what is wrong with them is reported, and left out of the result. */
void annotate_read(compile *run, const ast_notes *notes, annotate_target target, annotate_result *ret);

/*
 * What @depth gives, or @retain and @attempts, from 1 to `most`: 0 where `written` is NULL, or wrong, which is reported.
 * To be asked once it is known with which version came what they stand before.
 */
uint32_t annotate_depth(compile *run, const ast_expr *written);
uint32_t annotate_count(compile *run, const ast_expr *written, uint32_t most, const char *complaint);

#endif

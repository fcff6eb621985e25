/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - messages of one version of a schema, read by another: what evolve.py says of generated types, so that
 * values can be made up and compared without knowing them.
 */
#ifndef SHMRPC_TEST_EXCHANGE_H
#define SHMRPC_TEST_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shmrpc/generated.h>

typedef struct ex_record ex_record;
typedef struct ex_type ex_type;

typedef enum ex_kind {
    EX_BITS,
    EX_BOOL,
    EX_ENUM,
    EX_FLAGS,
    EX_RECORD,
    EX_STRING,
    EX_BYTES,
    EX_VECTOR,
    EX_ARRAY
} ex_kind;

struct ex_type {
    ex_kind kind;
    size_t size;
    uint32_t capacity; /* STRING to ARRAY */
    size_t items;      /* STRING, BYTES, VECTOR: where they begin, behind a count of 16 bits */
    const ex_type *element;
    const ex_record *record;
    bool strict;           /* ENUM, FLAGS */
    const int64_t *values; /* ENUM, FLAGS */
    uint32_t value_count;
};

typedef struct ex_field {
    const char *name; /* on the wire */
    uint32_t since;
    uint32_t tag;
    const ex_type *type;
    bool optional;
    size_t has;
    size_t offset;
} ex_field;

struct ex_record {
    bool is_union;
    bool strict;
    size_t size;
    size_t body; /* of a union */
    const ex_field *fields;
    uint32_t count;
};

/* What a message is made of. */
typedef struct ex_message {
    const shmrpc_type_info *info;
    const ex_record *record;
} ex_message;

typedef struct ex_version {
    const shmrpc_service_info *service;
    uint32_t version;
    const ex_message *messages;
    uint32_t message_count;
} ex_version;

/* Of one chain, each a step further than the one before; made by evolve.py. */
extern const ex_version *const ex_versions[];
extern const uint32_t ex_version_count;

#endif

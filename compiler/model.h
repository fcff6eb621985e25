/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - the resolved schema.
 *
 * What the front end hands to the backends: every name resolved, every
 * constant evaluated, every size, alignment and offset computed (layout.c is
 * the only place that computes them), every rule of the language checked. A
 * backend is a pure function of this structure: it never measures a type
 * again, never reports a user's mistake in the schema, and never writes to it.
 *
 * Invariants
 *   - Immutable after front_compile() returns; all memory belongs to the arena
 *     that was given to it.
 *   - Arrays are in declaration order; `id` of an element is its index.
 *   - No string is spelled for a target language. `rename` and `c_prefix` are
 *     what the author wrote in @c_name and @c_prefix, or NULL.
 *   - Strings are UTF-8 and NUL-terminated; NULL means "not given".
 */
#ifndef SHMRPC_COMPILER_MODEL_H
#define SHMRPC_COMPILER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

typedef struct model model;
typedef struct model_file model_file;
typedef struct model_decl model_decl;
typedef struct model_type model_type;
typedef struct model_field model_field;
typedef struct model_record model_record;
typedef struct model_members model_members;
typedef struct model_service model_service;

typedef enum model_kind {
    MODEL_BOOL,
    MODEL_INT8,
    MODEL_INT16,
    MODEL_INT32,
    MODEL_INT64,
    MODEL_UINT8,
    MODEL_UINT16,
    MODEL_UINT32,
    MODEL_UINT64,
    MODEL_FLOAT32,
    MODEL_FLOAT64,
    MODEL_ENUM,   /* members */
    MODEL_FLAGS,  /* members */
    MODEL_STRUCT, /* record */
    MODEL_UNION,  /* record */
    MODEL_STRING, /* capacity without the NUL */
    MODEL_BYTES,  /* capacity */
    MODEL_VECTOR, /* capacity, element */
    MODEL_ARRAY,  /* capacity (always full), element */
} model_kind;

/* How many fields are in the fields of a record, so that it is safe to visit them all. */
#define MODEL_PLACES_MOST 10000

/* How deep types nest, so that walking one by recursion is safe. */
#define MODEL_NESTING_MOST 200

/* A type as a field, an element, a constant or an alias uses it. */
struct model_type {
    model_kind kind;
    uint32_t size;                /* bytes, trailing padding included */
    uint32_t align;               /* 1, 2, 4 or 8 */
    uint32_t capacity;            /* STRING, BYTES, VECTOR, ARRAY; else 0 */
    uint32_t count_size;          /* STRING, BYTES, VECTOR: 2, or 4 from capacity 65536 on */
    uint32_t items_offset;        /* STRING, BYTES, VECTOR: where the text or the items begin */
    uint32_t tail_padding;        /* STRING, BYTES, VECTOR: bytes after the last item up to size */
    uint32_t nesting;             /* levels of sequences and records in it: at most MODEL_NESTING_MOST */
    const model_type *element;    /* VECTOR, ARRAY */
    const model_members *members; /* ENUM, FLAGS */
    const model_record *record;   /* STRUCT, UNION */
    const model_decl *alias;      /* the alias that this was spelled as, or NULL */
};

/* What annotations say about any declaration or member. */
typedef struct model_notes {
    const char *doc;        /* lines joined by '\n', without the slashes and one leading space */
    const char *deprecated; /* the reason ("" where none was given), or NULL */
    const char *rename;     /* @c_name, or NULL */
    const char *original;   /* @renamed_from: the name that the other side may know it by, and that goes into
                               fingerprints; or NULL: its own */
    uint32_t since;         /* @since: the version of the package that it came with; where not given, that of what
                               it is in, and 1 of a declaration */
} model_notes;

/* What `reserved` keeps free: a range of numbers, or a name. */
typedef struct model_reserved {
    span at;
    const char *name; /* NULL: a range */
    uint64_t first;
    uint64_t last; /* both are within it */
} model_reserved;

/* A place that `reserved TYPE [NAME];` keeps free in a struct or message: padding, as far as bytes go. */
typedef struct model_hole {
    span at;
    const char *name; /* or NULL */
    const model_type *type;
    uint32_t offset;
    uint32_t since;  /* the version of the package that it came with */
    uint32_t before; /* index of the field that it stands before; the number of fields: at the end */
} model_hole;

typedef enum model_value_kind {
    MODEL_VALUE_NONE,
    MODEL_VALUE_BOOL,
    MODEL_VALUE_INT, /* sign and magnitude: -2^63 .. 2^64-1 */
    MODEL_VALUE_FLOAT,
    MODEL_VALUE_STRING,
} model_value_kind;

typedef struct model_value {
    model_value_kind kind;
    bool boolean;
    bool negative;
    uint64_t magnitude;
    double real;
    const char *text; /* never holds a NUL byte */
    size_t length;
} model_value;

/* A field of a struct or message, or an arm of a union. */
struct model_field {
    uint32_t id;
    const char *name;
    span at;
    model_notes notes;
    const model_type *type;
    bool optional;              /* a byte `has` stands before the value */
    uint32_t has_offset;        /* where it stands; 0 where not optional */
    uint32_t padding_before;    /* bytes between the previous end and has_offset or offset */
    uint32_t padding_after_has; /* bytes between the has byte and the value */
    uint32_t offset;            /* of the value, from the start of the record */
    uint32_t tag;               /* union arms, from 1 */
    model_value initial;        /* @default; NONE where not given */
};

typedef enum model_record_kind { MODEL_RECORD_STRUCT, MODEL_RECORD_MESSAGE, MODEL_RECORD_UNION } model_record_kind;
typedef enum model_role {
    MODEL_ROLE_NAMED,
    MODEL_ROLE_REQUEST,
    MODEL_ROLE_REPLY,
    MODEL_ROLE_REQUEST_ITEM, /* of a stream of requests */
    MODEL_ROLE_REPLY_ITEM,   /* of a stream of replies */
    MODEL_ROLE_EVENT,
    MODEL_ROLE_CHANNEL_ITEM, /* of a topic or queue */
} model_role;

/* Of a record: of more, the first and the newest are kept. */
#define MODEL_REVISIONS_MOST 256

/*
 * A layout that a record has had, from a version of its package on. Its fields are the first `field_count` of the
 * record's. In a message, those of each version begin where it ended before, which is a multiple of 8; a struct or union
 * keeps its size, and is another where it got fields within its @size, or a type of its package in it did.
 */
typedef struct model_revision {
    uint32_t version;
    uint32_t field_count;
    uint32_t size;
    const model_field *variable_tail; /* as in a record */
    uint64_t fingerprint;
    const char *canonical; /* the text that the fingerprint hashes */
} model_revision;

/* A struct, a message (named or the inline body of a method), or a union. */
struct model_record {
    model_record_kind kind;
    model_role role;
    const model_decl *decl;       /* NAMED; CHANNEL_ITEM: the topic or queue */
    const model_service *service; /* inline body: whose */
    uint32_t method;              /* inline body: index in service->methods */
    bool strict;                  /* UNION: a tag that is not an arm's is refused */
    uint32_t fixed_size;          /* STRUCT, UNION: @size, or 0 */
    uint32_t fixed_align;         /* @align, or 0 */
    uint32_t size;
    uint32_t align;
    uint32_t tail_padding; /* bytes after the last field up to size */
    uint32_t body_offset;  /* UNION: where the arms begin (after the 4-byte tag) */
    uint32_t body_size;    /* UNION: of the largest arm, as C's union would be; with @size, all that is left */
    bool plain;            /* no padding at all and nothing to validate: may be copied with memcpy */
    uint32_t nesting;      /* as of a type */
    uint32_t places;       /* its fields and those of what is in them: at most MODEL_PLACES_MOST are not its own */
    const model_field *fields;
    uint32_t field_count;
    const model_field *variable_tail; /* MESSAGE: the last field, where it is a string, bytes or vector
                                         that is not optional: only its used part travels; else NULL */
    uint64_t fingerprint;             /* of the newest revision */
    const char *canonical;            /* likewise */
    const model_revision *revisions;  /* ascending by version, at least one; the last is the record itself */
    uint32_t revision_count;
    const model_reserved *reserved;
    uint32_t reserved_count;
    const model_hole *holes;
    uint32_t hole_count;
};

typedef struct model_member {
    uint32_t id;
    const char *name;
    span at;
    model_notes notes;
    bool negative;               /* enums with a signed base */
    uint64_t magnitude;          /* the value, or one bit of flags, or the error's code 1..32767 */
    const model_record *payload; /* errors: a struct, or NULL */
} model_member;

typedef enum model_members_kind { MODEL_MEMBERS_ENUM, MODEL_MEMBERS_FLAGS, MODEL_MEMBERS_ERRORS } model_members_kind;

/* An enum, a set of flags, or a set of errors. */
struct model_members {
    model_members_kind kind;
    const model_decl *decl;
    bool strict;     /* ENUM, FLAGS: a value that is not a member's is refused */
    model_kind base; /* ENUM, FLAGS: MODEL_INT8 .. MODEL_UINT64 */
    const model_member *items;
    uint32_t count;
    uint64_t fingerprint;  /* ERRORS: codes and payload layouts */
    uint32_t payload_size; /* ERRORS: of the largest payload */
    const model_reserved *reserved;
    uint32_t reserved_count;
};

typedef enum model_method_kind { MODEL_METHOD_RPC, MODEL_METHOD_ONEWAY, MODEL_METHOD_EVENT } model_method_kind;

#define MODEL_DEADLINE_UNSET INT64_C(0) /* the service's, else the client's */
#define MODEL_DEADLINE_NONE INT64_C(-1) /* @deadline(none): waits for ever */

typedef struct model_method {
    uint32_t id;
    const char *name;
    span at;
    model_notes notes;
    model_method_kind kind;
    bool idempotent;
    int64_t deadline_ns;         /* own, else the service's; or one of the two above */
    const model_record *request; /* NULL: (); of an event, what the server sends */
    const model_record *reply;   /* NULL: (), oneway or event */
    bool request_is_stream;      /* `request` is an item of it */
    bool reply_is_stream;
    const model_members *errors;   /* NULL: no throws */
    uint32_t depth;                /* @depth of the method, else of the service: calls in flight; 0: not given */
    const model_service *composed; /* whose it is at first, where `compose` brought it; else NULL */
    uint64_t fingerprint;          /* of kind, request, reply and errors, in the newest revision */
    const struct model_method_revision *revisions; /* oldest first, at least one */
    uint32_t revision_count;
} model_method;

/*
 * How a method looks from a version of the service's package on: a row wherever its fingerprint changes. The first is
 * of the version that the method came with. Payloads and errors of an imported package have versions of their own, so
 * that several rows may be of one version; the oldest is first, the last is the newest of all.
 */
typedef struct model_method_revision {
    uint32_t version;
    const model_revision *request; /* NULL: () */
    const model_revision *reply;   /* likewise */
    uint32_t errors_version;       /* of the package of what it throws; 0: it throws nothing */
    uint32_t answer_size;          /* of the reply, or of the largest payload of an error */
    uint64_t fingerprint;
} model_method_revision;

struct model_service {
    const model_decl *decl;
    const char *c_prefix; /* replaces the whole prefix of the service's functions, or NULL */
    bool strict;          /* a client of another layout of any of its methods is refused */
    bool idempotent;
    int64_t deadline_ns;
    uint32_t depth;              /* @depth; 0: not given */
    const model_method *methods; /* its own and composed ones, in the order of the file */
    uint32_t method_count;
    const model_service *const *composes; /* in the order of the file */
    uint32_t compose_count;
    const model_reserved *reserved; /* names only */
    uint32_t reserved_count;
};

typedef enum model_overflow {
    MODEL_OVERFLOW_UNSET,
    MODEL_OVERFLOW_BLOCK,
    MODEL_OVERFLOW_DROP_OLDEST,
    MODEL_OVERFLOW_FAIL
} model_overflow;

/* A topic or a queue. */
typedef struct model_channel {
    const model_decl *decl;
    const model_record *item;
    uint32_t depth; /* @depth; 0: not given */
    model_overflow overflow;
    bool reliable;     /* TOPIC: @reliable */
    uint32_t retain;   /* TOPIC: @retain, messages for who comes late; 0: not given */
    uint32_t attempts; /* QUEUE: @attempts; 0: not given */
} model_channel;

typedef struct model_constant {
    const model_type *type; /* scalar, enum, flags or string */
    model_value value;
} model_constant;

typedef enum model_decl_kind {
    MODEL_DECL_CONST,
    MODEL_DECL_ALIAS,
    MODEL_DECL_ENUM,
    MODEL_DECL_FLAGS,
    MODEL_DECL_STRUCT,
    MODEL_DECL_MESSAGE,
    MODEL_DECL_UNION,
    MODEL_DECL_ERRORS,
    MODEL_DECL_SERVICE,
    MODEL_DECL_TOPIC,
    MODEL_DECL_QUEUE,
} model_decl_kind;

/* One declaration of a file, in the order of the file. */
struct model_decl {
    uint32_t id;
    model_decl_kind kind;
    const model_file *file;
    const char *name;           /* as written */
    const char *qualified_name; /* "demo.calc.Pair" */
    span at;                    /* of the name */
    model_notes notes;
    union {
        const model_constant *constant;
        const model_type *alias;      /* what it stands for */
        const model_members *members; /* ENUM, FLAGS, ERRORS */
        const model_record *record;   /* STRUCT, MESSAGE, UNION */
        const model_service *service;
        const model_channel *channel; /* TOPIC, QUEUE */
    } as;
};

struct model_file {
    uint32_t id;
    const char *path;    /* as opened, for diagnostics */
    const char *logical; /* relative to the -I folder that holds it: "demo/health.shm"; names the output */
    const char *package; /* "demo.health" */
    model_notes notes;
    const char *c_prefix; /* of the package, or NULL */
    uint32_t version;
    span at;                          /* of the package declaration */
    const model_file *const *imports; /* in order of appearance */
    uint32_t import_count;
    const model_decl *const *decls;
    uint32_t decl_count;
    /* Order for languages that want a type before its use: every STRUCT, UNION, ENUM, FLAGS, ALIAS,
       MESSAGE, ERRORS decl of this file after those that it needs; ties in the order of the file. */
    const model_decl *const *sorted;
    uint32_t sorted_count;
    bool requested; /* named on the command line: to be generated */
};

struct model {
    const model_file *const *files; /* imported ones before those that import them */
    uint32_t file_count;
    uint32_t max_message;      /* bytes */
    const char *const *inputs; /* paths of all files, as opened, in the order of `files`: for a depfile */
    uint32_t input_count;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generated.h - what generated code says about a service: static const tables.
 *
 * A table is trusted as the program's own code is. Its shape is the generated-code ABI: generated files refuse to
 * compile against a header of another SHMRPC_GENERATED_ABI, and refuse to link with a library of another one
 * (shmrpc_generated_abi_3 is a symbol that they refer to).
 */
#ifndef SHMRPC_GENERATED_H
#define SHMRPC_GENERATED_H

#include <shmrpc/base.h>
#include <shmrpc/client.h>
#include <shmrpc/host.h>
#include <shmrpc/server.h>
#include <shmrpc/status.h>
#include <shmrpc/wire.h>

#include <string.h>

SHMRPC_BEGIN_DECLS

#define SHMRPC_GENERATED_ABI 3
SHMRPC_EXPORT extern const uint32_t shmrpc_generated_abi_3;

/* Where a message does not validate: filled by a validator that returns false. */
typedef struct shmrpc_fault {
    const char *field;  /* static: "text", or "items[].key" */
    const char *reason; /* static: "longer than 80", "not a member of demo.kv.WriteMode" */
    uint64_t value;     /* the value found */
    uint64_t limit;     /* the bound, or 0 where there is none */
} shmrpc_fault;

/*
 * A payload's layout and the three things done with it.
 *
 * On the wire a message is its struct up to the used end of a last variable field, rounded up to 8 and never below
 * min_size; what is missing is filled from the default image by the receiver, up to there: items of a last variable field
 * beyond its count mean nothing, and hold anything.
 */
typedef struct shmrpc_type_info {
    const char *name; /* "demo.calc.Pair" */
    uint64_t fingerprint;
    uint32_t size;       /* of the struct: 8 .. SHMRPC_LARGE_MAX, a multiple of 8 for messages */
    uint32_t min_size;   /* the least that is sent; == size where no last field is variable */
    const void *initial; /* the default image, `size` bytes; NULL: zeros */
    /*
     * Writes the canonical form of a valid message to `to` (which may be shared memory and is never read; room for
     * `size` bytes): padding, bytes beyond lengths, absent optionals and unused bytes of unions as zero. Returns the
     * bytes used. NULL: `size` bytes are copied as they are.
     */
    size_t (*store)(void *to, const void *message);
    /* Looks at a private copy. NULL: every value is valid. Fills *ret_fault where it returns false. */
    bool (*validate)(const void *message, shmrpc_fault *ret_fault);
    /*
     * The text that the fingerprint is of, for reports of what two sides see differently; a long one is cut. NULL: they
     * say less.
     */
    const char *layout;
    /*
     * For messages that are filled in where they are sent from. Both are given a valid message. How much of it is in
     * use: up to the end of the last variable field's items, at most `size`. NULL: all of it.
     */
    size_t (*used)(const void *message);
    /* Writes zero to the padding, as store() does; other bytes that mean nothing stay. NULL: there is none. */
    void (*tidy)(void *message);
} shmrpc_type_info;

typedef struct shmrpc_error_info {
    const char *name;                /* "DIVIDE_BY_ZERO" */
    int32_t code;                    /* 1 .. 32767 */
    const shmrpc_type_info *payload; /* NULL: none */
} shmrpc_error_info;

/* A set of declared errors, in ascending order of code. */
typedef struct shmrpc_errors_info {
    const char *name;
    uint64_t fingerprint;
    const shmrpc_error_info *items;
    uint32_t count;
} shmrpc_errors_info;

#define SHMRPC_METHOD_ONEWAY UINT32_C(1)
#define SHMRPC_METHOD_IDEMPOTENT UINT32_C(2)

#define SHMRPC_METHOD_DEADLINE_UNSET INT64_C(0)
#define SHMRPC_METHOD_DEADLINE_NONE INT64_MAX

/*
 * `request` is a validated private copy, `reply` a private default image; each NULL where the method has none. Of a last
 * variable field what is beyond its count holds anything.
 */
typedef int shmrpc_invoke(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply);

/*
 * A layout that a method has had. Of each message it is the first bytes of the newest one, and what is missing has the
 * values of the default image.
 */
typedef struct shmrpc_revision_info {
    uint64_t fingerprint;
    uint32_t version;      /* of the package, from which on it was so */
    uint32_t request_size; /* 0: () */
    uint32_t request_min_size;
    uint32_t reply_size; /* 0: () or oneway */
    uint32_t reply_min_size;
    uint32_t answer_size; /* of the reply, or of the largest payload of an error */
} shmrpc_revision_info;

typedef struct shmrpc_method_info {
    const char *name;
    uint64_t fingerprint; /* kind, request, reply and errors, of the newest revision: that of the types below */
    uint32_t flags;       /* SHMRPC_METHOD_... */
    uint32_t former_count;
    int64_t timeout_ns;                 /* @deadline of the method or service; or one of the two above */
    const shmrpc_type_info *request;    /* NULL: () */
    const shmrpc_type_info *reply;      /* NULL: () or oneway */
    const shmrpc_errors_info *errors;   /* NULL: no throws */
    shmrpc_invoke *invoke;              /* calls the operation; UNIMPLEMENTED where that is NULL */
    const shmrpc_revision_info *former; /* its revisions before the newest, in ascending order */
    const char *original;               /* the name that both sides know it by (@renamed_from); NULL: `name` */
} shmrpc_method_info;

#define SHMRPC_SERVICE_STRICT UINT32_C(1) /* who has a method in no layout that this side knows is not connected */

typedef struct shmrpc_service_info {
    const uint32_t *abi;   /* &shmrpc_generated_abi_3 */
    const char *name;      /* "demo.calc.Calculator" */
    uint32_t version;      /* the package's @version */
    uint32_t method_count; /* 0 .. SHMRPC_METHODS_MAX */
    const shmrpc_method_info *methods;
    const char *original; /* the name that both sides know it by; NULL: `name` */
    uint32_t flags;       /* SHMRPC_SERVICE_... */
} shmrpc_service_info;

/* Validates as a sender does and records the fault for shmrpc_last_error(): 0 or SHMRPC_E_INVALID. */
SHMRPC_EXPORT int shmrpc_message_check(const shmrpc_type_info *type, const void *message);

/* Is this UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF) without a NUL? */
SHMRPC_EXPORT bool shmrpc_text_is_valid(const char *text, size_t length);

SHMRPC_END_DECLS

#endif

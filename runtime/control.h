/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - the handshake's packets (control.proto) as plain structs.
 *
 * Encoding and decoding by protobuf-c. Everything that came from a peer is bounded here: counts, lengths and numbers
 * are inside the limits that the fields below state, or decoding fails. What the limits do not say (a depth that
 * is a power of two, sizes that fit together, a number of blocks that somebody can afford) is region.h's.
 *
 * A name is printable ASCII without spaces. A text is for people: it is cut to CONTROL_TEXT_MAX on both ways, and a
 * decoded one holds nothing that a terminal or a log would act upon (what is no printable UTF-8 has become '?').
 */
#ifndef SHMRPC_CONTROL_H
#define SHMRPC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_PROTOCOL 1u             /* the version of the shared-memory protocol of this library */
#define CONTROL_NAME_MAX 255u           /* bytes of a service's or method's name, and of a library's version */
#define CONTROL_TEXT_MAX 1023u          /* bytes of a reason; longer ones are cut */
#define CONTROL_DEPTH_MAX 65536u        /* slots */
#define CONTROL_BLOCKS_MAX 255u         /* of each direction */
#define CONTROL_ENVELOPE_MAX 1040u      /* bytes */
#define CONTROL_METHOD_MISSING 0xffffu  /* a method's number: there is no such method, */
#define CONTROL_METHOD_MISMATCH 0xfffeu /* or it has other layouts */
#define CONTROL_REVISIONS_MAX 64u       /* of a method */
#define CONTROL_MISMATCHES_MAX 256u
#define CONTROL_LAYOUT_MAX 4095u /* bytes of a layout's text; longer ones are cut */
#define CONTROL_TOKEN_SIZE 16u

/* A secret between a client and its server; all zero: none. */
typedef struct control_token {
    uint8_t bytes[CONTROL_TOKEN_SIZE];
} control_token;

typedef struct control_method {
    const char *name;        /* 1 .. CONTROL_NAME_MAX bytes */
    uint32_t revision_count; /* 1 .. CONTROL_REVISIONS_MAX; the newest comes first */
    uint64_t *fingerprints;  /* of each */
    uint32_t *request_sizes; /* likewise; at most SHMRPC_LARGE_MAX */
    uint32_t *answer_sizes;  /* likewise */
    bool oneway;
} control_method;

/* How the server has a method that is not as the client has it. */
typedef struct control_mismatch {
    uint32_t method; /* of the client's; below SHMRPC_METHODS_MAX */
    bool oneway;
    uint64_t fingerprint;
    uint32_t request_size; /* at most SHMRPC_LARGE_MAX */
    uint32_t answer_size;  /* likewise */
    const char *request;   /* texts of layouts, cut to CONTROL_LAYOUT_MAX bytes */
    const char *reply;
    const char *errors;
} control_mismatch;

typedef struct control_hello {
    uint32_t protocol_least; /* 1 .. protocol_most */
    uint32_t protocol_most;
    const char *service; /* 0 .. CONTROL_NAME_MAX bytes */
    control_method *methods;
    uint32_t method_count; /* at most SHMRPC_METHODS_MAX */
    uint32_t depth;        /* at most CONTROL_DEPTH_MAX */
    uint32_t blocks;       /* at most CONTROL_BLOCKS_MAX */
    uint32_t request_size; /* at most SHMRPC_LARGE_MAX */
    uint32_t reply_size;   /* likewise */
    const char *runtime;   /* 0 .. CONTROL_NAME_MAX bytes */
    uint32_t inbox;        /* at most CONTROL_DEPTH_MAX */
    control_token token;
    bool semaphores;
    bool membarrier;
    uint32_t envelope;   /* at most CONTROL_ENVELOPE_MAX */
    uint64_t arena_size; /* any: it is a wish */
} control_hello;

typedef struct control_welcome {
    int status; /* at most 0 */
    const char *text;
    uint32_t protocol;
    uint32_t depth;               /* at most CONTROL_DEPTH_MAX */
    uint32_t request_block_size;  /* at most SHMRPC_MESSAGE_MAX */
    uint32_t request_block_count; /* at most CONTROL_BLOCKS_MAX */
    uint32_t reply_block_size;    /* as for requests */
    uint32_t reply_block_count;
    uint32_t *method_numbers;   /* each at most CONTROL_METHOD_MISSING */
    uint32_t *method_revisions; /* as many, each below CONTROL_REVISIONS_MAX; NULL: 0 */
    uint32_t method_count;      /* at most SHMRPC_METHODS_MAX */
    uint32_t version;
    control_mismatch *mismatches;
    uint32_t mismatch_count; /* at most CONTROL_MISMATCHES_MAX */
    uint64_t session;
    const char *runtime;  /* 0 .. CONTROL_NAME_MAX bytes */
    uint32_t inbox_depth; /* at most CONTROL_DEPTH_MAX */
    control_token token;
    bool membarrier;
    bool envelopes;
    uint64_t arena_size; /* at most SHMRPC_ARENA_MOST, in whole units of SHMRPC_ARENA_UNIT */
    bool sealed;
} control_welcome;

typedef struct control_attach {
    uint64_t size;       /* any: it is compared, never trusted */
    uint64_t arena_size; /* likewise */
    bool prefault;
} control_attach;

typedef struct control_ready {
    int status; /* at most 0 */
    const char *text;
} control_ready;

typedef enum control_kind {
    CONTROL_HELLO,
    CONTROL_WELCOME,
    CONTROL_ATTACH,
    CONTROL_READY,
    CONTROL_GOODBYE,
    CONTROL_CANCEL,
    CONTROL_SEALED,
} control_kind;

/* Is there a token? */
bool control_token_is_set(const control_token *token);

/* In a time that does not depend on where they differ. */
bool control_token_is_equal(const control_token *a, const control_token *b);

/* A decoded packet; strings (never NULL) and arrays live until control_packet_free(). */
typedef struct control_packet {
    control_kind kind;
    union {
        control_hello hello;
        control_welcome welcome;
        control_attach attach;
        control_ready ready;
        const char *goodbye;
        uint64_t cancel; /* any position: it is compared, never trusted */
        uint64_t sealed; /* likewise */
    } as;
    void *storage;
} control_packet;

/*
 * Encodes into heap memory that the caller frees; a string that is NULL is sent as "". 0, -ENOMEM, -EMSGSIZE (above
 * SOCKET_PACKET_MAX). The limits are the receiver's to check. `packet->storage` is not looked at.
 */
int control_encode(const control_packet *packet, void **ret_bytes, size_t *ret_length);

/*
 * Decodes what a peer sent, in bounded memory; unknown fields are ignored. 0; -EPROTO with *ret_reason (static text)
 * where it is not a packet within the limits; -ENOMEM.
 */
int control_decode(const void *bytes, size_t length, control_packet **ret_packet, const char **ret_reason);

/* Takes NULL. */
void control_packet_free(control_packet *packet);

#endif
